/* SPDX-License-Identifier: BSD-3-Clause */

/* Each call that attaching makes fails, in turn: the error is clear, and nothing is left of it. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include "interpose.h"
#include "test.h"
#include "vu_served.h"

/* What may be said of a call that failed. That the server does not answer is not true. */
static bool
is_clear(int rc)
{
	static const int errors[] = { -ENOMEM, -EMFILE, -ENFILE, -ENOSPC, -EINVAL, -EACCES, -EAGAIN,
		-ECONNREFUSED, -ENOBUFS, -EIO };
	size_t i;

	for (i = 0; i < RTE_DIM(errors); i++)
		if (rc == errors[i])
			return true;
	return false;
}

static int
connected_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	assert_int_equal(connect(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return sock;
}

/* A number for each socket there is; 0: it is none, or closed. */
static ino_t
socket_identity(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static void
check_attach(struct served *served, bool adopts)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .timeout_ms = 20000 };
	ino_t identity = 0;
	int rc;

	if (adopts) {
		interpose_bypass_begin();
		opt.flags = RTE_VFIO_USER_ATTACH_F_SOCK_FD;
		opt.sock_fd = connected_socket(served->path);
		identity = socket_identity(opt.sock_fd);
		interpose_bypass_end();
	}
	rc = rte_vfio_user_attach_dev_opt(served->path, &opt);
	interpose_disarm();
	if (rc < 0 && (!interpose_fired() || !is_clear(rc)))
		fail_msg("%s failed: %s", interpose_fired_name(), strerror(-rc));
	/* a socket that was handed over is gone in any case; the server may have its descriptor */
	if (rc < 0 && adopts)
		assert_int_not_equal(socket_identity(opt.sock_fd), identity);
	if (rc < 0)
		return;
	/* what was survived has left no trace */
	assert_int_equal(rte_vfio_user_reset(rc), 0);
	assert_int_equal(rte_vfio_user_detach_dev(rc), 0);
}

static void
check_each_failure(struct served *served, bool adopts)
{
	struct interpose_loop loop;

	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ANY | INTERPOSE_THIS_THREAD, 0) {
		check_attach(served, adopts);
		served_wait(&served->destroy_device, atomic_load(&served->new_device));
	}
}

static void
test_attaching_by_a_path(void **state)
{
	check_each_failure(*state, false);
}

static void
test_attaching_by_a_socket(void **state)
{
	check_each_failure(*state, true);
}

/* The server's calls fail: the next client is welcome. */
static void
test_being_attached_to(void **state)
{
	const uint64_t mask = INTERPOSE_ANY & ~INTERPOSE_ONLY(READ) & ~INTERPOSE_ONLY(WRITE);
	const struct rte_vfio_user_attach_options opt = { .size = sizeof(opt),
		.timeout_ms = 20000 };
	struct served *served = *state;
	struct interpose_loop loop;
	int rc;

	interpose_bypass_begin();
	INTERPOSE_EACH_FAILURE(loop, mask, 0) {
		rc = rte_vfio_user_attach_dev_opt(served->path, &opt);
		interpose_disarm();
		if (rc == -ETIMEDOUT || (rc < 0 && !interpose_fired()))
			fail_msg("%s failed: %s", interpose_fired_name(), strerror(-rc));
		if (rc >= 0)
			assert_int_equal(rte_vfio_user_detach_dev(rc), 0);
		rc = rte_vfio_user_attach_dev_opt(served->path, &opt);
		if (rc < 0)
			fail_msg("after %s: %s", interpose_fired_name(), strerror(-rc));
		assert_int_equal(rte_vfio_user_detach_dev(rc), 0);
		served_wait(&served->destroy_device, atomic_load(&served->new_device));
	}
	interpose_bypass_end();
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

static const struct CMUnitTest tests[] = {
	TEST(test_attaching_by_a_path),
	TEST(test_attaching_by_a_socket),
	TEST(test_being_attached_to),
};

TEST_SUITE(vu_client_lack, "functional", tests, served_warm_up, NULL)
