// SPDX-License-Identifier: GPL-2.0-or-later
/* settings: the files. What the kernel command line does is in cmdline.c. */
#include "model.h"
#include "tap.h"

static struct settings s;
static struct page page;

static const struct {
	const char *text;
	const char *summary;
	const char *problems;
} rows[] = {
	/* the shape of a line */
	{ "", "", "" },
	{ "\n\n  \n\t\r\n", "", "" },
	{ "# ids = 10de:2204\n", "", "" },
	{ "ids = 10de:2204\n", "ids=10de:2204", "" },
	{ "ids = 10de:2204", "ids=10de:2204", "" },
	{ "ids=10de:2204", "ids=10de:2204", "" },
	{ "\t ids \t=\t 10de:2204 \t\n", "ids=10de:2204", "" },
	{ "ids = 10de:2204\r\ngroup = whole\r\n", "ids=10de:2204 group=whole", "" },
	{ "ids = 10de:2204 # 8086:10d3\n", "ids=10de:2204", "" },
	{ "ids = 10de:2204#8086:10d3\n", "ids=10de:2204", "" },
	{ "group = whole # why not\n", "group=whole", "" },
	{ "ids = # nothing\n", "", "" },
	{ "ids =\n", "", "" },
	{ "ids", "only-named", "1:1 ids" },
	{ "ids 10de:2204\n", "only-named", "1:1 ids 10de:2204" },
	{ "  10de:2204\n", "only-named", "1:3 10de:2204" },
	{ "= 10de:2204\n", "only-named", "1:1 = 10de:2204" },
	{ "ids == 10de:2204\n", "ids=10de:2204", "1:6 =" },
	{ "[vfio]\n", "only-named", "1:1 [vfio]" },
	{ "\n\nid = 10de:2204\n", "", "3:1 id" },
	{ "Ids = 10de:2204\n", "", "1:1 Ids" },
	{ "vfio.ids = 10de:2204\n", "", "1:1 vfio.ids" },
	{ "ids+ = 10de:2204\n", "", "1:1 ids+" },
	{ "bogus = 1\nids = 10de:2204\n", "ids=10de:2204", "1:1 bogus" },
	/* what may have been meant to protect is not lost without consequence */
	{ "ids !01:00.0\n", "only-named", "1:1 ids !01:00.0" },
	{ "ids not:01:00.0\n", "only-named", "1:1 ids not:01:00.0" },
	{ "protect 00:1d.0\n", "only-named", "1:1 protect 00:1d.0" },
	{ "reserve\n", "only-named", "1:1 reserve" },
	/* lists */
	{ "ids = 10de:2204 8086:10d3\n", "ids=10de:2204,8086:10d3", "" },
	{ "ids = 10de:2204,8086:10d3\n", "ids=10de:2204,8086:10d3", "" },
	{ "ids = 10de:2204 ,\t8086:10d3\n", "ids=10de:2204,8086:10d3", "" },
	{ "ids = 10de:2204\nids = 8086:10d3\n", "ids=10de:2204,8086:10d3", "" },
	{ "ids = 10de:2204\nids =\n", "ids=10de:2204", "" },
	{ "ids = 02:00, !02:00.1 boot-vga?\n", "ids=02:00,!02:00.1,boot-vga?", "" },
	{ "ids = not:02:00.1\n", "ids=!02:00.1", "" },
	{ "ids = off\n", "ids=off", "" },
	{ "ids = off, 10de:2204\n", "ids=off,10de:2204", "" },
	{ "ids = off\nids = 10de:2204\n", "ids=off,10de:2204", "" },
	{ "ids = Off\n", "", "1:7 Off" },
	{ "ids = !off\n", "only-named", "1:7 !off" },
	{ "ids = unknown\n", "", "1:7 unknown" },
	/* a + is for the command line */
	{ "ids = +10de:2204\n", "", "1:7 +10de:2204" },
	{ "protect = 00:1d.0\n", "protect=00:1d.0", "" },
	{ "protect = 00:1d.0/00.0@144d:a808 # the root\nprotect = class:01\n",
	  "protect=00:1d.0/00.0@144d:a808,class:01", "" },
	{ "protect = unknown\n", "unknown", "" },
	{ "protect = unknown 00:1d.0\n", "protect=00:1d.0 unknown", "" },
	{ "reserve = 00:14.0@8086:a36d\n", "reserve=00:14.0@8086:a36d", "" },
	{ "reserve = unknown\n", "only-named", "1:11 unknown" },
	/* `off` of these two is for the command line: for one boot */
	{ "protect = off\n", "only-named", "1:11 off" },
	{ "reserve = off\n", "only-named", "1:11 off" },
	{ "protect = !00:1d.0\n", "only-named", "1:11 !00:1d.0" },
	{ "reserve = not:00:1d.0\n", "only-named", "1:11 not:00:1d.0" },
	/* commas */
	{ "ids = ,\n", "", "1:7; 1:8" },
	{ "ids = ,,\n", "", "1:7; 1:8; 1:9" },
	{ "ids = 10de:2204,\n", "ids=10de:2204", "1:17" },
	{ "ids = ,10de:2204\n", "ids=10de:2204", "1:7" },
	{ "ids = 10de:2204,,8086:10d3\n", "ids=10de:2204,8086:10d3", "1:17" },
	{ "ids = 10de:2204;8086:10d3\n", "", "1:7 10de:2204;8086:10d3" },
	/* malformed selectors: the place, and the rest still works */
	{ "ids = 1:2:3\n", "", "1:7 1:2:3" },
	{ "ids = 10de:2204 1:2:3, 8086:10d3\n", "ids=10de:2204,8086:10d3", "1:17 1:2:3" },
	{ "\n  ids =\t 10de:2204 x\n", "ids=10de:2204", "2:20 x" },
	{ "ids = 0000:00:20.0\n", "", "1:7 0000:00:20.0" },
	/* Nobody means to select it who writes this. */
	{ "ids = ! 10de:2204\n", "ids=!10de:2204 only-named", "1:7 !" },
	{ "ids = 02:00.0, not: , 10de:2204 10de:*\n", "ids=02:00.0,!10de:2204,10de:* only-named", "1:16 not:" },
	{ "ids = !10de:220\n", "only-named", "1:7 !10de:220" },
	{ "ids = not:x?\n", "only-named", "1:7 not:x?" },
	{ "ids = x?\n", "", "1:7 x?" },
	{ "protect = 10de:220\n", "only-named", "1:11 10de:220" },
	{ "reserve = 10de:220\n", "only-named", "1:11 10de:220" },
	{ "ids = \"10de:2204\"\n", "", "1:7 \"10de:2204\"" },
	{ "ids = 99999999999999999999:00:00.0\n", "", "1:7 99999999999999999999:00:00.0" },
	/* UTF-8, a byte a column: a mark in front, a no-break space, a letter */
	{ "\xef\xbb\xbfids = 10de:2204\n", "", "1:1 \xef\xbb\xbfids" },
	{ "ids = 10de:2204\xc2\xa0x\n", "", "1:7 10de:2204\xc2\xa0x" },
	{ "ids = \xc3\xa9 x\n", "", "1:7 \xc3\xa9; 1:10 x" },
	/* words: the last one holds, a bad one means the most cautious */
	{ "group = refuse\n", "", "" },
	{ "group = whole\n", "group=whole", "" },
	{ "group = ignore\n", "group=ignore", "" },
	{ "group = whole\ngroup = ignore\n", "group=ignore", "" },
	{ "group = ignore\ngroup = refuse\n", "", "" },
	{ "group = Whole\n", "", "1:9 Whole" },
	{ "group = whole\ngroup = all\n", "", "2:9 all" },
	{ "group = all\ngroup = whole\n", "group=whole", "1:9 all" },
	{ "group = whole ignore\n", "", "1:9 whole ignore" },
	{ "group =\n", "", "1:8" },
	{ "group = whol\n", "", "1:9 whol" },
	{ "group = wholes\n", "", "1:9 wholes" },
	{ "group = yes\n", "", "1:9 yes" },
	{ "driver = auto\n", "driver=auto", "" },
	{ "driver = auto\ndriver = vfio-pci\n", "", "" },
	{ "driver = vfio_pci\n", "", "1:10 vfio_pci" },
	{ "driver = auto\ndriver = mlx5\n", "", "2:10 mlx5" },
	{ "unbind = no\n", "unbind=no", "" },
	{ "unbind = no\nunbind = yes\n", "", "" },
	{ "unbind = maybe\n", "unbind=no", "1:10 maybe" },
	{ "unbind =\n", "unbind=no", "1:9" },
	{ "keep = yes\n", "keep=yes", "" },
	{ "keep = yes\nkeep = no\n", "", "" },
	{ "keep = yes\nkeep = always\n", "", "2:8 always" },
	{ "fallback = no\n", "fallback=no", "" },
	{ "fallback = no\nfallback = yes\n", "", "" },
	{ "fallback = no\nfallback = never\n", "", "2:12 never" },
	/* virtual functions */
	{ "vfs = 02:00.0=8\n", "vfs=02:00.0=8", "" },
	{ "vfs = 02:00.0=8, 8086:10c9=2\nvfs=00:01.0/00.0@8086:10c9?=65535\n",
	  "vfs=02:00.0=8,8086:10c9=2,00:01.0/00.0@8086:10c9?=65535?", "" },
	{ "vfs = 02:00.0\n", "", "1:7 02:00.0" },
	{ "vfs = 02:00.0=\n", "", "1:7 02:00.0=" },
	{ "vfs = 02:00.0=0\n", "", "1:7 02:00.0=0" },
	{ "vfs = 02:00.0=65536 02:00.0=-1 02:00.0=8x =8 02:00.0=1=2\n", "",
	  "1:7 02:00.0=65536; 1:21 02:00.0=-1; 1:32 02:00.0=8x; 1:43 =8; 1:46 02:00.0=1=2" },
	{ "vfs = !02:00.0=8\n", "", "1:7 !02:00.0=8" },
	{ "vfs = x=8, 02:00.0=8\n", "vfs=02:00.0=8", "1:7 x=8" },
	{ "vfs = off\n", "", "1:7 off" },
	{ "ids = 02:00.0=8\n", "", "1:7 02:00.0=8" },
	{ "log = quiet\n", "log=quiet", "" },
	{ "log = debug\n", "log=debug", "" },
	{ "log = debug\nlog = info\n", "", "" },
	{ "log = loud\n", "", "1:7 loud" },
	/* the time limit */
	{ "timeout = 1\n", "timeout=1", "" },
	{ "timeout = 600", "timeout=600", "" },
	{ "timeout = 45 # seconds\n", "timeout=45", "" },
	{ "timeout = 45#\n", "timeout=45", "" },
	{ "timeout = 0\n", "", "1:11 0" },
	{ "timeout = 601\n", "", "1:11 601" },
	{ "timeout = 5\ntimeout = x\n", "", "2:11 x" },
	{ "timeout = -1\n", "", "1:11 -1" },
	{ "timeout = +5\n", "", "1:11 +5" },
	{ "timeout = 5s\n", "", "1:11 5s" },
	{ "timeout = 5 5\n", "", "1:11 5 5" },
	{ "timeout = 0x10\n", "", "1:11 0x10" },
	{ "timeout =\n", "", "1:10" },
	{ "timeout = 4294967326\n", "", "1:11 4294967326" },
	{ "root-wait = 0\nroot_wait = 20\n", "root-wait=20", "" },
	{ "root-wait = 0\n", "root-wait=0", "" },
	{ "root-wait = 600\n", "root-wait=600", "" },
	{ "root-wait = 601\n", "", "1:13 601" },
	{ "root-wait =\n", "", "1:12" },
	{ "root-wait = 0\nroot-wait = never\n", "", "2:13 never" },
	{ "timeout = 18446744073709551646\n", "", "1:11 18446744073709551646" },
};

