/* SPDX-License-Identifier: BSD-3-Clause */

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <rte_branch_prediction.h>

#include "vu_dma_tree.h"

/* Two neighbours become one node when both fit with room to grow. */
#define MERGE_MAX (VU_DMA_FANOUT * 3 / 4)

/* What a change is made of: nodes that are new, nodes that are no longer used. */
struct change {
	struct vu_dma_pool *pool;
	struct vu_dma_nodes *old;
	struct vu_dma_nodes fresh;
};

/* What takes the place of a node: nothing, one node, or two after a split. */
struct place {
	unsigned int nb;
	struct vu_dma_node *node[2];
};

static void
nodes_add(struct vu_dma_nodes *nodes, struct vu_dma_node *node)
{
	assert(nodes->nb < sizeof(nodes->node) / sizeof(nodes->node[0]));
	nodes->node[nodes->nb++] = node;
}

void
vu_dma_nodes_free(struct vu_dma_nodes *nodes, struct vu_dma_pool *pool)
{
	while (nodes->nb > 0)
		vu_dma_node_put(pool, nodes->node[--nodes->nb]);
}

void
vu_dma_pool_free(struct vu_dma_pool *pool)
{
	while (pool->nb > 0)
		free(pool->node[--pool->nb]);
}

/*
 * A node for nb entries that are about to be written. Of one that was used before, only the entries
 * that it had are not marked as unused.
 */
static struct vu_dma_node *
node_take(struct vu_dma_pool *pool, uint32_t level, uint32_t nb)
{
	struct vu_dma_node *node;

	if (likely(pool->nb > 0)) {
		node = pool->node[--pool->nb];
	} else {
		node = malloc(sizeof(*node));
		if (node == NULL)
			return NULL;
		node->nb = VU_DMA_FANOUT;
	}
	if (node->nb > nb)
		memset(node->last + nb, 0xff, (node->nb - nb) * sizeof(node->last[0]));
	node->nb = nb;
	node->level = level;
	return node;
}

static struct vu_dma_node *
node_new(struct change *change, uint32_t level)
{
	struct vu_dma_node *node = node_take(change->pool, level, 0);

	if (node != NULL)
		nodes_add(&change->fresh, node);
	return node;
}

/* Append entries [from, from + nb) of a node. */
static void
node_append(struct vu_dma_node *to, const struct vu_dma_node *node, uint32_t from, uint32_t nb)
{
	memcpy(to->last + to->nb, node->last + from, nb * sizeof(node->last[0]));
	memcpy(to->child + to->nb, node->child + from, nb * sizeof(node->child[0]));
	to->nb += nb;
}

static void
node_push(struct vu_dma_node *to, uint64_t last, void *entry)
{
	to->last[to->nb] = last;
	to->child[to->nb++] = entry;
}

static uint64_t
node_last(const struct vu_dma_node *node)
{
	return node->last[node->nb - 1];
}

/* Entries are put out in order to one node, or to two halves if one cannot hold them. */
struct writer {
	struct place *place;
	uint32_t first_nb;	/* how many go to the first node */
};

static int
writer_init(struct writer *w, struct change *change, struct place *place, uint32_t level,
	uint32_t total)
{
	unsigned int i;

	w->place = place;
	w->first_nb = total > VU_DMA_FANOUT ? total / 2 : total;
	place->nb = total == 0 ? 0 : total > VU_DMA_FANOUT ? 2 : 1;
	for (i = 0; i < place->nb; i++) {
		place->node[i] = node_new(change, level);
		if (place->node[i] == NULL)
			return -ENOMEM;
	}
	return 0;
}

static void
writer_copy(struct writer *w, const struct vu_dma_node *node, uint32_t from, uint32_t nb)
{
	struct vu_dma_node *first = w->place->node[0];
	uint32_t room, part;

	if (nb == 0)
		return;
	room = w->first_nb - first->nb;
	part = nb < room ? nb : room;
	node_append(first, node, from, part);
	if (nb > part)
		node_append(w->place->node[1], node, from + part, nb - part);
}

static void
writer_push(struct writer *w, uint64_t last, void *entry)
{
	struct vu_dma_node *first = w->place->node[0];

	node_push(first->nb < w->first_nb ? first : w->place->node[1], last, entry);
}

