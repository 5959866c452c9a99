/* SPDX-License-Identifier: BSD-3-Clause */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>

#include "driver_tests.h"
#include "eal_session.h"

static const struct driver_test *const parts[] = {
	driver_tests_register,
	driver_tests_config,
	driver_tests_memory,
	driver_tests_calls,
	driver_tests_interrupt,
	driver_tests_mask,
	driver_tests_dma,
	driver_tests_life,
};

/* What a test is called when it is skipped for this. */
static const char *const need_names[DRIVER_NEEDS] = {
	[DRIVER_INTERRUPTS] = "interrupts",
	[DRIVER_MSI] = "MSI",
	[DRIVER_DMA] = "DMA",
	[DRIVER_IOVA] = "IOVAs of our choice",
	[DRIVER_OWN_MEMORY] = "DMA to memory that is not EAL's",
	[DRIVER_LAST_BYTE] = "the last byte of the buffer",
	[DRIVER_MEMORY] = "a BAR of memory",
	[DRIVER_WINDOW] = "a window that is mapped",
	[DRIVER_TRAPPED] = "a part that is not mapped",
	[DRIVER_RESET] = "reset",
	[DRIVER_SEVERAL] = "several devices",
	[DRIVER_ANY_WIDTH] = "harmless accesses of any width",
	[DRIVER_WIDE] = "accesses of eight bytes",
};

/* A test over a transport, and while it runs the devices. */
struct run {
	const struct driver_test *test;
	const struct driver_transport *transport;
	struct driver_case *c;
};

/* ---- the devices ---- */

/* Is this the device that the arguments name? Those of its driver may follow. */
static bool
named(const struct rte_device *dev, const char *devargs)
{
	const struct rte_devargs *args = rte_dev_devargs(dev);
	const char *name = args == NULL ? rte_dev_name(dev) : args->name;
	size_t len = strlen(name);

	return strncmp(name, devargs, len) == 0 && (devargs[len] == '\0' || devargs[len] == ',');
}

static void
device_open(struct driver_device *d)
{
	struct rte_dev_iterator it;
	struct rte_device *dev, *found = NULL;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		if (rte_dev_is_probed(dev) && named(dev, d->devargs))
			found = dev;
	if (found == NULL)
		fail_msg("%s: the driver has not taken it", d->devargs);
	d->dev = RTE_DEV_TO_PCI(found);
	assert_int_equal(rte_edu_open(rte_dev_name(found), &d->edu), 0);
}

void
driver_unplug(struct driver_device *d)
{
	assert_int_equal(rte_dev_remove(&d->dev->device), 0);
	d->dev = NULL;
}

void
driver_plug(struct driver_device *d)
{
	rte_edu_close(d->edu);
	d->edu = NULL;
	assert_int_equal(rte_dev_probe(d->devargs), 0);
	device_open(d);
}

static void
eal_start(const struct driver_case *c)
{
	const char *args[2 * DRIVER_DEVICES_MAX + RTE_DIM(c->transport->args) + 1];
	const char *const *more = c->transport->args;
	size_t nb = 0;
	unsigned int i;

	for (i = 0; i < c->nb; i++) {
		args[nb++] = "-a";
		args[nb++] = c->device[i].devargs;
	}
	while (*more != NULL)
		args[nb++] = *more++;
	args[nb] = NULL;
	if (c->transport->huge_pages)
		eal_session_start_huge(args);
	else
		eal_session_start(args);
}

static struct driver_case *
case_open(const struct driver_transport *transport)
{
	struct driver_case *c = calloc(1, sizeof(*c));
	unsigned int i;

	assert_non_null(c);
	c->transport = transport;
	c->nb = transport->nb;
	for (i = 0; i < c->nb; i++)
		c->device[i].of = c;
	transport->setup(c);
	eal_start(c);
	for (i = 0; i < c->nb; i++)
		device_open(&c->device[i]);
	return c;
}

static void
case_close(struct driver_case *c)
{
	unsigned int i;

	for (i = 0; i < c->nb; i++)
		rte_edu_close(c->device[i].edu);
	eal_session_stop();
	c->transport->teardown(c);
	free(c);
}

/* ---- a test ---- */

static uint32_t
lacking(const struct run *run)
{
	uint32_t bits = 0;
	unsigned int need;

	for (need = 0; need < DRIVER_NEEDS; need++)
		if (run->transport->lacks[need] != NULL)
			bits |= UINT32_C(1) << need;
	return run->test->needs & bits;
}

static int
run_setup(void **state)
{
	struct run *run = *state;

	run->c = NULL;
	if (lacking(run) == 0)
		run->c = case_open(run->transport);
	return 0;
}

static int
run_teardown(void **state)
{
	struct run *run = *state;

	if (run->c != NULL)
		case_close(run->c);
	run->c = NULL;
	return 0;
}

