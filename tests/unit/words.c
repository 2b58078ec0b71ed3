// SPDX-License-Identifier: GPL-2.0-or-later
/* text, pciaddr and alias: characters, numbers, addresses, aliases of drivers. */
#include "format.h"
#include "modalias.h"
#include "pciaddr.h"
#include "settings.h"
#include "tap.h"

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void test_format(void)
{
	static const char what[] = "format";
	struct text t;

	is_text(text_set(&t, "plain"), "plain", what, "nothing to fill in");
	is_text(text_set(&t, "%s", ""), "", what, "%s, empty");
	is_text(text_set(&t, "<%s|%s>", "a", "bc"), "<a|bc>", what, "%s");
	is_text(text_set(&t, "%.*s.", 2, "abc"), "ab.", what, "%.*s");
	is_text(text_set(&t, "%.*s.", 0, "abc"), ".", what, "%.*s of nothing");
	is_text(text_set(&t, "%u %u", 0U, 4294967295U), "0 4294967295", what, "%u");
	is_text(text_set(&t, "%04x:%02x", 0x1fU, 0U), "001f:00", what, "%0Nx fills with zeros");
	is_text(text_set(&t, "%04x", 0x10000U), "10000", what, "%0Nx cuts nothing");
	is_text(text_set(&t, "%08x", 0xdeadbeefU), "deadbeef", what, "%08x");
	is_text(text_set(&t, "a\t%s\n", "b\tc\n\x1b[m"), "a\tb?c??[m\n", what, "control characters of others");
	is_text(text_set(&t, "%.*s", 3, "a\nb"), "a?b", what, "and in a part of a text");
	is_text(text_set(&t, "%s", "caf\xc3\xa9\x9b"), "caf???", what, "bytes that a terminal may take for some");
	is_text(text_set(&t, "%s", " ~ %s"), " ~ %s", what, "nothing else is changed");
	text_set(&t, "a");
	text_add(&t, "-%s", "b");
	is_text(t.p, "a-b", what, "text_add() adds");
	ok(t.len == 3, what, "the length is counted");

	text_set(&t, "%s", "");
	for (unsigned i = 0; i < 17; i++)
		text_add(&t, "%s", X50);
	text_add(&t, "%s", X50 "y");
	ok(t.len == TEXT_SIZE - 1 && !t.p[TEXT_SIZE - 1], what, "what does not fit is cut, and ends in a NUL");
	ok(!strchr(t.p, 'y'), what, "what does not fit is left out");
	text_add(&t, "%u%s", 1U, "z");
	ok(t.len == TEXT_SIZE - 1 && !strchr(t.p, 'z'), what, "a full text stays as it is");
}

