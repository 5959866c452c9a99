/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_CLIENT_H
#define VU_CLIENT_H

/**
 * @file
 * A client: a connection that any number of threads send requests over.
 *
 * A request has a slot, whose number is part of its id; the answer is brought to the slot by
 * whichever thread receives it. Two turns order the threads: one sends at a time, and one receives
 * at a time, for all. Who waits for an answer receives if nobody does, else sleeps until the
 * answer is there or the turn to receive is free. Nobody keeps a turn to send longer than
 * VU_CLIENT_SEND_MS: what a socket does not take by then is queued, and drained by who sent it.
 *
 * Whoever has the turn to receive also serves the commands of the server.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "rte_vfio_user.h"
#include "vu_codec.h"
#include "vu_conn.h"
#include "vu_turn.h"

/** Requests under way at a time; a power of two. */
#define VU_CLIENT_SLOTS 256u

/** Longest single wait in a send, and of those that have to look again, in milliseconds. */
#define VU_CLIENT_SEND_MS 10u
#define VU_CLIENT_WAIT_MS 50u

/** Largest transfer that we take, and what we say about ourselves otherwise. */
#define VU_CLIENT_MAX_XFER 1048576u
#define VU_CLIENT_MAX_FDS  64u

/** Longest payload that we take. */
#define VU_CLIENT_MAX_REPLY \
	(VU_CLIENT_MAX_XFER + VU_CONN_OVERHEAD - (uint32_t)sizeof(struct vu_hdr))

/**
 * Bytes of answers to the server that may wait for it to take them. It may ask for much at a time;
 * who waited for it here could wait for a server that waits for us.
 */
#define VU_CLIENT_ANSWERS_MAX (64u << 20)

/** Requests without an answer after which a server is given up. */
#define VU_CLIENT_LATE_MAX 1024u

/** A request, and where its answer goes. The caller's, and in use until it was waited for. */
struct vu_call {
	uint16_t cmd;
	uint16_t slot;	/**< set by vu_client_begin() */
	bool more;	/**< short, without descriptors, and others follow at once */
	bool brief;	/**< request and answer are short: see vu_client_brief.c */
	uint8_t nb;	/**< pieces of payload */
	uint8_t nb_fds;
	uint32_t cap;	/**< bytes at reply: a longer answer is an error */
	uint32_t data_len;	/**< exactly so many bytes at data */
	/** If brief: bytes of payload that the answer has if all is well, which proves its shape */
	uint32_t usual_len;
	uint32_t len;	/**< bytes of payload that came */
	const struct iovec *payload;	/**< used by vu_client_begin() only */
	/** If brief and not NULL: room for a header, and behind it the only piece of payload */
	struct vu_hdr *whole;
	const int *fds;	/**< stay the caller's; used by vu_client_begin() only */
	void *reply;	/**< room for the payload of the answer; undefined on error */
	/** Where data go that follow VU_RX_DEST_FIXED bytes in the answer; NULL: to reply, too */
	void *data;
	struct vu_fds *reply_fds;	/**< takes its descriptors; NULL: none may come */
};

/* Phases of a slot, in the low byte of its state; its id is in the upper half. */
#define VU_SLOT_FREE    0u
#define VU_SLOT_CLAIMED 1u	/**< being filled in */
#define VU_SLOT_WAITING 2u
#define VU_SLOT_TAKEN   3u	/**< its answer is here and being copied */
#define VU_SLOT_DONE    4u
#define VU_SLOT_PHASE   0x0fu
#define VU_SLOT_ASLEEP  0x80u	/**< who waits for it sleeps on the state */

struct vu_slot {
	_Atomic uint32_t state;
	int rc;	/**< when it is done */
	struct vu_call *call;
};

/** Memory of this process that the device reaches by messages. */
struct vu_host_range {
	uint64_t addr;	/**< IOVA */
	uint64_t size;	/**< bytes */
	uint8_t *host;
	int prot;
};

/** What whoever receives waits with. */
struct vu_client_watch {
	int epfd;
	int timer_fd;
	uint64_t timer_ms;	/**< by vu_now_ms(): its end; UINT64_MAX: it does not run */
	bool more;	/**< something may be in the socket that is not told again */
	bool hup;	/**< the server is leaving: read on to the end */
};

/** What vu_client_watch_wait() tells of. */
#define VU_CLIENT_CONN 1u
#define VU_CLIENT_TWIN 2u

