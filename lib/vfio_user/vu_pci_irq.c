/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <linux/pci_regs.h>

#include <eal_export.h>
#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_epoch.h"
#include "vu_pci.h"

#define MSI_CTRL_GIVEN_SHIFT 4	/* multiple message enable, as a power of two */
#define MSI_CTRL_GIVEN_MASK  0x7u

static uint16_t
command(const struct rte_vfio_user_pci *pci)
{
	return vu_pci_cfg_get16(&pci->cfg, VU_PCI_COMMAND);
}

/*
 * An interrupt is about to be tried. Who makes it possible from now on, without the lock, will find
 * that there may be something to tell, and look for it under the lock.
 */
static bool
owe_begin(struct rte_vfio_user_pci *pci)
{
	return !atomic_exchange(&pci->owes, true);
}

/* It was tried, and is not kept; before it nothing was. */
static void
owe_end(struct rte_vfio_user_pci *pci)
{
	atomic_store_explicit(&pci->owes, false, memory_order_release);
}

/*
 * To see that nothing masks an interrupt, and to send it, is one section: the client's command that
 * masks it is answered when those are over that did not see it.
 */
static bool
try_begin(int dev_id)
{
	return dev_id >= 0 && vu_epoch_enter() == 0;
}

/* ---- INTx ---- */

/* Signal the client. Returns whether that was possible. */
static bool
intx_try(struct rte_vfio_user_pci *pci)
{
	int dev_id = atomic_load(&pci->dev_id);
	bool sent;

	if (!try_begin(dev_id))
		return false;
	sent = !(command(pci) & VU_PCI_COMMAND_INTX_DISABLE) &&
		rte_vfio_user_irq_raise(dev_id, VFIO_PCI_INTX_IRQ_INDEX, 0) == 0;
	vu_epoch_leave();
	return sent;
}

/* Signal the client, or remember to. */
static void
intx_signal(struct rte_vfio_user_pci *pci)
{
	bool first = owe_begin(pci);

	pci->intx_owed = !intx_try(pci);
	if (first && !pci->intx_owed)
		owe_end(pci);
}

static int
intx_set(struct rte_vfio_user_pci *pci, bool up)
{
	if (vu_pci_cfg_get8(&pci->cfg, PCI_INTERRUPT_PIN) == 0)
		return -ENOTSUP;
	atomic_store(&pci->intx_up, up);
	pci->intx_owed = false;
	if (up)
		intx_signal(pci);
	return 0;
}

/* ---- messages ---- */

static uint16_t
msg_ctrl(const struct rte_vfio_user_pci *pci, const struct vu_pci_msg *msg)
{
	return vu_pci_cfg_get16(&pci->cfg, msg->cap + VU_PCI_MSI_CTRL);
}

static bool
msg_enabled(const struct rte_vfio_user_pci *pci, const struct vu_pci_msg *msg)
{
	return msg_ctrl(pci, msg) & (msg->irq_index == VFIO_PCI_MSI_IRQ_INDEX ?
		VU_PCI_MSI_CTRL_ENABLE : VU_PCI_MSIX_CTRL_ENABLE);
}

static bool
bit_get(const uint64_t *bits, uint32_t vector)
{
	return bits[vector / 64] >> vector % 64 & 1;
}

static void
bit_set(uint64_t *bits, uint32_t vector, bool on)
{
	uint64_t bit = UINT64_C(1) << vector % 64;

	if (on)
		bits[vector / 64] |= bit;
	else
		bits[vector / 64] &= ~bit;
}

static void
mask_set(struct vu_pci_msg *msg, uint32_t vector, bool on)
{
	uint64_t bit = UINT64_C(1) << vector % 64;

	if (on)
		atomic_fetch_or(&msg->masked[vector / 64], bit);
	else
		atomic_fetch_and(&msg->masked[vector / 64], ~bit);
}

static bool
mask_get(const struct vu_pci_msg *msg, uint32_t vector)
{
	return atomic_load(&msg->masked[vector / 64]) >> vector % 64 & 1;
}

static void
masks_end(struct vu_pci_msg *msg)
{
	uint32_t i;

	for (i = 0; i < RTE_DIM(msg->masked); i++)
		atomic_store(&msg->masked[i], 0);
}

static bool
msg_masked(const struct rte_vfio_user_pci *pci, const struct vu_pci_msg *msg, uint32_t vector)
{
	if (!msg_enabled(pci, msg))
		return false;
	if (msg->irq_index == VFIO_PCI_MSIX_IRQ_INDEX)
		return msg_ctrl(pci, msg) & VU_PCI_MSIX_CTRL_MASK || mask_get(msg, vector);
	return msg->mask_reg != 0 &&
		vu_pci_cfg_get32(&pci->cfg, msg->mask_reg) & UINT32_C(1) << vector;
}

