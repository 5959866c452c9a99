/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_UIO_H
#define FAKE_UIO_H

/**
 * @file
 * A device that is bound to uio_pci_generic or igb_uio, as the kernel shows it: its files in
 * sysfs, of which those of BARs can really be mapped, and /dev/uioN. Functions fail the test if
 * they cannot do what they should.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_pci.h>

#include "fake_sysfs.h"
#include "interpose.h"

/** A BAR. */
struct fake_uio_bar {
	uint64_t len;	/**< bytes; 0: there is none */
	uint64_t start;	/**< its address or first port */
	bool ioport;	/**< in I/O space */
	bool io_mapped;	/**< and the kernel can map that */
	bool wc;	/**< there is a file for write-combining, too */
	bool unset;	/**< the kernel found no room for it */
	bool no_file;	/**< sysfs does not let it be mapped */
};

/** What a device is; zeros are good values. */
struct fake_uio_desc {
	const char *name;	/**< as "0000:01:00.0" */
	const char *driver;	/**< of the kernel; NULL: uio_pci_generic */
	uint16_t vendor, device;
	struct fake_uio_bar bar[PCI_MAX_RESOURCE];
	const char *folder;	/**< of UIO; NULL: uio/uio7 */
};

/** One transfer on the file of a BAR. */
struct fake_uio_access {
	unsigned int bar;
	uint64_t offset;
	size_t len;
	bool write;
};

#define FAKE_UIO_ACCESSES_MAX 64

/** A device. How the system is may be changed at any time. */
struct fake_uio {
	struct fake_uio_desc desc;
	const struct fake_sysfs *fs;
	bool read_only;	/**< sysfs is mounted so */
	bool unprivileged;	/**< only the header of configuration space can be read */
	bool locked_down;	/**< nothing of PCI may be mapped or written */
	bool denied;	/**< the files of BARs belong to another user */
	bool all_may_read;	/**< all files belong to another user, and may be read */
	bool no_irq;	/**< the device has no interrupt */
	bool irq_at_config_read;	/**< an interrupt comes right after the next one */
	int node_err;	/**< errno of opening /dev/uioN */
	unsigned int nb_node_open;	/**< descriptors of /dev/uioN there are */
	unsigned int nb_node_opened;	/**< there ever were */
	unsigned int nb_accesses;
	struct fake_uio_access accesses[FAKE_UIO_ACCESSES_MAX];	/**< the first of them */
	char opened[256];	/**< files of BARs that are opened, with a space after each */

	/* of fake_uio.c */
	struct interpose_path files, node;
	char files_path[24];
	char node_path[24];
	int peer;	/**< our end of what the process has as /dev/uioN; -1 */
	int irqcontrol;	/**< what was last written to it; -1: nothing was */
	uint32_t nb_interrupts;
};

/** Add a device; its bytes are 0. */
struct fake_uio *fake_uio_add(const struct fake_sysfs *fs, const struct fake_uio_desc *desc);

/** Take it away with its files; fails the test if /dev/uioN is still open. */
void fake_uio_remove(struct fake_uio *uio);

/** Device side of a BAR. */
void fake_uio_peek(const struct fake_uio *uio, unsigned int bar, uint64_t offset, void *buf,
	size_t len);
void fake_uio_poke(const struct fake_uio *uio, unsigned int bar, uint64_t offset, const void *buf,
	size_t len);

/** Device side of configuration space: two bytes at an offset; ones where there are none. */
uint16_t fake_uio_config(const struct fake_uio *uio, unsigned int offset);
void fake_uio_config_set(const struct fake_uio *uio, unsigned int offset, uint16_t value);

/**
 * An instruction of the processor for a port: @p buf gets the value, or has the one to write.
 *
 * @return whether the port is one of the device
 */
bool fake_uio_port(struct fake_uio *uio, uint16_t port, void *buf, size_t width, bool write);

/** What was last written to /dev/uioN; -1: nothing was since the last call. */
int fake_uio_irqcontrol(struct fake_uio *uio);

/**
 * Raise the interrupt. The kernel's handler masks it and tells the process; what is masked, or
 * nobody has opened, is told to nobody.
 *
 * @return whether it was told
 */
bool fake_uio_fire(struct fake_uio *uio);

#endif /* FAKE_UIO_H */
