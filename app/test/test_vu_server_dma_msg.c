/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_served.h"

#include "test.h"
#include "vu_unshared.h"

/* ---- from a thread of the device ---- */

static void
test_read_is_split_at_what_the_client_takes(void **state)
{
	struct served *served = *state;
	struct unshared_worker w = { .served = served, .addr = BASE + 100, .len = 200000 };
	struct vu_peer peer;
	int i;

	w.buf = malloc(w.len);
	unshared_open(&peer, served, SMALL_JSON);
	unshared_worker_start(&w);
	for (i = 0; i < 4; i++) {
		unshared_answer_read(&peer);
		assert_int_equal(peer.hdr.flags, 0);
	}
	assert_int_equal(unshared_worker_join(&w), 0);
	unshared_assert_pattern(w.buf, w.addr, w.len);
	free(w.buf);
	peer_close(&peer);
}

/* Protocol reference 5.10: replies of 16 bytes, of 12, and none at all. */
static void
test_write_takes_each_form_of_reply(void **state)
{
	static const size_t forms[] = { 16, 12, 0 };
	struct served *served = *state;
	struct unshared_worker w = { .served = served, .write = true, .addr = BASE, .len = 5000 };
	struct vu_peer peer;
	size_t i;

	w.buf = malloc(w.len);
	for (i = 0; i < w.len; i++)
		w.buf[i] = unshared_pattern(w.addr + i);
	unshared_open(&peer, served, "{}");
	for (i = 0; i < RTE_DIM(forms); i++) {
		unshared_worker_start(&w);
		unshared_answer_write(&peer, forms[i]);
		assert_int_equal(unshared_worker_join(&w), 0);
	}
	free(w.buf);
	peer_close(&peer);
}

static void
test_range_over_shared_and_unshared_memory(void **state)
{
	struct served *served = *state;
	struct unshared_worker w = { .served = served, .addr = BASE - 100, .len = 200 };
	int fd = peer_memory(PAGE);
	struct vu_peer peer;
	uint8_t bytes[100];
	int i;

	for (i = 0; i < 100; i++)
		bytes[i] = unshared_pattern(BASE - 100 + (uint64_t)i);
	assert_int_equal(pwrite(fd, bytes, 100, PAGE - 100), 100);
	w.buf = malloc(w.len);
	unshared_open(&peer, served, "{}");
	assert_int_equal(peer_map(&peer, BASE - PAGE, PAGE, RW, fd, 0), 0);
	unshared_worker_start(&w);
	unshared_answer_read(&peer);
	assert_int_equal(unshared_worker_join(&w), 0);
	unshared_assert_pattern(w.buf, w.addr, w.len);
	w.addr = BASE + SIZE - 10;
	unshared_worker_start(&w);
	unshared_answer_read(&peer);
	assert_int_equal(unshared_worker_join(&w), -EFAULT);
	free(w.buf);
	close(fd);
	peer_close(&peer);
}

static void
test_errors_and_lies_of_the_client(void **state)
{
	struct served *served = *state;
	struct unshared_worker w = { .served = served, .addr = BASE, .len = 64 };
	struct vu_dma_access access;
	uint8_t reply[16 + 65] = { 0 };
	struct vu_peer peer;

	w.buf = malloc(w.len);
	unshared_open(&peer, served, "{}");
	unshared_worker_start(&w);
	unshared_expect(&peer, VU_DMA_READ, &access);
	unshared_reply(&peer, VU_F_ERROR, ENODEV, NULL, 0);
	assert_int_equal(unshared_worker_join(&w), -ENODEV);
	unshared_worker_start(&w);
	unshared_expect(&peer, VU_DMA_READ, &access);
	unshared_reply(&peer, VU_F_ERROR, 0, NULL, 0);
	assert_int_equal(unshared_worker_join(&w), -EIO);
	unshared_worker_start(&w);
	unshared_expect(&peer, VU_DMA_READ, &access);
	memcpy(reply, &access, sizeof(access));
	unshared_reply(&peer, 0, 0, reply, 16 + 63);
	assert_int_equal(unshared_worker_join(&w), -EPROTO);
	unshared_worker_start(&w);
	unshared_expect(&peer, VU_DMA_READ, &access);
	access.count = 65;
	memcpy(reply, &access, sizeof(access));
	unshared_reply(&peer, 0, 0, reply, 16 + 65);
	assert_int_equal(unshared_worker_join(&w), -EPROTO);
	free(w.buf);
	peer_close(&peer);
}

static void
test_reply_that_nobody_asked_for(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;

	unshared_open(&peer, served, "{}");
	peer.hdr.cmd = VU_DMA_READ;
	unshared_reply(&peer, 0, 0, "0123456789abcdef", 16);
	assert_true(peer_receive(&peer));
	assert_int_equal(peer.hdr.error, EINVAL);
	peer_expect_closed(&peer);
	peer_close(&peer);
}

