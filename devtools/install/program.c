/* SPDX-License-Identifier: BSD-3-Clause */

/* A program of somebody else's: starts EAL, calls each layer, ends. C and C++. */

#include <stdio.h>

#include <rte_bus_pci.h>
#include <rte_eal.h>
#include <rte_pci.h>
#include <rte_version.h>

int
main(int argc, char **argv)
{
	struct rte_pci_addr addr;
	char name[PCI_PRI_STR_SIZE];

	if (rte_eal_init(argc, argv) < 0)
		return 1;
	if (rte_pci_addr_parse("00:01.0", &addr) != 0)
		return 1;
	rte_pci_device_name(&addr, name, sizeof(name));
	printf("%s: %s\n", rte_version(), name);
	rte_pci_dump(stdout);
#ifdef USE_EXPERIMENTAL
	printf("%d\n", rte_pci_has_capability_list(NULL));
#endif
	return rte_eal_cleanup() == 0 ? 0 : 1;
}
