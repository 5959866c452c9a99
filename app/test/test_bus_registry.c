/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_errno.h>

#include "fake_bus.h"
#include "test.h"

/* A bus that does little but write down what is asked of it. */
static char calls[64];

static int
other_scan(void)
{
	strcat(calls, "scan ");
	return 0;
}

static int
other_probe(void)
{
	strcat(calls, "probe ");
	return 0;
}

static struct rte_device *
other_find_device(const struct rte_device *start, rte_dev_cmp_t cmp, const void *data)
{
	(void)start;
	(void)cmp;
	(void)data;
	return NULL;
}

static enum rte_iova_mode other_iova_mode;

static enum rte_iova_mode
other_iommu_class(void)
{
	return other_iova_mode;
}

static struct rte_bus other_bus;

static int
start(void **state)
{
	(void)state;
	calls[0] = '\0';
	other_bus = (struct rte_bus){
		.name = "other",
		.scan = other_scan,
		.probe = other_probe,
		.find_device = other_find_device,
		.get_iommu_class = other_iommu_class,
	};
	other_iova_mode = RTE_IOVA_DC;
	rte_bus_register(&other_bus);
	fake_bus_add();
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	fake_bus_remove();
	rte_bus_unregister(&other_bus);
	return 0;
}

static void
test_bus_is_found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(rte_bus_find_by_name("fake"), &fake_bus.bus);
	assert_ptr_equal(rte_bus_find_by_name("other"), &other_bus);
	assert_null(rte_bus_find_by_name("fak"));
	assert_null(rte_bus_find_by_name(NULL));
	assert_string_equal(rte_bus_name(&fake_bus.bus), "fake");
}

static void
test_bus_is_found_by_device(void **state)
{
	struct rte_device stranger = { .name = "d1" };

	(void)state;
	rte_bus_scan();
	assert_ptr_equal(rte_bus_find_by_device(fake_bus_device(2)), &fake_bus.bus);
	assert_null(rte_bus_find_by_device(&stranger));
}

static int
any_bus(const struct rte_bus *bus, const void *data)
{
	(void)bus;
	(void)data;
	return 0;
}

static void
test_search_goes_on_after_a_bus(void **state)
{
	struct rte_bus *bus = rte_bus_find(&other_bus, any_bus, NULL);

	(void)state;
	assert_ptr_equal(bus, &fake_bus.bus);
	assert_null(rte_bus_find(bus, any_bus, NULL));
}

static void
test_unregistered_bus_is_not_found(void **state)
{
	(void)state;
	rte_bus_unregister(&other_bus);
	assert_null(rte_bus_find_by_name("other"));
	rte_bus_register(&other_bus);
}

static void
test_scan_reaches_every_bus_even_if_one_fails(void **state)
{
	(void)state;
	fake_bus.scan_rc = -EIO;
	assert_int_equal(rte_bus_scan(), 0);
	assert_int_equal(fake_bus.nb_scans, 1);
	assert_string_equal(calls, "scan ");
}

static int
probe_before_others(void)
{
	strcat(calls, fake_bus.nb_probes == 0 ? "early " : "late ");
	return 0;
}

static void
test_virtual_bus_is_probed_last(void **state)
{
	(void)state;
	rte_bus_unregister(&other_bus);
	other_bus.name = "vdev";
	other_bus.probe = probe_before_others;
	rte_bus_unregister(&fake_bus.bus);
	rte_bus_register(&other_bus);
	rte_bus_register(&fake_bus.bus);
	fake_bus.probe_rc = -EIO;
	assert_int_equal(rte_bus_probe(), 0);
	assert_string_equal(calls, "late ");
	assert_int_equal(fake_bus.nb_probes, 1);
}

static const struct {
	enum rte_iova_mode fake;
	enum rte_iova_mode other;
	enum rte_iova_mode want;
} iova_cases[] = {
	{ RTE_IOVA_DC, RTE_IOVA_DC, RTE_IOVA_DC },
	{ RTE_IOVA_VA, RTE_IOVA_DC, RTE_IOVA_VA },
	{ RTE_IOVA_DC, RTE_IOVA_VA, RTE_IOVA_VA },
	{ RTE_IOVA_PA, RTE_IOVA_DC, RTE_IOVA_PA },
	{ RTE_IOVA_PA, RTE_IOVA_PA, RTE_IOVA_PA },
	{ RTE_IOVA_PA, RTE_IOVA_VA, RTE_IOVA_DC },
};

