/* SPDX-License-Identifier: GPL-2.0-or-later */
/* text: bounded text buffers, and the character tests that every parser needs. Pure. */
#ifndef VFIO_BOOT_TEXT_H
#define VFIO_BOOT_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* doc/interface.md limits our lines in the kernel log to 900 bytes. Paths and links of sysfs are shorter. */
#define TEXT_SIZE 900

/* One line or path. Writers truncate what does not fit. p[len] is always a NUL. */
struct text {
	unsigned len;
	char p[TEXT_SIZE];
};

/* A piece of a text that somebody else owns. It does not end in a NUL. */
struct span {
	const char *p;
	unsigned len;
};

/* Returns true if the text is full. Then it may have been cut. */
static inline bool text_is_full(const struct text *t)
{
	return t->len == TEXT_SIZE - 1;
}

/* Returns true if the span equals this word. */
bool span_is(struct span s, const char *word) __attribute__((nonnull(2)));

/*
 * Returns true if the span names this kernel parameter. Spell the word with _. The span may have - instead, because the
 * kernel treats both alike (parameqn()).
 */
bool parameter_is(struct span name, const char *word) __attribute__((nonnull(2)));

/* Returns true if the text ends in the suffix. */
bool ends_with(const char *s, const char *suffix) __attribute__((nonnull));

/* Returns true if the name, or the path, ends in .conf, as those of drop-ins do. */
bool has_conf_suffix(const char *name) __attribute__((nonnull));

/*
 * Compares like memcmp(); a span sorts before a longer one that begins with it. Returns a number below, equal to or
 * above 0.
 */
int span_cmp(struct span a, struct span b);

/*
 * Returns the n-th word, counted from 0, of a list of words that each end in a NUL. Such a list takes less room than a
 * table of pointers.
 */
const char *nth_word(const char *words, unsigned n) __attribute__((nonnull, returns_nonnull));

/* Returns the text from p up to end without the blanks at both ends. */
struct span trimmed(const char *p, const char *end) __attribute__((nonnull));

/* Returns true for white space inside a line. The carriage return of a CRLF file counts, a line feed does not. */
bool is_blank(char c);

/* Returns the value of a hexadecimal digit, 0 to 15, or -1 if c is none. */
int hex_digit(char c);

/*
 * Reads min to max hexadecimal digits from p (max is at most 8) and stores the number in *out. Returns the end of the
 * number. If there are fewer or more digits, returns NULL and leaves *out alone. klibc's strtoul() would truncate a
 * long number silently.
 */
const char *hex_number(const char *p, const char *end, unsigned min, unsigned max, uint32_t *out)
	__attribute__((nonnull));

/* Reads all decimal digits at *p and moves *p behind them. Returns the number, or 0 if there is no digit. */
unsigned decimal(const char **p) __attribute__((nonnull));

#endif
