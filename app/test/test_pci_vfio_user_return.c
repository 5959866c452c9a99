/* SPDX-License-Identifier: BSD-3-Clause */

/* Servers that come back, what they come back with, and servers that do not answer. */

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bus_pci_driver.h>
#include <rte_alarm.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_epoll.h>
#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_log.h>
#include <rte_memory.h>

#include "counter.h"
#include "eal_session.h"
#include "fake_clock.h"
#include "fake_vfio.h"
#include "test.h"
#include "vu_gadget.h"
#include "vu_spawned.h"

#define PATIENCE_MS 20000u
#define PAGE        4096
#define WINDOW      0x8000	/* the second one of the gadget */

static struct gadget gadget;
static atomic_uint nb_removes, nb_adds, nb_calls;

static void
on_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	(void)arg;
	assert_string_equal(name, gadget.name);
	atomic_fetch_add(event == RTE_DEV_EVENT_REMOVE ? &nb_removes : &nb_adds, 1);
}

static int
setup_with(unsigned int nb_msix)
{
	memset(&gadget, 0, sizeof(gadget));
	atomic_store(&nb_removes, 0);
	atomic_store(&nb_adds, 0);
	atomic_store(&nb_calls, 0);
	gadget.nb_msix = nb_msix;
	gadget.intx_pin = 1;
	gadget_attach(&gadget, NULL);
	assert_int_equal(rte_dev_event_callback_register(gadget.name, on_event, NULL), 0);
	return 0;
}

static int
setup(void **state)
{
	(void)state;
	return setup_with(3);
}

static int
setup_line(void **state)
{
	(void)state;
	return setup_with(0);
}

static int
teardown(void **state)
{
	(void)state;
	gadget_detach(&gadget);
	return 0;
}

static uint32_t
register_read(off_t offset)
{
	uint32_t value = 0;

	assert_int_equal(rte_pci_mmio_read(gadget_device, GADGET_REGS, &value, 4, offset), 4);
	return value;
}

static int
register_try(void)
{
	uint32_t value;

	return rte_pci_mmio_read(gadget_device, GADGET_REGS, &value, 4, 0);
}

/* ---- the same device ---- */

static void
test_registers_and_windows_are_those_of_the_next_server(void **state)
{
	volatile uint32_t *window = rte_pci_bar_ptr(gadget_device, GADGET_MEMORY, WINDOW, 4);
	uint32_t value = 0x12345678;

	(void)state;
	assert_int_equal(rte_pci_mmio_write(gadget_device, GADGET_REGS, &value, 4, 8), 4);
	*window = 1;
	gadget_restart(&gadget);
	counter_wait(&nb_adds, 1);
	assert_int_equal(nb_removes, 1);
	assert_int_equal(register_read(8), 0);
	assert_int_equal(*window, 0);
	*window = 2;
	memcpy(&value, gadget.memory + WINDOW, sizeof(value));
	assert_int_equal(value, 2);
}

static void
on_interrupt(void *arg)
{
	(void)arg;
	atomic_fetch_add(&nb_calls, 1);
}

static void
test_interrupts_are_those_of_the_next_server(void **state)
{
	struct rte_intr_handle *handle = gadget_device->intr_handle;
	struct rte_epoll_event event;
	int epfd = epoll_create1(EPOLL_CLOEXEC);
	unsigned int i;

	(void)state;
	assert_int_equal(rte_intr_callback_register(handle, on_interrupt, NULL), 0);
	assert_int_equal(rte_intr_rx_ctl(handle, epfd, RTE_INTR_EVENT_ADD, 1, NULL), 0);
	for (i = 1; i <= 3; i++) {
		gadget_restart(&gadget);
		counter_wait(&nb_adds, i);
		assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, 0), 0);
		counter_wait(&nb_calls, i);
		assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, 1), 0);
		assert_int_equal(rte_epoll_wait(epfd, &event, 1, PATIENCE_MS), 1);
	}
	assert_int_equal(rte_intr_rx_ctl(handle, epfd, RTE_INTR_EVENT_DEL, 1, NULL), 0);
	assert_int_equal(rte_intr_callback_unregister_sync(handle, on_interrupt, NULL), 1);
	close(epfd);
}

