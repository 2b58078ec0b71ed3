/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener: receives lines of text with a severity. Pure. */
#ifndef VFIO_BOOT_LISTENER_H
#define VFIO_BOOT_LISTENER_H

/* Levels of the kernel log. */
#define LEVEL_FAILED  3
#define LEVEL_REFUSED 4
#define LEVEL_DONE    6
#define LEVEL_DEBUG   7

/* A receiver. An implementation that needs data embeds this as its first member. */
struct listener {
	void (*say)(const struct listener *l, unsigned level, const char *text);
};

/* Formats a line as text_set() of format.h does and passes it to l. */
void say(const struct listener *l, unsigned level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull(1, 3)));

#endif
