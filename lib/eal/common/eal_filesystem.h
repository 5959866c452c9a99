/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_FILESYSTEM_H
#define EAL_FILESYSTEM_H

/**
 * @file
 * Small files of the system, as sysfs has them.
 */

#include <dirent.h>

/**
 * Read a file that holds one number.
 *
 * @param filename Its path.
 * @param val Where the number goes; decimal, 0x... or 0... as C has it.
 * @return 0; -1 when the file cannot be read or holds anything else.
 */
int eal_parse_sysfs_value(const char *filename, unsigned long *val);

/**
 * Open a folder to read what it holds; the caller ends that by closedir().
 *
 * @param path Its path.
 * @return The folder; NULL with errno set when it cannot be opened.
 */
DIR *eal_folder_open(const char *path);

#endif /* EAL_FILESYSTEM_H */
