/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_eal_memconfig.h>
#include <rte_eal_paging.h>
#include <rte_memory.h>
#include <rte_os_shim.h>

#include "eal_log.h"
#include "eal_memory.h"
#include "eal_options.h"
#include "eal_segments.h"

#define WINDOW_LEN_MIN (UINT64_C(1) << 30)
#define NB_HUGEPAGE_SIZES 8

/* Shared with children; NULL: there is no memory. */
static struct lists {
	unsigned int nb;
	struct rte_memseg_list list[RTE_MAX_MEMSEG_LISTS];
} *lists;

static bool fallback_told;

void *
eal_shared_alloc(size_t len)
{
	void *addr = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return addr == MAP_FAILED ? NULL : addr;
}

void
eal_shared_free(void *addr, size_t len)
{
	munmap(addr, len);
}

/* ---- the table of lists ---- */

unsigned int
eal_memory_nb_lists(void)
{
	return lists == NULL ? 0 : __atomic_load_n(&lists->nb, __ATOMIC_ACQUIRE);
}

struct rte_memseg_list *
eal_memory_list(unsigned int i)
{
	return &lists->list[i];
}

unsigned int
eal_memory_list_index(const struct rte_memseg_list *msl)
{
	return msl - lists->list;
}

/* Look-ups take no lock, and a list may become another one: base and length are of one version. */
static bool
list_holds(const struct rte_memseg_list *msl, const void *addr)
{
	uint32_t version;
	uintptr_t base;
	size_t len;

	do {
		version = __atomic_load_n(&msl->version, __ATOMIC_ACQUIRE);
		base = (uintptr_t)__atomic_load_n(&msl->base_va, __ATOMIC_ACQUIRE);
		len = __atomic_load_n(&msl->len, __ATOMIC_ACQUIRE);
	} while (__atomic_load_n(&msl->version, __ATOMIC_RELAXED) != version);
	return base != 0 && (uintptr_t)addr - base < len;
}

struct rte_memseg_list *
eal_memory_list_of(const void *addr)
{
	unsigned int i, nb = eal_memory_nb_lists();

	for (i = 0; i < nb; i++)
		if (list_holds(&lists->list[i], addr))
			return &lists->list[i];
	return NULL;
}

struct rte_memseg_list *
eal_memory_list_alloc(void)
{
	unsigned int i;

	for (i = 0; i < RTE_MAX_MEMSEG_LISTS && lists->list[i].base_va != NULL; i++)
		continue;
	if (i == RTE_MAX_MEMSEG_LISTS)
		return NULL;
	if (i >= lists->nb)
		__atomic_store_n(&lists->nb, i + 1, __ATOMIC_RELEASE);
	return &lists->list[i];
}

void
eal_memory_list_changed(struct rte_memseg_list *msl)
{
	__atomic_store_n(&msl->version, msl->version + 1, __ATOMIC_RELEASE);
}

/* ---- memory comes and goes ---- */

static size_t
node_len(int socket)
{
	const struct rte_memseg_list *msl;
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < lists->nb; i++) {
		msl = &lists->list[i];
		if (msl->heap && msl->socket_id == socket)
			len += msl->nb_used * msl->seg_len;
	}
	return len;
}

static bool
list_is_huge(const struct rte_memseg_list *msl)
{
	return msl->page_sz != rte_mem_page_size();
}

/*
 * The larger the pages, the fewer translations - as long as they are not larger than what is
 * needed; then the smallest that are; ordinary pages last.
 */
static uint64_t
list_rank(const struct rte_memseg_list *msl, size_t len)
{
	if (!list_is_huge(msl))
		return UINT64_MAX;
	return msl->page_sz <= len ? EAL_WINDOW_MAX - msl->page_sz : EAL_WINDOW_MAX + msl->page_sz;
}

