/* SPDX-License-Identifier: BSD-3-Clause */

/* SET_IRQS with each kind of data and each action, for each type of interrupt. */

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "test.h"
#include "vu_irq_flags.h"
#include "vu_served.h"

static const struct {
	const char *name;
	uint32_t count;
	bool has_masks;
} types[SERVED_IRQS] = {
	[INTX] = { "INTx", 1, true },
	[MSI] = { "MSI", 4, true },
	[MSIX] = { "MSI-X", SERVED_MSIX_NB, true },
	[ERR] = { "ERR", 1, false },
	[REQ] = { "REQ", 1, false },
};

/* A client and the last vector of a type, with an eventfd for each of its events. */
struct vector {
	struct served *served;
	struct vu_peer peer;
	uint32_t index;
	uint32_t nr;
	int fds[3];	/* trigger, mask, unmask */
};

/* What is read from one of them. */
static uint64_t
events(const struct vector *v, unsigned int i)
{
	uint64_t count = 0;

	return read(v->fds[i], &count, sizeof(count)) < 0 ? 0 : count;
}

static int
set(struct vector *v, uint32_t flags, int data)
{
	struct {
		struct vfio_irq_set set;
		uint8_t flag;
	} request = { .set = { .argsz = sizeof(request.set), .flags = flags, .index = v->index,
		.start = v->nr, .count = 1 }, .flag = (uint8_t)data };
	const size_t len = sizeof(request.set) + ((flags & BOOL) != 0 ? 1 : 0);

	if ((flags & BOOL) != 0)
		request.set.argsz++;
	return peer_call_fds(&v->peer, VU_SET_IRQS, &request, len, &data,
		(flags & EVENT) != 0 && data >= 0 ? 1 : 0);
}

static int
vector_raise(const struct vector *v)
{
	return rte_vfio_user_irq_raise(v->served->dev_id, v->index, v->nr);
}

static void
expect(const struct vector *v, const char *what, uint64_t triggers, uint64_t masks,
	uint64_t unmasks)
{
	uint64_t got[] = { events(v, 0), events(v, 1), events(v, 2) };

	if (got[0] != triggers || got[1] != masks || got[2] != unmasks)
		fail_msg("%s: %s: %lu, %lu, %lu events", types[v->index].name, what, got[0], got[1],
			got[2]);
}

static void
vector_open(struct vector *v, struct served *served, uint32_t index)
{
	unsigned int i;

	*v = (struct vector) { .served = served, .index = index, .nr = types[index].count - 1 };
	for (i = 0; i < RTE_DIM(v->fds); i++)
		v->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	peer_open(&v->peer, served->path);
}

static void
vector_close(struct vector *v)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(v->fds); i++)
		close(v->fds[i]);
	peer_close(&v->peer);
}

/* The three kinds of data for the action TRIGGER. */
static void
check_trigger(struct vector *v)
{
	assert_int_equal(vector_raise(v), -ENOTCONN);
	assert_int_equal(set(v, EVENT | TRIGGER, v->fds[0]), 0);
	assert_int_equal(vector_raise(v), 0);
	expect(v, "raised", 1, 0, 0);
	set(v, NONE | UNMASK, 0);
	assert_int_equal(set(v, NONE | TRIGGER, 0), 0);
	expect(v, "tried by NONE", 1, 0, 0);
	set(v, NONE | UNMASK, 0);
	assert_int_equal(set(v, BOOL | TRIGGER, 0), 0);
	expect(v, "not tried by BOOL", 0, 0, 0);
	assert_int_equal(set(v, BOOL | TRIGGER, 1), 0);
	expect(v, "tried by BOOL", 1, 0, 0);
	set(v, NONE | UNMASK, 0);
}

