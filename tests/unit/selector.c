// SPDX-License-Identifier: GPL-2.0-or-later
/* selector: every form of the table in doc/interface.md, what is no selector, and which devices are meant. */
#include "machine.h"
#include "model.h"
#include "tap.h"

static void add_field(struct page *page, uint32_t id)
{
	if (id == ANY_ID)
		page_add(page, ":*");
	else
		page_add(page, ":%04x", id);
}

/* The struct in words: kind, what it carries, and its flags. */
static void describe(const struct selector *s, struct page *page)
{
	static const char *const kinds[] = { "path", "address", "boot-vga", "id", "class" };
	static const char *const flags[] = { "excludes", "optional", "guarded", "slot" };

	page_clear(page);
	page_add(page, "%s %s", selector_names(s) ? "named" : "broad", kinds[s->kind]);
	if (s->address != PCIADDR_NONE)
		page_add(page, " %llx", (unsigned long long)s->address);
	for (unsigned i = 0; i < s->hops; i++)
		page_add(page, "/%02x", s->hop[i]);
	if (s->vf)
		page_add(page, "/vf%u", s->vf - 1U);
	if (s->ids.vendor != ANY_ID || s->kind == SELECT_ID) {
		page_add(page, " %04x", s->ids.vendor);
		add_field(page, s->ids.device);
	}
	if (s->ids.subvendor != ANY_ID || s->ids.subdevice != ANY_ID) {
		add_field(page, s->ids.subvendor);
		add_field(page, s->ids.subdevice);
	}
	if (s->class_mask)
		page_add(page, " class %06x/%06x", s->class, s->class_mask);
	for (unsigned i = 0; i < ARRAY_SIZE(flags); i++) {
		if (s->flags >> i & 1)
			page_add(page, " %s", flags[i]);
	}
}

