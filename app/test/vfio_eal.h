/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef VFIO_EAL_H
#define VFIO_EAL_H

/**
 * @file
 * What suites about EAL's VFIO share: a fake kernel with a device, EAL's start with what it tells
 * in the log of eal_session.h, opening devices, mapping memory. Functions fail the test if they
 * cannot do what they should.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_vfio.h"

#define KB4 UINT64_C(0x1000)
#define MB2 UINT64_C(0x200000)
#define GROUP 7	/**< of the device */
#define IOVA UINT64_C(0x10000000)	/**< below all virtual addresses of our memory */
#define TOKEN "14d63f20-8445-11ea-8900-1f9ce7d5650d"

/** A test while EAL runs and has devices by their groups. */
#define VFIO_EAL_TEST(name_) \
	cmocka_unit_test_setup_teardown(name_, vfio_eal_setup, vfio_eal_teardown)

/** One that starts EAL by itself. */
#define VFIO_EAL_TEST_UNSTARTED(name_) \
	cmocka_unit_test_setup_teardown(name_, vfio_eal_setup_kernel, vfio_eal_teardown)

/** The same on a kernel that has nodes of devices. */
#define VFIO_EAL_TEST_NODES(name_) \
	cmocka_unit_test_setup_teardown(name_, vfio_eal_setup_nodes, vfio_eal_teardown)

/** One that runs while EAL has devices by their nodes. */
#define VFIO_EAL_TEST_CDEV(name_) \
	{ #name_ " (cdev)", name_, vfio_eal_setup_cdev, vfio_eal_teardown, NULL }

/** What holds by groups and by the device's own node. */
#define VFIO_EAL_TEST_BOTH(name_) VFIO_EAL_TEST(name_), VFIO_EAL_TEST_CDEV(name_)

/** With cdev alone, where groups would be another way out. */
#define VFIO_EAL_TEST_EACH(name_) VFIO_EAL_TEST(name_), \
	{ #name_ " (cdev)", name_, vfio_eal_setup_cdev_only, vfio_eal_teardown, NULL }

extern struct fake_vfio *vfio_eal_kernel;

/** The device that is there. */
extern struct fake_device *vfio_eal_card;

int vfio_eal_setup(void **state);
int vfio_eal_setup_kernel(void **state);
int vfio_eal_setup_nodes(void **state);
int vfio_eal_setup_cdev(void **state);
int vfio_eal_setup_cdev_only(void **state);
int vfio_eal_teardown(void **state);

/** Start EAL with one option or none; what it tells after that goes to eal_log_text(). */
void vfio_eal_start(const char *option);
void vfio_eal_stop(void);

/** One more device, bound to vfio-pci. */
struct fake_device *vfio_eal_add(const char *name, int group);

/** One without an IOMMU, on a kernel that now permits that. */
struct fake_device *vfio_eal_add_noiommu(const char *name, int group);

/** What rte_vfio_setup_device() returns; @p fd is -1 if that fails. */
int vfio_eal_open(const char *name, int *fd);
void vfio_eal_close(const char *name, int fd);

/** The device that is there, by its descriptor. */
int vfio_eal_open_card(void);
void vfio_eal_close_card(int fd);

/** What opening and closing it gives; @p iommu is what was behind it meanwhile. */
int vfio_eal_try(const struct fake_device *dev, int *iommu);

void vfio_assert_opened_by_node(const struct fake_device *dev);

/** @p wanted is the kind of IOMMU that its group gets. */
void vfio_assert_opened_by_group(const struct fake_device *dev, int wanted);

/** Opening it fails, and a text is in the log. */
void vfio_assert_refused(const struct fake_device *dev, int rc, const char *text);

/** Memory that is not EAL's, to be given back by munmap(). */
uint8_t *vfio_eal_pages(size_t len);

/** Map and unmap it for devices in the default container, as its functions do. */
int vfio_eal_map(const uint8_t *mem, uint64_t iova, uint64_t len);
int vfio_eal_unmap(const uint8_t *mem, uint64_t iova, uint64_t len);

/** Memory is at its own address for devices. */
bool vfio_eal_is_mapped(const struct fake_container *container, const void *addr, size_t len);

/** The same of addresses where no memory need be. */
bool vfio_eal_range_is_mapped(const struct fake_container *container, uint64_t at, size_t len);

/** The mapping that the device that is there has at an address, or NULL. */
const struct fake_dma *vfio_eal_mapped_at(uint64_t iova);

#endif /* VFIO_EAL_H */
