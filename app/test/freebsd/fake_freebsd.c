/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal_paging.h>

#include "eal_kernel.h"
#include "fake_freebsd.h"
#include "fake_freebsd_priv.h"
#include "pci_bsd_kernel.h"
#include "test.h"

struct fake_freebsd fake_freebsd;

struct fake_freebsd_device *fake_freebsd_devices;
unsigned int fake_freebsd_generation;

static int buffer_memfd[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* of the count of calls */
static pthread_mutex_t giant = PTHREAD_MUTEX_INITIALIZER;	/* one request at a time */

#define FDS_MAX 1024

static struct open_file files[FDS_MAX];

/* ---- helpers ---- */

static bool
fails(void)
{
	bool now;

	pthread_mutex_lock(&lock);
	now = ++fake_freebsd.nb_calls == fake_freebsd.fail_at;
	pthread_mutex_unlock(&lock);
	return now;
}

void
fake_freebsd_fail(unsigned int n, int rc)
{
	fake_freebsd.nb_calls = 0;
	fake_freebsd.fail_at = n;
	fake_freebsd.fail_rc = rc;
}

bool
fake_freebsd_failed(void)
{
	return fake_freebsd.fail_at != 0 && fake_freebsd.nb_calls >= fake_freebsd.fail_at;
}

/* ---- the calls ---- */

static int
fake_ioctl(int fd, unsigned long request, void *arg)
{
	int rc;

	if (fd < 0)
		return -EBADF;
	pthread_mutex_lock(&giant);
	rc = fails() ? fake_freebsd.fail_rc : fake_freebsd_answer(&files[fd], request, arg);
	if (fake_freebsd.spoil != NULL)
		rc = fake_freebsd.spoil(request, arg, rc);
	pthread_mutex_unlock(&giant);
	return rc;
}

static struct fake_freebsd_device *
device_of_file(const char *path)
{
	struct fake_freebsd_device *dev;
	char name[64];

	for (dev = fake_freebsd_devices; dev != NULL; dev = dev->next) {
		snprintf(name, sizeof(name), "/dev/uio@pci:%u:%u:%u", dev->bus, dev->slot,
			dev->function);
		if (strcmp(path, name) == 0 && strcmp(dev->driver, "nic_uio") == 0)
			return dev;
	}
	return NULL;
}

/* What a path is, in @p file; 0 or -errno. */
static int
path_find(const char *path, bool write, struct open_file *file)
{
	file->writable = write;
	if (strcmp(path, "/dev/pci") == 0 && !fake_freebsd.no_dev_pci) {
		file->kind = DEV_PCI;
		return write ? fake_freebsd.write_rc : fake_freebsd.read_rc;
	}
	if (strcmp(path, "/dev/io") == 0) {
		file->kind = DEV_IO;
		return fake_freebsd.io_rc;
	}
	if (strcmp(path, "/dev/contigmem") == 0 && fake_freebsd.nb_buffers != 0) {
		file->kind = DEV_CONTIGMEM;
		return fake_freebsd.contigmem_rc;
	}
	file->dev = device_of_file(path);
	if (file->dev == NULL)
		return -ENOENT;
	file->kind = DEV_UIO;
	return fake_freebsd.uio_rc;
}

static int
fake_open(const char *path, int flags)
{
	struct open_file file = { .kind = NOTHING };
	int rc = path_find(path, (flags & O_ACCMODE) == O_RDWR, &file);
	int fd;

	if (rc != 0)
		return rc;
	if (fails())
		return fake_freebsd.fail_rc;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	assert_in_range(fd, 0, FDS_MAX - 1);
	files[fd] = file;
	fake_freebsd.nb_open++;
	return fd;
}

static void
fake_close(int fd)
{
	assert_in_range(fd, 0, FDS_MAX - 1);
	if (files[fd].kind != NOTHING)
		fake_freebsd.nb_open--;
	files[fd].kind = NOTHING;
	close(fd);
}

static int
map_at(void *addr, size_t len, int prot, int fd, off_t offset)
{
	int sys_prot = ((prot & RTE_PROT_READ) != 0 ? PROT_READ : 0) |
		((prot & RTE_PROT_WRITE) != 0 ? PROT_WRITE : 0);

	return mmap(addr, len, sys_prot, MAP_SHARED | MAP_FIXED, fd, offset) == MAP_FAILED ?
		-errno : 0;
}

/* nic_uio: the number of the BAR times the size of a page. */
static int
fake_map(void *addr, size_t len, int prot, int fd, off_t offset)
{
	const uint64_t i = (uint64_t)offset / rte_mem_page_size();
	struct fake_freebsd_bar *bar;

	if (fails())
		return fake_freebsd.fail_rc;
	assert_int_equal(files[fd].kind, DEV_UIO);
	if (i >= FAKE_FREEBSD_BARS)
		return -EINVAL;
	bar = &files[fd].dev->bar[i];
	if (bar->length == 0)
		return -ENXIO;
	assert_false(fake_freebsd_bar_is_port(bar));
	if (bar->map_rc != 0)
		return bar->map_rc;
	bar->held = true;
	return map_at(addr, len, prot, bar->memfd, 0);
}

static void
fake_unmap(void *addr, size_t len)
{
	munmap(addr, len);
}

static const struct pci_bsd_kernel pci_kernel = {
	.open = fake_open,
	.close = fake_close,
	.ioctl = fake_ioctl,
	.map = fake_map,
	.unmap = fake_unmap,
};

const struct pci_bsd_kernel *pci_bsd_kernel = &pci_kernel;

/* ---- contigmem, and memory files ---- */

static int
fake_lock(int fd)
{
	if (fails())
		return fake_freebsd.fail_rc;
	assert_int_equal(files[fd].kind, DEV_CONTIGMEM);
	return fake_freebsd.taken ? -EWOULDBLOCK : 0;
}

static int
fake_map_memory(void *addr, size_t len, int fd, off_t offset)
{
	const uint64_t n = (uint64_t)offset / rte_mem_page_size();

	if (fails())
		return fake_freebsd.fail_rc;
	if (files[fd].kind != DEV_CONTIGMEM)
		return map_at(addr, len, RTE_PROT_READ | RTE_PROT_WRITE, fd, offset);
	if (n >= fake_freebsd.nb_buffers || len > fake_freebsd.buffer_size)
		return -EINVAL;
	return map_at(addr, len, RTE_PROT_READ | RTE_PROT_WRITE, buffer_memfd[n], 0);
}

static int
fake_punch(int fd, off_t offset, off_t len)
{
	if (fails())
		return fake_freebsd.fail_rc;
	fake_freebsd.nb_punched++;
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, len) != 0 ?
		-errno : 0;
}

