// SPDX-License-Identifier: GPL-2.0-or-later
#ifdef __KLIBC__
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The rest of the unit does not call these, klibc does. */
#define FOR_KLIBC __attribute__((externally_visible))

/*
 * klibc's start-up code opens its stdio streams, and its exit() flushes them; nothing here uses any. Without these two
 * the linker brings stdio and malloc along, 1.4 kB of the 32 that the program may have.
 */
void __libc_init_stdio(void);

FOR_KLIBC void __libc_init_stdio(void)
{
}

FOR_KLIBC int fflush(FILE *stream)
{
	(void)stream;
	return 0;
}

/*
 * klibc has these too, but a function that the compiler sees is cheaper to call: it knows which registers stay as they
 * are (-fipa-ra). That saves 200 bytes.
 */
size_t strlen(const char *s)
{
	const char *p = s;

	while (*p)
		p++;
	return (size_t)(p - s);
}

int strncmp(const char *a, const char *b, size_t n)
{
	for (; n; a++, b++, n--) {
		if (*a != *b)
			return (unsigned char)*a - (unsigned char)*b;
		if (!*a)
			break;
	}
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, PTRDIFF_MAX);
}

void *memchr(const void *s, int c, size_t n)
{
	const char *p = s;

	for (; n; p++, n--) {
		if (*p == (char)c)
			return (void *)p;
	}
	return NULL;
}

char *strchr(const char *s, int c)
{
	for (; *s != (char)c; s++) {
		if (!*s)
			return NULL;
	}
	return (char *)s;
}

char *strrchr(const char *s, int c)
{
	const char *last = NULL;

	do {
		if (*s == (char)c)
			last = s;
	} while (*s++);
	return (char *)last;
}
#endif
