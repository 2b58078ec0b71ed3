// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>

#include "cmdline.h"
#include "legacy_ids.h"
#include "modconf.h"

/* A command of a file: the word after its name, the text after that, and the whole line. */
struct command {
	struct result *result;
	struct place at;
	struct span subject;
	struct span rest;
	const char *whole;
	bool about_vfio; /* the text or the name of the file has "vfio" in it */
};

static bool is_vfio_pci(struct span name)
{
	return parameter_is(name, "vfio_pci");
}

/* Splits at blanks as kmod_config_parse() does. The lines have no tabs left. */
static struct span next_word(const char **p)
{
	struct span word;

	*p += strspn(*p, " ");
	word = (struct span){ *p, (unsigned)strcspn(*p, " ") };
	*p += word.len;
	return word;
}

static void add_command(const struct command *c, enum fate fate, bool at_work)
{
	result_line(c->result, &c->at, fate, c->whole);
	if (at_work)
		result_at_work(c->result, &c->at, c->whole);
}

static bool is_ids(const struct cmdline_word *w)
{
	return w->has_value && span_is(w->name, "ids");
}

/* The rest of the line are parameters of the module, with the quotes of a kernel command line (parse_args()). */
static void on_options(const struct command *c)
{
	const char *p = c->rest.p, *end = p + c->rest.len;
	bool ids = false, others = false, comment = false, binds = false, stub = parameter_is(c->subject, "pci_stub");
	struct cmdline_word w;

	if (!stub && !is_vfio_pci(c->subject))
		return;
	while (cmdline_next_parameter(&p, end, &w)) {
		if (is_ids(&w)) {
			if (!stub)
				result_ids(c->result, &c->at, w.value);
			ids = true;
			binds |= w.value.len != 0;
		} else {
			/*
			 * There are no comments here. People write them all the same, and the kernel ignores their
			 * words.
			 */
			comment |= w.name.len && *w.name.p == '#';
			others |= !comment;
		}
	}
	if (!ids)
		return;
	add_command(c, others || stub ? TO_LOOK_AT : TO_DELETE, binds);
	if (others && !stub)
		result_warning(c->result, &c->at, "remove ids= from that line; its other parameters still apply");
}

static void on_alias(const struct command *c)
{
	const char *p = c->rest.p, *wrong;
	struct text selector;

	if (!is_vfio_pci(next_word(&p)))
		return;
	if (c->subject.len < 4 || memcmp(c->subject.p, "pci:", 4) != 0) {
		add_command(c, TO_LOOK_AT, false);
		return;
	}
	wrong = selector_of_alias(&selector, c->subject);
	if (wrong)
		result_warning(c->result, &c->at, "%.*s cannot be a setting: %s", (int)c->subject.len, c->subject.p,
			       wrong);
	else
		result_setting(c->result, &c->at, selector.p);
	c->result->untold |= wrong != NULL;
	add_command(c, wrong ? TO_LOOK_AT : TO_DELETE, true);
}

/* `softdep DRIVER pre: vfio-pci` loads vfio-pci first. It has no use once no driver has to wait for vfio-pci. */
static void on_dependency(const struct command *c)
{
	const char *p = c->rest.p;
	struct span word;

	if (is_vfio_pci(c->subject))
		add_command(c, TO_LOOK_AT, false);
	while ((word = next_word(&p)).len) {
		if (is_vfio_pci(word)) {
			add_command(c, TO_DELETE, true);
			return;
		}
	}
}

static bool is_about_vfio(const struct command *c)
{
	return c->about_vfio || strstr(c->whole, "vfio-pci") || strstr(c->whole, "vfio_pci");
}

static void on_remove(const struct command *c)
{
	if (is_about_vfio(c))
		add_command(c, TO_LOOK_AT, false);
}

/*
 * A command for a module that we need decides whether it loads. One for another module may be there to keep a device
 * for vfio-pci.
 */
static void on_loading(const struct command *c)
{
	static const char *const ours[] = { "vfio_pci", "vfio_iommu_type1", "vfio" };
	bool is_ours = false;

	for (unsigned i = 0; i < ARRAY_SIZE(ours); i++)
		is_ours |= parameter_is(c->subject, ours[i]);
	if (is_ours || is_about_vfio(c))
		add_command(c, TO_LOOK_AT, is_ours);
}

/* Splits the text at p into the subject and the rest. */
static void set_subject(struct command *c, const char *p)
{
	c->subject = next_word(&p);
	p += strspn(p, " ");
	c->rest = (struct span){ p, (unsigned)strlen(p) };
}

static void read_command(struct command *c)
{
	static const struct {
		const char *name;
		void (*read)(const struct command *c);
	} commands[] = {
		{ "alias", on_alias },	      { "options", on_options }, { "softdep", on_dependency },
		{ "weakdep", on_dependency }, { "install", on_loading }, { "remove", on_remove },
		{ "blacklist", on_loading },
	};
	const char *p = c->whole;
	struct span name = next_word(&p);

	set_subject(c, p);
	for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
		if (span_is(name, commands[i].name))
			commands[i].read(c);
	}
}

/*
 * Copies a line to `out`, together with the lines that continue it, and adds the number of these to *line. Returns the
 * end of the line.
 */
static const char *copy_line(const char *p, const char *end, char *out, unsigned *line)
{
	for (; p < end && *p != '\n'; p++) {
		if (*p == '\\') {
			p++;
			if (p == end)
				break;
			*line += *p == '\n';
		}
		if (*p != '\n')
			*out++ = *p == '\t' ? ' ' : *p;
	}
	*out = '\0';
	return p;
}

/*
 * Splits lines as libkmod does (freadline_wrapped()): a backslash at the end of a line joins the next one, any other
 * backslash disappears. A comment begins with # as the first character. It needs no code here, because it is no known
 * command.
 */
void modconf_read(struct result *f, const char *source, const char *text, size_t len)
{
	struct command c = { .result = f, .at = { source, 0, 0 } };
	char *whole = malloc(len + 1);
	const char *end = text + len;
	unsigned line = 1;

	if (!whole)
		abort();
	c.about_vfio = strstr(text, "vfio") || strstr(source, "vfio");
	c.whole = whole;
	for (const char *p = text; p < end; p++) {
		c.at.line = line++;
		p = copy_line(p, end, whole, &line);
		read_command(&c);
	}
	free(whole);
}

/* A backslash means itself here (add_modules_from_file(), `read -r`). */
void modconf_read_modules(struct result *f, const char *source, const char *text, size_t len)
{
	struct command c = { .result = f, .at = { source, 0, 0 } };

	for (const char *p = text; p < text + len;) {
		size_t n = strcspn(p, "\n");
		char *whole = strndup(p, n);

		if (!whole)
			abort();
		for (char *tab = whole; (tab = strchr(tab, '\t'));)
			*tab = ' ';
		c.at.line++;
		c.whole = whole;
		set_subject(&c, whole);
		on_options(&c);
		free(whole);
		p += n + 1;
	}
}