/* Passes when the interrupt thread has done all that was ready before. */
static void
on_alarm(void *arg)
{
	atomic_fetch_add((atomic_uint *)arg, 1);
}

static void
interrupt_thread_pass(void)
{
	atomic_uint passed = 0;
	unsigned int i;

	for (i = 1; i <= 3 && rte_eal_alarm_set(1, on_alarm, &passed) == 0; i++)
		while (atomic_load(&passed) < i)
			usleep(1000);
}

static atomic_bool returning;

/* The line goes up while the bus takes the next server's device for the old one, masked at once. */
static void
raise_early(uint16_t command)
{
	if (!atomic_load(&returning) || (command & RTE_PCI_COMMAND_MASTER) == 0)
		return;
	if (rte_vfio_user_pci_raise(gadget.pci, 0) != 0)
		return;
	while (atomic_load(&nb_calls) == 0)
		usleep(1000);
	interrupt_thread_pass();
	atomic_store(&returning, false);
}

static void
test_line_that_was_up_early_is_unmasked(void **state)
{
	struct rte_intr_handle *handle = gadget_device->intr_handle;

	(void)state;
	assert_int_equal(rte_intr_callback_register(handle, on_interrupt, NULL), 0);
	gadget.on_command = raise_early;
	atomic_store(&returning, true);
	gadget_restart(&gadget);
	counter_wait(&nb_adds, 1);
	assert_int_equal(atomic_load(&nb_calls), 1);
	assert_int_equal(rte_vfio_user_pci_raise(gadget.pci, 0), 0);
	counter_wait(&nb_calls, 2);
	assert_int_equal(rte_intr_callback_unregister_sync(handle, on_interrupt, NULL), 1);
}

static void
test_memory_and_bus_mastering_and_messages_are_on_again(void **state)
{
	uint16_t command = 0, flags = 0;
	off_t msix;

	(void)state;
	gadget_restart(&gadget);
	counter_wait(&nb_adds, 1);
	assert_int_equal(rte_pci_read_config(gadget_device, &command, 2, RTE_PCI_COMMAND), 2);
	assert_int_equal(command & 6, 6);
	msix = rte_pci_find_capability(gadget_device, RTE_PCI_CAP_ID_MSIX);
	assert_int_equal(rte_pci_read_config(gadget_device, &flags, 2, msix + RTE_PCI_MSIX_FLAGS),
		2);
	assert_int_equal(flags, RTE_PCI_MSIX_FLAGS_ENABLE | 2);
}

/* A server that takes memory away which it has given harms itself. */
static void
test_window_without_memory_is_harmless(void **state)
{
	volatile uint32_t *window = rte_pci_bar_ptr(gadget_device, GADGET_MEMORY, WINDOW, 4);

	(void)state;
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	*window = 1;
	assert_int_equal(ftruncate(gadget.memory_fd, 0), 0);
	*window = 2;
	assert_int_equal(*window, 2);
	assert_int_equal(register_read(0), 0);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
}

/* ---- another device ---- */

static void
other_device_is_left_alone(void)
{
	gadget_restart(&gadget);
	counter_wait(&nb_removes, 1);
	/* time to look at it, and to think better of it */
	usleep(100000);
	assert_int_equal(register_try(), -ENOTCONN);
	assert_int_equal(nb_removes, 1);
	assert_int_equal(nb_adds, 0);
	assert_int_equal(rte_dev_remove(&gadget_device->device), 0);
	counter_wait(&nb_adds, 1);
}

static void
test_other_device_is_left_alone_until_the_old_one_is_removed(void **state)
{
	(void)state;
	gadget.device_id = 0x1111;
	other_device_is_left_alone();
	/* nobody drives such a one */
	assert_true(rte_dev_probe(gadget.name) < 0);
}

