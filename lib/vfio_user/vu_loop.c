/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <signal.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include "vu_epoch.h"
#include "vu_log.h"
#include "vu_loop.h"
#include "vu_turn.h"

#define EVENTS_MAX 64

/* How long a session that found no free descriptor waits before it accepts again. */
#define PAUSE_MS 100

/* A session that another thread wants to see ended. */
struct loop_removal {
	struct vu_session *s;
	bool done;
	TAILQ_ENTRY(loop_removal) next;
};

static struct vu_loop {
	pthread_mutex_t start_lock;	/* of what starts and stops the thread */
	unsigned int users;	/* sessions */
	pthread_t thread;
	atomic_bool stop;	/* the thread is to end */

	pthread_mutex_t lock;	/* of what follows, up to the blank line */
	pthread_cond_t removed;
	TAILQ_HEAD(, vu_session) attending;
	TAILQ_HEAD(, loop_removal) removals;
	atomic_uint nb_removals;	/* read without the lock */

	alignas(64) int epfd;
	int kick_fd;
	unsigned int nb_backlog;	/* the thread's own, as the rest */
	TAILQ_HEAD(, vu_session) backlog;
	TAILQ_HEAD(vu_paused, vu_session) paused;
	uint64_t resume_ms;	/* when the paused ones try again */
} loop = {
	.start_lock = PTHREAD_MUTEX_INITIALIZER,
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.removed = PTHREAD_COND_INITIALIZER,
	.attending = TAILQ_HEAD_INITIALIZER(loop.attending),
	.removals = TAILQ_HEAD_INITIALIZER(loop.removals),
	.backlog = TAILQ_HEAD_INITIALIZER(loop.backlog),
	.paused = TAILQ_HEAD_INITIALIZER(loop.paused),
};

static _Thread_local bool loop_self;

bool
vu_loop_inside(void)
{
	return loop_self;
}

