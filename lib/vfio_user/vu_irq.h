/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_IRQ_H
#define VU_IRQ_H

/**
 * @file
 * The interrupts of a served device: which eventfds the client bound to which vectors. One thread
 * changes them, any thread raises them at the same time without a lock.
 */

#include <stdatomic.h>
#include <stdint.h>

#include "vu_codec.h"
#include "vu_fds.h"

/** What the client can bind an eventfd to. */
enum vu_irq_event {
	VU_IRQ_TRIGGER,	/**< the device raises the interrupt */
	VU_IRQ_MASK,	/**< it was masked */
	VU_IRQ_UNMASK,	/**< it was unmasked */
	VU_IRQ_EVENT_NB,
};

#define VU_VECTOR_MASKED  0x1u
#define VU_VECTOR_PENDING 0x2u	/**< raised while masked */

struct vu_vector {
	_Atomic int fd[VU_IRQ_EVENT_NB];	/**< owned; -1: none */
	_Atomic uint32_t state;	/**< VU_VECTOR_* */
};

struct vu_irq_type {
	uint32_t count;	/**< vectors */
	uint32_t flags;	/**< VFIO_IRQ_INFO_* */
	struct vu_vector *vectors;
};

/** All types of a device. */
struct vu_irq_types {
	struct vu_irq_types *older;	/**< of a start that failed */
	uint32_t nb;
	struct vu_irq_type type[];
};

/** Zeroes are a device that is not started. */
struct vu_irqs {
	_Atomic(struct vu_irq_types *) now;	/**< NULL: none; threads may raise at any time */
	struct vu_irq_types *all;	/**< those that are to be freed in the end */
};

/** @return 0, -ENOMEM */
int vu_irqs_init(struct vu_irqs *irqs, const struct vfio_irq_info *info, uint32_t nb);

/** The start has failed: there are none. */
void vu_irqs_drop(struct vu_irqs *irqs);

/** Unbind everything and free. Nobody raises any more. */
void vu_irqs_fini(struct vu_irqs *irqs);

/** @return the type, or NULL: there is none. In a section. */
static inline struct vu_irq_type *
vu_irq_type_find(const struct vu_irqs *irqs, uint32_t index)
{
	struct vu_irq_types *types = atomic_load_explicit(&irqs->now, memory_order_acquire);

	return types != NULL && index < types->nb ? &types->type[index] : NULL;
}

/**
 * Raise an interrupt, from any thread, in a section (vu_epoch_enter()).
 *
 * @return as rte_vfio_user_irq_raise()
 */
int vu_irqs_raise(struct vu_irqs *irqs, uint32_t index, uint32_t vector);

/**
 * Do what SET_IRQS says.
 *
 * @param fds
 *   Those that are bound are taken.
 * @return 0; -EINVAL: a descriptor is no eventfd, nothing was changed
 */
int vu_irqs_apply(struct vu_irqs *irqs, const struct vu_irq_set *set, struct vu_fds *fds);

/** Unbind everything, forget masks. Waits for those who raise. */
void vu_irqs_clear(struct vu_irqs *irqs);

#endif /* VU_IRQ_H */
