/* SPDX-License-Identifier: BSD-3-Clause */

/* Configuration space of an emulated PCI function, whose registers are read without a lock. */

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include <rte_common.h>
#include <rte_vfio_user_pci.h>

#include "interpose.h"
#include "test.h"
#include "vu_function.h"
#include "vu_peer.h"

#define ROUNDS 3000u
#define BODY 16u	/* bytes of a capability */

/* Returns where the body of a vendor's capability begins: at the last byte of a word. */
static uint32_t
body_add(const uint8_t *body, const uint8_t *writable)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_vendor(vu_function, body, writable, BODY);

	assert_true(cap >= 0x40);
	return cap + 3;
}

/* ---- any bytes ---- */

static void
test_bytes_are_read_at_any_place_and_length(void **state)
{
	uint8_t body[BODY], all[256], part[256];
	uint32_t off, len;

	(void)state;
	for (off = 0; off < BODY; off++)
		body[off] = (uint8_t)(0xa0 + off);
	body_add(body, NULL);
	assert_int_equal(rte_vfio_user_pci_intx(vu_function, true), 0);
	assert_int_equal(rte_vfio_user_pci_config_read(vu_function, 0, all, sizeof(all)), 0);
	for (off = 0; off < sizeof(all); off++) {
		for (len = 0; len <= 9 && len <= sizeof(all) - off; len++) {
			assert_int_equal(rte_vfio_user_pci_config_read(vu_function, off, part,
				len), 0);
			assert_memory_equal(part, all + off, len);
		}
	}
	assert_int_equal(all[PCI_STATUS], PCI_STATUS_INTERRUPT | PCI_STATUS_CAP_LIST);
}

static void
test_bytes_are_written_at_any_place_and_length(void **state)
{
	uint8_t writable[BODY], expect[256], got[256], in[9];
	uint32_t at, off, len, i;

	(void)state;
	for (off = 0; off < BODY; off++)
		writable[off] = (uint8_t)(0x1d * off);
	at = body_add(NULL, writable);
	assert_int_equal(rte_vfio_user_pci_config_read(vu_function, 0, expect, 256), 0);
	for (off = 0; off < BODY; off++) {
		for (len = 0; len <= sizeof(in) && len <= BODY - off; len++) {
			for (i = 0; i < len; i++) {
				in[i] = (uint8_t)rand();
				expect[at + off + i] = (uint8_t)(in[i] & writable[off + i]);
			}
			assert_int_equal(rte_vfio_user_pci_config_write(vu_function, at + off, in,
				len), 0);
			assert_int_equal(rte_vfio_user_pci_config_read(vu_function, 0, got, 256),
				0);
			assert_memory_equal(got, expect, 256);
		}
	}
}

static void
test_pending_bits_are_read_as_any_others(void **state)
{
	uint32_t cap = (uint32_t)rte_vfio_user_pci_add_msi(vu_function, 4,
		RTE_VFIO_USER_PCI_MSI_MASK);

	(void)state;
	vu_function_put(cap + PCI_MSI_FLAGS, 0x21, 2);
	vu_function_put(cap + PCI_MSI_MASK_32, 0x6, 4);
	assert_int_equal(rte_vfio_user_pci_message(vu_function, 1), 0);
	assert_int_equal(vu_function_get(cap + PCI_MSI_PENDING_32, 1), 0x2);
	assert_int_equal(vu_function_get(cap + PCI_MSI_PENDING_32, 2), 0x2);
	assert_int_equal(vu_function_get(cap + PCI_MSI_PENDING_32 - 2, 4), 0x20000);
}

/* ---- without a lock ---- */

static void
test_registers_are_accessed_without_a_lock(void **state)
{
	const uint32_t value = 0x00000400;
	uint32_t got, len;

	(void)state;
	interpose_fail(INTERPOSE_EVERY | INTERPOSE_THIS_THREAD, 0, 0);
	for (len = 1; len <= 4; len *= 2) {
		rte_vfio_user_pci_config_write(vu_function, PCI_COMMAND, &value, len);
		rte_vfio_user_pci_config_read(vu_function, PCI_COMMAND, &got, len);
		rte_vfio_user_pci_config_write(vu_function, PCI_INTERRUPT_LINE, &value, 1);
		rte_vfio_user_pci_config_read(vu_function, PCI_STATUS, &got, 2);
	}
	interpose_disarm();
	assert_int_equal(interpose_count(), 0);
	assert_int_equal(vu_function_told.command, 0x400);
}

/* What two threads change in one register at the same time. */
static struct {
	uint32_t at;
	atomic_bool end;
} both;

static void *
set_bytes(void *arg)
{
	uint8_t value = 0;

	(void)arg;
	while (!atomic_load(&both.end)) {
		value++;
		rte_vfio_user_pci_config_set(vu_function, both.at + 1, &value, 1);
		if (vu_function_get(both.at + 1, 1) != value)
			return &both;
	}
	return NULL;
}

static void
test_threads_that_change_one_register_lose_nothing(void **state)
{
	static const uint8_t writable[BODY] = { 0, 0xff };
	pthread_t thread;
	void *lost;
	uint32_t i;

	(void)state;
	both.at = body_add(NULL, writable) + 1;
	assert_int_equal(both.at % 4, 0);
	atomic_store(&both.end, false);
	assert_int_equal(pthread_create(&thread, NULL, set_bytes, NULL), 0);
	for (i = 0; i < 100 * ROUNDS; i++) {
		vu_function_put(both.at, i & 0xff, 1);
		if (vu_function_get(both.at, 1) != (i & 0xff))
			break;
	}
	atomic_store(&both.end, true);
	pthread_join(thread, &lost);
	assert_int_equal(i, 100 * ROUNDS);
	assert_null(lost);
}

