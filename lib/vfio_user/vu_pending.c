/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stddef.h>

#include "vu_pending.h"

static struct vu_pending_slot *
pending_slot(struct vu_pending *pending, uint16_t id)
{
	return &pending->slot[id % VU_PENDING_MAX];
}

int
vu_pending_add(struct vu_pending *pending, uint16_t cmd, void *who)
{
	struct vu_pending_slot *slot;

	if (pending->nb == VU_PENDING_MAX)
		return -EBUSY;
	do {
		slot = pending_slot(pending, pending->next_id++);
	} while (slot->who != NULL);
	slot->who = who;
	slot->id = (uint16_t)(pending->next_id - 1);
	slot->cmd = cmd;
	pending->nb++;
	return slot->id;
}

void *
vu_pending_find(const struct vu_pending *pending, const struct vu_hdr *reply)
{
	const struct vu_pending_slot *slot = &pending->slot[reply->id % VU_PENDING_MAX];

	return slot->who != NULL && slot->id == reply->id && slot->cmd == reply->cmd ?
		slot->who : NULL;
}

static void *
pending_release(struct vu_pending *pending, struct vu_pending_slot *slot)
{
	void *who = slot->who;

	slot->who = NULL;
	pending->nb--;
	return who;
}

void *
vu_pending_take(struct vu_pending *pending, const struct vu_hdr *reply)
{
	if (vu_pending_find(pending, reply) == NULL)
		return NULL;
	return pending_release(pending, pending_slot(pending, reply->id));
}

bool
vu_pending_cancel(struct vu_pending *pending, uint16_t id)
{
	struct vu_pending_slot *slot = pending_slot(pending, id);

	if (slot->who == NULL || slot->id != id)
		return false;
	pending_release(pending, slot);
	return true;
}

void *
vu_pending_pop(struct vu_pending *pending)
{
	unsigned int i;

	for (i = 0; i < VU_PENDING_MAX; i++)
		if (pending->slot[i].who != NULL)
			return pending_release(pending, &pending->slot[i]);
	return NULL;
}
