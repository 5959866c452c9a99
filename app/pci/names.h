/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef NAMES_H
#define NAMES_H

/**
 * @file
 * Names for the numbers of PCI (PCI Code and ID Assignment Specification).
 */

#include <stdint.h>

/** The name of a class code 0xBBSSPP; never NULL. */
const char *pci_class_name(uint32_t class_id);

/** The name of a capability id; never NULL. */
const char *pci_cap_name(uint32_t id);

/** The name of an extended capability id; never NULL. */
const char *pci_ext_cap_name(uint32_t id);

#endif /* NAMES_H */
