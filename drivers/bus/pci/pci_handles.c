/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stddef.h>

#include <rte_interrupts.h>

#include "pci_device.h"
#include "pci_handles.h"

static void
handles_free(struct pci_device *dev)
{
	rte_intr_instance_free(dev->pub.intr_handle);
	rte_intr_instance_free(dev->pub.vfio_req_intr_handle);
	dev->pub.intr_handle = NULL;
	dev->pub.vfio_req_intr_handle = NULL;
}

static struct rte_intr_handle *
handle_new(void)
{
	struct rte_intr_handle *handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);

	if (handle == NULL)
		return NULL;
	rte_intr_fd_set(handle, -1);
	rte_intr_dev_fd_set(handle, -1);
	return handle;
}

static int
handles_new(struct pci_device *dev)
{
	dev->pub.intr_handle = handle_new();
	dev->pub.vfio_req_intr_handle = handle_new();
	if (dev->pub.intr_handle != NULL && dev->pub.vfio_req_intr_handle != NULL)
		return 0;
	handles_free(dev);
	return -ENOMEM;
}

int
pci_handles_get(struct pci_device *dev)
{
	int rc = 0;

	if (dev->nb_handle_users == 0)
		rc = handles_new(dev);
	dev->nb_handle_users += rc == 0;
	return rc;
}

void
pci_handles_put(struct pci_device *dev)
{
	if (--dev->nb_handle_users == 0)
		handles_free(dev);
}
