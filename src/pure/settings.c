// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cmdline.h"
#include "settings.h"

void settings_init(struct settings *s)
{
	memset(s, 0, offsetof(struct settings, selector));
	s->timeout = 30;
	s->root_wait = 15;
	s->unbind = YES;
	for (enum list_name i = 0; i < LISTS; i++) {
		s->list[i].selector = s->list[i].end = s->selector[i];
	}
}

void settings_copy(struct settings *to, const struct settings *from)
{
	memcpy(to, from, sizeof(*to));
	for (enum list_name i = 0; i < LISTS; i++) {
		to->list[i].selector = to->selector[i];
		to->list[i].end = to->selector[i] + (from->list[i].end - from->list[i].selector);
	}
}

void settings_problem(struct settings *s, const struct place *at, struct span text, const char *what)
{
	if (s->problems < PROBLEMS_MAX)
		s->problem[s->problems] = (struct problem){ what, text, *at };
	s->problems++;
}

void settings_note_unreadable(struct settings *s, enum list_name list, const struct place *at)
{
	if (!s->unreadable[list].source)
		s->unreadable[list] = *at;
}

const struct place *settings_unreadable(const struct settings *s)
{
	for (enum list_name i = 0; i < LISTS; i++) {
		if (s->unreadable[i].source && (i == LIST_IDS || !s->list[i].off))
			return &s->unreadable[i];
	}
	return NULL;
}

/* Settings with a fixed set of words: the name, then the values. The first value is 0 and the most cautious one. */
static const struct choice {
	uint8_t offset;
	char words[27];
} choices[] = {
	{ offsetof(struct settings, group), "group\0refuse\0whole\0ignore\0" },
	{ offsetof(struct settings, driver), "driver\0vfio-pci\0auto\0" },
	{ offsetof(struct settings, unbind), "unbind\0no\0yes\0" },
	{ offsetof(struct settings, log), "log\0info\0quiet\0debug\0" },
	{ offsetof(struct settings, keep), "keep\0no\0yes\0" },
	{ offsetof(struct settings, no_fallback), "fallback\0yes\0no\0" },
};

static const char lists[LISTS][8] = { "ids", "protect", "reserve", "vfs" };

/* A setting that is being parsed. */
struct reading {
	struct settings *s;
	const struct place *at;
	const char *origin; /* the text at at->column */
	enum list_name list;
};

static void problem_in(const struct reading *r, struct span text, const char *what)
{
	struct place at = *r->at;

	at.column += (uint32_t)(text.p - r->origin);
	settings_problem(r->s, &at, text, what);
}

/* Handles a word of a list that is no selector. Returns false if the word is none of these. */
static bool parse_list_word(const struct reading *r, struct span word)
{
	bool from_cmdline = !r->at->line, ids = r->list == LIST_IDS;

	if (r->list == LIST_PROTECT && span_is(word, "unknown")) {
		r->s->protect_unknown = true;
		return true;
	}
	/* In a file, only ids may be `off`. */
	if (!span_is(word, "off") || !(ids || from_cmdline))
		return false;
	if (ids && from_cmdline)
		r->s->off_now = true;
	else
		r->s->list[r->list].off = true;
	return true;
}

/* Appends a selector to its list. Returns the problem if the list becomes too long, or NULL. */
static const char *add_selector(const struct reading *r, const struct selector *sel)
{
	struct list *list = &r->s->list[r->list];

	if (list->end < list->selector + SELECTORS_MAX) {
		*list->end++ = *sel;
		return NULL;
	}
	/* The entry that does not fit may protect something. */
	if (r->list == LIST_PROTECT || sel->flags & SELECTOR_EXCLUDES)
		r->s->unprotected = true;
	if (r->list == LIST_RESERVE)
		settings_note_unreadable(r->s, LIST_RESERVE, &sel->at);
	/* One problem is enough, even for ten thousand entries. */
	if (list->full)
		return NULL;
	list->full = true;
	return "more than 256 selectors, the rest is ignored";
}

/*
 * Parses a word of a list. Returns true if the word is only a mark of an exclusion, such as the ! of "! 01:00.0". Then
 * the next word is an exclusion; `excluded` says that the previous word was such a mark.
 */
