/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_DMA_TREE_H
#define VU_DMA_TREE_H

/**
 * @file
 * The order of DMA regions: a tree of wide nodes, keyed by address. A change makes new nodes for
 * the few that lie between the root and the region, and leaves all others shared; who still reads
 * the old root sees the table as it was. Pure: no lock, no system call but for memory.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

struct vu_dma_region;

/** Entries of a node: so many groups of so many. */
#define VU_DMA_GROUP  8u
#define VU_DMA_FANOUT (VU_DMA_GROUP * VU_DMA_GROUP)

/** Deepest tree: more than all regions that memory could hold. */
#define VU_DMA_DEPTH_MAX 8u

struct vu_dma_node {
	uint32_t nb;	/**< entries used, at least 1 */
	uint32_t level;	/**< 0: the entries are regions */
	/** highest address below entry i; ascending; UINT64_MAX in entries that are not used */
	uint64_t last[VU_DMA_FANOUT];
	union {
		struct vu_dma_node *child[VU_DMA_FANOUT];
		struct vu_dma_region *region[VU_DMA_FANOUT];
	};
};

/** Nodes that a change has taken out, for vu_dma_nodes_free() after a grace period. */
struct vu_dma_nodes {
	unsigned int nb;
	struct vu_dma_node *node[4 * VU_DMA_DEPTH_MAX];
};

/** Nodes that a pool keeps: as many as two changes of a deep tree need. */
#define VU_DMA_POOL 8u

/** Nodes that nobody uses, for the next change. Zeroes are an empty one. */
struct vu_dma_pool {
	unsigned int nb;
	struct vu_dma_node *node[VU_DMA_POOL];
};

/** Put a node into a pool, or free it. */
static inline void
vu_dma_node_put(struct vu_dma_pool *pool, struct vu_dma_node *node)
{
	if (pool->nb < VU_DMA_POOL)
		pool->node[pool->nb++] = node;
	else
		free(node);
}

/** Free what is in a pool. */
void vu_dma_pool_free(struct vu_dma_pool *pool);

/** How many of a group of entries end below @p addr. No comparison waits for another one. */
static inline uint32_t
vu_dma_group_below(const uint64_t *last, uint32_t step, uint64_t addr)
{
	return (uint32_t)(last[0] < addr) + (last[step] < addr) + (last[2 * step] < addr) +
		(last[3 * step] < addr) + (last[4 * step] < addr) + (last[5 * step] < addr) +
		(last[6 * step] < addr);
}

/**
 * First entry of a node whose highest address is not below @p addr; nb if there is none. Which one
 * it is cannot be predicted, so there is no branch on it: unused entries are never below.
 */
static inline uint32_t
vu_dma_node_find(const struct vu_dma_node *node, uint64_t addr)
{
	uint32_t first = VU_DMA_GROUP *
		vu_dma_group_below(node->last + VU_DMA_GROUP - 1, VU_DMA_GROUP, addr);
	const uint64_t *last = node->last + first;

	return first + vu_dma_group_below(last, 1, addr) + (last[VU_DMA_GROUP - 1] < addr);
}

/** @return the region with the lowest last byte at or above @p addr, or NULL */
static inline struct vu_dma_region *
vu_dma_tree_find(const struct vu_dma_node *node, uint64_t addr)
{
	uint32_t i;

	while (node != NULL) {
		i = vu_dma_node_find(node, addr);
		if (i == node->nb)
			return NULL;
		if (node->level == 0)
			return node->region[i];
		node = node->child[i];
	}
	return NULL;
}

/**
 * Add a region that overlaps none.
 *
 * @param root
 *   The tree, NULL: empty.
 * @param last
 *   Address of the region's last byte.
 * @param[out] new_root
 *   The tree with it.
 * @param[out] old
 *   What the new tree does not use; empty before.
 * @param pool
 *   Where nodes come from.
 * @return 0, or -ENOMEM with nothing changed
 */
int vu_dma_tree_insert(struct vu_dma_node *root, uint64_t last, struct vu_dma_region *region,
	struct vu_dma_node **new_root, struct vu_dma_nodes *old, struct vu_dma_pool *pool);

/**
 * Take out the region that ends at @p last, which is there.
 *
 * @return 0, or -ENOMEM with nothing changed
 */
int vu_dma_tree_remove(struct vu_dma_node *root, uint64_t last, struct vu_dma_node **new_root,
	struct vu_dma_nodes *old, struct vu_dma_pool *pool);

/** Call a function for each region in ascending order. */
void vu_dma_tree_walk(const struct vu_dma_node *root,
	void (*visit)(struct vu_dma_region *region, void *arg), void *arg);

/** Nodes, not regions, are used no more. */
void vu_dma_nodes_free(struct vu_dma_nodes *nodes, struct vu_dma_pool *pool);

/** Free a whole tree, not its regions. */
void vu_dma_tree_free(struct vu_dma_node *root);

#endif /* VU_DMA_TREE_H */
