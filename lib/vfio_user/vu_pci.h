/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_PCI_H
#define VU_PCI_H

/**
 * @file
 * An emulated PCI function, as the parts of the helper share it.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "rte_vfio_user_pci.h"

#define VU_PCI_CFG_MAX      4096u
#define VU_PCI_MSI_VECTORS  32u
#define VU_PCI_MSIX_VECTORS 2048u

/* Registers of the standard header, PCI Local Bus 3.0, section 6.1; all little endian. */
#define VU_PCI_COMMAND       0x04u
#define VU_PCI_STATUS        0x06u
#define VU_PCI_BAR(i)        (0x10u + 4 * (i))
#define VU_PCI_ROM           0x30u
#define VU_PCI_CAP_LIST      0x34u
#define VU_PCI_HEADER_LEN    0x40u
#define VU_PCI_EXT_CAP_START 0x100u

#define VU_PCI_COMMAND_IO           0x0001u
#define VU_PCI_COMMAND_MEMORY       0x0002u
#define VU_PCI_COMMAND_MASTER       0x0004u
#define VU_PCI_COMMAND_INTX_DISABLE 0x0400u
#define VU_PCI_STATUS_INTX          0x0008u
#define VU_PCI_STATUS_CAP_LIST      0x0010u

#define VU_PCI_MSI_CTRL         2u
#define VU_PCI_MSI_CTRL_ENABLE  0x0001u
#define VU_PCI_MSIX_CTRL_MASK   0x4000u
#define VU_PCI_MSIX_CTRL_ENABLE 0x8000u
#define VU_PCI_MSIX_ENTRY_LEN   16u	/* of the table */

/**
 * Configuration space. All but the bits in writable are constant for the client. A register is read
 * in one piece without a lock.
 */
struct vu_pci_cfg {
	uint32_t size;	/**< 256 or 4096 */
	uint32_t last_cap;	/**< offset of the last capability; 0: there is none */
	uint32_t cap_end;	/**< where the next one goes */
	uint32_t last_ext_cap;
	uint32_t ext_cap_end;
	_Atomic uint32_t word[VU_PCI_CFG_MAX / 4];	/**< the lowest byte is the first */
	uint8_t writable[VU_PCI_CFG_MAX];
	uint8_t initial[VU_PCI_CFG_MAX];	/**< after reset */
};

struct vu_pci_bar {
	struct rte_vfio_user_pci_bar desc;	/**< its areas are owned */
	struct rte_vfio_user_pci *pci;
	unsigned int index;
	bool used;	/**< false: none, or the upper half of a 64-bit BAR */
};

/** MSI or MSI-X. */
struct vu_pci_msg {
	uint32_t irq_index;	/**< VFIO_PCI_MSI_IRQ_INDEX, VFIO_PCI_MSIX_IRQ_INDEX */
	uint32_t cap;	/**< offset of the capability; 0: there is none */
	uint32_t nb;	/**< vectors */
	uint32_t mask_reg;	/**< offset of the mask bits of MSI; 0: none. Pending bits follow */
	uint64_t pending[VU_PCI_MSIX_VECTORS / 64];	/**< a bit for each vector */
	/** The same: by the table of MSI-X. Changed with the lock, read without, too */
	_Atomic uint64_t masked[VU_PCI_MSIX_VECTORS / 64];
};

struct rte_vfio_user_pci {
	struct rte_vfio_user_pci_ops ops;
	void *priv;
	bool express;
	uint32_t express_cap;	/**< offset; 0: none */

	struct vu_pci_bar bars[RTE_VFIO_USER_PCI_BARS];
	uint8_t *rom;	/**< owned */
	uint64_t rom_size;	/**< bytes, a power of two; 0: there is none */
	uint8_t *msix_table;	/**< owned; accessed by the thread that serves */
	struct rte_vfio_user_pci_msix msix_place;

	_Atomic int dev_id;	/**< of the session; -1: not started */
	atomic_bool owes;	/**< there may be interrupts that the client could not be told of */
	atomic_bool intx_up;	/**< the level */
	pthread_mutex_t lock;	/**< what follows, and changes of more than one register */
	bool intx_owed;	/**< it went up, and the client could not be told */
	struct vu_pci_msg msi, msix;
	struct vu_pci_cfg cfg;

	char *sock_addr;	/**< owned; NULL: not started */
};

static inline bool
vu_pci_is_started(const struct rte_vfio_user_pci *pci)
{
	return pci->sock_addr != NULL;
}

