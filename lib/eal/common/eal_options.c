/* SPDX-License-Identifier: BSD-3-Clause */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_devargs.h>
#include <rte_log.h>
#include <rte_string_fns.h>

#include "eal_options.h"
#include "log_internal.h"

/* What --base-virtaddr is rounded up to. */
#define BASE_VIRTADDR_ALIGN (UINT64_C(1) << 24)

static struct eal_options options = {
	.file_prefix = "rte",
	.devices = STAILQ_HEAD_INITIALIZER(options.devices),
	.plugins = STAILQ_HEAD_INITIALIZER(options.plugins),
};

const struct eal_options *
eal_options(void)
{
	return &options;
}

/* ---- values; each function returns NULL, or what is wrong ---- */

static const char *const out_of_memory = "no memory left";

static const char *
text_add(struct eal_text_list *list, const char *value, enum rte_devtype devtype)
{
	size_t size = strlen(value) + 1;
	struct eal_text *text;

	if (size == 1)
		return "the value is empty";
	text = malloc(sizeof(*text) + size);
	if (text == NULL)
		return out_of_memory;
	text->devtype = devtype;
	memcpy(text->text, value, size);
	STAILQ_INSERT_TAIL(list, text, next);
	return NULL;
}

static const char *
device_add(const char *value, enum rte_devtype devtype)
{
	const struct eal_text *first = STAILQ_FIRST(&options.devices);

	if (first != NULL && first->devtype != devtype)
		return "devices are either allowed or blocked, -a and -b do not go together";
	return text_add(&options.devices, value, devtype);
}

static const char *
set_allow(const char *value)
{
	return device_add(value, RTE_DEVTYPE_ALLOWED);
}

static const char *
set_block(const char *value)
{
	return device_add(value, RTE_DEVTYPE_BLOCKED);
}

static const char *
set_plugin(const char *value)
{
	return text_add(&options.plugins, value, RTE_DEVTYPE_ALLOWED);
}

static const char *
set_memory(const char *value)
{
	unsigned long long mb;
	char *end;

	errno = 0;
	mb = strtoull(value, &end, 10);
	if (!isdigit((unsigned char)value[0]) || *end != '\0')
		return "not a number of megabytes";
	if (errno != 0 || mb == 0 || mb > SIZE_MAX >> 20)
		return "out of range";
	options.memory_mb = (size_t)mb;
	return NULL;
}

struct word {
	const char *word;
	int value;
};

static int
word_find(const struct word *words, size_t nb, const char *word)
{
	size_t i;

	for (i = 0; i < nb; i++)
		if (strcmp(words[i].word, word) == 0)
			return words[i].value;
	return -1;
}

static const char *
set_iova_mode(const char *value)
{
	static const struct word modes[] = {
		{ "pa", RTE_IOVA_PA },
		{ "va", RTE_IOVA_VA },
	};
	int mode = word_find(modes, RTE_DIM(modes), value);

	if (mode < 0)
		return "neither pa nor va";
	options.iova_mode = (enum rte_iova_mode)mode;
	return NULL;
}

static const char *
set_vfio_intr(const char *value)
{
	static const struct word modes[] = {
		{ RTE_INTR_MODE_LEGACY_NAME, RTE_INTR_MODE_LEGACY },
		{ RTE_INTR_MODE_MSI_NAME, RTE_INTR_MODE_MSI },
		{ RTE_INTR_MODE_MSIX_NAME, RTE_INTR_MODE_MSIX },
	};
	int mode = word_find(modes, RTE_DIM(modes), value);

	if (mode < 0)
		return "neither legacy nor msi nor msix";
	options.vfio_intr_mode = (enum rte_intr_mode)mode;
	return NULL;
}

static const char *
set_vfio_mode(const char *value)
{
	static const struct word modes[] = {
		{ "auto", EAL_VFIO_MODE_AUTO },
		{ "cdev", EAL_VFIO_MODE_CDEV },
		{ "group", EAL_VFIO_MODE_GROUP },
	};
	int mode = word_find(modes, RTE_DIM(modes), value);

	if (mode < 0)
		return "neither auto nor cdev nor group";
	options.vfio_mode = (enum eal_vfio_mode_id)mode;
	return NULL;
}

static const char *
set_vfio_vf_token(const char *value)
{
	return rte_uuid_parse(value, options.vfio_vf_token) == 0 ? NULL : "not a UUID";
}

static const char *
set_base_virtaddr(const char *value)
{
	unsigned long long addr;
	char *end;

	errno = 0;
	addr = strtoull(value, &end, 16);
	if (!isxdigit((unsigned char)value[0]) || *end != '\0')
		return "not a hexadecimal number";
	if (errno != 0 || addr > UINTPTR_MAX - BASE_VIRTADDR_ALIGN)
		return "out of range";
	options.base_virtaddr = RTE_ALIGN_CEIL((uint64_t)addr, BASE_VIRTADDR_ALIGN);
	return NULL;
}

