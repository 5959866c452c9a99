/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_BSD_CONF_H
#define PCI_BSD_CONF_H

/**
 * @file
 * What goes to and comes from FreeBSD's /dev/pci and /dev/io, as the kernel of a 64-bit machine
 * lays it out (sys/pciio.h, dev/io/iodev.h), and what it means. No system call.
 *
 * The structures are our own, since one program shall run on kernels before and after FreeBSD 15,
 * whose list of devices has other records.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_pci.h>

/** Bits 31 and 30: in and out; 28 to 16: bytes of the argument; then the group and a number. */
#define PCI_BSD_REQUEST(group, nr, type) \
	(0xc0000000UL | (unsigned long)sizeof(type) << 16 | (unsigned long)(group) << 8 | (nr))

#define PCI_BSD_READ	PCI_BSD_REQUEST('p', 2, struct pci_bsd_reg)
#define PCI_BSD_WRITE	PCI_BSD_REQUEST('p', 3, struct pci_bsd_reg)
#define PCI_BSD_LIST_14	PCI_BSD_REQUEST('p', 5, struct pci_bsd_list)
#define PCI_BSD_GET_BAR	PCI_BSD_REQUEST('p', 6, struct pci_bsd_get_bar)
#define PCI_BSD_MAP_BAR	PCI_BSD_REQUEST('p', 8, struct pci_bsd_map_bar)
#define PCI_BSD_BAR_IO	PCI_BSD_REQUEST('p', 9, struct pci_bsd_bar_io)
#define PCI_BSD_LIST_15	PCI_BSD_REQUEST('p', 10, struct pci_bsd_list)
#define PCI_BSD_PORT	PCI_BSD_REQUEST('I', 0, struct pci_bsd_port)

/** pcisel: a function. */
struct pci_bsd_sel {
	uint32_t domain;
	uint8_t bus;
	uint8_t dev;
	uint8_t func;
	uint8_t unused;
};

/** pci_conf_io: the list of devices, part after part. */
struct pci_bsd_list {
	uint32_t pat_buf_len;
	uint32_t nb_patterns;	/**< 0: all devices */
	void *patterns;
	uint32_t match_buf_len;
	uint32_t nb_matches;
	void *matches;
	uint32_t offset;	/**< where to go on; 0: from the start */
	uint32_t generation;	/**< of the list that the offset is in */
	uint32_t status;	/**< PCI_BSD_LIST_* */
};

enum {
	PCI_BSD_LIST_LAST = 0,	/**< that was all */
	PCI_BSD_LIST_CHANGED = 1,	/**< the offset is of another list than there is now */
	PCI_BSD_LIST_MORE = 2,
	PCI_BSD_LIST_ERROR = 3,
};

/** pci_io: a register of configuration space. */
struct pci_bsd_reg {
	struct pci_bsd_sel sel;
	int32_t reg;	/**< a multiple of the width */
	int32_t width;	/**< 1, 2 or 4 */
	uint32_t data;
};

/** pci_bar_io: what a BAR is. */
struct pci_bsd_get_bar {
	struct pci_bsd_sel sel;
	int32_t reg;	/**< where the BAR is in configuration space */
	int32_t enabled;	/**< the device listens there */
	uint64_t base;	/**< with the bits that say of which kind it is */
	uint64_t length;
};

/** pci_bar_mmap: map a BAR. */
struct pci_bsd_map_bar {
	void *map_base;
	uint64_t map_length;
	uint64_t bar_length;
	int32_t bar_off;	/**< of the BAR in its first page */
	struct pci_bsd_sel sel;
	int32_t reg;
	int32_t flags;	/**< PCI_BSD_MAP_* */
	int32_t memattr;	/**< PCI_BSD_MEMATTR_* */
};

#define PCI_BSD_MAP_FIXED 0x1	/**< exactly there, in the place of what is there */
#define PCI_BSD_MAP_RW 0x4	/**< to be written, too */

