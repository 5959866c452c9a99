/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_kvargs.h>
#include <rte_pci.h>

#include "pci_addr.h"
#include "pci_bus.h"
#include "pci_device.h"
#include "pci_list.h"
#include "pci_log.h"
#include "pci_name.h"

static const char key_addr[] = "addr";

/* What a filter may say. */
static const char *const filter_keys[] = {
	key_addr,
	NULL,
};

int
pci_parse(const char *name, void *addr)
{
	struct rte_pci_addr parsed;
	int rc;

	rc = pci_name_parse(name, &parsed);
	if (rc == 0 && addr != NULL)
		*(struct rte_pci_addr *)addr = parsed;
	return rc;
}

/* 1: there is an address; 0: there is none, any device will do; -EINVAL: it is no address */
static int
kvargs_addr(const struct rte_kvargs *kvargs, struct rte_pci_addr *addr)
{
	const char *text = rte_kvargs_get(kvargs, key_addr);

	if (rte_kvargs_count(kvargs, key_addr) == 0)
		return 0;
	return text != NULL && pci_name_parse(text, addr) == 0 ? 1 : -EINVAL;
}

int
pci_devargs_parse(struct rte_devargs *devargs)
{
	int rc;

	if (devargs == NULL || devargs->bus_str == NULL)
		return 0;
	rc = pci_name_of_devargs(devargs);
	if (rc != 0)
		rte_errno = -rc;
	return rc;
}

/* Which devices a filter lets through. */
struct filter {
	bool any;
	struct rte_pci_addr addr;
};

static int
filter_parse(const char *text, struct filter *filter)
{
	struct rte_kvargs *kvargs;
	int rc;

	filter->any = true;
	if (text == NULL)
		return 0;
	kvargs = rte_kvargs_parse(text, filter_keys);
	if (kvargs == NULL)
		return -EINVAL;
	rc = kvargs_addr(kvargs, &filter->addr);
	filter->any = rc == 0;
	rte_kvargs_free(kvargs);
	return RTE_MIN(rc, 0);
}

static struct pci_device *
filter_next(const struct filter *filter, const struct rte_device *start)
{
	uint64_t from = 0;

	if (start != NULL)
		from = pci_addr_key(&RTE_DEV_TO_PCI_CONST(start)->addr) + 1;
	if (filter->any)
		return pci_list_next_fresh(&from);
	return pci_addr_key(&filter->addr) < from ? NULL : pci_list_find(&filter->addr);
}

void *
pci_dev_iterate(const void *start, const char *filter_text,
	const struct rte_dev_iterator *it __rte_unused)
{
	struct pci_device *dev;
	struct filter filter;

	if (filter_parse(filter_text, &filter) != 0) {
		PCI_LOG(ERR, "\"%s\" is no filter of PCI devices: only addr=ADDRESS is known",
			filter_text);
		rte_errno = EINVAL;
		return NULL;
	}
	dev = filter_next(&filter, start);
	return dev == NULL ? NULL : &dev->pub.device;
}
