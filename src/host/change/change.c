// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "atomic_write.h"
#include "change.h"
#include "cmdline.h"
#include "format.h"
#include "image_judge.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "plan_log.h"
#include "rebuild.h"
#include "settings.h"

int nothing_changed(int status)
{
	say(&complaints, LEVEL_FAILED, "nothing was changed");
	return status;
}

/* Returns true if the kernel command line has a list of its own in place of one that add and remove write. */
static bool replaces(const struct settings *s)
{
	return s->list[LIST_IDS].replaced || s->list[LIST_VFS].replaced || s->list[LIST_VFS].off;
}

/* Returns true if this part of a command line, a word, replaces a list of the files, or is `off`. */
static bool replaces_ids(const char *from, const char *to)
{
	static struct settings s;

	settings_init(&s);
	settings_parse_cmdline(&s, "", from, (size_t)(to - from));
	return replaces(&s) || s.off_now;
}

/* Returns the command line with blanks for the words that replaces_ids(), so that all others keep their places. */
static const char *without_ids(const char *cmdline)
{
	static char text[CMDLINE_MAX + 1];
	const char *p = text, *end = text + strlen(cmdline), *from = p;
	struct cmdline_word word;

	memcpy(text, cmdline, (size_t)(end - text) + 1);
	for (; cmdline_next_parameter(&p, end, &word); from = p) {
		if (replaces_ids(from, p))
			memset(text + (from - text), ' ', (size_t)(p - from));
	}
	return text;
}

/*
 * A list on the kernel command line replaces that of the files. The change is about the files, so read them without it.
 */
static bool read_files(struct change *c)
{
	struct context *ctx = c->before;

	if (!request_read(ctx, PHASE_NEXT_BOOT))
		return false;
	c->replaced = replaces(&ctx->settings);
	if (!c->replaced)
		return true;
	say(&complaints, LEVEL_REFUSED,
	    "the kernel command line has its own list of ids or vfs, which replaces the list in the files (remove it there)");
	ctx->argument[ARGUMENT_CMDLINE] = without_ids(ctx->buffers.cmdline_used);
	return request_read(ctx, PHASE_NEXT_BOOT);
}

/*
 * Waits until another change has made its image, because two update-initramfs would write to one file. Without locks
 * (NFS), and against an editor, change_write() checks that the file is unchanged.
 */
