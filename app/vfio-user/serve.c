/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "devices.h"
#include "options.h"
#include "serve.h"

#define COMMAND "serve"
#define EXIT_USAGE 2
#define MAX_DEVICES 64u

static const struct device_kind *const kinds[] = { &device_gpio, &device_edu };

/* A device that was asked for. */
struct served {
	const struct device_kind *kind;
	const char *path;	/* of the socket; NULL: fd */
	int fd;	/* -1: path */
	uint32_t flags;
	char name[32];	/* of the session when there is no path */
	struct rte_vfio_user_pci *pci;	/* NULL: not made */
};

/* What a command line asks for. */
struct request {
	struct served devices[MAX_DEVICES];
	unsigned int nb;
	bool help;
};

/* ---- the command line ---- */

void
serve_help(void)
{
	unsigned int i;

	printf("usage: dpdk-vfio-user serve DEVICE (--socket-path PATH | --fd N) [OPTION...]\n"
		"       [DEVICE ...]\n"
		"Emulates devices until SIGTERM, each for one client after the other.\n\n");
	for (i = 0; i < RTE_DIM(kinds); i++)
		printf("  %-5s %s\n", kinds[i]->name, kinds[i]->summary);
	printf("\n"
		"  --socket-path PATH  listen there; the socket is removed at the end\n"
		"  --fd N              a socket that is open already, listening or connected\n"
		"  --loop              gpio: outputs are wired to inputs\n"
		"  --memory-bar        gpio: registers in memory instead of I/O space\n"
		"  --msix              edu: MSI-X with 8 vectors instead of MSI\n");
}

static bool
path_take(struct served *served, const char *value)
{
	served->path = value;
	return true;
}

static bool
fd_take(struct served *served, const char *value)
{
	char *end;
	long fd;

	errno = 0;
	fd = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' || fd < 0 || fd > INT32_MAX)
		return tool_complain(COMMAND, "no descriptor", value);
	served->fd = (int)fd;
	return true;
}

static const struct option {
	const char *name;
	uint32_t flag;	/* 0: it has a value */
	bool (*take)(struct served *served, const char *value);
} options[] = {
	{ "--socket-path", 0, path_take },
	{ "--fd", 0, fd_take },
	{ "--loop", DEVICE_LOOP, NULL },
	{ "--memory-bar", DEVICE_MEMORY_BAR, NULL },
	{ "--msix", DEVICE_MSIX, NULL },
};

/* The option of an argument "--name" or "--name=value". */
static const struct option *
option_find(const char *arg, const char **value)
{
	size_t len = strcspn(arg, "=");
	unsigned int i;

	*value = arg[len] == '=' ? &arg[len + 1] : NULL;
	for (i = 0; i < RTE_DIM(options); i++) {
		if (strlen(options[i].name) == len && strncmp(options[i].name, arg, len) == 0)
			return &options[i];
	}
	return NULL;
}

static bool
flag_take(struct served *served, const struct option *option, const char *value)
{
	if (value != NULL)
		return tool_complain(COMMAND, "takes no value", option->name);
	if (!(served->kind->flags & option->flag))
		return tool_complain(COMMAND, "not for this device", option->name);
	served->flags |= option->flag;
	return true;
}

/* Takes argv[*i] and its value. */
static bool
option_take(struct served *served, int argc, char **argv, int *i)
{
	const struct option *option;
	const char *value;

	option = option_find(argv[*i], &value);
	if (option == NULL)
		return tool_complain(COMMAND, "unknown option", argv[*i]);
	if (served == NULL)
		return tool_complain(COMMAND, "a device comes first", argv[*i]);
	if (option->flag != 0)
		return flag_take(served, option, value);
	if (value == NULL && ++*i < argc)
		value = argv[*i];
	if (value == NULL || *value == '\0')
		return tool_complain(COMMAND, "needs a value", option->name);
	return option->take(served, value);
}

static bool
device_take(struct request *request, const char *name)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(kinds); i++) {
		if (strcmp(kinds[i]->name, name) != 0)
			continue;
		if (request->nb == MAX_DEVICES)
			return tool_complain(COMMAND, "too many devices", name);
		request->devices[request->nb].kind = kinds[i];
		request->devices[request->nb].fd = -1;
		request->nb++;
		return true;
	}
	return tool_complain(COMMAND, "unknown device", name);
}

static bool
arg_take(struct request *request, int argc, char **argv, int *i)
{
	if (strcmp(argv[*i], "--help") == 0 || strcmp(argv[*i], "-h") == 0) {
		request->help = true;
		return true;
	}
	if (argv[*i][0] != '-')
		return device_take(request, argv[*i]);
	return option_take(request->nb == 0 ? NULL : &request->devices[request->nb - 1], argc, argv,
		i);
}

static bool
request_check(const struct request *request)
{
	unsigned int i;

	if (request->nb == 0)
		return tool_complain(COMMAND, "which device?", NULL);
	for (i = 0; i < request->nb; i++) {
		if ((request->devices[i].path == NULL) == (request->devices[i].fd < 0))
			return tool_complain(COMMAND, "needs --socket-path or --fd",
				request->devices[i].kind->name);
	}
	return true;
}

static bool
request_parse(struct request *request, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc && !request->help; i++) {
		if (!arg_take(request, argc, argv, &i))
			return false;
	}
	return request->help || request_check(request);
}

/* ---- serving ---- */

static int
device_start(struct served *served)
{
	struct rte_vfio_user_options opt = { .size = sizeof(opt) };
	int rc = served->kind->make(served->flags, &served->pci);

	if (rc < 0)
		return rc;
	if (served->path == NULL) {
		snprintf(served->name, sizeof(served->name), "fd:%d", served->fd);
		opt.flags = RTE_VFIO_USER_F_SOCK_FD;
		opt.sock_fd = served->fd;
	}
	rc = rte_vfio_user_pci_start(served->pci,
		served->path == NULL ? served->name : served->path, &opt);
	if (rc >= 0)
		return 0;
	served->kind->destroy(served->pci);
	served->pci = NULL;
	return rc;
}

static void
devices_stop(struct request *request)
{
	unsigned int i;

	for (i = request->nb; i-- > 0; ) {
		if (request->devices[i].pci != NULL)
			request->devices[i].kind->destroy(request->devices[i].pci);
	}
}

static int
devices_start(struct request *request)
{
	struct served *served;
	unsigned int i;
	int rc;

	for (i = 0; i < request->nb; i++) {
		served = &request->devices[i];
		rc = device_start(served);
		if (rc < 0) {
			fprintf(stderr, "dpdk-vfio-user serve: %s at %s: %s\n", served->kind->name,
				served->path == NULL ? served->name : served->path, strerror(-rc));
			return rc;
		}
		printf("%s: serving at %s\n", served->kind->name,
			served->path == NULL ? served->name : served->path);
		fflush(stdout);
	}
	return 0;
}

/* Threads inherit the mask, so it is set before any is made. */
static void
signals_block(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	pthread_sigmask(SIG_BLOCK, set, NULL);
}

static int
serve(struct request *request)
{
	sigset_t set;
	int sig, rc;

	signals_block(&set);
	rc = devices_start(request);
	if (rc == 0)
		sigwait(&set, &sig);
	devices_stop(request);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
serve_run(int argc, char **argv)
{
	static struct request request;

	if (!request_parse(&request, argc, argv))
		return EXIT_USAGE;
	if (request.help) {
		serve_help();
		return EXIT_SUCCESS;
	}
	return serve(&request);
}
