// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * property: random machines and settings, judged a second time by an oracle that was written from doc/interface.md
 * alone, and looked at for what has to hold whatever comes.
 *
 *	unit-property.t [SEED [ROUNDS]]
 *
 * A failure prints its seed, and the pair made as small as it can be; with one seed all that was said is printed too.
 */
#include "model.h"
#include "oracle.h"
#include "random_pair.h"
#include "tap.h"

#ifndef ROUNDS
#define ROUNDS 200000
#endif

static struct machine m;
static struct settings s;

static void read_pair(const struct pair *p, const char *more)
{
	/* The settings keep pointing into these. */
	static char file[PAIR_TEXT], cmdline[PAIR_TEXT + 1024];

	snprintf(file, sizeof(file), "%s", p->file);
	snprintf(cmdline, sizeof(cmdline), "%s%s", p->cmdline, more);
	model_settings(&s, file, cmdline);
}

static void decide_pair(const struct pair *p, const char *more)
{
	read_pair(p, more);
	model_decide(&m);
}

static bool is_bridge_class(unsigned class)
{
	return class == 0x0600 || class == 0x0604 || class == 0x0607 || class == 0x0609;
}

/* What must never be claimed, each from the facts. */
static const char *check_claims(void)
{
	bool ignores = s.group == GROUP_IGNORE && m.kernel >= (5U << 8 | 19);
	const struct device *d, *other;

	for_each_device(&m, d) {
		bool named = oracle_named(&m, d);
		unsigned class = d->found.class >> 8;

		if (d->decided.verdict == VERDICT_REFUSED && !d->decided.reason)
			return "what is refused has a reason";
		if (d->decided.verdict == VERDICT_KEPT && named)
			return "what is named is not kept";
		if (!is_claimed(d))
			continue;
		if (m.no_claim_reason)
			return "nothing is claimed in such a boot";
		if (d->decided.reason)
			return "what is claimed has none";
		if (oracle_in_list(&m, LIST_PROTECT, d))
			return "nothing is claimed that is protected";
		if (oracle_in_list(&m, LIST_IDS, d))
			return "nothing is claimed that is excluded";
		if (!d->group || d->group->flags & GROUP_NOIOMMU)
			return "nothing is claimed without a group";
		if (m.phase != PHASE_NEXT_BOOT && d->found.use)
			return "nothing is claimed that is in use";
		if (d->group->flags & GROUP_DIRECT)
			return "nothing is claimed that the firmware works through";
		if (is_bridge_class(class))
			return "no bridge is claimed";
		if (!named && d->found.boot_display)
			return "the boot display is claimed only when named";
		if (!named && (oracle_in_list(&m, LIST_RESERVE, d) || oracle_only_named(&m)))
			return "what is reserved is claimed only when named";
		if (!named && class >> 8 == 0x01 && s.protect_unknown && !s.list[LIST_PROTECT].off)
			return "storage is claimed only when named while the root is unknown";
		if (!named &&
		    (class >> 8 == 0x05 || class >> 8 == 0x06 || class == 0x0806 || class == 0x0807 || class == 0x0c05))
			return "the platform is claimed only when named";
		for_each_device(&m, other) {
			if (!named && other->found.ids.vendor == d->found.ids.vendor &&
			    other->found.ids.device == d->found.ids.device && oracle_in_list(&m, LIST_PROTECT, other))
				return "the twin of a protected function is claimed only when named";
			if (ignores || other->group != d->group || is_claimed(other))
				continue;
			if (!oracle_stays(other))
				return "no group is claimed in part";
		}
	}
	return NULL;
}

static const char *check_oracle(void)
{
	static struct fate fates[PAIR_DEVICES];
	unsigned n = (unsigned)(m.end - m.device);

	oracle_decide(&m, fates);
	for (unsigned i = 0; i < n; i++) {
		if (m.device[i].decided.verdict != fates[i].verdict)
			return "the oracle gives the same verdict";
		if (m.device[i].decided.reason != fates[i].reason)
			return "the oracle gives the same reason";
	}
	return plan_status(&m) == oracle_status(&m, fates) ? NULL : "the oracle gives the same exit status";
}

static struct page lines, again, warnings;

static bool same_lines(void)
{
	model_lines(&m, &again);
	return lines.len == again.len && !memcmp(lines.p, again.p, lines.len);
}

static const char *check_repeat(void)
{
	model_lines(&m, &lines);
	plan_decide(&m);
	if (!same_lines())
		return "deciding twice gives the same";
	model_decide(&m);
	if (!same_lines())
		return "selecting and deciding twice gives the same";
	return NULL;
}

