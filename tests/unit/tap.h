/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tap: what a test program says, so that prove understands it. */
#ifndef VFIO_BOOT_TAP_H
#define VFIO_BOOT_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static unsigned tap_tests, tap_failed;

/* Some text on one line; a # could be taken for a directive. */
static inline void tap_put(const char *p)
{
	for (; *p; p++) {
		if (*p == '\n')
			printf("\\n");
		else if (*p == '#')
			printf("\\#");
		else
			putchar(*p >= ' ' && *p <= '~' ? *p : '?');
	}
}

/* One test; its name is the text of the row, behind what is tested. */
static inline bool ok(bool good, const char *what, const char *name)
{
	printf("%sok %u - ", good ? "" : "not ", ++tap_tests);
	tap_put(what);
	printf(": ");
	tap_put(name);
	putchar('\n');
	fflush(stdout);
	tap_failed += !good;
	return good;
}

static inline void tap_note(const char *what, const char *text)
{
	printf("# %s: ", what);
	tap_put(text);
	putchar('\n');
}

static inline void is_text(const char *got, const char *expected, const char *what, const char *name)
{
	if (ok(!strcmp(got, expected), what, name))
		return;
	tap_note("expected", expected);
	tap_note("     got", got);
}

/* The exit status of main(). */
static inline int done_testing(void)
{
	printf("1..%u\n", tap_tests);
	return tap_failed ? 1 : 0;
}

#endif
