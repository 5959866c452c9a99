/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/netlink.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_log.h>

#include "dev_listener.h"
#include "eal_intr.h"
#include "eal_uevent.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"

/* Registration. */

static void
test_listener_hears_of_its_device_only(void **state)
{
	struct dev_listener one, all;

	dev_listener_init(&one);
	dev_listener_init(&all);
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, dev_listener_called, &one), 0);
	assert_int_equal(rte_dev_event_callback_register(NULL, dev_listener_called, &all), 0);
	rte_dev_event_callback_process(DEV_NAME, RTE_DEV_EVENT_REMOVE);
	rte_dev_event_callback_process(DEV_OTHER_NAME, RTE_DEV_EVENT_ADD);
	assert_int_equal(one.calls, 1);
	assert_string_equal(one.name, DEV_NAME);
	assert_int_equal(one.event, RTE_DEV_EVENT_REMOVE);
	assert_int_equal(all.calls, 2);
	assert_string_equal(all.name, DEV_OTHER_NAME);
	assert_int_equal(all.event, RTE_DEV_EVENT_ADD);
	assert_int_equal(rte_dev_event_callback_unregister(NULL, dev_listener_called, ANY_ARG), 2);
}

static void
test_unregister_counts_what_it_takes(void **state)
{
	static const struct {
		const char *name;
		uintptr_t arg;
		int rc;
	} rows[] = {
		{ DEV_OTHER_NAME, 9, -ENOENT },
		{ DEV_OTHER_NAME, 1, 1 },
		{ NULL, 1, 2 },		/* NULL: whatever device they are for */
		{ DEV_NAME, (uintptr_t)ANY_ARG, 1 },
		{ DEV_NAME, (uintptr_t)ANY_ARG, -ENOENT },
	};
	unsigned int i;

	assert_int_equal(rte_dev_event_callback_register(NULL, dev_listener_called, (void *)1), 0);
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, dev_listener_called, (void *)1),
		0);
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, dev_listener_called, (void *)2),
		0);
	assert_int_equal(rte_dev_event_callback_register(DEV_OTHER_NAME, dev_listener_called,
		(void *)1), 0);
	for (i = 0; i < RTE_DIM(rows); i++)
		assert_int_equal(rte_dev_event_callback_unregister(rows[i].name,
			dev_listener_called,
			(void *)rows[i].arg), rows[i].rc);
}

static void
test_wrong_or_repeated_registration_is_refused(void **state)
{
	struct dev_listener listener;

	dev_listener_init(&listener);
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, NULL, NULL), -EINVAL);
	assert_int_equal(rte_dev_event_callback_unregister(DEV_NAME, NULL, NULL), -EINVAL);
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, dev_listener_called, &listener),
		0);
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, dev_listener_called, &listener),
		-EEXIST);
	rte_dev_event_callback_process(NULL, RTE_DEV_EVENT_ADD);
	rte_dev_event_callback_process(DEV_NAME, RTE_DEV_EVENT_MAX);
	assert_int_equal(listener.calls, 0);
	assert_int_equal(rte_dev_event_callback_unregister(DEV_NAME, dev_listener_called,
		&listener), 1);
}

static void
unregister_myself(const char *name, enum rte_dev_event_type event, void *arg)
{
	struct dev_listener *listener = arg;

	listener->rc = rte_dev_event_callback_unregister(name, unregister_myself, arg);
	if (listener->calls++ == 0)
		rte_dev_event_callback_register(name, dev_listener_called, arg);
}

static void
test_callback_may_register_but_not_unregister_itself(void **state)
{
	struct dev_listener listener;

	dev_listener_init(&listener);
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, unregister_myself, &listener),
		0);
	rte_dev_event_callback_process(DEV_NAME, RTE_DEV_EVENT_REMOVE);
	assert_int_equal(listener.rc, -EAGAIN);
	assert_int_equal(rte_dev_event_callback_unregister(DEV_NAME, unregister_myself, &listener),
		1);
	assert_int_equal(rte_dev_event_callback_unregister(DEV_NAME, dev_listener_called,
		&listener), 1);
}

static void
test_failing_registration_leaves_nothing_behind(void **state)
{
	struct interpose_loop loop;
	int rc;

	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC), 0) {
		rc = rte_dev_event_callback_register(DEV_NAME, dev_listener_called, NULL);
		interpose_disarm();
		assert_int_equal(rc, interpose_fired() ? -ENOMEM : 0);
		if (rc == 0)
			rte_dev_event_callback_unregister(DEV_NAME, dev_listener_called, NULL);
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
		*failures += rte_dev_event_callback_register(DEV_NAME, count_event, &calls) != 0;
		rte_dev_event_callback_process(DEV_NAME, RTE_DEV_EVENT_ADD);
		do
			rc = rte_dev_event_callback_unregister(DEV_NAME, count_event, &calls);
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

static void
test_removal_goes_to_the_bus_if_enabled_then_to_listeners(void **state)
{
	struct dev_listener listener;

	dev_listener_init(&listener);
	dev_fake.unplugged = 0;
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, dev_listener_called, &listener),
		0);
	eal_uevent_deliver(DEV_MSG("remove@/x\0ACTION=remove\0SUBSYSTEM=pci\0PCI_SLOT_NAME="
		DEV_NAME));
	assert_int_equal(dev_fake.unplugged, 0);
	assert_int_equal(listener.calls, 1);
	assert_int_equal(rte_dev_hotplug_handle_enable(), 0);
	eal_uevent_deliver(DEV_MSG("remove@/x\0ACTION=remove\0SUBSYSTEM=pci\0PCI_SLOT_NAME="
		DEV_NAME));
	eal_uevent_deliver(DEV_MSG("add@/x\0ACTION=add\0SUBSYSTEM=pci\0PCI_SLOT_NAME="
		DEV_NAME));
	eal_uevent_deliver(DEV_MSG("remove@/x\0ACTION=remove\0SUBSYSTEM=pci\0PCI_SLOT_NAME="
		DEV_OTHER_NAME));
	assert_int_equal(dev_fake.unplugged, 1);
	assert_int_equal(listener.calls, 3);
	assert_int_equal(rte_dev_hotplug_handle_disable(), 0);
	assert_int_equal(rte_dev_event_callback_unregister(DEV_NAME, dev_listener_called,
		&listener), 1);
}

