/* SPDX-License-Identifier: BSD-3-Clause */

/* What device code calls while its session is served. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>
#include <eal_export.h>

#include "vu_dirty.h"
#include "vu_epoch.h"
#include "vu_session.h"

/* ---- poll mode ---- */

static bool
session_is_polled(const struct vu_session *s)
{
	return s->opt.flags & RTE_VFIO_USER_F_POLL && s->started;
}

/* Until the call of who wants attention is there as well, the next poll looks for it again. */
static __rte_noinline void
session_take_kick(struct vu_session *s)
{
	uint64_t count;

	vu_session_stir(s);
	if (read(s->kick_fd, &count, sizeof(count)) > 0)
		atomic_exchange(&s->attention, false);
}

/* Idle polls after which the second socket is looked at, although nothing is expected there. */
#define TWIN_IDLE_POLLS 256u

/* A client that leaves it, or says what it should not, wakes who sleeps on the descriptor. */
static void
session_mind_twin(struct vu_session *s)
{
	if (++s->idle_polls % TWIN_IDLE_POLLS != 0)
		return;
	s->twin_ready = true;
	vu_session_stir(s);
}

static int
session_poll(struct vu_session *s)
{
	unsigned int nb;

	if (!session_is_polled(s))
		return -EINVAL;
	atomic_store_explicit(&s->poll_thread, (unsigned long)pthread_self(), memory_order_relaxed);
	if (unlikely(atomic_load_explicit(&s->attention, memory_order_relaxed)))
		session_take_kick(s);
	nb = vu_session_turn(s);
	if (nb == 0 && unlikely(s->twin.sock >= 0))
		session_mind_twin(s);
	return (int)nb;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_poll, 25.11)
int
rte_vfio_user_poll(int dev_id)
{
	struct vu_session *s = vu_session_get(dev_id);
	int rc;

	if (s == NULL)
		return -ENODEV;
	rc = session_poll(s);
	vu_session_put(s);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_poll_fd, 25.11)
int
rte_vfio_user_poll_fd(int dev_id)
{
	struct vu_session *s = vu_session_get(dev_id);
	int rc;

	if (s == NULL)
		return -ENODEV;
	rc = session_is_polled(s) ? s->epfd : -EINVAL;
	vu_session_put(s);
	return rc;
}

/* ---- interrupts ---- */

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_irq_raise, 25.11)
int
rte_vfio_user_irq_raise(int dev_id, uint32_t index, uint32_t vector)
{
	struct vu_session *s;
	int rc = -ENODEV;

	if (vu_epoch_enter() < 0)
		return rc;
	s = vu_session_find(dev_id);
	if (s != NULL)
		rc = vu_irqs_raise(&s->irqs, index, vector);
	vu_epoch_leave();
	return rc;
}

static int
irqs_get(struct vu_irqs *irqs, uint32_t index, uint32_t count, int *fds)
{
	const struct vu_irq_type *type = vu_irq_type_find(irqs, index);
	uint32_t i;

	if (type == NULL || count > type->count)
		return -EINVAL;
	for (i = 0; i < count; i++)
		fds[i] = atomic_load(&type->vectors[i].fd[VU_IRQ_TRIGGER]);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_get_irq, 25.11)
int
rte_vfio_user_get_irq(int dev_id, uint32_t index, uint32_t count, int *fds)
{
	struct vu_session *s;
	int rc = -ENODEV;

	if (vu_epoch_enter() < 0)
		return rc;
	s = vu_session_find(dev_id);
	if (s != NULL)
		rc = irqs_get(&s->irqs, index, count, fds);
	vu_epoch_leave();
	return rc;
}

/* ---- memory ---- */

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_get_mem_table, 25.11)
const struct rte_vfio_user_mem *
rte_vfio_user_get_mem_table(int dev_id)
{
	struct vu_session *s = vu_session_hold(dev_id);
	const struct rte_vfio_user_mem *mem;

	if (s == NULL)
		return NULL;
	mem = vu_dma_flat(&s->dma);
	vu_session_put(s);
	return mem;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_enter, 25.11)
int
rte_vfio_user_dma_enter(int dev_id)
{
	int rc = vu_epoch_enter();

	if (unlikely(rc < 0))
		return rc;
	if (likely(vu_session_find(dev_id) != NULL))
		return 0;
	vu_epoch_leave();
	return -ENODEV;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_leave, 25.11)
void
rte_vfio_user_dma_leave(int dev_id)
{
	struct vu_session *s = vu_session_find(dev_id);
	bool broken;

	/* the session may be freed as soon as the section is left */
	broken = s != NULL && unlikely(atomic_load_explicit(&s->dma.broken, memory_order_relaxed));
	if (broken)
		vu_session_attend(s);
	vu_epoch_leave();
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_sg, 25.11)
int
rte_vfio_user_dma_sg(int dev_id, uint64_t addr, uint64_t len, int prot, struct iovec *iov,
	int nb_iov)
{
	struct vu_session *s;
	int rc = -ENODEV;

	if (unlikely(vu_epoch_enter() < 0))
		return rc;
	s = vu_session_find(dev_id);
	if (likely(s != NULL && atomic_load_explicit(&s->ready, memory_order_relaxed)))
		rc = vu_dma_sg(&s->dma, addr, len, prot, iov, nb_iov);
	vu_epoch_leave();
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_dirty, 25.11)
void
rte_vfio_user_dma_dirty(int dev_id, uint64_t addr, uint64_t len)
{
	struct vu_session *s;

	if (vu_epoch_enter() < 0)
		return;
	s = vu_session_find(dev_id);
	if (s != NULL && len > 0)
		vu_dma_dirty_mark(&s->dma, addr, len);
	vu_epoch_leave();
}

