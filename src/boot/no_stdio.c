// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klibc's start-up code opens its stdio streams and its exit() flushes them. Nothing here uses any. Without these two
 * the linker brings stdio and malloc along, and the heap with them.
 */
#include <stdio.h>

void __libc_init_stdio(void);

void __libc_init_stdio(void)
{
}

int fflush(FILE *stream)
{
	(void)stream;
	return 0;
}
