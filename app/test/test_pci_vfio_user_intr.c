/* SPDX-License-Identifier: BSD-3-Clause */

/* Interrupts of emulated devices, as drivers see them. */

#include <errno.h>
#include <linux/pci_regs.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_epoll.h>
#include <rte_interrupts.h>

#include "counter.h"
#include "eal_session.h"
#include "test.h"
#include "vu_gadget.h"

#define PATIENCE_MS 20000

struct fixture {
	struct gadget gadget;
	atomic_uint nb_calls;
	atomic_uint lower_at;	/* the call that silences the device; 0: none */
	atomic_bool removes;	/* the device, in the callback */
	atomic_uint nb_removes;	/* that are over */
	atomic_bool quiet;	/* for who raises always */
};

static struct fixture fixture;

static struct fixture *
begin(unsigned int nb_msix, unsigned int nb_msi, const char *mode)
{
	struct fixture *f = &fixture;

	f->gadget.nb_msix = nb_msix;
	f->gadget.nb_msi = nb_msi;
	f->gadget.intx_pin = 1;
	gadget_attach(&f->gadget, mode);
	return f;
}

static int
setup(void **state)
{
	memset(&fixture, 0, sizeof(fixture));
	*state = &fixture;
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gadget_detach(&fixture.gadget);
	return 0;
}

static struct rte_intr_handle *
handle(void)
{
	return gadget_device->intr_handle;
}

static void
on_interrupt(void *arg)
{
	struct fixture *f = arg;
	unsigned int nb = atomic_fetch_add(&f->nb_calls, 1) + 1;

	if (nb == f->lower_at)
		rte_vfio_user_pci_lower(f->gadget.pci);
	if (gadget_device != NULL)
		assert_int_equal(rte_intr_ack(handle()), 0);
	if (!f->removes || gadget_device == NULL)
		return;
	assert_int_equal(rte_dev_remove(&gadget_device->device), 0);
	atomic_fetch_add(&f->nb_removes, 1);
}

static void
raise(struct fixture *f, unsigned int vector)
{
	assert_int_equal(rte_vfio_user_pci_raise(f->gadget.pci, vector), 0);
}

/* Nothing more comes. */
static void
calls_stay(struct fixture *f, unsigned int nb)
{
	usleep(20000);
	assert_int_equal(atomic_load(&f->nb_calls), nb);
}

static void
listen_to(struct fixture *f)
{
	assert_int_equal(rte_intr_callback_register(handle(), on_interrupt, f), 0);
	assert_int_equal(rte_intr_enable(handle()), 0);
}

static void
listen_end(struct fixture *f)
{
	assert_int_equal(rte_intr_disable(handle()), 0);
	assert_int_equal(rte_intr_callback_unregister_sync(handle(), on_interrupt, f), 1);
}

/* ---- callbacks ---- */

static void
each_interrupt_is_one_call(struct fixture *f)
{
	unsigned int i;

	listen_to(f);
	f->lower_at = 1;
	for (i = 1; i <= 10; i++) {
		f->lower_at = i;
		raise(f, 0);
		counter_wait(&f->nb_calls, i);
	}
	calls_stay(f, 10);
	listen_end(f);
}

static void
test_msix_interrupt_is_one_call(void **state)
{
	each_interrupt_is_one_call(begin(4, 0, NULL));
}

static void
test_msi_interrupt_is_one_call(void **state)
{
	each_interrupt_is_one_call(begin(0, 1, NULL));
}

static void
test_intx_interrupt_is_one_call(void **state)
{
	each_interrupt_is_one_call(begin(0, 0, NULL));
}

/* A cause that comes while the first one is looked at is not lost: it waits for the unmasking. */
static void
test_intx_comes_again_for_another_cause(void **state)
{
	struct fixture *f = begin(0, 0, NULL);
	unsigned int i;

	listen_to(f);
	for (i = 1; i <= 5; i++) {
		raise(f, 0);
		counter_wait(&f->nb_calls, i);
	}
	listen_end(f);
}

static void
test_driver_may_be_removed_by_its_interrupt(void **state)
{
	struct fixture *f = begin(0, 0, NULL);

	f->removes = true;
	listen_to(f);
	raise(f, 0);
	counter_wait(&f->nb_removes, 1);
	assert_null(gadget_device);
	calls_stay(f, 1);
	/* and it can be driven again */
	assert_int_equal(rte_dev_probe(f->gadget.name), 0);
	assert_non_null(gadget_device);
}

