/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_interrupts.h>

#include "fake_edu.h"
#include "pci_backend.h"
#include "pci_device.h"
#include "pci_scan.h"
#include "test.h"

static struct fake_edu *edus;	/* all of them */
static const struct pci_backend backend;

/* What may be mapped of the memory, as with the device that dpdk-vfio-user serves. */
static const struct rte_vfio_area window = { .offset = 0x4000, .size = 0x8000 };

static struct fake_edu *
edu_of(const struct pci_device *dev)
{
	return (struct fake_edu *)dev->state;
}

static int
edu_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	return fake_edu_read(edu_of(dev), region, buf, len, offset);
}

static int
edu_write(const struct pci_device *dev, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	return fake_edu_write(edu_of(dev), region, buf, len, offset);
}

static struct rte_pci_addr
edu_address(const struct fake_edu *edu)
{
	struct rte_pci_addr addr;

	assert_int_equal(rte_pci_addr_parse(edu->addr, &addr), 0);
	return addr;
}

static int
edu_scan(struct pci_scan *scan)
{
	const struct pci_ident ident = {
		.id = { .class_id = 0x00ff00, .vendor_id = 0x1234, .device_id = 0x11e8 },
		.numa_node = -1,
		.bar[FAKE_EDU_REGISTERS] = { .len = FAKE_EDU_REGISTERS_SIZE },
		.bar[FAKE_EDU_MEMORY] = { .len = FAKE_EDU_MEMORY_SIZE },
	};
	const struct fake_edu *edu;
	struct rte_pci_addr addr;
	int rc = 0;

	for (edu = edus; edu != NULL && rc == 0; edu = edu->next) {
		addr = edu_address(edu);
		rc = rte_pci_scan_emit(scan, &backend, &addr, &ident);
	}
	return rc;
}

static enum rte_iova_mode
edu_iova_mode(const struct pci_device *dev, const struct rte_pci_driver *drv)
{
	(void)dev;
	(void)drv;
	return RTE_IOVA_DC;
}

static struct fake_edu *
edu_find(const struct rte_pci_addr *addr)
{
	struct fake_edu *edu = edus;
	struct rte_pci_addr of;

	for (; edu != NULL; edu = edu->next) {
		of = edu_address(edu);
		if (rte_pci_addr_cmp(&of, addr) == 0)
			break;
	}
	assert_non_null(edu);
	return edu;
}

static int
memory_describe(const struct fake_edu *edu, struct pci_region *region)
{
	region->areas = malloc(sizeof(window));
	if (region->areas == NULL)
		return -ENOMEM;
	*region->areas = window;
	region->nb_areas = 1;
	region->fd = edu->memory_fd;
	region->size = FAKE_EDU_MEMORY_SIZE;
	region->flags = PCI_REGION_F_READ | PCI_REGION_F_WRITE;
	return 0;
}

/* Who opens a device finds it reset, as the kernel has it. */
static int
edu_open(struct pci_device *dev)
{
	struct fake_edu *edu = edu_find(&dev->pub.addr);
	struct pci_region *bar = &dev->region[FAKE_EDU_REGISTERS];
	struct pci_region *config = &dev->region[PCI_REGION_CONFIG];
	int rc = memory_describe(edu, &dev->region[FAKE_EDU_MEMORY]);

	if (rc != 0)
		return rc;
	bar->size = FAKE_EDU_REGISTERS_SIZE;
	bar->flags = PCI_REGION_F_READ | PCI_REGION_F_WRITE;
	config->size = sizeof(edu->config);
	config->flags = PCI_REGION_F_READ | PCI_REGION_F_WRITE;
	fake_edu_reset(edu);
	dev->state = (struct pci_backend_state *)edu;
	edu->nb_opens++;
	return 0;
}

static void
edu_close(struct pci_device *dev)
{
	edu_of(dev)->nb_closes++;
	dev->state = NULL;
}

/* Enabling a handle of this type is nothing to EAL, as for all devices that are no real ones. */
static int
edu_start(struct pci_device *dev)
{
	if (edu_of(dev)->no_irq)
		return 0;
	rte_intr_fd_set(dev->pub.intr_handle, edu_of(dev)->irq_fd);
	return rte_intr_type_set(dev->pub.intr_handle, RTE_INTR_HANDLE_VDEV);
}

