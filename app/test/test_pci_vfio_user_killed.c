/* SPDX-License-Identifier: BSD-3-Clause */

/* Servers that die while their device is in use, and come back. */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_edu.h>
#include <rte_interrupts.h>
#include <rte_log.h>
#include <rte_malloc.h>

#include "counter.h"
#include "eal_session.h"
#include "fake_sysfs.h"
#include "resources.h"
#include "test.h"
#include "vu_spawned.h"

#define NB_KILLS 100
#define PATIENCE_MS 60000
#define MAPPED 0x4000	/* where the window of BAR 2 starts */

struct fixture {
	struct spawned server;
	atomic_uint nb_removes;
	atomic_uint nb_adds;
	atomic_uint nb_odd;	/* out of turn, or not in the event thread */
	bool removes;	/* in the callback */
};

static struct fixture fixture;
static struct fake_sysfs *system_pci;	/* empty: what this machine has is not ours */

/* The one and the other in turns. */
static void
on_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	struct fixture *f = arg;
	const bool gone = event == RTE_DEV_EVENT_REMOVE;
	const unsigned int nb_removes = atomic_load(&f->nb_removes);
	const unsigned int nb_adds = atomic_load(&f->nb_adds);

	if (strcmp(name, f->server.name) != 0 || !rte_thread_is_intr() ||
			nb_removes != nb_adds + !gone)
		atomic_fetch_add(&f->nb_odd, 1);
	if (gone && f->removes && rte_dev_remove(&eal_session_device()->device) != 0)
		atomic_fetch_add(&f->nb_odd, 1);
	atomic_fetch_add(gone ? &f->nb_removes : &f->nb_adds, 1);
}

static int
setup(void **state)
{
	struct fixture *f = &fixture;
	const char *const args[] = { "-a", f->server.name, NULL };

	memset(f, 0, sizeof(*f));
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

	eal_session_stop();
	spawned_end(&f->server);
	assert_int_equal(f->nb_odd, 0);
	return 0;
}

/* ---- load ---- */

struct load {
	pthread_t thread;
	void (*fn)(struct load *load);
	atomic_bool *stop;
	struct rte_pci_device *dev;
	struct rte_edu *edu;
	unsigned int nb_good;
	unsigned int nb_failed;
	unsigned int nb_odd;
};

/* Without a server there is no need to hurry: what starts the next one has work to do. */
static void
count(struct load *load, int rc)
{
	load->nb_good += rc >= 0;
	load->nb_failed += rc < 0;
	usleep(rc < 0 ? 1000 : 50);
}

static void
load_trapped(struct load *load)
{
	uint32_t id = 0;
	int rc = rte_pci_mmio_read(load->dev, 0, &id, sizeof(id), 0);

	load->nb_odd += rc >= 0 && id != 0x010000ed;
	count(load, rc);
}

static void
load_config(struct load *load)
{
	uint16_t id = 0;
	int rc = rte_pci_read_config(load->dev, &id, sizeof(id), 0);

	load->nb_odd += rc >= 0 && id != 0x1234;
	count(load, rc);
}

/*
 * What was stored, what a new device has, or what no device has. That the bus maps something else
 * there meanwhile is no race.
 */
__attribute__((no_sanitize("thread")))
static void
load_mapped(struct load *load)
{
	volatile uint32_t *reg = rte_pci_bar_ptr(load->dev, 2, MAPPED, 4);
	uint32_t value;

	*reg = 0x12345678;
	value = *reg;
	load->nb_odd += value != 0x12345678 && value != 0 && value != UINT32_MAX;
	count(load, 0);
}

/* What was begun with one server and is looked at with the next has no result. */
static void
load_driver(struct load *load)
{
	uint32_t result = 0;
	int rc = rte_edu_factorial(load->edu, 5, &result, 20);

	load->nb_odd += rc == 0 && result != 120 && result != 0;
	count(load, rc);
}

static void
load_memory(struct load *load)
{
	void *memory = rte_malloc(NULL, 4 << 20, 0);

	count(load, memory == NULL ? -ENOMEM : 0);
	rte_free(memory);
	usleep(500);
}

static void *
load_main(void *arg)
{
	struct load *load = arg;

	while (!atomic_load(load->stop))
		load->fn(load);
	return NULL;
}

static void (*const loads[])(struct load *) = {
	load_trapped, load_config, load_mapped, load_driver, load_memory,
};

static void
loads_start(struct load *load, atomic_bool *stop, struct rte_pci_device *dev, struct rte_edu *edu)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(loads); i++) {
		load[i] = (struct load){ .fn = loads[i], .stop = stop, .dev = dev, .edu = edu };
		assert_int_equal(pthread_create(&load[i].thread, NULL, load_main, &load[i]), 0);
	}
}

static void
loads_stop(struct load *load, atomic_bool *stop)
{
	unsigned int i;

	atomic_store(stop, true);
	for (i = 0; i < RTE_DIM(loads); i++) {
		pthread_join(load[i].thread, NULL);
		assert_int_equal(load[i].nb_odd, 0);
		assert_int_not_equal(load[i].nb_good, 0);
	}
	/* each of those that talk to the server has seen it die */
	assert_int_not_equal(load[0].nb_failed, 0);
	assert_int_not_equal(load[1].nb_failed, 0);
}

