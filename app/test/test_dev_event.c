/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <bus_driver.h>
#include <dev_driver.h>
#include <rte_bus.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_interrupts.h>
#include <rte_log.h>

#include "eal_intr.h"
#include "eal_uevent.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

#define ANY_ARG ((void *)-1)
#define NAME "0000:01:00.0"
#define OTHER_NAME "0000:02:00.0"

/* What a callback was told. */
struct listener {
	unsigned int calls;
	char name[RTE_DEV_NAME_MAX_LEN];
	enum rte_dev_event_type event;
	int in_intr_thread;
	int rc;
	sem_t called;
};

static void
on_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	struct listener *listener = arg;

	listener->calls++;
	snprintf(listener->name, sizeof(listener->name), "%s", name);
	listener->event = event;
	listener->in_intr_thread = rte_thread_is_intr();
	sem_post(&listener->called);
}

static void
listener_init(struct listener *listener)
{
	memset(listener, 0, sizeof(*listener));
	assert_int_equal(sem_init(&listener->called, 0, 0), 0);
}

static void
listener_wait(struct listener *listener)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += 30;
	assert_int_equal(sem_timedwait(&listener->called, &end), 0);
}

/* The interrupt thread may not have left the callback yet. */
static void
listener_end(struct listener *listener)
{
	int rc;

	do
		rc = rte_dev_event_callback_unregister(NAME, on_event, listener);
	while (rc == -EAGAIN);
	assert_int_equal(rc, 1);
	sem_destroy(&listener->called);
}

/* Registration. */

static void
test_listener_hears_of_its_device_only(void **state)
{
	struct listener one, all;

	listener_init(&one);
	listener_init(&all);
	assert_int_equal(rte_dev_event_callback_register(NAME, on_event, &one), 0);
	assert_int_equal(rte_dev_event_callback_register(NULL, on_event, &all), 0);
	rte_dev_event_callback_process(NAME, RTE_DEV_EVENT_REMOVE);
	rte_dev_event_callback_process(OTHER_NAME, RTE_DEV_EVENT_ADD);
	assert_int_equal(one.calls, 1);
	assert_string_equal(one.name, NAME);
	assert_int_equal(one.event, RTE_DEV_EVENT_REMOVE);
	assert_int_equal(all.calls, 2);
	assert_string_equal(all.name, OTHER_NAME);
	assert_int_equal(all.event, RTE_DEV_EVENT_ADD);
	assert_int_equal(rte_dev_event_callback_unregister(NULL, on_event, ANY_ARG), 2);
}

static void
test_unregister_counts_what_it_takes(void **state)
{
	static const struct {
		const char *name;
		uintptr_t arg;
		int rc;
	} rows[] = {
		{ OTHER_NAME, 9, -ENOENT },
		{ OTHER_NAME, 1, 1 },
		{ NULL, 1, 2 },		/* NULL: whatever device they are for */
		{ NAME, (uintptr_t)ANY_ARG, 1 },
		{ NAME, (uintptr_t)ANY_ARG, -ENOENT },
	};
	unsigned int i;

	assert_int_equal(rte_dev_event_callback_register(NULL, on_event, (void *)1), 0);
	assert_int_equal(rte_dev_event_callback_register(NAME, on_event, (void *)1), 0);
	assert_int_equal(rte_dev_event_callback_register(NAME, on_event, (void *)2), 0);
	assert_int_equal(rte_dev_event_callback_register(OTHER_NAME, on_event, (void *)1), 0);
	for (i = 0; i < RTE_DIM(rows); i++)
		assert_int_equal(rte_dev_event_callback_unregister(rows[i].name, on_event,
			(void *)rows[i].arg), rows[i].rc);
}

static void
test_wrong_or_repeated_registration_is_refused(void **state)
{
	struct listener listener;

	listener_init(&listener);
	assert_int_equal(rte_dev_event_callback_register(NAME, NULL, NULL), -EINVAL);
	assert_int_equal(rte_dev_event_callback_unregister(NAME, NULL, NULL), -EINVAL);
	assert_int_equal(rte_dev_event_callback_register(NAME, on_event, &listener), 0);
	assert_int_equal(rte_dev_event_callback_register(NAME, on_event, &listener), -EEXIST);
	rte_dev_event_callback_process(NULL, RTE_DEV_EVENT_ADD);
	rte_dev_event_callback_process(NAME, RTE_DEV_EVENT_MAX);
	assert_int_equal(listener.calls, 0);
	assert_int_equal(rte_dev_event_callback_unregister(NAME, on_event, &listener), 1);
}

