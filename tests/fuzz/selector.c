// SPDX-License-Identifier: GPL-2.0-or-later
/* One selector of any bytes: what is read, written out in full and read again, is the same. */
#include "fuzz.h"

static void add_id(struct page *page, uint32_t id, const char *after)
{
	if (id == ANY_ID)
		page_add(page, "*%s", after);
	else
		page_add(page, "%04x%s", id, after);
}

static void write_selector(const struct selector *s, struct page *page)
{
	page_clear(page);
	if (s->flags & SELECTOR_EXCLUDES)
		page_add(page, "!");
	switch (s->kind) {
	case SELECT_PATH:
	case SELECT_ADDRESS:
		page_add(page, "%04x:%02x:%02x", PCIADDR_DOMAIN(s->address), (unsigned)(s->address >> 8) & 0xff,
			 (unsigned)(s->address >> 3) & 0x1f);
		if (!(s->flags & SELECTOR_SLOT))
			page_add(page, ".%u", (unsigned)s->address & 7);
		for (unsigned i = 0; i < s->hops; i++)
			page_add(page, "/%02x.%u", s->hop[i] >> 3, s->hop[i] & 7U);
		if (s->flags & SELECTOR_GUARDED) {
			page_add(page, "@");
			add_id(page, s->ids.vendor, ":");
			add_id(page, s->ids.device, "");
		}
		break;
	case SELECT_BOOT_VGA:
		page_add(page, "boot-vga");
		break;
	case SELECT_ID:
		add_id(page, s->ids.vendor, ":");
		add_id(page, s->ids.device, ":");
		add_id(page, s->ids.subvendor, ":");
		add_id(page, s->ids.subdevice, "");
		if (s->class_mask)
			page_add(page, ":%06x:%06x", s->class, s->class_mask);
		break;
	default:
		page_add(page, "class:%0*x", s->class_mask == 0xff0000 ? 2 : 4,
			 s->class_mask == 0xff0000 ? s->class >> 16 : s->class >> 8);
	}
	if (s->flags & SELECTOR_OPTIONAL)
		page_add(page, "?");
}

static void expect_same(const struct selector *a, const struct selector *b)
{
	expect(a->kind == b->kind && a->flags == b->flags && a->address == b->address && a->target == b->target);
	expect(!memcmp(&a->ids, &b->ids, sizeof(a->ids)));
	expect(a->class == b->class && a->class_mask == b->class_mask);
	expect(a->hops == b->hops && !memcmp(a->hop, b->hop, a->hops));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct page page;
	static struct settings s;
	struct selector *sel, again;
	char *text = malloc(size ? size : 1);
	const char *why;

	expect(text != NULL);
	memcpy(text, data, size);
	settings_init(&s);
	sel = s.list[LIST_IDS].selector;
	why = selector_parse(sel, text, size);
	if (why) {
		expect(*why);
		free(text);
		return 0;
	}
	expect(sel->text.len && sel->text.p >= text && sel->text.p + sel->text.len <= text + size);
	expect(sel->hops <= SELECTOR_HOPS && !(sel->flags & ~SELECTOR_KEPT));
	expect(!(sel->class & ~sel->class_mask) && !(sel->class_mask >> 24));

	write_selector(sel, &page);
	expect(!selector_parse(&again, page.p, page.len));
	expect_same(sel, &again);

	/* The text that is kept is the selector without what stands around it. */
	expect(!selector_parse(&again, sel->text.p, sel->text.len));
	again.flags |= sel->flags & (SELECTOR_EXCLUDES | SELECTOR_OPTIONAL);
	expect_same(sel, &again);
	expect(again.text.p == sel->text.p && again.text.len == sel->text.len);

	/* It can be used for anything. */
	s.list[LIST_IDS].end = sel + 1;
	sel->at = (struct place){ "conf", 1, 1 };
	decide_with(&s);
	if (!(sel->flags & SELECTOR_EXCLUDES)) {
		s.list[LIST_PROTECT].selector[0] = s.list[LIST_RESERVE].selector[0] = *sel;
		s.list[LIST_PROTECT].end++;
		s.list[LIST_RESERVE].end++;
		decide_with(&s);
	}
	free(text);
	return 0;
}
