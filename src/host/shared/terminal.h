/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminal: colours and line drawing for terminals that want them. Host program only. */
#ifndef VFIO_BOOT_TERMINAL_H
#define VFIO_BOOT_TERMINAL_H

#include <stddef.h>

enum style { PLAIN, BOLD, DIM, GOOD, BAD, STYLES };

enum line { LINE_TEE, LINE_END, LINE_DOWN, LINE_BLANK, LINES };

/*
 * Call this once, before any output. Enables colours on a terminal without NO_COLOR, and line drawing characters in a
 * UTF-8 locale.
 */
void terminal_init(void);

/* Returns the sequence that turns a style on; PLAIN turns all styles off. Empty without colours. */
const char *style(enum style s) __attribute__((returns_nonnull));

/*
 * Returns how many bytes of a text go into a line of `room` columns that ends at a blank. A first word that is too long
 * stays whole.
 */
size_t fitting(const char *text, size_t room) __attribute__((nonnull));

/* Returns a branch of a tree, three columns wide. */
const char *line(enum line l) __attribute__((returns_nonnull));

#endif
