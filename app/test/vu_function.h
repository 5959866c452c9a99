/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_FUNCTION_H
#define VU_FUNCTION_H

/**
 * @file
 * What suites about emulated PCI functions share: one that its author has just made, and what the
 * author is told. Functions fail the test if they cannot do what they should.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_vfio_user_pci.h>

#define KIB UINT64_C(1024)
#define MIB (UINT64_C(1024) * KIB)
#define GIB (UINT64_C(1024) * MIB)

/** Where a BAR is in configuration space. */
#define BAR(i) (0x10u + 4 * (i))

/** A test of a function that is conventional, or PCI Express. */
#define VU_FUNCTION_TEST(test_) \
	cmocka_unit_test_setup_teardown(test_, vu_function_setup, vu_function_teardown)
#define VU_FUNCTION_TEST_EXPRESS(test_) \
	cmocka_unit_test_setup_teardown(test_, vu_function_setup_express, vu_function_teardown)

/** What the function's author was told. */
extern struct vu_function_told {
	unsigned int nb_commands, nb_bars, nb_resets, nb_writes;
	uint16_t command;
	unsigned int bar;
	uint64_t addr;
	uint32_t written_off, written_len;
} vu_function_told;

/** The last access to registers. */
extern struct vu_function_seen {
	unsigned int nb;
	uint64_t offset, value;
	unsigned int width;
} vu_function_seen;

extern const struct rte_vfio_user_pci_ops vu_function_ops;

/** What it is. */
extern const struct rte_vfio_user_pci_info vu_function_info;

/** The function of the test. */
extern struct rte_vfio_user_pci *vu_function;

int vu_function_setup(void **state);
int vu_function_setup_express(void **state);
int vu_function_teardown(void **state);

/** One more, to be freed by the caller. */
struct rte_vfio_user_pci *vu_function_create(bool express);

/** Read and write configuration space of the function of the test. */
uint32_t vu_function_get(uint32_t off, unsigned int len);
void vu_function_put(uint32_t off, uint32_t value, unsigned int len);

/** Registers that note their last access. */
uint64_t vu_function_read(struct rte_vfio_user_pci *owner, unsigned int bar, uint64_t off,
	unsigned int width);
void vu_function_write(struct rte_vfio_user_pci *owner, unsigned int bar, uint64_t off,
	unsigned int width, uint64_t value);

/** Give it a BAR with such registers. */
void vu_function_add_registers(unsigned int bar, uint64_t size, uint32_t flags);

#endif /* VU_FUNCTION_H */