/* MASK and UNMASK by `data`, NONE or BOOL. */
static void
check_masks(struct vector *v, uint32_t data)
{
	if (data == BOOL) {
		assert_int_equal(set(v, BOOL | MASK, 0), 0);
		expect(v, "not masked by BOOL", 0, 0, 0);
	}
	assert_int_equal(set(v, data | MASK, 1), 0);
	expect(v, "masked", 0, 1, 0);
	assert_int_equal(vector_raise(v), 0);
	expect(v, "raised while masked", 0, 0, 0);
	if (data == BOOL) {
		assert_int_equal(set(v, BOOL | UNMASK, 0), 0);
		expect(v, "not unmasked by BOOL", 0, 0, 0);
	}
	assert_int_equal(set(v, data | UNMASK, 1), 0);
	/* INTx masks itself when it comes, and tells that */
	expect(v, "unmasked", 1, v->index == INTX ? 1 : 0, 1);
	set(v, NONE | UNMASK, 0);
	expect(v, "unmasked again", 0, 0, v->index == INTX ? 1 : 0);
}

static void
check_masking(struct vector *v)
{
	assert_int_equal(set(v, EVENT | MASK, v->fds[1]), 0);
	assert_int_equal(set(v, EVENT | UNMASK, v->fds[2]), 0);
	check_masks(v, NONE);
	check_masks(v, BOOL);
	/* nobody is told any more */
	assert_int_equal(set(v, EVENT | MASK, -1), 0);
	assert_int_equal(set(v, EVENT | UNMASK, -1), 0);
	assert_int_equal(set(v, NONE | MASK, 0), 0);
	assert_int_equal(set(v, NONE | UNMASK, 0), 0);
	expect(v, "untold", 0, 0, 0);
}

static void
check_no_masking(struct vector *v)
{
	static const uint32_t data[] = { NONE, BOOL, EVENT };
	size_t i;

	for (i = 0; i < RTE_DIM(data); i++) {
		assert_int_equal(set(v, data[i] | MASK, v->fds[1]), EINVAL);
		assert_int_equal(set(v, data[i] | UNMASK, v->fds[2]), EINVAL);
	}
	assert_int_equal(vector_raise(v), 0);
	expect(v, "raised", 1, 0, 0);
}

static void
test_each_data_and_action_of_each_type(void **state)
{
	struct served *served = *state;
	struct vector v;
	uint32_t index;

	for (index = 0; index < SERVED_IRQS; index++) {
		vector_open(&v, served, index);
		check_trigger(&v);
		if (types[index].has_masks)
			check_masking(&v);
		else
			check_no_masking(&v);
		assert_int_equal(set(&v, EVENT | TRIGGER, -1), 0);
		assert_int_equal(vector_raise(&v), -ENOTCONN);
		vector_close(&v);
		served_wait(&served->destroy_device, (int)index + 1);
	}
}

/* What the client has masked does not outlive it, nor its turning the type off. */
static void
test_masks_go_with_what_they_were_for(void **state)
{
	struct served *served = *state;
	struct vector v;
	int i;

	for (i = 0; i < 2; i++) {
		vector_open(&v, served, MSI);
		assert_int_equal(set(&v, EVENT | TRIGGER, v.fds[0]), 0);
		assert_int_equal(set(&v, NONE | MASK, 0), 0);
		assert_int_equal(vector_raise(&v), 0);
		expect(&v, "masked", 0, 0, 0);
		if (i == 1)
			assert_int_equal(peer_set_irqs(&v.peer, NONE | TRIGGER, v.index, 0, 0, NULL,
				0), 0);
		else
			vector_close(&v);
		if (i == 0) {
			served_wait(&served->destroy_device, 1);
			vector_open(&v, served, MSI);
		}
		assert_int_equal(set(&v, EVENT | TRIGGER, v.fds[0]), 0);
		expect(&v, "bound again", 0, 0, 0);
		assert_int_equal(vector_raise(&v), 0);
		expect(&v, "not masked any more", 1, 0, 0);
		vector_close(&v);
		served_wait(&served->destroy_device, i + 2);
	}
}

static const struct CMUnitTest tests[] = {
	SERVED_TEST(test_each_data_and_action_of_each_type),
	SERVED_TEST(test_masks_go_with_what_they_were_for),
};

TEST_SUITE(vu_server_irq_all, "functional", tests, served_warm_up, NULL)
