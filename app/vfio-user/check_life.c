/* SPDX-License-Identifier: BSD-3-Clause */

/* Clients that come and go, and reset. */

#include <string.h>

#include <rte_common.h>

#include "check_rule.h"

#define RESET "VFIO_USER_DEVICE_RESET"
#define LEAVE "Client Disconnection"
#define SECURITY "Security Considerations"

#define CLIENTS 8u
#define UNREAD 64u

/* Another client comes, and is served. */
static void
next_client(struct check *c, const char *what)
{
	static const char text[] = "{\"capabilities\":{\"max_msg_fds\":16}}";

	check_connect(c);
	check_done(c, check_version(c, 0, 0, text, sizeof(text)), what);
}

static void
run_next(struct check *c)
{
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		next_client(c, "VERSION of a later client");
}

static void
run_silent(struct check *c)
{
	check_connect(c);
	next_client(c, "VERSION after a client that said nothing");
}

static void
run_cut(struct check *c)
{
	const struct wire_hdr hdr = { .id = 1, .cmd = WIRE_GET_INFO, .size = 32 };

	check_open(c);
	check_send_raw(c, &hdr, sizeof(hdr), NULL, 0);
	next_client(c, "VERSION after half a message");
}

static void
run_unread(struct check *c)
{
	const struct wire_info info = { .argsz = sizeof(info) };
	unsigned int i;

	check_open(c);
	for (i = 0; i < UNREAD; i++)
		check_send(c, WIRE_GET_INFO, 0, &info, sizeof(info), NULL, 0);
	next_client(c, "VERSION after replies nobody read");
}

/* ---- reset ---- */

static void
resettable_open(struct check *c)
{
	check_need_info(c);
	if (!(c->facts.flags & VFIO_DEVICE_FLAGS_RESET))
		check_skip(c, "the device has no reset");
	check_open(c);
}

static void
run_reset(struct check *c)
{
	resettable_open(c);
	check_done(c, check_call(c, WIRE_RESET, NULL, 0), "DEVICE_RESET");
	check_len(c, 0);
}

static void
run_reset_again(struct check *c)
{
	resettable_open(c);
	check_done(c, check_call(c, WIRE_RESET, NULL, 0), "DEVICE_RESET");
	check_done(c, check_get_info(c, sizeof(struct wire_info)), "DEVICE_GET_INFO after it");
	check_done(c, check_call(c, WIRE_RESET, NULL, 0), "DEVICE_RESET once more");
}

const struct check_rule check_life_rules[] = {
	{ "next-client", LEAVE, CHECK_F_SHOULD, "one client after the other is served", run_next },
	{ "silent-client", SECURITY, CHECK_F_SHOULD, "a client that says nothing does no harm",
		run_silent },
	{ "cut-message", SECURITY, CHECK_F_SHOULD, "a client that leaves in a message does no harm",
		run_cut },
	{ "unread-replies", SECURITY, CHECK_F_SHOULD,
		"a client that leaves before it is answered does no harm", run_unread },
	{ "reset", RESET, CHECK_F_DESTRUCTIVE, "a device that has reset does it; no payload comes",
		run_reset },
	{ "reset-again", RESET, CHECK_F_DESTRUCTIVE, "the session goes on behind it",
		run_reset_again },
	{ .name = NULL },
};