/* The best list of a node that ranks after @p after; NULL: there is no other. */
static struct rte_memseg_list *
list_next(int socket, size_t len, uint64_t after)
{
	struct rte_memseg_list *msl, *best = NULL;
	unsigned int i;

	for (i = 0; i < lists->nb; i++) {
		msl = &lists->list[i];
		if (!msl->heap || msl->base_va == NULL || msl->socket_id != socket ||
				list_rank(msl, len) <= after)
			continue;
		if (best == NULL || list_rank(msl, len) < list_rank(best, len))
			best = msl;
	}
	return best;
}

static void
tell_fallback(const struct rte_memseg_list *msl)
{
	/* Huge pages come first; where the first list has none, there are none. */
	if (fallback_told || list_is_huge(msl) || !list_is_huge(&lists->list[0]))
		return;
	fallback_told = true;
	EAL_LOG(INFO, "Free huge pages do not suffice, taking ordinary pages as well");
}

static int
list_grow(struct rte_memseg_list *msl, size_t len, uint32_t flags, struct eal_piece *piece)
{
	size_t whole;
	int rc;

	if (len > msl->len)
		return -ENOMEM;
	whole = RTE_ALIGN_MUL_CEIL(len, msl->seg_len);
	rc = eal_memory_validate(msl->socket_id, node_len(msl->socket_id) + whole);
	if (rc == 0)
		rc = eal_segments_grow(msl, whole, flags, piece);
	if (rc != 0) {
		EAL_LOG(DEBUG, "no %zu bytes in pages of %" PRIu64 " KiB on NUMA node %d: %s",
			whole, msl->page_sz / 1024, msl->socket_id, strerror(-rc));
		return rc;
	}
	tell_fallback(msl);
	return 0;
}

static int
node_grow(int socket, size_t len, uint32_t flags, struct eal_piece *piece)
{
	struct rte_memseg_list *msl;
	int rc = -ENOMEM;

	msl = list_next(socket, len, 0);
	while (msl != NULL && rc != 0) {
		rc = list_grow(msl, len, flags, piece);
		msl = list_next(socket, len, list_rank(msl, len));
	}
	return rc == 0 ? 0 : -ENOMEM;
}

int
eal_memory_add(int socket, size_t len, uint32_t flags, struct eal_piece *piece)
{
	int rc = eal_memory_write_lock();

	if (rc != 0)
		return rc;
	rc = node_grow(socket, len, flags, piece);
	if (rc == 0)
		eal_memory_notify(RTE_MEM_EVENT_ALLOC, piece);
	rte_mcfg_mem_write_unlock();
	return rc;
}

void
eal_memory_remove(const struct eal_piece *piece)
{
	eal_memory_write_lock();
	eal_memory_notify(RTE_MEM_EVENT_FREE, piece);
	eal_segments_shrink(piece);
	rte_mcfg_mem_write_unlock();
}

/* ---- start and end ---- */

/*
 * Enough for all memory of the machine, whatever node it is on; but all windows together take at
 * most half of what narrow devices can address.
 */
static size_t
window_len(unsigned int nb_windows)
{
	uint64_t pages = RTE_MAX(sysconf(_SC_PHYS_PAGES), 1L);
	unsigned int bits = eal_dma_mask();
	uint64_t reach = bits == 0 || bits > 63 ? UINT64_MAX : UINT64_C(1) << (bits - 1);
	uint64_t len = WINDOW_LEN_MIN;

	while (len < EAL_WINDOW_MAX && len / rte_mem_page_size() < pages)
		len *= 2;
	while (len > WINDOW_LEN_MIN && len > reach / nb_windows)
		len /= 2;
	return len;
}

/* What the windows have in common, and where the next one goes. */
struct layout {
	struct eal_window window;
	struct eal_hugepages huge[NB_HUGEPAGE_SIZES];
	unsigned int nb_huge;
};

