/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>
#include <rte_vfio_user.h>

#include "resources.h"
#include "test.h"
#include "vu_stand.h"

static char dir[] = "/tmp/vu-client-XXXXXX";

static int
suite_setup(void **state)
{
	(void)state;
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
	return mkdtemp(dir) != NULL ? 0 : -1;
}

static int
suite_teardown(void **state)
{
	(void)state;
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_NOTICE);
	return rmdir(dir);
}

static const char *
path_of(const char *name)
{
	static char path[64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* ------------------------------------------------------------------ before connecting ---- */

static void
test_path_must_be_there_and_fit(void **state)
{
	char path[109];

	(void)state;
	memset(path, 'x', sizeof(path) - 1);
	path[108] = '\0';
	assert_int_equal(rte_vfio_user_attach_dev(NULL), -EINVAL);
	assert_int_equal(rte_vfio_user_attach_dev(""), -EINVAL);
	assert_int_equal(rte_vfio_user_attach_dev(path), -ENAMETOOLONG);
	path[107] = '\0';
	assert_int_equal(rte_vfio_user_attach_dev(path), -ENOENT);
}

static void
test_nobody_listens(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path_of("stale"));
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	close(sock);
	assert_int_equal(rte_vfio_user_attach_dev(path_of("nothing")), -ENOENT);
	assert_int_equal(rte_vfio_user_attach_dev(path_of("stale")), -ECONNREFUSED);
	unlink(addr.sun_path);
}

static void
test_file_is_no_socket(void **state)
{
	const char *path = path_of("file");

	(void)state;
	close(open(path, O_CREAT | O_WRONLY, 0600));
	assert_int_equal(rte_vfio_user_attach_dev(path), -ENOTSOCK);
	unlink(path);
}

static void
test_options_must_make_sense(void **state)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .flags = 0x80000000u };

	(void)state;
	assert_int_equal(rte_vfio_user_attach_dev_opt("x", &opt), -EINVAL);
	opt = (struct rte_vfio_user_attach_options) { .size = sizeof(opt) + 1 };
	assert_int_equal(rte_vfio_user_attach_dev_opt("x", &opt), -EINVAL);
	opt = (struct rte_vfio_user_attach_options) { .size = 1 };
	assert_int_equal(rte_vfio_user_attach_dev_opt("x", &opt), -EINVAL);
	opt = (struct rte_vfio_user_attach_options) { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_ATTACH_F_SOCK_FD, .sock_fd = -1 };
	assert_int_equal(rte_vfio_user_attach_dev_opt("x", &opt), -EBADF);
}

static void
test_listener_that_accepts_nobody_times_out(void **state)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .timeout_ms = 60 };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path_of("deaf"));
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(sock, 0), 0);
	/* the first waits for VERSION in the queue, the second for room in it */
	assert_int_equal(rte_vfio_user_attach_dev_opt(addr.sun_path, &opt), -ETIMEDOUT);
	assert_int_equal(rte_vfio_user_attach_dev_opt(addr.sun_path, &opt), -ETIMEDOUT);
	close(sock);
	unlink(addr.sun_path);
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/* The process gets signals while it waits for room in the queue of a server. */
static void
test_signals_do_not_end_the_wait_for_a_listener(void **state)
{
	const struct itimerval often = { { 0, 5000 }, { 0, 5000 } }, never = { { 0, 0 }, { 0, 0 } };
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt), .timeout_ms = 60 };
	struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART }, before;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);
	int i;

	(void)state;
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path_of("busy"));
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(sock, 0), 0);
	sigaction(SIGALRM, &action, &before);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < 3; i++)
		assert_int_equal(rte_vfio_user_attach_dev_opt(addr.sun_path, &opt), -ETIMEDOUT);
	setitimer(ITIMER_REAL, &never, NULL);
	sigaction(SIGALRM, &before, NULL);
	close(sock);
	unlink(addr.sun_path);
}

static void
test_descriptor_that_is_no_stream_socket(void **state)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_ATTACH_F_SOCK_FD };
	int sock[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sock), 0);
	opt.sock_fd = sock[0];
	assert_int_equal(rte_vfio_user_attach_dev_opt("x", &opt), -EPROTOTYPE);
	close(sock[1]);
	opt.sock_fd = open("/dev/null", O_RDONLY);
	assert_int_equal(rte_vfio_user_attach_dev_opt("x", &opt), -ENOTSOCK);
}

/* ------------------------------------------------------------------------ negotiation ---- */

