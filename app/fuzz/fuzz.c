/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fuzz.h"
#include "vu_golden.h"

#define FDS_MAX 7u

struct fuzz_reached fuzz_reached;

int
fuzz_packet_next(const uint8_t **data, size_t *len, struct fuzz_packet *packet)
{
	const uint8_t *at = *data;
	size_t size;

	if (*len < FUZZ_PACKET_HEAD)
		return 0;
	size = at[0] | (size_t)at[1] << 8;
	*packet = (struct fuzz_packet) {
		.data = at + FUZZ_PACKET_HEAD,
		.nb_fds = at[2] & 7,
		.fd_kind = at[2] >> 3 & 7,
		.bit6 = at[2] >> 6 & 1,
		.bit7 = at[2] >> 7,
	};
	*len -= FUZZ_PACKET_HEAD;
	packet->len = size < *len ? size : *len;
	*data = packet->data + packet->len;
	*len -= packet->len;
	return 1;
}

static int
fd_memory(void)
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, 1 << 20) < 0)
		return fd;
	return fd;
}

static int
fd_open(unsigned int kind)
{
	if (kind == FUZZ_EVENTFD)
		return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (kind == FUZZ_MEMORY)
		return fd_memory();
	return open(kind == FUZZ_DIR ? "/" : "/dev/null", O_RDONLY | O_CLOEXEC);
}

