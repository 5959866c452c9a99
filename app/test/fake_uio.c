/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_eal_paging.h>
#include <rte_pci.h>

#include "fake_port.h"
#include "fake_uio.h"
#include "test.h"

#define CONFIG_SIZE 256
/* What the kernel maps at once. */
#define PAGE ((uint64_t)rte_mem_page_size())

/* ---- files ---- */

static void
device_path(const struct fake_uio *uio, const char *file, char path[PATH_MAX])
{
	assert_in_range(snprintf(path, PATH_MAX, "%s/%s/%s", uio->fs->devices, uio->desc.name,
		file), 1, PATH_MAX - 1);
}

/* An offset in a BAR to one in its file: a mapping begins where the page of the BAR does. */
static uint64_t
file_offset(const struct fake_uio *uio, unsigned int bar, uint64_t offset)
{
	return uio->desc.bar[bar].start % PAGE + offset;
}

static int
bar_open(const struct fake_uio *uio, unsigned int bar)
{
	char name[16], path[PATH_MAX];
	int fd;

	snprintf(name, sizeof(name), "resource%u", bar);
	device_path(uio, name, path);
	interpose_bypass_begin();
	fd = open(path, O_RDWR | O_CLOEXEC);
	interpose_bypass_end();
	assert_true(fd >= 0);
	return fd;
}

static void
fd_close(int fd)
{
	interpose_bypass_begin();
	close(fd);
	interpose_bypass_end();
}

void
fake_uio_peek(const struct fake_uio *uio, unsigned int bar, uint64_t offset, void *buf, size_t len)
{
	int fd = bar_open(uio, bar);

	interpose_bypass_begin();
	assert_int_equal(pread(fd, buf, len, (off_t)file_offset(uio, bar, offset)), len);
	interpose_bypass_end();
	fd_close(fd);
}

void
fake_uio_poke(const struct fake_uio *uio, unsigned int bar, uint64_t offset, const void *buf,
	size_t len)
{
	int fd = bar_open(uio, bar);

	interpose_bypass_begin();
	assert_int_equal(pwrite(fd, buf, len, (off_t)file_offset(uio, bar, offset)), len);
	interpose_bypass_end();
	fd_close(fd);
}

static int
config_open(const struct fake_uio *uio)
{
	char path[PATH_MAX];
	int fd;

	device_path(uio, "config", path);
	interpose_bypass_begin();
	fd = open(path, O_RDWR | O_CLOEXEC);
	interpose_bypass_end();
	assert_true(fd >= 0);
	return fd;
}

uint16_t
fake_uio_config(const struct fake_uio *uio, unsigned int offset)
{
	uint8_t bytes[2];
	int fd = config_open(uio);
	ssize_t n;

	interpose_bypass_begin();
	n = pread(fd, bytes, sizeof(bytes), offset);
	interpose_bypass_end();
	fd_close(fd);
	if (n != sizeof(bytes))
		return UINT16_MAX;
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

void
fake_uio_config_set(const struct fake_uio *uio, unsigned int offset, uint16_t value)
{
	const uint8_t bytes[2] = { (uint8_t)value, (uint8_t)(value >> 8) };
	int fd = config_open(uio);

	interpose_bypass_begin();
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), offset), sizeof(bytes));
	interpose_bypass_end();
	fd_close(fd);
}

/* ---- the kernel's side of sysfs ---- */

static ssize_t
config_pread(void *ctx, void *buf, size_t len, off_t off)
{
	struct fake_uio *uio = ctx;
	off_t end = uio->unprivileged ? RTE_PCI_STD_HEADER_SIZEOF : CONFIG_SIZE;
	ssize_t n;
	int fd;

	if (off >= end)
		return 0;
	fd = config_open(uio);
	n = pread(fd, buf, RTE_MIN(len, (size_t)(end - off)), off);
	fd_close(fd);
	if (uio->irq_at_config_read)
		fake_uio_fire(uio);
	uio->irq_at_config_read = false;
	return n;
}

static ssize_t
config_pwrite(void *ctx, const void *buf, size_t len, off_t off)
{
	const struct fake_uio *uio = ctx;
	ssize_t n;
	int fd;

	if (uio->locked_down)
		return -EPERM;
	if (off >= CONFIG_SIZE)
		return 0;
	fd = config_open(uio);
	n = pwrite(fd, buf, RTE_MIN(len, (size_t)(CONFIG_SIZE - off)), off);
	fd_close(fd);
	return n;
}