static const struct {
	const char *text;
	const char *meaning;
} good[] = {
	/* vendor and device ID: two, four, five, six fields */
	{ "10de:2204", "broad id 10de:2204" },
	{ "10DE:22aF", "broad id 10de:22af" },
	{ "10de:*", "broad id 10de:*" },
	{ "10de:ffffffff", "broad id 10de:*" },
	{ "10de:FFFFFFFF", "broad id 10de:*" },
	{ "10de:0xffffffff", "broad id 10de:*" },
	{ "0x10de:0x2204", "broad id 10de:2204" },
	{ "0X10de:2204", "broad id 10de:2204" },
	{ "ffff:ffff", "broad id ffff:ffff" },
	{ "0000:0000", "broad id 0000:0000" },
	{ "10de:2204:1458:4043", "broad id 10de:2204:1458:4043" },
	{ "10de:2204:1458:*", "broad id 10de:2204:1458:*" },
	{ "10de:2204:*:*", "broad id 10de:2204" },
	{ "10de:2204:*:4043", "broad id 10de:2204:*:4043" },
	{ "10de:2204:1458:4043:030000", "broad id 10de:2204:1458:4043 class 030000/ffffff" },
	{ "10de:*:*:*:030000", "broad id 10de:* class 030000/ffffff" },
	{ "10de:*:*:*:0x030000", "broad id 10de:* class 030000/ffffff" },
	{ "10de:*:*:*:030000:ff0000", "broad id 10de:* class 030000/ff0000" },
	{ "10de:*:*:*:0x030000:0xFF0000", "broad id 10de:* class 030000/ff0000" },
	{ "10de:ffffffff:*:*:030000:ff0000", "broad id 10de:* class 030000/ff0000" },
	{ "10de:1aef:1458:4043:040300:ffff00", "broad id 10de:1aef:1458:4043 class 040300/ffff00" },
	{ "10de:*:*:*:030200:ff0000", "broad id 10de:* class 030000/ff0000" },
	{ "10de:*:*:*:*", "broad id 10de:*" },
	{ "10de:*:*:*:*:*", "broad id 10de:*" },
	{ "10de:*:*:*:030000:*", "broad id 10de:* class 030000/ffffff" },
	{ "10de:*:*:*:030000:000000", "broad id 10de:*" },
	/* bus index */
	{ "0000:02:00.0", "named address 200" },
	{ "02:00.0", "named address 200" },
	{ "2:0.0", "named address 200" },
	{ "2:1.7", "named address 20f" },
	{ "Fe:1F.7", "named address feff" },
	{ "10000:e1:00.0", "named address 10000e100" },
	{ "0001:02:00.0", "named address 10200" },
	{ "ffffffff:ff:1f.7", "named address ffffffffffff" },
	{ "02:00", "named address 200 slot" },
	{ "2:3", "named address 218 slot" },
	{ "02:00.*", "named address 200 slot" },
	{ "0000:02:03.*", "named address 218 slot" },
	{ "0000:02:03", "named address 218 slot" },
	{ "10000:e1:00", "named address 10000e100 slot" },
	{ "00000000:02:03.1", "named address 219" },
	/* path */
	{ "0000:00:01.0/00.0", "named path 8/00" },
	{ "00:01.0/00.0", "named path 8/00" },
	{ "0:1.0/0.0", "named path 8/00" },
	{ "00:1c.4/00.0/1f.7", "named path e4/00/ff" },
	/* a virtual function by its number */
	{ "02:00.0/vf0", "named path 200/vf0" },
	{ "0000:00:01.0/00.0/vf63", "named path 8/00/vf63" },
	{ "02:00.0/vf65534", "named path 200/vf65534" },
	{ "02:00.0/vf1@8086:10ca", "named path 200/vf1 8086:10ca guarded" },
	{ "!02:00.0/vf1", "named path 200/vf1 excludes" },
	{ "02:00.0/vf1?", "named path 200/vf1 optional" },
	{ "10000:e0:06.0/00.0", "named path 10000e030/00" },
	{ "00:01.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.1",
	  "named path 8/00/00/00/00/00/00/00/00/00/00/00/00/00/00/00/01" },
	/* guarded */
	{ "0000:65:00.0@10de:2204", "named address 6500 10de:2204 guarded" },
	{ "65:00.0@0x10DE:0x2204", "named address 6500 10de:2204 guarded" },
	{ "00:1d.0/00.0@144d:a808", "named path e8/00 144d:a808 guarded" },
	{ "65:00.0@10de:*", "named address 6500 10de:* guarded" },
	/* class */
	{ "class:03", "broad class class 030000/ff0000" },
	{ "class:0300", "broad class class 030000/ffff00" },
	{ "class:0x0c", "broad class class 0c0000/ff0000" },
	{ "class:0X0C03", "broad class class 0c0300/ffff00" },
	{ "class:00", "broad class class 000000/ff0000" },
	{ "boot-vga", "named boot-vga" },
	/* exclusions and optional ones, of every form */
	{ "!0000:01:00.0", "named address 100 excludes" },
	{ "not:boot-vga", "named boot-vga excludes" },
	{ "!boot-vga", "named boot-vga excludes" },
	{ "!10de:2204", "broad id 10de:2204 excludes" },
	{ "not:class:03", "broad class class 030000/ff0000 excludes" },
	{ "!00:01.0/00.0", "named path 8/00 excludes" },
	{ "!65:00.0@10de:2204", "named address 6500 10de:2204 excludes guarded" },
	{ "not:02:00", "named address 200 excludes slot" },
	{ "10de:2204?", "broad id 10de:2204 optional" },
	{ "02:00?", "named address 200 optional slot" },
	{ "02:00.*?", "named address 200 optional slot" },
	{ "boot-vga?", "named boot-vga optional" },
	{ "class:03?", "broad class class 030000/ff0000 optional" },
	{ "00:01.0/00.0?", "named path 8/00 optional" },
	{ "65:00.0@10de:2204?", "named address 6500 10de:2204 optional guarded" },
	{ "!10de:2204?", "broad id 10de:2204 excludes optional" },
	{ "not:02:00.0?", "named address 200 excludes optional" },
};

