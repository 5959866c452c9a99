/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The edu of "dpdk-vfio-user serve edu --msix" on the PCI bus: each of its causes comes by the
 * vector that was chosen for it, and by no other. The driver of edu listens to the first vector.
 */

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_edu.h>
#include <rte_epoll.h>
#include <rte_interrupts.h>
#include <rte_pci.h>

#include "../vfio-user/devices.h"
#include "counter.h"
#include "eal_session.h"
#include "edu_vectors.h"
#include "fake_sysfs.h"
#include "msix_table.h"
#include "test.h"

#define PATIENCE_MS 20000
#define VECTORS     DEVICE_EDU_VECTORS

#define REG_FACTORIAL   0x08
#define REG_STATUS      0x20
#define REG_DMA_COMMAND 0x98

#define STATUS_IRQ  0x80u
#define DMA_RUN_IRQ 0x05u

#define BIT(n) (UINT32_C(1) << (n))

static struct {
	struct fake_sysfs *system;
	char dir[16];
	char path[32];
	char name[64];	/* on the bus */
	struct rte_vfio_user_pci *pci;	/* served at the path */
	struct rte_pci_device *dev;
	struct rte_edu *edu;
	atomic_uint first;	/* how often the first vector came */
	int epfd[VECTORS];	/* of each other one */
} f;

/* ---- the device on the bus ---- */

static struct rte_intr_handle *
handle(void)
{
	return f.dev->intr_handle;
}

static void
on_first(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static void
vectors_listen(void)
{
	unsigned int v;

	assert_int_equal(rte_intr_callback_register(handle(), on_first, &f.first), 0);
	assert_int_equal(rte_intr_efd_enable(handle(), VECTORS - 1), 0);
	for (v = 1; v < VECTORS; v++) {
		f.epfd[v] = epoll_create1(EPOLL_CLOEXEC);
		assert_int_equal(rte_intr_rx_ctl(handle(), f.epfd[v], RTE_INTR_EVENT_ADD,
			v - 1 + RTE_INTR_VEC_RXTX_OFFSET, (void *)(uintptr_t)v), 0);
	}
}

static void
vectors_ignore(void)
{
	unsigned int v;

	rte_intr_callback_unregister_sync(handle(), on_first, &f.first);
	rte_intr_efd_disable(handle());
	for (v = 1; v < VECTORS; v++)
		close(f.epfd[v]);
}

static void
device_open(void)
{
	struct rte_dev_iterator it;
	struct rte_device *dev, *found = NULL;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		found = dev;
	assert_non_null(found);
	f.dev = RTE_DEV_TO_PCI(found);
	assert_int_equal(rte_edu_open(rte_dev_name(found), &f.edu), 0);
	vectors_listen();
}

static void
device_close(void)
{
	vectors_ignore();
	rte_edu_close(f.edu);
}

static int
setup(void **state)
{
	const char *const args[] = { "-a", f.name, "--vfio-intr=msix", NULL };

	(void)state;
	memset(&f, 0, sizeof(f));
	f.system = fake_sysfs_start();
	strcpy(f.dir, "/tmp/vuXXXXXX");
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.path, sizeof(f.path), "%s/edu", f.dir);
	snprintf(f.name, sizeof(f.name), "vfio-user:%s", f.path);
	assert_int_equal(device_edu.make(DEVICE_MSIX, &f.pci), 0);
	assert_true(rte_vfio_user_pci_start(f.pci, f.path, NULL) >= 0);
	eal_session_start(args);
	device_open();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	device_close();
	eal_session_stop();
	device_edu.destroy(f.pci);
	fake_sysfs_stop(f.system);
	return rmdir(f.dir);
}

/* ---- what it does ---- */

static void
put(off_t at, uint32_t value)
{
	assert_int_equal(rte_pci_mmio_write(f.dev, EDU_BAR, &value, 4, at), 4);
}

static uint32_t
get(off_t at)
{
	uint32_t value;

	assert_int_equal(rte_pci_mmio_read(f.dev, EDU_BAR, &value, 4, at), 4);
	return value;
}

static void
raise_bits(uint32_t bits)
{
	put(EDU_REG_RAISE, bits);
}

/* The events of a vector that are there, or come within a time. */
static int
told(unsigned int vector, int timeout_ms)
{
	struct rte_epoll_event event;

	return rte_epoll_wait(f.epfd[vector], &event, 1, timeout_ms);
}

static unsigned int
first(void)
{
	return atomic_load(&f.first);
}

/* Once, and no other does; the first one is counted. */
static void
assert_comes_by(unsigned int vector, unsigned int first_before)
{
	unsigned int v;

	if (vector == 0)
		counter_wait(&f.first, first_before + 1);
	else
		assert_int_equal(told(vector, PATIENCE_MS), 1);
	for (v = 1; v < VECTORS; v++)
		assert_int_equal(told(v, 0), 0);
	assert_int_equal(first(), first_before + (vector == 0));
}

static void
assert_raised_comes_by(uint32_t bits, unsigned int vector)
{
	const unsigned int before = first();

	raise_bits(bits);
	assert_comes_by(vector, before);
}

static void
test_there_are_as_many_queues_as_vectors(void **state)
{
	(void)state;
	assert_true(rte_pci_find_capability(f.dev, RTE_PCI_CAP_ID_MSIX) > 0);
	assert_int_equal(rte_pci_find_capability(f.dev, RTE_PCI_CAP_ID_MSI), 0);
	assert_int_equal(rte_intr_nb_efd_get(handle()), VECTORS - 1);
}