static const struct interpose_fd_ops config_ops = {
	.pread = config_pread,
	.pwrite = config_pwrite,
};

/* The context of a BAR's file. */
struct bar_file {
	struct fake_uio *uio;
	unsigned int bar;
	bool writable;
};

static void
access_note(const struct bar_file *file, size_t len, off_t off, bool write)
{
	struct fake_uio *uio = file->uio;

	if (uio->nb_accesses < RTE_DIM(uio->accesses))
		uio->accesses[uio->nb_accesses] = (struct fake_uio_access){
			file->bar, (uint64_t)off, len, write };
	uio->nb_accesses++;
}

/* As drivers/pci/pci-sysfs.c of Linux: an access of the processor, or nothing. */
static ssize_t
ports_check(const struct bar_file *file, size_t len, off_t off)
{
	const uint64_t size = file->uio->desc.bar[file->bar].len;

	if (!file->uio->desc.bar[file->bar].ioport)
		return -EIO;
	if ((uint64_t)off >= size)
		return 0;
	if ((uint64_t)off + len > size || (len != 1 && len != 2 && len != 4))
		return -EINVAL;
	return (ssize_t)len;
}

static ssize_t
bar_pread(void *ctx, void *buf, size_t len, off_t off)
{
	const struct bar_file *file = ctx;
	ssize_t rc = ports_check(file, len, off);

	if (rc <= 0)
		return rc;
	access_note(file, len, off, false);
	fake_uio_peek(file->uio, file->bar, (uint64_t)off, buf, len);
	return rc;
}

static ssize_t
bar_pwrite(void *ctx, const void *buf, size_t len, off_t off)
{
	const struct bar_file *file = ctx;
	ssize_t rc = ports_check(file, len, off);

	if (!file->writable)
		return -EBADF;
	if (file->uio->locked_down)
		return -EPERM;
	if (rc <= 0)
		return rc;
	access_note(file, len, off, true);
	fake_uio_poke(file->uio, file->bar, (uint64_t)off, buf, len);
	return rc;
}

bool
fake_uio_port(struct fake_uio *uio, uint16_t port, void *buf, size_t width, bool write)
{
	const struct fake_uio_bar *desc;
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		desc = &uio->desc.bar[i];
		if (!desc->ioport || port < desc->start || port - desc->start >= desc->len)
			continue;
		access_note(&(struct bar_file){ .uio = uio, .bar = i },
			width, (off_t)(port - desc->start), write);
		if (write)
			fake_uio_poke(uio, i, port - desc->start, buf, width);
		else
			fake_uio_peek(uio, i, port - desc->start, buf, width);
		return true;
	}
	return false;
}

static int
bar_mmap(void *ctx, size_t len, int prot, int flags, off_t off)
{
	const struct bar_file *file = ctx;
	const uint64_t size = RTE_ALIGN_CEIL(file->uio->desc.bar[file->bar].len, PAGE);

	if (file->uio->locked_down)
		return -EPERM;
	if (file->uio->desc.bar[file->bar].ioport && !file->uio->desc.bar[file->bar].io_mapped)
		return -ENODEV;
	if ((flags & MAP_SHARED) == 0)
		return -EINVAL;
	if ((uint64_t)off + RTE_ALIGN_CEIL(len, PAGE) > size)
		return -EINVAL;
	return (prot & PROT_WRITE) != 0 && !file->writable ? -EACCES : 0;
}

static void
bar_close(void *ctx)
{
	free(ctx);
}

static const struct interpose_fd_ops bar_ops = {
	.mmap = bar_mmap,
	.pread = bar_pread,
	.pwrite = bar_pwrite,
	.close = bar_close,
};

