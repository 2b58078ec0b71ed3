/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unprotected: compares what this host lives on now with what the settings protect. The protect file is as old as the
 * image, and a disk may have moved since (doc/interface.md, "Protection"). Host program only.
 */
#ifndef VFIO_BOOT_UNPROTECTED_H
#define VFIO_BOOT_UNPROTECTED_H

#include "dependencies.h"
#include "listener.h"

/*
 * Returns true if no `protect` entry covers a function that the host lives on. A bridge needs none, because it is never
 * claimed. protect=off is the wish of the user.
 */
bool is_unprotected(const struct settings *s, const struct device *d) __attribute__((nonnull));

/*
 * Says each such function of the dependencies, with what the host needs it for, and returns true if there is one. `now`
 * is the context in which they were found. `plan` is the machine of a plan, or NULL: what it claims is said louder. A
 * file that is missing or says `unknown` is not untrue: then only what the plan claims is said. If the dependencies are
 * unknown and the file does not say so, says that with LEVEL_DONE, which is no fault.
 */
bool say_unprotected(const struct dependencies *deps, const struct context *now, struct machine *plan,
		     const struct listener *l) __attribute__((nonnull(1, 2, 4)));

/*
 * Finds the dependencies of a machine that has been read for PHASE_NOW (request_read()), and calls say_unprotected().
 */
bool find_unprotected(struct context *now, struct machine *plan, const struct listener *l)
	__attribute__((nonnull(1, 3)));

/*
 * Likewise, and reads the machine for it. `like` has the root and the arguments to read with. A machine that cannot be
 * read has no dependencies: who reads it for the plan says so.
 */
bool find_unprotected_anew(const struct context *like, struct machine *plan, const struct listener *l)
	__attribute__((nonnull(1, 3)));

#endif
