/* SPDX-License-Identifier: BSD-3-Clause */

#include "eal_contigmem.h"
#include "eal_segments.h"

/* There are no huge pages to ask for here; the buffers of contigmem take their place. */
unsigned int
eal_hugepages_find(struct eal_hugepages *out, unsigned int max)
{
	struct eal_contigmem contigmem;

	if (max == 0 || eal_contigmem_read(&contigmem) != 0)
		return 0;
	out->size = contigmem.size;
	out->nb_free = contigmem.nb;
	return 1;
}
