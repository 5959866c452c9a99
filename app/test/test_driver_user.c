/* SPDX-License-Identifier: BSD-3-Clause */

/* The table of driver tests over a socket as a user without any rights, also when root runs it. */

#include <grp.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rte_common.h>

#include "driver_vfio_user.h"

#define NOBODY 65534

/* For good: each suite is a process. It may be looked at as before, as sanitizers do. */
static int
become_nobody(void **state)
{
	if (geteuid() != 0)
		return 0;
	if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
			setresuid(NOBODY, NOBODY, NOBODY) != 0)
		return -1;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static const struct driver_transport transports[] = {
	{ .name = "vfio-user, ordinary user", DRIVER_VFIO_USER, .nb = DRIVER_DEVICES_MAX },
};

DRIVER_SUITE_SETUP(driver_user, "functional", transports, become_nobody)
