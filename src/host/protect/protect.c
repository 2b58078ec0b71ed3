// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot protect: writes down what this host lives on, where both programs read it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "atomic_write.h"
#include "dependencies.h"
#include "format.h"
#include "guard.h"
#include "listener.h"
#include "log.h"
#include "pci_names.h"
#include "request.h"
#include "settings.h"
#include "sysfs.h"

static const char *const file = "var/lib/vfio-boot/protect";

/* Comments are cut where there are so many that the file would be too large to be read (SETTINGS_TEXT_MAX). */
static const struct {
	size_t comment;
	unsigned notes;
} sizes[] = { { 600, UINT32_MAX }, { 100, 32 }, { 0, 0 } };

/*
 * Where there is more than the readers have room for in a list (SELECTORS_MAX, and they claim nothing then), less is
 * said of more functions. A quarter of the room is left to the settings files, which fill the same lists.
 */
#define ENTRIES_MAX (SELECTORS_MAX / 4 * 3)

enum form { FORM_EACH, FORM_NO_BRIDGES, FORM_IDS, FORM_CLASSES };

static const char *const forms[] = {
	[FORM_NO_BRIDGES] = "bridges are left out, which nobody claims",
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
		/* At boot nothing has made it yet, and that is no fault. */
		if (*physical_function(ctx->root.fd, &physical, d))
			text_add(t, "?");
	}
}

/* Does the entry of one mean the other as well? */
static bool is_same_entry(enum form form, const struct device *a, const struct device *b)
{
	if (form == FORM_CLASSES)
		return base_class(a) == base_class(b);
	if (form == FORM_IDS)
		return a->found.ids.vendor == b->found.ids.vendor && a->found.ids.device == b->found.ids.device;
	return a == b;
}

static bool is_left_out(enum form form, const struct device *d)
{
	return form != FORM_EACH && is_bridge(d);
}

/* Is an entry due for this need, or does an earlier one mean its function? What protects says it all. */
static bool is_due(const struct dependencies *l, unsigned i, enum form form)
{
	const struct need *n = &l->need[i];

	if (is_left_out(form, n->device))
		return false;
	for (const struct need *before = l->need; before < n; before++) {
		if (is_same_entry(form, before->device, n->device) && before->reserve <= n->reserve &&
		    !is_left_out(form, before->device))
			return false;
	}
	return true;
}

static enum form choose_form(const struct dependencies *l)
{
	enum form form = FORM_EACH;

	for (; form < FORM_CLASSES; form++) {
		unsigned count[2] = { 0, 0 };

		for (unsigned i = 0; i < l->needs; i++)
			count[l->need[i].reserve] += is_due(l, i, form);
		if (count[false] <= ENTRIES_MAX && count[true] <= ENTRIES_MAX)
			break;
	}
	return form;
}

/* How many bytes of it fit, in whole characters. */
static int cut(const char *text, size_t max)
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
		fprintf(to, "  # %.*s", cut(text, max), text);
	fputc('\n', to);
}

/* The entry that is due for a need, with all the reasons for its function, which are next to each other. */
static void add_entry_of(FILE *to, struct context *ctx, const struct dependencies *l, unsigned i, enum form form,
			 size_t max)
{
	const struct need *first = &l->need[i];
	char name[NAME_SIZE], *comment = NULL;
	size_t size;
	FILE *words = open_memstream(&comment, &size);
	struct text entry;

	if (!words)
		abort();
	for (; i < l->needs && l->need[i].device == first->device; i++)
		fprintf(words, "%s%s", &l->need[i] == first ? "" : "; ", l->need[i].why);
	fprintf(words, ": %s", device_name(name, first->device));
	if (fclose(words))
		abort();
	set_entry(&entry, ctx, form, first->device);
	fprintf(to, "%s = %s", first->reserve ? "reserve" : "protect", entry.p);
	add_comment(to, comment, max);
	free(comment);
}

/* The file as a text, to be freed. */
static char *compose(struct context *ctx, const struct dependencies *l, enum form form, size_t max, unsigned notes)
{
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	fputs(header, to);
	if (forms[form])
		fprintf(to, "# There are too many for an entry each: %s.\n", forms[form]);
	for (unsigned i = 0; i < l->notes && i < notes; i++)
		fprintf(to, "# %.*s\n", cut(l->note[i], max), l->note[i]);
	if (l->notes > notes)
		fprintf(to, "# %u more could not be found out\n", l->notes - notes);
	if (l->unknown) {
		fputs("protect = unknown", to);
		add_comment(to, l->unknown, max);
	}
	for (unsigned i = 0; i < l->needs; i++) {
		if (is_due(l, i, form))
			add_entry_of(to, ctx, l, i, form, max);
	}
	if (fclose(to))
		abort();
	return text;
}

