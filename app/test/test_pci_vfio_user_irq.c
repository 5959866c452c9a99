/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Interrupts of an emulated device under load, counted. The device raises its vectors at random;
 * before that it counts the raise in its BAR. The driver, once woken, looks at the count and says
 * in the BAR what it has seen. The device is at most a few raises ahead of that, so each lost
 * wake-up stops its vector for ever. All the time the driver disables and enables interrupts, and
 * with MSI-X masks one vector after the other.
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <linux/pci_regs.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_epoll.h>
#include <rte_interrupts.h>
#include <rte_pci.h>

#include "test.h"
#include "vu_gadget.h"

#define RAISES      2000u	/* of each vector */
#define VECTORS_MAX 6u
#define PATIENCE_MS 20000
#define SENT_AT     0x1000u
#define SEEN_AT     0x8000u

struct load_case {
	unsigned int nb_msix, nb_msi;
	unsigned int ahead;	/* raises that the driver has not seen; 1: each wakes it once */
};

typedef _Atomic uint32_t counter_t;

struct load {
	struct gadget gadget;
	const struct load_case *is;
	unsigned int nb_vectors;
	counter_t *sent, *seen;	/* in the driver's BAR, of each vector */
	atomic_uint nb_wakes[VECTORS_MAX];
	atomic_uint nb_held;	/* raises while all was masked */
	atomic_uint nb_lost;	/* threads that waited in vain */
	atomic_uint nb_errors;
	atomic_uint nb_held_one;	/* raises of a vector while it alone was masked */
	atomic_uint masked_one;	/* that vector, plus 1; 0: none */
	atomic_bool masked;
	atomic_bool done;
	int epfd[VECTORS_MAX];
};

static struct load load;

static struct rte_intr_handle *
handle(void)
{
	return gadget_device->intr_handle;
}

