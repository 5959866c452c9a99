/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_PLUGINS_H
#define EAL_PLUGINS_H

/**
 * @file
 * Drivers that are loaded at run time. They stay for the life of the process.
 */

/**
 * Load the drivers that -d names, or, without -d and when EAL itself is a shared library, those
 * of RTE_EAL_PMD_PATH if there is such a folder.
 *
 * @return 0; -ENOENT, -EPERM, -ENOEXEC, ... after a message that names file and reason.
 */
int eal_plugins_load(void);

#endif /* EAL_PLUGINS_H */
