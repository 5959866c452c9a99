/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <eal_export.h>
#include <rte_dev.h>

#include "eal_dev_event.h"
#include "eal_log.h"

static int
unsupported(const char *what)
{
	EAL_LOG(ERR, "%s: not on FreeBSD", what);
	return -ENOTSUP;
}

RTE_EXPORT_SYMBOL(rte_dev_event_monitor_start)
int
rte_dev_event_monitor_start(void)
{
	return unsupported("Cannot listen to device events of the kernel");
}

RTE_EXPORT_SYMBOL(rte_dev_event_monitor_stop)
int
rte_dev_event_monitor_stop(void)
{
	return unsupported("Cannot stop listening to device events of the kernel");
}

RTE_EXPORT_SYMBOL(rte_dev_hotplug_handle_enable)
int
rte_dev_hotplug_handle_enable(void)
{
	return unsupported("Cannot handle accesses to lost devices");
}

RTE_EXPORT_SYMBOL(rte_dev_hotplug_handle_disable)
int
rte_dev_hotplug_handle_disable(void)
{
	return unsupported("Cannot stop handling accesses to lost devices");
}

bool
eal_sigbus_enabled(void)
{
	return false;
}

void
eal_sigbus_cleanup(void)
{
}

void
eal_dev_monitor_cleanup(void)
{
}
