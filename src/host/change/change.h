/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: what `add` and `remove` share: the settings before and after a change. Host program only. */
#ifndef VFIO_BOOT_CHANGE_H
#define VFIO_BOOT_CHANGE_H

#include "listener.h"
#include "request.h"

/* The file that these verbs write. No package owns it. */
#define OWN_FILE "/etc/vfio-boot.conf.d/50-local.conf"

struct change {
	struct request *r;
	struct context *before; /* the settings as they are */
	struct context *after;	/* the settings as they would be */
	int lock_fd;		/* descriptor of the lock against other changes, or -1 */
	char *old;		/* the text of OWN_FILE, owned */
	size_t old_len;
	bool replaced;			    /* the kernel command line has a list that replaces that of the files */
	bool chosen[DEVICES_MAX];	    /* the devices of this change, indexed as in `before` */
	bool removed[LISTS][SELECTORS_MAX]; /* the entries that are removed, indexed as in the lists */
	char *written;			    /* the text that OWN_FILE has now, owned, or NULL: nothing was changed */
	bool rebuilt;			    /* and the images have it */
};

/*
 * Takes the lock, which change_end() releases, and reads OWN_FILE, the settings and the machine. Waits for another
 * change. Returns 0, or an exit status after a message if nothing may be changed. Only a person may correct settings
 * with errors. The caller owes a change_end() in both cases.
 */
int change_begin(struct change *c, struct request *r) __attribute__((nonnull, warn_unused_result));

/*
 * Ends a change that has this exit status, and returns it. With --json prints first what was changed; if that fails,
 * returns STATUS_FAILED after a message.
 */
int change_end(struct change *c, int status) __attribute__((nonnull, warn_unused_result));

/*
 * Plans the next boot with the settings, without the removed entries and with the text `added`. Returns false after a
 * message if that fails.
 */
bool change_decide(struct change *c, const char *added) __attribute__((nonnull, warn_unused_result));

/* Returns the device before the change at the address of one after it, or NULL: a VF that only the change asks for. */
struct device *change_before(const struct change *c, const struct device *d) __attribute__((nonnull));

/* Returns true if a device, before or after the change, is one of this change. */
bool change_chose(const struct change *c, const struct device *d) __attribute__((nonnull));

/* Returns true if a device after the change is one of this change, or has another verdict than before. */
bool change_concerns(const struct change *c, const struct device *d) __attribute__((nonnull));

/* Returns true if the plan refuses a device of this change, or one that it did not refuse before. */
bool change_is_refused(const struct change *c) __attribute__((nonnull));

/* Prints the verdicts of the devices of this change, and of all others whose verdict changes. */
void change_say(const struct change *c, const struct listener *l) __attribute__((nonnull));

/*
 * Writes `text` to OWN_FILE, prints the plan for the next boot, and rebuilds the image unless --no-rebuild is given.
 * `text` must have no errors, and `more` selectors more than the old text (fewer if that is negative). Returns the exit
 * status.
 */
int change_write(struct change *c, const char *text, int more) __attribute__((nonnull, warn_unused_result));

/*
 * Prints what was changed, as a JSON object with this exit status. Returns the status, or STATUS_FAILED after a
 * message.
 */
int change_print_json(const struct change *c, int status) __attribute__((nonnull, warn_unused_result));

/* Returns true if two selectors are written alike and both exclude or both select. */
bool is_same_entry(const struct selector *a, const struct selector *b) __attribute__((nonnull));

/* Prints that nothing was changed and returns `status`. */
int nothing_changed(int status);

#endif
