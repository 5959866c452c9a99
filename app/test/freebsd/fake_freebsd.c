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
#include "pci_bsd_kernel.h"
#include "test.h"

struct fake_freebsd fake_freebsd;

static struct fake_freebsd_device *devices;
static int buffer_memfd[64];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;	/* of the count of calls */
static pthread_mutex_t giant = PTHREAD_MUTEX_INITIALIZER;	/* one request at a time */
static unsigned int generation;

#define FDS_MAX 1024

/* What a descriptor of ours is. */
static struct open_file {
	enum { NOTHING, DEV_PCI, DEV_IO, DEV_UIO, DEV_CONTIGMEM } kind;
	bool writable;
	struct fake_freebsd_device *dev;
} files[FDS_MAX];

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

/* A number anywhere in what came from or goes to a program. */
static uint64_t
get(const void *arg, size_t at, size_t len)
{
	uint64_t value = 0;

	memcpy(&value, (const uint8_t *)arg + at, len);
	return value;
}

static void
put(void *arg, size_t at, size_t len, uint64_t value)
{
	memcpy((uint8_t *)arg + at, &value, len);
}

static struct fake_freebsd_device *
device_at(const void *sel)
{
	struct fake_freebsd_device *dev;

	for (dev = devices; dev != NULL; dev = dev->next)
		if (get(sel, 0, 4) == dev->domain && get(sel, 4, 1) == dev->bus &&
				get(sel, 5, 1) == dev->slot && get(sel, 6, 1) == dev->function)
			return dev->absent ? NULL : dev;
	return NULL;
}

static unsigned int
command_of(const struct fake_freebsd_device *dev)
{
	return dev->config[4];
}

static bool
bar_is_port(const struct fake_freebsd_bar *bar)
{
	return (bar->base & 1) != 0;
}

static bool
bar_is_enabled(const struct fake_freebsd_device *dev, const struct fake_freebsd_bar *bar)
{
	return (command_of(dev) & (bar_is_port(bar) ? 1 : 2)) != 0;
}

/* By where it is in configuration space; NULL: the kernel knows of none. */
static struct fake_freebsd_bar *
bar_by_reg(struct fake_freebsd_device *dev, int64_t reg)
{
	const int64_t i = (reg - 0x10) / 4;

	if (reg < 0x10 || reg % 4 != 0 || i >= FAKE_FREEBSD_BARS || dev->bar[i].length == 0)
		return NULL;
	return &dev->bar[i];
}

/* ---- /dev/pci ---- */

/* A record of the list: sys/pciio.h of FreeBSD 14 and 15. */
static void
record_write(const struct fake_freebsd_device *dev, uint8_t *record, size_t len)
{
	memset(record, 0, len);
	put(record, 0, 4, dev->domain);
	record[4] = dev->bus;
	record[5] = dev->slot;
	record[6] = dev->function;
	record[8] = dev->config[0x0e];
	put(record, 10, 2, dev->subvendor);
	put(record, 12, 2, dev->subdevice);
	put(record, 14, 2, dev->vendor);
	put(record, 16, 2, dev->device);
	record[18] = (uint8_t)(dev->class_id >> 16);
	record[19] = (uint8_t)(dev->class_id >> 8);
	record[20] = (uint8_t)dev->class_id;
	memcpy(record + 22, dev->driver, 17);
	if (len == 128) {
		put(record, 48, 4, (uint32_t)dev->numa_domain);
		put(record, 56, 8, 66);
	}
}

static unsigned int
nb_devices(void)
{
	const struct fake_freebsd_device *dev;
	unsigned int nb = 0;

	for (dev = devices; dev != NULL; dev = dev->next)
		nb++;
	return nb;
}

/* The patterns are not in use by anybody; the list may change between two parts of it. */
static int
list_answer(uint8_t *arg, size_t record_len)
{
	const uint32_t room = (uint32_t)(get(arg, 16, 4) / record_len);
	uint8_t *matches = (uint8_t *)(uintptr_t)get(arg, 24, 8);
	uint32_t offset = (uint32_t)get(arg, 32, 4), i = 0, nb = 0;
	const struct fake_freebsd_device *dev;

	fake_freebsd.nb_lists++;
	assert_int_equal(get(arg, 0, 4), 0);
	assert_int_equal(get(arg, 4, 4), 0);
	if (offset != 0 && fake_freebsd.changes != 0) {
		fake_freebsd.changes--;
		generation++;
	}
	if (offset != 0 && get(arg, 36, 4) != generation) {
		put(arg, 20, 4, 0);
		put(arg, 40, 4, 1);
		return 0;
	}
	for (dev = devices; dev != NULL; dev = dev->next, i++)
		if (i >= offset && nb < room)
			record_write(dev, matches + record_len * nb++, record_len);
	put(arg, 20, 4, nb);
	put(arg, 32, 4, offset + nb);
	put(arg, 36, 4, generation);
	put(arg, 40, 4, offset + nb < nb_devices() ? 2 : 0);
	return 0;
}

