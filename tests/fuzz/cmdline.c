// SPDX-License-Identifier: GPL-2.0-or-later
/* A kernel command line of any bytes, after some settings; and its words against those that the kernel would take. */
#include "cmdline.h"
#include "fuzz.h"

/* isspace() of the kernel */
static bool kernel_space(char c)
{
	return (c >= 9 && c <= 13) || c == 32 || (unsigned char)c == 0xa0;
}

/*
 * What the kernel makes of a word, in place: its rules, as the manual of its parameters has them, on a text that ends
 * in a NUL. Returns what follows.
 */
static char *kernel_word(char *args, char **name, char **value)
{
	bool quoted = *args == '"', inside = quoted;
	char *end, *equals = NULL;

	args += quoted;
	for (end = args; *end && (inside || !kernel_space(*end)); end++) {
		if (*end == '=' && !equals && end != args)
			equals = end;
		inside ^= *end == '"';
	}
	*name = args;
	*value = NULL;
	if (*end)
		*end++ = '\0';
	else
		end = NULL;
	if (equals) {
		*equals = '\0';
		*value = equals + 1;
		if (**value == '"') {
			size_t len = strlen(++*value);

			if (len && (*value)[len - 1] == '"')
				(*value)[len - 1] = '\0';
		}
	}
	if (quoted) {
		char *last = *value ? *value : *name;
		size_t len = strlen(last);

		if (len && last[len - 1] == '"')
			last[len - 1] = '\0';
	}
	return end;
}

static void compare_words(const char *line, size_t size)
{
	char *copy = copy_of((const uint8_t *)line, size), *args = copy, *name, *value;
	const char *p = line, *end = line + size;
	struct cmdline_word w;

	for (;;) {
		while (args && *args && kernel_space(*args))
			args++;
		if (!args || !*args)
			break;
		expect(cmdline_next(&p, end, &w));
		args = kernel_word(args, &name, &value);
		expect(span_is(w.name, name));
		expect(w.has_value == (value != NULL));
		expect(!value || span_is(w.value, value));
	}
	expect(!cmdline_next(&p, end, &w));
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char file[] = "ids = 10de:2204 !01:00.0\nprotect = 00:0e.0\n";
	static struct settings s;
	char *text = copy_of(data, size);
	const char *why;

	settings_init(&s);
	settings_parse_cmdline(&s, "command line", text, size);
	expect_settings(&s, text, size);
	why = cmdline_rescue(text, size);
	expect(!why || *why);
	if (!memchr(text, '\0', size))
		compare_words(text, size);

	settings_init(&s);
	settings_parse_file(&s, "conf", file, strlen(file));
	settings_parse_cmdline(&s, "command line", text, size);
	/* What protects is never replaced. */
	expect(s.list[LIST_IDS].selector[0].flags & SELECTOR_EXCLUDES ||
	       s.list[LIST_IDS].selector[1].flags & SELECTOR_EXCLUDES);
	expect(span_is(s.list[LIST_PROTECT].selector[0].text, "00:0e.0"));
	decide_with(&s);
	free(text);
	return 0;
}
