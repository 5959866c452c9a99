/* SPDX-License-Identifier: BSD-3-Clause */

/* Requests with their answers, and what is to be thought of them. */

#include <string.h>

#include <rte_common.h>

#include "check_rule.h"

int
check_call_fds(struct check *c, uint16_t cmd, const void *payload, size_t len, const int *fds,
	unsigned int nb_fds)
{
	check_send(c, cmd, 0, payload, len, fds, nb_fds);
	if (!check_receive(c))
		return CHECK_CLOSED;
	if (!(c->hdr.flags & WIRE_ERROR))
		return CHECK_DONE;
	return c->hdr.error == 0 || c->hdr.error > INT32_MAX ? CHECK_UNNAMED : (int)c->hdr.error;
}

int
check_call(struct check *c, uint16_t cmd, const void *payload, size_t len)
{
	return check_call_fds(c, cmd, payload, len, NULL, 0);
}

static const char *
outcome(int err)
{
	return err == CHECK_CLOSED ? "the connection is closed" :
		err == CHECK_UNNAMED ? "refused" : strerror(err);
}

void
check_done(struct check *c, int err, const char *what)
{
	CHECK_EXPECT(c, err == CHECK_DONE, "%s: %s", what, outcome(err));
}

void
check_refused(struct check *c, int err, const char *what)
{
	CHECK_EXPECT(c, err != CHECK_CLOSED, "%s: the connection is closed, not answered", what);
	CHECK_EXPECT(c, err != CHECK_DONE, "%s: accepted", what);
}

void
check_refused_or_closed(struct check *c, int err, const char *what)
{
	CHECK_EXPECT(c, err != CHECK_DONE, "%s: accepted", what);
}

void
check_len(struct check *c, size_t len)
{
	CHECK_EXPECT(c, c->len == len, "the payload has %zu bytes instead of %zu", c->len, len);
}

/* ---- commands ---- */

int
check_version(struct check *c, uint16_t major, uint16_t minor, const void *text, size_t len)
{
	const struct wire_version version = { .major = major, .minor = minor };
	uint8_t payload[1024];

	memcpy(payload, &version, sizeof(version));
	len = RTE_MIN(len, sizeof(payload) - sizeof(version));
	if (len > 0)
		memcpy(payload + sizeof(version), text, len);
	return check_call(c, WIRE_VERSION, payload, sizeof(version) + len);
}

int
check_get_info(struct check *c, uint32_t argsz)
{
	const struct wire_info info = { .argsz = argsz };

	return check_call(c, WIRE_GET_INFO, &info, sizeof(info));
}

int
check_region_info(struct check *c, uint32_t index, uint32_t argsz)
{
	const struct vfio_region_info info = { .argsz = argsz, .index = index };

	return check_call(c, WIRE_GET_REGION_INFO, &info, sizeof(info));
}

int
check_irq_info(struct check *c, uint32_t index, uint32_t argsz)
{
	const struct vfio_irq_info info = { .argsz = argsz, .index = index };

	return check_call(c, WIRE_GET_IRQ_INFO, &info, sizeof(info));
}

int
check_read(struct check *c, uint32_t region, uint64_t offset, uint32_t count)
{
	const struct wire_access access = { .offset = offset, .region = region, .count = count };

	return check_call(c, WIRE_REGION_READ, &access, sizeof(access));
}

int
check_map(struct check *c, uint64_t addr, uint64_t size, uint32_t flags, int fd, uint64_t offset)
{
	const struct wire_map map = { .argsz = sizeof(map), .flags = flags, .offset = offset,
		.addr = addr, .size = size };

	return check_call_fds(c, WIRE_DMA_MAP, &map, sizeof(map), &fd, fd >= 0 ? 1 : 0);
}

int
check_unmap(struct check *c, uint64_t addr, uint64_t size, uint32_t flags)
{
	const struct wire_unmap unmap = { .argsz = sizeof(unmap), .flags = flags, .addr = addr,
		.size = size };

	return check_call(c, WIRE_DMA_UNMAP, &unmap, sizeof(unmap));
}

int
check_set_irqs(struct check *c, uint32_t flags, uint32_t index, uint32_t start, uint32_t count,
	const int *fds, unsigned int nb_fds)
{
	const struct vfio_irq_set set = { .argsz = sizeof(set), .flags = flags, .index = index,
		.start = start, .count = count };

	return check_call_fds(c, WIRE_SET_IRQS, &set, sizeof(set), fds, nb_fds);
}
