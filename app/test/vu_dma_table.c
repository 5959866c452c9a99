/* SPDX-License-Identifier: BSD-3-Clause */

#include <unistd.h>

#include "test.h"
#include "vu_dma_table.h"

struct vu_dma dma;

int
dma_setup(void **state)
{
	(void)state;
	return vu_dma_init(&dma, 65535);
}

int
dma_teardown(void **state)
{
	(void)state;
	vu_dma_fini(&dma);
	return 0;
}

int
dma_file(size_t size)
{
	int fd = memfd_create("guest", MFD_CLOEXEC);
	uint64_t *word;
	size_t i;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	word = mmap(NULL, size, RW, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(word, MAP_FAILED);
	for (i = 0; i < size / sizeof(*word); i++)
		word[i] = i * sizeof(*word);
	munmap(word, size);
	return fd;
}