/* Each is waited for: two that come before the event thread looks are told as one. */
static void
test_driver_that_knows_one_vector_gets_all_by_it(void **state)
{
	uint32_t result = 0;
	char text[8] = "";

	(void)state;
	assert_int_equal(rte_edu_irq_raise(f.edu, 0x30), 0);
	assert_int_equal(rte_edu_irq_wait(f.edu, 0x20, NULL, PATIENCE_MS), 0);
	counter_wait(&f.first, 1);
	assert_int_equal(rte_edu_factorial(f.edu, 10, &result, PATIENCE_MS), 0);
	assert_int_equal(result, 3628800);
	counter_wait(&f.first, 2);
	assert_int_equal(rte_edu_dma_write(f.edu, 0, "hither", 7, PATIENCE_MS), 0);
	counter_wait(&f.first, 3);
	assert_int_equal(rte_edu_dma_read(f.edu, 0, text, 7, PATIENCE_MS), 0);
	assert_string_equal(text, "hither");
	counter_wait(&f.first, 4);
}

static void
test_each_bit_comes_by_its_vector(void **state)
{
	unsigned int bit, shift;

	(void)state;
	for (shift = 0; shift < VECTORS; shift++) {
		edu_vectors_choose(f.dev, shift);
		for (bit = 0; bit < 32; bit++) {
			assert_raised_comes_by(BIT(bit), (bit + shift) % VECTORS);
		}
	}
}

static void
test_bits_of_one_vector_come_together(void **state)
{
	(void)state;
	edu_vectors_choose(f.dev, 0);
	assert_raised_comes_by(0x08080808, 3);
	raise_bits(0x0a);
	assert_int_equal(told(1, PATIENCE_MS), 1);
	assert_comes_by(3, 0);
}

static void
test_factorial_and_transfer_have_vectors_of_their_own(void **state)
{
	(void)state;
	edu_vectors_choose(f.dev, 1);
	put(REG_STATUS, STATUS_IRQ);
	put(REG_FACTORIAL, 5);
	assert_comes_by(1, 0);
	assert_int_equal(get(REG_FACTORIAL), 120);
	put(EDU_REG_VECTORS + 8, 0x00000006);
	put(REG_DMA_COMMAND, DMA_RUN_IRQ);
	assert_comes_by(6, 0);
}

static void
test_vector_that_is_masked_is_held_back(void **state)
{
	struct msix_table table;
	unsigned int v, next, before;

	(void)state;
	edu_vectors_choose(f.dev, 0);
	msix_table_find(&table, f.dev);
	for (v = 0; v < VECTORS; v++) {
		next = (v + 1) % VECTORS;
		msix_table_mask(&table, v, true);
		raise_bits(BIT(v));
		assert_raised_comes_by(BIT(next), next);
		assert_int_equal(msix_table_pending(&table), BIT(v));
		before = first();
		msix_table_mask(&table, v, false);
		assert_comes_by(v, before);
		assert_int_equal(msix_table_pending(&table), 0);
	}
}

static void
test_all_that_are_masked_at_once_are_held_back(void **state)
{
	struct msix_table table;
	unsigned int v;

	(void)state;
	edu_vectors_choose(f.dev, 0);
	msix_table_find(&table, f.dev);
	msix_table_control(&table, RTE_PCI_MSIX_FLAGS_ENABLE | RTE_PCI_MSIX_FLAGS_MASKALL);
	raise_bits(UINT32_MAX);
	raise_bits(UINT32_MAX);
	assert_int_equal(msix_table_pending(&table), 0xff);
	msix_table_control(&table, RTE_PCI_MSIX_FLAGS_ENABLE);
	counter_wait(&f.first, 1);
	for (v = 1; v < VECTORS; v++) {
		assert_int_equal(told(v, PATIENCE_MS), 1);
		assert_int_equal(told(v, 0), 0);
	}
	assert_int_equal(first(), 1);
	assert_int_equal(msix_table_pending(&table), 0);
}

/* Who opens it next, which resets it, need not know what was chosen. */
static void
test_reset_gives_all_to_the_first_vector(void **state)
{
	(void)state;
	edu_vectors_choose(f.dev, 1);
	device_close();
	assert_int_equal(rte_dev_remove(&f.dev->device), 0);
	assert_int_equal(rte_dev_probe(f.name), 0);
	device_open();
	assert_raised_comes_by(UINT32_MAX, 0);
}

#define MSIX_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static const struct CMUnitTest tests[] = {
	MSIX_TEST(test_there_are_as_many_queues_as_vectors),
	MSIX_TEST(test_driver_that_knows_one_vector_gets_all_by_it),
	MSIX_TEST(test_each_bit_comes_by_its_vector),
	MSIX_TEST(test_bits_of_one_vector_come_together),
	MSIX_TEST(test_factorial_and_transfer_have_vectors_of_their_own),
	MSIX_TEST(test_vector_that_is_masked_is_held_back),
	MSIX_TEST(test_all_that_are_masked_at_once_are_held_back),
	MSIX_TEST(test_reset_gives_all_to_the_first_vector),
};

TEST_SUITE(edu_msix, "functional", tests, NULL, NULL)
