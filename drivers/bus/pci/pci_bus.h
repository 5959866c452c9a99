/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_BUS_H
#define PCI_BUS_H

/**
 * @file
 * The bus object that EAL knows, and its operations that have a file of their own. What each of
 * them does is said in bus_driver.h.
 */

#include <bus_driver.h>

struct pci_device;

extern struct rte_bus pci_bus;

/* pci_params.c */
int pci_parse(const char *name, void *addr);
int pci_devargs_parse(struct rte_devargs *devargs);
void *pci_dev_iterate(const void *start, const char *filter, const struct rte_dev_iterator *it);

/* pci_probe.c */
int pci_probe(void);
int pci_plug(struct rte_device *device);
int pci_unplug(struct rte_device *device);
int pci_cleanup(void);

/* pci_iommu.c */
enum rte_iova_mode pci_get_iommu_class(void);
int pci_dma_map(struct rte_device *device, void *addr, uint64_t iova, size_t len);
int pci_dma_unmap(struct rte_device *device, void *addr, uint64_t iova, size_t len);

#endif /* PCI_BUS_H */
