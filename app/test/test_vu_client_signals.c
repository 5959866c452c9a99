/* SPDX-License-Identifier: BSD-3-Clause */

/* A client in a process that gets signals all the time, as one that is profiled does. */

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/time.h>
#include <unistd.h>

#include <rte_vfio_user.h>

#include "interpose.h"
#include "test.h"
#include "vu_stand.h"

static struct sigaction before;

static void
on_alarm(int sig)
{
	(void)sig;
}

static int
signals_start(void **state)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } };
	const struct sigaction action = { .sa_handler = on_alarm, .sa_flags = SA_RESTART };

	(void)state;
	sigaction(SIGALRM, &action, &before);
	return setitimer(ITIMER_REAL, &often, NULL);
}

static int
signals_stop(void **state)
{
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };

	(void)state;
	setitimer(ITIMER_REAL, &never, NULL);
	return sigaction(SIGALRM, &before, NULL);
}

static atomic_bool over;

/* Takes nothing any more from the first write on. */
static bool
answer_deaf(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)stand;
	(void)payload;
	(void)len;
	if (hdr->cmd != VU_REGION_WRITE)
		return false;
	while (!atomic_load(&over))
		usleep(1000);
	return true;
}

/* Post until the server does not take any more. Returns the error; *nb: how many it took. */
static int
post_many(struct stand *stand, unsigned int *nb)
{
	const uint8_t data[2048] = { 0 };
	int rc;

	for (*nb = 0; ; ++*nb) {
		rc = rte_vfio_user_region_post(stand->dev_id, 0, 0, sizeof(data), data);
		if (rc != 0)
			return rc;
	}
}

/* What waits for the server in a call that a signal ends does not begin it again and again. */
static void
test_post_that_is_not_taken_waits_once(void **state)
{
	struct stand stand = { .answer = answer_deaf, .timeout_ms = 100 };
	unsigned int i, nb;

	(void)state;
	for (i = 0; i < 5; i++) {
		atomic_store(&over, false);
		stand_start(&stand);
		interpose_fail(INTERPOSE_ONLY(SENDMSG), 0, 0);
		assert_int_equal(post_many(&stand, &nb), -ETIMEDOUT);
		interpose_disarm();
		assert_true(interpose_count_of(INTERPOSE_SENDMSG) <= nb + 2);
		atomic_store(&over, true);
		stand_end(&stand);
	}
}

static bool
answer_late(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)stand;
	(void)payload;
	(void)len;
	if (hdr->cmd == VU_RESET)
		usleep(60000);
	return false;
}

static void
test_answer_is_waited_for(void **state)
{
	struct stand stand = { .answer = answer_late };
	int i;

	(void)state;
	stand_start(&stand);
	for (i = 0; i < 3; i++)
		assert_int_equal(rte_vfio_user_reset(stand.dev_id), 0);
	stand_end(&stand);
}

static bool
answer_never(struct stand *stand, const struct vu_hdr *hdr, const uint8_t *payload, size_t len)
{
	(void)stand;
	(void)payload;
	(void)len;
	return hdr->cmd == VU_DMA_MAP;
}

static void
test_answer_that_does_not_come_has_a_limit(void **state)
{
	struct rte_vfio_user_mem_reg mem = { .size = 4096, .protection = 3 };
	struct stand stand = { .answer = answer_never, .timeout_ms = 100 };

	(void)state;
	stand_start(&stand);
	assert_int_equal(rte_vfio_user_dma_map(stand.dev_id, &mem, NULL, 1), -ETIMEDOUT);
	stand_end(&stand);
}

#define TEST(test_) cmocka_unit_test_setup_teardown(test_, signals_start, signals_stop)

static const struct CMUnitTest tests[] = {
	TEST(test_post_that_is_not_taken_waits_once),
	TEST(test_answer_is_waited_for),
	TEST(test_answer_that_does_not_come_has_a_limit),
};

TEST_SUITE(vu_client_signals, "functional", tests, stand_setup, stand_teardown)
