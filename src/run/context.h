/* SPDX-License-Identifier: GPL-2.0-or-later */
/* context: the options of a run, and all the memory that it needs. */
#ifndef VFIO_BOOT_CONTEXT_H
#define VFIO_BOOT_CONTEXT_H

#include "boot_count.h"
#include "late.h"
#include "machine.h"
#include "settings_files.h"

#define STATUS_WRONG  2 /* wrong use or wrong settings */
#define STATUS_FAILED 3 /* the system failed */

/*
 * The arguments of options of both programs: --sysroot DIR (else the real root), --cmdline TEXT (else that of this
 * boot), the kernel VERSION (else the running one), and of the claim program the function that has come
 * (--late), or to which a host driver was bound (--rebound).
 */
enum { ARGUMENT_SYSROOT, ARGUMENT_CMDLINE, ARGUMENT_RELEASE, ARGUMENT_LATE, ARGUMENT_REBOUND, ARGUMENTS };

/* A device whose attributes a process is still waiting for, so that no other one may ask for them. */
struct stuck {
	char name[PCIADDR_TEXT];
	struct worker worker;
};

#define STUCK_MAX 8

/* A PF of which the VFs could not be made. */
struct physical {
	char name[PCIADDR_TEXT];
	uint8_t errnum; /* what the kernel said, or 0 */
};

#define PHYSICAL_MAX 256

/* All the memory of a run. A run touches two thirds of a mebibyte of it at most and never allocates more. */
struct context {
	/* options */
	const char *argument[ARGUMENTS]; /* NULL if not given */
	enum phase phase;
	bool settle; /* do only what an earlier run of this boot left open */
	/*
	 * A user names devices on the running system. vfio.ids=off and `ids = off`, which keep a boot from claiming, do
	 * not keep this run from it. A crash kernel, a rescue boot and the like do.
	 */
	bool by_hand;
	bool read_all; /* read all details of every device, selected or not */
	struct root root;
	struct stuck stuck[STUCK_MAX]; /* found by earlier attempts to read the machine */
	unsigned stucks;
	struct late late; /* with --late */
	struct physical pf[PHYSICAL_MAX];
	unsigned pfs;
	/* results */
	bool decided;	   /* set by decide_machine() in a child */
	bool ran;	   /* the decision was carried out, as far as the verdicts say */
	bool left_out_off; /* a plan for the next boot ignores the one-time `off` of this one */
	struct boot_count count;
	struct machine machine;
	struct settings settings;
	struct settings_buffers buffers;
};

/*
 * Maps an empty context that is shared with children, which note in it what they found and did. On failure prints a
 * message and exits with STATUS_FAILED. Nobody unmaps it.
 */
struct context *context_shared(void) __attribute__((returns_nonnull, warn_unused_result));

/* Empties the machine of the context, which gets its settings and options. */
void context_begin_machine(struct context *ctx) __attribute__((nonnull));

/*
 * Maps another context with the same options and settings, and an empty machine: a child that was left behind may still
 * write to the old one.
 */
struct context *context_again(const struct context *ctx) __attribute__((nonnull, returns_nonnull, warn_unused_result));

/*
 * Opens --sysroot or / as ctx->root, and checks that the kernel of -k is installed. Returns 0, or an exit status after
 * a message on standard error.
 */
int context_open(struct context *ctx) __attribute__((nonnull, warn_unused_result));

#endif