static void
loop_kick(void)
{
	const uint64_t one = 1;

	while (write(loop.kick_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void
vu_loop_attend(struct vu_session *s)
{
	if (atomic_exchange(&s->attention, true))
		return;
	pthread_mutex_lock(&loop.lock);
	TAILQ_INSERT_TAIL(&loop.attending, s, attending);
	pthread_mutex_unlock(&loop.lock);
	loop_kick();
}

/* ---- serving ---- */

static void
backlog_insert(struct vu_session *s)
{
	TAILQ_INSERT_TAIL(&loop.backlog, s, backlog);
	loop.nb_backlog++;
	s->queued = true;
}

static void
backlog_remove(struct vu_session *s)
{
	TAILQ_REMOVE(&loop.backlog, s, backlog);
	loop.nb_backlog--;
	s->queued = false;
}

static inline void
loop_serve(struct vu_session *s)
{
	vu_session_turn(s);
	if (unlikely(!s->calm) && !s->queued && vu_session_has_work(s))
		backlog_insert(s);
}

/*
 * All that is told is noted before anything is served: it is told once, and a callback that waits
 * serves the others from the list.
 */
static void
loop_queue(struct vu_session *s)
{
	if (!s->queued)
		backlog_insert(s);
}

/* Those with work left have their turn, each once. */
static void
loop_serve_backlog(void)
{
	unsigned int nb = loop.nb_backlog;
	struct vu_session *s;

	while (nb-- > 0 && (s = TAILQ_FIRST(&loop.backlog)) != NULL) {
		backlog_remove(s);
		loop_serve(s);
	}
}

static struct vu_session *
loop_attending_pop(void)
{
	struct vu_session *s;

	pthread_mutex_lock(&loop.lock);
	s = TAILQ_FIRST(&loop.attending);
	if (s != NULL) {
		TAILQ_REMOVE(&loop.attending, s, attending);
		/* what the others did before they wanted it is seen from here on */
		atomic_exchange(&s->attention, false);
	}
	pthread_mutex_unlock(&loop.lock);
	return s;
}

static void
loop_queue_attending(void)
{
	struct vu_session *s;

	while ((s = loop_attending_pop()) != NULL) {
		vu_session_stir(s);
		loop_queue(s);
	}
}

/* The session is in none of the lists any more. */
static void
loop_forget(struct vu_session *s)
{
	if (s->queued)
		backlog_remove(s);
	if (s->paused)
		TAILQ_REMOVE(&loop.paused, s, waiting);
	s->paused = false;
	pthread_mutex_lock(&loop.lock);
	if (atomic_exchange(&s->attention, true))
		TAILQ_REMOVE(&loop.attending, s, attending);
	pthread_mutex_unlock(&loop.lock);
}

static void
loop_end_session(struct vu_session *s)
{
	vu_session_end(s);
	loop_forget(s);
}

/* The first one that can end: no callback of it is under way further up. */
static struct loop_removal *
loop_removal_take(void)
{
	struct loop_removal *removal;

	pthread_mutex_lock(&loop.lock);
	TAILQ_FOREACH(removal, &loop.removals, next)
		if (removal->s->depth == 0)
			break;
	if (removal != NULL) {
		TAILQ_REMOVE(&loop.removals, removal, next);
		atomic_fetch_sub(&loop.nb_removals, 1);
	}
	pthread_mutex_unlock(&loop.lock);
	return removal;
}

static __rte_noinline void
loop_serve_removals(void)
{
	struct loop_removal *removal;

	while ((removal = loop_removal_take()) != NULL) {
		loop_end_session(removal->s);
		pthread_mutex_lock(&loop.lock);
		removal->done = true;
		pthread_cond_broadcast(&loop.removed);
		pthread_mutex_unlock(&loop.lock);
	}
}

static void
loop_kicked(void)
{
	uint64_t count;

	if (read(loop.kick_fd, &count, sizeof(count)) < 0)
		return;
	loop_queue_attending();
}

void
vu_loop_pause(struct vu_session *s)
{
	if (TAILQ_EMPTY(&loop.paused))
		loop.resume_ms = vu_now_ms() + PAUSE_MS;
	TAILQ_INSERT_TAIL(&loop.paused, s, waiting);
}

/* Others may be busy all the time, so this goes by the clock; one that fails again waits again. */
static __rte_noinline void
loop_resume_paused(void)
{
	struct vu_paused due = TAILQ_HEAD_INITIALIZER(due);
	struct vu_session *s;

	if (vu_now_ms() < loop.resume_ms)
		return;
	TAILQ_CONCAT(&due, &loop.paused, waiting);
	while ((s = TAILQ_FIRST(&due)) != NULL) {
		TAILQ_REMOVE(&due, s, waiting);
		vu_session_resume(s);
	}
}

/* Events of a connection come once: the session has them until it has received all. */
static void
loop_note_event(struct vu_session *s, const struct epoll_event *event)
{
	enum vu_watch watch = event->data.u64 & 3;

	if (watch == VU_WATCH_LISTEN)
		vu_session_heard(s);
	if (watch == VU_WATCH_TWIN)
		s->twin_ready = true;
	if (watch == VU_WATCH_CONN)
		s->rx_more = true;
	if (watch == VU_WATCH_CONN && event->events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		s->rx_hup = true;
	vu_session_stir(s);
}

/* Nothing but that a calm session has something to receive, which it does anyway. */
static inline bool
loop_event_is_plain(const struct vu_session *s, const struct epoll_event *event)
{
	return s->calm && (event->data.u64 & 3) == VU_WATCH_CONN && event->events == EPOLLIN;
}

/* The session that an event is about. NULL: it has ended, or its connection */
static inline struct vu_session *
loop_event_session(const struct epoll_event *event)
{
	struct vu_session *s = vu_session_find((int)((uint32_t)event->data.u64 >> 2));

	return likely(s != NULL && s->serial == event->data.u64 >> 32) ? s : NULL;
}

static void
loop_event(const struct epoll_event *event)
{
	struct vu_session *s;

	if ((event->data.u64 & 3) == VU_WATCH_KICK) {
		loop_kicked();
		return;
	}
	s = loop_event_session(event);
	if (s == NULL)
		return;
	/* until its turn something may come up that keeps it from receiving then */
	if (loop_event_is_plain(s, event))
		s->rx_more = true;
	else
		loop_note_event(s, event);
	loop_queue(s);
}

static __rte_noinline void
loop_events(const struct epoll_event *events, int nb)
{
	int i;

	for (i = 0; i < nb; i++)
		loop_event(&events[i]);
	loop_serve_backlog();
}

/* Nobody waits for his turn: a session that is just sent something has it at once. */
static inline bool
loop_plain_event(const struct epoll_event *event)
{
	struct vu_session *s = loop_event_session(event);

	if (unlikely(s == NULL || !loop_event_is_plain(s, event)))
		return false;
	loop_serve(s);
	return true;
}

static int
loop_pause_left(void)
{
	uint64_t now = vu_now_ms();

	return now < loop.resume_ms ? (int)(loop.resume_ms - now) : 0;
}

static int
loop_timeout(int timeout_ms)
{
	if (!TAILQ_EMPTY(&loop.backlog))
		return 0;
	if (!TAILQ_EMPTY(&loop.paused) && (timeout_ms < 0 || timeout_ms > PAUSE_MS))
		return loop_pause_left();
	return timeout_ms;
}

void
vu_loop_turn(int timeout_ms)
{
	struct epoll_event events[EVENTS_MAX];
	int n;

	n = epoll_wait(loop.epfd, events, EVENTS_MAX, loop_timeout(timeout_ms));
	if (unlikely(n != 1 || loop.nb_backlog > 0 || !loop_plain_event(&events[0])))
		loop_events(events, n);
	if (unlikely(!TAILQ_EMPTY(&loop.paused)))
		loop_resume_paused();
	if (unlikely(atomic_load(&loop.nb_removals) > 0))
		loop_serve_removals();
}

/*
 * Nobody may cancel our thread. With both of these the C library has nothing to note around each
 * call that waits, which costs two locked operations otherwise.
 */
static void
loop_refuse_cancel(void)
{
	int old;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
}

static void *
loop_main(void *arg)
{
	(void)arg;
	loop_refuse_cancel();
	loop_self = true;
	while (!atomic_load_explicit(&loop.stop, memory_order_acquire))
		vu_loop_turn(-1);
	loop_self = false;
	return NULL;
}

/* ---- start and stop ---- */

static int
loop_open(void)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = VU_WATCH_KICK };
	int rc;

	loop.epfd = epoll_create1(EPOLL_CLOEXEC);
	if (loop.epfd < 0)
		return -errno;
	loop.kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (loop.kick_fd < 0)
		goto err_close;
	if (epoll_ctl(loop.epfd, EPOLL_CTL_ADD, loop.kick_fd, &event) == 0)
		return 0;
	rc = -errno;
	close(loop.kick_fd);
	close(loop.epfd);
	return rc;

err_close:
	rc = -errno;
	close(loop.epfd);
	return rc;
}

/* Signals are the application's: none is handled in our thread but those that a fault raises. */
static int
loop_thread_start(void)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&loop.thread, NULL, loop_main, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err == 0)
		pthread_setname_np(loop.thread, "vfio-user");
	return -err;
}

