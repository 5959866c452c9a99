/* SPDX-License-Identifier: BSD-3-Clause */

#include <time.h>

#include "counter.h"
#include "test.h"

#define PATIENCE_MS 60000

void
counter_wait(const atomic_uint *counter, unsigned int value)
{
	const struct timespec ms = { .tv_nsec = 1000000 };
	unsigned int left = PATIENCE_MS;

	while (atomic_load(counter) < value && --left > 0)
		nanosleep(&ms, NULL);
	assert_int_equal(atomic_load(counter), value);
}
