/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include <rte_common.h>
#include <rte_vfio_region.h>
#include <rte_vfio_user.h>

#include "info.h"
#include "options.h"

#define COMMAND "info"
#define EXIT_USAGE 2

/* The longest description of a region that is asked for. */
#define REGION_INFO_MAX 65536u

static const struct flag_name {
	uint32_t flag;
	const char *name;
} device_flags[] = {
	{ VFIO_DEVICE_FLAGS_RESET, "reset" },
	{ VFIO_DEVICE_FLAGS_PCI, "pci" },
	{ 0, NULL },
}, region_flags[] = {
	{ VFIO_REGION_INFO_FLAG_READ, "read" },
	{ VFIO_REGION_INFO_FLAG_WRITE, "write" },
	{ VFIO_REGION_INFO_FLAG_MMAP, "mmap" },
	{ 0, NULL },
}, irq_flags[] = {
	{ VFIO_IRQ_INFO_EVENTFD, "eventfd" },
	{ VFIO_IRQ_INFO_MASKABLE, "maskable" },
	{ VFIO_IRQ_INFO_AUTOMASKED, "automasked" },
	{ VFIO_IRQ_INFO_NORESIZE, "noresize" },
	{ 0, NULL },
};

static const char *const region_names[] = {
	"BAR0", "BAR1", "BAR2", "BAR3", "BAR4", "BAR5", "ROM", "config", "VGA",
};

static const char *const irq_names[] = { "INTx", "MSI", "MSI-X", "error", "request" };

static json_t *
flags_json(const struct flag_name *flag, uint32_t flags)
{
	json_t *array = json_array();

	for (; flag->name != NULL; flag++)
		if (flags & flag->flag)
			json_array_append_new(array, json_string(flag->name));
	return array;
}

static void
name_set(json_t *object, const char *const *names, size_t nb, uint32_t index)
{
	if (index < nb)
		json_object_set_new(object, "name", json_string(names[index]));
}

static json_t *
number(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* --------------------------------------------------------------------- gathering ---- */

static int
server_gather(int dev_id, json_t *root)
{
	struct rte_vfio_user_limits l;
	json_t *server;
	int rc;

	rc = rte_vfio_user_get_limits(dev_id, &l);
	if (rc < 0)
		return rc;
	server = json_pack("{s:i, s:i, s:I, s:I, s:I, s:I, s:b, s:b, s:b}",
		"major", l.major, "minor", l.minor,
		"max_msg_fds", (json_int_t)l.max_msg_fds,
		"max_data_xfer_size", (json_int_t)l.max_data_xfer_size,
		"max_dma_maps", (json_int_t)l.max_dma_maps,
		"pgsizes", (json_int_t)l.pgsizes,
		"write_multiple", (int)l.write_multiple,
		"twin_socket", (int)l.twin_socket, "migration", (int)l.migration);
	return json_object_set_new(root, "server", server) == 0 ? 0 : -ENOMEM;
}

/* The areas that may be mapped. */
static json_t *
areas_json(const struct vfio_region_info *info)
{
	struct rte_vfio_region region;
	json_t *array = json_array();
	uint32_t i;

	if (rte_vfio_region_parse(info, info->argsz, &region) == 0 && region.sparse)
		for (i = 0; i < region.nb_areas; i++)
			json_array_append_new(array, json_pack("{s:I, s:I}",
				"offset", (json_int_t)region.areas[i].offset,
				"size", (json_int_t)region.areas[i].size));
	rte_vfio_region_fini(&region);
	return array;
}

static json_t *
region_json(const struct vfio_region_info *info, bool has_fd)
{
	json_t *object = json_object();

	json_object_set_new(object, "index", number(info->index));
	name_set(object, region_names, RTE_DIM(region_names), info->index);
	json_object_set_new(object, "size", number(info->size));
	json_object_set_new(object, "flags", flags_json(region_flags, info->flags));
	if (!has_fd)
		return object;
	json_object_set_new(object, "file_offset", number(info->offset));
	json_object_set_new(object, "areas", areas_json(info));
	return object;
}

/* One region, unless it has no bytes. */
static int
region_gather(int dev_id, struct vfio_region_info *info, uint32_t index, json_t *regions)
{
	int fd, rc;

	memset(info, 0, sizeof(*info));
	info->argsz = REGION_INFO_MAX;
	info->index = index;
	rc = rte_vfio_user_get_reg_info(dev_id, info, &fd);
	if (rc < 0)
		return rc;
	/* what is told is all there is room for */
	info->argsz = RTE_MIN(info->argsz, REGION_INFO_MAX);
	if (info->size > 0)
		json_array_append_new(regions, region_json(info, fd >= 0));
	if (fd >= 0)
		close(fd);
	return 0;
}

static int
regions_gather(int dev_id, uint32_t nb, json_t *root)
{
	struct vfio_region_info *info = calloc(1, REGION_INFO_MAX);
	json_t *regions = json_array();
	uint32_t i;
	int rc = info != NULL ? 0 : -ENOMEM;

	json_object_set_new(root, "regions", regions);
	for (i = 0; i < nb && rc == 0; i++)
		rc = region_gather(dev_id, info, i, regions);
	free(info);
	return rc;
}

static int
irqs_gather(int dev_id, uint32_t nb, json_t *root)
{
	json_t *irqs = json_array();
	json_t *object;
	uint32_t i;
	int rc = 0;

	json_object_set_new(root, "interrupts", irqs);
	for (i = 0; i < nb && rc == 0; i++) {
		struct vfio_irq_info info = { .argsz = sizeof(info), .index = i };

		rc = rte_vfio_user_get_irq_info(dev_id, &info);
		if (rc < 0 || info.count == 0)
			continue;
		object = json_pack("{s:I}", "index", (json_int_t)i);
		name_set(object, irq_names, RTE_DIM(irq_names), i);
		json_object_set_new(object, "vectors", number(info.count));
		json_object_set_new(object, "flags", flags_json(irq_flags, info.flags));
		json_array_append_new(irqs, object);
	}
	return rc;
}

/* Vendor and device from configuration space, where it can be read. */
static void
pci_ids_gather(int dev_id, json_t *device)
{
	uint16_t ids[2];
	char text[16];

	if (rte_vfio_user_region_read(dev_id, VFIO_PCI_CONFIG_REGION_INDEX, 0, sizeof(ids),
			ids) < 0)
		return;
	snprintf(text, sizeof(text), "%04x:%04x", ids[0], ids[1]);
	json_object_set_new(device, "pci_id", json_string(text));
}

static int
gather(int dev_id, json_t *root)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	json_t *device = json_object();
	int rc;

	rc = server_gather(dev_id, root);
	json_object_set_new(root, "device", device);
	if (rc == 0)
		rc = rte_vfio_user_get_dev_info(dev_id, &info);
	if (rc < 0)
		return rc;
	json_object_set_new(device, "flags", flags_json(device_flags, info.flags));
	pci_ids_gather(dev_id, device);
	rc = regions_gather(dev_id, info.num_regions, root);
	return rc == 0 ? irqs_gather(dev_id, info.num_irqs, root) : rc;
}

