/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include "bar_render.h"
#include "cli.h"
#include "device.h"

#define COMPLAIN(...) fprintf(stderr, "dpdk-pci: " __VA_ARGS__)

static int
onlooker_probe(struct rte_pci_driver *drv, struct rte_pci_device *dev)
{
	(void)drv;
	(void)dev;
	return 0;
}

static int
onlooker_remove(struct rte_pci_device *dev)
{
	(void)dev;
	return 0;
}

static const struct rte_pci_id onlooker_ids[] = {
	{ RTE_PCI_DEVICE(RTE_PCI_ANY_ID, RTE_PCI_ANY_ID) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver onlooker = {
	.driver = { .name = "onlooker" },
	.id_table = onlooker_ids,
	.probe = onlooker_probe,
	.remove = onlooker_remove,
};

/* What EAL is told beyond what the user says; the array outlives EAL, which may point into it. */
static char **eal_words;

/* No device is given an address, so that none needs it to be a physical one. */
static int
words_join(char *prog, int eal_argc, char **eal_argv, char *only)
{
	static char no_huge[] = "--no-huge", in_memory[] = "--in-memory", allow[] = "-a";
	static char any_address[] = "--iova-mode=va";
	int nb = 0;

	eal_words = calloc((size_t)eal_argc + 7, sizeof(*eal_words));
	if (eal_words == NULL)
		return -ENOMEM;
	eal_words[nb++] = prog;
	eal_words[nb++] = no_huge;
	eal_words[nb++] = in_memory;
	eal_words[nb++] = any_address;
	if (eal_argc != 0)
		memcpy(eal_words + nb, eal_argv, (size_t)eal_argc * sizeof(*eal_words));
	nb += eal_argc;
	if (only != NULL && !cli_has_device_list(eal_argc, eal_argv)) {
		eal_words[nb++] = allow;
		eal_words[nb++] = only;
	}
	return nb;
}

/* The onlooker comes before the drivers that EAL loads, and the tool links no others. */
int
devices_start(char *prog, int eal_argc, char **eal_argv, char *only)
{
	int nb = words_join(prog, eal_argc, eal_argv, only);

	if (nb < 0)
		return nb;
	rte_pci_register(&onlooker);
	if (rte_eal_init(nb, eal_words) >= 0)
		return 0;
	COMPLAIN("cannot start: %s\n", rte_strerror(rte_errno));
	rte_pci_unregister(&onlooker);
	free(eal_words);
	return -EIO;
}

void
devices_stop(void)
{
	rte_eal_cleanup();
	rte_pci_unregister(&onlooker);
	free(eal_words);
}

/* By address; a device that is named otherwise is the one that was allowed by that name. */
static bool
device_is(const struct rte_device *dev, const char *text, const struct rte_pci_addr *addr)
{
	if (addr != NULL)
		return rte_pci_addr_cmp(&RTE_DEV_TO_PCI_CONST(dev)->addr, addr) == 0;
	return strcmp(dev->name, text) == 0 || dev->devargs != NULL;
}

struct rte_pci_device *
device_find(const char *text)
{
	struct rte_dev_iterator it;
	struct rte_pci_addr addr;
	struct rte_device *dev;
	bool parsed = rte_pci_addr_parse(text, &addr) == 0;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		if (device_is(dev, text, parsed ? &addr : NULL))
			return RTE_DEV_TO_PCI(dev);
	COMPLAIN("%s: no such device, or it has no kernel driver at all "
		"(dpdk-pci list, dpdk-devbind.py --status)\n", text);
	return NULL;
}

/* What the user can do about it. */
static const char *
open_hint(int rc)
{
	static const struct { int rc; const char *hint; } hints[] = {
		{ -EACCES, "; run as root, or see dpdk-devbind.py --uid" },
		{ -EPERM, "; run as root, or see dpdk-devbind.py --uid" },
		{ -EBUSY, "; another process has it" },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(hints); i++)
		if (hints[i].rc == rc)
			return hints[i].hint;
	return "";
}

int
device_open(struct rte_pci_device *dev)
{
	int rc = rte_pci_map_device(dev);

	if (rc > 0 && dev->kdrv == RTE_PCI_KDRV_VFIO)
		COMPLAIN("%s: the kernel gives no access to it: it has no IOMMU group "
			"(dpdk-devbind.py --noiommu-mode), or no file in /dev/vfio\n", dev->name);
	else if (rc > 0 && rte_pci_backend_name(dev) != NULL)
		COMPLAIN("%s: the kernel gives no access to it\n", dev->name);
	else if (rc > 0)
		COMPLAIN("%s: its kernel driver keeps it; to open it: "
			"dpdk-devbind.py --bind vfio-pci %s\n", dev->name, dev->name);
	else if (rc < 0)
		COMPLAIN("%s: cannot open: %s%s\n", dev->name, strerror(-rc), open_hint(rc));
	return rc;
}

/* Numbers of PCI are little-endian, whatever their width. */
static uint64_t
little_endian_get(const uint8_t *bytes, unsigned int width)
{
	uint64_t value = 0;

	while (width-- > 0)
		value = value << 8 | bytes[width];
	return value;
}

static void
little_endian_put(uint8_t *bytes, unsigned int width, uint64_t value)
{
	unsigned int i;

	for (i = 0; i < RTE_MIN(width, sizeof(value)); i++)
		bytes[i] = (uint8_t)(value >> (8 * i));
}

/* A way to access a part of a device. All return what was transferred, or negative. */
struct accessor {
	int (*read)(struct rte_pci_device *dev, const struct cli_request *request, void *buf);
	int (*write)(struct rte_pci_device *dev, const struct cli_request *request,
		const void *buf);
};

static int
config_read(struct rte_pci_device *dev, const struct cli_request *request, void *buf)
{
	return rte_pci_read_config(dev, buf, request->width, (off_t)request->offset);
}

static int
config_write(struct rte_pci_device *dev, const struct cli_request *request, const void *buf)
{
	return rte_pci_write_config(dev, buf, request->width, (off_t)request->offset);
}

static int
memory_read(struct rte_pci_device *dev, const struct cli_request *request, void *buf)
{
	return rte_pci_mmio_read(dev, (int)request->bar, buf, request->width,
		(off_t)request->offset);
}

static int
memory_write(struct rte_pci_device *dev, const struct cli_request *request, const void *buf)
{
	return rte_pci_mmio_write(dev, (int)request->bar, buf, request->width,
		(off_t)request->offset);
}

static int
ioport_read(struct rte_pci_device *dev, const struct cli_request *request, void *buf)
{
	struct rte_pci_ioport port;

	if (rte_pci_ioport_map(dev, (int)request->bar, &port) != 0)
		return -EIO;
	rte_pci_ioport_read(&port, buf, request->width, (off_t)request->offset);
	rte_pci_ioport_unmap(&port);
	return (int)request->width;
}

static int
ioport_write(struct rte_pci_device *dev, const struct cli_request *request, const void *buf)
{
	struct rte_pci_ioport port;

	if (rte_pci_ioport_map(dev, (int)request->bar, &port) != 0)
		return -EIO;
	rte_pci_ioport_write(&port, buf, request->width, (off_t)request->offset);
	rte_pci_ioport_unmap(&port);
	return (int)request->width;
}

static const struct accessor config_accessor = { config_read, config_write };
static const struct accessor memory_accessor = { memory_read, memory_write };
static const struct accessor ioport_accessor = { ioport_read, ioport_write };

static int
range_check(const struct rte_pci_device *dev, const struct cli_request *request, uint64_t size,
	const char *what)
{
	char text[32];

	if (request->offset <= size && request->width <= size - request->offset)
		return 0;
	bar_size_text(size, text, sizeof(text));
	COMPLAIN("%s: 0x%" PRIx64 " + %u is past the end of %s (%s)\n", dev->name,
		request->offset, request->width, what, text);
	return -EINVAL;
}

static int
bar_accessor(const struct rte_pci_device *dev, const struct cli_request *request,
	const struct accessor **accessor)
{
	struct rte_pci_bar_info info;
	char what[16];

	if (rte_pci_bar_info_get(dev, (int)request->bar, &info) != 0 || info.size == 0) {
		COMPLAIN("%s: there is no BAR%u\n", dev->name, request->bar);
		return -EINVAL;
	}
	*accessor = (info.flags & RTE_PCI_BAR_F_IOPORT) != 0 ? &ioport_accessor : &memory_accessor;
	snprintf(what, sizeof(what), "BAR%u", request->bar);
	return range_check(dev, request, info.size, what);
}

static int
accessor_find(const struct rte_pci_device *dev, const struct cli_request *request,
	const struct accessor **accessor)
{
	if (request->bar != CLI_BAR_CONFIG)
		return bar_accessor(dev, request, accessor);
	*accessor = &config_accessor;
	return range_check(dev, request, RTE_PCI_CFG_SPACE_EXP_SIZE, "configuration space");
}

static int
transfer_check(const struct rte_pci_device *dev, const struct cli_request *request, int got)
{
	if (got == (int)request->width)
		return 0;
	COMPLAIN("%s: access to 0x%" PRIx64 " failed: %s\n", dev->name, request->offset,
		strerror(got < -1 ? -got : EIO));
	return -EIO;
}

int
device_read(struct rte_pci_device *dev, const struct cli_request *request, uint64_t *value)
{
	const struct accessor *accessor;
	uint8_t bytes[sizeof(uint64_t)] __attribute__((aligned(8))) = { 0 };
	int rc;

	rc = accessor_find(dev, request, &accessor);
	if (rc == 0)
		rc = transfer_check(dev, request, accessor->read(dev, request, bytes));
	*value = little_endian_get(bytes, request->width);
	return rc;
}

int
device_write(struct rte_pci_device *dev, const struct cli_request *request)
{
	const struct accessor *accessor;
	uint8_t bytes[sizeof(uint64_t)] __attribute__((aligned(8)));
	int rc;

	rc = accessor_find(dev, request, &accessor);
	if (rc != 0)
		return rc;
	little_endian_put(bytes, request->width, request->value);
	return transfer_check(dev, request, accessor->write(dev, request, bytes));
}
