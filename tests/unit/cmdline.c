// SPDX-License-Identifier: GPL-2.0-or-later
/* cmdline: words as the kernel takes them, and what they set. */
#include "cmdline.h"
#include "model.h"
#include "tap.h"

/* Each word in <>, name|value where it has a value. As next_arg() of the kernel's lib/cmdline.c takes them. */
static const struct {
	const char *line;
	const char *words;
} lines[] = {
	{ "", "" },
	{ " \t\n\v\f\r", "" },
	{ "quiet", "<quiet>" },
	{ "a b", "<a><b>" },
	{ "  a \t b\n", "<a><b>" },
	{ "a\nb", "<a><b>" },
	{ "a\xa0"
	  "b",
	  "<a><b>" },
	{ "a=b", "<a|b>" },
	{ "a=", "<a|>" },
	{ "a=b=c", "<a|b=c>" },
	{ "a==", "<a|=>" },
	{ "=a", "<=a>" },
	{ "=", "<=>" },
	{ "==b", "<=|b>" },
	{ "a=\"b c\"", "<a|b c>" },
	{ "a=\"b c\" d", "<a|b c><d>" },
	{ "a=\"\"", "<a|>" },
	{ "a=\"", "<a|>" },
	{ "a=\"b", "<a|b>" },
	{ "a=\"b c", "<a|b c>" },
	{ "a=b\"c d\"e f", "<a|b\"c d\"e><f>" },
	{ "a=b\"c\"", "<a|b\"c\">" },
	{ "a=\"b\"c", "<a|b\"c>" },
	{ "a=\"b\"\"c\"", "<a|b\"\"c>" },
	{ "\"a=b c\"", "<a|b c>" },
	{ "\"a=b c\" d", "<a|b c><d>" },
	{ "\"a b\"", "<a b>" },
	{ "\"a", "<a>" },
	{ "\"", "<>" },
	{ "\"\"", "<>" },
	{ "\" \"", "< >" },
	{ "\"a=\"b c\"\"", "<a|b><c\"\">" },
	{ "a\"b c\"=d", "<a\"b c\"|d>" },
	{ "a\" =b", "<a\" |b>" },
	{ "-- a", "<--><a>" },
	{ "--=", "<--|>" },
	{ "a='b c'", "<a|'b><c'>" },
};

static void test_words(void)
{
	struct cmdline_word w;
	struct page page;

	for (unsigned i = 0; i < ARRAY_SIZE(lines); i++) {
		const char *p = lines[i].line, *end = p + strlen(p);

		page_clear(&page);
		while (cmdline_next(&p, end, &w))
			page_add(&page, "<%.*s%s%.*s>", (int)w.name.len, w.name.p, w.has_value ? "|" : "",
				 (int)w.value.len, w.value.p);
		is_text(page.p, lines[i].words, "words", lines[i].line);
	}
}