/* A client that was given fewer MSI vectors than it could have gets them all on those. */
static uint32_t
msg_vector(const struct rte_vfio_user_pci *pci, const struct vu_pci_msg *msg, uint32_t vector)
{
	uint32_t given;

	if (msg->irq_index != VFIO_PCI_MSI_IRQ_INDEX || !msg_enabled(pci, msg))
		return vector;
	given = msg_ctrl(pci, msg) >> MSI_CTRL_GIVEN_SHIFT & MSI_CTRL_GIVEN_MASK;
	return vector & ((UINT32_C(1) << RTE_MIN(given, 5u)) - 1);
}

/* A client that uses messages takes its eventfd of INTx away. */
static bool
intx_used(const struct rte_vfio_user_pci *pci)
{
	int dev_id = atomic_load(&pci->dev_id);
	int fd = -1;

	return dev_id >= 0 &&
		rte_vfio_user_get_irq(dev_id, VFIO_PCI_INTX_IRQ_INDEX, 1, &fd) == 0 && fd >= 0;
}

/* Send it, if nothing masks it. Returns whether that was possible. */
static bool
msg_raise(struct rte_vfio_user_pci *pci, const struct vu_pci_msg *msg, uint32_t vector)
{
	int dev_id = atomic_load(&pci->dev_id);
	bool sent;

	if (!try_begin(dev_id))
		return false;
	sent = !msg_masked(pci, msg, vector) &&
		rte_vfio_user_irq_raise(dev_id, msg->irq_index, vector) == 0;
	vu_epoch_leave();
	return sent;
}

/* 0: sent or kept; -ENOTCONN: the client does not use this type. */
static int
msg_try(struct rte_vfio_user_pci *pci, struct vu_pci_msg *msg, uint32_t vector)
{
	const bool sent = msg_raise(pci, msg, vector);

	if (!sent && (!msg_enabled(pci, msg) || intx_used(pci)))
		return -ENOTCONN;
	bit_set(msg->pending, vector, !sent);
	return 0;
}

static int
msg_send(struct rte_vfio_user_pci *pci, struct vu_pci_msg *msg, uint32_t vector)
{
	bool first = owe_begin(pci);
	int rc = msg_try(pci, msg, vector);

	if (first && !bit_get(msg->pending, vector))
		owe_end(pci);
	return rc;
}

/*
 * Without the lock, if none is kept and nothing speaks against it. Not for MSI of a function that
 * could use MSI-X as well.
 */
static bool
message_now(struct rte_vfio_user_pci *pci, uint32_t vector)
{
	const struct vu_pci_msg *msg = vector < pci->msix.nb ? &pci->msix : &pci->msi;

	if (vector >= msg->nb || atomic_load(&pci->owes))
		return false;
	return msg_raise(pci, msg, msg_vector(pci, msg, vector));
}

/* MSI-X has precedence: only one of them may be in use. */
static int
message(struct rte_vfio_user_pci *pci, uint32_t vector)
{
	struct vu_pci_msg *types[] = { &pci->msix, &pci->msi };
	int rc = -EINVAL;
	unsigned int i;

	for (i = 0; i < RTE_DIM(types); i++) {
		if (vector >= types[i]->nb)
			continue;
		rc = msg_send(pci, types[i], msg_vector(pci, types[i], vector));
		if (rc == 0)
			return 0;
	}
	return rc;
}

static void
msg_deliver(struct rte_vfio_user_pci *pci, struct vu_pci_msg *msg)
{
	uint32_t vector;

	for (vector = 0; vector < msg->nb; vector++) {
		if (msg->pending[vector / 64] == 0)
			vector |= 63;
		else if (bit_get(msg->pending, vector))
			msg_send(pci, msg, vector);
	}
}

/* ---- for the rest of the helper ---- */

static bool
msg_owed(const struct vu_pci_msg *msg)
{
	uint32_t i;

	for (i = 0; i < RTE_DIM(msg->pending); i++) {
		if (msg->pending[i] != 0)
			return true;
	}
	return false;
}

static __rte_noinline void
deliver(struct rte_vfio_user_pci *pci)
{
	pthread_mutex_lock(&pci->lock);
	msg_deliver(pci, &pci->msix);
	msg_deliver(pci, &pci->msi);
	if (pci->intx_owed)
		intx_signal(pci);
	atomic_store(&pci->owes, pci->intx_owed || msg_owed(&pci->msix) || msg_owed(&pci->msi));
	pthread_mutex_unlock(&pci->lock);
}

void
vu_pci_irq_deliver(struct rte_vfio_user_pci *pci)
{
	if (unlikely(atomic_load(&pci->owes)))
		deliver(pci);
}

