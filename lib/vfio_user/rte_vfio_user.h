/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef RTE_VFIO_USER_H
#define RTE_VFIO_USER_H

/**
 * @file
 * vfio-user: the VFIO device model over a UNIX socket.
 *
 * A server provides a device: it registers a socket path, describes regions and interrupts and
 * starts. A client uses one: it attaches to a path, maps memory for the device, accesses regions
 * and receives interrupts. Sections named below are those of the vfio-user specification.
 *
 * Functions return 0, a count or an id, or a negative errno. Unless it says otherwise a function
 * may be called from any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <linux/vfio.h>

#include <rte_compat.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------ server ---- */

struct rte_vfio_user_reg_info;

/**
 * An access by the client to a region that the server answers by call.
 *
 * @param reg
 *   The region, as given to rte_vfio_user_set_reg_info().
 * @param buf
 *   @p count bytes: to be filled on a read, to be taken on a write.
 * @param count
 *   Bytes, at least 1. [pos, pos + count) is inside the region.
 * @param pos
 *   Offset in the region, in bytes.
 * @param iswrite
 *   The client writes.
 * @return
 *   @p count, or a negative errno that goes to the client; less than @p count is -EIO to it.
 *
 * Called from the thread that serves the session: the control thread, or the one that calls
 * rte_vfio_user_poll(). It must not block for long.
 */
typedef ssize_t (*rte_vfio_user_reg_acc_t)(struct rte_vfio_user_reg_info *reg, char *buf,
	size_t count, loff_t pos, bool iswrite);

/** A region of a device that is served. */
struct rte_vfio_user_reg_info {
	/** Answers accesses; NULL: accesses go to the memory at @p base. */
	rte_vfio_user_reg_acc_t rw;
	/**
	 * Memory of the whole region, mapped by the application; or NULL. If it is mapped from
	 * @p fd a client can shrink that file. With both given the process survives it, also with
	 * a callback: who falls into what is gone reads zeros and the session ends. But the memory
	 * is lost for later clients, too. A memfd with F_SEAL_SHRINK cannot be shrunk.
	 */
	void *base;
	int fd;	/**< what a client may map the region from; -1: it may not. Stays the caller's */
	/**
	 * Index, flags, size, offset in @p fd, and, with VFIO_REGION_INFO_FLAG_CAPS, a chain of
	 * capabilities behind it (argsz tells how long): which areas may be mapped.
	 */
	struct vfio_region_info *info;
	void *priv;	/**< the application's */
};

/** All regions of a device. Entry i is the region with index i. */
struct rte_vfio_user_regions {
	uint32_t reg_num;	/**< entries */
	struct rte_vfio_user_reg_info reg_info[];	/**< the regions */
};

/** All interrupt types of a device. Entry i is the type with index i. */
struct rte_vfio_user_irq_info {
	uint32_t irq_num;	/**< entries */
	struct vfio_irq_info irq_info[];	/**< flags and number of vectors of each type */
};

/** Memory that the client lets the device use. */
struct rte_vfio_user_mtb_entry {
	uint64_t gpa;	/**< IOVA of its first byte */
	uint64_t size;	/**< bytes */
	uint64_t host_user_addr;	/**< where it is in this process; 0: only by messages */
	void *mmap_addr;	/**< of the mapping it lies in; NULL: only by messages */
	uint64_t mmap_size;	/**< bytes of that mapping */
	int fd;	/**< it was mapped from; the library's; -1: none came */
	uint32_t protection;	/**< PROT_READ, PROT_WRITE: what the device may do */
};

/** The memory of a client, sorted by gpa, without overlap. */
struct rte_vfio_user_mem {
	uint32_t entry_num;	/**< entries */
	struct rte_vfio_user_mtb_entry entry[];	/**< the regions */
};

/**
 * What happens to a device. Each may be NULL. All are called from the thread that serves the
 * session, none while a lock of the library is held: they may call any function of the library but
 * rte_vfio_user_unregister() of their own session. They must not block for long: all other sessions
 * of the control thread wait meanwhile, but for what rte_vfio_user_dma_read() and
 * rte_vfio_user_dma_write() wait for.
 */
struct rte_vfio_user_notify_ops {
	/**
	 * A client has negotiated; the device can be used. There is no memory and no interrupt
	 * yet. Called before the client has its answer.
	 * @return 0, or a negative errno that refuses the client
	 */
	int (*new_device)(int dev_id);
	/**
	 * The client is gone. Its memory and interrupts are there until this returns, and then no
	 * longer: stop all that uses them. Follows a new_device() that agreed, once, also when the
	 * session is unregistered. Then lock_dp() brackets the end of memory and interrupts; what
	 * it returns cannot prevent that.
	 */
	void (*destroy_device)(int dev_id);
	/**
	 * The DMA table, or what is bound to interrupts, has changed. Called after lock_dp(0) and
	 * before the client has its answer. The return value is not used.
	 */
	int (*update_status)(int dev_id);
	/**
	 * With @p lock 1, a change begins that a data path must not see half done; with 0 it is
	 * over: a map, an unmap, a change of bound interrupts, a reset, the end of the client.
	 * @return 0, or a negative errno with which the change is refused (only with @p lock 1);
	 * then there is no lock_dp(0)
	 */
	int (*lock_dp)(int dev_id, int lock);
	/** The client resets the device. @return 0, or a negative errno that goes to the client */
	int (*reset_device)(int dev_id);
};

