/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_DEVARGS_H
#define RTE_DEVARGS_H

/**
 * @file
 * What the user says about a device, in one of two forms:
 *
 * - plain: "NAME,ARGS" or "BUS:NAME,ARGS", e.g. "0000:02:00.0,queues=2"
 * - layered: "bus=BUS,.../class=CLASS,.../driver=DRIVER,...", e.g.
 *   "bus=pci,addr=02:00.0/class=eth/driver=net_x,queues=2"
 *
 * and the list of all such. Not for several threads at a time.
 */

#include <stdio.h>

#include <rte_common.h>
#include <rte_compat.h>
#include <rte_dev.h>
#include <rte_os.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rte_bus;
struct rte_class;

/** Why there are arguments for a device. */
enum rte_devtype {
	RTE_DEVTYPE_ALLOWED,	/**< the user allows it */
	RTE_DEVTYPE_BLOCKED,	/**< the user blocks it */
	RTE_DEVTYPE_VIRTUAL	/**< the user wants it made */
};

/** What the user says about a device. The strings point into @ref data. */
struct rte_devargs {
	RTE_TAILQ_ENTRY(rte_devargs) next;	/**< link of EAL's list */
	enum rte_devtype type;	/**< why it is listed */
	enum rte_dev_policy policy;	/**< may the device be used? */
	char name[RTE_DEV_NAME_MAX_LEN];	/**< which device */
	__extension__ union {
		const char *args;	/**< plain form: what follows the name */
		const char *drv_str;	/**< layered form: the driver's part */
	};
	struct rte_bus *bus;	/**< its bus */
	struct rte_class *cls;	/**< its class, or NULL */
	const char *bus_str;	/**< the bus's part, or NULL */
	const char *cls_str;	/**< the class's part, or NULL */
	char *data;	/**< from malloc(); freed by rte_devargs_reset() */
};

/**
 * Read one text.
 *
 * @param da Where the result goes. On success da->data is the caller's, until
 *   rte_devargs_reset(); on failure there is nothing to free.
 * @param dev The text.
 * @return 0, or
 *   - -EINVAL: a pointer is NULL, the text cannot be read, or the name is too long
 *   - -EFAULT: no bus knows such a device, or there is no such bus or class
 *   - -ENOMEM: memory ran out
 */
int rte_devargs_parse(struct rte_devargs *da, const char *dev);

/**
 * rte_devargs_parse() of a text that is put together.
 *
 * @param da As for rte_devargs_parse().
 * @param format A printf format, and its arguments.
 * @return As rte_devargs_parse().
 */
int rte_devargs_parsef(struct rte_devargs *da, const char *format, ...)
	__rte_format_printf(2, 3);

/**
 * Free what rte_devargs_parse() allocated, not the structure.
 *
 * @param da What it filled; its strings are gone. NULL: nothing is done.
 */
void rte_devargs_reset(struct rte_devargs *da);

/**
 * Put arguments into the list. When it has some for that device, they are replaced in place.
 *
 * @param da From malloc(), with data. The list owns it afterwards; *da becomes the listed one.
 * @return 0; -1 when @p da is NULL or points to NULL.
 */
int rte_devargs_insert(struct rte_devargs **da);

/**
 * Read a text and put the result into the list. The first one for a bus settles whether the bus
 * lists what is allowed, or all but what is blocked.
 *
 * @param devtype Why.
 * @param devargs_str The text; it names a bus.
 * @return 0, or a negative number as rte_devargs_parse().
 */
int rte_devargs_add(enum rte_devtype devtype, const char *devargs_str);

/**
 * Take the arguments for a device out of the list and free them.
 *
 * @param devargs Names the device by bus and name; may be, or be in, the list.
 * @return 0; 1 when the list has none for it; -1 when @p devargs or its bus is NULL.
 */
int rte_devargs_remove(struct rte_devargs *devargs);

/**
 * Count the arguments in the list.
 *
 * @param devtype Those that are there for this reason.
 * @return How many there are.
 */
unsigned int rte_devargs_type_count(enum rte_devtype devtype);

/**
 * Write the list, a line for each device.
 *
 * @param f Where to.
 */
void rte_devargs_dump(FILE *f);

/**
 * Walk the list.
 *
 * @param busname Those of this bus; NULL: all.
 * @param start Begin after this one; NULL: with the first.
 * @return The next one, or NULL at the end.
 */
struct rte_devargs *rte_devargs_next(const char *busname, const struct rte_devargs *start);

/** For each @p da of the bus called @p busname (NULL: of all). */
#define RTE_EAL_DEVARGS_FOREACH(busname, da) \
	for (da = rte_devargs_next(busname, NULL); \
		da != NULL; \
		da = rte_devargs_next(busname, da))

#ifdef __cplusplus
}
#endif

#endif /* RTE_DEVARGS_H */
