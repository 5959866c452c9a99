/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <bus_driver.h>
#include <eal_export.h>
#include <rte_class.h>
#include <rte_devargs.h>
#include <rte_errno.h>
#include <rte_kvargs.h>
#include <rte_log.h>
#include <rte_string_fns.h>

#include "eal_bus.h"
#include "eal_devargs.h"

#ifdef RTE_ARCH_64
static_assert(offsetof(struct rte_devargs, type) == 16 &&
	offsetof(struct rte_devargs, name) == 24 && offsetof(struct rte_devargs, args) == 88 &&
	offsetof(struct rte_devargs, bus) == 96 && offsetof(struct rte_devargs, data) == 128,
	"rte_devargs is laid out as in DPDK 25.11");
#endif

TAILQ_HEAD(devargs_list, rte_devargs);
static struct devargs_list devargs_all = TAILQ_HEAD_INITIALIZER(devargs_all);

/* ---- the layered form ---- */

static const char *const layer_keys[EAL_LAYER_NB] = {
	[EAL_LAYER_BUS] = "bus=",
	[EAL_LAYER_CLASS] = "class=",
	[EAL_LAYER_DRIVER] = "driver=",
};

/* Which layer starts here; -1: none. */
static int
layer_kind(const char *text)
{
	int kind;

	for (kind = 0; kind < EAL_LAYER_NB; kind++)
		if (strncmp(text, layer_keys[kind], strlen(layer_keys[kind])) == 0)
			return kind;
	return -1;
}

static size_t
layer_len(const char *text)
{
	const char *end;

	for (end = strchr(text, '/'); end != NULL; end = strchr(end + 1, '/'))
		if (layer_kind(end + 1) >= 0)
			return (size_t)(end - text);
	return strlen(text);
}

bool
eal_layers_start(const char *text)
{
	return layer_kind(text) >= 0;
}

int
eal_layers_split(const char *text, struct eal_layer layers[EAL_LAYER_NB])
{
	size_t len;
	int kind;

	memset(layers, 0, EAL_LAYER_NB * sizeof(layers[0]));
	for (;;) {
		kind = layer_kind(text);
		if (kind < 0 || layers[kind].str != NULL)
			return -EINVAL;
		len = layer_len(text);
		layers[kind].str = text;
		layers[kind].len = len;
		if (text[len] == '\0')
			return 0;
		text += len + 1;
	}
}

static size_t
layer_head_len(const struct eal_layer *layer)
{
	const char *comma = memchr(layer->str, ',', layer->len);

	return comma == NULL ? layer->len : (size_t)(comma - layer->str);
}

char *
eal_layer_name(const struct eal_layer *layer)
{
	size_t key_len = (size_t)(strchr(layer->str, '=') - layer->str) + 1;

	return strndup(layer->str + key_len, layer_head_len(layer) - key_len);
}

char *
eal_layer_args(const struct eal_layer *layer)
{
	size_t head_len = layer_head_len(layer);

	if (head_len == layer->len)
		return strdup("");
	return strndup(layer->str + head_len + 1, layer->len - head_len - 1);
}

static int
layer_bus_set(struct rte_devargs *da, const char *name)
{
	da->bus = rte_bus_find_by_name(name);
	return da->bus != NULL ? 0 : -EFAULT;
}

static int
layer_class_set(struct rte_devargs *da, const char *name)
{
	da->cls = rte_class_find_by_name(name);
	return da->cls != NULL ? 0 : -EFAULT;
}

/* Which bus or class a layer is of. */
static int
layer_resolve(struct rte_devargs *da, const struct eal_layer *layer,
	int (*set)(struct rte_devargs *da, const char *name))
{
	char *name;
	int rc;

	if (layer->str == NULL)
		return 0;
	name = eal_layer_name(layer);
	if (name == NULL)
		return -ENOMEM;
	rc = set(da, name);
	if (rc < 0)
		RTE_LOG(ERR, EAL, "device \"%s\": there is no \"%s\"\n", layer->str, name);
	free(name);
	return rc;
}

/* A copy of the text in which each layer is ended by NUL. */
static int
layers_copy(struct rte_devargs *da, const char *text, const struct eal_layer layers[])
{
	const char **const places[EAL_LAYER_NB] = {
		[EAL_LAYER_BUS] = &da->bus_str,
		[EAL_LAYER_CLASS] = &da->cls_str,
		[EAL_LAYER_DRIVER] = &da->drv_str,
	};
	char *copy;
	int kind;

	da->data = strdup(text);
	if (da->data == NULL)
		return -ENOMEM;
	for (kind = 0; kind < EAL_LAYER_NB; kind++) {
		if (layers[kind].str == NULL)
			continue;
		copy = da->data + (layers[kind].str - text);
		copy[layers[kind].len] = '\0';
		*places[kind] = copy;
	}
	return 0;
}

