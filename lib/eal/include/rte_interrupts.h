/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_INTERRUPTS_H
#define RTE_INTERRUPTS_H

/**
 * @file
 * Interrupts: handles that describe a device's interrupt, callbacks that one EAL thread runs,
 * and event descriptors by which queues wake the thread that polls them.
 *
 * A handle belongs to whoever allocated it. Its accessors take no lock: one thread at a time,
 * except that queue interrupts (rte_intr_rx_ctl()) of different vectors do not disturb each other.
 * Registration of callbacks is safe from every thread, and inside callbacks too.
 */

#include <stdbool.h>
#include <stdint.h>

#include <rte_bitops.h>
#include <rte_common.h>
#include <rte_compat.h>
#include <rte_epoll.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A device's interrupt; opaque. */
struct rte_intr_handle;

/** The handle is for this process only. @see rte_intr_instance_alloc() */
#define RTE_INTR_INSTANCE_F_PRIVATE	UINT32_C(0)
/** The handle is for all processes. This EAL has one process, so nothing differs. */
#define RTE_INTR_INSTANCE_F_SHARED	RTE_BIT32(0)

#ifndef RTE_MAX_RXTX_INTR_VEC_ID
/** Event descriptors of a handle until rte_intr_event_list_update() says otherwise. */
#define RTE_MAX_RXTX_INTR_VEC_ID	512
#endif
#define RTE_INTR_VEC_ZERO_OFFSET	0	/**< vector of everything but queues */
#define RTE_INTR_VEC_RXTX_OFFSET	1	/**< vector of the first queue */

#define RTE_INTR_EVENT_IN	RTE_BIT32(0)	/**< there is something to read */
#define RTE_INTR_EVENT_ERR	RTE_BIT32(1)	/**< the descriptor is in error */
#define RTE_INTR_EVENT_HUP	RTE_BIT32(2)	/**< the other end is gone */
#define RTE_INTR_EVENT_RDHUP	RTE_BIT32(3)	/**< the other end writes no more */

/** Where an interrupt comes from, which decides how it is enabled, read and acknowledged. */
enum rte_intr_handle_type {
	RTE_INTR_HANDLE_UNKNOWN = 0,	/**< not said; reads one byte */
	RTE_INTR_HANDLE_UIO,		/**< UIO that enables by a write to its descriptor */
	RTE_INTR_HANDLE_UIO_INTX,	/**< UIO where config space enables: the generic driver */
	RTE_INTR_HANDLE_VFIO_LEGACY,	/**< VFIO, INTx */
	RTE_INTR_HANDLE_VFIO_MSI,	/**< VFIO, MSI */
	RTE_INTR_HANDLE_VFIO_MSIX,	/**< VFIO, MSI-X */
	RTE_INTR_HANDLE_ALARM,		/**< a timer of EAL */
	RTE_INTR_HANDLE_EXT,		/**< whatever the callback reads itself */
	RTE_INTR_HANDLE_VDEV,		/**< virtual device: always enabled, read by its driver */
	RTE_INTR_HANDLE_DEV_EVENT,	/**< device events of EAL, read by the callback */
	RTE_INTR_HANDLE_VFIO_REQ,	/**< VFIO, the kernel wants the device back */
	RTE_INTR_HANDLE_MAX		/**< number of types */
};

/**
 * Interrupt callback; runs in the interrupt thread.
 *
 * @param cb_arg what was given at registration
 */
typedef void (*rte_intr_callback_fn)(void *cb_arg);

/**
 * Called once a pending callback is gone; runs in the interrupt thread, may close the descriptor
 * and free @p cb_arg.
 *
 * @param intr_handle a copy of the handle given at registration, valid during the call only
 * @param cb_arg the argument of the callback that is gone
 */
typedef void (*rte_intr_unregister_callback_fn)(struct rte_intr_handle *intr_handle, void *cb_arg);

/**
 * Has a callback run by the interrupt thread each time the handle's descriptor is ready.
 *
 * Callbacks of one descriptor run one after the other in order of registration; one registered
 * from a callback sees the next event. The handle is copied and may be freed at once. A descriptor
 * that reports an error or hang-up with nothing left to read has its callbacks run once more
 * (rte_intr_active_events_flags() tells why) and is then dropped with all its callbacks.
 *
 * Safe in every thread and in callbacks. Before rte_eal_init() callbacks are kept for later.
 *
 * @param intr_handle handle with fd and type set
 * @param cb the callback
 * @param cb_arg its argument; stays the caller's
 * @return 0, or
 *   - -EINVAL: NULL handle or callback, or no descriptor in the handle
 *   - -ENOMEM: out of memory
 *   - -EBADF, -EPERM, -ENOSPC: the descriptor is closed, cannot be waited for, or is one too many
 */
