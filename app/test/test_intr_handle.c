/* SPDX-License-Identifier: BSD-3-Clause */

#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdbool.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_errno.h>
#include <rte_interrupts.h>
#include <rte_log.h>

#include "interpose.h"
#include "resources.h"
#include "intr_probe.h"
#include "test.h"

static void
test_new_handle_is_empty(void **state)
{
	struct rte_intr_handle *handle = intr_handle_empty();

	assert_int_equal(rte_intr_type_get(handle), RTE_INTR_HANDLE_UNKNOWN);
	assert_int_equal(rte_intr_fd_get(handle), -1);
	assert_int_equal(rte_intr_dev_fd_get(handle), -1);
	assert_int_equal(rte_intr_max_intr_get(handle), 0);
	assert_int_equal(rte_intr_nb_efd_get(handle), 0);
	assert_int_equal(rte_intr_nb_intr_get(handle), RTE_MAX_RXTX_INTR_VEC_ID);
	assert_int_equal(rte_intr_efd_counter_size_get(handle), 0);
	assert_int_equal(rte_intr_efds_index_get(handle, 0), -1);
	assert_false(rte_intr_dp_is_en(handle));
	assert_true(rte_intr_allow_others(handle));
	rte_intr_instance_free(handle);
	rte_intr_instance_free(NULL);
}

static void
test_unknown_flag_is_refused(void **state)
{
	rte_errno = 0;
	assert_null(rte_intr_instance_alloc(RTE_BIT32(7)));
	assert_int_equal(rte_errno, EINVAL);
}

static void
test_handle_without_queues_is_small(void **state)
{
	size_t before = interpose_heap_bytes();
	struct rte_intr_handle *handle = intr_handle_empty();

	assert_in_range(interpose_heap_bytes() - before, 0, 256);
	rte_intr_instance_free(handle);
}

static void
test_type_values_are_those_of_the_binary_interface(void **state)
{
	assert_int_equal(RTE_INTR_HANDLE_UNKNOWN, 0);
	assert_int_equal(RTE_INTR_HANDLE_UIO, 1);
	assert_int_equal(RTE_INTR_HANDLE_UIO_INTX, 2);
	assert_int_equal(RTE_INTR_HANDLE_VFIO_LEGACY, 3);
	assert_int_equal(RTE_INTR_HANDLE_VFIO_MSI, 4);
	assert_int_equal(RTE_INTR_HANDLE_VFIO_MSIX, 5);
	assert_int_equal(RTE_INTR_HANDLE_ALARM, 6);
	assert_int_equal(RTE_INTR_HANDLE_EXT, 7);
	assert_int_equal(RTE_INTR_HANDLE_VDEV, 8);
	assert_int_equal(RTE_INTR_HANDLE_DEV_EVENT, 9);
	assert_int_equal(RTE_INTR_HANDLE_VFIO_REQ, 10);
	assert_int_equal(RTE_INTR_HANDLE_MAX, 11);
}

