/* SPDX-License-Identifier: BSD-3-Clause */

/* SET_IRQS at a served device, and interrupts that it raises. Protocol reference 5.7. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include "test.h"
#include "vu_irq_flags.h"
#include "vu_served.h"

static int
event_new(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	assert_true(fd >= 0);
	return fd;
}

static uint64_t
events(int fd)
{
	uint64_t count = 0;

	return read(fd, &count, sizeof(count)) == sizeof(count) ? count : 0;
}

static int
set_bools(struct vu_peer *peer, uint32_t action, uint32_t index, const char *bools, uint32_t count)
{
	uint32_t request[5 + 16] = { 20 + count, BOOL | action, index, 0, count };

	memcpy(request + 5, bools, count);
	return peer_call(peer, VU_SET_IRQS, request, 20 + count);
}

static void
test_each_type_is_bound_and_raised(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	uint32_t index;
	int fd, got;

	peer_open(&peer, served->path);
	for (index = 0; index < SERVED_IRQS; index++) {
		fd = event_new();
		assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, index, 0), -ENOTCONN);
		assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, index, 0, 1, &fd, 1), 0);
		assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, index, 0), 0);
		assert_int_equal(events(fd), 1);
		assert_int_equal(rte_vfio_user_get_irq(served->dev_id, index, 1, &got), 0);
		assert_true(got >= 0);
		assert_int_equal(peer_set_irqs(&peer, NONE | TRIGGER, index, 0, 0, NULL, 0), 0);
		assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, index, 0), -ENOTCONN);
		close(fd);
	}
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, SERVED_IRQS, 0), -EINVAL);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, MSI, 4), -EINVAL);
	assert_int_equal(rte_vfio_user_irq_raise(-1, MSI, 0), -ENODEV);
	assert_int_equal(served->update_status, 2 * SERVED_IRQS);
	peer_close(&peer);
}

/* What QEMU does when a guest enables MSI-X: qemu-client 2.2. */
static void
test_vectors_are_bound_one_by_one_with_holes(void **state)
{
	struct served *served = *state;
	int fds[SERVED_MSIX_NB], first[2];
	struct vu_peer peer;
	uint32_t i;

	peer_open(&peer, served->path);
	first[0] = event_new();
	first[1] = event_new();
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSIX, 0, 1, NULL, 0), 0);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSIX, 5, 2, first, 2), 0);
	assert_int_equal(rte_vfio_user_get_irq(served->dev_id, MSIX, SERVED_MSIX_NB, fds), 0);
	for (i = 0; i < SERVED_MSIX_NB; i++)
		assert_int_equal(fds[i] >= 0, i == 5 || i == 6);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSIX, 5, 1, NULL, 0), 0);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, MSIX, 5), -ENOTCONN);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, MSIX, 6), 0);
	assert_int_equal(events(first[1]), 1);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSIX, 6, 1, first, 1), 0);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, MSIX, 6), 0);
	assert_int_equal(events(first[0]), 1);
	assert_int_equal(events(first[1]), 0);
	close(first[0]);
	close(first[1]);
	peer_close(&peer);
}

static void
test_client_triggers_by_none_and_bool(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	int fd[4];
	uint32_t i;

	for (i = 0; i < 4; i++)
		fd[i] = event_new();
	peer_open(&peer, served->path);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSI, 0, 4, fd, 4), 0);
	assert_int_equal(peer_set_irqs(&peer, NONE | TRIGGER, MSI, 1, 2, NULL, 0), 0);
	assert_int_equal(set_bools(&peer, TRIGGER, MSI, "\1\0\0\xff", 4), 0);
	for (i = 0; i < 4; i++) {
		assert_int_equal(events(fd[i]), 1);
		close(fd[i]);
	}
	peer_close(&peer);
}

