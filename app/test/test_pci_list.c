/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bus_driver.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "tame_driver.h"
#include "test.h"

/* ---- what the user wants ---- */

static void
test_allow_list_lists_no_other_device(void **state)
{
	static const char *const allow[] = { "-a", "02:00.0,key=value", NULL };
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);

	fake_pci_add("0000:01:00.0", &tame_device);
	fake_pci_add("0000:02:00.0", &tame_device);
	tame_register(one);
	eal_session_start(allow);
	assert_int_equal(tame_count(), 1);
	assert_int_equal(one->nb_probes, 1);
	assert_string_equal(one->dev->name, "0000:02:00.0");
	assert_non_null(one->dev->device.devargs);
	assert_string_equal(one->dev->device.devargs->args, "key=value");
	assert_ptr_equal(tame_find("2:0.0"), &one->dev->device);
	assert_null(tame_find("01:00.0"));
	eal_session_stop();
}

/* DPDK 25.11 has it so too. Events of the kernel and EAL's hot add compare the text. */
static void
test_device_is_called_by_its_address_however_it_was_allowed(void **state)
{
	static const char *const allow[] = { "-a", "1:0.0,key=value", NULL };
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);

	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(one);
	eal_session_start(allow);
	assert_string_equal(one->dev->device.devargs->args, "key=value");
	assert_string_equal(one->dev->device.name, "0000:01:00.0");
	assert_int_equal(rte_dev_remove(&one->dev->device), 0);
	assert_int_equal(rte_dev_probe("0000:01:00.0,key=other"), 0);
	assert_string_equal(one->dev->device.name, "0000:01:00.0");
	eal_session_stop();
}

static void
test_block_list_leaves_devices_out(void **state)
{
	static const char *const block[] = { "-b", "0000:01:00.0", "-b", "03:00.0", NULL };
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);

	fake_pci_add("0000:01:00.0", &tame_device);
	fake_pci_add("0000:02:00.0", &tame_device);
	fake_pci_add("0000:03:00.0", &tame_device);
	tame_register(one);
	eal_session_start(block);
	assert_int_equal(tame_count(), 1);
	assert_int_equal(one->nb_probes, 1);
	assert_string_equal(one->dev->name, "0000:02:00.0");
	eal_session_stop();
}

static void
test_device_that_is_blocked_later_is_not_probed(void **state)
{
	static const char *const allow[] = { "-a", "01:00.0", NULL };
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED, .probe_rc = 1);

	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(one);
	eal_session_start(allow);
	assert_int_equal(one->nb_probes, 1);
	one->dev->device.devargs->policy = RTE_DEV_BLOCKED;
	assert_int_equal(tame_bus->plug(&one->dev->device), 1);
	assert_int_equal(one->nb_probes, 1);
	one->dev->device.devargs->policy = RTE_DEV_ALLOWED;
	eal_session_stop();
}

static void
test_entry_that_is_no_address_is_named(void **state)
{
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	const char *text;

	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(one);
	eal_session_start(NULL);
	assert_int_equal(rte_devargs_add(RTE_DEVTYPE_BLOCKED, "01:00.0"), 0);
	rte_devargs_next("pci", NULL)->name[0] = 'x';
	eal_log_capture();
	assert_int_equal(tame_bus->scan(), 0);
	text = eal_log_text();
	assert_int_equal(eal_log_lines_with(text, "\"x1:00.0\""), 1);
	eal_log_release();
	eal_session_stop();
}

static void
test_devargs_name_the_device(void **state)
{
	struct rte_devargs da = { .type = RTE_DEVTYPE_ALLOWED };
	struct rte_pci_addr addr = { 1, 2, 3, 4 };

	eal_session_start(NULL);
	assert_int_equal(rte_devargs_parse(&da, "bus=pci,addr=1:2.3"), 0);
	assert_string_equal(da.name, "0000:01:02.3");
	rte_devargs_reset(&da);
	assert_true(rte_devargs_parse(&da, "bus=pci,addr=1:2.g") < 0);
	rte_devargs_reset(&da);
	assert_int_equal(tame_bus->parse("0001:02:03.4", &addr), 0);
	assert_int_equal(addr.domain, 1);
	assert_int_equal(tame_bus->parse("02:03.4", NULL), 0);
	assert_int_not_equal(tame_bus->parse("net_null0", &addr), 0);
	assert_int_equal(addr.domain, 1);
	eal_session_stop();
}

