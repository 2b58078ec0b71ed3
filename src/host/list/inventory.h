/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inventory: collects what `list` shows about devices, besides the decisions. Host program only. */
#ifndef VFIO_BOOT_INVENTORY_H
#define VFIO_BOOT_INVENTORY_H

#include <libkmod.h>

#include "dependencies.h"
#include "request.h"

struct inventory {
	struct context *now;	  /* the machine as it is now */
	struct context *next;	  /* the plan for the next boot */
	struct dependencies deps; /* what the host depends on */
	struct kmod_ctx *kmod;	  /* modules of the kernel; NULL if they are unknown */
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
 * Stores an attribute of a device in t, without its line feed and with control characters replaced. Empty if there is
 * no such attribute. Returns t->p.
 */
const char *attribute(const struct inventory *v, struct text *t, const struct device *d, const char *name)
	__attribute__((nonnull, returns_nonnull));

/* Calls each() once for every module whose aliases match a device, as `lspci -k` lists them. */
void each_module(const struct inventory *v, const struct device *d, void (*each)(void *data, const char *module),
		 void *data) __attribute__((nonnull(1, 2, 3)));

#endif
