/* SPDX-License-Identifier: BSD-3-Clause */

/* The parts of dpdk-pci that touch no device: its command line, its pictures, its names. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_common.h>

#include "../pci/bar_render.h"
#include "../pci/caps.h"
#include "../pci/cli.h"
#include "../pci/names.h"
#include "test.h"

#define RW (PROT_READ | PROT_WRITE)
#define MAX_WINDOWS 3

struct picture {
	const char *what;
	uint64_t size;
	struct bar_window windows[MAX_WINDOWS];
	size_t cells;
	const char *expected;
};

static const struct picture pictures[] = {
	{ "nothing is mapped", 0x10000, { { 0 } }, 8, "........" },
	{ "all is mapped", 0x10000, { { 0, 0x10000, RW } }, 8, "########" },
	{ "window at the start", 0x10000, { { 0, 0x4000, RW } }, 8, "##......" },
	{ "window in the middle", 0x10000, { { 0x4000, 0x4000, RW } }, 8, "..##...." },
	{ "window at the end", 0x10000, { { 0xe000, 0x2000, RW } }, 8, ".......#" },
	{ "several", 0x10000, { { 0, 0x2000, RW }, { 0x4000, 0x2000, RW }, { 0xc000, 0x4000, RW } },
		8, "#.#...##" },
	{ "adjacent, of different protection", 0x10000,
		{ { 0, 0x4000, RW }, { 0x4000, 0x4000, PROT_READ },
			{ 0x8000, 0x4000, PROT_WRITE } },
		8, "##rrww.." },
	{ "cell of which a part is mapped", 0x10000, { { 0x1000, 0x1000, RW } }, 8, "+......." },
	{ "window smaller than a cell", UINT64_C(1) << 40, { { 0x1000, 0x1000, RW } }, 4, "+..." },
	{ "size that the cells do not divide", 10, { { 0, 3, RW } }, 3, "#.." },
	{ "fewer bytes than cells", 4, { { 1, 2, RW } }, 64, ".##." },
	{ "largest size there can be", UINT64_MAX, { { 0, UINT64_C(1) << 62, RW } }, 4, "#+.." },
	{ "one cell", 0x2000, { { 0, 0x1000, RW } }, 1, "+" },
	{ "empty BAR", 0, { { 0 } }, 8, "" },
};

static struct bar_view
view_of(const struct picture *picture)
{
	struct bar_view view = { .size = picture->size, .windows = picture->windows };

	while (view.nb_windows < MAX_WINDOWS && picture->windows[view.nb_windows].len != 0)
		view.nb_windows++;
	return view;
}

static void
test_each_cell_shows_what_its_bytes_are(void **state)
{
	struct bar_view view;
	char *text;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(pictures); i++) {
		view = view_of(&pictures[i]);
		text = bar_render(&view, &bar_style_ascii, pictures[i].cells);
		assert_non_null(text);
		if (strcmp(text, pictures[i].expected) != 0)
			fail_msg("%s: \"%s\" instead of \"%s\"", pictures[i].what, text,
				pictures[i].expected);
		free(text);
	}
}

static void
test_utf8_picture_has_as_many_cells(void **state)
{
	const struct bar_window window = { 0, 0x1800, RW };
	const struct bar_view view = { 0x4000, &window, 1 };
	char *text;

	(void)state;
	text = bar_render(&view, &bar_style_utf8, 4);
	assert_string_equal(text, "\u2588\u2593\u2591\u2591");
	free(text);
}

static void
test_parts_cover_the_bar_without_gap_or_overlap(void **state)
{
	struct bar_part part;
	struct bar_view view;
	uint64_t at, before;
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(pictures); i++) {
		view = view_of(&pictures[i]);
		for (at = 0, before = 0; bar_next_part(&view, &at, &part); before = at) {
			assert_int_equal(part.offset, before);
			assert_true(part.len > 0);
			assert_int_equal(part.offset + part.len, at);
		}
		assert_int_equal(at, view.size);
	}
}

static void
test_sizes_are_told_in_whole_units(void **state)
{
	static const struct { uint64_t size; const char *text; } cases[] = {
		{ 0, "0 bytes" }, { 1, "1 byte" }, { 96, "96 bytes" }, { 1024, "1 KiB" },
		{ 4097, "4097 bytes" }, { 0x4000, "16 KiB" }, { 0x100000, "1 MiB" },
		{ UINT64_C(1) << 63, "8 EiB" },
	};
	char text[32];
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		bar_size_text(cases[i].size, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static int
run_nothing(const struct cli_request *request)
{
	(void)request;
	return 0;
}

static const struct cli_command commands[] = {
	{ .name = "list", .arguments = "", .json = true, .run = run_nothing },
	{ .name = "show", .arguments = "DEVICE", .min_args = 1, .max_args = 1, .json = true,
		.run = run_nothing },
	{ .name = "read", .arguments = "DEVICE BAR OFFSET", .min_args = 3, .max_args = 3,
		.width = true, .run = run_nothing },
	{ .name = "write", .arguments = "DEVICE BAR OFFSET VALUE", .min_args = 4, .max_args = 4,
		.width = true, .run = run_nothing },
	{ .name = NULL },
};

/* Parses a line whose words have one space between them. */
static int
parse_line(const char *line, struct cli_request *request, char *error, size_t error_len)
{
	static char copy[256];
	char *argv[16];
	int argc = 0;
	char *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", line);
	while ((word = strsep(&rest, " ")) != NULL)
		if (word[0] != '\0')
			argv[argc++] = word;
	argv[argc] = NULL;
	return cli_parse(commands, argc, argv, request, error, error_len);
}

