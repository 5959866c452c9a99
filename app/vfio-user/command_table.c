/* SPDX-License-Identifier: BSD-3-Clause */

/* Prints the guide's table of commands, from the table that the library checks messages with. */

#include <inttypes.h>
#include <stdio.h>

#include "vu_cmd.h"

static void
shape_print(const struct vu_shape *shape)
{
	const bool longer = shape->tail != NULL || shape->count_at > 0;

	if (shape->fixed == 0 && longer)
		printf(",n,");
	else
		printf(",%" PRIu32 "%s,", shape->fixed, longer ? " + n" : "");
	if (shape->max_fds == VU_FDS_COUNTED)
		printf("n");
	else
		printf("%u", shape->max_fds);
}

int
main(void)
{
	const struct vu_cmd_desc *desc;
	uint32_t cmd;

	printf("No.,Command,Sent by,Request,Fds,Reply,Fds\n");
	for (cmd = 0; cmd < VU_CMD_NB; cmd++) {
		desc = vu_cmd_desc(cmd);
		if (desc == NULL)
			continue;
		printf("%" PRIu32 ",``%s``,%s", cmd, desc->name,
			desc->dir == VU_TO_SERVER ? "client" : "server");
		shape_print(&desc->request);
		shape_print(&desc->reply);
		printf("\n");
	}
	return 0;
}
