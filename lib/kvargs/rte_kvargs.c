/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <eal_export.h>
#include <rte_kvargs.h>

static bool
kvargs_key_valid(const char *key, const char *const valid_keys[])
{
	if (valid_keys == NULL)
		return true;
	for (; *valid_keys != NULL; valid_keys++)
		if (strcmp(*valid_keys, key) == 0)
			return true;
	return false;
}

/*
 * The length of a value: up to the next comma that is not in brackets; -1: brackets do not match.
 */
static int
kvargs_value_len(const char *value)
{
	int depth = 0;
	int len;

	for (len = 0; value[len] != '\0'; len++) {
		if (value[len] == ',' && depth == 0)
			break;
		depth += (value[len] == '[') - (value[len] == ']');
		if (depth < 0)
			return -1;
	}
	return depth == 0 ? len : -1;
}

/* Cut the argument at *str off and leave *str at what follows; NULL when that was the last. */
static int
kvargs_pair_parse(char **str, struct rte_kvargs_pair *pair)
{
	int len = kvargs_value_len(*str);
	char *end, *value;

	if (len < 0)
		return -1;
	end = *str + len;
	pair->key = *str;
	pair->value = NULL;
	*str = *end == ',' ? end + 1 : NULL;
	*end = '\0';
	value = strchr(pair->key, '=');
	if (value != NULL) {
		*value = '\0';
		pair->value = value + 1;
	}
	return pair->key[0] != '\0' ? 0 : -1;
}

static int
kvargs_fill(struct rte_kvargs *kvlist, const char *const valid_keys[])
{
	struct rte_kvargs_pair *pair;
	char *str = kvlist->str;

	while (str != NULL) {
		if (*str == ',' || *str == '\0') {
			str = *str == ',' ? str + 1 : NULL;
			continue;
		}
		if (kvlist->count == RTE_KVARGS_MAX)
			return -1;
		pair = &kvlist->pairs[kvlist->count];
		if (kvargs_pair_parse(&str, pair) < 0 || !kvargs_key_valid(pair->key, valid_keys))
			return -1;
		kvlist->count++;
	}
	return 0;
}

static struct rte_kvargs *
kvargs_parse_len(const char *args, size_t len, const char *const valid_keys[])
{
	struct rte_kvargs *kvlist;

	kvlist = calloc(1, sizeof(*kvlist));
	if (kvlist == NULL)
		return NULL;
	kvlist->str = strndup(args, len);
	if (kvlist->str == NULL || kvargs_fill(kvlist, valid_keys) < 0) {
		rte_kvargs_free(kvlist);
		return NULL;
	}
	return kvlist;
}

RTE_EXPORT_SYMBOL(rte_kvargs_parse)
struct rte_kvargs *
rte_kvargs_parse(const char *args, const char *const valid_keys[])
{
	return args == NULL ? NULL : kvargs_parse_len(args, strlen(args), valid_keys);
}

RTE_EXPORT_SYMBOL(rte_kvargs_parse_delim)
struct rte_kvargs *
rte_kvargs_parse_delim(const char *args, const char *const valid_keys[], const char *valid_ends)
{
	if (args == NULL || valid_ends == NULL)
		return rte_kvargs_parse(args, valid_keys);
	return kvargs_parse_len(args, strcspn(args, valid_ends), valid_keys);
}

RTE_EXPORT_SYMBOL(rte_kvargs_free)
void
rte_kvargs_free(struct rte_kvargs *kvlist)
{
	if (kvlist == NULL)
		return;
	free(kvlist->str);
	free(kvlist);
}

RTE_EXPORT_SYMBOL(rte_kvargs_get_with_value)
const char *
rte_kvargs_get_with_value(const struct rte_kvargs *kvlist, const char *key, const char *value)
{
	const struct rte_kvargs_pair *pair;

	if (kvlist == NULL)
		return NULL;
	for (pair = kvlist->pairs; pair < &kvlist->pairs[kvlist->count]; pair++) {
		if (key != NULL && strcmp(pair->key, key) != 0)
			continue;
		if (value == NULL || (pair->value != NULL && strcmp(pair->value, value) == 0))
			return pair->value;
	}
	return NULL;
}

RTE_EXPORT_SYMBOL(rte_kvargs_get)
const char *
rte_kvargs_get(const struct rte_kvargs *kvlist, const char *key)
{
	return key == NULL ? NULL : rte_kvargs_get_with_value(kvlist, key, NULL);
}

RTE_EXPORT_SYMBOL(rte_kvargs_process_opt)
int
rte_kvargs_process_opt(const struct rte_kvargs *kvlist, const char *key_match,
	arg_handler_t handler, void *opaque_arg)
{
	const struct rte_kvargs_pair *pair;

	if (kvlist == NULL)
		return -1;
	for (pair = kvlist->pairs; pair < &kvlist->pairs[kvlist->count]; pair++) {
		if (key_match != NULL && strcmp(pair->key, key_match) != 0)
			continue;
		if (handler(pair->key, pair->value, opaque_arg) < 0)
			return -1;
	}
	return 0;
}

struct kvargs_strict {
	arg_handler_t handler;
	void *opaque;
};

static int
kvargs_handle_with_value(const char *key, const char *value, void *opaque)
{
	const struct kvargs_strict *strict = opaque;

	return value == NULL ? -1 : strict->handler(key, value, strict->opaque);
}

RTE_EXPORT_SYMBOL(rte_kvargs_process)
int
rte_kvargs_process(const struct rte_kvargs *kvlist, const char *key_match,
	arg_handler_t handler, void *opaque_arg)
{
	struct kvargs_strict strict = { handler, opaque_arg };

	if (kvlist == NULL)
		return 0;
	return rte_kvargs_process_opt(kvlist, key_match, kvargs_handle_with_value, &strict);
}

RTE_EXPORT_SYMBOL(rte_kvargs_count)
unsigned int
rte_kvargs_count(const struct rte_kvargs *kvlist, const char *key_match)
{
	unsigned int count = 0;
	unsigned int i;

	for (i = 0; kvlist != NULL && i < kvlist->count; i++)
		if (key_match == NULL || strcmp(kvlist->pairs[i].key, key_match) == 0)
			count++;
	return count;
}
