/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef CHECK_RULE_H
#define CHECK_RULE_H

/**
 * @file
 * What a rule of "dpdk-vfio-user check" is, and what it is written with.
 *
 * A rule runs on connections of its own, never on two at a time. It reads like a test: the
 * functions below that find something wrong end it. What it opens through them is closed behind it.
 */

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "check_wire.h"

enum check_verdict {
	CHECK_OK,
	CHECK_FAIL,	/**< a rule of the text is broken */
	CHECK_WARN,	/**< a rule that servers in use break, or that only some clients need */
	CHECK_SKIP,	/**< could not be tried; says nothing about the server */
};

/** What a rule does beside asking. */
#define CHECK_F_DESTRUCTIVE 0x1u	/**< writes registers, resets, or migrates */
/** It ends in a warning, not in a failure. */
#define CHECK_F_SHOULD 0x2u

struct check;

struct check_rule {
	const char *name;	/**< as typed by users; NULL ends a table */
	const char *section;	/**< of the vfio-user specification */
	uint32_t flags;	/**< CHECK_F_* */
	const char *text;	/**< what a server does that keeps to it */
	void (*run)(struct check *c);
};

/* The rules, by topic. */
extern const struct check_rule check_version_rules[];
extern const struct check_rule check_shape_rules[];
extern const struct check_rule check_info_rules[];
extern const struct check_rule check_region_rules[];
extern const struct check_rule check_access_rules[];
extern const struct check_rule check_dma_rules[];
extern const struct check_rule check_irq_rules[];
extern const struct check_rule check_life_rules[];
extern const struct check_rule check_migration_rules[];

/* ---- running them ---- */

struct check_options {
	const char *path;	/**< of the server's socket */
	uint32_t timeout_ms;	/**< of one rule */
	bool destructive;	/**< run those too that change the device */
	const char *const *names;	/**< patterns of rules to run */
	unsigned int nb_names;	/**< 0: all */
};

struct check_result {
	const struct check_rule *rule;
	enum check_verdict verdict;
	char why[200];	/**< empty when all is well */
	double ms;	/**< it took */
};

/** Told of each result as soon as it is there. */
typedef void (*check_report_t)(const struct check_result *result, void *ctx);

/** Does a pattern of the user match one of our names? */
bool check_rule_chosen(const struct check_options *opt, const struct check_rule *rule);

/** The rules in their order. @param i from 0 on. @return NULL: there are not so many */
const struct check_rule *check_rule_nth(unsigned int i);

/**
 * Run the chosen rules.
 *
 * @return 0, or -errno when the server cannot be connected to at all
 */
int check_all(const struct check_options *opt, check_report_t report, void *ctx);

/* ---- for others that want such a client ---- */

/** @param opt stays the caller's @return NULL: no memory */
struct check *check_new(const struct check_options *opt);

/** @param c may be NULL */
void check_free(struct check *c);

/** Run what is written like a rule. How it ended is in c->result. */
void check_once(struct check *c, void (*run)(struct check *c));

/* ---- what is known of the server; asked for once, before the first rule ---- */

#define CHECK_REGIONS_MAX 32u
#define CHECK_IRQS_MAX 16u

struct check_facts {
	bool info_known;	/**< the four below */
	uint32_t flags;	/**< VFIO_DEVICE_FLAGS_* */
	uint32_t num_regions;
	uint32_t num_irqs;
	unsigned int nb_regions;	/**< of those, so many are known */
	struct vfio_region_info regions[CHECK_REGIONS_MAX];
	unsigned int nb_irqs;
	struct vfio_irq_info irqs[CHECK_IRQS_MAX];
	uint64_t max_xfer;	/**< what it said in VERSION, or the defaults */
	uint64_t max_maps;
};

void check_facts_gather(struct check *c);

/* ---- for rules ---- */

#define CHECK_OWN_MAX 600u
#define CHECK_PAYLOAD_MAX (2u << 20)

