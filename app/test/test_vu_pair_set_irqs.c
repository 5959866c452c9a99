/* SPDX-License-Identifier: BSD-3-Clause */

/* DEVICE_SET_IRQS, from our client to our server. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>

#include "vu_irq_flags.h"
#include "vu_pair.h"

static int
set_irqs(struct pair *pair, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
	const void *data, uint32_t len)
{
	struct {
		struct vfio_irq_set set;
		uint8_t data[4 * SERVED_MSIX_NB];
	} irqs = { .set = { .argsz = (uint32_t)sizeof(irqs.set) + len, .flags = flags,
		.index = index, .start = start, .count = count } };

	if (len > 0)
		memcpy(irqs.data, data, len);
	return rte_vfio_user_set_irqs(pair->dev_id, &irqs.set);
}

static int
bind_fds(struct pair *pair, uint32_t index, uint32_t start, uint32_t count, const int *fds)
{
	return set_irqs(pair, EVENT | TRIGGER, index, start, count, fds, 4 * count);
}

static uint64_t
events(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static int
event_new(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

/* More than a message takes, with holes. */
static void
test_vectors_are_bound_and_raised(void **state)
{
	struct pair *pair = *state;
	int fds[SERVED_MSIX_NB];
	uint32_t i;

	for (i = 0; i < SERVED_MSIX_NB; i++)
		fds[i] = i % 20 == 7 ? -1 : event_new();
	assert_int_equal(bind_fds(pair, MSIX, 0, SERVED_MSIX_NB, fds), 0);
	for (i = 0; i < SERVED_MSIX_NB; i++)
		assert_int_equal(rte_vfio_user_irq_raise(pair->served.dev_id, MSIX, i),
			fds[i] < 0 ? -ENOTCONN : 0);
	for (i = 0; i < SERVED_MSIX_NB; i++)
		if (fds[i] >= 0)
			assert_int_equal(events(fds[i]), 1);
	/* and all of them are given up */
	assert_int_equal(set_irqs(pair, NONE | TRIGGER, MSIX, 0, 0, NULL, 0), 0);
	for (i = 0; i < SERVED_MSIX_NB; i++) {
		assert_int_equal(rte_vfio_user_irq_raise(pair->served.dev_id, MSIX, i), -ENOTCONN);
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

static void
test_client_tries_its_interrupts(void **state)
{
	struct pair *pair = *state;
	const uint8_t which[4] = { 0, 1, 0, 1 };
	int fds[4], i;

	for (i = 0; i < 4; i++)
		fds[i] = event_new();
	assert_int_equal(bind_fds(pair, MSIX, 10, 4, fds), 0);
	assert_int_equal(set_irqs(pair, NONE | TRIGGER, MSIX, 11, 2, NULL, 0), 0);
	assert_int_equal(set_irqs(pair, BOOL | TRIGGER, MSIX, 10, 4, which, 4), 0);
	assert_int_equal(events(fds[0]), 0);
	assert_int_equal(events(fds[1]), 2);
	assert_int_equal(events(fds[2]), 1);
	assert_int_equal(events(fds[3]), 1);
	for (i = 0; i < 4; i++)
		close(fds[i]);
}

static void
test_masks(void **state)
{
	struct pair *pair = *state;
	int dev_id = pair->served.dev_id;
	int fd = event_new(), unmasked = event_new();

	assert_int_equal(bind_fds(pair, INTX, 0, 1, &fd), 0);
	assert_int_equal(set_irqs(pair, EVENT | UNMASK, INTX, 0, 1, &unmasked, 4), 0);
	/* it masks itself, and remembers */
	assert_int_equal(rte_vfio_user_irq_raise(dev_id, INTX, 0), 0);
	assert_int_equal(rte_vfio_user_irq_raise(dev_id, INTX, 0), 0);
	assert_int_equal(events(fd), 1);
	assert_int_equal(set_irqs(pair, NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(events(fd), 1);
	assert_int_equal(events(unmasked), 1);
	assert_int_equal(set_irqs(pair, BOOL | UNMASK, INTX, 0, 1, "\1", 1), 0);
	assert_int_equal(events(fd), 0);
	assert_int_equal(set_irqs(pair, NONE | MASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(rte_vfio_user_irq_raise(dev_id, INTX, 0), 0);
	assert_int_equal(events(fd), 0);
	close(fd);
	close(unmasked);
}

static void
test_what_is_refused(void **state)
{
	struct pair *pair = *state;
	int fds[2] = { event_new(), event_new() };

	assert_int_equal(bind_fds(pair, SERVED_IRQS, 0, 1, fds), -EINVAL);
	assert_int_equal(bind_fds(pair, MSIX, SERVED_MSIX_NB - 1, 2, fds), -EINVAL);
	assert_int_equal(bind_fds(pair, MSIX, UINT32_MAX, 2, fds), -EINVAL);
	assert_int_equal(set_irqs(pair, EVENT, MSIX, 0, 1, fds, 4), -EINVAL);
	assert_int_equal(set_irqs(pair, TRIGGER, MSIX, 0, 1, fds, 4), -EINVAL);
	assert_int_equal(set_irqs(pair, NONE | BOOL | TRIGGER, MSIX, 0, 1, fds, 4), -EINVAL);
	assert_int_equal(set_irqs(pair, NONE | MASK | TRIGGER, MSIX, 0, 1, NULL, 0), -EINVAL);
	assert_int_equal(set_irqs(pair, NONE | MASK, MSIX, 0, 0, NULL, 0), -EINVAL);
	assert_int_equal(set_irqs(pair, NONE | MASK, ERR, 0, 1, NULL, 0), -EINVAL);
	/* the data are not all there */
	assert_int_equal(set_irqs(pair, EVENT | TRIGGER, MSIX, 0, 2, fds, 4), -EINVAL);
	assert_int_equal(set_irqs(pair, BOOL | TRIGGER, MSIX, 0, 2, "\1", 1), -EINVAL);
	/* no eventfd */
	close(fds[0]);
	fds[0] = peer_memory(PAIR_PAGE);
	assert_int_equal(bind_fds(pair, MSIX, 0, 2, fds), -EINVAL);
	assert_int_equal(rte_vfio_user_irq_raise(pair->served.dev_id, MSIX, 1), -ENOTCONN);
	atomic_store(&pair->served.refuse_lock, -EAGAIN);
	assert_int_equal(bind_fds(pair, MSIX, 0, 1, &fds[1]), -EAGAIN);
	atomic_store(&pair->served.refuse_lock, 0);
	close(fds[0]);
	close(fds[1]);
}

static const struct CMUnitTest tests[] = {
	PAIR_TESTS(test_vectors_are_bound_and_raised),
	PAIR_TESTS(test_client_tries_its_interrupts),
	PAIR_TESTS(test_masks),
	PAIR_TESTS(test_what_is_refused),
};

TEST_SUITE(vu_pair_set_irqs, "functional", tests, served_warm_up, NULL)
