/* SPDX-License-Identifier: BSD-3-Clause */

/* Headers, lengths, order: what holds for every message. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "check_rule.h"

#define HEADER "Header"
#define CONCURRENCY "Command Concurrency"
#define SECURITY "Security Considerations"

#define NO_SUCH_CMD 0x7fffu
#define PIPELINED 16u
#define FAR (UINT64_C(1) << 35)
#define PAGE 4096u

static const struct wire_info info_request = { .argsz = sizeof(info_request) };

/* DEVICE_GET_INFO with an id of ours. */
static void
call_with_id(struct check *c, uint16_t id)
{
	c->next_id = id;
	check_done(c, check_get_info(c, sizeof(struct wire_info)), "DEVICE_GET_INFO");
}

static void
run_id(struct check *c)
{
	static const uint16_t ids[] = { 0x1234, 0, 0, UINT16_MAX };
	unsigned int i;

	check_open(c);
	for (i = 0; i < RTE_DIM(ids); i++) {
		call_with_id(c, ids[i]);
		CHECK_EXPECT(c, c->hdr.id == ids[i], "id %#x is answered by %#x", ids[i],
			c->hdr.id);
	}
}

static void
run_command(struct check *c)
{
	check_open(c);
	call_with_id(c, 1);
	CHECK_EXPECT(c, c->hdr.cmd == WIRE_GET_INFO, "the reply is one to command %u", c->hdr.cmd);
}

static void
run_flags(struct check *c)
{
	check_open(c);
	call_with_id(c, 1);
	CHECK_EXPECT(c, c->hdr.flags == WIRE_TYPE_REPLY, "success has flags %#x", c->hdr.flags);
	check_refused(c, check_call(c, NO_SUCH_CMD, NULL, 0), "an unknown command");
	CHECK_EXPECT(c, c->hdr.flags == (WIRE_TYPE_REPLY | WIRE_ERROR), "an error has flags %#x",
		c->hdr.flags);
}

static void
run_error_field(struct check *c)
{
	check_open(c);
	call_with_id(c, 1);
	CHECK_EXPECT(c, c->hdr.error == 0, "the error of a success is %u", c->hdr.error);
}

static void
run_error_only_header(struct check *c)
{
	check_open(c);
	check_refused(c, check_call(c, NO_SUCH_CMD, "payload", 8), "an unknown command");
	CHECK_EXPECT(c, c->len == 0, "an error has %zu bytes of payload", c->len);
}

static void
run_error_named(struct check *c)
{
	int err;

	check_open(c);
	err = check_call(c, NO_SUCH_CMD, NULL, 0);
	check_refused(c, err, "an unknown command");
	CHECK_EXPECT(c, err > 0 && err < 4096, "the error is %u, no errno", c->hdr.error);
}

static void
refused_each(struct check *c, const uint16_t *cmds, unsigned int nb, const char *what)
{
	const uint8_t payload[16] = { 0 };
	unsigned int i;

	check_open(c);
	for (i = 0; i < nb; i++)
		check_refused(c, check_call(c, cmds[i], payload, sizeof(payload)), what);
}

static void
run_unknown_command(struct check *c)
{
	static const uint16_t cmds[] = { 0, 14, 19, 255, NO_SUCH_CMD, UINT16_MAX };

	refused_each(c, cmds, RTE_DIM(cmds), "an unknown command");
}

static void
run_servers_command(struct check *c)
{
	static const uint16_t cmds[] = { WIRE_DMA_READ, WIRE_DMA_WRITE };

	refused_each(c, cmds, RTE_DIM(cmds), "a command that only servers send");
}

/* Commands and the length of what must be in them. */
static const struct {
	uint16_t cmd;
	uint16_t len;
	const char *what;
} fixed[] = {
	{ WIRE_DMA_MAP, 32, "DMA_MAP" },
	{ WIRE_DMA_UNMAP, 24, "DMA_UNMAP" },
	{ WIRE_GET_INFO, 16, "DEVICE_GET_INFO" },
	{ WIRE_GET_REGION_INFO, 32, "DEVICE_GET_REGION_INFO" },
	{ WIRE_GET_IRQ_INFO, 16, "DEVICE_GET_IRQ_INFO" },
	{ WIRE_SET_IRQS, 20, "DEVICE_SET_IRQS" },
	{ WIRE_REGION_READ, 16, "REGION_READ" },
	{ WIRE_REGION_WRITE, 16, "REGION_WRITE" },
	{ WIRE_FEATURE, 8, "DEVICE_FEATURE" },
};

