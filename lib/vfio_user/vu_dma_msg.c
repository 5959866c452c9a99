/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>

#include "vu_dma_msg.h"
#include "vu_epoch.h"
#include "vu_log.h"
#include "vu_session.h"

/* A callback that waits looks at least so often whether it should give up. */
#define WAIT_SLICE_MS 100

/* A copy under way; on the stack of the thread that wants it. All under jobs.lock. */
struct vu_dma_job {
	TAILQ_ENTRY(vu_dma_job) next;
	bool write;
	bool waiting;	/* its next message is to be sent */
	bool finished;
	int rc;
	int id;	/* of the message that is under way; -1: none */
	uint8_t *buf;
	uint64_t left;	/* bytes */
	struct vu_dma_access access;	/* of the message */
	uint64_t deadline;	/* ms */
	pthread_cond_t cond;
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
vu_dma_jobs_init(struct vu_dma_jobs *jobs)
{
	pthread_mutex_init(&jobs->lock, NULL);
	TAILQ_INIT(&jobs->list);
}

void
vu_dma_jobs_fini(struct vu_dma_jobs *jobs)
{
	pthread_mutex_destroy(&jobs->lock);
}

/* ---- jobs, under the lock ---- */

static void
job_set_waiting(struct vu_dma_jobs *jobs, struct vu_dma_job *job, bool waiting)
{
	if (job->waiting == waiting)
		return;
	job->waiting = waiting;
	if (waiting)
		atomic_fetch_add(&jobs->nb_waiting, 1);
	else
		atomic_fetch_sub(&jobs->nb_waiting, 1);
}

/* The job is over; from the unlock on it may be gone. */
static void
job_finish(struct vu_dma_jobs *jobs, struct vu_dma_job *job, int rc)
{
	job_set_waiting(jobs, job, false);
	if (job->id >= 0 && vu_pending_cancel(&jobs->pending, (uint16_t)job->id))
		jobs->nb_late++;
	job->id = -1;
	TAILQ_REMOVE(&jobs->list, job, next);
	atomic_fetch_sub(&jobs->nb, 1);
	job->rc = rc;
	job->finished = true;
	pthread_cond_signal(&job->cond);
}

/* Neither more than the client takes, nor more than we have room for. */
static uint64_t
job_next_count(const struct vu_session *s, const struct vu_dma_job *job)
{
	return RTE_MIN(job->left,
		RTE_MIN(s->peer.max_data_xfer_size, s->opt.max_data_xfer_size));
}

static struct vu_conn *
job_conn(struct vu_session *s)
{
	return s->twin.sock >= 0 ? &s->twin : &s->conn;
}

static int
job_send(struct vu_session *s, struct vu_dma_job *job)
{
	struct vu_hdr hdr = { .cmd = job->write ? VU_DMA_WRITE : VU_DMA_READ };
	struct iovec iov[2];
	int rc;

	job->id = vu_pending_add(&s->jobs.pending, hdr.cmd, job);
	if (job->id < 0)
		return job->id;
	job->access.count = job_next_count(s, job);
	iov[0].iov_base = &job->access;
	iov[0].iov_len = sizeof(job->access);
	iov[1].iov_base = job->buf;
	iov[1].iov_len = (size_t)job->access.count;
	hdr.id = (uint16_t)job->id;
	job->deadline = now_ms() + s->opt.request_timeout_ms;
	rc = vu_conn_send(job_conn(s), &hdr, iov, job->write ? 2 : 1, NULL, 0);
	if (rc >= 0)
		atomic_fetch_add(&s->jobs.nb_due, 1);
	return rc;
}

/* Returns false if the socket takes no more now. */
static bool
job_advance(struct vu_session *s, struct vu_dma_job *job)
{
	int rc;

	if (vu_conn_blocked(job_conn(s)) || s->jobs.pending.nb == VU_PENDING_MAX)
		return false;
	job_set_waiting(&s->jobs, job, false);
	rc = job_send(s, job);
	if (rc < 0)
		job_finish(&s->jobs, job, rc);
	return true;
}

void
vu_dma_msg_send(struct vu_session *s)
{
	struct vu_dma_job *job, *next;

	if (atomic_load(&s->jobs.nb_waiting) == 0)
		return;
	pthread_mutex_lock(&s->jobs.lock);
	for (job = TAILQ_FIRST(&s->jobs.list); job != NULL; job = next) {
		next = TAILQ_NEXT(job, next);
		if (job->waiting && !job_advance(s, job))
			break;
	}
	pthread_mutex_unlock(&s->jobs.lock);
}

static bool
job_needs(const struct vu_dma_job *job, uint64_t addr, uint64_t last)
{
	return job->access.addr <= last && job->access.addr + (job->left - 1) >= addr;
}

/* What was asked before the end of the memory may be answered behind it, and is late then. */
void
vu_dma_msg_unmapped(struct vu_session *s, uint64_t addr, uint64_t last)
{
	struct vu_dma_job *job, *next;

	if (atomic_load(&s->jobs.nb) == 0)
		return;
	pthread_mutex_lock(&s->jobs.lock);
	for (job = TAILQ_FIRST(&s->jobs.list); job != NULL; job = next) {
		next = TAILQ_NEXT(job, next);
		if (job_needs(job, addr, last))
			job_finish(&s->jobs, job, -EFAULT);
	}
	pthread_mutex_unlock(&s->jobs.lock);
}

void
vu_dma_msg_close(struct vu_session *s)
{
	struct vu_dma_job *job;

	pthread_mutex_lock(&s->jobs.lock);
	TAILQ_FOREACH(job, &s->jobs.list, next)
		pthread_cond_signal(&job->cond);
	pthread_mutex_unlock(&s->jobs.lock);
}

void
vu_dma_msg_abort(struct vu_session *s)
{
	struct vu_dma_job *job;

	pthread_mutex_lock(&s->jobs.lock);
	while ((job = TAILQ_FIRST(&s->jobs.list)) != NULL)
		job_finish(&s->jobs, job, -ENODEV);
	s->jobs.nb_late = 0;
	atomic_store(&s->jobs.nb_due, 0);
	pthread_mutex_unlock(&s->jobs.lock);
}

/* ---- replies ---- */

/* An errno that a peer sent; what can be none is -EIO. */
static int
peer_error(uint32_t error)
{
	return error > 0 && error < 4096 ? -(int)error : -EIO;
}

static int
reply_read(struct vu_dma_job *job, const struct vu_rx_msg *msg)
{
	int rc;

	if (msg->hdr.flags & VU_F_ERROR)
		return peer_error(msg->hdr.error);
	rc = vu_dma_reply_check(msg->hdr.cmd, &job->access, msg->payload, msg->len);
	if (rc < 0)
		return rc;
	if (!job->write)
		memcpy(job->buf, msg->payload + sizeof(job->access), (size_t)job->access.count);
	return 0;
}

static void
job_reply(struct vu_session *s, struct vu_dma_job *job, const struct vu_rx_msg *msg)
{
	int rc = reply_read(job, msg);

	job->id = -1;
	if (rc < 0) {
		job_finish(&s->jobs, job, rc);
		return;
	}
	job->buf += job->access.count;
	job->access.addr += job->access.count;
	job->left -= job->access.count;
	if (job->left == 0)
		job_finish(&s->jobs, job, 0);
	else
		job_set_waiting(&s->jobs, job, true);
}

/* A reply that comes when nobody waits for it any more is dropped; one to nothing is a lie. */
static int
reply_is_late(struct vu_dma_jobs *jobs)
{
	if (jobs->nb_late == 0)
		return -EPROTO;
	jobs->nb_late--;
	return 0;
}

int
vu_dma_msg_reply(struct vu_session *s, const struct vu_rx_msg *msg)
{
	struct vu_dma_job *job;
	int rc = 0;

	pthread_mutex_lock(&s->jobs.lock);
	job = vu_pending_take(&s->jobs.pending, &msg->hdr);
	if (job != NULL)
		job_reply(s, job, msg);
	else
		rc = reply_is_late(&s->jobs);
	if (rc == 0 && atomic_load(&s->jobs.nb_due) > 0)
		atomic_fetch_sub(&s->jobs.nb_due, 1);
	pthread_mutex_unlock(&s->jobs.lock);
	if (rc == 0)
		vu_dma_msg_send(s);
	return rc;
}

void
vu_session_serve_twin(struct vu_session *s)
{
	struct vu_rx_msg msg;
	int rc;

	s->twin_ready = false;
	rc = vu_conn_fill(&s->twin);
	if (rc == -EAGAIN)
		return;
	if (rc < 0) {
		vu_session_doom(s, rc);
		return;
	}
	while (s->doomed == 0 && (rc = vu_rx_next(&s->twin.rx, &msg)) == 1)
		if (!vu_hdr_is_reply(&msg.hdr) || vu_dma_msg_reply(s, &msg) < 0)
			vu_session_doom(s, -EPROTO);
	if (rc < 0)
		vu_session_doom(s, rc);
}

/* ---- whoever wants memory ---- */

static bool
job_expired(struct vu_dma_job *job, int *left_ms)
{
	uint64_t now = now_ms();

	*left_ms = now < job->deadline ? (int)RTE_MIN(job->deadline - now, 1u << 20) : 0;
	return *left_ms == 0;
}

/* In the thread that serves: serve on until the reply is there. */
static void
job_wait_serving(struct vu_session *s, struct vu_dma_job *job)
{
	int left_ms;

	while (!job->finished && s->doomed == 0 && !job_expired(job, &left_ms) &&
			!atomic_load(&s->closing))
		vu_session_wait(s, RTE_MIN(left_ms, WAIT_SLICE_MS));
	pthread_mutex_lock(&s->jobs.lock);
	if (!job->finished)
		job_finish(&s->jobs, job, s->doomed != 0 || atomic_load(&s->closing) ?
			-ENODEV : -ETIMEDOUT);
	pthread_mutex_unlock(&s->jobs.lock);
}

static struct timespec
timespec_of_ms(uint64_t ms)
{
	return (struct timespec) {
		.tv_sec = (time_t)(ms / 1000),
		.tv_nsec = (long)(ms % 1000) * 1000000,
	};
}

/* In another thread: the one that serves does it. */
static void
job_wait_other(struct vu_session *s, struct vu_dma_job *job)
{
	struct timespec until;
	int left_ms;

	vu_session_attend(s);
	pthread_mutex_lock(&s->jobs.lock);
	while (!job->finished) {
		if (atomic_load(&s->closing) || job_expired(job, &left_ms)) {
			job_finish(&s->jobs, job, atomic_load(&s->closing) ? -ENODEV :
				-ETIMEDOUT);
			break;
		}
		/* each message moves the deadline */
		until = timespec_of_ms(job->deadline);
		pthread_cond_clockwait(&job->cond, &s->jobs.lock, CLOCK_MONOTONIC, &until);
	}
	pthread_mutex_unlock(&s->jobs.lock);
}

/* Is it still there? Whoever takes it away from now on sees the job. */
static bool
job_is_mapped(const struct vu_session *s, const struct vu_dma_job *job)
{
	bool mapped;

	if (vu_epoch_enter() < 0)
		return false;
	mapped = vu_dma_find(&s->dma, job->access.addr) != NULL;
	vu_epoch_leave();
	return mapped;
}

static void
job_start(struct vu_session *s, struct vu_dma_job *job)
{
	job->deadline = now_ms() + s->opt.request_timeout_ms;
	pthread_mutex_lock(&s->jobs.lock);
	TAILQ_INSERT_TAIL(&s->jobs.list, job, next);
	atomic_fetch_add(&s->jobs.nb, 1);
	job_set_waiting(&s->jobs, job, true);
	if (!atomic_load(&s->ready))
		job_finish(&s->jobs, job, -ENODEV);
	else if (!job_is_mapped(s, job))
		job_finish(&s->jobs, job, -EFAULT);
	pthread_mutex_unlock(&s->jobs.lock);
}

/*
 * QEMU handles commands where it also waits for replies: while it waits for one it answers
 * nothing, and gives up after some seconds. It is known by what it says of itself: it writes
 * several registers at a time, and has no socket for commands. Posted writes are free of this.
 */
static bool
client_cannot_answer(const struct vu_session *s)
{
	return s->current != NULL && !(s->current->flags & VU_F_NO_REPLY) &&
		!s->peer.twin_socket && s->peer.write_multiple;
}

int
vu_dma_msg_copy(struct vu_session *s, uint64_t addr, void *buf, uint64_t len, bool write)
{
	struct vu_dma_job job = {
		.write = write,
		.id = -1,
		.buf = buf,
		.left = len,
		.access.addr = addr,
	};
	bool serving = vu_session_serving(s);

	/* in a section the thread that serves may be waiting for us */
	if (vu_epoch_inside() || (serving && client_cannot_answer(s)))
		return -EDEADLK;
	pthread_cond_init(&job.cond, NULL);
	job_start(s, &job);
	if (serving) {
		vu_dma_msg_send(s);
		/* what is collected goes out, and what epoll has told of already is received */
		vu_session_receive(s);
		job_wait_serving(s, &job);
		if (vu_session_has_work(s) || s->doomed != 0)
			vu_session_attend(s);
	} else {
		job_wait_other(s, &job);
	}
	pthread_cond_destroy(&job.cond);
	return job.rc;
}