/* ---- the tests ---- */

static void
edu_works(struct rte_edu *edu)
{
	uint32_t result = 0;
	char text[32] = "";

	assert_int_equal(rte_edu_factorial(edu, 10, &result, PATIENCE_MS), 0);
	assert_int_equal(result, 3628800);
	assert_int_equal(rte_edu_dma_write(edu, 0, "there and back", 15, PATIENCE_MS), 0);
	assert_int_equal(rte_edu_dma_read(edu, 0, text, 15, PATIENCE_MS), 0);
	assert_string_equal(text, "there and back");
}

static void
test_device_is_attached_again_a_hundred_times_under_load(void **state)
{
	struct fixture *f = *state;
	struct load load[RTE_DIM(loads)];
	atomic_bool stop = false;
	struct rte_edu *edu;
	unsigned int i;

	assert_int_equal(rte_edu_open(f->server.name, &edu), 0);
	loads_start(load, &stop, eal_session_device(), edu);
	for (i = 1; i <= NB_KILLS; i++) {
		spawned_kill(&f->server);
		counter_wait(&f->nb_removes, i);
		spawned_restart(&f->server);
		counter_wait(&f->nb_adds, i);
	}
	loads_stop(load, &stop);
	edu_works(edu);
	rte_edu_close(edu);
}

static void
test_device_that_is_removed_can_be_probed_when_it_is_back(void **state)
{
	struct fixture *f = *state;
	struct rte_edu *edu;
	unsigned int i;

	f->removes = true;
	for (i = 1; i <= 20; i++) {
		assert_int_equal(rte_edu_open(f->server.name, &edu), 0);
		edu_works(edu);
		rte_edu_close(edu);
		spawned_kill(&f->server);
		counter_wait(&f->nb_removes, i);
		spawned_restart(&f->server);
		counter_wait(&f->nb_adds, i);
		assert_int_equal(rte_dev_probe(f->server.name), 0);
	}
}

static void
test_device_without_server_answers_with_errors_and_ones(void **state)
{
	struct fixture *f = *state;
	struct rte_pci_device *dev = eal_session_device();
	volatile uint32_t *reg = rte_pci_bar_ptr(dev, 2, MAPPED, 4);
	uint32_t value = 0;

	*reg = 0x12345678;
	spawned_kill(&f->server);
	counter_wait(&f->nb_removes, 1);
	assert_int_equal(*reg, UINT32_MAX);
	*reg = 5;
	assert_int_equal(*reg, 5);
	assert_int_equal(rte_pci_mmio_read(dev, 2, &value, sizeof(value), MAPPED), -ENOTCONN);
	assert_int_equal(rte_pci_mmio_write(dev, 2, &value, sizeof(value), MAPPED), -ENOTCONN);
	assert_int_equal(rte_pci_mmio_read(dev, 0, &value, sizeof(value), 0), -ENOTCONN);
	assert_int_equal(rte_pci_mmio_write(dev, 0, &value, sizeof(value), 0), -ENOTCONN);
	assert_int_equal(rte_pci_read_config(dev, &value, sizeof(value), 0), -ENOTCONN);
	assert_int_equal(rte_dev_remove(&dev->device), 0);
	assert_int_equal(f->nb_removes, 1);
}

static void
session_with_kills(void)
{
	struct fixture *f = NULL;
	void *state = NULL;
	struct rte_edu *edu;
	unsigned int i;

	assert_int_equal(setup(&state), 0);
	f = state;
	assert_int_equal(rte_edu_open(f->server.name, &edu), 0);
	for (i = 1; i <= 5; i++) {
		spawned_kill(&f->server);
		counter_wait(&f->nb_removes, i);
		spawned_restart(&f->server);
		counter_wait(&f->nb_adds, i);
		edu_works(edu);
	}
	rte_edu_close(edu);
	assert_int_equal(teardown(&state), 0);
}

static void
test_servers_that_died_leave_nothing_behind(void **state)
{
	struct resources before;

	session_with_kills();
	resources_take(&before);
	session_with_kills();
	resources_assert_same(&before);
	resources_drop(&before);
}

static int
suite_setup(void **state)
{
	(void)state;
	system_pci = fake_sysfs_start();
	/* that servers go and come is what the tests are about */
	return rte_log_set_level_pattern("bus.pci", RTE_LOG_ERR);
}

static int
suite_teardown(void **state)
{
	(void)state;
	fake_sysfs_stop(system_pci);
	return rte_log_set_level_pattern("bus.pci", RTE_LOG_NOTICE);
}

#define KILL_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	KILL_TEST(test_device_without_server_answers_with_errors_and_ones),
	KILL_TEST(test_device_that_is_removed_can_be_probed_when_it_is_back),
	KILL_TEST(test_device_is_attached_again_a_hundred_times_under_load),
	cmocka_unit_test(test_servers_that_died_leave_nothing_behind),
};

TEST_SUITE(pci_vfio_user_killed, "functional", tests, suite_setup, suite_teardown)