static void
run_empty(struct check *c)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(fixed); i++) {
		check_open(c);
		check_refused_or_closed(c, check_call(c, fixed[i].cmd, NULL, 0), fixed[i].what);
	}
}

static void
run_truncated(struct check *c)
{
	uint8_t payload[32] = { 0 };
	unsigned int i;

	payload[0] = sizeof(payload);
	for (i = 0; i < RTE_DIM(fixed); i++) {
		check_open(c);
		check_refused_or_closed(c, check_call(c, fixed[i].cmd, payload, fixed[i].len - 1u),
			fixed[i].what);
	}
}

/* A header of our own making, with DEVICE_GET_INFO behind it. */
static int
odd_header(struct check *c, uint32_t size, uint32_t flags)
{
	const struct {
		struct wire_hdr hdr;
		struct wire_info info;
	} msg = {
		.hdr = { .id = 7, .cmd = WIRE_GET_INFO, .size = size, .flags = flags },
		.info = info_request,
	};

	check_open(c);
	check_send_raw(c, &msg, sizeof(msg), NULL, 0);
	if (!check_receive(c))
		return CHECK_CLOSED;
	return c->hdr.flags & WIRE_ERROR ? CHECK_UNNAMED : CHECK_DONE;
}

static void
run_size_small(struct check *c)
{
	check_refused_or_closed(c, odd_header(c, 8, 0), "a message of 8 bytes");
	check_refused_or_closed(c, odd_header(c, 0, 0), "a message of 0 bytes");
}

static void
run_size_large(struct check *c)
{
	check_refused_or_closed(c, odd_header(c, UINT32_MAX, 0), "a message of 4 GiB");
}

static void
run_type(struct check *c)
{
	check_refused_or_closed(c, odd_header(c, 32, 2), "a message of type 2");
	check_refused_or_closed(c, odd_header(c, 32, 0xf), "a message of type 15");
}

static void
run_pieces(struct check *c)
{
	const struct wire_hdr hdr = { .id = 1, .cmd = WIRE_GET_INFO,
		.size = sizeof(hdr) + sizeof(info_request) };

	check_open(c);
	check_send_raw(c, &hdr, sizeof(hdr), NULL, 0);
	check_drained(c);
	check_send_raw(c, &info_request, 7, NULL, 0);
	check_drained(c);
	check_send_raw(c, (const char *)&info_request + 7, sizeof(info_request) - 7, NULL, 0);
	CHECK_EXPECT(c, check_receive(c), "the connection is closed");
	CHECK_EXPECT(c, !(c->hdr.flags & WIRE_ERROR), "refused");
}

static void
run_header_pieces(struct check *c)
{
	const struct {
		struct wire_hdr hdr;
		struct wire_info info;
	} msg = { { 1, WIRE_GET_INFO, sizeof(msg), 0, 0 }, info_request };

	check_open(c);
	check_send_raw(c, &msg, 5, NULL, 0);
	check_drained(c);
	check_send_raw(c, (const char *)&msg + 5, sizeof(msg) - 5, NULL, 0);
	CHECK_EXPECT(c, check_receive(c), "the connection is closed");
	CHECK_EXPECT(c, !(c->hdr.flags & WIRE_ERROR), "refused");
}

static void
run_order(struct check *c)
{
	struct {
		struct wire_hdr hdr;
		struct wire_info info;
	} msgs[PIPELINED];
	uint16_t i;

	check_open(c);
	for (i = 0; i < PIPELINED; i++) {
		msgs[i].hdr = (struct wire_hdr){ i, WIRE_GET_INFO, sizeof(msgs[i]), 0, 0 };
		msgs[i].info = info_request;
	}
	check_send_raw(c, msgs, sizeof(msgs), NULL, 0);
	for (i = 0; i < PIPELINED; i++) {
		CHECK_EXPECT(c, check_receive(c), "closed after %u of %u", i, PIPELINED);
		CHECK_EXPECT(c, c->hdr.id == i, "command %u is answered as number %u", c->hdr.id,
			i);
	}
}

