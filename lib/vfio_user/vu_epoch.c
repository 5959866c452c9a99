/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>

#include "vu_epoch.h"

/* Rounds of looking before a waiting thread sleeps between looks. */
#define WAIT_SPINS 1000
#define WAIT_SLEEP_NS 50000

_Thread_local struct vu_reader *vu_reader_self;
_Atomic uint64_t vu_epoch_now = 1;
_Atomic uint32_t vu_epoch_signals;

static _Atomic(struct vu_reader *) readers;
static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
static pthread_key_t exit_key;

/* The thread ends. Its place is left for another. */
static void
reader_exit(void *arg)
{
	struct vu_reader *reader = arg;

	atomic_store(&reader->epoch, 0);
	reader->depth = 0;
	vu_reader_self = NULL;
	atomic_store(&reader->used, false);
}

static void
exit_key_create(void)
{
	pthread_key_create(&exit_key, reader_exit);
}

static struct vu_reader *
reader_reuse(void)
{
	struct vu_reader *reader;
	bool used;

	for (reader = atomic_load(&readers); reader != NULL; reader = reader->next) {
		used = false;
		if (atomic_compare_exchange_strong(&reader->used, &used, true))
			return reader;
	}
	return NULL;
}

static struct vu_reader *
reader_new(void)
{
	struct vu_reader *reader;

	reader = calloc(1, sizeof(*reader));
	if (reader == NULL)
		return NULL;
	atomic_init(&reader->used, true);
	reader->next = atomic_load(&readers);
	while (!atomic_compare_exchange_weak(&readers, &reader->next, reader))
		;
	return reader;
}

struct vu_reader *
vu_reader_get(void)
{
	struct vu_reader *reader;

	if (vu_reader_self != NULL)
		return vu_reader_self;
	pthread_once(&exit_once, exit_key_create);
	reader = reader_reuse();
	if (reader == NULL)
		reader = reader_new();
	if (reader == NULL)
		return NULL;
	pthread_setspecific(exit_key, reader);
	vu_reader_self = reader;
	return reader;
}

int
vu_epoch_enter(void)
{
	struct vu_reader *reader = vu_reader_get();

	if (reader == NULL)
		return -ENOMEM;
	/* the exchange is a fence: what is read in the section is read after it */
	if (reader->depth++ == 0)
		atomic_exchange(&reader->epoch, atomic_load(&vu_epoch_now));
	return 0;
}

void
vu_epoch_leave(void)
{
	struct vu_reader *reader = vu_reader_self;

	if (--reader->depth == 0)
		atomic_store_explicit(&reader->epoch, 0, memory_order_release);
}

static bool
reader_is_older(const struct vu_reader *reader, uint64_t epoch)
{
	uint64_t seen = atomic_load(&reader->epoch);

	return reader != vu_reader_self && seen != 0 && seen < epoch;
}

static void
wait_a_little(unsigned int *spins)
{
	const struct timespec nap = { .tv_nsec = WAIT_SLEEP_NS };

	if (++*spins < WAIT_SPINS)
		sched_yield();
	else
		nanosleep(&nap, NULL);
}

bool
vu_epoch_passed(void)
{
	uint64_t epoch = atomic_fetch_add(&vu_epoch_now, 1) + 1;
	const struct vu_reader *reader = atomic_load(&readers);

	while (reader != NULL && !reader_is_older(reader, epoch))
		reader = reader->next;
	return reader == NULL && atomic_load(&vu_epoch_signals) == 0;
}

void
vu_epoch_wait_signals_long(void)
{
	unsigned int spins = 0;

	while (atomic_load(&vu_epoch_signals) > 0)
		wait_a_little(&spins);
}

void
vu_epoch_wait(void)
{
	uint64_t epoch = atomic_fetch_add(&vu_epoch_now, 1) + 1;
	const struct vu_reader *reader;
	unsigned int spins = 0;

	for (reader = atomic_load(&readers); reader != NULL; reader = reader->next)
		while (reader_is_older(reader, epoch))
			wait_a_little(&spins);
	vu_epoch_wait_signals();
}
