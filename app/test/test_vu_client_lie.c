/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vfio_user.h>

#include "test.h"
#include "vu_request.h"
#include "vu_stand.h"

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
	request_read, request_write, request_reset, request_info, request_reg_info,
	request_irq_info, request_map, request_unmap, request_unmap_all, request_irqs_off,
	request_mig_write,
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

/* Does not answer a reset, but both it and the next request when that one comes. */
static bool
answer_late(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	struct late *late = stand->ctx;

	(void)payload;
	(void)len;
	if (hdr->cmd == VU_RESET) {
		late->kept = true;
		late->hdr = *hdr;
		return true;
	}
	if (late->kept)
		stand_reply(stand, &late->hdr, NULL, 0, NULL, 0);
	late->kept = false;
	return false;
}

static void
test_late_answer_is_dropped(void **state)
{
	struct late late = { .kept = false };
	struct stand stand = { .answer = answer_late, .ctx = &late, .reset_timeout_ms = 80 };
	unsigned int i;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < 3; i++) {
		assert_int_equal(rte_vfio_user_reset(stand.dev_id), -ETIMEDOUT);
		assert_int_equal(request_read(stand.dev_id), 0);
	}
	stand_end(&stand);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_wrong_answers_end_the_request_or_the_connection),
	cmocka_unit_test(test_late_answer_is_dropped),
};

TEST_SUITE(vu_client_lie, "functional", tests, stand_setup, stand_teardown)
