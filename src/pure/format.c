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

/*
 * Appends the pointer argument of the conversion at fmt: s, .*s (`number` is its precision), pd or pe. Returns the last
 * character of the conversion.
 */
static const char *add_pointer(struct text *t, const char *fmt, unsigned number, const void *argument)
{
	if (*fmt == 's') {
		add_bytes(t, argument, (unsigned)strlen(argument));
		return fmt;
	}
	if (*fmt == '.') {
		add_bytes(t, argument, number);
		return fmt + 2;
	}
	if (*++fmt == 'd')
		add_device(t, argument);
	else
		add_entry(t, argument);
	return fmt;
}

/*
 * Text from outside must not end a line or a column, nor send control sequences to a terminal, which may take bytes
 * above ASCII for such (C1).
 */
static void mask_controls(struct text *t, unsigned from)
{
	for (; from < t->len; from++) {
		if (t->p[from] < ' ' || t->p[from] > '~')
			t->p[from] = '?';
	}
}

/* Appends the format up to its first % or its end, and returns that place. */
static const char *add_plain(struct text *t, const char *fmt)
{
	const char *start = fmt;

	while (*fmt && *fmt != '%')
		fmt++;
	add_bytes(t, start, (unsigned)(fmt - start));
	return fmt;
}

void text_vadd(struct text *t, const char *fmt, va_list ap)
{
	for (;; fmt++) {
		unsigned digits = 0, number = 0, before;

		fmt = add_plain(t, fmt);
		if (!*fmt++)
			return;
		if (*fmt == '0') {
			digits = (unsigned)(fmt[1] - '0');
			fmt += 2;
		}
		before = t->len;
		if (*fmt != 's' && *fmt != 'p')
			number = va_arg(ap, unsigned);
		if (*fmt == 'x' || *fmt == 'u')
			add_number(t, number, *fmt == 'x' ? 16 : 10, digits);
		else
			fmt = add_pointer(t, fmt, number, va_arg(ap, const void *));
		mask_controls(t, before);
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

void add_bus_index(struct text *t, pciaddr a)
{
	text_add(t, "%04x:%02x:%02x.%u", PCIADDR_DOMAIN(a), (unsigned)(a >> 8 & 0xff), (unsigned)(a >> 3 & 0x1f),
		 (unsigned)(a & 7));
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
