/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_byteorder.h>

#include "pci_bsd_conf.h"

#define LAYOUT(type, field, at) \
	_Static_assert(offsetof(struct type, field) == (at), "layout of " #type "." #field)
#define LAYOUT_SIZE(type, size) \
	_Static_assert(sizeof(struct type) == (size), "size of " #type)

/* They are the kernel's; a 32-bit one has others. */
_Static_assert(sizeof(void *) == 8, "only 64-bit machines");
LAYOUT(pci_bsd_sel, bus, 4);
LAYOUT(pci_bsd_sel, func, 6);
LAYOUT_SIZE(pci_bsd_sel, 8);
LAYOUT(pci_bsd_list, patterns, 8);
LAYOUT(pci_bsd_list, match_buf_len, 16);
LAYOUT(pci_bsd_list, nb_matches, 20);
LAYOUT(pci_bsd_list, matches, 24);
LAYOUT(pci_bsd_list, offset, 32);
LAYOUT(pci_bsd_list, generation, 36);
LAYOUT(pci_bsd_list, status, 40);
LAYOUT_SIZE(pci_bsd_list, 48);
LAYOUT(pci_bsd_reg, reg, 8);
LAYOUT(pci_bsd_reg, data, 16);
LAYOUT_SIZE(pci_bsd_reg, 20);
LAYOUT(pci_bsd_get_bar, base, 16);
LAYOUT(pci_bsd_get_bar, length, 24);
LAYOUT_SIZE(pci_bsd_get_bar, 32);
LAYOUT(pci_bsd_map_bar, bar_off, 24);
LAYOUT(pci_bsd_map_bar, sel, 28);
LAYOUT(pci_bsd_map_bar, memattr, 44);
LAYOUT_SIZE(pci_bsd_map_bar, 48);
LAYOUT(pci_bsd_bar_io, bar, 12);
LAYOUT(pci_bsd_bar_io, value, 24);
LAYOUT_SIZE(pci_bsd_bar_io, 28);
LAYOUT_SIZE(pci_bsd_port, 16);

/* Where in a record what is told stands. */
enum {
	AT_DOMAIN = 0,
	AT_BUS = 4,
	AT_DEV = 5,
	AT_FUNC = 6,
	AT_SUBVENDOR = 10,
	AT_SUBDEVICE = 12,
	AT_VENDOR = 14,
	AT_DEVICE = 16,
	AT_CLASS = 18,
	AT_SUBCLASS = 19,
	AT_PROGIF = 20,
	AT_DRIVER = 22,
	/* FreeBSD 15 */
	AT_NUMA = 48,
	AT_REPORTED = 56,
};

/* Lowest bits of a BAR: PCI Local Bus Specification 3.0, 6.2.5.1. */
#define BAR_IOPORT 0x1u
#define BAR_TYPE 0x6u
#define BAR_TYPE_64 0x4u
#define BAR_PREFETCHABLE 0x8u
#define BAR_IOPORT_FLAGS 0x3u
#define BAR_MEMORY_FLAGS 0xfu

static uint16_t
u16_at(const uint8_t *record, size_t at)
{
	uint16_t value;

	memcpy(&value, record + at, sizeof(value));
	return value;
}

static struct rte_pci_addr
addr_at(const uint8_t *record)
{
	struct rte_pci_addr addr = {
		.bus = record[AT_BUS],
		.devid = record[AT_DEV],
		.function = record[AT_FUNC],
	};

	memcpy(&addr.domain, record + AT_DOMAIN, sizeof(addr.domain));
	return addr;
}

static struct rte_pci_id
id_at(const uint8_t *record)
{
	return (struct rte_pci_id){
		.class_id = (uint32_t)record[AT_CLASS] << 16 | record[AT_SUBCLASS] << 8 |
			record[AT_PROGIF],
		.vendor_id = u16_at(record, AT_VENDOR),
		.device_id = u16_at(record, AT_DEVICE),
		.subsystem_vendor_id = u16_at(record, AT_SUBVENDOR),
		.subsystem_device_id = u16_at(record, AT_SUBDEVICE),
	};
}

/* A longer record says itself how much of it the kernel knows. */
static int
numa_at(const uint8_t *record, size_t len)
{
	uint64_t reported;
	int32_t node;

	if (len < PCI_BSD_RECORD_15)
		return -1;
	memcpy(&reported, record + AT_REPORTED, sizeof(reported));
	memcpy(&node, record + AT_NUMA, sizeof(node));
	return reported < AT_NUMA + sizeof(node) || node < 0 ? -1 : node;
}

int
pci_bsd_device_parse(const uint8_t *record, size_t len, struct pci_bsd_device *device)
{
	if (len != PCI_BSD_RECORD_14 && len != PCI_BSD_RECORD_15)
		return -EINVAL;
	if (record[AT_DEV] > 31 || record[AT_FUNC] > 7 ||
			memchr(record + AT_DRIVER, '\0', PCI_BSD_DRIVER_SIZE) == NULL)
		return -EPROTO;
	device->addr = addr_at(record);
	device->id = id_at(record);
	device->numa_node = numa_at(record, len);
	memcpy(device->driver, record + AT_DRIVER, sizeof(device->driver));
	return 0;
}

/* More to come, but nothing now, would go on for ever. */
int
pci_bsd_list_check(const struct pci_bsd_list *list, uint32_t room)
{
	if (list->status == PCI_BSD_LIST_CHANGED)
		return -EAGAIN;
	if (list->status == PCI_BSD_LIST_ERROR)
		return -EIO;
	if (list->nb_matches > room || list->status > PCI_BSD_LIST_ERROR ||
			(list->status == PCI_BSD_LIST_MORE && list->nb_matches == 0))
		return -EPROTO;
	return list->status == PCI_BSD_LIST_MORE;
}

int
pci_bsd_bar_parse(const struct pci_bsd_get_bar *answer, struct pci_bsd_bar *bar)
{
	const bool ioport = (answer->base & BAR_IOPORT) != 0;
	const uint64_t base = answer->base &
		~(uint64_t)(ioport ? BAR_IOPORT_FLAGS : BAR_MEMORY_FLAGS);

	if (answer->length > UINT64_MAX - base || answer->length > INT64_MAX ||
			(ioport && base + answer->length > UINT32_MAX))
		return -EPROTO;
	*bar = (struct pci_bsd_bar){
		.base = base,
		.length = answer->length,
		.ioport = ioport,
		.wide = !ioport && (answer->base & BAR_TYPE) == BAR_TYPE_64,
		.prefetchable = !ioport && (answer->base & BAR_PREFETCHABLE) != 0,
		.enabled = answer->enabled != 0,
	};
	return 0;
}

struct pci_bsd_sel
pci_bsd_sel_of(const struct rte_pci_addr *addr)
{
	return (struct pci_bsd_sel){
		.domain = addr->domain,
		.bus = addr->bus,
		.dev = addr->devid,
		.func = addr->function,
	};
}

uint32_t
pci_bsd_width(uint64_t offset, size_t len)
{
	uint32_t width = 4;

	while (width > len || (offset & (width - 1)) != 0)
		width /= 2;
	return width;
}

void
pci_bsd_value_put(void *buf, uint32_t value, uint32_t width)
{
	const rte_le32_t raw = rte_cpu_to_le_32(value);

	memcpy(buf, &raw, width);
}

uint32_t
pci_bsd_value_get(const void *buf, uint32_t width)
{
	rte_le32_t raw = 0;

	memcpy(&raw, buf, width);
	return rte_le_to_cpu_32(raw);
}

void
pci_bsd_uio_name(const struct rte_pci_addr *addr, char name[PCI_BSD_UIO_NAME_SIZE])
{
	snprintf(name, PCI_BSD_UIO_NAME_SIZE, "/dev/uio@pci:%u:%u:%u", addr->bus, addr->devid,
		addr->function);
}
