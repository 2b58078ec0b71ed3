// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot remove: out of the settings what vfio-boot add put there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "listener.h"
#include "log.h"
#include "message.h"
#include "settings.h"

static struct list *ids_of(const struct change *c)
{
	return &c->before->settings.list[LIST_IDS];
}

/* Is this word of the command line the entry itself, as written? */
static bool is_entry(const struct selector *sel, const struct selector *word)
{
	return !span_cmp(sel->text, word->text) && !((sel->flags ^ word->flags) & SELECTOR_EXCLUDES);
}

/* A device that the entry selects and that is not to be removed, or NULL. */
static const struct device *other_than(const struct change *c, const struct selector *sel, const bool *meant)
{
	const struct machine *m = &c->before->machine;
	const struct device *d;

	for_each_device(m, d) {
		if (selector_match(sel, d) == SELECTOR_YES && !meant[d - m->device])
			return d;
	}
	return NULL;
}

static bool selects_one_of(const struct change *c, const struct selector *sel, const bool *meant)
{
	const struct machine *m = &c->before->machine;
	const struct device *d;

	for_each_device(m, d) {
		if (meant[d - m->device] && selector_match(sel, d) != SELECTOR_NO)
			return true;
	}
	return false;
}

/* Takes one entry out where that is ours to do; false where it is not, which was said then. */
static bool take_out(struct change *c, const struct selector *sel, const struct device *other)
{
	if (strcmp(sel->at.source, OWN_FILE) != 0) {
		say(&complaints, LEVEL_REFUSED, "%pe: not written by vfio-boot add (take it out there)", sel);
		return false;
	}
	if (other) {
		say(&complaints, LEVEL_REFUSED,
		    "%pe selects %pd too (remove %.*s to give back both, or add an exclusion: !BUS_INDEX)", sel, other,
		    (int)sel->text.len, sel->text.p);
		return false;
	}
	c->gone[sel - ids_of(c)->selector] = true;
	return true;
}

/* Adds the rest of the groups of what is meant. */
static void mean_groups(const struct machine *m, bool meant[DEVICES_MAX])
{
	const struct group *g;
	const struct device *d;

	for_each_group(m, g) {
		bool any = false;

		for_each_member(g, d)
			any |= meant[d - m->device];
		for_each_member(g, d)
			meant[d - m->device] |= any;
	}
}

/* One word of the command line: the entry of that text, or else those that select what it means. */
static int remove_word(struct change *c, char *word)
{
	static bool meant[DEVICES_MAX];
	const struct machine *m = &c->before->machine;
	char *const words[] = { word, NULL };
	bool found = false, all = true, whole;
	struct selector wanted, *sel;
	const char *wrong = selector_parse(&wanted, word, strlen(word));
	const struct device *d;

	if (wrong) {
		say(&complaints, LEVEL_FAILED, "%s: %s", word, wrong);
		return STATUS_WRONG;
	}
	memset(meant, 0, sizeof(meant));
	whole = asked(c->r, OPTION_WHOLE) && !(wanted.flags & SELECTOR_EXCLUDES);
	for_each_selector(ids_of(c), sel) {
		if (!is_entry(sel, &wanted))
			continue;
		found = true;
		all &= take_out(c, sel, NULL);
		for_each_device(m, d)
			meant[d - m->device] |= selector_match(sel, d) != SELECTOR_NO;
	}
	if (!found && wanted.flags & SELECTOR_EXCLUDES) {
		say(&complaints, LEVEL_REFUSED, "%s: no such exclusion in the settings", word);
		return 1;
	}
	if (!found && choose(c->before, words, meant))
		return 1;
	if (whole)
		mean_groups(m, meant);
	for_each_device(m, d)
		c->chosen[d - m->device] |= meant[d - m->device];
	if (found && !whole)
		return !all;
	for_each_selector(ids_of(c), sel) {
		if (sel->flags & SELECTOR_EXCLUDES || is_entry(sel, &wanted) || !selects_one_of(c, sel, meant))
			continue;
		found = true;
		all &= take_out(c, sel, other_than(c, sel, meant));
	}
	if (!found)
		say(&complaints, LEVEL_REFUSED, "%s: nothing in the settings selects it", word);
	return !found || !all;
}

/* Is there an entry to be taken out at this place of OWN_FILE? */
static bool is_gone(const struct change *c, unsigned line, size_t column)
{
	const struct selector *sel;

	for_each_selector(ids_of(c), sel) {
		if (c->gone[sel - ids_of(c)->selector] && sel->at.line == line && sel->at.column == column)
			return true;
	}
	return false;
}

static bool is_separator(char ch)
{
	return ch == ',' || is_blank(ch);
}

/*
 * Copies a line without the words that go. What is left of it keeps its name, its comment and its kind of separator; a
 * line with nothing left goes as a whole.
 */
static void copy_line(const struct change *c, FILE *to, unsigned number, const char *line, const char *end)
{
	const char *comment = memchr(line, '#', (size_t)(end - line)), *tail = comment ? comment : end;
	const char *equals = memchr(line, '=', (size_t)(tail - line)), *p = equals ? equals + 1 : tail;
	const char *between = memchr(p, ',', (size_t)(tail - p)) ? ", " : " ";
	bool changed = false;
	char *kept;
	size_t size;
	FILE *words = open_memstream(&kept, &size);

	if (!words)
		abort();
	while (p < tail) {
		const char *word;

		while (p < tail && is_separator(*p))
			p++;
		word = p;
		while (p < tail && !is_separator(*p))
			p++;
		if (is_gone(c, number, (size_t)(word - line) + 1))
			changed = true;
		else if (p > word)
			fprintf(words, "%s%.*s", ftell(words) ? between : " ", (int)(p - word), word);
	}
	if (fclose(words))
		abort();
	if (!changed)
		fprintf(to, "%.*s\n", (int)(end - line), line);
	else if (*kept)
		fprintf(to, "%.*s=%s%s%.*s\n", (int)(equals - line), line, kept, comment ? "  " : "", (int)(end - tail),
			tail);
	free(kept);
}

static int remove_from_settings(struct change *c)
{
	int status = 0, gone = 0, written;
	unsigned number = 1;
	char *text;
	size_t size;
	FILE *to;

	for (char **word = c->r->word; *word; word++) {
		int wrong = remove_word(c, *word);

		if (wrong > status)
			status = wrong;
	}
	for (unsigned i = 0; i < SELECTORS_MAX; i++)
		gone += c->gone[i];
	/* All that was asked for, or nothing. */
	if (status || !gone)
		return nothing_changed(status);
	if (!change_decide(c, ""))
		return STATUS_FAILED;
	if (!asked(c->r, OPTION_FORCE) && change_is_refused(c)) {
		change_say(c, &complaints);
		say(&complaints, LEVEL_REFUSED,
		    "the next boot would refuse the rest (--whole removes all of a group, --force this alone)");
		return nothing_changed(1);
	}
	to = open_memstream(&text, &size);
	if (!to)
		abort();
	for (const char *p = c->old, *end = p + c->old_len; p < end; number++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));

		copy_line(c, to, number, p, eol ? eol : end);
		p = eol ? eol + 1 : end;
	}
	if (fclose(to))
		abort();
	written = change_write(c, text, -gone);
	free(text);
	return written;
}

int verb_remove(struct request *r)
{
	static struct change c;
	int status = change_begin(&c, r);

	if (!status)
		status = remove_from_settings(&c);
	change_end(&c);
	return status;
}
