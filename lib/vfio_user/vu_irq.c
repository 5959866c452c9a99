/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vu_epoch.h"
#include "vu_event.h"
#include "vu_irq.h"

/* Descriptors taken out of use that one grace period serves. */
#define STASH_MAX 64u

static int
irq_type_init(struct vu_irq_type *type, const struct vfio_irq_info *info)
{
	uint32_t i, event;

	type->flags = info->flags;
	type->vectors = calloc(info->count + 1, sizeof(*type->vectors));
	if (type->vectors == NULL)
		return -ENOMEM;
	type->count = info->count;
	for (i = 0; i < type->count; i++)
		for (event = 0; event < VU_IRQ_EVENT_NB; event++)
			atomic_init(&type->vectors[i].fd[event], -1);
	return 0;
}

static void
irq_types_free(struct vu_irq_types *types)
{
	uint32_t i;

	for (i = 0; i < types->nb; i++)
		free(types->type[i].vectors);
	free(types);
}

int
vu_irqs_init(struct vu_irqs *irqs, const struct vfio_irq_info *info, uint32_t nb)
{
	struct vu_irq_types *types;

	types = calloc(1, sizeof(*types) + nb * sizeof(types->type[0]));
	if (types == NULL)
		return -ENOMEM;
	vu_event_init();
	for (; types->nb < nb; types->nb++) {
		if (irq_type_init(&types->type[types->nb], &info[types->nb]) < 0) {
			irq_types_free(types);
			return -ENOMEM;
		}
	}
	types->older = irqs->all;
	irqs->all = types;
	atomic_store(&irqs->now, types);
	return 0;
}

void
vu_irqs_drop(struct vu_irqs *irqs)
{
	atomic_store(&irqs->now, NULL);
}

void
vu_irqs_fini(struct vu_irqs *irqs)
{
	struct vu_irq_types *types;

	vu_irqs_clear(irqs);
	while ((types = irqs->all) != NULL) {
		irqs->all = types->older;
		irq_types_free(types);
	}
	atomic_store(&irqs->now, NULL);
}

/* ---- raise ---- */

static void
vector_signal(struct vu_vector *vector, enum vu_irq_event event)
{
	int fd = atomic_load_explicit(&vector->fd[event], memory_order_acquire);

	if (fd >= 0)
		vu_event_signal(fd);
}

/* May the event go out now? If masked it is remembered; it may mask the vector itself. */
static bool
vector_admits(struct vu_vector *vector, bool automask)
{
	uint32_t state = atomic_load(&vector->state);
	uint32_t next;

	do {
		next = state;
		if (state & VU_VECTOR_MASKED)
			next |= VU_VECTOR_PENDING;
		else if (automask)
			next |= VU_VECTOR_MASKED;
		else
			return true;
	} while (!atomic_compare_exchange_weak(&vector->state, &state, next));
	return !(state & VU_VECTOR_MASKED);
}

static int
vector_raise(const struct vu_irq_type *type, struct vu_vector *vector)
{
	bool automask = type->flags & VFIO_IRQ_INFO_AUTOMASKED;

	/* in one order with what a caller wrote before, to be seen by who binds it now */
	if (atomic_load(&vector->fd[VU_IRQ_TRIGGER]) < 0)
		return -ENOTCONN;
	if (!vector_admits(vector, automask))
		return 0;
	vector_signal(vector, VU_IRQ_TRIGGER);
	if (automask)
		vector_signal(vector, VU_IRQ_MASK);
	return 0;
}

int
vu_irqs_raise(struct vu_irqs *irqs, uint32_t index, uint32_t vector)
{
	const struct vu_irq_type *type = vu_irq_type_find(irqs, index);

	if (type == NULL || vector >= type->count)
		return -EINVAL;
	return vector_raise(type, &type->vectors[vector]);
}

/* ---- what the client does ---- */

static void
vector_trigger(const struct vu_irq_type *type, struct vu_vector *vector)
{
	vector_raise(type, vector);
}

static void
vector_mask(const struct vu_irq_type *type, struct vu_vector *vector)
{
	(void)type;
	if (!(atomic_fetch_or(&vector->state, VU_VECTOR_MASKED) & VU_VECTOR_MASKED))
		vector_signal(vector, VU_IRQ_MASK);
}

