/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>

#include "pci_backend.h"
#include "pci_kernel_driver.h"

static struct pci_kernel_driver *kernel_drivers;
static unsigned int scan_number;

void
pci_kernel_drivers_renew(void)
{
	scan_number++;
}

static const struct pci_backend *
backend_for(const char *kernel_driver, int dirfd, const char *device)
{
	const struct pci_backend *backend = NULL;

	while ((backend = pci_backend_next(backend)) != NULL)
		if (backend->claims != NULL && backend->claims(kernel_driver, dirfd, device))
			return backend;
	return NULL;
}

static struct pci_kernel_driver *
kernel_driver_new(const char *name)
{
	const size_t len = strlen(name) + 1;
	struct pci_kernel_driver *driver;

	driver = malloc(sizeof(*driver) + len);
	if (driver == NULL)
		return NULL;
	driver->scan = scan_number - 1;
	driver->next = kernel_drivers;
	memcpy(driver->name, name, len);
	kernel_drivers = driver;
	return driver;
}

const struct pci_kernel_driver *
pci_kernel_driver_get(const char *name, int dirfd, const char *device)
{
	struct pci_kernel_driver *driver = kernel_drivers;

	while (driver != NULL && strcmp(driver->name, name) != 0)
		driver = driver->next;
	if (driver == NULL)
		driver = kernel_driver_new(name);
	if (driver != NULL && driver->scan != scan_number) {
		driver->backend = backend_for(name, dirfd, device);
		driver->scan = scan_number;
	}
	return driver;
}

void
pci_kernel_drivers_free(void)
{
	struct pci_kernel_driver *driver;

	while ((driver = kernel_drivers) != NULL) {
		kernel_drivers = driver->next;
		free(driver);
	}
}
