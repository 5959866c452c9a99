/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vu_device.h"
#include "vu_dma.h"
#include "vu_dma_tree.h"
#include "vu_sigbus.h"

/* With an offset of 0 both are called alike. */
#ifdef SYS_mmap2
#define SYS_MMAP_CALL SYS_mmap2
#else
#define SYS_MMAP_CALL SYS_mmap
#endif

/* A table, or a place for one. Places are never freed: a handler may be looking at them. */
struct watch {
	struct watch *next;
	_Atomic(struct vu_dma *) dma;
	_Atomic(const struct vu_device *) dev;	/* NULL: its regions are not watched */
};

static _Atomic(struct watch *) watches;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sigaction before;
static size_t page_size;
static _Thread_local bool passing_on;

/* ---- in the handler: no lock, no allocation, no log ---- */

static struct vu_dma_region *
region_if_maps(struct vu_dma_region *region, uintptr_t addr)
{
	uintptr_t start = region != NULL ? (uintptr_t)vu_dma_mapping(region) : 0;

	if (start == 0)
		return NULL;
	return addr >= start && addr - start < region->mmap_size ? region : NULL;
}

/* Regions are ordered by IOVA, so each has to be looked at. This happens once for each region. */
static struct vu_dma_region *
find_in_tree(const struct vu_dma_node *node, uintptr_t addr)
{
	struct vu_dma_region *region = NULL;
	uint32_t i;

	for (i = 0; node != NULL && region == NULL && i < node->nb; i++) {
		if (node->level > 0)
			region = find_in_tree(node->child[i], addr);
		else
			region = region_if_maps(node->region[i], addr);
	}
	return region;
}

static struct vu_dma_region *
find_in_table(struct vu_dma *dma, uintptr_t addr)
{
	struct vu_dma_region *region;

	region = find_in_tree(atomic_load(&dma->root), addr);
	if (region == NULL)
		region = region_if_maps(atomic_load(&dma->leaving), addr);
	if (region == NULL)
		region = find_in_tree(atomic_load(&dma->all_leaving), addr);
	return region;
}

/* The call itself: what may stand before it in libc's place is not made for handlers. */
static bool
zeros_put(uintptr_t addr, size_t size)
{
	return syscall(SYS_MMAP_CALL, addr, size, PROT_READ | PROT_WRITE,
		MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0) != -1;
}

static bool
dma_mend(struct vu_dma *dma, uintptr_t addr)
{
	struct vu_dma_region *region = find_in_table(dma, addr);

	return region != NULL && zeros_put((uintptr_t)vu_dma_mapping(region),
		region->mmap_size);
}

/* A region of the device is mended by pages, which are lost in any case; huge ones all at once. */
static bool
region_mend(const struct rte_vfio_user_reg_info *reg, uintptr_t addr)
{
	uintptr_t start = (uintptr_t)reg->base;

	if (reg->fd < 0 || start == 0 || addr < start || addr - start >= reg->info->size)
		return false;
	return zeros_put(addr & ~(page_size - 1), page_size) ||
		zeros_put(start, (size_t)reg->info->size);
}

static bool
regions_mend(const struct vu_device *dev, uintptr_t addr)
{
	uint32_t i;

	for (i = 0; dev != NULL && i < dev->nb_regions; i++)
		if (region_mend(&dev->regions[i].pub, addr))
			return true;
	return false;
}

static bool
fault_mend(uintptr_t addr)
{
	struct watch *watch;
	struct vu_dma *dma;

	for (watch = atomic_load(&watches); watch != NULL; watch = watch->next) {
		dma = atomic_load(&watch->dma);
		if (dma == NULL)
			continue;
		if (dma_mend(dma, addr) || regions_mend(atomic_load(&watch->dev), addr)) {
			atomic_store(&dma->broken, true);
			return true;
		}
	}
	return false;
}

static void
handler_before(int sig, siginfo_t *info, void *context)
{
	if ((before.sa_flags & SA_SIGINFO) != 0)
		before.sa_sigaction(sig, info, context);
	else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN)
		before.sa_handler(sig);
	else
		signal(sig, SIG_DFL);
}

/*
 * A default handler ends the process when the access is tried again; so do two handlers that each
 * take the other for the one before it.
 */
static void
pass_on(int sig, siginfo_t *info, void *context)
{
	if (passing_on) {
		signal(sig, SIG_DFL);
		return;
	}
	passing_on = true;
	handler_before(sig, info, context);
	passing_on = false;
}

/* What is found is not freed meanwhile. */
static void
handler(int sig, siginfo_t *info, void *context)
{
	int saved_errno = errno;
	bool mended;

	vu_epoch_enter_signal();
	/* a signal that somebody sent has no address */
	mended = info->si_code > 0 && fault_mend((uintptr_t)info->si_addr);
	vu_epoch_leave_signal();
	if (!mended)
		pass_on(sig, info, context);
	errno = saved_errno;
}

/* ---- watching ---- */

/* Somebody may have put another handler in the place of ours since the last table. */
static int
handler_install(void)
{
	struct sigaction action = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
	struct sigaction now;

	if (sigaction(SIGBUS, NULL, &now) < 0)
		return -errno;
	if ((now.sa_flags & SA_SIGINFO) != 0 && now.sa_sigaction == handler)
		return 0;
	before = now;
	page_size = (size_t)sysconf(_SC_PAGESIZE);
	sigemptyset(&action.sa_mask);
	return sigaction(SIGBUS, &action, NULL) == 0 ? 0 : -errno;
}

static struct watch *
watch_get(void)
{
	struct watch *watch;

	for (watch = atomic_load(&watches); watch != NULL; watch = watch->next)
		if (atomic_load(&watch->dma) == NULL)
			return watch;
	watch = calloc(1, sizeof(*watch));
	if (watch == NULL)
		return NULL;
	watch->next = atomic_load(&watches);
	atomic_store(&watches, watch);
	return watch;
}

int
vu_sigbus_watch(struct vu_dma *dma)
{
	struct watch *watch;
	int rc;

	pthread_mutex_lock(&lock);
	rc = handler_install();
	watch = rc == 0 ? watch_get() : NULL;
	if (watch != NULL)
		atomic_store(&watch->dma, dma);
	else if (rc == 0)
		rc = -ENOMEM;
	pthread_mutex_unlock(&lock);
	return rc;
}

/* Under the lock. */
static struct watch *
watch_find(const struct vu_dma *dma)
{
	struct watch *watch = atomic_load(&watches);

	while (watch != NULL && atomic_load(&watch->dma) != dma)
		watch = watch->next;
	return watch;
}

void
vu_sigbus_watch_regions(const struct vu_dma *dma, const struct vu_device *dev)
{
	struct watch *watch;

	pthread_mutex_lock(&lock);
	watch = watch_find(dma);
	if (watch != NULL)
		atomic_store(&watch->dev, dev);
	pthread_mutex_unlock(&lock);
}

void
vu_sigbus_unwatch(struct vu_dma *dma)
{
	struct watch *watch;

	pthread_mutex_lock(&lock);
	watch = watch_find(dma);
	if (watch != NULL) {
		atomic_store(&watch->dev, NULL);
		atomic_store(&watch->dma, NULL);
	}
	pthread_mutex_unlock(&lock);
	/* a handler that looks at the table runs inside a section */
	vu_epoch_wait();
}
