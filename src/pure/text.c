// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "message.h"

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

int span_cmp(struct span a, struct span b)
{
	for (; a.len && b.len; a.p++, a.len--, b.p++, b.len--) {
		if (*a.p != *b.p)
			return (unsigned char)*a.p - (unsigned char)*b.p;
	}
	return (int)a.len - (int)b.len;
}

/* Is the span this word, where a - in the span is a `dash` in the word? */
static bool is_word(struct span s, const char *word, char dash)
{
	for (; *word; word++, s.p++, s.len--) {
		if (!s.len || (*s.p == '-' ? dash : *s.p) != *word)
			return false;
	}
	return !s.len;
}

bool span_is(struct span s, const char *word)
{
	return is_word(s, word, '-');
}

bool parameter_is(struct span name, const char *word)
{
	return is_word(name, word, '_');
}

const char *nth_word(const char *words, unsigned n)
{
	while (n) {
		if (!*words++)
			n--;
	}
	return words;
}

bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n');
}

struct span trimmed(const char *p, const char *end)
{
	while (p < end && is_blank(*p))
		p++;
	while (p < end && is_blank(end[-1]))
		end--;
	return (struct span){ p, (unsigned)(end - p) };
}

int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

const char *hex_number(const char *p, const char *end, unsigned min, unsigned max, uint32_t *out)
{
	uint32_t value = 0;
	unsigned digits = 0;
	int digit;

	for (; p < end && (digit = hex_digit(*p)) >= 0; p++) {
		digits++;
		value = value << 4 | (uint32_t)digit;
	}
	if (digits < min || digits > max)
		return NULL;
	*out = value;
	return p;
}

unsigned decimal(const char **p)
{
	unsigned value = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		value = value * 10 + (unsigned)(**p - '0');
	return value;
}
