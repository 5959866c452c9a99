/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include "../fuzz/fuzz.h"

#include "resources.h"
#include "test.h"

/* Changed versions of each seed; always the same ones. */
#define CHANGES 40u

static uint32_t
next_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static size_t
change(uint8_t *data, size_t len, uint32_t *random)
{
	unsigned int n = 1 + next_random(random) % 4;

	for (; n > 0; n--) {
		uint8_t *at = data + next_random(random) % len;

		switch (next_random(random) % 4) {
		case 0:
			*at ^= (uint8_t)(1u << next_random(random) % 8);
			break;
		case 1:
			*at = (uint8_t)next_random(random);
			break;
		case 2:
			*at = next_random(random) % 2 ? 0xff : 0;
			break;
		default:
			len = (size_t)(at - data) + 1;
			break;
		}
	}
	return len;
}

static void
replay(int (*target)(const uint8_t *data, size_t len), size_t skip)
{
	uint8_t seed[FUZZ_SEED_MAX], changed[FUZZ_SEED_MAX];
	uint32_t random = 1;
	unsigned int i, k;
	size_t len;

	for (i = 0; (len = fuzz_seed(i, seed)) > 0; i++) {
		assert_int_equal(target(seed + skip, len - skip), 0);
		for (k = 0; k < CHANGES; k++) {
			memcpy(changed, seed, len);
			size_t cut = change(changed + skip, len - skip, &random);

			assert_int_equal(target(changed + skip, cut), 0);
		}
	}
}

static void
test_any_bytes_on_the_wire_are_survived(void **state)
{
	struct resources before;

	(void)state;
	resources_take(&before);
	replay(fuzz_wire, 0);
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
test_any_text_is_survived(void **state)
{
	/* behind the packet's head, the header and the version numbers */
	(void)state;
	replay(fuzz_caps, FUZZ_PACKET_HEAD + 16 + 4);
}

/* The targets themselves look for what is left open. */
static void
test_any_bytes_to_a_server_are_survived(void **state)
{
	(void)state;
	replay(fuzz_server, 0);
}

static void
test_any_bytes_to_a_client_are_survived(void **state)
{
	(void)state;
	replay(fuzz_client, 0);
}

/* A target that gives up at the first message tests nothing behind it. */
static void
replay_seeds(int (*target)(const uint8_t *data, size_t len))
{
	uint8_t seed[FUZZ_SEED_MAX];
	unsigned int i;
	size_t len;

	memset(&fuzz_reached, 0, sizeof(fuzz_reached));
	for (i = 0; (len = fuzz_seed(i, seed)) > 0; i++)
		assert_int_equal(target(seed, len), 0);
}

static void
test_seeds_lead_deep_into_a_server(void **state)
{
	(void)state;
	replay_seeds(fuzz_server);
	/* several maps in a message; memory by messages, to and fro, on both sockets */
	assert_true(fuzz_reached.regions >= 2);
	assert_int_equal(fuzz_reached.copies, 4);
}

static void
test_all_calls_of_a_client_succeed_with_right_answers(void **state)
{
	(void)state;
	memset(&fuzz_reached, 0, sizeof(fuzz_reached));
	assert_int_equal(fuzz_client(NULL, 0), 0);
	assert_true(fuzz_reached.calls > 20);
	assert_int_equal(fuzz_reached.failed, 0);
}

static void
test_seeds_lead_deep_into_a_client(void **state)
{
	(void)state;
	replay_seeds(fuzz_client);
	assert_true(fuzz_reached.calls > 600);
	assert_true(fuzz_reached.failed < fuzz_reached.calls / 2);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_any_bytes_on_the_wire_are_survived),
	cmocka_unit_test(test_any_text_is_survived),
	cmocka_unit_test(test_any_bytes_to_a_server_are_survived),
	cmocka_unit_test(test_any_bytes_to_a_client_are_survived),
	cmocka_unit_test(test_seeds_lead_deep_into_a_server),
	cmocka_unit_test(test_all_calls_of_a_client_succeed_with_right_answers),
	cmocka_unit_test(test_seeds_lead_deep_into_a_client),
};

TEST_SUITE(vu_fuzz, "functional", tests, NULL, NULL)
