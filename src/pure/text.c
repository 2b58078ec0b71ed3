// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "text.h"

bool ends_with(const char *s, const char *suffix)
{
	size_t len = strlen(s), tail = strlen(suffix);

	return len >= tail && !strcmp(s + len - tail, suffix);
}

bool has_conf_suffix(const char *name)
{
	return ends_with(name, ".conf");
}

int span_cmp(struct span a, struct span b)
{
	for (; a.len && b.len; a.p++, a.len--, b.p++, b.len--) {
		if (*a.p != *b.p)
			return (unsigned char)*a.p - (unsigned char)*b.p;
	}
	return (int)a.len - (int)b.len;
}

/* Compares a span with a word. A - in the span stands for `dash`. */
static bool equals_word(struct span s, const char *word, char dash)
{
	for (; *word; word++, s.p++, s.len--) {
		if (!s.len || (*s.p == '-' ? dash : *s.p) != *word)
			return false;
	}
	return !s.len;
}

bool span_is(struct span s, const char *word)
{
	return equals_word(s, word, '-');
}

bool parameter_is(struct span name, const char *word)
{
	return equals_word(name, word, '_');
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