/* An interrupt after the other, whether anybody has the device or not. */
static void *
raise_always(void *arg)
{
	struct fixture *f = arg;

	while (!atomic_load(&f->quiet)) {
		rte_vfio_user_pci_raise(f->gadget.pci, 0);
		rte_vfio_user_pci_lower(f->gadget.pci);
	}
	return NULL;
}

static void
remove_while_it_raises(struct fixture *f)
{
	pthread_t thread;
	unsigned int i;

	assert_int_equal(pthread_create(&thread, NULL, raise_always, f), 0);
	for (i = 0; i < 100; i++) {
		assert_int_equal(rte_dev_remove(&gadget_device->device), 0);
		assert_int_equal(rte_dev_probe(f->gadget.name), 0);
		usleep(i * 10);
	}
	atomic_store(&f->quiet, true);
	pthread_join(thread, NULL);
}

static void
test_driver_may_be_removed_while_intx_comes(void **state)
{
	remove_while_it_raises(begin(0, 0, NULL));
}

static void
test_driver_may_be_removed_while_msi_comes(void **state)
{
	remove_while_it_raises(begin(0, 1, NULL));
}

/* ---- which kind ---- */

static void
test_best_kind_is_used(void **state)
{
	static const struct {
		unsigned int nb_msix, nb_msi;
		const char *mode;
		int nb_queues;
	} cases[] = {
		{ 4, 2, NULL, 3 },
		{ 0, 2, NULL, 1 },
		{ 4, 2, "--vfio-intr=msi", 1 },
		{ 4, 2, "--vfio-intr=legacy", 1 },
		{ 4, 2, "--vfio-intr=msix", 3 },
		{ 0, 4, NULL, 3 },
		{ 1, 0, NULL, 1 },
		{ 300, 0, NULL, 128 },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		begin(cases[i].nb_msix, cases[i].nb_msi, cases[i].mode);
		assert_int_equal(rte_intr_type_get(handle()), RTE_INTR_HANDLE_VDEV);
		assert_int_equal(rte_intr_nb_efd_get(handle()), cases[i].nb_queues);
		assert_true(rte_intr_dp_is_en(handle()));
		if (i + 1 < RTE_DIM(cases)) {
			eal_session_stop();
			gadget_end(&fixture.gadget);
		}
	}
}

/* As a driver sees the flags of MSI and MSI-X, or 0. */
static uint16_t
flags_seen(uint8_t cap)
{
	off_t at = rte_pci_find_capability(gadget_device, cap);
	uint16_t flags = 0;

	if (at > 0)
		assert_int_equal(rte_pci_read_config(gadget_device, &flags, sizeof(flags),
			at + PCI_MSI_FLAGS), sizeof(flags));
	return flags & (uint16_t)~(cap == PCI_CAP_ID_MSI ? PCI_MSI_FLAGS_QMASK |
		PCI_MSI_FLAGS_64BIT | PCI_MSI_FLAGS_MASKBIT : PCI_MSIX_FLAGS_QSIZE);
}

/* Linux does so for who uses its VFIO. */
static void
test_messages_are_on_while_they_are_used(void **state)
{
	static const struct {
		unsigned int nb_msix, nb_msi;
		const char *mode;
		uint16_t msix, msi;
	} cases[] = {
		{ 4, 2, NULL, PCI_MSIX_FLAGS_ENABLE, 0 },
		{ 4, 8, "--vfio-intr=msi", 0, PCI_MSI_FLAGS_ENABLE | 3 << 4 },
		{ 0, 1, NULL, 0, PCI_MSI_FLAGS_ENABLE },
		{ 4, 2, "--vfio-intr=legacy", 0, 0 },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(cases); i++) {
		begin(cases[i].nb_msix, cases[i].nb_msi, cases[i].mode);
		assert_int_equal(flags_seen(PCI_CAP_ID_MSIX), cases[i].msix);
		assert_int_equal(flags_seen(PCI_CAP_ID_MSI), cases[i].msi);
		if (i + 1 < RTE_DIM(cases)) {
			eal_session_stop();
			gadget_end(&fixture.gadget);
		}
	}
}

static void
test_kind_that_is_not_there_is_told(void **state)
{
	eal_log_capture();
	begin(0, 1, "--vfio-intr=msix");
	assert_non_null(strstr(eal_log_text(), "has not the kind of interrupts"));
	eal_log_release();
	assert_int_equal(rte_intr_nb_efd_get(handle()), 0);
	assert_int_equal(rte_intr_fd_get(handle()), -1);
}

