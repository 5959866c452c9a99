/* SPDX-License-Identifier: BSD-3-Clause */

#include <sys/stat.h>

#include <rte_common.h>

#include "vu_lies.h"

/* What the rules use. */
#define CONFIG 7u
#define BAR2 2u
#define NO_SUCH_CMD 0x7fffu
#define BASE (UINT64_C(1) << 32)
#define APART (UINT64_C(1) << 33)
#define APART_TOO (UINT64_C(1) << 34)
#define FAR (UINT64_C(1) << 35)
#define PAGE UINT64_C(4096)
#define LEN (16 * PAGE)
#define BIND 0x24u
#define FIRE 0x21u
#define FIRE_SOME 0x22u

#define PLAIN "{\"capabilities\":{}}"

/* ---- when to lie, where the bytes alone do not tell ---- */

static bool
is_first(const struct liar *liar)
{
	return liar->now.messages == 0;
}

static bool
is_later(const struct liar *liar)
{
	return liar->now.messages > 0;
}

#define MESSAGE_IS(n) \
static bool \
is_message_##n(const struct liar *liar) \
{ \
	return liar->now.messages == (n); \
}

MESSAGE_IS(2)
MESSAGE_IS(3)
MESSAGE_IS(5)
MESSAGE_IS(7)
MESSAGE_IS(9)

static bool
is_wrapping(const struct liar *liar)
{
	return liar_get(&liar->request, LIAR_P(16), 8) > UINT64_MAX -
		liar_get(&liar->request, LIAR_P(24), 8);
}

static bool
payload_came_in_pieces(const struct liar *liar)
{
	return liar->request.payload_in_pieces;
}

static bool
header_came_in_pieces(const struct liar *liar)
{
	return liar->request.header_in_pieces;
}

static bool
is_map_200(const struct liar *liar)
{
	return liar->now.maps == 199;
}

static bool
last_map_had_no_fd(const struct liar *liar)
{
	return !liar->now.map_had_fd;
}

static bool
has_pipe(const struct liar *liar)
{
	struct stat st;

	return fstat(liar->request.fds[0], &st) == 0 && S_ISFIFO(st.st_mode);
}

static bool
has_memory(const struct liar *liar)
{
	return !has_pipe(liar);
}

static bool
pipe_comes_first(const struct liar *liar)
{
	return liar->now.maps == 0 && has_pipe(liar);
}

static bool
pipe_comes_later(const struct liar *liar)
{
	return liar->now.maps > 0 && has_pipe(liar);
}

static bool
somebody_mapped_before(const struct liar *liar)
{
	return liar->before.maps > 0;
}

static bool
nothing_is_bound(const struct liar *liar)
{
	return liar->now.binds == 0;
}

static bool
one_is_bound(const struct liar *liar)
{
	return liar->now.binds == 1;
}

static bool
is_about_irqs_from_2(const struct liar *liar)
{
	const uint64_t cmd = liar_get(&liar->request, 2, 2);

	return (cmd == VU_GET_IRQ_INFO || cmd == VU_SET_IRQS) &&
		!(liar_get(&liar->request, 8, 4) & VU_F_NO_REPLY) &&
		liar_get(&liar->request, LIAR_P(8), 4) >= 2;
}

static bool
was_reset(const struct liar *liar)
{
	return liar->now.resets == 1;
}

static bool
after_version_only(const struct liar *liar)
{
	return liar->before.open && liar->before.messages == 1 && !liar->before.cut;
}

static bool
after_silence(const struct liar *liar)
{
	return liar->before.ended && liar->before.messages == 0;
}

static bool
after_cut(const struct liar *liar)
{
	return liar->before.cut;
}

static bool
after_unread(const struct liar *liar)
{
	return liar->before.unread || liar->before.infos > 16;
}

/* ---- the lies ---- */

#define OPEN "{\"capabilities\":{\"max_msg_fds\":16}}"
#define TWIN "{\"capabilities\":{\"max_msg_fds\":8,\"twin_socket\":{\"supported\":true}}}"

#define ID(n) { 0, 2, n }
#define SIZE(n) { 4, 4, n }
#define FLAGS(n) { 8, 4, n }
#define U8(off, n) { LIAR_P(off), 1, n }
#define U16(off, n) { LIAR_P(off), 2, n }
#define U32(off, n) { LIAR_P(off), 4, n }
#define U64(off, n) { LIAR_P(off), 8, n }

