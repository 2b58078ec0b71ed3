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

const char *cmdline_rescue(const char *line, size_t len)
{
	/* Names and values; interface.md, "What is decided, and why", 0 */
	static const char *const words = "boot\0live\0single\0\0rescue\0\0emergency\0\0systemd.unit\0rescue.target\0"
					 "systemd.unit\0emergency.target\0";
	const char *p = line, *end = line + len;
	struct cmdline_word w;

	while (cmdline_next(&p, end, &w)) {
		for (const char *word = words; *word; word = nth_word(word, 2)) {
			if (span_is(w.name, word) && span_is(w.value, nth_word(word, 1)))
				return word == words ? "this is a live system" : "this is a rescue boot";
		}
	}
	return NULL;
}
