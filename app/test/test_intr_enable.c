/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_interrupts.h>
#include <rte_log.h>

#include "interpose.h"
#include "intr_probe.h"
#include "test.h"

/* A device descriptor that writes down what it is asked. */

#define CALLS_MAX 4

struct irq_call {
	uint32_t argsz, flags, index, start, count;
	int32_t fds[8];
};

struct recorder {
	struct irq_call calls[CALLS_MAX];
	unsigned int nb_calls;
	unsigned int fails_at;	/* from 1 */
	int err;
};

static int
record_ioctl(void *ctx, unsigned long request, void *arg)
{
	struct recorder *recorder = ctx;
	const struct vfio_irq_set *set = arg;
	struct irq_call *call = &recorder->calls[recorder->nb_calls++];

	assert_int_equal(request, VFIO_DEVICE_SET_IRQS);
	assert_in_range(recorder->nb_calls, 1, CALLS_MAX);
	memset(call, 0, sizeof(*call));
	call->argsz = set->argsz;
	call->flags = set->flags;
	call->index = set->index;
	call->start = set->start;
	call->count = set->count;
	assert_in_range(set->argsz - sizeof(*set), 0, sizeof(call->fds));
	memcpy(call->fds, set->data, set->argsz - sizeof(*set));
	return recorder->nb_calls == recorder->fails_at ? -recorder->err : 0;
}

static const struct interpose_fd_ops recorder_ops = { .ioctl = record_ioctl };

#define BIND (VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER)
#define UNBIND (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_TRIGGER)
#define MASK (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_MASK)
#define UNMASK (VFIO_IRQ_SET_DATA_NONE | VFIO_IRQ_SET_ACTION_UNMASK)
#define HDR sizeof(struct vfio_irq_set)
#define IRQ_FD 901		/* never used by a call that is passed on */

typedef int (*intr_op_t)(const struct rte_intr_handle *handle);

struct vfio_row {
	const char *name;
	enum rte_intr_handle_type type;
	intr_op_t op;
	unsigned int nb_calls;
	struct irq_call calls[3];
};

static const struct vfio_row vfio_rows[] = {
	{
		"INTx enable", RTE_INTR_HANDLE_VFIO_LEGACY, rte_intr_enable, 3, {
			{ HDR + 4, BIND, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, { IRQ_FD } },
			{ HDR, MASK, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, { 0 } },
			{ HDR, UNMASK, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, { 0 } },
		},
	},
	{
		"INTx disable", RTE_INTR_HANDLE_VFIO_LEGACY, rte_intr_disable, 2, {
			{ HDR, MASK, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, { 0 } },
			{ HDR, UNBIND, VFIO_PCI_INTX_IRQ_INDEX, 0, 0, { 0 } },
		},
	},
	{
		"INTx ack", RTE_INTR_HANDLE_VFIO_LEGACY, rte_intr_ack, 1, {
			{ HDR, UNMASK, VFIO_PCI_INTX_IRQ_INDEX, 0, 1, { 0 } },
		},
	},
	{
		"MSI enable", RTE_INTR_HANDLE_VFIO_MSI, rte_intr_enable, 1, {
			{ HDR + 4, BIND, VFIO_PCI_MSI_IRQ_INDEX, 0, 1, { IRQ_FD } },
		},
	},
	{
		"MSI disable", RTE_INTR_HANDLE_VFIO_MSI, rte_intr_disable, 1, {
			{ HDR, UNBIND, VFIO_PCI_MSI_IRQ_INDEX, 0, 0, { 0 } },
		},
	},
	{ "MSI ack", RTE_INTR_HANDLE_VFIO_MSI, rte_intr_ack, 0, { { 0 } } },
	{
		"MSI-X enable", RTE_INTR_HANDLE_VFIO_MSIX, rte_intr_enable, 1, {
			{ HDR + 4, BIND, VFIO_PCI_MSIX_IRQ_INDEX, 0, 1, { IRQ_FD } },
		},
	},
	{
		"MSI-X disable", RTE_INTR_HANDLE_VFIO_MSIX, rte_intr_disable, 1, {
			{ HDR, UNBIND, VFIO_PCI_MSIX_IRQ_INDEX, 0, 0, { 0 } },
		},
	},
	{ "MSI-X ack", RTE_INTR_HANDLE_VFIO_MSIX, rte_intr_ack, 0, { { 0 } } },
	{
		"request enable", RTE_INTR_HANDLE_VFIO_REQ, rte_intr_enable, 1, {
			{ HDR + 4, BIND, VFIO_PCI_REQ_IRQ_INDEX, 0, 1, { IRQ_FD } },
		},
	},
	{
		"request disable", RTE_INTR_HANDLE_VFIO_REQ, rte_intr_disable, 1, {
			{ HDR, UNBIND, VFIO_PCI_REQ_IRQ_INDEX, 0, 0, { 0 } },
		},
	},
};

