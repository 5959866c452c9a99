/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_devargs.h>

#include "fake_bus.h"
#include "interpose.h"
#include "test.h"

#define NAME_63 "d00000000000000000000000000000000000000000000000000000000000001"

static const struct {
	const char *text;
	int rc;
	const char *name;
	const char *args;	/* of the driver */
	const char *bus_str;
	const char *cls_str;
} parse_cases[] = {
	/* plain form */
	{ "d3", 0, "d3", "" },
	{ "d3,", 0, "d3", "" },
	{ "d3,queues=2,mac=1:2:3", 0, "d3", "queues=2,mac=1:2:3" },
	{ "d003", 0, "d003", "" },
	{ "fake:d3", 0, "d3", "" },
	{ "fake:d3,x=1", 0, "d3", "x=1" },
	{ "fake:other", -EFAULT },
	{ "fake:", -EFAULT },
	{ NAME_63, 0, NAME_63, "" },
	{ "fake:" NAME_63, 0, NAME_63, "" },
	{ NAME_63 "0", -EINVAL },
	{ "other", -EFAULT },
	{ "", -EFAULT },
	{ ",x=1", -EFAULT },
	{ "d9", -EFAULT },
	/* layered form */
	{ "bus=fake,number=3", 0, "d3", NULL, "bus=fake,number=3" },
	{ "bus=fake", 0, "", NULL, "bus=fake" },
	{ "bus=fake,number=3/driver=net_x,queues=2", 0, "d3", "driver=net_x,queues=2",
		"bus=fake,number=3" },
	{ "bus=fake,number=3/class=fakeclass,a=b/driver=x", 0, "d3", "driver=x",
		"bus=fake,number=3", "class=fakeclass,a=b" },
	{ "class=fakeclass/bus=fake,number=3", 0, "d3", NULL, "bus=fake,number=3",
		"class=fakeclass" },
	{ "bus=fake,number=3,path=/dir/file/driver=x", 0, "d3", "driver=x",
		"bus=fake,number=3,path=/dir/file" },
	{ "bus=nobody,number=3", -EFAULT },
	{ "bus=fake/class=nobody", -EFAULT },
	{ "bus=fake,number=9", -EINVAL },
	{ "bus=fake,number=3/bus=fake", -EINVAL },
	{ "bus=,number=3", -EFAULT },
};

static void
assert_text(const char *text, const char *what, const char *got, const char *want)
{
	if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
		fail_msg("\"%s\": %s is \"%s\"", text, what, got != NULL ? got : "(none)");
}

static void
test_text_names_a_device_and_its_arguments(void **state)
{
	struct rte_devargs da;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < RTE_DIM(parse_cases); i++) {
		rc = rte_devargs_parse(&da, parse_cases[i].text);
		if (rc != parse_cases[i].rc)
			fail_msg("\"%s\": %d", parse_cases[i].text, rc);
		if (rc < 0) {
			assert_null(da.data);
			continue;
		}
		assert_ptr_equal(da.bus, &fake_bus.bus);
		assert_text(parse_cases[i].text, "name", da.name, parse_cases[i].name);
		assert_text(parse_cases[i].text, "args", da.args, parse_cases[i].args);
		assert_text(parse_cases[i].text, "bus_str", da.bus_str, parse_cases[i].bus_str);
		assert_text(parse_cases[i].text, "cls_str", da.cls_str, parse_cases[i].cls_str);
		assert_ptr_equal(da.cls, da.cls_str != NULL ? &fake_class : NULL);
		rte_devargs_reset(&da);
		assert_null(da.data);
	}
}

static void
test_nothing_is_refused(void **state)
{
	struct rte_devargs da;

	(void)state;
	assert_int_equal(rte_devargs_parse(NULL, "d1"), -EINVAL);
	assert_int_equal(rte_devargs_parse(&da, NULL), -EINVAL);
	assert_int_equal(rte_devargs_parsef(NULL, "d1"), -EINVAL);
	assert_int_equal(rte_devargs_insert(NULL), -1);
	assert_int_equal(rte_devargs_remove(NULL), -1);
	rte_devargs_reset(NULL);
}

static void
test_text_may_be_formatted(void **state)
{
	struct rte_devargs da;

	(void)state;
	assert_int_equal(rte_devargs_parsef(&da, "%s:d%u,a=%d", "fake", 2u, -1), 0);
	assert_string_equal(da.name, "d2");
	assert_string_equal(da.args, "a=-1");
	rte_devargs_reset(&da);
}

/* A bus that does not read the layered form itself. */
static void
test_key_name_is_the_name_by_default(void **state)
{
	struct rte_devargs da;

	(void)state;
	fake_bus.bus.devargs_parse = NULL;
	assert_int_equal(rte_devargs_parse(&da, "bus=fake,name=d2"), 0);
	assert_string_equal(da.name, "d2");
	rte_devargs_reset(&da);
	assert_int_equal(rte_devargs_parse(&da, "bus=fake,name=d" NAME_63), -EINVAL);
}

static unsigned int
nb_listed(const char *busname)
{
	const struct rte_devargs *da;
	unsigned int nb = 0;

	RTE_EAL_DEVARGS_FOREACH(busname, da)
		nb++;
	return nb;
}

static void
list_clear(void)
{
	while (rte_devargs_next(NULL, NULL) != NULL)
		rte_devargs_remove(rte_devargs_next(NULL, NULL));
}

