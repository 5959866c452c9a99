/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * What rules need to know of the server. It is believed as far as it can be read: that it is as it
 * should be is for the rules to say.
 */

#include <string.h>

#include <jansson.h>

#include <rte_common.h>

#include "check_rule.h"

static uint64_t
limit_of(json_t *capabilities, const char *name, uint64_t otherwise)
{
	json_t *value = json_object_get(capabilities, name);

	return json_is_integer(value) && json_integer_value(value) >= 0 ?
		(uint64_t)json_integer_value(value) : otherwise;
}

/* From the reply to VERSION. */
static void
limits_gather(struct check *c)
{
	const size_t fixed = sizeof(struct wire_version);
	json_t *root = NULL, *capabilities;

	if (c->len > fixed)
		root = json_loadb((const char *)c->payload + fixed,
			strnlen((const char *)c->payload + fixed, c->len - fixed), 0, NULL);
	capabilities = json_object_get(root, "capabilities");
	c->facts.max_xfer = limit_of(capabilities, "max_data_xfer_size", WIRE_DEFAULT_XFER);
	c->facts.max_maps = limit_of(capabilities, "max_dma_maps", WIRE_DEFAULT_DMA_MAPS);
	json_decref(root);
}

static void
info_gather(struct check *c)
{
	struct wire_info info;

	if (check_get_info(c, sizeof(info)) != CHECK_DONE || c->len < sizeof(info))
		return;
	memcpy(&info, c->payload, sizeof(info));
	c->facts.info_known = true;
	c->facts.flags = info.flags;
	c->facts.num_regions = info.num_regions;
	c->facts.num_irqs = info.num_irqs;
}

static void
regions_gather(struct check *c)
{
	const uint32_t nb = RTE_MIN(c->facts.num_regions, CHECK_REGIONS_MAX);
	struct vfio_region_info *info;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		info = &c->facts.regions[i];
		if (check_region_info(c, i, sizeof(*info)) != CHECK_DONE || c->len < sizeof(*info))
			return;
		memcpy(info, c->payload, sizeof(*info));
		info->index = i;
		c->facts.nb_regions = i + 1;
	}
}

static void
irqs_gather(struct check *c)
{
	const uint32_t nb = RTE_MIN(c->facts.num_irqs, CHECK_IRQS_MAX);
	struct vfio_irq_info *info;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		info = &c->facts.irqs[i];
		if (check_irq_info(c, i, sizeof(*info)) != CHECK_DONE || c->len < sizeof(*info))
			return;
		memcpy(info, c->payload, sizeof(*info));
		info->index = i;
		c->facts.nb_irqs = i + 1;
	}
}

void
check_facts_gather(struct check *c)
{
	check_open(c);
	limits_gather(c);
	info_gather(c);
	regions_gather(c);
	irqs_gather(c);
}

void
check_need_info(struct check *c)
{
	if (!c->facts.info_known)
		check_skip(c, "the device is not known");
}

void
check_need_regions(struct check *c)
{
	check_need_info(c);
	if (c->facts.nb_regions == 0)
		check_skip(c, "the regions are not known");
}

const struct vfio_region_info *
check_need_config(struct check *c)
{
	check_need_regions(c);
	if (!(c->facts.flags & VFIO_DEVICE_FLAGS_PCI) ||
			c->facts.nb_regions <= VFIO_PCI_CONFIG_REGION_INDEX ||
			c->facts.regions[VFIO_PCI_CONFIG_REGION_INDEX].size < 64)
		check_skip(c, "there is no configuration space");
	return &c->facts.regions[VFIO_PCI_CONFIG_REGION_INDEX];
}
