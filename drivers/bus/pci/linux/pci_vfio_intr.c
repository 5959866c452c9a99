/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_interrupts.h>

#include "pci_device.h"
#include "pci_intr_end.h"
#include "pci_log.h"
#include "pci_vfio.h"

/* Kinds of interrupts, the best first. */
static const struct intr_kind {
	uint32_t index;
	enum rte_intr_handle_type type;
	enum rte_intr_mode mode;
} intr_kinds[] = {
	{ VFIO_PCI_MSIX_IRQ_INDEX, RTE_INTR_HANDLE_VFIO_MSIX, RTE_INTR_MODE_MSIX },
	{ VFIO_PCI_MSI_IRQ_INDEX, RTE_INTR_HANDLE_VFIO_MSI, RTE_INTR_MODE_MSI },
	{ VFIO_PCI_INTX_IRQ_INDEX, RTE_INTR_HANDLE_VFIO_LEGACY, RTE_INTR_MODE_LEGACY },
};

/*
 * How many vectors of this kind can be bound to an eventfd. The kernel sets the EVENTFD flag
 * even where the count is 0.
 */
static uint32_t
irq_count(const struct pci_device *dev, uint32_t index)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = index };

	if (index >= dev->state->nb_irqs ||
			ioctl(dev->state->fd, VFIO_DEVICE_GET_IRQ_INFO, &info) != 0)
		return 0;
	return (info.flags & VFIO_IRQ_INFO_EVENTFD) != 0 ? info.count : 0;
}

/* Give a handle an eventfd of its own. */
static int
handle_open(struct rte_intr_handle *handle, enum rte_intr_handle_type type, int dev_fd)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (rte_intr_fd_set(handle, fd) != 0 || rte_intr_type_set(handle, type) != 0 ||
			rte_intr_dev_fd_set(handle, dev_fd) != 0) {
		close(fd);
		return -rte_errno;
	}
	return 0;
}

static void
handle_close(struct rte_intr_handle *handle)
{
	int fd = rte_intr_fd_get(handle);

	if (fd < 0)
		return;
	rte_intr_fd_set(handle, -1);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_UNKNOWN);
	close(fd);
}

/*
 * The handle's list is made longer for a device with many vectors, never shorter: drivers also keep
 * in it which queue has which vector, and many queues may share a few. A driver that wants more
 * vectors than there are hears it from the kernel.
 */
static int
intr_use(struct pci_device *dev, const struct intr_kind *kind, uint32_t count)
{
	struct rte_intr_handle *handle = dev->pub.intr_handle;
	int rc;

	rc = handle_open(handle, kind->type, dev->state->fd);
	if (rc != 0)
		return rc;
	if (count > (uint32_t)RTE_MAX(rte_intr_nb_intr_get(handle), 0))
		rc = rte_intr_event_list_update(handle, (int)RTE_MIN(count, (uint32_t)INT32_MAX));
	if (rc != 0)
		handle_close(handle);
	else
		dev->nb_vectors = count;
	return rc;
}

/* A device without interrupts is fine; one that has not the kind the user wants is told of. */
static int
intr_choose(struct pci_device *dev)
{
	enum rte_intr_mode mode = rte_eal_vfio_intr_mode();
	uint32_t count;
	unsigned int i;

	for (i = 0; i < RTE_DIM(intr_kinds); i++) {
		if (mode != RTE_INTR_MODE_NONE && mode != intr_kinds[i].mode)
			continue;
		count = irq_count(dev, intr_kinds[i].index);
		if (count != 0)
			return intr_use(dev, &intr_kinds[i], count);
	}
	if (mode != RTE_INTR_MODE_NONE)
		PCI_LOG(WARNING, "%s: has not the kind of interrupts that was asked for",
			dev->pub.name);
	return 0;
}

/*
 * The device may be gone when the callback runs, or be unplugged by it, so this knows it by its
 * token only, and lives until the callback cannot run any more.
 */
struct pci_vfio_req {
	uintptr_t token;
	bool told;	/* the kernel repeats itself every few seconds */
};

static void
req_callback(void *arg)
{
	struct pci_vfio_req *req = arg;

	if (req->told)
		return;
	req->told = true;
	rte_pci_ask_back(req->token);
}

/* Unregistered before the device is freed, and runs nobody's code that would free it. */
static void
err_callback(void *arg)
{
	const struct pci_device *dev = arg;

	PCI_LOG(ERR, "%s: has reported a fatal error, what it does from now on is undefined",
		dev->pub.name);
}

