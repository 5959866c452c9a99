/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>

#include "fake_backend.h"
#include "pci_backend.h"
#include "pci_device.h"
#include "pci_scan.h"
#include "test.h"

static const struct pci_backend backend;
static struct fake_pci *devices;
static unsigned int nb_claims;

unsigned int
fake_backend_nb_claims(void)
{
	return nb_claims;
}

static bool
fake_claims(const char *kernel_driver, int dirfd, const char *name)
{
	nb_claims++;
	return strcmp(kernel_driver, FAKE_BACKEND_KERNEL_DRIVER) == 0;
}

/* NULL: the device is in sysfs only. */
static struct fake_pci *
fake_find(const struct pci_device *dev)
{
	struct fake_pci *fake = devices;

	while (fake != NULL && rte_pci_addr_cmp(&fake->addr, &dev->pub.addr) != 0)
		fake = fake->next;
	return fake;
}

static struct fake_pci *
fake_of(const struct pci_device *dev)
{
	struct fake_pci *fake = fake_find(dev);

	assert_non_null(fake);
	return fake;
}

static int
fake_scan(struct pci_scan *scan)
{
	const struct fake_pci *fake;
	int rc = 0;

	for (fake = devices; fake != NULL && rc == 0; fake = fake->next) {
		struct pci_ident ident = { .id = fake->id, .numa_node = fake->numa_node };
		unsigned int i;

		if (fake->absent)
			continue;
		for (i = 0; i < PCI_MAX_RESOURCE; i++)
			ident.bar[i].len = fake->bar[i].size;
		rc = rte_pci_scan_emit(scan, &backend, &fake->addr, &ident);
	}
	return rc;
}

static enum rte_iova_mode
fake_iova_mode(const struct pci_device *dev, const struct rte_pci_driver *drv)
{
	const struct fake_pci *fake = fake_find(dev);

	if (fake != NULL && fake->iova_mode != RTE_IOVA_DC)
		return fake->iova_mode;
	return (drv->drv_flags & RTE_PCI_DRV_NEED_IOVA_AS_VA) != 0 ? RTE_IOVA_VA : RTE_IOVA_DC;
}

static void
regions_free(struct pci_device *dev)
{
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		free(dev->region[i].areas);
		dev->region[i].areas = NULL;
		dev->region[i].nb_areas = 0;
	}
}

static int
region_fill(struct pci_region *region, const struct fake_pci_bar *bar, int memfd)
{
	region->size = bar->size;
	region->flags = PCI_REGION_F_READ | PCI_REGION_F_WRITE;
	region->fd = memfd;
	if (bar->nb_areas == 0)
		return 0;
	region->areas = calloc(bar->nb_areas, sizeof(*region->areas));
	if (region->areas == NULL)
		return -ENOMEM;
	memcpy(region->areas, bar->areas, bar->nb_areas * sizeof(*region->areas));
	region->nb_areas = bar->nb_areas;
	return 0;
}

static int
fake_open(struct pci_device *dev)
{
	struct fake_pci *fake = fake_of(dev);
	unsigned int i;

	if (fake->open_rc != 0)
		return fake->open_rc;
	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		if (fake->bar[i].size == 0 ||
				region_fill(&dev->region[i], &fake->bar[i], fake->memfd[i]) == 0)
			continue;
		regions_free(dev);
		return -ENOMEM;
	}
	dev->state = (struct pci_backend_state *)fake;
	fake->token = dev->token;
	fake->nb_opens++;
	return 0;
}

static void
fake_close(struct pci_device *dev)
{
	dev->state = NULL;
	fake_of(dev)->nb_closes++;
}

static int
fake_start(struct pci_device *dev)
{
	struct fake_pci *fake = fake_of(dev);

	assert_non_null(dev->pub.intr_handle);
	assert_non_null(dev->pub.vfio_req_intr_handle);
	if (fake->start_rc == 0)
		fake->nb_starts++;
	return fake->start_rc;
}