/* A copy of a range of guest memory, region after region. */
struct dma_copy {
	uint64_t addr;
	uint8_t *buf;
	uint64_t left;
	bool write;
};

static void
copy_advance(struct dma_copy *copy, uint64_t n)
{
	copy->addr += n;
	copy->buf += n;
	copy->left -= n;
}

/*
 * Copy what is mapped of the region at the start of the range, in a section.
 * Returns 0; 1: the region is reached by messages only, *n bytes of it; or -errno.
 */
static int
copy_mapped(struct vu_session *s, struct dma_copy *copy, uint64_t *n)
{
	const struct vu_dma_region *region = vu_dma_find(&s->dma, copy->addr);
	int prot = copy->write ? PROT_WRITE : PROT_READ;
	uint8_t *at;
	int rc;

	if (region == NULL)
		return -EFAULT;
	if (!(region->prot & prot))
		return -EACCES;
	*n = RTE_MIN(copy->left - 1, region->last - copy->addr) + 1;
	rc = vu_dma_region_base(region, &at);
	if (rc < 0)
		return rc == -ENOTSUP ? 1 : rc;
	at += copy->addr - region->addr;
	memcpy(copy->write ? at : copy->buf, copy->write ? copy->buf : at, (size_t)*n);
	if (copy->write)
		vu_dma_dirty_mark(&s->dma, copy->addr, *n);
	if (unlikely(atomic_load_explicit(&s->dma.broken, memory_order_relaxed))) {
		vu_session_attend(s);
		return -EFAULT;
	}
	return 0;
}

static int
copy_next(struct vu_session *s, struct dma_copy *copy)
{
	uint64_t n;
	int rc;

	rc = vu_epoch_enter();
	if (rc < 0)
		return rc;
	rc = copy_mapped(s, copy, &n);
	vu_epoch_leave();
	if (rc == 1)
		rc = vu_dma_msg_copy(s, copy->addr, copy->buf, n, copy->write);
	if (rc == 0)
		copy_advance(copy, n);
	return rc;
}

static int
dma_copy(int dev_id, struct dma_copy *copy)
{
	struct vu_session *s = vu_session_get(dev_id);
	int rc = 0;

	if (s == NULL)
		return -ENODEV;
	if (!atomic_load(&s->ready))
		rc = -ENODEV;
	else if (copy->left > 0 && !vu_range_valid(copy->addr, copy->left))
		rc = -EINVAL;
	while (rc == 0 && copy->left > 0)
		rc = copy_next(s, copy);
	vu_session_put(s);
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_read, 25.11)
int
rte_vfio_user_dma_read(int dev_id, uint64_t addr, void *buf, uint64_t len)
{
	struct dma_copy copy = { .addr = addr, .buf = buf, .left = len };

	return dma_copy(dev_id, &copy);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_dma_write, 25.11)
int
rte_vfio_user_dma_write(int dev_id, uint64_t addr, const void *buf, uint64_t len)
{
	struct dma_copy copy = {
		.addr = addr,
		.buf = (uint8_t *)(uintptr_t)buf,
		.left = len,
		.write = true,
	};

	return dma_copy(dev_id, &copy);
}

/* ---- region I/O descriptors ---- */

static bool
io_fd_fits(const struct vu_session *s, const struct rte_vfio_user_io_fd *io_fd)
{
	return io_fd->region < s->dev.nb_regions && io_fd->fd >= 0 &&
		vu_range_inside(io_fd->offset, RTE_MAX(io_fd->size, UINT64_C(1)),
			s->dev.regions[io_fd->region].pub.info->size);
}

/* Until it is started, the regions may be described anew. */
static bool
io_fds_fit(const struct vu_session *s, const struct rte_vfio_user_io_fd *io_fd, uint32_t nb)
{
	uint32_t i = 0;

	vu_sessions_hold_still();
	while (i < nb && io_fd_fits(s, &io_fd[i]))
		i++;
	vu_sessions_go_on();
	return i == nb;
}

static int
io_fds_replace(struct vu_session *s, const struct rte_vfio_user_io_fd *io_fd, uint32_t nb)
{
	struct vu_io_fd_list *list;

	if (!io_fds_fit(s, io_fd, nb))
		return -EINVAL;
	list = malloc(sizeof(*list) + nb * sizeof(*io_fd));
	if (list == NULL)
		return -ENOMEM;
	list->nb = nb;
	if (nb > 0)
		memcpy(list->entry, io_fd, nb * sizeof(*io_fd));
	list = atomic_exchange(&s->io_fds, list);
	vu_epoch_wait();
	free(list);
	return 0;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_set_io_fds, 25.11)
int
rte_vfio_user_set_io_fds(int dev_id, const struct rte_vfio_user_io_fd *io_fd, uint32_t nb)
{
	struct vu_session *s = vu_session_get(dev_id);
	int rc;

	if (s == NULL)
		return -ENODEV;
	/* who waits for the end of all sections must not be in one: two would do so for ever */
	rc = vu_epoch_inside() ? -EDEADLK : io_fds_replace(s, io_fd, nb);
	vu_session_put(s);
	return rc;
}
