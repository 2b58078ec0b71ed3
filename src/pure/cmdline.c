// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cmdline.h"

/* The kernel's isspace() (lib/ctype.c). It counts the no-break space of Latin-1 as white space. */
static bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\xa0';
}

/* Returns the end of a token, and in *equals its first = or NULL. White space inside quotes does not end the token. */
static const char *token_end(const char *start, const char *end, bool in_quote, const char **equals)
{
	const char *at = start;

	*equals = NULL;
	for (; at < end && (in_quote || !is_space(*at)); at++) {
		if (!*equals && at > start && *at == '=')
			*equals = at;
		if (*at == '"')
			in_quote = !in_quote;
	}
	return at;
}

static const char *without_end_quote(const char *start, const char *end)
{
	return end > start && end[-1] == '"' ? end - 1 : end;
}

/* Splits as next_arg() of the kernel's lib/cmdline.c does, quotes included. */
bool cmdline_next(const char **p, const char *end, struct cmdline_word *w)
{
	const char *start = *p, *equals, *value;
	bool quoted;

	while (start < end && is_space(*start))
		start++;
	if (start == end)
		return false;
	quoted = *start == '"';
	start += quoted;
	end = token_end(start, end, quoted, &equals);
	*p = end;
	/* After a = the quotes are around the value alone. */
	value = equals ? equals + 1 : start;
	if (equals && value < end && *value == '"') {
		value++;
		end = without_end_quote(value, end);
	}
	if (quoted)
		end = without_end_quote(value, end);
	w->has_value = equals != NULL;
	w->name = (struct span){ start, (unsigned)((equals ? equals : end) - start) };
	w->value = equals ? (struct span){ value, (unsigned)(end - value) } : (struct span){ end, 0 };
	return true;
}

bool cmdline_next_parameter(const char **p, const char *end, struct cmdline_word *w)
{
	return cmdline_next(p, end, w) && (w->has_value || !span_is(w->name, "--"));
}

bool cmdline_is_true(const struct cmdline_word *w)
{
	/* Upper and lower case are alike. A digit has the bit of lower case already. */
	char first = w->value.len ? w->value.p[0] | 0x20 : 0, second = w->value.len > 1 ? w->value.p[1] | 0x20 : 0;

	return !w->has_value || first == 'y' || first == 't' || first == '1' || (first == 'o' && second == 'n');
}

bool cmdline_list_has(struct span list, const char *word)
{
	const char *p = list.p, *end = list.p + list.len;

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		struct span one = { p, (unsigned)((comma ? comma : end) - p) };

		if (parameter_is(one, word))
			return true;
		p += one.len + 1;
	}
	return false;
}

/* Is it one of these words, each with a NUL behind it, the last with two? */
static bool is_one_of(struct span s, const char *words)
{
	for (; *words; words = nth_word(words, 1)) {
		if (span_is(s, words))
			return true;
	}
	return false;
}

const char *cmdline_rescue(const char *line, size_t len)
{
	/* As systemd and sysvinit know them (doc/interface.md, "What is decided, and why", 0). */
	static const char *const bare = "single\0s\0S\0001\0-s\0-b\0rescue\0emergency\0";
	static const char *const units = "rescue.target\0emergency.target\0";
	const char *p = line, *end = line + len;
	struct cmdline_word w;

	/* Also behind a --, where it is init's. */
	while (cmdline_next(&p, end, &w)) {
		if (span_is(w.name, "boot") && span_is(w.value, "live"))
			return "this is a live system";
		if (w.has_value ? (span_is(w.name, "systemd.unit") || span_is(w.name, "rd.systemd.unit")) &&
					  is_one_of(w.value, units)
				: is_one_of(w.name, bare))
			return "this is a rescue boot";
	}
	return NULL;
}