static void
test_address_kind_is_what_all_buses_can_live_with(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(iova_cases); i++) {
		fake_bus.iova_mode = iova_cases[i].fake;
		other_iova_mode = iova_cases[i].other;
		assert_int_equal(rte_bus_get_iommu_class(), iova_cases[i].want);
	}
	fake_bus.iova_mode = RTE_IOVA_DC;
	other_bus.get_iommu_class = NULL;
	assert_int_equal(rte_bus_get_iommu_class(), RTE_IOVA_DC);
}

static void
test_dump_names_the_buses(void **state)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	rte_bus_dump(out);
	fclose(out);
	assert_non_null(strstr(text, "fake\n"));
	assert_non_null(strstr(text, "other\n"));
	free(text);
}

static const struct {
	const char *what;
	size_t missing;	/* offset of the field that is cleared */
} incomplete_cases[] = {
	{ "no name", offsetof(struct rte_bus, name) },
	{ "no scan", offsetof(struct rte_bus, scan) },
	{ "no probe", offsetof(struct rte_bus, probe) },
	{ "no find_device", offsetof(struct rte_bus, find_device) },
	{ "unplug without plug", offsetof(struct rte_bus, plug) },
};

static bool
register_aborts(struct rte_bus *bus)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		signal(SIGABRT, SIG_DFL);
		fclose(stderr);
		rte_bus_register(bus);
		_exit(EXIT_SUCCESS);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void
test_incomplete_bus_is_a_bug(void **state)
{
	struct rte_bus bus = fake_bus.bus;
	size_t i;

	(void)state;
	assert_false(register_aborts(&bus));
	for (i = 0; i < RTE_DIM(incomplete_cases); i++) {
		bus = fake_bus.bus;
		memset((char *)&bus + incomplete_cases[i].missing, 0, sizeof(void *));
		if (!register_aborts(&bus))
			fail_msg("%s: registered", incomplete_cases[i].what);
	}
}

/* ---- classes ---- */

static void
test_class_is_found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(rte_class_find_by_name("fakeclass"), &fake_class);
	assert_null(rte_class_find_by_name("nobody"));
	assert_null(rte_class_find_by_name(NULL));
}

/* ---- devices ---- */

static void
test_device_tells_what_it_is(void **state)
{
	struct rte_device *dev;

	(void)state;
	rte_bus_scan();
	dev = fake_bus_device(1);
	assert_string_equal(rte_dev_name(dev), "d1");
	assert_ptr_equal(rte_dev_bus(dev), &fake_bus.bus);
	assert_null(rte_dev_bus_info(dev));
	assert_null(rte_dev_devargs(dev));
	assert_null(rte_dev_driver(dev));
	assert_int_equal(rte_dev_numa_node(dev), -1);
	assert_false(rte_dev_is_probed(dev));
	rte_bus_probe();
	assert_true(rte_dev_is_probed(dev));
	assert_string_equal(rte_driver_name(rte_dev_driver(dev)), "fake_driver");
}

static const struct {
	const char *text;
	const char *want;	/* the devices, in order */
} iterate_cases[] = {
	{ "bus=fake", "d1 d2 d3 " },
	{ "bus=fake,number=2", "d2 " },
	{ "bus=fake,number=7", "" },
	{ "class=fakeclass", "d1 d3 " },
	{ "bus=fake/class=fakeclass", "d1 d3 " },
	{ "bus=fake,number=3/class=fakeclass,x=1", "d3 " },
	{ "bus=fake,number=2/class=fakeclass", "" },
};

static void
test_devices_are_walked_by_bus_and_class(void **state)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;
	char got[64];
	size_t i;

	(void)state;
	rte_bus_scan();
	for (i = 0; i < RTE_DIM(iterate_cases); i++) {
		got[0] = '\0';
		RTE_DEV_FOREACH(dev, iterate_cases[i].text, &it)
			strcat(strcat(got, dev->name), " ");
		if (strcmp(got, iterate_cases[i].want) != 0)
			fail_msg("\"%s\" finds \"%s\"", iterate_cases[i].text, got);
		assert_null(rte_dev_iterator_next(&it));
	}
}

