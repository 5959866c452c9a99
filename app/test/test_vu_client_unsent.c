/* SPDX-License-Identifier: BSD-3-Clause */

/* Requests that the client cannot send, at a server that reads nothing for a while. */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
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

/* -------------------------------------------------- an answer before there is a request ---- */

#define READ_SIZE 1024u
#define LIMIT_MS 300u

/* Where the data go cannot be written to at first; who does so waits there. */
static uint8_t *early_page;
static atomic_bool early_asked, early_came, early_returned, early_late;

static void
early_fault(int sig, siginfo_t *info, void *context)
{
	unsigned int i;

	(void)sig;
	(void)context;
	if ((uint8_t *)info->si_addr < early_page ||
			(uint8_t *)info->si_addr >= early_page + READ_SIZE)
		abort();
	atomic_store(&early_came, true);
	for (i = 0; i < 3 * LIMIT_MS && !atomic_load(&early_returned); i++)
		usleep(1000);
	atomic_store(&early_late, atomic_load(&early_returned));
	mprotect(early_page, READ_SIZE, PROT_READ | PROT_WRITE);
}

/* The id of the second request from here is no secret. */
static bool
answer_early(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	const struct vu_hdr guess = { .id = (uint16_t)(hdr->id + 2), .cmd = VU_REGION_READ };
	struct {
		struct vu_region_access access;
		uint8_t data[READ_SIZE];
	} answer = { .access = { .region = REGION, .count = READ_SIZE } };

	if (!is_stop(hdr, payload, len))
		return false;
	while (!atomic_load(&early_asked) || interpose_count_of(INTERPOSE_WAIT) == 0)
		usleep(1000);
	stand_reply(stand, &guess, &answer, sizeof(answer), NULL, 0);
	while (!atomic_load(&early_returned))
		usleep(1000);
	return true;
}

static void *
serve_main(void *arg)
{
	struct doing *doing = arg;

	doing->rc = rte_vfio_user_serve(doing->dev_id, -1);
	return NULL;
}

static void
early_try(void)
{
	struct stand stand = { .json = JSON, .answer = answer_early,
		.timeout_ms = LIMIT_MS };
	struct doing serve, post = { .size = sizeof(zeroes) };
	pthread_t thread;

	atomic_store(&early_asked, false);
	atomic_store(&early_came, false);
	atomic_store(&early_returned, false);
	stand_start(&stand);
	serve.dev_id = post.dev_id = stand.dev_id;
	stand_thread_create(&thread, serve_main, &serve);
	/* until it receives for all */
	usleep(20000);
	server_stop(stand.dev_id);
	/* more than a request may be queued behind */
	post_main(&post);
	interpose_fail(INTERPOSE_ONLY(WAIT) | INTERPOSE_THIS_THREAD, 0, 0);
	atomic_store(&early_asked, true);
	rte_vfio_user_region_read(stand.dev_id, REGION, 0, READ_SIZE, early_page);
	atomic_store(&early_returned, true);
	interpose_disarm();
	stand_hang_up(&stand);
	pthread_join(thread, NULL);
	stand_end(&stand);
}

static void
test_answer_to_what_was_not_sent_is_not_copied_after_the_call(void **state)
{
	struct sigaction fault = { .sa_sigaction = early_fault, .sa_flags = SA_SIGINFO }, before;
	unsigned int tries = 0;

	(void)state;
	atomic_store(&early_late, false);
	assert_int_equal(sigaction(SIGSEGV, &fault, &before), 0);
	early_page = mmap(NULL, READ_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(early_page != MAP_FAILED);
	do {
		assert_int_equal(mprotect(early_page, READ_SIZE, PROT_NONE), 0);
		early_try();
	} while (!atomic_load(&early_came) && ++tries < 20);
	munmap(early_page, READ_SIZE);
	sigaction(SIGSEGV, &before, NULL);
	assert_true(atomic_load(&early_came));
	assert_false(atomic_load(&early_late));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_request_behind_others_is_sent_once_whatever_becomes_of_a_call),
	cmocka_unit_test(test_answer_to_what_was_not_sent_is_not_copied_after_the_call),
};

TEST_SUITE(vu_client_unsent, "functional", tests, stand_setup, stand_teardown)
