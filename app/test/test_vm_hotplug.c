/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * A device of the guest comes and goes while the edu driver works. vm.py pulls and plugs it when a
 * line asks for it, and the kernel is asked before.
 */

#include "resources.h"
#include "test.h"
#include "vm_plug.h"

#define PULLS 8u	/* of a round */
#define BINDS 250u	/* of a round; there are at least four */

static void
pull_and_plug(void)
{
	struct vm_worker worker;

	vm_worker_start(&worker);
	vm_plug_ask_host("pull");
	vm_plug_await(RTE_DEV_EVENT_REMOVE);
	vm_worker_end(&worker);
	vm_plug_give_back();
	vm_plug_await_absence();
	vm_plug_ask_host("plug");
	vm_plug_await(RTE_DEV_EVENT_ADD);
	/* that the device went was told, once, when it was still in use */
	atomic_store(&vm_plug.nb_events[RTE_DEV_EVENT_REMOVE], 0);
	vm_plug_take(vm_plug.bdf);
	vm_plug_use();
}

static void
pulls(void *ctx)
{
	unsigned int i;

	(void)ctx;
	for (i = 0; i < PULLS; i++)
		pull_and_plug();
}

static void
bind_and_unbind(void *ctx)
{
	unsigned int i;

	(void)ctx;
	for (i = 0; i < BINDS; i++) {
		vm_plug_give_back();
		assert_int_equal(vm_bind(vm_plug.bdf, NULL), 0);
		vm_plug_take(vm_plug.bdf);
	}
}

static void
test_a_device_is_pulled_and_plugged_while_its_driver_works(void **state)
{
	(void)state;
	vm_plug_listen();
	resources_rounds(pulls, NULL, 2, 6);
	vm_plug_unlisten();
}

static void
test_a_thousand_times_bound_and_unbound_nothing_is_left(void **state)
{
	(void)state;
	assert_non_null(vm_plug.dev);
	resources_rounds(bind_and_unbind, NULL, 4, 8);
	vm_plug_use();
}

static int
setup(void **state)
{
	(void)state;
	return vm_plug_setup("");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_a_device_is_pulled_and_plugged_while_its_driver_works),
	cmocka_unit_test(test_a_thousand_times_bound_and_unbound_nothing_is_left),
};

TEST_SUITE(vm_hotplug, "vm", tests, setup, vm_plug_teardown)
