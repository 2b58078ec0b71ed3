// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * property: random machines and settings, judged a second time by an oracle that was written from interface.md alone,
 * and looked at for what has to hold whatever comes.
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
		if (d->decided.verdict != VERDICT_CLAIM && d->decided.verdict != VERDICT_ALREADY)
			continue;
		if (d->decided.reason)
			return "what is claimed has none";
		if (oracle_in_list(&m, LIST_PROTECT, d))
			return "nothing is claimed that is protected";
		if (oracle_in_list(&m, LIST_IDS, d))
			return "nothing is claimed that is excluded";
		if (!d->group || d->group->flags & GROUP_NOIOMMU)
			return "nothing is claimed without a group";
		if (d->found.use)
			return "nothing is claimed that is in use";
		if (class == 0x0604 || class == 0x0607 || class == 0x0609)
			return "no bridge is claimed";
		if (!named && d->found.boot_display)
			return "the boot display is claimed only when named";
		if (!named && (oracle_in_list(&m, LIST_RESERVE, d) || s.only_named))
			return "what is reserved is claimed only when named";
		if (!named && (class >> 8 == 0x05 || class >> 8 == 0x06 || class == 0x0c05))
			return "the platform is claimed only when named";
		for_each_device(&m, other) {
			if (ignores || other->group != d->group || other->decided.verdict == VERDICT_CLAIM ||
			    other->decided.verdict == VERDICT_ALREADY)
				continue;
			if (!oracle_stays(&m, other))
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
	return NULL;
}

static struct page lines, again;

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
 * One more entry that takes away or protects adds no claim. The contract itself has one exception: a host bridge that
 * was selected is a member like any other, and keeps its group back where it is refused, or held by a driver that may
 * not be taken off; excluded it is exempt again, and the group is claimed. The smallest cases:
 *
 *	00:00.0 8086:0001 0600 g1		ids = 8086:*
 *	00:01.0 8086:0002 0c03 g1		added: !00:00.0
 *
 *	00:00.0 8086:0001 0600 g1 drv=pci-stub	ids = 00:00.0 00:01.0
 *	00:01.0 8086:0002 0c03 g1		unbind = no
 *						added: !00:00.0
 */
static const char *check_more(const struct pair *p)
{
	static const char *const lists[] = { "ids=+!", "protect=", "reserve=" };
	static const char *const what[] = { "an exclusion adds no claim", "a protect entry adds no claim",
					    "a reserve entry adds no claim" };
	static bool was_claimed[PAIR_DEVICES], was_member[PAIR_DEVICES];
	unsigned n = (unsigned)(m.end - m.device);

	decide_pair(p, "");
	for (unsigned i = 0; i < n; i++) {
		was_claimed[i] =
			m.device[i].decided.verdict == VERDICT_CLAIM || m.device[i].decided.verdict == VERDICT_ALREADY;
		was_member[i] = oracle_keeps_back_as_member(&m, &m.device[i]);
	}
	for (unsigned list = 0; list < ARRAY_SIZE(lists); list++) {
		char more[PAIR_ENTRY + 32];

		snprintf(more, sizeof(more), " vfio-boot.%s%s", lists[list], p->extra);
		decide_pair(p, more);
		for (unsigned i = 0; i < n; i++) {
			const struct device *d = &m.device[i], *other;
			bool exception = false;

			if (was_claimed[i] ||
			    (d->decided.verdict != VERDICT_CLAIM && d->decided.verdict != VERDICT_ALREADY))
				continue;
			for_each_member(d->group, other)
				exception |= was_member[other - m.device] && other->asked.excluded;
			if (list || !exception)
				return what[list];
		}
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
			if (oracle_stays(&m, other) || is_wanted(other))
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
		broken = check_repeat();
	if (!broken)
		broken = check_order(&r);
	if (!broken)
		broken = check_more(p);
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
