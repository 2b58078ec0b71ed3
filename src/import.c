// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot import: what else was told to give devices to vfio-pci, and the settings that mean the same. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "modconf.h"
#include "oldids.h"
#include "request.h"
#include "sysfs.h"
#include "voice.h"

#define FILE_MAX (1 << 20)

struct import {
	struct job *job;
	struct found found;
	char text[FILE_MAX]; /* of the file that is being read */
};

/* The files of one or more folders. */
struct file {
	char *name;
	const char *folder;
};

struct files {
	bool (*is)(const char *name); /* which names count */
	const char *folder;	      /* that is being listed */
	struct file *file;
	unsigned n;
};

static void read_modprobe(struct import *i, const char *source, size_t len)
{
	modconf_read(&i->found, source, i->text, len);
}

static void read_words(struct import *i, const char *source, const char *line, size_t len)
{
	const struct place at = { source, 0, 0 };
	const char *p = line;
	struct cmdline_word w;
	struct text t;

	while (cmdline_next(&p, line + len, &w) && (w.has_value || !span_is(w.name, "--"))) {
		if (!w.has_value || !parameter_is(w.name, "vfio_pci.ids"))
			continue;
		found_ids(&i->found, &at, w.value);
		found_line(&i->found, &at, TO_DELETE,
			   text_set(&t, "%.*s=%.*s", (int)w.name.len, w.name.p, (int)w.value.len, w.value.p));
	}
}

static void read_cmdline(struct import *i, const char *source, size_t len)
{
	read_words(i, source, i->text, len);
}

/* A function with its ID, or without; false where it cannot be a setting. */
static bool import_address(struct import *i, const struct place *at, struct span address, struct span id)
{
	struct text t;
	const char *wrong = selector_of_address(&t, &i->job->machine, address, id);

	if (wrong)
		found_warning(&i->found, at, "%.*s cannot be a setting: %s", (int)address.len, address.p, wrong);
	else
		found_setting(&i->found, at, t.p);
	i->found.untold |= wrong != NULL;
	return !wrong;
}

/* save_override() of driverctl: the name is BUS-DEVICE, the content the name of the driver, or none. */
static void read_driverctl(struct import *i, const char *source, size_t len)
{
	const struct place at = { source, 1, 0 };
	struct span driver = trimmed(i->text, i->text + strcspn(i->text, "\n"));
	const char *address = base_name(source) + strlen("pci-");
	struct text t;
	bool told;

	/* load-override takes an empty file for none at all. */
	if (!len)
		return;
	text_set(&t, "%.*s", (int)driver.len, driver.p);
	if (!strstr(t.p, "vfio")) {
		found_warning(&i->found, &at, "%s is not for vfio, its override stays as it is", t.p);
		return;
	}
	if (!parameter_is(driver, "vfio_pci"))
		found_warning(&i->found, &at, "%s is a variant driver, which needs driver = auto", t.p);
	told = import_address(i, &at, (struct span){ address, (unsigned)strlen(address) }, (struct span){ "", 0 });
	text_add(&t, " (driverctl unset-override %s)", address);
	found_line(&i->found, &at, told ? TO_DELETE : TO_LOOK_AT, t.p);
}

/* A word of Unraid's list: ADDRESS, ADDRESS|ID or an ID alone; false where it cannot be a setting. */
static bool import_unraid(struct import *i, const struct place *at, struct span word)
{
	const char *end = word.p + word.len, *bar = memchr(word.p, '|', word.len), *remark, *why;
	struct span address = { word.p, (unsigned)((bar ? bar : end) - word.p) };
	struct text t;
	pciaddr a;
	bool slot;

	if (bar || pciaddr_parse(word.p, end, &a, &slot, &why) || why || selector_of_id(&t, word, &remark))
		return import_address(i, at, address,
				      (struct span){ bar ? bar + 1 : "", bar ? (unsigned)(end - bar - 1) : 0 });
	found_setting(&i->found, at, t.p);
	return true;
}

/* BIND=0000:03:00.0|10de:2204 ..., which the scripts of Unraid read. */
static void read_unraid(struct import *i, const char *source, size_t len)
{
	struct place at = { source, 0, 0 };
	char *rest = i->text, *line, *word, *whole;
	bool told;

	i->text[len] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		at.line++;
		if (strncmp(line, "BIND=", 5) != 0)
			continue;
		whole = strdup(line);
		if (!whole)
			abort();
		told = true;
		line += 5;
		while ((word = strsep(&line, " \t\r\"'"))) {
			if (*word)
				told &= import_unraid(i, &at, (struct span){ word, (unsigned)strlen(word) });
		}
		found_line(&i->found, &at, told ? TO_DELETE : TO_LOOK_AT, whole);
		free(whole);
	}
}

static bool is_override(const char *name)
{
	return !strncmp(name, "pci-", 4) && pciaddr_from_name(name + 4, (unsigned)strlen(name + 4)) != PCIADDR_NONE;
}

