/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_VFIO_USER_PCI_H
#define RTE_VFIO_USER_PCI_H

/**
 * @file
 * PCI for emulated devices: a device author writes registers, not PCI.
 *
 * A function is made with rte_vfio_user_pci_create(), gets BARs and capabilities, and is served by
 * rte_vfio_user_pci_start() at a socket. From then on configuration space, the sizing of BARs, the
 * command and status registers, the MSI-X table and the choice between INTx, MSI and MSI-X are this
 * helper's; the author is called for registers and for what changes.
 *
 * A function is put together by one thread. Once it is started, interrupts may be raised from any
 * thread. All callbacks are called from the thread that serves the session (the control thread,
 * or the one that calls rte_vfio_user_poll()), with no lock held: they may call any function of
 * the library but rte_vfio_user_pci_stop() and rte_vfio_user_pci_free() of their own function.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/vfio.h>

#include <rte_compat.h>

#include <rte_vfio_user.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An emulated PCI function. */
struct rte_vfio_user_pci;

/** Number of BARs of a function. */
#define RTE_VFIO_USER_PCI_BARS 6u

/** What a function is. Zeroes are defaults where 0 makes sense. */
struct rte_vfio_user_pci_info {
	size_t size;	/**< sizeof(struct rte_vfio_user_pci_info) as the caller knows it */
	uint16_t vendor_id;	/**< not 0xffff, which means that nothing is there */
	uint16_t device_id;	/**< any */
	uint16_t subsystem_vendor_id;	/**< any */
	uint16_t subsystem_id;	/**< any */
	/** 0xCCSSPP: class, subclass, programming interface. A guest gives no BAR to class 0. */
	uint32_t class_code;
	uint8_t revision_id;	/**< any */
	uint8_t interrupt_pin;	/**< 0: no INTx; 1 to 4: INTA to INTD */
	/** 4096 bytes of configuration space, not 256; see rte_vfio_user_pci_add_express(). */
	bool express;
};

/** What the author of a function is called for. Each may be NULL. */
struct rte_vfio_user_pci_ops {
	/** A client can use the device now. @return 0, or a negative errno that refuses it */
	int (*connected)(struct rte_vfio_user_pci *pci);
	/** The client is gone; its memory and interrupts are no longer there on return. */
	void (*disconnected)(struct rte_vfio_user_pci *pci);
	/**
	 * Go to the state after power-on. Configuration space and interrupts are there already.
	 * @return 0, or a negative errno that goes to the client
	 */
	int (*reset)(struct rte_vfio_user_pci *pci);
	/** The command register was written, and is not what it was. */
	void (*command_changed)(struct rte_vfio_user_pci *pci, uint16_t command);
	/**
	 * The client wrote a BAR's register (also to learn its size), and it is not what it was.
	 * @p addr is what it holds now, without the bits that tell its type.
	 */
	void (*bar_changed)(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t addr);
	/** The client wrote [offset, offset + len) of configuration space. */
	void (*config_written)(struct rte_vfio_user_pci *pci, uint32_t offset, uint32_t len);
	/** The client's memory or interrupts have changed. */
	void (*status_changed)(struct rte_vfio_user_pci *pci);
	/** As rte_vfio_user_notify_ops.lock_dp. */
	int (*lock_dp)(struct rte_vfio_user_pci *pci, int lock);
};

/** A BAR in I/O space. */
#define RTE_VFIO_USER_PCI_BAR_IO       0x1u
/** A 64-bit memory BAR; it takes the next BAR's register too. */
#define RTE_VFIO_USER_PCI_BAR_64       0x2u
/** Reads of this memory have no side effects. */
#define RTE_VFIO_USER_PCI_BAR_PREFETCH 0x4u
/** @c fd is valid, and the client may map the BAR: all of it, or @c areas. */
#define RTE_VFIO_USER_PCI_BAR_MMAP     0x8u

/**
 * A BAR. An access goes to the memory at @c base when it lies in a part that the client may map,
 * else to @c read and @c write when they are there, else to @c base, else it reads as ones and
 * writes nothing.
 */
