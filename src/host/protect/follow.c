// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "need.h"

static void (*const ways[])(struct living *v, const char *name) = {
	[WAY_BLOCK] = follow_block,
	[WAY_FILE] = follow_file,
	[WAY_SOURCE] = follow_source,
	[WAY_ZFS] = follow_zfs,
};

void follow_all(struct living *v)
{
	/* Each step may note more of them, and seen[] ends what would be a circle. */
	for (unsigned i = 0; i < v->laters; i++) {
		char *name = v->later[i].name;

		ways[v->later[i].way](v, name);
		free(name);
	}
	v->laters = 0;
}
