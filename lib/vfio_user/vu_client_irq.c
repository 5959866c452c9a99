/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>

#include <eal_export.h>
#include <rte_common.h>

#include "vu_client.h"

/* A request per run of vectors that are alike. */
static int
set_irqs(struct vu_client *client, const struct vfio_irq_set *set)
{
	uint32_t max_fds = client->server.caps.max_msg_fds;
	struct vu_irq_msg msg;
	uint32_t done = 0;
	int rc;

	while ((rc = vu_irq_set_next(set, RTE_MAX(max_fds, 1u), &done, &msg)) == 1) {
		struct vu_call call = { .cmd = VU_SET_IRQS, .payload = msg.payload, .nb = msg.nb,
			.fds = msg.fds, .nb_fds = msg.nb_fds };

		if (msg.nb_fds > max_fds)
			return -ENOTSUP;
		rc = vu_client_call(client, &call);
		if (rc < 0)
			break;
	}
	return rc;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_set_irqs, 25.11)
int
rte_vfio_user_set_irqs(int dev_id, struct vfio_irq_set *set)
{
	struct vu_client *client = vu_client_get(dev_id);
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = set_irqs(client, set);
	vu_client_put(client);
	return rc;
}

static uint64_t
reset_deadline(const struct vu_client *client)
{
	return client->reset_timeout_ms == UINT32_MAX ? UINT64_MAX :
		vu_now_ms() + client->reset_timeout_ms;
}

RTE_EXPORT_EXPERIMENTAL_SYMBOL(rte_vfio_user_reset, 25.11)
int
rte_vfio_user_reset(int dev_id)
{
	struct vu_client *client = vu_client_get(dev_id);
	struct vu_call call = { .cmd = VU_RESET };
	int rc;

	if (client == NULL)
		return -ENODEV;
	rc = vu_client_call_until(client, &call, reset_deadline(client));
	vu_client_put(client);
	return rc;
}