static bool parse_entry(const struct reading *r, struct span word, bool excluded)
{
	struct selector sel;
	const char *why;

	if (parse_list_word(r, word))
		return false;
	sel.at = *r->at;
	sel.at.column += (uint32_t)(word.p - r->origin);
	why = r->list == LIST_VFS ? selector_parse_vfs(&sel, word.p, word.len) : selector_parse(&sel, word.p, word.len);
	sel.comment = r->s->comment;
	if (excluded)
		sel.flags |= SELECTOR_EXCLUDES;
	if (!why && r->list != LIST_IDS && sel.flags & SELECTOR_EXCLUDES)
		why = "exclusions belong in ids";
	if (!why)
		why = add_selector(r, &sel);
	else if (r->list != LIST_VFS && (r->list != LIST_IDS || sel.flags & SELECTOR_EXCLUDES))
		settings_note_unreadable(r->s, r->list, &sel.at);
	if (why)
		settings_problem(r->s, &sel.at, word, why);
	return r->list == LIST_IDS && sel.flags & SELECTOR_EXCLUDES && !sel.text.len;
}

/* The kernel command line replaces the selectors of the files, but not their exclusions. */
static void replace_list(struct list *list)
{
	struct selector *sel, *kept = list->selector;

	if (list->replaced)
		return;
	list->replaced = true;
	list->off = list->full = false;
	for_each_selector(list, sel) {
		if (sel->flags & SELECTOR_EXCLUDES || !sel->at.line)
			*kept++ = *sel;
	}
	list->end = kept;
}

/* Returns the next word of a list at *p, or an empty one at the end. Moves *p behind it. */
static struct span next_word(const char **p, const char *end)
{
	struct span word;

	while (*p < end && (**p == ',' || is_blank(**p)))
		++*p;
	for (word = (struct span){ *p, 0 }; *p < end && **p != ',' && !is_blank(**p); ++*p)
		word.len++;
	return word;
}

/*
 * Returns true if the list has words and all of them are exclusions, well-formed or not. A mark that stands alone
 * excludes the word that follows it.
 */
static bool only_excludes(struct span list)
{
	const char *p = list.p, *end = list.p + list.len;
	bool any = false, mark = false;
	struct span word;

	while ((word = next_word(&p, end)).len) {
		bool not = word.len >= 4 && span_is((struct span){ word.p, 4 }, "not:");

		if (!mark && *word.p != '!' && !not )
			return false;
		any = true;
		mark = word.len == (not ? 4 : 1) && !mark;
	}
	return any;
}

/*
 * Handles what is special about a list on the kernel command line: `+`, `off` and an empty value. Returns the text of
 * the entries that remain.
 */
static struct span begin_cmdline_list(const struct reading *r, struct span v)
{
	bool adds = v.len && *v.p == '+';
	struct span rest = { v.p + adds, v.len - adds };
	struct span all = trimmed(rest.p, rest.p + rest.len);

	if (r->list == LIST_VFS && !adds)
		replace_list(&r->s->list[LIST_VFS]);
	if (r->list != LIST_IDS)
		return rest;
	/* `off` replaces nothing, because a plan for the next boot leaves it out. */
	if ((!all.len && !adds) || span_is(all, "off")) {
		r->s->off_now = true;
		rest.len = 0;
	} else if (!adds && !only_excludes(all)) {
		replace_list(&r->s->list[LIST_IDS]);
	}
	return rest;
}

/* Parses words between commas. */
static void parse_list(const struct reading *r, const char *p, const char *end)
{
	const char *piece = p; /* the text behind the last comma */
	bool any = false, mark = false;

	for (; p <= end; p++) {
		struct span word = { p, 0 };

		for (; p < end && *p != ',' && !is_blank(*p); p++)
			word.len++;
		if (word.len) {
			mark = parse_entry(r, word, mark);
			any = true;
		}
		if (p == end || *p == ',') {
			if (!any)
				problem_in(r, (struct span){ piece, 0 }, "a comma without an entry");
			piece = p + 1;
			any = false;
		}
	}
}

static void set_list(const struct reading *r, struct span v)
{
	if (!r->at->line)
		v = begin_cmdline_list(r, v);
	if (v.len)
		parse_list(r, v.p, v.p + v.len);
}

/* Settings in seconds. */
static const struct seconds {
	uint8_t offset;
	uint8_t min;
	uint8_t otherwise; /* what a wrong value means */
	const char *name;
	const char *problem;
} seconds[] = {
	{ offsetof(struct settings, timeout), 1, 30, "timeout", "not 1 to 600 seconds: 30 is used" },
	{ offsetof(struct settings, root_wait), 0, 15, "root_wait", "not 0 to 600 seconds: 15 is used" },
};

