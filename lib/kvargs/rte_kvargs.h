/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_KVARGS_H
#define RTE_KVARGS_H

/**
 * @file
 * Lists of arguments "key=value,key=value". A key may come without a value, or several times.
 * A value may be a list "[a,b]", in which commas do not end it. Any thread, as long as no two
 * use the same list and one of them frees it.
 */

#include <rte_compat.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How many arguments a list may have. */
#define RTE_KVARGS_MAX 32

/** The characters between arguments. */
#define RTE_KVARGS_PAIRS_DELIM ","
/** The characters between key and value. */
#define RTE_KVARGS_KV_DELIM "="

/**
 * Is called for an argument.
 *
 * @param key The key.
 * @param value The value; NULL when there is none.
 * @param opaque As given to the function that calls.
 * @return 0; a negative number ends the processing.
 */
typedef int (*arg_handler_t)(const char *key, const char *value, void *opaque);

/** An argument. */
struct rte_kvargs_pair {
	char *key;	/**< never NULL */
	char *value;	/**< NULL when there is none */
};

/** A list of arguments. */
struct rte_kvargs {
	char *str;	/**< what keys and values point into */
	unsigned int count;	/**< how many there are */
	struct rte_kvargs_pair pairs[RTE_KVARGS_MAX];	/**< the arguments, in order */
};

/**
 * Read a list.
 *
 * @param args The text; copied.
 * @param valid_keys The keys that may occur, ended by NULL; NULL: any.
 * @return The list, to be freed by rte_kvargs_free(); NULL when the text is NULL or no list, has
 *   more than RTE_KVARGS_MAX arguments or a key that is not valid, or memory ran out.
 */
struct rte_kvargs *rte_kvargs_parse(const char *args, const char *const valid_keys[]);

/**
 * Read a list that ends before a certain character.
 *
 * @param args As for rte_kvargs_parse().
 * @param valid_keys As for rte_kvargs_parse().
 * @param valid_ends The characters that end the list, e.g. "/"; NULL: the end of the text only.
 * @return As rte_kvargs_parse().
 */
struct rte_kvargs *rte_kvargs_parse_delim(const char *args, const char *const valid_keys[],
	const char *valid_ends);

/**
 * Free a list, with the keys and values.
 *
 * @param kvlist From rte_kvargs_parse() or rte_kvargs_parse_delim(); NULL: nothing is done.
 */
void rte_kvargs_free(struct rte_kvargs *kvlist);

/**
 * The value of the first argument with a key.
 *
 * @param kvlist The list; NULL is one without arguments.
 * @param key The key.
 * @return The value, which lasts as long as the list; NULL when the key is missing or has none.
 */
const char *rte_kvargs_get(const struct rte_kvargs *kvlist, const char *key);

/**
 * The value of the first argument with a key and a value.
 *
 * @param kvlist The list; NULL is one without arguments.
 * @param key The key; NULL: any.
 * @param value The value; NULL: any.
 * @return The value, which lasts as long as the list; NULL when there is none.
 */
const char *rte_kvargs_get_with_value(const struct rte_kvargs *kvlist, const char *key,
	const char *value);

/**
 * Call a function for each argument with a key.
 *
 * @param kvlist The list; NULL is one without arguments.
 * @param key_match The key; NULL: any.
 * @param handler The function.
 * @param opaque_arg Passed to it.
 * @return 0; -1 when an argument has no value, or the function said so.
 */
int rte_kvargs_process(const struct rte_kvargs *kvlist, const char *key_match,
	arg_handler_t handler, void *opaque_arg);

/**
 * rte_kvargs_process(), also for arguments without a value: the function gets NULL.
 *
 * @param kvlist The list.
 * @param key_match The key; NULL: any.
 * @param handler The function.
 * @param opaque_arg Passed to it.
 * @return 0; -1 when @p kvlist is NULL, or the function said so.
 */
int rte_kvargs_process_opt(const struct rte_kvargs *kvlist, const char *key_match,
	arg_handler_t handler, void *opaque_arg);

/**
 * Count the arguments with a key.
 *
 * @param kvlist The list; NULL is one without arguments.
 * @param key_match The key; NULL: any.
 * @return How many there are.
 */
unsigned int rte_kvargs_count(const struct rte_kvargs *kvlist, const char *key_match);

#ifdef __cplusplus
}
#endif

#endif /* RTE_KVARGS_H */
