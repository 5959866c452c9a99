/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <eal_export.h>
#include <rte_eal.h>
#include <rte_log.h>

#include "eal_options.h"
#include "eal_runtime_dir.h"

static bool runtime_dir_allowed;
static char runtime_dir[PATH_MAX];

/* Where the system wants such files: for root, for a user who is logged in, for others. */
static const char *
runtime_base(void)
{
	const char *base = getenv("XDG_RUNTIME_DIR");

	if (getuid() == 0)
		return "/var/run";
	return base != NULL && base[0] == '/' ? base : "/tmp";
}

/* Its files are trusted, and who owns it can change them. The one above all may be root's. */
static bool
folder_make(const char *path, bool above)
{
	struct stat st;

	if ((mkdir(path, 0700) < 0 && errno != EEXIST) || lstat(path, &st) < 0)
		RTE_LOG(ERR, EAL, "cannot make the folder %s: %s\n", path, strerror(errno));
	else if (st.st_uid != getuid() && !(above && st.st_uid == 0))
		RTE_LOG(ERR, EAL, "the folder %s belongs to user %u: it is not used\n", path,
			(unsigned int)st.st_uid);
	else if (!above && !S_ISDIR(st.st_mode))
		RTE_LOG(ERR, EAL, "%s is no folder\n", path);
	else
		return true;
	return false;
}

static bool
runtime_dir_make(char *path)
{
	char *slash = strrchr(path, '/');
	bool made;

	*slash = '\0';
	made = folder_make(path, true);
	*slash = '/';
	return made && folder_make(path, false);
}

RTE_EXPORT_SYMBOL(rte_eal_get_runtime_dir)
const char *
rte_eal_get_runtime_dir(void)
{
	char path[PATH_MAX];
	int rc;

	if (runtime_dir[0] != '\0' || !runtime_dir_allowed)
		return runtime_dir;
	rc = snprintf(path, sizeof(path), "%s/dpdk/%s", runtime_base(),
		eal_options()->file_prefix);
	if (rc < 0 || (size_t)rc >= sizeof(path))
		return runtime_dir;
	if (runtime_dir_make(path))
		memcpy(runtime_dir, path, sizeof(path));
	return runtime_dir;
}

int
eal_runtime_dir_init(void)
{
	runtime_dir_allowed = !eal_options()->in_memory;
	return 0;
}

int
eal_runtime_dir_cleanup(void)
{
	runtime_dir_allowed = false;
	if (runtime_dir[0] != '\0')
		rmdir(runtime_dir);
	runtime_dir[0] = '\0';
	return 0;
}