/* VERSION 0.0 without capabilities */
#define PLAINLY .text = PLAIN, .when = { U32(0, 0) }

static const struct liar_lie no_irqs_from_2 = { NULL, LIE_REFUSE, .any_cmd = true,
	.also = is_about_irqs_from_2 };

const struct liar_lie vu_lies[] = {
	/* VERSION */
	{ "version-major", LIE_SET, U16(0, 1), .cmd = VU_VERSION },
	{ "version-minor", LIE_SET, U16(2, 3), .cmd = VU_VERSION, .when = { U16(2, 2) } },
	{ "version-other-major", LIE_CHANGE, U16(0, 0), .cmd = VU_VERSION, .when = { U16(0, 77) } },
	{ "version-no-text", LIE_REFUSE, .cmd = VU_VERSION, .len = 4 },
	{ "version-no-capabilities", LIE_REFUSE, .cmd = VU_VERSION, .text = "{}",
		.also = is_first },
	{ "version-unknown-capability", LIE_REFUSE, .cmd = VU_VERSION,
		.text = "{\"capabilities\":{\"no_such_thing\":{\"x\":[1]}}}" },
	{ "version-json", LIE_RETELL, .say = "{\"capabilities\":{\"max_msg_fds\":\"x\"}}",
		.cmd = VU_VERSION, PLAINLY },
	{ "version-json", LIE_RETELL, .say = "{", .cmd = VU_VERSION, PLAINLY },
	{ "version-not-offered", LIE_RETELL, .say = "{\"capabilities\":{\"write_multiple\":true}}",
		.cmd = VU_VERSION, PLAINLY },
	{ "version-not-offered", LIE_RETELL,
		.say = "{\"capabilities\":{\"twin_socket\":{\"supported\":true}}}",
		.cmd = VU_VERSION, PLAINLY },
	{ "version-no-descriptors", LIE_GIVE_FD, .cmd = VU_VERSION,
		.text = "{\"capabilities\":{\"max_msg_fds\":8}}" },
	{ "version-twin-socket", LIE_TAKE_FD, .cmd = VU_VERSION, .text = TWIN },
	{ "version-qemu", LIE_RETELL, .say = "{\"capabilities\":{\"max_msg_fds\":17}}",
		.cmd = VU_VERSION, PLAINLY },
	{ "version-qemu", LIE_RETELL, .say = "{\"capabilities\":{\"pgsizes\":4608}}",
		.cmd = VU_VERSION, PLAINLY },
	{ "version-bad-json", LIE_PROPOSE, .say = PLAIN, .cmd = VU_VERSION, .text = "[]" },
	{ "version-unterminated", LIE_ACCEPT, .cmd = VU_VERSION, .len = 6,
		.when = { U16(4, 0x7d7b) } },
	{ "version-short", LIE_ACCEPT, .cmd = VU_VERSION, .len = 2 },
	{ "version-twice", LIE_ACCEPT, .cmd = VU_VERSION, .also = is_later },
	{ "version-first", LIE_ACCEPT, .cmd = VU_GET_INFO, .also = is_first },

	/* any message */
	{ "reply-id", LIE_SET, ID(0x1235), .cmd = VU_GET_INFO, .when = { ID(0x1234) } },
	{ "reply-command", LIE_SET, { 2, 2, 5 }, .cmd = VU_GET_INFO, .when = { ID(1) } },
	{ "reply-flags", LIE_SET, FLAGS(0x11), .cmd = VU_GET_INFO, .when = { ID(1) } },
	{ "reply-flags", LIE_SET, FLAGS(0x31), .cmd = NO_SUCH_CMD, .len = -1 },
	{ "reply-error-field", LIE_SET, { 12, 4, 5 }, .cmd = VU_GET_INFO, .when = { ID(1) } },
	{ "error-only-header", LIE_GROW, .cmd = NO_SUCH_CMD, .len = 8 },
	{ "error-named", LIE_SET, { 12, 4, 0 }, .cmd = NO_SUCH_CMD, .len = -1 },
	{ "unknown-command", LIE_ACCEPT, .cmd = 14 },
	{ "unknown-command", LIE_HANG_UP, .cmd = 19 },
	{ "unknown-command", LIE_SILENCE, .cmd = 255, .timeout_ms = SHORT_MS },
	{ "servers-command", LIE_ACCEPT, .cmd = VU_DMA_WRITE },
	{ "payload-empty", LIE_ACCEPT, .cmd = VU_REGION_READ, .len = -1 },
	{ "payload-truncated", LIE_ACCEPT, .cmd = VU_DMA_UNMAP, .len = 23 },
	{ "size-small", LIE_ACCEPT, .cmd = VU_GET_INFO, .when = { SIZE(8) } },
	{ "size-large", LIE_STALL, .cmd = VU_GET_INFO, .when = { SIZE(UINT32_MAX) },
		.timeout_ms = SHORT_MS },
	{ "type-unknown", LIE_ACCEPT, .cmd = VU_GET_INFO, .when = { FLAGS(2) } },
	{ "pieces-payload", LIE_REFUSE, .cmd = VU_GET_INFO, .also = payload_came_in_pieces },
	{ "pieces-header", LIE_HANG_UP, .cmd = VU_GET_INFO, .also = header_came_in_pieces },
	{ "order", LIE_SET, ID(4), .cmd = VU_GET_INFO, .when = { ID(3) } },
	{ "no-reply", LIE_SILENCE, .cmd = VU_DMA_UNMAP, .when = { FLAGS(0x10) } },
	{ "no-reply", LIE_REFUSE, .cmd = VU_DMA_UNMAP, .when = { FLAGS(0x10) } },
	{ "no-reply-error", LIE_REFUSE, .cmd = VU_GET_IRQ_INFO, .when = { FLAGS(0x10) } },
	{ "no-reply-unknown", LIE_REFUSE, .cmd = NO_SUCH_CMD, .when = { FLAGS(0x10) } },
	{ "stray-descriptors", LIE_KEEP, .cmd = VU_GET_INFO, .fds = 3, .timeout_ms = SHORT_MS },

	/* information */
	{ "info", LIE_ADD, U32(0, 1), .cmd = VU_GET_INFO },
	{ "info-argsz-large", LIE_REFUSE, .cmd = VU_GET_INFO, .when = { U32(0, 32) } },
	{ "info-argsz-small", LIE_ACCEPT, .cmd = VU_GET_INFO, .when = { U32(0, 15) } },
	{ "info-pci", LIE_SET, U32(4, 1), .cmd = VU_GET_INFO },
	{ "info-qemu", LIE_SET, U32(12, 2), .cmd = VU_GET_INFO, .with = &no_irqs_from_2 },
	{ "irq-info", LIE_ADD, U32(8, 1), .cmd = VU_GET_IRQ_INFO },
	{ "irq-info-beyond", LIE_ACCEPT, .cmd = VU_GET_IRQ_INFO, .when = { U32(8, UINT32_MAX) } },
	{ "irq-info-argsz-small", LIE_ACCEPT, .cmd = VU_GET_IRQ_INFO, .when = { U32(0, 15) } },
	{ "irq-info-flags", LIE_SET, U32(4, 0x10), .cmd = VU_GET_IRQ_INFO },
	{ "irq-info-flags", LIE_SET, U32(4, 0), .cmd = VU_GET_IRQ_INFO },
	{ "feature-unknown", LIE_ACCEPT, .cmd = VU_FEATURE, .when = { U16(4, 0xfff0) } },
	{ "feature-methods", LIE_ACCEPT, .cmd = VU_FEATURE, .when = { U32(4, 0x30002) } },
	{ "write-multi", LIE_GROW, .cmd = VU_REGION_WRITE_MULTI, .when = { U64(0, 0) } },
	{ "write-multi-count", LIE_ACCEPT, .cmd = VU_REGION_WRITE_MULTI, .when = { U64(0, 1) } },
	{ "io-fds", LIE_SET, U32(12, 1), .cmd = VU_GET_REGION_IO_FDS },

	/* regions */
	{ "region-info-index", LIE_ADD, U32(8, 1), .cmd = VU_GET_REGION_INFO },
	{ "region-info-argsz", LIE_SET, U32(0, 40), .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, 0) } },
	{ "region-info-short", LIE_GROW, .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, BAR2), U32(0, 32) } },
	{ "region-info-argsz-small", LIE_ACCEPT, .cmd = VU_GET_REGION_INFO,
		.when = { U32(0, 31) } },
	{ "region-info-beyond", LIE_ACCEPT, .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, UINT32_MAX) } },
	{ "region-info-flags", LIE_SET, U32(4, 0x103), .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, 0) } },
	{ "region-info-caps", LIE_SET, U32(40, 1000), .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, BAR2), U32(0, 64) } },
	{ "region-info-caps", LIE_SET, U32(12, 8), .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, BAR2), U32(0, 64) } },
	{ "region-info-fd", LIE_TAKE_FD, .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, BAR2), U32(0, 64) } },
	{ "region-info-fd", LIE_GIVE_FD, .cmd = VU_GET_REGION_INFO, .when = { U32(8, 0) } },
	{ "region-info-short-fd", LIE_GIVE_FD, .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, BAR2), U32(0, 32) } },
	{ "region-info-map", LIE_SET, U64(24, UINT64_C(1) << 40), .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, BAR2), U32(0, 64) } },
	{ "region-config", LIE_SET, U64(16, 255), .cmd = VU_GET_REGION_INFO,
		.when = { U32(8, CONFIG) } },

	/* accesses */
	{ "read", LIE_SET, U64(0, 12), .cmd = VU_REGION_READ, .when = { U64(0, 8), U32(12, 4) } },
	{ "read-widths", LIE_ADD, U8(17, 1), .cmd = VU_REGION_READ,
		.when = { U64(0, 8), U32(12, 8) } },
	{ "read-whole", LIE_FAIL, .cmd = VU_REGION_READ, .when = { U32(12, 256) } },
	{ "read-beyond", LIE_ACCEPT, .cmd = VU_REGION_READ, .when = { U64(0, UINT64_MAX - 1) } },
	{ "read-beyond", LIE_ACCEPT, .cmd = VU_REGION_READ,
		.when = { U32(8, 0), U64(0, 0xfffff) } },
	{ "read-no-region", LIE_ACCEPT, .cmd = VU_REGION_READ, .when = { U32(8, UINT32_MAX) } },
	{ "read-no-region", LIE_ACCEPT, .cmd = VU_REGION_READ, .when = { U32(8, 5) } },
	{ "read-long", LIE_ACCEPT, .cmd = VU_REGION_READ, .when = { U32(12, UINT32_MAX) } },
	{ "read-nothing", LIE_HANG_UP, .cmd = VU_REGION_READ, .when = { U32(12, 0) }, .len = 16 },
	{ "write", LIE_ADD, U32(8, 1), .cmd = VU_REGION_WRITE, .len = 17 },
	{ "write-posted", LIE_REFUSE, .cmd = VU_REGION_WRITE, .when = { FLAGS(0x10) } },
	{ "write-length", LIE_ACCEPT, .cmd = VU_REGION_WRITE, .len = 18 },
	{ "write-beyond", LIE_ACCEPT, .cmd = VU_REGION_WRITE, .when = { U64(0, 256) } },

	/* DMA_MAP */
	{ "dma-map", LIE_GROW, .cmd = VU_DMA_MAP },
	{ "dma-map-messages", LIE_REFUSE, .cmd = VU_DMA_MAP, .when = { U64(16, APART) },
		.fds = -1 },
	{ "dma-map-offset", LIE_REFUSE, .cmd = VU_DMA_MAP, .when = { U64(8, 2 * LEN) } },
	{ "dma-map-readonly", LIE_REFUSE, .cmd = VU_DMA_MAP, .when = { U32(4, 1) } },
	{ "dma-map-adjacent", LIE_REFUSE, .cmd = VU_DMA_MAP, .when = { U64(16, BASE - LEN) } },
	{ "dma-map-overlap", LIE_ACCEPT, .cmd = VU_DMA_MAP,
		.when = { U64(16, BASE + PAGE), U64(24, PAGE) } },
	{ "dma-map-overlap-errno", LIE_SET, { 12, 4, 22 }, .cmd = VU_DMA_MAP, .error = 17 },
	{ "dma-map-again", LIE_PASS, .cmd = VU_DMA_MAP, .when = { U64(16, BASE), U64(24, LEN) },
		.fds = 1, .error = 17 },
	{ "dma-map-overlap-fd", LIE_KEEP, .cmd = VU_DMA_MAP, .fds = 1, .also = pipe_comes_later,
		.timeout_ms = SHORT_MS },
	{ "dma-map-many", LIE_REFUSE, .cmd = VU_DMA_MAP, .also = is_map_200 },
	{ "dma-map-nothing", LIE_ACCEPT, .cmd = VU_DMA_MAP, .when = { U64(24, 0) }, .len = 32 },
	{ "dma-map-wrap", LIE_ACCEPT, .cmd = VU_DMA_MAP, .len = 32, .also = is_wrapping },
	{ "dma-map-flags", LIE_ACCEPT, .cmd = VU_DMA_MAP, .when = { U32(4, 0x80000003) } },
	{ "dma-map-argsz", LIE_ACCEPT, .cmd = VU_DMA_MAP, .when = { U32(0, 31) } },
	{ "dma-map-pipe", LIE_ACCEPT, .cmd = VU_DMA_MAP, .fds = 1, .also = pipe_comes_first },
	{ "dma-map-short-file", LIE_ACCEPT, .cmd = VU_DMA_MAP, .when = { U64(8, PAGE) } },
	{ "dma-map-two-fds", LIE_ACCEPT, .cmd = VU_DMA_MAP, .fds = 2 },

	/* DMA_UNMAP */
	{ "dma-unmap", LIE_ADD, U64(16, 1), .cmd = VU_DMA_UNMAP },
	{ "dma-unmap-again", LIE_ECHO, .cmd = VU_DMA_UNMAP,
		.when = { U64(8, BASE), U64(16, LEN) }, .also = last_map_had_no_fd },
	{ "dma-unmap-unknown", LIE_CHANGE, U64(8, BASE), .cmd = VU_DMA_UNMAP,
		.when = { U64(8, APART) } },
	{ "dma-unmap-part", LIE_ACCEPT, .cmd = VU_DMA_UNMAP,
		.when = { U64(8, BASE), U64(16, PAGE) } },
	{ "dma-unmap-span", LIE_FAIL, .cmd = VU_DMA_UNMAP, .when = { U64(16, 2 * LEN) } },
	{ "dma-unmap-span", LIE_CHANGE, U64(16, LEN), .cmd = VU_DMA_UNMAP,
		.when = { U64(16, 2 * LEN) } },
	{ "dma-unmap-all", LIE_REFUSE, .cmd = VU_DMA_UNMAP, .when = { U32(4, 2) } },
	{ "dma-unmap-all", LIE_ECHO, .cmd = VU_DMA_UNMAP, .when = { U32(4, 2) } },
	{ "dma-unmap-releases", LIE_KEEP, .cmd = VU_DMA_MAP, .fds = 1,
		.when = { U64(16, BASE), U64(24, LEN) }, .also = has_memory },
	{ "leave-releases", LIE_KEEP, .cmd = VU_DMA_MAP, .when = { U64(16, APART) }, .fds = 1,
		.timeout_ms = SHORT_MS },
	{ "leave-forgets", LIE_REFUSE, .cmd = VU_DMA_MAP, .when = { U64(16, APART_TOO) },
		.also = somebody_mapped_before },

	/* interrupts */
	{ "irq-bind", LIE_GROW, .cmd = VU_SET_IRQS, .when = { U32(4, BIND) } },
	{ "irq-fire", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(4, FIRE), U32(16, 1) },
		.also = one_is_bound, .fds = -1, .timeout_ms = SHORT_MS },
	{ "irq-fire-bool", LIE_CHANGE, U8(20, 1), .cmd = VU_SET_IRQS,
		.when = { U32(4, FIRE_SOME) }, .len = 21 },
	{ "irq-rebind", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(4, BIND) }, .fds = 1,
		.also = one_is_bound, .timeout_ms = SHORT_MS },
	{ "irq-unbind", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(4, BIND) }, .fds = -1,
		.also = one_is_bound },
	{ "irq-unbind-first", LIE_REFUSE, .cmd = VU_SET_IRQS, .when = { U32(4, BIND) }, .fds = -1,
		.also = nothing_is_bound },
	{ "irq-disable", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(4, FIRE), U32(16, 0) },
		.also = one_is_bound },
	{ "irq-beyond", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(16, UINT32_MAX) } },
	{ "irq-no-type", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(8, UINT32_MAX) } },
	{ "irq-flags", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(4, 0x29) } },
	{ "irq-fd-count", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(4, BIND) }, .fds = 2 },
	{ "irq-fd-none", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(4, FIRE) }, .fds = 1 },
	{ "irq-bool-short", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(4, FIRE_SOME) },
		.len = 20 },
	{ "irq-argsz", LIE_ACCEPT, .cmd = VU_SET_IRQS, .when = { U32(0, 19) } },

	/* clients that come and go */
	{ "next-client", LIE_REFUSE, .cmd = VU_VERSION, .text = OPEN, .also = after_version_only },
	{ "silent-client", LIE_REFUSE, .cmd = VU_VERSION, .text = OPEN, .also = after_silence },
	{ "cut-message", LIE_HANG_UP, .cmd = VU_VERSION, .text = OPEN, .also = after_cut },
	{ "unread-replies", LIE_REFUSE, .cmd = VU_VERSION, .text = OPEN, .also = after_unread },
	{ "reset", LIE_GROW, .cmd = VU_RESET },
	{ "reset-again", LIE_HANG_UP, .cmd = VU_RESET, .also = was_reset },
};

