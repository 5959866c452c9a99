/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <rte_common.h>

#include "vu_mig.h"

/* States as the kernel numbers them; its headers have the newer ones since 6.2 only. */
enum {
	ERR = 0,
	STOP = 1,
	RUN = 2,
	COPY = 3,
	RESUME = 4,
	PRE = 6,
	STATE_NB = 7,
};

#define FLAG_PRE_COPY 4u

/* Next step on the way; row: now, column: wanted; ERR: there is no way. */
static const uint8_t steps[STATE_NB][STATE_NB] = {
	[STOP] =   { [STOP] = STOP, [RUN] = RUN, [COPY] = COPY, [RESUME] = RESUME, [PRE] = RUN },
	[RUN] =    { [STOP] = STOP, [RUN] = RUN, [COPY] = STOP, [RESUME] = STOP, [PRE] = PRE },
	[COPY] =   { [STOP] = STOP, [RUN] = STOP, [COPY] = COPY, [RESUME] = STOP },
	[RESUME] = { [STOP] = STOP, [RUN] = STOP, [COPY] = STOP, [RESUME] = RESUME, [PRE] = STOP },
	[PRE] =    { [STOP] = RUN, [RUN] = RUN, [COPY] = COPY, [RESUME] = RUN, [PRE] = PRE },
};

bool
vu_mig_is_saving(uint32_t state)
{
	return state == COPY || state == PRE;
}

static uint32_t
mig_step(uint32_t state, uint32_t wanted)
{
	return state < STATE_NB && wanted < STATE_NB ? steps[state][wanted] : ERR;
}

int
vu_mig_go(uint32_t *state, uint32_t wanted, const struct rte_vfio_user_migration_ops *ops,
	int dev_id)
{
	uint32_t next;
	int rc;

	if (wanted == PRE && !(ops->flags & FLAG_PRE_COPY))
		return -EINVAL;
	if (mig_step(*state, wanted) == ERR)
		return -EINVAL;
	while (*state != wanted) {
		next = mig_step(*state, wanted);
		rc = ops->set_state(dev_id, next);
		if (rc == -ENOTRECOVERABLE)
			*state = ERR;
		if (rc < 0)
			return rc;
		*state = next;
	}
	return 0;
}