struct rte_vfio_user_pci_bar {
	uint64_t size;	/**< bytes; a power of two, memory at least 16, I/O 4 to 256 */
	uint32_t flags;	/**< RTE_VFIO_USER_PCI_BAR_* */
	/**
	 * Read a register. Accesses are naturally aligned: @p width is 1, 2, 4 or 8 and divides
	 * @p offset; longer or unaligned ones of the client have been split.
	 * @return its value, of which the lowest @p width bytes count
	 */
	uint64_t (*read)(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset,
		unsigned int width);
	/** Write a register. */
	void (*write)(struct rte_vfio_user_pci *pci, unsigned int bar, uint64_t offset,
		unsigned int width, uint64_t value);
	void *base;	/**< memory of the whole BAR, or NULL; stays the caller's */
	int fd;	/**< the same memory, to map it from; stays the caller's */
	uint64_t fd_offset;	/**< where the BAR starts in @c fd, a multiple of the page size */
	/** Parts that may be mapped, page-aligned, by ascending offset; NULL: the whole BAR. */
	const struct vfio_region_sparse_mmap_area *areas;
	uint32_t nb_areas;	/**< entries; 0 with @c areas not NULL: none may be mapped */
};

/**
 * Make a function, without BARs and capabilities.
 *
 * @param info
 *   Copied.
 * @param ops
 *   Copied. NULL: none.
 * @param priv
 *   The author's, for rte_vfio_user_pci_priv().
 * @param pci
 *   The function; rte_vfio_user_pci_free() frees it.
 * @return
 *   0; -EINVAL: class 0, vendor 0xffff, an impossible pin or size; -ENOMEM
 */
__rte_experimental
int rte_vfio_user_pci_create(const struct rte_vfio_user_pci_info *info,
	const struct rte_vfio_user_pci_ops *ops, void *priv, struct rte_vfio_user_pci **pci);

/**
 * Free a function, which is stopped first if it is started. NULL does nothing, nor does a call
 * where rte_vfio_user_pci_stop() fails.
 *
 * @param pci
 *   The function, or NULL.
 */
__rte_experimental
void rte_vfio_user_pci_free(struct rte_vfio_user_pci *pci);

/**
 * What is the author's of a function.
 *
 * @param pci
 *   The function.
 * @return what was given to rte_vfio_user_pci_create()
 */
__rte_experimental
void *rte_vfio_user_pci_priv(const struct rte_vfio_user_pci *pci);

/**
 * Give a function a BAR. Before rte_vfio_user_pci_start().
 *
 * @param pci
 *   The device.
 * @param bar
 *   0 to 5; 0 to 4 with 64 bits.
 * @param desc
 *   Copied, the areas too.
 * @return
 *   0; -EINVAL: impossible number, size, flags or areas; -EEXIST: the register is in use;
 *   -EBUSY: started; -ENOMEM
 */
__rte_experimental
int rte_vfio_user_pci_set_bar(struct rte_vfio_user_pci *pci, unsigned int bar,
	const struct rte_vfio_user_pci_bar *desc);

/**
 * Give a function an expansion ROM. Before rte_vfio_user_pci_start().
 *
 * @param pci
 *   The device.
 * @param image
 *   Copied.
 * @param len
 *   Bytes, 1 to 16 MiB; the ROM's size is the next power of two from 2 KiB on, the rest reads as
 *   ones.
 * @return
 *   0; -EINVAL; -EEXIST: it has one; -EBUSY: started; -ENOMEM
 */
__rte_experimental
int rte_vfio_user_pci_set_rom(struct rte_vfio_user_pci *pci, const void *image, size_t len);

/* ---- capabilities: the list has the order in which they are added ---- */

