/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_vfio_user.h>

#include "pci_device.h"
#include "pci_intr_end.h"
#include "pci_log.h"
#include "pci_vfio_user.h"

/* No more are bound, for each takes a descriptor here and one in the server. */
#define VECTORS_MAX 129u

/* Kinds of interrupts, the best first. */
static const struct intr_kind {
	uint32_t index;
	enum rte_intr_mode mode;
} intr_kinds[] = {
	{ VFIO_PCI_MSIX_IRQ_INDEX, RTE_INTR_MODE_MSIX },
	{ VFIO_PCI_MSI_IRQ_INDEX, RTE_INTR_MODE_MSI },
	{ VFIO_PCI_INTX_IRQ_INDEX, RTE_INTR_MODE_LEGACY },
};

/*
 * The first vector is for callbacks, the others are for queues. A device with one vector has a
 * second eventfd for queues, to which the event thread passes on what the first one gets: by a
 * descriptor of our own, since DPDK's EAL closes those in the handle when a driver disables them.
 *
 * EAL reads nothing for handles of this type, so a callback of ours, which runs before those of
 * the driver, does. When it has run and those have, an interrupt that was masked when it was
 * raised can be unmasked: another callback, which the first one causes to run.
 */
struct pci_vfio_user_irq {
	int dev_id;
	uint32_t index;	/* VFIO_PCI_*_IRQ_INDEX */
	uint32_t nb_bound;
	int fd;	/* of the first vector */
	int shared_fd;	/* ours, for queues, of the only vector; -1: it is not the only one */
	bool masked;	/* the server masks it when it raises it */
	struct rte_intr_handle *unmask;	/* NULL: not needed */
};

/* ---- the event thread ---- */

static int
irq_set(int dev_id, uint32_t index, uint32_t flags, uint32_t count)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_NONE | flags,
		.index = index,
		.count = count,
	};

	return rte_vfio_user_set_irqs(dev_id, &set);
}

static void
irq_callback(void *arg)
{
	struct pci_vfio_user_irq *irq = arg;

	eventfd_read(irq->fd, &(eventfd_t){ 0 });
	if (irq->shared_fd >= 0)
		eventfd_write(irq->shared_fd, 1);
	if (irq->unmask != NULL)
		eventfd_write(rte_intr_fd_get(irq->unmask), 1);
}

static void
unmask_callback(void *arg)
{
	struct pci_vfio_user_irq *irq = arg;

	eventfd_read(rte_intr_fd_get(irq->unmask), &(eventfd_t){ 0 });
	irq_set(irq->dev_id, irq->index, VFIO_IRQ_SET_ACTION_UNMASK, 1);
}

static void
irq_free(struct pci_vfio_user_irq *irq)
{
	if (irq->shared_fd >= 0)
		close(irq->shared_fd);
	free(irq);
}

/* The callbacks of a driver that is removed by one of them run to their end. */
static void
irq_ended(struct rte_intr_handle *handle, void *arg)
{
	(void)handle;
	irq_free(arg);
}

/* ---- unmasking ---- */

static void
unmask_stop(struct pci_vfio_user_irq *irq)
{
	int fd;

	if (irq->unmask == NULL)
		return;
	fd = rte_intr_fd_get(irq->unmask);
	if (fd >= 0)
		pci_intr_callback_end(irq->unmask, unmask_callback, irq, NULL);
	rte_intr_instance_free(irq->unmask);
	irq->unmask = NULL;
	if (fd >= 0)
		close(fd);
}

static int
unmask_start(struct pci_vfio_user_irq *irq)
{
	int fd, rc;

	if (!irq->masked)
		return 0;
	irq->unmask = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (irq->unmask == NULL)
		return -ENOMEM;
	fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	rc = fd < 0 ? -errno : 0;
	rte_intr_fd_set(irq->unmask, fd);
	rte_intr_type_set(irq->unmask, RTE_INTR_HANDLE_EXT);
	if (rc == 0)
		rc = rte_intr_callback_register(irq->unmask, unmask_callback, irq);
	if (rc != 0)
		unmask_stop(irq);
	return rc;
}

/* ---- eventfds in the handle ---- */

