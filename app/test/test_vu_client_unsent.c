/* SPDX-License-Identifier: BSD-3-Clause */

/* Requests that the client cannot send, at a server that reads nothing for a while. */

#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include <rte_vfio_user.h>

#include "interpose.h"
#include "test.h"
#include "vu_stand.h"

#define REGION 2u

/* Transfers of any length are one request. */
#define JSON "{\"capabilities\":{\"max_dma_maps\":8}}"

/* The first byte of a posted write is what the server stops at. */
#define STOP 0xee

/* What another thread does with the client. */
struct doing {
	int dev_id;
	uint32_t size;	/* bytes */
	int rc;
};

static uint8_t zeroes[1u << 20];

static void *
post_main(void *arg)
{
	struct doing *doing = arg;

	doing->rc = rte_vfio_user_region_post(doing->dev_id, REGION, 0, doing->size, zeroes);
	return NULL;
}

static void
server_stop(int dev_id)
{
	const uint8_t stop = STOP;

	assert_int_equal(rte_vfio_user_region_post(dev_id, REGION, 0, 1, &stop), 0);
}

static bool
is_stop(const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	return hdr->cmd == VU_REGION_WRITE && len == sizeof(struct vu_region_access) + 1 &&
		payload[len - 1] == STOP;
}

/* ------------------------------------------------------------------ behind a queue ---- */

/* Does not fit in a socket, and what remains is no reason to refuse another request. */
#define SOME 400000u

static bool
answer_when_fired(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)stand;
	while (is_stop(hdr, payload, len) && !interpose_fired())
		usleep(1000);
	return false;
}

/* It is queued already, and whoever sends what is queued tries again. */
static void
test_request_behind_others_is_sent_once_whatever_becomes_of_a_call(void **state)
{
	struct stand stand = { .json = JSON, .answer = answer_when_fired };
	struct doing post = { .size = SOME };
	uint32_t value = 1;
	pthread_t thread;
	int rc;

	(void)state;
	stand_start(&stand);
	post.dev_id = stand.dev_id;
	server_stop(stand.dev_id);
	stand_thread_create(&thread, post_main, &post);
	/* until it waits for the server */
	usleep(100000);
	interpose_fail(INTERPOSE_ONLY(SENDMSG) | INTERPOSE_THIS_THREAD, 1, ENOMEM);
	rc = rte_vfio_user_region_write(stand.dev_id, REGION, 0, 4, &value);
	interpose_disarm();
	pthread_join(thread, NULL);
	assert_int_equal(post.rc, 0);
	assert_int_equal(rc, 0);
	assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	/* the two that are posted, the write, the reset */
	assert_int_equal(atomic_load(&stand.nb_log), 4);
	stand_end(&stand);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_request_behind_others_is_sent_once_whatever_becomes_of_a_call),
};

TEST_SUITE(vu_client_unsent, "functional", tests, stand_setup, stand_teardown)
