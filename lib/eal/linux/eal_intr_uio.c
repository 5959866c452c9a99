/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <unistd.h>


#include "eal_intr.h"
#include "eal_log.h"

/*
 * The upper byte of the PCI command register alone: the lower one holds bus master and memory
 * enable, which others may be changing.
 */
#define PCI_COMMAND_HIGH	5
#define PCI_COMMAND_HIGH_INTX_DISABLE 0x04

static int
log_failure(const struct rte_intr_handle *handle, const char *what, int rc)
{
	if (rc < 0)
		EAL_LOG(ERR, "Cannot %s %s interrupt of fd %d, device fd %d: %s", what,
			eal_intr_type(handle->type)->name, handle->fd, handle->dev_fd,
			strerror(-rc));
	return rc;
}

static int
transferred(ssize_t n, size_t len)
{
	if (n < 0)
		return -errno;
	return (size_t)n == len ? 0 : -EIO;
}

/* The kernel's UIO calls the driver's irqcontrol with the number written. */
static int
irq_control(const struct rte_intr_handle *handle, int32_t on)
{
	return transferred(write(handle->fd, &on, sizeof(on)), sizeof(on));
}

int
eal_intr_uio_enable(const struct rte_intr_handle *handle)
{
	return log_failure(handle, "enable", irq_control(handle, 1));
}

int
eal_intr_uio_disable(const struct rte_intr_handle *handle)
{
	return log_failure(handle, "disable", irq_control(handle, 0));
}

static int
intx_disable_set(const struct rte_intr_handle *handle, int disable)
{
	uint8_t high;
	int rc;

	rc = transferred(pread(handle->dev_fd, &high, sizeof(high), PCI_COMMAND_HIGH),
		sizeof(high));
	if (rc < 0)
		return rc;
	high = disable ? high | PCI_COMMAND_HIGH_INTX_DISABLE :
		high & ~PCI_COMMAND_HIGH_INTX_DISABLE;
	return transferred(pwrite(handle->dev_fd, &high, sizeof(high), PCI_COMMAND_HIGH),
		sizeof(high));
}

int
eal_intr_uio_intx_enable(const struct rte_intr_handle *handle)
{
	return log_failure(handle, "enable", intx_disable_set(handle, 0));
}

int
eal_intr_uio_intx_disable(const struct rte_intr_handle *handle)
{
	return log_failure(handle, "disable", intx_disable_set(handle, 1));
}