/**
 * Make a session for a device. The socket file is made by rte_vfio_user_start().
 *
 * @param sock_addr
 *   Path of the socket, at most 107 bytes; it names the session from now on.
 * @param ops
 *   Copied.
 * @return
 *   0; -EINVAL: no path or too long; -EEXIST: registered already; -ENOMEM
 */
__rte_experimental
int rte_vfio_user_register(const char *sock_addr, const struct rte_vfio_user_notify_ops *ops);

/**
 * End a session: disconnect its client (destroy_device() is called), remove the socket file, free
 * everything. Waits for the control thread to be done with it, and for threads inside of functions
 * that use the session; a wait for the client's answer ends at once. In poll mode destroy_device()
 * is called by this thread, after rte_vfio_user_poll() was left.
 *
 * @param sock_addr
 *   Path of the socket, as at rte_vfio_user_register().
 * @return
 *   0; -ENOENT: no such session; -EBUSY: called from a callback of the session; -EDEADLK: called
 *   between rte_vfio_user_dma_enter() and rte_vfio_user_dma_leave()
 */
__rte_experimental
int rte_vfio_user_unregister(const char *sock_addr);

/**
 * Describe the device: flags, num_regions, num_irqs. Before rte_vfio_user_start().
 *
 * @param sock_addr
 *   Path of the socket, as at rte_vfio_user_register().
 * @param dev_info
 *   Copied.
 * @return
 *   0; -ENOENT: no such session; -EBUSY: it is started; -EINVAL: impossible numbers
 */
__rte_experimental
int rte_vfio_user_set_dev_info(const char *sock_addr, struct vfio_device_info *dev_info);

/**
 * Describe the regions. Before rte_vfio_user_start(). The entries and their capability chains are
 * copied; what base and fd refer to must stay until rte_vfio_user_unregister().
 *
 * @param sock_addr
 *   Path of the socket, as at rte_vfio_user_register().
 * @param reg
 *   The regions.
 * @return
 *   0; -ENOENT: no such session; -EBUSY: it is started; -EINVAL: an info without or with a
 *   malformed description, which the log names; -ENOMEM
 */
__rte_experimental
int rte_vfio_user_set_reg_info(const char *sock_addr, struct rte_vfio_user_regions *reg);

/**
 * Describe the interrupts. Before rte_vfio_user_start(). Copied.
 *
 * @param sock_addr
 *   Path of the socket, as at rte_vfio_user_register().
 * @param irq
 *   Copied.
 * @return
 *   0; -ENOENT: no such session; -EBUSY: it is started; -EINVAL; -ENOMEM
 */
__rte_experimental
int rte_vfio_user_set_irq_info(const char *sock_addr, struct rte_vfio_user_irq_info *irq);

/**
 * Listen on the socket and serve.
 *
 * A socket file that nobody listens on any more is replaced; one that is alive is not. Clients are
 * served one at a time; the next one waits in the queue of the socket. The state of the device
 * stays when a client goes, also that of a migration.
 *
 * @param sock_addr
 *   Path of the socket, as at rte_vfio_user_register().
 * @return
 *   0; -ENOENT: no such session; -EBUSY: it is started; -EINVAL: the device, region and interrupt
 *   descriptions are missing or do not fit each other; -EADDRINUSE: somebody serves on that path;
 *   -EEXIST: what is at that path is no socket; another errno of socket, bind, listen or chmod
 */
__rte_experimental
int rte_vfio_user_start(const char *sock_addr);

/**
 * The memory that the client lets the device use, as it is now. All of it that can be is mapped in
 * this process; without this call a region is when it is first used.
 *
 * @param dev_id
 *   The session.
 * @return
 *   The table, or NULL: no such device, or nothing mapped. It is valid until the next change of the
 *   table: use it from a callback, or between lock_dp(0) and lock_dp(1). A client that truncates
 *   its file harms itself alone, as with rte_vfio_user_dma_sg(), which is there for data paths that
 *   do not want to be stopped.
 */
__rte_experimental
const struct rte_vfio_user_mem *rte_vfio_user_get_mem_table(int dev_id);

/**
 * Eventfds that the client bound to the vectors of an interrupt type.
 *
 * @param dev_id
 *   The device.
 * @param index
 *   Type: VFIO_PCI_INTX_IRQ_INDEX and so on.
 * @param count
 *   Entries of @p fds.
 * @param fds
 *   Filled with the descriptors of vectors 0 to count - 1, -1 where none is bound. They stay the
 *   library's and are valid until the next change of interrupts.
 * @return
 *   0; -EINVAL: no such index or fewer vectors than @p count; -ENODEV: no such device
 */
__rte_experimental
int rte_vfio_user_get_irq(int dev_id, uint32_t index, uint32_t count, int *fds);

