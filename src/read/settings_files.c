// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmdline.h"
#include "errtext.h"
#include "format.h"
#include "settings.h"
#include "settings_files.h"
#include "sysfs.h"

static const char *const drop_in_directory = "/etc/vfio-boot.conf.d";
static const char *const command_line = "kernel command line";

/* Adds a problem that concerns a whole source. */
static void add_problem(struct settings *s, const char *source, struct span text, const char *what)
{
	const struct place at = { source, 0, 0 };

	settings_problem(s, &at, text, what);
}

/* Adds a problem for a source that cannot be read. It may have excluded or protected something. */
static void cannot_use(struct settings *s, const char *source, int error)
{
	static const char words[] = "cannot be read, nothing in it is used";

	settings_note_unreadable(s, LIST_IDS, &(struct place){ source, 0, 0 });
	add_problem(s, source, (struct span){ words, sizeof(words) - 1 },
		    error == -EFBIG ? "more than 64 KiB of settings" : error_text(-error));
}

/* Reads and parses the file with this absolute path. Returns false if there is none. */
static bool load_file(struct settings *s, struct settings_buffers *buffers, const struct root *root, const char *name)
{
	int len = read_whole(root->fd, name + 1, root->sysroot ? O_NOFOLLOW : 0, buffers->file,
			     (size_t)(buffers->end - buffers->file));

	if (len == -ENOENT)
		return false;
	if (len < 0) {
		cannot_use(s, name, len);
		return true;
	}
	settings_parse_file(s, name, buffers->file, (size_t)len);
	buffers->file += len;
	return true;
}

/* Inserts the path of a *.conf file. Keeps the paths sorted, because a later file overrides an earlier one. */
static int note_drop_in(void *data, const char *file)
{
	struct settings_buffers *buffers = data;
	char(*at)[DROP_IN_NAME] = buffers->drop_in + buffers->drop_ins;
	struct text t;

	if (!has_conf_suffix(file))
		return 0;
	text_set(&t, "%s/%s", drop_in_directory, file);
	if (buffers->drop_ins == DROP_INS_MAX || t.len >= DROP_IN_NAME)
		return -EFBIG;
	for (; at > buffers->drop_in && strcmp(at[-1], t.p) > 0; at--)
		memcpy(at[0], at[-1], DROP_IN_NAME);
	memcpy(at[0], t.p, t.len + 1);
	buffers->drop_ins++;
	return 0;
}

static void load_drop_ins(struct settings *s, struct settings_buffers *buffers, const struct root *root)
{
	int ret = list_directory(root->fd, drop_in_directory + 1, note_drop_in, buffers);

	if (ret == -EFBIG) {
		settings_note_unreadable(s, LIST_IDS, &(struct place){ drop_in_directory, 0, 0 });
		add_problem(s, drop_in_directory, (struct span){ NULL, 0 },
			    "more than 64 files, or a name of more than 100 bytes");
	} else if (ret && ret != -ENOENT) {
		cannot_use(s, drop_in_directory, ret);
	}
	/* A file that was listed but is not there is a dangling link. */
	for (unsigned i = 0; i < buffers->drop_ins; i++) {
		if (!load_file(s, buffers, root, buffers->drop_in[i]))
			cannot_use(s, buffers->drop_in[i], -ENOENT);
	}
}

/* Returns true if the text is only white space. A crash can leave such a file. */
static bool is_empty(const char *p, const char *end)
{
	while (p < end && (is_blank(*p) || *p == '\n'))
		p++;
	return p == end;
}

static void load_files(struct settings *s, struct settings_buffers *buffers, const struct root *root)
{
	buffers->drop_ins = 0;
	buffers->file = buffers->files;
	buffers->end = buffers->files + sizeof(buffers->files);
	if (root->settings.p) {
		settings_parse_file(s, root->settings_name, root->settings.p, root->settings.len);
	} else {
		load_file(s, buffers, root, "/etc/vfio-boot.conf");
		load_drop_ins(s, buffers, root);
	}
	buffers->file = buffers->protect;
	buffers->end = buffers->protect + sizeof(buffers->protect);
	if (!load_file(s, buffers, root, "/var/lib/vfio-boot/protect") || is_empty(buffers->protect, buffers->file))
		s->protect_unknown = true;
}

const char *settings_load(struct settings *s, struct settings_buffers *buffers, const struct root *root,
			  const char *cmdline)
{
	int len;

	settings_init(s);
	load_files(s, buffers, root);
	if (!cmdline) {
		cmdline = buffers->cmdline;
		len = read_whole(root->fd, "proc/cmdline", 0, buffers->cmdline, sizeof(buffers->cmdline));
		if (len == -ENOENT && root->sysroot)
			len = 0;
		if (len > 0 && cmdline[len - 1] == '\n')
			buffers->cmdline[--len] = '\0';
	} else {
		len = (int)strlen(cmdline);
	}
	if (len > CMDLINE_MAX)
		len = -EFBIG;
	buffers->cmdline_used = cmdline;
	if (len < 0) {
		add_problem(s, command_line, (struct span){ NULL, 0 },
			    len == -EFBIG ? "longer than 4096 bytes" : error_text(-len));
		return "the kernel command line cannot be read";
	}
	settings_parse_cmdline(s, command_line, cmdline, (size_t)len);
	if (!faccessat(root->fd, "proc/vmcore", F_OK, 0))
		return "this is a crash kernel";
	return cmdline_rescue(cmdline, (size_t)len);
}
