/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_stand.h"

static int
suite_setup(void **state)
{
	(void)state;
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
	return 0;
}

static int
suite_teardown(void **state)
{
	(void)state;
	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_NOTICE);
	return 0;
}

static const struct stand_request *
only_request(struct stand *stand)
{
	assert_int_equal(atomic_load(&stand->nb_log), 1);
	return &stand->log[0];
}

/* ---------------------------------------------------------------- bytes of requests ---- */

static int
do_read(int dev_id)
{
	uint32_t value = 0;
	int rc = rte_vfio_user_region_read(dev_id, 3, 0x10, 4, &value);

	if (rc == 0)
		assert_int_equal(value, 0x13121110);
	return rc;
}

static int
do_write(int dev_id)
{
	return rte_vfio_user_region_write(dev_id, 3, 0x10, 4, "\1\2\3\4");
}

static int
do_post(int dev_id)
{
	return rte_vfio_user_region_post(dev_id, 3, 0x10, 4, "\1\2\3\4");
}

static int
do_reset(int dev_id)
{
	return rte_vfio_user_reset(dev_id);
}

static int
do_info(int dev_id)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };

	return rte_vfio_user_get_dev_info(dev_id, &info);
}

static int
do_reg_info(int dev_id)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = 2 };

	return rte_vfio_user_get_reg_info(dev_id, &info, NULL);
}

static int
do_irq_info(int dev_id)
{
	struct vfio_irq_info info = { .argsz = sizeof(info), .index = 2 };

	return rte_vfio_user_get_irq_info(dev_id, &info);
}

static int
do_map(int dev_id)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x1000, .size = 0x2000,
		.protection = PROT_READ };

	return rte_vfio_user_dma_map(dev_id, &mem, NULL, 1);
}

static int
do_unmap(int dev_id)
{
	struct rte_vfio_user_mem_reg mem = { .gpa = 0x1000, .size = 0x2000 };

	return rte_vfio_user_dma_unmap(dev_id, &mem, 1);
}

static int
do_unmap_all(int dev_id)
{
	return rte_vfio_user_dma_unmap_all(dev_id);
}

static int
do_irqs_off(int dev_id)
{
	struct vfio_irq_set set = { .argsz = sizeof(set), .index = 2,
		.flags = VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER };

	return rte_vfio_user_set_irqs(dev_id, &set);
}

static int
do_mig_write(int dev_id)
{
	return rte_vfio_user_mig_write(dev_id, "abc", 3);
}

struct request_case {
	const char *name;
	int (*run)(int dev_id);
	uint16_t cmd;
	uint32_t flags;
	size_t len;
	const char *payload;
};

static const struct request_case request_cases[] = {
	{ "read", do_read, VU_REGION_READ, 0, 16,
		"\x10\0\0\0\0\0\0\0\3\0\0\0\4\0\0\0" },
	{ "write", do_write, VU_REGION_WRITE, 0, 20,
		"\x10\0\0\0\0\0\0\0\3\0\0\0\4\0\0\0\1\2\3\4" },
	{ "post", do_post, VU_REGION_WRITE, VU_F_NO_REPLY, 20,
		"\x10\0\0\0\0\0\0\0\3\0\0\0\4\0\0\0\1\2\3\4" },
	{ "reset", do_reset, VU_RESET, 0, 0, "" },
	{ "map", do_map, VU_DMA_MAP, 0, 32,
		"\x20\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x20\0\0\0\0\0\0" },
	{ "unmap", do_unmap, VU_DMA_UNMAP, 0, 24,
		"\x18\0\0\0\0\0\0\0\0\x10\0\0\0\0\0\0\0\x20\0\0\0\0\0\0" },
	{ "unmap all", do_unmap_all, VU_DMA_UNMAP, 0, 24,
		"\x18\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
	{ "info", do_info, VU_GET_INFO, 0, 16, "\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" },
	{ "interrupts off", do_irqs_off, VU_SET_IRQS, 0, 20,
		"\x14\0\0\0\x21\0\0\0\2\0\0\0\0\0\0\0\0\0\0\0" },
	{ "migration data", do_mig_write, VU_MIG_DATA_WRITE, 0, 11,
		"\x0b\0\0\0\3\0\0\0abc" },
};

static void
test_requests_have_the_bytes_of_the_protocol(void **state)
{
	struct stand stand = { .answer = NULL };
	const struct stand_request *request;
	size_t i;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < RTE_DIM(request_cases); i++) {
		const struct request_case *c = &request_cases[i];

		stand_forget(&stand);
		assert_int_equal(c->run(stand.dev_id), 0);
		/* also when nothing is awaited: it is there before an answer to the next is */
		if (c->flags & VU_F_NO_REPLY)
			assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
		request = c->flags ? &stand.log[0] : only_request(&stand);
		if (request->hdr.cmd != c->cmd || request->hdr.flags != c->flags ||
				request->hdr.error != 0 || request->len != c->len ||
				memcmp(request->head, c->payload, c->len) != 0)
			fail_msg("%s", c->name);
	}
	stand_end(&stand);
}

