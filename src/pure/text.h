/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text: a bounded line that is written to, and the few checks of characters that every parser needs. Pure. */
#ifndef VFIO_BOOT_TEXT_H
#define VFIO_BOOT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The kernel log takes at most 900 bytes of ours (interface.md); a path or link of sysfs is shorter. */
#define TEXT_SIZE 900

/* One line or path. What does not fit is cut, and p[len] is always a NUL. */
struct text {
	unsigned len;
	char p[TEXT_SIZE];
};

/* A piece of somebody else's text: not terminated, not owned. */
struct span {
	const char *p;
	unsigned len;
};

/* Is the span this word? */
bool span_is(struct span s, const char *word) __attribute__((nonnull(2)));

/* Is it this parameter, in which - is written _? They are alike, as for the kernel (parameqn()). */
bool parameter_is(struct span name, const char *word) __attribute__((nonnull(2)));

/* memcmp order, a shorter span before a longer one that begins with it: below, at or above 0. */
int span_cmp(struct span a, struct span b);

/* The n-th word of a list whose words end in NULs: shorter than a table of pointers. */
const char *nth_word(const char *words, unsigned n) __attribute__((nonnull, returns_nonnull));

/* The span from p to end without the white space at both ends. */
struct span trimmed(const char *p, const char *end) __attribute__((nonnull));

/* White space inside a line, the carriage return of CRLF files included; a line feed is not. */
bool is_blank(char c);

/* 0 to 15, or -1 where c is no hexadecimal digit. */
int hex_digit(char c);

/*
 * Reads from min to max hexadecimal digits (max at most 8) and stores the number. Returns where it stopped, or NULL,
 * and then *out is untouched, if there are fewer or more of them. klibc's strtoul would cut a long number silently.
 */
const char *hex_number(const char *p, const char *end, unsigned min, unsigned max, uint32_t *out)
	__attribute__((nonnull));

/* Reads decimal digits from *p on, as many as there are, and moves *p behind them. */
unsigned decimal(const char **p) __attribute__((nonnull));

#endif