/**
 * The path of a device's socket.
 *
 * @param dev_id
 *   The session.
 * @param buf
 *   Where to put it, with its NUL.
 * @param len
 *   Bytes of @p buf.
 * @return
 *   0; -ENODEV: no such device; -ENOSPC: @p len bytes are too few for it and the NUL
 */
__rte_experimental
int rte_vfio_get_sock_addr(int dev_id, char *buf, size_t len);

/** What a session is registered with, beyond the path and the callbacks. Zero is the default. */
struct rte_vfio_user_options {
	size_t size;	/**< sizeof(struct rte_vfio_user_options) as the caller knows it */
	uint32_t flags;	/**< RTE_VFIO_USER_F_* */
	mode_t sock_mode;	/**< permissions of the socket file; 0: 0600 */
	/** A socket that is open already: listening, or connected; used with _F_SOCK_FD. */
	int sock_fd;
	/** Most descriptors in a message from the client, up to 253; 0: 16, the most for QEMU. */
	uint32_t max_msg_fds;
	uint32_t max_data_xfer_size;	/**< largest transfer taken, in bytes; 0: 1 MiB */
	uint32_t max_dma_maps;	/**< most memory regions at a time; 0: 65535 */
	uint64_t pgsizes;	/**< page sizes for DMA; 0: 4 KiB */
	uint32_t request_timeout_ms;	/**< for each message of DMA by messages; 0: 5000 */
};

/** Served by rte_vfio_user_poll() in a thread of the application, not by the control thread. */
#define RTE_VFIO_USER_F_POLL      0x1u
/** options.sock_fd is valid. The library owns it from then on; sock_addr is just a name. */
#define RTE_VFIO_USER_F_SOCK_FD   0x2u
/** Do not offer a socket of its own for DMA messages. */
#define RTE_VFIO_USER_F_NO_TWIN   0x4u
/** Send the entries of region I/O descriptors in libvfio-user's layout. */
#define RTE_VFIO_USER_F_LVU_IOFDS 0x8u

/**
 * rte_vfio_user_register() with options.
 *
 * @param sock_addr
 *   As there.
 * @param ops
 *   As there.
 * @param opt
 *   Copied. NULL: the defaults.
 * @return
 *   As rte_vfio_user_register(); also -EINVAL: options out of range, which the log names
 */
__rte_experimental
int rte_vfio_user_register_opt(const char *sock_addr, const struct rte_vfio_user_notify_ops *ops,
	const struct rte_vfio_user_options *opt);

/**
 * The id of a session.
 *
 * @param sock_addr
 *   Path of the socket, as at rte_vfio_user_register().
 * @return an id >= 0, -ENOENT
 */
__rte_experimental
int rte_vfio_user_dev_id(const char *sock_addr);

/**
 * Serve a session registered with RTE_VFIO_USER_F_POLL: accept a client, handle what has arrived.
 * Makes one system call when nothing has. One thread at a time for each session.
 *
 * @param dev_id
 *   The session.
 * @return
 *   Number of messages handled; -ENODEV: no such device; -EINVAL: not in poll mode or not started
 */
__rte_experimental
int rte_vfio_user_poll(int dev_id);

/**
 * A descriptor that is readable when rte_vfio_user_poll() has something to do, to sleep on.
 *
 * @param dev_id
 *   The session.
 * @return the descriptor, which stays the library's; -ENODEV, -EINVAL
 */
__rte_experimental
int rte_vfio_user_poll_fd(int dev_id);

/* ---- DMA of a served device ---- */

/**
 * Translate a range of guest memory to pointers. Takes no lock and makes no system call, but for
 * the first use of a region that the client has mapped: that maps it here, too.
 *
 * The pointers are valid between rte_vfio_user_dma_enter() and rte_vfio_user_dma_leave() of the
 * same thread, even while the client unmaps the range or truncates its file: an access then reads
 * zeros and the session is marked broken.
 *
 * @param dev_id
 *   The device.
 * @param addr
 *   IOVA of the first byte.
 * @param len
 *   Bytes, at least 1.
 * @param prot
 *   PROT_READ, PROT_WRITE: what the device is going to do.
 * @param iov
 *   Filled with the pieces; adjacent pieces are joined.
 * @param nb_iov
 *   Entries of @p iov, at least 1.
 * @return
 *   Number of pieces; -EFAULT: part of the range is not mapped; -EACCES: not permitted by @p prot;
 *   -ENOSPC: more than @p nb_iov pieces; -ENOTSUP: part of the range is only reachable by messages,
 *   use rte_vfio_user_dma_read(); -ENODEV: no such device or no client; -ENOMEM, or another errno
 *   of mmap() in the first use of a region
 */
__rte_experimental
int rte_vfio_user_dma_sg(int dev_id, uint64_t addr, uint64_t len, int prot,
	struct iovec *iov, int nb_iov);

/**
 * Begin to use pointers from rte_vfio_user_dma_sg(). Calls nest.
 *
 * @param dev_id
 *   The session.
 * @return 0, -ENODEV
 */
__rte_experimental
int rte_vfio_user_dma_enter(int dev_id);

