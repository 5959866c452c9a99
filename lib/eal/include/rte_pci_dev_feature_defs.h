/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_PCI_DEV_FEATURE_DEFS_H
#define RTE_PCI_DEV_FEATURE_DEFS_H

/**
 * @file
 * Names of the interrupt modes of a PCI device, shared by EAL and the bus.
 */

#define RTE_INTR_MODE_NONE_NAME "none"	/**< of RTE_INTR_MODE_NONE */
#define RTE_INTR_MODE_LEGACY_NAME "legacy"	/**< of RTE_INTR_MODE_LEGACY */
#define RTE_INTR_MODE_MSI_NAME "msi"	/**< of RTE_INTR_MODE_MSI */
#define RTE_INTR_MODE_MSIX_NAME "msix"	/**< of RTE_INTR_MODE_MSIX */

#ifdef __cplusplus
extern "C" {
#endif

/** How a device interrupts. */
enum rte_intr_mode {
	RTE_INTR_MODE_NONE = 0,	/**< not at all, or no preference */
	RTE_INTR_MODE_LEGACY,	/**< by INTx */
	RTE_INTR_MODE_MSI,	/**< by MSI */
	RTE_INTR_MODE_MSIX	/**< by MSI-X */
};

#ifdef __cplusplus
}
#endif

#endif /* RTE_PCI_DEV_FEATURE_DEFS_H */
