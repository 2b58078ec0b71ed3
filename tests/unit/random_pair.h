/* SPDX-License-Identifier: GPL-2.0-or-later */
/* random_pair: a machine and settings for it, as text, from a number. */
#ifndef VFIO_BOOT_RANDOM_PAIR_H
#define VFIO_BOOT_RANDOM_PAIR_H

#include <stdbool.h>
#include <stdint.h>

#define PAIR_TEXT    2048
#define PAIR_ENTRY   96
#define PAIR_DEVICES 20

struct pair {
	uint64_t seed;
	char machine[PAIR_TEXT];
	char file[PAIR_TEXT];
	char cmdline[PAIR_TEXT];
	char extra[PAIR_ENTRY]; /* one more selector, to be added to some list */
};

void random_pair(struct pair *p, uint64_t seed);

struct random {
	uint64_t state;
};

/* A number below n. */
unsigned below(struct random *r, unsigned n);

#endif
