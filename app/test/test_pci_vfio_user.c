/* SPDX-License-Identifier: BSD-3-Clause */

/* Devices that another process emulates, on the PCI bus: the way from a path to a driver. */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <bus_driver.h>
#include <bus_pci_driver.h>
#include <rte_common.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_edu.h>
#include <rte_malloc.h>

#include "../vfio-user/devices.h"
#include "eal_session.h"
#include "fake_sysfs.h"
#include "test.h"

#define TIMEOUT_MS 20000

struct fixture {
	struct fake_sysfs *system;	/* empty: what this machine has is not ours */
	char dir[16];
	char path[32];
	char name[64];
	struct rte_vfio_user_pci *pci;	/* served at the path */
};

static struct fixture fixture;

static struct rte_vfio_user_pci *
edu_serve(const char *path)
{
	struct rte_vfio_user_pci *pci;

	assert_int_equal(device_edu.make(0, &pci), 0);
	assert_true(rte_vfio_user_pci_start(pci, path, NULL) >= 0);
	return pci;
}

static int
setup(void **state)
{
	struct fixture *f = &fixture;

	memset(f, 0, sizeof(*f));
	f->system = fake_sysfs_start();
	strcpy(f->dir, "/tmp/vuXXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%.15s/edu", f->dir);
	snprintf(f->name, sizeof(f->name), "vfio-user:%.15s/edu", f->dir);
	f->pci = edu_serve(f->path);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	eal_session_stop();
	if (f->pci != NULL)
		device_edu.destroy(f->pci);
	fake_sysfs_stop(f->system);
	return rmdir(f->dir);
}

static void
session_start(const char *allow)
{
	const char *const args[] = { "-a", allow, NULL };

	eal_session_start(args);
}

static struct rte_device *
device_with(const char *filter)
{
	struct rte_dev_iterator it;
	struct rte_device *dev;

	RTE_DEV_FOREACH(dev, filter, &it)
		return dev;
	return NULL;
}

static struct rte_pci_device *
the_device(void)
{
	struct rte_device *dev = device_with("bus=pci");

	assert_non_null(dev);
	return RTE_DEV_TO_PCI(dev);
}

static void
edu_works(const char *name)
{
	struct rte_edu *edu;
	uint32_t result = 0;
	char text[32] = "";

	assert_int_equal(rte_edu_open(name, &edu), 0);
	assert_int_equal(rte_edu_factorial(edu, 10, &result, TIMEOUT_MS), 0);
	assert_int_equal(result, 3628800);
	assert_int_equal(rte_edu_dma_write(edu, 0, "there and back", 15, TIMEOUT_MS), 0);
	assert_int_equal(rte_edu_dma_read(edu, 0, text, 15, TIMEOUT_MS), 0);
	assert_string_equal(text, "there and back");
	rte_edu_close(edu);
}

/* ---- from a path to a device ---- */

static void
test_path_is_a_device_of_the_bus(void **state)
{
	struct fixture *f = *state;
	struct rte_pci_device *pci;

	session_start(f->name);
	pci = the_device();
	assert_string_equal(pci->device.name, f->name);
	assert_true(pci->addr.domain > 0xffffff);
	assert_int_equal(pci->id.vendor_id, 0x1234);
	assert_int_equal(pci->id.device_id, 0x11e8);
	assert_int_equal(pci->id.class_id, 0x00ff00);
	assert_int_equal(pci->id.subsystem_vendor_id, 0x1af4);
	assert_int_equal(pci->id.subsystem_device_id, 0x1100);
	assert_int_equal(pci->mem_resource[0].len, 1 << 20);
	assert_int_equal(pci->mem_resource[2].len, 1 << 16);
}

/* Where physical addresses can be had, too: what the server is told are not the machine's. */
static void
test_device_is_given_virtual_addresses(void **state)
{
	const struct rte_bus *bus;
	struct fixture *f = *state;

	session_start(f->name);
	bus = rte_bus_find_by_name("pci");
	assert_non_null(bus);
	assert_int_equal(bus->get_iommu_class(), RTE_IOVA_VA);
	assert_int_equal(rte_eal_iova_mode(), RTE_IOVA_VA);
}

static void
test_unchanged_driver_drives_it(void **state)
{
	struct fixture *f = *state;

	session_start(f->name);
	edu_works(f->name);
}

static void
test_layered_form_means_the_same_device(void **state)
{
	struct fixture *f = *state;
	char text[160];

	snprintf(text, sizeof(text), "bus=pci,backend=vfio-user,path=%s,timeout_ms=9000", f->path);
	session_start(text);
	assert_string_equal(the_device()->device.name, f->name);
	edu_works(f->name);
}

static void
test_filters_take_its_name_and_its_address(void **state)
{
	struct fixture *f = *state;
	struct rte_pci_device *pci;
	char filter[128];

	session_start(f->name);
	pci = the_device();
	snprintf(filter, sizeof(filter), "bus=pci,addr=%s", f->name);
	assert_ptr_equal(device_with(filter), &pci->device);
	snprintf(filter, sizeof(filter), "bus=pci,addr=%s", pci->name);
	assert_ptr_equal(device_with(filter), &pci->device);
	assert_null(device_with("bus=pci,addr=vfio-user:/elsewhere"));
}