static void
test_intx_masks_itself_and_remembers(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	int fd = event_new();

	peer_open(&peer, served->path);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, INTX, 0, 1, &fd, 1), 0);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, INTX, 0), 0);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, INTX, 0), 0);
	assert_int_equal(events(fd), 1);
	assert_int_equal(peer_set_irqs(&peer, NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(events(fd), 1);
	assert_int_equal(peer_set_irqs(&peer, NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(events(fd), 0);
	assert_int_equal(peer_set_irqs(&peer, NONE | MASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, INTX, 0), 0);
	assert_int_equal(events(fd), 0);
	assert_int_equal(set_bools(&peer, UNMASK, INTX, "\0", 1), 0);
	assert_int_equal(events(fd), 0);
	assert_int_equal(set_bools(&peer, UNMASK, INTX, "\1", 1), 0);
	assert_int_equal(events(fd), 1);
	close(fd);
	peer_close(&peer);
}

static void
test_eventfds_tell_of_masking(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	int mask = event_new(), unmask = event_new();

	peer_open(&peer, served->path);
	assert_int_equal(peer_set_irqs(&peer, EVENT | MASK, INTX, 0, 1, &mask, 1), 0);
	assert_int_equal(peer_set_irqs(&peer, EVENT | UNMASK, INTX, 0, 1, &unmask, 1), 0);
	assert_int_equal(peer_set_irqs(&peer, NONE | MASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(peer_set_irqs(&peer, NONE | MASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(events(mask), 1);
	assert_int_equal(events(unmask), 0);
	assert_int_equal(peer_set_irqs(&peer, NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(events(unmask), 1);
	assert_int_equal(peer_set_irqs(&peer, EVENT | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(peer_set_irqs(&peer, NONE | MASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(peer_set_irqs(&peer, NONE | UNMASK, INTX, 0, 1, NULL, 0), 0);
	assert_int_equal(events(unmask), 0);
	close(mask);
	close(unmask);
	peer_close(&peer);
}

static void
test_requests_that_are_refused(void **state)
{
	static const struct {
		uint32_t flags;
		uint32_t index;
		uint32_t start;
		uint32_t count;
		unsigned int nb_fds;
	} cases[] = {
		{ EVENT | TRIGGER, SERVED_IRQS, 0, 1, 1 },
		{ EVENT | TRIGGER, UINT32_MAX, 0, 1, 1 },
		{ EVENT | TRIGGER, MSI, 4, 1, 1 },
		{ EVENT | TRIGGER, MSI, 3, 2, 2 },
		{ EVENT | TRIGGER, MSI, UINT32_MAX, 2, 2 },
		{ EVENT | TRIGGER, MSI, 1, UINT32_MAX, 0 },
		{ EVENT | TRIGGER, MSI, 0, 2, 1 },
		{ EVENT | TRIGGER, MSI, 0, 1, 2 },
		{ EVENT | TRIGGER, MSI, 0, 0, 0 },
		{ NONE | TRIGGER, MSI, 0, 1, 1 },
		{ NONE | TRIGGER, MSI, 1, 0, 0 },
		{ NONE | MASK, MSI, 0, 0, 0 },
		{ NONE | BOOL | TRIGGER, MSI, 0, 1, 0 },
		{ NONE | EVENT | TRIGGER, MSI, 0, 1, 0 },
		{ NONE, MSI, 0, 1, 0 },
		{ TRIGGER, MSI, 0, 1, 0 },
		{ NONE | TRIGGER | MASK, MSI, 0, 1, 0 },
		{ NONE | TRIGGER | 0x40, MSI, 0, 1, 0 },
		{ BOOL | TRIGGER, MSI, 0, 2, 0 },	/* without the bytes */
		{ NONE | MASK, ERR, 0, 1, 0 },
		{ NONE | UNMASK, REQ, 0, 1, 0 },
	};
	struct served *served = *state;
	int fd[2] = { event_new(), event_new() };
	struct vu_peer peer;
	size_t i;
	int err;

	peer_open(&peer, served->path);
	for (i = 0; i < RTE_DIM(cases); i++) {
		err = peer_set_irqs(&peer, cases[i].flags, cases[i].index, cases[i].start,
			cases[i].count, fd, cases[i].nb_fds);
		if (err != EINVAL)
			print_error("case %zu\n", i);
		assert_int_equal(err, EINVAL);
	}
	assert_int_equal(served->update_status, 0);
	close(fd[0]);
	close(fd[1]);
	peer_close(&peer);
}

/* The writer of such a thing could be made to wait for ever. */
static void
test_descriptors_that_are_no_eventfds(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	int fds[2], memory = peer_memory(4096);

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	peer_open(&peer, served->path);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSI, 0, 1, &fds[1], 1), EINVAL);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSI, 0, 1, &memory, 1), EINVAL);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, MSI, 0), -ENOTCONN);
	close(fds[0]);
	close(fds[1]);
	close(memory);
	peer_close(&peer);
}

static void
test_eventfd_that_is_full_holds_up_nobody(void **state)
{
	struct served *served = *state;
	const uint64_t most = UINT64_MAX - 1;
	int fd = eventfd(0, EFD_CLOEXEC);
	struct vu_peer peer;

	peer_open(&peer, served->path);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSI, 0, 1, &fd, 1), 0);
	assert_int_equal(write(fd, &most, sizeof(most)), sizeof(most));
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, MSI, 0), 0);
	close(fd);
	peer_close(&peer);
}

/* The client fills the eventfd whenever it is empty, and empties it now and then. */
struct filler {
	int fd;
	atomic_bool stop;
	atomic_uint raised;
	int dev_id;
};

static void *
filler_main(void *arg)
{
	const uint64_t most = UINT64_MAX - 64, one = 1;
	struct filler *filler = arg;
	unsigned int i;

	while (!atomic_load(&filler->stop)) {
		if (write(filler->fd, &most, sizeof(most)) < 0)
			break;
		/* the rest in small steps, which the device may come between */
		for (i = 0; i < 64 && !atomic_load(&filler->stop); i++)
			if (write(filler->fd, &one, sizeof(one)) < 0)
				break;
	}
	return NULL;
}

static void *
device_main(void *arg)
{
	struct filler *filler = arg;

	while (!atomic_load(&filler->stop)) {
		rte_vfio_user_irq_raise(filler->dev_id, MSI, 0);
		atomic_fetch_add(&filler->raised, 1);
	}
	return NULL;
}

static void
drain(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	uint64_t count;

	if (poll(&pfd, 1, 0) > 0)
		assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
}

/* It is empty, and full again, and the device goes on. */
static void
device_goes_on(struct filler *filler)
{
	unsigned int raised, tries;

	drain(filler->fd);
	usleep(50);
	raised = atomic_load(&filler->raised);
	for (tries = 0; tries < 10000 && atomic_load(&filler->raised) < raised + 2; tries++)
		usleep(1000);
	assert_true(atomic_load(&filler->raised) >= raised + 2);
}

static void
test_eventfd_that_becomes_full_holds_up_nobody(void **state)
{
	struct served *served = *state;
	struct filler filler = { .fd = eventfd(0, EFD_CLOEXEC), .dev_id = served->dev_id };
	pthread_t threads[2];
	struct vu_peer peer;
	int i;

	peer_open(&peer, served->path);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSI, 0, 1, &filler.fd, 1), 0);
	assert_int_equal(pthread_create(&threads[0], NULL, filler_main, &filler), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, device_main, &filler), 0);
	for (i = 0; i < 1000; i++)
		device_goes_on(&filler);
	atomic_store(&filler.stop, true);
	pthread_join(threads[1], NULL);
	drain(filler.fd);
	pthread_join(threads[0], NULL);
	close(filler.fd);
	peer_close(&peer);
}

