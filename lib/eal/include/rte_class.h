/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_CLASS_H
#define RTE_CLASS_H

/**
 * @file
 * Classes of devices, e.g. "eth": what a device does, whatever its bus. The list changes only
 * while constructors run, so any thread may search it.
 */

#include <rte_common.h>
#include <rte_dev.h>
#include <rte_os.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A list of classes. */
RTE_TAILQ_HEAD(rte_class_list, rte_class);

/** A class. */
struct rte_class {
	RTE_TAILQ_ENTRY(rte_class) next;	/**< link of EAL's list */
	const char *name;	/**< its name */
	rte_dev_iterate_t dev_iterate;	/**< walks its devices, or NULL */
};

/** Compare a class with @p data: 0 when they match. */
typedef int (*rte_class_cmp_t)(const struct rte_class *cls, const void *data);

/**
 * Find a class.
 *
 * @param start Begin after this one; NULL: with the first.
 * @param cmp Says whether a class matches.
 * @param data Passed to @p cmp.
 * @return The class, or NULL.
 */
struct rte_class *rte_class_find(const struct rte_class *start, rte_class_cmp_t cmp,
	const void *data);

/**
 * Find a class by its name. Any thread.
 *
 * @param name The name; NULL is nobody's.
 * @return The class, or NULL.
 */
struct rte_class *rte_class_find_by_name(const char *name);

/**
 * Add a class. From a constructor, or before rte_eal_init().
 *
 * @param cls The class, which EAL uses until rte_class_unregister(). It has a name, else the
 *   program panics.
 */
void rte_class_register(struct rte_class *cls);

/**
 * Take a class out. From a destructor, or after rte_eal_cleanup().
 *
 * @param cls A class that is registered.
 */
void rte_class_unregister(struct rte_class *cls);

/** Add the class @p cls, an object, under the name @p nm before main(). */
#define RTE_REGISTER_CLASS(nm, cls) \
RTE_INIT_PRIO(classinitfn_ ##nm, CLASS) \
{ \
	(cls).name = RTE_STR(nm); \
	rte_class_register(&cls); \
}

/** Take the class @p cls out after main(); @p nm as for RTE_REGISTER_CLASS(). */
#define RTE_UNREGISTER_CLASS(nm, cls) \
RTE_FINI_PRIO(classfinifn_ ##nm, CLASS) \
{ \
	rte_class_unregister(&cls); \
}

#ifdef __cplusplus
}
#endif

#endif /* RTE_CLASS_H */