static void
run_over(void **state)
{
	const struct run *run = *state;
	uint32_t bits = lacking(run);
	unsigned int i;

	if (bits != 0) {
		i = (unsigned int)__builtin_ctz(bits);
		print_message("no %s: %s\n", need_names[i], run->transport->lacks[i]);
		skip();
	}
	for (i = 0; i < run->c->nb; i++)
		run->test->run(&run->c->device[i]);
}

/* ---- suites ---- */

static size_t
tests_count(void)
{
	const struct driver_test *test;
	size_t i, nb = 0;

	for (i = 0; i < RTE_DIM(parts); i++)
		for (test = parts[i]; test->name != NULL; test++)
			nb++;
	return nb;
}

static void
test_make(struct CMUnitTest *out, struct run *run)
{
	char *name;

	if (asprintf(&name, "%s (%s)", run->test->name, run->transport->name) < 0)
		abort();
	*out = (struct CMUnitTest){
		.name = name,
		.test_func = run_over,
		.setup_func = run_setup,
		.teardown_func = run_teardown,
		.initial_state = run,
	};
}

/* All tests over a transport. */
static size_t
tests_make(struct CMUnitTest *out, struct run *runs, const struct driver_transport *transport)
{
	const struct driver_test *test;
	size_t i, nb = 0;

	for (i = 0; i < RTE_DIM(parts); i++) {
		for (test = parts[i]; test->name != NULL; test++, nb++) {
			runs[nb] = (struct run){ .test = test, .transport = transport };
			test_make(&out[nb], &runs[nb]);
		}
	}
	return nb;
}

/* What it allocates lives as long as the process. */
void
driver_suite_register(const char *name, const char *kind,
	const struct driver_transport *transports, size_t nb, CMFixtureFunction setup)
{
	static struct test_suite suites[8];
	static size_t nb_suites;
	struct test_suite *suite = &suites[nb_suites++];
	struct CMUnitTest *tests = calloc(nb * tests_count(), sizeof(*tests));
	struct run *runs = calloc(nb * tests_count(), sizeof(*runs));
	size_t i;

	if (tests == NULL || runs == NULL || nb_suites > RTE_DIM(suites))
		abort();
	*suite = (struct test_suite){
		.name = name,
		.kind = kind,
		.tests = tests,
		.setup = setup,
	};
	for (i = 0; i < nb; i++)
		if (transports[i].name != NULL)
			suite->nb_tests += tests_make(&tests[suite->nb_tests],
				&runs[suite->nb_tests], &transports[i]);
	test_suite_register(suite);
}

/* ---- for tests ---- */

bool
driver_has(const struct driver_device *d, uint32_t needs)
{
	unsigned int need;

	for (need = 0; need < DRIVER_NEEDS; need++)
		if ((needs >> need & 1) != 0 && d->of->transport->lacks[need] != NULL)
			return false;
	return true;
}

uint32_t
driver_reg_read(const struct driver_device *d, uint32_t reg)
{
	uint32_t value = 0;

	assert_int_equal(rte_pci_mmio_read(d->dev, 0, &value, sizeof(value), reg), sizeof(value));
	return value;
}

void
driver_reg_write(const struct driver_device *d, uint32_t reg, uint32_t value)
{
	assert_int_equal(rte_pci_mmio_write(d->dev, 0, &value, sizeof(value), reg),
		sizeof(value));
}

void
driver_fill(void *buf, size_t len, unsigned int seed)
{
	uint8_t *bytes = buf;
	size_t i;

	for (i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + (i >> 8) + seed * 31 + 1);
}

/* cmocka must not hear of failures from threads of ours, so these count what is wrong. */
struct thread {
	pthread_t id;
	struct driver_device *d;
	unsigned int number;
	unsigned int wrong;
	unsigned int (*run)(struct driver_device *d, unsigned int number);
};

static void *
thread_main(void *arg)
{
	struct thread *thread = arg;

	thread->wrong = thread->run(thread->d, thread->number);
	return NULL;
}

void
driver_threads(struct driver_device *const d[], unsigned int nb,
	unsigned int (*run)(struct driver_device *d, unsigned int number))
{
	struct thread thread[8];
	unsigned int i, wrong = 0;

	assert_in_range(nb, 1, RTE_DIM(thread));
	for (i = 0; i < nb; i++) {
		thread[i] = (struct thread){ .d = d[i], .number = i, .run = run };
		assert_int_equal(pthread_create(&thread[i].id, NULL, thread_main, &thread[i]), 0);
	}
	for (i = 0; i < nb; i++) {
		pthread_join(thread[i].id, NULL);
		wrong += thread[i].wrong;
	}
	assert_int_equal(wrong, 0);
}
