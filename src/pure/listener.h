/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listener: whom to tell a line, and how grave it is. Pure. */
#ifndef VFIO_BOOT_LISTENER_H
#define VFIO_BOOT_LISTENER_H

/* Levels of the kernel log. */
#define LEVEL_FAILED  3
#define LEVEL_REFUSED 4
#define LEVEL_DONE    6
#define LEVEL_DEBUG   7

/* Whom to tell. */
struct listener {
	void (*say)(const struct listener *l, unsigned level, const char *text);
};

/* Tells l what fmt says, see text_set() of format.h. */
void say(const struct listener *l, unsigned level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), nonnull(1, 3)));

#endif
