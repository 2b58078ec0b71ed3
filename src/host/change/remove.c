// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot remove: removes from the settings what vfio-boot add wrote. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "listener.h"
#include "log.h"
#include "settings.h"

/* The lists from which entries are removed. */
static const enum list_name lists[] = { LIST_IDS, LIST_VFS };

static struct list *list_of(const struct change *c, enum list_name name)
{
	return &c->before->settings.list[name];
}

/* Returns a device that the entry selects and that is not matched, or NULL. */
static const struct device *unmatched_device(const struct change *c, const struct selector *sel, const bool *matched)
{
	const struct machine *m = &c->before->machine;
	const struct device *d;

	for_each_device(m, d) {
		if (selector_match(sel, d) == SELECTOR_YES && !matched[d - m->device])
			return d;
	}
	return NULL;
}

static bool selects_one_of(const struct change *c, const struct selector *sel, const bool *matched)
{
	const struct machine *m = &c->before->machine;
	const struct device *d;

	for_each_device(m, d) {
		if (matched[d - m->device] && selector_match(sel, d) != SELECTOR_NO)
			return true;
	}
	return false;
}

/*
 * Removes an entry. Returns false after a message if vfio-boot add did not write it, or if it selects another device,
 * too.
 */
static bool remove_entry(struct change *c, enum list_name list, const struct selector *sel, const struct device *other)
{
	if (strcmp(sel->at.source, OWN_FILE) != 0) {
		say(&complaints, LEVEL_REFUSED, "%pe: vfio-boot add did not write this entry (remove it there)", sel);
		return false;
	}
	if (other) {
		say(&complaints, LEVEL_REFUSED,
		    "%pe selects %pd too (remove %.*s to give back both, or add an exclusion: !BUS_INDEX)", sel, other,
		    (int)sel->text.len, sel->text.p);
		return false;
	}
	c->removed[list][sel - list_of(c, list)->selector] = true;
	return true;
}

/* Matches the rest of the groups of the matched devices. */
static void match_rest_of_groups(const struct machine *m, bool matched[DEVICES_MAX])
{
	const struct group *g;
	const struct device *d;

	for_each_group(m, g) {
		bool any = false;

		for_each_member(g, d)
			any |= matched[d - m->device];
		for_each_member(g, d)
			matched[d - m->device] |= any;
	}
}

/*
 * Removes the entries that are written like the word, and matches the devices that they select. Sets *found if there is
 * one. Returns false, after a message, if one cannot be removed.
 */
static bool remove_same(struct change *c, enum list_name list, const struct selector *word, bool matched[DEVICES_MAX],
			bool *found)
{
	const struct machine *m = &c->before->machine;
	const struct selector *sel;
	const struct device *d;
	bool all = true;

	for_each_selector(list_of(c, list), sel) {
		if (!is_same_entry(sel, word))
			continue;
		*found = true;
		all &= remove_entry(c, list, sel, NULL);
		for_each_device(m, d)
			matched[d - m->device] |= selector_match(sel, d) != SELECTOR_NO;
	}
	return all;
}

/* Removes the other entries that select a matched device. Otherwise as remove_same(). */
static bool remove_selecting(struct change *c, enum list_name list, const struct selector *word,
			     const bool matched[DEVICES_MAX], bool *found)
{
	const struct selector *sel;
	bool all = true;

	for_each_selector(list_of(c, list), sel) {
		if (sel->flags & SELECTOR_EXCLUDES || is_same_entry(sel, word) || !selects_one_of(c, sel, matched))
			continue;
		*found = true;
		all &= remove_entry(c, list, sel, unmatched_device(c, sel, matched));
	}
	return all;
}

/*
 * Removes a word of the command line: the entry with the same text, or else those that select the devices it means.
 * Returns 0 or an exit status.
 */
static int remove_word(struct change *c, char *word)
{
	static bool matched[DEVICES_MAX];
	const struct machine *m = &c->before->machine;
	char *const words[] = { word, NULL };
	bool found = false, all = true, whole;
	struct selector wanted;
	const char *wrong = strchr(word, '=') ? selector_parse_vfs(&wanted, word, strlen(word))
					      : selector_parse(&wanted, word, strlen(word));
	const struct device *d;

	if (wrong) {
		say(&complaints, LEVEL_FAILED, "%s: %s", word, wrong);
		return STATUS_WRONG;
	}
	memset(matched, 0, sizeof(matched));
	whole = asked(c->r, OPTION_WHOLE) && !(wanted.flags & SELECTOR_EXCLUDES);
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		all &= remove_same(c, lists[i], &wanted, matched, &found);
	if (!found && wanted.flags & SELECTOR_EXCLUDES) {
		say(&complaints, LEVEL_REFUSED, "%s: no such exclusion in the settings", word);
		return 1;
	}
	if (!found && choose(c->before, words, matched))
		return 1;
	if (whole)
		match_rest_of_groups(m, matched);
	for_each_device(m, d)
		c->chosen[d - m->device] |= matched[d - m->device];
	if (found && !whole)
		return !all;
	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++)
		all &= remove_selecting(c, lists[i], &wanted, matched, &found);
	if (!found)
		say(&complaints, LEVEL_REFUSED, "%s: nothing in the settings selects it", word);
	return !found || !all;
}

