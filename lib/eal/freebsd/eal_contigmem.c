/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <rte_eal_paging.h>

#include "eal_contigmem.h"
#include "eal_kernel.h"
#include "eal_log.h"

#define DEVICE "/dev/contigmem"
#define SYSCTL "hw.contigmem."

/* Numbers are of 4 bytes or of 8, depending on the module's age. */
static int
number_read(const char *name, uint64_t *number)
{
	union {
		uint32_t u32;
		uint64_t u64;
	} value;
	size_t len = sizeof(value);
	int rc = eal_kernel->sysctl(name, &value, &len);

	if (rc != 0)
		return rc;
	if (len != sizeof(value.u32) && len != sizeof(value.u64))
		return -EPROTO;
	*number = len == sizeof(value.u32) ? value.u32 : value.u64;
	return 0;
}

static bool
size_is_right(uint64_t size)
{
	return size > rte_mem_page_size() && (size & (size - 1)) == 0;
}

static bool
overlap(uint64_t a, uint64_t b, uint64_t size)
{
	return (a > b ? a - b : b - a) < size;
}

/* A buffer that is where no memory can be, or where another one is, is none. */
static bool
phys_is_right(const struct eal_contigmem *contigmem, unsigned int n)
{
	const uint64_t phys = contigmem->phys[n];
	unsigned int i;

	if (phys % rte_mem_page_size() != 0 || contigmem->size > UINT64_MAX - phys)
		return false;
	for (i = 0; i < n; i++)
		if (overlap(phys, contigmem->phys[i], contigmem->size))
			return false;
	return true;
}

static int
nonsense(const char *name, uint64_t number)
{
	EAL_LOG(ERR, "contigmem cannot be used: %s is %#" PRIx64, name, number);
	return -EPROTO;
}

static int
buffer_read(struct eal_contigmem *contigmem, unsigned int n)
{
	char name[64];
	int rc;

	snprintf(name, sizeof(name), SYSCTL "physaddr.%u", n);
	rc = number_read(name, &contigmem->phys[n]);
	if (rc != 0) {
		EAL_LOG(ERR, "contigmem cannot be used: no %s: %s", name, strerror(-rc));
		return rc == -ENOENT ? -EPROTO : rc;
	}
	return phys_is_right(contigmem, n) ? 0 : nonsense(name, contigmem->phys[n]);
}

/* That there is no such name means that there is no module. */
static int
count_read(struct eal_contigmem *contigmem)
{
	uint64_t nb;
	int rc;

	rc = number_read(SYSCTL "num_buffers", &nb);
	if (rc == -ENOENT)
		return rc;
	if (rc == 0)
		rc = number_read(SYSCTL "buffer_size", &contigmem->size);
	if (rc != 0) {
		EAL_LOG(ERR, "contigmem cannot be used: its sysctls cannot be read: %s",
			strerror(-rc));
		return rc == -ENOENT ? -EPROTO : rc;
	}
	if (nb == 0 || nb > EAL_CONTIGMEM_MAX)
		return nonsense(SYSCTL "num_buffers", nb);
	if (!size_is_right(contigmem->size))
		return nonsense(SYSCTL "buffer_size", contigmem->size);
	contigmem->nb = (unsigned int)nb;
	return 0;
}

int
eal_contigmem_read(struct eal_contigmem *contigmem)
{
	unsigned int i;
	int rc;

	memset(contigmem, 0, sizeof(*contigmem));
	rc = count_read(contigmem);
	for (i = 0; i < contigmem->nb && rc == 0; i++)
		rc = buffer_read(contigmem, i);
	return rc;
}

static const char *
open_hint(int err)
{
	if (err == EACCES || err == EPERM)
		return " (the file is root's, unless devfs.rules say otherwise)";
	return err == ENOENT ? " (hidden from this jail?)" : "";
}

int
eal_contigmem_open(void)
{
	int fd, rc;

	fd = eal_kernel->open(DEVICE, O_RDWR);
	if (fd < 0) {
		EAL_LOG(ERR, "cannot open %s: %s%s", DEVICE, strerror(-fd), open_hint(-fd));
		return fd;
	}
	rc = eal_kernel->lock(fd);
	if (rc == 0)
		return fd;
	eal_kernel->close(fd);
	if (rc == -EWOULDBLOCK)
		rc = -EBUSY;
	EAL_LOG(ERR, "cannot lock %s: %s%s", DEVICE, strerror(-rc),
		rc == -EBUSY ? " (another process has the buffers)" : "");
	return rc;
}
