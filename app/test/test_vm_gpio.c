/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * The kernel's gpio-pci-idio-16 on the card that "dpdk-vfio-user serve gpio --loop" emulates: 16
 * outputs, wired to 16 inputs.
 */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/gpio.h>

#include <rte_common.h>

#include "test.h"

#define NB_LINES 32
#define INPUT(i) (16 + (i))
#define NB_EDGES 40
#define TIMEOUT_MS 15000

static int
chip_open(void)
{
	int fd = open("/dev/gpiochip0", O_RDWR | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* A descriptor for lines [first, first + nb). */
static int
lines_request(unsigned int first, unsigned int nb, uint64_t flags)
{
	struct gpio_v2_line_request request = { .consumer = "test", .num_lines = nb };
	int fd = chip_open();
	unsigned int i;

	for (i = 0; i < nb; i++)
		request.offsets[i] = first + i;
	request.config.flags = flags;
	assert_return_code(ioctl(fd, GPIO_V2_GET_LINE_IOCTL, &request), errno);
	close(fd);
	return request.fd;
}

static void
lines_set(int fd, uint64_t bits, uint64_t mask)
{
	struct gpio_v2_line_values values = { .bits = bits, .mask = mask };

	assert_return_code(ioctl(fd, GPIO_V2_LINE_SET_VALUES_IOCTL, &values), errno);
}

static uint64_t
lines_get(int fd, uint64_t mask)
{
	struct gpio_v2_line_values values = { .mask = mask };

	assert_return_code(ioctl(fd, GPIO_V2_LINE_GET_VALUES_IOCTL, &values), errno);
	return values.bits;
}

/* The next edge of the line, which comes in time. */
static uint32_t
edge_wait(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct gpio_v2_line_event event;

	assert_int_equal(poll(&pfd, 1, TIMEOUT_MS), 1);
	assert_int_equal(read(fd, &event, sizeof(event)), sizeof(event));
	return event.id;
}

static void
test_driver_took_the_card(void **state)
{
	struct gpiochip_info info;
	int fd = chip_open();

	(void)state;
	assert_return_code(ioctl(fd, GPIO_GET_CHIPINFO_IOCTL, &info), errno);
	close(fd);
	assert_int_equal(info.lines, NB_LINES);
	assert_int_equal(strncmp(info.label, "0000:00:", 8), 0);
}

static void
test_inputs_follow_outputs(void **state)
{
	static const uint16_t patterns[] = { 0x0000, 0xffff, 0x5aa5, 0x8001, 0x0180, 0x0000 };
	int out = lines_request(0, 16, GPIO_V2_LINE_FLAG_OUTPUT);
	int in = lines_request(INPUT(0), 16, GPIO_V2_LINE_FLAG_INPUT);
	unsigned int i;

	(void)state;
	for (i = 0; i < RTE_DIM(patterns); i++) {
		lines_set(out, patterns[i], 0xffff);
		assert_int_equal(lines_get(out, 0xffff), patterns[i]);
		assert_int_equal(lines_get(in, 0xffff), patterns[i]);
	}
	close(in);
	close(out);
}

static void
test_every_edge_interrupts(void **state)
{
	int out = lines_request(11, 1, GPIO_V2_LINE_FLAG_OUTPUT);
	int in = lines_request(INPUT(11), 1, GPIO_V2_LINE_FLAG_INPUT |
		GPIO_V2_LINE_FLAG_EDGE_RISING | GPIO_V2_LINE_FLAG_EDGE_FALLING);
	unsigned int i;

	(void)state;
	for (i = 0; i < NB_EDGES / 2; i++) {
		lines_set(out, 1, 1);
		assert_int_equal(edge_wait(in), GPIO_V2_LINE_EVENT_RISING_EDGE);
		lines_set(out, 0, 1);
		assert_int_equal(edge_wait(in), GPIO_V2_LINE_EVENT_FALLING_EDGE);
	}
	close(in);
	close(out);
}

/* The level goes down after each edge, so that the driver is called once or little more often. */
static void
test_interrupts_are_as_many_as_edges(void **state)
{
	char line[512];
	unsigned long count = 0;
	FILE *file = fopen("/proc/interrupts", "re");

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file) != NULL) {
		if (strstr(line, "0000:00:") != NULL)
			count = strtoul(strchr(line, ':') + 1, NULL, 10);
	}
	fclose(file);
	assert_in_range(count, NB_EDGES, 4 * NB_EDGES);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_driver_took_the_card),
	cmocka_unit_test(test_inputs_follow_outputs),
	cmocka_unit_test(test_every_edge_interrupts),
	cmocka_unit_test(test_interrupts_are_as_many_as_edges),
};

TEST_SUITE(vm_gpio, "vm", tests, NULL, NULL)
