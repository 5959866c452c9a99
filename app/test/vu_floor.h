/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_FLOOR_H
#define VU_FLOOR_H

/**
 * @file
 * What a UNIX stream socket costs by itself, for benchmarks to print beside their own figures: the
 * same bytes, no protocol. Both ends share one core, which is the steadiest setting.
 */

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>

/** Nanoseconds of a clock that does not jump. */
double vu_floor_now_ns(void);

/** Most runs of a comparison. */
#define VU_FLOOR_RUNS_MAX 64u

/**
 * A figure beside its floor: each run measures both, one right after the other. The medians count,
 * and that of the ratios of the runs, so that what disturbs a run or speeds one up has no say.
 */
struct vu_floor_runs {
	unsigned int nb;
	double ours[VU_FLOOR_RUNS_MAX];
	double floor[VU_FLOOR_RUNS_MAX];
};

void vu_floor_run(struct vu_floor_runs *runs, double ours, double floor);

double vu_floor_ours(const struct vu_floor_runs *runs);
double vu_floor_floor(const struct vu_floor_runs *runs);

/** The median of ours / floor. */
double vu_floor_ratio(const struct vu_floor_runs *runs);

/**
 * Print nanoseconds of both and their ratio.
 *
 * @param floor
 *   Name of the floor.
 * @param most
 *   The ratio that is wanted at most.
 */
void vu_floor_print(const char *what, const struct vu_floor_runs *runs, const char *floor,
	double most);

/** What to print behind a ratio: nothing, or that it is not what was wanted. */
const char *vu_floor_verdict(bool met);

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