struct check {
	const struct check_options *opt;
	void *ctx;	/**< of what is no rule */
	struct check_facts facts;
	struct check_result result;
	jmp_buf end;	/**< of the rule */
	uint64_t deadline_us;
	bool met;	/**< the server could be connected to */
	int gone;	/**< errno: it cannot be any more */
	const char *before;	/**< rule that ran last, where there was one */

	int sock;	/**< -1: none */
	uint16_t next_id;
	struct wire_hdr hdr;	/**< of what was received last */
	uint8_t *payload;
	size_t len;	/**< bytes of payload */
	int fds[WIRE_FDS_MAX];	/**< that came with it; the next receive closes them */
	unsigned int nb_fds;

	int own[CHECK_OWN_MAX];	/**< made for the rule */
	unsigned int nb_own;
};

/** The rule is broken. */
void check_fail(struct check *c, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

/** The rule cannot be tried. */
void check_skip(struct check *c, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

#define CHECK_EXPECT(c, condition, ...) \
	do { \
		if (!(condition)) \
			check_fail(c, __VA_ARGS__); \
	} while (0)

/** Connect; no message is sent. A connection that was open is closed. */
void check_connect(struct check *c);

/** Connect and negotiate. Skips the rule when that does not succeed. */
void check_open(struct check *c);

void check_close(struct check *c);

/** Bytes and descriptors. That the server has closed will be seen when receiving. */
void check_send_raw(struct check *c, const void *data, size_t len, const int *fds,
	unsigned int nb_fds);

/** A message. @return its id */
uint16_t check_send(struct check *c, uint16_t cmd, uint32_t flags, const void *payload, size_t len,
	const int *fds, unsigned int nb_fds);

/** Wait until the server has read all that was sent, for a while. */
void check_drained(struct check *c);

/** The next reply. @return false: the server has closed */
bool check_receive(struct check *c);

/* What check_call() returns beside errno values. */
#define CHECK_DONE 0
#define CHECK_UNNAMED (-1)	/**< an error without errno */
#define CHECK_CLOSED (-2)

/** Send a command and take the next reply for its. @return errno, or CHECK_* */
int check_call(struct check *c, uint16_t cmd, const void *payload, size_t len);
int check_call_fds(struct check *c, uint16_t cmd, const void *payload, size_t len, const int *fds,
	unsigned int nb_fds);

/** @p err is that of a success. @p what is printed. */
void check_done(struct check *c, int err, const char *what);

/** It is that of an error reply. */
void check_refused(struct check *c, int err, const char *what);

/** It is that of an error reply, or the server has closed. */
void check_refused_or_closed(struct check *c, int err, const char *what);

/** The reply's payload has this length. */
void check_len(struct check *c, size_t len);

/** VERSION with this text, its NUL included. @return as check_call() */
int check_version(struct check *c, uint16_t major, uint16_t minor, const void *text, size_t len);

int check_get_info(struct check *c, uint32_t argsz);
int check_region_info(struct check *c, uint32_t index, uint32_t argsz);
int check_irq_info(struct check *c, uint32_t index, uint32_t argsz);
int check_read(struct check *c, uint32_t region, uint64_t offset, uint32_t count);
int check_map(struct check *c, uint64_t addr, uint64_t size, uint32_t flags, int fd,
	uint64_t offset);
int check_unmap(struct check *c, uint64_t addr, uint64_t size, uint32_t flags);
int check_set_irqs(struct check *c, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
	const int *fds, unsigned int nb_fds);

/** Skip unless this is known of the server. */
void check_need_info(struct check *c);
void check_need_regions(struct check *c);
const struct vfio_region_info *check_need_config(struct check *c);

/** Descriptors that live until the end of the rule. */
int check_memory(struct check *c, size_t size);
int check_eventfd(struct check *c);

/** Two ends of a pipe, fds[0] does not block. */
void check_pipe(struct check *c, int fds[2]);

/** Close one of them early. */
void check_own_close(struct check *c, int fd);

/** Milliseconds that are left to the rule. */
int check_left_ms(const struct check *c);

#endif /* CHECK_RULE_H */