/* -------------------------------------------------------------- answers that are wrong ---- */

/* What the server sends instead of an answer. */
struct lie {
	const char *name;
	void (*tell)(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload);
	int rc;	/* 0: any error */
	bool ends;	/* the connection is of no use afterwards */
};

static void
lie_error(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	(void)payload;
	stand_error(stand, hdr, EBUSY);
}

static void
lie_error_unspecified(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	(void)payload;
	stand_error(stand, hdr, 0);
}

static void
lie_error_huge(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	(void)payload;
	stand_error(stand, hdr, UINT32_MAX);
}

static void
lie_other_id(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	struct vu_hdr other = *hdr;

	other.id++;
	stand_reply(stand, &other, payload, 16, NULL, 0);
}

static void
lie_other_command(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	struct vu_hdr other = *hdr;

	other.cmd = VU_MIG_DATA_READ;
	stand_reply(stand, &other, payload, 16, NULL, 0);
}

static void
lie_type(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	struct vu_hdr raw = { .id = hdr->id, .cmd = hdr->cmd, .size = 16, .flags = 7 };

	(void)payload;
	stand_send(stand, &raw, sizeof(raw), NULL, 0);
}

static void
lie_size_small(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	struct vu_hdr raw = { .id = hdr->id, .cmd = hdr->cmd, .size = 15,
		.flags = VU_F_TYPE_REPLY };

	(void)payload;
	stand_send(stand, &raw, sizeof(raw), NULL, 0);
}

static void
lie_size_huge(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	struct vu_hdr raw = { .id = hdr->id, .cmd = hdr->cmd, .size = UINT32_MAX,
		.flags = VU_F_TYPE_REPLY };

	(void)payload;
	stand_send(stand, &raw, sizeof(raw), NULL, 0);
}

static void
lie_long(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	(void)payload;
	stand_reply(stand, hdr, stand->payload, 100000, NULL, 0);
}

static void
lie_seven_bytes(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	stand_reply(stand, hdr, payload, 7, NULL, 0);
}

static void
lie_descriptors(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	const int fds[] = { stand->sock, stand->sock };

	(void)payload;
	stand_reply(stand, hdr, stand->payload, 16, fds, RTE_DIM(fds));
}

static void
lie_too_many_descriptors(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	int fds[VU_SCM_MAX_FD];
	size_t i;

	(void)payload;
	for (i = 0; i < RTE_DIM(fds); i++)
		fds[i] = stand->sock;
	stand_reply(stand, hdr, stand->payload, 16, fds, RTE_DIM(fds));
}

static void
lie_twice(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	struct vu_hdr twice[] = {
		{ .id = hdr->id, .cmd = hdr->cmd, .size = 16, .flags = VU_F_TYPE_REPLY |
			VU_F_ERROR, .error = EBUSY },
		{ .id = hdr->id, .cmd = hdr->cmd, .size = 16, .flags = VU_F_TYPE_REPLY |
			VU_F_ERROR, .error = EBUSY },
	};

	(void)payload;
	stand_send(stand, twice, sizeof(twice), NULL, 0);
}

static void
lie_leave(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	(void)hdr;
	(void)payload;
	stand_hang_up(stand);
}

static void
lie_leave_in_header(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload)
{
	(void)payload;
	stand_send(stand, hdr, 9, NULL, 0);
	stand_hang_up(stand);
}

