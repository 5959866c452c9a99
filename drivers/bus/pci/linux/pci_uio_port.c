/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "pci_access.h"
#include "pci_device.h"
#include "pci_fd.h"
#include "pci_port.h"
#include "pci_region.h"
#include "pci_uio.h"
#include "pci_uio_port.h"

/* What an instruction can name. */
#define PORTS_END UINT64_C(0x10000)

/*
 * A way to ports. Values are as the file has them, in the order of bytes of this machine; what is
 * mapped is little-endian, as all machines are that this is built for.
 */
struct pci_uio_port_way {
	const char *name;
	bool asks;	/* the kernel, which knows when the device is gone */
	/* true: this is the way, and all is ready for it */
	bool (*open)(struct pci_uio_bar *bar, uint64_t size, bool *writable);
	/* one access of 1, 2 or 4 bytes, which are aligned */
	int (*read)(const struct pci_uio_bar *bar, void *buf, size_t width, uint64_t offset);
	int (*write)(const struct pci_uio_bar *bar, const void *buf, size_t width,
		uint64_t offset);
};

/* ---- mapped ---- */

/* Refused by kernels, and for BARs, that have no I/O space which can be mapped. */
static bool
mapped_open(struct pci_uio_bar *bar, uint64_t size, bool *writable)
{
	return bar->fd >= 0 && size <= PORTS_END && pci_uio_pages_map(bar, size, *writable);
}

static int
mapped_read(const struct pci_uio_bar *bar, void *buf, size_t width, uint64_t offset)
{
	pci_access_load(pci_uio_pages_at(bar, offset), buf, width);
	return (int)width;
}

static int
mapped_write(const struct pci_uio_bar *bar, const void *buf, size_t width, uint64_t offset)
{
	pci_access_store(pci_uio_pages_at(bar, offset), buf, width);
	return (int)width;
}

/* ---- by the file ---- */

static bool
file_open(struct pci_uio_bar *bar, uint64_t size, bool *writable)
{
	RTE_SET_USED(size);
	RTE_SET_USED(writable);
	return bar->fd >= 0;
}

static int
file_read(const struct pci_uio_bar *bar, void *buf, size_t width, uint64_t offset)
{
	return pci_fd_read(bar->fd, buf, width, (off_t)offset);
}

static int
file_write(const struct pci_uio_bar *bar, const void *buf, size_t width, uint64_t offset)
{
	if (!bar->fd_writes)
		return -EACCES;
	return pci_fd_write(bar->fd, buf, width, (off_t)offset);
}

/* ---- by instructions; a thread that may not use them takes the file ---- */

static bool
instruction_open(struct pci_uio_bar *bar, uint64_t size, bool *writable)
{
	const bool open = bar->start <= PORTS_END && size <= PORTS_END - bar->start &&
		pci_port_enable() == 0;

	*writable |= open;
	return open;
}

static int
instruction_read(const struct pci_uio_bar *bar, void *buf, size_t width, uint64_t offset)
{
	if (unlikely(pci_port_enable() != 0))
		return bar->fd < 0 ? -EPERM : file_read(bar, buf, width, offset);
	pci_port_in((uint16_t)(bar->start + offset), buf, width);
	return (int)width;
}

static int
instruction_write(const struct pci_uio_bar *bar, const void *buf, size_t width, uint64_t offset)
{
	if (unlikely(pci_port_enable() != 0))
		return bar->fd < 0 ? -EPERM : file_write(bar, buf, width, offset);
	pci_port_out((uint16_t)(bar->start + offset), buf, width);
	return (int)width;
}

/* ---- the choice ---- */

static const struct pci_uio_port_way ways[] = {
	{ "mapped", false, mapped_open, mapped_read, mapped_write },
	{ "by instructions", false, instruction_open, instruction_read, instruction_write },
	{ "by its file", true, file_open, file_read, file_write },
};

const char *
pci_uio_port_open(struct pci_uio_bar *bar, uint64_t size, bool *writable)
{
	unsigned int i;

	bar->fd_writes = bar->fd >= 0 && *writable;
	for (i = 0; i < RTE_DIM(ways); i++) {
		if (!ways[i].open(bar, size, writable))
			continue;
		bar->way = &ways[i];
		return bar->way->name;
	}
	return NULL;
}

/* ---- access ---- */

/*
 * What has replaced mapped ports keeps what is stored, as if a device were alive; numbers of ports
 * may be another device's by now.
 */
static bool
ports_are_gone(const struct pci_device *dev, unsigned int region)
{
	return !dev->state->bar[region].way->asks && pci_region_is_lost(&dev->region[region]);
}

/* The kernel and the processor take 1, 2 or 4 bytes; devices expect them to be aligned. */
static size_t
port_width(uint64_t offset, size_t len)
{
	size_t width = 4;

	while (width > len || (offset & (width - 1)) != 0)
		width /= 2;
	return width;
}

int
pci_uio_port_read(const struct pci_device *dev, unsigned int region, void *buf, size_t len,
	uint64_t offset)
{
	const struct pci_uio_bar *bar = &dev->state->bar[region];
	size_t done, width;
	int rc;

	if (unlikely(ports_are_gone(dev, region)))
		return -ENODEV;
	for (done = 0; done < len; done += width) {
		width = port_width(offset + done, len - done);
		rc = bar->way->read(bar, (uint8_t *)buf + done, width, offset + done);
		if (rc < 0)
			return rc;
	}
	return (int)len;
}

int
pci_uio_port_write(const struct pci_device *dev, unsigned int region, const void *buf,
	size_t len, uint64_t offset)
{
	const struct pci_uio_bar *bar = &dev->state->bar[region];
	size_t done, width;
	int rc;

	if (unlikely(ports_are_gone(dev, region)))
		return -ENODEV;
	for (done = 0; done < len; done += width) {
		width = port_width(offset + done, len - done);
		rc = bar->way->write(bar, (const uint8_t *)buf + done, width, offset + done);
		if (rc < 0)
			return rc;
	}
	return (int)len;
}