/* 107 characters of path, more than a name may have. */
static void
test_longest_path_takes_the_layered_form(void **state)
{
	struct fixture *f = *state;
	struct rte_vfio_user_pci *other;
	char path[108], text[160];
	struct rte_device *dev;

	memset(path, 'x', sizeof(path));
	memcpy(path, f->dir, strlen(f->dir));
	path[strlen(f->dir)] = '/';
	path[107] = '\0';
	other = edu_serve(path);
	snprintf(text, sizeof(text), "bus=pci,backend=vfio-user,path=%s", path);
	session_start(text);
	dev = device_with("bus=pci");
	assert_non_null(dev);
	assert_string_equal(dev->name, RTE_DEV_TO_PCI(dev)->name);
	edu_works(dev->name);
	assert_int_equal(rte_dev_remove(dev), 0);
	assert_int_equal(rte_dev_probe(text), 0);
	edu_works(dev->name);
	device_edu.destroy(other);
}

static void
test_devices_are_several(void **state)
{
	struct fixture *f = *state;
	struct rte_vfio_user_pci *other;
	char path[64], name[96];
	const char *const args[] = { "-a", f->name, "-a", name, NULL };

	snprintf(path, sizeof(path), "%s/other", f->dir);
	snprintf(name, sizeof(name), "vfio-user:%s/other", f->dir);
	other = edu_serve(path);
	eal_session_start(args);
	edu_works(f->name);
	edu_works(name);
	device_edu.destroy(other);
}

static void
test_device_is_added_and_removed_while_running(void **state)
{
	struct fixture *f = *state;
	struct rte_device *dev;
	unsigned int i;

	eal_session_start(NULL);
	for (i = 0; i < 3; i++) {
		assert_int_equal(rte_dev_probe(f->name), 0);
		edu_works(f->name);
		dev = device_with("bus=pci");
		assert_non_null(dev);
		assert_int_equal(rte_dev_remove(dev), 0);
	}
}

/* ---- what is not there ---- */

static void
refused(const char *allow, const char *why)
{
	const char *log;

	eal_log_capture();
	session_start(allow);
	log = eal_log_text();
	if (strstr(log, why) == NULL)
		fail_msg("%s: no \"%s\" in: %s", allow, why, log);
	assert_null(device_with("bus=pci"));
	/* another scan does not say it again */
	assert_int_equal(rte_bus_scan(), 0);
	assert_null(strstr(eal_log_text(), why));
	eal_log_release();
}

static void
test_socket_that_is_not_there_is_named(void **state)
{
	refused("vfio-user:/tmp/there/is/nothing", "there is no such socket");
}

static void
test_socket_without_listener_is_named(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char name[96];
	int sock = socket(AF_UNIX, SOCK_STREAM, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/dead", f->dir);
	snprintf(name, sizeof(name), "vfio-user:%s/dead", f->dir);
	assert_int_equal(bind(sock, (struct sockaddr *)&addr, sizeof(addr)), 0);
	refused(name, "nobody listens");
	close(sock);
	unlink(addr.sun_path);
}

static void
test_file_that_is_no_socket_is_named(void **state)
{
	struct fixture *f = *state;
	char path[64], name[96];

	snprintf(path, sizeof(path), "%s/file", f->dir);
	snprintf(name, sizeof(name), "vfio-user:%s/file", f->dir);
	close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	refused(name, "this is not a socket");
	unlink(path);
}

static void
test_impossible_devices_are_refused(void **state)
{
	static const char *const texts[] = {
		"bus=pci,backend=vfio-user",
		"bus=pci,backend=vfio-user,path=",
		"bus=pci,backend=vfio-user,path=/x,timeout_ms=",
		"bus=pci,backend=vfio-user,path=/x,timeout_ms=never",
		"bus=pci,backend=vfio-user,path=/x,colour=green",
		"bus=pci,backend=vfio,path=/x",
		"bus=pci,backend=nothing,path=/x",
		"bus=pci,addr=vfio-user:",
	};
	size_t i;

	eal_session_start(NULL);
	for (i = 0; i < RTE_DIM(texts); i++)
		assert_true(rte_dev_probe(texts[i]) < 0);
}

#define VU_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
	VU_TEST(test_path_is_a_device_of_the_bus),
	VU_TEST(test_device_is_given_virtual_addresses),
	VU_TEST(test_unchanged_driver_drives_it),
	VU_TEST(test_layered_form_means_the_same_device),
	VU_TEST(test_filters_take_its_name_and_its_address),
	VU_TEST(test_longest_path_takes_the_layered_form),
	VU_TEST(test_devices_are_several),
	VU_TEST(test_device_is_added_and_removed_while_running),
	VU_TEST(test_socket_that_is_not_there_is_named),
	VU_TEST(test_socket_without_listener_is_named),
	VU_TEST(test_file_that_is_no_socket_is_named),
	VU_TEST(test_impossible_devices_are_refused),
};

TEST_SUITE(pci_vfio_user, "functional", tests, NULL, NULL)
