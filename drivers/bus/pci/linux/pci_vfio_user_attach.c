/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <linux/vfio.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_vfio_user.h>

#include "pci_scan.h"
#include "pci_vfio_user.h"

/* Bytes of the header of configuration space: PCI Local Bus Specification 3.0, 6.1. */
#define HEADER_LEN 64

/* Time limit of a request, also of a reset, if the user says nothing. */
#define TIMEOUT_MS 5000u

static const struct {
	int rc;
	const char *why;
} attach_errors[] = {
	{ -ENOENT, "there is no such socket" },
	{ -ECONNREFUSED, "nobody listens at this socket" },
	{ -EACCES, "permission denied" },
	{ -ENOTSOCK, "this is not a socket" },
	{ -EPROTO, "who listens is no vfio-user server, or not a sound one" },
	{ -EPROTONOSUPPORT, "the server speaks another version of vfio-user" },
	{ -EPROTOTYPE, "this is not a stream socket" },
	{ -ENODEV, "the server's device is not a PCI device" },
	{ -ETIMEDOUT, "the server does not answer" },
	{ -ENOSPC, "too many vfio-user devices" },
};

const char *
pci_vfio_user_attach_error(int rc)
{
	size_t i;

	for (i = 0; i < RTE_DIM(attach_errors); i++)
		if (attach_errors[i].rc == rc)
			return attach_errors[i].why;
	return rte_strerror(-rc);
}

/* A PCI device has the header, whatever its server says. */
static int
config_check(int dev_id)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = PCI_REGION_CONFIG };
	int rc;

	rc = rte_vfio_user_get_reg_info(dev_id, &info, NULL);
	if (rc != 0)
		return rc == -EINVAL ? -EPROTO : rc;
	return info.size >= HEADER_LEN ? 0 : -EPROTO;
}

static uint16_t
le16_at(const uint8_t *bytes, size_t offset)
{
	return (uint16_t)(bytes[offset] | bytes[offset + 1] << 8);
}

/* Header type 0 has the subsystem. */
static struct rte_pci_id
header_id(const uint8_t *header)
{
	struct rte_pci_id id = {
		.vendor_id = le16_at(header, 0x00),
		.device_id = le16_at(header, 0x02),
		.class_id = (uint32_t)header[0x0b] << 16 | le16_at(header, 0x09),
	};

	if ((header[0x0e] & 0x7f) != 0)
		return id;
	id.subsystem_vendor_id = le16_at(header, 0x2c);
	id.subsystem_device_id = le16_at(header, 0x2e);
	return id;
}

/* What cannot be told now will be an error when the device is opened. */
static uint64_t
bar_len(int dev_id, unsigned int bar)
{
	struct vfio_region_info info = { .argsz = sizeof(info), .index = bar };

	return rte_vfio_user_get_reg_info(dev_id, &info, NULL) == 0 ? info.size : 0;
}

int
pci_vfio_user_identify(int dev_id, struct pci_ident *ident)
{
	uint8_t header[HEADER_LEN];
	unsigned int bar;
	int rc;

	rc = config_check(dev_id);
	if (rc == 0)
		rc = rte_vfio_user_region_read(dev_id, PCI_REGION_CONFIG, 0, sizeof(header),
			header);
	if (rc != 0)
		return rc;
	*ident = (struct pci_ident){ .id = header_id(header), .numa_node = -1 };
	for (bar = 0; bar < PCI_MAX_RESOURCE; bar++)
		ident->bar[bar].len = bar_len(dev_id, bar);
	return 0;
}

int
pci_vfio_user_attach(const struct pci_vfio_user_target *target, struct pci_ident *ident)
{
	const uint32_t timeout_ms = target->timeout_ms != 0 ? target->timeout_ms : TIMEOUT_MS;
	const struct rte_vfio_user_attach_options options = {
		.size = sizeof(options),
		.timeout_ms = timeout_ms,
		.reset_timeout_ms = timeout_ms,
	};
	int dev_id, rc;

	dev_id = rte_vfio_user_attach_dev_opt(target->path, &options);
	if (dev_id < 0)
		return dev_id;
	rc = pci_vfio_user_identify(dev_id, ident);
	if (rc == 0)
		return dev_id;
	rte_vfio_user_detach_dev(dev_id);
	return rc == -ENODEV ? -ENOTCONN : rc;
}