/* Does a line of the warnings say of this selector that it claims nothing? */
static bool says_idle(const struct selector *sel)
{
	for (const char *line = warnings.p, *end; *line; line = end + (*end == '\n')) {
		const char *rest = line + 2 + sel->text.len, *claims = strstr(line, "claims nothing");

		end = line + strcspn(line, "\n");
		/* Behind it stands its place, or another mark; more digits would make it another selector. */
		if (*line == '4' && claims && claims < end && rest < claims &&
		    !strncmp(line + 2, sel->text.p, sel->text.len) &&
		    (*rest == ' ' || *rest == '?' || !strncmp(rest, ": ", 2)))
			return true;
	}
	return false;
}

/* A broad selector that claims nothing is said as a warning, and no other is. */
static const char *check_warnings(void)
{
	static struct fate fates[PAIR_DEVICES];
	const struct selector *sel;

	model_warnings(&m, &warnings);
	oracle_decide(&m, fates);
	for_each_selector(&s.list[LIST_IDS], sel) {
		if (!(sel->flags & SELECTOR_EXCLUDES) && says_idle(sel) != oracle_is_idle(&m, fates, sel))
			return "a broad selector that claims nothing is warned of";
	}
	return NULL;
}

/* The order changes the places, which are made equal here, and nothing else. */
static const char *check_order(struct random *r)
{
	model_lines(&m, &lines);
	for (unsigned i = 0; i < LISTS; i++) {
		struct selector *sel;

		for_each_selector(&s.list[i], sel)
			sel->at = (struct place){ "conf", 1, 1 };
	}
	model_decide(&m);
	model_lines(&m, &lines);
	for (unsigned i = 0; i < LISTS; i++) {
		unsigned n = (unsigned)(s.list[i].end - s.list[i].selector);

		for (; n > 1; n--) {
			struct selector *a = &s.list[i].selector[n - 1], *b = &s.list[i].selector[below(r, n)], c = *a;

			*a = *b;
			*b = c;
		}
	}
	model_decide(&m);
	return same_lines() ? NULL : "the order of selectors changes nothing";
}

/*
 * One more entry that takes away or protects adds no claim. And an exclusion on the command line is added to what the
 * files say, with and without a +.
 */
static const char *check_more(const struct pair *p)
{
	static const struct {
		const char *what;
		const char *list;
	} lists[] = {
		{ "an exclusion adds no claim", "ids=+!" },
		{ "a protect entry adds no claim", "protect=" },
		{ "a reserve entry adds no claim", "reserve=" },
	};
	static bool was_claimed[PAIR_DEVICES];
	static struct fate added[PAIR_DEVICES];
	unsigned n = (unsigned)(m.end - m.device);
	char more[PAIR_ENTRY + 32];

	decide_pair(p, "");
	for (unsigned i = 0; i < n; i++)
		was_claimed[i] = is_claimed(&m.device[i]);
	/* That of the exclusion last: it is compared with what follows. */
	for (unsigned list = ARRAY_SIZE(lists); list--;) {
		snprintf(more, sizeof(more), " vfio-boot.%s%s", lists[list].list, p->extra);
		decide_pair(p, more);
		for (unsigned i = 0; i < n; i++) {
			if (!was_claimed[i] && is_claimed(&m.device[i]))
				return lists[list].what;
		}
	}
	for (unsigned i = 0; i < n; i++)
		added[i] = (struct fate){ m.device[i].decided.verdict, m.device[i].decided.reason };
	snprintf(more, sizeof(more), " vfio-boot.ids=not:%s", p->extra);
	decide_pair(p, more);
	for (unsigned i = 0; i < n; i++) {
		if (m.device[i].decided.verdict != added[i].verdict || m.device[i].decided.reason != added[i].reason)
			return "a list of nothing but exclusions replaces nothing";
	}
	return NULL;
}

/* An optional selector selects as any other does; the exit status alone may be lower. */
static const char *check_optional(const struct pair *p)
{
	static struct fate without[PAIR_DEVICES];
	unsigned n = (unsigned)(m.end - m.device);
	int status = 0;

	for (unsigned round = 0; round < 2; round++) {
		const char *broken;
		struct selector *sel;

		read_pair(p, "");
		for_each_selector(&s.list[LIST_IDS], sel) {
			sel->flags &= (uint8_t)~SELECTOR_OPTIONAL;
			if (round)
				sel->flags |= SELECTOR_OPTIONAL;
		}
		model_decide(&m);
		broken = check_oracle();
		if (broken)
			return broken;
		for (unsigned i = 0; i < n; i++) {
			struct fate now = { m.device[i].decided.verdict, m.device[i].decided.reason };

			if (round && (now.verdict != without[i].verdict || now.reason != without[i].reason))
				return "an optional selector selects as any other";
			without[i] = now;
		}
		if (round && plan_status(&m) > status)
			return "an optional selector is no fault more";
		status = plan_status(&m);
	}
	return NULL;
}

