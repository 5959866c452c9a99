/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_PCI_H
#define RTE_PCI_H

/**
 * @file
 * PCI names: the registers and capabilities of configuration space, device identities, and the
 * text form of addresses. Nothing here touches a device.
 *
 * "PCI" below is the PCI Local Bus Specification 3.0, "PCIe" the PCI Express Base Specification.
 */

#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes of configuration space that every function has. */
#define RTE_PCI_CFG_SPACE_SIZE		256
/** Bytes of configuration space of a PCI Express function. */
#define RTE_PCI_CFG_SPACE_EXP_SIZE	4096
/** Bytes of the header that is the same for all functions of a header type. */
#define RTE_PCI_STD_HEADER_SIZEOF	64

/* Header, PCI 6.1 */
#define RTE_PCI_VENDOR_ID		0x00	/**< who made it, 16 bits */
#define RTE_PCI_DEVICE_ID		0x02	/**< which one, 16 bits */
#define RTE_PCI_COMMAND			0x04	/**< command register, 16 bits */
#define RTE_PCI_STATUS			0x06	/**< status register, 16 bits */
#define RTE_PCI_REVISION_ID		0x08	/**< revision, 8 bits */
#define RTE_PCI_BASE_ADDRESS_0		0x10	/**< first BAR, 32 bits */
#define RTE_PCI_SUBSYSTEM_ID		0x2e	/**< which board, 16 bits */
#define RTE_PCI_CAPABILITY_LIST		0x34	/**< first capability, 8 bits */

/* Command register, PCI 6.2.2 */
#define RTE_PCI_COMMAND_MEMORY		0x2	/**< answers in memory space */
#define RTE_PCI_COMMAND_MASTER		0x4	/**< may master the bus */
#define RTE_PCI_COMMAND_INTX_DISABLE	0x400	/**< INTx is off */

/* Status register, PCI 6.2.3 */
#define RTE_PCI_STATUS_CAP_LIST		0x10	/**< there is a capability list */
#define RTE_PCI_STATUS_PARITY		0x100	/**< a parity error was seen as master */

/* Base address registers, PCI 6.2.5.1 */
#define RTE_PCI_BASE_ADDRESS_SPACE_IO	0x1	/**< the BAR is in I/O space */

/* Capability ids, PCI appendix H; each capability starts with its id and a link */
#define RTE_PCI_CAP_ID_PM		0x01	/**< power management */
#define RTE_PCI_CAP_ID_VPD		0x03	/**< vital product data */
#define RTE_PCI_CAP_ID_MSI		0x05	/**< message signalled interrupts */
#define RTE_PCI_CAP_ID_VNDR		0x09	/**< vendor specific */
#define RTE_PCI_CAP_ID_EXP		0x10	/**< PCI Express */
#define RTE_PCI_CAP_ID_MSIX		0x11	/**< MSI-X */
#define RTE_PCI_CAP_SIZEOF		4	/**< bytes that all capabilities have */
#define RTE_PCI_CAP_NEXT		1	/**< where the link to the next one is */

/* Power management: control and status */
#define RTE_PCI_PM_CTRL			4	/**< control and status register */
#define RTE_PCI_PM_CTRL_STATE_MASK	0x0003	/**< D0 to D3 */
#define RTE_PCI_PM_CTRL_PME_ENABLE	0x0100	/**< PME# may be raised */
#define RTE_PCI_PM_CTRL_PME_STATUS	0x8000	/**< PME# was raised */

/* Vital product data */
#define RTE_PCI_VPD_ADDR		2	/**< address register */
#define RTE_PCI_VPD_ADDR_F		0x8000	/**< transfer done */
#define RTE_PCI_VPD_DATA		4	/**< data register */

