/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_TAILQ_H
#define RTE_TAILQ_H

/**
 * @file
 * Named lists. The heads live in memory that children made by fork() share.
 */

#include <stdio.h>
#include <sys/queue.h>

#include <rte_common.h>
#include <rte_debug.h>
#include <rte_os.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An element of a named list. */
struct rte_tailq_entry {
	RTE_TAILQ_ENTRY(rte_tailq_entry) next;	/**< link */
	void *data;	/**< whatever the list is of */
};

/** The head of such a list, which users see as one of their own by RTE_TAILQ_CAST(). */
RTE_TAILQ_HEAD(rte_tailq_entry_head, rte_tailq_entry) __rte_may_alias;

/** Bytes of a list's name, with NUL. */
#define RTE_TAILQ_NAMESIZE 32

/** A named list. */
struct rte_tailq_head {
	struct rte_tailq_entry_head tailq_head;	/**< the list */
	char name[RTE_TAILQ_NAMESIZE];	/**< its name */
};

/** A library's handle to a list. */
struct rte_tailq_elem {
	struct rte_tailq_head *head;	/**< set by rte_eal_tailq_register() */
	RTE_TAILQ_ENTRY(rte_tailq_elem) next;	/**< link of EAL */
	const char name[RTE_TAILQ_NAMESIZE];	/**< the list's name */
};

/** The list of a struct rte_tailq_head as a list of @p struct_name. */
#define RTE_TAILQ_CAST(tailq_entry, struct_name) \
	((struct struct_name *)&(tailq_entry)->tailq_head)

/** The list called @p name as a list of @p struct_name; it must exist. */
#define RTE_TAILQ_LOOKUP(name, struct_name) \
	RTE_TAILQ_CAST(rte_eal_tailq_lookup(name), struct_name)

/**
 * Write all lists, a line each. Any thread.
 *
 * @param f Where to.
 */
void rte_dump_tailq(FILE *f);

/**
 * Find a list.
 *
 * @param name Its name.
 * @return The list, or NULL when there is none of that name.
 */
struct rte_tailq_head *rte_eal_tailq_lookup(const char *name);

/**
 * Make a list, or find the one of that name. May be called from a constructor.
 *
 * @param t The handle; its head is set. It must last as long as EAL.
 * @return 0; -1 when the name is taken by another handle, or too many lists exist, or there is
 *   no memory. Not for several threads at a time.
 */
int rte_eal_tailq_register(struct rte_tailq_elem *t);

/** Make the list of the handle @p t before main(). */
#define EAL_REGISTER_TAILQ(t) \
RTE_INIT(tailqinitfn_ ##t) \
{ \
	if (rte_eal_tailq_register(&t) < 0) \
		rte_panic("cannot make the list %s\n", t.name); \
}

#ifndef RTE_TAILQ_FOREACH_SAFE
/** Walk a list of which the element at hand may be taken out; @p tvar is for the macro. */
#define RTE_TAILQ_FOREACH_SAFE(var, head, field, tvar) \
	for ((var) = RTE_TAILQ_FIRST((head)); \
		(var) != NULL && ((tvar) = RTE_TAILQ_NEXT((var), field), 1); \
		(var) = (tvar))
#endif

#ifdef __cplusplus
}
#endif

#endif /* RTE_TAILQ_H */