static const struct lie lies[] = {
	{ "an error", lie_error, -EBUSY, false },
	{ "an error without errno", lie_error_unspecified, -EIO, false },
	{ "an error with a huge errno", lie_error_huge, -EIO, false },
	{ "an answer to another request", lie_other_id, -EPROTO, true },
	{ "an answer to another command", lie_other_command, -EPROTO, false },
	{ "no valid type", lie_type, -EPROTO, true },
	{ "a size below the header's", lie_size_small, -EPROTO, true },
	{ "a huge size", lie_size_huge, -EPROTO, true },
	{ "too many bytes", lie_long, -EPROTO, false },
	{ "seven bytes", lie_seven_bytes, -EPROTO, false },
	{ "descriptors", lie_descriptors, -EPROTO, false },
	{ "too many descriptors", lie_too_many_descriptors, -EPROTO, true },
	{ "two answers", lie_twice, -EBUSY, true },
	{ "nothing and leaves", lie_leave, -ENOTCONN, true },
	{ "half a header and leaves", lie_leave_in_header, -ENOTCONN, true },
};

static int (*const askers[])(int dev_id) = {
	do_read, do_write, do_reset, do_info, do_reg_info, do_irq_info, do_map, do_unmap,
	do_unmap_all, do_irqs_off, do_mig_write,
};

static bool
answer_lie(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct lie *lie = stand->ctx;

	(void)len;
	if (hdr->cmd == VU_VERSION || lie == NULL)
		return false;
	stand->ctx = NULL;
	lie->tell(stand, hdr, payload);
	return true;
}

/* Some lies are true for some commands: those with a payload of any length. */
static void
check_lie(const struct lie *lie, size_t asker)
{
	struct stand stand = { .answer = answer_lie };
	uintptr_t ctx = (uintptr_t)lie;
	int rc;

	stand_start(&stand);
	memset(stand.payload, 0, 128);
	stand.ctx = (void *)ctx;
	rc = askers[asker](stand.dev_id);
	if (rc >= 0 || (rc != lie->rc && rc != -EPROTO))
		fail_msg("%s, %zu: %d", lie->name, asker, rc);
	rc = rte_vfio_user_reset(stand.dev_id);
	if (lie->ends && rc != -ENOTCONN && rc != -EPROTO)
		fail_msg("%s, %zu: goes on with %d", lie->name, asker, rc);
	if (!lie->ends && rc != 0)
		fail_msg("%s, %zu: ends with %d", lie->name, asker, rc);
	stand_end(&stand);
}

static void
test_wrong_answers_end_the_request_or_the_connection(void **state)
{
	size_t i, asker;

	(void)state;
	for (i = 0; i < RTE_DIM(lies); i++)
		for (asker = 0; asker < RTE_DIM(askers); asker++)
			check_lie(&lies[i], asker);
}

/* --------------------------------------------------------------------- time limits ---- */

struct late {
	struct vu_hdr hdr;
	bool kept;
};

/* Does not answer the first request, and later both it and the next one. */
static bool
answer_late(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	struct late *late = stand->ctx;

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_RESET)
		return false;
	if (!late->kept) {
		late->kept = true;
		late->hdr = *hdr;
		return true;
	}
	return stand_reply(stand, &late->hdr, NULL, 0, NULL, 0) && !(late->kept = false) &&
		stand_reply(stand, hdr, NULL, 0, NULL, 0);
}

static void
test_late_answer_is_dropped(void **state)
{
	struct late late = { .kept = false };
	struct stand stand = { .answer = answer_late, .ctx = &late, .timeout_ms = 80,
		.reset_timeout_ms = 80 };
	unsigned int i;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < 3; i++) {
		assert_int_equal(rte_vfio_user_reset(stand.dev_id), -ETIMEDOUT);
		assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	}
	stand_end(&stand);
}

/* ---------------------------------------------------------------- splitting, placing ---- */

static void
test_long_access_is_split_at_the_servers_limit(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{\"max_data_xfer_size\":1000,"
		"\"max_dma_maps\":1}}" };
	uint8_t data[2500];
	size_t i;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_region_read(stand.dev_id, 1, 5, sizeof(data), data), 0);
	assert_int_equal(atomic_load(&stand.nb_log), 3);
	assert_memory_equal(stand.log[2].head, "\xd5\7\0\0\0\0\0\0\1\0\0\0\xf4\1\0\0", 16);
	for (i = 0; i < sizeof(data); i++)
		assert_int_equal(data[i], (uint8_t)(i + 5));
	stand_forget(&stand);
	assert_int_equal(rte_vfio_user_region_write(stand.dev_id, 1, 0, sizeof(data), data), 0);
	assert_int_equal(atomic_load(&stand.nb_log), 3);
	assert_int_equal(stand.log[2].len, 16 + 500);
	assert_int_equal(rte_vfio_user_region_read(stand.dev_id, 1, 0, 0, NULL), 0);
	assert_int_equal(rte_vfio_user_region_read(stand.dev_id, 1, UINT64_MAX, 2, data), -EINVAL);
	stand_end(&stand);
}

