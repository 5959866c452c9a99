/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The table of driver tests for an EAL that is not ours. Run with "--each", since there it can be
 * started only once.
 */

#include <rte_common.h>

#include "driver_vfio_user.h"

#define OTHER_EAL [DRIVER_EXISTS] = "to have a device already is a success in DPDK"

static const struct driver_transport transports[] = {
	{
		.name = "vfio-user, MSI",
		DRIVER_VFIO_USER,
		.nb = 1,
		.lacks = { DRIVER_VFIO_USER_ONE, OTHER_EAL },
		.args = { "--vfio-intr=msi" },
	},
	{
		.name = "vfio-user, several",
		DRIVER_VFIO_USER,
		.nb = DRIVER_DEVICES_MAX,
		.lacks = { OTHER_EAL },
	},
};

DRIVER_SUITE(driver_dropin, "functional", transports)
