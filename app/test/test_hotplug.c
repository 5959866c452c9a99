/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_devargs.h>
#include <rte_eal.h>

#include "eal_command.h"
#include "fake_bus.h"
#include "interpose.h"
#include "test.h"

/* EAL runs without devices; d5 comes when a test says so. */
static int
start(void **state)
{
	(void)state;
	fake_bus_add();
	fake_bus.present = 0;
	return eal_command_init("--no-pci") < 0;
}

static int
stop(void **state)
{
	(void)state;
	rte_eal_cleanup();
	fake_bus_remove();
	return 0;
}

static unsigned int
nb_devargs(void)
{
	const struct rte_devargs *da;
	unsigned int nb = 0;

	RTE_EAL_DEVARGS_FOREACH(NULL, da)
		nb++;
	return nb;
}

static const char *const name_forms[] = {
	"d5",
	"d005",
	"fake:d5",
	"fake:d05,x=1",
	"bus=fake,number=5",
	"bus=fake,number=005/driver=any,x=1",
};

static void
test_device_that_came_is_found_by_any_form_of_its_name(void **state)
{
	size_t i;
	int rc;

	(void)state;
	fake_bus.present = 1u << 5;
	for (i = 0; i < RTE_DIM(name_forms); i++) {
		rc = rte_dev_probe(name_forms[i]);
		if (rc != 0)
			fail_msg("\"%s\": %d", name_forms[i], rc);
		assert_true(rte_dev_is_probed(fake_bus_device(5)));
		assert_non_null(rte_dev_devargs(fake_bus_device(5)));
		assert_int_equal(rte_dev_remove(fake_bus_device(5)), 0);
		assert_null(fake_bus_device(5));
	}
	assert_int_equal(nb_devargs(), 1);
}

static void
test_arguments_reach_the_device(void **state)
{
	(void)state;
	fake_bus.present = 1u << 5;
	assert_int_equal(rte_eal_hotplug_add("fake", "d05", "queues=4"), 0);
	assert_string_equal(rte_dev_devargs(fake_bus_device(5))->args, "queues=4");
	assert_int_equal(rte_eal_hotplug_remove("fake", "d0005"), 0);
	assert_int_equal(rte_eal_hotplug_add("fake", "d5", NULL), 0);
	assert_string_equal(rte_dev_devargs(fake_bus_device(5))->args, "");
}

static void
test_device_without_a_name_is_found_by_its_arguments(void **state)
{
	(void)state;
	fake_bus.present = 1u << 5 | 1u << FAKE_BUS_UNNAMED;
	assert_int_equal(rte_dev_probe("bus=fake,path=/some/long/path"), 0);
	assert_true(rte_dev_is_probed(fake_bus_device(FAKE_BUS_UNNAMED)));
	assert_false(rte_dev_is_probed(fake_bus_device(5)));
}

static const struct {
	const char *what;
	const char *text;
	int rc;
} add_failures[] = {
	{ "no text", NULL, -EINVAL },
	{ "not there", "d6", -ENODEV },
	{ "no bus", "other", -EFAULT },
	{ "no such bus", "bus=nobody,number=5", -EFAULT },
	{ "no such class", "bus=fake,number=5/class=nothing", -EFAULT },
	{ "no device is named", "class=fakeclass", -EINVAL },
	{ "bad address", "bus=fake,number=99", -EINVAL },
};

static void
test_device_that_is_not_there_leaves_no_trace(void **state)
{
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < RTE_DIM(add_failures); i++) {
		rc = rte_dev_probe(add_failures[i].text);
		if (rc != add_failures[i].rc)
			fail_msg("%s: %d", add_failures[i].what, rc);
		assert_int_equal(nb_devargs(), 0);
	}
	assert_int_equal(rte_eal_hotplug_add(NULL, "d5", ""), -EINVAL);
	assert_int_equal(rte_eal_hotplug_add("fake", NULL, ""), -EINVAL);
}

static void
test_refusal_of_bus_or_driver_is_passed_on(void **state)
{
	(void)state;
	fake_bus.present = 1u << 5;
	fake_bus.plug_rc = -EIO;
	assert_int_equal(rte_dev_probe("d5"), -EIO);
	fake_bus.plug_rc = 1;
	assert_int_equal(rte_dev_probe("d5"), -ENOTSUP);
	fake_bus.plug_rc = 0;
	assert_int_equal(rte_dev_probe("d5"), 0);
	assert_true(rte_dev_is_probed(fake_bus_device(5)));
	fake_bus.scan_rc = -EIO;
	assert_int_equal(rte_dev_probe("d6"), -EIO);
}

