/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_paging.h>

#include "pci_access.h"
#include "pci_backend.h"
#include "pci_bsd_device.h"
#include "pci_bsd_kernel.h"
#include "pci_bsd_scan.h"
#include "pci_device.h"
#include "pci_log.h"

/* PCI Local Bus Specification 3.0, 6.2.2. */
#define COMMAND_IO 0x1

/* ---- configuration space ---- */

static const char *
pci_open_hint(int err)
{
	if (err == EPERM)
		return " (securelevel above 0?)";
	return err == EACCES ? " (only root may, unless devfs.rules say otherwise)" : "";
}

/*
 * Behind nic_uio a device works without configuration space: decoding may be on already, and the
 * driver in the kernel has made it a bus master.
 */
static int
pci_fd_open(const struct pci_device *dev, struct pci_backend_state *state)
{
	int fd = pci_bsd_kernel->open("/dev/pci", O_RDWR);

	if (fd >= 0) {
		state->pci_fd = fd;
		return 0;
	}
	PCI_LOG(WARNING, "%s: cannot open /dev/pci to write%s: %s%s", dev->pub.name,
		state->uio_fd >= 0 ? ", going on without configuration space" : "",
		strerror(-fd), pci_open_hint(-fd));
	return state->uio_fd >= 0 ? 0 : fd;
}

/* The kernel has no limit of its own: what is not there reads as ones. */
static int
config_fill(struct pci_device *dev)
{
	struct pci_region *region = &dev->region[PCI_REGION_CONFIG];
	uint32_t extended;
	int rc;

	if (dev->state->pci_fd < 0)
		return 0;
	region->flags = PCI_REGION_F_READ | PCI_REGION_F_WRITE;
	region->size = RTE_PCI_CFG_SPACE_EXP_SIZE;
	rc = pci_access_read(dev, PCI_REGION_CONFIG, &extended, sizeof(extended),
		RTE_PCI_CFG_SPACE_SIZE);
	if (rc < 0)
		return rc;
	if (extended == UINT32_MAX)
		region->size = RTE_PCI_CFG_SPACE_SIZE;
	return pci_cap_load(dev);
}

/* Change bits of the command register; *changed: those that were not so before. */
static int
command_change(const struct pci_device *dev, uint16_t bits, bool on, uint16_t *changed)
{
	rte_le16_t raw;
	uint16_t old, new;
	int rc;

	*changed = 0;
	rc = pci_access_read(dev, PCI_REGION_CONFIG, &raw, sizeof(raw), RTE_PCI_COMMAND);
	if (rc < 0)
		return rc;
	old = rte_le_to_cpu_16(raw);
	new = on ? old | bits : old & ~bits;
	if (new == old)
		return 0;
	raw = rte_cpu_to_le_16(new);
	rc = pci_access_write(dev, PCI_REGION_CONFIG, &raw, sizeof(raw), RTE_PCI_COMMAND);
	if (rc < 0)
		return rc;
	*changed = new ^ old;
	return 0;
}

/* ---- BARs ---- */

/*
 * Only what fills its pages is mapped, since a page belongs to one device at most. The rest is
 * for calls.
 */
static bool
bar_is_mappable(const struct pci_bsd_bar *bar)
{
	const uint64_t page_mask = rte_mem_page_size() - 1;

	return !bar->ioport && bar->length != 0 && ((bar->base | bar->length) & page_mask) == 0;
}

static int
bar_areas(struct pci_region *region)
{
	region->areas = malloc(sizeof(*region->areas));
	if (region->areas == NULL)
		return -ENOMEM;
	region->areas[0] = (struct rte_vfio_area){ .size = region->size };
	region->nb_areas = 1;
	return 0;
}

static bool
wants_combining(const struct pci_device *dev)
{
	return dev->pub.driver != NULL &&
		(dev->pub.driver->drv_flags & RTE_PCI_DRV_WC_ACTIVATE) != 0;
}

static int
bar_fill(struct pci_device *dev, unsigned int i)
{
	struct pci_backend_state *state = dev->state;
	const struct pci_bsd_bar *bar = &state->bar[i];
	struct pci_region *region = &dev->region[i];

	if (bar->length == 0)
		return 0;
	region->size = bar->length;
	region->flags = PCI_REGION_F_READ | PCI_REGION_F_WRITE |
		(bar->ioport ? PCI_REGION_F_IOPORT : 0);
	region->fd = state->uio_fd >= 0 ? state->uio_fd : state->pci_fd;
	state->memattr[i] = bar->prefetchable && wants_combining(dev) ?
		PCI_BSD_MEMATTR_COMBINING : PCI_BSD_MEMATTR_REGISTERS;
	return bar_is_mappable(bar) ? bar_areas(region) : 0;
}

static int
bars_fill(struct pci_device *dev)
{
	unsigned int i;
	int rc;

	rc = pci_bsd_bars_get(&dev->pub.addr, dev->state->bar);
	for (i = 0; i < PCI_MAX_RESOURCE && rc == 0; i++)
		rc = bar_fill(dev, i);
	return rc;
}

