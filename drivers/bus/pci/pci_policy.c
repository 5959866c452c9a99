/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>

#include <rte_devargs.h>

#include "pci_addr.h"
#include "pci_log.h"
#include "pci_name.h"
#include "pci_policy.h"

struct pci_policy_row {
	uint64_t key;
	size_t order;	/* in EAL's list: of two entries for one device the first one counts */
	struct rte_devargs *devargs;
};

static int
row_cmp(const void *a, const void *b)
{
	const struct pci_policy_row *left = a, *right = b;

	if (left->key != right->key)
		return left->key < right->key ? -1 : 1;
	return (left->order > right->order) - (left->order < right->order);
}

static int
policy_add(struct pci_policy *policy, struct rte_devargs *devargs)
{
	struct pci_policy_row *rows;
	struct rte_pci_addr addr;

	if (pci_name_parse(devargs->name, &addr) != 0) {
		PCI_LOG(WARNING, "\"%s\" in the list of %s devices is no PCI address: ignored",
			devargs->name,
			devargs->policy == RTE_DEV_BLOCKED ? "blocked" : "allowed");
		return 0;
	}
	rows = realloc(policy->rows, (policy->nb_rows + 1) * sizeof(*rows));
	if (rows == NULL)
		return -ENOMEM;
	rows[policy->nb_rows] = (struct pci_policy_row){
		.key = pci_addr_key(&addr),
		.order = policy->nb_rows,
		.devargs = devargs,
	};
	policy->rows = rows;
	policy->nb_rows++;
	return 0;
}

int
pci_policy_load(struct pci_policy *policy, enum rte_bus_scan_mode mode)
{
	struct rte_devargs *devargs;

	*policy = (struct pci_policy){ .mode = mode };
	RTE_EAL_DEVARGS_FOREACH("pci", devargs) {
		if (policy_add(policy, devargs) != 0) {
			pci_policy_fini(policy);
			return -ENOMEM;
		}
	}
	if (policy->nb_rows > 1)
		qsort(policy->rows, policy->nb_rows, sizeof(*policy->rows), row_cmp);
	return 0;
}

void
pci_policy_fini(struct pci_policy *policy)
{
	free(policy->rows);
	policy->rows = NULL;
	policy->nb_rows = 0;
}

struct rte_devargs *
pci_policy_find(const struct pci_policy *policy, uint64_t key)
{
	size_t from = 0, to = policy->nb_rows;

	while (from < to) {
		size_t mid = from + (to - from) / 2;

		if (policy->rows[mid].key < key)
			from = mid + 1;
		else
			to = mid;
	}
	if (from == policy->nb_rows || policy->rows[from].key != key)
		return NULL;
	return policy->rows[from].devargs;
}

bool
pci_policy_ignores(const struct pci_policy *policy, const struct rte_devargs *devargs)
{
	if (policy->mode == RTE_BUS_SCAN_ALLOWLIST)
		return devargs == NULL || devargs->policy != RTE_DEV_ALLOWED;
	return devargs != NULL && devargs->policy == RTE_DEV_BLOCKED;
}
