/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

/* What a test loads by -d; says that it was. */
static void __attribute__((constructor))
sample_plugin_init(void)
{
	setenv("SAMPLE_PLUGIN", "loaded", 1);
}
