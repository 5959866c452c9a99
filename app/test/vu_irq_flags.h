/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_IRQ_FLAGS_H
#define VU_IRQ_FLAGS_H

/**
 * @file
 * Short names for what SET_IRQS does, a kind of data and an action, and for what it does it to.
 */

#include <linux/vfio.h>

#define NONE    VFIO_IRQ_SET_DATA_NONE
#define BOOL    VFIO_IRQ_SET_DATA_BOOL
#define EVENT   VFIO_IRQ_SET_DATA_EVENTFD
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER
#define MASK    VFIO_IRQ_SET_ACTION_MASK
#define UNMASK  VFIO_IRQ_SET_ACTION_UNMASK

#define INTX VFIO_PCI_INTX_IRQ_INDEX
#define MSI  VFIO_PCI_MSI_IRQ_INDEX
#define MSIX VFIO_PCI_MSIX_IRQ_INDEX
#define ERR  VFIO_PCI_ERR_IRQ_INDEX
#define REQ  VFIO_PCI_REQ_IRQ_INDEX

#endif /* VU_IRQ_FLAGS_H */
