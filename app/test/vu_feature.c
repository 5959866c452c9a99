/* SPDX-License-Identifier: BSD-3-Clause */

#include <string.h>

#include "test.h"
#include "vu_feature.h"

int
vu_feature(struct vu_peer *peer, uint32_t flags, uint32_t argsz, const void *data, size_t len)
{
	uint8_t payload[256];

	memcpy(payload, &argsz, 4);
	memcpy(payload + 4, &flags, 4);
	if (len > 0)
		memcpy(payload + 8, data, len);
	return peer_call(peer, VU_FEATURE, payload, 8 + len);
}
