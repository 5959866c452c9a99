/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vu_rx.h"

#include "fuzz.h"
#include "vu_decode.h"

/* The region_read_reply among the golden messages fits this. */
#define EXPECTED_ID 3
#define EXPECTED_LEN 4

#define MAX_SIZE 65600u
#define MAX_FDS 4u

static int
take_all(struct vu_rx *rx)
{
	struct vu_rx_msg msg;
	int rc;

	while ((rc = vu_rx_next(rx, &msg)) == 1) {
		/* data that went to their place are not behind the payload */
		msg.len -= msg.placed;
		if ((msg.hdr.flags & VU_F_TYPE_MASK) == VU_F_TYPE_REPLY)
			vu_decode_reply(&msg);
		else
			vu_decode_request(&msg);
		if (msg.hdr.id & 0x100)
			close(vu_fds_take(msg.fds, 0));
	}
	return rc;
}

static void
receive_all(struct vu_rx *rx, const int sock[2], const uint8_t *data, size_t len)
{
	static uint8_t place[EXPECTED_LEN];
	struct fuzz_packet packet;
	int rc = 0;

	while (rc == 0 && fuzz_packet_next(&data, &len, &packet)) {
		if (packet.bit6)
			vu_rx_expect(rx, EXPECTED_ID, VU_REGION_READ, place, sizeof(place));
		fuzz_packet_send(sock[0], &packet);
		while ((rc = vu_rx_fill(rx, sock[1], MSG_DONTWAIT)) > 0) {
			rc = take_all(rx);
			if (rc < 0)
				return;
		}
		rc = rc == -EAGAIN ? 0 : rc;
	}
}

int
fuzz_wire(const uint8_t *data, size_t len)
{
	int sock[2], before, after;
	struct vu_rx rx;

	before = dup(0);
	close(before);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sock) < 0)
		abort();
	if (vu_rx_init(&rx, MAX_SIZE, MAX_FDS) < 0)
		abort();
	receive_all(&rx, sock, data, len);
	vu_rx_fini(&rx);
	close(sock[0]);
	close(sock[1]);
	/* nothing is left open: the lowest free number is what it was */
	after = dup(0);
	close(after);
	if (after != before)
		abort();
	return 0;
}
