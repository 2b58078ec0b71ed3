/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request: what somebody asks of vfio-boot, and what all its verbs do first. Host program only. */
#ifndef VFIO_BOOT_REQUEST_H
#define VFIO_BOOT_REQUEST_H

#include "pipeline.h"

/* The options, a bit each; every verb has those that it takes. */
enum {
	OPTION_JSON = 1 << 0,
	OPTION_NOW = 1 << 1,
	OPTION_NEXT_BOOT = 1 << 2,
	OPTION_VERBOSE = 1 << 3,
	OPTION_FLAT = 1 << 4,
	OPTION_DOMAINS = 1 << 5,
	OPTION_WHOLE = 1 << 6,
	OPTION_FORCE = 1 << 7,
	OPTION_NO_REBUILD = 1 << 8,
	OPTION_AS_WRITTEN = 1 << 9,
	OPTION_PRINT = 1 << 10,
	OPTION_KERNEL = 1 << 11,  /* -k VERSION, context->argument[ARGUMENT_RELEASE] */
	OPTION_CMDLINE = 1 << 12, /* --cmdline TEXT, context->argument[ARGUMENT_CMDLINE] */
};

struct request {
	struct context *ctx; /* its root is open, nothing else is done yet */
	const char *verb;
	unsigned options;
	char **word; /* what is no option, up to a NULL */
	unsigned words;
};

/* Was this option given? */
static inline bool asked(const struct request *r, unsigned option)
{
	return r->options & option;
}

/*
 * Reads settings and machine, all of every device, and decides for that phase. False where the machine cannot be read,
 * which was said then. A context may be read again for another phase.
 */
bool request_read(struct context *ctx, enum phase phase) __attribute__((nonnull, warn_unused_result));

/* Another context for the same root and with the same arguments; *to is zeroed, and can be read. */
void context_like(struct context *to, const struct context *from) __attribute__((nonnull));

/*
 * Marks in chosen[], one for each place of ctx->machine.device, what the words, which are selectors, mean on the
 * machine that was read. Returns the exit status: 1 where one means nothing, 2 where one is no selector or excludes,
 * which was said then, with the nearest thing there is.
 */
int choose(struct context *ctx, char *const *word, bool chosen[DEVICES_MAX])
	__attribute__((nonnull, warn_unused_result));

/* The function of which d is a VF, from its link physfn below root; empty where it is none. Returns t->p. */
const char *physical_function(int root, struct text *t, const struct device *d)
	__attribute__((nonnull, returns_nonnull));

/* Flushes standard output; true where something could not be written, which was said then. */
bool cannot_print(void) __attribute__((warn_unused_result));

/* The verbs, each in the file of its name or of its kind; all return the exit status. */
int verb_list(struct request *r) __attribute__((nonnull));
int verb_plan(struct request *r) __attribute__((nonnull));
int verb_explain(struct request *r) __attribute__((nonnull));
int verb_add(struct request *r) __attribute__((nonnull));
int verb_remove(struct request *r) __attribute__((nonnull));
int verb_claim(struct request *r) __attribute__((nonnull));
int verb_release(struct request *r) __attribute__((nonnull));
int verb_status(struct request *r) __attribute__((nonnull));
int verb_doctor(struct request *r) __attribute__((nonnull));
int verb_export(struct request *r) __attribute__((nonnull));
int verb_import(struct request *r) __attribute__((nonnull));
int verb_protect(struct request *r) __attribute__((nonnull));

#endif
