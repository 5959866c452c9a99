/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The rules of "dpdk-vfio-user check" against our own server, which keeps to all of them, and
 * against servers each of which breaks one: that rule tells it, and no other.
 */

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>

#include "../vfio-user/check_rule.h"
#include "../vfio-user/devices.h"
#include "vu_liar.h"
#include "vu_served.h"

#include "test.h"

#define TIMEOUT_MS 20000u
#define SHORT_MS 300u	/* for rules that wait for what does not come */

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

/* VFIO_MIGRATION_PRE_COPY, which older kernel headers lack */
#define MIGRATION_PRE_COPY 4u

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

static const struct liar_lie lies[] = {
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
#define MIG_LEN 300

#define STATE_SET(n) { U32(4, 0x20002), U32(8, n) }

static const struct liar_lie migration_lies[] = {
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

/* ---- running the rules ---- */

struct stage {
	char dir[64];
	char server[96];
	struct rte_vfio_user_pci *pci;
	char migratable[96];
	struct served *served;	/* of that; NULL: there is none */
	struct liar liar;
};

/* What came of a run. */
struct findings {
	const char *expected;	/* rule that is broken; NULL: none */
	bool found;
	unsigned int nb;
	unsigned int skipped;
	char others[1024];	/* broken as well */
};

static void
on_result(const struct check_result *result, void *ctx)
{
	const bool should = result->rule->flags & CHECK_F_SHOULD;
	struct findings *findings = ctx;
	size_t len = strlen(findings->others);

	findings->nb++;
	findings->skipped += result->verdict == CHECK_SKIP;
	if (result->verdict == CHECK_OK || result->verdict == CHECK_SKIP)
		return;
	if (findings->expected != NULL && strcmp(result->rule->name, findings->expected) == 0 &&
			result->verdict == (should ? CHECK_WARN : CHECK_FAIL))
		findings->found = true;
	else
		snprintf(findings->others + len, sizeof(findings->others) - len, " %s (%s)",
			result->rule->name, result->why);
}

#define RULES_MAX 256

static void
rules_run(const char *path, uint32_t timeout_ms, const char *const *names, unsigned int nb_names,
	struct findings *findings)
{
	const struct check_options opt = { .path = path, .destructive = true,
		.timeout_ms = timeout_ms, .names = names, .nb_names = nb_names };

	assert_int_equal(check_all(&opt, on_result, findings), 0);
}

static void
all_rules_run(const char *path, struct findings *findings)
{
	rules_run(path, TIMEOUT_MS, NULL, 0, findings);
	assert_true(findings->nb > 100);
}

/* The rule alone waits for what does not come: others are not to be hurried. */
static void
hurried_rules_run(const char *path, const struct liar_lie *lie, struct findings *findings)
{
	const struct check_rule *rule;
	const char *names[RULES_MAX];
	unsigned int r, nb = 0;

	rules_run(path, lie->timeout_ms, &lie->rule, 1, findings);
	for (r = 0; (rule = check_rule_nth(r)) != NULL && nb < RULES_MAX; r++)
		if (strcmp(rule->name, lie->rule) != 0)
			names[nb++] = rule->name;
	rules_run(path, TIMEOUT_MS, names, nb, findings);
}

static void
test_our_own_server_keeps_to_all(void **state)
{
	struct stage *stage = *state;
	struct findings findings = { 0 };

	all_rules_run(stage->server, &findings);
	assert_string_equal(findings.others, "");
}

static void
test_one_client_at_a_time_is_enough(void **state)
{
	struct stage *stage = *state;
	struct findings findings = { 0 };

	liar_start(&stage->liar, NULL);
	all_rules_run(stage->liar.path, &findings);
	liar_stop(&stage->liar);
	assert_string_equal(findings.others, "");
}

/* Returns whether all was as expected. */
static bool
lie_and_look(struct stage *stage, const struct liar_lie *lie, unsigned int i)
{
	struct findings findings = { .expected = lie->rule };

	liar_start(&stage->liar, lie);
	if (lie->timeout_ms > 0)
		hurried_rules_run(stage->liar.path, lie, &findings);
	else
		all_rules_run(stage->liar.path, &findings);
	liar_stop(&stage->liar);
	if (stage->liar.told > 0 && findings.found && findings.others[0] == '\0')
		return true;
	print_error("lie %u, about %s: told %u times, %s; seen by others:%s\n", i, lie->rule,
		stage->liar.told, findings.found ? "seen" : "not seen", findings.others);
	return false;
}

static void
lies_tell(struct stage *stage, const struct liar_lie *lie, unsigned int nb)
{
	unsigned int i, wrong = 0;

	for (i = 0; i < nb; i++)
		wrong += !lie_and_look(stage, &lie[i], i);
	assert_int_equal(wrong, 0);
}

static void
test_each_lie_breaks_its_rule_and_no_other(void **state)
{
	lies_tell(*state, lies, RTE_DIM(lies));
}

static void
test_each_lie_about_migration_breaks_its_rule_and_no_other(void **state)
{
	lies_tell(*state, migration_lies, RTE_DIM(migration_lies));
}

static bool
has_lie(const struct check_rule *rule, const struct liar_lie *lie, unsigned int nb)
{
	unsigned int i;

	for (i = 0; i < nb; i++)
		if (strcmp(lie[i].rule, rule->name) == 0)
			return true;
	return false;
}

static void
test_each_rule_has_a_lie(void **state)
{
	const struct check_rule *rule;
	unsigned int r;

	(void)state;
	for (r = 0; (rule = check_rule_nth(r)) != NULL; r++)
		if (!has_lie(rule, lies, RTE_DIM(lies)) &&
				!has_lie(rule, migration_lies, RTE_DIM(migration_lies)))
			fail_msg("no lie is about %s", rule->name);
}

static void
test_each_rule_says_what_it_is_about(void **state)
{
	const struct check_rule *rule, *other;
	unsigned int r, o;

	(void)state;
	for (r = 0; (rule = check_rule_nth(r)) != NULL; r++) {
		assert_true(strlen(rule->name) <= 26);
		assert_true(strlen(rule->section) > 0);
		assert_true(strlen(rule->text) > 0);
		for (o = 0; o < r && (other = check_rule_nth(o)) != NULL; o++)
			assert_string_not_equal(other->name, rule->name);
	}
}

static int
stage_setup(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	rte_log_set_level_pattern("lib.vfio_user", RTE_LOG_CRIT);
	strcpy(stage->dir, "/tmp/check.XXXXXX");
	assert_non_null(mkdtemp(stage->dir));
	snprintf(stage->server, sizeof(stage->server), "%s/server", stage->dir);
	snprintf(stage->liar.path, sizeof(stage->liar.path), "%s/liar", stage->dir);
	stage->liar.server = stage->server;
	assert_int_equal(device_edu.make(0, &stage->pci), 0);
	assert_true(rte_vfio_user_pci_start(stage->pci, stage->server, NULL) >= 0);
	*state = stage;
	return 0;
}

static int
stage_teardown(void **state)
{
	struct stage *stage = *state;

	device_edu.destroy(stage->pci);
	assert_int_equal(rmdir(stage->dir), 0);
	free(stage);
	return 0;
}

/* ---- a device that can be migrated ---- */

static size_t mig_at;

static int
mig_set_state(int dev_id, uint32_t state)
{
	(void)dev_id;
	(void)state;
	mig_at = 0;
	return 0;
}

static ssize_t
mig_read(int dev_id, void *buf, size_t len)
{
	size_t n = RTE_MIN(len, MIG_LEN - mig_at);

	(void)dev_id;
	memset(buf, 's', n);
	mig_at += n;
	return (ssize_t)n;
}

static ssize_t
mig_write(int dev_id, const void *buf, size_t len)
{
	(void)dev_id;
	(void)buf;
	return (ssize_t)len;
}

static int
migratable_setup(void **state)
{
	static const struct rte_vfio_user_migration_ops ops = {
		.flags = VFIO_MIGRATION_STOP_COPY | MIGRATION_PRE_COPY,
		.set_state = mig_set_state,
		.read_data = mig_read,
		.write_data = mig_write,
	};
	struct stage *stage;

	stage_setup(state);
	stage = *state;
	stage->served = calloc(1, sizeof(*stage->served));
	snprintf(stage->migratable, sizeof(stage->migratable), "%s/migratable", stage->dir);
	served_register(stage->served, stage->migratable, NULL);
	assert_int_equal(rte_vfio_user_set_migration(stage->migratable, &ops), 0);
	assert_int_equal(rte_vfio_user_start(stage->migratable), 0);
	stage->liar.server = stage->migratable;
	return 0;
}

static int
migratable_teardown(void **state)
{
	struct stage *stage = *state;

	served_stop(stage->served);
	free(stage->served);
	return stage_teardown(state);
}

static void
test_device_that_can_be_migrated_keeps_to_all(void **state)
{
	struct stage *stage = *state;
	struct findings findings = { 0 };

	all_rules_run(stage->migratable, &findings);
	assert_string_equal(findings.others, "");
	assert_int_equal(findings.skipped, 0);
}

#define MIGRATABLE_TEST(test) \
	cmocka_unit_test_setup_teardown(test, migratable_setup, migratable_teardown)
#define STAGE_TEST(test) cmocka_unit_test_setup_teardown(test, stage_setup, stage_teardown)

static const struct CMUnitTest tests[] = {
	STAGE_TEST(test_our_own_server_keeps_to_all),
	STAGE_TEST(test_one_client_at_a_time_is_enough),
	STAGE_TEST(test_each_lie_breaks_its_rule_and_no_other),
	MIGRATABLE_TEST(test_device_that_can_be_migrated_keeps_to_all),
	MIGRATABLE_TEST(test_each_lie_about_migration_breaks_its_rule_and_no_other),
	cmocka_unit_test(test_each_rule_has_a_lie),
	cmocka_unit_test(test_each_rule_says_what_it_is_about),
};

TEST_SUITE(vu_check, "functional", tests, NULL, NULL)
