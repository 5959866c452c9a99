/* SPDX-License-Identifier: BSD-3-Clause */

#include <execinfo.h>
#include <stdarg.h>
#include <stdlib.h>

#include <eal_export.h>
#include <rte_debug.h>
#include <rte_log.h>

#define STACK_DEPTH 64

RTE_EXPORT_SYMBOL(rte_dump_stack)
void
rte_dump_stack(void)
{
	void *frames[STACK_DEPTH];
	char **names;
	int i, nb;

	nb = backtrace(frames, STACK_DEPTH);
	names = backtrace_symbols(frames, nb);
	for (i = 0; names != NULL && i < nb; i++)
		RTE_LOG(ERR, EAL, "%d: %s\n", i, names[i]);
	free(names);
}

RTE_EXPORT_SYMBOL(__rte_panic)
void
__rte_panic(const char *funcname, const char *format, ...)
{
	va_list ap;

	rte_log(RTE_LOG_CRIT, RTE_LOGTYPE_EAL, "PANIC in %s(): ", funcname);
	va_start(ap, format);
	rte_vlog(RTE_LOG_CRIT, RTE_LOGTYPE_EAL, format, ap);
	va_end(ap);
	rte_dump_stack();
	abort();
}
