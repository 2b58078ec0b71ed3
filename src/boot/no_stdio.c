// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * klibc's start-up code opens the stdio streams, and its exit() flushes them. The program uses none. These two stubs
 * keep the linker from adding stdio, malloc and the heap.
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
