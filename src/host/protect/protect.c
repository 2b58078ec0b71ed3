// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot protect: writes what this host depends on to a file that both programs read. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "atomic_write.h"
#include "dependencies.h"
#include "format.h"
#include "guarded_path.h"
#include "listener.h"
#include "log.h"
#include "pci_names.h"
#include "request.h"
#include "settings.h"

static const char *const protect_file = "var/lib/vfio-boot/protect";

/* Limits for comments and notes, to be tried in turn until the file is small enough to be read (SETTINGS_TEXT_MAX). */
static const struct {
	size_t comment;
	unsigned notes;
} limits[] = { { 600, UINT32_MAX }, { 100, 32 }, { 0, 0 } };

/*
 * The readers have room for SELECTORS_MAX entries in a list, and claim nothing if there are more. Beyond ENTRIES_MAX an
 * entry therefore covers more functions and is less exact. The settings files fill the same lists and get a quarter of
 * the room.
 */
#define ENTRIES_MAX (SELECTORS_MAX / 4 * 3)

enum form { FORM_EACH, FORM_NO_BRIDGES, FORM_IDS, FORM_CLASSES };

static const char *const forms[] = {
	[FORM_NO_BRIDGES] = "bridges are left out, because they are never claimed",
	[FORM_IDS] = "every function with the same ID is protected or reserved",
	[FORM_CLASSES] = "every function of the same class is protected or reserved",
};

static const char header[] =
	"# What this host lives on: protect is never claimed, reserve only when it is named.\n"
	"# Written by `vfio-boot protect`, anew at each build of an initramfs image: what is changed here is lost.\n";

static void set_entry(struct text *t, struct context *ctx, enum form form, const struct device *d)
{
	if (form == FORM_CLASSES) {
		text_set(t, "class:%02x", base_class(d));
	} else if (form == FORM_IDS) {
		text_set(t, "%04x:%04x", d->found.ids.vendor, d->found.ids.device);
	} else {
		struct text physical;

		guarded_path(ctx, t, d);
		/* The virtual function does not exist yet at boot, which is no error. */
		if (*physical_function(ctx->root.fd, &physical, d))
			text_add(t, "?");
	}
}

/* Returns true if both devices have the same entry in this form. */
static bool is_same_entry(enum form form, const struct device *a, const struct device *b)
{
	if (form == FORM_CLASSES)
		return base_class(a) == base_class(b);
	if (form == FORM_IDS)
		return has_same_id(a, b);
	return a == b;
}

static bool is_left_out(enum form form, const struct device *d)
{
	return form != FORM_EACH && is_bridge(d);
}

/* Returns false if an earlier entry covers the function of this need. A function that is protected needs no reserve. */
static bool needs_entry(const struct dependencies *deps, unsigned i, enum form form)
{
	const struct need *n = &deps->need[i];

	if (is_left_out(form, n->device))
		return false;
	for (const struct need *before = deps->need; before < n; before++) {
		if (is_same_entry(form, before->device, n->device) && before->reserve <= n->reserve &&
		    !is_left_out(form, before->device))
			return false;
	}
	return true;
}

static enum form choose_form(const struct dependencies *deps)
{
	enum form form = FORM_EACH;

	for (; form < FORM_CLASSES; form++) {
		unsigned count[2] = { 0, 0 };

		for (unsigned i = 0; i < deps->needs; i++)
			count[deps->need[i].reserve] += needs_entry(deps, i, form);
		if (count[false] <= ENTRIES_MAX && count[true] <= ENTRIES_MAX)
			break;
	}
	return form;
}

/* Returns the number of bytes of whole UTF-8 characters within max bytes. */
static int fitting_length(const char *text, size_t max)
{
	size_t len = strlen(text);

	if (len > max)
		for (len = max; len && ((unsigned char)text[len] & 0xc0) == 0x80; len--)
			;
	return (int)len;
}

static void add_comment(FILE *to, const char *text, size_t max)
{
	if (max)
		fprintf(to, "  # %.*s", fitting_length(text, max), text);
	fputc('\n', to);
}

/* Writes the entry of a need with all reasons for its function. These are next to each other. */
static void add_need_entry(FILE *to, struct context *ctx, const struct dependencies *deps, unsigned i, enum form form,
			   size_t max)
{
	const struct need *first = &deps->need[i];
	char name[NAME_SIZE], *comment = NULL;
	size_t size;
	FILE *reasons = open_memstream(&comment, &size);
	struct text entry;

	if (!reasons)
		abort();
	for (; i < deps->needs && deps->need[i].device == first->device; i++)
		fprintf(reasons, "%s%s", &deps->need[i] == first ? "" : "; ", deps->need[i].why);
	fprintf(reasons, ": %s", device_name(name, first->device));
	if (fclose(reasons))
		abort();
	set_entry(&entry, ctx, form, first->device);
	fprintf(to, "%s = %s", first->reserve ? "reserve" : "protect", entry.p);
	add_comment(to, comment, max);
	free(comment);
}