static void
test_interrupts_go_with_the_client(void **state)
{
	struct served *served = *state;
	struct vu_peer peer;
	int fd = event_new();

	peer_open(&peer, served->path);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, INTX, 0, 1, &fd, 1), 0);
	assert_int_equal(peer_set_irqs(&peer, NONE | MASK, INTX, 0, 1, NULL, 0), 0);
	peer_close(&peer);
	served_wait(&served->destroy_device, 1);
	peer_open(&peer, served->path);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, INTX, 0), -ENOTCONN);
	assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, INTX, 0, 1, &fd, 1), 0);
	assert_int_equal(rte_vfio_user_irq_raise(served->dev_id, INTX, 0), 0);
	assert_int_equal(events(fd), 1);
	close(fd);
	peer_close(&peer);
}

/* ---- threads ---- */

struct raiser {
	int dev_id;
	atomic_bool stop;
};

static void *
raiser_main(void *arg)
{
	struct raiser *raiser = arg;
	int rc;

	while (!atomic_load(&raiser->stop)) {
		rc = rte_vfio_user_irq_raise(raiser->dev_id, MSIX, 0);
		assert_true(rc == 0 || rc == -ENOTCONN);
	}
	return NULL;
}

static void
test_raising_beside_binding(void **state)
{
	struct served *served = *state;
	struct raiser raiser = { .dev_id = served->dev_id };
	pthread_t thread[2];
	struct vu_peer peer;
	int fd[2], i;

	peer_open(&peer, served->path);
	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, raiser_main, &raiser), 0);
	fd[0] = event_new();
	fd[1] = event_new();
	for (i = 0; i < 300; i++)
		assert_int_equal(peer_set_irqs(&peer, EVENT | TRIGGER, MSIX, 0, 1, &fd[i % 2],
			i % 3 != 0), 0);
	atomic_store(&raiser.stop, true);
	for (i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	close(fd[0]);
	close(fd[1]);
	peer_close(&peer);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, served_setup, served_teardown)