static int
list_old(const struct open_file *file, uint8_t *arg)
{
	(void)file;
	if (fake_freebsd.release >= 15 && !fake_freebsd.compat14)
		return -ENOTTY;
	return list_answer(arg, 48);
}

/* A descriptor that cannot write is refused before anybody looks which request it is. */
static int
list_new(const struct open_file *file, uint8_t *arg)
{
	if (fake_freebsd.release < 15)
		return file->writable ? -ENOTTY : -EPERM;
	return list_answer(arg, 128);
}

static int
register_check(const uint8_t *arg, struct fake_freebsd_device **dev)
{
	const int32_t reg = (int32_t)get(arg, 8, 4), width = (int32_t)get(arg, 12, 4);

	*dev = device_at(arg);
	if (reg < 0 || (width != 1 && width != 2 && width != 4) || reg % width != 0)
		return -EINVAL;
	return *dev == NULL ? -ENODEV : 0;
}

static int
register_read(const struct open_file *file, uint8_t *arg)
{
	const size_t reg = get(arg, 8, 4), width = get(arg, 12, 4);
	struct fake_freebsd_device *dev;
	int rc = file->writable ? register_check(arg, &dev) : -EPERM;

	if (rc != 0)
		return rc;
	put(arg, 16, 4, reg < dev->config_len ? get(dev->config, reg, width) :
		UINT32_MAX >> (32 - 8 * width));
	return 0;
}

static int
register_write(const struct open_file *file, uint8_t *arg)
{
	const size_t reg = get(arg, 8, 4), width = get(arg, 12, 4);
	struct fake_freebsd_device *dev;
	int rc = file->writable ? register_check(arg, &dev) : -EPERM;

	if (rc == 0 && reg < dev->config_len)
		put(dev->config, reg, width, get(arg, 16, 4));
	if (rc == 0 && dev->config_written != NULL)
		dev->config_written(dev);
	return rc;
}

static int
bar_get(const struct open_file *file, uint8_t *arg)
{
	struct fake_freebsd_device *dev = device_at(arg);
	const struct fake_freebsd_bar *bar;

	(void)file;
	if (dev == NULL)
		return -ENODEV;
	bar = bar_by_reg(dev, (int32_t)get(arg, 8, 4));
	if (bar == NULL)
		return -EINVAL;
	put(arg, 12, 4, bar_is_enabled(dev, bar));
	put(arg, 16, 8, bar->base);
	put(arg, 24, 8, bar->length);
	return 0;
}

static int
map_check(const struct open_file *file, const uint8_t *arg, struct fake_freebsd_bar **bar)
{
	struct fake_freebsd_device *dev = device_at(arg + 28);
	const uint32_t flags = (uint32_t)get(arg, 40, 4);

	if (!file->writable)
		return -EPERM;
	if (dev == NULL)
		return -ENODEV;
	*bar = bar_by_reg(dev, (int32_t)get(arg, 36, 4));
	if ((flags & ~15u) != 0 || *bar == NULL)
		return -EINVAL;
	if (bar_is_port(*bar))
		return -EIO;
	return (command_of(dev) & 2) != 0 ? (*bar)->map_rc : -EBUSY;
}

static int
bar_map(const struct open_file *file, uint8_t *arg)
{
	const uint64_t page_mask = rte_mem_page_size() - 1;
	struct fake_freebsd_bar *bar = NULL;
	int rc = map_check(file, arg, &bar);
	uint64_t off, len;
	void *addr;

	if (rc != 0)
		return rc;
	assert_int_equal(get(arg, 40, 4) & 1, 1);
	off = bar->base & ~(uint64_t)15 & page_mask;
	len = (off + bar->length + page_mask) & ~page_mask;
	addr = mmap((void *)(uintptr_t)get(arg, 0, 8), len,
		PROT_READ | ((get(arg, 40, 4) & 4) != 0 ? PROT_WRITE : 0),
		MAP_SHARED | MAP_FIXED, bar->memfd, 0);
	if (addr == MAP_FAILED)
		return -errno;
	fake_freebsd.nb_combining += get(arg, 44, 4) == 1;
	put(arg, 8, 8, len);
	put(arg, 16, 8, bar->length);
	put(arg, 24, 4, off);
	return 0;
}

static int
memory_access(struct fake_freebsd_bar *bar, bool write, uint32_t offset, uint32_t width,
	uint32_t *value)
{
	ssize_t n;

	if (!write)
		*value = 0;
	n = write ? pwrite(bar->memfd, value, width, offset) :
		pread(bar->memfd, value, width, offset);
	return n == (ssize_t)width ? 0 : -EIO;
}

