/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_conn.h"
#include "vu_pending.h"

#include "interpose.h"
#include "test.h"
#include "vu_conn_pair.h"

/* ---- several in one call ---- */

static void
test_corked_messages_go_out_together(void **state)
{
	struct conn_pair *pair = *state;
	struct vu_rx_msg msg;
	uint16_t i;

	vu_conn_cork(&pair->a);
	for (i = 0; i < 50; i++)
		assert_int_equal(conn_pair_send(&pair->a, i, VU_REGION_READ, "0123456789abcdef", 16,
			NULL, 0), 0);
	assert_int_equal(vu_conn_fill(&pair->b), -EAGAIN);
	interpose_fail(INTERPOSE_ONLY(SENDMSG) | INTERPOSE_THIS_THREAD, 0, 0);
	assert_int_equal(vu_conn_uncork(&pair->a), 0);
	interpose_disarm();
	assert_int_equal(interpose_count(), 1);
	for (i = 0; i < 50; i++) {
		conn_pair_receive(&pair->b, &msg);
		assert_int_equal(msg.hdr.id, i);
	}
	assert_int_equal(vu_conn_uncork(&pair->a), 0);
}

static void
test_corked_descriptors_stay_with_their_message(void **state)
{
	struct conn_pair *pair = *state;
	int fd = eventfd(0, EFD_CLOEXEC);
	struct vu_rx_msg msg;
	uint16_t i;

	vu_conn_cork(&pair->a);
	for (i = 0; i < 30; i++)
		assert_int_equal(conn_pair_send(&pair->a, i, VU_SET_IRQS, "x", 1, &fd, i % 4 == 1),
			0);
	assert_int_equal(vu_conn_uncork(&pair->a), 0);
	for (i = 0; i < 30; i++) {
		conn_pair_receive(&pair->b, &msg);
		assert_int_equal(msg.hdr.id, i);
		assert_int_equal(msg.fds->nb, i % 4 == 1);
	}
	close(fd);
}

static void
test_cork_does_not_keep_more_than_makes_sense(void **state)
{
	struct conn_pair *pair = *state;
	char data[3000] = { 0 };
	struct vu_rx_msg msg;
	uint16_t i;

	vu_conn_cork(&pair->a);
	for (i = 0; i < 40; i++) {
		assert_int_equal(conn_pair_send(&pair->a, i, VU_REGION_WRITE, data, sizeof(data),
			NULL, 0), 0);
		assert_true(vu_tx_queued(&pair->a.tx) <= VU_TX_CORK_MAX + sizeof(data));
	}
	assert_int_equal(vu_conn_uncork(&pair->a), 0);
	for (i = 0; i < 40; i++) {
		conn_pair_receive(&pair->b, &msg);
		assert_int_equal(msg.hdr.id, i);
	}
}

/* ---- replies made in place ---- */

static void
test_reply_in_place_is_sent_as_any_other(void **state)
{
	static const size_t lens[] = { 0, 20, 65536, 1048592 };
	struct conn_pair *pair = *state;
	struct vu_hdr request = { .id = 9, .cmd = VU_REGION_READ };
	struct vu_rx_msg msg;
	unsigned int i;
	int rc;

	for (i = 0; i < RTE_DIM(lens); i++) {
		uint8_t *room = vu_conn_reply_begin(&pair->a, lens[i]);

		assert_non_null(room);
		assert_int_equal((uintptr_t)room % 16, 0);
		memset(room, 0x5a, lens[i]);
		rc = vu_conn_reply_end(&pair->a, &request, lens[i]);
		assert_true(rc == 0 || rc == 1);
		while ((rc = vu_conn_next(&pair->b, &msg)) == 0) {
			assert_true(vu_conn_fill(&pair->b) > 0);
			assert_true(vu_conn_flush(&pair->a) >= 0);
		}
		assert_int_equal(msg.hdr.id, 9);
		assert_int_equal(msg.hdr.flags, VU_F_TYPE_REPLY);
		assert_int_equal(msg.len, lens[i]);
		assert_true(lens[i] == 0 || msg.payload[lens[i] - 1] == 0x5a);
	}
	/* memory for the long one goes back when it is not needed for some time */
	for (i = 0; i < 100; i++) {
		assert_int_equal(conn_pair_send(&pair->a, 1, VU_RESET, NULL, 0, NULL, 0), 0);
		conn_pair_receive(&pair->b, &msg);
	}
	assert_true(pair->a.tx.cap <= VU_TX_KEEP);
}

static void
test_reply_in_place_that_is_given_up_leaves_no_trace(void **state)
{
	struct conn_pair *pair = *state;
	struct vu_hdr request = { .id = 9, .cmd = VU_REGION_READ };
	struct vu_rx_msg msg;

	assert_non_null(vu_conn_reply_begin(&pair->a, 100));
	assert_int_equal(vu_conn_reply_error(&pair->a, &request, EIO), 0);
	assert_non_null(vu_conn_reply_begin(&pair->a, 100));
	request.flags = VU_F_NO_REPLY;
	assert_int_equal(vu_conn_reply_end(&pair->a, &request, 100), 0);
	conn_pair_receive(&pair->b, &msg);
	assert_int_equal(msg.hdr.error, EIO);
	assert_int_equal(vu_conn_fill(&pair->b), -EAGAIN);
}

/* ---- calls that wait ---- */

