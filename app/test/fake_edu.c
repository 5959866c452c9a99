/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_interrupts.h>

#include "fake_edu.h"
#include "pci_backend.h"
#include "pci_device.h"
#include "pci_scan.h"
#include "test.h"

#define BAR_SIZE (UINT64_C(1) << 20)
#define DMA_BUFFER 0x40000u

#define STATUS_COMPUTING 0x01u
#define STATUS_IRQ 0x80u
#define DMA_RUN 1u
#define DMA_FROM_DEVICE 2u
#define DMA_IRQ 4u
#define IRQ_FACTORIAL 0x001u
#define IRQ_DMA 0x100u

#define COMMAND_MASTER 0x4u

static struct fake_edu *the_edu;
static const struct pci_backend backend;

static void
irq_line_set(struct fake_edu *edu, bool up)
{
	eventfd_t count;

	if (edu->no_irq)
		return;
	if (up)
		eventfd_write(edu->irq_fd, 1);
	else
		eventfd_read(edu->irq_fd, &count);
}

static void
irq_raise(struct fake_edu *edu, uint32_t bits)
{
	edu->irq_status |= bits;
	irq_line_set(edu, true);
}

static void
irq_ack(struct fake_edu *edu, uint32_t bits)
{
	edu->irq_status &= ~bits;
	if (edu->irq_status == 0)
		irq_line_set(edu, false);
}

static void
factorial_finish(struct fake_edu *edu)
{
	uint32_t product = 1;

	for (; edu->factorial > 0; edu->factorial--)
		product *= edu->factorial;
	edu->factorial = product;
	edu->status &= ~STATUS_COMPUTING;
	if ((edu->status & STATUS_IRQ) != 0)
		irq_raise(edu, IRQ_FACTORIAL);
}

/* Where the device finds what is at an IOVA, or NULL. */
static uint8_t *
memory_at(const struct fake_edu *edu, uint32_t iova, uint32_t len)
{
	const struct fake_edu_map *map;

	for (map = edu->maps; map < edu->maps + FAKE_EDU_MAPS_MAX; map++)
		if (iova >= map->iova && iova - map->iova <= map->len &&
				len <= map->len - (iova - map->iova))
			return (uint8_t *)map->addr + (iova - map->iova);
	return NULL;
}

static void
dma_copy(struct fake_edu *edu)
{
	bool from = (edu->dma_command & DMA_FROM_DEVICE) != 0;
	uint32_t at = (from ? edu->dma_source : edu->dma_destination) - DMA_BUFFER;
	uint8_t *memory = memory_at(edu, from ? edu->dma_destination : edu->dma_source,
		edu->dma_count);

	if (!edu->bus_master || memory == NULL || at > sizeof(edu->buffer) ||
			edu->dma_count > sizeof(edu->buffer) - at)
		edu->nb_dma_faults++;
	else if (from)
		memcpy(memory, edu->buffer + at, edu->dma_count);
	else
		memcpy(edu->buffer + at, memory, edu->dma_count);
}

static void
dma_finish(struct fake_edu *edu)
{
	dma_copy(edu);
	edu->dma_command &= ~DMA_RUN;
	if ((edu->dma_command & DMA_IRQ) != 0)
		irq_raise(edu, IRQ_DMA);
}

static void
finish(struct fake_edu *edu)
{
	if ((edu->status & STATUS_COMPUTING) != 0)
		factorial_finish(edu);
	if ((edu->dma_command & DMA_RUN) != 0)
		dma_finish(edu);
}

void
fake_edu_finish(struct fake_edu *edu)
{
	pthread_mutex_lock(&edu->lock);
	finish(edu);
	pthread_mutex_unlock(&edu->lock);
}

void
fake_edu_raise(struct fake_edu *edu, uint32_t bits)
{
	pthread_mutex_lock(&edu->lock);
	irq_raise(edu, bits);
	pthread_mutex_unlock(&edu->lock);
}