static int
number_of(const char *name, uint64_t *value)
{
	unsigned int n;

	if (fake_freebsd.nb_buffers == 0)
		return -ENOENT;
	if (strcmp(name, "hw.contigmem.num_buffers") == 0)
		*value = fake_freebsd.nb_buffers;
	else if (strcmp(name, "hw.contigmem.buffer_size") == 0)
		*value = fake_freebsd.buffer_size;
	else if (sscanf(name, "hw.contigmem.physaddr.%u", &n) == 1 && n < 64)
		*value = fake_freebsd.physaddr[n];
	else
		return -ENOENT;
	return 0;
}

/* The number of buffers is an int, the others have 64 bits. */
static int
fake_sysctl(const char *name, void *value, size_t *len)
{
	uint64_t number = 0;
	size_t need = strstr(name, "num_buffers") != NULL ? (size_t)fake_freebsd.number_len : 8;
	int rc = number_of(name, &number);

	if (rc != 0)
		return rc;
	if (fails())
		return fake_freebsd.fail_rc;
	if (*len < need)
		return -ENOMEM;
	memcpy(value, &number, need);
	*len = need;
	return 0;
}

static const struct eal_kernel memory_kernel = {
	.open = fake_open,
	.close = fake_close,
	.lock = fake_lock,
	.map = fake_map_memory,
	.punch = fake_punch,
	.sysctl = fake_sysctl,
};

const struct eal_kernel *eal_kernel = &memory_kernel;

void
fake_freebsd_contigmem(unsigned int nb, uint64_t size)
{
	unsigned int i;

	assert_in_range(nb, 1, 64);
	fake_freebsd.nb_buffers = nb;
	fake_freebsd.buffer_size = size;
	for (i = 0; i < nb; i++) {
		fake_freebsd.physaddr[i] = (UINT64_C(1) << 34) + (nb - i) * 3 * size;
		buffer_memfd[i] = memfd_create("contigmem", MFD_CLOEXEC);
		assert_true(buffer_memfd[i] >= 0);
		assert_int_equal(ftruncate(buffer_memfd[i], (off_t)size), 0);
	}
}

void *
fake_freebsd_buffer(unsigned int n)
{
	void *addr = mmap(NULL, fake_freebsd.buffer_size, PROT_READ | PROT_WRITE, MAP_SHARED,
		buffer_memfd[n], 0);

	assert_ptr_not_equal(addr, MAP_FAILED);
	return addr;
}

/* ---- start and stop ---- */

void
fake_freebsd_start(void)
{
	unsigned int i;

	fake_freebsd = (struct fake_freebsd){ .release = 14, .number_len = 4 };
	for (i = 0; i < RTE_DIM(buffer_memfd); i++)
		buffer_memfd[i] = -1;
	fake_freebsd_generation = 1;
}

static void
device_free(struct fake_freebsd_device *dev)
{
	unsigned int i;

	for (i = 0; i < FAKE_FREEBSD_BARS; i++)
		if (dev->bar[i].memfd >= 0)
			close(dev->bar[i].memfd);
	free(dev);
}

void
fake_freebsd_stop(void)
{
	struct fake_freebsd_device *dev;
	unsigned int i;

	assert_int_equal(fake_freebsd.nb_open, 0);
	while ((dev = fake_freebsd_devices) != NULL) {
		fake_freebsd_devices = dev->next;
		device_free(dev);
	}
	for (i = 0; i < RTE_DIM(buffer_memfd); i++)
		if (buffer_memfd[i] >= 0)
			close(buffer_memfd[i]);
	fake_freebsd.spoil = NULL;
}

/* Whole pages, as a mapping of a small BAR has. */
static int
bar_memory(const struct fake_freebsd_bar *bar)
{
	int fd = memfd_create("bar", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)RTE_ALIGN(bar->length, rte_mem_page_size())), 0);
	return fd;
}

struct fake_freebsd_device *
fake_freebsd_add(const struct fake_freebsd_device *like)
{
	struct fake_freebsd_device *dev = malloc(sizeof(*dev));
	struct fake_freebsd_device **at = &fake_freebsd_devices;
	unsigned int i;

	assert_non_null(dev);
	*dev = *like;
	dev->next = NULL;
	if (dev->config_len == 0)
		dev->config_len = 256;
	memcpy(dev->config, &dev->vendor, sizeof(dev->vendor));
	memcpy(dev->config + 2, &dev->device, sizeof(dev->device));
	for (i = 0; i < FAKE_FREEBSD_BARS; i++)
		dev->bar[i].memfd = dev->bar[i].length != 0 ? bar_memory(&dev->bar[i]) : -1;
	while (*at != NULL)
		at = &(*at)->next;
	*at = dev;
	fake_freebsd_generation++;
	return dev;
}