static void
unregister_myself(const char *name, enum rte_dev_event_type event, void *arg)
{
	struct listener *listener = arg;

	listener->rc = rte_dev_event_callback_unregister(name, unregister_myself, arg);
	if (listener->calls++ == 0)
		rte_dev_event_callback_register(name, on_event, arg);
}

static void
test_callback_may_register_but_not_unregister_itself(void **state)
{
	struct listener listener;

	listener_init(&listener);
	assert_int_equal(rte_dev_event_callback_register(NAME, unregister_myself, &listener), 0);
	rte_dev_event_callback_process(NAME, RTE_DEV_EVENT_REMOVE);
	assert_int_equal(listener.rc, -EAGAIN);
	assert_int_equal(rte_dev_event_callback_unregister(NAME, unregister_myself, &listener), 1);
	assert_int_equal(rte_dev_event_callback_unregister(NAME, on_event, &listener), 1);
}

static void
test_failing_registration_leaves_nothing_behind(void **state)
{
	struct interpose_loop loop;
	int rc;

	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC), 0) {
		rc = rte_dev_event_callback_register(NAME, on_event, NULL);
		interpose_disarm();
		assert_int_equal(rc, interpose_fired() ? -ENOMEM : 0);
		if (rc == 0)
			rte_dev_event_callback_unregister(NAME, on_event, NULL);
	}
}

static void
count_event(const char *name, enum rte_dev_event_type event, void *arg)
{
	__atomic_fetch_add((unsigned int *)arg, 1, __ATOMIC_RELAXED);
}

/* Any number of threads may be in a callback, so one that is gone in the end may take a while. */
static void *
register_and_process(void *arg)
{
	unsigned int *failures = arg;
	unsigned int calls = 0, i;
	int rc;

	for (i = 0; i < 300; i++) {
		*failures += rte_dev_event_callback_register(NAME, count_event, &calls) != 0;
		rte_dev_event_callback_process(NAME, RTE_DEV_EVENT_ADD);
		do
			rc = rte_dev_event_callback_unregister(NAME, count_event, &calls);
		while (rc == -EAGAIN);
		*failures += rc != 1;
	}
	*failures += calls < 300;
	return NULL;
}