/**
 * The pointers of this thread are no longer used.
 *
 * @param dev_id
 *   The session.
 */
__rte_experimental
void rte_vfio_user_dma_leave(int dev_id);

/**
 * Copy from guest memory, through the mapping where there is one, by messages where not.
 *
 * Messages are sent by the thread that serves the session. Any other thread waits for it; in poll
 * mode somebody has to poll. A callback may wait, too: commands that the client sends meanwhile are
 * handled when the callback is over, and other sessions of the control thread are served.
 *
 * -EDEADLK is the answer at once where waiting is hopeless: between rte_vfio_user_dma_enter() and
 * rte_vfio_user_dma_leave(), and in a callback for a command that QEMU waits for, which answers
 * nothing meanwhile. QEMU is known by offering REGION_WRITE_MULTI and no socket for commands.
 * Posted writes are free of that, and so are other threads.
 *
 * @param dev_id
 *   The session.
 * @param addr
 *   IOVA of the first byte.
 * @param buf
 *   Where to put them.
 * @param len
 *   Bytes.
 * @return
 *   0; -EFAULT: not mapped, or the memory is gone; -EACCES: not readable for the device;
 *   -EINVAL: the range wraps; -ENODEV: no such device, or no client any more; -ETIMEDOUT: the
 *   client did not answer; -EDEADLK: see above; -EPROTO: its answer makes no sense; another errno
 *   that the client sent, or of mmap() in the first use of a region.
 *   After an error part of the range may have been copied.
 */
__rte_experimental
int rte_vfio_user_dma_read(int dev_id, uint64_t addr, void *buf, uint64_t len);

/**
 * Copy to guest memory.
 *
 * @param dev_id
 *   The session.
 * @param addr
 *   IOVA of the first byte.
 * @param buf
 *   What to write.
 * @param len
 *   Bytes.
 * @return as rte_vfio_user_dma_read()
 */
__rte_experimental
int rte_vfio_user_dma_write(int dev_id, uint64_t addr, const void *buf, uint64_t len);

/**
 * Raise an interrupt. Takes no lock and never waits, whatever the client does to its eventfd.
 *
 * One that is masked is remembered, and raised when the client unmasks it. A type with
 * VFIO_IRQ_INFO_AUTOMASKED is masked by being raised.
 *
 * @param dev_id
 *   The session.
 * @param index
 *   VFIO_PCI_*_IRQ_INDEX.
 * @param vector
 *   Which of that kind, from 0 on.
 * @return
 *   0, also when the client masked it; -EINVAL: no such vector; -ENOTCONN: no client bound an
 *   eventfd to it; -ENODEV
 */
__rte_experimental
int rte_vfio_user_irq_raise(int dev_id, uint32_t index, uint32_t vector);

/* ---- region I/O descriptors ---- */

/** Stores to a part of a region that signal an eventfd instead of a message (GET_REGION_IO_FDS). */
struct rte_vfio_user_io_fd {
	uint32_t region;	/**< index */
	uint32_t flags;	/**< KVM_IOEVENTFD_FLAG_* */
	uint64_t offset;	/**< in the region */
	uint64_t size;	/**< bytes; 0: an access of any width */
	uint64_t datamatch;	/**< with KVM_IOEVENTFD_FLAG_DATAMATCH */
	int fd;	/**< eventfd; stays the caller's */
	int shadow_fd;	/**< memory that gets the value stored; -1: none */
	uint64_t shadow_offset;	/**< in @p shadow_fd */
};

/**
 * Offer I/O descriptors for parts of regions. Replaces those offered before. The list is copied,
 * the descriptors must stay open until it is replaced. An entry whose descriptors are more than the
 * client takes in a message is left out of the answer.
 *
 * @param dev_id
 *   The session.
 * @param io_fd
 *   The descriptors.
 * @param nb
 *   How many there are.
 * @return
 *   0; -EINVAL: outside a region; -ENODEV; -ENOMEM; -EDEADLK: called between
 *   rte_vfio_user_dma_enter() and rte_vfio_user_dma_leave()
 */
__rte_experimental
int rte_vfio_user_set_io_fds(int dev_id, const struct rte_vfio_user_io_fd *io_fd, uint32_t nb);

/* ---- migration of a served device ---- */

/** What a device does to be migrated. All are called from the thread that serves the session. */
struct rte_vfio_user_migration_ops {
	uint64_t flags;	/**< VFIO_MIGRATION_STOP_COPY, VFIO_MIGRATION_PRE_COPY */
	/**
	 * Go one step to a state of enum vfio_device_mig_state.
	 * @return 0; -ENOTRECOVERABLE: the device is in no valid state, VFIO_DEVICE_STATE_ERROR,
	 * until it is reset; another negative errno: it is in the state before
	 */
	int (*set_state)(int dev_id, uint32_t state);
	/** Give up to @p len bytes of state. @return bytes; 0: no more; or a negative errno */
	ssize_t (*read_data)(int dev_id, void *buf, size_t len);
	/** Take bytes of state. @return @p len, or a negative errno */
	ssize_t (*write_data)(int dev_id, const void *buf, size_t len);
};