static const char *const bad[] = {
	/* nothing */
	"",
	"!",
	"?",
	"!?",
	"not:",
	"not:?",
	"+",
	"-",
	"*",
	":",
	"::",
	".",
	"/",
	"@",
	/* twice */
	"!!10de:2204",
	"not:not:10de:2204",
	"!not:10de:2204",
	"10de:2204??",
	"?10de:2204",
	"! 10de:2204",
	/* IDs: number of fields, digits, any */
	"10de",
	"10de:",
	":10de",
	"10de:2204:",
	"10de:2204:1458",
	"10de:2204:1458:",
	"10de:2204:1458:4043:",
	"10de:2204:1458:4043:030000:",
	"10de:2204:1458:4043:030000:ff0000:",
	"10de:2204:1458:4043:030000:ff0000:0",
	"10de:2204:1458:4043:030000:ff0000:000000",
	"*:2204",
	"*:*",
	"ffffffff:2204",
	"0xffffffff:2204",
	"10d:2204",
	"10dee:2204",
	"10de:220",
	"10de:22044",
	"10de:00002204",
	"000010de:2204",
	"10de:2204:145:4043",
	"10de:2204:1458:404",
	"10de:2204:1458:4043:03",
	"10de:2204:1458:4043:0300",
	"10de:2204:1458:4043:0300000",
	"10de:2204:1458:4043:030000:ff",
	"10de:2204:1458:4043:00030000",
	"10de::",
	"10de:2204::",
	"10de:**",
	"10de:2*",
	"10de:22g4",
	"g0de:2204",
	"10de-2204",
	"10de 2204",
	"0x:2204",
	"10de:0x",
	"0x0x10de:2204",
	"10de:2204x",
	"10de:-204",
	"10de:+204",
	"100000000000010de:2204",
	"10de:100000000",
	/* bus indices */
	"1:2:3",
	"0000:00:20.0",
	"00:20.0",
	"00:20",
	"02:00.8",
	"02:00.",
	"02:00.a",
	"02:00.00",
	"02:00.**",
	"02:00.*0",
	"02:00.0.0",
	"02:000.0",
	"002:00.0",
	"100:00.0",
	"000:02:00.0",
	"000000000:02:00.0",
	"123456789:02:00.0",
	"0000:002:00.0",
	"0000:02:00:0",
	"0000:02:00.0:",
	"0000::00.0",
	":02:00.0",
	"02:.0",
	"02:00.-1",
	"0x02:00.0",
	"0000:0x02:00.0",
	"g2:00.0",
	"02:g0.0",
	"*:00.0",
	"02:*.0",
	"02:00.0x",
	"99999999999999999999:02:00.0",
	"02.0",
	"0000:02",
	"0000:02:",
	"*:00",
	/* paths */
	"00:01.0/",
	"00:01/00.0",
	"00:01.*/00.0",
	"00:01.0/00",
	"00:01.0/00.8",
	"00:01.0/20.0",
	"00:01.0//00.0",
	"00:01.0/00.*",
	"00:01.0/01:00.0",
	"/00:01.0",
	"00:01.0/00.0/",
	"00:01.0/00.0x",
	"00:01.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0",
	/* virtual functions */
	"02:00.0/vf",
	"02:00.0/vf-1",
	"02:00.0/vf0x1",
	"02:00.0/vf65535",
	"02:00.0/vf65536",
	"02:00.0/vf4294967296",
	"02:00.0/VF0",
	"02:00.0/vf0/00.0",
	"02:00.0/vf0/vf1",
	"02:00/vf0",
	"02:00.*/vf0",
	"10de:2204/vf0",
	"vf0",
	"02:00.0/vf*",
	"02:00.0/vf0=4",
	/* guards */
	"02:00.0@",
	"02:00.0@10de",
	"02:00.0@10de:",
	"02:00.0@10de:2204:1458:4043",
	"02:00.0@*:2204",
	"02:00@10de:2204",
	"02:00.*@10de:2204",
	"02:00.0@10de:22044",
	"02:00.0@10de:2204@10de:2204",
	"@10de:2204",
	"10de:2204@02:00.0",
	"02:00.0@boot-vga",
	"02:00.0@class:03",
	"boot-vga@10de:2204",
	"class:03@10de:2204",
	"10de:2204@10de:2204",
	/* classes and words */
	"class:",
	"class:3",
	"class:030",
	"class:03000",
	"class:030000",
	"class:0x",
	"class:*",
	"class:gg",
	"class:03:00",
	"class:03.",
	"class",
	"Class:03",
	"CLASS:03",
	"boot-vg",
	"boot-vga0",
	"Boot-VGA",
	"boot_vga",
	"boot-vga:",
	"not",
	"NOT:boot-vga",
	"off",
	"unknown",
	"none",
	"all",
	"10de:2204\t",
	"\xc3\xa9",
	"10de:\xef\xbc\x91\x31\x31\x31",
};

