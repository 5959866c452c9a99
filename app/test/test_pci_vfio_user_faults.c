/* SPDX-License-Identifier: BSD-3-Clause */

/* Each system call that fails, and servers that lie: an error, and nothing is left. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_log.h>

#include "eal_session.h"
#include "interpose.h"
#include "resources.h"
#include "test.h"
#include "vu_gadget.h"
#include "vu_hostile.h"
#include "vu_spawned.h"

#define NB_MESSAGES 40	/* more than probing and removing takes */
#define STRIDE      23	/* of the ways in which a message is made worse */

static struct gadget gadget;

static int
setup(void **state)
{
	(void)state;
	memset(&gadget, 0, sizeof(gadget));
	gadget.nb_msix = 3;
	gadget_start(&gadget);
	eal_session_start(NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	gadget_detach(&gadget);
	return 0;
}

/* Drive the device, use it, let it go. */
static int
device_use(const char *text)
{
	uint32_t value;
	int rc;

	rc = rte_dev_probe(text);
	if (rc != 0)
		return rc;
	if (gadget_device == NULL)
		return -ENODEV;
	rte_pci_mmio_read(gadget_device, GADGET_REGS, &value, 4, 0);
	return rte_dev_remove(&gadget_device->device);
}

/* ---- system calls: the server is in another process, and what it holds does not count ---- */

#define CALLS (INTERPOSE_ANY & ~INTERPOSE_ONLY(EPOLL_CTL))

static struct rte_device *
probed_device(void)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		if (rte_dev_is_probed(dev))
			return dev;
	return NULL;
}

static int
far_remove(void)
{
	struct rte_device *dev = probed_device();

	return dev == NULL ? 0 : rte_dev_remove(dev);
}

static int
far_use(const struct spawned *far)
{
	struct rte_device *dev;
	uint32_t value;
	int rc;

	rc = rte_dev_probe(far->name);
	if (rc != 0)
		return rc;
	dev = probed_device();
	if (dev == NULL)
		return -ENOMEM;
	rte_pci_mmio_read(RTE_DEV_TO_PCI(dev), 0, &value, 4, 0);
	return rte_dev_remove(dev);
}

static int
session_try(void)
{
	char args[][16] = { "dpdk-test", "--no-huge", "--in-memory" };
	char *argv[] = { args[0], args[1], args[2], NULL };

	return rte_eal_init(RTE_DIM(args), argv) < 0 ? -1 : 0;
}

/* All is well again. */
static void
far_works(const struct spawned *far)
{
	assert_int_equal(far_remove(), 0);
	assert_int_equal(far_use(far), 0);
}

/* From the start of EAL to its end: what stays in between has no fixed size. */
static void
test_nothing_leaks_whatever_call_fails(void **state)
{
	struct interpose_loop loop;
	struct spawned far;
	int rc;

	(void)state;
	spawned_start(&far);
	far_works(&far);
	eal_session_stop();
	resources_warm_up(8, 0, NULL);
	INTERPOSE_EACH_FAILURE(loop, CALLS | INTERPOSE_THIS_THREAD, 0) {
		rc = session_try();
		if (rc == 0)
			far_use(&far);
		interpose_disarm();
		if (rc == 0) {
			far_works(&far);
			eal_session_stop();
		}
	}
	spawned_end(&far);
	eal_session_start(NULL);
}

/* EAL makes another epoll when it cannot take something out of the one that it has. */
static void
test_device_works_again_whatever_epoll_refuses(void **state)
{
	const uint64_t mask = INTERPOSE_ONLY(EPOLL_CTL) | INTERPOSE_THIS_THREAD;
	bool fired = true;
	unsigned int nth;
	struct spawned far;

	(void)state;
	spawned_start(&far);
	for (nth = 1; fired; nth++) {
		interpose_fail(mask, nth, 0);
		far_use(&far);
		fired = interpose_fired();
		interpose_disarm();
		far_works(&far);
	}
	assert_true(nth > 5);
	spawned_end(&far);
}

/* ---- servers that are none ---- */

struct listener {
	char path[32];
	char text[96];
	int sock;
	pthread_t thread;
	void (*serve)(struct listener *listener, int conn);
	struct vu_hostile_middle *middle;
};