/* ---- queues ---- */

static void
queue_comes(int epfd, unsigned int queue)
{
	struct rte_epoll_event event;

	assert_int_equal(rte_epoll_wait(epfd, &event, 1, PATIENCE_MS), 1);
	assert_int_equal((uintptr_t)event.epdata.data, queue);
	assert_int_equal(rte_epoll_wait(epfd, &event, 1, 0), 0);
}

static void
queues_work(struct fixture *f, unsigned int nb)
{
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	unsigned int i, round;

	assert_int_equal(rte_intr_efd_enable(handle(), nb), 0);
	for (i = 0; i < nb; i++)
		assert_int_equal(rte_intr_rx_ctl(handle(), epfd, RTE_INTR_EVENT_ADD,
				i + RTE_INTR_VEC_RXTX_OFFSET, (void *)(uintptr_t)i), 0);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < nb; i++) {
			raise(f, nb == 1 ? 0 : i + 1);
			queue_comes(epfd, i);
		}
	}
	rte_intr_efd_disable(handle());
	close(epfd);
}

/* What DPDK's own EAL does in rte_intr_efd_disable() with handles of all types. */
static void
efds_close(void)
{
	int i;

	rte_intr_efd_disable(handle());
	for (i = 0; i < rte_intr_nb_efd_get(handle()); i++)
		assert_int_equal(close(rte_intr_efds_index_get(handle(), i)), 0);
	assert_int_equal(rte_intr_nb_efd_set(handle(), 0), 0);
	assert_int_equal(rte_intr_max_intr_set(handle(), 0), 0);
}

/* Who gets the number of a descriptor that was closed is not signalled in its place. */
static void
test_descriptors_that_eal_has_closed_are_nobodys(void **state)
{
	struct fixture *f = begin(1, 0, NULL);
	int fd = rte_intr_efds_index_get(handle(), 0), stranger;
	eventfd_t value;

	(void)state;
	listen_to(f);
	efds_close();
	stranger = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_int_equal(stranger, fd);
	raise(f, 0);
	counter_wait(&f->nb_calls, 1);
	assert_int_equal(eventfd_read(stranger, &value), -1);
	assert_int_equal(rte_intr_callback_unregister(handle(), on_interrupt, f), 1);
	assert_int_equal(rte_dev_remove(&gadget_device->device), 0);
	assert_int_equal(close(stranger), 0);
}

static void
test_each_queue_has_a_vector(void **state)
{
	struct fixture *f = begin(4, 0, NULL);

	assert_true(rte_intr_cap_multiple(handle()));
	assert_true(rte_intr_allow_others(handle()));
	queues_work(f, 3);
}

static void
test_queue_may_have_the_only_vector(void **state)
{
	struct fixture *f = begin(0, 1, NULL);

	listen_to(f);
	queues_work(f, 1);
	counter_wait(&f->nb_calls, 3);
	listen_end(f);
}

static void
test_queues_may_be_disabled_and_enabled(void **state)
{
	struct fixture *f = begin(4, 0, NULL);
	unsigned int i;

	for (i = 0; i < 3; i++)
		queues_work(f, 3);
}

#define INTR_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	INTR_TEST(test_msix_interrupt_is_one_call),
	INTR_TEST(test_msi_interrupt_is_one_call),
	INTR_TEST(test_intx_interrupt_is_one_call),
	INTR_TEST(test_intx_comes_again_for_another_cause),
	INTR_TEST(test_driver_may_be_removed_by_its_interrupt),
	INTR_TEST(test_driver_may_be_removed_while_intx_comes),
	INTR_TEST(test_driver_may_be_removed_while_msi_comes),
	INTR_TEST(test_best_kind_is_used),
	INTR_TEST(test_messages_are_on_while_they_are_used),
	INTR_TEST(test_kind_that_is_not_there_is_told),
	INTR_TEST(test_descriptors_that_eal_has_closed_are_nobodys),
	INTR_TEST(test_each_queue_has_a_vector),
	INTR_TEST(test_queue_may_have_the_only_vector),
	INTR_TEST(test_queues_may_be_disabled_and_enabled),
};

TEST_SUITE(pci_vfio_user_intr, "functional", tests, gadget_suite_setup,
	gadget_suite_teardown)
