/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdio.h>
#include <sys/mman.h>

#include <jansson.h>

#include "names.h"
#include "report.h"

/* Numbers of PCI are written as people know them, in hex digits. */
static json_t *
hex(unsigned int number, int digits)
{
	char text[16];

	snprintf(text, sizeof(text), "%0*x", digits, number);
	return json_string(text);
}

static json_t *
text_or_null(const char *text)
{
	return text != NULL && text[0] != '\0' ? json_string(text) : json_null();
}

static json_t *
number_or_null(long number)
{
	return number < 0 ? json_null() : json_integer(number);
}

static json_t *
identity_json(const struct report *report)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o}",
		"address", report->address,
		"name", text_or_null(report->name),
		"vendor", hex(report->id.vendor_id, 4),
		"device", hex(report->id.device_id, 4),
		"subsystem_vendor", hex(report->id.subsystem_vendor_id, 4),
		"subsystem_device", hex(report->id.subsystem_device_id, 4),
		"class", hex(report->id.class_id, 6),
		"class_name", pci_class_name(report->id.class_id),
		"kernel_driver", text_or_null(report->kernel_driver),
		"backend", text_or_null(report->backend),
		"iommu_group", number_or_null(report->iommu_group),
		"numa_node", number_or_null(report->numa_node));
}

static json_t *
part_json(const struct bar_part *part)
{
	return json_pack("{s:I, s:I, s:b, s:b}",
		"offset", (json_int_t)part->offset,
		"length", (json_int_t)part->len,
		"mapped_read", (part->prot & PROT_READ) != 0,
		"mapped_write", (part->prot & PROT_WRITE) != 0);
}

static json_t *
parts_json(const struct report_bar *bar)
{
	const struct bar_view view = { bar->size, bar->windows, bar->nb_windows };
	json_t *parts = json_array();
	struct bar_part part;
	uint64_t at = 0;

	while (bar_next_part(&view, &at, &part))
		json_array_append_new(parts, part_json(&part));
	return parts;
}

static json_t *
bar_json(unsigned int number, const struct report_bar *bar, bool opened)
{
	json_t *object = json_pack("{s:i, s:s, s:I, s:I}",
		"bar", (int)number,
		"type", bar->ioport ? "io" : "memory",
		"size", (json_int_t)bar->size,
		"address", (json_int_t)bar->address);

	if (opened && !bar->ioport)
		json_object_set_new(object, "parts", parts_json(bar));
	return object;
}

static json_t *
bars_json(const struct report *report)
{
	json_t *bars = json_array();
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		if (report->bars[i].size != 0)
			json_array_append_new(bars,
				bar_json(i, &report->bars[i], report->opened));
	return bars;
}

static json_t *
cap_json(const struct cap *cap)
{
	return json_pack("{s:i, s:i, s:b, s:s}",
		"offset", (int)cap->offset,
		"id", (int)cap->id,
		"extended", cap->extended,
		"name", cap->extended ? pci_ext_cap_name(cap->id) : pci_cap_name(cap->id));
}

static json_t *
caps_json(const struct report *report)
{
	json_t *caps = json_array();
	size_t i;

	for (i = 0; i < report->nb_caps; i++)
		json_array_append_new(caps, cap_json(&report->caps[i]));
	return caps;
}

static json_t *
interrupts_json(const struct report *report)
{
	return json_pack("{s:i, s:i, s:i, s:b, s:b}",
		"intx", (int)report->interrupts.intx,
		"msi", (int)report->interrupts.msi,
		"msix", (int)report->interrupts.msix,
		"err", report->err_interrupt,
		"req", report->req_interrupt);
}

json_t *
report_to_json(const struct report *report, bool all)
{
	json_t *object = identity_json(report);

	if (object == NULL || !all)
		return object;
	json_object_set_new(object, "opened", json_boolean(report->opened));
	json_object_set_new(object, "bars", bars_json(report));
	json_object_set_new(object, "capabilities", caps_json(report));
	json_object_set_new(object, "interrupts", interrupts_json(report));
	return object;
}
