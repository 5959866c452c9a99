/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_string_fns.h>
#include <rte_vfio_user.h>

#include "pci_backend.h"
#include "pci_backends.h"
#include "pci_device.h"
#include "pci_log.h"
#include "pci_vfio_region.h"
#include "pci_vfio_user.h"

/*
 * Any address will do. Physical ones need rights, and tell the server where the machine's memory
 * is, which is none of its business.
 */
static enum rte_iova_mode
vu_iova_mode(const struct pci_device *dev, const struct rte_pci_driver *drv)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(drv);
	return RTE_IOVA_VA;
}

/* ---- opening ---- */

/* A descriptor comes with each full answer, and is kept until the device is closed. */
static int
region_ask(const struct pci_device *dev, struct vfio_region_info *info, int *fd)
{
	int *kept = &dev->state->fd[info->index];
	int rc;

	if (*kept >= 0)
		close(*kept);
	rc = rte_vfio_user_get_reg_info(dev->state->dev_id, info, kept);
	*fd = *kept;
	return rc;
}

static void
fds_forget(struct pci_backend_state *state)
{
	unsigned int i;

	for (i = 0; i < PCI_REGION_NB; i++)
		state->fd[i] = -1;
}

static void
fds_close(const struct pci_backend_state *state)
{
	unsigned int i;

	for (i = 0; i < PCI_REGION_NB; i++)
		if (state->fd[i] >= 0)
			close(state->fd[i]);
}

static void
state_free(struct pci_device *dev)
{
	fds_close(dev->state);
	pci_vfio_user_link_put(dev->state->link);
	free(dev->state);
	dev->state = NULL;
}

static int
state_new(struct pci_device *dev)
{
	struct pci_backend_state *state = calloc(1, sizeof(*state));
	int rc;

	if (state == NULL)
		return -ENOMEM;
	rc = pci_vfio_user_link_get(dev, &state->link);
	if (rc < 0) {
		free(state);
		return rc;
	}
	state->dev_id = rc;
	fds_forget(state);
	dev->state = state;
	return 0;
}

/* What the device did for somebody else it does no more: the kernel sees to it in the same way. */
static int
device_reset(const struct pci_device *dev)
{
	if (!dev->state->resets || dev->state->silent)
		return 0;
	return rte_vfio_user_reset(dev->state->dev_id);
}

static int
device_learn(struct pci_device *dev)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int rc;

	rc = rte_vfio_user_get_dev_info(dev->state->dev_id, &info);
	if (rc != 0)
		return rc;
	dev->state->nb_irqs = info.num_irqs;
	dev->state->resets = (info.flags & VFIO_DEVICE_FLAGS_RESET) != 0;
	rc = device_reset(dev);
	return rc != 0 ? rc : pci_vfio_regions_fill(dev, info.num_regions, region_ask);
}

static int
vu_open(struct pci_device *dev)
{
	int rc;

	rc = state_new(dev);
	if (rc != 0)
		return rc;
	rc = device_learn(dev);
	if (rc != 0) {
		PCI_LOG(ERR, "%s: cannot be used: %s", dev->pub.device.name, rte_strerror(-rc));
		pci_regions_clear(dev);
		state_free(dev);
	}
	return rc;
}

static void
vu_close(struct pci_device *dev)
{
	device_reset(dev);
	state_free(dev);
}

/* ---- starting ---- */

static int
vu_start(struct pci_device *dev)
{
	int rc;

	rc = pci_vfio_user_dma_start(dev);
	if (rc != 0)
		return rc;
	rc = pci_vfio_user_intr_start(dev);
	if (rc != 0)
		goto err_dma;
	rc = pci_vfio_command_enable(dev);
	if (rc == 0)
		rc = pci_vfio_user_watch_start(dev->state->link);
	if (rc == 0)
		return 0;
	PCI_LOG(ERR, "%s: cannot be started: %s", dev->pub.device.name, rte_strerror(-rc));
	pci_vfio_user_intr_stop(dev);
err_dma:
	pci_vfio_user_dma_stop(dev);
	return rc;
}

/* Who does not answer once is not asked again: each time would cost the whole time limit. */
static void
vu_stop(struct pci_device *dev)
{
	int rc;

	pci_vfio_user_watch_stop(dev->state->link);
	rc = rte_pci_set_bus_master(&dev->pub, false);
	dev->state->silent = rc == -ETIMEDOUT || rc == -ENOTCONN;
	if (rc != 0 && rc != -ENOTCONN)
		PCI_LOG(WARNING, "%s: cannot disable bus mastering: %s", dev->pub.device.name,
			rte_strerror(-rc));
	pci_vfio_user_intr_stop(dev);
	pci_vfio_user_dma_stop(dev);
}

/* ---- starting again, at another server ---- */