static void
test_device_with_fewer_vectors_is_another_one(void **state)
{
	(void)state;
	gadget.nb_msix = 2;
	other_device_is_left_alone();
	assert_int_equal(rte_dev_probe(gadget.name), 0);
	assert_int_equal(rte_intr_nb_efd_get(gadget_device->intr_handle), 1);
	register_read(0);
}

static void
test_device_with_fewer_windows_is_another_one(void **state)
{
	(void)state;
	gadget.nb_windows = 1;
	other_device_is_left_alone();
	assert_int_equal(rte_dev_probe(gadget.name), 0);
	assert_null(rte_pci_bar_ptr(gadget_device, GADGET_MEMORY, WINDOW, 4));
}

/* ---- servers that live and say nothing ---- */

struct silent {
	struct spawned server;
	char text[96];	/* for EAL */
};

static void
silent_start(struct silent *silent)
{
	spawned_start(&silent->server);
	snprintf(silent->text, sizeof(silent->text),
		"bus=pci,backend=vfio-user,path=%s,timeout_ms=%u", silent->server.path,
		PATIENCE_MS);
	fake_clock_set_speed(1);
}

static int
silent_teardown(void **state)
{
	(void)state;
	fake_clock_set_speed(1);
	return 0;
}

/* It will not answer, so nothing is missed if its time runs out at once. */
static void
silent_stop(const struct silent *silent)
{
	const pid_t pid = silent->server.pid;
	int status;

	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	fake_clock_set_speed(1000);
}

static void
silent_go_on(const struct silent *silent)
{
	fake_clock_set_speed(1);
	assert_int_equal(kill(silent->server.pid, SIGCONT), 0);
}

static void
test_server_that_stops_to_answer_costs_the_time_limit(void **state)
{
	struct silent silent;
	const char *const args[] = { "-a", silent.text, NULL };
	struct rte_pci_device *dev;
	uint32_t value = 0;

	(void)state;
	silent_start(&silent);
	eal_session_start(args);
	dev = eal_session_device();
	assert_non_null(dev);
	assert_int_equal(rte_pci_mmio_read(dev, 0, &value, 4, 0), 4);
	silent_stop(&silent);
	assert_int_equal(rte_pci_mmio_read(dev, 0, &value, 4, 0), -ETIMEDOUT);
	assert_int_equal(rte_dev_remove(&dev->device), 0);
	assert_true(rte_dev_probe(silent.text) < 0);
	silent_go_on(&silent);
	eal_session_stop();
	spawned_end(&silent.server);
}

static void
count_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	(void)name;
	(void)arg;
	atomic_fetch_add(event == RTE_DEV_EVENT_REMOVE ? &nb_removes : &nb_adds, 1);
}

/* It may still write to memory that is about to be used for other things. */
static void
test_server_that_does_not_give_memory_back_is_left(void **state)
{
	struct silent silent;
	const char *const args[] = { "-a", silent.text, NULL };
	struct rte_pci_device *dev;
	uint32_t value = 0;
	void *memory;

	(void)state;
	atomic_store(&nb_removes, 0);
	atomic_store(&nb_adds, 0);
	silent_start(&silent);
	eal_session_start(args);
	assert_int_equal(rte_dev_event_callback_register(NULL, count_event, NULL), 0);
	dev = eal_session_device();
	assert_non_null(dev);
	memory = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(memory != MAP_FAILED);
	assert_int_equal(rte_extmem_register(memory, PAGE, NULL, 0, PAGE), 0);
	assert_int_equal(rte_dev_dma_map(&dev->device, memory, PAGE, PAGE), 0);
	silent_stop(&silent);
	assert_int_equal(rte_dev_dma_unmap(&dev->device, memory, PAGE, PAGE), -1);
	assert_int_equal(rte_errno, ETIMEDOUT);
	assert_int_equal(rte_extmem_unregister(memory, PAGE), 0);
	assert_int_equal(munmap(memory, PAGE), 0);
	assert_int_equal(rte_pci_read_config(dev, &value, 4, 0), -ENOTCONN);
	counter_wait(&nb_removes, 1);
	silent_go_on(&silent);
	counter_wait(&nb_adds, 1);
	assert_int_equal(rte_pci_mmio_read(dev, 0, &value, 4, 0), 4);
	eal_session_stop();
	spawned_end(&silent.server);
}