/* What is told of some of them. */
static const struct {
	const char *text;
	const char *why;
} whys[] = {
	{ "", "nothing selected" },
	{ "!", "nothing selected" },
	{ "0000:00:20.0", "0 to 1f" },
	{ "00:01.0/20.0", "0 to 1f" },
	{ "02:00.8", "0 to 7" },
	{ "002:00.0", "bus index" },
	{ "10de:2204:1458", "two, four, five or six fields" },
	{ "10de:220", "nor an ID" },
	{ "*:2204", "nor an ID" },
	{ "rubbish", "nor an ID" },
	{ "class:3", "not a class" },
	{ "02:00.0@10de", "not a guard" },
	{ "02:00.0@10de-2204", "not a guard" },
	{ "02:00.0@10de.2204", "not a guard" },
	{ "00:01.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0/0.0", "16 hops" },
};

static void test_parsing(void)
{
	struct selector s;
	struct page page;

	for (unsigned i = 0; i < ARRAY_SIZE(good); i++) {
		const char *why = selector_parse(&s, good[i].text, strlen(good[i].text));

		if (!why)
			describe(&s, &page);
		is_text(why ? why : page.p, good[i].meaning, "read", good[i].text);
	}
	for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
		bool excludes = *bad[i] == '!' || !strncmp(bad[i], "not:", 4);

		ok(selector_parse(&s, bad[i], strlen(bad[i])) != NULL, "refused", bad[i]);
		ok(!(s.flags & SELECTOR_EXCLUDES) == !excludes, excludes ? "an exclusion" : "no exclusion", bad[i]);
	}
	ok(selector_parse(&s, "10de:2204\0", 10) != NULL, "refused", "a NUL behind it");
	ok(selector_parse(&s, "10de\0002204", 9) != NULL, "refused", "a NUL in it");
	ok(!selector_parse(&s, "10de:2204xyz", 9), "read", "no further than its length");
	for (unsigned i = 0; i < ARRAY_SIZE(whys); i++) {
		const char *why = selector_parse(&s, whys[i].text, strlen(whys[i].text));

		ok(why && strstr(why, whys[i].why), "told what is wrong", whys[i].text);
	}
	if (!selector_parse(&s, "!10de:2204?", 11))
		ok(span_is(s.text, "10de:2204"), "the text is without ! and ?", "!10de:2204?");
	if (!selector_parse(&s, "not:02:00.0", 11))
		ok(span_is(s.text, "02:00.0"), "the text is without not:", "not:02:00.0");
}

/* What is told apart: two functions of a card, another card of the same device, other vendors, a far domain. */
static const char machine[] = "0000:00:01.0 8086:1901 0604\n"
			      "0000:01:00.0 10de:2204:1458:4043 030000 <00:01.0 vga\n"
			      "0000:01:00.1 10de:1aef:1458:4043 040300 <00:01.0\n"
			      "0000:02:00.0 10de:2204:1043:87d9 030200\n"
			      "0000:03:00.0 8086:10d3 020000\n"
			      "0001:03:00.0 8086:1533 020000\n"
			      "ffff:ff:1f.7 ffff:ffff 0300\n"
			      "10000:e1:00.0 144d:a808 010802\n";
