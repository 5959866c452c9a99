/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A device of the guest comes and goes while the edu driver works. The guest script says by
 * DPDK_TEST_TRANSPORT which kernel driver it is for. vm.py pulls and plugs the device when a line
 * asks for it.
 */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_dev.h>
#include <rte_edu.h>

#include "eal_session.h"
#include "resources.h"
#include "test.h"
#include "vm.h"

#define EDU 0x1234, 0x11e8
#define WAIT_SECONDS 30u
#define PULLS 8u	/* of a round */
#define BINDS 250u	/* of a round; there are at least four */
#define LIVENESS 0x04

static const struct way {
	const char *kernel_driver;
	bool huge_pages;
} ways[] = {
	{ "vfio-pci", false },
	{ "uio_pci_generic", true },
};

static const struct way *way;
static char bdf[VM_BDF_LEN];
static struct rte_edu *edu;
static struct rte_pci_device *dev;
static atomic_uint nb_events[RTE_DEV_EVENT_MAX];

/* ---- events ---- */

static void
count_event(const char *name, enum rte_dev_event_type type, void *arg)
{
	(void)arg;
	if (strcmp(name, bdf) == 0)
		atomic_fetch_add(&nb_events[type], 1);
}

static void
await_event(enum rte_dev_event_type type)
{
	unsigned int left = WAIT_SECONDS * 1000;

	while (atomic_load(&nb_events[type]) == 0 && --left > 0)
		usleep(1000);
	assert_int_equal(atomic_exchange(&nb_events[type], 0), 1);
}

/* ---- the device ---- */

/* A line of its own, which vm.py takes. */
static void
ask_host(const char *what)
{
	printf("@%s 0\n", what);
	fflush(stdout);
}

static bool
is_there(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", bdf);
	return access(path, F_OK) == 0;
}

static void
await_absence(void)
{
	unsigned int left = WAIT_SECONDS * 1000;

	while (is_there() && --left > 0)
		usleep(1000);
	assert_false(is_there());
}

/* The kernel tells of a device before a driver can have it. */
static void
give_to_kernel_driver(void)
{
	unsigned int left = WAIT_SECONDS * 1000;
	int rc;

	while ((rc = vm_bind(bdf, way->kernel_driver)) == -ENODEV && --left > 0)
		usleep(1000);
	assert_int_equal(rc, 0);
}

static void
take(void)
{
	struct rte_dev_iterator it;
	struct rte_device *d;

	give_to_kernel_driver();
	assert_int_equal(rte_dev_probe(bdf), 0);
	dev = NULL;
	RTE_DEV_FOREACH(d, "bus=pci", &it)
		if (rte_dev_is_probed(d) && strcmp(rte_dev_name(d), bdf) == 0)
			dev = RTE_DEV_TO_PCI(d);
	assert_non_null(dev);
	assert_int_equal(rte_edu_open(bdf, &edu), 0);
}

static void
use(void)
{
	uint32_t result = 0;

	assert_int_equal(rte_edu_liveness(edu, 0x600df00d), 0);
	assert_int_equal(rte_edu_factorial(edu, 7, &result, WAIT_SECONDS * 1000), 0);
	assert_int_equal(result, 5040);
}

static void
give_back(void)
{
	assert_int_equal(rte_dev_remove(&dev->device), 0);
	rte_edu_close(edu);
	edu = NULL;
	dev = NULL;
}

/* ---- who works with it meanwhile ---- */

struct worker {
	pthread_t thread;
	atomic_bool stop;
	atomic_uint nb;	/* of accesses */
	unsigned int wrong;
};

/*
 * Where a device was loads find what the bus answers, which is zeros with QEMU; then all-ones, and
 * after a store what was stored.
 */
static void *
access_until_told(void *arg)
{
	struct worker *worker = arg;
	uint32_t value, last;

	while (!atomic_load(&worker->stop)) {
		last = atomic_fetch_add(&worker->nb, 1);
		if (rte_pci_mmio_write(dev, 0, &last, sizeof(last), LIVENESS) < 0 ||
				rte_pci_mmio_read(dev, 0, &value, sizeof(value), LIVENESS) < 0)
			continue;
		worker->wrong += value != ~last && value != last &&
			value != 0 && value != UINT32_MAX;
	}
	return NULL;
}

static void
worker_start(struct worker *worker)
{
	*worker = (struct worker){ .wrong = 0 };
	assert_int_equal(pthread_create(&worker->thread, NULL, access_until_told, worker), 0);
	while (atomic_load(&worker->nb) < 100)
		usleep(100);
}

static void
worker_end(struct worker *worker)
{
	atomic_store(&worker->stop, true);
	pthread_join(worker->thread, NULL);
	assert_int_equal(worker->wrong, 0);
}

/* ---- tests ---- */

static void
pull_and_plug(void)
{
	struct worker worker;

	worker_start(&worker);
	ask_host("pull");
	await_event(RTE_DEV_EVENT_REMOVE);
	worker_end(&worker);
	give_back();
	await_absence();
	ask_host("plug");
	await_event(RTE_DEV_EVENT_ADD);
	/* that the device went was told, once, when it was still in use */
	atomic_store(&nb_events[RTE_DEV_EVENT_REMOVE], 0);
	take();
	use();
}

static void
pulls(void)
{
	unsigned int i;

	for (i = 0; i < PULLS; i++)
		pull_and_plug();
}

static void
bind_and_unbind(void)
{
	unsigned int i;

	for (i = 0; i < BINDS; i++) {
		give_back();
		assert_int_equal(vm_bind(bdf, NULL), 0);
		take();
	}
}

/*
 * Until nothing is left of a round, but @p least rounds. The first fill what is kept for good; what
 * is lost is lost in all rounds.
 */
static void
nothing_is_left_of(void (*round)(void), unsigned int least)
{
	unsigned int nb, left = least + 4;
	struct resources before;
	char text[1024];

	do {
		resources_take(&before);
		round();
		nb = resources_diff_settled(&before, text, sizeof(text));
		resources_drop(&before);
		if (least > 0)
			least--;
		if (--left == 0)
			fail_msg("each time there is left:\n%s", text);
	} while (nb != 0 || least != 0);
}

static void
test_a_device_is_pulled_and_plugged_while_its_driver_works(void **state)
{
	(void)state;
	assert_int_equal(rte_dev_event_monitor_start(), 0);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	assert_int_equal(rte_dev_event_callback_register(NULL, count_event, NULL), 0);
	nothing_is_left_of(pulls, 2);
	assert_true(rte_dev_event_callback_unregister(NULL, count_event, NULL) > 0);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), 0);
}

static void
test_a_thousand_times_bound_and_unbound_nothing_is_left(void **state)
{
	(void)state;
	assert_non_null(dev);
	nothing_is_left_of(bind_and_unbind, 4);
	use();
}

static int
setup(void **state)
{
	const char *const args[] = { "-a", bdf, NULL };
	const char *set = getenv("DPDK_TEST_TRANSPORT");
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(ways); i++)
		if (set != NULL && strcmp(set, ways[i].kernel_driver) == 0)
			way = &ways[i];
	if (way == NULL || !vm_find(EDU, bdf))
		return -1;
	if (way->huge_pages)
		eal_session_start_huge(args);
	else
		eal_session_start(args);
	take();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	if (edu != NULL)
		give_back();
	eal_session_stop();
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_device_is_pulled_and_plugged_while_its_driver_works),
	cmocka_unit_test(test_a_thousand_times_bound_and_unbound_nothing_is_left),
};

TEST_SUITE(vm_hotplug, "vm", tests, setup, teardown)
