// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmdline.h"
#include "conflicts.h"
#include "sysfs.h"

#define CONF_FILES 512

struct conflicts {
	int root;
	void (*found)(void *ctx, const char *what);
	void *ctx;
	const char *folder; /* the one that is being read */
	unsigned files;
	struct conf_file {
		const char *folder;
		char *name;
	} file[CONF_FILES];
};

static bool is_module(const char *word, const char *name)
{
	return parameter_is((struct span){ word, (unsigned)strlen(word) }, name);
}

static bool is_vfio(const char *word)
{
	return is_module(word, "vfio_pci") || is_module(word, "vfio_iommu_type1") || is_module(word, "vfio");
}

/* `ids=` with anything behind it; without, it takes nothing. */
static bool has_ids(char **word)
{
	for (; *word; word++) {
		if (!strncmp(*word, "ids=", 4) && (*word)[4])
			return true;
	}
	return false;
}

static bool has_vfio_pci(char **word)
{
	for (; *word; word++) {
		if (is_module(*word, "vfio_pci"))
			return true;
	}
	return false;
}

static bool is_conflict(char **word)
{
	const char *command = word[0], *module = word[1];

	if (!command || !module)
		return false;
	if (!strcmp(command, "options"))
		return (is_module(module, "vfio_pci") || is_module(module, "pci_stub")) && has_ids(word + 2);
	if (!strcmp(command, "alias") || !strcmp(command, "softdep"))
		return has_vfio_pci(word + 2);
	return (!strcmp(command, "blacklist") || !strcmp(command, "install")) && is_vfio(module);
}

#define WORDS 64

/* One line, whose words are cut out of it. */
static void judge_line(struct conflicts *c, const struct conf_file *f, unsigned number, char *text)
{
	char *word[WORDS + 1], *at = text, *rest;
	unsigned words = 0;
	struct text t;

	text_set(&t, "/%s/%s:%u:", f->folder, f->name, number);
	for (char *w = strtok_r(at, " \t\r\n", &rest); w && words < WORDS; w = strtok_r(NULL, " \t\r\n", &rest)) {
		word[words++] = w;
		text_add(&t, " %s", w);
	}
	word[words] = NULL;
	if (words && *word[0] != '#' && is_conflict(word))
		c->found(c->ctx, t.p);
}

static void read_conf(struct conflicts *c, const struct conf_file *f)
{
	char *line = NULL, *whole = NULL;
	unsigned number = 0, first = 0;
	size_t size = 0, len = 0;
	struct text path;
	ssize_t got;
	FILE *in;
	int fd;

	text_set(&path, "%s/%s", f->folder, f->name);
	fd = openat(c->root, path.p, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	in = fd < 0 ? NULL : fdopen(fd, "r");
	while (in && (got = getline(&line, &size, in)) > 0) {
		bool more = got > 1 && line[got - 1] == '\n' && line[got - 2] == '\\';
		size_t n = (size_t)got - (more ? 2 : 0);

		number++;
		if (!len)
			first = number;
		whole = realloc(whole, len + n + 1);
		if (!whole)
			abort();
		memcpy(whole + len, line, n);
		len += n;
		whole[len] = '\0';
		if (more)
			continue;
		judge_line(c, f, first, whole);
		len = 0;
	}
	if (len)
		judge_line(c, f, first, whole);
	free(whole);
	free(line);
	if (in)
		fclose(in);
}

static int note_conf(void *ctx, const char *name)
{
	struct conflicts *c = ctx;
	size_t len = strlen(name);

	if (len < 6 || strcmp(name + len - 5, ".conf") != 0)
		return 0;
	for (unsigned i = 0; i < c->files; i++) {
		/* A folder that comes first hides it. */
		if (!strcmp(c->file[i].name, name))
			return 0;
	}
	if (c->files == CONF_FILES)
		return 1;
	c->file[c->files].folder = c->folder;
	c->file[c->files].name = strdup(name);
	if (!c->file[c->files++].name)
		abort();
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct conf_file *)a)->name, ((const struct conf_file *)b)->name);
}

static int note_driverctl(void *ctx, const char *name)
{
	const struct conflicts *c = ctx;
	struct text t, driver;

	if (read_attribute(&driver, c->root, text_set(&t, "etc/driverctl.d/%s", name)) < 0)
		return 0;
	c->found(c->ctx, text_set(&t, "/etc/driverctl.d/%s: %s", name, driver.p));
	return 0;
}

static bool names_vfio_pci(struct span list)
{
	while (list.len) {
		const char *comma = memchr(list.p, ',', list.len);
		unsigned len = comma ? (unsigned)(comma - list.p) : list.len;

		if (parameter_is((struct span){ list.p, len }, "vfio_pci"))
			return true;
		len += comma != NULL;
		list.p += len;
		list.len -= len;
	}
	return false;
}

static void judge_cmdline(const struct conflicts *c, const char *cmdline)
{
	const char *p = cmdline, *end = p + strlen(p);
	struct cmdline_word w;
	struct text t;

	while (cmdline_next(&p, end, &w)) {
		/* What follows belongs to init (parse_args()). */
		if (!w.has_value && span_is(w.name, "--"))
			return;
		if (!w.has_value || !w.value.len)
			continue;
		if (!parameter_is(w.name, "vfio_pci.ids") && !parameter_is(w.name, "pci_stub.ids") &&
		    !(parameter_is(w.name, "rd.driver.pre") && names_vfio_pci(w.value)))
			continue;
		c->found(c->ctx, text_set(&t, "kernel command line: %.*s=%.*s", (int)w.name.len, w.name.p,
					  (int)w.value.len, w.value.p));
	}
}

void conflicts_find(int root, const char *cmdline, void (*found)(void *ctx, const char *what), void *ctx)
{
	/* The order of modprobe.d(5). */
	static const char *const folders[] = { "etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d",
					       "usr/lib/modprobe.d", "lib/modprobe.d" };
	struct conflicts *c = calloc(1, sizeof(*c));

	if (!c)
		abort();
	c->root = root;
	c->found = found;
	c->ctx = ctx;
	judge_cmdline(c, cmdline);
	for (unsigned i = 0; i < ARRAY_SIZE(folders); i++) {
		c->folder = folders[i];
		list_directory(root, folders[i], note_conf, c);
	}
	qsort(c->file, c->files, sizeof(*c->file), by_name);
	for (unsigned i = 0; i < c->files; i++) {
		read_conf(c, &c->file[i]);
		free(c->file[i].name);
	}
	list_directory(root, "etc/driverctl.d", note_driverctl, c);
	free(c);
}