static uint32_t
register_read(const struct fake_edu *edu, uint64_t offset)
{
	const struct { uint64_t offset; uint32_t value; } registers[] = {
		{ 0x00, edu->id },
		{ 0x04, edu->liveness },
		{ 0x08, edu->factorial },
		{ 0x20, edu->status },
		{ 0x24, edu->irq_status },
		{ 0x80, edu->dma_source },
		{ 0x88, edu->dma_destination },
		{ 0x90, edu->dma_count },
		{ 0x98, edu->dma_command },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(registers) && !edu->dead; i++)
		if (registers[i].offset == offset)
			return registers[i].value;
	return UINT32_MAX;
}

/* Writes are lost while what they would change is in use. */
static void
factorial_write(struct fake_edu *edu, uint32_t value)
{
	if ((edu->status & STATUS_COMPUTING) != 0)
		return;
	edu->factorial = value;
	edu->status |= STATUS_COMPUTING;
}

static void
dma_write(struct fake_edu *edu, uint32_t *field, uint32_t value)
{
	if ((edu->dma_command & DMA_RUN) == 0)
		*field = value;
}

static void
register_write(struct fake_edu *edu, uint64_t offset, uint32_t value)
{
	switch (offset) {
	case 0x04:
		edu->liveness = ~value;
		break;
	case 0x08:
		factorial_write(edu, value);
		break;
	case 0x20:
		edu->status = (edu->status & ~STATUS_IRQ) | (value & STATUS_IRQ);
		break;
	case 0x60:
		irq_raise(edu, value);
		break;
	case 0x64:
		irq_ack(edu, value);
		break;
	case 0x80:
		dma_write(edu, &edu->dma_source, value);
		break;
	case 0x88:
		dma_write(edu, &edu->dma_destination, value);
		break;
	case 0x90:
		dma_write(edu, &edu->dma_count, value);
		break;
	case 0x98:
		dma_write(edu, &edu->dma_command, value);
		break;
	}
	if (!edu->hold)
		finish(edu);
}

static int
config_access(struct fake_edu *edu, void *buf, size_t len, uint64_t offset, bool write)
{
	if (!write)
		memset(buf, 0, len);
	if (offset != RTE_PCI_COMMAND || len != sizeof(edu->command))
		return (int)len;
	if (write)
		memcpy(&edu->command, buf, len);
	else
		memcpy(buf, &edu->command, len);
	edu->bus_master = (edu->command & COMMAND_MASTER) != 0;
	return (int)len;
}

static bool
is_odd(size_t len, uint64_t offset)
{
	return len != 4 || offset % 4 != 0;
}

static int
edu_access_read(struct fake_edu *edu, unsigned int region, void *buf, size_t len, uint64_t offset)
{
	uint32_t value;

	if (region == PCI_REGION_CONFIG)
		return config_access(edu, buf, len, offset, false);
	if (edu->io_rc < 0)
		return edu->io_rc;
	edu->nb_odd_accesses += is_odd(len, offset);
	value = register_read(edu, offset);
	memset(buf, 0xff, len);
	memcpy(buf, &value, RTE_MIN(len, sizeof(value)));
	return (int)len;
}

static int
edu_access_write(struct fake_edu *edu, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	uint64_t copy = 0;

	memcpy(&copy, buf, RTE_MIN(len, sizeof(copy)));
	if (region == PCI_REGION_CONFIG)
		return config_access(edu, &copy, len, offset, true);
	if (edu->io_rc < 0)
		return edu->io_rc;
	edu->nb_odd_accesses += is_odd(len, offset);
	if (!edu->dead)
		register_write(edu, offset, (uint32_t)copy);
	return (int)len;
}

static int
edu_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	int rc;

	(void)dev;
	pthread_mutex_lock(&the_edu->lock);
	rc = edu_access_read(the_edu, region, buf, len, offset);
	pthread_mutex_unlock(&the_edu->lock);
	return rc;
}

static int
edu_write(const struct pci_device *dev, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	int rc;

	(void)dev;
	pthread_mutex_lock(&the_edu->lock);
	rc = edu_access_write(the_edu, region, buf, len, offset);
	pthread_mutex_unlock(&the_edu->lock);
	return rc;
}

