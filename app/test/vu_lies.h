/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_LIES_H
#define VU_LIES_H

/**
 * @file
 * What a server can say that breaks a rule of "dpdk-vfio-user check": each lie names the rule that
 * tells it, and for each rule there is a lie.
 */

#include "vu_liar.h"

#define SHORT_MS 100u	/**< at first, for rules that wait for what does not come */

/* VFIO_MIGRATION_PRE_COPY, which older kernel headers lack */
#define MIGRATION_PRE_COPY 4u

/** Length of a migration's data. */
#define MIG_LEN 300

/** Lies of any device, and of one that can be migrated. */
extern const struct liar_lie vu_lies[];
extern const unsigned int vu_lies_nb;
extern const struct liar_lie vu_migration_lies[];
extern const unsigned int vu_migration_lies_nb;

#endif /* VU_LIES_H */
