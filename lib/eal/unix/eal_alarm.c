/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_alarm.h>
#include <rte_errno.h>
#include <rte_interrupts.h>

#include "eal_alarm.h"
#include "eal_log.h"

#define ANY_ARG ((void *)-1)
#define NS_PER_S INT64_C(1000000000)
#define NS_PER_US INT64_C(1000)

struct alarm {
	LIST_ENTRY(alarm) next;
	int64_t due;		/* CLOCK_MONOTONIC, nanoseconds */
	rte_eal_alarm_callback fn;
	void *arg;
};

static LIST_HEAD(, alarm) alarms = LIST_HEAD_INITIALIZER(alarms);	/* the next one first */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t alarm_over = PTHREAD_COND_INITIALIZER;
static struct alarm *running;	/* its callback is, without the lock */
static struct rte_intr_handle *timer;
static int timer_fd = -1;

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* With the lock held. A time that has passed makes the timer come at once, 0 stops it. */
static void
timer_arm(void)
{
	const struct alarm *first = LIST_FIRST(&alarms);
	struct itimerspec when = { .it_interval = { 0 } };

	if (timer_fd < 0)
		return;
	if (first != NULL) {
		when.it_value.tv_sec = first->due / NS_PER_S;
		when.it_value.tv_nsec = first->due % NS_PER_S;
	}
	if (timerfd_settime(timer_fd, TFD_TIMER_ABSTIME, &when, NULL) < 0)
		EAL_LOG(ERR, "Cannot set the alarm timer: errno %d", errno);
}

/* Those of the same time stay in order. */
static void
alarm_insert(struct alarm *alarm)
{
	struct alarm *at = LIST_FIRST(&alarms);

	if (at == NULL || alarm->due < at->due) {
		LIST_INSERT_HEAD(&alarms, alarm, next);
		return;
	}
	while (LIST_NEXT(at, next) != NULL && LIST_NEXT(at, next)->due <= alarm->due)
		at = LIST_NEXT(at, next);
	LIST_INSERT_AFTER(at, alarm, next);
}

static bool
time_is_wrong(uint64_t us, int64_t now)
{
	return us == 0 || us > (uint64_t)(INT64_MAX - now) / NS_PER_US;
}

RTE_EXPORT_SYMBOL(rte_eal_alarm_set)
int
rte_eal_alarm_set(uint64_t us, rte_eal_alarm_callback cb, void *cb_arg)
{
	int64_t now = now_ns();
	struct alarm *alarm;

	if (cb == NULL || time_is_wrong(us, now))
		return -EINVAL;
	alarm = calloc(1, sizeof(*alarm));
	if (alarm == NULL)
		return -ENOMEM;
	alarm->due = now + (int64_t)us * NS_PER_US;
	alarm->fn = cb;
	alarm->arg = cb_arg;
	pthread_mutex_lock(&lock);
	alarm_insert(alarm);
	if (LIST_FIRST(&alarms) == alarm)
		timer_arm();
	pthread_mutex_unlock(&lock);
	return 0;
}

static bool
alarm_matches(const struct alarm *alarm, rte_eal_alarm_callback fn, const void *arg)
{
	return alarm != NULL && alarm->fn == fn && (arg == ANY_ARG || alarm->arg == arg);
}

static int
alarms_remove(rte_eal_alarm_callback fn, const void *arg)
{
	struct alarm *alarm, *after;
	int n = 0;

	for (alarm = LIST_FIRST(&alarms); alarm != NULL; alarm = after) {
		after = LIST_NEXT(alarm, next);
		if (!alarm_matches(alarm, fn, arg))
			continue;
		LIST_REMOVE(alarm, next);
		free(alarm);
		n++;
	}
	return n;
}

/* A callback that is waited for may set its alarm again meanwhile. */
static int
alarms_cancel(rte_eal_alarm_callback fn, const void *arg)
{
	int n = alarms_remove(fn, arg);

	while (alarm_matches(running, fn, arg) && !rte_thread_is_intr()) {
		pthread_cond_wait(&alarm_over, &lock);
		n += alarms_remove(fn, arg);
	}
	timer_arm();
	return n;
}

RTE_EXPORT_SYMBOL(rte_eal_alarm_cancel)
int
rte_eal_alarm_cancel(rte_eal_alarm_callback cb_fn, void *cb_arg)
{
	bool mine;
	int n;

	if (cb_fn == NULL) {
		rte_errno = EINVAL;
		return -1;
	}
	pthread_mutex_lock(&lock);
	n = alarms_cancel(cb_fn, cb_arg);
	mine = alarm_matches(running, cb_fn, cb_arg);
	pthread_mutex_unlock(&lock);
	if (mine)
		rte_errno = EINPROGRESS;
	else if (n == 0)
		rte_errno = ENOENT;
	return n;
}

/* With the lock held, which the callback runs without. */
static void
alarm_run(struct alarm *alarm)
{
	LIST_REMOVE(alarm, next);
	running = alarm;
	pthread_mutex_unlock(&lock);
	alarm->fn(alarm->arg);
	pthread_mutex_lock(&lock);
	running = NULL;
	free(alarm);
	pthread_cond_broadcast(&alarm_over);
}

/* What callbacks set has its turn later, so that no chain of them holds up other interrupts. */
static void
alarms_run(void *arg)
{
	int64_t now = now_ns();
	struct alarm *alarm;

	pthread_mutex_lock(&lock);
	while ((alarm = LIST_FIRST(&alarms)) != NULL && alarm->due <= now)
		alarm_run(alarm);
	timer_arm();
	pthread_mutex_unlock(&lock);
}

static int
timer_make(void)
{
	timer = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (timer == NULL)
		return -ENOMEM;
	timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (timer_fd < 0)
		return -errno;
	rte_intr_fd_set(timer, timer_fd);
	rte_intr_type_set(timer, RTE_INTR_HANDLE_ALARM);
	return rte_intr_callback_register(timer, alarms_run, NULL);
}

static void
timer_free(void)
{
	if (timer_fd >= 0) {
		rte_intr_callback_unregister_sync(timer, alarms_run, NULL);
		pthread_mutex_lock(&lock);
		close(timer_fd);
		timer_fd = -1;
		pthread_mutex_unlock(&lock);
	}
	rte_intr_instance_free(timer);
	timer = NULL;
}

int
eal_alarm_init(void)
{
	int rc = timer_make();

	if (rc < 0) {
		timer_free();
		return rc;
	}
	pthread_mutex_lock(&lock);
	timer_arm();
	pthread_mutex_unlock(&lock);
	return 0;
}

void
eal_alarm_cleanup(void)
{
	struct alarm *alarm;

	timer_free();
	pthread_mutex_lock(&lock);
	while ((alarm = LIST_FIRST(&alarms)) != NULL) {
		LIST_REMOVE(alarm, next);
		free(alarm);
	}
	pthread_mutex_unlock(&lock);
}
