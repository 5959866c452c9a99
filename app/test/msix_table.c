/* SPDX-License-Identifier: BSD-3-Clause */

#include <linux/pci_regs.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_pci.h>

#include "msix_table.h"
#include "test.h"

static off_t
capability(const struct msix_table *table)
{
	off_t at = rte_pci_find_capability(table->dev, RTE_PCI_CAP_ID_MSIX);

	assert_true(at > 0);
	return at;
}

/* A register that tells a BAR and an offset in it. */
static void
place_read(const struct msix_table *table, off_t reg, unsigned int *bar, off_t *off)
{
	uint32_t value;

	assert_int_equal(rte_pci_read_config(table->dev, &value, 4, reg), 4);
	*bar = value & RTE_PCI_MSIX_TABLE_BIR;
	*off = value & RTE_PCI_MSIX_TABLE_OFFSET;
}

void
msix_table_find(struct msix_table *table, struct rte_pci_device *dev)
{
	off_t at;

	table->dev = dev;
	at = capability(table);
	place_read(table, at + RTE_PCI_MSIX_TABLE, &table->bar, &table->entries);
	place_read(table, at + PCI_MSIX_PBA, &table->pba_bar, &table->pba);
}

void
msix_table_control(const struct msix_table *table, uint16_t flags)
{
	const off_t at = capability(table) + RTE_PCI_MSIX_FLAGS;

	assert_int_equal(rte_pci_write_config(table->dev, &flags, 2, at), 2);
}

void
msix_table_mask(const struct msix_table *table, unsigned int vector, bool masked)
{
	const off_t at = table->entries + vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL;
	const uint32_t value = masked ? PCI_MSIX_ENTRY_CTRL_MASKBIT : 0;

	assert_int_equal(rte_pci_mmio_write(table->dev, table->bar, &value, 4, at), 4);
}

uint32_t
msix_table_pending(const struct msix_table *table)
{
	uint32_t value;

	assert_int_equal(rte_pci_mmio_read(table->dev, table->pba_bar, &value, 4, table->pba), 4);
	return value;
}