static char *compose_to_fit(struct context *ctx, const struct dependencies *l, enum form form)
{
	char *text = NULL;

	for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++) {
		free(text);
		text = compose(ctx, l, form, sizes[i].comment, sizes[i].notes);
		if (strlen(text) < SETTINGS_TEXT_MAX)
			break;
	}
	return text;
}

/* Is it this already, for everybody to read? */
static bool is_written(int root, const char *text, size_t len)
{
	struct stat st;
	size_t old_len;
	char *old;
	bool same;

	if (read_text(root, file, &old, &old_len))
		return false;
	same = old_len == len && !memcmp(old, text, len) && !fstatat(root, file, &st, AT_SYMLINK_NOFOLLOW) &&
	       (st.st_mode & 07777) == 0644;
	free(old);
	return same;
}

static void say_what(const struct dependencies *l, bool as_before)
{
	unsigned count[2] = { 0, 0 };

	for (unsigned i = 0; i < l->needs; i++) {
		if (!i || l->need[i].device != l->need[i - 1].device)
			count[l->need[i].reserve]++;
	}
	printf("/%s: ", file);
	if (l->unknown)
		printf("unknown: %s", l->unknown);
	else
		printf("%u function%s protected, %u reserved", count[0], count[0] == 1 ? "" : "s", count[1]);
	puts(as_before ? " (as before)" : "");
}

/* Is it an entry, and one that says of something that it protects it? */
static bool is_entry(const char *line)
{
	return (!strncmp(line, "protect = ", 10) && strncmp(line + 10, "unknown", 7) != 0) ||
	       !strncmp(line, "reserve = ", 10);
}

/*
 * Where nothing is to be seen, as in a chroot that somebody mends a host in, what was found before goes on protecting:
 * adds it to the text, which is freed, and returns both.
 */
static char *with_old_entries(int root, char *text)
{
	char *old, *both, *line, *rest;
	size_t len;
	FILE *to;

	if (read_text(root, file, &old, &len))
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

static int put(const struct request *r, const struct dependencies *l, const char *text)
{
	int root = r->ctx->root.fd, ret = 0;
	size_t len = strlen(text);
	bool as_before;

	if (asked(r, OPTION_PRINT)) {
		fputs(text, stdout);
		return cannot_print();
	}
	as_before = is_written(root, text, len);
	/* The doctor goes by its time; where that cannot be set, the file is good all the same. */
	if (as_before)
		(void)!utimensat(root, file, NULL, AT_SYMLINK_NOFOLLOW);
	else
		ret = replace_file(root, file, text, len, 0644);
	if (ret) {
		say(&complaints, LEVEL_FAILED, "/%s: cannot be written: %s%s", file, strerror(-ret),
		    ret == -EACCES || ret == -EPERM ? " (only root can do this)" : "");
		return ret;
	}
	say_what(l, as_before);
	return cannot_print();
}

int verb_protect(struct request *r)
{
	struct dependencies l = { 0 };
	bool read = request_read(r->ctx, PHASE_NOW);
	enum form form;
	char *text;
	int status;

	if (read)
		dependencies_find(&l, r->ctx);
	else if (!(l.unknown = strdup("the PCI functions of this machine cannot be read")))
		abort();
	for (unsigned i = 0; i < l.notes; i++)
		complaints.say(&complaints, LEVEL_REFUSED, l.note[i]);
	if (l.unknown)
		say(&complaints, LEVEL_REFUSED, "what this host lives on cannot be told: %s", l.unknown);
	form = choose_form(&l);
	if (forms[form])
		say(&complaints, LEVEL_REFUSED, "/%s: too many functions for an entry each: %s", file, forms[form]);
	text = compose_to_fit(r->ctx, &l, form);
	if (l.unknown && !l.needs)
		text = with_old_entries(r->ctx->root.fd, text);
	status = put(r, &l, text) || !read ? STATUS_FAILED : l.unknown != NULL;
	free(text);
	dependencies_free(&l);
	return status;
}