static int
bar_access(struct fake_freebsd_device *dev, unsigned int i, bool write, uint32_t offset,
	uint32_t width, uint32_t *value)
{
	struct fake_freebsd_bar *bar = &dev->bar[i];

	if ((width != 1 && width != 2 && width != 4) || offset % width != 0 ||
			offset + width > bar->length)
		return -EINVAL;
	bar->nb_calls++;
	if (bar->access != NULL)
		return bar->access(dev, i, write, offset, width, value);
	return memory_access(bar, write, offset, width, value);
}

static int
bar_io(const struct open_file *file, uint8_t *arg)
{
	struct fake_freebsd_device *dev = device_at(arg);
	const uint32_t i = (uint32_t)get(arg, 12, 4), op = (uint32_t)get(arg, 8, 4);
	uint32_t value = (uint32_t)get(arg, 24, 4);
	int rc;

	if (!file->writable)
		return -EPERM;
	if (fake_freebsd.release < 14)
		return -ENOTTY;
	if (dev == NULL)
		return -ENODEV;
	if (i >= FAKE_FREEBSD_BARS || dev->bar[i].length == 0 || (op != 1 && op != 2))
		return -EINVAL;
	if (dev->bar[i].held)
		return -ENOENT;
	rc = bar_access(dev, i, op == 2, (uint32_t)get(arg, 16, 4), (uint32_t)get(arg, 20, 4),
		&value);
	put(arg, 24, 4, value);
	return rc;
}

/* ---- /dev/io ---- */

static struct fake_freebsd_device *
device_of_port(uint32_t port, unsigned int *bar)
{
	struct fake_freebsd_device *dev;

	for (dev = devices; dev != NULL; dev = dev->next)
		for (*bar = 0; *bar < FAKE_FREEBSD_BARS; (*bar)++)
			if (bar_is_port(&dev->bar[*bar]) && dev->bar[*bar].length != 0 &&
					port - (uint32_t)(dev->bar[*bar].base & ~3ull) <
					dev->bar[*bar].length)
				return dev;
	return NULL;
}

static int
port_access(const struct open_file *file, uint8_t *arg)
{
	const uint32_t port = (uint32_t)get(arg, 4, 4);
	uint32_t value = (uint32_t)get(arg, 12, 4);
	unsigned int bar = 0;
	struct fake_freebsd_device *dev = device_of_port(port, &bar);
	int rc;

	(void)file;
	assert_non_null(dev);
	dev->bar[bar].nb_by_port++;
	rc = bar_access(dev, bar, get(arg, 0, 4) == 1,
		port - (uint32_t)(dev->bar[bar].base & ~3ull), (uint32_t)get(arg, 8, 4), &value);
	put(arg, 12, 4, value);
	return rc;
}

/* ---- the calls ---- */

static const struct {
	unsigned long request;
	int kind;
	int (*answer)(const struct open_file *file, uint8_t *arg);
} requests[] = {
	{ 0xc0147002, DEV_PCI, register_read },
	{ 0xc0147003, DEV_PCI, register_write },
	{ 0xc0307005, DEV_PCI, list_old },
	{ 0xc0207006, DEV_PCI, bar_get },
	{ 0xc0307008, DEV_PCI, bar_map },
	{ 0xc01c7009, DEV_PCI, bar_io },
	{ 0xc030700a, DEV_PCI, list_new },
	{ 0xc0104900, DEV_IO, port_access },
};

static int
answer(int fd, unsigned long request, void *arg)
{
	size_t i;

	if (fails())
		return fake_freebsd.fail_rc;
	for (i = 0; i < RTE_DIM(requests); i++)
		if (requests[i].request == request && requests[i].kind == (int)files[fd].kind)
			return requests[i].answer(&files[fd], arg);
	fail_msg("request %#lx", request);
	return -ENOTTY;
}

static int
fake_ioctl(int fd, unsigned long request, void *arg)
{
	int rc;

	if (fd < 0)
		return -EBADF;
	pthread_mutex_lock(&giant);
	rc = answer(fd, request, arg);
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

	for (dev = devices; dev != NULL; dev = dev->next) {
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
	assert_false(bar_is_port(bar));
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
	generation = 1;
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
	while ((dev = devices) != NULL) {
		devices = dev->next;
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
	struct fake_freebsd_device **at = &devices;
	unsigned int i;

	assert_non_null(dev);
	*dev = *like;
	dev->next = NULL;
	if (dev->config_len == 0)
		dev->config_len = 256;
	put(dev->config, 0, 2, dev->vendor);
	put(dev->config, 2, 2, dev->device);
	for (i = 0; i < FAKE_FREEBSD_BARS; i++)
		dev->bar[i].memfd = dev->bar[i].length != 0 ? bar_memory(&dev->bar[i]) : -1;
	while (*at != NULL)
		at = &(*at)->next;
	*at = dev;
	generation++;
	return dev;
}