static inline bool
vu_pci_is_power_of_2(uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* ---- vu_pci_cfg.c: no lock, no callback ---- */

uint32_t vu_pci_le_get(const uint8_t *bytes, unsigned int len);
void vu_pci_le_set(uint8_t *bytes, uint32_t value, unsigned int len);

/** Do bytes lie in one word? Such are read and written in one piece. */
static inline bool
vu_pci_cfg_is_one(uint32_t off, uint32_t len)
{
	return len > 0 && len <= 4 && off % 4 <= 4 - len;
}

/** What a register of up to four bytes holds, which lies in one word; above it are others. */
static inline uint32_t
vu_pci_cfg_get32(const struct vu_pci_cfg *cfg, uint32_t off)
{
	return atomic_load(&cfg->word[off / 4]) >> off % 4 * 8;
}

static inline uint16_t
vu_pci_cfg_get16(const struct vu_pci_cfg *cfg, uint32_t off)
{
	return (uint16_t)vu_pci_cfg_get32(cfg, off);
}

static inline uint8_t
vu_pci_cfg_get8(const struct vu_pci_cfg *cfg, uint32_t off)
{
	return (uint8_t)vu_pci_cfg_get32(cfg, off);
}

/** Any bytes. The range is inside. */
void vu_pci_cfg_read(const struct vu_pci_cfg *cfg, uint32_t off, uint8_t *buf, uint32_t len);

void vu_pci_cfg_init(struct vu_pci_cfg *cfg, const struct rte_vfio_user_pci_info *info);
void vu_pci_cfg_set_bar(struct vu_pci_cfg *cfg, unsigned int bar, uint64_t size, uint32_t flags);
void vu_pci_cfg_set_rom(struct vu_pci_cfg *cfg, uint64_t size);

/** What a BAR's register holds without its type. */
uint64_t vu_pci_cfg_bar_addr(const struct vu_pci_cfg *cfg, unsigned int bar, uint32_t flags);

/** @return the offset; -EINVAL, -ENOSPC */
int vu_pci_cfg_add_cap(struct vu_pci_cfg *cfg, uint8_t id, const void *body,
	const void *writable, size_t len);
int vu_pci_cfg_add_ext_cap(struct vu_pci_cfg *cfg, uint16_t id, uint8_t version,
	const void *body, const void *writable, size_t len);

/** Write those bits that may be written. The range is inside. */
void vu_pci_cfg_write(struct vu_pci_cfg *cfg, uint32_t off, const void *buf, uint32_t len);

/** Set bytes now and after each reset. The range is inside. */
void vu_pci_cfg_preset(struct vu_pci_cfg *cfg, uint32_t off, const void *buf, uint32_t len);

void vu_pci_cfg_reset(struct vu_pci_cfg *cfg);

/* ---- vu_pci_irq.c ---- */

/** Are these bits of the pending ones of MSI, which are read under the lock? */
static inline bool
vu_pci_irq_is_pending_reg(const struct rte_vfio_user_pci *pci, uint32_t off)
{
	return pci->msi.mask_reg != 0 && off / 4 == pci->msi.mask_reg / 4 + 1;
}

/** The status bit and the pending bits of MSI as they are now. Under the lock. */
void vu_pci_irq_read_config(const struct rte_vfio_user_pci *pci, uint32_t off, uint8_t *buf,
	uint32_t len);

/**
 * Tell what could not be told before, as far as it can be told now: something has changed, of the
 * session's interrupts or in configuration space. Takes the lock if there is something to tell.
 */
void vu_pci_irq_deliver(struct rte_vfio_user_pci *pci);

/**
 * The client has written [off, off + len) of configuration space: what it masks with that does not
 * come any more on return. Not under the lock.
 */
void vu_pci_irq_config_written(const struct rte_vfio_user_pci *pci, uint32_t off, uint32_t len);

/** Nothing is up, nothing pending. Under the lock. */
void vu_pci_irq_reset(struct rte_vfio_user_pci *pci);

/**
 * The client has written [off, off + len) of the table of MSI-X: as vu_pci_irq_config_written().
 * Takes the lock.
 */
void vu_pci_irq_table_written(struct rte_vfio_user_pci *pci, uint64_t off, uint64_t len);

/** The client is gone, and with it what it has masked. Takes the lock. */
void vu_pci_irq_client_gone(struct rte_vfio_user_pci *pci);

/* ---- vu_pci_region.c ---- */

/** Accesses of any length and alignment. The range is inside. */
void vu_pci_bar_access(struct vu_pci_bar *bar, uint64_t off, uint8_t *buf, uint64_t len,
	bool iswrite);

/** The description of a BAR for clients, to be freed. @return 0, -ENOMEM */
int vu_pci_bar_info(const struct vu_pci_bar *bar, struct vfio_region_info **info);

/** May the client map part of [off, off + len)? */
bool vu_pci_bar_mappable(const struct vu_pci_bar *bar, uint64_t off, uint64_t len);

/* ---- vu_pci_cap.c ---- */

/** The table of MSI-X as it is after power-on. */
void vu_pci_msix_table_reset(struct rte_vfio_user_pci *pci);

/* ---- vu_pci.c ---- */

/** Configuration space and interrupts, then the device, after power-on. @return 0, -errno */
int vu_pci_reset(struct rte_vfio_user_pci *pci);

#endif /* VU_PCI_H */
