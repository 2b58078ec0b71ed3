// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "need.h"
#include "request.h"
#include "sysfs.h"

/*
 * In a chroot /proc and /sys, where they are there, tell of the system around it, and it is not this one's root that is
 * mounted. Who may not look at process 1 is not asked.
 */
static bool is_chroot(const struct finder *f)
{
	struct stat ours, first;

	if (faccessat(f->root, "proc/self", F_OK, 0) && faccessat(f->root, "proc/mounts", F_OK, 0))
		return true;
	return !f->ctx->root.sysroot && !fstat(f->root, &ours) && !fstatat(f->root, "proc/1/root", &first, 0) &&
	       (ours.st_dev != first.st_dev || ours.st_ino != first.st_ino);
}

/* In address order; else as they were found, what protects before what reserves, which qsort() does not promise. */
static void sort_needs(struct dependencies *l)
{
	for (unsigned i = 1; i < l->needs; i++) {
		struct need n = l->need[i];
		unsigned to = i;

		for (; to && l->need[to - 1].device > n.device; to--)
			l->need[to] = l->need[to - 1];
		l->need[to] = n;
	}
}

void dependencies_find(struct dependencies *l, struct context *ctx)
{
	struct finder f = { .deps = l, .ctx = ctx, .root = ctx->root.fd };

	memset(l, 0, sizeof(*l));
	if (is_chroot(&f)) {
		l->unknown = written("this is a chroot");
		return;
	}
	find_storage(&f);
	find_network(&f);
	find_console(&f);
	words_free(&f.mapped);
	sort_needs(l);
}

void dependencies_free(struct dependencies *l)
{
	struct words notes = { l->note, l->notes };

	for (unsigned i = 0; i < l->needs; i++)
		free(l->need[i].why);
	free(l->need);
	words_free(&notes);
	free(l->unknown);
	memset(l, 0, sizeof(*l));
}