int
rte_intr_callback_register(const struct rte_intr_handle *intr_handle,
				rte_intr_callback_fn cb, void *cb_arg);

/**
 * Takes callbacks back, unless the interrupt thread is busy with callbacks of this descriptor.
 *
 * Safe in every thread and in callbacks. After success the callback does not run.
 *
 * @param intr_handle handle with the same fd as at registration
 * @param cb the callback
 * @param cb_arg its argument, or (void *)-1 for all with this callback
 * @return number of callbacks taken back, 0 if none matched, or
 *   - -EINVAL: NULL handle or callback, or no descriptor in the handle
 *   - -ENOENT: nothing is registered for this descriptor
 *   - -EAGAIN: callbacks of this descriptor are running, perhaps the caller
 */
int
rte_intr_callback_unregister(const struct rte_intr_handle *intr_handle,
				rte_intr_callback_fn cb, void *cb_arg);

/**
 * Takes callbacks back while callbacks of this descriptor are running, without waiting.
 *
 * From now on the callback does not start again. When the round of callbacks is over, the interrupt
 * thread calls @p ucb_fn. Safe in every thread and in callbacks, for which it is meant.
 *
 * @param intr_handle handle with the same fd as at registration
 * @param cb_fn the callback
 * @param cb_arg its argument, or (void *)-1 for all with this callback
 * @param ucb_fn called for each callback taken back, or NULL
 * @return number of callbacks that will go, 0 if none matched, or
 *   - -EINVAL: NULL handle or callback, or no descriptor in the handle
 *   - -ENOENT: nothing is registered for this descriptor
 *   - -EAGAIN: no callback of this descriptor is running: use rte_intr_callback_unregister()
 */
int
rte_intr_callback_unregister_pending(const struct rte_intr_handle *intr_handle,
					rte_intr_callback_fn cb_fn, void *cb_arg,
					rte_intr_unregister_callback_fn ucb_fn);

/**
 * Takes callbacks back, and waits until they are not running any more.
 *
 * The callback does not start again after the call began. In the interrupt thread, where waiting
 * for oneself would never end, it returns at once: the callbacks that are running are the last
 * ones, and the descriptor may be closed. A caller in another thread must hold no lock that a
 * callback of this descriptor takes.
 *
 * @param intr_handle handle with the same fd as at registration
 * @param cb the callback
 * @param cb_arg its argument, or (void *)-1 for all with this callback
 * @return number of callbacks taken back, 0 if none matched, or
 *   - -EINVAL: NULL handle or callback, or no descriptor in the handle
 *   - -ENOENT: nothing is registered for this descriptor
 */
int
rte_intr_callback_unregister_sync(const struct rte_intr_handle *intr_handle,
					rte_intr_callback_fn cb, void *cb_arg);

/**
 * Lets the device raise its interrupt, in the way of the handle's type.
 *
 * MSI-X: vector 0 goes to the handle's fd, vectors from RTE_INTR_VEC_RXTX_OFFSET on to its event
 * descriptors; never more vectors than the handle's max_intr are asked for. VDEV: does nothing.
 *
 * INTx, of VFIO and UIO: what the device raised while it was switched off, and still wants, comes
 * now. MSI and MSI-X: it does not come any more, so the caller looks at the device afterwards.
 *
 * Any thread may switch, also while others do, and while a callback runs.
 *
 * @param intr_handle handle with fd and dev_fd set
 * @return 0, or
 *   - -EINVAL: NULL handle, or a descriptor is missing
 *   - -ENOTSUP: this type cannot be enabled
 *   - another negative errno that the kernel gave; it is logged with type and descriptor
 */
int
rte_intr_enable(const struct rte_intr_handle *intr_handle);

/**
 * Keeps the device from raising its interrupt. VDEV: does nothing.
 *
 * A callback may still run, for an interrupt that came before; rte_intr_callback_unregister_sync()
 * waits for it.
 *
 * @param intr_handle handle with fd and dev_fd set
 * @return 0 or a negative errno as rte_intr_enable()
 */
int
rte_intr_disable(const struct rte_intr_handle *intr_handle);