/* What came before must have been done when a later command is answered. */
static void
run_no_reply(struct check *c)
{
	const struct wire_unmap unmap = { .argsz = sizeof(unmap), .addr = FAR, .size = PAGE };
	const uint32_t flags = WIRE_MAP_READ | WIRE_MAP_WRITE;
	int err;

	check_open(c);
	if (check_map(c, FAR, PAGE, flags, -1, 0) != CHECK_DONE)
		check_skip(c, "DMA_MAP does not succeed");
	check_send(c, WIRE_DMA_UNMAP, WIRE_NO_REPLY, &unmap, sizeof(unmap), NULL, 0);
	err = check_map(c, FAR, PAGE, flags, -1, 0);
	CHECK_EXPECT(c, err == CHECK_CLOSED || c->hdr.cmd == WIRE_DMA_MAP,
		"the next reply is one to command %u", c->hdr.cmd);
	check_done(c, err, "DMA_MAP of what was unmapped without reply");
}

static void
silent(struct check *c, uint16_t cmd, const void *payload, size_t len)
{
	check_send(c, cmd, WIRE_NO_REPLY, payload, len, NULL, 0);
	check_done(c, check_get_info(c, sizeof(struct wire_info)), "DEVICE_GET_INFO after it");
	CHECK_EXPECT(c, c->hdr.cmd == WIRE_GET_INFO, "the next reply is one to command %u",
		c->hdr.cmd);
}

static void
run_no_reply_error(struct check *c)
{
	const struct vfio_irq_info info = { .argsz = sizeof(info), .index = UINT32_MAX };

	check_open(c);
	silent(c, WIRE_GET_IRQ_INFO, &info, sizeof(info));
}

static void
run_no_reply_unknown(struct check *c)
{
	check_open(c);
	silent(c, NO_SUCH_CMD, NULL, 0);
}

/* Has the other end of a pipe been closed by everybody? */
static bool
pipe_ended(struct check *c, int fd)
{
	char byte;

	while (read(fd, &byte, 1) < 0) {
		if (errno != EAGAIN || check_left_ms(c) == 0)
			return false;
		usleep(1000);
	}
	return true;
}

static void
run_strays(struct check *c)
{
	int ends[2], fds[3];

	check_open(c);
	check_pipe(c, ends);
	fds[0] = fds[1] = fds[2] = ends[1];
	check_call_fds(c, WIRE_GET_INFO, &info_request, sizeof(info_request), fds, RTE_DIM(fds));
	check_own_close(c, ends[1]);
	CHECK_EXPECT(c, pipe_ended(c, ends[0]), "descriptors that belong to nothing are kept");
}

const struct check_rule check_shape_rules[] = {
	{ "reply-id", HEADER, 0, "a reply has the command's id, whatever that is", run_id },
	{ "reply-command", HEADER, 0, "a reply names its command", run_command },
	{ "reply-flags", HEADER, 0, "a reply's flags are type, and error where there is one",
		run_flags },
	{ "reply-error-field", HEADER, CHECK_F_SHOULD, "the error field of a success is 0",
		run_error_field },
	{ "error-only-header", HEADER, 0, "an error has no payload", run_error_only_header },
	{ "error-named", HEADER, CHECK_F_SHOULD, "an error says which", run_error_named },
	{ "unknown-command", HEADER, 0, "an unknown command is answered by an error",
		run_unknown_command },
	{ "servers-command", "Commands", 0, "a server's command from a client is refused",
		run_servers_command },
	{ "payload-empty", SECURITY, 0, "a command without its payload is refused", run_empty },
	{ "payload-truncated", SECURITY, 0, "a command that is a byte too short is refused",
		run_truncated },
	{ "size-small", SECURITY, CHECK_F_SHOULD, "a message shorter than its header is refused",
		run_size_small },
	{ "size-large", SECURITY, CHECK_F_SHOULD, "a message of 4 GiB is not waited for",
		run_size_large },
	{ "type-unknown", HEADER, CHECK_F_SHOULD, "a message of an unknown type is refused",
		run_type },
	{ "pieces-payload", "Socket", CHECK_F_SHOULD, "a payload may come in pieces", run_pieces },
	{ "pieces-header", "Socket", CHECK_F_SHOULD, "a header may come in pieces",
		run_header_pieces },
	{ "order", CONCURRENCY, 0, "commands in one go are answered one by one, in order",
		run_order },
	{ "no-reply", CONCURRENCY, 0, "a no_reply command is done before the next is answered",
		run_no_reply },
	{ "no-reply-error", HEADER, 0, "a no_reply command that fails is not answered",
		run_no_reply_error },
	{ "no-reply-unknown", HEADER, 0, "an unknown no_reply command is not answered",
		run_no_reply_unknown },
	{ "stray-descriptors", SECURITY, 0, "descriptors that belong to nothing are closed",
		run_strays },
	{ .name = NULL },
};
