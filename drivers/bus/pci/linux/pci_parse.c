/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "pci_parse.h"

/* Flags of a resource, include/linux/ioport.h */
#define RESOURCE_IO	0x100u
#define RESOURCE_MEM	0x200u
#define RESOURCE_UNSET	0x20000000u

static uint64_t
digit_value(char c)
{
	return (uint64_t)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
}

/* Bits of a device number in the kernel, include/linux/kdev_t.h */
#define DEV_MAJOR_MAX	0xfffu
#define DEV_MINOR_MAX	0xfffffu

/*
 * All hexadecimal digits up to @max_digits; strtoul() would let signs, blanks and 0x pass. NULL,
 * also for a NULL text, if there are none.
 */
static const char *
parse_digits(const char *text, unsigned int max_digits, uint64_t *value)
{
	uint64_t sum = 0;
	unsigned int n;

	if (text == NULL)
		return NULL;
	for (n = 0; n < max_digits && isxdigit((unsigned char)text[n]); n++)
		sum = sum << 4 | digit_value(text[n]);
	*value = sum;
	return n == 0 ? NULL : text + n;
}

/* Step over @prefix. NULL if the text is NULL or does not begin with it. */
static const char *
parse_literal(const char *text, const char *prefix)
{
	const size_t len = strlen(prefix);

	return text != NULL && strncmp(text, prefix, len) == 0 ? text + len : NULL;
}

static bool
parse_at_end(const char *text)
{
	return text != NULL && (*text == '\0' || (*text == '\n' && text[1] == '\0'));
}

int
pci_folder_parse(const char *name, struct rte_pci_addr *addr)
{
	char canonical[PCI_PRI_STR_SIZE];
	struct rte_pci_addr parsed;

	if (rte_pci_addr_parse(name, &parsed) != 0)
		return -EINVAL;
	rte_pci_device_name(&parsed, canonical, sizeof(canonical));
	if (strcmp(name, canonical) != 0)
		return -EINVAL;
	*addr = parsed;
	return 0;
}

int
pci_modalias_parse(const char *text, struct rte_pci_id *id)
{
	/* of fixed width: the tag after a number may begin with what could be one more digit */
	static const struct {
		const char *tag;
		unsigned int digits;
		uint64_t max;
	} fields[] = {
		{ "pci:v", 8, UINT16_MAX },
		{ "d", 8, UINT16_MAX },
		{ "sv", 8, UINT16_MAX },
		{ "sd", 8, UINT16_MAX },
		{ "bc", 2, UINT8_MAX },
		{ "sc", 2, UINT8_MAX },
		{ "i", 2, UINT8_MAX },
	};
	uint64_t value[sizeof(fields) / sizeof(fields[0])];
	const char *start;
	unsigned int i;

	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		start = parse_literal(text, fields[i].tag);
		text = parse_digits(start, fields[i].digits, &value[i]);
		if (text == NULL || text != start + fields[i].digits || value[i] > fields[i].max)
			return -EINVAL;
	}
	if (!parse_at_end(text))
		return -EINVAL;
	*id = (struct rte_pci_id){
		.vendor_id = (uint16_t)value[0],
		.device_id = (uint16_t)value[1],
		.subsystem_vendor_id = (uint16_t)value[2],
		.subsystem_device_id = (uint16_t)value[3],
		.class_id = (uint32_t)(value[4] << 16 | value[5] << 8 | value[6]),
	};
	return 0;
}

int
pci_hex_parse(const char *text, uint32_t max, uint32_t *value)
{
	uint64_t number;

	text = parse_digits(parse_literal(text, "0x"), 8, &number);
	if (!parse_at_end(text) || number > max)
		return -EINVAL;
	*value = (uint32_t)number;
	return 0;
}

/* All decimal digits of a number up to @max. NULL as of parse_digits(). */
static const char *
parse_decimal(const char *text, uint32_t max, uint32_t *value)
{
	uint64_t sum = 0;
	const char *at;

	for (at = text; at != NULL && isdigit((unsigned char)*at) && sum <= max; at++)
		sum = 10 * sum + (uint64_t)(*at - '0');
	if (at == text || sum > max)
		return NULL;
	*value = (uint32_t)sum;
	return at;
}