static void
handle_clear(struct pci_device *dev)
{
	struct rte_intr_handle *handle = dev->pub.intr_handle;
	int i, fd;

	rte_intr_free_epoll_fd(handle);
	/* those that EAL has closed for the driver are not counted any more */
	for (i = 0; i < rte_intr_nb_efd_get(handle); i++) {
		fd = rte_intr_efds_index_get(handle, i);
		if (fd >= 0)
			close(fd);
	}
	rte_intr_nb_efd_set(handle, 0);
	rte_intr_max_intr_set(handle, 0);
	if (rte_intr_fd_get(handle) >= 0)
		close(rte_intr_fd_get(handle));
	rte_intr_fd_set(handle, -1);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_UNKNOWN);
	dev->nb_vectors = 0;
}

/* The list is made longer where needed, never shorter: drivers also keep their queues in it. */
static int
handle_reserve(struct rte_intr_handle *handle, uint32_t count)
{
	if (count <= (uint32_t)RTE_MAX(rte_intr_nb_intr_get(handle), 0))
		return 0;
	return rte_intr_event_list_update(handle, (int)count);
}

static int
handle_add_efd(struct rte_intr_handle *handle, int i)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (rte_intr_nb_efd_set(handle, i + 1) == 0 && rte_intr_efds_index_set(handle, i, fd) == 0)
		return 0;
	rte_intr_nb_efd_set(handle, i);
	close(fd);
	return -ENOMEM;
}

static int
handle_fill(struct pci_device *dev, uint32_t count)
{
	struct rte_intr_handle *handle = dev->pub.intr_handle;
	const int nb_efd = count > 1 ? (int)count - 1 : 1;
	int i, rc;

	rc = handle_reserve(handle, (uint32_t)nb_efd + 1);
	if (rc != 0)
		return rc;
	rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV);
	rte_intr_efd_counter_size_set(handle, sizeof(uint64_t));
	rte_intr_fd_set(handle, eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	rc = rte_intr_fd_get(handle) < 0 ? -errno : 0;
	for (i = 0; i < nb_efd && rc == 0; i++)
		rc = handle_add_efd(handle, i);
	if (rc == 0)
		rc = rte_intr_max_intr_set(handle, nb_efd + 1);
	if (rc != 0)
		handle_clear(dev);
	return rc;
}

/* ---- binding ---- */

/* -1: EAL has closed it for the driver. */
static int
queue_fd(const struct rte_intr_handle *handle, int i)
{
	return i < rte_intr_nb_efd_get(handle) ? rte_intr_efds_index_get(handle, i) : -1;
}

/* Bind as many eventfds as the device has vectors, in one go. */
static int
irq_bind(int dev_id, const struct pci_vfio_user_irq *irq, const struct rte_intr_handle *handle,
	uint32_t count)
{
	const size_t len = sizeof(struct vfio_irq_set) + count * sizeof(int);
	struct vfio_irq_set *set = calloc(1, len);
	uint32_t i;
	int fd, rc;

	if (set == NULL)
		return -ENOMEM;
	*set = (struct vfio_irq_set){
		.argsz = (uint32_t)len,
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = irq->index,
		.count = count,
	};
	for (i = 0; i < count; i++) {
		fd = i == 0 ? irq->fd : queue_fd(handle, (int)i - 1);
		memcpy(set->data + i * sizeof(fd), &fd, sizeof(fd));
	}
	rc = rte_vfio_user_set_irqs(dev_id, set);
	free(set);
	return rc;
}

static int
shared_fd_open(struct pci_vfio_user_irq *irq, const struct rte_intr_handle *handle)
{
	irq->shared_fd = fcntl(rte_intr_efds_index_get(handle, 0), F_DUPFD_CLOEXEC, 0);
	return irq->shared_fd >= 0 ? 0 : -errno;
}

static int
irq_start(struct pci_device *dev, struct pci_vfio_user_irq *irq, uint32_t count)
{
	struct rte_intr_handle *handle = dev->pub.intr_handle;
	int rc;

	irq->fd = rte_intr_fd_get(handle);
	rc = count == 1 ? shared_fd_open(irq, handle) : 0;
	if (rc == 0)
		rc = unmask_start(irq);
	if (rc != 0)
		return rc;
	rc = rte_intr_callback_register(handle, irq_callback, irq);
	if (rc != 0)
		goto err_unmask;
	rc = irq_bind(irq->dev_id, irq, handle, count);
	if (rc != 0)
		goto err_callback;
	pci_vfio_user_msg_switch(dev, irq->index, count);
	irq->nb_bound = count;
	dev->nb_vectors = count;
	dev->state->irq = irq;
	return 0;

err_callback:
	pci_intr_callback_end(handle, irq_callback, irq, NULL);
err_unmask:
	unmask_stop(irq);
	return rc;
}

