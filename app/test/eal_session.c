/* SPDX-License-Identifier: BSD-3-Clause */

#include <stdlib.h>
#include <string.h>

#include <bus_pci_driver.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>

#include "eal_session.h"
#include "test.h"

#define ARGS_MAX 16

static struct {
	FILE *stream;
	char *text;
	size_t size;
	size_t seen;
	char *last;
} log_memory;

/* EAL changes the order of the words. */
static void
start(const char *const words[], const char *const args[])
{
	char *argv[ARGS_MAX + 1] = { NULL };
	char *kept[ARGS_MAX];
	int argc = 0, i, rc;

	for (i = 0; words[i] != NULL; i++)
		argv[argc++] = strdup(words[i]);
	for (i = 0; args != NULL && args[i] != NULL; i++)
		argv[argc++] = strdup(args[i]);
	assert_in_range(argc, 1, ARGS_MAX);
	memcpy(kept, argv, sizeof(kept));
	rc = rte_eal_init(argc, argv);
	for (i = 0; i < argc; i++)
		free(kept[i]);
	if (rc < 0)
		fail_msg("rte_eal_init: %s", rte_strerror(rte_errno));
}

void
eal_session_start(const char *const args[])
{
	static const char *const words[] = { "dpdk-test", "--no-huge", "--in-memory", NULL };

	start(words, args);
}

void
eal_session_start_huge(const char *const args[])
{
	static const char *const words[] = { "dpdk-test", "--in-memory", NULL };

	start(words, args);
}

void
eal_session_stop(void)
{
	assert_int_equal(rte_eal_cleanup(), 0);
}

struct rte_pci_device *
eal_session_device(void)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;

	RTE_DEV_FOREACH(dev, "bus=pci", &it)
		return RTE_DEV_TO_PCI(dev);
	return NULL;
}

void
eal_log_capture(void)
{
	log_memory.stream = open_memstream(&log_memory.text, &log_memory.size);
	assert_non_null(log_memory.stream);
	log_memory.seen = 0;
	assert_int_equal(rte_openlog_stream(log_memory.stream), 0);
}

const char *
eal_log_text(void)
{
	fflush(log_memory.stream);
	free(log_memory.last);
	log_memory.last = strdup(log_memory.text + log_memory.seen);
	assert_non_null(log_memory.last);
	log_memory.seen = log_memory.size;
	return log_memory.last;
}

unsigned int
eal_log_lines_with(const char *text, const char *word)
{
	const char *line = text, *end, *at;
	unsigned int nb = 0;

	for (; *line != '\0'; line = *end == '\0' ? end : end + 1) {
		end = strchrnul(line, '\n');
		at = strstr(line, word);
		nb += at != NULL && at < end;
	}
	return nb;
}

void
eal_log_release(void)
{
	if (log_memory.stream == NULL)
		return;
	rte_openlog_stream(NULL);
	fclose(log_memory.stream);
	free(log_memory.text);
	free(log_memory.last);
	memset(&log_memory, 0, sizeof(log_memory));
}