static void
test_client_that_leaves_ends_the_wait(void **state)
{
	struct served *served = *state;
	struct unshared_worker w = { .served = served, .addr = BASE, .len = 64 };
	struct vu_dma_access access;
	struct vu_peer peer;

	w.buf = malloc(w.len);
	unshared_open(&peer, served, "{}");
	unshared_worker_start(&w);
	unshared_expect(&peer, VU_DMA_READ, &access);
	peer_close(&peer);
	assert_int_equal(unshared_worker_join(&w), -ENODEV);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, BASE, w.buf, 1), -ENODEV);
	free(w.buf);
}

static void
test_time_limit_and_late_reply(void **state)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt), .request_timeout_ms = 500 };
	struct served *served = *state;
	struct unshared_worker w = { .served = served, .addr = BASE, .len = 64 };
	struct vu_dma_access access;
	struct vu_peer peer;
	uint8_t reply[16 + 64] = { 0 };
	uint32_t value;

	unshared_restart(served, &opt);
	w.buf = malloc(w.len);
	unshared_open(&peer, served, "{}");
	unshared_worker_start(&w);
	unshared_expect(&peer, VU_DMA_READ, &access);
	assert_int_equal(unshared_worker_join(&w), -ETIMEDOUT);
	memcpy(reply, &access, sizeof(access));
	unshared_reply(&peer, 0, 0, reply, sizeof(reply));
	assert_int_equal(peer_read(&peer, SERVED_REGS, 0, &value, sizeof(value)), 0);
	free(w.buf);
	peer_close(&peer);
}

static void
test_not_from_a_section(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	char buf[4];

	unshared_open(&peer, served, "{}");
	assert_int_equal(rte_vfio_user_dma_enter(served->dev_id), 0);
	assert_int_equal(rte_vfio_user_dma_read(served->dev_id, BASE, buf, 4), -EDEADLK);
	rte_vfio_user_dma_leave(served->dev_id);
	peer_close(&peer);
}

/* Protocol reference 5.2: what is under way is dropped before the unmap is answered. */
static void
test_unmap_ends_what_is_under_way(void **state)
{
	struct served *served = *state;
	struct unshared_worker w = { .served = served, .addr = BASE, .len = 200000 };
	struct unshared_worker other = { .served = served, .addr = 0, .len = 64 };
	struct vu_dma_access first;
	struct vu_peer peer;
	uint8_t *reply = calloc(1, 16 + 65536);
	uint32_t flags;

	w.buf = malloc(w.len);
	other.buf = malloc(other.len);
	for (flags = 0; flags <= VU_UNMAP_F_ALL; flags += VU_UNMAP_F_ALL) {
		unshared_open(&peer, served, SMALL_JSON);
		assert_int_equal(peer_map(&peer, 0, PAGE, RW, -1, 0), 0);
		unshared_worker_start(&w);
		unshared_expect(&peer, VU_DMA_READ, &first);
		assert_int_equal(peer_unmap(&peer, flags == 0 ? BASE : 0, flags == 0 ? SIZE : 0,
			flags), 0);
		assert_int_equal(unshared_worker_join(&w), -EFAULT);
		/* the answer to what was asked before comes late, and nothing else is asked */
		peer.hdr = (struct vu_hdr) { .cmd = VU_DMA_READ };
		memcpy(reply, &first, sizeof(first));
		unshared_reply(&peer, 0, 0, reply, 16 + 65536);
		assert_int_equal(peer_call(&peer, VU_RESET, NULL, 0), 0);
		/* other memory is not touched by that */
		unshared_worker_start(&other);
		if (flags == 0)
			unshared_answer_read(&peer);
		assert_int_equal(unshared_worker_join(&other), flags == 0 ? 0 : -EFAULT);
		peer_close(&peer);
		served_wait(&served->destroy_device, flags == 0 ? 1 : 2);
	}
	free(reply);
	free(other.buf);
	free(w.buf);
}

/* ---- in poll mode ---- */

/*
 * A device that is served by polling it; a client with a socket for commands, and with memory that
 * it does not share; and a thread that wants some of that.
 */
struct polled {
	struct served served;
	struct vu_peer peer, twin;
	struct unshared_worker worker;
	uint8_t bytes[64];
};

static int
poll_once(const struct polled *p)
{
	return rte_vfio_user_poll(p->served.dev_id);
}

static void
polled_until(const struct polled *p, const atomic_int *counter)
{
	while (atomic_load(counter) == 0)
		assert_true(poll_once(p) >= 0);
}

static void
polled_connect(struct polled *p)
{
	const struct vu_dma_map map = { .argsz = sizeof(map), .flags = RW, .addr = BASE,
		.size = SIZE };
	uint8_t version[4 + sizeof(TWIN_JSON)] = { 0 };

	memcpy(version + 4, TWIN_JSON, sizeof(TWIN_JSON));
	peer_connect(&p->peer, p->served.path);
	peer_send(&p->peer, VU_VERSION, 0, version, sizeof(version), NULL, 0);
	polled_until(p, &p->served.new_device);
	assert_true(peer_receive(&p->peer));
	peer_adopt(&p->twin, peer_take_fd(&p->peer, 0));
	peer_send(&p->peer, VU_DMA_MAP, 0, &map, sizeof(map), NULL, 0);
	polled_until(p, &p->served.update_status);
	assert_true(peer_receive(&p->peer));
	assert_int_equal(p->peer.hdr.cmd, VU_DMA_MAP);
}