static void
test_threads_register_while_others_process(void **state)
{
	unsigned int failures[3] = { 0 };
	pthread_t threads[RTE_DIM(failures)];
	unsigned int i;

	for (i = 0; i < RTE_DIM(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, register_and_process,
			&failures[i]), 0);
	for (i = 0; i < RTE_DIM(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(failures[i], 0);
	}
}

/* The kernel's messages. Each string ends with a zero byte, also the last. */

#define MSG(text) text, sizeof(text)

static const struct uevent_row {
	const char *what;
	const char *msg;
	size_t len;
	int rc;
	enum rte_dev_event_type type;
	const char *name;
} uevent_rows[] = {
	{ "PCI device removed", MSG("remove@/devices/pci0000:00/0000:00:03.0\0ACTION=remove\0"
		"DEVPATH=/devices/pci0000:00/0000:00:03.0\0SUBSYSTEM=pci\0PCI_CLASS=FF0000\0"
		"PCI_ID=1234:11E8\0PCI_SLOT_NAME=0000:00:03.0\0SEQNUM=3210"),
		0, RTE_DEV_EVENT_REMOVE, "0000:00:03.0" },
	{ "PCI device added, keys in another order", MSG("add@/x\0PCI_SLOT_NAME=10000:e1:1f.7\0"
		"SUBSYSTEM=pci\0ACTION=add"),
		0, RTE_DEV_EVENT_ADD, "10000:e1:1f.7" },
	{ "driver bound", MSG("bind@/x\0ACTION=bind\0SUBSYSTEM=pci\0PCI_SLOT_NAME=0000:00:03.0"),
		-ENOENT, 0, NULL },
	{ "another subsystem", MSG("add@/x\0ACTION=add\0SUBSYSTEM=net\0PCI_SLOT_NAME=0000:00:03.0"),
		-ENOENT, 0, NULL },
	{ "a subsystem that begins alike", MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci_express\0"
		"PCI_SLOT_NAME=0000:00:03.0"), -ENOENT, 0, NULL },
	{ "an action that begins alike", MSG("address@/x\0ACTION=address\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=0000:00:03.0"), -ENOENT, 0, NULL },
	{ "a key that ends alike", MSG("add@/x\0XACTION=add\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=0000:00:03.0"), -ENOENT, 0, NULL },
	{ "no slot name", MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci"), -ENOENT, 0, NULL },
	{ "empty slot name", MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME="),
		-EINVAL, 0, NULL },
	{ "slot name that is none", MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=../../etc"), -EINVAL, 0, NULL },
	{ "slot name with an escape", MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=0000:\x1b[2J"), -EINVAL, 0, NULL },
	{ "slot name of 64 bytes", MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME="
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
		-EINVAL, 0, NULL },
	{ "slot name of 63 bytes", MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME="
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde"),
		0, RTE_DEV_EVENT_ADD,
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde" },
	{ "udev's own form", MSG("libudev\0\xfe\xed\xca\xfe\0ACTION=add\0SUBSYSTEM=pci\0"
		"PCI_SLOT_NAME=0000:00:03.0"), -EINVAL, 0, NULL },
	{ "first string only", MSG("add@/x"), -ENOENT, 0, NULL },
	{ "empty strings", MSG("add@/x\0\0\0\0ACTION=add\0\0SUBSYSTEM=pci\0\0"
		"PCI_SLOT_NAME=0000:00:03.0\0\0"), 0, RTE_DEV_EVENT_ADD, "0000:00:03.0" },
	{ "not ended", "add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME=0000:00:03.0", 58,
		-EINVAL, 0, NULL },
	{ "nothing", "", 0, -EINVAL, 0, NULL },
	{ "a zero byte", "", 1, -EINVAL, 0, NULL },
};

static void
test_messages_of_the_kernel(void **state)
{
	const struct uevent_row *row;
	struct eal_uevent event;
	char *exact;

	for (row = uevent_rows; row < uevent_rows + RTE_DIM(uevent_rows); row++) {
		print_message("%s\n", row->what);
		exact = malloc(RTE_MAX(row->len, 1U));	/* a read beyond it is seen by ASan */
		memcpy(exact, row->msg, row->len);
		assert_int_equal(eal_uevent_parse(exact, row->len, &event), row->rc);
		free(exact);
		if (row->rc < 0)
			continue;
		assert_int_equal(event.type, row->type);
		assert_string_equal(event.name, row->name);
	}
}

static void
test_every_cut_message_is_survived(void **state)
{
	const struct uevent_row *row = &uevent_rows[0];
	struct eal_uevent event;
	size_t len;
	char *cut;

	for (len = 1; len < row->len; len++) {
		cut = malloc(len);
		memcpy(cut, row->msg, len);
		assert_true(eal_uevent_parse(cut, len, &event) <= 0);
		cut[len - 1] = '\0';
		assert_true(eal_uevent_parse(cut, len, &event) <= 0);
		free(cut);
	}
}

/* A bus with one device, whose memory is a file that may shrink. */

static struct fake {
	struct rte_device dev;
	char *addr;
	size_t len;
	int sigbus_rc;		/* what the handler says of its own addresses */
	unsigned int asked;
	unsigned int unplugged;
	bool raises_event;
} fake = { .dev = { .name = NAME } };

static int
fake_scan(void)
{
	return 0;
}

static struct rte_device *
fake_find(const struct rte_device *from, rte_dev_cmp_t cmp, const void *data)
{
	return from == NULL && cmp(&fake.dev, data) == 0 ? &fake.dev : NULL;
}

static int
fake_hot_unplug(struct rte_device *dev)
{
	assert_ptr_equal(dev, &fake.dev);
	fake.unplugged++;
	return 0;
}

static int
fake_sigbus(const void *addr)
{
	fake.asked++;
	if ((uintptr_t)addr - (uintptr_t)fake.addr >= fake.len)
		return 1;
	if (fake.sigbus_rc != 0)
		return fake.sigbus_rc;
	syscall(SYS_mmap, fake.addr, fake.len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	if (fake.raises_event)
		rte_dev_event_callback_process(NAME, RTE_DEV_EVENT_REMOVE);
	return 0;
}

static struct rte_bus fake_bus = {
	.name = "pci",
	.scan = fake_scan,
	.probe = fake_scan,
	.find_device = fake_find,
	.hot_unplug_handler = fake_hot_unplug,
	.sigbus_handler = fake_sigbus,
};

static int
start(void **state)
{
	struct rte_bus *real = rte_bus_find_by_name("pci");

	if (real != NULL)
		rte_bus_unregister(real);
	rte_bus_register(&fake_bus);
	return eal_intr_init();
}

static int
stop(void **state)
{
	rte_bus_unregister(&fake_bus);
	return eal_intr_cleanup();
}

static void
test_removal_goes_to_the_bus_if_enabled_then_to_listeners(void **state)
{
	struct listener listener;

	listener_init(&listener);
	fake.unplugged = 0;
	assert_int_equal(rte_dev_event_callback_register(NAME, on_event, &listener), 0);
	eal_uevent_deliver(MSG("remove@/x\0ACTION=remove\0SUBSYSTEM=pci\0PCI_SLOT_NAME=" NAME));
	assert_int_equal(fake.unplugged, 0);
	assert_int_equal(listener.calls, 1);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	eal_uevent_deliver(MSG("remove@/x\0ACTION=remove\0SUBSYSTEM=pci\0PCI_SLOT_NAME=" NAME));
	eal_uevent_deliver(MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME=" NAME));
	eal_uevent_deliver(MSG("remove@/x\0ACTION=remove\0SUBSYSTEM=pci\0PCI_SLOT_NAME="
		OTHER_NAME));
	assert_int_equal(fake.unplugged, 1);
	assert_int_equal(listener.calls, 3);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	assert_int_equal(rte_dev_event_callback_unregister(NAME, on_event, &listener), 1);
}

static void
test_monitor_is_counted_and_leaves_nothing(void **state)
{
	struct resources before;
	int rc;

	assert_int_equal(rte_dev_event_monitor_stop(), -EINVAL);
	resources_take(&before);
	rc = rte_dev_event_monitor_start();
	if (rc == -EPERM || rc == -EACCES || rc == -EPROTONOSUPPORT)
		skip();
	assert_int_equal(rc, 0);
	assert_int_equal(rte_dev_event_monitor_start(), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), -EINVAL);
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
test_failing_monitor_leaves_nothing(void **state)
{
	struct interpose_loop loop;
	int rc;

	rte_log_set_level(RTE_LOGTYPE_EAL, RTE_LOG_CRIT);
	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		rc = rte_dev_event_monitor_start();
		interpose_disarm();
		if (rc == 0)
			rte_dev_event_monitor_stop();
		if (interpose_fired())
			assert_true(rc < 0);
	}
	rte_log_set_level(RTE_LOGTYPE_EAL, RTE_LOG_NOTICE);
}

static void
test_forbidden_monitor_is_a_clear_error(void **state)
{
	char text[512] = "";
	FILE *stream = fmemopen(text, sizeof(text), "w");
	int rc;

	rte_openlog_stream(stream);
	interpose_fail(INTERPOSE_ONLY(SOCKET), 1, EPERM);
	rc = rte_dev_event_monitor_start();
	interpose_disarm();
	rte_openlog_stream(NULL);
	fclose(stream);
	assert_int_equal(rc, -EPERM);
	assert_non_null(strstr(text, "netlink socket is not allowed"));
}

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
	fake.addr = lost_page();
	fake.len = page_size();
	fake.sigbus_rc = sigbus_rc;
	fake.raises_event = raises_event;
	fake.asked = 0;
}

static void
fake_unmap(void)
{
	munmap(fake.addr, fake.len);
	fake.addr = NULL;
	fake.len = 0;
}

static void
test_access_to_lost_memory_goes_on_after_the_bus_handled_it(void **state)
{
	fake_lose(0, false);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	errno = 12345;
	assert_int_equal(*(volatile char *)fake.addr, 0);
	assert_int_equal(errno, 12345);
	assert_int_equal(fake.asked, 1);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	fake_unmap();
}

static void
test_event_of_a_signal_handler_is_told_in_the_interrupt_thread(void **state)
{
	struct listener listener;

	listener_init(&listener);
	assert_int_equal(rte_dev_event_callback_register(NAME, on_event, &listener), 0);
	fake_lose(0, true);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	*(volatile char *)fake.addr = 1;
	listener_wait(&listener);
	assert_int_equal(listener.calls, 1);
	assert_true(listener.in_intr_thread);
	assert_string_equal(listener.name, NAME);
	assert_int_equal(listener.event, RTE_DEV_EVENT_REMOVE);
	rte_dev_event_callback_process(NAME, RTE_DEV_EVENT_REMOVE);
	assert_false(listener.in_intr_thread);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	listener_end(&listener);
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
	fake.asked = 0;
	other_page = lost_page();
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	*(volatile char *)other_page = 1;
	assert_int_equal(fake.asked, 1);
	assert_int_equal(chained, 1);
	raise(SIGBUS);		/* has no address: no bus is asked */
	assert_int_equal(fake.asked, 1);
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
		status = child_access(fake.addr);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGBUS);
		fake_unmap();
	}
	fake_lose(0, false);
	assert_int_equal(child_access(fake.addr), 0);
	fake_unmap();
}

static void
test_forgotten_monitor_and_callbacks_go_with_eal(void **state)
{
	struct resources before;
	struct sigaction was, now;

	assert_int_equal(eal_intr_cleanup(), 0);
	sigaction(SIGBUS, NULL, &was);
	resources_take(&before);
	assert_int_equal(eal_intr_init(), 0);
	rte_log_set_level(RTE_LOGTYPE_EAL, RTE_LOG_CRIT);
	rte_dev_event_monitor_start();
	rte_log_set_level(RTE_LOGTYPE_EAL, RTE_LOG_NOTICE);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	assert_int_equal(rte_dev_event_callback_register(NAME, on_event, NULL), 0);
	assert_int_equal(eal_intr_cleanup(), 0);
	resources_assert_same(&before);
	resources_drop(&before);
	sigaction(SIGBUS, NULL, &now);
	assert_ptr_equal(was.sa_sigaction, now.sa_sigaction);
	assert_int_equal(rte_dev_event_callback_unregister(NAME, on_event, NULL), -ENOENT);
	assert_int_equal(eal_intr_init(), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_listener_hears_of_its_device_only),
	cmocka_unit_test(test_unregister_counts_what_it_takes),
	cmocka_unit_test(test_wrong_or_repeated_registration_is_refused),
	cmocka_unit_test(test_callback_may_register_but_not_unregister_itself),
	cmocka_unit_test(test_failing_registration_leaves_nothing_behind),
	cmocka_unit_test(test_threads_register_while_others_process),
	cmocka_unit_test(test_messages_of_the_kernel),
	cmocka_unit_test(test_every_cut_message_is_survived),
	cmocka_unit_test(test_removal_goes_to_the_bus_if_enabled_then_to_listeners),
	cmocka_unit_test(test_monitor_is_counted_and_leaves_nothing),
	cmocka_unit_test(test_failing_monitor_leaves_nothing),
	cmocka_unit_test(test_forbidden_monitor_is_a_clear_error),
	cmocka_unit_test(test_access_to_lost_memory_goes_on_after_the_bus_handled_it),
	cmocka_unit_test(test_event_of_a_signal_handler_is_told_in_the_interrupt_thread),
	cmocka_unit_test(test_fault_of_nobodys_goes_to_the_previous_handler),
	cmocka_unit_test(test_handler_installed_later_keeps_its_way_down),
	cmocka_unit_test(test_fault_that_nobody_handles_ends_the_process),
	cmocka_unit_test(test_forgotten_monitor_and_callbacks_go_with_eal),
};

TEST_SUITE(dev_event, "functional", tests, start, stop)
