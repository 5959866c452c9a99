/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "vu_codec.h"

#include "test.h"

/* The good cases stand in the golden messages; here is what must not be taken for good. */

static const struct vfio_irq_info irqs[] = {
	[VFIO_PCI_INTX_IRQ_INDEX] = { .count = 1 },
	[VFIO_PCI_MSI_IRQ_INDEX] = { .count = 0 },
	[VFIO_PCI_MSIX_IRQ_INDEX] = { .count = 8 },
	[VFIO_PCI_ERR_IRQ_INDEX] = { .count = 1 },
	[VFIO_PCI_REQ_IRQ_INDEX] = { .count = 1 },
};

#define NONE VFIO_IRQ_SET_DATA_NONE
#define BOOLS VFIO_IRQ_SET_DATA_BOOL
#define FDS VFIO_IRQ_SET_DATA_EVENTFD
#define MASK VFIO_IRQ_SET_ACTION_MASK
#define UNMASK VFIO_IRQ_SET_ACTION_UNMASK
#define TRIGGER VFIO_IRQ_SET_ACTION_TRIGGER

static const struct set_case {
	uint32_t flags, index, start, count;
	unsigned int nb_fds;
	uint32_t bools;
	int rc;
} set_cases[] = {
	{ FDS | TRIGGER, 2, 0, 8, 8, 0, 0 },
	{ FDS | TRIGGER, 2, 7, 1, 1, 0, 0 },
	{ FDS | TRIGGER, 2, 0, 1, 0, 0, 0 },
	{ FDS | TRIGGER, 3, 0, 1, 1, 0, 0 },
	{ FDS | UNMASK, 0, 0, 1, 1, 0, 0 },
	{ NONE | TRIGGER, 2, 3, 5, 0, 0, 0 },
	{ NONE | TRIGGER, 2, 0, 0, 0, 0, 0 },
	{ NONE | TRIGGER, 1, 0, 0, 0, 0, 0 },
	{ NONE | MASK, 0, 0, 1, 0, 0, 0 },
	{ BOOLS | TRIGGER, 2, 1, 3, 0, 3, 0 },
	/* not one data type, not one action */
	{ TRIGGER, 2, 0, 1, 0, 0, -EINVAL },
	{ NONE, 2, 0, 1, 0, 0, -EINVAL },
	{ NONE | FDS | TRIGGER, 2, 0, 1, 0, 0, -EINVAL },
	{ NONE | MASK | TRIGGER, 2, 0, 1, 0, 0, -EINVAL },
	{ NONE | TRIGGER | 0x40, 2, 0, 1, 0, 0, -EINVAL },
	{ NONE | TRIGGER | 0x80000000, 2, 0, 1, 0, 0, -EINVAL },
	/* vectors that are not there */
	{ NONE | TRIGGER, 5, 0, 0, 0, 0, -EINVAL },
	{ NONE | TRIGGER, UINT32_MAX, 0, 0, 0, 0, -EINVAL },
	{ NONE | TRIGGER, 1, 0, 1, 0, 0, -EINVAL },
	{ NONE | TRIGGER, 2, 8, 1, 0, 0, -EINVAL },
	{ NONE | TRIGGER, 2, 0, 9, 0, 0, -EINVAL },
	{ NONE | TRIGGER, 2, 4, UINT32_MAX, 0, 0, -EINVAL },
	{ NONE | TRIGGER, 2, UINT32_MAX, 2, 0, 0, -EINVAL },
	/* nothing at all, but not to disable */
	{ NONE | TRIGGER, 2, 1, 0, 0, 0, -EINVAL },
	{ NONE | MASK, 2, 0, 0, 0, 0, -EINVAL },
	{ FDS | TRIGGER, 2, 0, 0, 0, 0, -EINVAL },
	{ BOOLS | TRIGGER, 2, 0, 0, 0, 0, -EINVAL },
	/* descriptors: all or none */
	{ FDS | TRIGGER, 2, 0, 4, 3, 0, -EINVAL },
	{ FDS | TRIGGER, 2, 0, 4, 5, 0, -EINVAL },
	{ NONE | TRIGGER, 2, 0, 1, 1, 0, -EINVAL },
	{ BOOLS | TRIGGER, 2, 0, 1, 1, 1, -EINVAL },
	/* data that do not belong there */
	{ NONE | TRIGGER, 2, 0, 1, 0, 1, -EINVAL },
	{ BOOLS | TRIGGER, 2, 0, 3, 0, 2, -EINVAL },
	{ BOOLS | TRIGGER, 2, 0, 3, 0, 4, -EINVAL },
	/* error and request cannot be masked */
	{ NONE | MASK, 3, 0, 1, 0, 0, -EINVAL },
	{ NONE | UNMASK, 4, 0, 1, 0, 0, -EINVAL },
};

