// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "dropins.h"
#include "format.h"
#include "legacy_ids.h"
#include "listener.h"
#include "log.h"
#include "modconf.h"
#include "sources.h"
#include "sysfs.h"

#define FILE_MAX (1 << 20)

struct reader {
	struct context *ctx;
	struct result *result;
	char text[FILE_MAX]; /* of the file that is being read */
};

static void read_modprobe(struct reader *r, const char *source, size_t len)
{
	modconf_read(r->result, source, r->text, len);
}

static void read_modules(struct reader *r, const char *source, size_t len)
{
	modconf_read_modules(r->result, source, r->text, len);
}

static void read_words(struct reader *r, const char *source, const char *line, size_t len)
{
	const struct place at = { source, 0, 0 };
	const char *p = line;
	struct cmdline_word w;
	char *word;

	while (cmdline_next_parameter(&p, line + len, &w)) {
		bool ids = parameter_is(w.name, "vfio_pci.ids");

		if (!w.has_value || (!ids && !parameter_is(w.name, "pci_stub.ids") &&
				     !(parameter_is(w.name, "rd.driver.pre") && cmdline_list_has(w.value, "vfio_pci"))))
			continue;
		if (ids)
			result_ids(r->result, &at, w.value);
		if (asprintf(&word, "%.*s=%.*s", (int)w.name.len, w.name.p, (int)w.value.len, w.value.p) < 0)
			abort();
		result_line(r->result, &at, ids ? TO_DELETE : TO_LOOK_AT, word);
		if (w.value.len)
			result_at_work(r->result, &at, word);
		free(word);
	}
}

static void read_cmdline(struct reader *r, const char *source, size_t len)
{
	read_words(r, source, r->text, len);
}

/* Adds a setting for a function. `id` may be empty. Returns false if it cannot be a setting. */
static bool import_address(struct reader *r, const struct place *at, struct span address, struct span id)
{
	struct text t;
	const char *wrong = selector_of_address(&t, &r->ctx->machine, address, id);

	if (wrong)
		result_warning(r->result, at, "%.*s cannot be a setting: %s", (int)address.len, address.p, wrong);
	else
		result_setting(r->result, at, t.p);
	r->result->untold |= wrong != NULL;
	return !wrong;
}

/* driverctl stores the name of a driver, or nothing, in a file that is named BUS-DEVICE (save_override()). */
static void read_driverctl(struct reader *r, const char *source, size_t len)
{
	const struct place at = { source, 1, 0 };
	struct span driver = trimmed(r->text, r->text + strcspn(r->text, "\n"));
	const char *address = base_name(source) + strlen("pci-");
	const struct device *d = machine_find_name(&r->ctx->machine, address, strlen(address));
	bool converted = false;
	struct text t;

	/* load-override takes an empty file for no override. */
	if (!len)
		return;
	text_set(&t, "%.*s", (int)driver.len, driver.p);
	if (!strstr(t.p, "vfio")) {
		result_warning(r->result, &at, "%s is not for vfio, its override stays as it is", t.p);
		/* driverctl would give a device that the settings select to its own driver. */
		if (!d || !is_wanted(d))
			return;
	} else {
		if (!parameter_is(driver, "vfio_pci"))
			result_warning(r->result, &at, "%s is a variant driver, which needs driver = auto", t.p);
		converted = import_address(r, &at, (struct span){ address, (unsigned)strlen(address) },
					   (struct span){ "", 0 });
	}
	text_add(&t, " (driverctl unset-override %s)", address);
	result_line(r->result, &at, converted ? TO_DELETE : TO_LOOK_AT, t.p);
	result_at_work(r->result, &at, t.p);
}

/* Adds a setting for a word of Unraid's list: ADDRESS, ADDRESS|ID or an ID. Returns false if it cannot be a setting. */
static bool import_unraid(struct reader *r, const struct place *at, struct span word)
{
	const char *end = word.p + word.len, *bar = memchr(word.p, '|', word.len), *remark, *why;
	struct span address = { word.p, (unsigned)((bar ? bar : end) - word.p) };
	struct text t;
	pciaddr a;
	bool slot;

	if (bar || pciaddr_parse(word.p, end, &a, &slot, &why) || why || selector_of_id(&t, word, &remark))
		return import_address(r, at, address,
				      (struct span){ bar ? bar + 1 : "", bar ? (unsigned)(end - bar - 1) : 0 });
	result_setting(r->result, at, t.p);
	return true;
}