static bool is_driverctl(const char *path, const char *text)
{
	(void)text;
	return is_override(base_name(path));
}

static bool is_unraid(const char *path, const char *text)
{
	(void)path;
	return !strncmp(text, "BIND=", 5) || strstr(text, "\nBIND=");
}

static bool is_cmdline(const char *path, const char *text)
{
	(void)text;
	return !strcmp(base_name(path), "cmdline");
}

/* The first that it is. */
static const struct {
	bool (*is)(const char *path, const char *text);
	void (*read)(struct import *i, const char *source, size_t len);
} kinds[] = {
	{ is_driverctl, read_driverctl },
	{ is_unraid, read_unraid },
	{ is_cmdline, read_cmdline },
	{ NULL, read_modprobe },
};

static void cannot_read(struct import *i, const char *path, int error)
{
	say(&complaints, LEVEL_FAILED, "%s: %s", path, error == EFBIG ? "more than 1 MiB" : strerror(error));
	i->found.failed = true;
}

/* An absolute path begins at the root of the job. Of what was found by itself one that is gone again is no loss. */
static void read_file(struct import *i, const char *path, bool given)
{
	bool absolute = *path == '/';
	const char *relative = path + strspn(path, "/");
	int len = read_whole(absolute ? i->job->root.fd : AT_FDCWD, absolute && *relative ? relative : path, 0, i->text,
			     sizeof(i->text));
	unsigned kind = 0;

	if (len < 0) {
		if (given || (len != -ENOENT && len != -EISDIR))
			cannot_read(i, path, -len);
		return;
	}
	while (kinds[kind].is && !kinds[kind].is(path, i->text))
		kind++;
	kinds[kind].read(i, path, (size_t)len);
}

static bool is_conf(const char *name)
{
	size_t len = strlen(name);

	return len >= 5 && !strcmp(name + len - 5, ".conf");
}

/* A file hides those of the same name in later folders (modprobe.d(5)). */
static int note_file(void *ctx, const char *name)
{
	struct files *f = ctx;

	if (!f->is(name))
		return 0;
	for (unsigned n = 0; n < f->n; n++) {
		if (!strcmp(f->file[n].name, name))
			return 0;
	}
	f->file = reallocarray(f->file, f->n + 1, sizeof(*f->file));
	if (!f->file)
		abort();
	f->file[f->n].name = strdup(name);
	if (!f->file[f->n].name)
		abort();
	f->file[f->n++].folder = f->folder;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

/* Reads the files of the folders in the order of their names, whichever folder they are in, as modprobe does. */
static void read_folders(struct import *i, const char *const *folder, bool (*is)(const char *name))
{
	struct files f = { .is = is };
	char *path;

	for (; *folder; folder++) {
		int ret;

		f.folder = *folder;
		ret = list_directory(i->job->root.fd, f.folder + 1, note_file, &f);
		if (ret < 0 && ret != -ENOENT)
			cannot_read(i, f.folder, -ret);
	}
	if (f.n)
		qsort(f.file, f.n, sizeof(*f.file), by_name);
	for (unsigned n = 0; n < f.n; n++) {
		if (asprintf(&path, "%s/%s", f.file[n].folder, f.file[n].name) < 0)
			abort();
		read_file(i, path, false);
		free(path);
		free(f.file[n].name);
	}
	free(f.file);
}

static void read_all(struct import *i)
{
	static const char *const modprobe_d[] = { "/etc/modprobe.d",	 "/run/modprobe.d", "/usr/local/lib/modprobe.d",
						  "/usr/lib/modprobe.d", "/lib/modprobe.d", NULL };
	static const char *const driverctl_d[] = { "/etc/driverctl.d", NULL };
	const char *line = i->job->paper.cmdline_used;

	read_folders(i, modprobe_d, is_conf);
	/* modprobe puts it behind its files, so that it is what counts (kmod_config_new()). */
	if (line)
		read_words(i, "kernel command line", line, strlen(line));
	read_folders(i, driverctl_d, is_override);
	read_file(i, "/boot/config/vfio-pci.cfg", false);
}

int verb_import(struct request *r)
{
	struct import *i = calloc(1, sizeof(*i));
	struct found *f;
	int status;

	if (!i)
		abort();
	f = &i->found;
	i->job = r->job;
	if (!request_read(r->job, PHASE_NOW)) {
		free(i);
		return STATUS_FAILED;
	}
	for (char **path = r->word; *path; path++)
		read_file(i, *path, true);
	if (!r->words)
		read_all(i);
	found_settle(f);
	if (!f->settings)
		say(&complaints, LEVEL_DONE, "nothing found that gives devices to vfio-pci");
	status =
		(asked(r, OPTION_JSON) ? found_print_json(f) : found_print(f)) || f->failed ? STATUS_FAILED : f->untold;
	found_free(f);
	free(i);
	return status;
}