/* PCI Express capability, PCIe 7.5.3 */
#define RTE_PCI_EXP_TYPE_RC_EC		0xa	/**< root complex event collector */
#define RTE_PCI_EXP_DEVCTL		0x08	/**< device control */
#define RTE_PCI_EXP_DEVCTL_PAYLOAD	0x00e0	/**< largest payload */
#define RTE_PCI_EXP_DEVCTL_EXT_TAG	0x0100	/**< 8-bit tags */
#define RTE_PCI_EXP_DEVCTL_READRQ	0x7000	/**< largest read request */
#define RTE_PCI_EXP_DEVCTL_BCR_FLR	0x8000	/**< bridge retry, or function level reset */
#define RTE_PCI_EXP_DEVSTA		0x0a	/**< device status */
#define RTE_PCI_EXP_DEVSTA_TRPND	0x0020	/**< transactions are pending */
#define RTE_PCI_EXP_LNKCTL		0x10	/**< link control */
#define RTE_PCI_EXP_LNKSTA		0x12	/**< link status */
#define RTE_PCI_EXP_LNKSTA_CLS		0x000f	/**< current speed */
#define RTE_PCI_EXP_LNKSTA_NLW		0x03f0	/**< negotiated width */
#define RTE_PCI_EXP_SLTCTL		0x18	/**< slot control */
#define RTE_PCI_EXP_RTCTL		0x1c	/**< root control */
#define RTE_PCI_EXP_DEVCTL2		0x28	/**< device control 2 */
#define RTE_PCI_EXP_LNKCTL2		0x30	/**< link control 2 */
#define RTE_PCI_EXP_SLTCTL2		0x38	/**< slot control 2 */

/* MSI-X, PCI 6.8.2 */
#define RTE_PCI_MSIX_FLAGS		2	/**< message control */
#define RTE_PCI_MSIX_FLAGS_QSIZE	0x07ff	/**< vectors in the table, less one */
#define RTE_PCI_MSIX_FLAGS_MASKALL	0x4000	/**< no vector is delivered */
#define RTE_PCI_MSIX_FLAGS_ENABLE	0x8000	/**< MSI-X is on */
#define RTE_PCI_MSIX_TABLE		4	/**< where the table is */
#define RTE_PCI_MSIX_TABLE_BIR		0x00000007	/**< in which BAR */
#define RTE_PCI_MSIX_TABLE_OFFSET	0xfffffff8	/**< bytes from its start */

/** Id of an extended capability from its first 4 bytes (PCIe 7.6.3). */
#define RTE_PCI_EXT_CAP_ID(header)	((header) & 0x0000ffff)
/** Offset of the next extended capability, 0 after the last. */
#define RTE_PCI_EXT_CAP_NEXT(header)	(((header) >> 20) & 0xffc)

/* Extended capability ids */
#define RTE_PCI_EXT_CAP_ID_ERR		0x01	/**< advanced error reporting */
#define RTE_PCI_EXT_CAP_ID_DSN		0x03	/**< device serial number */
#define RTE_PCI_EXT_CAP_ID_ACS		0x0d	/**< access control services */
#define RTE_PCI_EXT_CAP_ID_SRIOV	0x10	/**< single root I/O virtualisation */
#define RTE_PCI_EXT_CAP_ID_PRI		0x13	/**< page requests */
#define RTE_PCI_EXT_CAP_ID_PASID	0x1b	/**< process address space ids */

/* Advanced error reporting, PCIe 7.8.4 */
#define RTE_PCI_ERR_UNCOR_STATUS	0x04	/**< uncorrectable errors */
#define RTE_PCI_ERR_COR_STATUS		0x10	/**< correctable errors */
#define RTE_PCI_ERR_ROOT_STATUS		0x30	/**< errors at a root port */

/* Access control services, PCIe 7.7.11 */
#define RTE_PCI_ACS_CAP			0x04	/**< what there is */
#define RTE_PCI_ACS_CTRL		0x06	/**< what is on */
#define RTE_PCI_ACS_SV			0x0001	/**< source validation */
#define RTE_PCI_ACS_RR			0x0004	/**< peer-to-peer requests are redirected */
#define RTE_PCI_ACS_CR			0x0008	/**< peer-to-peer completions are redirected */
#define RTE_PCI_ACS_UF			0x0010	/**< upstream forwarding */
#define RTE_PCI_ACS_EC			0x0020	/**< peer-to-peer egress control */

/* Single root I/O virtualisation, PCIe 9.3.3 */
#define RTE_PCI_SRIOV_CAP		0x04	/**< capabilities */
#define RTE_PCI_SRIOV_CTRL		0x08	/**< control */
#define RTE_PCI_SRIOV_INITIAL_VF	0x0c	/**< VFs at first */
#define RTE_PCI_SRIOV_TOTAL_VF		0x0e	/**< VFs at most */
#define RTE_PCI_SRIOV_NUM_VF		0x10	/**< VFs now */
#define RTE_PCI_SRIOV_FUNC_LINK		0x12	/**< the PF this one depends on */
#define RTE_PCI_SRIOV_VF_OFFSET		0x14	/**< routing id of the first VF, relative */
#define RTE_PCI_SRIOV_VF_STRIDE		0x16	/**< routing ids from VF to VF */
#define RTE_PCI_SRIOV_VF_DID		0x1a	/**< device id of the VFs */
#define RTE_PCI_SRIOV_SUP_PGSIZE	0x1c	/**< page sizes there are */

