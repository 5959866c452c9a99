/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What an access costs, each against the bare thing in the same run:
 *   mapped   rte_pci_mmio_read() of a mapped register, against a volatile load of ordinary memory
 *   trapped  rte_pci_mmio_read() of one that is not, against pread() of the same descriptor
 *   search   rte_pci_find_capability(), against pread() of one byte
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_interrupts.h>

#include "fake_vfio.h"
#include "test.h"

#define DIM(a) (sizeof(a) / sizeof((a)[0]))
#define PAGE 0x1000
#define ROUNDS 200
#define FAST_CALLS 100000u
#define SLOW_CALLS 2000u

static struct fake_vfio *fake;
static struct rte_pci_device *dev;
static int dev_fd;
static uint32_t memory[1024];

static int
bench_probe(struct rte_pci_driver *driver, struct rte_pci_device *device)
{
	dev = device;
	return 0;
}

static const struct rte_pci_id bench_ids[] = {
	{ RTE_PCI_DEVICE(0xcafe, 0xbe) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver bench_driver = {
	.driver.name = "test_pci_mmio",
	.probe = bench_probe,
	.id_table = bench_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
};

static void
run_load(unsigned int nb)
{
	const volatile uint32_t *at = &memory[16];
	uint32_t value;
	unsigned int i;

	for (i = 0; i < nb; i++) {
		value = *at;
		(void)value;
	}
}

static void
run_store(unsigned int nb)
{
	volatile uint32_t *at = &memory[16];
	unsigned int i;

	for (i = 0; i < nb; i++)
		*at = i;
}

static void
run_mapped_read(unsigned int nb)
{
	uint32_t value;
	unsigned int i;

	for (i = 0; i < nb; i++)
		rte_pci_mmio_read(dev, 0, &value, sizeof(value), 64);
}

static void
run_mapped_write(unsigned int nb)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		rte_pci_mmio_write(dev, 0, &i, sizeof(i), 64);
}

/* In a window that is not the largest. */
static void
run_mapped_small_window(unsigned int nb)
{
	uint32_t value;
	unsigned int i;

	for (i = 0; i < nb; i++)
		rte_pci_mmio_read(dev, 0, &value, sizeof(value), 6 * PAGE + 64);
}

/* Where the BAR starts in the file is 0: that of BAR 0 is the first region. */
static void
run_pread(unsigned int nb)
{
	uint32_t value;
	unsigned int i;

	for (i = 0; i < nb; i++)
		if (pread(dev_fd, &value, sizeof(value), 4 * PAGE + 64) != sizeof(value))
			abort();
}

static void
run_trapped(unsigned int nb)
{
	uint32_t value;
	unsigned int i;

	for (i = 0; i < nb; i++)
		if (rte_pci_mmio_read(dev, 0, &value, sizeof(value), 4 * PAGE + 64) !=
				sizeof(value))
			abort();
}

static void
run_pwrite(unsigned int nb)
{
	uint32_t value = 0;
	unsigned int i;

	for (i = 0; i < nb; i++)
		if (pwrite(dev_fd, &value, sizeof(value), 4 * PAGE + 64) != sizeof(value))
			abort();
}

static void
run_trapped_write(unsigned int nb)
{
	uint32_t value = 0;
	unsigned int i;

	for (i = 0; i < nb; i++)
		if (rte_pci_mmio_write(dev, 0, &value, sizeof(value), 4 * PAGE + 64) !=
				sizeof(value))
			abort();
}

static void
run_find(unsigned int nb)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		if (rte_pci_find_capability(dev, RTE_PCI_CAP_ID_VNDR) <= 0)
			abort();
}

static double
now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double
time_of(void (*run)(unsigned int nb), unsigned int nb)
{
	double start = now_ns();

	run(nb);
	return (now_ns() - start) / nb;
}

struct row {
	const char *name;
	const char *base_name;
	void (*run)(unsigned int nb);
	void (*base)(unsigned int nb);
	unsigned int calls;
};

static const struct row rows[] = {
	{ "mapped read", "load", run_mapped_read, run_load, FAST_CALLS },
	{ "mapped read, other window", "load", run_mapped_small_window, run_load, FAST_CALLS },
	{ "mapped write", "store", run_mapped_write, run_store, FAST_CALLS },
	{ "trapped read", "pread", run_trapped, run_pread, SLOW_CALLS },
	{ "trapped write", "pwrite", run_trapped_write, run_pwrite, SLOW_CALLS },
	{ "find capability", "pread", run_find, run_pread, SLOW_CALLS },
};

/* The two take turns, and the best of each counts: what else the machine does only adds. */
static void
row_measure(const struct row *row)
{
	double best = 1e9;
	double base = 1e9;
	double took;
	int i;

	for (i = 0; i < ROUNDS; i++) {
		took = time_of(row->base, row->calls);
		base = took < base ? took : base;
		took = time_of(row->run, row->calls);
		best = took < best ? took : best;
	}
	printf("%-26s %9.2f ns  %-6s %9.2f ns  difference %8.2f ns  ratio %6.3f\n", row->name,
		best, row->base_name, base, best - base, best / base);
}

static void
bench_accesses_of_four_bytes(void **state)
{
	size_t i;

	for (i = 0; i < DIM(rows); i++)
		row_measure(&rows[i]);
}

static void
plug(void)
{
	static uint8_t config[256] = {
		[RTE_PCI_STATUS] = RTE_PCI_STATUS_CAP_LIST, [RTE_PCI_CAPABILITY_LIST] = 0x40,
		[0x40] = RTE_PCI_CAP_ID_PM, 0x48, [0x48] = RTE_PCI_CAP_ID_EXP, 0x84,
		[0x84] = RTE_PCI_CAP_ID_VNDR,
	};
	struct fake_device_desc desc = {
		.name = "0000:01:00.0", .driver = "vfio-pci", .group = 1,
		.vendor = 0xcafe, .device = 0xbe,
		.config = config, .config_len = sizeof(config),
		.regions[0] = {
			.size = 8 * PAGE, .flags = FAKE_REGION_RWM,
			.windows = { { 0, 2 * PAGE }, { 6 * PAGE, PAGE } }, .nb_windows = 2,
		},
	};

	fake_caps_add_sparse(&desc.regions[0].caps, 2, desc.regions[0].windows, 2);
	fake_vfio_add(fake, &desc);
}

static int
setup(void **state)
{
	static char texts[][16] = { "dpdk-test", "--no-huge", "--in-memory", "-m", "16" };
	char *args[DIM(texts) + 1] = { NULL };
	size_t i;

	for (i = 0; i < DIM(texts); i++)
		args[i] = texts[i];

	rte_pci_register(&bench_driver);
	fake = fake_vfio_start();
	plug();
	if (rte_eal_init(DIM(texts), args) < 0 || dev == NULL)
		return -1;
	/* from here on calls go to the file itself, with nothing that pretends in between */
	dev_fd = rte_intr_dev_fd_get(dev->intr_handle);
	fake_vfio_step_aside(dev_fd);
	return 0;
}

static int
teardown(void **state)
{
	rte_eal_cleanup();
	fake_vfio_stop(fake);
	rte_pci_unregister(&bench_driver);
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bench_accesses_of_four_bytes),
};
TEST_SUITE(pci_mmio, "benchmark", tests, setup, teardown)