/* The handle's device is a descriptor of which @p recorder sees the ioctls. */
static struct rte_intr_handle *
vfio_handle_new(enum rte_intr_handle_type type, struct recorder *recorder)
{
	struct rte_intr_handle *handle = intr_handle_empty();
	int dev_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	assert_true(dev_fd >= 0);
	interpose_route_fd(dev_fd, &recorder_ops, recorder);
	rte_intr_type_set(handle, type);
	rte_intr_fd_set(handle, IRQ_FD);
	rte_intr_dev_fd_set(handle, dev_fd);
	return handle;
}

static void
vfio_handle_free(struct rte_intr_handle *handle)
{
	close(rte_intr_dev_fd_get(handle));
	rte_intr_instance_free(handle);
}

static void
test_vfio_is_asked_in_its_own_words(void **state)
{
	const struct vfio_row *row;
	struct rte_intr_handle *handle;
	struct recorder recorder;

	for (row = vfio_rows; row < vfio_rows + RTE_DIM(vfio_rows); row++) {
		memset(&recorder, 0, sizeof(recorder));
		handle = vfio_handle_new(row->type, &recorder);
		print_message("%s\n", row->name);
		assert_int_equal(row->op(handle), 0);
		assert_int_equal(recorder.nb_calls, row->nb_calls);
		assert_memory_equal(recorder.calls, row->calls,
			row->nb_calls * sizeof(row->calls[0]));
		vfio_handle_free(handle);
	}
}

/* Log lines that @p op writes. */
static unsigned int
lines_of(intr_op_t op, const struct rte_intr_handle *handle, int *rc, char *text, size_t size)
{
	FILE *stream = fmemopen(text, size, "w");
	unsigned int lines = 0;

	rte_openlog_stream(stream);
	*rc = op(handle);
	rte_openlog_stream(NULL);
	fclose(stream);
	for (; *text != '\0'; text++)
		lines += *text == '\n';
	return lines;
}

static void
test_each_refusal_of_vfio_is_returned_and_logged_once(void **state)
{
	const struct vfio_row *row;
	struct rte_intr_handle *handle;
	struct recorder recorder;
	char text[1024], number[32];
	unsigned int nth;
	int rc;

	for (row = vfio_rows; row < vfio_rows + RTE_DIM(vfio_rows); row++) {
		for (nth = 1; nth <= row->nb_calls; nth++) {
			recorder = (struct recorder){ .fails_at = nth, .err = EMFILE };
			handle = vfio_handle_new(row->type, &recorder);
			memset(text, 0, sizeof(text));
			assert_int_equal(lines_of(row->op, handle, &rc, text, sizeof(text)), 1);
			assert_int_equal(rc, -EMFILE);
			snprintf(number, sizeof(number), "fd %d", rte_intr_dev_fd_get(handle));
			assert_non_null(strstr(text, number));
			assert_non_null(strstr(text, strerror(EMFILE)));
			vfio_handle_free(handle);
		}
	}
}