/* ---------------------------------------------------------------------- printing ---- */

/* What is a place or a length reads best in hexadecimal. */
static bool
is_hexadecimal(const char *key)
{
	static const char *const keys[] = { "size", "offset", "file_offset", "pgsizes" };
	size_t i;

	for (i = 0; i < RTE_DIM(keys); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void
value_print(const char *key, const json_t *value)
{
	json_t *flag;
	size_t i;

	if (json_is_string(value))
		printf(" %s", json_string_value(value));
	else if (json_is_integer(value))
		printf(is_hexadecimal(key) ? " 0x%llx" : " %lld",
			(long long)json_integer_value(value));
	else if (json_is_boolean(value))
		printf(" %s", json_is_true(value) ? "yes" : "no");
	json_array_foreach(value, i, flag)
		if (json_is_string(flag))
			printf(" %s", json_string_value(flag));
}

/* A line for the values of an object, and one for each object in it. */
static void
object_print(const char *title, json_t *object, int indent)
{
	const char *key;
	json_t *value, *entry;
	size_t i;

	printf("%*s%s:", indent, "", title);
	json_object_foreach(object, key, value) {
		if (json_is_array(value) && json_is_object(json_array_get(value, 0)))
			continue;
		printf(" %s", key);
		value_print(key, value);
	}
	printf("\n");
	json_object_foreach(object, key, value)
		json_array_foreach(value, i, entry)
			if (json_is_object(entry))
				object_print("area", entry, indent + 2);
}

static void
root_print(json_t *root)
{
	static const struct { const char *key; const char *title; } lists[] = {
		{ "regions", "region" },
		{ "interrupts", "interrupt" },
	};
	json_t *entry;
	size_t i, k;

	object_print("server", json_object_get(root, "server"), 0);
	object_print("device", json_object_get(root, "device"), 0);
	for (k = 0; k < RTE_DIM(lists); k++)
		json_array_foreach(json_object_get(root, lists[k].key), i, entry)
			object_print(lists[k].title, entry, 0);
}

static int
show(const char *path, bool json)
{
	json_t *root = json_object();
	int dev_id, rc;

	rc = dev_id = rte_vfio_user_attach_dev(path);
	if (dev_id >= 0) {
		rc = gather(dev_id, root);
		rte_vfio_user_detach_dev(dev_id);
	}
	if (rc < 0) {
		fprintf(stderr, "dpdk-vfio-user info: %s: %s\n", path, strerror(-rc));
	} else if (json) {
		json_dumpf(root, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		printf("\n");
	} else {
		root_print(root);
	}
	json_decref(root);
	return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---------------------------------------------------------------- the command line ---- */

struct request {
	const char *path;
	bool json;
	bool help;
};

static bool
request_parse(struct request *request, int argc, char **argv)
{
	const struct tool_option options[] = {
		{ "--json", .flag = &request->json },
		{ "--help", .flag = &request->help },
		{ "-h", .flag = &request->help },
		{ NULL },
	};

	return tool_socket_parse(COMMAND, options, argc, argv, &request->path) &&
		(request->help || tool_socket_check(COMMAND, request->path));
}

int
info_run(int argc, char **argv)
{
	struct request request = { 0 };

	if (!request_parse(&request, argc, argv))
		return EXIT_USAGE;
	if (!request.help)
		return show(request.path, request.json);
	printf("usage: dpdk-vfio-user info SOCKET [--json]\n"
		"Tells what a server says about itself and its device.\n");
	return EXIT_SUCCESS;
}