static void
test_servers_that_lose_long_writes_get_short_ones(void **state)
{
	struct stand stand = { .json = "{\"capabilities\":{\"max_msg_fds\":8}}" };
	static uint8_t data[10000];

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_region_write(stand.dev_id, 1, 0, sizeof(data), data), 0);
	assert_int_equal(atomic_load(&stand.nb_log), 3);
	assert_int_equal(stand.log[0].len, 16 + 4096);
	stand_end(&stand);
}

static void
test_long_reads_of_all_lengths(void **state)
{
	static const uint32_t lengths[] = { 4095, 4096, 65535, 65536, 65537, 300000, 1048576 };
	struct stand stand = { .answer = NULL };
	uint8_t *data = malloc(1048576);
	size_t i, k;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < RTE_DIM(lengths); i++) {
		memset(data, 0xa5, 1048576);
		assert_int_equal(rte_vfio_user_region_read(stand.dev_id, 0, i, lengths[i], data),
			0);
		for (k = 0; k < lengths[i]; k++)
			if (data[k] != (uint8_t)(k + i))
				fail_msg("byte %zu of %u", k, lengths[i]);
	}
	stand_end(&stand);
	free(data);
}

/* -------------------------------------------------------------- commands of the server ---- */

static uint8_t host_memory[8192];

static int
host_handler(int dev_id, uint64_t addr, void *buf, uint64_t len, bool write, void *ctx)
{
	(void)ctx;
	/* who waits for the server cannot ask it */
	if (rte_vfio_user_reset(dev_id) != -EDEADLK)
		return -EIO;
	if (addr >= sizeof(host_memory) || len > sizeof(host_memory) - addr)
		return -EFAULT;
	if (write)
		memcpy(host_memory + addr, buf, len);
	else
		memcpy(buf, host_memory + addr, len);
	return 0;
}

/* A command of the server and what must come back. */
struct command_case {
	uint16_t cmd;
	uint64_t addr;
	uint64_t count;
	uint32_t error;
};

static const struct command_case command_cases[] = {
	{ VU_DMA_READ, 16, 100, 0 },
	{ VU_DMA_WRITE, 16, 100, 0 },
	{ VU_DMA_READ, 0, sizeof(host_memory), 0 },
	{ VU_DMA_READ, sizeof(host_memory), 1, EFAULT },
	{ VU_DMA_READ, 0, 0, EINVAL },
	{ VU_DMA_READ, UINT64_MAX, 2, EINVAL },
	{ VU_DMA_READ, 0, UINT64_MAX, E2BIG },
	{ VU_DMA_READ, 0, 1048577, E2BIG },
	{ VU_REGION_READ, 0, 4, ENOSYS },
	{ 99, 0, 4, ENOSYS },
};

/* Asks for memory before it answers a reset. */
static bool
answer_command(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct command_case *c = stand->ctx;
	struct vu_dma_access access = { .count = 0 };
	static uint8_t data[16384];
	struct vu_hdr reply;
	long n;

	(void)payload;
	(void)len;
	if (hdr->cmd != VU_RESET)
		return false;
	access.addr = c->addr;
	access.count = c->count;
	memset(data, 0x77, sizeof(data));
	memcpy(data, &access, sizeof(access));
	stand_command(stand->sock, 0x1234, c->cmd, data,
		sizeof(access) + (c->cmd == VU_DMA_WRITE ? c->count : 0));
	n = stand_receive(stand->sock, &reply, data, sizeof(data));
	if (n < 0 || reply.id != 0x1234 || reply.cmd != c->cmd || reply.error != c->error)
		return stand_error(stand, hdr, EPROTO);
	if (c->error == 0 && n != (long)(16 + (c->cmd == VU_DMA_READ ? c->count : 0)))
		return stand_error(stand, hdr, EMSGSIZE);
	return stand_reply(stand, hdr, NULL, 0, NULL, 0);
}

static void
test_commands_are_served_while_an_answer_is_awaited(void **state)
{
	struct stand stand = { .answer = answer_command };
	uintptr_t ctx;
	size_t i;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_set_dma_handler(stand.dev_id, host_handler, NULL), 0);
	for (i = 0; i < RTE_DIM(command_cases); i++) {
		ctx = (uintptr_t)&command_cases[i];
		stand.ctx = (void *)ctx;
		if (rte_vfio_user_reset(stand.dev_id) != 0)
			fail_msg("case %zu", i);
	}
	assert_int_equal(host_memory[16], 0x77);
	assert_int_equal(host_memory[15], 0);
	stand_end(&stand);
}