static void
test_null_handle_is_refused(void **state)
{
	struct rte_epoll_event event = { 0 };

	assert_int_equal(rte_intr_fd_get(NULL), -1);
	assert_int_equal(rte_intr_dev_fd_get(NULL), -1);
	assert_int_equal(rte_intr_type_get(NULL), RTE_INTR_HANDLE_UNKNOWN);
	assert_int_equal(rte_intr_fd_set(NULL, 0), -EINVAL);
	assert_int_equal(rte_intr_dev_fd_set(NULL, 0), -EINVAL);
	assert_int_equal(rte_intr_type_set(NULL, RTE_INTR_HANDLE_EXT), -EINVAL);
	assert_int_equal(rte_intr_max_intr_set(NULL, 0), -EINVAL);
	assert_int_equal(rte_intr_max_intr_get(NULL), -EINVAL);
	assert_int_equal(rte_intr_nb_efd_set(NULL, 0), -EINVAL);
	assert_int_equal(rte_intr_nb_efd_get(NULL), -EINVAL);
	assert_int_equal(rte_intr_nb_intr_get(NULL), -EINVAL);
	assert_int_equal(rte_intr_efd_counter_size_set(NULL, 0), -EINVAL);
	assert_int_equal(rte_intr_efd_counter_size_get(NULL), -EINVAL);
	assert_int_equal(rte_intr_efds_index_set(NULL, 0, 0), -EINVAL);
	assert_int_equal(rte_intr_efds_index_get(NULL, 0), -EINVAL);
	assert_int_equal(rte_intr_elist_index_set(NULL, 0, event), -EINVAL);
	assert_null(rte_intr_elist_index_get(NULL, 0));
	assert_int_equal(rte_intr_vec_list_alloc(NULL, NULL, 1), -EINVAL);
	assert_int_equal(rte_intr_vec_list_index_set(NULL, 0, 0), -EINVAL);
	assert_int_equal(rte_intr_vec_list_index_get(NULL, 0), -EINVAL);
	assert_int_equal(rte_intr_event_list_update(NULL, 1), -EINVAL);
	assert_null(rte_intr_instance_dup(NULL));
	assert_int_equal(rte_intr_enable(NULL), -EINVAL);
	assert_int_equal(rte_intr_disable(NULL), -EINVAL);
	assert_int_equal(rte_intr_ack(NULL), -EINVAL);
	assert_int_equal(rte_intr_efd_enable(NULL, 1), -EINVAL);
	assert_int_equal(rte_intr_rx_ctl(NULL, -1, RTE_INTR_EVENT_ADD, 1, NULL), -EPERM);
	assert_int_equal(rte_intr_dp_is_en(NULL), 0);
	assert_int_equal(rte_intr_allow_others(NULL), 1);
	assert_int_equal(rte_intr_cap_multiple(NULL), 0);
	rte_intr_vec_list_free(NULL);
	rte_intr_free_epoll_fd(NULL);
	rte_intr_efd_disable(NULL);
}

static void
test_what_is_out_of_range_is_refused(void **state)
{
	static const int outside[] = { -1, 16, INT32_MAX, INT32_MIN };
	struct rte_intr_handle *handle = intr_handle_empty();
	struct rte_epoll_event event = { 0 };
	unsigned int i;

	assert_int_equal(rte_intr_event_list_update(handle, 16), 0);
	for (i = 0; i < RTE_DIM(outside); i++) {
		assert_int_equal(rte_intr_efds_index_set(handle, outside[i], 3), -ERANGE);
		assert_int_equal(rte_intr_efds_index_get(handle, outside[i]), -ERANGE);
		assert_int_equal(rte_intr_elist_index_set(handle, outside[i], event), -ERANGE);
		rte_errno = 0;
		assert_null(rte_intr_elist_index_get(handle, outside[i]));
		assert_int_equal(rte_errno, ERANGE);
	}
	assert_int_equal(rte_intr_max_intr_set(handle, 17), -ERANGE);
	assert_int_equal(rte_intr_max_intr_set(handle, -1), -ERANGE);
	assert_int_equal(rte_intr_nb_efd_set(handle, 17), -ERANGE);
	assert_int_equal(rte_intr_nb_efd_set(handle, -1), -ERANGE);
	assert_int_equal(rte_intr_type_set(handle, RTE_INTR_HANDLE_MAX), -EINVAL);
	rte_intr_instance_free(handle);
}

static void
test_list_of_events_grows_and_keeps_what_is_in_it(void **state)
{
	struct rte_intr_handle *handle = intr_handle_empty();

	assert_int_equal(rte_intr_event_list_update(handle, 0), -EINVAL);
	assert_int_equal(rte_intr_event_list_update(handle, UINT16_MAX + 1), -EINVAL);
	assert_int_equal(rte_intr_event_list_update(handle, 4), 0);
	assert_int_equal(rte_intr_nb_efd_set(handle, 3), 0);
	assert_int_equal(rte_intr_efds_index_set(handle, 2, 77), 0);
	assert_int_equal(rte_intr_event_list_update(handle, 2048), 0);
	assert_int_equal(rte_intr_nb_intr_get(handle), 2048);
	assert_int_equal(rte_intr_efds_index_get(handle, 2), 77);
	assert_int_equal(rte_intr_efds_index_get(handle, 2047), -1);
	assert_int_equal(rte_intr_event_list_update(handle, 2), -EINVAL);
	rte_intr_instance_free(handle);
}

