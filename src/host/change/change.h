/* SPDX-License-Identifier: GPL-2.0-or-later */
/* change: what add and remove share: the settings as they are and as they would be. Host program only. */
#ifndef VFIO_BOOT_CHANGE_H
#define VFIO_BOOT_CHANGE_H

#include "listener.h"
#include "message.h"
#include "request.h"

/* What these verbs write; no package owns it. */
#define OWN_FILE "/etc/vfio-boot.conf.d/50-local.conf"

struct change {
	struct request *r;
	struct context *before; /* as the settings are */
	struct context *after;	/* and as they would be */
	int turn;		/* the lock of one change at a time, or -1 */
	char *old;		/* the text of OWN_FILE */
	size_t old_len;
	bool chosen[DEVICES_MAX]; /* the devices it is about, by their places in both jobs */
	bool gone[SELECTORS_MAX]; /* the entries of `ids` that are taken out, by their places in the list */
};

/*
 * Waits for its turn, which lasts until change_end(), then reads OWN_FILE, settings and machine. Returns 0, or an exit
 * status where nothing may be changed, which was said then: settings with errors are a person's to put right.
 * change_end() is owed in both cases.
 */
int change_begin(struct change *c, struct request *r) __attribute__((nonnull, warn_unused_result));
void change_end(struct change *c) __attribute__((nonnull));

/*
 * Decides what the settings come to without what is gone and with `added`, a text; false where that cannot be
 * done, which was said then.
 */
bool change_decide(struct change *c, const char *added) __attribute__((nonnull, warn_unused_result));

/* Is a device refused that was not before, or one that the change is about? */
bool change_is_refused(const struct change *c) __attribute__((nonnull));

/* Says what becomes of the devices that it is about, and of those whose verdict changes. */
void change_say(const struct change *c, const struct listener *l) __attribute__((nonnull));

/*
 * Writes `text`, which has to be free of errors and to hold `more` selectors more than the old one (fewer where that is
 * negative), says what it comes to, and rebuilds the image unless told otherwise. Returns the exit status.
 */
int change_write(struct change *c, const char *text, int more) __attribute__((nonnull, warn_unused_result));

/* Says that nothing was changed, and passes on the exit status. */
int nothing_changed(int status);

#endif
