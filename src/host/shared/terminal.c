// SPDX-License-Identifier: GPL-2.0-or-later
#include <langinfo.h>
#include <locale.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
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

unsigned terminal_width(void)
{
	const char *wish = getenv("COLUMNS");
	struct winsize size;
	unsigned long columns = 80;

	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col)
		columns = size.ws_col;
	else if (wish && *wish >= '0' && *wish <= '9')
		columns = strtoul(wish, NULL, 10);
	/* Nothing can be laid out in less. */
	return columns < 30 ? 30 : columns > 10000 ? 10000 : (unsigned)columns;
}

/* Continuation bytes of UTF-8 take no column. */
static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t columns_of(const char *text)
{
	size_t columns = 0;

	for (; *text; text++)
		columns += !is_continuation(*text);
	return columns;
}

size_t fitting(const char *text, size_t room)
{
	size_t end = 0, blank = 0;

	for (size_t columns = 0; text[end]; end++) {
		if (!is_continuation(text[end]) && columns++ == room)
			break;
		if (text[end] == ' ')
			blank = end;
	}
	/* A blank right behind the last column ends the line as well. */
	if (!text[end] || text[end] == ' ')
		return end;
	return blank ? blank : strcspn(text, " ");
}

void print_wrapped(FILE *to, size_t width, size_t column, const char *below, const char *text)
{
	size_t len;

	while (text[len = fitting(text, width > column ? width - column : 0)]) {
		fprintf(to, "%.*s\n%s", (int)len, text, below);
		text += len + 1;
		column = columns_of(below);
	}
	fprintf(to, "%s\n", text);
}
