/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include <rte_common.h>

#include "check_rule.h"

#define INFO "VFIO_USER_DEVICE_GET_INFO"
#define SIZES "Message sizes"
#define IRQ_INFO "VFIO_USER_DEVICE_GET_IRQ_INFO"
#define FEATURE "VFIO_USER_DEVICE_FEATURE"
#define MULTI "VFIO_USER_REGION_WRITE_MULTI"
#define IO_FDS "VFIO_USER_DEVICE_GET_REGION_IO_FDS"

#define QEMU_REGIONS_MIN 8u
#define QEMU_REGIONS_MAX 100u
#define QEMU_IRQS_MIN 3u
#define QEMU_IRQS_MAX 50u

#define IRQ_FLAGS_KNOWN (VFIO_IRQ_INFO_EVENTFD | VFIO_IRQ_INFO_MASKABLE | \
	VFIO_IRQ_INFO_AUTOMASKED | VFIO_IRQ_INFO_NORESIZE)

/* ---- the device ---- */

static void
info_get(struct check *c, uint32_t argsz, struct wire_info *info)
{
	check_open(c);
	check_done(c, check_get_info(c, argsz), "DEVICE_GET_INFO");
	check_len(c, sizeof(*info));
	memcpy(info, c->payload, sizeof(*info));
}

static void
run_info(struct check *c)
{
	struct wire_info info;

	info_get(c, sizeof(info), &info);
	CHECK_EXPECT(c, info.argsz == sizeof(info), "argsz is %u instead of 16", info.argsz);
}

static void
run_info_large(struct check *c)
{
	struct wire_info info;

	info_get(c, 2 * sizeof(info), &info);
}

static void
run_info_small(struct check *c)
{
	check_open(c);
	check_refused(c, check_get_info(c, sizeof(struct wire_info) - 1), "argsz of 15");
}

static void
run_info_pci(struct check *c)
{
	check_need_info(c);
	CHECK_EXPECT(c, c->facts.flags & VFIO_DEVICE_FLAGS_PCI, "its flags are %#x",
		c->facts.flags);
	CHECK_EXPECT(c, c->facts.num_regions >= VFIO_PCI_NUM_REGIONS,
		"it has %u regions, PCI's are %u", c->facts.num_regions, VFIO_PCI_NUM_REGIONS);
}

static void
run_info_qemu(struct check *c)
{
	const struct check_facts *facts = &c->facts;

	check_need_info(c);
	CHECK_EXPECT(c, facts->num_regions >= QEMU_REGIONS_MIN &&
		facts->num_regions <= QEMU_REGIONS_MAX, "it has %u regions", facts->num_regions);
	CHECK_EXPECT(c, facts->num_irqs >= QEMU_IRQS_MIN && facts->num_irqs <= QEMU_IRQS_MAX,
		"it has %u types of interrupts", facts->num_irqs);
}

/* ---- its interrupts ---- */

static void
run_irq_info(struct check *c)
{
	struct vfio_irq_info info;
	uint32_t i;

	check_need_info(c);
	check_open(c);
	for (i = 0; i < RTE_MIN(c->facts.num_irqs, CHECK_IRQS_MAX); i++) {
		check_done(c, check_irq_info(c, i, sizeof(info)), "DEVICE_GET_IRQ_INFO");
		check_len(c, sizeof(info));
		memcpy(&info, c->payload, sizeof(info));
		CHECK_EXPECT(c, info.argsz == sizeof(info), "argsz is %u", info.argsz);
		CHECK_EXPECT(c, info.index == i, "index %u is answered by %u", i, info.index);
	}
}

static void
run_irq_info_beyond(struct check *c)
{
	check_need_info(c);
	check_open(c);
	check_refused(c, check_irq_info(c, c->facts.num_irqs, 16), "the first index that is not");
	check_refused(c, check_irq_info(c, UINT32_MAX, 16), "the last index of all");
}

static void
run_irq_info_small(struct check *c)
{
	check_open(c);
	check_refused(c, check_irq_info(c, 0, 15), "argsz of 15");
}

static void
run_irq_info_flags(struct check *c)
{
	unsigned int i;

	for (i = 0; i < c->facts.nb_irqs; i++) {
		const struct vfio_irq_info *irq = &c->facts.irqs[i];

		CHECK_EXPECT(c, !(irq->flags & ~IRQ_FLAGS_KNOWN), "index %u: flags %#x", i,
			irq->flags);
		CHECK_EXPECT(c, irq->count == 0 || irq->flags & VFIO_IRQ_INFO_EVENTFD,
			"index %u has %u interrupts, none by eventfd", i, irq->count);
	}
	if (i == 0)
		check_skip(c, "the interrupts are not known");
}