/**
 * Add a capability. Before rte_vfio_user_pci_start().
 *
 * @param pci
 *   The device.
 * @param id
 *   PCI_CAP_ID_*.
 * @param body
 *   @p len bytes after the two of id and link; NULL: zeroes.
 * @param writable
 *   @p len bytes: the bits of @p body that the client may write; NULL: none.
 * @param len
 *   1 to 190.
 * @return
 *   Offset of the capability in configuration space; -EINVAL; -ENOSPC: the 256 bytes are full;
 *   -EBUSY: started
 */
__rte_experimental
int rte_vfio_user_pci_add_cap(struct rte_vfio_user_pci *pci, uint8_t id, const void *body,
	const void *writable, size_t len);

/**
 * Add an extended capability to a PCI Express function. Before rte_vfio_user_pci_start().
 *
 * @param pci
 *   The device.
 * @param id
 *   PCI_EXT_CAP_ID_*.
 * @param version
 *   1 to 15.
 * @param body
 *   @p len bytes after the four of the header; NULL: zeroes.
 * @param writable
 *   As for rte_vfio_user_pci_add_cap().
 * @param len
 *   0 to 3836.
 * @return
 *   Its offset; -EINVAL; -ENOTSUP: not PCI Express; -ENOSPC: no room; -EBUSY: started
 */
__rte_experimental
int rte_vfio_user_pci_add_ext_cap(struct rte_vfio_user_pci *pci, uint16_t id, uint8_t version,
	const void *body, const void *writable, size_t len);

/**
 * Add a vendor-specific capability: @p len bytes after its length byte.
 *
 * @param pci
 *   The device.
 * @param body
 *   Its bytes.
 * @param writable
 *   A bit for each one that the client may write; NULL: none.
 * @param len
 *   1 to 189.
 * @return
 *   As rte_vfio_user_pci_add_cap()
 */
__rte_experimental
int rte_vfio_user_pci_add_vendor(struct rte_vfio_user_pci *pci, const void *body,
	const void *writable, size_t len);

/**
 * Add power management: D0 to D3, no soft reset.
 *
 * @param pci
 *   The function.
 * @return as rte_vfio_user_pci_add_cap()
 */
__rte_experimental
int rte_vfio_user_pci_add_pm(struct rte_vfio_user_pci *pci);

/**
 * Add the PCI Express capability of an endpoint, one lane of 2.5 GT/s. A function level reset is
 * done as a reset of the device.
 *
 * @param pci
 *   The device.
 * @param integrated
 *   An endpoint of the root complex, without a link.
 * @return
 *   As rte_vfio_user_pci_add_cap(); -ENOTSUP: info.express was false
 */
__rte_experimental
int rte_vfio_user_pci_add_express(struct rte_vfio_user_pci *pci, bool integrated);

/** 64-bit message addresses. */
#define RTE_VFIO_USER_PCI_MSI_64   0x1u
/** A mask bit for each vector. */
#define RTE_VFIO_USER_PCI_MSI_MASK 0x2u

/**
 * Add MSI.
 *
 * @param pci
 *   The device.
 * @param nb_vectors
 *   1, 2, 4, 8, 16 or 32.
 * @param flags
 *   RTE_VFIO_USER_PCI_MSI_*.
 * @return
 *   As rte_vfio_user_pci_add_cap(); -EEXIST: there is one
 */
__rte_experimental
int rte_vfio_user_pci_add_msi(struct rte_vfio_user_pci *pci, unsigned int nb_vectors,
	uint32_t flags);

/** MSI-X, and where its table and its pending bits are. */
struct rte_vfio_user_pci_msix {
	uint16_t nb_vectors;	/**< 1 to 2048 */
	uint8_t table_bar;	/**< a memory BAR that has been set */
	uint8_t pba_bar;	/**< the same or another one */
	uint32_t table_offset;	/**< a multiple of 8; 16 bytes for each vector */
	uint32_t pba_offset;	/**< a multiple of 8; 8 bytes for each 64 vectors */
};