static void test_rows(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		model_settings(&s, rows[i].text, NULL);
		model_summary(&s, &page);
		is_text(page.p, rows[i].summary, "settings", rows[i].text);
		model_problems(&s, &page);
		is_text(page.p, rows[i].problems, "problems", rows[i].text);
	}
}

/* Bytes that are no text. */
static void test_nul(void)
{
	static const struct {
		const char *text;
		unsigned len;
		const char *problems;
	} bytes[] = {
		{ "\0", 1, "1:1" },
		{ "ids = 10de:2204\n\0", 17, "2:1" },
		{ "ids = 10de:2204\nids = \0\nids = x\n", 31, "2:7" },
		{ "ids = 10\0de:2204\n", 17, "1:9" },
		{ "# a comment\0\n", 13, "1:12" },
		{ "ids = 10de:2204\n\0\0\0\n\0", 21, "2:1" },
		{ "\177ELF\2\1\1\0\0\n", 10, "1:8" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(bytes); i++) {
		settings_init(&s);
		settings_parse_file(&s, "conf", bytes[i].text, bytes[i].len);
		model_summary(&s, &page);
		is_text(page.p, "only-named", "a NUL: nothing is used", bytes[i].text);
		model_problems(&s, &page);
		is_text(page.p, bytes[i].problems, "a NUL: its place", bytes[i].text);
	}
	settings_init(&s);
	settings_parse_file(&s, "first", "ids = 10de:2204\ngroup = whole\n", 30);
	settings_parse_file(&s, "second", "ids = 8086:10d3\n\0", 17);
	model_summary(&s, &page);
	is_text(page.p, "ids=10de:2204 only-named group=whole", "a NUL", "the other files still hold");
}

/* Several files, as drop-ins are read. */
static void test_files(void)
{
	static const char first[] = "ids = 10de:2204\ngroup = whole\nprotect = 00:1d.0\n";
	static const char second[] = "\nids = x 8086:10d3\ngroup = ignore\nprotect = 00:1e.0\n";
	const struct selector *sel;
	struct text t;

	settings_init(&s);
	settings_parse_file(&s, "first", first, strlen(first));
	settings_parse_file(&s, "second", second, strlen(second));
	model_summary(&s, &page);
	is_text(page.p, "ids=10de:2204,8086:10d3 protect=00:1d.0,00:1e.0 group=ignore", "two files",
		"lists grow, of the others the last one holds");
	sel = s.list[LIST_IDS].end - 1;
	t.len = 0;
	add_entry(&t, sel);
	is_text(t.p, "8086:10d3 (second:2:9)", "two files", "a selector knows its place");
	t.len = 0;
	add_place(&t, &s.problem[0].at);
	is_text(t.p, "second:2:7", "two files", "a problem knows its place");
}

static char many[200000];

static unsigned repeat(const char *first, const char *entry, unsigned times)
{
	char *p = many + snprintf(many, sizeof(many), "%s", first);

	for (unsigned i = 0; i < times; i++)
		p += snprintf(p, (size_t)(many + sizeof(many) - p), "%s", entry);
	return (unsigned)(p - many);
}

static void test_limits(void)
{
	struct list *ids = &s.list[LIST_IDS];

	settings_init(&s);
	settings_parse_file(&s, "conf", many, repeat("ids =", " 10de:2204", 256));
	ok(ids->end - ids->selector == 256 && !s.problems && !settings_unreadable(&s), "limits", "256 selectors fit");

	settings_init(&s);
	settings_parse_file(&s, "conf", many, repeat("ids =", " 10de:2204", 257));
	model_problems(&s, &page);
	is_text(page.p, "1:2567 10de:2204", "limits", "the 257th has a place");
	ok(ids->end - ids->selector == 256 && !settings_unreadable(&s), "limits", "what is left out does not protect");
	settings_parse_file(&s, "conf", "ids = !02:00.0\n", 15);
	ok(s.unprotected, "limits", "an exclusion would have: nothing is claimed");
	settings_parse_cmdline(&s, "command line", "vfio.ids=10de:2204", 18);
	ok(!ids->full && ids->end - ids->selector == 1, "limits", "the command line begins anew");
	ok(strstr(s.problem[0].what, "256") != NULL, "limits", "the limit is named");

	settings_init(&s);
	settings_parse_file(&s, "conf", many, repeat("", "ids = 10de:2204\n", 10000));
	model_problems(&s, &page);
	is_text(page.p, "257:7 10de:2204", "limits", "of 10,000 selectors, said once");
	ok(ids->end - ids->selector == 256, "limits", "of 10,000 selectors 256 are used");

	settings_init(&s);
	settings_parse_file(&s, "conf", many, repeat("", "protect = 10de:2204\nreserve = 10de:2204\n", 256));
	ok(!s.problems && s.list[LIST_RESERVE].end - s.list[LIST_RESERVE].selector == 256, "limits",
	   "each list has its own");
	settings_parse_file(&s, "conf", "protect = 00:1d.0\n", 18);
	ok(s.problems == 1 && s.unprotected, "limits", "the 257th of protect");
	settings_parse_file(&s, "conf", "reserve = 00:1d.0\n", 18);
	ok(s.problems == 2 && settings_unreadable(&s), "limits", "the 257th of reserve");

	settings_init(&s);
	settings_parse_file(&s, "conf", many, repeat("ids =", " x", 10000));
	ok(s.problems == 10000, "limits", "10,000 problems are counted");
	ok(ids->end == ids->selector, "limits", "and none is a selector");
	ok(s.problem[PROBLEMS_MAX - 1].at.column == 7 + 2 * (PROBLEMS_MAX - 1), "limits", "the first 64 are kept");

	settings_init(&s);
	settings_parse_file(&s, "conf", many, repeat("ids =", ",", 10000));
	ok(s.problems > PROBLEMS_MAX && ids->end == ids->selector, "limits", "10,000 commas");

	settings_init(&s);
	settings_parse_file(&s, "conf", many, repeat("", "9", 100000));
	ok(s.problems == 1, "limits", "a line of 100,000 digits");
}

static void test_defaults(void)
{
	memset(&s, 0xff, sizeof(s));
	settings_init(&s);
	model_summary(&s, &page);
	is_text(page.p, "", "defaults", "whatever was there before");
	ok(s.group == GROUP_REFUSE && s.driver == DRIVER_VFIO_PCI && s.unbind == YES && s.timeout == 30 &&
		   s.log == LOG_INFO && !s.problems,
	   "defaults", "those of the table");
}

int main(void)
{
	test_defaults();
	test_rows();
	test_nul();
	test_files();
	test_limits();
	return done_testing();
}
