/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_memory.h>
#include <rte_memzone.h>
#include <rte_rwlock.h>

#include "eal_export.h"
#include "eal_malloc_heap.h"
#include "eal_memory.h"
#include "eal_segments.h"

static_assert(sizeof(struct rte_memzone) == 72, "as in DPDK");
static_assert(offsetof(struct rte_memzone, flags) == 68, "as in DPDK");

#define NB_ZONES_DEFAULT 2560
#define NB_ZONES_LIMIT (1 << 24)

static size_t nb_zones_max = NB_ZONES_DEFAULT;

/* Shared with children; NULL: EAL does not run. Zones without memory are free. */
static struct zones {
	rte_rwlock_t lock;
	size_t max;
	size_t top;	/* zones from here on have never been used */
	struct rte_memzone zone[];
} *zones;

/* ---- start and end ---- */

static size_t
zones_len(size_t max)
{
	return sizeof(*zones) + max * sizeof(zones->zone[0]);
}

int
eal_memzone_init(void)
{
	zones = eal_shared_alloc(zones_len(nb_zones_max));
	if (zones == NULL)
		return -ENOMEM;
	zones->max = nb_zones_max;
	return 0;
}

void
eal_memzone_cleanup(void)
{
	if (zones == NULL)
		return;
	eal_shared_free(zones, zones_len(zones->max));
	zones = NULL;
}

RTE_EXPORT_SYMBOL(rte_memzone_max_set)
int
rte_memzone_max_set(size_t max)
{
	if (zones != NULL || max == 0 || max > NB_ZONES_LIMIT)
		return -1;
	nb_zones_max = max;
	return 0;
}

RTE_EXPORT_SYMBOL(rte_memzone_max_get)
size_t
rte_memzone_max_get(void)
{
	return nb_zones_max;
}

/* ---- the table; its lock is held ---- */

static struct rte_memzone *
zone_find(const char *name)
{
	size_t i;

	for (i = 0; i < zones->top; i++)
		if (zones->zone[i].addr != NULL && strcmp(zones->zone[i].name, name) == 0)
			return &zones->zone[i];
	return NULL;
}

static struct rte_memzone *
zone_unused(void)
{
	size_t i;

	for (i = 0; i < zones->top && zones->zone[i].addr != NULL; i++)
		continue;
	if (i == zones->max)
		return NULL;
	zones->top = RTE_MAX(zones->top, i + 1);
	return &zones->zone[i];
}

static int
zone_add(const struct rte_memzone *what, struct rte_memzone **zone)
{
	if (zone_find(what->name) != NULL)
		return -EEXIST;
	*zone = zone_unused();
	if (*zone == NULL)
		return -ENOSPC;
	**zone = *what;
	return 0;
}

/* ---- memory ---- */

/* What is asked for. */
struct wish {
	size_t len;
	int socket;
	unsigned int flags;
	size_t align;
};

static const struct {
	unsigned int flag;
	uint64_t size;
} page_flags[] = {
	{ RTE_MEMZONE_256KB, RTE_PGSIZE_256K },
	{ RTE_MEMZONE_2MB, RTE_PGSIZE_2M },
	{ RTE_MEMZONE_16MB, RTE_PGSIZE_16M },
	{ RTE_MEMZONE_256MB, RTE_PGSIZE_256M },
	{ RTE_MEMZONE_512MB, RTE_PGSIZE_512M },
	{ RTE_MEMZONE_1GB, RTE_PGSIZE_1G },
	{ RTE_MEMZONE_4GB, RTE_PGSIZE_4G },
	{ RTE_MEMZONE_16GB, RTE_PGSIZE_16G },
};

static bool
pages_ok(unsigned int flags, uint64_t page_sz)
{
	bool any = true;
	size_t i;

	for (i = 0; i < RTE_DIM(page_flags); i++) {
		if ((flags & page_flags[i].flag) == 0)
			continue;
		if (page_flags[i].size == page_sz)
			return true;
		any = false;
	}
	return any || (flags & RTE_MEMZONE_SIZE_HINT_ONLY) != 0;
}

