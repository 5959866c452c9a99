/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "eal_filesystem.h"
#include "eal_segments.h"

#define SYSFS_HUGEPAGES "/sys/kernel/mm/hugepages/"

/* A folder is called hugepages-2048kB. Returns the size in bytes, 0 if it is another one. */
static uint64_t
folder_page_size(const char *name)
{
	unsigned long kib;
	char unit[3];

	if (sscanf(name, "hugepages-%lu%2s", &kib, unit) != 2 || strcmp(unit, "kB") != 0)
		return 0;
	if (kib > UINT64_MAX / 1024 || (kib & (kib - 1)) != 0)
		return 0;
	return (uint64_t)kib * 1024;
}

static unsigned long
folder_value(const char *folder, const char *file)
{
	unsigned long value;
	char path[128];
	int len = snprintf(path, sizeof(path), SYSFS_HUGEPAGES "%s/%s", folder, file);

	if (len >= (int)sizeof(path) || eal_parse_sysfs_value(path, &value) != 0)
		return 0;
	return value;
}

/* Free pages less those promised to others, and what the kernel may make beyond its pool. */
static uint64_t
folder_nb_free(const char *folder)
{
	unsigned long nb_free = folder_value(folder, "free_hugepages");
	unsigned long promised = folder_value(folder, "resv_hugepages");
	unsigned long over = folder_value(folder, "nr_overcommit_hugepages");
	unsigned long surplus = folder_value(folder, "surplus_hugepages");

	return (nb_free > promised ? nb_free - promised : 0) +
		(over > surplus ? over - surplus : 0);
}

static int
hugepages_order(const void *a, const void *b)
{
	const struct eal_hugepages *x = a, *y = b;

	return x->size < y->size ? -1 : x->size > y->size;
}

unsigned int
eal_hugepages_find(struct eal_hugepages *out, unsigned int max)
{
	unsigned int nb = 0;
	struct dirent *entry;
	DIR *dir = eal_folder_open(SYSFS_HUGEPAGES);

	if (dir == NULL)
		return 0;
	while (nb < max && (entry = readdir(dir)) != NULL) {
		out[nb].size = folder_page_size(entry->d_name);
		if (out[nb].size == 0)
			continue;
		out[nb].nb_free = folder_nb_free(entry->d_name);
		if (out[nb].nb_free != 0)
			nb++;
	}
	closedir(dir);
	qsort(out, nb, sizeof(*out), hugepages_order);
	return nb;
}