static int
set_decode(const struct set_case *c)
{
	const struct vu_irq_fixed fixed = { 20, c->flags, c->index, c->start, c->count };
	const size_t len = sizeof(fixed) + c->bools;
	uint8_t *payload = calloc(1, len);
	struct vu_irq_set set;
	int rc;

	assert_non_null(payload);
	memcpy(payload, &fixed, sizeof(fixed));
	rc = vu_irq_set_decode(payload, len, c->nb_fds, irqs, RTE_DIM(irqs), &set);
	free(payload);
	return rc;
}

static void
test_interrupt_sets_are_checked(void **state)
{
	unsigned int i;
	int rc;

	(void)state;
	for (i = 0; i < RTE_DIM(set_cases); i++) {
		rc = set_decode(&set_cases[i]);
		if (rc != set_cases[i].rc)
			fail_msg("case %u: %d", i, rc);
	}
}

/* Vectors with and without descriptors, more than go into one message. */
static void
test_interrupt_set_is_cut_into_messages(void **state)
{
	static const struct {
		uint32_t start, count;
		unsigned int nb_fds;
	} expected[] = {
		{ 100, 2, 2 }, { 102, 1, 0 }, { 103, 3, 3 }, { 106, 1, 1 }, { 107, 3, 0 },
	};
	union {
		struct vfio_irq_set set;
		int32_t words[5 + 10];
	} u = {
		.words = { 60, FDS | TRIGGER, 2, 100, 10, 5, 6, -1, 7, 8, 9, 10, -1, -1, -1 },
	};
	struct vu_irq_msg msg;
	uint32_t done = 0;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(expected); i++) {
		assert_int_equal(vu_irq_set_next(&u.set, 3, &done, &msg), 1);
		assert_int_equal(msg.fixed.argsz, 20);
		assert_int_equal(msg.fixed.start, expected[i].start);
		assert_int_equal(msg.fixed.count, expected[i].count);
		assert_int_equal(msg.nb_fds, expected[i].nb_fds);
		assert_int_equal(msg.nb, 1);
		if (msg.nb_fds > 0)
			assert_int_equal(msg.fds[0], u.words[5 + expected[i].start - 100]);
	}
	assert_int_equal(vu_irq_set_next(&u.set, 3, &done, &msg), 0);
}

static void
test_interrupt_set_that_lacks_its_data_is_refused(void **state)
{
	static const struct vu_irq_fixed cases[] = {
		{ 19, NONE | TRIGGER, 2, 0, 0 },
		{ 20, FDS | TRIGGER, 2, 0, 1 },
		{ 23, FDS | TRIGGER, 2, 0, 1 },
		{ 20, BOOLS | TRIGGER, 2, 0, 1 },
		{ 24, FDS | TRIGGER, 2, 0, 0x40000001 },
		{ 24, BOOLS | TRIGGER, 2, 0, UINT32_MAX },
		{ 20, NONE | TRIGGER, 2, 1, UINT32_MAX },
		{ 20, NONE, 2, 0, 1 },
		{ 20, TRIGGER, 2, 0, 1 },
		{ 20, NONE | BOOLS | TRIGGER, 2, 0, 1 },
	};
	union {
		struct vfio_irq_set set;
		uint8_t bytes[32];
	} u = { .bytes = { 0 } };
	struct vu_irq_msg msg;
	uint32_t done;
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(cases); i++) {
		memcpy(&u, &cases[i], sizeof(cases[i]));
		done = 0;
		assert_int_equal(vu_irq_set_next(&u.set, 8, &done, &msg), -EINVAL);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_interrupt_sets_are_checked),
	cmocka_unit_test(test_interrupt_set_is_cut_into_messages),
	cmocka_unit_test(test_interrupt_set_that_lacks_its_data_is_refused),
};

TEST_SUITE(vu_codec_irq, "unit", tests, NULL, NULL)