static int
window_add(struct layout *layout)
{
	struct rte_memseg_list *msl = eal_memory_list_alloc();
	uintptr_t wanted = eal_options()->base_virtaddr;
	int rc;

	if (msl == NULL)
		return -ENOSPC;
	rc = eal_segments_create(msl, &layout->window);
	if (rc != 0)
		return rc;
	if (wanted != 0 && layout->window.base == wanted && msl->addr_64 > wanted + msl->seg_len)
		EAL_LOG(WARNING, "--base-virtaddr: no room at 0x%" PRIxPTR ", memory begins at %p",
			wanted, msl->base_va);
	layout->window.base = (uintptr_t)msl->base_va + msl->len;
	return 0;
}

/* 0 if there is any; else why there is none. */
static int
node_huge_windows_add(struct layout *layout)
{
	int rc, failure = -ENOMEM;
	unsigned int i, nb = 0;

	layout->window.huge = true;
	for (i = 0; i < layout->nb_huge; i++) {
		layout->window.page_sz = layout->huge[i].size;
		rc = window_add(layout);
		nb += rc == 0;
		if (rc == 0)
			continue;
		failure = rc;
		EAL_LOG(WARNING, "cannot use huge pages of %" PRIu64 " KiB: %s",
			layout->window.page_sz / 1024, strerror(-rc));
	}
	return nb != 0 ? 0 : failure;
}

static int
node_windows_add(struct layout *layout)
{
	int rc = node_huge_windows_add(layout);

	if (rte_eal_iova_mode() == RTE_IOVA_PA)
		return rc;
	layout->window.huge = false;
	layout->window.page_sz = rte_mem_page_size();
	rc = window_add(layout);
	if (rc != 0)
		EAL_LOG(ERR, "cannot reserve address space for memory: %s", strerror(-rc));
	return rc;
}

static unsigned int
hugepages_find(struct eal_hugepages *huge)
{
	unsigned int nb;

	if (eal_options()->no_huge)
		return 0;
	nb = eal_hugepages_find(huge, NB_HUGEPAGE_SIZES);
	if (nb == 0)
		EAL_LOG(INFO, "No free huge pages, memory is in ordinary pages");
	return nb;
}

static int
windows_create(const int *nodes, unsigned int nb_nodes)
{
	struct layout layout = {
		.window = {
			.base = eal_options()->base_virtaddr,
			.bind = nb_nodes > 1,
		},
	};
	unsigned int i;
	int rc = 0;

	layout.nb_huge = hugepages_find(layout.huge);
	layout.window.len = window_len(nb_nodes * (layout.nb_huge + 1));
	for (i = 0; i < nb_nodes && rc == 0; i++) {
		layout.window.socket = nodes[i];
		rc = node_windows_add(&layout);
	}
	return rc;
}

static void
windows_destroy(void)
{
	unsigned int i;

	for (i = 0; i < lists->nb; i++)
		if (!lists->list[i].external)
			eal_segments_destroy(&lists->list[i]);
}

static int
memory_set_up(void)
{
	int nodes[RTE_MAX_NUMA_NODES];
	unsigned int nb_nodes = eal_memory_nodes(nodes, RTE_DIM(nodes));
	int rc = windows_create(nodes, nb_nodes);

	if (rc == 0)
		rc = eal_malloc_init(nodes, nb_nodes);
	if (rc == 0)
		rc = eal_memzone_init();
	if (rc == 0 && eal_options()->memory_mb != 0)
		rc = eal_malloc_preallocate((size_t)eal_options()->memory_mb << 20);
	return rc;
}

int
eal_memory_init(void)
{
	int rc;

	if (lists != NULL)
		return -EALREADY;
	lists = eal_shared_alloc(sizeof(*lists));
	if (lists == NULL)
		return -ENOMEM;
	rc = memory_set_up();
	if (rc != 0)
		eal_memory_cleanup();
	return rc;
}

int
eal_memory_cleanup(void)
{
	eal_memory_callbacks_forget();
	fallback_told = false;
	if (lists == NULL)
		return 0;
	eal_memzone_cleanup();
	eal_malloc_cleanup();
	windows_destroy();
	eal_shared_free(lists, sizeof(*lists));
	lists = NULL;
	return 0;
}