/* ---- walking ---- */

static int
cmp_numa(const struct rte_device *dev, const void *data)
{
	return rte_dev_numa_node(dev) != *(const int *)data;
}

static void
test_search_goes_on_after_a_device_in_order_of_addresses(void **state)
{
	static const char *const names[] = { "0000:00:01.0", "0000:00:01.1", "0000:05:00.0",
		"0001:00:00.0", "10000:00:00.0" };
	const unsigned int shuffled[] = { 3, 0, 4, 2, 1 };
	struct fake_pci like = tame_device;
	struct rte_device *dev = NULL;
	unsigned int i;
	int node = 1;

	like.numa_node = 1;
	for (i = 0; i < RTE_DIM(shuffled); i++)
		fake_pci_add(names[shuffled[i]], &like);
	like.numa_node = 0;
	fake_pci_add("0000:03:00.0", &like);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(names); i++) {
		dev = tame_bus->find_device(dev, cmp_numa, &node);
		assert_non_null(dev);
		assert_string_equal(dev->name, names[i]);
	}
	assert_null(tame_bus->find_device(dev, cmp_numa, &node));
	assert_int_equal(tame_count(), 6);
	eal_session_stop();
}

static void
test_filter_with_an_unknown_key_is_an_error(void **state)
{
	static const char *const bad[] = { "colour=red", "addr=nowhere", "addr=", "addr" };
	unsigned int i;

	fake_pci_add("0000:01:00.0", &tame_device);
	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(bad); i++) {
		rte_errno = 0;
		eal_log_capture();
		assert_null(tame_bus->dev_iterate(NULL, bad[i], NULL));
		assert_int_equal(eal_log_lines_with(eal_log_text(), bad[i]), 1);
		eal_log_release();
		assert_int_equal(rte_errno, EINVAL);
	}
	assert_non_null(tame_bus->dev_iterate(NULL, "", NULL));
	assert_non_null(tame_bus->dev_iterate(NULL, NULL, NULL));
	eal_session_stop();
}

static void
test_dump_shows_what_there_is(void **state)
{
	static const char *const words[] = { "0000:01:00.0", "vendor:1234", "device:1",
		"class:020000", "driver: one", "backend: fake", "BAR0", "window 0-0x3fff rw",
		"window 0x8000-0xbfff rw", "BAR2", "interrupts:" };
	struct tame_driver *one = tame_new("one", tame_ids_1, TAME_MAPPED);
	char *text = NULL;
	size_t size = 0;
	unsigned int i;
	FILE *f;

	fake_pci_add("0000:01:00.0", &tame_device);
	tame_register(one);
	eal_session_start(NULL);
	f = open_memstream(&text, &size);
	rte_pci_dump(f);
	fclose(f);
	for (i = 0; i < RTE_DIM(words); i++)
		if (strstr(text, words[i]) == NULL)
			fail_msg("no \"%s\" in\n%s", words[i], text);
	free(text);
	eal_session_stop();
}

static const struct CMUnitTest tests[] = {
	TAME_TEST(test_allow_list_lists_no_other_device),
	TAME_TEST(test_device_is_called_by_its_address_however_it_was_allowed),
	TAME_TEST(test_block_list_leaves_devices_out),
	TAME_TEST(test_device_that_is_blocked_later_is_not_probed),
	TAME_TEST(test_entry_that_is_no_address_is_named),
	TAME_TEST(test_devargs_name_the_device),
	TAME_TEST(test_search_goes_on_after_a_device_in_order_of_addresses),
	TAME_TEST(test_filter_with_an_unknown_key_is_an_error),
	TAME_TEST(test_dump_shows_what_there_is),
};

TEST_SUITE(pci_list, "functional", tests, NULL, NULL)