/* Returns true if the entry at this place of OWN_FILE is removed. */
static bool is_removed_at(const struct change *c, unsigned line, size_t column)
{
	const struct selector *sel;

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct list *list = list_of(c, lists[i]);

		for_each_selector(list, sel) {
			if (c->removed[lists[i]][sel - list->selector] && sel->at.line == line &&
			    sel->at.column == column)
				return true;
		}
	}
	return false;
}

static bool is_separator(char ch)
{
	return ch == ',' || is_blank(ch);
}

static const char *skip_separators(const char *p, const char *end)
{
	while (p < end && is_separator(*p))
		p++;
	return p;
}

/* Returns the entries from p to end that stay, and sets *changed if one does not. The caller frees the text. */
static char *kept_entries(const struct change *c, unsigned number, const char *line, const char *p, const char *end,
			  bool *changed)
{
	const char *between = memchr(p, ',', (size_t)(end - p)) ? ", " : " ";
	char *kept;
	size_t size;
	FILE *to = open_memstream(&kept, &size);

	if (!to)
		abort();
	while ((p = skip_separators(p, end)) < end) {
		const char *word = p;

		while (p < end && !is_separator(*p))
			p++;
		if (is_removed_at(c, number, (size_t)(word - line) + 1))
			*changed = true;
		else
			fprintf(to, "%s%.*s", ftell(to) ? between : " ", (int)(p - word), word);
	}
	if (fclose(to))
		abort();
	return kept;
}

/*
 * Copies a line without its removed entries. The rest keeps its name, its comment and its kind of separator. Drops a
 * line without any entry left.
 */
static void copy_line(const struct change *c, FILE *to, unsigned number, const char *line, const char *end)
{
	const char *comment = memchr(line, '#', (size_t)(end - line)), *tail = comment ? comment : end;
	const char *equals = memchr(line, '=', (size_t)(tail - line));
	bool changed = false;
	char *kept = kept_entries(c, number, line, equals ? equals + 1 : tail, tail, &changed);

	if (!changed)
		fprintf(to, "%.*s\n", (int)(end - line), line);
	else if (*kept)
		fprintf(to, "%.*s=%s%s%.*s\n", (int)(equals - line), line, kept, comment ? "  " : "", (int)(end - tail),
			tail);
	free(kept);
}

/* Returns the text of OWN_FILE without the removed entries. The caller frees it. */
static char *remaining_text(const struct change *c)
{
	unsigned number = 1;
	char *text;
	size_t size;
	FILE *to = open_memstream(&text, &size);

	if (!to)
		abort();
	for (const char *p = c->old, *end = p + c->old_len; p < end; number++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));

		copy_line(c, to, number, p, eol ? eol : end);
		p = eol ? eol + 1 : end;
	}
	if (fclose(to))
		abort();
	return text;
}

static int remove_from_settings(struct change *c)
{
	int status = 0, removed = 0;
	char *text;

	for (char **word = c->r->word; *word; word++) {
		int wrong = remove_word(c, *word);

		if (wrong > status)
			status = wrong;
	}
	for (unsigned i = 0; i < LISTS * SELECTORS_MAX; i++)
		removed += c->removed[i / SELECTORS_MAX][i % SELECTORS_MAX];
	/* Remove everything that the user asked for, or nothing. */
	if (status || !removed)
		return nothing_changed(status);
	if (!change_decide(c, ""))
		return STATUS_FAILED;
	if (!asked(c->r, OPTION_FORCE) && change_is_refused(c)) {
		change_say(c, &complaints);
		say(&complaints, LEVEL_REFUSED,
		    "the next boot would refuse the rest (--whole removes the whole group, --force only this)");
		return nothing_changed(1);
	}
	text = remaining_text(c);
	status = change_write(c, text, -removed);
	free(text);
	return status;
}

int verb_remove(struct request *r)
{
	static struct change c;
	int status = change_begin(&c, r);

	if (!status)
		status = remove_from_settings(&c);
	return change_end(&c, status);
}
