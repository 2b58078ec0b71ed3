/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fallback: a boot after two that did not come up claims nothing (doc/interface.md, "A boot that does not come up"). */
#ifndef VFIO_BOOT_FALLBACK_H
#define VFIO_BOOT_FALLBACK_H

#include <time.h>

#include "context.h"
#include "listener.h"

/* Why such a boot claims nothing. */
extern const char fallback_reason[];

/* Returns true if this boot is such a one. */
bool fallback_is_on(int root);

/*
 * To be called by the claim of a boot when it has decided, and before it acts. Counts this boot, if it is to claim
 * something, until it comes up. If it is one too many, withdraws the decision: the machine of the context has no device
 * and fallback_reason then. Without EFI variables leaves a mark for /usr/lib/vfio-boot/boot-count instead.
 */
void fallback_begin(struct context *ctx, clock_t deadline, const struct listener *log) __attribute__((nonnull));

/* The boot has come up, or somebody ends it: clears the count. Returns the exit status, after a message if it is not 0.
 */
int fallback_end(struct context *ctx) __attribute__((nonnull, warn_unused_result));

#endif
