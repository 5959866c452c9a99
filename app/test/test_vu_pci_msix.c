/* SPDX-License-Identifier: BSD-3-Clause */

/* MSI-X of an emulated PCI function: which messages go out, which are kept, and until when. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include <rte_common.h>

#include "test.h"
#include "vu_gadget.h"
#include "vu_irq_flags.h"
#include "vu_peer.h"

#define VECTORS   66u	/* more than a word of pending bits */
#define ENTRY_LEN 16u
#define PBA       32768u
#define CTRL      (0x40u + PCI_MSIX_FLAGS)	/* the only capability */

static struct gadget gadget;
static struct vu_peer peer;
static int event[VECTORS];

static int
setup(void **state)
{
	unsigned int i;

	(void)state;
	memset(&gadget, 0, sizeof(gadget));
	gadget.nb_msix = VECTORS;
	gadget.intx_pin = 1;
	gadget_start(&gadget);
	for (i = 0; i < VECTORS; i++)
		event[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	peer_open(&peer, gadget.path);
	return 0;
}

static int
teardown(void **state)
{
	unsigned int i;

	(void)state;
	peer_close(&peer);
	gadget_end(&gadget);
	for (i = 0; i < VECTORS; i++)
		close(event[i]);
	return 0;
}

/* ---- the client ---- */

static void
ctrl_put(uint16_t value)
{
	assert_int_equal(peer_write(&peer, VFIO_PCI_CONFIG_REGION_INDEX, CTRL, &value, 2), 0);
}

static void
bind_from(uint32_t vector, uint32_t nb)
{
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSIX, vector, nb,
		&event[vector], nb), 0);
}

/* All vectors, in messages of 16 descriptors. */
static void
bind_all(void)
{
	uint32_t i;

	ctrl_put(PCI_MSIX_FLAGS_ENABLE);
	for (i = 0; i < VECTORS; i += 16)
		bind_from(i, RTE_MIN(16u, VECTORS - i));
}

static void
table_put(uint32_t vector, uint32_t off, const void *value, uint32_t len)
{
	assert_int_equal(peer_write(&peer, GADGET_MSIX, vector * ENTRY_LEN + off, value, len), 0);
}

static void
mask(uint32_t vector, uint32_t value)
{
	table_put(vector, PCI_MSIX_ENTRY_VECTOR_CTRL, &value, 4);
}

/* How often an eventfd was signalled since the last call. */
static uint64_t
events(uint32_t vector)
{
	uint64_t count = 0;

	return read(event[vector], &count, sizeof(count)) < 0 ? 0 : count;
}

static bool
is_pending(uint32_t vector)
{
	uint64_t word = 0;

	assert_int_equal(peer_read(&peer, GADGET_MSIX, PBA + vector / 64 * 8, &word, 8), 0);
	return word >> vector % 64 & 1;
}

/* ---- the device ---- */

static void
raise(uint32_t vector)
{
	assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, vector), 0);
}

/* All come but one, which is pending. VECTORS: all come. */
static void
assert_all_come_but(uint32_t kept)
{
	uint32_t i;

	for (i = 0; i < VECTORS; i++)
		raise(i);
	for (i = 0; i < VECTORS; i++) {
		assert_int_equal(events(i), i != kept);
		assert_int_equal(is_pending(i), i == kept);
	}
}

static const uint32_t some[] = { 0, 1, 63, 64, VECTORS - 1 };

static void
test_each_vector_has_its_eventfd(void **state)
{
	uint32_t i, j;

	(void)state;
	bind_all();
	for (i = 0; i < VECTORS; i++) {
		raise(i);
		for (j = 0; j < VECTORS; j++)
			assert_int_equal(events(j), j == i);
	}
}