static void
test_intx_that_stays_masked_is_not_left_bound(void **state)
{
	struct recorder recorder = { .fails_at = 3, .err = EIO };
	struct rte_intr_handle *handle = vfio_handle_new(RTE_INTR_HANDLE_VFIO_LEGACY, &recorder);
	char text[512];
	int rc;

	lines_of(rte_intr_enable, handle, &rc, text, sizeof(text));
	assert_int_equal(rc, -EIO);
	assert_int_equal(recorder.nb_calls, 4);
	assert_int_equal(recorder.calls[3].flags, UNBIND);
	vfio_handle_free(handle);
}

/* A callback that ends late must not switch on what another thread has switched off. */
static void
test_what_is_switched_off_is_not_acknowledged(void **state)
{
	struct recorder recorder = { .nb_calls = 0 };
	struct rte_intr_handle *handle = vfio_handle_new(RTE_INTR_HANDLE_VFIO_LEGACY, &recorder);

	assert_int_equal(rte_intr_disable(handle), 0);
	recorder.nb_calls = 0;
	assert_int_equal(rte_intr_ack(handle), 0);
	assert_int_equal(recorder.nb_calls, 0);
	assert_int_equal(rte_intr_enable(handle), 0);
	recorder.nb_calls = 0;
	assert_int_equal(rte_intr_ack(handle), 0);
	assert_int_equal(recorder.nb_calls, 1);
	vfio_handle_free(handle);
}

/* It may still interrupt, so who acknowledges it must. */
static void
test_what_could_not_be_switched_off_is_acknowledged(void **state)
{
	struct recorder recorder = { .fails_at = 1, .err = EIO };
	struct rte_intr_handle *handle = vfio_handle_new(RTE_INTR_HANDLE_VFIO_LEGACY, &recorder);
	char text[512];
	int rc;

	lines_of(rte_intr_disable, handle, &rc, text, sizeof(text));
	assert_int_equal(rc, -EIO);
	recorder.nb_calls = 0;
	recorder.fails_at = 0;
	assert_int_equal(rte_intr_ack(handle), 0);
	assert_int_equal(recorder.nb_calls, 1);
	vfio_handle_free(handle);
}

static void
test_msix_binds_vector_0_and_the_queues(void **state)
{
	static const struct {
		int max_intr;
		int nb_efd;
		uint32_t count;
		int32_t fds[4];
		unsigned int lines;
	} rows[] = {
		{ 0, 0, 1, { IRQ_FD }, 0 },
		{ 1, 0, 1, { IRQ_FD }, 0 },
		{ 3, 2, 3, { IRQ_FD, 910, 911 }, 0 },
		{ 4, 2, 4, { IRQ_FD, 910, 911, -1 }, 0 },
		{ 2, 2, 2, { IRQ_FD, 910 }, 1 },	/* never more than max_intr */
	};
	struct rte_intr_handle *handle;
	struct recorder recorder;
	char text[512];
	unsigned int i;
	int j, rc;

	for (i = 0; i < RTE_DIM(rows); i++) {
		memset(&recorder, 0, sizeof(recorder));
		memset(text, 0, sizeof(text));
		handle = vfio_handle_new(RTE_INTR_HANDLE_VFIO_MSIX, &recorder);
		assert_int_equal(rte_intr_max_intr_set(handle, rows[i].max_intr), 0);
		assert_int_equal(rte_intr_nb_efd_set(handle, rows[i].nb_efd), 0);
		for (j = 0; j < rows[i].nb_efd; j++)
			rte_intr_efds_index_set(handle, j, 910 + j);
		assert_int_equal(lines_of(rte_intr_enable, handle, &rc, text, sizeof(text)),
			rows[i].lines);
		assert_int_equal(rc, 0);
		assert_int_equal(recorder.calls[0].count, rows[i].count);
		assert_int_equal(recorder.calls[0].argsz, HDR + 4 * rows[i].count);
		assert_memory_equal(recorder.calls[0].fds, rows[i].fds, 4 * rows[i].count);
		vfio_handle_free(handle);
	}
}

