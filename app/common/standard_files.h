/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDARD_FILES_H
#define STANDARD_FILES_H

/**
 * @file
 * Input, output and error output of a program, as its caller left them.
 */

/**
 * Open what is closed of descriptors 0 to 2 on /dev/null. It would be the next file's or socket's,
 * which then gets what is printed. Comes first in main().
 */
void standard_files_open(void);

/**
 * Tell when not all of the output could be written. Comes last in main().
 *
 * @param program
 *   Name for the message.
 * @param status
 *   What the program would end with.
 * @return
 *   @p status; EXIT_FAILURE instead of EXIT_SUCCESS when output is missing.
 */
int standard_output_end(const char *program, int status);

#endif /* STANDARD_FILES_H */
