/* SPDX-License-Identifier: BSD-3-Clause */

/* MSI-X with several vectors on the kernel's vfio-pci, counted. */

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_epoll.h>
#include <rte_interrupts.h>

#include "msix_table.h"
#include "resources.h"
#include "test.h"
#include "vm.h"
#include "vm_bus.h"
#include "vm_doorbell.h"

#define VECTORS VM_DOORBELL_VECTORS
#define QUEUES (VECTORS - 1)
#define ROUNDS 300u	/* of each vector */
#define PATIENCE_MS 20000

struct msix {
	const struct vm_doorbell *doorbell;
	struct rte_pci_device *dev;
	struct rte_intr_handle *handle;
	struct msix_table table;
	/* of each vector: what the device has raised, what the driver has seen of it, and how often
	 * it was woken */
	atomic_uint raised[VECTORS], seen[VECTORS], woken[VECTORS];
	atomic_uint wrong;
	atomic_bool done;
	int epfd[VECTORS];
	int efd[VECTORS];	/* also while the handle has it not */
};

static struct msix m;

/* Checks of threads: they cannot end the test. */
static void
expect(bool ok)
{
	if (!ok)
		atomic_fetch_add(&m.wrong, 1);
}

static int64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ---- the device ---- */

static void
raise_vector(unsigned int vector)
{
	atomic_fetch_add(&m.raised[vector], 1);
	expect(m.doorbell->raise(m.dev, vector) == 0);
}

static bool
is_seen(unsigned int vector)
{
	return atomic_load(&m.seen[vector]) == atomic_load(&m.raised[vector]);
}

/* False: it was lost. */
static bool
becomes_seen(unsigned int vector)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (!is_seen(vector) && now_ms() < end)
		sched_yield();
	return is_seen(vector);
}

static unsigned int
raise_those_seen(unsigned int nb)
{
	unsigned int vector, left = 0;

	for (vector = 0; vector < nb; vector++) {
		left += atomic_load(&m.seen[vector]) < ROUNDS;
		if (atomic_load(&m.raised[vector]) < ROUNDS && is_seen(vector))
			raise_vector(vector);
	}
	return left;
}

/* Each vector that often, and again only when the last time was seen. False: one was lost. */
static bool
raise_all(unsigned int nb)
{
	int64_t end = now_ms() + PATIENCE_MS;

	while (raise_those_seen(nb) > 0 && now_ms() < end)
		sched_yield();
	return raise_those_seen(nb) == 0;
}

/* ---- the driver ---- */

static void
see(unsigned int vector)
{
	atomic_fetch_add(&m.woken[vector], 1);
	atomic_store(&m.seen[vector], atomic_load(&m.raised[vector]));
}

static void
on_vector_0(void *arg)
{
	see(0);
	expect(rte_intr_ack(arg) == 0);
}

static int
queue_ctl(unsigned int vector, int op)
{
	return rte_intr_rx_ctl(m.handle, m.epfd[vector], op,
		vector - 1 + RTE_INTR_VEC_RXTX_OFFSET, (void *)(uintptr_t)vector);
}

/* With those vectors that have a descriptor. */
static void
driver_run(unsigned int nb)
{
	unsigned int v;

	assert_int_equal(rte_intr_enable(m.handle), 0);
	for (v = 1; v < nb; v++) {
		m.epfd[v] = epoll_create1(EPOLL_CLOEXEC);
		if (rte_intr_efds_index_get(m.handle, (int)v - 1) >= 0)
			assert_int_equal(queue_ctl(v, RTE_INTR_EVENT_ADD), 0);
	}
}

static void
driver_start(unsigned int nb)
{
	unsigned int v;

	if (nb > 1)
		assert_int_equal(rte_intr_efd_enable(m.handle, nb - 1), 0);
	m.efd[0] = rte_intr_fd_get(m.handle);
	for (v = 1; v < nb; v++)
		m.efd[v] = rte_intr_efds_index_get(m.handle, (int)v - 1);
	driver_run(nb);
}

static void
driver_stop(unsigned int nb)
{
	unsigned int v;

	assert_int_equal(rte_intr_disable(m.handle), 0);
	rte_intr_efd_disable(m.handle);
	for (v = 1; v < nb; v++)
		close(m.epfd[v]);
}

static int
setup(void **state)
{
	char bdf[VM_BDF_LEN];

	(void)state;
	m = (struct msix){ .doorbell = vm_doorbell_find(bdf) };
	if (m.doorbell == NULL)
		return -1;
	m.dev = vm_bus_probe(bdf, "vfio-pci", "");
	if (m.dev == NULL)
		return -1;
	m.handle = m.dev->intr_handle;
	msix_table_find(&m.table, m.dev);
	return rte_intr_callback_register(m.handle, on_vector_0, m.handle) != 0 ||
		m.doorbell->open(m.dev) != 0;
}

static int
teardown(void **state)
{
	rte_intr_callback_unregister_sync(m.handle, on_vector_0, m.handle);
	m.doorbell->close(m.dev);
	return vm_bus_clean(state);
}

/* ---- one at a time ---- */

