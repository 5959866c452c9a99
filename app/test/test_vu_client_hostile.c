/* SPDX-License-Identifier: BSD-3-Clause */

/* Every hostile reply and every hostile command of a server against a client. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>
#include <rte_vfio_user.h>

#include "../fuzz/fuzz.h"

#include "test.h"
#include "vu_golden.h"
#include "vu_hostile.h"
#include "vu_reference.h"
#include "vu_stand.h"

/* ---- commands of the server ---- */

#define PING_ID 0xbeef

/* A server that says something wrong before it answers a reset. */
struct hostile {
	const struct vu_hostile_msg *msg;
	bool twin;
	bool closed;
	bool answered;
	uint32_t error;
	size_t len;	/* of the answer's payload */
};

static void
hostile_read(struct hostile *hostile, int sock)
{
	const struct vu_hdr sent = vu_hostile_hdr(hostile->msg);
	static uint8_t data[VU_REFERENCE_SIZE + 64];
	struct vu_hdr hdr = { .id = 0 };
	long n;

	while (!hostile->closed && hdr.id != PING_ID) {
		n = stand_receive(sock, &hdr, data, sizeof(data));
		hostile->closed = n < 0;
		if (n < 0 || hdr.id != sent.id)
			continue;
		hostile->answered = true;
		hostile->error = hdr.flags & VU_F_ERROR ? hdr.error : 0;
		hostile->len = (size_t)n;
	}
}

static bool
answer_version(struct stand *stand, const struct vu_hdr *hdr, const struct hostile *hostile)
{
	static const char text[] = "\0\0\0\0{\"capabilities\":{\"twin_socket\":"
		"{\"supported\":true,\"fd_index\":0}}}";
	int sock[2];

	if (!hostile->twin)
		return false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock), 0);
	stand->twin = sock[0];
	stand_reply(stand, hdr, text, sizeof(text), &sock[1], 1);
	close(sock[1]);
	return true;
}

static bool
answer_hostile(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct vu_dma_access ping = { .addr = VU_REFERENCE_ADDR, .count = 1 };
	struct hostile *hostile = stand->ctx;
	int sock = hostile->twin ? stand->twin : stand->sock;

	(void)payload;
	(void)len;
	if (hdr->cmd == VU_VERSION)
		return answer_version(stand, hdr, hostile);
	if (hdr->cmd != VU_RESET)
		return false;
	vu_hostile_send(sock, hostile->msg);
	if (hostile->msg->cut)
		shutdown(sock, SHUT_WR);
	else
		stand_command(sock, PING_ID, VU_DMA_READ, &ping, sizeof(ping));
	hostile_read(hostile, sock);
	return false;
}

static bool
hostile_fits(const struct hostile *hostile, int expect)
{
	const struct vu_hdr hdr = vu_hostile_hdr(hostile->msg);

	if (expect == VU_HOSTILE_ANY)
		return true;
	if (expect == VU_HOSTILE_CLOSE || hostile->closed)
		return hostile->closed && expect == VU_HOSTILE_CLOSE;
	if (hdr.flags & VU_F_NO_REPLY)
		return !hostile->answered;
	if (expect == VU_HOSTILE_GOOD)
		return hostile->answered && hostile->error == 0;
	return hostile->answered && hostile->error == (uint32_t)expect;
}

static void
command_case(const char *name, const struct vu_hostile_msg *msg, bool twin)
{
	struct hostile hostile = { .msg = msg, .twin = twin };
	struct stand stand = { .answer = answer_hostile, .ctx = &hostile };
	static uint8_t memory[VU_REFERENCE_SIZE];
	int expect = msg->expect == VU_HOSTILE_BY_REFERENCE ?
		vu_reference_expect_client(msg, twin) : msg->expect;
	int rc;

	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, VU_REFERENCE_ADDR, sizeof(memory),
		memory, PROT_READ | PROT_WRITE), 0);
	rc = rte_vfio_user_reset(stand.dev_id);
	stand_end(&stand);
	if (!hostile_fits(&hostile, expect))
		fail_msg("%s, %s: expected %d, got %s%s, errno %u (%d)", name, msg->what, expect,
			hostile.answered ? "an answer" : "no answer",
			hostile.closed ? " and the end" : "", hostile.error, rc);
	if (!hostile.closed && rc != 0)
		fail_msg("%s, %s: the client gives up: %d", name, msg->what, rc);
}

static unsigned int
commands_on(bool twin)
{
	static const char *const names[] = { "dma_read_request", "dma_write_request" };
	struct vu_hostile_msg *msg = malloc(sizeof(*msg));
	uint8_t bytes[VU_GOLDEN_MAX];
	unsigned int i, nth, nb = 0;
	size_t len;

	for (i = 0; i < RTE_DIM(names); i++) {
		len = vu_golden_bytes(vu_golden_find(names[i]), bytes);
		for (nth = 0; vu_hostile_mutate(bytes, len, 0, nth, msg); nth++, nb++)
			command_case(names[i], msg, twin);
	}
	free(msg);
	return nb;
}

