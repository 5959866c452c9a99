/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <rte_memory.h>

#include "memory_suite.h"
#include "test.h"

/* ---- events ---- */

struct event {
	enum rte_mem_event type;
	const char *addr;
	size_t len;
	int who;
	bool there;	/* the memory had a segment and could be read */
};

static struct {
	struct event events[64];
	unsigned int nb;
	void *allocated;
	int rc_register;
	int rc_walk;
} seen;

/* Or the process faults. */
static bool
byte_can_be_read(const void *addr)
{
	const uint8_t byte = *(const volatile uint8_t *)addr;

	RTE_SET_USED(byte);
	return true;
}

static void
event_note(enum rte_mem_event type, const void *addr, size_t len, void *arg)
{
	struct event *event = &seen.events[seen.nb++];

	*event = (struct event) { type, addr, len, (int)(uintptr_t)arg, true };
	event->there = rte_mem_virt2memseg(addr, NULL) != NULL &&
		rte_mem_virt2memseg((const char *)addr + len - 1, NULL) != NULL &&
		byte_can_be_read(addr);
}

static void
assert_event(unsigned int i, enum rte_mem_event type, const char *addr, size_t len, int who)
{
	assert_in_range(i, 0, seen.nb - 1);
	assert_int_equal(seen.events[i].type, type);
	assert_ptr_equal(seen.events[i].addr, addr);
	assert_int_equal(seen.events[i].len, len);
	assert_int_equal(seen.events[i].who, who);
	assert_true(seen.events[i].there);
}

static void
test_events_come_in_order_and_cover_whole_pieces(void **state)
{
	char *base, *ptr;

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(rte_mem_event_callback_register("one", event_note, (void *)1), 0);
	assert_int_equal(rte_mem_event_callback_register("two", event_note, (void *)2), 0);
	ptr = rte_malloc("test", 64, 0);
	base = rte_mem_virt2memseg(ptr, NULL)->addr;
	assert_int_equal(seen.nb, 2);
	assert_event(0, RTE_MEM_EVENT_ALLOC, base, SEGMENT, 1);
	assert_event(1, RTE_MEM_EVENT_ALLOC, base, SEGMENT, 2);
	rte_free(ptr);
	assert_int_equal(seen.nb, 2);
	ptr = rte_malloc("test", 64 * MIB - 4096, 0);
	assert_int_equal(seen.nb, 4);
	assert_event(2, RTE_MEM_EVENT_ALLOC, base + SEGMENT, 64 * MIB, 1);
	assert_event(3, RTE_MEM_EVENT_ALLOC, base + SEGMENT, 64 * MIB, 2);
	assert_int_equal(rte_mem_event_callback_unregister("one", (void *)1), 0);
	rte_free(ptr);
	assert_int_equal(seen.nb, 5);
	assert_event(4, RTE_MEM_EVENT_FREE, base + SEGMENT, 64 * MIB, 2);
	assert_null(rte_mem_virt2memseg(base + SEGMENT, NULL));
}

static void
event_use_memory(enum rte_mem_event type, const void *addr, size_t len, void *arg)
{
	struct memory_walked walked = { 0 };

	seen.allocated = rte_malloc("test", 64, 0);
	rte_free(seen.allocated);
	seen.rc_walk = rte_memseg_walk(memory_count_segment, &walked);
	seen.rc_register = rte_mem_event_callback_register("more", event_note, NULL) == 0 ? 0 :
		rte_errno;
	seen.nb += rte_malloc("test", 512 * MIB, 0) != NULL;
}

static void
test_a_callback_uses_memory_and_never_hangs(void **state)
{
	char *ptr = rte_malloc("test", 64, 0);

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(rte_mem_event_callback_register("use", event_use_memory, NULL), 0);
	rte_free(rte_malloc("test", 20 * MIB, 0));
	assert_non_null(seen.allocated);
	assert_int_equal(seen.rc_walk, 0);
	assert_int_equal(seen.rc_register, EDEADLK);
	assert_int_equal(seen.nb, 0);
	rte_free(ptr);
}