static void
test_list_of_events_does_not_move_while_in_use(void **state)
{
	struct rte_intr_handle *handle = intr_handle_empty();

	assert_int_equal(rte_intr_type_set(handle, RTE_INTR_HANDLE_VFIO_MSIX), 0);
	assert_int_equal(rte_intr_efd_enable(handle, 2), 0);
	assert_int_equal(rte_intr_rx_ctl(handle, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD,
		RTE_INTR_VEC_RXTX_OFFSET, NULL), 0);
	assert_int_equal(rte_intr_event_list_update(handle, 1024), -EBUSY);
	rte_intr_free_epoll_fd(handle);
	assert_int_equal(rte_intr_event_list_update(handle, 1024), 0);
	rte_intr_efd_disable(handle);
	rte_intr_instance_free(handle);
}

static void
test_vector_list(void **state)
{
	struct rte_intr_handle *handle = intr_handle_empty();

	assert_int_equal(rte_intr_vec_list_index_get(handle, 0), -ENOTSUP);
	assert_int_equal(rte_intr_vec_list_index_set(handle, 0, 1), -ENOTSUP);
	assert_int_equal(rte_intr_vec_list_alloc(handle, "queues", 0), -EINVAL);
	assert_int_equal(rte_intr_vec_list_alloc(handle, "queues", 4), 0);
	assert_int_equal(rte_intr_vec_list_index_set(handle, 3, 9), 0);
	assert_int_equal(rte_intr_vec_list_index_set(handle, 4, 9), -ERANGE);
	assert_int_equal(rte_intr_vec_list_index_get(handle, -1), -ERANGE);
	assert_int_equal(rte_intr_vec_list_alloc(handle, "queues", 8), 0);
	assert_int_equal(rte_intr_vec_list_index_get(handle, 3), 9);
	assert_int_equal(rte_intr_vec_list_index_get(handle, 7), 0);
	rte_intr_vec_list_free(handle);
	assert_int_equal(rte_intr_vec_list_index_get(handle, 3), -ENOTSUP);
	rte_intr_instance_free(handle);
}

static void
test_copy_has_the_same_descriptors(void **state)
{
	struct rte_intr_handle *handle = intr_handle_empty(), *copy;

	rte_intr_fd_set(handle, 5);
	rte_intr_dev_fd_set(handle, 6);
	rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV);
	rte_intr_efd_counter_size_set(handle, 8);
	rte_intr_nb_efd_set(handle, 2);
	rte_intr_max_intr_set(handle, 3);
	rte_intr_efds_index_set(handle, 1, 7);
	copy = rte_intr_instance_dup(handle);
	rte_intr_instance_free(handle);
	assert_non_null(copy);
	assert_int_equal(rte_intr_fd_get(copy), 5);
	assert_int_equal(rte_intr_dev_fd_get(copy), 6);
	assert_int_equal(rte_intr_type_get(copy), RTE_INTR_HANDLE_VDEV);
	assert_int_equal(rte_intr_efd_counter_size_get(copy), 8);
	assert_int_equal(rte_intr_nb_efd_get(copy), 2);
	assert_int_equal(rte_intr_max_intr_get(copy), 3);
	assert_int_equal(rte_intr_efds_index_get(copy, 1), 7);
	rte_intr_instance_free(copy);
}

static void
test_copy_has_no_vector_in_an_epoll_set(void **state)
{
	struct rte_intr_handle *handle = intr_handle_empty(), *copy;
	unsigned int i;

	rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV);
	rte_intr_nb_efd_set(handle, 2);
	copy = rte_intr_instance_dup(handle);
	rte_intr_instance_free(handle);
	assert_non_null(copy);
	for (i = 0; i < 2; i++)
		assert_int_equal(rte_intr_rx_ctl(copy, -1, RTE_INTR_EVENT_DEL,
			RTE_INTR_VEC_RXTX_OFFSET + i, NULL), -EPERM);
	rte_intr_free_epoll_fd(copy);
	rte_intr_instance_free(copy);
}

