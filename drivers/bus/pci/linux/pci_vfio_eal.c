/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <linux/vfio.h>
#include <stdatomic.h>

#include <bus_pci_driver.h>
#include <rte_errno.h>
#include <rte_vfio.h>

#include "pci_log.h"
#include "pci_vfio_eal.h"

static atomic_uint nb_open;

/* What failed, in a form that is never mistaken for success. */
static int
eal_error(int fallback)
{
	return rte_errno > 0 ? -rte_errno : -fallback;
}

/*
 * The module may have been loaded after EAL started. Enabling VFIO anew forgets what is open, so
 * that is done only when nothing is.
 */
static void
vfio_enable_late(void)
{
	if (atomic_load_explicit(&nb_open, memory_order_relaxed) == 0 &&
			!rte_vfio_is_enabled("vfio"))
		rte_vfio_enable("vfio");
}

int
pci_vfio_eal_open(const char *name, int *fd, struct vfio_device_info *info)
{
	int rc;

	vfio_enable_late();
	*fd = -1;
	rte_errno = 0;
	rc = rte_vfio_setup_device(rte_pci_get_sysfs_path(), name, fd, info);
	if (rc < 0)
		return eal_error(EIO);
	if (rc == 0)
		atomic_fetch_add_explicit(&nb_open, 1, memory_order_relaxed);
	return rc > 0;
}

void
pci_vfio_eal_close(const char *name, int fd)
{
	if (rte_vfio_release_device(rte_pci_get_sysfs_path(), name, fd) != 0)
		PCI_LOG(ERR, "%s: cannot release it properly: %s", name, rte_strerror(rte_errno));
	atomic_fetch_sub_explicit(&nb_open, 1, memory_order_relaxed);
}

bool
pci_vfio_eal_is_noiommu(void)
{
	return rte_vfio_noiommu_is_enabled() == 1;
}

int
pci_vfio_eal_dma_map(void *addr, uint64_t iova, size_t len)
{
	rte_errno = 0;
	return rte_vfio_container_dma_map(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)addr, iova,
		len) == 0 ? 0 : eal_error(EIO);
}

int
pci_vfio_eal_dma_unmap(void *addr, uint64_t iova, size_t len)
{
	rte_errno = 0;
	return rte_vfio_container_dma_unmap(RTE_VFIO_DEFAULT_CONTAINER_FD, (uintptr_t)addr, iova,
		len) == 0 ? 0 : eal_error(EIO);
}