void
vu_pci_irq_reset(struct rte_vfio_user_pci *pci)
{
	atomic_store(&pci->intx_up, false);
	pci->intx_owed = false;
	memset(pci->msix.pending, 0, sizeof(pci->msix.pending));
	memset(pci->msi.pending, 0, sizeof(pci->msi.pending));
	masks_end(&pci->msix);
}

/*
 * After reset the table says that all is masked, but clients that mask vectors by themselves, like
 * QEMU, do not write it. So a bit counts only once it has been written.
 */
void
vu_pci_irq_table_written(struct rte_vfio_user_pci *pci, uint64_t off, uint64_t len)
{
	bool masked = false;
	bool on;
	uint32_t i;
	uint64_t at;

	pthread_mutex_lock(&pci->lock);
	for (i = (uint32_t)(off / VU_PCI_MSIX_ENTRY_LEN); i < pci->msix.nb; i++) {
		at = i * VU_PCI_MSIX_ENTRY_LEN + PCI_MSIX_ENTRY_VECTOR_CTRL;
		if (at >= off + len)
			break;
		if (at < off)
			continue;
		on = pci->msix_table[at] & PCI_MSIX_ENTRY_CTRL_MASKBIT;
		mask_set(&pci->msix, i, on);
		masked |= on;
	}
	msg_deliver(pci, &pci->msix);
	pthread_mutex_unlock(&pci->lock);
	if (masked)
		vu_epoch_wait();
}

void
vu_pci_irq_config_written(const struct rte_vfio_user_pci *pci, uint32_t off, uint32_t len)
{
	/* all are in one word; 0: there is none, and the identity of the function is not written */
	const uint32_t regs[] = { VU_PCI_COMMAND, pci->msi.cap, pci->msi.mask_reg, pci->msix.cap };
	bool masks = false;
	unsigned int i;

	for (i = 0; i < RTE_DIM(regs); i++)
		masks |= regs[i] != 0 && off < regs[i] + 4 && regs[i] < off + len;
	if (masks)
		vu_epoch_wait();
}

void
vu_pci_irq_client_gone(struct rte_vfio_user_pci *pci)
{
	pthread_mutex_lock(&pci->lock);
	masks_end(&pci->msix);
	pthread_mutex_unlock(&pci->lock);
}

/* Or the bytes of value at reg into those of buf that are the same. */
static void
overlay(uint32_t reg, uint32_t value, uint32_t off, uint8_t *buf, uint32_t len)
{
	uint32_t i;

	if (off >= reg + 4 || reg >= off + len)
		return;
	for (i = 0; i < 4; i++, value >>= 8) {
		if (reg + i >= off && reg + i - off < len)
			buf[reg + i - off] |= (uint8_t)value;
	}
}

void
vu_pci_irq_read_config(const struct rte_vfio_user_pci *pci, uint32_t off, uint8_t *buf,
	uint32_t len)
{
	if (atomic_load(&pci->intx_up))
		overlay(VU_PCI_STATUS, VU_PCI_STATUS_INTX, off, buf, len);
	if (pci->msi.mask_reg != 0)
		overlay(pci->msi.mask_reg + 4, (uint32_t)pci->msi.pending[0], off, buf, len);
}

/* ---- for device authors ---- */

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_intx, 25.11)
int
rte_vfio_user_pci_intx(struct rte_vfio_user_pci *pci, bool asserted)
{
	int rc;

	pthread_mutex_lock(&pci->lock);
	rc = intx_set(pci, asserted);
	pthread_mutex_unlock(&pci->lock);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_message, 25.11)
int
rte_vfio_user_pci_message(struct rte_vfio_user_pci *pci, unsigned int vector)
{
	int rc;

	if (likely(message_now(pci, vector)))
		return 0;
	pthread_mutex_lock(&pci->lock);
	rc = message(pci, vector);
	pthread_mutex_unlock(&pci->lock);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_raise, 25.11)
int
rte_vfio_user_pci_raise(struct rte_vfio_user_pci *pci, unsigned int vector)
{
	int rc;

	if (likely(message_now(pci, vector)))
		return 0;
	pthread_mutex_lock(&pci->lock);
	rc = message(pci, vector);
	if (rc == -ENOTCONN || (rc == -EINVAL && vector == 0)) {
		rc = intx_set(pci, true);
		rc = rc == -ENOTSUP ? -ENOTCONN : rc;
	}
	pthread_mutex_unlock(&pci->lock);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_pci_lower, 25.11)
void
rte_vfio_user_pci_lower(struct rte_vfio_user_pci *pci)
{
	rte_vfio_user_pci_intx(pci, false);
}