/* Node again, with entry i (and i + 1 when skip is 2) replaced by those of a place. */
static int
node_replace(struct change *change, struct vu_dma_node *node, uint32_t i, uint32_t skip,
	const struct place *with, struct place *out)
{
	struct writer w;
	unsigned int k;

	if (writer_init(&w, change, out, node->level, node->nb - skip + with->nb) < 0)
		return -ENOMEM;
	writer_copy(&w, node, 0, i);
	for (k = 0; k < with->nb; k++)
		writer_push(&w, node_last(with->node[k]), with->node[k]);
	writer_copy(&w, node, i + skip, node->nb - i - skip);
	nodes_add(change->old, node);
	return 0;
}

static int
leaf_insert(struct change *change, struct vu_dma_node *leaf, uint64_t last, void *region,
	struct place *out)
{
	uint32_t i = vu_dma_node_find(leaf, last);
	struct writer w;

	if (writer_init(&w, change, out, 0, leaf->nb + 1) < 0)
		return -ENOMEM;
	writer_copy(&w, leaf, 0, i);
	writer_push(&w, last, region);
	writer_copy(&w, leaf, i, leaf->nb - i);
	nodes_add(change->old, leaf);
	return 0;
}

static int
node_insert(struct change *change, struct vu_dma_node *node, uint64_t last, void *region,
	struct place *out)
{
	struct place below;
	uint32_t i;

	if (node->level == 0)
		return leaf_insert(change, node, last, region, out);
	i = vu_dma_node_find(node, last);
	if (i == node->nb)
		i--;
	if (node_insert(change, node->child[i], last, region, &below) < 0)
		return -ENOMEM;
	return node_replace(change, node, i, 1, &below, out);
}

/* The root of a tree from what takes the place of the old one. */
static int
root_make(struct change *change, const struct place *place, struct vu_dma_node **root)
{
	unsigned int i;

	*root = place->nb == 0 ? NULL : place->node[0];
	if (place->nb < 2)
		return 0;
	*root = node_new(change, place->node[0]->level + 1);
	if (*root == NULL)
		return -ENOMEM;
	for (i = 0; i < place->nb; i++)
		node_push(*root, node_last(place->node[i]), place->node[i]);
	return 0;
}

static void
change_begin(struct change *change, struct vu_dma_nodes *old, struct vu_dma_pool *pool)
{
	change->pool = pool;
	change->old = old;
	change->fresh.nb = 0;
}

/* A change that failed leaves the old tree as it was. */
static int
change_end(struct change *change, int rc)
{
	if (rc < 0) {
		vu_dma_nodes_free(&change->fresh, change->pool);
		change->old->nb = 0;
	}
	return rc;
}

/* ---- trees of one node ---- */

/* Copy entries [from, from + nb) of a node to where they belong in another one. */
static void
entries_copy(struct vu_dma_node *to, uint32_t at, const struct vu_dma_node *node, uint32_t from,
	uint32_t nb)
{
	memcpy(to->last + at, node->last + from, nb * sizeof(node->last[0]));
	memcpy(to->child + at, node->child + from, nb * sizeof(node->child[0]));
}

static int
single_insert(struct vu_dma_node *root, uint64_t last, struct vu_dma_region *region,
	struct vu_dma_node **new_root, struct vu_dma_nodes *old, struct vu_dma_pool *pool)
{
	uint32_t i = 0, nb = root != NULL ? root->nb : 0;
	struct vu_dma_node *node = node_take(pool, 0, nb + 1);

	if (node == NULL)
		return -ENOMEM;
	if (root != NULL) {
		i = vu_dma_node_find(root, last);
		entries_copy(node, 0, root, 0, i);
		entries_copy(node, i + 1, root, i, nb - i);
		nodes_add(old, root);
	}
	node->last[i] = last;
	node->region[i] = region;
	*new_root = node;
	return 0;
}

static int
single_remove(struct vu_dma_node *root, uint64_t last, struct vu_dma_node **new_root,
	struct vu_dma_nodes *old, struct vu_dma_pool *pool)
{
	uint32_t i = vu_dma_node_find(root, last), nb = root->nb - 1;
	struct vu_dma_node *node = NULL;

