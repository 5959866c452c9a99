/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_DMA_MSG_H
#define VU_DMA_MSG_H

/**
 * @file
 * DMA by messages: DMA_READ and DMA_WRITE towards the client. Any thread may ask for it; the one
 * that serves the session sends and receives. Protocol reference 5.10, 6.3.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "vu_pending.h"
#include "vu_rx.h"

struct vu_session;
struct vu_dma_job;

TAILQ_HEAD(vu_dma_job_list, vu_dma_job);

/** The jobs of a session. */
struct vu_dma_jobs {
	pthread_mutex_t lock;
	struct vu_dma_job_list list;	/**< all that are not finished */
	atomic_uint nb;	/**< of them */
	atomic_uint nb_waiting;	/**< of them: a message is to be sent */
	struct vu_pending pending;
	uint32_t nb_late;	/**< messages whose reply nobody waits for any more */
	atomic_uint nb_due;	/**< messages that were sent and have no reply yet, late ones too */
};

void vu_dma_jobs_init(struct vu_dma_jobs *jobs);
void vu_dma_jobs_fini(struct vu_dma_jobs *jobs);

/**
 * Copy from or to client memory that is not mapped here, and wait for it.
 *
 * @return as rte_vfio_user_dma_read()
 */
int vu_dma_msg_copy(struct vu_session *s, uint64_t addr, void *buf, uint64_t len, bool write);

/** Send what waits. In the thread that serves; so below. */
void vu_dma_msg_send(struct vu_session *s);

/** A reply has come. @return 0, or -EPROTO: there is nothing that it could be a reply to */
int vu_dma_msg_reply(struct vu_session *s, const struct vu_rx_msg *msg);

/** Memory is no longer mapped: jobs that need it fail. [addr, last] */
void vu_dma_msg_unmapped(struct vu_session *s, uint64_t addr, uint64_t last);

/** The client is gone: all jobs fail. */
void vu_dma_msg_abort(struct vu_session *s);

/** The session is closing: other threads no longer wait. Any thread. */
void vu_dma_msg_close(struct vu_session *s);

#endif /* VU_DMA_MSG_H */