/* How many events the set has for us now, or within a time. */
static int
told(unsigned int vector, int timeout_ms)
{
	struct rte_epoll_event event;
	int rc = rte_epoll_wait(m.epfd[vector], &event, 1, timeout_ms);

	if (rc == 1) {
		assert_int_equal((uintptr_t)event.epdata.data, vector);
		see(vector);
	}
	return rc;
}

static void
assert_comes(unsigned int vector)
{
	if (vector == 0)
		assert_true(becomes_seen(0));
	else
		assert_int_equal(told(vector, PATIENCE_MS), 1);
}

static void
assert_told_once(unsigned int vector)
{
	raise_vector(vector);
	assert_comes(vector);
}

/* What was raised later has come, and that has not. */
static void
assert_held_back(unsigned int vector)
{
	assert_told_once((vector + 1) % VECTORS);
	if (vector == 0)
		assert_false(is_seen(0));
	else
		assert_int_equal(told(vector, 0), 0);
}

static void
assert_counts(unsigned int nb, unsigned int expected)
{
	unsigned int v;

	assert_int_equal(atomic_load(&m.wrong), 0);
	for (v = 0; v < nb; v++) {
		assert_int_equal(atomic_load(&m.raised[v]), expected);
		assert_int_equal(atomic_load(&m.seen[v]), expected);
		assert_int_equal(atomic_load(&m.woken[v]), expected);
	}
}

static void
test_number_of_vectors_grows_and_shrinks(void **state)
{
	static const unsigned int numbers[] = { 8, 3, 1, 5, 8, 2, 8 };
	struct resources before;
	unsigned int i, v;

	assert_int_equal(rte_intr_type_get(m.handle), RTE_INTR_HANDLE_VFIO_MSIX);
	driver_start(VECTORS);
	driver_stop(VECTORS);
	resources_take(&before);
	for (i = 0; i < RTE_DIM(numbers); i++) {
		for (v = 0; v < VECTORS; v++)
			m.raised[v] = m.seen[v] = m.woken[v] = 0;
		driver_start(numbers[i]);
		for (v = 0; v < numbers[i]; v++)
			assert_told_once(v);
		for (v = 1; v < numbers[i]; v++)
			assert_int_equal(told(v, 0), 0);
		assert_counts(numbers[i], 1);
		driver_stop(numbers[i]);
		resources_assert_same(&before);
	}
	resources_drop(&before);
}

static void
test_more_vectors_than_there_are_are_refused(void **state)
{
	assert_int_equal(rte_intr_efd_enable(m.handle, VECTORS), 0);
	assert_true(rte_intr_enable(m.handle) < 0);
	rte_intr_efd_disable(m.handle);
	driver_start(VECTORS);
	assert_told_once(VECTORS - 1);
	driver_stop(VECTORS);
}

/*
 * The handle is enabled again with one vector less; those that stay are bound anew. The vector is
 * masked meanwhile, and the device keeps what it raises in its array of pending bits.
 */
static void
test_one_vector_less_leaves_the_others(void **state)
{
	unsigned int off, v;

	driver_start(VECTORS);
	for (off = 1; off < VECTORS; off++) {
		rte_intr_efds_index_set(m.handle, (int)off - 1, -1);
		assert_int_equal(rte_intr_enable(m.handle), 0);
		raise_vector(off);
		for (v = 0; v < VECTORS; v++)
			if (v != off)
				assert_told_once(v);
		assert_int_equal(told(off, 0), 0);
		rte_intr_efds_index_set(m.handle, (int)off - 1, m.efd[off]);
		assert_int_equal(rte_intr_enable(m.handle), 0);
		assert_int_equal(told(off, PATIENCE_MS), 1);
		assert_told_once(off);
	}
	driver_stop(VECTORS);
}

/* Each one that is masked in the table is raised twice, and told once. */
static void
test_masked_vector_is_held_back(void **state)
{
	unsigned int v;

	driver_start(VECTORS);
	for (v = 0; v < VECTORS; v++) {
		msix_table_mask(&m.table, v, true);
		raise_vector(v);
		raise_vector(v);
		assert_held_back(v);
		if (m.doorbell->knows_masks)
			assert_int_equal(msix_table_pending(&m.table), 1u << v);
		msix_table_mask(&m.table, v, false);
		assert_comes(v);
		assert_int_equal(msix_table_pending(&m.table), 0);
		assert_told_once(v);
	}
	for (v = 0; v < VECTORS; v++) {
		assert_int_equal(m.woken[v], 3);
		assert_int_equal(v == 0 ? 0 : told(v, 0), 0);
	}
	driver_stop(VECTORS);
}

