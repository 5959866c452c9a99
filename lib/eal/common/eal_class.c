/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include <eal_export.h>
#include <rte_class.h>
#include <rte_debug.h>
#include <rte_log.h>

static struct rte_class_list classes = TAILQ_HEAD_INITIALIZER(classes);

RTE_EXPORT_SYMBOL(rte_class_register)
void
rte_class_register(struct rte_class *cls)
{
	RTE_VERIFY(cls != NULL && cls->name != NULL && cls->name[0] != '\0');

	TAILQ_INSERT_TAIL(&classes, cls, next);
	RTE_LOG(DEBUG, EAL, "class %s is registered\n", cls->name);
}

RTE_EXPORT_SYMBOL(rte_class_unregister)
void
rte_class_unregister(struct rte_class *cls)
{
	TAILQ_REMOVE(&classes, cls, next);
	RTE_LOG(DEBUG, EAL, "class %s is unregistered\n", cls->name);
}

RTE_EXPORT_SYMBOL(rte_class_find)
struct rte_class *
rte_class_find(const struct rte_class *start, rte_class_cmp_t cmp, const void *data)
{
	struct rte_class *cls;

	cls = start == NULL ? TAILQ_FIRST(&classes) : TAILQ_NEXT(start, next);
	while (cls != NULL && cmp(cls, data) != 0)
		cls = TAILQ_NEXT(cls, next);
	return cls;
}

static int
class_cmp_name(const struct rte_class *cls, const void *data)
{
	return strcmp(cls->name, data);
}

RTE_EXPORT_SYMBOL(rte_class_find_by_name)
struct rte_class *
rte_class_find_by_name(const char *name)
{
	return name == NULL ? NULL : rte_class_find(NULL, class_cmp_name, name);
}
