/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VU_HOSTILE_H
#define VU_HOSTILE_H

/**
 * @file
 * What a hostile peer sends. From a message that is right are made those that are wrong, each in
 * one way: every field of every command with every kind of impossible value, too short, too long,
 * cut off at each byte, of the wrong type, with descriptors that are missing, too many or of the
 * wrong kind.
 *
 * vu_hostile_server() runs all of them against a server. For a client there is the man in the
 * middle, who passes on what a real server says, but for one message.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vu_cmd.h"

/** Bytes of the longest message that can be made worse. */
#define VU_HOSTILE_MAX 16384u

/** What the session is expected to do; or a positive errno: answer with it. */
#define VU_HOSTILE_ANY 0	/**< anything, as long as it is something */
#define VU_HOSTILE_CLOSE (-1)	/**< close the connection */
#define VU_HOSTILE_GOOD (-2)	/**< nothing is wrong: answer it */
#define VU_HOSTILE_FAIL (-3)	/**< answer with an errno, which depends on the system */
#define VU_HOSTILE_BY_REFERENCE (-4)	/**< what vu_reference_expect() says */

/** Descriptors that go with a message. */
enum vu_hostile_fd {
	VU_HOSTILE_FD_AS_IS,	/**< what the command takes */
	VU_HOSTILE_FD_EVENTFD,
	VU_HOSTILE_FD_MEMFD,	/**< of 64 KiB */
	VU_HOSTILE_FD_EMPTY,	/**< a memfd without a byte in it */
	VU_HOSTILE_FD_READ_ONLY,	/**< a file that cannot be written */
	VU_HOSTILE_FD_PIPE,
	VU_HOSTILE_FD_DIRECTORY,
	VU_HOSTILE_FD_SOCKET,
	VU_HOSTILE_FD_NB,
};

/** How long a peer may take for anything. */
#define VU_HOSTILE_PATIENCE_MS 5000

struct vu_hostile_msg {
	char what[96];	/**< is wrong with it */
	uint8_t bytes[VU_HOSTILE_MAX + 4096];
	size_t len;
	enum vu_hostile_fd fd_kind;
	unsigned int nb_fds;
	bool cut;	/**< the connection is closed behind it */
	int expect;	/**< of a session that receives it as a command */
};

/**
 * Make a message worse.
 *
 * @param msg
 *   A good one, with its header, at most VU_HOSTILE_MAX bytes.
 * @param nb_fds
 *   Descriptors that belong to it.
 * @param i
 *   In which way, from 0 on.
 * @return false: there are not so many ways
 */
bool vu_hostile_mutate(const void *msg, size_t len, unsigned int nb_fds, unsigned int i,
	struct vu_hostile_msg *out);

/** Make descriptors of a kind. @p nb at most VU_SCM_MAX_FD; to be closed by the caller. */
void vu_hostile_fds(enum vu_hostile_fd kind, unsigned int nb, int *fds);

/** The header of a message. */
struct vu_hdr vu_hostile_hdr(const struct vu_hostile_msg *msg);

/** Send bytes with descriptors, in one call. @return 0, or -errno */
int vu_hostile_send_bytes(int sock, const void *bytes, size_t len, const int *fds,
	unsigned int nb_fds);

/** Send bytes with descriptors of their kind, in one call. @return 0, or -errno */
int vu_hostile_send(int sock, const struct vu_hostile_msg *msg);

/** A server under test. */
struct vu_hostile_server {
	/** A new connection to it; the socket is the caller's. */
	int (*connect)(void *ctx);
	/** Serve what has arrived; NULL: a thread of the server does. */
	void (*pump)(void *ctx);
	void *ctx;
	bool served;	/**< it is the device of vu_served.h */
	unsigned int stride;	/**< run only every so many-th case; 0: all of them */
};

/**
 * Send every hostile version of every golden message to the server, each over a connection of its
 * own, and check what it does. A server that does not do what is expected, or nothing within some
 * seconds, fails the test, with the name of the case.
 *
 * @return number of cases
 */
unsigned int vu_hostile_server(const struct vu_hostile_server *server);

/**
 * Send every golden command in two pieces, cut at each byte: to the server that is the same.
 *
 * @return number of cases
 */
unsigned int vu_hostile_pieces(const struct vu_hostile_server *server);

/**
 * Send every golden message when it is out of order: commands before VERSION, VERSION once more,
 * replies to nothing, commands of servers.
 *
 * @return number of cases
 */
unsigned int vu_hostile_order(const struct vu_hostile_server *server);

/** Between a client and its server. */
struct vu_hostile_middle {
	int client;	/**< socket towards the client; owned from start to join */
	int server;	/**< socket towards the server; same */
	bool to_client;	/**< a message of the server is made worse, else one of the client */
	unsigned int nth;	/**< which one, from 0 on */
	unsigned int mutation;	/**< in which way */
	bool came;	/**< set by join: there was such a message */
	bool done;	/**< set by join: and such a way */
	char what[128];	/**< set by join: what was done */
	void *thread;	/**< of vu_hostile_middle.c */
};

void vu_hostile_middle_start(struct vu_hostile_middle *middle);

/** Ends when one side has closed; closes both sockets. */
void vu_hostile_middle_join(struct vu_hostile_middle *middle);

#endif /* VU_HOSTILE_H */
