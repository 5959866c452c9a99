/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_UNISTD_H
#define STANDIN_UNISTD_H

#include <sys/types.h>

#define F_OK 0
#define X_OK 1
#define W_OK 2
#define R_OK 4
#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define _SC_PAGESIZE 47
#define _SC_NPROCESSORS_ONLN 58
#define _SC_PHYS_PAGES 121

extern char *optarg;
extern int optind, opterr, optopt;

int access(const char *, int);
int close(int);
int dup(int);
void _exit(int) __attribute__((noreturn));
int faccessat(int, const char *, int, int);
pid_t fork(void);
int ftruncate(int, off_t);
pid_t getpid(void);
uid_t getuid(void);
uid_t geteuid(void);
int getopt(int, char *const [], const char *);
int isatty(int);
ssize_t pread(int, void *, size_t, off_t);
ssize_t pwrite(int, const void *, size_t, off_t);
int pipe2(int *, int);
ssize_t read(int, void *, size_t);
ssize_t readlink(const char *, char *, size_t);
int rmdir(const char *);
long sysconf(int);
int unlink(const char *);
int unlinkat(int, const char *, int);
int usleep(unsigned int);
unsigned int sleep(unsigned int);
ssize_t write(int, const void *, size_t);

#endif
