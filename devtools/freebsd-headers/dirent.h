/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_DIRENT_H
#define STANDIN_DIRENT_H

#include <sys/types.h>

typedef struct _dirdesc DIR;
struct dirent {
	ino_t d_fileno;
	off_t d_off;
	uint16_t d_reclen;
	uint8_t d_type;
	uint8_t d_pad0;
	uint16_t d_namlen;
	uint16_t d_pad1;
	char d_name[256];
};
#define d_ino d_fileno
#define DT_UNKNOWN 0
#define DT_DIR 4
#define DT_REG 8

int closedir(DIR *);
int dirfd(DIR *);
DIR *fdopendir(int);
DIR *opendir(const char *);
struct dirent *readdir(DIR *);
int alphasort(const struct dirent **, const struct dirent **);
int scandir(const char *, struct dirent ***, int (*)(const struct dirent *),
	int (*)(const struct dirent **, const struct dirent **));
void rewinddir(DIR *);

#endif