/**
 * Add MSI-X. The helper answers accesses to the table and the pending bits.
 *
 * A message by a vector that the client masks in the table is kept pending. After power-on the
 * table reads as all masked, but clients that mask vectors by themselves, like QEMU, never write
 * it: so a mask bit is obeyed once the client has written it, until the client is gone or there is
 * a reset.
 *
 * @param pci
 *   The function.
 * @param msix
 *   Copied.
 * @return
 *   As rte_vfio_user_pci_add_cap(); -EINVAL also: not inside the BAR, in a part of it that may be
 *   mapped, or overlapping; -EEXIST: there is one; -ENOMEM
 */
__rte_experimental
int rte_vfio_user_pci_add_msix(struct rte_vfio_user_pci *pci,
	const struct rte_vfio_user_pci_msix *msix);

/* ---- serving ---- */

/**
 * Serve the function: registers the session, describes regions and interrupts, listens.
 *
 * @param pci
 *   The device.
 * @param sock_addr
 *   As for rte_vfio_user_register().
 * @param opt
 *   As for rte_vfio_user_register_opt(). NULL: the defaults.
 * @return
 *   The id of the session, for DMA and poll mode; -EBUSY: started already; an errno of
 *   rte_vfio_user_register_opt() or rte_vfio_user_start(): nothing has changed then, but that a
 *   socket given in @p opt is closed
 */
__rte_experimental
int rte_vfio_user_pci_start(struct rte_vfio_user_pci *pci, const char *sock_addr,
	const struct rte_vfio_user_options *opt);

/**
 * End the session. The state of the function stays; it may be started again.
 *
 * @param pci
 *   The function.
 * @return
 *   0, also when it is not started; -EBUSY: called from a callback; -EDEADLK: called between
 *   rte_vfio_user_dma_enter() and rte_vfio_user_dma_leave()
 */
__rte_experimental
int rte_vfio_user_pci_stop(struct rte_vfio_user_pci *pci);

/**
 * The id of the session.
 *
 * @param pci
 *   The function.
 * @return an id; -ENOTCONN: not started. Any thread.
 */
__rte_experimental
int rte_vfio_user_pci_dev_id(struct rte_vfio_user_pci *pci);

/* ---- interrupts: from any thread ---- */

/**
 * Tell an interrupt in the way that the client uses: by MSI-X or MSI, else by INTx.
 *
 * @param pci
 *   The device.
 * @param vector
 *   Of MSI-X or MSI. With MSI a vector that the client did not get is sent as a lower one,
 *   modulo the number that it got. INTx has one.
 * @return
 *   0, also when it is masked and kept pending; -EINVAL: no such vector; -ENOTCONN: the client
 *   uses no interrupts, or there is none
 */
__rte_experimental
int rte_vfio_user_pci_raise(struct rte_vfio_user_pci *pci, unsigned int vector);

/**
 * There is no cause for an interrupt any more: INTx goes down. Messages are not taken back.
 *
 * @param pci
 *   The function.
 */
__rte_experimental
void rte_vfio_user_pci_lower(struct rte_vfio_user_pci *pci);

/**
 * Set the level of INTx, and with it the status register's bit.
 *
 * Raising it signals the client, also when it was up: call it for each new cause. It signals
 * once: nothing is signalled again only because the level is still up. Where that cannot be (the
 * client disabled INTx or has not bound it yet), it is made up for as soon as it can.
 *
 * @param pci
 *   The device.
 * @param asserted
 *   The level.
 * @return
 *   0; -ENOTSUP: the function has no interrupt pin
 */
__rte_experimental
int rte_vfio_user_pci_intx(struct rte_vfio_user_pci *pci, bool asserted);

/**
 * Send a message by MSI-X, else by MSI. It is kept pending while masked.
 *
 * @param pci
 *   The function.
 * @param vector
 *   Which one, from 0 on.
 * @return
 *   0; -EINVAL: no such vector; -ENOTCONN: the client uses neither
 */
__rte_experimental
int rte_vfio_user_pci_message(struct rte_vfio_user_pci *pci, unsigned int vector);

/* ---- memory of the client, as a bus master: only while the command register permits it ---- */