/* A thread of the device that is there before the device is. */
static void *
early_main(void *arg)
{
	struct filler *early = arg;
	int fd;

	while (!atomic_load(&early->stop)) {
		rte_vfio_user_irq_raise(early->dev_id, MSI, 0);
		rte_vfio_user_get_irq(early->dev_id, MSI, 1, &fd);
		atomic_fetch_add(&early->raised, 1);
	}
	return NULL;
}

static void
early_wait(struct filler *early)
{
	unsigned int raised = atomic_load(&early->raised);

	while (atomic_load(&early->raised) == raised)
		usleep(100);
}

/* Also a start that fails: what others look at stays as long as they may. */
static void
test_raising_beside_the_start(void **state)
{
	struct served *own = calloc(1, sizeof(*own));
	const char *beside = ((struct served *)*state)->path;
	struct filler early = { .stop = false };
	pthread_t thread;
	char path[90];

	snprintf(path, sizeof(path), "%.80s-early", beside);
	assert_int_equal(mkdir(path, 0700), 0);
	served_register(own, path, NULL);
	early.dev_id = own->dev_id;
	assert_int_equal(pthread_create(&thread, NULL, early_main, &early), 0);
	early_wait(&early);
	/* there is something else at the path */
	assert_int_equal(rte_vfio_user_start(path), -EEXIST);
	early_wait(&early);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rte_vfio_user_start(path), 0);
	early_wait(&early);
	atomic_store(&early.stop, true);
	pthread_join(thread, NULL);
	served_stop(own);
	free(own);
}

static const struct CMUnitTest tests[] = {
	TEST(test_each_type_is_bound_and_raised),
	TEST(test_vectors_are_bound_one_by_one_with_holes),
	TEST(test_client_triggers_by_none_and_bool),
	TEST(test_intx_masks_itself_and_remembers),
	TEST(test_eventfds_tell_of_masking),
	TEST(test_requests_that_are_refused),
	TEST(test_descriptors_that_are_no_eventfds),
	TEST(test_eventfd_that_is_full_holds_up_nobody),
	TEST(test_eventfd_that_becomes_full_holds_up_nobody),
	TEST(test_interrupts_go_with_the_client),
	TEST(test_raising_beside_binding),
	TEST(test_raising_beside_the_start),
};

TEST_SUITE(vu_server_irq, "functional", tests, served_warm_up, NULL)
