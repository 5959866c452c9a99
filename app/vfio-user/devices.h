/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DEVICES_H
#define DEVICES_H

/**
 * @file
 * The devices that "dpdk-vfio-user serve" can emulate.
 */

#include <stdint.h>

#include <rte_vfio_user_pci.h>

/** Outputs of the GPIO card are wired to its inputs. */
#define DEVICE_LOOP       0x1u
/** The GPIO card's registers are in memory, not in I/O space: a client may post writes. */
#define DEVICE_MEMORY_BAR 0x2u
/** The edu device has MSI-X with several vectors instead of MSI. */
#define DEVICE_MSIX       0x4u

/** Of edu with MSI-X: the number of its vectors. */
#define DEVICE_EDU_VECTORS 8u

/** A kind of device; a row of the table of devices. */
struct device_kind {
	const char *name;	/**< as typed by users */
	const char *summary;	/**< one line */
	uint32_t flags;	/**< DEVICE_* that it takes */
	/** @param flags DEVICE_*; @param pci the function, not started yet. @return 0, -errno */
	int (*make)(uint32_t flags, struct rte_vfio_user_pci **pci);
	/** Stop and free it. */
	void (*destroy)(struct rte_vfio_user_pci *pci);
};

/** PCI-IDIO-16 of ACCES, which Linux drives by gpio-pci-idio-16: 16 outputs, 16 inputs. */
extern const struct device_kind device_gpio;

/** QEMU's device for education, which our raw/edu drives. */
extern const struct device_kind device_edu;

#endif /* DEVICES_H */