static void
test_good_command_lines_are_understood(void **state)
{
	static const struct {
		const char *line;
		struct cli_request request;
	} cases[] = {
		{ "list", { .width = 4 } },
		{ "list --json", { .width = 4, .json = true } },
		{ "show 0000:00:04.0 --ascii", { .width = 4, .ascii = true } },
		{ "show --help", { .width = 4, .help = true } },
		{ "read 00:04.0 0 0x10", { .width = 4, .offset = 0x10 } },
		{ "read 00:04.0 --width 1 5 3", { .width = 1, .bar = 5, .offset = 3 } },
		{ "read 00:04.0 config 6 --width=2",
			{ .width = 2, .bar = CLI_BAR_CONFIG, .offset = 6 } },
		{ "write 00:04.0 2 8 0xffffffffffffffff --width 8",
			{ .width = 8, .bar = 2, .offset = 8, .value = UINT64_MAX } },
		{ "write 00:04.0 2 1 255 --width 1",
			{ .width = 1, .bar = 2, .offset = 1, .value = 255 } },
	};
	struct cli_request request;
	char error[256];
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		if (parse_line(cases[i].line, &request, error, sizeof(error)) != 0)
			fail_msg("%s: %s", cases[i].line, error);
		assert_int_equal(request.width, cases[i].request.width);
		assert_int_equal(request.bar, cases[i].request.bar);
		assert_int_equal(request.offset, cases[i].request.offset);
		assert_int_equal(request.value, cases[i].request.value);
		assert_int_equal(request.json, cases[i].request.json);
		assert_int_equal(request.ascii, cases[i].request.ascii);
		assert_int_equal(request.help, cases[i].request.help);
	}
}

static void
test_bad_command_lines_are_refused_with_a_reason(void **state)
{
	static const struct { const char *line, *reason; } cases[] = {
		{ "", "no command" },
		{ "lsit", "is \"list\" meant?" },
		{ "reed 00:04.0 0 0", "is \"read\" meant?" },
		{ "shwo", "is \"show\" meant?" },
		{ "zzz", "zzz: no such command" },
		{ "--no-huge list", "EAL's options stand before \"--\"" },
		{ "show", "show: too few arguments; it takes DEVICE" },
		{ "list extra", "list: too many arguments; it takes none" },
		{ "read 00:04.0 6 0", "BAR 6: must be 0 to 5, or \"config\"" },
		{ "read 00:04.0 x 0", "BAR x: must be" },
		{ "read 00:04.0 0 0x2", "offset 0x2: not a multiple of the width, 4 bytes" },
		{ "read 00:04.0 0 4 --width 8", "offset 4: not a multiple of the width, 8 bytes" },
		{ "read 00:04.0 0 four", "offset four: not a number" },
		{ "read 00:04.0 0 0x8000000000000000", "not a number of bytes" },
		{ "read 00:04.0 0 0 --width 3", "--width 3: must be 1, 2, 4 or 8" },
		{ "read 00:04.0 0 0 --width 16", "--width 16: must be" },
		{ "read 00:04.0 0 0 --width", "--width: needs a number" },
		{ "read 00:04.0 0 0 --json", "--json: not an option of \"read\"" },
		{ "list --width 4", "--width: not an option of \"list\"" },
		{ "write 00:04.0 0 0", "write: too few arguments" },
		{ "write 00:04.0 0 0 0x100 --width 1", "value 0x100: does not fit into 1 bytes" },
		{ "write 00:04.0 0 0 18446744073709551616 --width 8", "not a number" },
		{ "write 00:04.0 0 0 1 2 3 4 5 6 7 8 9", "too many" },
	};
	struct cli_request request;
	char error[256];
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		error[0] = '\0';
		assert_int_equal(parse_line(cases[i].line, &request, error, sizeof(error)),
			-EINVAL);
		if (strstr(error, cases[i].reason) == NULL)
			fail_msg("\"%s\": \"%s\" does not say \"%s\"", cases[i].line, error,
				cases[i].reason);
	}
}

