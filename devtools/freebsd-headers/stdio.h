/* SPDX-License-Identifier: BSD-3-Clause */

#ifndef STANDIN_STDIO_H
#define STANDIN_STDIO_H

#include <stdarg.h>
#include <stddef.h>
#include <sys/types.h>

typedef struct __sFILE FILE;
extern FILE *__stdinp, *__stdoutp, *__stderrp;
#define stdin __stdinp
#define stdout __stdoutp
#define stderr __stderrp
#define EOF (-1)
#define BUFSIZ 1024
#define STANDIN_FORMAT(f, a) __attribute__((format(printf, f, a)))

int asprintf(char **, const char *, ...) STANDIN_FORMAT(2, 3);
int vasprintf(char **, const char *, va_list) STANDIN_FORMAT(2, 0);
int dprintf(int, const char *, ...) STANDIN_FORMAT(2, 3);
int fclose(FILE *);
int ferror(FILE *);
int fflush(FILE *);
int fgetc(FILE *);
char *fgets(char *, int, FILE *);
int fileno(FILE *);
FILE *fopen(const char *, const char *);
FILE *fdopen(int, const char *);
FILE *open_memstream(char **, size_t *);
int fprintf(FILE *, const char *, ...) STANDIN_FORMAT(2, 3);
int fputc(int, FILE *);
int fputs(const char *, FILE *);
int fscanf(FILE *, const char *, ...);
size_t fread(void *, size_t, size_t, FILE *);
size_t fwrite(const void *, size_t, size_t, FILE *);
ssize_t getline(char **, size_t *, FILE *);
void perror(const char *);
int printf(const char *, ...) STANDIN_FORMAT(1, 2);
int putchar(int);
int puts(const char *);
int remove(const char *);
int snprintf(char *, size_t, const char *, ...) STANDIN_FORMAT(3, 4);
int sprintf(char *, const char *, ...) STANDIN_FORMAT(2, 3);
int sscanf(const char *, const char *, ...) __attribute__((format(scanf, 2, 3)));
int vfprintf(FILE *, const char *, va_list) STANDIN_FORMAT(2, 0);
int vprintf(const char *, va_list) STANDIN_FORMAT(1, 0);
int vsnprintf(char *, size_t, const char *, va_list) STANDIN_FORMAT(3, 0);

#endif
