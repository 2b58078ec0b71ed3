// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "cmdline.h"

/* isspace() of the kernel (lib/ctype.c), which counts the no-break space of Latin-1 as one. */
static bool is_space(char c)
{
	return is_blank(c) || c == '\n' || c == '\xa0';
}

/* One token, quotes and all, as next_arg() of the kernel's lib/cmdline.c takes it. */
bool cmdline_next(const char **p, const char *end, struct cmdline_word *w)
{
	const char *at = *p, *start, *equals = NULL;
	bool quoted = false, in_quote = false;

	while (at < end && is_space(*at))
		at++;
	if (at == end)
		return false;
	if (*at == '"') {
		at++;
		in_quote = quoted = true;
	}
	for (start = at; at < end && (in_quote || !is_space(*at)); at++) {
		if (!equals && at > start && *at == '=')
			equals = at;
		if (*at == '"')
			in_quote = !in_quote;
	}
	*p = at;
	w->has_value = equals != NULL;
	w->name.p = start;
	if (equals) {
		w->name.len = (unsigned)(equals - start);
		/* From here on it is the value that the quotes are around. */
		start = equals + 1;
		if (start < at && *start == '"') {
			start++;
			if (at > start && at[-1] == '"')
				at--;
		}
	}
	if (quoted && at > start && at[-1] == '"')
		at--;
	if (!equals) {
		w->name.len = (unsigned)(at - start);
		start = at;
	}
	w->value = (struct span){ start, (unsigned)(at - start) };
	return true;
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