/* ---- interrupts that are kept ---- */

/* A function with messages that can be masked, served, and its client. */
static struct {
	char dir[32];
	char path[64];
	uint32_t cap;
	int event;
	struct vu_peer peer;
	pthread_barrier_t turn;
} served;

static void
config_put(uint32_t off, uint16_t value)
{
	assert_int_equal(peer_write(&served.peer, VFIO_PCI_CONFIG_REGION_INDEX, off, &value, 2),
		0);
}

static void
bind_event(int nb)
{
	assert_int_equal(peer_set_irqs(&served.peer,
		VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_PCI_MSI_IRQ_INDEX, 0,
		1, &served.event, (unsigned int)nb), 0);
}

static int
serve(void **state)
{
	vu_function_setup(state);
	strcpy(served.dir, "/tmp/vu-cfg-XXXXXX");
	assert_non_null(mkdtemp(served.dir));
	snprintf(served.path, sizeof(served.path), "%s/sock", served.dir);
	served.cap = (uint32_t)rte_vfio_user_pci_add_msi(vu_function, 1,
		RTE_VFIO_USER_PCI_MSI_MASK);
	served.event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_true(rte_vfio_user_pci_start(vu_function, served.path, NULL) >= 0);
	peer_open(&served.peer, served.path);
	config_put(served.cap + PCI_MSI_FLAGS, PCI_MSI_FLAGS_ENABLE);
	pthread_barrier_init(&served.turn, NULL, 2);
	return 0;
}

static int
serve_no_more(void **state)
{
	pthread_barrier_destroy(&served.turn);
	peer_close(&served.peer);
	vu_function_teardown(state);
	close(served.event);
	return rmdir(served.dir);
}

static void *
send_messages(void *arg)
{
	unsigned int i;

	for (i = 0; i < ROUNDS; i++) {
		pthread_barrier_wait(&served.turn);
		if (rte_vfio_user_pci_message(vu_function, 0) != 0)
			arg = &served;
		pthread_barrier_wait(&served.turn);
	}
	return arg;
}

static void
mask(bool on)
{
	config_put(served.cap + PCI_MSI_MASK_32, on);
}

/* Without a descriptor the vector is bound to nothing. */
static void
unbind(bool on)
{
	bind_event(on ? 0 : 1);
}

/* A message that is sent while it becomes possible comes now or at once, and not never. */
static void
messages_come_while_possible_again(void (*prevent)(bool on))
{
	pthread_t thread;
	uint64_t count;
	void *failed;
	unsigned int i, lost = 0;

	bind_event(1);
	assert_int_equal(pthread_create(&thread, NULL, send_messages, NULL), 0);
	for (i = 0; i < ROUNDS; i++) {
		prevent(true);
		pthread_barrier_wait(&served.turn);
		prevent(false);
		pthread_barrier_wait(&served.turn);
		if (read(served.event, &count, sizeof(count)) < 0)
			lost++;
	}
	pthread_join(thread, &failed);
	assert_null(failed);
	assert_int_equal(lost, 0);
}

static void
test_message_is_not_lost_while_unmasked(void **state)
{
	(void)state;
	messages_come_while_possible_again(mask);
}

static void
test_message_is_not_lost_while_bound(void **state)
{
	(void)state;
	messages_come_while_possible_again(unbind);
}

static void
test_message_that_waits_is_not_forgotten_for_another(void **state)
{
	uint64_t count;

	(void)state;
	bind_event(1);
	mask(true);
	assert_int_equal(rte_vfio_user_pci_message(vu_function, 0), 0);
	/* what changes nothing of it leaves it where it is */
	config_put(PCI_COMMAND, PCI_COMMAND_MEMORY);
	assert_int_equal(read(served.event, &count, sizeof(count)), -1);
	assert_int_equal(rte_vfio_user_pci_intx(vu_function, true), 0);
	rte_vfio_user_pci_lower(vu_function);
	config_put(PCI_COMMAND, 0);
	mask(false);
	assert_int_equal(read(served.event, &count, sizeof(count)), sizeof(count));
	assert_int_equal(count, 1);
}

#define SERVED_TEST(test_) cmocka_unit_test_setup_teardown(test_, serve, serve_no_more)

static const struct CMUnitTest tests[] = {
	VU_FUNCTION_TEST(test_bytes_are_read_at_any_place_and_length),
	VU_FUNCTION_TEST(test_bytes_are_written_at_any_place_and_length),
	VU_FUNCTION_TEST(test_pending_bits_are_read_as_any_others),
	VU_FUNCTION_TEST(test_registers_are_accessed_without_a_lock),
	VU_FUNCTION_TEST(test_threads_that_change_one_register_lose_nothing),
	SERVED_TEST(test_message_is_not_lost_while_unmasked),
	SERVED_TEST(test_message_is_not_lost_while_bound),
	SERVED_TEST(test_message_that_waits_is_not_forgotten_for_another),
};

TEST_SUITE(vu_pci_config, "functional", tests, NULL, NULL)