#if defined(__x86_64__)
#define PCI_BSD_MEMATTR_REGISTERS 0	/**< not cached */
#define PCI_BSD_MEMATTR_COMBINING 1	/**< write-combining */
#else
#define PCI_BSD_MEMATTR_REGISTERS 4	/**< device-nGnRE */
#define PCI_BSD_MEMATTR_COMBINING 1	/**< not cached, not a device */
#endif

/** pci_bar_ioreq: one access to a BAR, of either kind. */
struct pci_bsd_bar_io {
	struct pci_bsd_sel sel;
	int32_t op;	/**< PCI_BSD_BAR_IO_* */
	uint32_t bar;	/**< 0 to 5 */
	uint32_t offset;
	uint32_t width;	/**< 1, 2 or 4 */
	uint32_t value;
};

#define PCI_BSD_BAR_IO_READ 1
#define PCI_BSD_BAR_IO_WRITE 2

/** iodev_pio_req: one access to a port. */
struct pci_bsd_port {
	uint32_t access;	/**< PCI_BSD_PORT_* */
	uint32_t port;
	uint32_t width;	/**< 1, 2 or 4 */
	uint32_t value;
};

#define PCI_BSD_PORT_READ 0
#define PCI_BSD_PORT_WRITE 1

/** Bytes of a record in the list: pci_conf until FreeBSD 14, and since 15. */
#define PCI_BSD_RECORD_14 48
#define PCI_BSD_RECORD_15 128

/** With NUL. */
#define PCI_BSD_DRIVER_SIZE 17

/** What a record says. */
struct pci_bsd_device {
	struct rte_pci_addr addr;
	struct rte_pci_id id;
	char driver[PCI_BSD_DRIVER_SIZE];	/**< the kernel driver's name, without its number */
	int numa_node;	/**< -1: not told */
};

/**
 * Read a record.
 *
 * @param len
 *   PCI_BSD_RECORD_14 or PCI_BSD_RECORD_15.
 * @return 0; -EINVAL: another length; -EPROTO: it makes no sense
 */
int pci_bsd_device_parse(const uint8_t *record, size_t len, struct pci_bsd_device *device);

/**
 * Check what a request for a part of the list came back with.
 *
 * @param room
 *   Records there was room for.
 * @return 1: there is more; 0: that was all; -EAGAIN: begin anew; -EIO: the kernel has given up;
 *   -EPROTO: it makes no sense
 */
int pci_bsd_list_check(const struct pci_bsd_list *list, uint32_t room);

/** What a BAR is. */
struct pci_bsd_bar {
	uint64_t base;	/**< address in memory, or port */
	uint64_t length;	/**< bytes; 0: there is no such BAR */
	bool ioport;
	bool wide;	/**< the next BAR is the upper half of this one */
	bool prefetchable;
	bool enabled;	/**< the device listens there */
};

/** Read what PCI_BSD_GET_BAR came back with. 0; -EPROTO: it makes no sense. */
int pci_bsd_bar_parse(const struct pci_bsd_get_bar *answer, struct pci_bsd_bar *bar);

/** How the kernel is told of a device. */
struct pci_bsd_sel pci_bsd_sel_of(const struct rte_pci_addr *addr);

/** Where BAR @p bar is in configuration space: PCI Local Bus Specification 3.0, 6.1. */
static inline int32_t
pci_bsd_bar_reg(unsigned int bar)
{
	return 0x10 + 4 * (int32_t)bar;
}

/** The widest aligned access at the start of a range: 4, 2 or 1 byte; the range is not empty. */
uint32_t pci_bsd_width(uint64_t offset, size_t len);

/** What /dev/pci and /dev/io hold in a number goes to, or comes from, bytes in little endian. */
void pci_bsd_value_put(void *buf, uint32_t value, uint32_t width);
uint32_t pci_bsd_value_get(const void *buf, uint32_t width);

/** Bytes that hold the longest name of a file of nic_uio. */
#define PCI_BSD_UIO_NAME_SIZE 32

/** The file of a device that nic_uio holds; in its name there is no domain. */
void pci_bsd_uio_name(const struct rte_pci_addr *addr, char name[PCI_BSD_UIO_NAME_SIZE]);

#endif /* PCI_BSD_CONF_H */