static void test_spans(void)
{
	static const struct {
		const char *a, *b;
		int order;
	} rows[] = {
		{ "", "", 0 },	  { "a", "a", 0 }, { "a", "b", -1 },  { "b", "a", 1 },	{ "a", "ab", -1 },
		{ "ab", "a", 1 }, { "", "a", -1 }, { "ab", "b", -1 }, { "A", "a", -1 }, { "\xff", "a", 1 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		struct span a = { rows[i].a, (unsigned)strlen(rows[i].a) };
		struct span b = { rows[i].b, (unsigned)strlen(rows[i].b) };
		int order = span_cmp(a, b);

		ok((order > 0) - (order < 0) == rows[i].order, "span_cmp", rows[i].a);
		ok(span_is(a, rows[i].b) == !rows[i].order, "span_is", rows[i].a);
	}
	ok(span_is((struct span){ "abc", 2 }, "ab"), "span_is", "a span ends where it ends");
}

static void test_blanks(void)
{
	static const char blanks[] = " \t\v\f\r";

	for (int c = 0; c < 256; c++) {
		if (is_blank((char)c) != (c && strchr(blanks, c) != NULL)) {
			ok(false, "is_blank", (char[]){ (char)c, '\0' });
			return;
		}
	}
	ok(true, "is_blank", "space, tab, vertical tab, form feed, carriage return, and nothing else");
}

static void test_hex(void)
{
	static const struct {
		const char *text;
		unsigned min, max;
		int stop; /* -1: refused */
		uint32_t value;
	} rows[] = {
		{ "0", 1, 2, 1, 0 },	      { "1f", 1, 2, 2, 0x1f },
		{ "1F", 1, 2, 2, 0x1f },      { "aA", 2, 2, 2, 0xaa },
		{ "1g", 1, 2, 1, 1 },	      { "1:2", 1, 2, 1, 1 },
		{ "", 1, 2, -1, 0 },	      { "g", 1, 2, -1, 0 },
		{ "-1", 1, 2, -1, 0 },	      { "+1", 1, 2, -1, 0 },
		{ " 1", 1, 2, -1, 0 },	      { "123", 1, 2, -1, 0 },
		{ "123", 4, 4, -1, 0 },	      { "ffffffff", 4, 8, 8, 0xffffffff },
		{ "100000000", 4, 8, -1, 0 }, { "1000000000000000000000000", 1, 8, -1, 0 },
		{ "000000001", 1, 8, -1, 0 }, { "0x12", 1, 8, 1, 0 },
	};
	static const char below[] = "/:@G`g\x10\x19\x1a\x90";

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *p = rows[i].text, *end = p + strlen(p), *stop;
		uint32_t value = 0xabcd;

		stop = hex_number(p, end, rows[i].min, rows[i].max, &value);
		ok(rows[i].stop < 0 ? !stop && value == 0xabcd : stop == p + rows[i].stop && value == rows[i].value,
		   "hex_number", p);
	}
	for (const char *p = below; *p; p++)
		ok(hex_digit(*p) < 0, "hex_digit: none", (char[]){ *p, '\0' });
}

static void test_decimal(void)
{
	const char *p = "30,";

	ok(decimal(&p) == 30 && *p == ',', "decimal", "30,");
	p = "x";
	ok(decimal(&p) == 0 && *p == 'x', "decimal", "x");
}