static void
test_eal_options_end_at_the_double_dash(void **state)
{
	char prog[] = "dpdk-pci", opt[] = "--no-huge", dashes[] = "--", word[] = "list";
	char *with[] = { prog, opt, dashes, word, NULL };
	char *without[] = { prog, word, NULL };
	struct cli_split split;

	(void)state;
	split = cli_split(4, with);
	assert_int_equal(split.eal_argc, 1);
	assert_string_equal(split.eal_argv[0], opt);
	assert_int_equal(split.argc, 1);
	assert_string_equal(split.argv[0], word);

	split = cli_split(2, without);
	assert_int_equal(split.eal_argc, 0);
	assert_int_equal(split.argc, 1);
	assert_string_equal(split.argv[0], word);
}

static void
test_device_lists_of_the_user_are_noticed(void **state)
{
	static const struct { const char *option; bool found; } cases[] = {
		{ "-a", true }, { "-a00:04.0", true }, { "--allow=00:04.0", true },
		{ "--block", true },
		{ "-b", true }, { "--base-virtaddr=0x1000", false }, { "-m", false },
	};
	char option[64], *argv[] = { option };
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		snprintf(option, sizeof(option), "%s", cases[i].option);
		assert_int_equal(cli_has_device_list(1, argv), cases[i].found);
	}
}

static void
test_numbers_of_pci_have_names(void **state)
{
	(void)state;
	assert_string_equal(pci_class_name(0x010802), "NVM controller");
	assert_string_equal(pci_class_name(0x02ff00), "Network controller");
	assert_string_equal(pci_class_name(0x770000), "Device of an unknown class");
	assert_string_equal(pci_cap_name(0x11), "MSI-X");
	assert_string_equal(pci_cap_name(0x77), "Unknown");
	assert_string_equal(pci_ext_cap_name(0x01), "Advanced Error Reporting");
	assert_string_equal(pci_ext_cap_name(0x777), "Unknown");
}

/* A configuration space of bytes set one by one. */
struct config_byte {
	uint16_t offset;
	uint8_t value;
};

static size_t
caps_of(const struct config_byte *bytes, size_t nb_bytes, size_t len, struct cap *caps,
	struct cap_interrupts *interrupts)
{
	uint8_t config[4096] = { 0 };
	size_t i, nb;

	for (i = 0; i < nb_bytes; i++)
		config[bytes[i].offset] = bytes[i].value;
	nb = caps_collect(config, len, caps);
	*interrupts = caps_interrupts(config, len, caps, nb);
	return nb;
}