static int take_lock(int root)
{
	int etc = openat(root, "etc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	void (*before)(int);

	if (etc < 0 || !flock(etc, LOCK_EX | LOCK_NB) || errno != EWOULDBLOCK)
		return etc;
	say(&complaints, LEVEL_DONE, "another vfio-boot add or remove is running: waiting for it");
	/* Nothing is changed yet, so that Ctrl-C may end it, whoever ignores it for the sake of what follows. */
	before = signal(SIGINT, SIG_DFL);
	while (flock(etc, LOCK_EX) && errno == EINTR)
		;
	signal(SIGINT, before);
	return etc;
}

int change_begin(struct change *c, struct request *r)
{
	static struct context after;
	int ret;

	memset(c, 0, sizeof(*c));
	c->r = r;
	c->before = r->ctx;
	c->after = &after;
	c->lock_fd = take_lock(c->before->root.fd);
	ret = read_text(c->before->root.fd, OWN_FILE + 1, &c->old, &c->old_len);
	if (ret) {
		say(&complaints, LEVEL_FAILED, "%s: %s", OWN_FILE,
		    ret == -ELOOP ? "it is a symbolic link (edit its target)" : strerror(-ret));
		return nothing_changed(STATUS_FAILED);
	}
	if (!read_files(c))
		return STATUS_FAILED;
	context_like(c->after, c->before);
	if (!c->before->settings.problems)
		return 0;
	say_problems(&c->before->machine, &complaints);
	say(&complaints, LEVEL_FAILED, "the settings have errors (correct them first)");
	return nothing_changed(STATUS_WRONG);
}

/* Returns the next device that is not just planned (`vfs`), or the end. */
static const struct device *next_there(const struct machine *m, const struct device *d)
{
	while (d < m->end && d->found.later)
		d++;
	return d;
}

/* Both snapshots must have the same devices, but for the VFs that only one of them asks for. */
static bool same_devices(const struct machine *a, const struct machine *b)
{
	const struct device *d = next_there(a, a->device), *e = next_there(b, b->device);

	while (d < a->end && e < b->end && d->address == e->address) {
		d = next_there(a, d + 1);
		e = next_there(b, e + 1);
	}
	return d == a->end && e == b->end;
}

/* Leaves out the entries of a list that are removed. */
static void drop_removed(struct change *c, enum list_name name)
{
	struct list *list = &c->after->settings.list[name];
	struct selector *sel, *kept = list->selector;

	for_each_selector(list, sel) {
		if (!c->removed[name][sel - list->selector])
			*kept++ = *sel;
	}
	list->end = kept;
}

bool change_decide(struct change *c, const char *added)
{
	struct context *ctx = c->after;

	ctx->phase = PHASE_NEXT_BOOT;
	ctx->read_all = true;
	(void)!decide_settings(ctx);
	drop_removed(c, LIST_IDS);
	drop_removed(c, LIST_VFS);
	settings_parse_file(&ctx->settings, "what is added", added, strlen(added));
	if (!decide_machine(ctx, &complaints))
		return false;
	if (same_devices(&c->before->machine, &ctx->machine))
		return true;
	say(&complaints, LEVEL_FAILED,
	    "devices were added or removed in the meantime: nothing was changed (try again)");
	return false;
}

struct device *change_before(const struct change *c, const struct device *d)
{
	return machine_find(&c->before->machine, d->address);
}

bool change_chose(const struct change *c, const struct device *d)
{
	const struct device *was = change_before(c, d);

	return was && c->chosen[was - c->before->machine.device];
}

bool change_concerns(const struct change *c, const struct device *d)
{
	const struct device *was = change_before(c, d);

	return change_chose(c, d) || !was || was->decided.verdict != d->decided.verdict ||
	       was->decided.reason != d->decided.reason;
}

bool change_is_refused(const struct change *c)
{
	const struct device *d, *was;

	for_each_device(&c->after->machine, d) {
		was = change_before(c, d);
		if (d->decided.verdict == VERDICT_REFUSED &&
		    (change_chose(c, d) || !was || was->decided.verdict != VERDICT_REFUSED))
			return true;
	}
	return false;
}

void change_say(const struct change *c, const struct listener *l)
{
	const struct machine *m = &c->after->machine;
	const struct device *d;
	struct text t;

	for_each_device(m, d) {
		if (!change_concerns(c, d))
			continue;
		if (d->decided.verdict != VERDICT_NONE)
			set_device_line(&t, m, d, false);
		else if (d->asked.vfs)
			text_set(&t, "%pd: stays with the host, and has %u virtual functions", d, d->asked.vfs->vfs);
		else
			text_set(&t, "%pd: left to the host", d);
		l->say(l, d->decided.verdict == VERDICT_REFUSED ? LEVEL_REFUSED : LEVEL_DONE, t.p);
	}
}

/* Returns the number of selectors in a text of OWN_FILE, or -1 if it has errors. */
static int count_selectors(const char *text)
{
	static struct settings s;

	settings_init(&s);
	settings_parse_file(&s, OWN_FILE, text, strlen(text));
	return s.problems ? -1
			  : (int)(s.list[LIST_IDS].end - s.list[LIST_IDS].selector + s.list[LIST_VFS].end -
				  s.list[LIST_VFS].selector);
}

bool is_same_entry(const struct selector *a, const struct selector *b)
{
	return !span_cmp(a->text, b->text) && !((a->flags ^ b->flags) & SELECTOR_EXCLUDES);
}

/*
 * Returns true if the settings files with the new text stay within their limits. The claim ignores all settings beyond
 * them.
 */
static bool has_room(const struct change *c, const char *text)
{
	const struct settings_buffers *p = &c->before->buffers;

	/* The buffer holds the texts one after the other. A text with a NUL in it was refused. */
	return strlen(p->files) - c->old_len + strlen(text) <= SETTINGS_TEXT_MAX &&
	       (p->drop_ins < DROP_INS_MAX || !faccessat(c->before->root.fd, OWN_FILE + 1, F_OK, 0));
}

/* Returns why the text must not be written, or NULL. */
static const char *find_fault(const struct change *c, const char *text, int more)
{
	int before = count_selectors(c->old), after = count_selectors(text);

	/* This check guards all editing of the text: it must read back as it is meant. */
	if (before < 0 || after - before != more)
		return "vfio-boot cannot edit its lines (edit it by hand)";
	if (!has_room(c, text))
		return "there would be more than 64 settings files, or more than 64 KiB of settings (shorten them)";
	return has_text(c->before->root.fd, OWN_FILE + 1, c->old, c->old_len)
		       ? NULL
		       : "it was changed in the meantime (try again)";
}

int change_write(struct change *c, const char *text, int more)
{
	const char *fault = find_fault(c, text, more);
	struct output out;
	int ret, failed;

	if (fault) {
		say(&complaints, LEVEL_FAILED, "%s: %s", OWN_FILE, fault);
		return nothing_changed(1);
	}
	ret = replace_file(c->before->root.fd, OWN_FILE + 1, text, strlen(text), 0);
	if (ret) {
		say(&complaints, LEVEL_FAILED, "%s: %s%s", OWN_FILE, strerror(-ret),
		    ret == -EACCES ? " (use sudo)" : "");
		return nothing_changed(STATUS_FAILED);
	}
	c->written = strdup(text);
	if (!c->written)
		abort();
	/* With --json standard output is for programs. */
	output_init(&out, asked(c->r, OPTION_JSON) ? STDERR_FILENO : STDOUT_FILENO);
	say(&out.listener, LEVEL_DONE, "%s: written; the next boot%s:", OWN_FILE,
	    c->replaced ? ", once its command line has no such list" : "");
	change_say(c, &out.listener);
	say_warnings(&c->after->machine, &complaints);
	if (c->after->left_out_off)
		say(&complaints, LEVEL_DONE, LEFT_OUT_OFF);
	if (c->after->machine.no_claim_reason)
		say(&complaints, LEVEL_REFUSED, "nothing is claimed as long as this is so: %s",
		    c->after->machine.no_claim_reason);
	failed = output_flush(&out);
	if (failed)
		say(&complaints, LEVEL_FAILED, "standard output: %s", strerror(failed));
	if (asked(c->r, OPTION_NO_REBUILD))
		say(&complaints, LEVEL_DONE, "the image was not rebuilt; rebuild it before the next boot (%s)",
		    rebuild_all_command(&c->before->root));
	else
		ret = rebuild_images(c->before, asked(c->r, OPTION_NEWEST));
	c->rebuilt = !ret && !asked(c->r, OPTION_NO_REBUILD) && !c->before->root.sysroot;
	if (!ret)
		say(&complaints, LEVEL_DONE, "no device changes before the next boot (reboot)");
	return failed ? STATUS_FAILED : ret;
}

int change_end(struct change *c, int status)
{
	if (asked(c->r, OPTION_JSON))
		status = change_print_json(c, status);
	free(c->old);
	free(c->written);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	return status;
}
