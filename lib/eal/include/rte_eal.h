/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_EAL_H
#define RTE_EAL_H

/**
 * @file
 * Starting and stopping EAL, and the facts that its options settle. Unless a function says
 * otherwise it is called after rte_eal_init(), from any thread.
 */

#include <stdint.h>
#include <sched.h>

#include <rte_compat.h>
#include <rte_config.h>
#include <rte_pci_dev_feature_defs.h>
#include <rte_per_lcore.h>
#include <rte_uuid.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a process is among those that share devices. This EAL knows primary ones only. */
enum rte_proc_type_t {
	RTE_PROC_AUTO = -1,	/**< not known yet */
	RTE_PROC_PRIMARY = 0,	/**< owns the devices */
	RTE_PROC_SECONDARY,	/**< uses the devices of a primary process */
	RTE_PROC_INVALID
};

/** What kind of address devices get. */
enum rte_iova_mode {
	RTE_IOVA_DC = 0,	/**< it does not matter */
	RTE_IOVA_PA = (1 << 0),	/**< physical addresses */
	RTE_IOVA_VA = (1 << 1)	/**< addresses of this process, behind an IOMMU */
};

/**
 * What is this process? Any thread, before rte_eal_init() as well.
 *
 * @return RTE_PROC_PRIMARY: there are no others here.
 */
enum rte_proc_type_t rte_eal_process_type(void);

/**
 * Allow the calling thread, and those it makes later, to use x86 I/O ports.
 *
 * @return 0; other than 0 when the system refuses or the machine has no ports.
 */
int rte_eal_iopl_init(void);

/**
 * Start EAL: read the options, scan the buses, set up memory, probe the devices. From the main
 * thread, before any other; again only after rte_eal_cleanup().
 *
 * @param argc How many strings @p argv has.
 * @param argv The program's arguments. Those of EAL come first; they end with "--", or before the
 *   first that is no option. EAL copies what it keeps.
 * @return How many strings EAL took, without the program's name. argv[that number] becomes the
 *   program's name, so that what follows can be read as a command line of its own. --help leaves
 *   the program by exit(). On failure -1 with nothing left behind and rte_errno
 *   - EALREADY: EAL runs already
 *   - EINVAL: an option is wrong, the log says which and why
 *   - ENOMEM: memory ran out
 *   - ENOTSUP: the wanted IOVA mode cannot be had
 *   - EACCES, ENODEV, ...: as the failing step says; the log names the step
 */
int rte_eal_init(int argc, char **argv);

/**
 * Undo rte_eal_init(): remove the devices and give everything back. From the main thread, after
 * all others have stopped using EAL.
 *
 * @return 0; -EALREADY when EAL does not run.
 */
int rte_eal_cleanup(void);

/**
 * May memory be in huge pages? Any thread, after rte_eal_init().
 *
 * @return 0: no, by --no-huge; 1: yes.
 */
int rte_eal_has_hugepages(void);

/**
 * May PCI devices be used? Any thread, after rte_eal_init().
 *
 * @return 0: no, by --no-pci; 1: yes.
 */
int rte_eal_has_pci(void);

/**
 * Shall device files of UIO be made when missing? Any thread, after rte_eal_init().
 *
 * @return 1: yes, by --create-uio-dev; 0: no.
 */
int rte_eal_create_uio_dev(void);

/**
 * Which kind of interrupts does the user want? Any thread, after rte_eal_init().
 *
 * @return What --vfio-intr says; RTE_INTR_MODE_NONE without that option.
 */
enum rte_intr_mode rte_eal_vfio_intr_mode(void);

/**
 * Get the token that --vfio-vf-token gives. Any thread, after rte_eal_init().
 *
 * @param vf_token Where it goes; zeros without that option.
 */
void rte_eal_vfio_get_vf_token(rte_uuid_t vf_token);

/**
 * The kind of addresses that devices get. Any thread.
 *
 * @return RTE_IOVA_PA or RTE_IOVA_VA; RTE_IOVA_DC before rte_eal_init() settled it.
 */
enum rte_iova_mode rte_eal_iova_mode(void);

/**
 * The folder for files of this process. Any thread, after rte_eal_init().
 *
 * @return Its path, which lasts until rte_eal_cleanup(); "": there is none, or the log says why,
 *   such as that another user could change what is in it.
 */
const char *rte_eal_get_runtime_dir(void);

/**
 * Where mappings start in this process. Any thread, after rte_eal_init().
 *
 * @return The address that --base-virtaddr gives, or the system's own.
 */
__rte_internal
uint64_t rte_eal_get_baseaddr(void);

/** Prints the options of a program, after those of EAL. */
typedef void (*rte_usage_hook_t)(const char *prgname);

/**
 * Set what --help calls after EAL's own text. Before rte_eal_init(); not from several threads.
 *
 * @param usage_func The function, or NULL.
 * @return The function set before, or NULL.
 */
rte_usage_hook_t rte_set_application_usage_hook(rte_usage_hook_t usage_func);

/**
 * The system's number of the calling thread, asked each time.
 *
 * @return The number.
 */
int rte_sys_gettid(void);

RTE_DECLARE_PER_LCORE(int, _thread_id);

/**
 * The system's number of the calling thread, from a copy after the first call.
 *
 * @return The number.
 */
static inline int
rte_gettid(void)
{
	if (RTE_PER_LCORE(_thread_id) == -1)
		RTE_PER_LCORE(_thread_id) = rte_sys_gettid();
	return RTE_PER_LCORE(_thread_id);
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_EAL_H */
