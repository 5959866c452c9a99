/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>

#include <eal_export.h>
#include <rte_common.h>
#include <rte_errno.h>

#include "eal_errno.h"

RTE_EXPORT_SYMBOL(per_lcore__rte_errno)
RTE_DEFINE_PER_LCORE(int, _rte_errno);

#define ERROR_TEXT_LEN 128
static RTE_DEFINE_PER_LCORE(char[ERROR_TEXT_LEN], error_text);

RTE_EXPORT_SYMBOL(rte_strerror)
const char *
rte_strerror(int errnum)
{
	static const struct {
		int errnum;
		const char *text;
	} own[] = {
		{ E_RTE_SECONDARY, "not possible in a secondary process" },
		{ E_RTE_NO_CONFIG, "EAL is not started" },
	};
	size_t i;

	for (i = 0; i < RTE_DIM(own); i++)
		if (own[i].errnum == errnum)
			return own[i].text;
	return eal_strerror(errnum, RTE_PER_LCORE(error_text), ERROR_TEXT_LEN);
}

int
eal_errno_result(int rc)
{
	if (rc >= 0)
		return rc;
	rte_errno = -rc;
	return -1;
}
