/* SPDX-License-Identifier: BSD-3-Clause */

/* A server dies and comes back, and one call fails on the way: the device is there again. */

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_log.h>

#include "counter.h"
#include "eal_session.h"
#include "fake_sysfs.h"
#include "interpose.h"
#include "test.h"
#include "vu_spawned.h"

/* EAL takes it for the end of a descriptor when its counter cannot be read. */
#define CALLS (INTERPOSE_ANY & ~INTERPOSE_ONLY(READ))

#define SLACK 256	/* bytes that the heap may give in excess, as pieces are used again */
#define MAPPED 0x4000	/* where the window of BAR 2 starts */

struct fixture {
	struct spawned server;
	atomic_uint nb_removes, nb_adds;
	atomic_bool probes;	/* when the device is back, but not at once */
	atomic_bool about_to;
	atomic_int probe_rc;
};

static struct fixture fixture;
static struct fake_sysfs *system_pci;

static void
on_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	struct fixture *f = arg;

	if (event == RTE_DEV_EVENT_ADD && f->probes) {
		atomic_store(&f->about_to, true);
		usleep(100000);
		f->probe_rc = rte_dev_probe(name);
	}
	atomic_fetch_add(event == RTE_DEV_EVENT_REMOVE ? &f->nb_removes : &f->nb_adds, 1);
}

static int
setup(void **state)
{
	struct fixture *f = &fixture;
	const char *const args[] = { "-a", f->server.name, NULL };

	memset(f, 0, sizeof(*f));
	rte_log_set_global_level(RTE_LOG_EMERG);
	system_pci = fake_sysfs_start();
	spawned_start(&f->server);
	eal_session_start(args);
	assert_int_equal(rte_dev_event_callback_register(f->server.name, on_event, f), 0);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	interpose_disarm();
	eal_session_stop();
	spawned_end(&f->server);
	fake_sysfs_stop(system_pci);
	rte_log_set_global_level(RTE_LOG_DEBUG);
	return 0;
}

/* This thread's own calls are no part of it. */
static void
die_and_return(struct fixture *f, unsigned int round)
{
	interpose_bypass_begin();
	spawned_kill(&f->server);
	counter_wait(&f->nb_removes, round);
	spawned_restart(&f->server);
	counter_wait(&f->nb_adds, round);
	interpose_bypass_end();
}

static void
assert_device_works(const struct rte_pci_device *dev)
{
	volatile uint32_t *window = rte_pci_bar_ptr(dev, 2, MAPPED, 4);
	uint32_t value = 0;

	assert_int_equal(rte_pci_mmio_read(dev, 0, &value, 4, 0), 4);
	assert_int_equal(value, 0x010000ed);
	*window = 0x12345678;
	value = 0;
	assert_int_equal(rte_pci_mmio_read(dev, 2, &value, 4, MAPPED), 4);
	assert_int_equal(value, 0x12345678);
}

/* What the process holds; the connection is another one each time, so only numbers are the same. */
struct holdings {
	unsigned int nb_fds;
	size_t nb_mappings;
	size_t heap;
};

static struct holdings
holdings(void)
{
	struct holdings h = { .nb_mappings = interpose_mappings(NULL, 0),
		.heap = interpose_heap_bytes() };
	int fd;

	for (fd = 0; fd < 1024; fd++)
		h.nb_fds += fcntl(fd, F_GETFD) >= 0;
	return h;
}

static bool
is_no_more(const struct holdings *now, const struct holdings *before)
{
	return now->nb_fds == before->nb_fds && now->nb_mappings == before->nb_mappings &&
		now->heap <= before->heap + SLACK;
}

/* Other threads may be at their last steps. */
static void
assert_holds_no_more(const struct holdings *before)
{
	struct holdings now = holdings();
	unsigned int ms;

	for (ms = 0; ms < 1000 && !is_no_more(&now, before); ms++) {
		usleep(1000);
		now = holdings();
	}
	assert_int_equal(now.nb_fds, before->nb_fds);
	assert_int_equal(now.nb_mappings, before->nb_mappings);
	assert_true(now.heap <= before->heap + SLACK);
}

static void
test_device_comes_back_whatever_call_fails(void **state)
{
	struct fixture *f = *state;
	struct rte_pci_device *dev = eal_session_device();
	struct holdings before;
	bool fired = true;
	unsigned int nth;

	die_and_return(f, 1);
	before = holdings();
	for (nth = 1; fired; nth++) {
		interpose_fail(CALLS, nth, 0);
		die_and_return(f, nth + 1);
		fired = interpose_fired();
		interpose_disarm();
		assert_device_works(dev);
		assert_holds_no_more(&before);
	}
}

static void
test_device_comes_back_though_no_thread_can_be_made_at_first(void **state)
{
	struct fixture *f = *state;

	interpose_fail(INTERPOSE_ONLY(THREAD), 1, 0);
	die_and_return(f, 1);
	assert_true(interpose_fired());
	interpose_disarm();
	assert_device_works(eal_session_device());
}

static void *
cleanup_thread(void *arg)
{
	(void)arg;
	eal_session_stop();
	return NULL;
}

/* EAL ends while a listener looks for devices: the one does not wait for the other. */
static void
test_eal_ends_while_a_listener_scans(void **state)
{
	struct fixture *f = *state;
	struct timespec until;
	pthread_t thread;

	f->probes = true;
	spawned_kill(&f->server);
	counter_wait(&f->nb_removes, 1);
	spawned_restart(&f->server);
	while (!atomic_load(&f->about_to))
		usleep(1000);
	assert_int_equal(pthread_create(&thread, NULL, cleanup_thread, NULL), 0);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 30;
	assert_int_equal(pthread_timedjoin_np(thread, NULL, &until), 0);
	assert_int_equal(f->nb_adds, 1);
	assert_true(f->probe_rc < 0);
	eal_session_start(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_setup_teardown(test_eal_ends_while_a_listener_scans, setup, teardown),
	cmocka_unit_test_setup_teardown(
		test_device_comes_back_though_no_thread_can_be_made_at_first, setup, teardown),
	cmocka_unit_test_setup_teardown(test_device_comes_back_whatever_call_fails, setup,
		teardown),
};

TEST_SUITE(pci_vfio_user_recovery, "functional", tests, NULL, NULL)
