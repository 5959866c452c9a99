/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_VFIO_H
#define EAL_VFIO_H

/**
 * @file
 * VFIO inside of EAL: there is none.
 */

/** Does nothing. 0 always. */
int
eal_vfio_init(void);

/** Does nothing. 0 always. */
int
eal_vfio_cleanup(void);

#endif /* EAL_VFIO_H */
