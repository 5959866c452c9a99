/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef EAL_RUNTIME_DIR_H
#define EAL_RUNTIME_DIR_H

/**
 * @file
 * The folder for files of this process. It is made when somebody first asks for it.
 */

/** Allow to make it. 0. */
int eal_runtime_dir_init(void);

/** Remove the folder if it is empty, and forget it. 0. */
int eal_runtime_dir_cleanup(void);

#endif /* EAL_RUNTIME_DIR_H */
