/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_interrupts.h>

#include "counter.h"
#include "fake_vfio.h"
#include "test.h"
#include "vfio_card.h"

struct intr_row {
	const char *name;
	struct {
		uint32_t count, flags;
	} irqs[3];	/* INTx, MSI, MSI-X */
	enum rte_intr_handle_type type;
};

#define EVENTFD VFIO_IRQ_INFO_EVENTFD

static const struct intr_row intr_rows[] = {
	{ "all", { { 1, EVENTFD }, { 1, EVENTFD }, { 4, EVENTFD } }, RTE_INTR_HANDLE_VFIO_MSIX },
	{ "no MSI-X, as the kernel says it", { { 1, EVENTFD }, { 2, EVENTFD }, { 0, EVENTFD } },
		RTE_INTR_HANDLE_VFIO_MSI },
	{ "INTx", { { 1, EVENTFD }, { 0, EVENTFD }, { 0, EVENTFD } }, RTE_INTR_HANDLE_VFIO_LEGACY },
	{ "MSI-X without eventfd", { { 1, EVENTFD }, { 0, EVENTFD }, { 4, 0 } },
		RTE_INTR_HANDLE_VFIO_LEGACY },
	{ "none", { { 0, EVENTFD }, { 0, EVENTFD }, { 0, EVENTFD } }, RTE_INTR_HANDLE_UNKNOWN },
};

static void
test_best_kind_of_interrupt_with_vectors_is_chosen(void **state)
{
	struct vfio_card card;
	size_t i, j;

	for (i = 0; i < RTE_DIM(intr_rows); i++) {
		struct fake_device_desc desc = vfio_card_two_windows();

		for (j = 0; j < 3; j++) {
			desc.irqs[j].count = intr_rows[i].irqs[j].count;
			desc.irqs[j].flags = intr_rows[i].irqs[j].flags;
		}
		vfio_card_map(&card, &desc);
		assert_int_equal(rte_intr_type_get(card.pci->intr_handle), intr_rows[i].type);
		assert_int_equal(rte_intr_fd_get(card.pci->intr_handle) >= 0,
			intr_rows[i].type != RTE_INTR_HANDLE_UNKNOWN);
		assert_true(rte_intr_dev_fd_get(card.pci->intr_handle) >= 0);
		vfio_card_unplug(&card);
	}
}

static void
test_event_list_holds_all_vectors(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].count = 2048;
	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].flags = VFIO_IRQ_INFO_EVENTFD;
	vfio_card_map(&card, &desc);
	assert_true(rte_intr_nb_intr_get(card.pci->intr_handle) >= 2048);
	vfio_card_unplug(&card);
}

static void
test_dump_tells_the_vectors_that_the_device_has(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;
	char *text = NULL;
	size_t size = 0;
	FILE *f;

	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].count = 3;
	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].flags = VFIO_IRQ_INFO_EVENTFD;
	vfio_card_map(&card, &desc);
	f = open_memstream(&text, &size);
	rte_pci_dump(f);
	fclose(f);
	assert_non_null(strstr(text, "interrupts: MSI-X, 3 vectors\n"));
	free(text);
	vfio_card_unplug(&card);
}

/* As many queues as a network driver may have share the vectors of a small device. */
static void
test_queues_may_be_more_than_vectors(void **state)
{
	struct fake_device_desc desc = vfio_card_two_windows();
	struct vfio_card card;

	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].count = 3;
	desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX].flags = VFIO_IRQ_INFO_EVENTFD;
	vfio_card_map(&card, &desc);
	assert_true(rte_intr_nb_intr_get(card.pci->intr_handle) >= RTE_MAX_RXTX_INTR_VEC_ID);
	assert_int_equal(rte_intr_vec_list_alloc(card.pci->intr_handle, "queues", 8), 0);
	rte_intr_vec_list_free(card.pci->intr_handle);
	vfio_card_unplug(&card);
}

static void
count_interrupt(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static void
test_interrupts_arrive(void **state)
{
	static const uint32_t indexes[] = {
		VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX, VFIO_PCI_MSIX_IRQ_INDEX,
	};
	atomic_uint count;
	struct vfio_card card;
	size_t i;

	for (i = 0; i < RTE_DIM(indexes); i++) {
		struct fake_device_desc desc = vfio_card_two_windows();

		desc.irqs[indexes[i]].count = 1;
		desc.irqs[indexes[i]].flags = VFIO_IRQ_INFO_EVENTFD |
			(i == 0 ? VFIO_IRQ_INFO_MASKABLE | VFIO_IRQ_INFO_AUTOMASKED : 0);
		atomic_init(&count, 0);
		vfio_card_map(&card, &desc);
		assert_int_equal(rte_intr_callback_register(card.pci->intr_handle,
			count_interrupt, &count), 0);
		assert_int_equal(rte_intr_enable(card.pci->intr_handle), 0);
		assert_int_equal(fake_vfio_fire(card.fake, indexes[i], 0), 0);
		counter_wait(&count, 1);
		assert_int_equal(rte_intr_disable(card.pci->intr_handle), 0);
		assert_int_equal(rte_intr_callback_unregister_sync(card.pci->intr_handle,
			count_interrupt, &count), 1);
		vfio_card_unplug(&card);
	}
}

static void
test_user_chooses_the_kind_of_interrupt(void **state)
{
	static const struct {
		const char *option;
		enum rte_intr_handle_type type, type_without_msi;
	} rows[] = {
		{ "--vfio-intr=msix", RTE_INTR_HANDLE_VFIO_MSIX, RTE_INTR_HANDLE_VFIO_MSIX },
		{ "--vfio-intr=msi", RTE_INTR_HANDLE_VFIO_MSI, RTE_INTR_HANDLE_UNKNOWN },
		{ "--vfio-intr=legacy", RTE_INTR_HANDLE_VFIO_LEGACY, RTE_INTR_HANDLE_VFIO_LEGACY },
	};
	struct vfio_card card;
	size_t i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		struct fake_device_desc desc = vfio_card_two_windows();
		struct fake_irq irq = { .count = 1, .flags = VFIO_IRQ_INFO_EVENTFD };

		assert_int_equal(rte_eal_cleanup(), 0);
		assert_true(vfio_card_eal_start(rows[i].option) >= 0);
		desc.irqs[VFIO_PCI_INTX_IRQ_INDEX] = irq;
		desc.irqs[VFIO_PCI_MSI_IRQ_INDEX] = irq;
		desc.irqs[VFIO_PCI_MSIX_IRQ_INDEX] = irq;
		vfio_card_map(&card, &desc);
		assert_int_equal(rte_intr_type_get(card.pci->intr_handle), rows[i].type);
		vfio_card_unplug(&card);
		desc.irqs[VFIO_PCI_MSI_IRQ_INDEX].count = 0;
		vfio_card_map(&card, &desc);
		assert_int_equal(rte_intr_type_get(card.pci->intr_handle),
			rows[i].type_without_msi);
		vfio_card_unplug(&card);
	}
	assert_int_equal(rte_eal_cleanup(), 0);
	assert_true(vfio_card_eal_start(NULL) >= 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_best_kind_of_interrupt_with_vectors_is_chosen),
	cmocka_unit_test(test_event_list_holds_all_vectors),
	cmocka_unit_test(test_dump_tells_the_vectors_that_the_device_has),
	cmocka_unit_test(test_queues_may_be_more_than_vectors),
	cmocka_unit_test(test_user_chooses_the_kind_of_interrupt),
	cmocka_unit_test(test_interrupts_arrive),
};
VFIO_CARD_SUITES(pci_vfio_intr, tests)
