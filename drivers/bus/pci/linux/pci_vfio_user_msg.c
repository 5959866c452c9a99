/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Linux turns messages on in a device's capability when a user of VFIO binds eventfds. Here nobody
 * else does: drivers look there, and a device heeds the masks of its vectors only while it is on.
 */

#include <errno.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>
#include <rte_common.h>
#include <rte_errno.h>

#include "pci_access.h"
#include "pci_device.h"
#include "pci_log.h"
#include "pci_vfio_user.h"

/* Where the vectors in use are in the flags of MSI, as a power of two; 32 at most. */
#define MSI_QSIZE_SHIFT 4
#define MSI_QSIZE_MAX   5u

static const struct msg_cap {
	uint32_t index;	/* VFIO_PCI_*_IRQ_INDEX */
	uint8_t id;
	uint16_t on;
	uint16_t set;	/* what is set when it is turned on, that included */
} msg_caps[] = {
	{ VFIO_PCI_MSIX_IRQ_INDEX, PCI_CAP_ID_MSIX, PCI_MSIX_FLAGS_ENABLE,
		PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL },
	{ VFIO_PCI_MSI_IRQ_INDEX, PCI_CAP_ID_MSI, PCI_MSI_FLAGS_ENABLE,
		PCI_MSI_FLAGS_ENABLE | PCI_MSI_FLAGS_QSIZE },
};

static const struct msg_cap *
msg_cap_of(uint32_t index)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(msg_caps); i++) {
		if (msg_caps[i].index == index)
			return &msg_caps[i];
	}
	return NULL;
}

/* Vectors that the device may use, as MSI has them. A server may say that it has more. */
static uint16_t
msg_count(const struct msg_cap *cap, uint32_t count)
{
	return cap->index == VFIO_PCI_MSI_IRQ_INDEX ?
		(uint16_t)(RTE_MIN(rte_log2_u32(count), MSI_QSIZE_MAX) << MSI_QSIZE_SHIFT) : 0;
}

/* Both have the flags at the same place. 0 vectors: off. */
static int
msg_flags_set(const struct pci_device *dev, const struct msg_cap *cap, uint32_t count)
{
	const off_t at = rte_pci_find_capability(&dev->pub, cap->id);
	rte_le16_t raw;
	uint16_t flags;
	int rc;

	if (at <= 0)
		return (int)at;
	rc = pci_access_read(dev, PCI_REGION_CONFIG, &raw, sizeof(raw), at + PCI_MSI_FLAGS);
	if (rc < 0)
		return rc;
	flags = rte_le_to_cpu_16(raw) & (uint16_t)~cap->set;
	if (count > 0)
		flags |= cap->on | msg_count(cap, count);
	raw = rte_cpu_to_le_16(flags);
	rc = pci_access_write(dev, PCI_REGION_CONFIG, &raw, sizeof(raw), at + PCI_MSI_FLAGS);
	return rc < 0 ? rc : 0;
}

/* A server that sends messages anyway is fine. */
void
pci_vfio_user_msg_switch(const struct pci_device *dev, uint32_t index, uint32_t count)
{
	const struct msg_cap *cap = msg_cap_of(index);
	int rc = cap == NULL ? 0 : msg_flags_set(dev, cap, count);

	if (rc < 0 && rc != -ENOTCONN)
		PCI_LOG(WARNING, "%s: cannot turn its messages %s: %s", dev->pub.device.name,
			count > 0 ? "on" : "off", rte_strerror(-rc));
}
