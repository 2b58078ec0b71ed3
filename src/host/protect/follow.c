// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "need.h"

static void (*const followers[])(struct search *s, const char *name) = {
	[WORK_BLOCK] = follow_block,
	[WORK_FILE] = follow_file,
	[WORK_SOURCE] = follow_source,
	[WORK_ZFS] = follow_zfs,
};

void follow_queued(struct search *s)
{
	/* A step may queue more steps. s->seen ends a circle. */
	for (unsigned i = 0; i < s->work_count; i++) {
		char *name = s->work[i].name;

		followers[s->work[i].kind](s, name);
		free(name);
	}
	s->work_count = 0;
}