/**
 * Make a device migratable. Before rte_vfio_user_start().
 *
 * @param sock_addr
 *   Names the session.
 * @param ops
 *   Copied.
 * @return 0; -ENOENT; -EBUSY: it is started; -EINVAL
 */
__rte_experimental
int rte_vfio_user_set_migration(const char *sock_addr,
	const struct rte_vfio_user_migration_ops *ops);

/**
 * Tell that the device wrote to guest memory through pointers, for dirty-page tracking: before
 * rte_vfio_user_dma_leave(), behind which the memory may be gone and its last pages reported.
 * rte_vfio_user_dma_write() does so itself. Cheap when nobody tracks. Memory that is reached by
 * messages only is not tracked here: its client sees each write.
 *
 * @param dev_id
 *   The session.
 * @param addr
 *   IOVA of the first byte.
 * @param len
 *   Bytes.
 */
__rte_experimental
void rte_vfio_user_dma_dirty(int dev_id, uint64_t addr, uint64_t len);

/* ------------------------------------------------------------------ client ---- */

/** Memory for a device to use. */
struct rte_vfio_user_mem_reg {
	uint64_t gpa;	/**< IOVA */
	uint64_t size;	/**< bytes */
	uint64_t fd_offset;	/**< where it starts in its descriptor, in bytes */
	uint32_t protection;	/**< PROT_READ, PROT_WRITE: what the device may do */
	uint32_t flags;	/**< RTE_VUSER_MEM_* */
};

/** The device may map it: a descriptor goes with it. */
#define RTE_VUSER_MEM_MAPPABLE 0x1u

/*
 * Every function of a client that talks to the server may be called by any number of threads at a
 * time. Besides what stands with each they return
 *   -ENODEV: no such device
 *   -ENOTCONN: the server is gone, or sent what no server should and was left
 *   -ETIMEDOUT: the server did not answer within the time limit; its late answer is dropped
 *   -EPROTO: an answer that does not fit the question, or promises what cannot be
 *   -EMFILE: no descriptor is free for what came with the answer
 *   -ENOMEM: an answer could not be received; the server was left
 *   -ENOBUFS: the kernel had no memory for the request, which was not sent
 *   -EDEADLK: called from the handler of rte_vfio_user_set_dma_handler() of the same device
 *   the errno that the server sent
 */

/**
 * Connect to a device. Same as rte_vfio_user_attach_dev_opt() without options.
 *
 * @param sock_addr
 *   Path of the server's socket, at most 107 bytes.
 * @return
 *   An id >= 0; -EINVAL: no path; -ENAMETOOLONG; -ENOENT, -ECONNREFUSED: nobody listens;
 *   -ENOTSOCK: what is there is no socket; -EPROTO: the peer is no vfio-user server;
 *   -EPROTONOSUPPORT: of another version; -ETIMEDOUT: it did not answer; -ENODEV: no PCI device;
 *   -ENOSPC: RTE_VFIO_USER_MAX_CLIENTS are attached; -ENOMEM; another errno of socket or connect
 */
__rte_experimental
int rte_vfio_user_attach_dev(const char *sock_addr);

/** Most devices that a process is attached to at a time. */
#define RTE_VFIO_USER_MAX_CLIENTS 1024

/** How a client attaches. Zero is the default. */
struct rte_vfio_user_attach_options {
	size_t size;	/**< sizeof(struct rte_vfio_user_attach_options) as the caller knows it */
	uint32_t flags;	/**< RTE_VFIO_USER_ATTACH_F_* */
	uint32_t timeout_ms;	/**< for each request, and to connect; 0: 5000 */
	int sock_fd;	/**< a connected stream socket; used with _F_SOCK_FD */
	/** For rte_vfio_user_reset(); 0: 60000 or timeout_ms if that is more; UINT32_MAX: none. */
	uint32_t reset_timeout_ms;
};

/**
 * options.sock_fd is valid: it is made blocking, and the library's from then on, also if attaching
 * fails, but for options that are not understood. sock_addr is just a name for the log.
 */
#define RTE_VFIO_USER_ATTACH_F_SOCK_FD 0x1u
/** Do not offer to take commands of the server on a socket of their own. */
#define RTE_VFIO_USER_ATTACH_F_NO_TWIN 0x2u

/**
 * Connect to a device with options.
 *
 * @param sock_addr
 *   Path of the socket.
 * @param opt
 *   Copied. NULL: the defaults.
 * @return
 *   As rte_vfio_user_attach_dev(); also -EINVAL: unknown flags or size
 */
__rte_experimental
int rte_vfio_user_attach_dev_opt(const char *sock_addr,
	const struct rte_vfio_user_attach_options *opt);

/**
 * Disconnect. Requests of other threads that are under way end with -ENOTCONN; waits for them.
 *
 * @param dev_id
 *   The device.
 * @return 0; -ENODEV: no such device; -EDEADLK: from a handler of this device
 */
__rte_experimental
int rte_vfio_user_detach_dev(int dev_id);

