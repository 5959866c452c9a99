/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_LIAR_H
#define VU_LIAR_H

/**
 * @file
 * A vfio-user server that breaks one rule: it stands in front of a good one, one client at a time,
 * and passes on all messages but those that a lie is about.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../../lib/vfio_user/vu_proto.h"

/** What a lie does. */
enum liar_effect {
	/* the server is not asked */
	LIE_ACCEPT,	/**< success without payload */
	LIE_ECHO,	/**< success with the request's payload */
	LIE_REFUSE,	/**< an error, also where no reply is wanted */
	LIE_SILENCE,	/**< no answer */
	LIE_STALL,	/**< no answer to anything any more */
	LIE_HANG_UP,
	LIE_RETELL,	/**< success with liar_lie.say */
	/* the server is asked something else */
	LIE_CHANGE,	/**< liar_lie.set in the request */
	LIE_PROPOSE,	/**< liar_lie.say as text of VERSION */
	LIE_KEEP,	/**< what it should; the descriptors are kept and mapped */
	/* the server's answer is changed */
	LIE_SET,	/**< liar_lie.set in the reply */
	LIE_ADD,	/**< liar_lie.set added to what is there */
	LIE_GROW,	/**< bytes at the end */
	LIE_TAKE_FD,
	LIE_GIVE_FD,
	LIE_FAIL,	/**< an error instead of success */
	LIE_PASS,	/**< success instead of an error */
};

/** A number in a message; off from the start of its header. */
struct liar_field {
	uint32_t off;
	uint32_t width;	/**< 0: no field */
	uint64_t value;
};

/** Offset of a payload's byte. */
#define LIAR_P(off_) (16u + (off_))

struct liar;

/** A lie, and when it is told: when all holds that is said here. */
struct liar_lie {
	const char *rule;	/**< that it breaks */
	enum liar_effect effect;
	struct liar_field set;
	const char *say;
	uint16_t cmd;	/**< 0: any */
	bool any_cmd;
	struct liar_field when[2];	/**< in the request */
	int len;	/**< of the request's payload; 0: any, -1: none */
	int fds;	/**< with the request; 0: any, -1: none */
	const char *text;	/**< of VERSION */
	uint32_t error;	/**< of the reply, 0: any */
	bool (*also)(const struct liar *liar);
	const struct liar_lie *with;	/**< told besides, NULL: none */
	uint32_t timeout_ms;	/**< of the checker, where it has to run out, at first; 0: long */
};

/** What a connection has seen. */
struct liar_history {
	unsigned int messages;
	unsigned int infos;	/**< DEVICE_GET_INFO */
	unsigned int maps;	/**< DMA_MAP */
	unsigned int binds;	/**< SET_IRQS with descriptors */
	unsigned int resets;
	bool open;	/**< its VERSION was that of an ordinary client */
	bool map_had_fd;	/**< the last DMA_MAP */
	bool cut;	/**< it ended in a message */
	bool unread;	/**< it ended before the client had read what it was told */
	bool ended;	/**< there was one */
};

struct liar_msg {
	uint8_t *bytes;	/**< with header */
	size_t len;
	int fds[VU_SCM_MAX_FD];
	unsigned int nb_fds;
	bool header_in_pieces;
	bool payload_in_pieces;
};

struct liar {
	char path[96];	/**< it listens there */
	const char *server;	/**< the good one's path */
	const struct liar_lie *lie;	/**< NULL: none */
	const struct liar_lie *telling;	/**< which of it; NULL: the truth */
	struct liar_history now, before;	/**< of this connection and the one before */
	struct liar_msg request, reply;
	unsigned int told;	/**< times that it lied */
	int kept[VU_SCM_MAX_FD];
	void *kept_at[VU_SCM_MAX_FD];
	unsigned int nb_kept;
	int listener, client, upstream;
	pthread_t thread;
};

/** Start to serve. path and server are set. */
void liar_start(struct liar *liar, const struct liar_lie *lie);

/** End it. No client may be connected. */
void liar_stop(struct liar *liar);

/** The number in a message; UINT64_MAX when it is too short for that. */
uint64_t liar_get(const struct liar_msg *msg, uint32_t off, uint32_t width);

#endif /* VU_LIAR_H */
