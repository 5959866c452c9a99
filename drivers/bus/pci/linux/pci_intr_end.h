/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef PCI_INTR_END_H
#define PCI_INTR_END_H

#include <stdbool.h>

#include <rte_interrupts.h>

/**
 * Take back a callback from any thread, also from the one that runs callbacks, where waiting for
 * the end of a callback would take for ever.
 *
 * @param gone
 *   Called when the callback cannot run any more, if it still can when this returns.
 * @return
 *   true: it cannot run any more, and @p gone is not called
 */
bool pci_intr_callback_end(struct rte_intr_handle *handle, rte_intr_callback_fn fn, void *arg,
	rte_intr_unregister_callback_fn gone);

#endif /* PCI_INTR_END_H */