static void
test_server_that_never_answers_is_named(void **state)
{
	struct silent silent;
	const char *const args[] = { "-a", silent.text, NULL };

	(void)state;
	silent_start(&silent);
	silent_stop(&silent);
	eal_log_capture();
	eal_session_start(args);
	assert_non_null(strstr(eal_log_text(), "the server does not answer"));
	eal_log_release();
	assert_null(eal_session_device());
	eal_session_stop();
	spawned_end(&silent.server);
}

/* ---- beside devices of the kernel ---- */

static int
kernel_probe(struct rte_pci_driver *driver, struct rte_pci_device *dev)
{
	uint32_t value;

	(void)driver;
	return rte_pci_mmio_read(dev, 0, &value, 4, 0) == 4 ? 0 : -EIO;
}

static int
kernel_remove(struct rte_pci_device *dev)
{
	(void)dev;
	return 0;
}

static const struct rte_pci_id kernel_ids[] = {
	{ RTE_PCI_DEVICE(0xcafe, 1) },
	{ .vendor_id = 0 },
};

static struct rte_pci_driver kernel_driver = {
	.driver = { .name = "kernel" },
	.probe = kernel_probe,
	.remove = kernel_remove,
	.id_table = kernel_ids,
	.drv_flags = RTE_PCI_DRV_NEED_MAPPING,
};

static void
test_devices_of_both_kinds_live_in_one_process(void **state)
{
	const char *const args[] = { "-a", gadget.name, "-a", "0000:01:00.0", NULL };
	struct fake_vfio *fake = fake_vfio_start();

	(void)state;
	fake_vfio_add(fake, &(struct fake_device_desc){
		.name = "0000:01:00.0", .driver = "vfio-pci", .group = 7,
		.vendor = 0xcafe, .device = 1,
		.regions[0] = { .size = 0x10000, .flags = FAKE_REGION_RWM },
	});
	rte_pci_register(&kernel_driver);
	memset(&gadget, 0, sizeof(gadget));
	gadget_start(&gadget);
	eal_session_start(args);
	assert_non_null(gadget_device);
	assert_int_equal(register_read(0), 0);
	assert_ptr_equal(eal_session_device()->driver, &kernel_driver);
	eal_session_stop();
	gadget_end(&gadget);
	rte_pci_unregister(&kernel_driver);
	fake_vfio_stop(fake);
}

#define RETURN_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
#define SILENT_TEST(name) cmocka_unit_test_teardown(name, silent_teardown)

static const struct CMUnitTest tests[] = {
	RETURN_TEST(test_registers_and_windows_are_those_of_the_next_server),
	RETURN_TEST(test_interrupts_are_those_of_the_next_server),
	cmocka_unit_test_setup_teardown(test_line_that_was_up_early_is_unmasked, setup_line,
		teardown),
	RETURN_TEST(test_memory_and_bus_mastering_and_messages_are_on_again),
	RETURN_TEST(test_window_without_memory_is_harmless),
	RETURN_TEST(test_other_device_is_left_alone_until_the_old_one_is_removed),
	RETURN_TEST(test_device_with_fewer_vectors_is_another_one),
	RETURN_TEST(test_device_with_fewer_windows_is_another_one),
	SILENT_TEST(test_server_that_stops_to_answer_costs_the_time_limit),
	SILENT_TEST(test_server_that_does_not_give_memory_back_is_left),
	SILENT_TEST(test_server_that_never_answers_is_named),
	cmocka_unit_test(test_devices_of_both_kinds_live_in_one_process),
};

TEST_SUITE(pci_vfio_user_return, "functional", tests, gadget_suite_setup,
	gadget_suite_teardown)
