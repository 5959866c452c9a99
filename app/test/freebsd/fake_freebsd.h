/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef FAKE_FREEBSD_H
#define FAKE_FREEBSD_H

/**
 * @file
 * FreeBSD's kernel, as far as the PCI bus and the memory of EAL ask for it: /dev/pci, nic_uio,
 * /dev/io, contigmem. It answers as the tables of its interface say, not as our own sources
 * believe: it takes requests apart byte by byte. Functions fail the test if they cannot do what
 * they should.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FAKE_FREEBSD_BARS 6

struct fake_freebsd_device;

/** A BAR. The test may change how it behaves at any time. */
struct fake_freebsd_bar {
	uint64_t base;	/**< as the kernel tells it, with its lowest bits */
	uint64_t length;	/**< 0: there is none */
	int map_rc;	/**< of mapping it, when negative */
	bool held;	/**< by a driver: BAR accesses by the kernel are refused */
	/** One access of 1, 2 or 4 bytes; NULL: to its memory. 0 or -errno */
	int (*access)(struct fake_freebsd_device *dev, unsigned int bar, bool write,
		uint32_t offset, uint32_t width, uint32_t *value);
	int memfd;	/**< its memory */
	unsigned int nb_calls;	/**< accesses by calls */
	unsigned int nb_by_port;	/**< of these, by /dev/io */
};

struct fake_freebsd_device {
	struct fake_freebsd_device *next;
	uint32_t domain;
	uint8_t bus, slot, function;
	uint16_t vendor, device, subvendor, subdevice;
	uint32_t class_id;
	char driver[17];	/**< that holds it, as "nic_uio"; empty: none */
	int numa_domain;
	bool absent;	/**< it has vanished, but is listed */
	uint8_t config[4096];
	size_t config_len;	/**< 256 or 4096: behind that all reads as ones */
	/** Told of each write to configuration space; may be NULL. */
	void (*config_written)(struct fake_freebsd_device *dev);
	struct fake_freebsd_bar bar[FAKE_FREEBSD_BARS];
	void *priv;	/**< the test's */
};

/** The kernel. The test may change how it behaves at any time. */
struct fake_freebsd {
	int release;	/**< 13: no BAR access by the kernel; 14; 15: longer records */
	bool compat14;	/**< 15: it knows the old list as well */
	bool no_dev_pci;	/**< there is no /dev/pci */
	int read_rc;	/**< of opening /dev/pci to read, when negative */
	int write_rc;	/**< of opening /dev/pci to write, when negative */
	int uio_rc;	/**< of opening a device's file, when negative */
	int io_rc;	/**< of opening /dev/io, when negative */
	unsigned int changes;	/**< so often the list changes while it is read */
	/** Called with each answer to a request, to spoil it; returns the result. */
	int (*spoil)(unsigned long request, void *arg, int rc);
	/* contigmem */
	unsigned int nb_buffers;	/**< 0: not loaded */
	uint64_t buffer_size;
	uint64_t physaddr[64];
	int number_len;	/**< bytes of its numbers: 4 or 8 */
	bool taken;	/**< another process has the buffers */
	int contigmem_rc;	/**< of opening it, when negative */
	/* what happened */
	unsigned int nb_lists;	/**< requests for a part of the list */
	unsigned int nb_open;	/**< descriptors that are open now */
	unsigned int nb_combining;	/**< mappings with write-combining */
	unsigned int nb_punched;	/**< parts of files given back */
	/* failures */
	unsigned int fail_at;	/**< the call that fails, from 1; 0: none */
	int fail_rc;
	unsigned int nb_calls;	/**< that could fail */
};

extern struct fake_freebsd fake_freebsd;

/** Boot: FreeBSD 14 without devices. */
void fake_freebsd_start(void);

/** End it. Fails the test if something is open still. */
void fake_freebsd_stop(void);

/** Plug a device, which the fake owns, made after @p like; its BARs get memory. */
struct fake_freebsd_device *fake_freebsd_add(const struct fake_freebsd_device *like);

/** Load contigmem, with buffers at physical addresses that do not follow on one another. */
void fake_freebsd_contigmem(unsigned int nb, uint64_t size);

/** The memory of a buffer, as a device sees it: shared, for munmap(). */
void *fake_freebsd_buffer(unsigned int n);

/** The call number @p n from now on fails with @p rc; 0: none does. */
void fake_freebsd_fail(unsigned int n, int rc);

/** Did it come to that? */
bool fake_freebsd_failed(void);

#endif /* FAKE_FREEBSD_H */
