/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_log.h>

#include "eal_filesystem.h"

static int
sysfs_number_parse(const char *text, unsigned long *val)
{
	unsigned long number;
	char *end;

	errno = 0;
	number = strtoul(text, &end, 0);
	if (errno != 0 || end == text || strchr(text, '-') != NULL)
		return -1;
	if (*end != '\n' && *end != '\0')
		return -1;
	*val = number;
	return 0;
}

RTE_EXPORT_SYMBOL(eal_parse_sysfs_value)
int
eal_parse_sysfs_value(const char *filename, unsigned long *val)
{
	char text[64];
	ssize_t len;
	int fd;

	fd = open(filename, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		RTE_LOG(ERR, EAL, "cannot open %s: %s\n", filename, strerror(errno));
		return -1;
	}
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[len > 0 ? len : 0] = '\0';
	if (len <= 0 || sysfs_number_parse(text, val) < 0) {
		RTE_LOG(ERR, EAL, "%s does not hold a number\n", filename);
		return -1;
	}
	return 0;
}

DIR *
eal_folder_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int err = errno;

	if (dir == NULL && fd >= 0)
		close(fd);
	errno = err;
	return dir;
}
