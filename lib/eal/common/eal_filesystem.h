/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_FILESYSTEM_H
#define EAL_FILESYSTEM_H

/**
 * @file
 * Small files of the system, as sysfs has them.
 */

/**
 * Read a file that holds one number.
 *
 * @param filename Its path.
 * @param val Where the number goes; decimal, 0x... or 0... as C has it.
 * @return 0; -1 when the file cannot be read or holds anything else.
 */
int eal_parse_sysfs_value(const char *filename, unsigned long *val);

#endif /* EAL_FILESYSTEM_H */
