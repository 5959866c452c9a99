/* SPDX-License-Identifier: BSD-3-Clause */

/* The kernel's side of /dev/uioN: the node is one end of a socket, the other one is the kernel. */

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_pci.h>

#include "fake_uio_priv.h"
#include "test.h"

static bool
is_generic(const struct fake_uio *uio)
{
	return strcmp(uio->desc.driver, "uio_pci_generic") == 0;
}

static void
bus_master_clear(const struct fake_uio *uio)
{
	uint16_t command = fake_uio_config(uio, RTE_PCI_COMMAND);

	if (command != UINT16_MAX)
		fake_uio_config_set(uio, RTE_PCI_COMMAND, command & ~RTE_PCI_COMMAND_MASTER);
}

/* Both drivers see to it that a process that ends is reached by no more transfers. */
static void
node_close(void *ctx)
{
	struct fake_uio *uio = ctx;

	fake_uio_irqcontrol(uio);
	close(uio->peer);
	uio->peer = -1;
	uio->nb_node_open--;
	bus_master_clear(uio);
}

static const struct interpose_fd_ops node_ops = {
	.close = node_close,
};

int
fake_uio_node_open(void *ctx, const char *path, int flags)
{
	struct fake_uio *uio = ctx;
	int fd[2];

	assert_int_equal(flags & O_ACCMODE, O_RDWR);
	if (uio->node_err != 0)
		return -uio->node_err;
	assert_int_equal(uio->nb_node_open, 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd), 0);
	if ((flags & O_NONBLOCK) != 0)
		assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	uio->peer = fd[1];
	if (uio->no_irq)
		shutdown(fd[0], SHUT_RDWR);
	if (!is_generic(uio))
		fake_uio_config_set(uio, RTE_PCI_COMMAND, RTE_PCI_COMMAND_MASTER |
			fake_uio_config(uio, RTE_PCI_COMMAND));
	uio->nb_node_open++;
	uio->nb_node_opened++;
	interpose_route_fd(fd[0], &node_ops, uio);
	return fd[0];
}

int
fake_uio_irqcontrol(struct fake_uio *uio)
{
	int32_t value;
	int last = -1;

	while (uio->peer >= 0 && recv(uio->peer, &value, sizeof(value), MSG_DONTWAIT) ==
			sizeof(value))
		last = value;
	if (last >= 0)
		uio->irqcontrol = last;
	return last;
}

static bool
is_masked(struct fake_uio *uio)
{
	if (is_generic(uio))
		return (fake_uio_config(uio, RTE_PCI_COMMAND) & RTE_PCI_COMMAND_INTX_DISABLE) != 0;
	fake_uio_irqcontrol(uio);
	return uio->irqcontrol != 1;
}

bool
fake_uio_fire(struct fake_uio *uio)
{
	if (uio->peer < 0 || is_masked(uio))
		return false;
	uio->irqcontrol = 0;
	if (is_generic(uio))
		fake_uio_config_set(uio, RTE_PCI_COMMAND, RTE_PCI_COMMAND_INTX_DISABLE |
			fake_uio_config(uio, RTE_PCI_COMMAND));
	uio->nb_interrupts++;
	assert_int_equal(send(uio->peer, &uio->nb_interrupts, sizeof(uio->nb_interrupts), 0),
		sizeof(uio->nb_interrupts));
	return true;
}