/* The scripts of Unraid read lines such as BIND=0000:03:00.0|10de:2204 ... */
static void read_unraid(struct reader *r, const char *source, size_t len)
{
	struct place at = { source, 0, 0 };
	char *rest = r->text, *line, *word, *whole;
	bool converted;

	r->text[len] = '\0';
	while ((line = strsep(&rest, "\n"))) {
		at.line++;
		if (strncmp(line, "BIND=", 5) != 0)
			continue;
		whole = strdup(line);
		if (!whole)
			abort();
		converted = true;
		line += 5;
		while ((word = strsep(&line, " \t\r\"'"))) {
			if (*word)
				converted &= import_unraid(r, &at, (struct span){ word, (unsigned)strlen(word) });
		}
		result_line(r->result, &at, converted ? TO_DELETE : TO_LOOK_AT, whole);
		result_at_work(r->result, &at, whole);
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

static bool is_modules(const char *path, const char *text)
{
	(void)text;
	return !strcmp(base_name(path), "modules");
}

struct kind {
	bool (*matches)(const char *path, const char *text);
	void (*read)(struct reader *r, const char *source, size_t len);
};

enum { DRIVERCTL, UNRAID, CMDLINE, MODULES, MODPROBE };

/* A file that the user names is of the first kind that matches it. */
static const struct kind kinds[] = {
	[DRIVERCTL] = { is_driverctl, read_driverctl }, [UNRAID] = { is_unraid, read_unraid },
	[CMDLINE] = { is_cmdline, read_cmdline },	[MODULES] = { is_modules, read_modules },
	[MODPROBE] = { NULL, read_modprobe },
};

/* Of a path that is too long for a message, this much is shown, so that the reason fits in. */
#define PATH_SHOWN 800

static void cannot_read(struct reader *r, const char *path, int error)
{
	const char *why = error == EFBIG ? "more than 1 MiB" : strerror(error);
	size_t len = strnlen(path, PATH_SHOWN);

	say(&complaints, LEVEL_FAILED, "%.*s%s: %s", (int)len, path, path[len] ? "..." : "", why);
	r->result->failed = true;
}

/*
 * Reads a file of this kind, or one that the user named (kind is NULL). An absolute path begins at the root of the
 * context. A file that was found in a directory may be gone by now, which is no error.
 */
static void read_file(struct reader *r, const char *path, const struct kind *kind)
{
	bool absolute = *path == '/';
	const char *relative = path + strspn(path, "/");
	int len = read_whole(absolute ? r->ctx->root.fd : AT_FDCWD, absolute && *relative ? relative : path, 0, r->text,
			     sizeof(r->text));

	if (len < 0) {
		if (!kind || (len != -ENOENT && len != -EISDIR))
			cannot_read(r, path, -len);
		return;
	}
	if (!kind) {
		for (kind = kinds; kind->matches && !kind->matches(path, r->text);)
			kind++;
	}
	kind->read(r, path, (size_t)len);
}

struct directories {
	struct reader *r;
	const struct kind *kind;
};

static void read_one(void *data, const char *path)
{
	const struct directories *f = data;

	read_file(f->r, path, f->kind);
}

static void cannot_list(void *data, const char *path, int error)
{
	cannot_read(((const struct directories *)data)->r, path, error);
}

static void read_directories(struct reader *r, const char *const *directory, bool (*accepts)(const char *name),
			     const struct kind *kind)
{
	struct directories f = { r, kind };

	directories_each(r->ctx->root.fd, directory, accepts, read_one, cannot_list, &f);
}

static struct reader *new_reader(struct result *f, struct context *ctx)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	r->result = f;
	r->ctx = ctx;
	return r;
}

void sources_read_all(struct result *f, struct context *ctx)
{
	static const char *const modprobe_d[] = { "/etc/modprobe.d",	 "/run/modprobe.d", "/usr/local/lib/modprobe.d",
						  "/usr/lib/modprobe.d", "/lib/modprobe.d", NULL };
	static const char *const driverctl_d[] = { "/etc/driverctl.d", NULL };
	const char *line = ctx->buffers.cmdline_used;
	struct reader *r = new_reader(f, ctx);

	read_directories(r, modprobe_d, has_conf_suffix, &kinds[MODPROBE]);
	/* modprobe reads the command line after its files, so that it wins (kmod_config_new()). */
	if (line)
		read_words(r, "kernel command line", line, strlen(line));
	/* Parameters after the name of a module come last. */
	read_file(r, "/etc/initramfs-tools/modules", &kinds[MODULES]);
	read_directories(r, driverctl_d, is_override, &kinds[DRIVERCTL]);
	read_file(r, "/boot/config/vfio-pci.cfg", &kinds[UNRAID]);
	free(r);
}

void sources_read(struct result *f, struct context *ctx, char *const *path)
{
	struct reader *r = new_reader(f, ctx);

	for (; *path; path++)
		read_file(r, *path, NULL);
	free(r);
}
