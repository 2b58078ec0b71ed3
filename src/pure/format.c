// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "format.h"
#include "machine.h"
#include "selector.h"

static void add_bytes(struct text *t, const char *p, unsigned len)
{
	if (len > TEXT_SIZE - 1 - t->len)
		len = TEXT_SIZE - 1 - t->len;
	memcpy(t->p + t->len, p, len);
	t->len += len;
	t->p[t->len] = '\0';
}

static void add_number(struct text *t, unsigned value, unsigned base, unsigned digits)
{
	char out[10];
	unsigned at = sizeof(out);

	do {
		out[--at] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value || sizeof(out) - at < digits);
	add_bytes(t, out + at, (unsigned)sizeof(out) - at);
}

void text_vadd(struct text *t, const char *fmt, va_list ap)
{
	for (;; fmt++) {
		const char *plain = fmt;
		unsigned digits = 0, number = 0, before;

		while (*fmt && *fmt != '%')
			fmt++;
		add_bytes(t, plain, (unsigned)(fmt - plain));
		if (!*fmt++)
			return;
		if (*fmt == '0') {
			digits = (unsigned)(fmt[1] - '0');
			fmt += 2;
		}
		before = t->len;
		if (*fmt != 's' && *fmt != 'p')
			number = va_arg(ap, unsigned);
		if (*fmt == 'x' || *fmt == 'u') {
			add_number(t, number, *fmt == 'x' ? 16 : 10, digits);
		} else {
			const void *it = va_arg(ap, const void *);

			if (*fmt == 's') {
				add_bytes(t, it, (unsigned)strlen(it));
			} else if (*fmt == '.') {
				add_bytes(t, it, number);
				fmt += 2;
			} else if (*++fmt == 'd') {
				add_device(t, it);
			} else {
				add_entry(t, it);
			}
		}
		/* Somebody else's text must not end a line or a column, nor give orders to a terminal. */
		for (; before < t->len; before++) {
			if ((unsigned char)t->p[before] < ' ')
				t->p[before] = '?';
		}
	}
}

void text_add(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_vadd(t, fmt, ap);
	va_end(ap);
}

const char *text_set(struct text *t, const char *fmt, ...)
{
	va_list ap;

	t->len = 0;
	va_start(ap, fmt);
	text_vadd(t, fmt, ap);
	va_end(ap);
	return t->p;
}

void add_device(struct text *t, const struct device *d)
{
	text_add(t, "%s [%04x:%04x]", d->name, d->found.ids.vendor, d->found.ids.device);
}

void add_place(struct text *t, const struct place *at)
{
	text_add(t, "%s", at->source);
	if (at->line)
		text_add(t, ":%u:%u", at->line, at->column);
	else if (at->column)
		text_add(t, ", byte %u", at->column);
}

void add_entry(struct text *t, const struct selector *sel)
{
	text_add(t, "%.*s (", (int)sel->text.len, sel->text.p);
	add_place(t, &sel->at);
	text_add(t, ")");
}
