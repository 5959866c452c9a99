/* SPDX-License-Identifier: BSD-3-Clause */

/* Short requests of one thread, which the client does in one go, and what then is not as usual. */

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "interpose.h"
#include "test.h"
#include "vu_stand.h"

#define REGION 2u

/* ------------------------------------------------------- answers of the usual length ---- */

/* What is wrong with the header of an answer that is right but for that. */
struct odd_header {
	const char *name;
	uint32_t flags;
	uint32_t error;
	uint16_t cmd;	/* added to the right one */
	int rc;
	bool ends;	/* the connection is of no use afterwards */
};

static bool
answer_odd(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct odd_header *odd = stand->ctx;
	struct {
		struct vu_hdr hdr;
		uint8_t access[16];
		uint32_t data;
	} answer = { .data = 0x01020304 };

	(void)len;
	if (odd == NULL || (hdr->cmd != VU_REGION_READ && hdr->cmd != VU_REGION_WRITE))
		return false;
	answer.hdr = (struct vu_hdr) { .id = hdr->id, .cmd = (uint16_t)(hdr->cmd + odd->cmd),
		.size = hdr->cmd == VU_REGION_READ ? 36 : 32, .flags = odd->flags,
		.error = odd->error };
	memcpy(answer.access, payload, sizeof(answer.access));
	return stand_send(stand, &answer, answer.hdr.size, NULL, 0);
}

static const struct odd_header odd_headers[] = {
	{ "an error", VU_F_TYPE_REPLY | VU_F_ERROR, EBUSY, 0, -EBUSY, false },
	{ "an error without number", VU_F_TYPE_REPLY | VU_F_ERROR, 0, 0, -EIO, false },
	{ "a number without error", VU_F_TYPE_REPLY, EBUSY, 0, 0, false },
	{ "not to be answered", VU_F_TYPE_REPLY | VU_F_NO_REPLY, 0, 0, -EPROTO, false },
	{ "flags there are not", VU_F_TYPE_REPLY | 0x100, 0, 0, 0, false },
	{ "another command", VU_F_TYPE_REPLY, 0, 1, -EPROTO, false },
	{ "a type there is not", 7, 0, 0, -EPROTO, true },
};

static void
odd_check(const struct odd_header *odd, bool write)
{
	struct stand stand = { .answer = answer_odd };
	uint32_t value = 0;
	int rc;

	stand_start(&stand);
	stand.ctx = (void *)(uintptr_t)odd;
	if (write)
		rc = rte_vfio_user_region_write(stand.dev_id, REGION, 0, 4, &value);
	else
		rc = rte_vfio_user_region_read(stand.dev_id, REGION, 0, 4, &value);
	if (rc != odd->rc)
		fail_msg("%s of %s: %d", odd->name, write ? "a write" : "a read", rc);
	if (rc == 0 && !write)
		assert_int_equal(value, 0x01020304);
	stand.ctx = NULL;
	rc = rte_vfio_user_region_read(stand.dev_id, REGION, 0, 4, &value);
	assert_int_equal(rc < 0, odd->ends);
	stand_end(&stand);
}

static void
test_header_of_an_answer_counts_whatever_its_length(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(odd_headers); i++) {
		odd_check(&odd_headers[i], false);
		odd_check(&odd_headers[i], true);
	}
}

/* ---------------------------------------------------- what comes together with an answer ---- */

#define WORD 0x0a0b0c0du

/* Bytes that are sent in two pieces: commands of the server and an answer. */
struct segment {
	bool before, after;	/* a command is */
	size_t split;	/* bytes of the first piece; 0: all */
	atomic_uint nb_answered;	/* commands */
	atomic_bool refused;	/* one of them was */
};

static uint32_t told;	/* by commands */

static size_t
put_command(uint8_t *to)
{
	const struct {
		struct vu_hdr hdr;
		struct vu_dma_access access;
		uint32_t data;
	} command = { .hdr = { .id = 0x7777, .cmd = VU_DMA_WRITE, .size = 36 },
		.access = { .addr = 0x1000, .count = sizeof(told) }, .data = WORD };

	memcpy(to, &command, 36);
	return 36;
}

