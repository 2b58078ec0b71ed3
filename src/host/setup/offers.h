/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * offers: puts functions together as people think of them: what is on one card, with all that shares an IOMMU group
 * with it. Host program only.
 */
#ifndef VFIO_BOOT_OFFERS_H
#define VFIO_BOOT_OFFERS_H

#include "inventory.h"

/*
 * A card, or a function of a root bus, with what shares a group. Its members are devices of v->now that can be claimed
 * by themselves, in address order: no bridge, and nothing that is behind a function that is no bridge.
 */
struct offer {
	const struct device **member;
	unsigned members;
	const struct device *first; /* what it is called by */
	bool platform;		    /* all of it is part of the platform, or nobody misses it */
	bool screen;		    /* this machine boots with it */
	bool ready;		    /* a guest can have it now */
	bool claimed;		    /* the next boot claims all of it */
	const char *why;	    /* why it cannot be had; owned by the inventory; or NULL */
};

struct offers {
	struct offer *offer; /* in the order of their first members */
	unsigned count;
	const struct device **member; /* of all offers, one after the other */
};

/* Finds all offers of an inventory. Aborts if there is no memory. The caller owes a offers_free(). */
void offers_find(struct offers *c, const struct inventory *v) __attribute__((nonnull));
void offers_free(struct offers *c) __attribute__((nonnull));

/* Returns true if the next boot could claim it, and will not do so already. */
static inline bool offer_is_free(const struct offer *o)
{
	return !o->why && !o->claimed;
}

/* Returns true if one of its members is chosen (choose_by_words()). */
bool offer_is_chosen(const struct offer *o, const struct inventory *v, const bool chosen[DEVICES_MAX])
	__attribute__((nonnull));

/* Prints it: number (0 for none), names, what hangs on it, whether it can be had. */
void offer_print(const struct offer *o, const struct inventory *v, unsigned number) __attribute__((nonnull));

/* Prints what the host loses with the card. */
void offer_print_loss(const struct offer *o, const struct inventory *v) __attribute__((nonnull));

#endif