static void
test_capabilities_and_interrupts_are_found_in_order(void **state)
{
	static const struct config_byte bytes[] = {
		{ 0x06, 0x10 }, { 0x34, 0x40 }, { 0x3d, 1 },
		{ 0x40, 0x05 }, { 0x41, 0x60 }, { 0x42, 0x06 },	/* MSI of 8 vectors */
		{ 0x60, 0x11 }, { 0x61, 0x50 }, { 0x62, 0x1f }, { 0x63, 0x80 },	/* MSI-X of 32 */
		{ 0x50, 0x10 }, { 0x51, 0 },	/* PCI Express */
		{ 0x100, 0x01 }, { 0x102, 0x01 }, { 0x103, 0x15 },	/* AER, next at 0x150 */
		{ 0x150, 0x0d }, { 0x152, 0x01 },
	};
	static const struct cap expected[] = {
		{ 0x40, 0x05, false }, { 0x60, 0x11, false }, { 0x50, 0x10, false },
		{ 0x100, 0x01, true }, { 0x150, 0x0d, true },
	};
	struct cap_interrupts interrupts;
	struct cap caps[CAPS_MAX];
	size_t i;

	(void)state;
	assert_int_equal(caps_of(bytes, RTE_DIM(bytes), 4096, caps, &interrupts),
		RTE_DIM(expected));
	for (i = 0; i < RTE_DIM(expected); i++) {
		assert_int_equal(caps[i].offset, expected[i].offset);
		assert_int_equal(caps[i].id, expected[i].id);
		assert_int_equal(caps[i].extended, expected[i].extended);
	}
	assert_int_equal(interrupts.intx, 1);
	assert_int_equal(interrupts.msi, 8);
	assert_int_equal(interrupts.msix, 32);
	assert_true(interrupts.pcie);
}

static void
test_broken_capability_lists_end(void **state)
{
	static const struct {
		const char *what;
		struct config_byte bytes[8];
		size_t len;
		size_t nb_caps;
	} cases[] = {
		{ "no list, says the status", { { 0x34, 0x40 }, { 0x40, 0x05 } }, 256, 0 },
		{ "list loops", { { 0x06, 0x10 }, { 0x34, 0x40 }, { 0x41, 0x50 }, { 0x51, 0x40 } },
			256, 2 },
		{ "points to itself", { { 0x06, 0x10 }, { 0x34, 0x40 }, { 0x41, 0x40 } }, 256, 1 },
		{ "points into the header", { { 0x06, 0x10 }, { 0x34, 0x10 } }, 256, 0 },
		{ "low bits are not of the pointer", { { 0x06, 0x10 }, { 0x34, 0x43 } }, 256, 1 },
		{ "leads past what can be read", { { 0x06, 0x10 }, { 0x34, 0x40 } }, 64, 0 },
		{ "ends in the middle of a header", { { 0x06, 0x10 }, { 0x34, 0xfc } }, 0xfd, 0 },
		{ "extended list loops", { { 0x100, 0x01 }, { 0x102, 0x01 }, { 0x103, 0x10 } },
			4096, 1 },
		{ "extended list leads back",
			{ { 0x100, 0x01 }, { 0x102, 0x01 }, { 0x103, 0x04 } }, 4096, 1 },
		{ "nothing can be read", { { 0 } }, 0, 0 },
	};
	struct cap_interrupts interrupts;
	struct cap caps[CAPS_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++)
		if (caps_of(cases[i].bytes, RTE_DIM(cases[i].bytes), cases[i].len, caps,
				&interrupts) != cases[i].nb_caps)
			fail_msg("%s", cases[i].what);
}

static void
test_configuration_space_of_ones_is_survived(void **state)
{
	struct cap_interrupts interrupts;
	struct cap caps[CAPS_MAX];
	uint8_t config[4096];
	size_t nb;

	(void)state;
	memset(config, 0xff, sizeof(config));
	nb = caps_collect(config, sizeof(config), caps);
	assert_true(nb <= 1);
	interrupts = caps_interrupts(config, sizeof(config), caps, nb);
	assert_int_equal(interrupts.intx, 0);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_capabilities_and_interrupts_are_found_in_order),
	cmocka_unit_test(test_broken_capability_lists_end),
	cmocka_unit_test(test_configuration_space_of_ones_is_survived),
	cmocka_unit_test(test_each_cell_shows_what_its_bytes_are),
	cmocka_unit_test(test_utf8_picture_has_as_many_cells),
	cmocka_unit_test(test_parts_cover_the_bar_without_gap_or_overlap),
	cmocka_unit_test(test_sizes_are_told_in_whole_units),
	cmocka_unit_test(test_good_command_lines_are_understood),
	cmocka_unit_test(test_bad_command_lines_are_refused_with_a_reason),
	cmocka_unit_test(test_eal_options_end_at_the_double_dash),
	cmocka_unit_test(test_device_lists_of_the_user_are_noticed),
	cmocka_unit_test(test_numbers_of_pci_have_names),
};

TEST_SUITE(pci_tool, "unit", tests, NULL, NULL)
