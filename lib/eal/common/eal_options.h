/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_OPTIONS_H
#define EAL_OPTIONS_H

/**
 * @file
 * What the user asked for on the command line. Set while rte_eal_init() begins, constant until
 * rte_eal_cleanup().
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_devargs.h>
#include <rte_eal.h>
#include <rte_pci_dev_feature_defs.h>
#include <rte_uuid.h>

/** Bytes of --file-prefix, with NUL. */
#define EAL_FILE_PREFIX_LEN 64

/** How devices of VFIO are had. */
enum eal_vfio_mode_id {
	EAL_VFIO_MODE_AUTO,	/**< by nodes of their own if they have them, else by groups */
	EAL_VFIO_MODE_GROUP,
	EAL_VFIO_MODE_CDEV,
};

/** An option that may be given several times. */
struct eal_text {
	STAILQ_ENTRY(eal_text) next;
	enum rte_devtype devtype;	/**< -a or -b, for devices */
	char text[];	/**< the option's value */
};

STAILQ_HEAD(eal_text_list, eal_text);

struct eal_options {
	bool no_huge;	/**< --no-huge: ordinary pages only */
	bool no_pci;	/**< --no-pci: no PCI devices */
	bool in_memory;	/**< --in-memory: make no files */
	bool create_uio_dev;	/**< --create-uio-dev: make missing device files of UIO */
	bool help;	/**< --help */
	bool version;	/**< --version */
	size_t memory_mb;	/**< -m: MiB to have from the start; 0: not given */
	enum rte_iova_mode iova_mode;	/**< --iova-mode; RTE_IOVA_DC: not given */
	enum rte_intr_mode vfio_intr_mode;	/**< --vfio-intr; RTE_INTR_MODE_NONE: not given */
	enum eal_vfio_mode_id vfio_mode;	/**< --vfio-mode */
	rte_uuid_t vfio_vf_token;	/**< --vfio-vf-token; zeros: not given */
	uint64_t base_virtaddr;	/**< --base-virtaddr; 0: not given */
	char file_prefix[EAL_FILE_PREFIX_LEN];	/**< --file-prefix; "rte" when not given */
	struct eal_text_list devices;	/**< -a and -b, in order */
	struct eal_text_list plugins;	/**< -d, in order */
};

/** What the user asked for; defaults before rte_eal_init(). Never NULL. */
const struct eal_options *eal_options(void);

/**
 * Read the options of EAL. They end at "--", which is taken too, or at the first argument that
 * is neither an option nor the value of one. --log-level takes effect at once.
 *
 * @return How many strings of @p argv were taken, without the program's name; -EINVAL after a
 *   message that says which option is wrong and why; -ENOMEM.
 */
int eal_options_parse(int argc, char **argv);

/** Forget what eal_options_parse() read. */
void eal_options_reset(void);

/** Write what eal_options_parse() understands to the standard output. */
void eal_options_usage(const char *prgname);

/** Put -a and -b into the list of devargs; the buses must be known. 0, -EINVAL or -ENOMEM. */
int eal_options_add_devices(void);

#endif /* EAL_OPTIONS_H */