static bool
ids_equal(const struct rte_pci_id *a, const struct rte_pci_id *b)
{
	return a->vendor_id == b->vendor_id && a->device_id == b->device_id &&
		a->class_id == b->class_id && a->subsystem_vendor_id == b->subsystem_vendor_id &&
		a->subsystem_device_id == b->subsystem_device_id;
}

/* A driver's pointers are for these sizes and windows. */
static bool
regions_equal(const struct pci_device *dev, const struct pci_device *other)
{
	const struct pci_region *a = dev->region, *b = other->region;
	unsigned int i;

	for (i = 0; i < PCI_REGION_NB; i++)
		if (a[i].size != b[i].size || a[i].flags != b[i].flags ||
				a[i].nb_areas != b[i].nb_areas ||
				(a[i].nb_areas != 0 && memcmp(a[i].areas, b[i].areas,
					a[i].nb_areas * sizeof(*a[i].areas)) != 0))
			return false;
	return true;
}

static void
regions_swap(struct pci_device *dev, struct pci_device *other)
{
	struct pci_region *a = dev->region, *b = other->region;
	unsigned int i;

	for (i = 0; i < PCI_REGION_NB; i++) {
		RTE_SWAP(dev->state->fd[i], other->state->fd[i]);
		RTE_SWAP(a[i].fd, b[i].fd);
		RTE_SWAP(a[i].fd_offset, b[i].fd_offset);
	}
}

/* From here on the driver reaches the device. */
static int
device_replace(struct pci_device *dev, struct pci_device *other)
{
	int rc;

	regions_swap(dev, other);
	rc = pci_regions_restore(dev);
	if (rc == 0)
		rc = rte_vfio_user_replace_dev(dev->state->dev_id, other->state->dev_id);
	if (rc == 0)
		return 0;
	regions_swap(dev, other);
	pci_regions_blank(dev);
	return rc;
}

/* The other one has what the device had, and takes its place. */
static int
device_restart(struct pci_device *dev, struct pci_device *other)
{
	int rc;

	rc = device_learn(other);
	if (rc != 0)
		return rc;
	if (!regions_equal(dev, other))
		return -ENODEV;
	rc = pci_vfio_user_dma_restart(dev, other->state->dev_id);
	if (rc != 0)
		return rc;
	rc = pci_vfio_user_intr_restart(dev, other);
	if (rc == 0)
		rc = pci_vfio_command_enable(other);
	if (rc == 0)
		rc = device_replace(dev, other);
	if (rc == 0)
		pci_vfio_user_intr_restarted(dev);
	pci_vfio_user_dma_restarted(dev, rc == 0);
	return rc;
}

int
pci_vfio_user_restart(struct pci_device *dev, int dev_id, const struct rte_pci_id *id)
{
	struct pci_backend_state state = { .dev_id = dev_id };
	struct pci_device *other;
	int rc;

	if (!ids_equal(&dev->pub.id, id))
		return -ENODEV;
	other = calloc(1, sizeof(*other));
	if (other == NULL)
		return -ENOMEM;
	fds_forget(&state);
	other->pub.device.name = dev->pub.device.name;
	other->pub.addr = dev->pub.addr;
	strlcpy(other->pub.name, dev->pub.name, sizeof(other->pub.name));
	other->backend = dev->backend;
	other->state = &state;
	pci_regions_clear(other);
	rc = device_restart(dev, other);
	pci_regions_clear(other);
	fds_close(&state);
	free(other);
	return rc;
}

/* ---- access ---- */

/* A server that is gone is gone, whoever found out first. */
static int
access_result(int rc, size_t len)
{
	if (likely(rc == 0))
		return (int)len;
	return rc == -ENODEV ? -ENOTCONN : rc;
}

static int
vu_region_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	return access_result(rte_vfio_user_region_read(dev->state->dev_id, region, offset,
			(uint32_t)len, buf), len);
}

static int
vu_region_write(const struct pci_device *dev, unsigned int region, const void *buf, size_t len,
	uint64_t offset)
{
	return access_result(rte_vfio_user_region_write(dev->state->dev_id, region, offset,
			(uint32_t)len, buf), len);
}

/* Mapped memory stays when the server goes, unless it makes it shorter. */
static int
vu_removed(struct pci_device *dev, bool in_signal)
{
	return in_signal ? pci_regions_blank(dev) : 0;
}

const struct pci_backend pci_vfio_user_backend = {
	.name = "vfio-user",
	.kdrv = RTE_PCI_KDRV_VFIO,
	.scan = pci_vfio_user_scan,
	.scan_fini = pci_vfio_user_scan_fini,
	.name_parse = pci_vfio_user_name_parse,
	.devargs_name = pci_vfio_user_devargs_name,
	.iova_mode = vu_iova_mode,
	.open = vu_open,
	.close = vu_close,
	.start = vu_start,
	.stop = vu_stop,
	.region_read = vu_region_read,
	.region_write = vu_region_write,
	.dma_map = pci_vfio_user_dma_map,
	.dma_unmap = pci_vfio_user_dma_unmap,
	.removed = vu_removed,
};