/* A whole address, and where it stops. */
static void test_addresses(void)
{
	static const struct {
		const char *text;
		int stop; /* -1: refused */
		pciaddr address;
		bool slot;
		const char *why; /* a part of it; NULL: it does not begin like an address */
	} rows[] = {
		{ "0000:02:00.0", 12, PCIADDR(0, 2, 0, 0), false, NULL },
		{ "02:00.0", 7, PCIADDR(0, 2, 0, 0), false, NULL },
		{ "2:0.0", 5, PCIADDR(0, 2, 0, 0), false, NULL },
		{ "02:1f.7", 7, PCIADDR(0, 2, 0x1f, 7), false, NULL },
		{ "FE:1F.7", 7, PCIADDR(0, 0xfe, 0x1f, 7), false, NULL },
		{ "10000:e1:00.0", 13, PCIADDR(0x10000, 0xe1, 0, 0), false, NULL },
		{ "ffffffff:ff:1f.7", 16, PCIADDR(0xffffffff, 0xff, 0x1f, 7), false, NULL },
		{ "02:00", 5, PCIADDR(0, 2, 0, 0), true, NULL },
		{ "02:03.*", 7, PCIADDR(0, 2, 3, 0), true, NULL },
		{ "0001:02:03", 10, PCIADDR(1, 2, 3, 0), true, NULL },
		{ "02:00/00.0", 5, PCIADDR(0, 2, 0, 0), true, NULL },
		{ "02:00.0/00.0", 7, PCIADDR(0, 2, 0, 0), false, NULL },
		{ "02:00.0@10de:2204", 7, PCIADDR(0, 2, 0, 0), false, NULL },
		{ "02:00.00", 7, PCIADDR(0, 2, 0, 0), false, NULL },
		{ "", -1, 0, false, NULL },
		{ "02", -1, 0, false, NULL },
		{ "02:", -1, 0, false, "slot" },
		{ "0000", -1, 0, false, NULL },
		{ "0000:", -1, 0, false, NULL },
		{ "0000:02", -1, 0, false, NULL },
		{ "0000:02:", -1, 0, false, "slot" },
		{ "002:00.0", -1, 0, false, NULL },
		{ "000:02:00.0", -1, 0, false, NULL },
		{ "000000000:02:00.0", -1, 0, false, NULL },
		{ "0000:002:00.0", -1, 0, false, NULL },
		{ "02:000.0", -1, 0, false, "slot" },
		{ "0000:00:20.0", -1, 0, false, "slot" },
		{ "02:g.0", -1, 0, false, "slot" },
		{ "02:00.8", -1, 0, false, "function" },
		{ "02:00.", -1, 0, false, "function" },
		{ "02:00.a", -1, 0, false, "function" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *p = rows[i].text, *end = p + strlen(p), *why = "", *stop;
		pciaddr address = 77;
		bool slot = false;

		stop = pciaddr_parse(p, end, &address, &slot, &why);
		if (rows[i].stop < 0)
			ok(!stop && address == 77 && (rows[i].why ? why && strstr(why, rows[i].why) : !why),
			   "no address", p);
		else
			ok(stop == p + rows[i].stop && address == rows[i].address && slot == rows[i].slot, "address",
			   p);
	}
	ok(PCIADDR(0, 0xff, 0x1f, 7) < PCIADDR(1, 0, 0, 0) && PCIADDR(0, 0, 0x1f, 7) < PCIADDR(0, 1, 0, 0) &&
		   PCIADDR(0, 0, 0, 7) < PCIADDR(0, 0, 1, 0),
	   "address", "numerical order is address order");
}

static void test_hops(void)
{
	static const struct {
		const char *text;
		int devfn; /* -1: refused */
	} rows[] = {
		{ "00.0", 0 },	{ "0.0", 0 },	{ "1f.7", 0xff }, { "1c.4/00.0", 0xe4 },
		{ "20.0", -1 }, { "00.8", -1 }, { "00", -1 },	  { "00.", -1 },
		{ ".0", -1 },	{ "", -1 },	{ "00.*", -1 },	  { "001.0", -1 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *p = rows[i].text, *end = p + strlen(p), *why = NULL, *stop;
		uint8_t devfn = 0x55;

		stop = pciaddr_parse_devfn(p, end, &devfn, NULL, &why);
		if (rows[i].devfn < 0)
			ok(!stop && why, "no hop", p);
		else
			ok(stop && devfn == rows[i].devfn && (stop == end || *stop == '/'), "hop", p);
	}
}

static void test_names(void)
{
	static const struct {
		const char *name;
		pciaddr address;
	} rows[] = {
		{ "0000:00:1f.0", PCIADDR(0, 0, 0x1f, 0) },
		{ "10000:e1:00.0", PCIADDR(0x10000, 0xe1, 0, 0) },
		{ "ffffffff:ff:1f.7", PCIADDR(0xffffffff, 0xff, 0x1f, 7) },
		{ "00:1f.0", PCIADDR_NONE },
		{ "0000:00:1f", PCIADDR_NONE },
		{ "0000:00:1f.*", PCIADDR_NONE },
		{ "0000:00:1f.0x", PCIADDR_NONE },
		{ "pci0000:00", PCIADDR_NONE },
		{ "0000:00:1f.0:pcie001", PCIADDR_NONE },
		{ "virtio0", PCIADDR_NONE },
		{ "", PCIADDR_NONE },
		{ "..", PCIADDR_NONE },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
		ok(pciaddr_from_name(rows[i].name, (unsigned)strlen(rows[i].name)) == rows[i].address, "name in sysfs",
		   rows[i].name);
}

/* Of what modalias_show() prints what follows pci:. */
#define MODALIAS "v000015B3d0000101Esv000015B3sd00000001bc02sc00i00"

static void test_aliases(void)
{
	const struct device d = { .found = { .ids = { 0x15b3, 0x101e, 0x15b3, 1 }, .class = 0x020000 } };
	static const struct {
		const char *alias;
		const char *behind; /* what comes behind it; NULL: does not fit */
		unsigned exact;
	} rows[] = {
		{ "v*d*sv*sd*bc*sc*i* vfio_pci", " vfio_pci", 0 },
		{ "v*d*sv*sd*bc*sc*i*", "", 0 },
		{ "v000015B3d0000101Esv*sd*bc*sc*i* mlx5_vfio_pci", " mlx5_vfio_pci", 2 },
		{ "v000015B3d*sv*sd*bc02sc00i* a", " a", 3 },
		{ "v*d*sv*sd*bc02sc00i00* a", " a", 3 },
		{ MODALIAS " exact", " exact", 7 },
		{ MODALIAS "x", "x", 7 },
		{ "v000015B3d0000101Fsv*sd*bc*sc*i* mlx5_vfio_pci", NULL, 0 },
		{ "v000015B3d0000101Esv*sd*bc*sc*i01 mlx5_vfio_pci", NULL, 0 },
		{ "v000015B3d0000101Esv*sd*bc*sc* mlx5_vfio_pci", NULL, 0 },
		{ "v00015B3d*sv*sd*bc*sc*i*", NULL, 0 },
		{ "v000015B3d*sv*sd*bc0", NULL, 0 },
		{ "v000015B3d*sv*sd*bc02sc", NULL, 0 },
		{ "", NULL, 0 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
		uint8_t exact;
		const char *end = alias_fits(rows[i].alias, &d, &exact);

		if (!rows[i].behind)
			ok(!end, "alias that does not fit", rows[i].alias);
		else if (ok(end && !strcmp(end, rows[i].behind), "alias", rows[i].alias))
			ok(exact == rows[i].exact, "fields that are no wildcard", rows[i].alias);
	}
}

/* A table that is full returns the names that it has, and "?" for all others. */
static void test_full_table(void)
{
	static struct machine m;
	static struct settings s;
	const char *first, *last = NULL;
	char name[64];
	unsigned n = 0;

	machine_init(&m, &s, PHASE_NOW);
	first = machine_name(&m, "first");
	for (; strcmp(last ? last : "", "?") != 0 && n < NAMES_SIZE; n++) {
		snprintf(name, sizeof(name), "name-%u", n);
		last = machine_name(&m, name);
	}
	ok(n > 300 && n < NAMES_SIZE && m.names_used <= NAMES_SIZE, "names", "a table becomes full");
	ok(machine_name(&m, "first") == first && machine_name(&m, "name-0") == first + sizeof("first"), "names",
	   "and has what it had");
	ok(!strcmp(machine_name(&m, "vfio-pci"), "vfio-pci"), "names", "the first of all too");
	/* One that fits exactly. */
	machine_init(&m, &s, PHASE_NOW);
	for (n = NAMES_SIZE - m.names_used; n > sizeof(name); n = NAMES_SIZE - m.names_used) {
		snprintf(name, sizeof(name), "%020u", n);
		machine_name(&m, name);
	}
	snprintf(name, sizeof(name), "%0*u", (int)n, 1U);
	ok(!strcmp(machine_name(&m, name), "?"), "names", "one byte too long");
	name[n - 1] = '\0';
	last = machine_name(&m, name);
	ok(!strcmp(last, name) && m.names_used == NAMES_SIZE, "names", "as long as there is room");
	ok(machine_name(&m, name) == last && !strcmp(machine_name(&m, "x"), "?"), "names", "and then it is full");
}

int main(void)
{
	test_format();
	test_spans();
	test_blanks();
	test_hex();
	test_decimal();
	test_addresses();
	test_hops();
	test_names();
	test_aliases();
	test_full_table();
	return done_testing();
}
