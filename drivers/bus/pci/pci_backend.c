/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>

#include <eal_export.h>

#include "pci_backend.h"

/* A backend that was registered; the system's own are in an array. */
struct registered {
	struct registered *next;
	const struct pci_backend *backend;
};

static struct registered *registered;

/* Where the link to the registration of a backend is, or the end of the list. */
static struct registered **
registered_find(const struct pci_backend *backend)
{
	struct registered **at = &registered;

	while (*at != NULL && (*at)->backend != backend)
		at = &(*at)->next;
	return at;
}

const struct pci_backend *
pci_backend_next(const struct pci_backend *prev)
{
	const struct registered *known;
	unsigned int i = 0;

	known = prev == NULL ? registered : *registered_find(prev);
	if (known != NULL && prev != NULL) {
		known = known->next;
		prev = NULL;
	}
	if (known != NULL)
		return known->backend;
	if (prev != NULL)
		while (pci_backends[i] != NULL && pci_backends[i++] != prev)
			;
	return pci_backends[i];
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_pci_backend_register)
int
rte_pci_backend_register(const struct pci_backend *backend)
{
	struct registered **at = registered_find(backend);

	if (*at != NULL)
		return -EEXIST;
	*at = calloc(1, sizeof(**at));
	if (*at == NULL)
		return -ENOMEM;
	(*at)->backend = backend;
	return 0;
}

RTE_EXPORT_INTERNAL_SYMBOL(rte_pci_backend_unregister)
void
rte_pci_backend_unregister(const struct pci_backend *backend)
{
	struct registered **at = registered_find(backend);
	struct registered *gone = *at;

	if (gone == NULL)
		return;
	*at = gone->next;
	free(gone);
}