/* What a device tells that can be migrated. */

#define STATE_SET(n) { U32(4, 0x20002), U32(8, n) }

const struct liar_lie vu_migration_lies[] = {
	{ "migration-flags", LIE_SET, U64(8, 4), .cmd = VU_FEATURE, .when = { U32(4, 0x10001) } },
	{ "migration-probe", LIE_ACCEPT, .cmd = VU_FEATURE, .when = { U32(4, 0x70001) } },
	{ "migration-probe", LIE_GROW, .cmd = VU_FEATURE, .when = { U32(4, 0x50001) } },
	{ "migration-state", LIE_SET, U32(8, 5), .cmd = VU_FEATURE, .when = { U32(4, 0x10002) },
		.also = is_message_2 },
	{ "migration-data-running", LIE_ACCEPT, .cmd = VU_MIG_DATA_READ, .when = { U32(4, 8) } },
	{ "logging", LIE_GROW, .cmd = VU_FEATURE, .when = { U32(4, 0x20006), U64(8, PAGE) } },
	{ "logging-page", LIE_ECHO, .cmd = VU_FEATURE, .when = { U32(4, 0x20006), U64(8, 3) } },
	{ "logging-report", LIE_ADD, U64(8, 1), .cmd = VU_FEATURE, .when = { U32(4, 0x10008) } },
	{ "logging-report-early", LIE_ACCEPT, .cmd = VU_FEATURE, .when = { U32(4, 0x10008) },
		.also = is_message_3 },
	{ "migration-direct", LIE_REFUSE, .cmd = VU_FEATURE, .when = STATE_SET(2),
		.also = is_message_9 },
	{ "migration-pre-copy", LIE_REFUSE, .cmd = VU_FEATURE, .when = STATE_SET(6),
		.also = is_message_3 },
	{ "migration-pre-copy", LIE_ECHO, .cmd = VU_FEATURE, .when = STATE_SET(6),
		.also = is_message_7 },
	{ "migration-complex", LIE_ECHO, .cmd = VU_FEATURE, .when = STATE_SET(2),
		.also = is_message_5 },
	{ "migration-no-state", LIE_ACCEPT, .cmd = VU_FEATURE, .when = STATE_SET(8) },
	{ "migration-data", LIE_REFUSE, .cmd = VU_MIG_DATA_WRITE, .len = 8 + MIG_LEN },
	{ "migration-data", LIE_ADD, U32(4, 1), .cmd = VU_MIG_DATA_READ,
		.when = { U32(4, 4096) } },
};

const unsigned int vu_lies_nb = RTE_DIM(vu_lies);
const unsigned int vu_migration_lies_nb = RTE_DIM(vu_migration_lies);
