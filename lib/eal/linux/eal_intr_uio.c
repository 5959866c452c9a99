/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <rte_interrupts.h>

#include "eal_intr.h"
#include "eal_log.h"

/* PCI Local Bus 3.0, 6.2.2: the command register, little-endian, and its bit 10 */
#define PCI_COMMAND 4
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

/*
 * The whole register in one write, as the kernel does it when it masks. QEMU looks whether a line
 * that is up is to be shown again only when the lower byte is written, too: without that an
 * interrupt that came while it was masked is lost.
 */
static int
intx_disable_set(const struct rte_intr_handle *handle, bool disable)
{
	uint8_t command[2];
	int rc;

	rc = transferred(pread(handle->dev_fd, command, sizeof(command), PCI_COMMAND),
		sizeof(command));
	if (rc < 0)
		return rc;
	command[1] = disable ? command[1] | PCI_COMMAND_HIGH_INTX_DISABLE :
		command[1] & ~PCI_COMMAND_HIGH_INTX_DISABLE;
	return transferred(pwrite(handle->dev_fd, command, sizeof(command), PCI_COMMAND),
		sizeof(command));
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

int
eal_intr_uio_intx_enable(const struct rte_intr_handle *handle)
{
	return log_failure(handle, "enable", intx_disable_set(handle, false));
}

int
eal_intr_uio_intx_disable(const struct rte_intr_handle *handle)
{
	return log_failure(handle, "disable", intx_disable_set(handle, true));
}
