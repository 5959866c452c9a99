/* SPDX-License-Identifier: BSD-3-Clause */

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include "check_rule.h"

#define SET "VFIO_USER_DEVICE_SET_IRQS"

#define BIND (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define FIRE (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)
#define FIRE_SOME (VFIO_IRQ_SET_DATA_BOOL | VFIO_IRQ_SET_ACTION_TRIGGER)

/* The best of its types of interrupts. */
static const struct vfio_irq_info *
some_irq(struct check *c)
{
	static const uint32_t preferred[] = {
		VFIO_PCI_MSIX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX, VFIO_PCI_INTX_IRQ_INDEX,
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(preferred); i++) {
		if (preferred[i] < c->facts.nb_irqs && c->facts.irqs[preferred[i]].count > 0)
			return &c->facts.irqs[preferred[i]];
	}
	check_skip(c, "the device has no interrupts, or they are not known");
}

/* Binds the first interrupt. Returns its eventfd. */
static int
bound(struct check *c, const struct vfio_irq_info *irq)
{
	int fd = check_eventfd(c);

	check_done(c, check_set_irqs(c, BIND, irq->index, 0, 1, &fd, 1), "binding an eventfd");
	return fd;
}

/* How often it was signalled. A server may do that behind its reply; @p wait: for the first. */
static uint64_t
taken(struct check *c, int fd, bool wait)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t n;

	if (poll(&pfd, 1, wait ? check_left_ms(c) : 0) <= 0)
		return 0;
	return read(fd, &n, sizeof(n)) == sizeof(n) ? n : 0;
}

static void
fire(struct check *c, const struct vfio_irq_info *irq)
{
	check_done(c, check_set_irqs(c, FIRE, irq->index, 0, 1, NULL, 0), "firing an interrupt");
}

static void
run_bind(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);

	check_open(c);
	bound(c, irq);
	check_len(c, 0);
}

static void
run_fire(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);
	int fd;

	check_open(c);
	fd = bound(c, irq);
	CHECK_EXPECT(c, taken(c, fd, false) == 0, "it was signalled before it was fired");
	fire(c, irq);
	CHECK_EXPECT(c, taken(c, fd, true) > 0, "it was fired and not signalled");
}

/* SET_IRQS with one boolean. */
static int
fire_if(struct check *c, const struct vfio_irq_info *irq, uint8_t on)
{
	const struct vfio_irq_set set = { .argsz = sizeof(set) + sizeof(on), .flags = FIRE_SOME,
		.index = irq->index, .count = 1 };
	uint8_t payload[sizeof(set) + sizeof(on)];

	memcpy(payload, &set, sizeof(set));
	memcpy(payload + sizeof(set), &on, sizeof(on));
	return check_call(c, WIRE_SET_IRQS, payload, sizeof(payload));
}

static void
run_fire_bool(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);
	int fd;

	check_open(c);
	fd = bound(c, irq);
	check_done(c, fire_if(c, irq, 0), "firing by a boolean");
	CHECK_EXPECT(c, taken(c, fd, false) == 0, "false has fired it");
	check_done(c, fire_if(c, irq, 1), "firing by a boolean");
	CHECK_EXPECT(c, taken(c, fd, true) > 0, "true has not fired it");
}

static void
run_rebind(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);
	int first, second;

	check_open(c);
	first = bound(c, irq);
	second = bound(c, irq);
	fire(c, irq);
	CHECK_EXPECT(c, taken(c, second, true) > 0, "the new eventfd is not signalled");
	CHECK_EXPECT(c, taken(c, first, false) == 0, "the old eventfd is signalled");
}

/* Some answer an interrupt that nobody waits for by an error: only that nothing comes counts. */
static void
fire_in_vain(struct check *c, const struct vfio_irq_info *irq, int fd)
{
	check_set_irqs(c, FIRE, irq->index, 0, 1, NULL, 0);
	CHECK_EXPECT(c, taken(c, fd, false) == 0, "it is still signalled");
}

/* A message without data ends what was bound. */
static void
ends_it(struct check *c, uint32_t flags, uint32_t count, const char *what)
{
	const struct vfio_irq_info *irq = some_irq(c);
	int fd;

	check_open(c);
	fd = bound(c, irq);
	check_done(c, check_set_irqs(c, flags, irq->index, 0, count, NULL, 0), what);
	fire_in_vain(c, irq, fd);
}

static void
run_unbind(struct check *c)
{
	ends_it(c, BIND, 1, "unbinding");
}

static void
run_unbind_first(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);

	check_open(c);
	check_done(c, check_set_irqs(c, BIND, irq->index, 0, 1, NULL, 0),
		"unbinding what was not bound");
}