static const char *
set_file_prefix(const char *value)
{
	if (value[0] == '\0' || value[0] == '.' || strpbrk(value, "/%") != NULL)
		return "not the start of a file's name";
	if (strlen(value) >= sizeof(options.file_prefix))
		return "too long";
	rte_strlcpy(options.file_prefix, value, sizeof(options.file_prefix));
	return NULL;
}

/* A level by number, name or the start of a name; 0: none. */
static uint32_t
log_level_parse(const char *text)
{
	unsigned long number;
	uint32_t level;
	char *end;

	if (isdigit((unsigned char)text[0])) {
		number = strtoul(text, &end, 10);
		return *end == '\0' && number <= RTE_LOG_MAX ? (uint32_t)number : 0;
	}
	if (strcmp(text, "max") == 0)
		return RTE_LOG_MAX;
	for (level = RTE_LOG_EMERG; level <= RTE_LOG_MAX; level++)
		if (text[0] != '\0' && strncmp(eal_log_level2str(level), text, strlen(text)) == 0)
			return level;
	return 0;
}

/* The part before the last ':' is a pattern, that before the last ',' a regular expression. */
static const char *
log_level_set(char *types, char separator, uint32_t level)
{
	if (types[0] == '\0')
		return "no log type is named";
	if (separator == ',') {
		if (rte_log_set_level_regexp(types, level) < 0)
			return "not a regular expression";
		return eal_log_save_regexp(types, level) < 0 ? out_of_memory : NULL;
	}
	if (rte_log_set_level_pattern(types, level) < 0 || eal_log_save_pattern(types, level) < 0)
		return out_of_memory;
	return NULL;
}

static const char *
log_level_apply(char *text)
{
	char *at = strrchr(text, ',');
	char separator;
	uint32_t level;

	if (at == NULL)
		at = strrchr(text, ':');
	level = log_level_parse(at == NULL ? text : at + 1);
	if (level == 0)
		return "not a log level (1 to 8, or emergency to debug)";
	if (at == NULL) {
		rte_log_set_global_level(level);
		return NULL;
	}
	separator = *at;
	*at = '\0';
	return log_level_set(text, separator, level);
}

static const char *
set_log_level(const char *value)
{
	const char *wrong;
	char *text;

	text = strdup(value);
	if (text == NULL)
		return out_of_memory;
	wrong = log_level_apply(text);
	free(text);
	return wrong;
}

/* ---- the options ---- */

#define FLAG(name) .flag = &options.name

static const struct option_row {
	char letter;	/* '\0': none */
	const char *name;	/* NULL: none */
	const char *value;	/* what to call the value in the help; NULL: takes none */
	const char *(*set)(const char *value);	/* for those with a value */
	bool *flag;	/* for those without */
	const char *help;
} option_rows[] = {
	{ 'a', "allow", "DEVICE", set_allow,
		.help = "use this device, and only those allowed (repeatable)" },
	{ 'b', "block", "DEVICE", set_block,
		.help = "do not use this device (repeatable)" },
	{ 0, "no-pci", FLAG(no_pci),
		.help = "use no PCI devices" },
	{ 'd', NULL, "FILE|DIR", set_plugin,
		.help = "load a driver, or all drivers of a folder (repeatable)" },
	{ 'm', NULL, "MB", set_memory,
		.help = "megabytes of memory to have from the start" },
	{ 0, "no-huge", FLAG(no_huge),
		.help = "use ordinary pages, no huge ones" },
	{ 0, "in-memory", FLAG(in_memory),
		.help = "make no files" },
	{ 0, "file-prefix", "NAME", set_file_prefix,
		.help = "what names of files start with (default rte)" },
	{ 0, "base-virtaddr", "ADDR", set_base_virtaddr,
		.help = "where mappings start, hexadecimal" },
	{ 0, "iova-mode", "pa|va", set_iova_mode,
		.help = "addresses that devices use: physical or virtual" },
	{ 0, "create-uio-dev", FLAG(create_uio_dev),
		.help = "make missing /dev/uioN" },
	{ 0, "vfio-intr", "legacy|msi|msix", set_vfio_intr,
		.help = "how VFIO devices interrupt" },
	{ 0, "vfio-mode", "auto|cdev|group", set_vfio_mode,
		.help = "how VFIO devices are opened: by their own node or by their group" },
	{ 0, "vfio-vf-token", "UUID", set_vfio_vf_token,
		.help = "token shared with the driver of the physical function" },
	{ 0, "log-level", "[TYPE:]LEVEL", set_log_level,
		.help = "log up to LEVEL; TYPE is a shell pattern, "
			"before \",\" a regular expression" },
	{ 'v', "version", FLAG(version),
		.help = "print the version at start" },
	{ 'h', "help", FLAG(help),
		.help = "print this and exit" },
};