int
pci_uio_name_parse(const char *name, uint32_t *number)
{
	uint32_t value;

	name = parse_decimal(parse_literal(name, "uio"), INT32_MAX, &value);
	if (name == NULL || *name != '\0')
		return -EINVAL;
	*number = value;
	return 0;
}

int
pci_devnum_parse(const char *text, uint32_t *major, uint32_t *minor)
{
	uint32_t number[2];

	text = parse_decimal(text, DEV_MAJOR_MAX, &number[0]);
	text = parse_decimal(parse_literal(text, ":"), DEV_MINOR_MAX, &number[1]);
	if (!parse_at_end(text))
		return -EINVAL;
	*major = number[0];
	*minor = number[1];
	return 0;
}

int
pci_numa_parse(const char *text, int *node)
{
	int sum = 0;

	if (strncmp(text, "-1", 2) == 0 && parse_at_end(text + 2)) {
		*node = -1;
		return 0;
	}
	if (!isdigit((unsigned char)*text))
		return -EINVAL;
	for (; isdigit((unsigned char)*text); text++) {
		if (sum > (INT_MAX - 9) / 10)
			return -EINVAL;
		sum = 10 * sum + (*text - '0');
	}
	if (!parse_at_end(text))
		return -EINVAL;
	*node = sum;
	return 0;
}

/* A device without its ports may still be of use, one without its memory is not. */
static const char *
bar_line_parse(const char *line, struct pci_bar_line *bar)
{
	uint64_t first, last, flags;

	line = parse_digits(parse_literal(line, "0x"), 16, &first);
	line = parse_digits(parse_literal(line, " 0x"), 16, &last);
	line = parse_digits(parse_literal(line, " 0x"), 16, &flags);
	line = parse_literal(line, "\n");
	if (line == NULL)
		return NULL;
	*bar = (struct pci_bar_line){ .kind = PCI_BAR_NONE };
	if ((flags & (RESOURCE_MEM | RESOURCE_IO)) == 0)
		return line;
	if (last < first || last - first == UINT64_MAX)
		return (flags & RESOURCE_MEM) != 0 ? NULL : line;
	bar->kind = (flags & RESOURCE_MEM) != 0 ? PCI_BAR_MEMORY : PCI_BAR_IOPORT;
	bar->assigned = (flags & RESOURCE_UNSET) == 0;
	bar->start = first;
	bar->len = last - first + 1;
	return line;
}

int
pci_bars_parse(const char *text, struct pci_bar_line bar[PCI_MAX_RESOURCE])
{
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE && text != NULL; i++)
		text = bar_line_parse(text, &bar[i]);
	return text == NULL ? -EINVAL : 0;
}

int
pci_resource_parse(const char *text, struct rte_mem_resource bar[PCI_MAX_RESOURCE])
{
	struct pci_bar_line line[PCI_MAX_RESOURCE];
	unsigned int i;
	int rc;

	rc = pci_bars_parse(text, line);
	for (i = 0; rc == 0 && i < PCI_MAX_RESOURCE; i++) {
		bar[i] = (struct rte_mem_resource){ .addr = NULL };
		if (line[i].kind != PCI_BAR_MEMORY)
			continue;
		bar[i].phys_addr = line[i].start;
		bar[i].len = line[i].len;
	}
	return rc;
}

const char *
pci_driver_parse(const char *target)
{
	const char *slash = strrchr(target, '/');
	const char *name = slash == NULL ? target : slash + 1;

	return *name == '\0' ? NULL : name;
}

int
pci_iommu_cap_parse(const char *text, unsigned int *bits)
{
	uint64_t cap;

	if (!parse_at_end(parse_digits(text, 16, &cap)))
		return -EINVAL;
	*bits = (unsigned int)(cap >> 16 & 0x3f) + 1;
	return 0;
}