static void
test_device_that_is_added_again_is_there_already(void **state)
{
	(void)state;
	fake_bus.present = 1u << 5;
	fake_bus.plug_rc = -EEXIST;
	assert_int_equal(rte_dev_probe("d5"), -EEXIST);
	fake_bus.plug_rc = 0;
	assert_int_equal(rte_dev_probe("d5"), 0);
	assert_int_equal(rte_dev_probe("d5"), 0);
	assert_int_equal(rte_eal_hotplug_add("fake", "d5", "x=2"), 0);
	assert_string_equal(fake_bus_device(5)->devargs->args, "x=2");
	assert_int_equal(nb_devargs(), 1);
	assert_int_equal(rte_eal_hotplug_remove("fake", "d5"), 0);
}

static void
test_bus_that_cannot_add_or_remove_says_so(void **state)
{
	(void)state;
	fake_bus.present = 1u << 5;
	fake_bus.bus.plug = NULL;
	assert_int_equal(rte_dev_probe("d5"), -ENOTSUP);
	assert_int_equal(nb_devargs(), 0);
	rte_bus_scan();
	rte_bus_probe();
	fake_bus.bus.unplug = NULL;
	assert_int_equal(rte_dev_remove(fake_bus_device(5)), -ENOTSUP);
	assert_true(rte_dev_is_probed(fake_bus_device(5)));
}

static void
test_what_cannot_be_removed(void **state)
{
	(void)state;
	fake_bus.present = 1u << 5;
	rte_bus_scan();
	assert_int_equal(rte_dev_remove(NULL), -ENOENT);
	assert_int_equal(rte_dev_remove(fake_bus_device(5)), -ENOENT);
	assert_int_equal(rte_eal_hotplug_remove("nobody", "d5"), -ENOENT);
	assert_int_equal(rte_eal_hotplug_remove(NULL, "d5"), -ENOENT);
	assert_int_equal(rte_eal_hotplug_remove("fake", "d6"), -EINVAL);
	assert_int_equal(rte_eal_hotplug_remove("fake", NULL), -EINVAL);
	rte_bus_probe();
	fake_bus.unplug_rc = -EBUSY;
	assert_int_equal(rte_eal_hotplug_remove("fake", "d5"), -EBUSY);
	fake_bus.unplug_rc = 1;
	assert_int_equal(rte_eal_hotplug_remove("fake", "d5"), -ENOENT);
	assert_true(rte_dev_is_probed(fake_bus_device(5)));
}

static void
test_nothing_leaks_when_memory_runs_out(void **state)
{
	struct interpose_loop loop;
	struct rte_devargs key;
	int rc;

	(void)state;
	fake_bus.present = 1u << 5;
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC) | INTERPOSE_THIS_THREAD, 0) {
		rc = rte_eal_hotplug_add("fake", "d5", "x=1");
		interpose_disarm();
		assert_true(rc == 0 || (rc == -ENOMEM && interpose_fired()));
		if (rc == 0) {
			assert_int_equal(rte_eal_hotplug_remove("fake", "d5"), 0);
			assert_int_equal(rte_devargs_parse(&key, "d5"), 0);
			assert_int_equal(rte_devargs_remove(&key), 0);
			rte_devargs_reset(&key);
		}
		assert_int_equal(nb_devargs(), 0);
	}
}

#define HOTPLUG_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

static const struct CMUnitTest tests[] = {
	HOTPLUG_TEST(test_device_that_came_is_found_by_any_form_of_its_name),
	HOTPLUG_TEST(test_device_without_a_name_is_found_by_its_arguments),
	HOTPLUG_TEST(test_arguments_reach_the_device),
	HOTPLUG_TEST(test_device_that_is_not_there_leaves_no_trace),
	HOTPLUG_TEST(test_refusal_of_bus_or_driver_is_passed_on),
	HOTPLUG_TEST(test_device_that_is_added_again_is_there_already),
	HOTPLUG_TEST(test_bus_that_cannot_add_or_remove_says_so),
	HOTPLUG_TEST(test_what_cannot_be_removed),
	HOTPLUG_TEST(test_nothing_leaks_when_memory_runs_out),
};

TEST_SUITE(hotplug, "functional", tests, NULL, NULL)