static void
test_list_keeps_order_and_type(void **state)
{
	const struct rte_devargs *da;

	(void)state;
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "d2,a=1"), 0);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "d1"), 0);
	da = rte_devargs_next("fake", NULL);
	assert_string_equal(da->name, "d2");
	assert_int_equal(da->policy, RTE_DEV_ALLOWED);
	assert_string_equal(rte_devargs_next(NULL, da)->name, "d1");
	assert_int_equal(rte_devargs_type_count(RTE_DEVTYPE_ALLOWED), 2);
	assert_int_equal(rte_devargs_type_count(RTE_DEVTYPE_BLOCKED), 0);
	assert_int_equal(nb_listed("nobody"), 0);
	list_clear();
}

static void
test_first_type_settles_what_the_bus_lists(void **state)
{
	(void)state;
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_BLOCKED, "d2"), 0);
	assert_int_equal(fake_bus.bus.conf.scan_mode, RTE_BUS_SCAN_BLOCKLIST);
	assert_int_equal(rte_devargs_next(NULL, NULL)->policy, RTE_DEV_BLOCKED);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "d1"), 0);
	assert_int_equal(fake_bus.bus.conf.scan_mode, RTE_BUS_SCAN_BLOCKLIST);
	list_clear();
}

static void
test_same_device_is_listed_once(void **state)
{
	(void)state;
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "d2,a=1"), 0);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "d1"), 0);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "fake:d002,b=2"), 0);
	assert_int_equal(nb_listed("fake"), 2);
	assert_string_equal(rte_devargs_next(NULL, NULL)->args, "b=2");
	list_clear();
}

static void
test_devices_without_name_are_told_apart_by_the_bus_part(void **state)
{
	(void)state;
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "bus=fake,path=/one"), 0);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "bus=fake,path=/two"), 0);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "bus=fake,path=/one"), 0);
	assert_int_equal(nb_listed("fake"), 2);
	list_clear();
}

static void
test_device_is_removed_by_any_form_of_its_name(void **state)
{
	struct rte_devargs da;

	(void)state;
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "d2"), 0);
	assert_int_equal(rte_devargs_parse(&da, "d02"), 0);
	assert_int_equal(rte_devargs_remove(&da), 0);
	assert_int_equal(nb_listed(NULL), 0);
	assert_int_equal(rte_devargs_remove(&da), 1);
	rte_devargs_reset(&da);
}

static void
test_text_without_a_bus_cannot_be_listed(void **state)
{
	(void)state;
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "class=fakeclass"), -EINVAL);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_ALLOWED, "other"), -EFAULT);
	assert_int_equal(nb_listed(NULL), 0);
	assert_int_equal(fake_bus.bus.conf.scan_mode, RTE_BUS_SCAN_UNDEFINED);
}

/* As the virtual bus: what it makes of a name is the driver, not the device. */
static int
vdev_parse(const char *name, void *addr)
{
	if (strncmp(name, "net_null", 8) != 0)
		return -EINVAL;
	if (addr != NULL)
		*(const void **)addr = &fake_bus;
	return 0;
}

static void
test_virtual_devices_of_a_driver_are_different_devices(void **state)
{
	struct rte_bus vdev = fake_bus.bus;

	(void)state;
	vdev.name = "vdev";
	vdev.parse = vdev_parse;
	rte_bus_register(&vdev);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_VIRTUAL, "net_null0"), 0);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_VIRTUAL, "net_null1"), 0);
	assert_int_equal(rte_devargs_type_count(RTE_DEVTYPE_VIRTUAL), 2);
	list_clear();
	rte_bus_unregister(&vdev);
}

static void
test_dump_shows_the_list(void **state)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	rte_devargs_add(RTE_DEVTYPE_BLOCKED, "d2,a=1");
	rte_devargs_add(RTE_DEVTYPE_BLOCKED, "bus=fake,number=1");
	rte_devargs_dump(out);
	fclose(out);
	assert_string_equal(text, "device fake:d2 blocked, arguments \"a=1\"\n"
		"device fake:d1 blocked, arguments \"\"\n");
	free(text);
	list_clear();
}

static void
test_nothing_leaks_when_memory_runs_out(void **state)
{
	struct interpose_loop loop;
	int rc;

	(void)state;
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC), 0) {
		rc = rte_devargs_add(RTE_DEVTYPE_ALLOWED,
			"bus=fake,number=1/class=fakeclass/driver=x,y=1");
		if (rc == 0)
			rc = rte_devargs_add(RTE_DEVTYPE_ALLOWED, "d01,replaced=1");
		interpose_disarm();
		assert_int_equal(rc < 0, interpose_fired());
		list_clear();
	}
}

static int
start(void **state)
{
	(void)state;
	fake_bus_add();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	fake_bus_remove();
	return 0;
}

#define DEVARGS_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

static const struct CMUnitTest tests[] = {
	DEVARGS_TEST(test_text_names_a_device_and_its_arguments),
	DEVARGS_TEST(test_nothing_is_refused),
	DEVARGS_TEST(test_text_may_be_formatted),
	DEVARGS_TEST(test_key_name_is_the_name_by_default),
	DEVARGS_TEST(test_list_keeps_order_and_type),
	DEVARGS_TEST(test_first_type_settles_what_the_bus_lists),
	DEVARGS_TEST(test_same_device_is_listed_once),
	DEVARGS_TEST(test_devices_without_name_are_told_apart_by_the_bus_part),
	DEVARGS_TEST(test_device_is_removed_by_any_form_of_its_name),
	DEVARGS_TEST(test_text_without_a_bus_cannot_be_listed),
	DEVARGS_TEST(test_virtual_devices_of_a_driver_are_different_devices),
	DEVARGS_TEST(test_dump_shows_the_list),
	DEVARGS_TEST(test_nothing_leaks_when_memory_runs_out),
};

TEST_SUITE(devargs, "unit", tests, NULL, NULL)