static void
test_virtual_device_needs_nothing(void **state)
{
	struct rte_intr_handle *handle = intr_handle_empty();

	rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV);
	assert_int_equal(rte_intr_enable(handle), 0);
	assert_int_equal(rte_intr_ack(handle), 0);
	assert_int_equal(rte_intr_disable(handle), 0);
	rte_intr_instance_free(handle);
}

static void
test_type_that_cannot_says_so(void **state)
{
	static const struct {
		enum rte_intr_handle_type type;
		intr_op_t op;
	} rows[] = {
		{ RTE_INTR_HANDLE_UNKNOWN, rte_intr_enable },
		{ RTE_INTR_HANDLE_ALARM, rte_intr_enable },
		{ RTE_INTR_HANDLE_EXT, rte_intr_disable },
		{ RTE_INTR_HANDLE_DEV_EVENT, rte_intr_ack },
		{ RTE_INTR_HANDLE_VFIO_REQ, rte_intr_ack },
	};
	struct rte_intr_handle *handle;
	char text[512];
	unsigned int i;
	int rc;

	for (i = 0; i < RTE_DIM(rows); i++) {
		handle = intr_handle_empty();
		memset(text, 0, sizeof(text));
		rte_intr_type_set(handle, rows[i].type);
		assert_int_equal(lines_of(rows[i].op, handle, &rc, text, sizeof(text)), 1);
		assert_int_equal(rc, -ENOTSUP);
		rte_intr_instance_free(handle);
	}
}

static void
test_missing_descriptor_is_an_error(void **state)
{
	struct rte_intr_handle *handle = intr_handle_empty();
	char text[512] = "";
	int rc;

	rte_intr_type_set(handle, RTE_INTR_HANDLE_VFIO_MSI);
	rte_intr_fd_set(handle, IRQ_FD);
	assert_int_equal(lines_of(rte_intr_enable, handle, &rc, text, sizeof(text)), 1);
	assert_int_equal(rc, -EINVAL);
	rte_intr_instance_free(handle);
}

static void
test_uio_is_told_by_a_number(void **state)
{
	static const struct {
		intr_op_t op;
		int32_t number;
	} rows[] = {
		{ rte_intr_enable, 1 },
		{ rte_intr_ack, 1 },
		{ rte_intr_disable, 0 },
	};
	struct rte_intr_handle *handle = intr_handle_empty();
	int32_t numbers[2];
	unsigned int i;
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_UIO);
	rte_intr_fd_set(handle, ends[1]);
	rte_intr_dev_fd_set(handle, ends[1]);
	for (i = 0; i < RTE_DIM(rows); i++) {
		assert_int_equal(rows[i].op(handle), 0);
		assert_int_equal(read(ends[0], numbers, sizeof(numbers)), sizeof(int32_t));
		assert_int_equal(numbers[0], rows[i].number);
	}
	close(ends[0]);
	close(ends[1]);
	rte_intr_instance_free(handle);
}

/* Config space in a file; the generic UIO driver masks by the COMMAND register. */
static void
test_uio_intx_changes_one_bit_of_config_space(void **state)
{
	static const uint8_t masked[8] = { 0x11, 0x22, 0x33, 0x44, 0x07, 0x05, 0x77, 0x88 };
	static const uint8_t unmasked[8] = { 0x11, 0x22, 0x33, 0x44, 0x07, 0x01, 0x77, 0x88 };
	struct rte_intr_handle *handle = intr_handle_empty();
	int fd = memfd_create("config", MFD_CLOEXEC);
	uint8_t bytes[9];

	assert_int_equal(pwrite(fd, masked, 8, 0), 8);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_UIO_INTX);
	rte_intr_fd_set(handle, IRQ_FD);
	rte_intr_dev_fd_set(handle, fd);
	assert_int_equal(rte_intr_ack(handle), 0);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), 8);
	assert_memory_equal(bytes, unmasked, 8);
	assert_int_equal(rte_intr_disable(handle), 0);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), 8);
	assert_memory_equal(bytes, masked, 8);
	assert_int_equal(rte_intr_enable(handle), 0);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), 8);
	assert_memory_equal(bytes, unmasked, 8);
	close(fd);
	rte_intr_instance_free(handle);
}