static void set_seconds(const struct reading *r, const struct seconds *s, struct span v)
{
	const char *p = v.p;
	unsigned value = decimal(&p);

	/* decimal() may look beyond the value. No digit follows it there, only white space, a comment or the end. */
	if (!v.len || p != v.p + v.len || v.len > 3 || value < s->min || value > 600) {
		value = s->otherwise;
		problem_in(r, v, s->problem);
	}
	*(uint16_t *)((char *)r->s + s->offset) = (uint16_t)value;
}

static void set_choice(const struct reading *r, const struct choice *c, struct span v)
{
	uint8_t *value = (uint8_t *)r->s + c->offset;

	for (*value = 0; *nth_word(c->words, *value + 1U); ++*value) {
		if (span_is(v, nth_word(c->words, *value + 1U)))
			return;
	}
	*value = 0;
	problem_in(r, v, "not a valid value, the most cautious is used");
}

void settings_set(struct settings *s, const struct place *at, struct span name, struct span value)
{
	struct reading r = { s, at, name.p, LIST_IDS };

	for (; r.list < LISTS; r.list++) {
		if (parameter_is(name, lists[r.list])) {
			set_list(&r, value);
			return;
		}
	}
	for (const struct choice *c = choices; c < choices + ARRAY_SIZE(choices); c++) {
		if (parameter_is(name, c->words)) {
			set_choice(&r, c, value);
			return;
		}
	}
	for (const struct seconds *c = seconds; c < seconds + ARRAY_SIZE(seconds); c++) {
		if (parameter_is(name, c->name)) {
			set_seconds(&r, c, value);
			return;
		}
	}
	settings_problem(s, at, name, "unknown setting, ignored");
}

/* Returns the first c in the text, or its end. */
static const char *find(const char *p, const char *end, char c)
{
	while (p < end && *p != c)
		p++;
	return p;
}

static void parse_line(struct settings *s, struct place *at, const char *start, const char *end)
{
	const char *hash = find(start, end, '#'), *equals;
	struct span line = trimmed(start, hash), name;

	if (!line.len)
		return;
	s->comment = hash < end ? trimmed(hash + 1, end) : (struct span){ end, 0 };
	end = line.p + line.len;
	at->column = (uint32_t)(line.p - start) + 1;
	equals = find(line.p, end, '=');
	name = trimmed(line.p, equals);
	if (equals < end && name.len) {
		settings_set(s, at, name, trimmed(equals + 1, end));
		return;
	}
	settings_problem(s, at, line, "not a setting (NAME = VALUE)");
	/* The line may have been meant to protect something. */
	settings_note_unreadable(s, LIST_IDS, at);
}

void settings_parse_file(struct settings *s, const char *source, const char *p, size_t len)
{
	const char *end = p + len, *nul = find(p, end, '\0'), *eol;
	struct place at = { source, 1, 1 };

	for (; p < end; p = eol + 1, at.line++) {
		eol = find(p, end, '\n');
		if (nul == end) {
			parse_line(s, &at, p, eol);
		} else if (nul < eol) {
			at.column = (uint32_t)(nul - p) + 1;
			settings_problem(s, &at, (struct span){ p, 0 }, "a NUL, nothing in this file is used");
			settings_note_unreadable(s, LIST_IDS, &at);
			return;
		}
	}
}

void settings_parse_cmdline(struct settings *s, const char *source, const char *line, size_t len)
{
	static const char prefix[] = "vfio_boot.";
	const char *p = line, *end = line + len;
	struct cmdline_word w;

	s->comment.len = 0;
	while (cmdline_next_parameter(&p, end, &w)) {
		struct place at = { source, 0, 0 };
		unsigned own;

		if (parameter_is(w.name, "vfio_pci.disable_denylist"))
			s->denylist_off = cmdline_is_true(&w);
		own = span_is(w.name, "vfio.ids") ? 5 : sizeof(prefix) - 1;

		if (w.name.len < own || (own > 5 && !parameter_is((struct span){ w.name.p, own }, prefix)))
			continue;
		at.column = (unsigned)(w.name.p - line) + own + 1;
		settings_set(s, &at, (struct span){ w.name.p + own, w.name.len - own }, w.value);
	}
}
