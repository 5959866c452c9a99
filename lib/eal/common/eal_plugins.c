/* SPDX-License-Identifier: BSD-3-Clause */

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>
#include <dev_driver.h>

#include "eal_options.h"
#include "eal_plugins.h"

/* Where dpdk-pmdinfo.py finds the drivers of a program. */
extern const char dpdk_solib_path[];
RTE_PMD_EXPORT_SYMBOL(const char, dpdk_solib_path)[] = "DPDK_PLUGIN_PATH=" RTE_EAL_PMD_PATH;

static int
plugin_fail(const char *path, int error, const char *reason)
{
	RTE_LOG(ERR, EAL, "driver %s: %s\n", path, reason != NULL ? reason : strerror(error));
	return -error;
}

/* Constructors have registered what the driver is made of, so it can never be unloaded. */
static int
plugin_load_file(const char *path)
{
	void *handle;
	int rc;

	handle = dlopen(path, RTLD_NOW | RTLD_NODELETE);
	if (handle == NULL) {
		rc = plugin_fail(path, ENOEXEC, dlerror());
		dlerror();	/* the second call frees the text */
		return rc;
	}
	dlclose(handle);
	RTE_LOG(DEBUG, EAL, "driver %s is loaded\n", path);
	return 0;
}

static bool
ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	size_t end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static int
plugin_filter(const struct dirent *entry)
{
	return ends_with(entry->d_name, ".so") || ends_with(entry->d_name, ".so." ABI_VERSION);
}

/* What anybody may write to is not run. */
static int
plugin_check(const char *path, struct stat *st)
{
	if (stat(path, st) < 0)
		return plugin_fail(path, errno, NULL);
	if ((st->st_mode & S_IWOTH) != 0)
		return plugin_fail(path, EPERM, "anybody may write to it");
	return 0;
}

static int
plugin_load_entry(const char *dir, const char *name)
{
	struct stat st;
	char *path;
	int rc;

	if (asprintf(&path, "%s/%s", dir, name) < 0)
		return -ENOMEM;
	rc = plugin_check(path, &st);
	if (rc == 0)
		rc = plugin_load_file(path);
	free(path);
	return rc;
}

/* In the order of names, so that it is the same every time. */
static int
plugin_load_dir(const char *dir)
{
	struct dirent **entries;
	int rc = 0;
	int i, nb;

	nb = scandir(dir, &entries, plugin_filter, alphasort);
	if (nb < 0)
		return plugin_fail(dir, errno, NULL);
	for (i = 0; i < nb; i++) {
		if (rc == 0)
			rc = plugin_load_entry(dir, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return rc;
}

/* A bare name that is no file here is left to the dynamic linker's search. */
static int
plugin_load(const char *path)
{
	struct stat st;
	int rc;

	if (strchr(path, '/') == NULL && access(path, F_OK) < 0)
		return plugin_load_file(path);
	rc = plugin_check(path, &st);
	if (rc < 0)
		return rc;
	if (S_ISDIR(st.st_mode))
		return plugin_load_dir(path);
	return strchr(path, '/') == NULL ? plugin_load_entry(".", path) : plugin_load_file(path);
}

/* Is this code in a library of its own, or in the program? */
static bool
eal_is_shared(void)
{
	Dl_info info;

	return dladdr(dpdk_solib_path, &info) != 0 && info.dli_fname != NULL &&
		strstr(info.dli_fname, "librte_eal.so") != NULL;
}

static int
plugins_load_default(void)
{
	struct stat st;

	if (!eal_is_shared() || stat(RTE_EAL_PMD_PATH, &st) < 0 || !S_ISDIR(st.st_mode))
		return 0;
	return plugin_load(RTE_EAL_PMD_PATH);
}

int
eal_plugins_load(void)
{
	const struct eal_options *options = eal_options();
	const struct eal_text *text;
	int rc;

	if (STAILQ_EMPTY(&options->plugins))
		return plugins_load_default();
	STAILQ_FOREACH(text, &options->plugins, next) {
		rc = plugin_load(text->text);
		if (rc < 0)
			return rc;
	}
	return 0;
}