/**
 * Put the connection of one device in the place of another one's, which is over from then on. For a
 * server that was started again: attach to it, tell it what it has to know, and let it take the
 * place of the one that is gone, without a moment in which threads that use the device find it half
 * done. Requests of theirs fail meanwhile, with -ENOTCONN or, for a moment, -ENODEV. Waits for the
 * requests that are under way at the one that replaces it.
 *
 * @param dev_id
 *   The device. Its descriptor of rte_vfio_user_event_fd() is closed.
 * @param by_dev_id
 *   What replaces it, with its memory, handler and descriptor. Is no id any more on success.
 * @return
 *   0; -ENODEV: one of them is none; -EINVAL: they are the same; -EDEADLK: from a handler of one
 *   of them
 */
__rte_experimental
int rte_vfio_user_replace_dev(int dev_id, int by_dev_id);

/** What a server said about itself when it was attached to. */
struct rte_vfio_user_limits {
	uint16_t major;	/**< version */
	uint16_t minor;	/**< version */
	uint32_t max_msg_fds;	/**< most descriptors in one message */
	uint32_t max_data_xfer_size;	/**< largest transfer of one message, in bytes */
	uint32_t max_dma_maps;	/**< most memory regions at a time */
	uint64_t pgsizes;	/**< bit mask of page sizes for DMA */
	bool write_multiple;	/**< understands rte_vfio_user_region_write_multi() */
	bool twin_socket;	/**< sends its commands on a socket of their own */
	bool migration;	/**< said something about migration */
	uint64_t mig_pgsize;	/**< bytes a bit of a dirty bitmap stands for */
	uint64_t mig_max_bitmap_size;	/**< bytes */
};

/**
 * What a server can do, as far as it has said when it was attached to.
 *
 * @param dev_id
 *   The device.
 * @param[out] limits
 *   What its server has said.
 * @return 0; -ENODEV
 */
__rte_experimental
int rte_vfio_user_get_limits(int dev_id, struct rte_vfio_user_limits *limits);

/**
 * VFIO_DEVICE_GET_INFO.
 *
 * @param dev_id
 *   The device.
 * @param info
 *   argsz is at least 16; the first 16 bytes are set.
 * @return 0; -EINVAL: argsz too small; or see above
 */
__rte_experimental
int rte_vfio_user_get_dev_info(int dev_id, struct vfio_device_info *info);

/**
 * VFIO_DEVICE_GET_REGION_INFO, with its capabilities when argsz leaves room for them, else
 * argsz tells the room they need.
 *
 * @param dev_id
 *   The device.
 * @param info
 *   index and argsz, at least 32, are set by the caller. Without VFIO_REGION_INFO_FLAG_CAPS and
 *   with an argsz that has grown, ask again with as much room. What is returned was checked: a
 *   chain of capabilities that ends, areas inside the region. One that fails this is cleared;
 *   after any other error the structure is as it was.
 * @param fd
 *   Set to what the region can be mapped from, which is then the caller's, or to -1. Comes with
 *   the full answer only. May be NULL. The file is long enough now; the server can shrink it at
 *   any time, so whoever maps it has to expect SIGBUS, unless fcntl(F_GET_SEALS) says otherwise.
 * @return 0; -EINVAL: argsz too small, or no such region; -ENOMEM; or see above
 */
__rte_experimental
int rte_vfio_user_get_reg_info(int dev_id, struct vfio_region_info *info, int *fd);

/**
 * VFIO_DEVICE_GET_IRQ_INFO.
 *
 * @param dev_id
 *   The device.
 * @param info
 *   index and argsz, at least 16, are set by the caller.
 * @return 0; -EINVAL: argsz too small, or no such type; or see above
 */
__rte_experimental
int rte_vfio_user_get_irq_info(int dev_id, struct vfio_irq_info *info);

/**
 * Let the device use memory. The regions are sent without waiting for one another; to a server of
 * this library many in one message, if all have a descriptor.
 *
 * @param dev_id
 *   The device.
 * @param mem
 *   @p num regions. Without RTE_VUSER_MEM_MAPPABLE, and if the server takes no descriptors, the
 *   device reaches the memory by messages only: see rte_vfio_user_set_dma_handler().
 * @param fds
 *   For each region what to map it from, or -1. They stay the caller's. NULL: none.
 * @param num
 *   How many there are.
 * @return
 *   0; or the first error, with those regions that the server accepted unmapped again;
 *   -EINVAL: an empty region, one that wraps, unknown protection or flags; -ENOSPC: more than
 *   the server's max_dma_maps
 */
__rte_experimental
int rte_vfio_user_dma_map(int dev_id, struct rte_vfio_user_mem_reg *mem, int *fds, uint32_t num);

/**
 * Take memory away. On return the device no longer uses it. Every region is tried.
 *
 * A server that does not answer in time may still use the memory. So the connection ends, and with
 * it, by the protocol, all that the server has of the client: what follows is -ENOTCONN. The same
 * holds for rte_vfio_user_dma_unmap_dirty() and rte_vfio_user_dma_unmap_all(). A server that hangs
 * sees that when it goes on: who cannot trust it gives it descriptors of memory that is used for
 * nothing else afterwards.
 *
 * @param dev_id
 *   The device.
 * @param mem
 *   gpa and size are those of a map.
 * @param num
 *   How many there are.
 * @return 0, or the first error; -ETIMEDOUT: and the connection is over
 */