static void
edu_stop(struct pci_device *dev)
{
	rte_intr_fd_set(dev->pub.intr_handle, -1);
}

static struct fake_edu_map *
map_unused(struct fake_edu *edu)
{
	struct fake_edu_map *map;

	for (map = edu->maps; map < edu->maps + FAKE_EDU_MAPS_MAX; map++)
		if (map->len == 0)
			return map;
	return NULL;
}

/* What has this byte at this address. */
static struct fake_edu_map *
map_find(struct fake_edu *edu, const uint8_t *addr, uint64_t iova)
{
	struct fake_edu_map *map;

	for (map = edu->maps; map < edu->maps + FAKE_EDU_MAPS_MAX; map++)
		if (iova - map->iova < map->len &&
				(uint8_t *)map->addr + (iova - map->iova) == addr)
			return map;
	return NULL;
}

/* The bytes of a range that the mapping at its start has. */
static size_t
map_part(const struct fake_edu_map *map, uint64_t iova, size_t len)
{
	return RTE_MIN(len, map->len - (size_t)(iova - map->iova));
}

static bool
range_is_mapped(struct fake_edu *edu, const uint8_t *addr, uint64_t iova, size_t len)
{
	const struct fake_edu_map *map;
	size_t part;

	for (; len > 0; addr += part, iova += part, len -= part) {
		map = map_find(edu, addr, iova);
		if (map == NULL)
			return false;
		part = map_part(map, iova, len);
	}
	return true;
}

/* What is before and behind the range stays. */
static int
map_cut(struct fake_edu *edu, struct fake_edu_map *map, uint64_t iova, size_t len)
{
	const size_t before = (size_t)(iova - map->iova);
	const size_t behind = map->len - before - len;
	struct fake_edu_map *rest = map_unused(edu);

	if (behind != 0 && rest == NULL)
		return -ENOSPC;
	if (behind != 0)
		*rest = (struct fake_edu_map){ (uint8_t *)map->addr + before + len, iova + len,
			behind };
	map->len = before;
	return 0;
}

static int
edu_dma_map(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct fake_edu_map *map = map_unused(edu_of(dev));

	if (range_is_mapped(edu_of(dev), addr, iova, len))
		return 0;
	if (edu_of(dev)->no_dma_map || map == NULL)
		return -ENOSPC;
	*map = (struct fake_edu_map){ addr, iova, len };
	return 0;
}

static int
edu_dma_unmap(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct fake_edu_map *map;
	uint8_t *at = addr;
	size_t part;
	int rc = 0;

	if (len == 0 || !range_is_mapped(edu_of(dev), addr, iova, len))
		return -EINVAL;
	for (; len > 0 && rc == 0; at += part, iova += part, len -= part) {
		map = map_find(edu_of(dev), at, iova);
		part = map_part(map, iova, len);
		rc = map_cut(edu_of(dev), map, iova, part);
	}
	return rc;
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

static int
memory_make(void)
{
	int fd = memfd_create("edu", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)FAKE_EDU_MEMORY_SIZE), 0);
	return fd;
}

struct fake_edu *
fake_edu_start(const char *addr)
{
	struct fake_edu *edu = calloc(1, sizeof(*edu));

	assert_non_null(edu);
	pthread_mutex_init(&edu->lock, NULL);
	edu->addr = addr;
	edu->id = 0x010000ed;
	edu->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(edu->irq_fd >= 0);
	edu->memory_fd = memory_make();
	if (edus == NULL)
		assert_int_equal(rte_pci_backend_register(&backend), 0);
	edu->next = edus;
	edus = edu;
	return edu;
}

static void
edu_unlist(const struct fake_edu *edu)
{
	struct fake_edu **at = &edus;

	while (*at != edu)
		at = &(*at)->next;
	*at = edu->next;
	if (edus == NULL)
		rte_pci_backend_unregister(&backend);
}

void
fake_edu_stop(struct fake_edu *edu)
{
	size_t i;

	edu_unlist(edu);
	assert_int_equal(edu->nb_opens, edu->nb_closes);
	for (i = 0; i < FAKE_EDU_MAPS_MAX; i++)
		assert_int_equal(edu->maps[i].len, 0);
	close(edu->irq_fd);
	close(edu->memory_fd);
	pthread_mutex_destroy(&edu->lock);
	free(edu);
}