static void
test_lack_of_memory_is_reported_and_leaves_nothing(void **state)
{
	struct rte_intr_handle *handle, *copy;
	struct interpose_loop loop;
	bool failed;

	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(ALLOC), 0) {
		handle = rte_intr_instance_alloc(0);
		failed = handle == NULL;
		copy = NULL;
		if (!failed)
			failed = rte_intr_event_list_update(handle, 8) < 0 ||
				rte_intr_nb_efd_set(handle, 4) < 0 ||
				rte_intr_event_list_update(handle, 16) < 0 ||
				rte_intr_vec_list_alloc(handle, NULL, 4) < 0 ||
				(copy = rte_intr_instance_dup(handle)) == NULL;
		interpose_disarm();
		assert_int_equal(failed, interpose_fired());
		rte_intr_instance_free(copy);
		rte_intr_instance_free(handle);
	}
}

/* Event descriptors. */

static void
test_msix_has_one_event_for_each_queue_besides_vector_0(void **state)
{
	struct rte_intr_handle *handle;
	struct resources before;
	int i;

	resources_take(&before);
	handle = intr_handle_empty();
	rte_intr_type_set(handle, RTE_INTR_HANDLE_VFIO_MSIX);
	assert_int_equal(rte_intr_efd_enable(handle, 0), -EINVAL);
	assert_int_equal(rte_intr_efd_enable(handle, 3), 0);
	assert_int_equal(rte_intr_nb_efd_get(handle), 3);
	assert_int_equal(rte_intr_max_intr_get(handle), 4);
	assert_true(rte_intr_dp_is_en(handle));
	assert_true(rte_intr_allow_others(handle));
	assert_true(rte_intr_cap_multiple(handle));
	for (i = 0; i < 3; i++)
		assert_int_equal(eventfd_write(rte_intr_efds_index_get(handle, i), 1), 0);
	rte_intr_efd_disable(handle);
	assert_int_equal(rte_intr_nb_efd_get(handle), 0);
	assert_int_equal(rte_intr_max_intr_get(handle), 0);
	assert_int_equal(rte_intr_efds_index_get(handle, 0), -1);
	rte_intr_instance_free(handle);
	resources_assert_same(&before);
	resources_drop(&before);
}

static void
test_msix_never_wants_more_vectors_than_there_are(void **state)
{
	static const struct {
		int nb_intr;
		uint32_t asked;
		int nb_efd;
		int max_intr;
	} rows[] = {
		{ 512, 4, 4, 5 },
		{ 5, 4, 4, 5 },
		{ 4, 4, 3, 4 },
		{ 2, UINT32_MAX, 1, 2 },
		{ 1, 4, 1, 1 },		/* vector 0 serves the queue too */
	};
	struct rte_intr_handle *handle;
	unsigned int i;

	for (i = 0; i < RTE_DIM(rows); i++) {
		handle = intr_handle_empty();
		rte_intr_type_set(handle, RTE_INTR_HANDLE_VFIO_MSIX);
		assert_int_equal(rte_intr_event_list_update(handle, rows[i].nb_intr), 0);
		assert_int_equal(rte_intr_efd_enable(handle, rows[i].asked), 0);
		assert_int_equal(rte_intr_nb_efd_get(handle), rows[i].nb_efd);
		assert_int_equal(rte_intr_max_intr_get(handle), rows[i].max_intr);
		rte_intr_efd_disable(handle);
		rte_intr_instance_free(handle);
	}
}

static void
test_other_types_share_the_descriptor_of_the_device(void **state)
{
	static const enum rte_intr_handle_type types[] = {
		RTE_INTR_HANDLE_UIO, RTE_INTR_HANDLE_UIO_INTX, RTE_INTR_HANDLE_VFIO_LEGACY,
		RTE_INTR_HANDLE_VFIO_MSI,
	};
	int fd = eventfd(0, EFD_CLOEXEC);
	struct rte_intr_handle *handle;
	unsigned int i;

	for (i = 0; i < RTE_DIM(types); i++) {
		handle = intr_handle_empty();
		rte_intr_type_set(handle, types[i]);
		rte_intr_fd_set(handle, fd);
		assert_int_equal(rte_intr_efd_enable(handle, 8), 0);
		assert_int_equal(rte_intr_nb_efd_get(handle), 1);
		assert_int_equal(rte_intr_efds_index_get(handle, 0), fd);
		assert_false(rte_intr_allow_others(handle));
		assert_false(rte_intr_cap_multiple(handle));
		rte_intr_efd_disable(handle);
		assert_int_equal(eventfd_write(fd, 1), 0);
		rte_intr_instance_free(handle);
	}
	close(fd);
}

