/* SPDX-License-Identifier: BSD-3-Clause */

#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "vu_turn.h"

uint64_t
vu_now_ms(void)
{
	struct timespec ts;

	/* a request needs no more precision, and this clock is the cheapest */
	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

void
vu_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t until_ms)
{
	uint64_t now = vu_now_ms();
	uint64_t left = until_ms > now ? until_ms - now : 1;
	struct timespec ts = {
		.tv_sec = (time_t)(left / 1000),
		.tv_nsec = (long)(left % 1000 * 1000000),
	};

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value,
		until_ms == UINT64_MAX ? NULL : &ts, NULL, 0);
}

void
vu_futex_wake(_Atomic uint32_t *word, int nb)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, nb, NULL, NULL, 0);
}

bool
vu_turn_wait(struct vu_turn *turn, uint64_t until_ms)
{
	if (vu_turn_try(turn))
		return true;
	/* who slept cannot tell whether others still do, so it leaves the turn wanted */
	while (atomic_exchange(&turn->word, VU_TURN_WANTED) != VU_TURN_FREE) {
		if (vu_now_ms() >= until_ms)
			return false;
		vu_futex_wait(&turn->word, VU_TURN_WANTED, until_ms);
	}
	return true;
}