/* A hint never says "add it" of a device that would be refused. */
static const char *check_hints(const struct pair *p)
{
	static char more[1024];
	static bool missing[PAIR_DEVICES];
	const struct device *d, *other;
	struct text t;
	unsigned at;
	bool add, whole;

	decide_pair(p, "");
	for_each_device(&m, d) {
		if (d->decided.reason != REASON_GROUP_INCOMPLETE)
			continue;
		t.len = 0;
		add_message(&t, &m, d);
		add = strstr(t.p, "(add ") != NULL;
		whole = strstr(t.p, "group=whole") != NULL;
		if (!add)
			continue;
		memset(missing, 0, sizeof(missing));
		at = (unsigned)snprintf(more, sizeof(more), " vfio-boot.ids=+");
		for_each_member(d->group, other) {
			if (oracle_stays(other) || is_wanted(other))
				continue;
			missing[other - m.device] = true;
			at += (unsigned)snprintf(more + at, sizeof(more) - at, "%s,", other->name);
		}
		more[at - 1] = '\0';
		for (unsigned round = 0; round < 2; round++) {
			if (round && !whole)
				continue;
			decide_pair(p, round ? " vfio-boot.group=whole" : more);
			for_each_device(&m, other) {
				if (missing[other - m.device] && other->decided.reason &&
				    other->decided.reason < REASON_GROUP_MEMBER_REFUSED)
					return round ? "a hint of group=whole helps" : "a hint to add it helps";
			}
		}
		decide_pair(p, "");
	}
	return NULL;
}

/* Which property does not hold, or NULL. */
static const char *check(const struct pair *p)
{
	struct random r = { p->seed };
	const char *broken;

	if (!model_machine(&m, &s, p->machine))
		return "the machine can be read";
	decide_pair(p, "");
	broken = check_claims();
	if (!broken)
		broken = check_oracle();
	if (!broken)
		broken = check_warnings();
	if (!broken)
		broken = check_repeat();
	if (!broken)
		broken = check_order(&r);
	if (!broken)
		broken = check_more(p);
	if (!broken)
		broken = check_optional(p);
	if (!broken)
		broken = check_hints(p);
	return broken;
}

/* Leaves out every line that the failure does not need. */
static bool shrink_text(struct pair *p, char *text, const char *broken)
{
	static char before[PAIR_TEXT];
	bool smaller = false;

	for (char *line = text; *line;) {
		char *next = line + strcspn(line, "\n");
		const char *now;

		next += *next == '\n';
		memcpy(before, text, sizeof(before));
		memmove(line, next, strlen(next) + 1);
		now = check(p);
		if (now && !strcmp(now, broken)) {
			smaller = true;
			continue;
		}
		memcpy(text, before, sizeof(before));
		line = next;
	}
	return smaller;
}

static void print_text(const char *what, const char *text)
{
	printf("# %s:\n#\t", what);
	for (; *text; text++) {
		putchar(*text);
		if (*text == '\n' && text[1])
			printf("#\t");
	}
	if (text[-1] != '\n')
		putchar('\n');
}

static void print_pair(const struct pair *p)
{
	print_text("machine", p->machine);
	print_text("settings", p->file);
	print_text("command line", p->cmdline);
	print_text("added", p->extra);
	if (!model_machine(&m, &s, p->machine))
		return;
	decide_pair(p, "");
	model_lines(&m, &lines);
	print_text("lines", lines.p);
}

static void explain(struct pair *p, const char *broken)
{
	printf("# seed %llu\n", (unsigned long long)p->seed);
	while (shrink_text(p, p->machine, broken) || shrink_text(p, p->file, broken))
		;
	print_pair(p);
}

static uint64_t number(const char *text)
{
	unsigned long long value = 0;

	sscanf(text, "%llu", &value);
	return value;
}

int main(int argc, char **argv)
{
	uint64_t seed = argc > 1 ? number(argv[1]) : 1;
	uint64_t rounds = argc > 2 ? number(argv[2]) : argc > 1 ? 1 : ROUNDS;
	unsigned long claims = 0, failures = 0;
	static struct pair p;

	for (uint64_t i = 0; i < rounds && failures < 5; i++) {
		const struct device *d;
		const char *broken;

		random_pair(&p, seed + i);
		broken = check(&p);
		if (broken) {
			ok(false, "property", broken);
			explain(&p, broken);
			failures++;
			continue;
		}
		for_each_device(&m, d)
			claims += d->decided.verdict == VERDICT_CLAIM;
		if (rounds == 1)
			print_pair(&p);
	}
	printf("# %llu pairs, %lu devices claimed\n", (unsigned long long)rounds, claims);
	ok(!failures, "properties", "hold for every pair");
	/* Where nothing was ever claimed nothing was tested. */
	if (rounds > 1)
		ok(claims > rounds / 8, "properties", "enough was claimed");
	return done_testing();
}
