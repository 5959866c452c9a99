/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "eal_export.h"
#include "eal_log.h"
#include "eal_malloc_heap.h"
#include "eal_memory.h"
#include "eal_segments.h"

/*
 * Free bytes that a heap keeps when it gives memory back, so that it need not ask again at once.
 * Less than a segment: then an empty heap has one.
 */
#define HEAP_KEEP (EAL_SEGMENT_LEN / 2)

/* The heap of a NUMA node. */
struct node {
	int socket;
	pthread_mutex_t lock;	/* of heap */
	struct heap heap;
};

/* Shared with children, locks too; NULL: nothing can be allocated. */
static struct nodes {
	pthread_mutex_t grow_lock;	/* one takes memory, others look again afterwards */
	unsigned int nb;
	struct node node[];
} *nodes;

/* ---- start and end ---- */

static size_t
nodes_len(unsigned int nb)
{
	return sizeof(*nodes) + nb * sizeof(nodes->node[0]);
}

static void
locks_init(void)
{
	pthread_mutexattr_t shared;
	unsigned int i;

	pthread_mutexattr_init(&shared);
	pthread_mutexattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(&nodes->grow_lock, &shared);
	for (i = 0; i < nodes->nb; i++)
		pthread_mutex_init(&nodes->node[i].lock, &shared);
	pthread_mutexattr_destroy(&shared);
}

int
eal_malloc_init(const int *sockets, unsigned int nb)
{
	unsigned int i;

	nodes = eal_shared_alloc(nodes_len(nb));
	if (nodes == NULL)
		return -ENOMEM;
	nodes->nb = nb;
	for (i = 0; i < nb; i++) {
		nodes->node[i].socket = sockets[i];
		heap_init(&nodes->node[i].heap, i);
	}
	locks_init();
	return 0;
}

/* Other processes may use the locks, so they are only let go. */
void
eal_malloc_cleanup(void)
{
	if (nodes == NULL)
		return;
	eal_shared_free(nodes, nodes_len(nodes->nb));
	nodes = NULL;
}

/* ---- nodes ---- */

static struct node *
node_of_socket(int socket)
{
	unsigned int i;

	for (i = 0; nodes != NULL && i < nodes->nb; i++)
		if (nodes->node[i].socket == socket)
			return &nodes->node[i];
	return NULL;
}

/* A CPU may be on a node without memory. */
static struct node *
node_of_thread(void)
{
	struct node *node = nodes->nb > 1 ? node_of_socket(rte_socket_id()) : NULL;

	return node != NULL ? node : &nodes->node[0];
}

static struct heap_block *
node_take(struct node *node, size_t size, size_t align)
{
	struct heap_block *block;

	pthread_mutex_lock(&node->lock);
	block = heap_take(&node->heap, size, align);
	pthread_mutex_unlock(&node->lock);
	return block;
}

/* In one step, so that no other thread takes what was just got. */
static struct heap_block *
node_add_and_take(struct node *node, const struct eal_piece *piece, size_t size, size_t align)
{
	struct heap_block *block;

	pthread_mutex_lock(&node->lock);
	heap_add(&node->heap, piece);
	block = heap_take(&node->heap, size, align);
	pthread_mutex_unlock(&node->lock);
	return block;
}

/* The memory is asked for without the lock of the heap: callbacks may use what it has. */
static struct heap_block *
node_grow(struct node *node, size_t size, size_t align)
{
	struct heap_block *block;
	struct eal_piece piece;

	pthread_mutex_lock(&nodes->grow_lock);
	block = node_take(node, size, align);
	if (block == NULL && eal_memory_add(node->socket, heap_memory_for(size, align), 0,
			&piece) == 0)
		block = node_add_and_take(node, &piece, size, align);
	pthread_mutex_unlock(&nodes->grow_lock);
	return block;
}

/* Within a walk or a callback no memory can come. */
static struct heap_block *
node_alloc(struct node *node, size_t size, size_t align)
{
	struct heap_block *block = node_take(node, size, align);

	if (block == NULL && !eal_memory_lock_held())
		block = node_grow(node, size, align);
	return block;
}

static struct heap_block *
any_node_alloc(size_t size, size_t align)
{
	struct node *first = node_of_thread();
	struct heap_block *block = node_alloc(first, size, align);
	unsigned int i;

	for (i = 0; i < nodes->nb && block == NULL; i++)
		if (&nodes->node[i] != first)
			block = node_alloc(&nodes->node[i], size, align);
	return block;
}

int
eal_malloc_preallocate(size_t len)
{
	struct node *node = node_of_thread();
	struct eal_piece piece;
	int rc = eal_memory_add(node->socket, len, RTE_MEMSEG_FLAG_DO_NOT_FREE, &piece);

	if (rc != 0) {
		EAL_LOG(ERR, "-m: no %zu MiB of memory on NUMA node %d", len >> 20, node->socket);
		return rc;
	}
	pthread_mutex_lock(&node->lock);
	heap_add(&node->heap, &piece);
	pthread_mutex_unlock(&node->lock);
	return 0;
}

/* ---- allocation ---- */

