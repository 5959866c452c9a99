/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include <eal_export.h>
#include <rte_eal_memconfig.h>
#include <rte_log.h>
#include <rte_string_fns.h>
#include <rte_tailq.h>

#include "eal_mcfg.h"

RTE_EXPORT_SYMBOL(rte_eal_tailq_lookup)
struct rte_tailq_head *
rte_eal_tailq_lookup(const char *name)
{
	struct rte_tailq_head *head = eal_mcfg()->tailq;
	unsigned int i;

	if (name == NULL || *name == '\0')
		return NULL;
	for (i = 0; i < EAL_TAILQ_MAX; i++)
		if (strncmp(head[i].name, name, RTE_TAILQ_NAMESIZE - 1) == 0)
			return &head[i];
	return NULL;
}

static struct rte_tailq_head *
tailq_create(const char *name)
{
	struct rte_tailq_head *head = eal_mcfg()->tailq;
	unsigned int i;

	for (i = 0; i < EAL_TAILQ_MAX; i++) {
		if (head[i].name[0] != '\0')
			continue;
		rte_strlcpy(head[i].name, name, sizeof(head[i].name));
		TAILQ_INIT(&head[i].tailq_head);
		return &head[i];
	}
	return NULL;
}

RTE_EXPORT_SYMBOL(rte_eal_tailq_register)
int
rte_eal_tailq_register(struct rte_tailq_elem *t)
{
	t->head = NULL;
	if (rte_eal_tailq_lookup(t->name) == NULL)
		t->head = tailq_create(t->name);
	if (t->head == NULL) {
		RTE_LOG(ERR, EAL, "list %s: registered twice, or too many lists\n", t->name);
		return -1;
	}
	return 0;
}

RTE_EXPORT_SYMBOL(rte_dump_tailq)
void
rte_dump_tailq(FILE *f)
{
	const struct rte_tailq_head *head = eal_mcfg()->tailq;
	unsigned int i;

	rte_mcfg_tailq_read_lock();
	for (i = 0; i < EAL_TAILQ_MAX; i++)
		if (head[i].name[0] != '\0')
			fprintf(f, "list %u: %s, first %p, last %p\n", i, head[i].name,
				(void *)head[i].tailq_head.tqh_first,
				(void *)head[i].tailq_head.tqh_last);
	rte_mcfg_tailq_read_unlock();
}
