/* SPDX-License-Identifier: BSD-3-Clause */

#include "interpose_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "fake_clock.h"

#define SECOND INT64_C(1000000000)

/* By so much the clock is set ahead: what is later than that was read from it. */
#define AHEAD (100 * 24 * 3600 * SECOND)

#define FDS_MAX 1024

/* Nanoseconds: since a moment of the real clock, which this one showed otherwise, it runs so. */
static struct {
	int64_t real, shown;
	int64_t speed;
} pace;

static atomic_bool set;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* of the pace and the timers */
static int64_t timers[FDS_MAX];	/* when they are due by this clock; 0: not set by it */

static int64_t
real_now(void)
{
	struct timespec ts;

	REAL(clock_gettime)(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * SECOND + ts.tv_nsec;
}

static struct timespec
timespec_of(int64_t ns)
{
	return (struct timespec){ .tv_sec = ns / SECOND, .tv_nsec = ns % SECOND };
}

/* ---- under the lock ---- */

static int64_t
shown_now(void)
{
	return pace.shown + (real_now() - pace.real) * pace.speed;
}

static int
timer_set(int fd, int64_t due)
{
	int64_t left = due - pace.shown;
	struct itimerspec when = {
		.it_value = timespec_of(pace.real + (left > 0 ? left / pace.speed : 0)),
	};

	return (int)syscall(SYS_timerfd_settime, fd, TFD_TIMER_ABSTIME, &when, NULL);
}

/* ---- what is called ---- */

void
fake_clock_set_speed(unsigned int speed)
{
	int64_t now;
	int fd;

	pthread_mutex_lock(&lock);
	now = atomic_load(&set) ? shown_now() : real_now() + AHEAD;
	pace.real = real_now();
	pace.shown = now;
	pace.speed = speed;
	atomic_store(&set, true);
	for (fd = 0; fd < FDS_MAX; fd++)
		if (timers[fd] != 0)
			timer_set(fd, timers[fd]);
	pthread_mutex_unlock(&lock);
}

int
clock_gettime(clockid_t clock, struct timespec *ts)
{
	if (clock != CLOCK_MONOTONIC_COARSE || !atomic_load(&set))
		return REAL(clock_gettime)(clock, ts);
	pthread_mutex_lock(&lock);
	*ts = timespec_of(shown_now());
	pthread_mutex_unlock(&lock);
	return 0;
}

int
timerfd_settime(int fd, int flags, const struct itimerspec *when, struct itimerspec *old)
{
	int64_t due = when->it_value.tv_sec * SECOND + when->it_value.tv_nsec;
	int rc;

	if (!atomic_load(&set) || fd < 0 || fd >= FDS_MAX)
		return REAL(timerfd_settime)(fd, flags, when, old);
	pthread_mutex_lock(&lock);
	timers[fd] = due >= AHEAD ? due : 0;
	rc = timers[fd] != 0 ? timer_set(fd, due) : REAL(timerfd_settime)(fd, flags, when, old);
	pthread_mutex_unlock(&lock);
	return rc;
}
