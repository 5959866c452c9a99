/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_eal_memconfig.h>
#include <rte_tailq.h>

#include "test.h"

TAILQ_HEAD(test_tailq_list, rte_tailq_entry);

static struct rte_tailq_elem registered = { .name = "TEST_TAILQ" };
EAL_REGISTER_TAILQ(registered)

static void
test_list_exists_before_main(void **state)
{
	struct test_tailq_list *list = RTE_TAILQ_LOOKUP("TEST_TAILQ", test_tailq_list);

	(void)state;
	assert_non_null(registered.head);
	assert_ptr_equal(rte_eal_tailq_lookup("TEST_TAILQ"), registered.head);
	assert_string_equal(registered.head->name, "TEST_TAILQ");
	assert_true(TAILQ_EMPTY(list));
}

static void
test_unknown_list_is_not_found(void **state)
{
	(void)state;
	assert_null(rte_eal_tailq_lookup("NO_SUCH_TAILQ"));
	assert_null(rte_eal_tailq_lookup("TEST_TAIL"));
	assert_null(rte_eal_tailq_lookup(""));
	assert_null(rte_eal_tailq_lookup(NULL));
}

static void
test_name_is_taken_once(void **state)
{
	struct rte_tailq_elem again = { .name = "TEST_TAILQ" };

	(void)state;
	assert_int_equal(rte_eal_tailq_register(&again), -1);
	assert_null(again.head);
}

/* Runs a function in a child of the process and wants it to be true there. */
static void
assert_in_child(bool (*check)(void *), void *arg)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check(arg) ? EXIT_SUCCESS : EXIT_FAILURE);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

static bool
insert(void *entry)
{
	struct test_tailq_list *list = RTE_TAILQ_CAST(registered.head, test_tailq_list);

	rte_mcfg_tailq_write_lock();
	TAILQ_INSERT_TAIL(list, (struct rte_tailq_entry *)entry, next);
	rte_mcfg_tailq_write_unlock();
	return true;
}

static void
test_list_is_shared_with_a_child(void **state)
{
	struct test_tailq_list *list = RTE_TAILQ_CAST(registered.head, test_tailq_list);
	struct rte_tailq_entry *entries, *entry, *tmp;
	int nb = 0;

	(void)state;
	entries = mmap(NULL, 2 * sizeof(*entries), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(entries, MAP_FAILED);
	assert_in_child(insert, &entries[0]);
	assert_in_child(insert, &entries[1]);
	RTE_TAILQ_FOREACH_SAFE(entry, list, next, tmp) {
		assert_ptr_equal(entry, &entries[nb++]);
		TAILQ_REMOVE(list, entry, next);
	}
	assert_int_equal(nb, 2);
	munmap(entries, 2 * sizeof(*entries));
}

static bool
lock_both(void *arg)
{
	(void)arg;
	rte_rwlock_write_lock(rte_mcfg_tailq_get_lock());
	rte_rwlock_read_lock(rte_mcfg_mem_get_lock());
	return true;
}

static void
test_locks_are_shared_with_a_child(void **state)
{
	(void)state;
	assert_in_child(lock_both, NULL);
	assert_int_not_equal(rte_rwlock_read_trylock(rte_mcfg_tailq_get_lock()), 0);
	assert_int_not_equal(rte_rwlock_write_trylock(rte_mcfg_mem_get_lock()), 0);
	rte_rwlock_write_unlock(rte_mcfg_tailq_get_lock());
	rte_rwlock_read_unlock(rte_mcfg_mem_get_lock());
	rte_mcfg_tailq_read_lock();
	rte_mcfg_tailq_read_unlock();
	rte_mcfg_mem_write_lock();
	rte_mcfg_mem_write_unlock();
}

static void
test_dump_names_the_lists(void **state)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	rte_dump_tailq(out);
	fclose(out);
	assert_non_null(strstr(text, "TEST_TAILQ"));
	free(text);
}

/* Last, since it leaves no list free. */
static void
test_lists_run_out(void **state)
{
	struct rte_tailq_elem elem = { .name = "" };
	char name[RTE_TAILQ_NAMESIZE];
	int i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		memset(name, 0, sizeof(name));
		snprintf(name, sizeof(name), "MANY_%d", i);
		memcpy((void *)(uintptr_t)elem.name, name, sizeof(name));
		if (rte_eal_tailq_register(&elem) < 0)
			break;
	}
	assert_in_range(i, 1, 999);
	assert_null(elem.head);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_list_exists_before_main),
	cmocka_unit_test(test_unknown_list_is_not_found),
	cmocka_unit_test(test_name_is_taken_once),
	cmocka_unit_test(test_list_is_shared_with_a_child),
	cmocka_unit_test(test_locks_are_shared_with_a_child),
	cmocka_unit_test(test_dump_names_the_lists),
	cmocka_unit_test(test_lists_run_out),
};

TEST_SUITE(tailq, "functional", tests, NULL, NULL)
