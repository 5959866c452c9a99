/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include "test.h"
#include "vu_bystander.h"

void
bystander_start(struct bystander *b)
{
	memset(b, 0, sizeof(*b));
	served_start(&b->served, NULL);
	peer_open(&b->peer, b->served.path);
}

void
bystander_check(struct bystander *b)
{
	uint32_t got;

	b->count++;
	assert_int_equal(peer_write(&b->peer, SERVED_REGS, 0, &b->count, sizeof(b->count)), 0);
	assert_int_equal(peer_read(&b->peer, SERVED_REGS, 0, &got, sizeof(got)), 0);
	assert_int_equal(got, b->count);
	assert_int_equal(b->served.new_device, 1);
	assert_int_equal(b->served.destroy_device, 0);
}

void
bystander_stop(struct bystander *b)
{
	bystander_check(b);
	peer_close(&b->peer);
	served_stop(&b->served);
}