/* For buses that do not say how: the key "name". */
static int
layer_bus_default_parse(struct rte_devargs *da)
{
	struct rte_kvargs *kvlist;
	const char *name;
	int rc = 0;

	kvlist = rte_kvargs_parse(da->bus_str, NULL);
	if (kvlist == NULL)
		return -EINVAL;
	name = rte_kvargs_get(kvlist, "name");
	if (name != NULL && rte_strscpy(da->name, name, sizeof(da->name)) < 0)
		rc = -EINVAL;
	rte_kvargs_free(kvlist);
	return rc;
}

static int
layer_bus_parse(struct rte_devargs *da)
{
	int rc;

	if (da->bus == NULL)
		return 0;
	rc = da->bus->devargs_parse != NULL ?
		da->bus->devargs_parse(da) : layer_bus_default_parse(da);
	if (rc != 0)
		RTE_LOG(ERR, EAL, "device \"%s\": bus %s cannot read that\n", da->bus_str,
			da->bus->name);
	return rc > 0 ? -EINVAL : rc;
}

static int
devargs_parse_layers(struct rte_devargs *da, const char *text)
{
	struct eal_layer layers[EAL_LAYER_NB];
	int rc;

	rc = eal_layers_split(text, layers);
	if (rc == 0)
		rc = layer_resolve(da, &layers[EAL_LAYER_BUS], layer_bus_set);
	if (rc == 0)
		rc = layer_resolve(da, &layers[EAL_LAYER_CLASS], layer_class_set);
	if (rc == 0)
		rc = layers_copy(da, text, layers);
	if (rc == 0)
		rc = layer_bus_parse(da);
	return rc;
}

/* ---- the plain form ---- */

static int
bus_cmp_prefix(const struct rte_bus *bus, const void *data)
{
	size_t len = strlen(bus->name);
	const char *text = data;

	return strncmp(text, bus->name, len) != 0 || text[len] != ':';
}

/* The bus that is named before the name, or else the first one that knows the name. */
static struct rte_bus *
bus_of_name(struct rte_bus *named, const char *name)
{
	if (named == NULL)
		return rte_bus_find_by_device_name(name);
	return named->parse == NULL || named->parse(name, NULL) == 0 ? named : NULL;
}

static int
devargs_parse_plain(struct rte_devargs *da, const char *text)
{
	struct rte_bus *bus = rte_bus_find(NULL, bus_cmp_prefix, text);
	const char *name = bus == NULL ? text : text + strlen(bus->name) + 1;
	size_t len = strcspn(name, ",");

	if (len >= sizeof(da->name)) {
		RTE_LOG(ERR, EAL, "device \"%s\": the name has more than %zu characters\n",
			text, sizeof(da->name) - 1);
		return -EINVAL;
	}
	memcpy(da->name, name, len);
	da->bus = bus_of_name(bus, da->name);
	if (da->bus == NULL) {
		RTE_LOG(ERR, EAL, "device \"%s\": %s%s\n", da->name,
			bus == NULL ? "no bus knows such a device" : "it is no device of bus ",
			bus == NULL ? "" : bus->name);
		return -EFAULT;
	}
	da->data = strdup(name[len] == ',' ? &name[len + 1] : "");
	da->args = da->data;
	return da->data != NULL ? 0 : -ENOMEM;
}

/* ---- either form ---- */

RTE_EXPORT_SYMBOL(rte_devargs_parse)
int
rte_devargs_parse(struct rte_devargs *da, const char *dev)
{
	int rc;

	if (da == NULL || dev == NULL)
		return -EINVAL;
	memset(da, 0, sizeof(*da));
	rc = eal_layers_start(dev) ? devargs_parse_layers(da, dev) : devargs_parse_plain(da, dev);
	if (rc < 0)
		rte_devargs_reset(da);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_devargs_parsef)
int
rte_devargs_parsef(struct rte_devargs *da, const char *format, ...)
{
	va_list ap;
	char *text;
	int rc;

	if (da == NULL || format == NULL)
		return -EINVAL;
	va_start(ap, format);
	rc = vasprintf(&text, format, ap);
	va_end(ap);
	if (rc < 0)
		return -ENOMEM;
	rc = rte_devargs_parse(da, text);
	free(text);
	return rc;
}

RTE_EXPORT_SYMBOL(rte_devargs_reset)
void
rte_devargs_reset(struct rte_devargs *da)
{
	if (da == NULL)
		return;
	free(da->data);
	da->data = NULL;
	da->args = NULL;
	da->bus_str = NULL;
	da->cls_str = NULL;
}

/* ---- the list ---- */