/* Options of DPDK that have no meaning here, and what to do instead. */
static const struct {
	char letter;
	const char *name;
	const char *reason;
} refused_rows[] = {
	{ 'c', "coremask", "EAL starts no threads for work; see taskset(1)" },
	{ 'l', "lcores", "EAL starts no threads for work; see taskset(1)" },
	{ 'n', NULL, "memory is not arranged by channels" },
	{ 0, "proc-type", "each process has its own devices" },
	{ 0, "vdev", "there is no bus for virtual devices" },
	{ 0, "huge-dir", "huge pages need no file system" },
	{ 0, "no-telemetry", "there is no telemetry" },
};

static void
option_usage(const struct option_row *row)
{
	char text[64];
	int len = 0;

	if (row->letter != 0)
		len = snprintf(text, sizeof(text), "-%c", row->letter);
	if (row->name != NULL)
		len += snprintf(&text[len], sizeof(text) - len, "%s--%s",
			row->letter != 0 ? ", " : "    ", row->name);
	if (row->value != NULL)
		snprintf(&text[len], sizeof(text) - len, " %s", row->value);
	printf("  %-34s %s\n", text, row->help);
}

void
eal_options_usage(const char *prgname)
{
	size_t i;

	printf("usage: %s [EAL options] [-- options of the program]\n\nEAL options:\n", prgname);
	for (i = 0; i < RTE_DIM(option_rows); i++)
		option_usage(&option_rows[i]);
}

/* ---- the command line ---- */

/* One option as it stands in argv. */
struct option_seen {
	const struct option_row *row;
	char name[32];	/* for messages, with its dashes */
	const char *value;	/* what is joined to it; NULL: nothing */
};

static int
option_wrong(const struct option_seen *seen, const char *value, const char *reason)
{
	if (value == NULL)
		RTE_LOG(ERR, EAL, "option %s: %s\n", seen->name, reason);
	else
		RTE_LOG(ERR, EAL, "option %s: \"%s\": %s\n", seen->name, value, reason);
	return reason == out_of_memory ? -ENOMEM : -EINVAL;
}

static bool
option_is(char letter, const char *name, const struct option_seen *seen)
{
	if (seen->name[1] == '-')
		return name != NULL && strcmp(name, &seen->name[2]) == 0;
	return letter == seen->name[1];
}

/* Take the name, and the value that is joined to it, from an argument. */
static void
option_split(const char *arg, struct option_seen *seen)
{
	size_t len = arg[1] == '-' ? strcspn(arg, "=") : 2;

	seen->value = arg[len] == '\0' ? NULL : &arg[len] + (arg[len] == '=');
	snprintf(seen->name, sizeof(seen->name), "%.*s", (int)len, arg);
}

static int
option_find(struct option_seen *seen)
{
	size_t i;

	for (i = 0; i < RTE_DIM(option_rows); i++) {
		seen->row = &option_rows[i];
		if (option_is(seen->row->letter, seen->row->name, seen))
			return 0;
	}
	for (i = 0; i < RTE_DIM(refused_rows); i++)
		if (option_is(refused_rows[i].letter, refused_rows[i].name, seen))
			return option_wrong(seen, NULL, refused_rows[i].reason);
	return option_wrong(seen, NULL, "not known, see --help");
}

static int
option_flag_set(const struct option_seen *seen)
{
	if (seen->value != NULL)
		return option_wrong(seen, seen->value, "it takes no value");
	*seen->row->flag = true;
	return 1;
}

/* Returns how many arguments were taken, or -errno. */
static int
option_parse(char **argv, int left)
{
	struct option_seen seen;
	const char *wrong;
	int nb = 1;
	int rc;

	option_split(argv[0], &seen);
	rc = option_find(&seen);
	if (rc < 0)
		return rc;
	if (seen.row->value == NULL)
		return option_flag_set(&seen);
	if (seen.value == NULL) {
		if (left < 2)
			return option_wrong(&seen, NULL, "its value is missing");
		seen.value = argv[nb++];
	}
	wrong = seen.row->set(seen.value);
	return wrong == NULL ? nb : option_wrong(&seen, seen.value, wrong);
}

int
eal_options_parse(int argc, char **argv)
{
	int i = 1;
	int rc;

	while (i < argc && argv[i][0] == '-' && argv[i][1] != '\0') {
		if (strcmp(argv[i], "--") == 0)
			return i;
		rc = option_parse(&argv[i], argc - i);
		if (rc < 0)
			return rc;
		i += rc;
	}
	return i - 1;
}

static void
texts_free(struct eal_text_list *list)
{
	struct eal_text *text;

	while ((text = STAILQ_FIRST(list)) != NULL) {
		STAILQ_REMOVE_HEAD(list, next);
		free(text);
	}
}

void
eal_options_reset(void)
{
	texts_free(&options.devices);
	texts_free(&options.plugins);
	options = (struct eal_options){ .file_prefix = "rte" };
	STAILQ_INIT(&options.devices);
	STAILQ_INIT(&options.plugins);
}

int
eal_options_add_devices(void)
{
	const struct eal_text *text;
	int rc;

	STAILQ_FOREACH(text, &options.devices, next) {
		rc = rte_devargs_add(text->devtype, text->text);
		if (rc < 0)
			return rc == -ENOMEM ? rc : -EINVAL;
	}
	return 0;
}
