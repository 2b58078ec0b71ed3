// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot protect: writes down what this host lives on, where both programs read it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lives.h"
#include "names.h"
#include "request.h"
#include "sysfs.h"
#include "voice.h"

#define FOLDER "var/lib/vfio-boot"
static const char *const file = FOLDER "/protect";
static const char *const beside = FOLDER "/.protect.new";

/* A comment is cut where there are so many that the file would be too large to be read (SETTINGS_TEXT_MAX). */
#define COMMENT_MAX   600
#define COMMENT_SHORT 100
#define NOTES_SHORT   32

static const char header[] =
	"# What this host lives on: protect is never claimed, reserve only when it is named.\n"
	"# Written by `vfio-boot protect`, anew at each build of an initramfs image: what is changed here is lost.\n";

/*
 * A guarded path from the topmost function of its own domain down. Where that is too long or does not lead there (two
 * buses below one bridge), and for a virtual function, the guarded bus index; a virtual one is not there at boot, when
 * nothing has made it yet, and that is no fault.
 */
static void set_entry(struct text *t, struct job *j, int pci, const struct device *d)
{
	const struct device *chain[SELECTOR_HOPS + 1];
	unsigned n = 0;
	const struct device *at = d;
	struct selector sel;
	struct text link;
	bool whole;

	if (read_link(&link, pci, text_set(&link, "%s/physfn", d->name)) > 0) {
		text_set(t, "%s@%04x:%04x?", d->name, d->ids.vendor, d->ids.device);
		return;
	}
	for (; at && n < ARRAY_SIZE(chain) && PCIADDR_DOMAIN(at->address) == PCIADDR_DOMAIN(d->address);
	     at = at->parent)
		chain[n++] = at;
	whole = !at || PCIADDR_DOMAIN(at->address) != PCIADDR_DOMAIN(d->address);
	text_set(t, "%s", chain[n - 1]->name);
	while (--n)
		text_add(t, "/%02x.%u", PCIADDR_DEVFN(chain[n - 1]->address) >> 3u,
			 PCIADDR_DEVFN(chain[n - 1]->address) & 7u);
	text_add(t, "@%04x:%04x", d->ids.vendor, d->ids.device);
	if (whole && !selector_parse(&sel, t->p, t->len)) {
		find_path(&j->machine, pci, &sel);
		if ((sel.kind == SELECT_PATH ? sel.target : sel.address) == d->address)
			return;
	}
	text_set(t, "%s@%04x:%04x", d->name, d->ids.vendor, d->ids.device);
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
	fprintf(to, "  # %.*s\n", cut(text, max), text);
}

/* The needs of one function, which are next to each other; returns behind the last. What protects it says it all. */
static unsigned add_function(FILE *to, struct job *j, int pci, const struct lives *l, unsigned i, size_t max)
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
	set_entry(&entry, j, pci, first->device);
	fprintf(to, "%s = %s", first->reserve ? "reserve" : "protect", entry.p);
	add_comment(to, comment, max);
	free(comment);
	return i;
}

/* The file as a text, to be freed. */
static char *compose(struct job *j, const struct lives *l, size_t max, unsigned notes)
{
	int pci = openat(j->root.fd, "sys/bus/pci/devices", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	fputs(header, to);
	for (unsigned i = 0; i < l->notes && i < notes; i++)
		fprintf(to, "# %.*s\n", cut(l->note[i], max), l->note[i]);
	if (l->notes > notes)
		fprintf(to, "# %u more could not be found out\n", l->notes - notes);
	if (l->unknown) {
		fputs("protect = unknown", to);
		add_comment(to, l->unknown, max);
	}
	for (unsigned i = 0; i < l->needs;)
		i = add_function(to, j, pci, l, i, max);
	if (fclose(to))
		abort();
	if (pci >= 0)
		close(pci);
	return text;
}

/* Is it this already, for everybody to read? */
static bool is_written(const struct root *root, const char *text, size_t len)
{
	char *old = malloc(SETTINGS_TEXT_MAX + 1);
	struct stat st;
	bool same;

	if (!old)
		abort();
	same = !fstatat(root->fd, file, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
	       (st.st_mode & 07777) == 0644 &&
	       read_whole(root->fd, file, O_NOFOLLOW, old, SETTINGS_TEXT_MAX + 1) == (int)len &&
	       !memcmp(old, text, len);
	free(old);
	return same;
}

static int make_folders(const struct root *root)
{
	static const char *const folders[] = { "var", "var/lib", FOLDER };

	for (unsigned i = 0; i < ARRAY_SIZE(folders); i++) {
		if (!mkdirat(root->fd, folders[i], 0755)) {
			/* Whatever the umask. */
			if (fchmodat(root->fd, folders[i], 0755, 0))
				return -errno;
		} else if (errno != EEXIST) {
			return -errno;
		}
	}
	return 0;
}

static int write_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t put = write(fd, text, len);

		if (put < 0 && errno != EINTR)
			return -errno;
		if (put > 0) {
			text += put;
			len -= (size_t)put;
		}
	}
	return fchmod(fd, 0644) || fsync(fd) ? -errno : 0;
}

/* Whoever reads it sees the old one or the new one, also after a crash. */
static int replace(const struct root *root, const char *text, size_t len)
{
	int ret = make_folders(root), fd, folder;

	if (ret)
		return ret;
	/* What a run that was killed left there. */
	if (unlinkat(root->fd, beside, 0) && errno != ENOENT)
		return -errno;
	fd = openat(root->fd, beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	ret = write_all(fd, text, len);
	if (close(fd) && !ret)
		ret = -errno;
	if (!ret && renameat(root->fd, beside, root->fd, file))
		ret = -errno;
	if (ret) {
		unlinkat(root->fd, beside, 0);
		return ret;
	}
	folder = openat(root->fd, FOLDER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0 || fsync(folder))
		ret = -errno;
	if (folder >= 0)
		close(folder);
	return ret;
}

static void say_what(const struct lives *l, bool as_before)
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

static int put(const struct request *r, const struct lives *l, const char *text)
{
	const struct root *root = &r->job->root;
	size_t len = strlen(text);
	bool as_before;
	int ret = 0;

	if (asked(r, OPTION_PRINT)) {
		fputs(text, stdout);
		return cannot_print();
	}
	as_before = is_written(root, text, len);
	if (!as_before)
		ret = replace(root, text, len);
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
	struct lives l = { 0 };
	bool read = request_read(r->job, PHASE_NOW);
	char *text;
	int status;

	if (read)
		lives_find(&l, r->job);
	else if (!(l.unknown = strdup("the PCI functions of this machine cannot be read")))
		abort();
	for (unsigned i = 0; i < l.notes; i++)
		complaints.say(&complaints, LEVEL_REFUSED, l.note[i]);
	if (l.unknown)
		say(&complaints, LEVEL_REFUSED, "what this host lives on cannot be told: %s", l.unknown);
	text = compose(r->job, &l, COMMENT_MAX, UINT32_MAX);
	if (strlen(text) >= SETTINGS_TEXT_MAX) {
		free(text);
		text = compose(r->job, &l, COMMENT_SHORT, NOTES_SHORT);
	}
	status = put(r, &l, text) || !read ? STATUS_FAILED : l.unknown != NULL;
	free(text);
	lives_free(&l);
	return status;
}
