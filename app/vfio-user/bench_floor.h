/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef BENCH_FLOOR_H
#define BENCH_FLOOR_H

/**
 * @file
 * What a UNIX stream socket between two processes costs by itself: the same bytes, no protocol, one
 * send and one receive for a message where the kernel takes and gives it whole. The other process
 * runs where this one may, so both share a processor if this one is kept on it.
 */

#include <stddef.h>

/** Rounds that come first and do not count: memory is touched for the first time. */
static inline unsigned int
bench_warm_up(unsigned int rounds)
{
	return rounds / 8;
}

/** Microseconds of a clock that does not jump. */
double bench_now_us(void);

/**
 * Round trips: @p request bytes there, @p reply bytes back.
 *
 * @param[out] us
 *   Microseconds of one, the average of those that count.
 * @return 0, -errno
 */
int bench_floor_ping_pong(size_t request, size_t reply, unsigned int rounds, double *us);

/**
 * One direction: @p sends times the same @p len bytes, to a process that receives what there is and
 * does nothing with it.
 *
 * @param[out] us
 *   Microseconds until it has them all.
 * @return 0, -errno
 */
int bench_floor_swallow(const void *data, size_t len, unsigned int sends, double *us);

#endif /* BENCH_FLOOR_H */