static void
test_memory_told_of_is_served_without_a_handler(void **state)
{
	static const struct command_case across = { VU_DMA_WRITE, 0x1ff0, 32, 0 };
	static const struct command_case forbidden = { VU_DMA_WRITE, 0x3000, 4, EACCES };
	static const struct command_case missing = { VU_DMA_READ, 0x2ff0, 17, EFAULT };
	const struct command_case *cases[] = { &across, &forbidden, &missing };
	struct stand stand = { .answer = answer_command };
	uint8_t *a = calloc(1, 4096), *b = calloc(1, 4096);
	uintptr_t ctx;
	size_t i;

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x1000, 0x1000, a,
		PROT_READ | PROT_WRITE), 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x2000, 0x800, b,
		PROT_READ | PROT_WRITE), 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x3000, 0x800, b, PROT_READ), 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x27ff, 1, b, PROT_READ), -EEXIST);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, 0, b, PROT_READ), -EINVAL);
	for (i = 0; i < RTE_DIM(cases); i++) {
		ctx = (uintptr_t)cases[i];
		stand.ctx = (void *)ctx;
		assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	}
	assert_int_equal(a[0xfef], 0);
	assert_int_equal(a[0xff0], 0x77);
	assert_int_equal(b[15], 0x77);
	assert_int_equal(b[16], 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x1000, 0x1000, NULL, 0), 0);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0x1000, 0x1000, NULL, 0), -ENOENT);
	stand_end(&stand);
	free(a);
	free(b);
}

/* Sends VERSION with a second socket. */
static bool
answer_twin(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	static const char text[] = "\0\0\0\0{\"capabilities\":{\"twin_socket\":"
		"{\"supported\":true,\"fd_index\":0}}}";
	const struct vu_dma_access access = { .addr = 0, .count = 8 };
	uint8_t data[64];
	struct vu_hdr reply;
	int sock[2];

	(void)payload;
	(void)len;
	if (hdr->cmd == VU_RESET) {
		stand_command(stand->twin, 1, VU_DMA_READ, &access, sizeof(access));
		if (stand_receive(stand->twin, &reply, data, sizeof(data)) != 24)
			return stand_error(stand, hdr, EPROTO);
		return false;
	}
	if (hdr->cmd != VU_VERSION)
		return false;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
		return false;
	stand->twin = sock[0];
	stand_reply(stand, hdr, text, sizeof(text), &sock[1], 1);
	close(sock[1]);
	return true;
}

static void
test_commands_on_the_second_socket(void **state)
{
	struct stand stand = { .answer = answer_twin };

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_host(stand.dev_id, 0, sizeof(host_memory), host_memory,
		PROT_READ), 0);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	stand_end(&stand);
}

static void
test_idle_client_serves_when_told_to(void **state)
{
	const struct vu_dma_access access = { .addr = 1, .count = 1 };
	struct stand stand = { .answer = NULL };

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_serve(stand.dev_id, 0), 0);
	stand_command(stand.sock, 1, VU_DMA_READ, &access, sizeof(access));
	assert_int_equal(rte_vfio_user_serve(stand.dev_id, 1000), 1);
	stand_hang_up(&stand);
	assert_int_equal(rte_vfio_user_serve(stand.dev_id, 1000), -ENOTCONN);
	stand_end(&stand);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_requests_have_the_bytes_of_the_protocol),
	cmocka_unit_test(test_wrong_answers_end_the_request_or_the_connection),
	cmocka_unit_test(test_late_answer_is_dropped),
	cmocka_unit_test(test_long_access_is_split_at_the_servers_limit),
	cmocka_unit_test(test_servers_that_lose_long_writes_get_short_ones),
	cmocka_unit_test(test_long_reads_of_all_lengths),
	cmocka_unit_test(test_commands_are_served_while_an_answer_is_awaited),
	cmocka_unit_test(test_memory_told_of_is_served_without_a_handler),
	cmocka_unit_test(test_commands_on_the_second_socket),
	cmocka_unit_test(test_idle_client_serves_when_told_to),
};

TEST_SUITE(vu_client_request, "functional", tests, suite_setup, suite_teardown)
