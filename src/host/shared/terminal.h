/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminal: colours and line drawing for terminals that want them. Host program only. */
#ifndef VFIO_BOOT_TERMINAL_H
#define VFIO_BOOT_TERMINAL_H

#include <stddef.h>
#include <stdio.h>

enum style { PLAIN, BOLD, DIM, GOOD, BAD, STYLES };

enum line { LINE_TEE, LINE_END, LINE_DOWN, LINE_BLANK, LINES };

/*
 * Call this once, before any output. Enables colours on a terminal without NO_COLOR, and line drawing characters in a
 * UTF-8 locale.
 */
void terminal_init(void);

/* Returns the sequence that turns a style on; PLAIN turns all styles off. Empty without colours. */
const char *style(enum style s) __attribute__((returns_nonnull));

/* Returns the columns of the terminal on standard output; if it is none, those of the environment (COLUMNS), or 80. */
unsigned terminal_width(void);

/* Returns how many columns a text in UTF-8 takes. */
size_t columns_of(const char *text) __attribute__((nonnull));

/*
 * Returns how many bytes of a text go into a line of `room` columns that ends at a blank. A first word that is too long
 * stays whole.
 */
size_t fitting(const char *text, size_t room) __attribute__((nonnull));

/*
 * Prints a text and a line feed, and breaks it at blanks to lines of `width` columns. It begins at `column`; each line
 * that follows begins with `below`.
 */
void print_wrapped(FILE *to, size_t width, size_t column, const char *below, const char *text) __attribute__((nonnull));

/* Returns a branch of a tree, three columns wide. */
const char *line(enum line l) __attribute__((returns_nonnull));

#endif