static const struct {
	const char *file;
	const char *line;
	const char *summary;
	const char *problems;
} rows[] = {
	/* whose parameter it is */
	{ "", "vfio-boot.ids=10de:2204", "ids=10de:2204", "" },
	{ "", "vfio_boot.ids=10de:2204", "ids=10de:2204", "" },
	{ "", "vfio.ids=10de:2204", "ids=10de:2204", "" },
	{ "", "\"vfio.ids=10de:2204\"", "ids=10de:2204", "" },
	{ "", "quiet splash vfio.ids=10de:2204 ro", "ids=10de:2204", "" },
	{ "", "vfio.enable_unsafe_noiommu_mode=1 vfio_pci.ids=10de:2204 vfio-pci.ids=10de:2204", "", "" },
	{ "", "vfio_iommu_type1.allow_unsafe_interrupts=1 pci=nomsi ids=10de:2204", "", "" },
	{ "", "vfio.group=whole vfio.protect=off vfio.idsx=1 vfio.id=1", "", "" },
	{ "", "VFIO.ids=10de:2204 xvfio-boot.ids=10de:2204 vfio-boots.ids=10de:2204", "", "" },
	{ "", "vfio-boot=10de:2204 vfio-boot", "", "" },
	{ "", "vfio-boot.bogus=1", "", "byte 11 bogus" },
	{ "", "a vfio_boot.id=10de:2204", "", "byte 13 id" },
	{ "", "vfio-boot.Group=whole", "", "byte 11 Group" },
	{ "", "vfio-boot.=1", "", "byte 11" },
	{ "", "vfio-boot.bogus", "", "byte 11 bogus" },
	/* what belongs to init */
	{ "", "-- vfio.ids=10de:2204", "", "" },
	{ "ids = 10de:2204", "quiet -- vfio.ids=off", "ids=10de:2204", "" },
	{ "", "--=x vfio.ids=10de:2204", "ids=10de:2204", "" },
	{ "", "--- vfio.ids=10de:2204", "ids=10de:2204", "" },
	/* quoting */
	{ "", "vfio.ids=\"10de:2204 8086:10d3\"", "ids=10de:2204,8086:10d3", "" },
	{ "", "\"vfio.ids=10de:2204 8086:10d3\"", "ids=10de:2204,8086:10d3", "" },
	{ "", "vfio.ids=10de:2204,8086:10d3", "ids=10de:2204,8086:10d3", "" },
	{ "", "vfio-boot.group=\"whole\"", "group=whole", "" },
	{ "", "vfio-boot.group=\"whole", "group=whole", "" },
	{ "", "vfio-boot.timeout=\"45\"", "timeout=45", "" },
	{ "", "vfio-boot.timeout=45", "timeout=45", "" },
	{ "", "foo=\"a vfio.ids=10de:2204 b\"", "", "" },
	/* a # is a comment in files alone */
	{ "", "vfio.ids=10de:2204#", "", "byte 10 10de:2204#" },
	/* replace and add */
	{ "ids = 10de:2204", "vfio.ids=8086:10d3", "ids=8086:10d3", "" },
	{ "ids = 10de:2204", "vfio.ids=+8086:10d3", "ids=10de:2204,8086:10d3", "" },
	{ "ids = 10de:2204", "vfio.ids=\"+ 8086:10d3\"", "ids=10de:2204,8086:10d3", "" },
	{ "ids = 10de:2204", "vfio.ids=8086:10d3 vfio.ids=8086:1533", "ids=8086:10d3,8086:1533", "" },
	{ "ids = 10de:2204", "vfio.ids=8086:10d3 vfio-boot.ids=8086:1533", "ids=8086:10d3,8086:1533", "" },
	{ "ids = 10de:2204", "vfio.ids=+8086:10d3 vfio.ids=8086:1533", "ids=8086:10d3,8086:1533", "" },
	{ "ids = 10de:2204", "vfio.ids=8086:10d3 vfio-boot.ids=+8086:1533", "ids=8086:10d3,8086:1533", "" },
	{ "ids = 10de:2204", "vfio.ids=+8086:10d3 vfio.ids=+8086:1533", "ids=10de:2204,8086:10d3,8086:1533", "" },
	{ "ids = off", "vfio.ids=8086:10d3", "ids=8086:10d3", "" },
	{ "ids = off", "vfio.ids=+8086:10d3", "ids=off,8086:10d3", "" },
	{ "group = whole", "vfio-boot.group=refuse", "", "" },
	{ "group = whole\nlog = debug", "vfio-boot.log=quiet", "group=whole log=quiet", "" },
	{ "", "vfio-boot.group=whole vfio-boot.group=ignore", "group=ignore", "" },
	{ "unbind = no\ntimeout = 5\ndriver = auto",
	  "vfio-boot.unbind=yes vfio-boot.timeout=60 vfio-boot.driver=vfio-pci", "timeout=60", "" },
	/* what protects is never replaced */
	{ "ids = 10de:2204 !01:00.0", "vfio.ids=8086:10d3", "ids=!01:00.0,8086:10d3", "" },
	{ "ids = 10de:2204", "vfio.ids=!01:00.0", "ids=10de:2204,!01:00.0", "" },
	{ "ids = 10de:2204", "vfio.ids=+!01:00.0", "ids=10de:2204,!01:00.0", "" },
	{ "protect = 00:1d.0", "vfio-boot.protect=00:1e.0", "protect=00:1d.0,00:1e.0", "" },
	{ "protect = 00:1d.0", "vfio-boot.protect=+00:1e.0", "protect=00:1d.0,00:1e.0", "" },
	{ "reserve = 00:1d.0", "vfio-boot.reserve=00:1e.0", "reserve=00:1d.0,00:1e.0", "" },
	{ "protect = 00:1d.0", "vfio-boot.protect=", "protect=00:1d.0", "" },
	{ "", "vfio-boot.protect=unknown", "unknown", "" },
	{ "protect = 00:1d.0", "vfio-boot.protect=off", "protect=off,00:1d.0", "" },
	{ "reserve = 00:1d.0", "vfio-boot.reserve=off", "reserve=off,00:1d.0", "" },
	/* the rescue switch */
	{ "ids = 10de:2204", "vfio.ids=off", "ids=10de:2204 off-now", "" },
	{ "ids = 10de:2204", "vfio-boot.ids=off", "ids=10de:2204 off-now", "" },
	{ "ids = 10de:2204", "vfio.ids=", "ids=10de:2204 off-now", "" },
	{ "ids = 10de:2204", "vfio-boot.ids=", "ids=10de:2204 off-now", "" },
	{ "ids = 10de:2204", "vfio.ids", "ids=10de:2204 off-now", "" },
	{ "ids = 10de:2204", "vfio.ids=\"\"", "ids=10de:2204 off-now", "" },
	{ "ids = 10de:2204", "vfio.ids=\"", "ids=10de:2204 off-now", "" },
	{ "ids = 10de:2204", "vfio.ids=\" \"", "ids=10de:2204 off-now", "" },
	{ "ids = 10de:2204", "vfio.ids=off vfio.ids=8086:10d3", "ids=8086:10d3 off-now", "" },
	{ "ids = 10de:2204", "vfio.ids=8086:10d3 vfio.ids=off", "ids=8086:10d3 off-now", "" },
	{ "ids = 10de:2204", "vfio.ids=8086:10d3 vfio.ids=off vfio-boot.ids=+8086:1533",
	  "ids=8086:10d3,8086:1533 off-now", "" },
	{ "ids = 10de:2204", "vfio.ids=+off", "ids=10de:2204 off-now", "" },
	{ "", "vfio.ids=8086:10d3,off", "ids=8086:10d3 off-now", "" },
	{ "", "vfio.ids=OFF", "", "byte 10 OFF" },
	/* vfio-pci's own parameter, as param_set_bool() takes it */
	{ "", "vfio-pci.disable_denylist=1", "denylist-off", "" },
	{ "", "vfio_pci.disable-denylist", "denylist-off", "" },
	{ "", "vfio-pci.disable_denylist=Y vfio_pci.disable_denylist=on", "denylist-off", "" },
	{ "", "vfio-pci.disable_denylist=yes", "denylist-off", "" },
	{ "", "vfio-pci.disable_denylist=true", "denylist-off", "" },
	{ "", "vfio-pci.disable_denylist=T", "denylist-off", "" },
	{ "", "vfio-pci.disable_denylist=oN", "denylist-off", "" },
	{ "", "vfio-pci.disable_denylist=0", "", "" },
	{ "", "vfio-pci.disable_denylist=", "", "" },
	{ "", "vfio-pci.disable_denylist=n", "", "" },
	{ "", "vfio-pci.disable_denylist=off", "", "" },
	{ "", "vfio-pci.disable_denylist=o", "", "" },
	{ "", "vfio-pci.disable_denylist=1 vfio-pci.disable_denylist=0", "", "" },
	{ "", "disable_denylist=1 vfio.disable_denylist=1 vfio-pci.disable_denylists=1", "", "" },
	{ "", "-- vfio-pci.disable_denylist=1", "", "" },
	{ "vfio-pci.disable_denylist = 1", "", "", "1:1 vfio-pci.disable_denylist" },
	/* places */
	{ "", "vfio.ids=1:2:3", "", "byte 10 1:2:3" },
	{ "", "ro vfio.ids=10de:2204,x,8086:10d3", "ids=10de:2204,8086:10d3", "byte 23 x" },
	{ "", "ro vfio.ids=\"10de:2204 x\"", "ids=10de:2204", "byte 24 x" },
	{ "", "\"vfio.ids=x y\"", "", "byte 11 x; byte 13 y" },
	{ "", "vfio.ids=+x", "", "byte 11 x" },
	{ "", "vfio-boot.timeout=601", "", "byte 19 601" },
	{ "", "vfio-boot.timeout", "", "byte 18" },
	{ "", "vfio-boot.group=x", "", "byte 17 x" },
	{ "group = whole", "vfio-boot.group=", "", "byte 17" },
	{ "", "vfio-boot.unbind=x", "unbind=no", "byte 18 x" },
	{ "", "vfio.ids=,", "", "byte 10; byte 11" },
	{ "", "vfio.ids=!x", "only-named", "byte 10 !x" },
	{ "", "vfio-boot.protect=x", "only-named", "byte 19 x" },
	{ "ids = x", "vfio.ids=y", "", "1:7 x; byte 10 y" },
};

