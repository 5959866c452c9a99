/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_TURN_H
#define VU_TURN_H

/**
 * @file
 * Turns: who may use something that one thread at a time can use. Taking a turn that nobody has is
 * one atomic operation, and so is giving it back. A turn is waited for with a time limit.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct vu_turn {
	_Atomic uint32_t word;	/**< VU_TURN_* */
};

#define VU_TURN_FREE   0u
#define VU_TURN_TAKEN  1u
#define VU_TURN_WANTED 2u	/**< taken, and somebody sleeps until it is not */

/** Milliseconds of a clock that only goes forward, to a few of them. */
uint64_t vu_now_ms(void);

/** Sleep while @p word is @p value, until @p until_ms by vu_now_ms(), UINT64_MAX: without limit. */
void vu_futex_wait(_Atomic uint32_t *word, uint32_t value, uint64_t until_ms);

/** Wake up to @p nb threads that sleep on @p word. */
void vu_futex_wake(_Atomic uint32_t *word, int nb);

static inline bool
vu_turn_try(struct vu_turn *turn)
{
	uint32_t free = VU_TURN_FREE;

	return atomic_compare_exchange_strong(&turn->word, &free, VU_TURN_TAKEN);
}

/** @return whether the turn was got before @p until_ms by vu_now_ms() */
bool vu_turn_wait(struct vu_turn *turn, uint64_t until_ms);

static inline void
vu_turn_end(struct vu_turn *turn)
{
	if (atomic_exchange(&turn->word, VU_TURN_FREE) == VU_TURN_WANTED)
		vu_futex_wake(&turn->word, 1);
}

#endif /* VU_TURN_H */
