/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_DLFCN_H
#define STANDIN_DLFCN_H

#define RTLD_LAZY 1
#define RTLD_NOW 2
#define RTLD_NODELETE 0x01000
#define RTLD_GLOBAL 0x100

typedef struct {
	const char *dli_fname;
	void *dli_fbase;
	const char *dli_sname;
	void *dli_saddr;
} Dl_info;

int dladdr(const void *, Dl_info *);
int dlclose(void *);
char *dlerror(void);
void *dlopen(const char *, int);
void *dlsym(void *, const char *);

#endif