__rte_experimental
int rte_vfio_user_dma_unmap(int dev_id, struct rte_vfio_user_mem_reg *mem, uint32_t num);

/**
 * Take one region away and learn which pages the device wrote since it was last asked.
 *
 * @param dev_id
 *   The device.
 * @param gpa
 *   IOVA of the first byte.
 * @param size
 *   Bytes.
 * @param pgsize
 *   Bytes a bit stands for, a power of two.
 * @param bitmap
 *   One bit for each page, in whole 64-bit words.
 * @param bitmap_size
 *   Bytes of @p bitmap: exactly as many as those words take.
 * @return 0; -EINVAL: sizes that do not fit each other or are too large for a message
 */
__rte_experimental
int rte_vfio_user_dma_unmap_dirty(int dev_id, uint64_t gpa, uint64_t size, uint64_t pgsize,
	uint64_t *bitmap, uint64_t bitmap_size);

/**
 * Take all memory away at once.
 *
 * @param dev_id
 *   The device.
 * @return 0; or see above
 */
__rte_experimental
int rte_vfio_user_dma_unmap_all(int dev_id);

/**
 * Reads or writes memory for a device that cannot do it itself.
 *
 * @param dev_id
 *   The device.
 * @param addr
 *   IOVA. As the server gives it: in no way checked.
 * @param buf
 *   @p len bytes: to be filled when @p write is false, to be stored when it is true.
 * @param len
 *   Bytes.
 * @param write
 *   Whether to store, else to load.
 * @param ctx
 *   Passed to it.
 * @return 0, or a negative errno that goes to the server
 *
 * Called by a thread that waits for an answer of this server or is in rte_vfio_user_serve(), one at
 * a time. It must not call functions of this device that talk to the server.
 */
typedef int (*rte_vfio_user_dma_handler_t)(int dev_id, uint64_t addr, void *buf, uint64_t len,
	bool write, void *ctx);

/**
 * Say who serves DMA_READ and DMA_WRITE of the server. Without a handler they are refused with
 * EFAULT, but for memory of rte_vfio_user_dma_host().
 *
 * @param dev_id
 *   The device.
 * @param handler
 *   Called for what rte_vfio_user_dma_host() does not cover. NULL: nobody.
 * @param ctx
 *   Passed to it.
 * @return
 *   0, and the handler before it runs no more; -ENODEV; -EDEADLK: from the handler of this device;
 *   -ETIMEDOUT: other threads waited for the server for all the time that a request has
 */
__rte_experimental
int rte_vfio_user_set_dma_handler(int dev_id, rte_vfio_user_dma_handler_t handler, void *ctx);

/**
 * Say where memory that the device reaches by messages is in this process.
 *
 * @param dev_id
 *   The device.
 * @param gpa
 *   IOVA of the first byte.
 * @param size
 *   Bytes.
 * @param host
 *   Address of @p size bytes, which must stay until they are taken back; NULL: take back what
 *   was said with this @p gpa. On return it is no longer used.
 * @param prot
 *   PROT_READ, PROT_WRITE: what the device may do.
 * @return
 *   0; -EINVAL: an empty range, or one that wraps; -EEXIST: overlaps another one; -ENOENT: nothing
 *   to take back; -ENOMEM; -ENODEV; -EDEADLK: from the handler of this device
 */
__rte_experimental
int rte_vfio_user_dma_host(int dev_id, uint64_t gpa, uint64_t size, void *host, int prot);

/**
 * Serve commands of the server while no request is under way, which would serve them too.
 *
 * @param dev_id
 *   The device.
 * @param timeout_ms
 *   How long to wait for one; 0: not at all; negative: until one came. Waits no longer than until
 *   rte_vfio_user_replace_dev() gives the connection another id.
 * @return
 *   Number of commands served; -ENODEV; -ENOTCONN: the connection is over; -EDEADLK: from a handler
 *   of this device
 */
__rte_experimental
int rte_vfio_user_serve(int dev_id, int timeout_ms);

/**
 * A descriptor to wait on, for a program that has other things to wait for than a server. It can
 * be read from when rte_vfio_user_serve() has something to do: there is a command of the server,
 * or room for the rest of the answer to one, or the connection is over, which
 * rte_vfio_user_serve() then tells. Who has asked for it is counted on to serve: without it, the
 * thread that served a command sees the answer to its end. Costs other threads nothing:
 * answers to their requests do not wake who waits, unless commands of the server come on the same
 * socket and could ask for memory.
 *
 * @param dev_id
 *   The device.
 * @return
 *   A descriptor, always the same one, that stays the library's and is closed by
 *   rte_vfio_user_detach_dev(); -ENODEV; -EMFILE or another errno of epoll
 */
__rte_experimental
int rte_vfio_user_event_fd(int dev_id);