static void
test_version_goes_first_and_info_second(void **state)
{
	struct stand stand = { .answer = NULL };
	const char *json;

	(void)state;
	assert_true(stand_try(&stand) >= 0);
	assert_int_equal(atomic_load(&stand.nb_log), 2);
	assert_int_equal(stand.log[0].hdr.cmd, VU_VERSION);
	assert_int_equal(stand.log[0].hdr.flags, 0);
	assert_int_equal(stand.log[0].nb_fds, 0);
	assert_memory_equal(stand.log[0].head, "\0\0\1\0", 4);
	json = (const char *)stand.log[0].head + 4;
	assert_memory_equal(json, "{\"capabilities\":{", 17);
	assert_int_equal(stand.log[1].hdr.cmd, VU_GET_INFO);
	assert_int_equal(stand.log[1].len, 16);
	assert_memory_equal(stand.log[1].head, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	stand_end(&stand);
}

/* An answer to VERSION, and what the client says to it. */
struct version_case {
	const char *name;
	uint16_t major;
	uint16_t minor;
	const char *json;	/* NULL: none */
	size_t cut;	/* bytes taken off the end */
	int error;	/* sent instead */
	int rc;	/* 0: attached */
};

static const struct version_case version_cases[] = {
	{ .name = "0.0", .json = "{\"capabilities\":{}}" },
	{ .name = "0.1", .minor = 1, .json = "{\"capabilities\":{}}" },
	{ .name = "no text" },
	{ .name = "no capabilities", .json = "{}" },
	{ .name = "unknown member", .json = "{\"capabilities\":{\"x\":1},\"y\":2}" },
	{ .name = "newer minor", .minor = 2, .json = "{}", .rc = -EPROTONOSUPPORT },
	{ .name = "newer major", .major = 1, .json = "{}", .rc = -EPROTONOSUPPORT },
	{ .name = "no NUL", .json = "{}", .cut = 1, .rc = -EPROTO },
	{ .name = "half a text", .json = "{\"capabilities\":{", .rc = -EPROTO },
	{ .name = "no JSON", .json = "hello", .rc = -EPROTO },
	{ .name = "an array", .json = "[]", .rc = -EPROTO },
	{ .name = "short", .cut = 1, .rc = -EPROTO },
	{ .name = "empty", .cut = 4, .rc = -EPROTO },
	{ .name = "negative", .json = "{\"capabilities\":{\"max_msg_fds\":-1}}", .rc = -EPROTO },
	{ .name = "no transfers", .json = "{\"capabilities\":{\"max_data_xfer_size\":0}}",
		.rc = -EPROTO },
	{ .name = "twin without index", .json = "{\"capabilities\":{\"twin_socket\":"
		"{\"supported\":true}}}", .rc = -EPROTO },
	{ .name = "twin without socket", .json = "{\"capabilities\":{\"twin_socket\":"
		"{\"supported\":true,\"fd_index\":0}}}", .rc = -EPROTO },
	{ .name = "EINVAL", .error = EINVAL, .rc = -EPROTONOSUPPORT },
	{ .name = "EBUSY", .error = EBUSY, .rc = -EBUSY },
};

static bool
answer_version_case(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload,
	size_t len)
{
	const struct version_case *c = stand->ctx;
	const struct vu_version version = { .major = c->major, .minor = c->minor };
	uint8_t reply[256];
	size_t size = sizeof(version);

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_VERSION)
		return false;
	if (c->error != 0)
		return stand_error(stand, hdr, (uint32_t)c->error);
	memcpy(reply, &version, sizeof(version));
	if (c->json != NULL) {
		strcpy((char *)reply + size, c->json);
		size += strlen(c->json) + 1;
	}
	return stand_reply(stand, hdr, reply, size - c->cut, NULL, 0);
}

static void
test_answers_to_version(void **state)
{
	uintptr_t ctx;
	size_t i;
	int rc;

	(void)state;
	for (i = 0; i < RTE_DIM(version_cases); i++) {
		struct stand stand = { .answer = answer_version_case };

		ctx = (uintptr_t)&version_cases[i];
		stand.ctx = (void *)ctx;
		rc = stand_try(&stand);
		if ((rc < 0 ? rc : 0) != version_cases[i].rc)
			fail_msg("%s: %d", version_cases[i].name, rc);
		if (rc >= 0)
			stand_end(&stand);
	}
}

static bool
answer_garbage(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	static const char text[] = "HTTP/1.1 400 Bad Request\r\n\r\n";

	(void)hdr;
	(void)payload;
	(void)len;
	return stand_send(stand, text, sizeof(text) - 1, NULL, 0);
}

static bool
answer_nothing(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)stand;
	(void)hdr;
	(void)payload;
	(void)len;
	return true;
}

static void
test_socket_is_taken_over_even_if_attaching_fails(void **state)
{
	struct rte_vfio_user_attach_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_ATTACH_F_SOCK_FD };
	int sock[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	opt.sock_fd = sock[0];
	assert_int_equal(rte_vfio_user_attach_dev_opt("", &opt), -EINVAL);
	assert_int_equal(fcntl(sock[0], F_GETFD), -1);
	opt.sock_fd = sock[1];
	opt.flags |= 0x8000;
	assert_int_equal(rte_vfio_user_attach_dev_opt("x", &opt), -EINVAL);
	assert_int_equal(close(sock[1]), 0);
}

static bool
answer_by_leaving(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)hdr;
	(void)payload;
	(void)len;
	stand_hang_up(stand);
	return true;
}

static void
send_back(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	stand_send(stand, hdr, sizeof(*hdr), NULL, 0);
	if (len > 0)
		stand_send(stand, payload, len, NULL, 0);
}

/* Whatever is said comes back: a question to the client, then its own answer to it. */
static bool
answer_as_an_echo(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	send_back(stand, hdr, payload, len);
	return true;
}

