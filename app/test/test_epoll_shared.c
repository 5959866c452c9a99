/* SPDX-License-Identifier: BSD-3-Clause */

/* Epoll sets on which several threads wait, and events that change while they are handed out. */

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_epoll.h>

#include "test.h"

#define LONG_MS 30000

static void *
wait_for_one(void *arg)
{
	struct rte_epoll_event out[1];

	return (void *)(intptr_t)rte_epoll_wait(*(int *)arg, out, 1, LONG_MS);
}

/* ---- one event, several threads ---- */

struct busy {
	sem_t entered, go_on;
	unsigned int calls;
	unsigned int left;	/* calls that wait for go_on */
};

static void
read_and_stay(int fd, void *arg)
{
	struct busy *busy = arg;
	eventfd_t value;

	eventfd_read(fd, &value);
	__atomic_fetch_add(&busy->calls, 1, __ATOMIC_RELAXED);
	if (busy->left == 0)
		return;
	busy->left--;
	sem_post(&busy->entered);
	sem_wait(&busy->go_on);
}

/* An edge-triggered event whose first callback stays until it is told to go on. */
static int
busy_start(struct busy *busy, struct rte_epoll_event *event, int set)
{
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);

	memset(busy, 0, sizeof(*busy));
	sem_init(&busy->entered, 0, 0);
	sem_init(&busy->go_on, 0, 0);
	busy->left = 1;
	*event = (struct rte_epoll_event){ .epdata = {
		.event = EPOLLIN | EPOLLET, .cb_fun = read_and_stay, .cb_arg = busy,
	} };
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_ADD, fd, event), 0);
	return fd;
}

static void
busy_end(struct busy *busy, int fd, int set)
{
	sem_destroy(&busy->entered);
	sem_destroy(&busy->go_on);
	close(fd);
	close(set);
}

static void
test_event_during_its_callback_is_told_afterwards(void **state)
{
	int set = epoll_create1(EPOLL_CLOEXEC);
	struct rte_epoll_event event, out[1];
	struct busy busy;
	pthread_t thread;
	void *rc;
	int fd = busy_start(&busy, &event, set);

	assert_int_equal(pthread_create(&thread, NULL, wait_for_one, &set), 0);
	sem_wait(&busy.entered);
	eventfd_write(fd, 1);
	assert_int_equal(rte_epoll_wait(set, out, 1, 0), 0);
	sem_post(&busy.go_on);
	pthread_join(thread, &rc);
	assert_int_equal((intptr_t)rc, 1);
	assert_int_equal(rte_epoll_wait(set, out, 1, LONG_MS), 1);
	assert_int_equal(busy.calls, 2);
	assert_int_equal(rte_epoll_wait(set, out, 1, 0), 0);
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_DEL, fd, &event), 0);
	busy_end(&busy, fd, set);
}

/* It has fetched what another thread is handing out, which is nothing to it. */
static void
test_thread_with_nothing_to_hand_out_goes_on_waiting(void **state)
{
	int set = epoll_create1(EPOLL_CLOEXEC);
	struct pollfd fetched = { .fd = set, .events = POLLIN };
	pthread_t first, second;
	struct rte_epoll_event event;
	struct busy busy;
	void *rc[2];
	int fd = busy_start(&busy, &event, set);

	assert_int_equal(pthread_create(&first, NULL, wait_for_one, &set), 0);
	sem_wait(&busy.entered);
	assert_int_equal(pthread_create(&second, NULL, wait_for_one, &set), 0);
	eventfd_write(fd, 1);
	while (poll(&fetched, 1, 0) == 1)
		usleep(1000);
	sem_post(&busy.go_on);
	pthread_join(first, &rc[0]);
	pthread_join(second, &rc[1]);
	assert_int_equal((intptr_t)rc[0], 1);
	assert_int_equal((intptr_t)rc[1], 1);
	assert_int_equal(busy.calls, 2);
	assert_int_equal(rte_epoll_ctl(set, EPOLL_CTL_DEL, fd, &event), 0);
	busy_end(&busy, fd, set);
}

static void
read_counter(int fd, void *arg)
{
	eventfd_t value;

	(void)arg;
	eventfd_read(fd, &value);
}

#define CROWD 3
#define CROWD_ROUNDS 20000u

struct crowd {
	int set, fd;
	atomic_uint raised, seen;
};

/* Sees what was raised before it was woken. */
static void *
crowd_main(void *arg)
{
	struct crowd *crowd = arg;
	struct rte_epoll_event out[1];

	while (atomic_load(&crowd->seen) < CROWD_ROUNDS) {
		if (rte_epoll_wait(crowd->set, out, 1, LONG_MS) != 1)
			return crowd;
		atomic_store(&crowd->seen, atomic_load(&crowd->raised));
	}
	eventfd_write(crowd->fd, 1);
	return NULL;
}