static bool
align_ok(unsigned int align)
{
	return (align & (align - 1)) == 0;
}

static struct heap_block *
block_alloc(size_t size, unsigned int align, int socket)
{
	size_t alignment = RTE_MAX(align, (unsigned int)RTE_CACHE_LINE_SIZE);
	struct node *node;

	if (nodes == NULL || heap_memory_for(size, alignment) == 0)
		return NULL;
	if (socket == SOCKET_ID_ANY)
		return any_node_alloc(size, alignment);
	node = node_of_socket(socket);
	return node == NULL ? NULL : node_alloc(node, size, alignment);
}

static bool
socket_ok(int socket)
{
	return socket == SOCKET_ID_ANY || nodes == NULL || node_of_socket(socket) != NULL;
}

static void *
allocate(size_t size, unsigned int align, int socket)
{
	struct heap_block *block;

	if (size == 0 || !align_ok(align) || !socket_ok(socket)) {
		rte_errno = EINVAL;
		return NULL;
	}
	block = block_alloc(size, align, socket);
	if (block == NULL) {
		rte_errno = ENOMEM;
		return NULL;
	}
	return heap_payload(block);
}

RTE_EXPORT_SYMBOL(rte_malloc_socket)
void *
rte_malloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	return allocate(size, align, socket);
}

RTE_EXPORT_SYMBOL(rte_malloc)
void *
rte_malloc(const char *type, size_t size, unsigned int align)
{
	return allocate(size, align, SOCKET_ID_ANY);
}

RTE_EXPORT_SYMBOL(rte_zmalloc_socket)
void *
rte_zmalloc_socket(const char *type, size_t size, unsigned int align, int socket)
{
	void *ptr = allocate(size, align, socket);

	if (ptr != NULL)
		memset(ptr, 0, size);
	return ptr;
}

RTE_EXPORT_SYMBOL(rte_zmalloc)
void *
rte_zmalloc(const char *type, size_t size, unsigned int align)
{
	return rte_zmalloc_socket(type, size, align, SOCKET_ID_ANY);
}

RTE_EXPORT_SYMBOL(rte_calloc_socket)
void *
rte_calloc_socket(const char *type, size_t num, size_t size, unsigned int align, int socket)
{
	size_t len;

	if (__builtin_mul_overflow(num, size, &len)) {
		rte_errno = ENOMEM;
		return NULL;
	}
	return rte_zmalloc_socket(type, len, align, socket);
}

RTE_EXPORT_SYMBOL(rte_calloc)
void *
rte_calloc(const char *type, size_t num, size_t size, unsigned int align)
{
	return rte_calloc_socket(type, num, size, align, SOCKET_ID_ANY);
}

/* ---- blocks of users ---- */

/* Where a pointer of a user leads; only what is in a heap of ours is looked at. */
struct owned {
	struct node *node;
	struct rte_memseg_list *msl;
	struct heap_block *block;
};

/* Returns with the lock of the node held if the pointer is an allocation. */
static bool
owned_lock(const void *ptr, struct owned *owned)
{
	owned->msl = eal_memory_list_of(ptr);
	if (nodes == NULL || owned->msl == NULL || !owned->msl->heap ||
			(uintptr_t)ptr % HEAP_UNIT != 0)
		return false;
	owned->node = node_of_socket(owned->msl->socket_id);
	owned->block = heap_block_of(ptr);
	pthread_mutex_lock(&owned->node->lock);
	if (heap_block_ok(&owned->node->heap, owned->msl, owned->block))
		return true;
	pthread_mutex_unlock(&owned->node->lock);
	return false;
}

static void
owned_unlock(const struct owned *owned)
{
	pthread_mutex_unlock(&owned->node->lock);
}

/* Segments that became free are taken out of the heap at once, and go when nobody waits for it. */
RTE_EXPORT_SYMBOL(rte_free)
void
rte_free(void *ptr)
{
	struct heap_block *rest;
	struct eal_piece piece;
	struct owned owned;
	bool shrinks;

	if (ptr == NULL)
		return;
	if (!owned_lock(ptr, &owned)) {
		EAL_LOG(ERR, "rte_free: %p is not allocated, or was written over", ptr);
		return;
	}
	rest = heap_give(&owned.node->heap, owned.block);
	shrinks = !eal_memory_lock_held() &&
		heap_cut(&owned.node->heap, rest, owned.msl, HEAP_KEEP, &piece);
	owned_unlock(&owned);
	if (shrinks)
		eal_memory_remove(&piece);
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_free_sensitive, 25.07)
void
rte_free_sensitive(void *ptr)
{
	size_t size;

	if (ptr != NULL && rte_malloc_validate(ptr, &size) == 0)
		explicit_bzero(ptr, size);
	rte_free(ptr);
}

RTE_EXPORT_SYMBOL(rte_malloc_validate)
int
rte_malloc_validate(const void *ptr, size_t *size)
{
	struct owned owned;

	if (ptr == NULL || !owned_lock(ptr, &owned))
		return -1;
	if (size != NULL)
		*size = heap_room(owned.block);
	owned_unlock(&owned);
	return 0;
}

