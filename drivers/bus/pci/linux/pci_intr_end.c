/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include "pci_intr_end.h"

bool
pci_intr_callback_end(struct rte_intr_handle *handle, rte_intr_callback_fn fn, void *arg,
	rte_intr_unregister_callback_fn gone)
{
	if (!rte_thread_is_intr()) {
		rte_intr_callback_unregister_sync(handle, fn, arg);
		return true;
	}
	if (rte_intr_callback_unregister(handle, fn, arg) != -EAGAIN)
		return true;
	return rte_intr_callback_unregister_pending(handle, fn, arg, gone) <= 0;
}