static void
run_disable(struct check *c)
{
	ends_it(c, FIRE, 0, "disabling the type");
}

static void
run_beyond(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);
	uint32_t index = irq->index, count = irq->count;
	int fd;

	check_open(c);
	fd = check_eventfd(c);
	check_refused(c, check_set_irqs(c, BIND, index, count, 1, &fd, 1), "the first that is not");
	check_refused(c, check_set_irqs(c, FIRE, index, 0, count + 1, NULL, 0), "one too many");
	check_refused(c, check_set_irqs(c, FIRE, index, 1, UINT32_MAX, NULL, 0),
		"a range that wraps around");
}

static void
run_no_index(struct check *c)
{
	check_need_info(c);
	check_open(c);
	check_refused(c, check_set_irqs(c, FIRE, c->facts.num_irqs, 0, 0, NULL, 0),
		"the first type that is not");
	check_refused(c, check_set_irqs(c, FIRE, UINT32_MAX, 0, 0, NULL, 0), "the last of all");
}

static void
run_flags(struct check *c)
{
	static const struct {
		uint32_t flags;
		const char *what;
	} cases[] = {
		{ VFIO_IRQ_SET_DATA_NONE, "no action" },
		{ VFIO_IRQ_SET_ACTION_TRIGGER, "no type of data" },
		{ FIRE | VFIO_IRQ_SET_ACTION_MASK, "two actions" },
		{ FIRE | VFIO_IRQ_SET_DATA_EVENTFD, "two types of data" },
		{ FIRE | 0x80000000, "a flag that nobody knows" },
	};
	const struct vfio_irq_info *irq = some_irq(c);
	unsigned int i;

	check_open(c);
	for (i = 0; i < RTE_DIM(cases); i++)
		check_refused(c, check_set_irqs(c, cases[i].flags, irq->index, 0, 1, NULL, 0),
			cases[i].what);
}

static void
run_fd_count(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);
	int fds[2];

	check_open(c);
	fds[0] = check_eventfd(c);
	fds[1] = check_eventfd(c);
	check_refused(c, check_set_irqs(c, BIND, irq->index, 0, 1, fds, 2),
		"two descriptors for one interrupt");
}

static void
run_fd_none(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);
	int fd;

	check_open(c);
	fd = check_eventfd(c);
	check_refused(c, check_set_irqs(c, FIRE, irq->index, 0, 1, &fd, 1),
		"a descriptor where none belongs");
}

static void
run_bool_short(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);

	check_open(c);
	check_refused(c, check_set_irqs(c, FIRE_SOME, irq->index, 0, 1, NULL, 0),
		"a boolean that is not there");
}

static void
run_argsz(struct check *c)
{
	const struct vfio_irq_info *irq = some_irq(c);
	const struct vfio_irq_set set = { .argsz = sizeof(set) - 1, .flags = FIRE,
		.index = irq->index };

	check_open(c);
	check_refused(c, check_call(c, WIRE_SET_IRQS, &set, sizeof(set)), "argsz of 19");
}

const struct check_rule check_irq_rules[] = {
	{ "irq-bind", SET, 0, "an interrupt can be bound; the reply has no payload", run_bind },
	{ "irq-fire", SET, 0, "a client can fire an interrupt, which signals its eventfd",
		run_fire },
	{ "irq-fire-bool", SET, 0, "of interrupts with booleans those with true are fired",
		run_fire_bool },
	{ "irq-rebind", SET, 0, "a new eventfd takes the place of the old one", run_rebind },
	{ "irq-unbind", SET, 0, "without descriptors interrupts are unbound", run_unbind },
	{ "irq-unbind-first", SET, CHECK_F_SHOULD,
		"unbinding may be the first that is done to an interrupt, as QEMU does it",
		run_unbind_first },
	{ "irq-disable", SET, 0, "a type of interrupts can be disabled as a whole", run_disable },
	{ "irq-beyond", SET, 0, "interrupts that are not there are refused", run_beyond },
	{ "irq-no-type", SET, 0, "a type of interrupts that is not there is refused",
		run_no_index },
	{ "irq-flags", SET, 0, "actions exclude each other, and so do types of data", run_flags },
	{ "irq-fd-count", SET, 0, "there are as many descriptors as interrupts, or none",
		run_fd_count },
	{ "irq-fd-none", SET, CHECK_F_SHOULD, "descriptors without their flag are refused",
		run_fd_none },
	{ "irq-bool-short", SET, 0, "fewer booleans than interrupts are refused", run_bool_short },
	{ "irq-argsz", SET, CHECK_F_SHOULD, "argsz below 20 is refused", run_argsz },
	{ .name = NULL },
};
