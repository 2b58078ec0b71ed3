/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inventory: collects what `list` shows about devices, besides the decisions. Host program only. */
#ifndef VFIO_BOOT_INVENTORY_H
#define VFIO_BOOT_INVENTORY_H

#include <libkmod.h>

#include "attached.h"
#include "availability.h"
#include "dependencies.h"
#include "request.h"

struct inventory {
	struct context *now;		      /* the machine as it is now */
	struct context *next;		      /* the plan for the next boot */
	struct dependencies deps;	      /* what the host depends on */
	struct attachments attached;	      /* what hangs on the devices of `now` */
	struct availability can[DEVICES_MAX]; /* indexed like the devices of `next` */
	struct kmod_ctx *kmod;		      /* modules of the kernel; NULL if they are unknown */
};

/*
 * Reads the machine, plans the next boot and finds the dependencies. Returns false, after a message, if the machine
 * cannot be read. Makes the root the working directory. After success the caller owes an inventory_close().
 */
bool inventory_open(struct inventory *v, struct request *r) __attribute__((nonnull, warn_unused_result));
void inventory_close(struct inventory *v) __attribute__((nonnull));

/*
 * Returns the device of v->next at the address of a device of v->now, or NULL: a virtual function does not exist there.
 */
const struct device *at_next_boot(const struct inventory *v, const struct device *d) __attribute__((nonnull));

/*
 * Returns whether a device of v->now can be had at the next boot, or NULL for a virtual function, which does not exist
 * then.
 */
const struct availability *availability_of(const struct inventory *v, const struct device *d) __attribute__((nonnull));

/* Stores in t the name of the function of which a device of v->now is a VF, or "" if it is no VF. Returns t->p. */
const char *pf_of(const struct inventory *v, struct text *t, const struct device *d)
	__attribute__((nonnull, returns_nonnull));

/* Returns true if a device belongs to the platform (doc/interface.md, "What is decided, and why", 3, reserved). */
bool is_platform(const struct inventory *v, const struct device *d) __attribute__((nonnull));

/* Returns what hangs on a device of v->now, with "; " between, or "". The caller frees the text. */
char *attached_of(const struct inventory *v, const struct device *d) __attribute__((nonnull, returns_nonnull));

/*
 * Chooses the devices that the words match. A word that is no selector is looked for in what a device is called, and in
 * what hangs on it; upper and lower case are equal. Returns 0, or an exit status after a message (see choose()).
 */
int choose_by_words(const struct inventory *v, char *const *word, bool chosen[DEVICES_MAX])
	__attribute__((nonnull, warn_unused_result));

/*
 * Stores an attribute of a device in t, without its line feed and with control characters replaced. Empty if there is
 * no such attribute. Returns t->p.
 */
const char *attribute(const struct inventory *v, struct text *t, const struct device *d, const char *name)
	__attribute__((nonnull, returns_nonnull));

/* Calls each() once for every module with an alias that fits this modalias, as `lspci -k` lists them. */
void each_module(const struct inventory *v, const char *modalias, void (*each)(void *data, const char *module),
		 void *data) __attribute__((nonnull(1, 2, 3)));

#endif
