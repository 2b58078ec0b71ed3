// SPDX-License-Identifier: GPL-2.0-or-later
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "terminal.h"

static bool colours, utf8;

void terminal_init(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM"); /* no-color.org */

	setlocale(LC_CTYPE, "");
	utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	colours = isatty(STDOUT_FILENO) && !(no && *no) && term && strcmp(term, "dumb") != 0;
}

const char *style(enum style s)
{
	static const char *const codes[STYLES] = { "\033[0m", "\033[1m", "\033[2m", "\033[32m", "\033[33m" };

	return colours ? codes[s] : "";
}

const char *line(enum line l)
{
	static const char *const drawn[LINES] = { "\xe2\x94\x9c\xe2\x94\x80 ", "\xe2\x94\x94\xe2\x94\x80 ",
						  "\xe2\x94\x82  ", "   " };
	static const char *const typed[LINES] = { "|- ", "`- ", "|  ", "   " };

	return (utf8 ? drawn : typed)[l];
}

size_t fitting(const char *text, size_t room)
{
	size_t len = strlen(text);

	if (len <= room)
		return len;
	for (len = room; len && text[len] != ' '; len--)
		;
	return len ? len : strcspn(text, " ");
}
