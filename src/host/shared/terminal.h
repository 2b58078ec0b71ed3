/* SPDX-License-Identifier: GPL-2.0-or-later */
/* terminal: colours and lines of a terminal, where there is one that wants them. Host program only. */
#ifndef VFIO_BOOT_TERMINAL_H
#define VFIO_BOOT_TERMINAL_H

enum style { PLAIN, BOLD, DIM, GOOD, BAD, STYLES };

enum line { LINE_TEE, LINE_END, LINE_DOWN, LINE_BLANK, LINES };

/* Once, before anything is shown: colours on a terminal without NO_COLOR, lines where the locale has them. */
void terminal_init(void);

/* What turns a style on, and PLAIN all of them off; an empty text where there are no colours. */
const char *style(enum style s) __attribute__((returns_nonnull));

/* A branch of a tree, three columns wide. */
const char *line(enum line l) __attribute__((returns_nonnull));

#endif
