/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format: what is put into a line of text: words, numbers, devices, places. Pure. */
#ifndef VFIO_BOOT_FORMAT_H
#define VFIO_BOOT_FORMAT_H

#include <stdarg.h>

#include "text.h"

struct device;
struct place;
struct selector;

/*
 * text_set() makes t say what fmt says and returns it, terminated; text_add() adds to it. Both know %s, %.*s, %u
 * (unsigned) and %0Nx (unsigned, N from 1 to 8), no more: klibc's vsnprintf alone would be an eighth of the program.
 * As in the kernel a letter behind %p tells of what: %pd is a struct device, %pe the struct selector of an entry of the
 * settings, written by add_device() and add_entry().
 * Control characters in an argument become question marks. An argument may not point into t.
 */
const char *text_set(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3), nonnull(1, 2)));
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3), nonnull(1, 2)));
void text_vadd(struct text *t, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0), nonnull(1, 2)));

/* DDDD:BB:DD.F [VVVV:DDDD] */
void add_device(struct text *t, const struct device *d) __attribute__((nonnull));

/* SOURCE:LINE:COLUMN, or "SOURCE, byte N" of the kernel command line, or SOURCE where it is about the whole. */
void add_place(struct text *t, const struct place *at) __attribute__((nonnull));

/* An entry of the settings as written, with its place. */
void add_entry(struct text *t, const struct selector *sel) __attribute__((nonnull));

#endif