static int
edu_scan(struct pci_scan *scan)
{
	struct pci_ident ident = {
		.id = { .class_id = 0x00ff00, .vendor_id = 0x1234, .device_id = 0x11e8 },
		.numa_node = -1,
		.bar[0] = { .len = BAR_SIZE },
	};
	struct rte_pci_addr addr;

	assert_int_equal(rte_pci_addr_parse(the_edu->addr, &addr), 0);
	return rte_pci_scan_emit(scan, &backend, &addr, &ident);
}

static enum rte_iova_mode
edu_iova_mode(const struct pci_device *dev, const struct rte_pci_driver *drv)
{
	(void)dev;
	(void)drv;
	return RTE_IOVA_DC;
}

static int
edu_open(struct pci_device *dev)
{
	struct pci_region *bar = &dev->region[0];
	struct pci_region *config = &dev->region[PCI_REGION_CONFIG];

	dev->state = (struct pci_backend_state *)the_edu;
	bar->size = BAR_SIZE;
	bar->flags = PCI_REGION_F_READ | PCI_REGION_F_WRITE;
	config->size = 256;
	config->flags = PCI_REGION_F_READ | PCI_REGION_F_WRITE;
	the_edu->nb_opens++;
	return 0;
}

static void
edu_close(struct pci_device *dev)
{
	dev->state = NULL;
	the_edu->nb_closes++;
}

/* Enabling a handle of this type is nothing to EAL, as for all devices that are no real ones. */
static int
edu_start(struct pci_device *dev)
{
	if (the_edu->no_irq)
		return 0;
	rte_intr_fd_set(dev->pub.intr_handle, the_edu->irq_fd);
	return rte_intr_type_set(dev->pub.intr_handle, RTE_INTR_HANDLE_VDEV);
}

static void
edu_stop(struct pci_device *dev)
{
	rte_intr_fd_set(dev->pub.intr_handle, -1);
}

static struct fake_edu_map *
map_find(uint64_t iova, size_t len)
{
	struct fake_edu_map *map;

	for (map = the_edu->maps; map < the_edu->maps + FAKE_EDU_MAPS_MAX; map++)
		if (map->len == len && (len == 0 || map->iova == iova))
			return map;
	return NULL;
}

static int
edu_dma_map(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct fake_edu_map *map = map_find(0, 0);

	(void)dev;
	if (the_edu->no_dma_map || map == NULL)
		return -ENOSPC;
	*map = (struct fake_edu_map){ addr, iova, len };
	return 0;
}

static int
edu_dma_unmap(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct fake_edu_map *map = map_find(iova, len);

	(void)dev;
	if (map == NULL || map->addr != addr)
		return -EINVAL;
	map->len = 0;
	return 0;
}

static const struct pci_backend backend = {
	.name = "fake-edu",
	.kdrv = RTE_PCI_KDRV_VFIO,
	.scan = edu_scan,
	.iova_mode = edu_iova_mode,
	.open = edu_open,
	.close = edu_close,
	.start = edu_start,
	.stop = edu_stop,
	.region_read = edu_read,
	.region_write = edu_write,
	.dma_map = edu_dma_map,
	.dma_unmap = edu_dma_unmap,
};

struct fake_edu *
fake_edu_start(void)
{
	the_edu = calloc(1, sizeof(*the_edu));
	assert_non_null(the_edu);
	pthread_mutex_init(&the_edu->lock, NULL);
	the_edu->addr = "0000:00:04.0";
	the_edu->id = 0x010000ed;
	the_edu->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(the_edu->irq_fd >= 0);
	assert_int_equal(rte_pci_backend_register(&backend), 0);
	return the_edu;
}

void
fake_edu_stop(struct fake_edu *edu)
{
	size_t i;

	rte_pci_backend_unregister(&backend);
	assert_int_equal(edu->nb_opens, edu->nb_closes);
	for (i = 0; i < FAKE_EDU_MAPS_MAX; i++)
		assert_int_equal(edu->maps[i].len, 0);
	close(edu->irq_fd);
	pthread_mutex_destroy(&edu->lock);
	free(edu);
	the_edu = NULL;
}