static ssize_t
command_pread(void *ctx, void *buf, size_t len, off_t off)
{
	(void)ctx;
	(void)off;
	memset(buf, 0x05, len);
	return (ssize_t)len;
}

static ssize_t
command_pwrite(void *ctx, const void *buf, size_t len, off_t off)
{
	(void)buf;
	assert_int_equal(off, 4);
	assert_int_equal(len, 2);
	++*(unsigned int *)ctx;
	return (ssize_t)len;
}

/* QEMU shows a line that went up while it was masked only if the lower byte is written, too. */
static void
test_uio_intx_is_switched_by_one_write_of_the_whole_register(void **state)
{
	static const struct interpose_fd_ops ops = {
		.pread = command_pread,
		.pwrite = command_pwrite,
	};
	static const intr_op_t calls[] = { rte_intr_enable, rte_intr_ack, rte_intr_disable };
	struct rte_intr_handle *handle = intr_handle_empty();
	int fd = memfd_create("config", MFD_CLOEXEC);
	unsigned int i, writes = 0;

	interpose_route_fd(fd, &ops, &writes);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_UIO_INTX);
	rte_intr_fd_set(handle, IRQ_FD);
	rte_intr_dev_fd_set(handle, fd);
	for (i = 0; i < RTE_DIM(calls); i++) {
		assert_int_equal(calls[i](handle), 0);
		assert_int_equal(writes, i + 1);
	}
	close(fd);
	rte_intr_instance_free(handle);
}

static void
test_uio_failures_are_returned_and_logged_once(void **state)
{
	static const enum rte_intr_handle_type types[] = {
		RTE_INTR_HANDLE_UIO, RTE_INTR_HANDLE_UIO_INTX,
	};
	static const intr_op_t ops[] = { rte_intr_enable, rte_intr_disable, rte_intr_ack };
	int fd = memfd_create("empty", MFD_CLOEXEC);
	int read_only = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct rte_intr_handle *handle = intr_handle_empty();
	char text[512];
	unsigned int i, j;
	int rc;

	rte_intr_fd_set(handle, read_only);
	rte_intr_dev_fd_set(handle, fd);
	for (i = 0; i < RTE_DIM(types); i++) {
		rte_intr_type_set(handle, types[i]);
		for (j = 0; j < RTE_DIM(ops); j++) {
			memset(text, 0, sizeof(text));
			assert_int_equal(lines_of(ops[j], handle, &rc, text, sizeof(text)), 1);
			assert_int_equal(rc, i == 0 ? -EBADF : -EIO);
		}
	}
	close(fd);
	close(read_only);
	rte_intr_instance_free(handle);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_vfio_is_asked_in_its_own_words),
	cmocka_unit_test(test_each_refusal_of_vfio_is_returned_and_logged_once),
	cmocka_unit_test(test_intx_that_stays_masked_is_not_left_bound),
	cmocka_unit_test(test_what_is_switched_off_is_not_acknowledged),
	cmocka_unit_test(test_what_could_not_be_switched_off_is_acknowledged),
	cmocka_unit_test(test_msix_binds_vector_0_and_the_queues),
	cmocka_unit_test(test_virtual_device_needs_nothing),
	cmocka_unit_test(test_type_that_cannot_says_so),
	cmocka_unit_test(test_missing_descriptor_is_an_error),
	cmocka_unit_test(test_uio_is_told_by_a_number),
	cmocka_unit_test(test_uio_intx_changes_one_bit_of_config_space),
	cmocka_unit_test(test_uio_intx_is_switched_by_one_write_of_the_whole_register),
	cmocka_unit_test(test_uio_failures_are_returned_and_logged_once),
};

TEST_SUITE(intr_enable, "unit", tests, NULL, NULL)
