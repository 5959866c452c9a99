/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include <jansson.h>

#include <rte_common.h>

#include "check_rule.h"

#define SECTION "VFIO_USER_VERSION"

/* What QEMU takes: its own VERSION, and no reply longer than that. */
#define QEMU_REPLY_MAX 214u
#define QEMU_FDS_MAX 16
#define QEMU_DMA_MAPS_MAX 65535
#define QEMU_PGSIZES_BELOW 4096

/* Connect, send a version and a text that ends in NUL. */
static int
propose(struct check *c, uint16_t major, uint16_t minor, const char *text)
{
	check_connect(c);
	return check_version(c, major, minor, text, strlen(text) + 1);
}

static struct wire_version
numbers(struct check *c)
{
	struct wire_version version;

	CHECK_EXPECT(c, c->len >= sizeof(version), "the reply has %zu bytes", c->len);
	memcpy(&version, c->payload, sizeof(version));
	return version;
}

static void
run_major(struct check *c)
{
	check_done(c, propose(c, 0, 0, "{\"capabilities\":{}}"), "version 0.0");
	CHECK_EXPECT(c, numbers(c).major == 0, "major is %u", numbers(c).major);
}

static void
run_minor(struct check *c)
{
	static const uint16_t minors[] = { 0, 1, 2, UINT16_MAX };
	unsigned int i;

	for (i = 0; i < RTE_DIM(minors); i++) {
		check_done(c, propose(c, 0, minors[i], "{\"capabilities\":{}}"), "version 0.x");
		CHECK_EXPECT(c, numbers(c).minor <= minors[i], "minor %u is answered by %u",
			minors[i], numbers(c).minor);
	}
}

static void
run_other_major(struct check *c)
{
	check_refused_or_closed(c, propose(c, 77, 0, "{\"capabilities\":{}}"), "major 77");
}

static void
run_no_text(struct check *c)
{
	check_connect(c);
	check_done(c, check_version(c, 0, 0, NULL, 0), "VERSION without text");
}

static void
run_no_capabilities(struct check *c)
{
	check_done(c, propose(c, 0, 0, "{}"), "an object without capabilities");
}

static void
run_unknown_capability(struct check *c)
{
	check_done(c, propose(c, 0, 0, "{\"capabilities\":{\"no_such_thing\":{\"x\":[1]}}}"),
		"a capability that nobody knows");
}

/* Asks as a client that offers nothing. Returns the length of the text, its NUL included. */
static size_t
reply_get(struct check *c, const char **text)
{
	check_done(c, propose(c, 0, 0, "{\"capabilities\":{}}"), "version 0.0");
	numbers(c);
	*text = (const char *)c->payload + sizeof(struct wire_version);
	return c->len - sizeof(struct wire_version);
}

/* The text of that reply; NULL: there is none. */
static json_t *
reply_parse(struct check *c)
{
	const char *text;
	size_t len = reply_get(c, &text);
	json_t *root = len == 0 ? NULL : json_loadb(text, strnlen(text, len), 0, NULL);

	if (len > 0 && root == NULL)
		check_skip(c, "the reply is no JSON");
	return root;
}

static bool
type_fits(const json_t *value, json_type type)
{
	return value == NULL || json_typeof(value) == type ||
		(type == JSON_TRUE && json_is_false(value));
}

static const char *
type_wrong(json_t *root)
{
	static const struct {
		const char *name;
		json_type type;	/* JSON_TRUE: a boolean */
	} members[] = {
		{ "max_msg_fds", JSON_INTEGER },
		{ "max_data_xfer_size", JSON_INTEGER },
		{ "max_dma_maps", JSON_INTEGER },
		{ "pgsizes", JSON_INTEGER },
		{ "twin_socket", JSON_OBJECT },
		{ "write_multiple", JSON_TRUE },
		{ "migration", JSON_OBJECT },
	};
	json_t *capabilities = json_object_get(root, "capabilities");
	unsigned int i;

	if (!json_is_object(root))
		return "the text";
	if (!type_fits(capabilities, JSON_OBJECT))
		return "capabilities";
	for (i = 0; i < RTE_DIM(members); i++) {
		if (!type_fits(json_object_get(capabilities, members[i].name), members[i].type))
			return members[i].name;
	}
	return NULL;
}

static void
run_json(struct check *c)
{
	const char *text, *wrong;
	size_t len = reply_get(c, &text);
	json_t *root;

	if (len == 0)
		return;
	CHECK_EXPECT(c, memchr(text, '\0', len) == text + len - 1,
		"the text does not end in one NUL");
	root = json_loadb(text, len - 1, 0, NULL);
	CHECK_EXPECT(c, root != NULL, "the text is no JSON");
	wrong = type_wrong(root);
	json_decref(root);
	CHECK_EXPECT(c, wrong == NULL, "%s is of the wrong type", wrong);
}

static void
run_not_offered(struct check *c)
{
	json_t *root = reply_parse(c);
	json_t *capabilities = json_object_get(root, "capabilities");
	bool multi = json_is_true(json_object_get(capabilities, "write_multiple"));
	bool twin = json_is_true(json_object_get(json_object_get(capabilities, "twin_socket"),
			"supported"));

	json_decref(root);
	CHECK_EXPECT(c, !twin, "twin_socket is on");
	CHECK_EXPECT(c, !multi, "write_multiple is on");
}

