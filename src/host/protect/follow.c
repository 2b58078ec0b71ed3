// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>

#include "need.h"

static void (*const ways[])(struct finder *f, const char *name) = {
	[WAY_BLOCK] = follow_block,
	[WAY_FILE] = follow_file,
	[WAY_SOURCE] = follow_source,
	[WAY_ZFS] = follow_zfs,
};

void follow_all(struct finder *f)
{
	/* Each step may note more of them, and seen[] ends what would be a circle. */
	for (unsigned i = 0; i < f->laters; i++) {
		char *name = f->later[i].name;

		ways[f->later[i].way](f, name);
		free(name);
	}
	f->laters = 0;
}
