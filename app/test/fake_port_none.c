/* SPDX-License-Identifier: BSD-3-Clause */

#include <rte_common.h>

#include "fake_port.h"

bool
fake_port_start(fake_port_fn fn, void *ctx)
{
	RTE_SET_USED(fn);
	RTE_SET_USED(ctx);
	return false;
}

void
fake_port_protect(void)
{
}

void
fake_port_stop(void)
{
}