static void
run_no_descriptors(struct check *c)
{
	check_done(c, propose(c, 0, 0, "{\"capabilities\":{\"max_msg_fds\":8}}"), "version 0.0");
	CHECK_EXPECT(c, c->nb_fds == 0, "%u descriptors come with the reply", c->nb_fds);
}

static void
run_twin(struct check *c)
{
	json_t *root, *twin;
	json_int_t index;
	bool on;

	check_done(c, propose(c, 0, 0,
		"{\"capabilities\":{\"max_msg_fds\":8,\"twin_socket\":{\"supported\":true}}}"),
		"a client that supports a twin socket");
	CHECK_EXPECT(c, c->len >= sizeof(struct wire_version), "the reply has %zu bytes", c->len);
	root = json_loadb((const char *)c->payload + sizeof(struct wire_version),
			strnlen((const char *)c->payload + sizeof(struct wire_version),
				c->len - sizeof(struct wire_version)), 0, NULL);
	twin = json_object_get(json_object_get(root, "capabilities"), "twin_socket");
	on = json_is_true(json_object_get(twin, "supported"));
	index = json_is_integer(json_object_get(twin, "fd_index")) ?
		json_integer_value(json_object_get(twin, "fd_index")) : -1;
	json_decref(root);
	CHECK_EXPECT(c, !on || (index >= 0 && index < (json_int_t)c->nb_fds),
		"it is on, with fd_index %lld of %u descriptors", (long long)index, c->nb_fds);
	CHECK_EXPECT(c, on || c->nb_fds == 0, "it is off, and a descriptor comes");
}

static bool
qemu_takes(json_t *root)
{
	json_t *capabilities = json_object_get(root, "capabilities");
	json_int_t pgsizes = json_integer_value(json_object_get(capabilities, "pgsizes"));

	return json_integer_value(json_object_get(capabilities, "max_msg_fds")) <= QEMU_FDS_MAX &&
		json_integer_value(json_object_get(capabilities, "max_dma_maps")) <=
			QEMU_DMA_MAPS_MAX &&
		(pgsizes & (QEMU_PGSIZES_BELOW - 1)) == 0;
}

static void
run_qemu(struct check *c)
{
	json_t *root = reply_parse(c);
	bool takes = qemu_takes(root);

	json_decref(root);
	CHECK_EXPECT(c, c->hdr.size <= QEMU_REPLY_MAX, "the reply has %u bytes, QEMU takes %u",
		c->hdr.size, QEMU_REPLY_MAX);
	CHECK_EXPECT(c, takes, "max_msg_fds, max_dma_maps or pgsizes is not what QEMU takes");
}

static void
run_bad_json(struct check *c)
{
	static const char *const texts[] = {
		"{", "", "[]", "{\"capabilities\":7}", "{\"capabilities\":{\"max_msg_fds\":\"x\"}}",
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(texts); i++)
		check_refused_or_closed(c, propose(c, 0, 0, texts[i]), texts[i]);
}

static void
run_unterminated(struct check *c)
{
	check_connect(c);
	check_refused_or_closed(c, check_version(c, 0, 0, "{}", 2), "a text without NUL");
}

static void
run_short(struct check *c)
{
	check_connect(c);
	check_refused_or_closed(c, check_call(c, WIRE_VERSION, "\0\0", 2), "2 bytes");
}

static void
run_twice(struct check *c)
{
	check_open(c);
	check_refused_or_closed(c, check_version(c, 0, 0, "{}", 3), "VERSION once more");
}

static void
run_first(struct check *c)
{
	check_connect(c);
	check_refused_or_closed(c, check_get_info(c, sizeof(struct wire_info)),
		"DEVICE_GET_INFO as first message");
}

const struct check_rule check_version_rules[] = {
	{ "version-major", SECTION, 0, "the reply has the major version that was proposed",
		run_major },
	{ "version-minor", SECTION, 0, "the reply's minor version is at most the one proposed",
		run_minor },
	{ "version-other-major", SECTION, 0, "another major version is not accepted",
		run_other_major },
	{ "version-no-text", SECTION, 0, "the version data may be absent", run_no_text },
	{ "version-no-capabilities", SECTION, 0, "the capabilities may be absent",
		run_no_capabilities },
	{ "version-unknown-capability", SECTION, 0, "unknown capabilities do no harm",
		run_unknown_capability },
	{ "version-json", SECTION, 0, "version data are JSON with members of the right types",
		run_json },
	{ "version-not-offered", SECTION, 0, "what the client did not offer is not switched on",
		run_not_offered },
	{ "version-no-descriptors", SECTION, 0, "no descriptor comes without a twin socket",
		run_no_descriptors },
	{ "version-twin-socket", SECTION, 0, "a twin socket comes with its descriptor",
		run_twin },
	{ "version-qemu", SECTION, CHECK_F_SHOULD, "the reply is one that QEMU takes", run_qemu },
	{ "version-bad-json", SECTION, CHECK_F_SHOULD, "data that make no sense are refused",
		run_bad_json },
	{ "version-unterminated", SECTION, CHECK_F_SHOULD, "data without NUL are refused",
		run_unterminated },
	{ "version-short", SECTION, CHECK_F_SHOULD, "a message without minor is refused",
		run_short },
	{ "version-twice", SECTION, CHECK_F_SHOULD, "a second VERSION is refused", run_twice },
	{ "version-first", "Connection Initiation", CHECK_F_SHOULD,
		"another message before VERSION is refused", run_first },
	{ .name = NULL },
};