static void
test_commands_on_the_only_socket(void **state)
{
	(void)state;
	assert_true(commands_on(false) > 200);
}

static void
test_commands_on_the_second_socket(void **state)
{
	(void)state;
	assert_true(commands_on(true) > 200);
}

/* ---- replies ---- */

static const uint8_t fuzz_kinds[VU_HOSTILE_FD_NB] = {
	[VU_HOSTILE_FD_AS_IS] = FUZZ_MEMORY,
	[VU_HOSTILE_FD_EVENTFD] = FUZZ_EVENTFD,
	[VU_HOSTILE_FD_MEMFD] = FUZZ_MEMORY,
	[VU_HOSTILE_FD_EMPTY] = FUZZ_NULL,
	[VU_HOSTILE_FD_READ_ONLY] = FUZZ_NULL,
	[VU_HOSTILE_FD_PIPE] = FUZZ_NULL,
	[VU_HOSTILE_FD_DIRECTORY] = FUZZ_DIR,
	[VU_HOSTILE_FD_SOCKET] = FUZZ_TWIN,
};

/* As a packet: it goes to the first request of its command, all others are answered right. */
static size_t
packet_of(const struct vu_hostile_msg *msg, uint8_t *to)
{
	unsigned int kind = msg->cut ? FUZZ_HANG_UP : fuzz_kinds[msg->fd_kind];

	to[0] = (uint8_t)msg->len;
	to[1] = (uint8_t)(msg->len >> 8);
	to[2] = (uint8_t)(kind << 3 | RTE_MIN(msg->nb_fds, 7u));
	memcpy(to + FUZZ_PACKET_HEAD, msg->bytes, msg->len);
	return FUZZ_PACKET_HEAD + msg->len;
}

/* What has always the same length behind a request that is the same. */
static bool
length_is_known(uint16_t cmd)
{
	static const uint16_t known[] = { VU_DMA_MAP, VU_GET_INFO, VU_GET_IRQ_INFO, VU_SET_IRQS,
		VU_REGION_READ, VU_REGION_WRITE, VU_RESET, VU_REGION_WRITE_MULTI,
		VU_MIG_DATA_WRITE, VU_DMA_MAP_MULTI };
	size_t i;

	for (i = 0; i < RTE_DIM(known); i++)
		if (known[i] == cmd)
			return true;
	return false;
}

/* A client that cannot attach makes no call. */
static void
reply_case(const struct vu_golden *golden, size_t len, const struct vu_hostile_msg *msg)
{
	static uint8_t packet[FUZZ_PACKET_HEAD + sizeof(msg->bytes)];
	struct vu_hdr hdr = vu_hostile_hdr(msg);

	memset(&fuzz_reached, 0, sizeof(fuzz_reached));
	assert_int_equal(fuzz_client(packet, packet_of(msg, packet)), 0);
	if (msg->len == len || !length_is_known(hdr.cmd) || hdr.size != msg->len)
		return;
	if (fuzz_reached.calls > 0 && fuzz_reached.failed == 0)
		fail_msg("%s, %s: it is believed", golden->name, msg->what);
}

static void
test_replies(void **state)
{
	struct vu_hostile_msg *msg = malloc(sizeof(*msg));
	uint8_t bytes[VU_GOLDEN_MAX];
	unsigned int i, nth, nb = 0;
	size_t len;

	(void)state;
	for (i = 0; i < vu_goldens_nb; i++) {
		if (strstr(vu_goldens[i].name, "_reply") == NULL)
			continue;
		len = vu_golden_bytes(&vu_goldens[i], bytes);
		for (nth = 0; vu_hostile_mutate(bytes, len, vu_goldens[i].nb_fds, nth, msg);
				nth++, nb++)
			reply_case(&vu_goldens[i], len, msg);
	}
	free(msg);
	print_message("%u hostile replies\n", nb);
	assert_true(nb > 4000);
}

/* All of the longest one but the data of a long read, where each byte is like the other. */
#define SPLIT_MAX 200u

static void
test_right_replies_in_two_pieces(void **state)
{
	(void)state;
	memset(&fuzz_reached, 0, sizeof(fuzz_reached));
	for (fuzz_client_split = 1; fuzz_client_split < SPLIT_MAX; fuzz_client_split++) {
		assert_int_equal(fuzz_client(NULL, 0), 0);
		if (fuzz_reached.failed > 0 || fuzz_reached.calls < fuzz_client_split * 20)
			fail_msg("cut at %zu: %u of %u calls", fuzz_client_split,
				fuzz_reached.failed, fuzz_reached.calls);
	}
	fuzz_client_split = 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_commands_on_the_only_socket),
	cmocka_unit_test(test_commands_on_the_second_socket),
	cmocka_unit_test(test_replies),
	cmocka_unit_test(test_right_replies_in_two_pieces),
};

TEST_SUITE(vu_client_hostile, "functional", tests, stand_setup, stand_teardown)
