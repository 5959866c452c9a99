/* SPDX-License-Identifier: BSD-3-Clause */

#include "pci_backend.h"

const struct pci_backend *const pci_backends[] = {
	NULL,
};