static int
loop_start(void)
{
	int rc;

	rc = loop_open();
	if (rc < 0)
		return rc;
	atomic_store(&loop.stop, false);
	rc = loop_thread_start();
	if (rc < 0) {
		close(loop.kick_fd);
		close(loop.epfd);
	}
	return rc;
}

/* Nobody is served any more, so no callback is under way that could want the lock. */
static void
loop_stop(void)
{
	atomic_store(&loop.stop, true);
	loop_kick();
	pthread_join(loop.thread, NULL);
	close(loop.kick_fd);
	close(loop.epfd);
}

static void
loop_put(void)
{
	pthread_mutex_lock(&loop.start_lock);
	if (--loop.users == 0)
		loop_stop();
	pthread_mutex_unlock(&loop.start_lock);
}

static int
loop_get(void)
{
	int rc = 0;

	pthread_mutex_lock(&loop.start_lock);
	if (loop.users == 0)
		rc = loop_start();
	if (rc == 0)
		loop.users++;
	pthread_mutex_unlock(&loop.start_lock);
	return rc;
}

int
vu_loop_add(struct vu_session *s)
{
	int rc;

	rc = loop_get();
	if (rc < 0)
		return rc;
	s->epfd = loop.epfd;
	rc = vu_session_begin(s);
	if (rc < 0)
		loop_put();
	return rc;
}

static void
loop_remove_wait(struct vu_session *s)
{
	struct loop_removal removal = { .s = s };

	pthread_mutex_lock(&loop.lock);
	TAILQ_INSERT_TAIL(&loop.removals, &removal, next);
	atomic_fetch_add(&loop.nb_removals, 1);
	pthread_mutex_unlock(&loop.lock);
	loop_kick();
	pthread_mutex_lock(&loop.lock);
	while (!removal.done)
		pthread_cond_wait(&loop.removed, &loop.lock);
	pthread_mutex_unlock(&loop.lock);
}

void
vu_loop_remove(struct vu_session *s)
{
	if (loop_self)
		loop_end_session(s);
	else
		loop_remove_wait(s);
	loop_put();
}