/**
 * rte_vfio_user_dma_read() for a function.
 *
 * @param pci
 *   The function.
 * @param addr
 *   IOVA of the first byte.
 * @param buf
 *   Where to put them.
 * @param len
 *   Bytes.
 * @return as that; -EACCES also: the function is not enabled as bus master
 */
__rte_experimental
int rte_vfio_user_pci_dma_read(struct rte_vfio_user_pci *pci, uint64_t addr, void *buf,
	uint64_t len);

/**
 * rte_vfio_user_dma_write() for a function.
 *
 * @param pci
 *   The function.
 * @param addr
 *   IOVA of the first byte.
 * @param buf
 *   What to write.
 * @param len
 *   Bytes.
 * @return as rte_vfio_user_pci_dma_read()
 */
__rte_experimental
int rte_vfio_user_pci_dma_write(struct rte_vfio_user_pci *pci, uint64_t addr, const void *buf,
	uint64_t len);

/* ---- configuration space ---- */

/**
 * Read configuration space as the client does. Any thread.
 *
 * @param pci
 *   The function.
 * @param offset
 *   Of the first byte.
 * @param buf
 *   Where to put them.
 * @param len
 *   Bytes.
 * @return 0; -EINVAL: outside of it
 */
__rte_experimental
int rte_vfio_user_pci_config_read(struct rte_vfio_user_pci *pci, uint32_t offset, void *buf,
	uint32_t len);

/**
 * Write configuration space as the client does, with all that follows from it: read-only bits
 * stay, callbacks are called. From the thread that serves, or while not started.
 *
 * @param pci
 *   The function.
 * @param offset
 *   Of the first byte.
 * @param buf
 *   What to write.
 * @param len
 *   Bytes.
 * @return 0; -EINVAL: outside of it
 */
__rte_experimental
int rte_vfio_user_pci_config_write(struct rte_vfio_user_pci *pci, uint32_t offset,
	const void *buf, uint32_t len);

/**
 * Set bytes of a capability's body that only the device may change. No callback is called. Any
 * thread.
 *
 * @param pci
 *   The function.
 * @param offset
 *   Of the first byte.
 * @param buf
 *   What to put there.
 * @param len
 *   Bytes.
 * @return 0; -EINVAL: outside of configuration space, or in the standard header
 */
__rte_experimental
int rte_vfio_user_pci_config_set(struct rte_vfio_user_pci *pci, uint32_t offset, const void *buf,
	uint32_t len);

/**
 * What a BAR's register holds.
 *
 * @param pci
 *   The function.
 * @param bar
 *   The BAR, 0 to 5.
 * @return the address, without the bits that tell the BAR's type; 0: no such BAR
 */
__rte_experimental
uint64_t rte_vfio_user_pci_bar_addr(struct rte_vfio_user_pci *pci, unsigned int bar);

/* ---- regions, as the client reaches them ---- */

/**
 * Read a BAR or the ROM as the client does: for tests of a device without a client. From the
 * thread that serves, or while not started.
 *
 * @param pci
 *   The device.
 * @param region
 *   VFIO_PCI_BAR0_REGION_INDEX and so on.
 * @param offset
 *   In the region, in bytes.
 * @param buf
 *   The bytes.
 * @param len
 *   Bytes.
 * @return 0; -EINVAL: outside of it
 */
__rte_experimental
int rte_vfio_user_pci_region_read(struct rte_vfio_user_pci *pci, unsigned int region,
	uint64_t offset, void *buf, uint32_t len);

/**
 * Write a BAR as the client does.
 *
 * @param pci
 *   The function.
 * @param region
 *   VFIO_PCI_*_REGION_INDEX.
 * @param offset
 *   Of the first byte in it.
 * @param buf
 *   What to write.
 * @param len
 *   Bytes.
 * @return as rte_vfio_user_pci_region_read(); -EPERM: the ROM
 */
__rte_experimental
int rte_vfio_user_pci_region_write(struct rte_vfio_user_pci *pci, unsigned int region,
	uint64_t offset, const void *buf, uint32_t len);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VFIO_USER_PCI_H */