static size_t
put_answer(uint8_t *to, const struct vu_hdr *hdr, const uint8_t *payload)
{
	static const uint8_t lens[VU_CMD_NB] = { [VU_REGION_READ] = 20, [VU_REGION_WRITE] = 16,
		[VU_DMA_UNMAP] = sizeof(struct vu_dma_unmap) };
	const uint32_t len = lens[hdr->cmd], data = WORD;
	const struct vu_hdr answer = { .id = hdr->id, .cmd = hdr->cmd,
		.flags = VU_F_TYPE_REPLY, .size = (uint32_t)sizeof(answer) + len };

	memcpy(to, &answer, sizeof(answer));
	memcpy(to + sizeof(answer), payload, len);
	if (hdr->cmd == VU_REGION_READ)
		memcpy(to + sizeof(answer) + 16, &data, sizeof(data));
	return answer.size;
}

static bool
answer_segment(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	struct segment *segment = stand->ctx;
	uint8_t bytes[128];
	size_t n = 0;

	(void)len;
	if (hdr->cmd == VU_DMA_WRITE) {
		atomic_fetch_add(&segment->nb_answered, 1);
		if (hdr->flags & VU_F_ERROR)
			atomic_store(&segment->refused, true);
		return true;
	}
	if (segment == NULL || hdr->cmd == VU_RESET)
		return false;
	if (segment->before)
		n += put_command(bytes);
	n += put_answer(bytes + n, hdr, payload);
	if (segment->after)
		n += put_command(bytes + n);
	if (segment->split > 0 && segment->split < n) {
		stand_send(stand, bytes, segment->split, NULL, 0);
		usleep(200);
	}
	return segment->split >= n ? stand_send(stand, bytes, n, NULL, 0) :
		stand_send(stand, bytes + segment->split, n - segment->split, NULL, 0);
}

static void
segment_check(struct stand *stand, struct segment *segment)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x100000, .size = 0x1000,
		.protection = PROT_READ };
	uint32_t value = 0;

	assert_int_equal(rte_vfio_user_region_read(stand->dev_id, REGION, 0, 4, &value), 0);
	assert_int_equal(value, WORD);
	assert_int_equal(rte_vfio_user_region_write(stand->dev_id, REGION, 0, 4, &value), 0);
	assert_int_equal(rte_vfio_user_dma_map(stand->dev_id, &mem, NULL, 1), 0);
	assert_int_equal(rte_vfio_user_dma_unmap(stand->dev_id, &mem, 1), 0);
	/* commands come before the first answer, answers to them go before the second */
	assert_int_equal(rte_vfio_user_reset(stand->dev_id), 0);
	assert_int_equal(rte_vfio_user_reset(stand->dev_id), 0);
	assert_int_equal(atomic_load(&segment->nb_answered),
		4 * (segment->before + segment->after));
	assert_false(atomic_load(&segment->refused));
	if (segment->before || segment->after)
		assert_int_equal(told, WORD);
	told = 0;
	atomic_store(&segment->nb_answered, 0);
}

static void
test_commands_may_come_around_an_answer_in_any_pieces(void **state)
{
	struct stand stand = { .answer = answer_segment };
	struct segment segment = { .split = 0 };
	unsigned int shape;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x1000, sizeof(told), &told,
		PROT_WRITE), 0);
	stand.ctx = &segment;
	for (shape = 0; shape < 4; shape++) {
		segment.before = shape & 1;
		segment.after = shape & 2;
		for (segment.split = 0; segment.split < 112; segment.split++)
			segment_check(&stand, &segment);
	}
	stand_end(&stand);
}

/* ---------------------------------------------------------------- answers that are wrong ---- */

/* What is wrong with the payload of an answer: a byte of it, or a descriptor. */
struct lie {
	uint8_t at;
	uint8_t flip;
	unsigned int nb_fds;
	bool read, write, unmap;	/* is it wrong for that */
};

static bool
answer_lie(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct lie *lie = stand->ctx;
	const int fd = STDIN_FILENO;
	uint8_t bytes[128];
	size_t n;

	(void)len;
	if (lie == NULL || (hdr->cmd != VU_REGION_READ && hdr->cmd != VU_REGION_WRITE &&
			hdr->cmd != VU_DMA_UNMAP))
		return false;
	n = put_answer(bytes, hdr, payload);
	bytes[sizeof(*hdr) + lie->at] ^= lie->flip;
	return stand_send(stand, bytes, n, &fd, lie->nb_fds);
}