static void
test_registrations_are_checked(void **state)
{
	char longest[RTE_MEM_EVENT_CALLBACK_NAME_LEN];
	char too_long[RTE_MEM_EVENT_CALLBACK_NAME_LEN + 1];
	const struct {
		const char *name;
		rte_mem_event_callback_t callback;
		int err;
	} cases[] = {
		{ NULL, event_note, EINVAL },
		{ "", event_note, EINVAL },
		{ too_long, event_note, EINVAL },
		{ "name", NULL, EINVAL },
		{ longest, event_note, 0 },
		{ longest, event_note, EEXIST },
	};
	size_t i;

	memset(longest, 'n', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(too_long, 'n', sizeof(too_long));
	too_long[sizeof(too_long) - 1] = '\0';
	for (i = 0; i < RTE_DIM(cases); i++) {
		rte_errno = 0;
		assert_int_equal(rte_mem_event_callback_register(cases[i].name, cases[i].callback,
			NULL), cases[i].err == 0 ? 0 : -1);
		assert_int_equal(rte_errno, cases[i].err);
	}
	assert_int_equal(rte_mem_event_callback_register(longest, event_note, &seen), 0);
	assert_int_equal(rte_mem_event_callback_unregister(longest, NULL), 0);
	assert_int_equal(rte_mem_event_callback_unregister(longest, NULL), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_mem_event_callback_unregister(NULL, NULL), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_mem_event_callback_unregister(longest, &seen), 0);
}

/* ---- validators ---- */

static struct {
	int socket;
	size_t limit;
	size_t new_len;
	int answer;
	unsigned int nb;
} asked;

static int
validate(int socket_id, size_t cur_limit, size_t new_len)
{
	asked.socket = socket_id;
	asked.limit = cur_limit;
	asked.new_len = new_len;
	asked.nb++;
	return asked.answer;
}

static void
test_a_validator_is_asked_above_its_limit_only(void **state)
{
	int socket = rte_socket_id_by_idx(0);

	memset(&asked, 0, sizeof(asked));
	assert_int_equal(rte_mem_alloc_validator_register("v", validate, socket, 8 * MIB), 0);
	assert_non_null(rte_malloc("test", 7 * MIB, 0));
	assert_int_equal(asked.nb, 0);
	assert_non_null(rte_malloc("test", 3 * MIB, 0));
	assert_int_equal(asked.nb, 1);
	assert_int_equal(asked.socket, socket);
	assert_int_equal(asked.limit, 8 * MIB);
	assert_int_equal(asked.new_len, 12 * MIB);
	asked.answer = -1;
	assert_null(rte_malloc("test", 3 * MIB, 0));
	assert_int_equal(rte_errno, ENOMEM);
	assert_int_equal(rte_mem_alloc_validator_unregister("v", socket), 0);
	assert_non_null(rte_malloc("test", 3 * MIB, 0));
}

static void
test_validator_registrations_are_checked(void **state)
{
	assert_int_equal(rte_mem_alloc_validator_register("v", NULL, 0, 0), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_mem_alloc_validator_register("v", validate, -1, 0), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_mem_alloc_validator_register("v", validate, 5, 0), 0);
	assert_int_equal(rte_mem_alloc_validator_register("v", validate, 5, 1), -1);
	assert_int_equal(rte_errno, EEXIST);
	assert_int_equal(rte_mem_alloc_validator_unregister("v", 4), -1);
	assert_int_equal(rte_errno, ENOENT);
	assert_int_equal(rte_mem_alloc_validator_unregister("v", -1), -1);
	assert_int_equal(rte_errno, EINVAL);
	assert_int_equal(rte_mem_alloc_validator_unregister("v", 5), 0);
}

static char external[4 * 4096] __rte_aligned(4096);

static void
test_external_memory_raises_no_event(void **state)
{
	void *stay = rte_malloc("test", 64, 0);
	struct memory_walked runs = { 0 };

	memset(&seen, 0, sizeof(seen));
	assert_int_equal(rte_mem_event_callback_register("one", event_note, NULL), 0);
	assert_int_equal(rte_extmem_register(external, sizeof(external), NULL, 0, 4096), 0);
	assert_int_equal(rte_memseg_contig_walk(memory_count_run, &runs), 0);
	assert_int_equal(runs.nb, 2);
	assert_ptr_equal(runs.addr, external);
	assert_int_equal(runs.len, SEGMENT + sizeof(external));
	assert_int_equal(rte_extmem_unregister(external, sizeof(external)), 0);
	assert_int_equal(seen.nb, 0);
	rte_free(stay);
}

static const struct CMUnitTest tests[] = {
	MEMORY_TEST(test_events_come_in_order_and_cover_whole_pieces),
	MEMORY_TEST(test_a_callback_uses_memory_and_never_hangs),
	MEMORY_TEST(test_registrations_are_checked),
	MEMORY_TEST(test_a_validator_is_asked_above_its_limit_only),
	MEMORY_TEST(test_validator_registrations_are_checked),
	MEMORY_TEST(test_external_memory_raises_no_event),
};
TEST_SUITE(memory_event, "functional", tests, NULL, NULL)
