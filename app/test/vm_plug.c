/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_bus.h>

#include "eal_session.h"
#include "test.h"
#include "vm_plug.h"

#define EDU 0x1234, 0x11e8

static const struct vm_plug_way ways[] = {
	{ .kernel_driver = "vfio-pci", .asks = true },
	{ .kernel_driver = "uio_pci_generic", .huge_pages = true },
};

struct vm_plug vm_plug;

/* ---- events ---- */

static void
count_event(const char *name, enum rte_dev_event_type type, void *arg)
{
	(void)arg;
	if (strcmp(name, vm_plug.bdf) == 0)
		atomic_fetch_add(&vm_plug.nb_events[type], 1);
}

void
vm_plug_await(enum rte_dev_event_type type)
{
	unsigned int left = VM_PLUG_SECONDS * 1000;

	while (atomic_load(&vm_plug.nb_events[type]) == 0 && --left > 0)
		usleep(1000);
	assert_int_equal(atomic_exchange(&vm_plug.nb_events[type], 0), 1);
}

void
vm_plug_listen(void)
{
	assert_int_equal(rte_dev_event_monitor_start(), 0);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	assert_int_equal(rte_dev_event_callback_register(NULL, count_event, NULL), 0);
}

void
vm_plug_unlisten(void)
{
	assert_true(rte_dev_event_callback_unregister(NULL, count_event, NULL) > 0);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), 0);
}

/* ---- the device ---- */

/* A line of its own, which vm.py takes. */
void
vm_plug_ask_host(const char *what)
{
	printf("@%s 0\n", what);
	fflush(stdout);
}

static bool
is_there(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s", vm_plug.bdf);
	return access(path, F_OK) == 0;
}

void
vm_plug_await_absence(void)
{
	unsigned int left = VM_PLUG_SECONDS * 1000;

	while (is_there() && --left > 0)
		usleep(1000);
	assert_false(is_there());
}

/* The kernel tells of a device before a driver can have it. */
static void
give_to_kernel_driver(void)
{
	unsigned int left = VM_PLUG_SECONDS * 1000;
	int rc;

	while ((rc = vm_bind(vm_plug.bdf, vm_plug.way->kernel_driver)) == -ENODEV && --left > 0)
		usleep(1000);
	assert_int_equal(rc, 0);
}

static void
device_find(void)
{
	struct rte_dev_iterator it;
	struct rte_device *d;

	vm_plug.dev = NULL;
	RTE_DEV_FOREACH(d, "bus=pci", &it)
		if (rte_dev_is_probed(d) && strcmp(rte_dev_name(d), vm_plug.bdf) == 0)
			vm_plug.dev = RTE_DEV_TO_PCI(d);
	assert_non_null(vm_plug.dev);
}

void
vm_plug_take(const char *devargs)
{
	give_to_kernel_driver();
	if (devargs != NULL) {
		assert_int_equal(rte_dev_probe(devargs), 0);
	} else {
		assert_int_equal(rte_bus_scan(), 0);
		assert_int_equal(rte_bus_probe(), 0);
	}
	device_find();
	assert_int_equal(rte_edu_open(vm_plug.bdf, &vm_plug.edu), 0);
}

void
vm_plug_use(void)
{
	uint32_t result = 0;

	assert_int_equal(rte_edu_liveness(vm_plug.edu, 0x600df00d), 0);
	assert_int_equal(rte_edu_factorial(vm_plug.edu, 7, &result, VM_PLUG_SECONDS * 1000), 0);
	assert_int_equal(result, 5040);
}

void
vm_plug_give_back(void)
{
	assert_int_equal(rte_dev_remove(&vm_plug.dev->device), 0);
	rte_edu_close(vm_plug.edu);
	vm_plug.edu = NULL;
	vm_plug.dev = NULL;
}

/* ---- who works with it meanwhile ---- */

/*
 * Where a device was loads find what the bus answers, which is zeros with QEMU; then all-ones, and
 * after a store what was stored.
 */
static void *
access_until_told(void *arg)
{
	struct vm_worker *worker = arg;
	uint32_t value, last;

	while (!atomic_load(&worker->stop)) {
		last = atomic_fetch_add(&worker->nb, 1);
		if (rte_pci_mmio_write(vm_plug.dev, 0, &last, sizeof(last),
					VM_PLUG_LIVENESS) < 0 ||
				rte_pci_mmio_read(vm_plug.dev, 0, &value, sizeof(value),
					VM_PLUG_LIVENESS) < 0)
			continue;
		worker->wrong += value != ~last && value != last &&
			value != 0 && value != UINT32_MAX;
	}
	return NULL;
}

void
vm_worker_start(struct vm_worker *worker)
{
	*worker = (struct vm_worker){ .wrong = 0 };
	assert_int_equal(pthread_create(&worker->thread, NULL, access_until_told, worker), 0);
	while (atomic_load(&worker->nb) < 100)
		usleep(100);
}

void
vm_worker_end(struct vm_worker *worker)
{
	atomic_store(&worker->stop, true);
	pthread_join(worker->thread, NULL);
	assert_int_equal(worker->wrong, 0);
}

/* ---- a suite ---- */

static bool
way_find(void)
{
	const char *set = getenv("DPDK_TEST_TRANSPORT");
	size_t i;

	for (i = 0; i < RTE_DIM(ways); i++)
		if (set != NULL && strcmp(set, ways[i].kernel_driver) == 0)
			vm_plug.way = &ways[i];
	return vm_plug.way != NULL;
}

int
vm_plug_setup(const char *args)
{
	char allowed[VM_BDF_LEN + 64];
	const char *const options[] = { "-a", allowed, NULL };

	if (!way_find() || !vm_find(EDU, vm_plug.bdf))
		return -1;
	snprintf(allowed, sizeof(allowed), "%s%s%s", vm_plug.bdf, args[0] != '\0' ? "," : "",
		args);
	if (vm_plug.way->huge_pages)
		eal_session_start_huge(options);
	else
		eal_session_start(options);
	vm_plug_take(NULL);
	return 0;
}

int
vm_plug_teardown(void **state)
{
	(void)state;
	if (vm_plug.edu != NULL)
		vm_plug_give_back();
	eal_session_stop();
	return 0;
}