/* Each is raised when the one before was seen, so one that is lost stops it all. */
static void
test_threads_that_wait_on_one_set_lose_no_event(void **state)
{
	struct rte_epoll_event event = { .epdata = { .event = EPOLLIN | EPOLLET } };
	struct crowd crowd = { .set = epoll_create1(EPOLL_CLOEXEC) };
	pthread_t threads[CROWD];
	unsigned int i;
	void *rc;

	crowd.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	event.epdata.cb_fun = read_counter;
	assert_int_equal(rte_epoll_ctl(crowd.set, EPOLL_CTL_ADD, crowd.fd, &event), 0);
	for (i = 0; i < CROWD; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, crowd_main, &crowd), 0);
	for (i = 1; i <= CROWD_ROUNDS; i++) {
		atomic_store(&crowd.raised, i);
		eventfd_write(crowd.fd, 1);
		while (atomic_load(&crowd.seen) < i)
			sched_yield();
	}
	for (i = 0; i < CROWD; i++) {
		pthread_join(threads[i], &rc);
		assert_null(rc);
	}
	rte_epoll_ctl(crowd.set, EPOLL_CTL_DEL, crowd.fd, &event);
	close(crowd.fd);
	close(crowd.set);
}

/* ---- several events, one thread ---- */

/* What a callback does to another event that was fetched together with its own. */
struct meddler {
	struct rte_epoll_event *other;
	int fd, from, to;
};

static void
free_other(int fd, void *arg)
{
	struct meddler *meddler = arg;

	rte_epoll_ctl(meddler->from, EPOLL_CTL_DEL, meddler->fd, meddler->other);
	free(meddler->other);
	meddler->other = NULL;
}

static void
test_callback_may_delete_and_free_another_event(void **state)
{
	struct rte_epoll_event event = { .epdata = { .event = EPOLLIN } }, out[2];
	struct meddler meddler = { .from = epoll_create1(EPOLL_CLOEXEC), .to = -1 };
	int fd = eventfd(1, EFD_CLOEXEC);

	meddler.fd = eventfd(1, EFD_CLOEXEC);
	meddler.other = calloc(1, sizeof(*meddler.other));
	meddler.other->epdata.event = EPOLLIN;
	event.epdata.cb_fun = free_other;
	event.epdata.cb_arg = &meddler;
	assert_int_equal(rte_epoll_ctl(meddler.from, EPOLL_CTL_ADD, fd, &event), 0);
	assert_int_equal(rte_epoll_ctl(meddler.from, EPOLL_CTL_ADD, meddler.fd, meddler.other), 0);
	assert_int_equal(rte_epoll_wait(meddler.from, out, 2, LONG_MS), 1);
	assert_int_equal(out[0].fd, fd);
	assert_null(meddler.other);
	rte_epoll_ctl(meddler.from, EPOLL_CTL_DEL, fd, &event);
	close(meddler.fd);
	close(meddler.from);
	close(fd);
}

static void
move_other(int fd, void *arg)
{
	struct meddler *meddler = arg;

	rte_epoll_ctl(meddler->from, EPOLL_CTL_DEL, meddler->fd, meddler->other);
	rte_epoll_ctl(meddler->to, EPOLL_CTL_ADD, meddler->fd, meddler->other);
}

static void
test_event_that_a_callback_moves_is_told_where_it_is(void **state)
{
	struct rte_epoll_event event = { .epdata = { .event = EPOLLIN } }, other = event, out[2];
	struct meddler meddler = { .other = &other };
	int fd = eventfd(1, EFD_CLOEXEC);

	meddler.from = epoll_create1(EPOLL_CLOEXEC);
	meddler.to = epoll_create1(EPOLL_CLOEXEC);
	meddler.fd = eventfd(1, EFD_CLOEXEC);
	event.epdata.cb_fun = move_other;
	event.epdata.cb_arg = &meddler;
	other.epdata.cb_fun = read_counter;
	assert_int_equal(rte_epoll_ctl(meddler.from, EPOLL_CTL_ADD, fd, &event), 0);
	assert_int_equal(rte_epoll_ctl(meddler.from, EPOLL_CTL_ADD, meddler.fd, &other), 0);
	assert_int_equal(rte_epoll_wait(meddler.from, out, 2, LONG_MS), 1);
	assert_int_equal(rte_epoll_wait(meddler.to, out, 2, LONG_MS), 1);
	assert_int_equal(out[0].fd, meddler.fd);
	assert_int_equal(rte_epoll_wait(meddler.to, out, 2, 0), 0);
	rte_epoll_ctl(meddler.from, EPOLL_CTL_DEL, fd, &event);
	rte_epoll_ctl(meddler.to, EPOLL_CTL_DEL, meddler.fd, &other);
	close(meddler.fd);
	close(meddler.from);
	close(meddler.to);
	close(fd);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_event_during_its_callback_is_told_afterwards),
	cmocka_unit_test(test_thread_with_nothing_to_hand_out_goes_on_waiting),
	cmocka_unit_test(test_threads_that_wait_on_one_set_lose_no_event),
	cmocka_unit_test(test_callback_may_delete_and_free_another_event),
	cmocka_unit_test(test_event_that_a_callback_moves_is_told_where_it_is),
};

TEST_SUITE(epoll_shared, "functional", tests, NULL, NULL)