/* ---- features ---- */

static int
feature(struct check *c, uint32_t flags)
{
	const struct vfio_device_feature request = { .argsz = sizeof(request), .flags = flags };

	return check_call(c, WIRE_FEATURE, &request, sizeof(request));
}

static void
run_feature_unknown(struct check *c)
{
	check_open(c);
	check_refused(c, feature(c, VFIO_DEVICE_FEATURE_PROBE | VFIO_DEVICE_FEATURE_GET | 0xfff0),
		"a feature that nobody knows");
}

static void
run_feature_methods(struct check *c)
{
	check_open(c);
	check_refused(c, feature(c, 1), "a feature without a method");
	check_refused(c, feature(c, VFIO_DEVICE_FEATURE_GET | VFIO_DEVICE_FEATURE_SET | 2),
		"GET and SET at a time");
}

/* Says that it can; no device is written to. */
static int
multi(struct check *c, uint64_t nb)
{
	static const char text[] = "{\"capabilities\":{\"write_multiple\":true}}";

	check_connect(c);
	if (check_version(c, 0, 0, text, sizeof(text)) != CHECK_DONE ||
			memmem(c->payload, c->len, "\"write_multiple\"", 16) == NULL)
		check_skip(c, "the server does not offer it");
	return check_call(c, WIRE_REGION_WRITE_MULTI, &nb, sizeof(nb));
}

static void
run_multi(struct check *c)
{
	check_done(c, multi(c, 0), "writing nothing");
	check_len(c, sizeof(uint64_t));
}

static void
run_multi_count(struct check *c)
{
	check_refused_or_closed(c, multi(c, 1), "one write that is not there");
	check_refused_or_closed(c, multi(c, UINT64_MAX / 24 + 1), "a number of writes that wraps");
}

static void
run_io_fds(struct check *c)
{
	const uint32_t request[4] = { 16, 0, 0, 0 };
	uint32_t reply[4];
	int err;

	check_need_regions(c);
	check_open(c);
	err = check_call(c, WIRE_GET_REGION_IO_FDS, request, sizeof(request));
	CHECK_EXPECT(c, err != CHECK_CLOSED, "the connection is closed, not answered");
	if (err != CHECK_DONE)
		check_skip(c, "the server has none for region 0");
	CHECK_EXPECT(c, c->len >= sizeof(reply), "the payload has %zu bytes", c->len);
	memcpy(reply, c->payload, sizeof(reply));
	CHECK_EXPECT(c, reply[1] == 0 && reply[2] == 0, "flags %u, index %u", reply[1], reply[2]);
	CHECK_EXPECT(c, reply[0] >= sizeof(reply) + 40 * (uint64_t)reply[3],
		"%u entries, and argsz is %u", reply[3], reply[0]);
}

const struct check_rule check_info_rules[] = {
	{ "info", INFO, 0, "the reply has 16 bytes and says so in argsz", run_info },
	{ "info-argsz-large", SIZES, 0, "a client may have room for more", run_info_large },
	{ "info-argsz-small", SIZES, CHECK_F_SHOULD, "room for less than 16 bytes is refused",
		run_info_small },
	{ "info-pci", INFO, 0, "the device is one of PCI, with the regions of such", run_info_pci },
	{ "info-qemu", INFO, CHECK_F_SHOULD, "QEMU takes its numbers of regions and interrupts",
		run_info_qemu },
	{ "irq-info", IRQ_INFO, 0, "each type of interrupts is told, by its index", run_irq_info },
	{ "irq-info-beyond", IRQ_INFO, 0, "a type of interrupts that is not there is refused",
		run_irq_info_beyond },
	{ "irq-info-argsz-small", SIZES, CHECK_F_SHOULD, "room for less than 16 bytes is refused",
		run_irq_info_small },
	{ "irq-info-flags", IRQ_INFO, CHECK_F_SHOULD,
		"flags are known ones; interrupts can be signalled by eventfd",
		run_irq_info_flags },
	{ "feature-unknown", FEATURE, 0, "an unknown feature is refused", run_feature_unknown },
	{ "feature-methods", FEATURE, CHECK_F_SHOULD, "GET and SET exclude each other",
		run_feature_methods },
	{ "write-multi", MULTI, 0, "where it was agreed on, the reply tells how many were done",
		run_multi },
	{ "write-multi-count", MULTI, 0, "a number of writes that is not true is refused",
		run_multi_count },
	{ "io-fds", IO_FDS, CHECK_F_SHOULD, "sub-regions with descriptors are told truly",
		run_io_fds },
	{ .name = NULL },
};