/**
 * Lets the next interrupt come, at the end of a callback: unmasks a level-triggered one.
 *
 * MSI, MSI-X and VDEV: does nothing, they are not masked by delivery. Nor does it do anything
 * from rte_intr_disable() to rte_intr_enable().
 *
 * @param intr_handle handle with fd and dev_fd set
 * @return 0 or a negative errno as rte_intr_enable()
 */
int
rte_intr_ack(const struct rte_intr_handle *intr_handle);

/**
 * Tells whether the caller is the interrupt thread.
 *
 * @return 1 in interrupt callbacks, else 0
 */
int
rte_thread_is_intr(void);

/**
 * Allocates a handle: type UNKNOWN, no descriptors (-1), all counts 0.
 *
 * @param flags RTE_INTR_INSTANCE_F_*; with this EAL both mean the process's heap
 * @return the handle, to be freed by rte_intr_instance_free(); or NULL, with rte_errno
 *   - EINVAL: unknown flag
 *   - ENOMEM: out of memory
 */
struct rte_intr_handle *
rte_intr_instance_alloc(uint32_t flags);

/**
 * Frees a handle and its lists; closes no descriptor, takes back no callback.
 *
 * @param intr_handle the handle, or NULL
 */
void
rte_intr_instance_free(struct rte_intr_handle *intr_handle);

/**
 * Sets the descriptor on which interrupts arrive; it stays the caller's.
 *
 * @param intr_handle the handle
 * @param fd descriptor, or -1
 * @return 0, or -EINVAL with rte_errno EINVAL: NULL handle
 */
int
rte_intr_fd_set(struct rte_intr_handle *intr_handle, int fd);

/**
 * Gets the descriptor on which interrupts arrive.
 *
 * @param intr_handle the handle
 * @return descriptor, or -1: none set, or NULL handle
 */
int
rte_intr_fd_get(const struct rte_intr_handle *intr_handle);

/**
 * Sets the type.
 *
 * @param intr_handle the handle
 * @param type one below RTE_INTR_HANDLE_MAX
 * @return 0, or -EINVAL with rte_errno EINVAL: NULL handle or unknown type
 */
int
rte_intr_type_set(struct rte_intr_handle *intr_handle, enum rte_intr_handle_type type);

/**
 * Gets the type.
 *
 * @param intr_handle the handle
 * @return the type, RTE_INTR_HANDLE_UNKNOWN for NULL
 */
