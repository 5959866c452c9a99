/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of driver tests over a socket, with nothing of the kernel but this. */

#include <rte_common.h>

#include "driver_vfio_user.h"

#define ONE .nb = 1, .lacks = { DRIVER_VFIO_USER_ONE }
#define SEVERAL .nb = DRIVER_DEVICES_MAX

static const struct driver_transport transports[] = {
	{ .name = "vfio-user, MSI", DRIVER_VFIO_USER, ONE, .args = { "--vfio-intr=msi" } },
	{
		.name = "vfio-user, MSI-X", DRIVER_VFIO_USER, DRIVER_VFIO_USER_MSIX,
		.nb = 1, .lacks = { DRIVER_VFIO_USER_ONE, [DRIVER_MSI] = "it has MSI-X" },
	},
	{ .name = "vfio-user, INTx", DRIVER_VFIO_USER, ONE, .args = { "--vfio-intr=legacy" } },
	{ .name = "vfio-user, several", DRIVER_VFIO_USER, SEVERAL },
};

DRIVER_SUITE(driver_vfio_user, "functional", transports)