/* For each of them in that order: is it meant (=), does its guard fail (!), or neither? */
static const struct {
	const char *selector;
	const char *match;
} matches[] = {
	{ "10de:2204", ".=.=...." },
	{ "10de:1aef", "..=....." },
	{ "10de:*", ".===...." },
	{ "10de:2204:1458:4043", ".=......" },
	{ "10de:2204:1458:*", ".=......" },
	{ "10de:2204:*:87d9", "...=...." },
	{ "10de:2204:1458:87d9", "........" },
	{ "10de:*:1458:4043", ".==....." },
	{ "10de:*:*:*:030000", ".=......" },
	{ "10de:*:*:*:030000:ff0000", ".=.=...." },
	{ "10de:*:*:*:030200:ffff00", "...=...." },
	{ "10de:*:*:*:040300:ffffff", "..=....." },
	{ "10de:1aef:1458:4043:040300:ffff00", "..=....." },
	{ "10de:1aef:1043:4043:040300:ffff00", "........" },
	{ "10de:1aef:1458:4043:030000:ffff00", "........" },
	{ "10de:*:*:*:030000:000000", ".===...." },
	{ "8086:10d3", "....=..." },
	{ "ffff:ffff", "......=." },
	{ "8086:ffff", "........" },
	{ "01:00.0", ".=......" },
	{ "01:00.1", "..=....." },
	{ "01:00.2", "........" },
	{ "01:00", ".==....." },
	{ "0000:01:00.*", ".==....." },
	{ "03:00.0", "....=..." },
	{ "03:00", "....=..." },
	{ "0001:03:00.0", ".....=.." },
	{ "0001:03:00", ".....=.." },
	{ "0002:03:00.0", "........" },
	{ "10000:e1:00.0", ".......=" },
	{ "0000:e1:00.0", "........" },
	{ "00:01.0/00.0", ".=......" },
	{ "00:01.0/00.1", "..=....." },
	{ "00:01.0/00.2", "........" },
	{ "00:01.0/01.0", "........" },
	{ "00:01.0/00.0/00.0", "........" },
	{ "00:02.0/00.0", "........" },
	{ "01:00.0@10de:2204", ".=......" },
	{ "01:00.0@10de:*", ".=......" },
	{ "01:00.0@10de:2206", ".!......" },
	{ "01:00.0@8086:*", ".!......" },
	{ "02:01.0@10de:2204", "........" },
	{ "00:01.0/00.0@10de:2204", ".=......" },
	{ "00:01.0/00.0@10de:1aef", ".!......" },
	{ "class:03", ".=.=..=." },
	{ "class:0300", ".=....=." },
	{ "class:0302", "...=...." },
	{ "class:02", "....==.." },
	{ "class:06", "=......." },
	{ "class:01", ".......=" },
	{ "class:00", "........" },
	{ "boot-vga", ".=......" },
	/* ! and ? change nothing of that */
	{ "!01:00.0", ".=......" },
	{ "!10de:2204?", ".=.=...." },
};

static void test_matching(void)
{
	static struct machine m;
	static struct settings s;
	struct selector *sel = s.selector[LIST_IDS];

	if (!ok(model_machine(&m, &s, machine), "a machine", "to match with"))
		return;
	for (unsigned i = 0; i < ARRAY_SIZE(matches); i++) {
		char got[16] = "";

		model_settings(&s, "ids = ", NULL);
		if (selector_parse(sel, matches[i].selector, strlen(matches[i].selector)))
			continue;
		s.list[LIST_IDS].end = sel + 1;
		model_paths(&m);
		for (unsigned n = 0; n < (unsigned)(m.end - m.device); n++)
			got[n] = ".=!"[selector_match(sel, &m.device[n])];
		is_text(got, matches[i].match, "means", matches[i].selector);
	}
}

int main(void)
{
	test_parsing();
	test_matching();
	return done_testing();
}
