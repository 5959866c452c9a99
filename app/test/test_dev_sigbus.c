/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_dev.h>

#include "dev_listener.h"
#include "test.h"

/* Lost memory. */

static size_t
page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* Maps a page of a file and takes the file away from under it. */
static char *
lost_page(void)
{
	int fd = memfd_create("lost", MFD_CLOEXEC);
	char *addr;

	assert_int_equal(ftruncate(fd, page_size()), 0);
	addr = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(addr, MAP_FAILED);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	return addr;
}

static void
fake_lose(int sigbus_rc, bool raises_event)
{
	dev_fake.addr = lost_page();
	dev_fake.len = page_size();
	dev_fake.sigbus_rc = sigbus_rc;
	dev_fake.raises_event = raises_event;
	dev_fake.asked = 0;
}

static void
fake_unmap(void)
{
	munmap(dev_fake.addr, dev_fake.len);
	dev_fake.addr = NULL;
	dev_fake.len = 0;
}

static void
test_access_to_lost_memory_goes_on_after_the_bus_handled_it(void **state)
{
	fake_lose(0, false);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	errno = 12345;
	assert_int_equal(*(volatile char *)dev_fake.addr, 0);
	assert_int_equal(errno, 12345);
	assert_int_equal(dev_fake.asked, 1);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	fake_unmap();
}

static void
test_event_of_a_signal_handler_is_told_in_the_interrupt_thread(void **state)
{
	struct dev_listener listener;

	dev_listener_init(&listener);
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, dev_listener_called, &listener),
		0);
	fake_lose(0, true);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	*(volatile char *)dev_fake.addr = 1;
	dev_listener_wait(&listener);
	assert_int_equal(listener.calls, 1);
	assert_true(listener.in_intr_thread);
	assert_string_equal(listener.name, DEV_NAME);
	assert_int_equal(listener.event, RTE_DEV_EVENT_REMOVE);
	rte_dev_event_callback_process(DEV_NAME, RTE_DEV_EVENT_REMOVE);
	assert_false(listener.in_intr_thread);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	dev_listener_end(&listener);
	fake_unmap();
}

static char *other_page;
static unsigned int chained;

static void
previous_handler(int sig, siginfo_t *info, void *context)
{
	chained++;
	if (info->si_code > 0)
		syscall(SYS_mmap, other_page, page_size(), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
}

static void
handler_set(struct sigaction *saved)
{
	struct sigaction action = { .sa_sigaction = previous_handler, .sa_flags = SA_SIGINFO };

	assert_int_equal(sigaction(SIGBUS, &action, saved), 0);
}

static void
test_fault_of_nobodys_goes_to_the_previous_handler(void **state)
{
	struct sigaction saved, now;

	handler_set(&saved);
	chained = 0;
	dev_fake.asked = 0;
	other_page = lost_page();
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	*(volatile char *)other_page = 1;
	assert_int_equal(dev_fake.asked, 1);
	assert_int_equal(chained, 1);
	raise(SIGBUS);		/* has no address: no bus is asked */
	assert_int_equal(dev_fake.asked, 1);
	assert_int_equal(chained, 2);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	assert_int_equal(sigaction(SIGBUS, &saved, &now), 0);
	assert_ptr_equal(now.sa_sigaction, previous_handler);
	munmap(other_page, page_size());
}

static struct sigaction below;

static void
handler_above(int sig, siginfo_t *info, void *context)
{
	chained++;
	below.sa_sigaction(sig, info, context);
}

static void
test_handler_installed_later_keeps_its_way_down(void **state)
{
	struct sigaction above = { .sa_sigaction = handler_above, .sa_flags = SA_SIGINFO };
	struct sigaction saved, now;

	handler_set(&saved);
	chained = 0;
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	assert_int_equal(sigaction(SIGBUS, &above, &below), 0);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	assert_int_equal(sigaction(SIGBUS, NULL, &now), 0);
	assert_ptr_equal(now.sa_sigaction, handler_above);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	raise(SIGBUS);
	assert_int_equal(chained, 2);
	assert_int_equal(sigaction(SIGBUS, &below, NULL), 0);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	assert_int_equal(sigaction(SIGBUS, &saved, NULL), 0);
}

/* Runs the access in a child, with the default action below our handler; returns how it ended. */
static int
child_access(char *addr)
{
	struct rlimit no_core = { 0 };
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGBUS, SIG_DFL);
		close(STDERR_FILENO);
		if (rte_dev_hotplug_handle_enable() < 0)
			_exit(2);
		*(volatile char *)addr = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
test_fault_that_nobody_handles_ends_the_process(void **state)
{
	static const int rcs[] = { 1, -1 };
	unsigned int i;
	int status;

	for (i = 0; i < RTE_DIM(rcs); i++) {
		fake_lose(rcs[i], false);
		status = child_access(dev_fake.addr);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGBUS);
		fake_unmap();
	}
	fake_lose(0, false);
	assert_int_equal(child_access(dev_fake.addr), 0);
	fake_unmap();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_access_to_lost_memory_goes_on_after_the_bus_handled_it),
	cmocka_unit_test(test_event_of_a_signal_handler_is_told_in_the_interrupt_thread),
	cmocka_unit_test(test_fault_of_nobodys_goes_to_the_previous_handler),
	cmocka_unit_test(test_handler_installed_later_keeps_its_way_down),
	cmocka_unit_test(test_fault_that_nobody_handles_ends_the_process),
};

TEST_SUITE(dev_sigbus, "functional", tests, dev_listener_start, dev_listener_stop)
