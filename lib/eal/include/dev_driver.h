/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef DEV_DRIVER_H
#define DEV_DRIVER_H

/**
 * @file
 * Devices and drivers as buses and drivers see them, and what a driver tells about itself to
 * dpdk-pmdinfo.py.
 */

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_os.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A driver of any bus. */
struct rte_driver {
	RTE_TAILQ_ENTRY(rte_driver) next;	/**< link of the bus's list */
	const char *name;	/**< its name */
	const char *alias;	/**< another name, or NULL */
};

/** A device of any bus. */
struct rte_device {
	RTE_TAILQ_ENTRY(rte_device) next;	/**< link of the bus's list */
	const char *name;	/**< its name, in the bus's canonical form */
	const char *bus_info;	/**< what the bus tells about it, or NULL */
	const struct rte_driver *driver;	/**< who drives it; NULL: nobody */
	const struct rte_bus *bus;	/**< its bus */
	int numa_node;	/**< the node it is near to; -1: none */
	struct rte_devargs *devargs;	/**< the user's arguments, or NULL */
};

/** Define an object that the linker keeps and tools find. */
#define RTE_PMD_EXPORT_SYMBOL(type, name) __attribute__((used)) type name

/** The driver @p name is in this file. */
#define RTE_PMD_EXPORT_NAME(name) \
RTE_PMD_EXPORT_SYMBOL(const char, this_pmd_name ## name)[] = RTE_STR(name)

/** @internal The name of the symbol in which tools find what a driver says. */
#define DRV_EXP_TAG(name, tag) name##_##tag

/** The driver @p name takes the devices of @p table, which ends with a row of zeros. */
#define RTE_PMD_REGISTER_PCI_TABLE(name, table) \
RTE_PMD_EXPORT_SYMBOL(const char, DRV_EXP_TAG(name, pci_tbl_export))[] = RTE_STR(table)

/** The driver @p name understands the arguments that the text @p str describes. */
#define RTE_PMD_REGISTER_PARAM_STRING(name, str) \
RTE_PMD_EXPORT_SYMBOL(const char, DRV_EXP_TAG(name, param_string_export))[] = str

/**
 * The driver @p name needs kernel modules. The text @p str has lines "PATTERN EXPRESSION":
 * "*" or the start of a modalias such as "pci:v00008086d*", then modules with &, | and
 * parentheses.
 */
#define RTE_PMD_REGISTER_KMOD_DEP(name, str) \
RTE_PMD_EXPORT_SYMBOL(const char, DRV_EXP_TAG(name, kmod_dep_export))[] = str

#ifdef __cplusplus
}
#endif

#endif /* DEV_DRIVER_H */