static void
test_monitor_is_counted_and_leaves_nothing(void **state)
{
	struct resources before;
	int rc;

	assert_int_equal(rte_dev_event_monitor_stop(), 0);
	resources_take(&before);
	rc = rte_dev_event_monitor_start();
	if (rc == -EPERM || rc == -EACCES || rc == -EPROTONOSUPPORT)
		skip();
	assert_int_equal(rc, 0);
	assert_int_equal(rte_dev_event_monitor_start(), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), 0);
	assert_int_equal(rte_dev_event_monitor_start(), 0);
	assert_int_equal(rte_dev_event_monitor_stop(), 0);
	resources_assert_same(&before);
	resources_drop(&before);
}

/* Room for messages of a socket of that family that this process has; 0: it has none. */
static int
room_of_own(int family)
{
	struct sockaddr addr;
	int fd, room = 0;

	for (fd = 0; fd < 1024; fd++) {
		socklen_t len = sizeof(addr), room_len = sizeof(room);

		if (getsockname(fd, &addr, &len) == 0 && addr.sa_family == family)
			getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &room_len);
	}
	return room;
}

/* How much of it one may have: the system's limit is for those without CAP_NET_ADMIN. */
static int
room_of_new(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	int room = INT_MAX / 2;
	socklen_t len = sizeof(room);

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, &len), 0);
	close(fd);
	return room;
}

static void
test_monitor_has_room_for_events_that_come_at_once(void **state)
{
	unsigned int i;
	int rc;

	/* without the privilege, and as we are */
	for (i = 0; i < 2; i++) {
		if (i == 0)
			interpose_fail(INTERPOSE_ONLY(SETSOCKOPT), 1, EPERM);
		rc = rte_dev_event_monitor_start();
		interpose_disarm();
		if (rc == -EPERM || rc == -EACCES || rc == -EPROTONOSUPPORT)
			skip();
		assert_int_equal(rc, 0);
		assert_true(room_of_own(AF_NETLINK) >= RTE_MIN(room_of_new(), 4 << 20));
		assert_int_equal(rte_dev_event_monitor_stop(), 0);
	}
}

static void
test_failing_monitor_leaves_nothing(void **state)
{
	struct interpose_loop loop;
	int rc;

	rte_log_set_level(RTE_LOGTYPE_EAL, RTE_LOG_CRIT);
	INTERPOSE_EACH_FAILURE(loop, (INTERPOSE_ANY & ~INTERPOSE_ONLY(SETSOCKOPT)) |
			INTERPOSE_THIS_THREAD, 0) {
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
	assert_int_equal(rte_dev_event_callback_register(DEV_NAME, dev_listener_called, NULL), 0);
	assert_int_equal(eal_intr_cleanup(), 0);
	resources_assert_same(&before);
	resources_drop(&before);
	sigaction(SIGBUS, NULL, &now);
	assert_ptr_equal(was.sa_sigaction, now.sa_sigaction);
	assert_int_equal(rte_dev_event_callback_unregister(DEV_NAME, dev_listener_called, NULL),
		-ENOENT);
	assert_int_equal(eal_intr_init(), 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_listener_hears_of_its_device_only),
	cmocka_unit_test(test_unregister_counts_what_it_takes),
	cmocka_unit_test(test_wrong_or_repeated_registration_is_refused),
	cmocka_unit_test(test_callback_may_register_but_not_unregister_itself),
	cmocka_unit_test(test_failing_registration_leaves_nothing_behind),
	cmocka_unit_test(test_threads_register_while_others_process),
	cmocka_unit_test(test_removal_goes_to_the_bus_if_enabled_then_to_listeners),
	cmocka_unit_test(test_monitor_is_counted_and_leaves_nothing),
	cmocka_unit_test(test_monitor_has_room_for_events_that_come_at_once),
	cmocka_unit_test(test_failing_monitor_leaves_nothing),
	cmocka_unit_test(test_forbidden_monitor_is_a_clear_error),
	cmocka_unit_test(test_forgotten_monitor_and_callbacks_go_with_eal),
};

TEST_SUITE(dev_event, "functional", tests, dev_listener_start, dev_listener_stop)
