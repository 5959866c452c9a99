/* SPDX-License-Identifier: BSD-3-Clause */

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include <bus_pci_driver.h>
#include <rte_bus_pci.h>
#include <rte_dev.h>

#include "../common/standard_files.h"
#include "bar_render.h"
#include "cli.h"
#include "device.h"
#include "report.h"

/* Exit statuses beside EXIT_SUCCESS and EXIT_FAILURE. */
#define EXIT_USAGE 2

static int
json_print(json_t *value)
{
	int rc;

	if (value == NULL)
		return EXIT_FAILURE;
	rc = json_dumpf(value, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
	printf("\n");
	json_decref(value);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
list_json(void)
{
	json_t *array = json_array();
	struct rte_dev_iterator it;
	struct rte_device *dev;
	struct report report;

	RTE_DEV_FOREACH(dev, "bus=pci", &it) {
		report_identify(&report, RTE_DEV_TO_PCI(dev));
		json_array_append_new(array, report_to_json(&report, false));
		report_free(&report);
	}
	return json_print(array);
}

static int
list_text(void)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;
	struct report report;

	report_print_list_head();
	RTE_DEV_FOREACH(dev, "bus=pci", &it) {
		report_identify(&report, RTE_DEV_TO_PCI(dev));
		report_print_list_line(&report);
		report_free(&report);
	}
	return EXIT_SUCCESS;
}

static int
run_list(const struct cli_request *request)
{
	return request->json ? list_json() : list_text();
}

static const struct bar_style *
style_choose(const struct cli_request *request)
{
	bool utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;

	return utf8 && !request->ascii ? &bar_style_utf8 : &bar_style_ascii;
}

/* A device that cannot be opened is shown as far as the system tells about it. */
static int
run_show(const struct cli_request *request)
{
	struct rte_pci_device *dev = device_find(request->device);
	struct report report;
	int rc, status;

	if (dev == NULL)
		return EXIT_FAILURE;
	rc = device_open(dev);
	status = rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
	report_identify(&report, dev);
	if (report_inspect(&report, dev, rc == 0) != 0)
		status = EXIT_FAILURE;
	else if (request->json)
		status |= json_print(report_to_json(&report, true));
	else if (report_print_text(&report, style_choose(request)) != 0)
		status = EXIT_FAILURE;
	report_free(&report);
	rte_pci_unmap_device(dev);
	return status;
}

static struct rte_pci_device *
open_requested(const struct cli_request *request)
{
	struct rte_pci_device *dev = device_find(request->device);

	return dev != NULL && device_open(dev) == 0 ? dev : NULL;
}

static int
run_read(const struct cli_request *request)
{
	struct rte_pci_device *dev = open_requested(request);
	uint64_t value;
	int rc;

	if (dev == NULL)
		return EXIT_FAILURE;
	rc = device_read(dev, request, &value);
	if (rc == 0)
		printf("0x%0*" PRIx64 "\n", (int)request->width * 2, value);
	rte_pci_unmap_device(dev);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
run_write(const struct cli_request *request)
{
	struct rte_pci_device *dev = open_requested(request);
	int rc;

	if (dev == NULL)
		return EXIT_FAILURE;
	rc = device_write(dev, request);
	rte_pci_unmap_device(dev);
	return rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define DETAILS_DEVICE \
	"DEVICE is a PCI address, 0000:00:04.0 or 00:04.0, or a name as after EAL's -a.\n" \
	"Only this device is looked at, and it is closed again at the end. The kernel resets a\n" \
	"device each time it is opened by VFIO.\n"

#define DETAILS_ACCESS \
	"BAR is 0 to 5, or \"config\" for configuration space; OFFSET is in bytes from its\n" \
	"start, a multiple of the width. Numbers are decimal, or hexadecimal after 0x.\n" \
	"  --width N    bytes of the access: 1, 2, 4 (if not said otherwise) or 8\n" \
	DETAILS_DEVICE

#define DETAILS_JSON \
	"  --json       print JSON, for programs\n"

#define DETAILS_ASCII \
	"  --ascii      draw with ASCII characters, whatever the locale\n"

static const struct cli_command commands[] = {
	{
		.name = "list",
		.arguments = "",
		.summary = "list the devices of the bus",
		.details = DETAILS_JSON "No device is opened.\n",
		.json = true,
		.run = run_list,
	}, {
		.name = "show",
		.arguments = "DEVICE",
		.summary = "show a device: BARs and what of them is mapped, capabilities, ...",
		.details = DETAILS_JSON DETAILS_ASCII DETAILS_DEVICE,
		.min_args = 1,
		.max_args = 1,
		.json = true,
		.run = run_show,
	}, {
		.name = "read",
		.arguments = "DEVICE BAR OFFSET",
		.summary = "read a register",
		.details = DETAILS_ACCESS,
		.min_args = 3,
		.max_args = 3,
		.width = true,
		.run = run_read,
	}, {
		.name = "write",
		.arguments = "DEVICE BAR OFFSET VALUE",
		.summary = "write a register",
		.details = DETAILS_ACCESS,
		.min_args = 4,
		.max_args = 4,
		.width = true,
		.run = run_write,
	}, {
		.name = NULL,
	},
};

static void
help_print(FILE *out)
{
	const struct cli_command *command;

	fprintf(out, "usage: dpdk-pci [EAL options --] COMMAND ...\n"
		"Looks at PCI devices, and at what a driver may map of them.\n\n");
	for (command = commands; command->name != NULL; command++)
		fprintf(out, "  %-5s %-24s %s\n", command->name, command->arguments,
			command->summary);
	fprintf(out, "\n\"dpdk-pci COMMAND --help\" tells more. "
		"\"dpdk-pci -h -- list\" lists EAL's options.\n"
		"Exit status: 0, 1 if it failed, 2 if the command line is wrong.\n");
}

static void
command_help_print(const struct cli_command *command)
{
	printf("usage: dpdk-pci [EAL options --] %s%s%s [options]\n%s.\n\n%s", command->name,
		command->arguments[0] == '\0' ? "" : " ", command->arguments, command->summary,
		command->details);
}

static bool
help_wanted(const struct cli_split *split)
{
	return split->argc > 0 && (strcmp(split->argv[0], "--help") == 0 ||
		strcmp(split->argv[0], "-h") == 0 || strcmp(split->argv[0], "help") == 0);
}

static int
request_run(char *prog, const struct cli_split *split, const struct cli_request *request)
{
	int status;

	if (devices_start(prog, split->eal_argc, split->eal_argv, request->device) != 0)
		return EXIT_FAILURE;
	status = request->command->run(request);
	devices_stop();
	return status;
}

static int
run(int argc, char **argv)
{
	struct cli_split split = cli_split(argc, argv);
	struct cli_request request;
	char error[256];

	if (help_wanted(&split)) {
		help_print(stdout);
		return EXIT_SUCCESS;
	}
	if (cli_parse(commands, split.argc, split.argv, &request, error, sizeof(error)) != 0) {
		fprintf(stderr, "dpdk-pci: %s\n", error);
		if (split.argc == 0)
			help_print(stderr);
		return EXIT_USAGE;
	}
	if (request.help) {
		command_help_print(request.command);
		return EXIT_SUCCESS;
	}
	return request_run(argv[0], &split, &request);
}

int
main(int argc, char **argv)
{
	standard_files_open();
	setlocale(LC_CTYPE, "");
	return standard_output_end("dpdk-pci", run(argc, argv));
}
