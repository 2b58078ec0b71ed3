/* SPDX-License-Identifier: GPL-2.0-or-later */
/* request: what the user asks of vfio-boot, and what verbs do with it first. Host program only. */
#ifndef VFIO_BOOT_REQUEST_H
#define VFIO_BOOT_REQUEST_H

#include "listener.h"
#include "pipeline.h"

/* The options, a bit each. */
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
	OPTION_KERNEL = 1 << 11,  /* its VERSION is in ctx->argument[ARGUMENT_RELEASE] */
	OPTION_CMDLINE = 1 << 12, /* its TEXT is in ctx->argument[ARGUMENT_CMDLINE] */
	OPTION_NO_IMAGE = 1 << 13,
	OPTION_IMAGE = 1 << 14,
	OPTION_NEWEST = 1 << 15,
	OPTION_VFS = 1 << 16, /* its N is in request.vfs */
	OPTION_TAKE_VFS = 1 << 17,
	OPTION_ALL = 1 << 18,
	OPTION_OUTPUT = 1 << 19, /* its COLUMNS are in request.columns */
	OPTION_YES = 1 << 20,
	OPTION_REBOOT = 1 << 21,
	OPTION_IOMMUFD = 1 << 22,
	OPTION_BUS = 1 << 23,	   /* its N is in request.bus */
	OPTION_SETTINGS = 1 << 24, /* its FILE is in request.settings */
	OPTION_APPLY = 1 << 25,
};

struct request {
	struct context *ctx; /* only its root is open yet */
	const char *verb;
	unsigned options;
	char **word; /* the arguments that are no options, up to a NULL */
	unsigned words;
	const char *vfs;      /* how many VFs are asked for, as it was written, or NULL */
	const char *columns;  /* of a table, as they were written, or NULL */
	const char *bus;      /* the first bus of a guest that is free, likewise */
	const char *settings; /* a file in place of the settings files, likewise */
};

/* Returns true if this option was given. */
static inline bool asked(const struct request *r, unsigned option)
{
	return r->options & option;
}

/*
 * Reads the file of --settings, if that was given, or standard input where it is "-". Called before the root is opened,
 * since the path is that of the user. Returns 0, or an exit status after a message.
 */
int request_settings(const struct request *r) __attribute__((nonnull, warn_unused_result));

/*
 * Reads the settings and all details of every device, and decides for this phase. Returns false, after a message, if
 * the devices cannot be read. A context can be read again for another phase.
 */
bool request_read(struct context *ctx, enum phase phase) __attribute__((nonnull, warn_unused_result));

/* Likewise, with the message for this listener. */
bool request_read_with(struct context *ctx, enum phase phase, const struct listener *l)
	__attribute__((nonnull, warn_unused_result));

/* A listener that drops what is said. */
extern const struct listener nobody;

/* Zeroes *to and gives it the root and the arguments of another context. request_read() can read it then. */
void context_like(struct context *to, const struct context *from) __attribute__((nonnull));

/* Says that a word is no selector, why, and how to look for a name. Returns an exit status. */
int no_selector(const char *word, const char *wrong) __attribute__((nonnull));

/*
 * Sets chosen[] for the devices that the words match, which are selectors up to a NULL, and clears it for the others.
 * chosen[] is indexed like ctx->machine.device. The machine has been read. Returns 0, or an exit status after a
 * message: 1 if a word matches nothing (the message names the nearest device), 2 if a word is no selector or is an
 * exclusion.
 */
int choose(struct context *ctx, char *const *word, bool chosen[DEVICES_MAX])
	__attribute__((nonnull, warn_unused_result));

/*
 * Stores in t the name of the function of which d is a VF, or "" if d is no VF. `root` is a descriptor of the root
 * directory. Returns t->p.
 */
const char *physical_function(int root, struct text *t, const struct device *d)
	__attribute__((nonnull, returns_nonnull));

/* Returns how many entries of a list select a device, rather than exclude it. */
unsigned count_selecting(const struct list *l) __attribute__((nonnull));

/* Returns how many entries of `ids` and `vfs` select something. */
unsigned count_all_selecting(const struct settings *s) __attribute__((nonnull));

/* Flushes standard output. Returns true, after a message, if something could not be written. */
bool cannot_print(void) __attribute__((warn_unused_result));

/* The verbs. They return the exit status. */
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
int verb_setup(struct request *r) __attribute__((nonnull));
int verb_protect(struct request *r) __attribute__((nonnull));
int verb_collect(struct request *r) __attribute__((nonnull));

#endif