/**
 * VFIO_DEVICE_SET_IRQS. The eventfds in the data stay the caller's. Goes out in as many requests as
 * descriptors and holes among them need; those before one that fails have taken effect.
 *
 * @param dev_id
 *   The device.
 * @param set
 *   As the kernel's.
 * @return
 *   0; -EINVAL: flags, or argsz that does not cover the data; -ENOTSUP: the server takes no
 *   descriptors; or see above
 */
__rte_experimental
int rte_vfio_user_set_irqs(int dev_id, struct vfio_irq_set *set);

/**
 * Read a region, of any length; split at what the server takes at a time.
 *
 * @param dev_id
 *   The device.
 * @param idx
 *   The region.
 * @param offset
 *   Of the first byte in it.
 * @param size
 *   Bytes.
 * @param data
 *   Where to put them.
 * @return 0; -EINVAL: the range wraps; or see above
 */
__rte_experimental
int rte_vfio_user_region_read(int dev_id, uint32_t idx, uint64_t offset, uint32_t size,
	void *data);

/**
 * Write a region. The data have arrived when it returns.
 *
 * @param dev_id
 *   The device.
 * @param idx
 *   The region.
 * @param offset
 *   Of the first byte in it.
 * @param size
 *   Bytes.
 * @param data
 *   What to write.
 * @return 0; -EINVAL: the range wraps; -EIO: fewer arrived; or see above
 */
__rte_experimental
int rte_vfio_user_region_write(int dev_id, uint32_t idx, uint64_t offset, uint32_t size,
	const void *data);

/**
 * Write a region without waiting: the server tells nothing, not even an error. It is done before
 * whatever this thread asks for next.
 *
 * @param dev_id
 *   The device.
 * @param idx
 *   The region.
 * @param offset
 *   Of the first byte in it.
 * @param size
 *   Bytes.
 * @param data
 *   What to write.
 * @return 0: it is on its way; or see above
 */
__rte_experimental
int rte_vfio_user_region_post(int dev_id, uint32_t idx, uint64_t offset, uint32_t size,
	const void *data);

/** One of several writes. */
struct rte_vfio_user_write {
	uint64_t offset;	/**< in the region */
	uint32_t region;	/**< index */
	uint32_t count;	/**< bytes, 1 to 8 */
	uint8_t data[8];	/**< the first count of them */
};

/**
 * Write several small values, in their order, as REGION_WRITE_MULTI where the server understands
 * it, else one by one.
 *
 * @param dev_id
 *   The device.
 * @param wr
 *   The writes.
 * @param nb
 *   How many there are.
 * @param post
 *   Do not wait, as rte_vfio_user_region_post().
 * @return 0; -EINVAL: a count out of range; -EIO: fewer were done
 */
__rte_experimental
int rte_vfio_user_region_write_multi(int dev_id, const struct rte_vfio_user_write *wr, uint32_t nb,
	bool post);

/**
 * VFIO_DEVICE_RESET. A device may take its time for that, so it has a time limit of its own:
 * rte_vfio_user_attach_options.reset_timeout_ms.
 *
 * @param dev_id
 *   The device.
 * @return 0; or see above
 */
__rte_experimental
int rte_vfio_user_reset(int dev_id);

/**
 * Ask which parts of a region signal an eventfd when they are written to.
 *
 * @param dev_id
 *   The device.
 * @param region
 *   Index of the region.
 * @param io_fd
 *   Filled with up to @p nb parts; their descriptors, -1 where there is none, are the caller's.
 *   Cannot be NULL unless @p nb is 0.
 * @param nb
 *   How many there are.
 * @return
 *   Number of parts that there are; if that is more than @p nb, none is filled in; -EINVAL: no
 *   such region; -EMFILE; -ENOMEM; or see above
 */
__rte_experimental
int rte_vfio_user_get_io_fds(int dev_id, uint32_t region, struct rte_vfio_user_io_fd *io_fd,
	uint32_t nb);

/**
 * VFIO_DEVICE_FEATURE.
 *
 * @param dev_id
 *   The device.
 * @param feature
 *   As for the ioctl: argsz bytes, of which the first @p len are the request. A GET leaves the
 *   answer in it.
 * @param len
 *   Bytes of the request, at least 8.
 * @return
 *   Bytes of the answer; -EINVAL: @p len larger than argsz, or too large; or see above
 */
__rte_experimental
int rte_vfio_user_feature(int dev_id, struct vfio_device_feature *feature, size_t len);

/**
 * Read state of a device in VFIO_DEVICE_STATE_PRE_COPY or _STOP_COPY.
 *
 * @param dev_id
 *   The device.
 * @param buf
 *   Where to put it.
 * @param len
 *   Bytes of @p buf.
 * @return bytes, 0 at the end, less than @p len also before it; or see above
 */
__rte_experimental
ssize_t rte_vfio_user_mig_read(int dev_id, void *buf, size_t len);

/**
 * Write state of a device in VFIO_DEVICE_STATE_RESUMING.
 *
 * @param dev_id
 *   The device.
 * @param buf
 *   The state.
 * @param len
 *   Bytes.
 * @return 0 when all of it was taken; or see above
 */
__rte_experimental
int rte_vfio_user_mig_write(int dev_id, const void *buf, size_t len);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VFIO_USER_H */