/* Returns the text of the file. The caller frees it. */
static char *compose(struct context *ctx, const struct dependencies *deps, enum form form, size_t max, unsigned notes)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	fputs(header, to);
	if (forms[form])
		fprintf(to, "# There are too many for an entry each: %s.\n", forms[form]);
	for (unsigned i = 0; i < deps->notes.count && i < notes; i++)
		fprintf(to, "# %.*s\n", fitting_length(deps->notes.string[i], max), deps->notes.string[i]);
	if (deps->notes.count > notes)
		fprintf(to, "# %u more problems\n", deps->notes.count - notes);
	if (deps->unknown) {
		fputs("protect = unknown", to);
		add_comment(to, deps->unknown, max);
	}
	for (unsigned i = 0; i < deps->needs; i++) {
		if (needs_entry(deps, i, form))
			add_need_entry(to, ctx, deps, i, form, max);
	}
	if (fclose(to))
		abort();
	return text;
}

static char *compose_to_fit(struct context *ctx, const struct dependencies *deps, enum form form)
{
	char *text = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(limits); i++) {
		free(text);
		text = compose(ctx, deps, form, limits[i].comment, limits[i].notes);
		if (strlen(text) < SETTINGS_TEXT_MAX)
			break;
	}
	return text;
}

/* Returns true if the file has this text already and everybody may read it. */
static bool is_up_to_date(int root, const char *text, size_t len)
{
	struct stat st;

	return has_text(root, protect_file, text, len) && !fstatat(root, protect_file, &st, AT_SYMLINK_NOFOLLOW) &&
	       (st.st_mode & 07777) == 0644;
}

static void print_summary(const struct dependencies *deps, bool as_before)
{
	unsigned count[2] = { 0, 0 };

	for (unsigned i = 0; i < deps->needs; i++) {
		if (!i || deps->need[i].device != deps->need[i - 1].device)
			count[deps->need[i].reserve]++;
	}
	printf("/%s: ", protect_file);
	if (deps->unknown)
		printf("unknown: %s", deps->unknown);
	else
		printf("%u function%s protected, %u reserved", count[0], count[0] == 1 ? "" : "s", count[1]);
	puts(as_before ? " (as before)" : "");
}

/* Returns true if the line is an entry that protects or reserves a device. */
static bool is_entry(const char *line)
{
	return (!strncmp(line, "protect = ", 10) && strncmp(line + 10, "unknown", 7) != 0) ||
	       !strncmp(line, "reserve = ", 10);
}

/*
 * If nothing can be found, as in a chroot for a repair, what an earlier run found goes on protecting. Appends these
 * entries to the text, frees it, and returns a new text.
 */
static char *with_old_entries(int root, char *text)
{
	char *old, *both, *line, *rest;
	size_t len;
	FILE *to;

	if (read_text(root, protect_file, &old, &len))
		return text;
	to = open_memstream(&both, &len);
	if (!to)
		abort();
	fputs(text, to);
	for (line = strtok_r(old, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
		if (is_entry(line))
			fprintf(to, "%s\n", line);
	}
	if (fclose(to))
		abort();
	free(old);
	free(text);
	return both;
}

static int write_or_print(const struct request *r, const struct dependencies *deps, const char *text)
{
	int root = r->ctx->root.fd, ret = 0;
	size_t len = strlen(text);
	bool as_before;

	if (asked(r, OPTION_PRINT)) {
		fputs(text, stdout);
		return cannot_print();
	}
	as_before = is_up_to_date(root, text, len);
	/* The doctor checks its time. If that cannot be set, the file is still good. */
	if (as_before)
		(void)!utimensat(root, protect_file, NULL, AT_SYMLINK_NOFOLLOW);
	else
		ret = replace_file(root, protect_file, text, len, 0644);
	if (ret) {
		say(&complaints, LEVEL_FAILED, "/%s: cannot be written: %s%s", protect_file, strerror(-ret),
		    ret == -EACCES || ret == -EPERM ? " (only root can do this)" : "");
		return ret;
	}
	print_summary(deps, as_before);
	return cannot_print();
}

int verb_protect(struct request *r)
{
	struct dependencies deps = { 0 };
	bool read = request_read(r->ctx, PHASE_NOW);
	enum form form;
	char *text;
	int status;

	if (read)
		dependencies_find(&deps, r->ctx);
	else if (!(deps.unknown = strdup("the PCI functions of this machine cannot be read")))
		abort();
	for (unsigned i = 0; i < deps.notes.count; i++)
		complaints.say(&complaints, LEVEL_REFUSED, deps.notes.string[i]);
	if (deps.unknown)
		say(&complaints, LEVEL_REFUSED, "what this host lives on is unknown: %s", deps.unknown);
	form = choose_form(&deps);
	if (forms[form])
		say(&complaints, LEVEL_REFUSED, "/%s: too many functions for an entry each: %s", protect_file,
		    forms[form]);
	text = compose_to_fit(r->ctx, &deps, form);
	if (deps.unknown && !deps.needs)
		text = with_old_entries(r->ctx->root.fd, text);
	status = write_or_print(r, &deps, text) || !read ? STATUS_FAILED : deps.unknown != NULL;
	free(text);
	dependencies_free(&deps);
	return status;
}
