/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>
#include <rte_devargs.h>
#include <rte_kvargs.h>
#include <rte_string_fns.h>

#include "pci_backend.h"
#include "pci_log.h"
#include "pci_name.h"

static const char key_addr[] = "addr";
static const char key_backend[] = "backend";

int
pci_name_parse(const char *name, struct rte_pci_addr *addr)
{
	const struct pci_backend *backend = NULL;

	if (rte_pci_addr_parse(name, addr) == 0)
		return 0;
	while ((backend = pci_backend_next(backend)) != NULL)
		if (backend->name_parse != NULL && backend->name_parse(name, addr) == 0)
			return 0;
	return -EINVAL;
}

static const struct pci_backend *
backend_find(const char *name)
{
	const struct pci_backend *backend = NULL;

	while ((backend = pci_backend_next(backend)) != NULL)
		if (backend->devargs_name != NULL && strcmp(backend->name, name) == 0)
			return backend;
	return NULL;
}

static int
name_from_backend(struct rte_devargs *devargs, const struct rte_kvargs *kvargs)
{
	const char *name = rte_kvargs_get(kvargs, key_backend);
	const struct pci_backend *backend = name == NULL ? NULL : backend_find(name);

	if (backend == NULL) {
		PCI_LOG(ERR, "\"%s\": there is no backend with that name that takes devices",
			devargs->bus_str);
		return -ENODEV;
	}
	return backend->devargs_name(kvargs, devargs->name, sizeof(devargs->name));
}

/* An address in its usual form, so that the same device has the same name. */
static int
name_from_addr(struct rte_devargs *devargs, const struct rte_kvargs *kvargs)
{
	const char *text = rte_kvargs_get(kvargs, key_addr);
	struct rte_pci_addr addr;

	if (text == NULL || pci_name_parse(text, &addr) != 0) {
		PCI_LOG(ERR, "\"%s\": addr is no PCI address", devargs->bus_str);
		return -EINVAL;
	}
	if (rte_pci_addr_parse(text, &addr) == 0)
		rte_pci_device_name(&addr, devargs->name, sizeof(devargs->name));
	else if (rte_strscpy(devargs->name, text, sizeof(devargs->name)) < 0)
		return -EINVAL;
	return 0;
}

static int
name_from_kvargs(struct rte_devargs *devargs, const struct rte_kvargs *kvargs)
{
	if (rte_kvargs_count(kvargs, key_backend) != 0)
		return name_from_backend(devargs, kvargs);
	return rte_kvargs_count(kvargs, key_addr) != 0 ? name_from_addr(devargs, kvargs) : 0;
}

int
pci_name_of_devargs(struct rte_devargs *devargs)
{
	struct rte_kvargs *kvargs;
	int rc;

	kvargs = rte_kvargs_parse(devargs->bus_str, NULL);
	if (kvargs == NULL) {
		PCI_LOG(ERR, "\"%s\" is no list of keys and values", devargs->bus_str);
		return -ENODEV;
	}
	rc = name_from_kvargs(devargs, kvargs);
	rte_kvargs_free(kvargs);
	return rc;
}
