/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_FLOOR_H
#define VU_FLOOR_H

/**
 * @file
 * What a UNIX stream socket costs by itself, for benchmarks to print beside their own figures: the
 * same bytes, no protocol. Both ends share one core, which is the steadiest setting.
 */

#include <sched.h>
#include <stddef.h>

/** Nanoseconds of a clock that does not jump. */
double vu_floor_now_ns(void);

/** Keep the calling thread, and those that it creates, on the core where it is. */
void vu_floor_pin(cpu_set_t *saved);

void vu_floor_unpin(const cpu_set_t *saved);

/**
 * A round trip with another thread: @p request bytes there, @p reply bytes back, blocking calls,
 * each side waits for all bytes.
 *
 * @return nanoseconds of one, the average of @p rounds but the first eighth
 */
double vu_floor_ping_pong_ns(size_t request, size_t reply, unsigned int rounds);

/**
 * Messages in one direction: a thread sends @p per_send messages of @p size bytes in each call, the
 * caller receives what there is into a buffer of 64 KiB, and does nothing with it.
 *
 * @return messages per second
 */
double vu_floor_swallow_per_s(size_t size, unsigned int per_send, unsigned int total);

/** Sends in a thread of its own, for a receiver under test. */
struct vu_floor_sender {
	int sock;	/**< stays the caller's */
	const void *msg;	/**< sent over and over */
	size_t size;	/**< bytes of it */
	unsigned int per_send;	/**< so many in each call, at most VU_FLOOR_PER_SEND_MAX */
	unsigned int total;
	void *thread;	/**< of vu_floor.c */
};

#define VU_FLOOR_PER_SEND_MAX 64u

void vu_floor_sender_start(struct vu_floor_sender *sender);
void vu_floor_sender_join(struct vu_floor_sender *sender);

#endif /* VU_FLOOR_H */