/* Checks of threads: they cannot end the test. */
static void
expect(bool ok)
{
	if (!ok)
		atomic_fetch_add(&load.nb_errors, 1);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the device ---- */

static bool
may_raise(unsigned int vector, const counter_t *sent, const counter_t *seen)
{
	const uint32_t nb = atomic_load(&sent[vector]);

	return nb < RAISES && nb - atomic_load(&seen[vector]) < load.is->ahead;
}

static bool
all_seen(const counter_t *seen)
{
	unsigned int i;

	for (i = 0; i < load.nb_vectors; i++)
		if (atomic_load(&seen[i]) != RAISES)
			return false;
	return true;
}

static void *
device_thread(void *arg)
{
	counter_t *sent = (counter_t *)(load.gadget.memory + SENT_AT);
	const counter_t *seen = (const counter_t *)(load.gadget.memory + SEEN_AT);
	unsigned int seed = 1, vector;

	while (!all_seen(seen) && atomic_load(&load.nb_lost) == 0) {
		vector = (unsigned int)rand_r(&seed) % load.nb_vectors;
		if (!may_raise(vector, sent, seen))
			continue;
		atomic_fetch_add(&sent[vector], 1);
		atomic_fetch_add(&load.nb_held, atomic_load(&load.masked));
		atomic_fetch_add(&load.nb_held_one, atomic_load(&load.masked_one) == vector + 1);
		expect(rte_vfio_user_pci_raise(load.gadget.pci, vector) == 0);
	}
	return arg;
}

/* ---- the driver: its first vector ---- */

static void
on_interrupt(void *arg)
{
	if (load.nb_vectors == 1)
		rte_vfio_user_pci_lower(load.gadget.pci);
	atomic_fetch_add(&load.nb_wakes[0], 1);
	atomic_store(&load.seen[0], atomic_load(&load.sent[0]));
	expect(rte_intr_ack(arg) == 0);
}

static void
first_wait(void)
{
	int64_t last = now_ms();
	uint32_t seen = 0, now;

	while (seen != RAISES && now_ms() - last < PATIENCE_MS) {
		now = atomic_load(&load.seen[0]);
		if (now != seen)
			last = now_ms();
		seen = now;
		usleep(1000);
	}
	if (seen != RAISES)
		atomic_fetch_add(&load.nb_lost, 1);
}

/* ---- the driver: queues ---- */

static int
queue_ctl(unsigned int vector, int op)
{
	return rte_intr_rx_ctl(handle(), load.epfd[vector], op,
		vector - 1 + RTE_INTR_VEC_RXTX_OFFSET, (void *)(uintptr_t)vector);
}

/* Odd vectors are disabled and enabled by who waits for them, even ones by another thread. */
static bool
own_ctl(unsigned int vector)
{
	return vector % 2 != 0;
}

static void
queue_woken(unsigned int vector)
{
	atomic_fetch_add(&load.nb_wakes[vector], 1);
	if (own_ctl(vector))
		expect(queue_ctl(vector, RTE_INTR_EVENT_DEL) == 0);
	atomic_store(&load.seen[vector], atomic_load(&load.sent[vector]));
	if (own_ctl(vector))
		expect(queue_ctl(vector, RTE_INTR_EVENT_ADD) == 0);
}

static void *
queue_thread(void *arg)
{
	const unsigned int vector = (unsigned int)(uintptr_t)arg;
	int64_t last = now_ms();
	struct rte_epoll_event event;

	while (atomic_load(&load.seen[vector]) != RAISES) {
		/* 0: it was taken away while it was handed out, or for too long nothing came */
		if (rte_epoll_wait(load.epfd[vector], &event, 1, PATIENCE_MS) == 1) {
			expect((uintptr_t)event.epdata.data == vector);
			queue_woken(vector);
			last = now_ms();
		} else if (now_ms() - last >= PATIENCE_MS) {
			atomic_fetch_add(&load.nb_lost, 1);
			break;
		}
	}
	return NULL;
}

/* ---- the driver: who masks ---- */

/* The bit that masks all, and where it is. */
static uint16_t
mask_bit(off_t *at)
{
	if (load.is->nb_msix == 0) {
		*at = RTE_PCI_COMMAND;
		return RTE_PCI_COMMAND_INTX_DISABLE;
	}
	*at = rte_pci_find_capability(gadget_device, RTE_PCI_CAP_ID_MSIX) + RTE_PCI_MSIX_FLAGS;
	return RTE_PCI_MSIX_FLAGS_MASKALL;
}

static void
mask_all(off_t at, uint16_t bit, bool on)
{
	uint16_t value;

	expect(rte_pci_read_config(gadget_device, &value, 2, at) == 2);
	value = (uint16_t)(on ? value | bit : value & ~bit);
	expect(rte_pci_write_config(gadget_device, &value, 2, at) == 2);
}

/* One vector of MSI-X, in the table. */
static void
mask_one(unsigned int vector, uint32_t on)
{
	const off_t at = vector * PCI_MSIX_ENTRY_SIZE + PCI_MSIX_ENTRY_VECTOR_CTRL;

	expect(rte_pci_mmio_write(gadget_device, GADGET_MSIX, &on, 4, at) == 4);
}

static void
mask_one_for_a_while(unsigned int vector, unsigned int us)
{
	if (load.is->nb_msix == 0)
		return;
	mask_one(vector, 1);
	atomic_store(&load.masked_one, vector + 1);
	usleep(us);
	atomic_store(&load.masked_one, 0);
	mask_one(vector, 0);
}

static void
queues_ctl(int op)
{
	unsigned int i;

	for (i = 1; i < load.nb_vectors; i++)
		if (!own_ctl(i))
			expect(queue_ctl(i, op) == 0);
}

static void *
mask_thread(void *arg)
{
	off_t at;
	const uint16_t bit = mask_bit(&at);
	unsigned int seed = 2;

	while (!atomic_load(&load.done)) {
		mask_all(at, bit, true);
		expect(rte_intr_disable(handle()) == 0);
		queues_ctl(RTE_INTR_EVENT_DEL);
		atomic_store(&load.masked, true);
		usleep((unsigned int)rand_r(&seed) % 50);
		atomic_store(&load.masked, false);
		queues_ctl(RTE_INTR_EVENT_ADD);
		expect(rte_intr_enable(handle()) == 0);
		mask_all(at, bit, false);
		mask_one_for_a_while((unsigned int)rand_r(&seed) % load.nb_vectors,
			(unsigned int)rand_r(&seed) % 200);
		usleep((unsigned int)rand_r(&seed) % 200);
	}
	return arg;
}

/* ---- the run ---- */

static void
driver_start(void)
{
	unsigned int i;

	load.sent = rte_pci_bar_ptr(gadget_device, GADGET_MEMORY, SENT_AT, 4096);
	load.seen = rte_pci_bar_ptr(gadget_device, GADGET_MEMORY, SEEN_AT, 4096);
	assert_non_null(load.sent);
	assert_non_null(load.seen);
	assert_int_equal(rte_intr_callback_register(handle(), on_interrupt, handle()), 0);
	assert_int_equal(rte_intr_enable(handle()), 0);
	if (load.nb_vectors == 1)
		return;
	assert_int_equal(rte_intr_efd_enable(handle(), load.nb_vectors - 1), 0);
	for (i = 1; i < load.nb_vectors; i++) {
		load.epfd[i] = epoll_create1(EPOLL_CLOEXEC);
		assert_true(load.epfd[i] >= 0);
		assert_int_equal(queue_ctl(i, RTE_INTR_EVENT_ADD), 0);
	}
}

static void
driver_stop(void)
{
	unsigned int i;

	assert_int_equal(rte_intr_disable(handle()), 0);
	assert_int_equal(rte_intr_callback_unregister_sync(handle(), on_interrupt, handle()), 1);
	rte_intr_efd_disable(handle());
	for (i = 1; i < load.nb_vectors; i++)
		close(load.epfd[i]);
}

static void
threads_run(void)
{
	pthread_t device, mask, queue[VECTORS_MAX];
	unsigned int i;

	assert_int_equal(pthread_create(&mask, NULL, mask_thread, NULL), 0);
	for (i = 1; i < load.nb_vectors; i++)
		assert_int_equal(pthread_create(&queue[i], NULL, queue_thread,
				(void *)(uintptr_t)i), 0);
	assert_int_equal(pthread_create(&device, NULL, device_thread, NULL), 0);
	first_wait();
	for (i = 1; i < load.nb_vectors; i++)
		pthread_join(queue[i], NULL);
	pthread_join(device, NULL);
	atomic_store(&load.done, true);
	pthread_join(mask, NULL);
}

static void
counts_check(void)
{
	unsigned int i;

	for (i = 0; i < load.nb_vectors; i++) {
		assert_int_equal(atomic_load(&load.sent[i]), RAISES);
		assert_int_equal(atomic_load(&load.seen[i]), RAISES);
		if (load.is->ahead == 1)
			assert_int_equal(atomic_load(&load.nb_wakes[i]), RAISES);
		else
			assert_in_range(atomic_load(&load.nb_wakes[i]), RAISES / load.is->ahead,
				RAISES);
	}
}

static void
test_no_raise_is_lost(void **state)
{
	load.is = *state;
	load.nb_vectors = RTE_MAX(RTE_MAX(load.is->nb_msix, load.is->nb_msi), 1u);
	load.gadget.nb_msix = load.is->nb_msix;
	load.gadget.nb_msi = load.is->nb_msi;
	load.gadget.intx_pin = 1;
	gadget_attach(&load.gadget, NULL);
	driver_start();
	threads_run();
	assert_int_equal(load.nb_lost, 0);
	assert_int_equal(load.nb_errors, 0);
	assert_true(load.nb_held > 0);
	assert_true(load.nb_held_one > 0 || load.is->nb_msix == 0);
	counts_check();
	driver_stop();
}

static int
setup(void **state)
{
	(void)state;
	memset(&load, 0, sizeof(load));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gadget_detach(&load.gadget);
	return 0;
}

#define LOAD_TEST(name, ...) { name, test_no_raise_is_lost, setup, teardown, \
	&(struct load_case){ __VA_ARGS__ } }

static const struct CMUnitTest tests[] = {
	LOAD_TEST("test_no_msix_raise_is_lost", 6, 0, 1),
	LOAD_TEST("test_last_msix_raise_of_burst_is_seen", 6, 0, 5),
	LOAD_TEST("test_no_msi_raise_is_lost", 0, 4, 1),
	LOAD_TEST("test_last_msi_raise_of_burst_is_seen", 0, 4, 5),
	LOAD_TEST("test_no_intx_raise_is_lost", 0, 0, 1),
	LOAD_TEST("test_last_intx_raise_of_burst_is_seen", 0, 0, 5),
};

TEST_SUITE(pci_vfio_user_irq, "functional", tests, gadget_suite_setup,
	gadget_suite_teardown)
