/* SPDX-License-Identifier: BSD-3-Clause */

/* The kernel's side of a device's files in sysfs. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_pci.h>

#include "fake_uio_priv.h"
#include "test.h"

static ssize_t
config_pread(void *ctx, void *buf, size_t len, off_t off)
{
	struct fake_uio *uio = ctx;
	off_t end = uio->unprivileged ? RTE_PCI_STD_HEADER_SIZEOF : CONFIG_SIZE;
	ssize_t n;
	int fd;

	if (off >= end)
		return 0;
	fd = fake_uio_config_open(uio);
	n = pread(fd, buf, RTE_MIN(len, (size_t)(end - off)), off);
	fake_uio_fd_close(fd);
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
	fd = fake_uio_config_open(uio);
	n = pwrite(fd, buf, RTE_MIN(len, (size_t)(CONFIG_SIZE - off)), off);
	fake_uio_fd_close(fd);
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

	fake_uio_path(uio, file, path);
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

int
fake_uio_files_open(void *ctx, const char *path, int flags)
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

int
fake_uio_files_access(void *ctx, const char *path)
{
	const struct fake_uio *uio = ctx;
	char real[PATH_MAX];

	fake_uio_path(uio, path + strlen(uio->files_path), real);
	return access(real, F_OK) == 0 ? 0 : -errno;
}