struct vu_client {
	int dev_id;
	char name[108];	/**< path of the socket, for the log */
	uint32_t flags;	/**< RTE_VFIO_USER_ATTACH_F_* */
	uint32_t reset_timeout_ms;	/**< of a reset; UINT32_MAX: none */
	struct vu_version_info server;	/**< what it said about itself */
	atomic_bool by_messages;	/**< the device may reach memory by messages */
	_Atomic int event_fd;	/**< an epoll on what serving has to do; -1: not asked for */
	_Atomic uint32_t freed;	/**< counts slots that became free while nb_crowded */
	_Atomic uint32_t nb_maps;	/**< regions that are mapped */
	_Atomic uint64_t late[65536 / 64];	/**< ids whose time was over */
	_Atomic uint32_t nb_late;	/**< of them */
	/** Of the ranges, and of changes to what event_fd waits for; not held for long. */
	pthread_mutex_t host_lock;
	struct vu_host_range *ranges;	/**< sorted */
	uint32_t nb_ranges;
	struct vu_slot slots[VU_CLIENT_SLOTS];
	/* what each request needs stands together */
	uint32_t timeout_ms;	/**< of a request */
	uint32_t max_read;	/**< bytes of one request */
	uint32_t max_write;	/**< same */
	struct vu_turn tx;
	struct vu_turn rx;
	atomic_bool queued;	/**< the connection has something to send; changes with turn tx */
	atomic_bool twin_queued;	/**< the same of the second one; changes with turn rx */
	atomic_bool owes;	/**< part of an answer to the server may be among what is queued */
	atomic_bool broken;	/**< no request gets an answer any more */
	_Atomic uint32_t next_id;
	_Atomic uint32_t nb_asleep;	/**< threads that sleep until their answer is there */
	_Atomic uint32_t nb_crowded;	/**< threads that wait for a free slot */
	struct vu_client_watch watch;	/**< turn rx */
	struct vu_conn conn;	/**< sending half: turn tx; receiving half: turn rx */
	struct vu_conn twin;	/**< for commands of the server; turn rx; sock -1: none */
	atomic_bool moves;	/**< it is to get another id: who serves without end leaves */
	/* what follows belongs to turn rx */
	rte_vfio_user_dma_handler_t handler;
	void *handler_ctx;
	uint8_t *dma_buf;	/**< VU_CLIENT_MAX_XFER bytes, or NULL */
	unsigned int nb_served;	/**< commands of the server */
};

/* ---- vu_client.c: which clients there are ---- */

/** @return a client that stays until vu_client_put(), or NULL */
struct vu_client *vu_client_get(int dev_id);

void vu_client_put(struct vu_client *client);

/* ---- vu_client_open.c: connecting ---- */

/** @return 0, or -errno as rte_vfio_user_attach_dev_opt() */
int vu_client_open(const char *path, const struct rte_vfio_user_attach_options *opt,
	struct vu_client **out);

/** No other thread uses it. */
void vu_client_free(struct vu_client *client);

/* ---- vu_client_call.c: requests ---- */

/** When the time of a request that begins now is over. */
static inline uint64_t
vu_client_deadline(const struct vu_client *client)
{
	return vu_now_ms() + client->timeout_ms;
}

/**
 * Send a request.
 *
 * @return
 *   0: vu_client_wait() must follow; -EBUSY: VU_CLIENT_SLOTS are under way; other errors: it was
 *   not sent
 */
int vu_client_begin(struct vu_client *client, struct vu_call *call, uint64_t until_ms);

/** After -EBUSY: wait a little for another request to be done. */
void vu_client_crowded(struct vu_client *client, uint64_t until_ms);

/** Wait for the answer. @return 0, or -errno */
int vu_client_wait(struct vu_client *client, struct vu_call *call, uint64_t until_ms);

/** Send a request and wait for the answer. @return 0, or -errno */
int vu_client_call_until(struct vu_client *client, struct vu_call *call, uint64_t until_ms);

/** The same, with the time limit of a request. */
int vu_client_call(struct vu_client *client, struct vu_call *call);

/** Send a request that is not answered. @return 0, or -errno */
int vu_client_post(struct vu_client *client, struct vu_call *call);

/* ---- vu_client_brief.c: requests that nothing is in the way of ---- */

/**
 * Send a request that is brief and wait for the answer.
 *
 * @return as vu_client_call_until(); VU_CLIENT_BUSY: nothing was done, something is in the way
 */
int vu_client_brief(struct vu_client *client, struct vu_call *call, uint64_t until_ms);

#define VU_CLIENT_BUSY 1

