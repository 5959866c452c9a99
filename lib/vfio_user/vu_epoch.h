/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_EPOCH_H
#define VU_EPOCH_H

/**
 * @file
 * Grace periods. Data paths read the DMA table without a lock; what a change takes out of it is
 * freed when every thread that may still look at it has left its section.
 *
 * A section costs two stores and a fence, nested ones nothing. Sections of one thread cover all
 * tables; a thread that stays inside holds up whoever waits.
 */

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/** A thread that reads. Lives from its first section to its end. */
struct vu_reader {
	struct vu_reader *next;	/**< of all readers there are; never changes once listed */
	_Atomic uint64_t epoch;	/**< in which its section began; 0: it is in none */
	uint32_t depth;	/**< of nested sections; the thread's own */
	atomic_bool used;	/**< by a thread that is alive */
};

extern _Thread_local struct vu_reader *vu_reader_self;
extern _Atomic uint64_t vu_epoch_now;

/**
 * Make the calling thread a reader.
 *
 * @return it, or NULL if memory is out
 */
struct vu_reader *vu_reader_get(void);

/** Is the calling thread in a section? */
static inline bool
vu_epoch_inside(void)
{
	return vu_reader_self != NULL && vu_reader_self->depth > 0;
}

/**
 * Begin a section.
 *
 * @return 0, or -ENOMEM, only in a thread's first section
 */
int vu_epoch_enter(void);

/** End the section begun last. */
void vu_epoch_leave(void);

/** Have all sections that were under way ended, but those of the calling thread? Does not wait. */
bool vu_epoch_passed(void);

/** Wait until all sections that are under way have ended, but those of the calling thread. */
void vu_epoch_wait(void);

extern _Atomic uint32_t vu_epoch_signals;

/** Wait until no handler of a signal is in a section, none at all: faults are rare and short. */
void vu_epoch_wait_signals_long(void);

static inline void
vu_epoch_wait_signals(void)
{
	if (atomic_load(&vu_epoch_signals) > 0)
		vu_epoch_wait_signals_long();
}

/** Begin a section in the handler of a signal, of any thread. */
static inline void
vu_epoch_enter_signal(void)
{
	atomic_fetch_add(&vu_epoch_signals, 1);
}

/** End it. */
static inline void
vu_epoch_leave_signal(void)
{
	atomic_fetch_sub(&vu_epoch_signals, 1);
}

#endif /* VU_EPOCH_H */