static const struct lie lies[] = {
	{ .at = 0, .flip = 1, .read = true, .write = true },	/* offset, argsz */
	{ .at = 7, .flip = 0x80, .read = true, .write = true },	/* flags, which may be any */
	{ .at = 8, .flip = 1, .read = true, .write = true, .unmap = true },	/* region */
	{ .at = 12, .flip = 1, .read = true, .write = true, .unmap = true },	/* count */
	{ .at = 15, .flip = 0x80, .read = true, .write = true, .unmap = true },
	{ .nb_fds = 1, .read = true, .write = true, .unmap = true },
};

static void
test_wrong_answer_of_the_usual_length_is_an_error(void **state)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x100000, .size = 0x1000,
		.protection = PROT_READ };
	struct stand stand = { .answer = answer_lie };
	uint32_t value = 0;
	size_t i;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < RTE_DIM(lies); i++) {
		assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, &mem, NULL, 1), 0);
		stand.ctx = (void *)(uintptr_t)&lies[i];
		assert_int_equal(rte_vfio_user_region_read(stand.dev_id, REGION, 0, 4, &value),
			lies[i].read ? -EPROTO : 0);
		assert_int_equal(rte_vfio_user_region_write(stand.dev_id, REGION, 0, 4, &value),
			lies[i].write ? -EPROTO : 0);
		assert_int_equal(rte_vfio_user_dma_unmap(stand.dev_id, &mem, 1),
			lies[i].unmap ? -EPROTO : 0);
		stand.ctx = NULL;
	}
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	stand_end(&stand);
}

/* ------------------------------------------------------------------ a socket that is full ---- */

static void
test_request_that_the_socket_does_not_take_at_once_is_answered(void **state)
{
	struct stand stand = { .json = NULL };
	uint32_t value;
	int rc;

	(void)state;
	stand_start(&stand);
	interpose_fail(INTERPOSE_ONLY(SENDMSG) | INTERPOSE_THIS_THREAD, 1, EAGAIN);
	rc = rte_vfio_user_region_read(stand.dev_id, REGION, 0, 4, &value);
	assert_true(interpose_fired());
	interpose_disarm();
	assert_int_equal(rc, 0);
	assert_int_equal(rte_vfio_user_region_read(stand.dev_id, REGION, 0, 4, &value), 0);
	stand_end(&stand);
}

static void
test_request_that_cannot_be_sent_once_is_sent_again(void **state)
{
	struct stand stand = { .json = NULL };
	uint32_t value;
	int rc;

	(void)state;
	stand_start(&stand);
	interpose_fail(INTERPOSE_ONLY(SENDMSG) | INTERPOSE_THIS_THREAD, 1, ENOBUFS);
	rc = rte_vfio_user_region_read(stand.dev_id, REGION, 0, 4, &value);
	assert_true(interpose_fired());
	interpose_disarm();
	assert_int_equal(rc, 0);
	stand_end(&stand);
}

/* Nothing is waited for that would make room, so it is not tried until time is over. */
static void
test_request_that_the_kernel_has_no_room_for_fails(void **state)
{
	struct stand stand = { .json = NULL };
	uint8_t data[512] = { 0 };
	int rc;

	(void)state;
	stand_start(&stand);
	interpose_fail(INTERPOSE_ONLY(SENDMSG) | INTERPOSE_THIS_THREAD, 1, ENOBUFS);
	rc = rte_vfio_user_region_write(stand.dev_id, REGION, 0, sizeof(data), data);
	assert_true(interpose_fired());
	interpose_disarm();
	assert_int_equal(rc, -ENOBUFS);
	rc = rte_vfio_user_region_write(stand.dev_id, REGION, 0, sizeof(data), data);
	assert_int_equal(rc, 0);
	stand_end(&stand);
}

/* --------------------------------------------------- the end comes with another's answer ---- */

struct farewell {
	struct vu_hdr first;
	uint8_t access[16];
	unsigned int nb;
};