static void
vector_unmask(const struct vu_irq_type *type, struct vu_vector *vector)
{
	uint32_t state = atomic_exchange(&vector->state, 0);

	if (state & VU_VECTOR_MASKED)
		vector_signal(vector, VU_IRQ_UNMASK);
	if (state & VU_VECTOR_PENDING)
		vector_raise(type, vector);
}

/* Actions of SET_IRQS: what they do to a vector, or which event of it they bind. */
static const struct irq_action {
	uint32_t flag;
	enum vu_irq_event event;
	void (*act)(const struct vu_irq_type *type, struct vu_vector *vector);
} actions[] = {
	{ VFIO_IRQ_SET_ACTION_TRIGGER, VU_IRQ_TRIGGER, vector_trigger },
	{ VFIO_IRQ_SET_ACTION_MASK, VU_IRQ_MASK, vector_mask },
	{ VFIO_IRQ_SET_ACTION_UNMASK, VU_IRQ_UNMASK, vector_unmask },
};

static const struct irq_action *
action_find(uint32_t flag)
{
	const struct irq_action *action = actions;

	while (action->flag != flag)
		action++;
	return action;
}

/* Descriptors that left a vector and that somebody may still be writing to. */
struct stash {
	unsigned int nb;
	int fd[STASH_MAX];
};

static void
stash_flush(struct stash *stash)
{
	if (stash->nb == 0)
		return;
	vu_epoch_wait();
	while (stash->nb > 0)
		close(stash->fd[--stash->nb]);
}

static void
vector_bind(struct vu_vector *vector, enum vu_irq_event event, int fd, struct stash *stash)
{
	int old = atomic_exchange(&vector->fd[event], fd);

	if (old < 0)
		return;
	stash->fd[stash->nb++] = old;
	if (stash->nb == STASH_MAX)
		stash_flush(stash);
}

static void
irq_type_clear(struct vu_irq_type *type, struct stash *stash)
{
	uint32_t i, event;

	for (i = 0; i < type->count; i++) {
		for (event = 0; event < VU_IRQ_EVENT_NB; event++)
			vector_bind(&type->vectors[i], event, -1, stash);
		atomic_store(&type->vectors[i].state, 0);
	}
}

void
vu_irqs_clear(struct vu_irqs *irqs)
{
	struct vu_irq_types *types = atomic_load(&irqs->now);
	struct stash stash = { .nb = 0 };
	uint32_t i;

	for (i = 0; types != NULL && i < types->nb; i++)
		irq_type_clear(&types->type[i], &stash);
	stash_flush(&stash);
}

/* An eventfd is a file without a type; what has one could make the writer wait. */
static bool
fd_is_event(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == 0;
}

static bool
fds_are_events(const struct vu_fds *fds)
{
	unsigned int i;

	for (i = 0; i < fds->nb; i++)
		if (!fd_is_event(fds->fd[i]))
			return false;
	return true;
}

static int
irqs_bind(struct vu_irq_type *type, const struct vu_irq_set *set, enum vu_irq_event event,
	struct vu_fds *fds)
{
	struct stash stash = { .nb = 0 };
	uint32_t i;

	if (!fds_are_events(fds))
		return -EINVAL;
	for (i = 0; i < set->count; i++)
		vector_bind(&type->vectors[set->start + i], event, vu_fds_take(fds, i), &stash);
	stash_flush(&stash);
	return 0;
}

static void
irqs_disable(struct vu_irq_type *type)
{
	struct stash stash = { .nb = 0 };

	irq_type_clear(type, &stash);
	stash_flush(&stash);
}

int
vu_irqs_apply(struct vu_irqs *irqs, const struct vu_irq_set *set, struct vu_fds *fds)
{
	const struct irq_action *action = action_find(set->action);
	struct vu_irq_type *type = vu_irq_type_find(irqs, set->index);
	uint32_t i;

	if (set->data == VFIO_IRQ_SET_DATA_EVENTFD)
		return irqs_bind(type, set, action->event, fds);
	if (set->count == 0)
		irqs_disable(type);
	for (i = 0; i < set->count; i++)
		if (set->data != VFIO_IRQ_SET_DATA_BOOL || set->bools[i] != 0)
			action->act(type, &type->vectors[set->start + i]);
	return 0;
}
