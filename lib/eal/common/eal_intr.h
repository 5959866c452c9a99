/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_INTR_H
#define EAL_INTR_H

/**
 * @file
 * Interrupts inside EAL: start and stop of the interrupt thread, the handle, the table of types.
 */

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_compat.h>
#include <rte_interrupts.h>

/** What is behind the opaque handle; made and freed in eal_intr_handle.c. */
struct rte_intr_handle {
	enum rte_intr_handle_type type;
	int fd;				/* not ours */
	int dev_fd;			/* not ours */
	uint32_t max_intr;		/* vectors to enable */
	uint32_t nb_efd;		/* event descriptors in use */
	uint32_t nb_intr;		/* event descriptors there may be */
	uint8_t efd_counter_size;	/* bytes, VDEV only */
	pthread_mutex_t lock;		/* of the next, and of what switches the interrupt */
	bool off;			/* acknowledging leaves it so */
	int *efds;			/* nb_intr of them, NULL until one is set */
	struct rte_epoll_event *elist;	/* nb_intr of them, NULL until one is used */
	uint32_t vec_list_size;
	int *vec_list;
};

/** What a type of interrupt can do; NULL means that it cannot. */
struct eal_intr_type {
	const char *name;
	int (*enable)(const struct rte_intr_handle *handle);
	int (*disable)(const struct rte_intr_handle *handle);
	int (*ack)(const struct rte_intr_handle *handle);
	size_t counter_size;	/* bytes that one read takes, 0: callbacks read themselves */
};

/** The widest counter any type or virtual device may have, in bytes. */
#define EAL_INTR_COUNTER_MAX 16

/** The table of types, as the system has them. */
extern const struct eal_intr_type eal_intr_types[RTE_INTR_HANDLE_MAX];

/** For an operation that need not be done. */
int eal_intr_nothing(const struct rte_intr_handle *handle);

/** Row of @p type in the table of types, that of UNKNOWN if there is none; never NULL. */
const struct eal_intr_type *eal_intr_type(enum rte_intr_handle_type type);

/* How VFIO and UIO do what the table says; each logs what fails and returns 0 or -errno. */
int eal_intr_vfio_intx_enable(const struct rte_intr_handle *handle);
int eal_intr_vfio_intx_disable(const struct rte_intr_handle *handle);
int eal_intr_vfio_intx_ack(const struct rte_intr_handle *handle);
int eal_intr_vfio_msi_enable(const struct rte_intr_handle *handle);
int eal_intr_vfio_msi_disable(const struct rte_intr_handle *handle);
int eal_intr_vfio_msix_enable(const struct rte_intr_handle *handle);
int eal_intr_vfio_msix_disable(const struct rte_intr_handle *handle);
int eal_intr_vfio_req_enable(const struct rte_intr_handle *handle);
int eal_intr_vfio_req_disable(const struct rte_intr_handle *handle);
int eal_intr_uio_enable(const struct rte_intr_handle *handle);
int eal_intr_uio_disable(const struct rte_intr_handle *handle);
int eal_intr_uio_intx_enable(const struct rte_intr_handle *handle);
int eal_intr_uio_intx_disable(const struct rte_intr_handle *handle);

/**
 * Starts the interrupt thread; callbacks registered before are served from now on.
 *
 * @return 0, or -EALREADY: it runs, or the errno of what could not be made; then nothing is left
 */
__rte_internal
int eal_intr_init(void);

/**
 * Stops and joins the interrupt thread, drops all callbacks.
 *
 * @return 0 (also if it does not run), or -EDEADLK: called by an interrupt callback
 */
__rte_internal
int eal_intr_cleanup(void);

#endif /* EAL_INTR_H */