	if (nb > 0) {
		node = node_take(pool, 0, nb);
		if (node == NULL)
			return -ENOMEM;
		entries_copy(node, 0, root, 0, i);
		entries_copy(node, i, root, i + 1, nb - i);
	}
	nodes_add(old, root);
	*new_root = node;
	return 0;
}

/* ---- trees of any size ---- */

int
vu_dma_tree_insert(struct vu_dma_node *root, uint64_t last, struct vu_dma_region *region,
	struct vu_dma_node **new_root, struct vu_dma_nodes *old, struct vu_dma_pool *pool)
{
	struct change change;
	struct place place;
	int rc;

	if (root == NULL || (root->level == 0 && root->nb < VU_DMA_FANOUT))
		return single_insert(root, last, region, new_root, old, pool);
	change_begin(&change, old, pool);
	rc = node_insert(&change, root, last, region, &place);
	if (rc == 0)
		rc = root_make(&change, &place, new_root);
	return change_end(&change, rc);
}

static int
leaf_remove(struct change *change, struct vu_dma_node *leaf, uint64_t last, struct place *out)
{
	const struct place nothing = { .nb = 0 };

	return node_replace(change, leaf, vu_dma_node_find(leaf, last), 1, &nothing, out);
}

/* A node that has shrunk goes together with its neighbour if one node can hold both. */
static int
node_merge(struct change *change, struct vu_dma_node *node, uint32_t i, struct place *below,
	uint32_t *skip)
{
	struct vu_dma_node *left = below->node[0];
	struct vu_dma_node *right, *both;

	*skip = 1;
	if (below->nb != 1 || i + 1 >= node->nb)
		return 0;
	right = node->child[i + 1];
	if (left->nb + right->nb > MERGE_MAX)
		return 0;
	both = node_new(change, left->level);
	if (both == NULL)
		return -ENOMEM;
	node_append(both, left, 0, left->nb);
	node_append(both, right, 0, right->nb);
	/* the left one is new and nobody has seen it; it goes when the change is through, too */
	nodes_add(change->old, left);
	nodes_add(change->old, right);
	below->node[0] = both;
	*skip = 2;
	return 0;
}

static int
node_remove(struct change *change, struct vu_dma_node *node, uint64_t last, struct place *out)
{
	struct place below;
	uint32_t i, skip;

	if (node->level == 0)
		return leaf_remove(change, node, last, out);
	i = vu_dma_node_find(node, last);
	if (node_remove(change, node->child[i], last, &below) < 0 ||
			node_merge(change, node, i, &below, &skip) < 0)
		return -ENOMEM;
	return node_replace(change, node, i, skip, &below, out);
}

/* A root with one child is no root. */
static struct vu_dma_node *
root_lower(struct change *change, struct vu_dma_node *root)
{
	while (root != NULL && root->level > 0 && root->nb == 1) {
		nodes_add(change->old, root);
		root = root->child[0];
	}
	return root;
}

int
vu_dma_tree_remove(struct vu_dma_node *root, uint64_t last, struct vu_dma_node **new_root,
	struct vu_dma_nodes *old, struct vu_dma_pool *pool)
{
	struct change change;
	struct place place;
	int rc;

	if (root->level == 0)
		return single_remove(root, last, new_root, old, pool);
	change_begin(&change, old, pool);
	rc = node_remove(&change, root, last, &place);
	if (rc == 0)
		rc = root_make(&change, &place, new_root);
	if (rc == 0)
		*new_root = root_lower(&change, *new_root);
	return change_end(&change, rc);
}

void
vu_dma_tree_walk(const struct vu_dma_node *root,
	void (*visit)(struct vu_dma_region *region, void *arg), void *arg)
{
	uint32_t i;

	for (i = 0; root != NULL && i < root->nb; i++) {
		if (root->level > 0)
			vu_dma_tree_walk(root->child[i], visit, arg);
		else
			visit(root->region[i], arg);
	}
}

void
vu_dma_tree_free(struct vu_dma_node *root)
{
	uint32_t i;

	if (root == NULL)
		return;
	for (i = 0; root->level > 0 && i < root->nb; i++)
		vu_dma_tree_free(root->child[i]);
	free(root);
}
