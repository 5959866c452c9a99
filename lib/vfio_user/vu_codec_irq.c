/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <rte_common.h>
#include <rte_vfio_region.h>

#include "vu_codec.h"
#include "vu_codec_priv.h"

/* DEVICE_SET_IRQS. */

static int
irq_flags_decode(uint32_t flags, struct vu_irq_set *set)
{
	const uint32_t known = VFIO_IRQ_SET_DATA_TYPE_MASK | VFIO_IRQ_SET_ACTION_TYPE_MASK;

	set->data = flags & VFIO_IRQ_SET_DATA_TYPE_MASK;
	set->action = flags & VFIO_IRQ_SET_ACTION_TYPE_MASK;
	return (flags & ~known) == 0 && vu_is_pow2(set->data) && vu_is_pow2(set->action) ? 0 :
		-EINVAL;
}

/* Error and request notify the client; there is nothing to be masked. */
static bool
irq_action_fits(const struct vu_irq_set *set)
{
	return set->action == VFIO_IRQ_SET_ACTION_TRIGGER ||
		(set->index != VFIO_PCI_ERR_IRQ_INDEX && set->index != VFIO_PCI_REQ_IRQ_INDEX);
}

static bool
irq_vectors_fit(const struct vu_irq_set *set, const struct vfio_irq_info *irq)
{
	/* no vectors: only to disable all of them */
	if (set->count == 0)
		return set->start == 0 && set->data == VFIO_IRQ_SET_DATA_NONE &&
			set->action == VFIO_IRQ_SET_ACTION_TRIGGER;
	return vu_range_inside(set->start, set->count, irq->count);
}

static bool
irq_data_fits(const struct vu_irq_set *set, size_t len, unsigned int nb_fds)
{
	if (set->data != VFIO_IRQ_SET_DATA_EVENTFD && nb_fds > 0)
		return false;
	if (nb_fds > 0 && nb_fds != set->count)
		return false;
	return len == (set->data == VFIO_IRQ_SET_DATA_BOOL ? set->count : 0);
}

int
vu_irq_set_decode(const void *payload, size_t len, unsigned int nb_fds,
	const struct vfio_irq_info *irqs, uint32_t nb_irqs, struct vu_irq_set *set)
{
	struct vfio_irq_set fixed;

	if (!vu_fixed_copy(&fixed, sizeof(fixed), payload, len) || fixed.argsz < sizeof(fixed) ||
			irq_flags_decode(fixed.flags, set) < 0 || fixed.index >= nb_irqs)
		return -EINVAL;
	set->index = fixed.index;
	set->start = fixed.start;
	set->count = fixed.count;
	set->bools = (const uint8_t *)payload + sizeof(fixed);
	if (!irq_action_fits(set) || !irq_vectors_fit(set, &irqs[set->index]) ||
			!irq_data_fits(set, len - sizeof(fixed), nb_fds))
		return -EINVAL;
	return 0;
}

/* The descriptors of the ioctl's data from vector `from` on. */
static const int32_t *
irq_set_fds(const struct vfio_irq_set *set, uint32_t from)
{
	const void *data = set->data;

	return (const int32_t *)data + from;
}

/* Vectors from here on that are alike: all with a descriptor, or all without. */
static uint32_t
irq_set_run(const int32_t *fds, uint32_t nb, uint32_t max_fds)
{
	bool bound = fds[0] >= 0;
	uint32_t max = bound ? RTE_MIN(nb, max_fds) : nb;
	uint32_t run = 1;

	while (run < max && (fds[run] >= 0) == bound)
		run++;
	return run;
}

static int
irq_set_check(const struct vfio_irq_set *set, struct vu_irq_set *decoded)
{
	static const uint8_t width[] = {
		[VFIO_IRQ_SET_DATA_NONE] = 0,
		[VFIO_IRQ_SET_DATA_BOOL] = sizeof(uint8_t),
		[VFIO_IRQ_SET_DATA_EVENTFD] = sizeof(int32_t),
	};

	if (set->argsz < sizeof(*set) || irq_flags_decode(set->flags, decoded) < 0)
		return -EINVAL;
	if ((uint64_t)set->count * width[decoded->data] > set->argsz - sizeof(*set))
		return -EINVAL;
	return set->count > UINT32_MAX - set->start ? -EINVAL : 0;
}

/* The data of the next vectors, at most as many as fit in one request; their number. */
static uint32_t
irq_msg_data(const struct vfio_irq_set *set, uint32_t from, uint32_t max_fds,
	struct vu_irq_msg *msg)
{
	uint32_t nb = set->count - from;

	if (set->flags & VFIO_IRQ_SET_DATA_BOOL) {
		uintptr_t data = (uintptr_t)set->data + from;

		msg->payload[msg->nb++] = (struct iovec) { (void *)data, nb };
	} else if (set->flags & VFIO_IRQ_SET_DATA_EVENTFD) {
		msg->fds = irq_set_fds(set, from);
		nb = irq_set_run(msg->fds, nb, RTE_MIN(max_fds, VU_SCM_MAX_FD));
		msg->nb_fds = msg->fds[0] >= 0 ? nb : 0;
	}
	return nb;
}

int
vu_irq_set_next(const struct vfio_irq_set *set, uint32_t max_fds, uint32_t *done,
	struct vu_irq_msg *msg)
{
	struct vu_irq_set decoded;
	/* a set without vectors is one request, too */
	uint32_t all = RTE_MAX(set->count, 1u);

	if (irq_set_check(set, &decoded) < 0 || max_fds == 0)
		return -EINVAL;
	if (*done >= all)
		return 0;
	memset(msg, 0, sizeof(*msg));
	msg->payload[0] = (struct iovec) { &msg->fixed, sizeof(msg->fixed) };
	msg->nb = 1;
	msg->fixed.flags = set->flags;
	msg->fixed.index = set->index;
	msg->fixed.start = set->start + *done;
	msg->fixed.count = set->count > 0 ? irq_msg_data(set, *done, max_fds, msg) : 0;
	msg->fixed.argsz = (uint32_t)(sizeof(msg->fixed) + msg->payload[1].iov_len);
	*done += RTE_MAX(msg->fixed.count, 1u);
	return 1;
}
