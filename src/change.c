// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change.h"
#include "rebuild.h"
#include "replace.h"
#include "voice.h"

int nothing_changed(int status)
{
	say(&complaints, LEVEL_FAILED, "nothing was changed");
	return status;
}

/* A list on the kernel command line hides that of the files, which is what is changed. */
static bool read_files(struct job *j)
{
	if (!request_read(j, PHASE_NEXT_BOOT))
		return false;
	if (!j->settings.ids_replaced)
		return true;
	say(&complaints, LEVEL_REFUSED,
	    "the kernel command line has a list of its own, which replaces that of the files (take it out there)");
	j->argument[ARGUMENT_CMDLINE] = "";
	return request_read(j, PHASE_NEXT_BOOT);
}

int change_begin(struct change *c, struct request *r)
{
	static struct job after;
	int ret;

	memset(c, 0, sizeof(*c));
	c->r = r;
	c->before = r->job;
	c->after = &after;
	if (!read_files(c->before))
		return STATUS_FAILED;
	job_like(c->after, c->before);
	if (c->before->settings.problems) {
		say_problems(&c->before->machine, &complaints);
		say(&complaints, LEVEL_FAILED, "the settings have errors (put them right first)");
		return nothing_changed(STATUS_WRONG);
	}
	ret = read_text(c->before->root.fd, OWN_FILE + 1, &c->old, &c->old_len);
	if (!ret)
		return 0;
	say(&complaints, LEVEL_FAILED, "%s: %s", OWN_FILE,
	    ret == -ELOOP ? "it is a symbolic link (edit what it leads to)" : strerror(-ret));
	return nothing_changed(STATUS_FAILED);
}

void change_end(struct change *c)
{
	free(c->old);
}

bool change_decide(struct change *c, const char *added)
{
	struct job *j = c->after;
	struct list *ids = &j->settings.list[LIST_IDS];
	struct selector *sel, *kept;

	j->phase = PHASE_NEXT_BOOT;
	j->every = true;
	(void)!decide_settings(j);
	kept = ids->selector;
	for_each_selector(ids, sel) {
		if (!c->gone[sel - ids->selector])
			*kept++ = *sel;
	}
	ids->end = kept;
	settings_parse_file(&j->settings, "what is added", added, strlen(added));
	return decide_machine(j, &complaints);
}

static const struct device *device_before(const struct change *c, const struct device *d)
{
	return &c->before->machine.device[d - c->after->machine.device];
}

static bool is_changed(const struct change *c, const struct device *d)
{
	const struct device *was = device_before(c, d);

	return was->verdict != d->verdict || was->reason != d->reason;
}

bool change_is_refused(const struct change *c)
{
	const struct device *d;

	for_each_device(&c->after->machine, d) {
		if (d->verdict == VERDICT_REFUSED &&
		    (c->chosen[d - c->after->machine.device] || device_before(c, d)->verdict != VERDICT_REFUSED))
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
		if (!c->chosen[d - m->device] && !is_changed(c, d))
			continue;
		if (d->verdict != VERDICT_NONE)
			set_device_line(&t, m, d, false);
		else
			text_set(&t, "%pd: left to the host", d);
		l->say(l, d->verdict == VERDICT_REFUSED ? LEVEL_REFUSED : LEVEL_DONE, t.p);
	}
}

/* The number of selectors in a text of OWN_FILE, or -1 where it has errors. */
static int count(const char *text)
{
	static struct settings s;

	settings_init(&s);
	settings_parse_file(&s, OWN_FILE, text, strlen(text));
	return s.problems ? -1 : (int)(s.list[LIST_IDS].end - s.list[LIST_IDS].selector);
}

int change_write(struct change *c, const char *text, int more)
{
	int before = count(c->old), after = count(text), ret;
	struct output out;

	/* A net below all the cutting and pasting: what cannot be read back as it is meant is not written. */
	if (before < 0 || after - before != more) {
		say(&complaints, LEVEL_FAILED, "%s has lines that only a person can edit", OWN_FILE);
		return nothing_changed(1);
	}
	ret = replace_file(c->before->root.fd, OWN_FILE + 1, text, strlen(text));
	if (ret) {
		say(&complaints, LEVEL_FAILED, "%s: %s", OWN_FILE, strerror(-ret));
		return nothing_changed(STATUS_FAILED);
	}
	output_init(&out, STDOUT_FILENO);
	say(&out.listener, LEVEL_DONE, "%s: written; the next boot:", OWN_FILE);
	change_say(c, &out.listener);
	if (c->after->settings.list[LIST_IDS].off)
		say(&complaints, LEVEL_REFUSED, "ids=off in the settings files: nothing is claimed until that is out");
	ret = output_flush(&out);
	if (ret)
		say(&complaints, LEVEL_FAILED, "standard output: %s", strerror(ret));
	if (!asked(c->r, OPTION_NO_REBUILD))
		return rebuild_image(c->before);
	say(&complaints, LEVEL_DONE, "the image is as it was; rebuild it before the next boot (update-initramfs -u)");
	return 0;
}