/* A BAR must be listened to before the kernel maps it. */
static int
decoding_enable(struct pci_device *dev)
{
	struct pci_backend_state *state = dev->state;
	uint16_t bits = 0;
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		if (state->bar[i].length != 0 && !state->bar[i].enabled)
			bits |= state->bar[i].ioport ? COMMAND_IO : RTE_PCI_COMMAND_MEMORY;
	if (bits == 0 || rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	if (state->pci_fd >= 0)
		return command_change(dev, bits, true, &state->command_added);
	PCI_LOG(WARNING, "%s: does not listen to its BARs, and that cannot be changed without "
		"configuration space", dev->pub.name);
	return 0;
}

/* ---- a device ---- */

static struct pci_backend_state *
state_new(const struct pci_device *dev, int uio_fd)
{
	struct pci_backend_state *state = calloc(1, sizeof(*state));

	if (state == NULL)
		return NULL;
	state->sel = pci_bsd_sel_of(&dev->pub.addr);
	state->uio_fd = uio_fd;
	state->pci_fd = -1;
	state->io_fd = -1;
	pthread_mutex_init(&state->io_lock, NULL);
	atomic_init(&state->by_port, false);
	return state;
}

static void
fd_close(int fd)
{
	if (fd >= 0)
		pci_bsd_kernel->close(fd);
}

static void
state_free(struct pci_backend_state *state)
{
	fd_close(state->io_fd);
	fd_close(state->pci_fd);
	fd_close(state->uio_fd);
	pthread_mutex_destroy(&state->io_lock);
	free(state);
}

/*
 * The bus forgets the regions before it closes a device, so this goes to the kernel directly. A
 * device that has vanished need not be restored.
 */
static void
command_restore(const struct pci_device *dev)
{
	const struct pci_backend_state *state = dev->state;
	uint8_t raw[sizeof(uint16_t)];
	uint32_t command;
	int rc;

	if (state->command_added == 0)
		return;
	rc = pci_bsd_region_read(dev, PCI_REGION_CONFIG, raw, sizeof(raw), RTE_PCI_COMMAND);
	if (rc > 0) {
		command = pci_bsd_value_get(raw, sizeof(raw)) & ~(uint32_t)state->command_added;
		pci_bsd_value_put(raw, command, sizeof(raw));
		rc = pci_bsd_region_write(dev, PCI_REGION_CONFIG, raw, sizeof(raw),
			RTE_PCI_COMMAND);
	}
	if (rc < 0 && rc != -ENODEV)
		PCI_LOG(WARNING, "%s: cannot restore its command register: %s", dev->pub.name,
			strerror(-rc));
}

void
pci_bsd_close(struct pci_device *dev)
{
	command_restore(dev);
	state_free(dev->state);
	dev->state = NULL;
}

static int
regions_fill(struct pci_device *dev)
{
	int rc;

	rc = config_fill(dev);
	if (rc == 0)
		rc = bars_fill(dev);
	return rc == 0 ? decoding_enable(dev) : rc;
}

int
pci_bsd_open(struct pci_device *dev, int uio_fd)
{
	int rc;

	dev->state = state_new(dev, uio_fd);
	if (dev->state == NULL) {
		fd_close(uio_fd);
		return -ENOMEM;
	}
	rc = pci_fd_open(dev, dev->state);
	if (rc != 0)
		goto err;
	rc = regions_fill(dev);
	if (rc == 0)
		return 0;
	PCI_LOG(ERR, "%s: cannot be used: %s", dev->pub.name, strerror(-rc));
	pci_regions_clear(dev);
err:
	pci_bsd_close(dev);
	return rc;
}

/*
 * Without an IOMMU a device reaches all of memory, at physical addresses. Where those are not
 * known, what a driver takes for addresses would hit the memory of others.
 */
int
pci_bsd_start(struct pci_device *dev)
{
	const bool dma = rte_eal_iova_mode() == RTE_IOVA_PA;
	uint16_t changed;
	int rc;

	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return 0;
	dev->no_bus_master = !dma;
	if (!dma)
		PCI_LOG(NOTICE, "%s: no DMA, as there is no contigmem", dev->pub.name);
	if (dev->state->pci_fd < 0)
		return 0;
	rc = command_change(dev, RTE_PCI_COMMAND_MASTER, dma, &changed);
	if (rc != 0)
		PCI_LOG(ERR, "%s: cannot %s bus mastering: %s", dev->pub.name,
			dma ? "enable" : "disable", strerror(-rc));
	return rc;
}

void
pci_bsd_stop(struct pci_device *dev)
{
	uint16_t changed;
	int rc;

	dev->no_bus_master = false;
	if (rte_eal_process_type() != RTE_PROC_PRIMARY || dev->state->pci_fd < 0)
		return;
	rc = command_change(dev, RTE_PCI_COMMAND_MASTER, false, &changed);
	if (rc != 0)
		PCI_LOG(WARNING, "%s: cannot disable bus mastering: %s", dev->pub.name,
			strerror(-rc));
}
