/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/vfio.h>

#include <rte_common.h>

#include "eal_intr.h"
#include "eal_log.h"

/*
 * One VFIO_DEVICE_SET_IRQS. The array that follows the header holds eventfds, -1 for a vector
 * that signals none; action and kind of data are in flags (linux/vfio.h).
 */
static int
irqs_set(const struct rte_intr_handle *handle, uint32_t index, uint32_t flags,
		const int32_t *fds, uint32_t count)
{
	size_t len = fds == NULL ? 0 : count * sizeof(*fds);
	struct vfio_irq_set *set = calloc(1, sizeof(*set) + len);
	int rc = 0;

	if (set == NULL)
		return -ENOMEM;
	set->argsz = sizeof(*set) + len;
	set->flags = flags;
	set->index = index;
	set->count = count;
	if (fds != NULL)
		memcpy(set->data, fds, len);
	if (ioctl(handle->dev_fd, VFIO_DEVICE_SET_IRQS, set) < 0)
		rc = -errno;
	free(set);
	return rc;
}

static int
log_failure(const struct rte_intr_handle *handle, const char *what, int rc)
{
	if (rc < 0)
		EAL_LOG(ERR, "Cannot %s %s interrupt of device fd %d: %s",
			what, eal_intr_type(handle->type)->name, handle->dev_fd, strerror(-rc));
	return rc;
}

static int
trigger_set(const struct rte_intr_handle *handle, uint32_t index, const int32_t *fds,
		uint32_t count)
{
	return irqs_set(handle, index, VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		fds, count);
}

/* Count 0 with no data frees all vectors of the index. */
static int
trigger_clear(const struct rte_intr_handle *handle, uint32_t index)
{
	return irqs_set(handle, index, VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER,
		NULL, 0);
}

static int
single_enable(const struct rte_intr_handle *handle, uint32_t index)
{
	return log_failure(handle, "enable", trigger_set(handle, index, &handle->fd, 1));
}

static int
all_disable(const struct rte_intr_handle *handle, uint32_t index)
{
	return log_failure(handle, "disable", trigger_clear(handle, index));
}

static int
intx_action(const struct rte_intr_handle *handle, uint32_t action)
{
	return irqs_set(handle, VFIO_PCI_INTX_IRQ_INDEX, VFIO_IRQ_SET_DATA_NONE | action, NULL, 1);
}

/*
 * Unmasking what is masked makes the kernel look whether the device holds its line, which may have
 * gone up while there was no eventfd. It should then interrupt at once, but it does not where an
 * interrupt controller that is emulated, QEMU's I/O APIC, has not seen the line go up.
 */
static int
intx_look(const struct rte_intr_handle *handle)
{
	int rc = intx_action(handle, VFIO_IRQ_SET_ACTION_MASK);

	return rc < 0 ? rc : intx_action(handle, VFIO_IRQ_SET_ACTION_UNMASK);
}

int
eal_intr_vfio_intx_enable(const struct rte_intr_handle *handle)
{
	int rc = single_enable(handle, VFIO_PCI_INTX_IRQ_INDEX);

	if (rc < 0)
		return rc;
	rc = intx_look(handle);
	if (rc < 0)
		trigger_clear(handle, VFIO_PCI_INTX_IRQ_INDEX);
	return log_failure(handle, "unmask", rc);
}

/* Takes the eventfd away even if the mask fails: then nothing is signalled in either case. */
int
eal_intr_vfio_intx_disable(const struct rte_intr_handle *handle)
{
	int mask_rc = intx_action(handle, VFIO_IRQ_SET_ACTION_MASK);
	int rc = all_disable(handle, VFIO_PCI_INTX_IRQ_INDEX);

	return rc < 0 ? rc : log_failure(handle, "mask", mask_rc);
}

int
eal_intr_vfio_intx_ack(const struct rte_intr_handle *handle)
{
	return log_failure(handle, "unmask", intx_action(handle, VFIO_IRQ_SET_ACTION_UNMASK));
}

int
eal_intr_vfio_msi_enable(const struct rte_intr_handle *handle)
{
	return single_enable(handle, VFIO_PCI_MSI_IRQ_INDEX);
}

int
eal_intr_vfio_msi_disable(const struct rte_intr_handle *handle)
{
	return all_disable(handle, VFIO_PCI_MSI_IRQ_INDEX);
}

/* Vector 0 is the handle's fd, queues follow; what max_intr has beyond them stays unsignalled. */
static void
msix_fds_fill(const struct rte_intr_handle *handle, int32_t *fds, uint32_t count)
{
	uint32_t i;

	fds[RTE_INTR_VEC_ZERO_OFFSET] = handle->fd;
	for (i = RTE_INTR_VEC_RXTX_OFFSET; i < count; i++)
		fds[i] = i - RTE_INTR_VEC_RXTX_OFFSET < handle->nb_efd ?
			handle->efds[i - RTE_INTR_VEC_RXTX_OFFSET] : -1;
}

int
eal_intr_vfio_msix_enable(const struct rte_intr_handle *handle)
{
	uint32_t count = RTE_MAX(handle->max_intr, 1U);
	int32_t *fds = malloc(count * sizeof(*fds));
	int rc;

	if (fds == NULL)
		return log_failure(handle, "enable", -ENOMEM);
	if (handle->nb_efd >= count)
		EAL_LOG(WARNING, "Device fd %d: %u MSI-X vectors for %u queues and vector 0",
			handle->dev_fd, count, handle->nb_efd);
	msix_fds_fill(handle, fds, count);
	rc = trigger_set(handle, VFIO_PCI_MSIX_IRQ_INDEX, fds, count);
	free(fds);
	return log_failure(handle, "enable", rc);
}

int
eal_intr_vfio_msix_disable(const struct rte_intr_handle *handle)
{
	return all_disable(handle, VFIO_PCI_MSIX_IRQ_INDEX);
}

int
eal_intr_vfio_req_enable(const struct rte_intr_handle *handle)
{
	return single_enable(handle, VFIO_PCI_REQ_IRQ_INDEX);
}

int
eal_intr_vfio_req_disable(const struct rte_intr_handle *handle)
{
	return all_disable(handle, VFIO_PCI_REQ_IRQ_INDEX);
}