static void
arg_free(struct rte_intr_handle *handle, void *arg)
{
	RTE_SET_USED(handle);
	free(arg);
}

static void
req_stop(struct pci_device *dev)
{
	struct rte_intr_handle *handle = dev->pub.vfio_req_intr_handle;

	if (rte_intr_fd_get(handle) < 0)
		return;
	rte_intr_disable(handle);
	if (pci_intr_callback_end(handle, req_callback, dev->state->req, arg_free))
		free(dev->state->req);
	dev->state->req = NULL;
	handle_close(handle);
}

static int
req_start(struct pci_device *dev)
{
	struct rte_intr_handle *handle = dev->pub.vfio_req_intr_handle;
	struct pci_vfio_req *req;
	int rc;

	if (irq_count(dev, VFIO_PCI_REQ_IRQ_INDEX) == 0)
		return 0;
	req = calloc(1, sizeof(*req));
	if (req == NULL)
		return -ENOMEM;
	req->token = dev->token;
	rc = handle_open(handle, RTE_INTR_HANDLE_VFIO_REQ, dev->state->fd);
	if (rc != 0)
		goto err_free;
	rc = rte_intr_callback_register(handle, req_callback, req);
	if (rc != 0)
		goto err_close;
	dev->state->req = req;
	rc = rte_intr_enable(handle);
	if (rc != 0)
		req_stop(dev);
	return rc;

err_close:
	handle_close(handle);
err_free:
	free(req);
	return rc;
}

/* Bind the error interrupt to an eventfd; -1: to none. */
static int
err_bind(const struct pci_device *dev, int fd)
{
	union {
		struct vfio_irq_set set;
		uint8_t bytes[sizeof(struct vfio_irq_set) + sizeof(fd)];
	} irq = { .set = { .index = VFIO_PCI_ERR_IRQ_INDEX } };

	irq.set.argsz = sizeof(irq.set);
	irq.set.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER;
	if (fd >= 0) {
		irq.set.argsz = sizeof(irq.bytes);
		irq.set.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER;
		irq.set.count = 1;
		memcpy(irq.bytes + sizeof(irq.set), &fd, sizeof(fd));
	}
	return ioctl(dev->state->fd, VFIO_DEVICE_SET_IRQS, &irq) == 0 ? 0 : -errno;
}

static void
err_stop(struct pci_device *dev)
{
	struct rte_intr_handle *handle = dev->state->err_handle;

	if (handle == NULL)
		return;
	if (rte_intr_fd_get(handle) >= 0) {
		err_bind(dev, -1);
		pci_intr_callback_end(handle, err_callback, dev, NULL);
		handle_close(handle);
	}
	rte_intr_instance_free(handle);
	dev->state->err_handle = NULL;
}

/*
 * EAL has no type of its own for this interrupt. That of the other one does what is needed: the
 * eventfd is read before the callback runs.
 */
static int
err_start(struct pci_device *dev)
{
	struct rte_intr_handle *handle;
	int rc;

	if (irq_count(dev, VFIO_PCI_ERR_IRQ_INDEX) == 0)
		return 0;
	handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (handle == NULL)
		return -ENOMEM;
	dev->state->err_handle = handle;
	rc = handle_open(handle, RTE_INTR_HANDLE_VFIO_REQ, dev->state->fd);
	if (rc == 0)
		rc = rte_intr_callback_register(handle, err_callback, dev);
	if (rc == 0)
		rc = err_bind(dev, rte_intr_fd_get(handle));
	if (rc != 0)
		err_stop(dev);
	return rc;
}

int
pci_vfio_intr_start(struct pci_device *dev)
{
	int rc;

	rc = intr_choose(dev);
	if (rc != 0) {
		PCI_LOG(ERR, "%s: cannot set up interrupts: %s", dev->pub.name, rte_strerror(-rc));
		return rc;
	}
	rc = req_start(dev);
	if (rc != 0)
		PCI_LOG(WARNING, "%s: requests to give it back will not be seen: %s",
			dev->pub.name, rte_strerror(-rc));
	rc = err_start(dev);
	if (rc != 0)
		PCI_LOG(WARNING, "%s: its errors will not be seen: %s", dev->pub.name,
			rte_strerror(-rc));
	return 0;
}

void
pci_vfio_intr_stop(struct pci_device *dev)
{
	err_stop(dev);
	req_stop(dev);
	handle_close(dev->pub.intr_handle);
	dev->nb_vectors = 0;
}
