/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>
#include <sys/mman.h>

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_vfio.h>

#include "eal_session.h"
#include "fake_vfio.h"
#include "interpose.h"
#include "test.h"
#include "vfio_eal.h"

struct fake_vfio *vfio_eal_kernel;
struct fake_device *vfio_eal_card;

void
vfio_eal_start(const char *option)
{
	const char *args[] = { "--no-pci", "--iova-mode=va", option, NULL };

	eal_session_start(args);
	eal_log_capture();
}

void
vfio_eal_stop(void)
{
	eal_log_release();
	eal_session_stop();
}

struct fake_device *
vfio_eal_add(const char *name, int group)
{
	return fake_vfio_add(vfio_eal_kernel, &(struct fake_device_desc){
		.name = name, .driver = "vfio-pci", .group = group,
	});
}

int
vfio_eal_setup_kernel(void **state)
{
	vfio_eal_kernel = fake_vfio_start();
	vfio_eal_card = vfio_eal_add("0000:01:00.0", GROUP);
	return 0;
}

int
vfio_eal_setup_nodes(void **state)
{
	vfio_eal_setup_kernel(state);
	vfio_eal_kernel->cdev = true;
	return 0;
}

int
vfio_eal_setup(void **state)
{
	vfio_eal_setup_kernel(state);
	vfio_eal_start(NULL);
	return 0;
}

/* The node is chosen, for it is there. */
int
vfio_eal_setup_cdev(void **state)
{
	vfio_eal_setup_nodes(state);
	vfio_eal_start(NULL);
	return 0;
}

int
vfio_eal_setup_cdev_only(void **state)
{
	vfio_eal_setup_nodes(state);
	vfio_eal_start("--vfio-mode=cdev");
	return 0;
}

int
vfio_eal_teardown(void **state)
{
	interpose_disarm();
	eal_log_release();
	rte_eal_cleanup();	/* a test may have done so */
	fake_vfio_stop(vfio_eal_kernel);
	return 0;
}

struct fake_device *
vfio_eal_add_noiommu(const char *name, int group)
{
	vfio_eal_kernel->noiommu = true;
	return fake_vfio_add(vfio_eal_kernel, &(struct fake_device_desc){
		.name = name, .driver = "vfio-pci", .group = group, .noiommu = true,
	});
}

int
vfio_eal_open(const char *name, int *fd)
{
	struct vfio_device_info info;

	*fd = -1;
	return rte_vfio_setup_device(vfio_eal_kernel->sysfs, name, fd, &info);
}

int
vfio_eal_open_card(void)
{
	int fd = -1;

	assert_int_equal(vfio_eal_open(vfio_eal_card->desc.name, &fd), 0);
	assert_true(fd >= 0);
	return fd;
}

void
vfio_eal_close(const char *name, int fd)
{
	assert_int_equal(rte_vfio_release_device(vfio_eal_kernel->sysfs, name, fd), 0);
}

void
vfio_eal_close_card(int fd)
{
	vfio_eal_close(vfio_eal_card->desc.name, fd);
}

int
vfio_eal_try(const struct fake_device *dev, int *iommu)
{
	int fd;
	int rc = vfio_eal_open(dev->desc.name, &fd);

	*iommu = 0;
	if (rc == 0) {
		*iommu = fake_vfio_container(dev)->iommu;
		vfio_eal_close(dev->desc.name, fd);
	}
	return rc;
}

void
vfio_assert_opened_by_node(const struct fake_device *dev)
{
	int iommu;

	assert_int_equal(vfio_eal_try(dev, &iommu), 0);
	assert_int_equal(iommu, FAKE_IOMMU_IOAS);
}

void
vfio_assert_opened_by_group(const struct fake_device *dev, int wanted)
{
	int iommu;

	assert_int_equal(vfio_eal_try(dev, &iommu), 0);
	assert_int_equal(iommu, wanted);
}

void
vfio_assert_refused(const struct fake_device *dev, int rc, const char *text)
{
	const char *log;
	int iommu;

	eal_log_text();
	assert_int_equal(vfio_eal_try(dev, &iommu), rc);
	assert_int_equal(rte_errno, -rc);
	log = eal_log_text();
	if (strstr(log, text) == NULL)
		fail_msg("the log does not say \"%s\" but: %s", text, log);
}

uint8_t *
vfio_eal_pages(size_t len)
{
	uint8_t *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(mem != MAP_FAILED);
	return mem;
}

int
vfio_eal_map(const uint8_t *mem, uint64_t iova, uint64_t len)
{
	return rte_vfio_container_dma_map(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem, iova, len);
}

int
vfio_eal_unmap(const uint8_t *mem, uint64_t iova, uint64_t len)
{
	return rte_vfio_container_dma_unmap(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)mem, iova,
		len);
}

bool
vfio_eal_range_is_mapped(const struct fake_container *container, uint64_t at, size_t len)
{
	uint64_t end = at + len;

	while (at < end) {
		const struct fake_dma *dma = fake_vfio_dma(container, at);

		if (dma == NULL || dma->vaddr != dma->iova || dma->flags != 3)
			return false;
		at = dma->iova + dma->size;
	}
	return true;
}

bool
vfio_eal_is_mapped(const struct fake_container *container, const void *addr, size_t len)
{
	return vfio_eal_range_is_mapped(container, (uintptr_t)addr, len);
}

const struct fake_dma *
vfio_eal_mapped_at(uint64_t iova)
{
	return fake_vfio_dma(fake_vfio_container(vfio_eal_card), iova);
}