static bool
iova_is_contiguous(const char *addr, size_t len)
{
	rte_iova_t first = rte_malloc_virt2iova(addr);
	const struct rte_memseg *ms = rte_mem_virt2memseg(addr, NULL);
	size_t off;

	for (off = (char *)ms->addr + ms->len - addr; off < len; off += ms->len) {
		ms = rte_mem_virt2memseg(addr + off, NULL);
		if (ms->iova != first + off)
			return false;
	}
	return first != RTE_BAD_IOVA;
}

static size_t
power_above(size_t len)
{
	return len <= 1 ? 1 : (size_t)1 << (64 - __builtin_clzll(len - 1));
}

/* What does not cross a multiple of its own size does not leave the page that is larger. */
static size_t
alignment_of(const struct wish *wish)
{
	bool contig = (wish->flags & RTE_MEMZONE_IOVA_CONTIG) != 0 &&
		rte_eal_iova_mode() == RTE_IOVA_PA && wish->len <= RTE_PGSIZE_1G;

	return contig ? RTE_MAX(wish->align, power_above(wish->len)) : wish->align;
}

static bool
memory_ok(const struct wish *wish, const char *addr)
{
	const struct rte_memseg *ms = rte_mem_virt2memseg(addr, NULL);

	return pages_ok(wish->flags, ms->hugepage_sz) &&
		((wish->flags & RTE_MEMZONE_IOVA_CONTIG) == 0 ||
			iova_is_contiguous(addr, wish->len));
}

static char *
memory_take(const struct wish *wish)
{
	char *addr = rte_zmalloc_socket("memzone", wish->len, alignment_of(wish), wish->socket);

	if (addr != NULL && !memory_ok(wish, addr)) {
		rte_free(addr);
		addr = NULL;
	}
	return addr;
}

/* Bytes that the largest free piece surely has room for, with this alignment. */
static size_t
largest_len(int socket, size_t align)
{
	struct rte_malloc_socket_stats stats;
	size_t lost = sizeof(struct heap_block) + align - HEAP_UNIT;

	if (rte_malloc_get_socket_stats(socket == SOCKET_ID_ANY ? (int)rte_socket_id() : socket,
			&stats) != 0)
		return 0;
	return stats.greatest_free_size > lost ? stats.greatest_free_size - lost : 0;
}

/* ---- making and ending ---- */

static int
zone_make(const char *name, const struct wish *wish, struct rte_memzone **zone)
{
	struct rte_memzone what = { .len = wish->len };
	const struct rte_memseg *ms;
	int rc;

	what.addr = memory_take(wish);
	if (what.addr == NULL)
		return -ENOMEM;
	ms = rte_mem_virt2memseg(what.addr, NULL);
	memcpy(what.name, name, strlen(name) + 1);
	what.iova = rte_malloc_virt2iova(what.addr);
	what.hugepage_sz = ms->hugepage_sz;
	what.socket_id = ms->socket_id;
	rte_rwlock_write_lock(&zones->lock);
	rc = zone_add(&what, zone);
	rte_rwlock_write_unlock(&zones->lock);
	if (rc != 0)
		rte_free(what.addr);
	return rc;
}

static bool
power_of_two(size_t value)
{
	return value != 0 && (value & (value - 1)) == 0;
}

static bool
socket_ok(int socket)
{
	struct rte_malloc_socket_stats stats;

	return socket == SOCKET_ID_ANY || rte_malloc_get_socket_stats(socket, &stats) == 0;
}

static int
wish_check(const char *name, const struct wish *wish, size_t bound)
{
	if (zones == NULL)
		return -E_RTE_NO_CONFIG;
	if (name == NULL || name[0] == '\0' ||
			strnlen(name, RTE_MEMZONE_NAMESIZE) == RTE_MEMZONE_NAMESIZE)
		return -EINVAL;
	if (wish->align != 0 && !power_of_two(wish->align))
		return -EINVAL;
	if (!socket_ok(wish->socket) || wish->len > EAL_WINDOW_MAX)
		return -EINVAL;
	if (bound != 0 && (!power_of_two(bound) || wish->len > bound))
		return -EINVAL;
	return rte_memzone_lookup(name) != NULL ? -EEXIST : 0;
}