enum rte_intr_handle_type
rte_intr_type_get(const struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Tells what woke the interrupt thread for the callback that is running.
 *
 * @return RTE_INTR_EVENT_* flags, 0 outside of interrupt callbacks
 */
__rte_internal
uint32_t
rte_intr_active_events_flags(void);

/**
 * @internal
 * Gets the epoll set of the calling thread, which is made at first use and closed with the thread.
 *
 * @return epoll descriptor, which stays EAL's, or a negative errno: -EMFILE, -ENFILE, -ENOMEM
 */
__rte_internal
int
rte_intr_tls_epfd(void);

/**
 * @internal
 * Adds a vector's event descriptor to an epoll set, or deletes it.
 *
 * @param intr_handle handle with event descriptors
 * @param epfd epoll descriptor, or RTE_EPOLL_PER_THREAD; ignored by DEL, which uses that of ADD
 * @param op RTE_INTR_EVENT_ADD or RTE_INTR_EVENT_DEL
 * @param vec vector: RTE_INTR_VEC_RXTX_OFFSET is the first queue's, and so is vector 0
 * @param data comes back in rte_epoll_data::data
 * @return 0, or
 *   - -EPERM: no such vector, unknown @p op, or DEL of a vector that is in no set
 *   - -EEXIST: ADD of a vector that is in a set
 *   - any error of rte_epoll_ctl()
 */
__rte_internal
int
rte_intr_rx_ctl(struct rte_intr_handle *intr_handle, int epfd, int op, unsigned int vec,
		void *data);

/**
 * @internal
 * Deletes all vectors from the epoll sets they are in.
 *
 * @param intr_handle the handle
 */
__rte_internal
void
rte_intr_free_epoll_fd(struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Makes event descriptors for queues: MSI-X one each, VDEV none (its driver has set them), other
 * types share the handle's fd.
 *
 * MSI-X: sets nb_efd to the number made and max_intr to one more, for vector 0. With vector 0 they
 * are at most nb_intr, so fewer than asked for may be made; if that leaves none, as other types.
 *
 * @param intr_handle the handle
 * @param nb_efd number of queues, at least 1
 * @return 0, or
 *   - -EINVAL: NULL handle, @p nb_efd is 0, or a VDEV's counter has more than 16 bytes
 *   - -ENOMEM, -EMFILE, -ENFILE: out of memory or descriptors; nothing was made
 */
__rte_internal
int
rte_intr_efd_enable(struct rte_intr_handle *intr_handle, uint32_t nb_efd);

/**
 * @internal
 * Undoes rte_intr_efd_enable(): closes the event descriptors, sets nb_efd and max_intr to 0.
 *
 * Event descriptors are closed if they are the handle's own, which max_intr > nb_efd says. Those of
 * the type VDEV are not: EAL has not made them, and rte_intr_efd_enable() would make no others.
 *
 * @param intr_handle the handle
 */
__rte_internal
void
rte_intr_efd_disable(struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Tells whether there are event descriptors for queues.
 *
 * @param intr_handle the handle
 * @return 1 or 0
 */
__rte_internal
int
rte_intr_dp_is_en(struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Tells whether a vector is left for other things than queues.
 *
 * @param intr_handle the handle
 * @return 1 or 0
 */
__rte_internal
int
rte_intr_allow_others(struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Tells whether the type has more than one vector.
 *
 * @param intr_handle the handle
 * @return 1 or 0
 */
__rte_internal
int
rte_intr_cap_multiple(struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Copies a handle with its event descriptors; not the vector list, not what is in epoll sets.
 *
 * @param src the handle to copy
 * @return the copy, to be freed by rte_intr_instance_free(), or NULL with rte_errno EINVAL or
 *   ENOMEM
 */
__rte_internal
struct rte_intr_handle *
rte_intr_instance_dup(const struct rte_intr_handle *src);

/**
 * @internal
 * Sets the device descriptor, through which interrupts are enabled; it stays the caller's.
 *
 * @param intr_handle the handle
 * @param fd VFIO device or UIO config space descriptor, or -1
 * @return 0, or -EINVAL with rte_errno EINVAL: NULL handle
 */
__rte_internal
int
rte_intr_dev_fd_set(struct rte_intr_handle *intr_handle, int fd);

/**
 * @internal
 * Gets the device descriptor.
 *
 * @param intr_handle the handle
 * @return descriptor, or -1: none set, or NULL handle
 */
__rte_internal
int
rte_intr_dev_fd_get(const struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Sets how many vectors rte_intr_enable() may ask for.
 *
 * @param intr_handle the handle
 * @param max_intr 0 to nb_intr
 * @return 0, or a negative errno, set in rte_errno too:
 *   - -EINVAL: NULL handle
 *   - -ERANGE: out of range
 */
__rte_internal
int
rte_intr_max_intr_set(struct rte_intr_handle *intr_handle, int max_intr);

/**
 * @internal
 * Gets how many vectors rte_intr_enable() may ask for.
 *
 * @param intr_handle the handle
 * @return the number, or -EINVAL with rte_errno EINVAL: NULL handle
 */
__rte_internal
int
rte_intr_max_intr_get(const struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Sets the number of event descriptors in use.
 *
 * @param intr_handle the handle
 * @param nb_efd 0 to nb_intr
 * @return 0, or a negative errno, set in rte_errno too:
 *   - -EINVAL: NULL handle
 *   - -ERANGE: out of range
 *   - -ENOMEM: out of memory
 */
__rte_internal
int
rte_intr_nb_efd_set(struct rte_intr_handle *intr_handle, int nb_efd);

/**
 * @internal
 * Gets the number of event descriptors in use.
 *
 * @param intr_handle the handle
 * @return the number, or -EINVAL with rte_errno EINVAL: NULL handle
 */
__rte_internal
int
rte_intr_nb_efd_get(const struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Gets the number of event descriptors that there may be.
 *
 * @param intr_handle the handle
 * @return the number, or -EINVAL with rte_errno EINVAL: NULL handle
 */
__rte_internal
int
rte_intr_nb_intr_get(const struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Sets how many bytes a read takes from a VDEV's event descriptor.
 *
 * @param intr_handle the handle
 * @param efd_counter_size bytes; 0 means that the driver reads
 * @return 0, or -EINVAL with rte_errno EINVAL: NULL handle
 */
__rte_internal
int
rte_intr_efd_counter_size_set(struct rte_intr_handle *intr_handle, uint8_t efd_counter_size);

/**
 * @internal
 * Gets how many bytes a read takes from a VDEV's event descriptor.
 *
 * @param intr_handle the handle
 * @return bytes, or -EINVAL with rte_errno EINVAL: NULL handle
 */
__rte_internal
int
rte_intr_efd_counter_size_get(const struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Sets an event descriptor.
 *
 * @param intr_handle the handle
 * @param index 0 to nb_intr - 1
 * @param fd descriptor, or -1; rte_intr_efd_disable() may close it
 * @return 0, or a negative errno, set in rte_errno too:
 *   - -EINVAL: NULL handle
 *   - -ERANGE: out of range
 *   - -ENOMEM: out of memory
 */
__rte_internal
int
rte_intr_efds_index_set(struct rte_intr_handle *intr_handle, int index, int fd);

/**
 * @internal
 * Gets an event descriptor.
 *
 * @param intr_handle the handle
 * @param index 0 to nb_intr - 1
 * @return descriptor, -1 when none is set, or a negative errno, set in rte_errno too:
 *   - -EINVAL: NULL handle
 *   - -ERANGE: out of range
 */
__rte_internal
int
rte_intr_efds_index_get(const struct rte_intr_handle *intr_handle, int index);

/**
 * @internal
 * Sets the event object of a vector.
 *
 * @param intr_handle the handle
 * @param index 0 to nb_intr - 1
 * @param elist copied
 * @return 0, or a negative errno, set in rte_errno too:
 *   - -EINVAL: NULL handle
 *   - -ERANGE: out of range
 *   - -ENOMEM: out of memory
 */
__rte_internal
int
rte_intr_elist_index_set(struct rte_intr_handle *intr_handle, int index,
				struct rte_epoll_event elist);

/**
 * @internal
 * Gets the event object of a vector.
 *
 * @param intr_handle the handle
 * @param index 0 to nb_intr - 1
 * @return the object, the handle's own, or NULL with rte_errno EINVAL, ERANGE or ENOMEM
 */
__rte_internal
struct rte_epoll_event *
rte_intr_elist_index_get(struct rte_intr_handle *intr_handle, int index);

/**
 * @internal
 * Makes room for a list of vectors by queue; a list that is large enough stays as it is.
 *
 * @param intr_handle the handle
 * @param name ignored
 * @param size queues, at least 1
 * @return 0, or a negative errno, set in rte_errno too:
 *   - -EINVAL: NULL handle, or @p size below 1
 *   - -ENOMEM: out of memory
 */
__rte_internal
int
rte_intr_vec_list_alloc(struct rte_intr_handle *intr_handle, const char *name, int size);

/**
 * @internal
 * Sets the vector of a queue.
 *
 * @param intr_handle the handle
 * @param index queue
 * @param vec vector
 * @return 0, or a negative errno, set in rte_errno too:
 *   - -EINVAL: NULL handle
 *   - -ENOTSUP: there is no list
 *   - -ERANGE: the list is shorter
 */
__rte_internal
int
rte_intr_vec_list_index_set(struct rte_intr_handle *intr_handle, int index, int vec);

/**
 * @internal
 * Gets the vector of a queue.
 *
 * @param intr_handle the handle
 * @param index queue
 * @return vector, or a negative errno as rte_intr_vec_list_index_set()
 */
__rte_internal
int
rte_intr_vec_list_index_get(const struct rte_intr_handle *intr_handle, int index);

/**
 * @internal
 * Frees the list of vectors by queue.
 *
 * @param intr_handle the handle, or NULL
 */
__rte_internal
void
rte_intr_vec_list_free(struct rte_intr_handle *intr_handle);

/**
 * @internal
 * Sets how many event descriptors there may be (nb_intr); those already set are kept.
 *
 * @param intr_handle the handle
 * @param size 1 to 65535, and not below nb_efd and max_intr
 * @return 0, or a negative errno, set in rte_errno too:
 *   - -EINVAL: NULL handle, or @p size out of range
 *   - -EBUSY: a vector is in an epoll set
 *   - -ENOMEM: out of memory; nothing changed
 */
__rte_internal
int
rte_intr_event_list_update(struct rte_intr_handle *intr_handle, int size);

#ifdef __cplusplus
}
#endif

#endif /* RTE_INTERRUPTS_H */