/* Page requests, PCIe 10.5.2 */
#define RTE_PCI_PRI_CTRL		0x04	/**< control */
#define RTE_PCI_PRI_CTRL_ENABLE		0x0001	/**< requests may be made */
#define RTE_PCI_PRI_ALLOC_REQ		0x0c	/**< how many may be pending */

/* Process address space ids, PCIe 7.8.8 */
#define RTE_PCI_PASID_CTRL		0x06	/**< control */

/** printf format of an address: domain, bus, device, function. */
#define PCI_PRI_FMT "%.4" PRIx32 ":%.2" PRIx8 ":%.2" PRIx8 ".%" PRIx8
/** Bytes that the longest address takes as text, with its terminator. */
#define PCI_PRI_STR_SIZE sizeof("XXXXXXXX:XX:XX.X")

/** printf format of an address without its domain. */
#define PCI_SHORT_PRI_FMT "%.2" PRIx8 ":%.2" PRIx8 ".%" PRIx8

/** Numbers in an address. */
#define PCI_FMT_NVAL 4

/** Numbers in a line of a device's "resource" file. */
#define PCI_RESOURCE_FMT_NVAL 3

/** BARs of a device. */
#define PCI_MAX_RESOURCE 6

/** In a vendor, device or subsystem id of a driver's table: any. */
#define RTE_PCI_ANY_ID (0xffff)
/** @deprecated Older name of RTE_PCI_ANY_ID. */
#define PCI_ANY_ID RTE_PCI_ANY_ID
/** In a class id of a driver's table: any. */
#define RTE_CLASS_ANY_ID (0xffffff)

/** What a device is, or what a driver looks for. */
struct rte_pci_id {
	uint32_t class_id;	/**< base class, subclass and interface, 8 bits each */
	uint16_t vendor_id;	/**< vendor, or RTE_PCI_ANY_ID */
	uint16_t device_id;	/**< device, or RTE_PCI_ANY_ID */
	uint16_t subsystem_vendor_id;	/**< vendor of the board, or RTE_PCI_ANY_ID */
	uint16_t subsystem_device_id;	/**< the board, or RTE_PCI_ANY_ID */
};

/** Where a device is. */
struct rte_pci_addr {
	uint32_t domain;	/**< segment group; above 0xffff for some virtual bridges */
	uint8_t bus;	/**< bus */
	uint8_t devid;	/**< device on the bus */
	uint8_t function;	/**< function of the device */
};

/**
 * Write an address as text, in the form PCI_PRI_FMT.
 *
 * @param addr
 *   The address.
 * @param output
 *   Where to write.
 * @param size
 *   Bytes at @p output, at least PCI_PRI_STR_SIZE. With less the program panics: it is a
 *   mistake in the program, not in its input.
 */
void
rte_pci_device_name(const struct rte_pci_addr *addr, char *output, size_t size);

/**
 * Order two addresses: by domain, bus, device, function.
 *
 * @param addr
 *   One address.
 * @param addr2
 *   The other.
 * @return
 *   0 if they are equal; positive if @p addr is the greater one; negative if it is the lesser,
 *   or one of them is NULL.
 */
int
rte_pci_addr_cmp(const struct rte_pci_addr *addr, const struct rte_pci_addr *addr2);

/**
 * Read an address from text: "domain:bus:device.function" or "bus:device.function", in
 * hexadecimal digits and nothing else, the domain being 0 in the short form.
 *
 * @param str
 *   The text.
 * @param[out] addr
 *   The address; not touched on error.
 * @return
 *   0, or -EINVAL if the text is no address, a number does not fit its field, or an argument is
 *   NULL.
 */
int
rte_pci_addr_parse(const char *str, struct rte_pci_addr *addr);

#ifdef __cplusplus
}
#endif

#endif /* RTE_PCI_H */