static void
test_masked_function_keeps_messages(void **state)
{
	unsigned int i;

	(void)state;
	bind_all();
	ctrl_put(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	for (i = 0; i < RTE_DIM(some); i++) {
		raise(some[i]);
		assert_int_equal(events(some[i]), 0);
		assert_true(is_pending(some[i]));
	}
	ctrl_put(PCI_MSIX_FLAGS_ENABLE);
	for (i = 0; i < RTE_DIM(some); i++) {
		assert_int_equal(events(some[i]), 1);
		assert_false(is_pending(some[i]));
	}
}

static void
test_masked_vector_keeps_its_message(void **state)
{
	unsigned int i;

	(void)state;
	bind_all();
	for (i = 0; i < RTE_DIM(some); i++) {
		mask(some[i], 1);
		assert_all_come_but(some[i]);
		raise(some[i]);
		mask(some[i], 0);
		assert_int_equal(events(some[i]), 1);
		assert_all_come_but(VECTORS);
	}
}

static void
test_vector_waits_for_both_masks(void **state)
{
	(void)state;
	bind_all();
	mask(5, 1);
	ctrl_put(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	raise(5);
	ctrl_put(PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(events(5), 0);
	ctrl_put(PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	mask(5, 0);
	assert_int_equal(events(5), 0);
	assert_true(is_pending(5));
	ctrl_put(PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(events(5), 1);
}

/* Four entries and halves of those beside them, and a single byte. */
static void
test_masks_are_written_in_any_pieces(void **state)
{
	uint8_t bytes[5 * ENTRY_LEN] = { 0 };
	unsigned int i;

	(void)state;
	bind_all();
	for (i = 0; i < 5; i++)
		bytes[i * ENTRY_LEN + PCI_MSIX_ENTRY_VECTOR_CTRL - 8] = 1;
	table_put(10, 8, bytes, sizeof(bytes));
	table_put(20, PCI_MSIX_ENTRY_VECTOR_CTRL, "\1", 1);
	for (i = 9; i < 22; i++) {
		raise(i);
		assert_int_equal(events(i), !((i >= 10 && i < 15) || i == 20));
	}
}

/* As in all clients that mask vectors by themselves. */
static void
test_table_whose_masks_nobody_wrote_masks_nothing(void **state)
{
	uint32_t value = 0xfee00000;

	(void)state;
	bind_all();
	table_put(0, PCI_MSIX_ENTRY_LOWER_ADDR, &value, 4);
	table_put(1, PCI_MSIX_ENTRY_DATA, &value, 4);
	assert_int_equal(peer_read(&peer, GADGET_MSIX, PCI_MSIX_ENTRY_VECTOR_CTRL, &value, 4), 0);
	assert_int_equal(value, PCI_MSIX_ENTRY_CTRL_MASKBIT);
	assert_all_come_but(VECTORS);
}

static void
test_masks_end_with_reset(void **state)
{
	(void)state;
	mask(0, 1);
	assert_int_equal(peer_call(&peer, VU_RESET, NULL, 0), 0);
	bind_all();
	assert_all_come_but(VECTORS);
}

static void
test_masks_end_with_their_client(void **state)
{
	(void)state;
	mask(VECTORS - 1, 1);
	peer_close(&peer);
	peer_open(&peer, gadget.path);
	bind_all();
	assert_all_come_but(VECTORS);
}

#define THREADS 4u	/* each with a vector of its own */
#define ROUNDS  600u

static atomic_bool stop;

static void *
raise_main(void *arg)
{
	const uint32_t *vector = arg;

	while (!atomic_load(&stop))
		rte_vfio_user_pci_message(gadget.pci, *vector);
	return NULL;
}

static void
mask_vectors(bool on)
{
	uint8_t entries[THREADS * ENTRY_LEN] = { 0 };
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		entries[i * ENTRY_LEN + PCI_MSIX_ENTRY_VECTOR_CTRL] = on;
	table_put(0, 0, entries, sizeof(entries));
}

static void
mask_function(bool on)
{
	ctrl_put(PCI_MSIX_FLAGS_ENABLE | (on ? PCI_MSIX_FLAGS_MASKALL : 0));
}

static uint64_t
events_of_threads(void)
{
	uint64_t nb = 0;
	uint32_t i;

	for (i = 0; i < THREADS; i++)
		nb += events(i);
	return nb;
}

/* From the reply on, also for a thread that is about to send one. */
static void
test_no_message_comes_once_it_is_masked(void **state)
{
	static void (*const masks[])(bool on) = { mask_vectors, mask_function };
	static uint32_t vector[THREADS] = { 0, 1, 2, 3 };
	pthread_t thread[THREADS];
	uint64_t nb = 0;
	unsigned int i;

	(void)state;
	bind_all();
	atomic_store(&stop, false);
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, raise_main, &vector[i]);
	for (i = 0; i < ROUNDS && nb == 0; i++) {
		masks[i % 2](true);
		events_of_threads();
		sched_yield();
		nb = events_of_threads();
		masks[i % 2](false);
	}
	atomic_store(&stop, true);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(nb, 0);
}

/* As QEMU does it: MSI-X is on, and a vector gets its eventfd when the guest unmasks it. */
static void
test_message_waits_for_its_eventfd(void **state)
{
	(void)state;
	ctrl_put(PCI_MSIX_FLAGS_ENABLE);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSIX, 0, 1,
		NULL, 0), 0);
	raise(2);
	assert_true(is_pending(2));
	bind_from(2, 1);
	assert_int_equal(events(2), 1);
	assert_false(is_pending(2));
}

#define MSIX_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	MSIX_TEST(test_each_vector_has_its_eventfd),
	MSIX_TEST(test_masked_function_keeps_messages),
	MSIX_TEST(test_masked_vector_keeps_its_message),
	MSIX_TEST(test_vector_waits_for_both_masks),
	MSIX_TEST(test_masks_are_written_in_any_pieces),
	MSIX_TEST(test_table_whose_masks_nobody_wrote_masks_nothing),
	MSIX_TEST(test_masks_end_with_reset),
	MSIX_TEST(test_masks_end_with_their_client),
	MSIX_TEST(test_message_waits_for_its_eventfd),
	MSIX_TEST(test_no_message_comes_once_it_is_masked),
};

TEST_SUITE(vu_pci_msix, "functional", tests, NULL, NULL)
