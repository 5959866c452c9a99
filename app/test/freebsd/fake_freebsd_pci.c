/* SPDX-License-Identifier: BSD-3-Clause */

/* What /dev/pci and /dev/io of the fake answer. */

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal_paging.h>

#include "fake_freebsd.h"
#include "fake_freebsd_priv.h"
#include "test.h"

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

	for (dev = fake_freebsd_devices; dev != NULL; dev = dev->next)
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

bool
fake_freebsd_bar_is_port(const struct fake_freebsd_bar *bar)
{
	return (bar->base & 1) != 0;
}

static bool
bar_is_enabled(const struct fake_freebsd_device *dev, const struct fake_freebsd_bar *bar)
{
	return (command_of(dev) & (fake_freebsd_bar_is_port(bar) ? 1 : 2)) != 0;
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

	for (dev = fake_freebsd_devices; dev != NULL; dev = dev->next)
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
		fake_freebsd_generation++;
	}
	if (offset != 0 && get(arg, 36, 4) != fake_freebsd_generation) {
		put(arg, 20, 4, 0);
		put(arg, 40, 4, 1);
		return 0;
	}
	for (dev = fake_freebsd_devices; dev != NULL; dev = dev->next, i++)
		if (i >= offset && nb < room)
			record_write(dev, matches + record_len * nb++, record_len);
	put(arg, 20, 4, nb);
	put(arg, 32, 4, offset + nb);
	put(arg, 36, 4, fake_freebsd_generation);
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
	if (fake_freebsd_bar_is_port(*bar))
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

static bool
port_is_in(uint32_t port, const struct fake_freebsd_bar *bar)
{
	return fake_freebsd_bar_is_port(bar) && bar->length != 0 &&
		port - (uint32_t)(bar->base & ~3ull) < bar->length;
}

static struct fake_freebsd_device *
device_of_port(uint32_t port, unsigned int *bar)
{
	struct fake_freebsd_device *dev;

	for (dev = fake_freebsd_devices; dev != NULL; dev = dev->next)
		for (*bar = 0; *bar < FAKE_FREEBSD_BARS; (*bar)++)
			if (port_is_in(port, &dev->bar[*bar]))
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

/* ---- requests ---- */

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

int
fake_freebsd_answer(const struct open_file *file, unsigned long request, void *arg)
{
	size_t i;

	for (i = 0; i < RTE_DIM(requests); i++)
		if (requests[i].request == request && requests[i].kind == (int)file->kind)
			return requests[i].answer(file, arg);
	fail_msg("request %#lx", request);
	return -ENOTTY;
}