static void
test_virtual_device_brings_its_own_events(void **state)
{
	struct rte_intr_handle *handle = intr_handle_empty();
	int fd = eventfd(0, EFD_CLOEXEC);

	rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV);
	assert_int_equal(rte_intr_efds_index_set(handle, 0, fd), 0);
	assert_int_equal(rte_intr_nb_efd_set(handle, 1), 0);
	assert_int_equal(rte_intr_max_intr_set(handle, 2), 0);
	rte_intr_efd_counter_size_set(handle, 17);
	assert_int_equal(rte_intr_efd_enable(handle, 1), -EINVAL);
	rte_intr_efd_counter_size_set(handle, 8);
	assert_int_equal(rte_intr_efd_enable(handle, 1), 0);
	assert_int_equal(rte_intr_efds_index_get(handle, 0), fd);
	rte_intr_efd_disable(handle);
	/* they stay for the next time, which would have none otherwise */
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(rte_intr_nb_efd_get(handle), 1);
	assert_int_equal(rte_intr_max_intr_get(handle), 2);
	rte_intr_instance_free(handle);
	close(fd);
}

static void
test_failing_event_closes_those_before_it(void **state)
{
	struct rte_intr_handle *handle;
	struct interpose_loop loop;
	int rc;

	INTERPOSE_EACH_FAILURE(loop, INTERPOSE_ONLY(EVENTFD) | INTERPOSE_ONLY(ALLOC), 0) {
		interpose_bypass_begin();
		handle = intr_handle_empty();
		rte_intr_type_set(handle, RTE_INTR_HANDLE_VFIO_MSIX);
		interpose_bypass_end();
		rte_log_set_level(RTE_LOGTYPE_EAL, RTE_LOG_CRIT);
		rc = rte_intr_efd_enable(handle, 4);
		interpose_disarm();
		rte_log_set_level(RTE_LOGTYPE_EAL, RTE_LOG_NOTICE);
		assert_int_equal(rc < 0, interpose_fired());
		assert_int_equal(rte_intr_nb_efd_get(handle), rc < 0 ? 0 : 4);
		rte_intr_efd_disable(handle);
		rte_intr_instance_free(handle);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(test_new_handle_is_empty),
	cmocka_unit_test(test_unknown_flag_is_refused),
	cmocka_unit_test(test_handle_without_queues_is_small),
	cmocka_unit_test(test_type_values_are_those_of_the_binary_interface),
	cmocka_unit_test(test_null_handle_is_refused),
	cmocka_unit_test(test_what_is_out_of_range_is_refused),
	cmocka_unit_test(test_list_of_events_grows_and_keeps_what_is_in_it),
	cmocka_unit_test(test_list_of_events_does_not_move_while_in_use),
	cmocka_unit_test(test_vector_list),
	cmocka_unit_test(test_copy_has_the_same_descriptors),
	cmocka_unit_test(test_copy_has_no_vector_in_an_epoll_set),
	cmocka_unit_test(test_lack_of_memory_is_reported_and_leaves_nothing),
	cmocka_unit_test(test_msix_has_one_event_for_each_queue_besides_vector_0),
	cmocka_unit_test(test_msix_never_wants_more_vectors_than_there_are),
	cmocka_unit_test(test_other_types_share_the_descriptor_of_the_device),
	cmocka_unit_test(test_virtual_device_brings_its_own_events),
	cmocka_unit_test(test_failing_event_closes_those_before_it),
};

TEST_SUITE(intr_handle, "unit", tests, NULL, NULL)
