/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What it costs to find devices, against the bare system calls by which DPDK reads the same tree:
 * seven files for each device, three calls of access() and the link to the driver, and nothing
 * done with what was read. Both in one run, on a tree in memory, made in shuffled order.
 */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_bus.h>
#include <rte_common.h>
#include <rte_dev.h>

#include "eal_session.h"
#include "fake_backend.h"
#include "fake_sysfs.h"
#include "test.h"

#define TARGET 0.6

static const unsigned int sizes[] = { 16, 256, 1024, 4096, 16384 };

static struct rte_bus *bus;

/* The processor's time: nothing here waits, but other processes may be running. */
static double
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

static void
file_read(const char *folder, const char *name, const char *attribute)
{
	char path[PATH_MAX], text[4096];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", folder, name, attribute);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	len = read(fd, text, sizeof(text));
	assert_true(len > 0);
	close(fd);
}

static void
bare_device(const char *folder, const char *name)
{
	static const char *const files[] = { "vendor", "device", "subsystem_vendor",
		"subsystem_device", "class", "numa_node", "resource" };
	static const char *const asked[] = { "max_vfs", "sriov_numvfs", "numa_node" };
	char path[PATH_MAX], target[PATH_MAX];
	unsigned int i;

	for (i = 0; i < RTE_DIM(files); i++)
		file_read(folder, name, files[i]);
	for (i = 0; i < RTE_DIM(asked); i++) {
		snprintf(path, sizeof(path), "%s/%s/%s", folder, name, asked[i]);
		(void)!access(path, F_OK);
	}
	snprintf(path, sizeof(path), "%s/%s/driver", folder, name);
	assert_true(readlink(path, target, sizeof(target)) > 0);
}

static void
bare_scan(const char *folder)
{
	struct dirent *device;
	DIR *dir = opendir(folder);

	assert_non_null(dir);
	while ((device = readdir(dir)) != NULL)
		if (device->d_name[0] != '.')
			bare_device(folder, device->d_name);
	closedir(dir);
}

static int
cmp_any(const struct rte_device *dev, const void *data)
{
	return 0;
}

/* Hands out all devices, each as it is now. */
static unsigned int
look_at_all(void)
{
	struct rte_device *dev = NULL;
	unsigned int nb = 0;

	while ((dev = bus->find_device(dev, cmp_any, NULL)) != NULL)
		nb++;
	return nb;
}

/* The best of some runs, in seconds. */
struct timing {
	double bare, first, first_look, again, again_look, idle;
};

static void
keep_best(double *best, double start)
{
	const double took = now() - start;

	if (*best == 0 || took < *best)
		*best = took;
}

static void
measure_bus(struct timing *t, unsigned int nb)
{
	double start;

	start = now();
	assert_int_equal(bus->scan(), 0);
	keep_best(&t->first, start);
	assert_int_equal(look_at_all(), nb);
	keep_best(&t->first_look, start);
	start = now();
	assert_int_equal(bus->scan(), 0);
	keep_best(&t->again, start);
	assert_int_equal(look_at_all(), nb);
	keep_best(&t->again_look, start);
	assert_int_equal(bus->cleanup(), 0);
}

static void
measure_idle(struct timing *t)
{
	const double start = now();

	assert_int_equal(bus->scan(), 0);
	assert_int_equal(bus->get_iommu_class(), RTE_IOVA_DC);
	assert_int_equal(bus->probe(), 0);
	keep_best(&t->idle, start);
	assert_int_equal(bus->cleanup(), 0);
}

static unsigned int
runs_for(unsigned int nb)
{
	return nb >= 16384 ? 3 : nb >= 1024 ? 10 : 50;
}

/* Numbers below @p nb, a power of two, each once and in no order. */
static void
tree_fill(const struct fake_sysfs *sysfs, unsigned int nb, const char *driver)
{
	const struct fake_sysfs_desc desc = {
		.driver = driver,
		.vendor = 0x8086, .device = 0x1889, .subsystem_vendor = 0x8086,
		.class_id = 0x020000, .bar_len = 0x20000,
	};
	char name[PCI_PRI_STR_SIZE];
	unsigned int i, n;

	for (i = 0; i < nb; i++) {
		n = (i * 40503u + 12345u) & (nb - 1);
		snprintf(name, sizeof(name), "%04x:%02x:%02x.%x", n >> 14, n >> 6 & 0xff,
			n >> 3 & 7, n & 7);
		fake_sysfs_add(sysfs, name, &desc);
	}
}

static void
measure(unsigned int nb, struct timing *t)
{
	struct fake_sysfs *sysfs = fake_sysfs_start();
	unsigned int run;
	double start;

	tree_fill(sysfs, nb, FAKE_BACKEND_KERNEL_DRIVER);
	for (run = 0; run < runs_for(nb); run++) {
		start = now();
		bare_scan(sysfs->devices);
		keep_best(&t->bare, start);
		measure_bus(t, nb);
	}
	fake_sysfs_stop(sysfs);
	sysfs = fake_sysfs_start();
	tree_fill(sysfs, nb, "e1000e");
	for (run = 0; run < runs_for(nb); run++)
		measure_idle(t);
	fake_sysfs_stop(sysfs);
}

static void
print_row(unsigned int nb, const char *what, double took, double bare)
{
	printf("%8u  %-34s %9.3f ms %9.2f us %8.2fx\n", nb, what, 1e3 * took, 1e6 * took / nb,
		took / bare);
}

static void
print_timing(unsigned int nb, const struct timing *t)
{
	print_row(nb, "bare calls as DPDK makes", t->bare, t->bare);
	print_row(nb, "first scan", t->first, t->bare);
	print_row(nb, "first scan, all devices read", t->first_look, t->bare);
	print_row(nb, "re-scan", t->again, t->bare);
	print_row(nb, "re-scan, all devices read again", t->again_look, t->bare);
	print_row(nb, "scan and probe, nobody drives them", t->idle, t->bare);
}

static void
bench_scan_against_bare_calls(void **state)
{
	double worst = 0;
	unsigned int i;

	printf("%8s  %-34s %12s %12s %9s\n", "devices", "", "all", "one", "to bare");
	for (i = 0; i < RTE_DIM(sizes); i++) {
		struct timing t = { .bare = 0 };

		measure(sizes[i], &t);
		print_timing(sizes[i], &t);
		worst = RTE_MAX(worst, RTE_MAX(t.first_look, t.again_look) / t.bare);
	}
	printf("with all devices read: at most %.2fx of the bare calls; the target is %.2fx\n",
		worst, TARGET);
}

static int
setup(void **state)
{
	struct fake_sysfs *empty = fake_sysfs_start();

	fake_backend_start();
	eal_session_start(NULL);
	fake_sysfs_stop(empty);
	bus = rte_bus_find_by_name("pci");
	return bus == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	eal_session_stop();
	fake_backend_stop();
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bench_scan_against_bare_calls),
};

TEST_SUITE(pci_scan, "benchmark", tests, setup, teardown)
