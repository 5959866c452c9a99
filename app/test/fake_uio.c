/* SPDX-License-Identifier: BSD-3-Clause */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_pci.h>

#include "fake_port.h"
#include "fake_uio_priv.h"
#include "test.h"

/* ---- files ---- */

void
fake_uio_path(const struct fake_uio *uio, const char *file, char path[PATH_MAX])
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
	fake_uio_path(uio, name, path);
	interpose_bypass_begin();
	fd = open(path, O_RDWR | O_CLOEXEC);
	interpose_bypass_end();
	assert_true(fd >= 0);
	return fd;
}

void
fake_uio_fd_close(int fd)
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
	fake_uio_fd_close(fd);
}

void
fake_uio_poke(const struct fake_uio *uio, unsigned int bar, uint64_t offset, const void *buf,
	size_t len)
{
	int fd = bar_open(uio, bar);

	interpose_bypass_begin();
	assert_int_equal(pwrite(fd, buf, len, (off_t)file_offset(uio, bar, offset)), len);
	interpose_bypass_end();
	fake_uio_fd_close(fd);
}

int
fake_uio_config_open(const struct fake_uio *uio)
{
	char path[PATH_MAX];
	int fd;

	fake_uio_path(uio, "config", path);
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
	int fd = fake_uio_config_open(uio);
	ssize_t n;

	interpose_bypass_begin();
	n = pread(fd, bytes, sizeof(bytes), offset);
	interpose_bypass_end();
	fake_uio_fd_close(fd);
	if (n != sizeof(bytes))
		return UINT16_MAX;
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

void
fake_uio_config_set(const struct fake_uio *uio, unsigned int offset, uint16_t value)
{
	const uint8_t bytes[2] = { (uint8_t)value, (uint8_t)(value >> 8) };
	int fd = fake_uio_config_open(uio);

	interpose_bypass_begin();
	assert_int_equal(pwrite(fd, bytes, sizeof(bytes), offset), sizeof(bytes));
	interpose_bypass_end();
	fake_uio_fd_close(fd);
}

/* ---- devices ---- */

static void
file_make(const struct fake_uio *uio, const char *name, uint64_t size)
{
	char path[PATH_MAX];
	int fd;

	fake_uio_path(uio, name, path);
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
	fake_uio_path(uio, name, path);
	strcat(name, "_wc");
	fake_uio_path(uio, name, link_path);
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

	fake_uio_path(uio, uio->desc.folder, path);
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
		.path = uio->files_path, .open = fake_uio_files_open,
		.access = fake_uio_files_access, .ctx = uio };
	uio->node = (struct interpose_path){
		.path = uio->node_path, .open = fake_uio_node_open, .ctx = uio };
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
