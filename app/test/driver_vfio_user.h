/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DRIVER_VFIO_USER_H
#define DRIVER_VFIO_USER_H

/**
 * @file
 * The ways of driver_tests.h to devices that another process emulates: the edu of dpdk-vfio-user,
 * by this program again. The process ends well, and has back all that it gave, or the test fails.
 */

#include "driver_tests.h"

/** @see struct driver_transport */
void driver_vfio_user_setup(struct driver_case *c);
void driver_vfio_user_teardown(struct driver_case *c);

/** By MSI-X, with as many vectors as the device has. */
#define DRIVER_VFIO_USER_MSIX \
	.args = { "--vfio-intr=msix" }, \
	.priv = &driver_vfio_user_msix

extern const uint32_t driver_vfio_user_msix;

/** Why some rows have not all. */
#define DRIVER_VFIO_USER_ONE [DRIVER_SEVERAL] = "there is one, another row has more"

/** What all such rows have. */
#define DRIVER_VFIO_USER \
	.setup = driver_vfio_user_setup, \
	.teardown = driver_vfio_user_teardown, \
	.backend = "vfio-user", \
	.intr = RTE_INTR_HANDLE_VDEV, \
	.window = { .offset = 0x4000, .size = 0x8000 }

#endif /* DRIVER_VFIO_USER_H */
