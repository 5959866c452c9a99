/* SPDX-License-Identifier: BSD-3-Clause */

#include "pci_backend.h"
#include "pci_backends.h"

const struct pci_backend *const pci_backends[] = {
	&pci_vfio_backend,
	&pci_uio_generic_backend,
	&pci_igb_uio_backend,
	&pci_vfio_user_backend,
	NULL,
};
