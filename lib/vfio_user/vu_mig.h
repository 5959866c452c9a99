/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_MIG_H
#define VU_MIG_H

/**
 * @file
 * The states of a device that migrates. Protocol reference 5.13.
 */

#include <stdbool.h>
#include <stdint.h>

#include "rte_vfio_user.h"

/** May the state of the device be read out? */
bool vu_mig_is_saving(uint32_t state);

/**
 * Go to a state by single steps, the shortest way that has no saving state in its interior.
 *
 * @param state
 *   The current one; where the device came to on return.
 * @return
 *   0; -EINVAL: there is no way; the errno of a step. The device stays in the last state that it
 *   reached, unless the step says -ENOTRECOVERABLE: then it is in VFIO_DEVICE_STATE_ERROR.
 */
int vu_mig_go(uint32_t *state, uint32_t wanted, const struct rte_vfio_user_migration_ops *ops,
	int dev_id);

#endif /* VU_MIG_H */