static void *
listener_main(void *arg)
{
	struct listener *listener = arg;
	int conn;

	while ((conn = accept4(listener->sock, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		listener->serve(listener, conn);
	return NULL;
}

static void
listener_start(struct listener *listener)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(listener->path, sizeof(listener->path), "%s/mid", gadget.dir);
	snprintf(listener->text, sizeof(listener->text),
		"bus=pci,backend=vfio-user,path=%s/mid,timeout_ms=50", gadget.dir);
	strcpy(addr.sun_path, listener->path);
	listener->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener->sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(listener->sock, 8), 0);
	assert_int_equal(pthread_create(&listener->thread, NULL, listener_main, listener), 0);
}

static void
listener_stop(struct listener *listener)
{
	shutdown(listener->sock, SHUT_RDWR);
	pthread_join(listener->thread, NULL);
	close(listener->sock);
	unlink(listener->path);
}

static void
hang_up(struct listener *listener, int conn)
{
	(void)listener;
	close(conn);
}

static void
talk_nonsense(struct listener *listener, int conn)
{
	static const char nonsense[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	(void)listener;
	send(conn, nonsense, sizeof(nonsense), MSG_NOSIGNAL);
	shutdown(conn, SHUT_WR);
	while (recv(conn, (char[256]){ 0 }, 256, 0) > 0)
		;
	close(conn);
}

static void
refused_by(void (*serve)(struct listener *listener, int conn))
{
	struct listener listener = { .serve = serve };

	listener_start(&listener);
	assert_int_equal(rte_dev_probe(listener.text), -ENODEV);
	listener_stop(&listener);
}

static void
test_listener_that_hangs_up_is_no_server(void **state)
{
	(void)state;
	refused_by(hang_up);
}

static void
test_listener_that_talks_nonsense_is_no_server(void **state)
{
	(void)state;
	refused_by(talk_nonsense);
}

/* ---- servers that lie: each message of a real one, each in many ways ---- */

static int
connect_to(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return sock;
}

/* The first connection is the one that goes wrong; others are told nothing. */
static void
pass_on(struct listener *listener, int conn)
{
	struct vu_hostile_middle *middle = listener->middle;

	if (middle->thread != NULL) {
		close(conn);
		return;
	}
	middle->client = conn;
	middle->server = connect_to(gadget.path);
	vu_hostile_middle_start(middle);
}

static bool
lie_once(unsigned int nth, unsigned int mutation, bool *more)
{
	struct vu_hostile_middle middle = { .to_client = true, .nth = nth, .mutation = mutation };
	struct listener listener = { .serve = pass_on, .middle = &middle };

	listener_start(&listener);
	device_use(listener.text);
	if (gadget_device != NULL)
		rte_dev_remove(&gadget_device->device);
	listener_stop(&listener);
	/* the connection that the scan has kept */
	rte_bus_find_by_name("pci")->scan();
	if (middle.thread != NULL)
		vu_hostile_middle_join(&middle);
	*more = middle.done;
	return middle.came;
}

static void
test_servers_that_lie_do_no_harm(void **state)
{
	unsigned int nth, mutation, nb = 0;
	bool more = true;

	(void)state;
	for (nth = 0; nth < NB_MESSAGES; nth++) {
		for (mutation = nth % STRIDE; mutation < 1000; mutation += STRIDE) {
			if (!lie_once(nth, mutation, &more))
				break;
			if (!more)
				break;
			nb++;
		}
	}
	assert_true(nb > 100);
	assert_int_equal(device_use(gadget.name), 0);
}

/* ---- what the file system says ---- */

static void
test_socket_without_permission_is_no_device(void **state)
{
	(void)state;
	if (geteuid() == 0)
		skip();
	assert_int_equal(chmod(gadget.path, 0), 0);
	assert_int_equal(rte_dev_probe(gadget.name), -ENODEV);
}

static int
suite_setup(void **state)
{
	/* hundreds of failures, each with its line */
	rte_log_set_global_level(RTE_LOG_EMERG);
	return gadget_suite_setup(state);
}

static int
suite_teardown(void **state)
{
	rte_log_set_global_level(RTE_LOG_DEBUG);
	return gadget_suite_teardown(state);
}

#define FAULT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	FAULT_TEST(test_nothing_leaks_whatever_call_fails),
	FAULT_TEST(test_device_works_again_whatever_epoll_refuses),
	FAULT_TEST(test_listener_that_hangs_up_is_no_server),
	FAULT_TEST(test_listener_that_talks_nonsense_is_no_server),
	FAULT_TEST(test_servers_that_lie_do_no_harm),
	FAULT_TEST(test_socket_without_permission_is_no_device),
};

TEST_SUITE(pci_vfio_user_faults, "functional", tests, suite_setup, suite_teardown)
