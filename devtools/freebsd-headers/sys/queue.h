/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_SYS_QUEUE_H
#define STANDIN_SYS_QUEUE_H

#define LIST_HEAD(name, type) struct name { struct type *lh_first; }
#define LIST_HEAD_INITIALIZER(head) { NULL }
#define LIST_ENTRY(type) struct { struct type *le_next; struct type **le_prev; }
#define LIST_INIT(head) ((head)->lh_first = NULL)
#define LIST_EMPTY(head) ((head)->lh_first == NULL)
#define LIST_FIRST(head) ((head)->lh_first)
#define LIST_NEXT(elem, field) ((elem)->field.le_next)
#define LIST_FOREACH(var, head, field) \
	for ((var) = LIST_FIRST(head); (var) != NULL; (var) = LIST_NEXT(var, field))
#define LIST_INSERT_HEAD(head, elem, field) do { \
	if ((LIST_NEXT(elem, field) = LIST_FIRST(head)) != NULL) \
		LIST_FIRST(head)->field.le_prev = &LIST_NEXT(elem, field); \
	LIST_FIRST(head) = (elem); \
	(elem)->field.le_prev = &LIST_FIRST(head); \
} while (0)
#define LIST_INSERT_AFTER(at, elem, field) do { \
	if ((LIST_NEXT(elem, field) = LIST_NEXT(at, field)) != NULL) \
		LIST_NEXT(at, field)->field.le_prev = &LIST_NEXT(elem, field); \
	LIST_NEXT(at, field) = (elem); \
	(elem)->field.le_prev = &LIST_NEXT(at, field); \
} while (0)
#define LIST_REMOVE(elem, field) do { \
	if (LIST_NEXT(elem, field) != NULL) \
		LIST_NEXT(elem, field)->field.le_prev = (elem)->field.le_prev; \
	*(elem)->field.le_prev = LIST_NEXT(elem, field); \
} while (0)

#define TAILQ_HEAD(name, type) struct name { struct type *tqh_first; struct type **tqh_last; }
#define TAILQ_HEAD_INITIALIZER(head) { NULL, &(head).tqh_first }
#define TAILQ_ENTRY(type) struct { struct type *tqe_next; struct type **tqe_prev; }
#define TAILQ_INIT(head) ((head)->tqh_first = NULL, (head)->tqh_last = &(head)->tqh_first)
#define TAILQ_EMPTY(head) ((head)->tqh_first == NULL)
#define TAILQ_FIRST(head) ((head)->tqh_first)
#define TAILQ_NEXT(elem, field) ((elem)->field.tqe_next)
#define TAILQ_FOREACH(var, head, field) \
	for ((var) = TAILQ_FIRST(head); (var) != NULL; (var) = TAILQ_NEXT(var, field))
#define TAILQ_FOREACH_SAFE(var, head, field, after) \
	for ((var) = TAILQ_FIRST(head); \
		(var) != NULL && ((after) = TAILQ_NEXT(var, field), 1); (var) = (after))
#define TAILQ_INSERT_TAIL(head, elem, field) do { \
	TAILQ_NEXT(elem, field) = NULL; \
	(elem)->field.tqe_prev = (head)->tqh_last; \
	*(head)->tqh_last = (elem); \
	(head)->tqh_last = &TAILQ_NEXT(elem, field); \
} while (0)
#define TAILQ_INSERT_HEAD(head, elem, field) do { \
	if ((TAILQ_NEXT(elem, field) = TAILQ_FIRST(head)) != NULL) \
		TAILQ_FIRST(head)->field.tqe_prev = &TAILQ_NEXT(elem, field); \
	else \
		(head)->tqh_last = &TAILQ_NEXT(elem, field); \
	TAILQ_FIRST(head) = (elem); \
	(elem)->field.tqe_prev = &TAILQ_FIRST(head); \
} while (0)
#define TAILQ_INSERT_BEFORE(at, elem, field) do { \
	(elem)->field.tqe_prev = (at)->field.tqe_prev; \
	TAILQ_NEXT(elem, field) = (at); \
	*(at)->field.tqe_prev = (elem); \
	(at)->field.tqe_prev = &TAILQ_NEXT(elem, field); \
} while (0)
#define TAILQ_REMOVE(head, elem, field) do { \
	if (TAILQ_NEXT(elem, field) != NULL) \
		TAILQ_NEXT(elem, field)->field.tqe_prev = (elem)->field.tqe_prev; \
	else \
		(head)->tqh_last = (elem)->field.tqe_prev; \
	*(elem)->field.tqe_prev = TAILQ_NEXT(elem, field); \
} while (0)

#define STAILQ_HEAD(name, type) struct name { struct type *stqh_first; struct type **stqh_last; }
#define STAILQ_HEAD_INITIALIZER(head) { NULL, &(head).stqh_first }
#define STAILQ_ENTRY(type) struct { struct type *stqe_next; }
#define STAILQ_INIT(head) ((head)->stqh_first = NULL, (head)->stqh_last = &(head)->stqh_first)
#define STAILQ_EMPTY(head) ((head)->stqh_first == NULL)
#define STAILQ_FIRST(head) ((head)->stqh_first)
#define STAILQ_NEXT(elem, field) ((elem)->field.stqe_next)
#define STAILQ_FOREACH(var, head, field) \
	for ((var) = STAILQ_FIRST(head); (var) != NULL; (var) = STAILQ_NEXT(var, field))
#define STAILQ_INSERT_TAIL(head, elem, field) do { \
	STAILQ_NEXT(elem, field) = NULL; \
	*(head)->stqh_last = (elem); \
	(head)->stqh_last = &STAILQ_NEXT(elem, field); \
} while (0)
#define STAILQ_REMOVE_HEAD(head, field) do { \
	if ((STAILQ_FIRST(head) = STAILQ_NEXT(STAILQ_FIRST(head), field)) == NULL) \
		(head)->stqh_last = &STAILQ_FIRST(head); \
} while (0)

#endif