/* Without a name, the bus's part tells one device from another. */
static bool
devargs_same_device(const struct rte_devargs *a, const struct rte_devargs *b)
{
	if (a->bus != b->bus)
		return false;
	if (a->name[0] != '\0' || b->name[0] != '\0')
		return eal_bus_same_device(a->bus, a->name, b->name);
	return a->bus_str != NULL && b->bus_str != NULL && strcmp(a->bus_str, b->bus_str) == 0;
}

static struct rte_devargs *
devargs_find(const struct rte_devargs *da)
{
	struct rte_devargs *listed;

	TAILQ_FOREACH(listed, &devargs_all, next)
		if (listed == da || devargs_same_device(listed, da))
			return listed;
	return NULL;
}

RTE_EXPORT_SYMBOL(rte_devargs_insert)
int
rte_devargs_insert(struct rte_devargs **da)
{
	struct rte_devargs *listed;

	if (da == NULL || *da == NULL || (*da)->bus == NULL)
		return -1;
	listed = devargs_find(*da);
	if (listed == NULL) {
		TAILQ_INSERT_TAIL(&devargs_all, *da, next);
	} else if (listed != *da) {
		rte_devargs_reset(listed);
		(*da)->next = listed->next;
		*listed = **da;
		free(*da);
		*da = listed;
	}
	return 0;
}

static void
devargs_scan_mode_set(const struct rte_devargs *da)
{
	if (da->bus->conf.scan_mode == RTE_BUS_SCAN_UNDEFINED)
		da->bus->conf.scan_mode = da->policy == RTE_DEV_BLOCKED ?
			RTE_BUS_SCAN_BLOCKLIST : RTE_BUS_SCAN_ALLOWLIST;
}

RTE_EXPORT_SYMBOL(rte_devargs_add)
int
rte_devargs_add(enum rte_devtype devtype, const char *devargs_str)
{
	struct rte_devargs *da;
	int rc;

	da = calloc(1, sizeof(*da));
	if (da == NULL)
		return -ENOMEM;
	rc = rte_devargs_parse(da, devargs_str);
	if (rc == 0 && da->bus == NULL) {
		RTE_LOG(ERR, EAL, "device \"%s\": no bus is named\n", devargs_str);
		rte_devargs_reset(da);
		rc = -EINVAL;
	}
	if (rc < 0) {
		free(da);
		return rc;
	}
	da->type = devtype;
	da->policy = devtype == RTE_DEVTYPE_BLOCKED ? RTE_DEV_BLOCKED : RTE_DEV_ALLOWED;
	devargs_scan_mode_set(da);
	return rte_devargs_insert(&da);
}

static void
devargs_delete(struct rte_devargs *listed)
{
	TAILQ_REMOVE(&devargs_all, listed, next);
	rte_devargs_reset(listed);
	free(listed);
}

RTE_EXPORT_SYMBOL(rte_devargs_remove)
int
rte_devargs_remove(struct rte_devargs *devargs)
{
	struct rte_devargs *listed;

	if (devargs == NULL || devargs->bus == NULL)
		return -1;
	listed = devargs_find(devargs);
	if (listed == NULL)
		return 1;
	devargs_delete(listed);
	return 0;
}

RTE_EXPORT_SYMBOL(rte_devargs_type_count)
unsigned int
rte_devargs_type_count(enum rte_devtype devtype)
{
	const struct rte_devargs *da;
	unsigned int count = 0;

	TAILQ_FOREACH(da, &devargs_all, next)
		if (da->type == devtype)
			count++;
	return count;
}

RTE_EXPORT_SYMBOL(rte_devargs_dump)
void
rte_devargs_dump(FILE *f)
{
	static const char *const types[] = {
		[RTE_DEVTYPE_ALLOWED] = "allowed",
		[RTE_DEVTYPE_BLOCKED] = "blocked",
		[RTE_DEVTYPE_VIRTUAL] = "virtual",
	};
	const struct rte_devargs *da;

	TAILQ_FOREACH(da, &devargs_all, next)
		fprintf(f, "device %s:%s %s, arguments \"%s\"\n", da->bus->name, da->name,
			types[da->type], da->args != NULL ? da->args : "");
}

RTE_EXPORT_SYMBOL(rte_devargs_next)
struct rte_devargs *
rte_devargs_next(const char *busname, const struct rte_devargs *start)
{
	struct rte_devargs *da;

	da = start == NULL ? TAILQ_FIRST(&devargs_all) : TAILQ_NEXT(start, next);
	while (da != NULL && busname != NULL && strcmp(da->bus->name, busname) != 0)
		da = TAILQ_NEXT(da, next);
	return da;
}

void
eal_devargs_cleanup(void)
{
	struct rte_devargs *da;

	while ((da = TAILQ_FIRST(&devargs_all)) != NULL)
		devargs_delete(da);
}