/* The device has it to itself until somebody waits for it. */
static void
test_vector_that_nobody_has_used_is_pending(void **state)
{
	const unsigned int unused = 3;

	assert_int_equal(rte_intr_efd_enable(m.handle, QUEUES), 0);
	m.efd[unused] = rte_intr_efds_index_get(m.handle, (int)unused - 1);
	rte_intr_efds_index_set(m.handle, (int)unused - 1, -1);
	driver_run(VECTORS);
	raise_vector(unused);
	assert_told_once(unused + 1);
	assert_int_equal(msix_table_pending(&m.table), 1u << unused);
	rte_intr_efds_index_set(m.handle, (int)unused - 1, m.efd[unused]);
	assert_int_equal(rte_intr_enable(m.handle), 0);
	assert_int_equal(queue_ctl(unused, RTE_INTR_EVENT_ADD), 0);
	assert_comes(unused);
	assert_int_equal(msix_table_pending(&m.table), 0);
	assert_told_once(unused);
	driver_stop(VECTORS);
}

/* ---- all at once ---- */

static void *
queue_thread(void *arg)
{
	const unsigned int vector = (unsigned int)(uintptr_t)arg;
	struct rte_epoll_event event;

	while (atomic_load(&m.seen[vector]) < ROUNDS) {
		if (rte_epoll_wait(m.epfd[vector], &event, 1, PATIENCE_MS) != 1)
			break;
		/* odd ones are switched by who waits for them, even ones by another thread */
		if (vector % 2 != 0)
			expect(queue_ctl(vector, RTE_INTR_EVENT_DEL) == 0);
		see(vector);
		if (vector % 2 != 0)
			expect(queue_ctl(vector, RTE_INTR_EVENT_ADD) == 0);
	}
	expect(atomic_load(&m.seen[vector]) == ROUNDS);
	return NULL;
}

static void *
switch_queues(void *arg)
{
	unsigned int v;

	while (!atomic_load(&m.done))
		for (v = 2; v < VECTORS; v += 2) {
			expect(queue_ctl(v, RTE_INTR_EVENT_DEL) == 0);
			sched_yield();
			expect(queue_ctl(v, RTE_INTR_EVENT_ADD) == 0);
		}
	return arg;
}

/* As the guide says: it looks at the device, that is to say it has all queues do so. */
static void
look_again(void)
{
	unsigned int v;

	for (v = 0; v < VECTORS; v++)
		eventfd_write(m.efd[v], 1);
}

/* All off and on; meanwhile one after the other is left out. */
static void *
switch_device(void *arg)
{
	unsigned int queue;

	for (queue = 0; !atomic_load(&m.done); queue = (queue + 1) % QUEUES) {
		expect(rte_intr_disable(m.handle) == 0);
		rte_intr_efds_index_set(m.handle, (int)queue, -1);
		expect(rte_intr_enable(m.handle) == 0);
		look_again();
		sched_yield();
		rte_intr_efds_index_set(m.handle, (int)queue, m.efd[queue + 1]);
		expect(rte_intr_enable(m.handle) == 0);
		look_again();
		sched_yield();
	}
	return arg;
}

static void *
wait_and_look(void *arg)
{
	const unsigned int vector = (unsigned int)(uintptr_t)arg;
	struct rte_epoll_event event;

	while (atomic_load(&m.seen[vector]) < ROUNDS &&
			rte_epoll_wait(m.epfd[vector], &event, 1, PATIENCE_MS) == 1)
		see(vector);
	expect(atomic_load(&m.seen[vector]) == ROUNDS);
	return NULL;
}

static void
run_under_load(void *(*queue)(void *), void *(*switcher)(void *))
{
	pthread_t threads[VECTORS], other;
	unsigned int v;

	driver_start(VECTORS);
	for (v = 1; v < VECTORS; v++)
		assert_int_equal(pthread_create(&threads[v], NULL, queue,
			(void *)(uintptr_t)v), 0);
	assert_int_equal(pthread_create(&other, NULL, switcher, NULL), 0);
	expect(raise_all(VECTORS));
	atomic_store(&m.done, true);
	pthread_join(other, NULL);
	for (v = 1; v < VECTORS; v++)
		pthread_join(threads[v], NULL);
	/* what somebody looked for and saw before it came shall not come in the next test */
	usleep(100000);
	driver_stop(VECTORS);
}

static void
test_each_vector_is_counted_while_queues_are_switched(void **state)
{
	run_under_load(queue_thread, switch_queues);
	assert_counts(VECTORS, ROUNDS);
}

static void
test_nothing_is_missed_while_the_device_is_switched(void **state)
{
	unsigned int v;

	run_under_load(wait_and_look, switch_device);
	assert_int_equal(atomic_load(&m.wrong), 0);
	for (v = 0; v < VECTORS; v++)
		assert_int_equal(atomic_load(&m.seen[v]), ROUNDS);
}

#define MSIX_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static const struct CMUnitTest tests[] = {
	MSIX_TEST(test_number_of_vectors_grows_and_shrinks),
	MSIX_TEST(test_more_vectors_than_there_are_are_refused),
	MSIX_TEST(test_one_vector_less_leaves_the_others),
	MSIX_TEST(test_masked_vector_is_held_back),
	MSIX_TEST(test_vector_that_nobody_has_used_is_pending),
	MSIX_TEST(test_each_vector_is_counted_while_queues_are_switched),
	MSIX_TEST(test_nothing_is_missed_while_the_device_is_switched),
};

TEST_SUITE(vm_msix, "vm", tests, vm_bus_setup, vm_bus_teardown)
