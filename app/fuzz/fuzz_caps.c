/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>

#include "vu_caps.h"

#include "fuzz.h"

/* What was read must be something that can be said, and be read again. */
static void
round_trip(const struct vu_caps *caps)
{
	struct vu_caps again;
	const char *why;
	char text[1024];
	int len;

	len = vu_caps_print(caps, text, sizeof(text));
	if (len < 0 || vu_caps_parse(text, (size_t)len, &again, &why) < 0)
		abort();
	if (again.max_msg_fds != caps->max_msg_fds || again.pgsizes != caps->pgsizes ||
			again.max_data_xfer_size != caps->max_data_xfer_size ||
			again.max_dma_maps != caps->max_dma_maps ||
			again.write_multiple != caps->write_multiple ||
			again.map_multiple != caps->map_multiple ||
			again.twin_socket != caps->twin_socket)
		abort();
}

int
fuzz_caps(const uint8_t *data, size_t len)
{
	struct vu_caps caps;
	const char *why;

	if (vu_caps_parse((const char *)data, len, &caps, &why) == 0)
		round_trip(&caps);
	return 0;
}
