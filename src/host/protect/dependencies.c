// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "need.h"

/*
 * In a chroot, /proc and /sys describe the system around it if they are mounted at all, and the mounted root is not
 * that of the chroot. A user who may not look at process 1 gets no such check.
 */
static bool is_chroot(const struct search *s)
{
	struct stat ours, first;

	if (faccessat(s->root, "proc/self", F_OK, 0) && faccessat(s->root, "proc/mounts", F_OK, 0))
		return true;
	return !s->ctx->root.sysroot && !fstat(s->root, &ours) && !fstatat(s->root, "proc/1/root", &first, 0) &&
	       (ours.st_dev != first.st_dev || ours.st_ino != first.st_ino);
}

/* Sorts by address and keeps the order within a device, where protect comes before reserve. qsort() is not stable. */
static void sort_needs(struct dependencies *deps)
{
	for (unsigned i = 1; i < deps->needs; i++) {
		struct need n = deps->need[i];
		unsigned to = i;

		for (; to && deps->need[to - 1].device > n.device; to--)
			deps->need[to] = deps->need[to - 1];
		deps->need[to] = n;
	}
}

void dependencies_find(struct dependencies *deps, struct context *ctx)
{
	struct search s = { .deps = deps, .ctx = ctx, .root = ctx->root.fd };

	memset(deps, 0, sizeof(*deps));
	if (is_chroot(&s)) {
		deps->chroot = true;
		deps->unknown = alloc_printf("this is a chroot");
		return;
	}
	find_storage(&s);
	find_network(&s);
	find_console(&s);
	string_set_free(&s.mapped);
	sort_needs(deps);
}

void dependencies_free(struct dependencies *deps)
{
	for (unsigned i = 0; i < deps->needs; i++)
		free(deps->need[i].why);
	free(deps->need);
	string_set_free(&deps->notes);
	free(deps->unknown);
	memset(deps, 0, sizeof(*deps));
}
