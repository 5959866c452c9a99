/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "pci_bsd_device.h"
#include "pci_bsd_kernel.h"
#include "pci_device.h"
#include "pci_log.h"

/* What a port of a PC can be at most. */
#define PORT_MAX 0xffff

/* One aligned access of 1, 2 or 4 bytes. */
struct access {
	const struct pci_device *dev;
	unsigned int region;
	uint64_t offset;
	uint32_t width;
	bool write;
	uint32_t value;
};

static int
config_access(struct access *access)
{
	const struct pci_backend_state *state = access->dev->state;
	struct pci_bsd_reg request = {
		.sel = state->sel,
		.reg = (int32_t)access->offset,
		.width = (int32_t)access->width,
		.data = access->value,
	};
	int rc = pci_bsd_kernel->ioctl(state->pci_fd, access->write ? PCI_BSD_WRITE : PCI_BSD_READ,
		&request);

	access->value = request.data;
	return rc;
}

static int
bar_access_by_kernel(struct access *access)
{
	const struct pci_backend_state *state = access->dev->state;
	struct pci_bsd_bar_io request = {
		.sel = state->sel,
		.op = access->write ? PCI_BSD_BAR_IO_WRITE : PCI_BSD_BAR_IO_READ,
		.bar = access->region,
		.offset = (uint32_t)access->offset,
		.width = access->width,
		.value = access->value,
	};
	int rc;

	if (access->offset > UINT32_MAX)
		return -EINVAL;
	rc = pci_bsd_kernel->ioctl(state->pci_fd, PCI_BSD_BAR_IO, &request);
	access->value = request.value;
	return rc;
}

/* The kernel lets any thread have ports that way; the instructions would be this thread's only. */
static int
io_open(struct pci_backend_state *state)
{
	int rc = 0;

	pthread_mutex_lock(&state->io_lock);
	if (state->io_fd < 0) {
		rc = pci_bsd_kernel->open("/dev/io", O_RDWR);
		if (rc >= 0)
			state->io_fd = rc;
	}
	pthread_mutex_unlock(&state->io_lock);
	return rc < 0 ? rc : 0;
}

static int
bar_access_by_port(struct access *access)
{
	struct pci_backend_state *state = access->dev->state;
	const uint64_t port = state->bar[access->region].base + access->offset;
	struct pci_bsd_port request = {
		.access = access->write ? PCI_BSD_PORT_WRITE : PCI_BSD_PORT_READ,
		.port = (uint32_t)port,
		.width = access->width,
		.value = access->value,
	};
	int rc;

	if (port > PORT_MAX || access->width > PORT_MAX + 1 - port)
		return -ERANGE;
	rc = io_open(state);
	if (rc == 0)
		rc = pci_bsd_kernel->ioctl(state->io_fd, PCI_BSD_PORT, &request);
	access->value = request.value;
	return rc;
}

/* ENOTTY: the kernel is older than that; ENOENT: a driver has the BAR. */
static int
refusal(int rc)
{
	if (rc == -ENOTTY)
		return -ENOTSUP;
	return rc == -ENOENT ? -EBUSY : rc;
}

/* Ports have a second way, which all accesses take when the first one turned out to be none. */
static int
bar_access(struct access *access)
{
	struct pci_backend_state *state = access->dev->state;
	const bool ioport = state->bar[access->region].ioport;
	int rc = -ENOTTY;

	if (!ioport || !atomic_load_explicit(&state->by_port, memory_order_relaxed))
		rc = state->pci_fd < 0 ? -EPERM : bar_access_by_kernel(access);
	if (!ioport || (rc != -ENOTTY && rc != -ENOENT && rc != -EPERM))
		return refusal(rc);
	rc = bar_access_by_port(access);
	if (rc == 0)
		atomic_store_explicit(&state->by_port, true, memory_order_relaxed);
	return rc;
}

static int
access_one(struct access *access)
{
	if (access->region == PCI_REGION_CONFIG)
		return config_access(access);
	return access->region < PCI_MAX_RESOURCE ? bar_access(access) : -EINVAL;
}

int
pci_bsd_region_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	struct access access = { .dev = dev, .region = region };
	size_t done;
	int rc;

	for (done = 0; done < len; done += access.width) {
		access.offset = offset + done;
		access.width = pci_bsd_width(access.offset, len - done);
		rc = access_one(&access);
		if (rc != 0)
			return rc;
		pci_bsd_value_put((uint8_t *)buf + done, access.value, access.width);
	}
	return (int)len;
}

int
pci_bsd_region_write(const struct pci_device *dev, unsigned int region, const void *buf,
	size_t len, uint64_t offset)
{
	struct access access = { .dev = dev, .region = region, .write = true };
	size_t done;
	int rc;

	for (done = 0; done < len; done += access.width) {
		access.offset = offset + done;
		access.width = pci_bsd_width(access.offset, len - done);
		access.value = pci_bsd_value_get((const uint8_t *)buf + done, access.width);
		rc = access_one(&access);
		if (rc != 0)
			return rc;
	}
	return (int)len;
}