/* ---- vu_client_slot.c: slots ---- */

static inline bool
vu_slot_done(struct vu_slot *slot)
{
	return (atomic_load(&slot->state) & VU_SLOT_PHASE) == VU_SLOT_DONE;
}

/**
 * The answer is no longer waited for, and will be recognised as late.
 *
 * @return whether it had not come, and the slot can be freed
 */
bool vu_slot_cancel(struct vu_client *client, struct vu_slot *slot);

/**
 * The request was not sent: free its slot. Waits for a thread that brings an answer even so, or the
 * end of the connection, after which nobody uses the request.
 */
void vu_slot_drop(struct vu_client *client, struct vu_slot *slot);

/** @return whether an id was that of a request whose time is over; it is no longer */
bool vu_slot_late_clear(struct vu_client *client, uint16_t id);

/** Sleep until the slot is done, or somebody has to receive, or time is over. */
void vu_slot_sleep(struct vu_client *client, struct vu_slot *slot, uint64_t until_ms);

/** Nobody receives: wake somebody who waits for an answer. */
void vu_slot_wake_one(struct vu_client *client);

/** End all that waits with an error. */
void vu_slot_fail_all(struct vu_client *client, int rc);

/* ---- vu_client_io.c: receiving, and sending what is queued ---- */

/** Send what is queued, serve what comes meanwhile. @return 0; -ETIMEDOUT; -ENOTCONN */
int vu_client_drain(struct vu_client *client, uint64_t until_ms);

/** With turn rx: receive for all until the slot is done, the client broken or time over. */
void vu_client_lead(struct vu_client *client, struct vu_slot *slot, uint64_t until_ms);

/** With turn rx: take what is there by VU_CLIENT_*. @return 0, -errno: the client is broken */
int vu_client_receive_from(struct vu_client *client, unsigned int what);

/** With turn rx: take what vu_conn_fill() brought, that being its result. @return the same */
int vu_client_received(struct vu_client *client, int rc);

/** End turn rx. */
void vu_client_lead_end(struct vu_client *client);

/** The connection is of no use any more: end all that is under way with @p rc. */
void vu_client_fail(struct vu_client *client, int rc);

/** With turn rx: wait for input once, take it. @return 0, also if none came; -errno: failed */
int vu_client_receive(struct vu_client *client, uint64_t until_ms);

/* ---- vu_client_watch.c: waiting for something to receive ---- */

/** Before vu_client_watch_open(). */
void vu_client_watch_init(struct vu_client_watch *watch);

/** May be repeated. */
void vu_client_watch_fini(struct vu_client_watch *watch);

/** @return 0, -errno: vu_client_watch_fini() must follow */
int vu_client_watch_open(struct vu_client_watch *watch, int sock);

/** Wait for another socket, too. @return 0, -errno */
int vu_client_watch_twin(struct vu_client_watch *watch, int sock);

/**
 * Wait until a time by vu_now_ms(), or a little longer.
 *
 * @return VU_CLIENT_*: where something is, perhaps; -errno
 */
int vu_client_watch_wait(struct vu_client_watch *watch, uint64_t until_ms);

/* ---- vu_client_serve.c: commands of the server ---- */

/** Serve a command that came on @p conn. @return 0; -errno: the connection is of no use */
int vu_client_serve(struct vu_client *client, struct vu_conn *conn, struct vu_rx_msg *msg);

/** Whether this thread is in a handler of this client. */
bool vu_client_serving(const struct vu_client *client);

/** The device may reach memory by messages from now on. */
void vu_client_by_messages(struct vu_client *client);

/**
 * See to the rest of answers to the server, of which the sockets did not take all: for who has had
 * the turn to receive when the client owes. It is sent, unless somebody waits for events, who will
 * do that.
 */
void vu_client_rest(struct vu_client *client);

/* ---- vu_client_event.c: a descriptor to wait on ---- */

/** What to wait for has changed. */
void vu_client_event_update(struct vu_client *client);

/* ---- vu_client_info.c ---- */

/** Ask for what the device is, and check it. @return 0, -errno */
int vu_client_device_info(struct vu_client *client, struct vfio_device_info *info);

/* ---- vu_client_dma.c ---- */

/** Regions are no longer mapped, if they were: a server may accept to unmap what was not. */
void vu_client_maps_forget(struct vu_client *client, uint32_t nb);

/** What came of a DMA_UNMAP: a server that did not answer in time is left. */
void vu_client_unmap_check(struct vu_client *client, int rc);

#endif /* VU_CLIENT_H */