/* The first read waits for its answer until there is another; that one is never answered. */
static bool
answer_farewell(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	struct farewell *farewell = stand->ctx;
	uint8_t answer[20] = { 0 };

	(void)len;
	if (hdr->cmd != VU_REGION_READ)
		return false;
	if (farewell->nb++ == 0) {
		farewell->first = *hdr;
		memcpy(farewell->access, payload, sizeof(farewell->access));
		return true;
	}
	/* so that it sleeps, and the first one receives for both */
	usleep(20000);
	memcpy(answer, farewell->access, sizeof(farewell->access));
	stand_reply(stand, &farewell->first, answer, sizeof(answer), NULL, 0);
	stand_hang_up(stand);
	return true;
}

struct reader {
	int dev_id;
	int rc;
};

static void *
read_once(void *arg)
{
	struct reader *reader = arg;
	uint32_t value;

	reader->rc = rte_vfio_user_region_read(reader->dev_id, REGION, 0, 4, &value);
	return NULL;
}

static void
test_end_that_comes_with_the_answer_of_another_thread_is_seen(void **state)
{
	struct farewell farewell = { .nb = 0 };
	struct stand stand = { .answer = answer_farewell, .ctx = &farewell };
	struct reader reader[2];
	pthread_t thread[2];
	unsigned int i, before;

	(void)state;
	stand_start(&stand);
	before = atomic_load(&stand.nb_log);
	for (i = 0; i < RTE_DIM(reader); i++) {
		reader[i].dev_id = stand.dev_id;
		stand_thread_create(&thread[i], read_once, &reader[i]);
		while (atomic_load(&stand.nb_log) == before + i)
			usleep(1000);
	}
	for (i = 0; i < RTE_DIM(reader); i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(reader[0].rc, 0);
	assert_int_equal(reader[1].rc, -ENOTCONN);
	stand_end(&stand);
}

/* ------------------------------------- an answer to the server that is not sent whole ---- */

/* More than a socket takes at once. */
#define MUCH 1048576u

static uint8_t much[MUCH], much_came[sizeof(struct vu_dma_access) + MUCH];

/* The device goes on when it has the memory that it asked for. */
static bool
answer_after_memory(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload,
	size_t len)
{
	struct vu_hdr reply;

	(void)payload;
	(void)len;
	if (stand_answer_twin(stand, hdr))
		return true;
	return hdr->cmd == VU_REGION_READ &&
		stand_receive(stand->twin, &reply, much_came, sizeof(much_came)) < 0;
}

static void
test_rest_of_an_answer_to_the_server_is_sent_meanwhile(void **state)
{
	const struct vu_dma_access access = { .addr = 0, .count = MUCH };
	struct stand stand = { .answer = answer_after_memory };
	uint32_t value;

	(void)state;
	memset(much, 0x5a, sizeof(much));
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, MUCH, much, PROT_READ), 0);
	/* who waits for events sends the rest when it is told to, or has something else to do */
	assert_true(rte_vfio_user_event_fd(stand.dev_id) >= 0);
	stand_command(stand.twin, 1, VU_DMA_READ, &access, sizeof(access));
	assert_int_equal(rte_vfio_user_serve(stand.dev_id, -1), 1);
	assert_int_equal(rte_vfio_user_region_read(stand.dev_id, REGION, 0, 4, &value), 0);
	assert_memory_equal(much_came + sizeof(access), much, MUCH);
	stand_end(&stand);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_header_of_an_answer_counts_whatever_its_length),
	cmocka_unit_test(test_commands_may_come_around_an_answer_in_any_pieces),
	cmocka_unit_test(test_wrong_answer_of_the_usual_length_is_an_error),
	cmocka_unit_test(test_request_that_the_socket_does_not_take_at_once_is_answered),
	cmocka_unit_test(test_request_that_cannot_be_sent_once_is_sent_again),
	cmocka_unit_test(test_request_that_the_kernel_has_no_room_for_fails),
	cmocka_unit_test(test_end_that_comes_with_the_answer_of_another_thread_is_seen),
	cmocka_unit_test(test_rest_of_an_answer_to_the_server_is_sent_meanwhile),
};

TEST_SUITE(vu_client_brief, "functional", tests, stand_setup, stand_teardown)