/* In place if that can be; else tells how much to copy. 0, -ENOMEM, -EINVAL: not allocated. */
static int
resize_in_place(void *ptr, size_t size, unsigned int align, int socket, size_t *old)
{
	struct owned owned;
	bool done;

	if (!owned_lock(ptr, &owned))
		return -EINVAL;
	*old = owned.block->asked;
	done = (align == 0 || (uintptr_t)ptr % align == 0) &&
		(socket == SOCKET_ID_ANY || owned.node->socket == socket) &&
		heap_memory_for(size, HEAP_UNIT) != 0 &&
		heap_resize(&owned.node->heap, owned.block, size);
	owned_unlock(&owned);
	return done ? 0 : -ENOMEM;
}

static void *
move(void *ptr, size_t old, size_t size, unsigned int align, int socket)
{
	void *copy = allocate(size, align, socket);

	if (copy == NULL)
		return NULL;
	memcpy(copy, ptr, RTE_MIN(old, size));
	rte_free(ptr);
	return copy;
}

static void *
reallocate(void *ptr, size_t size, unsigned int align, int socket)
{
	size_t old = 0;
	int rc = align_ok(align) && socket_ok(socket) ?
			resize_in_place(ptr, size, align, socket, &old) : -EINVAL;

	if (rc == 0)
		return ptr;
	if (rc != -EINVAL)
		return move(ptr, old, size, align, socket);
	EAL_LOG(ERR, "rte_realloc: %p is not allocated, or the alignment %u is none", ptr, align);
	rte_errno = EINVAL;
	return NULL;
}

RTE_EXPORT_SYMBOL(rte_realloc_socket)
void *
rte_realloc_socket(void *ptr, size_t size, unsigned int align, int socket)
{
	if (ptr == NULL)
		return allocate(size, align, socket);
	if (size != 0)
		return reallocate(ptr, size, align, socket);
	rte_free(ptr);
	return NULL;
}

RTE_EXPORT_SYMBOL(rte_realloc)
void *
rte_realloc(void *ptr, size_t size, unsigned int align)
{
	return rte_realloc_socket(ptr, size, align, SOCKET_ID_ANY);
}

RTE_EXPORT_SYMBOL(rte_malloc_virt2iova)
rte_iova_t
rte_malloc_virt2iova(const void *addr)
{
	const struct rte_memseg *ms = rte_mem_virt2memseg(addr, NULL);

	if (ms == NULL || ms->iova == RTE_BAD_IOVA)
		return RTE_BAD_IOVA;
	return ms->iova + RTE_PTR_DIFF(addr, ms->addr);
}

/* ---- what there is ---- */

RTE_EXPORT_SYMBOL(rte_malloc_get_socket_stats)
int
rte_malloc_get_socket_stats(int socket, struct rte_malloc_socket_stats *socket_stats)
{
	struct node *node = node_of_socket(socket);
	const struct heap *h;

	if (node == NULL || socket_stats == NULL) {
		rte_errno = EINVAL;
		return -1;
	}
	h = &node->heap;
	pthread_mutex_lock(&node->lock);
	*socket_stats = (struct rte_malloc_socket_stats) {
		.heap_totalsz_bytes = h->total,
		.heap_freesz_bytes = h->free,
		.greatest_free_size = heap_greatest_free(h),
		.free_count = h->nb_free,
		.alloc_count = h->nb_busy,
		.heap_allocsz_bytes = h->total - h->free,
	};
	pthread_mutex_unlock(&node->lock);
	return 0;
}

static void
node_dump(FILE *f, const struct node *node)
{
	struct rte_malloc_socket_stats stats = { 0 };

	rte_malloc_get_socket_stats(node->socket, &stats);
	fprintf(f, "Heap of NUMA node %d: %zu bytes, %zu allocated in %u, %zu free in %u, "
		"largest %zu\n", node->socket, stats.heap_totalsz_bytes, stats.heap_allocsz_bytes,
		stats.alloc_count, stats.heap_freesz_bytes, stats.free_count,
		stats.greatest_free_size);
}

RTE_EXPORT_SYMBOL(rte_malloc_dump_stats)
void
rte_malloc_dump_stats(FILE *f, const char *type)
{
	unsigned int i;

	for (i = 0; nodes != NULL && i < nodes->nb; i++)
		node_dump(f, &nodes->node[i]);
}

static void
block_dump(const struct heap_block *block, void *arg)
{
	FILE *f = arg;

	fprintf(f, "  %p+%zu %s\n", heap_payload(block), heap_room(block),
		block->state == HEAP_BLOCK_FREE ? "free" : "allocated");
}

static int
list_dump(const struct rte_memseg_list *msl, void *arg)
{
	struct node *node = msl->heap ? node_of_socket(msl->socket_id) : NULL;

	if (node == NULL)
		return 0;
	pthread_mutex_lock(&node->lock);
	heap_walk(msl, block_dump, arg);
	pthread_mutex_unlock(&node->lock);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_malloc_dump_heaps)
void
rte_malloc_dump_heaps(FILE *f)
{
	rte_malloc_dump_stats(f, NULL);
	rte_memseg_list_walk(list_dump, f);
}