static int
reserve(const char *name, struct wish *wish, size_t bound, struct rte_memzone **zone)
{
	int rc;

	rc = wish_check(name, wish, bound);
	if (rc != 0)
		return rc;
	wish->align = RTE_MAX(wish->align, (size_t)RTE_CACHE_LINE_SIZE);
	if (wish->len == 0)
		wish->len = bound != 0 ? bound : largest_len(wish->socket, wish->align);
	if (wish->len == 0)
		return -ENOMEM;
	if (bound != 0)
		wish->align = RTE_MAX(wish->align, power_above(wish->len));
	return zone_make(name, wish, zone);
}

RTE_EXPORT_SYMBOL(rte_memzone_reserve_bounded)
const struct rte_memzone *
rte_memzone_reserve_bounded(const char *name, size_t len, int socket_id, unsigned int flags,
		unsigned int align, unsigned int bound)
{
	struct wish wish = { .len = len, .socket = socket_id, .flags = flags, .align = align };
	struct rte_memzone *zone = NULL;
	int rc = reserve(name, &wish, bound, &zone);

	if (rc == 0)
		return zone;
	rte_errno = -rc;
	return NULL;
}

RTE_EXPORT_SYMBOL(rte_memzone_reserve_aligned)
const struct rte_memzone *
rte_memzone_reserve_aligned(const char *name, size_t len, int socket_id, unsigned int flags,
		unsigned int align)
{
	return rte_memzone_reserve_bounded(name, len, socket_id, flags, align, 0);
}

RTE_EXPORT_SYMBOL(rte_memzone_reserve)
const struct rte_memzone *
rte_memzone_reserve(const char *name, size_t len, int socket_id, unsigned int flags)
{
	return rte_memzone_reserve_bounded(name, len, socket_id, flags, RTE_CACHE_LINE_SIZE, 0);
}

/* Takes the memory out of a zone, which makes it unused. NULL: it is not a zone. */
static void *
zone_empty(const struct rte_memzone *mz)
{
	uintptr_t off = (uintptr_t)mz - (uintptr_t)zones->zone;
	struct rte_memzone *zone;
	void *addr;

	if (off % sizeof(*mz) != 0 || off / sizeof(*mz) >= zones->top)
		return NULL;
	zone = &zones->zone[off / sizeof(*mz)];
	addr = zone->addr;
	*zone = (struct rte_memzone) { .addr = NULL };
	return addr;
}

RTE_EXPORT_SYMBOL(rte_memzone_free)
int
rte_memzone_free(const struct rte_memzone *mz)
{
	void *addr;

	if (zones == NULL || mz == NULL)
		return -EINVAL;
	rte_rwlock_write_lock(&zones->lock);
	addr = zone_empty(mz);
	rte_rwlock_write_unlock(&zones->lock);
	rte_free(addr);
	return addr != NULL ? 0 : -EINVAL;
}

/* ---- looking ---- */

RTE_EXPORT_SYMBOL(rte_memzone_lookup)
const struct rte_memzone *
rte_memzone_lookup(const char *name)
{
	const struct rte_memzone *zone = NULL;

	if (zones != NULL && name != NULL) {
		rte_rwlock_read_lock(&zones->lock);
		zone = zone_find(name);
		rte_rwlock_read_unlock(&zones->lock);
	}
	if (zone == NULL)
		rte_errno = ENOENT;
	return zone;
}

RTE_EXPORT_SYMBOL(rte_memzone_walk)
void
rte_memzone_walk(void (*func)(const struct rte_memzone *mz, void *arg), void *arg)
{
	size_t i;

	if (zones == NULL)
		return;
	rte_rwlock_read_lock(&zones->lock);
	for (i = 0; i < zones->top; i++)
		if (zones->zone[i].addr != NULL)
			func(&zones->zone[i], arg);
	rte_rwlock_read_unlock(&zones->lock);
}

static void
zone_dump(const struct rte_memzone *mz, void *arg)
{
	FILE *f = arg;

	fprintf(f, "Zone %s: IOVA 0x%" PRIx64 ", len %zu, virt %p, socket_id %" PRId32
		", page size %" PRIu64 "\n", mz->name, mz->iova, mz->len, mz->addr, mz->socket_id,
		mz->hugepage_sz);
}

RTE_EXPORT_SYMBOL(rte_memzone_dump)
void
rte_memzone_dump(FILE *f)
{
	rte_memzone_walk(zone_dump, f);
}