static int
real_open(const struct fake_uio *uio, const char *file, int flags)
{
	char path[PATH_MAX];
	int fd;

	device_path(uio, file, path);
	fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

static int
bar_file_open(struct fake_uio *uio, const char *name, int flags)
{
	struct bar_file *file;
	int fd;

	if (uio->denied)
		return -EACCES;
	fd = real_open(uio, name, flags);
	if (fd < 0)
		return fd;
	file = calloc(1, sizeof(*file));
	assert_non_null(file);
	file->uio = uio;
	file->bar = (unsigned int)(name[strlen("resource")] - '0');
	file->writable = (flags & O_ACCMODE) == O_RDWR;
	interpose_route_fd(fd, &bar_ops, file);
	if (strlen(uio->opened) + strlen(name) + 2 < sizeof(uio->opened))
		strcat(strcat(uio->opened, name), " ");
	return fd;
}

static int
files_open(void *ctx, const char *path, int flags)
{
	struct fake_uio *uio = ctx;
	const char *name = path + strlen(uio->files_path);
	int fd;

	if (uio->read_only && (flags & O_ACCMODE) != O_RDONLY)
		return -EROFS;
	if (uio->all_may_read && (flags & O_ACCMODE) != O_RDONLY)
		return -EACCES;
	if (strncmp(name, "resource", strlen("resource")) == 0 && name[strlen("resource")] != '\0')
		return bar_file_open(uio, name, flags);
	fd = real_open(uio, name, flags);
	if (fd >= 0 && strcmp(name, "config") == 0)
		interpose_route_fd(fd, &config_ops, uio);
	return fd;
}

static int
files_access(void *ctx, const char *path)
{
	const struct fake_uio *uio = ctx;
	char real[PATH_MAX];

	device_path(uio, path + strlen(uio->files_path), real);
	return access(real, F_OK) == 0 ? 0 : -errno;
}

/* ---- /dev/uioN ---- */

static bool
is_generic(const struct fake_uio *uio)
{
	return strcmp(uio->desc.driver, "uio_pci_generic") == 0;
}

static void
bus_master_clear(const struct fake_uio *uio)
{
	uint16_t command = fake_uio_config(uio, RTE_PCI_COMMAND);

	if (command != UINT16_MAX)
		fake_uio_config_set(uio, RTE_PCI_COMMAND, command & ~RTE_PCI_COMMAND_MASTER);
}

/* Both drivers see to it that a process that ends is reached by no more transfers. */
static void
node_close(void *ctx)
{
	struct fake_uio *uio = ctx;

	fake_uio_irqcontrol(uio);
	close(uio->peer);
	uio->peer = -1;
	uio->nb_node_open--;
	bus_master_clear(uio);
}

static const struct interpose_fd_ops node_ops = {
	.close = node_close,
};

static int
node_open(void *ctx, const char *path, int flags)
{
	struct fake_uio *uio = ctx;
	int fd[2];

	assert_int_equal(flags & O_ACCMODE, O_RDWR);
	if (uio->node_err != 0)
		return -uio->node_err;
	assert_int_equal(uio->nb_node_open, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	if ((flags & O_NONBLOCK) != 0)
		assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	uio->peer = fd[1];
	if (uio->no_irq)
		shutdown(fd[0], SHUT_RDWR);
	if (!is_generic(uio))
		fake_uio_config_set(uio, RTE_PCI_COMMAND, RTE_PCI_COMMAND_MASTER |
			fake_uio_config(uio, RTE_PCI_COMMAND));
	uio->nb_node_open++;
	uio->nb_node_opened++;
	interpose_route_fd(fd[0], &node_ops, uio);
	return fd[0];
}

int
fake_uio_irqcontrol(struct fake_uio *uio)
{
	int32_t value;
	int last = -1;

	while (uio->peer >= 0 && recv(uio->peer, &value, sizeof(value), MSG_DONTWAIT) ==
			sizeof(value))
		last = value;
	if (last >= 0)
		uio->irqcontrol = last;
	return last;
}

static bool
is_masked(struct fake_uio *uio)
{
	if (is_generic(uio))
		return (fake_uio_config(uio, RTE_PCI_COMMAND) & RTE_PCI_COMMAND_INTX_DISABLE) != 0;
	fake_uio_irqcontrol(uio);
	return uio->irqcontrol != 1;
}

bool
fake_uio_fire(struct fake_uio *uio)
{
	if (uio->peer < 0 || is_masked(uio))
		return false;
	uio->irqcontrol = 0;
	if (is_generic(uio))
		fake_uio_config_set(uio, RTE_PCI_COMMAND, RTE_PCI_COMMAND_INTX_DISABLE |
			fake_uio_config(uio, RTE_PCI_COMMAND));
	uio->nb_interrupts++;
	assert_int_equal(send(uio->peer, &uio->nb_interrupts, sizeof(uio->nb_interrupts), 0),
		sizeof(uio->nb_interrupts));
	return true;
}

/* ---- devices ---- */

static void
file_make(const struct fake_uio *uio, const char *name, uint64_t size)
{
	char path[PATH_MAX];
	int fd;

	device_path(uio, name, path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	close(fd);
}

static void
bar_make(const struct fake_uio *uio, unsigned int bar)
{
	const struct fake_uio_bar *desc = &uio->desc.bar[bar];
	char name[16], path[PATH_MAX], link_path[PATH_MAX];

	if (desc->len == 0 || desc->no_file)
		return;
	snprintf(name, sizeof(name), "resource%u", bar);
	file_make(uio, name, RTE_ALIGN_CEIL(desc->len, PAGE));
	if (!desc->wc)
		return;
	device_path(uio, name, path);
	strcat(name, "_wc");
	device_path(uio, name, link_path);
	assert_int_equal(link(path, link_path), 0);
}

static void
resource_make(const struct fake_uio *uio)
{
	char text[PCI_MAX_RESOURCE * 64] = "";
	const struct fake_uio_bar *bar;
	unsigned int i;
	size_t at = 0;

	for (i = 0; i < PCI_MAX_RESOURCE; i++) {
		bar = &uio->desc.bar[i];
		at += (size_t)snprintf(text + at, sizeof(text) - at,
			"0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016x\n", bar->start,
			bar->len == 0 ? 0 : bar->start + bar->len - 1, bar->len == 0 ? 0 :
			(bar->ioport ? 0x40101u : 0x40200u) | (bar->unset ? 0x20000000u : 0));
	}
	fake_sysfs_set(uio->fs, uio->desc.name, "resource", text);
}

static void
folder_make(const struct fake_uio *uio)
{
	char path[PATH_MAX], *slash;

	device_path(uio, uio->desc.folder, path);
	slash = strrchr(path, '/');
	*slash = '\0';
	mkdir(path, 0755);
	*slash = '/';
	if (slash[1] != '\0')
		assert_int_equal(mkdir(path, 0755), 0);
}

/* A page of its own for each BAR that does not say where it is. */
static void
starts_choose(struct fake_uio_desc *desc)
{
	unsigned int i;

	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		if (desc->bar[i].start == 0 && desc->bar[i].len != 0 && !desc->bar[i].unset)
			desc->bar[i].start = desc->bar[i].ioport ? 0xc000 + 0x100 * i :
				UINT64_C(0xe0000000) + i * UINT64_C(0x1000000);
}

static void
routes_make(struct fake_uio *uio)
{
	const char *number = strpbrk(uio->desc.folder, ":/");

	number = number == NULL || number[1] == '\0' ? "uio-none" : number + 1;
	snprintf(uio->files_path, sizeof(uio->files_path), "%s/", uio->desc.name);
	snprintf(uio->node_path, sizeof(uio->node_path), "/dev/%s", number);
	uio->files = (struct interpose_path){
		.path = uio->files_path, .open = files_open, .access = files_access,
		.ctx = uio };
	uio->node = (struct interpose_path){
		.path = uio->node_path, .open = node_open, .ctx = uio };
	interpose_route_path(&uio->files);
	interpose_route_path(&uio->node);
}

struct fake_uio *
fake_uio_add(const struct fake_sysfs *fs, const struct fake_uio_desc *desc)
{
	struct fake_uio *uio = calloc(1, sizeof(*uio));
	unsigned int i;

	assert_non_null(uio);
	fake_port_protect();
	uio->desc = *desc;
	uio->fs = fs;
	uio->peer = -1;
	uio->irqcontrol = -1;
	if (desc->driver == NULL)
		uio->desc.driver = "uio_pci_generic";
	if (desc->folder == NULL)
		uio->desc.folder = "uio/uio7";
	starts_choose(&uio->desc);
	fake_sysfs_add(fs, desc->name, &(struct fake_sysfs_desc){
		.driver = uio->desc.driver, .vendor = desc->vendor, .device = desc->device });
	resource_make(uio);
	file_make(uio, "config", CONFIG_SIZE);
	fake_uio_config_set(uio, RTE_PCI_VENDOR_ID, desc->vendor);
	fake_uio_config_set(uio, RTE_PCI_DEVICE_ID, desc->device);
	fake_uio_config_set(uio, RTE_PCI_COMMAND, RTE_PCI_COMMAND_MEMORY | 1);
	for (i = 0; i < PCI_MAX_RESOURCE; i++)
		bar_make(uio, i);
	folder_make(uio);
	routes_make(uio);
	return uio;
}

void
fake_uio_remove(struct fake_uio *uio)
{
	assert_int_equal(uio->nb_node_open, 0);
	interpose_unroute_path(&uio->files);
	interpose_unroute_path(&uio->node);
	fake_sysfs_remove(uio->fs, uio->desc.name);
	free(uio);
}
