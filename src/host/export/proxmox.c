// SPDX-License-Identifier: GPL-2.0-or-later
/* The formats of vfio-boot export for Proxmox VE. */
#include <string.h>

#include "export.h"
#include "format.h"

void print_proxmox(const struct export *e)
{
	print_comments(e);
	for (unsigned n = 0; n < e->cards; n++) {
		const struct card *c = &e->card[n];

		printf("hostpci%u: ", n);
		/*
		 * An address without a function means the whole slot. For a list Proxmox numbers the functions from 0
		 * on.
		 */
		if (c->whole) {
			printf("%.*s", (int)strlen(c->function[0]->name) - 2, c->function[0]->name);
		} else {
			for (unsigned i = 0; i < c->functions; i++)
				printf("%s%s", i ? ";" : "", c->function[i]->name);
		}
		printf(",pcie=1\n");
	}
}
