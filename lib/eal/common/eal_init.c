/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <eal_export.h>
#include <rte_bus.h>
#include <rte_common.h>
#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_log.h>
#include <rte_version.h>

#include "eal_bus.h"
#include "eal_devargs.h"
#include "eal_intr.h"
#include "eal_memory.h"
#include "eal_options.h"
#include "eal_plugins.h"
#include "eal_runtime_dir.h"
#include "eal_vfio.h"
#include "log_internal.h"

static struct {
	bool running;
	size_t nb_steps;	/* done, of those in the table */
	enum rte_iova_mode iova_mode;
	rte_usage_hook_t usage_hook;
} eal;

/* ---- steps that have no file of their own ---- */

static int
main_thread_init(void)
{
	RTE_PER_LCORE(_lcore_id) = rte_get_main_lcore();
	return 0;
}

static int
main_thread_cleanup(void)
{
	RTE_PER_LCORE(_lcore_id) = LCORE_ID_ANY;
	return 0;
}

static int
devargs_cleanup(void)
{
	eal_devargs_cleanup();
	return 0;
}

static int
iova_mode_init(void)
{
	enum rte_iova_mode wanted = eal_options()->iova_mode;
	enum rte_iova_mode bus = wanted == RTE_IOVA_DC ? rte_bus_get_iommu_class() : RTE_IOVA_DC;
	int rc = eal_iova_mode_pick(wanted, bus, &eal.iova_mode);

	if (rc == 0)
		RTE_LOG(DEBUG, EAL, "devices use %s addresses\n",
			eal.iova_mode == RTE_IOVA_PA ? "physical" : "virtual");
	return rc;
}

static int
iova_mode_cleanup(void)
{
	eal.iova_mode = RTE_IOVA_DC;
	return 0;
}

/* ---- start and stop ---- */

/*
 * Done in this order, undone in the reverse one. The buses are cleaned up twice: first while
 * all that drivers use is still there, then for when the start fails in between.
 */
static const struct eal_step {
	const char *name;
	int (*init)(void);
	int (*cleanup)(void);
} eal_steps[] = {
	{ "main thread", main_thread_init, main_thread_cleanup },
	{ "runtime folder", eal_runtime_dir_init, eal_runtime_dir_cleanup },
	{ "drivers", eal_plugins_load, NULL },
	{ "device options", eal_options_add_devices, devargs_cleanup },
	{ "interrupts", eal_intr_init, eal_intr_cleanup },
	{ "IO addresses", eal_iova_reset, eal_iova_reset },
	{ "bus scan", rte_bus_scan, eal_bus_cleanup },
	{ "IOVA mode", iova_mode_init, iova_mode_cleanup },
	{ "memory", eal_memory_init, eal_memory_cleanup },
	{ "VFIO", eal_vfio_init, eal_vfio_cleanup },
	{ "bus probe", rte_bus_probe, eal_bus_cleanup },
};

static void
steps_undo(void)
{
	const struct eal_step *step;
	int rc;

	while (eal.nb_steps > 0) {
		step = &eal_steps[--eal.nb_steps];
		rc = step->cleanup != NULL ? step->cleanup() : 0;
		if (rc < 0)
			RTE_LOG(ERR, EAL, "cannot undo %s: %s\n", step->name, strerror(-rc));
	}
}

static int
steps_do(void)
{
	const struct eal_step *step;
	int rc;

	for (eal.nb_steps = 0; eal.nb_steps < RTE_DIM(eal_steps); eal.nb_steps++) {
		step = &eal_steps[eal.nb_steps];
		rc = step->init != NULL ? step->init() : 0;
		if (rc < 0) {
			RTE_LOG(ERR, EAL, "cannot start: %s: %s\n", step->name, strerror(-rc));
			return rc;
		}
	}
	return 0;
}

static void
eal_stop(void)
{
	steps_undo();
	eal_options_reset();
	rte_eal_log_cleanup();
	eal.running = false;
}

static void
usage_print_and_exit(const char *prgname)
{
	eal_options_usage(prgname);
	if (eal.usage_hook != NULL)
		eal.usage_hook(prgname);
	eal_stop();
	exit(EXIT_SUCCESS);
}

static int
eal_start(int argc, char **argv)
{
	int nb_args, rc;

	nb_args = eal_options_parse(argc, argv);
	if (nb_args < 0)
		return nb_args;
	if (eal_options()->help)
		usage_print_and_exit(argv[0]);
	if (eal_options()->version)
		printf("%s\n", rte_version());
	rc = steps_do();
	return rc < 0 ? rc : nb_args;
}

RTE_EXPORT_SYMBOL(rte_eal_init)
int
rte_eal_init(int argc, char **argv)
{
	int rc;

	if (eal.running) {
		rte_errno = EALREADY;
		return -1;
	}
	if (argc < 1 || argv == NULL) {
		rte_errno = EINVAL;
		return -1;
	}
	eal.running = true;
	rc = eal_start(argc, argv);
	if (rc < 0) {
		eal_stop();
		rte_errno = -rc;
		return -1;
	}
	argv[rc] = argv[0];
	return rc;
}

RTE_EXPORT_SYMBOL(rte_eal_cleanup)
int
rte_eal_cleanup(void)
{
	if (!eal.running)
		return -EALREADY;
	eal_stop();
	return 0;
}

RTE_EXPORT_SYMBOL(rte_exit)
void
rte_exit(int exit_code, const char *format, ...)
{
	uint32_t level = exit_code == EXIT_SUCCESS ? RTE_LOG_INFO : RTE_LOG_CRIT;
	va_list ap;

	va_start(ap, format);
	rte_vlog(level, RTE_LOGTYPE_EAL, format, ap);
	va_end(ap);
	rte_eal_cleanup();
	exit(exit_code);
}

/* ---- facts ---- */

RTE_EXPORT_SYMBOL(rte_set_application_usage_hook)
rte_usage_hook_t
rte_set_application_usage_hook(rte_usage_hook_t usage_func)
{
	rte_usage_hook_t before = eal.usage_hook;

	eal.usage_hook = usage_func;
	return before;
}

RTE_EXPORT_SYMBOL(rte_eal_iova_mode)
enum rte_iova_mode
rte_eal_iova_mode(void)
{
	return eal.iova_mode;
}

RTE_EXPORT_SYMBOL(rte_eal_has_hugepages)
int
rte_eal_has_hugepages(void)
{
	return !eal_options()->no_huge;
}

RTE_EXPORT_SYMBOL(rte_eal_has_pci)
int
rte_eal_has_pci(void)
{
	return !eal_options()->no_pci;
}

RTE_EXPORT_SYMBOL(rte_eal_create_uio_dev)
int
rte_eal_create_uio_dev(void)
{
	return eal_options()->create_uio_dev;
}

RTE_EXPORT_SYMBOL(rte_eal_vfio_intr_mode)
enum rte_intr_mode
rte_eal_vfio_intr_mode(void)
{
	return eal_options()->vfio_intr_mode;
}

RTE_EXPORT_SYMBOL(rte_eal_vfio_get_vf_token)
void
rte_eal_vfio_get_vf_token(rte_uuid_t vf_token)
{
	rte_uuid_copy(vf_token, eal_options()->vfio_vf_token);
}