static void test_settings(void)
{
	static struct settings s;
	static struct page page;

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		model_settings(&s, rows[i].file, rows[i].line);
		model_summary(&s, &page);
		is_text(page.p, rows[i].summary, "settings", rows[i].line);
		model_problems(&s, &page);
		is_text(page.p, rows[i].problems, "problems", rows[i].line);
	}
	model_settings(&s, "ids = 8086:1533", "ro vfio.ids=+10de:2204");
	ok(!s.list[LIST_IDS].end[-1].at.line && s.list[LIST_IDS].end[-1].at.column == 14, "places",
	   "a selector knows its byte");
}

static void test_rescue(void)
{
	static const struct {
		const char *line;
		const char *why; /* a part of it, NULL: none */
	} boots[] = {
		{ "", NULL },
		{ "quiet splash", NULL },
		{ "single", "rescue" },
		{ "rescue", "rescue" },
		{ "emergency", "rescue" },
		{ "s", "rescue" },
		{ "S", "rescue" },
		{ "1", "rescue" },
		{ "-s", "rescue" },
		{ "-b", "rescue" },
		{ "ro emergency quiet", "rescue" },
		{ "systemd.unit=rescue.target", "rescue" },
		{ "systemd.unit=emergency.target", "rescue" },
		{ "systemd.unit=\"rescue.target\"", "rescue" },
		{ "rd.systemd.unit=rescue.target", "rescue" },
		{ "quiet -- single", "rescue" },
		{ "boot=live", "live" },
		{ "boot=live quiet", "live" },
		{ "systemd.unit=multi-user.target", NULL },
		{ "systemd.unit=rescue.target2", NULL },
		{ "systemd.unit=rescue", NULL },
		{ "systemd.unit", NULL },
		{ "boot=local", NULL },
		{ "boot=livex", NULL },
		{ "boot", NULL },
		{ "singleuser", NULL },
		{ "rescues xrescue emergency.target", NULL },
		{ "rescuer", NULL },
		{ "init=/single foo=single foo=\"a single b\"", NULL },
		{ "rescue=1", NULL },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(boots); i++) {
		const char *why = cmdline_rescue(boots[i].line, strlen(boots[i].line));

		ok(boots[i].why ? why && strstr(why, boots[i].why) : !why, "what boot it is", boots[i].line);
	}
}

int main(void)
{
	test_words();
	test_settings();
	test_rescue();
	return done_testing();
}