static void
test_waiting_ends_with_the_time_limit(void **state)
{
	struct conn_pair *pair = *state;
	uint16_t id = 0;

	assert_int_equal(vu_conn_set_timeout(&pair->a, 10), 0);
	assert_int_equal(vu_conn_fill_wait(&pair->a), -EAGAIN);
	conn_pair_fill_socket(pair, &id, 4096);
	assert_int_equal(vu_conn_send_wait(&pair->a, &(struct vu_hdr) { .cmd = VU_RESET }, NULL, 0,
		NULL, 0), -ETIMEDOUT);
	/* nothing of it was sent: the stream goes on */
	conn_pair_drain(pair, id, 4096);
	assert_int_equal(conn_pair_send(&pair->a, 0, VU_REGION_WRITE, "x", 1, NULL, 0), 0);
	conn_pair_drain(pair, 1, 1);
}

static void
test_message_that_was_sent_in_part_breaks_the_stream(void **state)
{
	struct conn_pair *pair = *state;
	char *data = calloc(1, 1048576);
	struct iovec iov = { data, 1048576 };

	assert_int_equal(vu_conn_set_timeout(&pair->a, 10), 0);
	assert_int_equal(vu_conn_send_wait(&pair->a, &(struct vu_hdr) { .cmd = VU_REGION_WRITE },
		&iov, 1, NULL, 0), -ETIMEDOUT);
	assert_int_equal(conn_pair_send(&pair->a, 1, VU_RESET, NULL, 0, NULL, 0), -ENOTCONN);
	assert_null(vu_conn_reply_begin(&pair->a, 16));
	free(data);
}

static void *
read_all(void *arg)
{
	struct vu_conn *conn = arg;
	struct vu_rx_msg msg;
	uint16_t id;

	for (id = 0; id < 20; id++) {
		while (vu_conn_next(conn, &msg) == 0)
			assert_true(vu_conn_fill_wait(conn) > 0);
		assert_int_equal(msg.hdr.id, id);
		assert_int_equal(msg.len, 300000);
	}
	return NULL;
}

static void
test_sender_waits_for_a_reader(void **state)
{
	struct conn_pair *pair = *state;
	char *data = calloc(1, 300000);
	struct vu_hdr hdr = { .cmd = VU_REGION_WRITE };
	struct iovec iov[3] = { { data, 100000 }, { data, 0 }, { data, 200000 } };
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, read_all, &pair->b), 0);
	for (hdr.id = 0; hdr.id < 20; hdr.id++)
		assert_int_equal(vu_conn_send_wait(&pair->a, &hdr, iov, 3, NULL, 0), 0);
	pthread_join(thread, NULL);
	free(data);
}

/* ---- ids ---- */

static void
test_replies_find_their_requests(void **state)
{
	static struct vu_pending pending;
	struct vu_hdr hdr = { .cmd = VU_RESET };
	int who[VU_PENDING_MAX], id[VU_PENDING_MAX];
	unsigned int i;

	(void)state;
	for (i = 0; i < VU_PENDING_MAX; i++) {
		id[i] = vu_pending_add(&pending, VU_RESET, &who[i]);
		assert_true(id[i] >= 0 && id[i] <= UINT16_MAX);
	}
	assert_int_equal(vu_pending_add(&pending, VU_RESET, &who[0]), -EBUSY);
	/* in any order, each once */
	for (i = 0; i < VU_PENDING_MAX; i++) {
		hdr.id = (uint16_t)id[(i * 77) % VU_PENDING_MAX];
		hdr.cmd = VU_DMA_MAP;
		assert_null(vu_pending_take(&pending, &hdr));
		hdr.cmd = VU_RESET;
		assert_ptr_equal(vu_pending_find(&pending, &hdr), &who[(i * 77) % VU_PENDING_MAX]);
		assert_ptr_equal(vu_pending_take(&pending, &hdr), &who[(i * 77) % VU_PENDING_MAX]);
		assert_null(vu_pending_take(&pending, &hdr));
	}
	assert_null(vu_pending_pop(&pending));
}

static void
test_late_reply_is_nobodys(void **state)
{
	static struct vu_pending pending;
	struct vu_hdr hdr = { .cmd = VU_RESET };
	int who, i, id;

	(void)state;
	hdr.id = (uint16_t)vu_pending_add(&pending, VU_RESET, &who);
	assert_true(vu_pending_cancel(&pending, hdr.id));
	assert_false(vu_pending_cancel(&pending, hdr.id));
	/* ids do not come back before all others were used */
	for (i = 0; i < 60000; i++) {
		id = vu_pending_add(&pending, VU_RESET, &who);
		assert_int_not_equal(id, hdr.id);
		assert_null(vu_pending_take(&pending, &hdr));
		assert_true(vu_pending_cancel(&pending, (uint16_t)id));
	}
	id = vu_pending_add(&pending, VU_RESET, &who);
	assert_ptr_equal(vu_pending_pop(&pending), &who);
	assert_null(vu_pending_pop(&pending));
}

static const struct CMUnitTest tests[] = {
	VU_CONN_PAIR_TEST(test_corked_messages_go_out_together),
	VU_CONN_PAIR_TEST(test_corked_descriptors_stay_with_their_message),
	VU_CONN_PAIR_TEST(test_cork_does_not_keep_more_than_makes_sense),
	VU_CONN_PAIR_TEST(test_reply_in_place_is_sent_as_any_other),
	VU_CONN_PAIR_TEST(test_reply_in_place_that_is_given_up_leaves_no_trace),
	VU_CONN_PAIR_TEST(test_waiting_ends_with_the_time_limit),
	VU_CONN_PAIR_TEST(test_message_that_was_sent_in_part_breaks_the_stream),
	VU_CONN_PAIR_TEST(test_sender_waits_for_a_reader),
	cmocka_unit_test(test_replies_find_their_requests),
	cmocka_unit_test(test_late_reply_is_nobodys),
};

TEST_SUITE(vu_conn_send, "unit", tests, conn_pair_first_thread, NULL)