static void
fake_stop(struct pci_device *dev)
{
	assert_non_null(dev->pub.intr_handle);
	assert_non_null(dev->pub.vfio_req_intr_handle);
	fake_of(dev)->nb_stops++;
}

static int
fake_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	struct fake_pci *fake = fake_of(dev);

	fake->nb_reads++;
	return (int)pread(fake->memfd[region], buf, len, (off_t)offset);
}

static int
fake_write(const struct pci_device *dev, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	struct fake_pci *fake = fake_of(dev);

	fake->nb_writes++;
	return (int)pwrite(fake->memfd[region], buf, len, (off_t)offset);
}

static int
fake_dma_map(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct fake_pci *fake = fake_of(dev);

	fake->nb_dma_maps++;
	return fake->dma_rc;
}

static int
fake_dma_unmap(struct pci_device *dev, void *addr, uint64_t iova, size_t len)
{
	struct fake_pci *fake = fake_of(dev);

	fake->nb_dma_unmaps++;
	return fake->dma_rc;
}

/* Zeros in the place of the BARs. */
static int
fake_removed(struct pci_device *dev, bool in_signal)
{
	struct fake_pci *fake = fake_of(dev);
	unsigned int i;

	fake->nb_removed++;
	fake->nb_removed_in_signal += in_signal;
	if (fake->in_removed != NULL)
		fake->in_removed(fake);
	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		if (dev->region[i].base != NULL && mmap(dev->region[i].base, dev->region[i].size,
				PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
				-1, 0) == MAP_FAILED)
			return -errno;
	return 0;
}

static const struct pci_backend backend = {
	.name = "fake",
	.kdrv = RTE_PCI_KDRV_VFIO,
	.claims = fake_claims,
	.scan = fake_scan,
	.iova_mode = fake_iova_mode,
	.open = fake_open,
	.close = fake_close,
	.start = fake_start,
	.stop = fake_stop,
	.region_read = fake_read,
	.region_write = fake_write,
	.dma_map = fake_dma_map,
	.dma_unmap = fake_dma_unmap,
	.removed = fake_removed,
};

void
fake_backend_start(void)
{
	nb_claims = 0;
	assert_int_equal(rte_pci_backend_register(&backend), 0);
}

static void
fake_pci_free(struct fake_pci *fake)
{
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		if (fake->memfd[i] >= 0)
			close(fake->memfd[i]);
	free(fake);
}

void
fake_backend_stop(void)
{
	struct fake_pci *fake;

	rte_pci_backend_unregister(&backend);
	while ((fake = devices) != NULL) {
		devices = fake->next;
		assert_int_equal(fake->nb_opens, fake->nb_closes);
		assert_int_equal(fake->nb_starts, fake->nb_stops);
		fake_pci_free(fake);
	}
}

struct fake_pci *
fake_pci_add(const char *addr, const struct fake_pci *like)
{
	struct fake_pci *fake = malloc(sizeof(*fake));
	unsigned int i;

	assert_non_null(fake);
	*fake = *like;
	assert_int_equal(rte_pci_addr_parse(addr, &fake->addr), 0);
	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		fake->memfd[i] = -1;
		if (fake->bar[i].size == 0)
			continue;
		fake->memfd[i] = memfd_create("BAR", MFD_CLOEXEC);
		assert_true(fake->memfd[i] >= 0);
		assert_int_equal(ftruncate(fake->memfd[i], (off_t)fake->bar[i].size), 0);
	}
	fake->next = devices;
	devices = fake;
	return fake;
}

void *
fake_pci_bar_memory(struct fake_pci *dev, unsigned int bar)
{
	void *memory = mmap(NULL, dev->bar[bar].size, PROT_READ | PROT_WRITE, MAP_SHARED,
		dev->memfd[bar], 0);

	assert_ptr_not_equal(memory, MAP_FAILED);
	return memory;
}

void
fake_pci_bar_pull(struct fake_pci *dev, unsigned int bar)
{
	assert_int_equal(ftruncate(dev->memfd[bar], 0), 0);
}
