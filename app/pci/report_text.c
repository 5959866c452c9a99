/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include <rte_common.h>

#include "names.h"
#include "report.h"

#define CELLS 64

static const char *
or_dash(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : "-";
}

/* A number, or "-" where there is none. */
static void
number_text(long number, char *text, size_t len)
{
	if (number < 0)
		snprintf(text, len, "-");
	else
		snprintf(text, len, "%ld", number);
}

/* The longest address is that of a device on a socket. */
#define LIST_FORMAT "%-16s  %-9s  %-30s  %-20s  %-10s  %-4s  %s\n"

void
report_print_list_head(void)
{
	printf(LIST_FORMAT, "ADDRESS", "ID", "CLASS", "DRIVER", "BACKEND", "NUMA", "NAME");
}

void
report_print_list_line(const struct report *report)
{
	char id[16], numa[24];

	snprintf(id, sizeof(id), "%04x:%04x", report->id.vendor_id, report->id.device_id);
	number_text(report->numa_node, numa, sizeof(numa));
	printf(LIST_FORMAT, report->address, id, pci_class_name(report->id.class_id),
		or_dash(report->kernel_driver), or_dash(report->backend), numa,
		or_dash(report->name));
}

static void
identity_print(const struct report *report)
{
	char group[24], numa[24];

	number_text(report->iommu_group, group, sizeof(group));
	number_text(report->numa_node, numa, sizeof(numa));
	printf("%s  %s\n", report->address, pci_class_name(report->id.class_id));
	if (report->name != NULL)
		printf("  name           %s\n", report->name);
	printf("  id             %04x:%04x, subsystem %04x:%04x, class %06x\n",
		report->id.vendor_id, report->id.device_id, report->id.subsystem_vendor_id,
		report->id.subsystem_device_id, report->id.class_id);
	printf("  kernel driver  %s\n", or_dash(report->kernel_driver));
	printf("  backend        %s\n", or_dash(report->backend));
	printf("  IOMMU group    %s\n", group);
	printf("  NUMA node      %s\n", numa);
}

static const char *
prot_text(int prot)
{
	static const char *const texts[] = {
		[PROT_NONE] = "trapped: by calls",
		[PROT_READ] = "mapped to read; written by calls",
		[PROT_WRITE] = "mapped to write; read by calls",
		[PROT_READ | PROT_WRITE] = "mapped",
	};

	return texts[prot & (PROT_READ | PROT_WRITE)];
}

static void
parts_print(const struct bar_view *view)
{
	struct bar_part part;
	uint64_t at = 0;
	char size[32];

	while (bar_next_part(view, &at, &part)) {
		bar_size_text(part.len, size, sizeof(size));
		printf("    0x%08" PRIx64 "-0x%08" PRIx64 "  %12s  %s\n", part.offset,
			part.offset + part.len - 1, size, prot_text(part.prot));
	}
}

static int
picture_print(const struct bar_view *view, const struct bar_style *style)
{
	int cells = (int)RTE_MIN(view->size, (uint64_t)CELLS);
	char end[24];
	char *picture;

	picture = bar_render(view, style, CELLS);
	if (picture == NULL)
		return -ENOMEM;
	snprintf(end, sizeof(end), "0x%" PRIx64, view->size - 1);
	printf("    |%s|\n", picture);
	printf("     0%*s\n", cells - 1, end);
	free(picture);
	return 0;
}

static int
bar_print(unsigned int number, const struct report_bar *bar, bool opened,
	const struct bar_style *style)
{
	const struct bar_view view = { bar->size, bar->windows, bar->nb_windows };
	char size[32];
	int rc = 0;

	if (bar->size == 0)
		return 0;
	bar_size_text(bar->size, size, sizeof(size));
	printf("\n  BAR%u  %s, %s", number, bar->ioport ? "I/O ports" : "memory", size);
	if (bar->address != 0)
		printf(", at 0x%" PRIx64, bar->address);
	printf("\n");
	if (!opened || bar->ioport)
		return 0;
	rc = picture_print(&view, style);
	if (rc == 0)
		parts_print(&view);
	return rc;
}

static void
legend_print(const struct bar_style *style)
{
	printf("\n  %s mapped   %s trapped   %s both   %s read only   %s write only\n",
		style->mapped, style->trapped, style->mixed, style->read_only, style->write_only);
}

static void
caps_print(const struct report *report)
{
	const struct cap *cap;
	size_t i;

	printf("\n  capabilities%s\n", report->nb_caps == 0 ? "  none" : "");
	for (i = 0; i < report->nb_caps; i++) {
		cap = &report->caps[i];
		printf("    0x%03x  %s\n", cap->offset,
			cap->extended ? pci_ext_cap_name(cap->id) : pci_cap_name(cap->id));
	}
}

static void
interrupts_print(const struct report *report)
{
	printf("\n  interrupts\n");
	printf("    INTx %u, MSI %u, MSI-X %u, ERR %s, REQ %s\n", report->interrupts.intx,
		report->interrupts.msi, report->interrupts.msix,
		report->err_interrupt ? "yes" : "no", report->req_interrupt ? "yes" : "no");
}

int
report_print_text(const struct report *report, const struct bar_style *style)
{
	unsigned int i;
	int rc;

	identity_print(report);
	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		rc = bar_print(i, &report->bars[i], report->opened, style);
		if (rc != 0)
			return rc;
	}
	if (report->opened)
		legend_print(style);
	caps_print(report);
	interrupts_print(report);
	return 0;
}