static int
intr_use(struct pci_device *dev, const struct vfio_irq_info *info)
{
	const uint32_t count = RTE_MIN(info->count, VECTORS_MAX);
	struct pci_vfio_user_irq *irq = calloc(1, sizeof(*irq));
	int rc;

	if (irq == NULL)
		return -ENOMEM;
	irq->dev_id = dev->state->dev_id;
	irq->index = info->index;
	irq->shared_fd = -1;
	irq->masked = (info->flags & VFIO_IRQ_INFO_AUTOMASKED) != 0;
	rc = handle_fill(dev, count);
	if (rc != 0)
		goto err_free;
	rc = irq_start(dev, irq, count);
	if (rc == 0)
		return 0;
	handle_clear(dev);
err_free:
	irq_free(irq);
	if (rc != -ENOTSUP)
		return rc;
	PCI_LOG(WARNING, "%s: no interrupts: its server takes no eventfds", dev->pub.device.name);
	return 0;
}

/* How many vectors of this kind can be bound to an eventfd; 0: none. */
static int
irq_ask(const struct pci_device *dev, uint32_t index, struct vfio_irq_info *info)
{
	int rc;

	*info = (struct vfio_irq_info){ .argsz = sizeof(*info), .index = index };
	if (index >= dev->state->nb_irqs)
		return 0;
	rc = rte_vfio_user_get_irq_info(dev->state->dev_id, info);
	if (rc == -EINVAL || (info->flags & VFIO_IRQ_INFO_EVENTFD) == 0)
		info->count = 0;
	return rc == -EINVAL ? 0 : rc;
}

/* A device without interrupts is fine; one that has not the kind the user wants is told of. */
static int
intr_choose(struct pci_device *dev)
{
	const enum rte_intr_mode mode = rte_eal_vfio_intr_mode();
	struct vfio_irq_info info;
	unsigned int i;
	int rc;

	for (i = 0; i < RTE_DIM(intr_kinds); i++) {
		if (mode != RTE_INTR_MODE_NONE && mode != intr_kinds[i].mode)
			continue;
		rc = irq_ask(dev, intr_kinds[i].index, &info);
		if (rc != 0 || info.count != 0)
			return rc != 0 ? rc : intr_use(dev, &info);
	}
	if (mode != RTE_INTR_MODE_NONE)
		PCI_LOG(WARNING, "%s: has not the kind of interrupts that was asked for",
			dev->pub.device.name);
	return 0;
}

int
pci_vfio_user_intr_start(struct pci_device *dev)
{
	int rc;

	rc = intr_choose(dev);
	if (rc != 0)
		PCI_LOG(ERR, "%s: cannot set up interrupts: %s", dev->pub.device.name,
			rte_strerror(-rc));
	return rc;
}

void
pci_vfio_user_intr_stop(struct pci_device *dev)
{
	struct pci_vfio_user_irq *irq = dev->state->irq;
	bool ended;

	if (irq == NULL)
		return;
	dev->state->irq = NULL;
	if (!dev->state->silent) {
		irq_set(irq->dev_id, irq->index, VFIO_IRQ_SET_ACTION_TRIGGER, 0);
		pci_vfio_user_msg_switch(dev, irq->index, 0);
	}
	/* that callback uses the handle of the other one */
	ended = pci_intr_callback_end(dev->pub.intr_handle, irq_callback, irq, irq_ended);
	unmask_stop(irq);
	handle_clear(dev);
	if (ended)
		irq_free(irq);
}

int
pci_vfio_user_intr_restart(const struct pci_device *dev, const struct pci_device *other)
{
	const struct pci_vfio_user_irq *irq = dev->state->irq;
	struct vfio_irq_info info;
	int rc;

	if (irq == NULL)
		return 0;
	rc = irq_ask(other, irq->index, &info);
	if (rc != 0)
		return rc;
	if (info.count < irq->nb_bound)
		return -ENODEV;
	rc = irq_bind(other->state->dev_id, irq, dev->pub.intr_handle, irq->nb_bound);
	if (rc == 0)
		pci_vfio_user_msg_switch(other, irq->index, irq->nb_bound);
	return rc;
}

/* What came since it was bound could not be unmasked yet. */
void
pci_vfio_user_intr_restarted(const struct pci_device *dev)
{
	const struct pci_vfio_user_irq *irq = dev->state->irq;

	if (irq != NULL && irq->unmask != NULL)
		eventfd_write(rte_intr_fd_get(irq->unmask), 1);
}