/* Without a time limit that a test notices, if it is 0. */
static struct polled *
polled_open(uint32_t timeout_ms)
{
	const struct rte_vfio_user_options opt = { .size = sizeof(opt),
		.flags = RTE_VFIO_USER_F_POLL,
		.request_timeout_ms = timeout_ms != 0 ? timeout_ms : 120000 };
	struct polled *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	served_start(&p->served, &opt);
	polled_connect(p);
	p->worker = (struct unshared_worker) { .served = &p->served, .addr = BASE,
		.buf = p->bytes, .len = sizeof(p->bytes) };
	return p;
}

/* The client leaves; what it was served by may have ended. */
static void
polled_close(struct polled *p, bool served)
{
	peer_close(&p->twin);
	peer_close(&p->peer);
	if (served)
		served_stop(&p->served);
	free(p);
}

/* The thread wants memory, and the client is asked for it. */
static void
polled_ask(struct polled *p)
{
	char byte;

	unshared_worker_start(&p->worker);
	while (recv(p->twin.sock, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0)
		assert_true(poll_once(p) >= 0);
}

static void
polled_expect_quiet(const struct polled *p)
{
	struct pollfd pfd = { .events = POLLIN };
	int i;

	for (i = 0; i < 3; i++)
		assert_int_equal(poll_once(p), 0);
	pfd.fd = rte_vfio_user_poll_fd(p->served.dev_id);
	assert_int_equal(poll(&pfd, 1, 0), 0);
}

static void *
unregister_main(void *arg)
{
	served_stop(arg);
	return NULL;
}

/* When nobody polls any more, who waits for an answer does not hold up the end of the session. */
static void
test_end_of_a_polled_session_ends_the_wait(void **state)
{
	struct polled *p = polled_open(0);
	pthread_t thread;

	(void)state;
	polled_ask(p);
	assert_int_equal(pthread_create(&thread, NULL, unregister_main, &p->served), 0);
	assert_int_equal(unshared_worker_join(&p->worker), -ENODEV);
	pthread_join(thread, NULL);
	polled_close(p, false);
}

/* Who sleeps is not woken again and again by an answer that came late. */
static void
test_late_reply_to_a_polled_session_is_received(void **state)
{
	struct polled *p = polled_open(500);

	(void)state;
	polled_ask(p);
	assert_int_equal(unshared_worker_join(&p->worker), -ETIMEDOUT);
	unshared_answer_read(&p->twin);
	polled_expect_quiet(p);
	polled_close(p, true);
}

/* Nor by a thread whose wish was fulfilled while it was still calling. */
static void
test_polled_session_is_quiet_when_all_is_done(void **state)
{
	struct polled *p = polled_open(0);
	int i;

	(void)state;
	for (i = 0; i < 200; i++) {
		polled_ask(p);
		unshared_answer_read(&p->twin);
		assert_int_equal(poll_once(p), 0);
		assert_int_equal(unshared_worker_join(&p->worker), 0);
		polled_expect_quiet(p);
	}
	polled_close(p, true);
}

/* Nothing is expected there; but who sleeps on the descriptor would be woken for ever. */
static void
test_polled_session_sees_the_end_of_its_second_socket(void **state)
{
	struct polled *p = polled_open(0);
	int i;

	(void)state;
	peer_close(&p->twin);
	for (i = 0; i < 1000 && p->served.destroy_device == 0; i++)
		assert_int_equal(poll_once(p), 0);
	assert_int_equal(p->served.destroy_device, 1);
	peer_expect_closed(&p->peer);
	polled_close(p, true);
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_read_is_split_at_what_the_client_takes),
	SERVED_TEST(test_write_takes_each_form_of_reply),
	SERVED_TEST(test_range_over_shared_and_unshared_memory),
	SERVED_TEST(test_errors_and_lies_of_the_client),
	SERVED_TEST(test_reply_that_nobody_asked_for),
	SERVED_TEST(test_client_that_leaves_ends_the_wait),
	SERVED_TEST(test_time_limit_and_late_reply),
	SERVED_TEST(test_not_from_a_section),
	SERVED_TEST(test_unmap_ends_what_is_under_way),
	SERVED_TEST(test_end_of_a_polled_session_ends_the_wait),
	SERVED_TEST(test_late_reply_to_a_polled_session_is_received),
	SERVED_TEST(test_polled_session_is_quiet_when_all_is_done),
	SERVED_TEST(test_polled_session_sees_the_end_of_its_second_socket),
};

TEST_SUITE(vu_server_dma_msg, "functional", tests, served_warm_up, NULL)