static const struct {
	const char *text;
	int rc;
} iterate_wrong[] = {
	{ "", -EINVAL },
	{ "d1", -EINVAL },
	{ "driver=x", -EINVAL },
	{ "bus=nobody", -EFAULT },
	{ "class=nobody", -EFAULT },
	{ "bus=fake/bus=fake", -EINVAL },
	{ "bus=other", -ENOTSUP },
	{ NULL, -EINVAL },
};

static void
test_wrong_filter_is_refused_and_finds_nothing(void **state)
{
	struct rte_dev_iterator it;
	size_t i;

	(void)state;
	rte_bus_scan();
	for (i = 0; i < RTE_DIM(iterate_wrong); i++) {
		rte_errno = 0;
		assert_int_equal(rte_dev_iterator_init(&it, iterate_wrong[i].text),
			iterate_wrong[i].rc);
		assert_int_equal(rte_errno, -iterate_wrong[i].rc);
		assert_null(rte_dev_iterator_next(&it));
	}
	assert_int_equal(rte_dev_iterator_init(NULL, "bus=fake"), -EINVAL);
}

static void
test_filter_that_the_bus_does_not_know_ends_the_walk(void **state)
{
	struct rte_dev_iterator it;

	(void)state;
	rte_bus_scan();
	assert_int_equal(rte_dev_iterator_init(&it, "bus=fake,color=red"), 0);
	rte_errno = 0;
	assert_null(rte_dev_iterator_next(&it));
	assert_int_equal(rte_errno, EINVAL);
}

/* ---- memory ---- */

static int
dma_map(struct rte_device *dev, void *addr, uint64_t iova, size_t len)
{
	(void)dev;
	(void)addr;
	(void)iova;
	(void)len;
	return 0;
}

static void
mapping_fails(struct rte_device *dev, size_t len, int error)
{
	char page[1];

	rte_errno = 0;
	assert_int_equal(rte_dev_dma_map(dev, page, 0x1000, len), -1);
	assert_int_equal(rte_errno, error);
	rte_errno = 0;
	assert_int_equal(rte_dev_dma_unmap(dev, page, 0x1000, len), -1);
	assert_int_equal(rte_errno, error);
}

/* Memory that EAL does not know, by rte_extmem_register() or else, is not for devices. */
static void
test_mapping_that_cannot_be_does_not_reach_the_bus(void **state)
{
	struct rte_device *dev;

	(void)state;
	rte_bus_scan();
	dev = fake_bus_device(1);
	mapping_fails(NULL, 4096, EINVAL);
	mapping_fails(dev, 4096, ENOTSUP);
	fake_bus.bus.dma_map = dma_map;
	fake_bus.bus.dma_unmap = dma_map;
	mapping_fails(dev, 0, ENOTSUP);
	mapping_fails(dev, 4096, EINVAL);
}

#define BUS_TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

static const struct CMUnitTest tests[] = {
	BUS_TEST(test_bus_is_found_by_name),
	BUS_TEST(test_bus_is_found_by_device),
	BUS_TEST(test_search_goes_on_after_a_bus),
	BUS_TEST(test_unregistered_bus_is_not_found),
	BUS_TEST(test_scan_reaches_every_bus_even_if_one_fails),
	BUS_TEST(test_virtual_bus_is_probed_last),
	BUS_TEST(test_address_kind_is_what_all_buses_can_live_with),
	BUS_TEST(test_dump_names_the_buses),
	BUS_TEST(test_incomplete_bus_is_a_bug),
	BUS_TEST(test_class_is_found_by_name),
	BUS_TEST(test_device_tells_what_it_is),
	BUS_TEST(test_devices_are_walked_by_bus_and_class),
	BUS_TEST(test_wrong_filter_is_refused_and_finds_nothing),
	BUS_TEST(test_filter_that_the_bus_does_not_know_ends_the_walk),
	BUS_TEST(test_mapping_that_cannot_be_does_not_reach_the_bus),
};

TEST_SUITE(bus_registry, "unit", tests, NULL, NULL)
