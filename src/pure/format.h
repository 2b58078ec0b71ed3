/* SPDX-License-Identifier: GPL-2.0-or-later */
/* format: writes words, numbers, devices and places into a struct text. Pure. */
#ifndef VFIO_BOOT_FORMAT_H
#define VFIO_BOOT_FORMAT_H

#include <stdarg.h>

#include "pciaddr.h"

struct device;
struct place;
struct selector;

/*
 * text_set() replaces the content of t and returns t->p; text_add() and text_vadd() append to it. They truncate what
 * does not fit.
 *
 * They know only %s, %.*s, %u (unsigned) and %0Nx (unsigned, N from 1 to 8): klibc's vsnprintf() alone would be an
 * eighth of the program. As in the kernel, a letter after %p selects a type: %pd is a struct device (see add_device()),
 * %pe is the struct selector of a settings entry (see add_entry()).
 *
 * Whatever is not printable ASCII in an argument becomes a question mark. An argument must not point into t.
 */
const char *text_set(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3), nonnull(1, 2)));
void text_add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3), nonnull(1, 2)));
void text_vadd(struct text *t, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0), nonnull(1, 2)));

/* Appends DDDD:BB:DD.F, the name of an address in sysfs. */
void add_bus_index(struct text *t, pciaddr a) __attribute__((nonnull));

/* Appends DDDD:BB:DD.F [VVVV:DDDD]. */
void add_device(struct text *t, const struct device *d) __attribute__((nonnull));

/*
 * Appends SOURCE:LINE:COLUMN, or "SOURCE, byte N" for the kernel command line, or SOURCE for a place that means the
 * whole source.
 */
void add_place(struct text *t, const struct place *at) __attribute__((nonnull));

/* Appends a settings entry as the user wrote it, with its place in parentheses. */
void add_entry(struct text *t, const struct selector *sel) __attribute__((nonnull));

#endif