static void
test_peer_is_no_server(void **state)
{
	struct stand echo = { .answer = answer_as_an_echo };
	struct stand talks = { .answer = answer_garbage };
	struct stand leaves = { .answer = answer_by_leaving };
	struct stand silent = { .answer = answer_nothing, .timeout_ms = 60 };

	(void)state;
	assert_int_equal(stand_try(&talks), -EPROTO);
	assert_int_equal(stand_try(&leaves), -EPROTO);
	assert_int_equal(stand_try(&silent), -ETIMEDOUT);
	assert_int_equal(stand_try(&echo), -EPROTO);
}

/* Sends the answer to VERSION in two pieces, cut at *ctx. */
static bool
answer_cut(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	struct {
		struct vu_hdr hdr;
		uint8_t payload[7];
	} msg = { .hdr = { .id = hdr->id, .cmd = VU_VERSION, .size = 23,
		.flags = VU_F_TYPE_REPLY }, .payload = { 0, 0, 0, 0, '{', '}', 0 } };
	size_t cut = *(const size_t *)stand->ctx;

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_VERSION)
		return false;
	return stand_send(stand, &msg, cut, NULL, 0) && usleep(1000) == 0 &&
		stand_send(stand, (const char *)&msg + cut, 23 - cut, NULL, 0);
}

static void
test_answer_may_come_in_pieces(void **state)
{
	size_t cut;

	(void)state;
	for (cut = 1; cut < 23; cut++) {
		struct stand stand = { .answer = answer_cut, .ctx = &cut };

		stand_start(&stand);
		stand_end(&stand);
	}
}

static bool
answer_no_pci(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct vfio_device_info info = { .argsz = 16, .flags = VFIO_DEVICE_FLAGS_RESET };

	(void)payload;
	(void)len;
	return hdr->cmd == VU_GET_INFO && stand_reply(stand, hdr, &info, 16, NULL, 0);
}

static void
test_device_must_be_pci(void **state)
{
	struct stand stand = { .answer = answer_no_pci };

	(void)state;
	assert_int_equal(stand_try(&stand), -ENODEV);
}

static void
test_limits_are_what_the_server_says(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{\"max_msg_fds\":3,\"pgsizes\":8192,"
		"\"max_data_xfer_size\":77,\"max_dma_maps\":9,\"write_multiple\":true}}" };
	struct rte_vfio_user_limits limits;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_get_limits(stand.dev_id, &limits), 0);
	assert_int_equal(limits.max_msg_fds, 3);
	assert_int_equal(limits.max_data_xfer_size, 77);
	assert_int_equal(limits.max_dma_maps, 9);
	assert_int_equal(limits.pgsizes, 8192);
	assert_true(limits.write_multiple);
	assert_false(limits.twin_socket);
	stand_end(&stand);
}

/* ------------------------------------------------------------------------------- ids ---- */

static void
test_ids_that_are_none(void **state)
{
	static const int ids[] = { -1, 0, 1, RTE_VFIO_USER_MAX_CLIENTS, INT32_MAX, INT32_MIN };
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(ids); i++) {
		assert_int_equal(rte_vfio_user_detach_dev(ids[i]), -ENODEV);
		assert_int_equal(rte_vfio_user_reset(ids[i]), -ENODEV);
		assert_int_equal(rte_vfio_user_serve(ids[i], 0), -ENODEV);
	}
}

static void
test_clients_are_apart(void **state)
{
	struct stand a = { .answer = NULL }, b = { .answer = NULL };

	(void)state;
	stand_start(&a);
	stand_start(&b);
	assert_int_not_equal(a.dev_id, b.dev_id);
	stand_hang_up(&a);
	assert_int_equal(rte_vfio_user_reset(a.dev_id), -ENOTCONN);
	assert_int_equal(rte_vfio_user_reset(b.dev_id), 0);
	stand_end(&b);
	assert_int_equal(rte_vfio_user_reset(b.dev_id), -ENODEV);
	stand_end(&a);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_path_must_be_there_and_fit),
	cmocka_unit_test(test_nobody_listens),
	cmocka_unit_test(test_file_is_no_socket),
	cmocka_unit_test(test_options_must_make_sense),
	cmocka_unit_test(test_listener_that_accepts_nobody_times_out),
	cmocka_unit_test(test_signals_do_not_end_the_wait_for_a_listener),
	cmocka_unit_test(test_descriptor_that_is_no_stream_socket),
	cmocka_unit_test(test_socket_is_taken_over_even_if_attaching_fails),
	cmocka_unit_test(test_version_goes_first_and_info_second),
	cmocka_unit_test(test_answers_to_version),
	cmocka_unit_test(test_peer_is_no_server),
	cmocka_unit_test(test_answer_may_come_in_pieces),
	cmocka_unit_test(test_device_must_be_pci),
	cmocka_unit_test(test_limits_are_what_the_server_says),
	cmocka_unit_test(test_ids_that_are_none),
	cmocka_unit_test(test_clients_are_apart),
};

TEST_SUITE(vu_client_attach, "functional", tests, suite_setup, suite_teardown)