int
fuzz_packet_send_fds(int sock, const struct fuzz_packet *packet, const int *fds,
	unsigned int nb_fds)
{
	union {
		struct cmsghdr hdr;
		char space[CMSG_SPACE(sizeof(int) * FDS_MAX)];
	} control = { .space = { 0 } };
	uintptr_t base = (uintptr_t)packet->data;
	struct iovec iov = { (void *)base, packet->len };
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nb_fds > 0) {
		mh.msg_control = &control;
		mh.msg_controllen = CMSG_SPACE(sizeof(int) * nb_fds);
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		control.hdr.cmsg_len = CMSG_LEN(sizeof(int) * nb_fds);
		memcpy(CMSG_DATA(&control.hdr), fds, sizeof(int) * nb_fds);
	}
	return sendmsg(sock, &mh, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int
fuzz_packet_send(int sock, const struct fuzz_packet *packet)
{
	int fds[FDS_MAX];
	unsigned int i;
	int rc;

	for (i = 0; i < packet->nb_fds; i++)
		fds[i] = fd_open(packet->fd_kind);
	rc = fuzz_packet_send_fds(sock, packet, fds, packet->nb_fds);
	for (i = 0; i < packet->nb_fds; i++)
		close(fds[i]);
	if (packet->fd_kind == FUZZ_HANG_UP)
		shutdown(sock, SHUT_WR);
	return rc;
}

/* ---- seeds ---- */

static size_t
seed_packet(const struct vu_golden *golden, uint8_t *to)
{
	size_t len = vu_golden_bytes(golden, to + FUZZ_PACKET_HEAD);

	to[0] = (uint8_t)len;
	to[1] = (uint8_t)(len >> 8);
	to[2] = (uint8_t)golden->nb_fds;
	/* memory goes with DMA_MAP, the second socket with VERSION */
	if (strncmp(golden->name, "dma_map", 7) == 0)
		to[2] |= FUZZ_MEMORY << 3;
	else if (strncmp(golden->name, "version", 7) == 0 && golden->nb_fds > 0)
		to[2] |= FUZZ_TWIN << 3;
	return FUZZ_PACKET_HEAD + len;
}

static bool
golden_is(const struct vu_golden *golden, const char *kind)
{
	return strstr(golden->name, kind) != NULL;
}

/* All messages of a kind behind a negotiation of all there is. */
static size_t
seed_all(const char *version, const char *kind, uint8_t *to)
{
	size_t len = seed_packet(vu_golden_find(version), to);
	unsigned int i;

	for (i = 0; i < vu_goldens_nb; i++)
		if (golden_is(&vu_goldens[i], kind) && !golden_is(&vu_goldens[i], "version"))
			len += seed_packet(&vu_goldens[i], to + len);
	return len;
}

static size_t
seed_one(const struct vu_golden *golden, uint8_t *to)
{
	const char *version = golden_is(golden, "_reply") ? "version_full_reply" :
		"version_full_request";
	size_t len = seed_packet(vu_golden_find(version), to);

	return len + seed_packet(golden, to + len);
}

/* ---- what takes more than one message to get at ---- */

#define TWIN  (FUZZ_TWIN << 3)
#define AS_IS 0x40u
#define AT_ONCE 0x80u

/* Messages in the form of golden ones, and what goes with them. */
struct step {
	struct vu_golden msg;
	uint8_t how;
};

#define GOLDEN(name_, how_) { { .name = name_ }, how_ }
#define BYTES(hex_, how_) { { .name = "", .hex = hex_ }, how_ }
#define HDR(id, cmd, size, flags) id " " cmd " " size " " flags " 00000000 "

/* The device is told to use memory that is not shared, at 0xfffc0000. */
#define DEVICE_READS \
	BYTES(HDR("0400", "0a00", "28000000", "10000000") \
		"0001000000000000 00000000 08000000 0000fcff00000000", AT_ONCE)
#define SIXTEEN "01020304 01020304 01020304 01020304"
#define SIXTY_FOUR SIXTEEN SIXTEEN SIXTEEN SIXTEEN
#define READ_REPLY(how) \
	BYTES(HDR("0000", "0b00", "60000000", "01000000") \
		"0000fcff00000000 4000000000000000" SIXTY_FOUR, how)
#define MAP_RW_UNSHARED \
	BYTES(HDR("0200", "0200", "30000000", "00000000") \
		"20000000 03000000 0000000000000000 0000fcff00000000 0000040000000000", 0)
#define DEVICE_WRITES \
	BYTES(HDR("0400", "0a00", "28000000", "10000000") \
		"0801000000000000 00000000 08000000 0000fcff00000000", AT_ONCE)
#define WRITE_REPLY(how) \
	BYTES(HDR("0000", "0c00", "20000000", "01000000") \
		"0000fcff00000000 4000000000000000", how)

/* A server that reads and writes the client's memory, at 4 GiB. */
#define SERVER_READS(how) \
	BYTES(HDR("0100", "0b00", "20000000", "00000000") \
		"0000000001000000 1000000000000000", how)
#define SERVER_WRITES(how) \
	BYTES(HDR("0100", "0c00", "30000000", "00000000") \
		"0000000001000000 1000000000000000" SIXTEEN, how)

#define STEPS_MAX 6u

static const struct step scenes[][STEPS_MAX] = {
	{ GOLDEN("version_request", 0), MAP_RW_UNSHARED, DEVICE_READS, READ_REPLY(0) },
	{ GOLDEN("version_request", 0), MAP_RW_UNSHARED, DEVICE_WRITES, WRITE_REPLY(0) },
	{ GOLDEN("version_full_request", 0), MAP_RW_UNSHARED, DEVICE_READS, READ_REPLY(TWIN) },
	{ GOLDEN("version_full_request", 0), MAP_RW_UNSHARED, DEVICE_WRITES, WRITE_REPLY(TWIN) },
	{ GOLDEN("version_full_request", 0), GOLDEN("dma_map_multi_request", 0),
		GOLDEN("feature_logging_start_request", 0),
		GOLDEN("feature_logging_report_request", 0),
		GOLDEN("dma_unmap_bitmap_request", 0), GOLDEN("dma_map_multi_request", 0) },
	{ GOLDEN("version_full_reply", 0), SERVER_READS(TWIN | AS_IS | AT_ONCE),
		SERVER_WRITES(TWIN | AS_IS | AT_ONCE), GOLDEN("dma_map_multi_reply", 0),
		GOLDEN("dma_map_reply", 0) },
	{ GOLDEN("version_full_reply", 0), GOLDEN("dma_map_multi_part_reply", 0),
		GOLDEN("dma_unmap_reply", 0) },
	{ GOLDEN("version_reply", 0), SERVER_READS(AS_IS | AT_ONCE),
		SERVER_WRITES(AS_IS | AT_ONCE), GOLDEN("dma_map_reply", 0) },
};

static size_t
seed_step(const struct step *step, uint8_t *to)
{
	const struct vu_golden *golden = step->msg.hex != NULL ? &step->msg :
		vu_golden_find(step->msg.name);
	size_t len = seed_packet(golden, to);

	to[2] |= step->how;
	return len;
}

static size_t
seed_scene(const struct step *steps, uint8_t *to)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < STEPS_MAX && steps[i].msg.name != NULL; i++)
		len += seed_step(&steps[i], to + len);
	return len;
}

/* Each message behind a negotiation; all commands; all replies; scenes. */
size_t
fuzz_seed(unsigned int i, uint8_t *to)
{
	if (i < vu_goldens_nb)
		return seed_one(&vu_goldens[i], to);
	i -= vu_goldens_nb;
	if (i == 0)
		return seed_all("version_full_request", "_request", to);
	if (i == 1)
		return seed_all("version_full_reply", "_reply", to);
	i -= 2;
	return i < sizeof(scenes) / sizeof(scenes[0]) ? seed_scene(scenes[i], to) : 0;
}
