/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inventory: all that is told of a device by `list` and `explain`, beside what is decided on. Host program only.
 */
#ifndef VFIO_BOOT_INVENTORY_H
#define VFIO_BOOT_INVENTORY_H

#include <libkmod.h>

#include "dependencies.h"
#include "request.h"

struct inventory {
	struct context *now;	  /* the machine as it is at this moment */
	struct context *next;	  /* and what the next boot makes of it */
	struct dependencies deps; /* what the host lives on */
	struct kmod_ctx *kmod;	  /* of the kernel that runs */
};

/* Reads both, and what the host lives on. False where the machine cannot be read, which was said then. */
bool inventory_open(struct inventory *v, struct request *r) __attribute__((nonnull, warn_unused_result));
void inventory_close(struct inventory *v) __attribute__((nonnull));

/* What is decided of a device of v->now for the next boot: that device in v->next, or NULL (a VF is not there then). */
const struct device *at_next_boot(const struct inventory *v, const struct device *d) __attribute__((nonnull));

/* An attribute of a device, without its line feed and fit for a terminal; empty where there is none. Returns t->p. */
const char *attribute(const struct inventory *v, struct text *t, const struct device *d, const char *name)
	__attribute__((nonnull, returns_nonnull));

/* Calls each() for the modules that the kernel's aliases have for a device, as `lspci -k` does. */
void each_module(const struct inventory *v, const struct device *d, void (*each)(void *data, const char *module),
		 void *data) __attribute__((nonnull(1, 2, 3)));

#endif
