// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot setup: from "which one?" to a reboot, in one conversation. It writes by `add`, and decides nothing. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "doctor.h"
#include "format.h"
#include "image_judge.h"
#include "listener.h"
#include "log.h"
#include "offers.h"
#include "pci_names.h"
#include "plan_log.h"
#include "terminal.h"

struct setup {
	struct request *r;
	struct inventory v;
	struct offers offers;
	bool taken[DEVICES_MAX]; /* of each offer: it is chosen */
	char line[1000];	 /* what was typed last */
};

static int nothing_done(void)
{
	say(&complaints, LEVEL_DONE, "nothing was changed");
	return 1;
}

/* Prints a paragraph for people. */
static void tell(const char *text)
{
	print_wrapped(stdout, terminal_width(), 0, "", text);
}

/* Nobody types a longer line. */
static void skip_rest(const struct setup *s)
{
	int c;

	if (strchr(s->line, '\n'))
		return;
	while ((c = getchar()) != EOF && c != '\n')
		;
}

/* Asks, and reads a line to s->line, without its line feed and blanks around it. Returns false at the end of the input.
 */
static bool ask(struct setup *s, const char *question)
{
	char *end, *start;

	printf("%s%s%s ", style(BOLD), question, style(PLAIN));
	fflush(stdout);
	if (!fgets(s->line, sizeof(s->line), stdin)) {
		puts("(the input ended)");
		return false;
	}
	skip_rest(s);
	if (!isatty(STDIN_FILENO))
		fputs(s->line, stdout);
	start = s->line + strspn(s->line, " \t");
	memmove(s->line, start, strlen(start) + 1);
	for (end = s->line + strlen(s->line); end > s->line && strchr(" \t\r\n", end[-1]); end--)
		end[-1] = '\0';
	return true;
}

/* Asks until the answer is yes or no. --yes answers it. The end of the input, and nothing at all, are no. */
static bool confirm(struct setup *s, const char *question)
{
	if (asked(s->r, OPTION_YES)) {
		printf("%s%s%s yes\n", style(BOLD), question, style(PLAIN));
		return true;
	}
	/* What was typed or pasted before this was asked is no answer to it. */
	tcflush(STDIN_FILENO, TCIFLUSH);
	while (ask(s, question)) {
		if (!strcasecmp(s->line, "y") || !strcasecmp(s->line, "yes"))
			return true;
		if (!*s->line || strchr("nNqQ", *s->line))
			return false;
		tell("Please type y or n.");
	}
	return false;
}

/* --- which one ---------------------------------------------------------------------------------------------------- */

static bool is_offered(const struct offer *o)
{
	return offer_is_free(o) && !o->platform;
}

#define for_each_offer(s, o) for ((o) = (s)->offers.offer; (o) < (s)->offers.offer + (s)->offers.count; (o)++)

/*
 * Prints the offers that are chosen, or without a choice all but the dull ones; what can be had first. The numbers are
 * the same in each list. Returns how many they are.
 */
static unsigned print_offers(const struct setup *s, const bool *chosen)
{
	unsigned shown = 0;

	for (unsigned pass = 0; pass < 2; pass++) {
		const struct offer *o;
		unsigned number = 0;

		for_each_offer(s, o) {
			bool offered = is_offered(o);

			number += offered;
			if (offered != !pass ||
			    (chosen ? !offer_is_chosen(o, &s->v, chosen) : o->platform || (o->ready && o->claimed)))
				continue;
			offer_print(o, &s->v, offered ? number : 0);
			shown++;
		}
	}
	return shown;
}

/* Prints the words that mean an offer, for a command. */
static void print_addresses(const struct offer *o)
{
	for (unsigned i = 0; i < o->members; i++)
		printf(" %s", o->member[i]->name);
}

/* A machine with PCI Express. */
#ifdef __aarch64__
#define QEMU "qemu-system-aarch64 -machine virt"
#else
#define QEMU "qemu-system-x86_64 -machine q35"
#endif

/* Begins the command that starts a guest with this terminal as its console; the addresses and ")" end it. */
static void begin_command(void)
{
	printf("    sudo " QEMU " -accel kvm -cpu host -m 4G -nographic \\\n        $(sudo vfio-boot export qemu");
}

static void print_ready(const struct setup *s)
{
	const struct offer *o;
	bool first = true;

	for_each_offer(s, o) {
		if (!o->ready)
			continue;
		if (first)
			tell("A guest can have now:");
		first = false;
		offer_print(o, &s->v, 0);
		begin_command();
		print_addresses(o);
		puts(")");
	}
	if (!first)
		putchar('\n');
}

/* Says why an offer cannot be taken, and what can be had instead. */
static void say_denied(const struct setup *s, const struct offer *o)
{
	const struct offer *other;
	bool any = false;
	struct text t;

	if (o->claimed) {
		tell(say_image(s->v.next, &complaints)
			     ? text_set(&t, "%s is selected, but the image has to be built.", o->first->name)
			     : text_set(&t, "%s needs nothing more: %s.", o->first->name,
					o->ready ? "a guest can have it now" : "the next boot claims it"));
		return;
	}
	tell(text_set(&t, "You cannot have %s: %s", o->first->name, o->why));
	for_each_offer(s, other) {
		char name[NAME_SIZE];

		if (!is_offered(other) || base_class(other->first) != base_class(o->first))
			continue;
		any = true;
		print_wrapped(stdout, terminal_width(), 0, "  ",
			      text_set(&t, "You can have %s  %s", other->first->name, device_name(name, other->first)));
	}
	if (!any)
		tell("Nothing of its class can be had. vfio-boot setup alone shows what can.");
}

/* Takes the offers in which something is chosen. Returns false, after a message, if none of them can be taken. */
static bool take_chosen(struct setup *s, const bool chosen[DEVICES_MAX])
{
	bool any = false;

	for (unsigned i = 0; i < s->offers.count; i++) {
		const struct offer *o = &s->offers.offer[i];

		if (!offer_is_chosen(o, &s->v, chosen))
			continue;
		if (offer_is_free(o))
			any = s->taken[i] = true;
		else
			say_denied(s, o);
	}
	return any;
}

/* Returns the offer of a number that print_offers() has shown, or NULL. */
static const struct offer *find_number(const struct setup *s, unsigned long number)
{
	const struct offer *o;

	for_each_offer(s, o) {
		if (is_offered(o) && !--number)
			return o;
	}
	return NULL;
}

/*
 * Takes a list of numbers: "2", "1 3", "1,3". Returns false if it is something else, such as a number that was not
 * shown: it may be part of a name.
 */
static bool take_numbers(struct setup *s)
{
	bool taken[DEVICES_MAX];
	char *p = s->line;

	memcpy(taken, s->taken, sizeof(taken));
	do {
		const struct offer *o = *p >= '0' && *p <= '9' ? find_number(s, strtoul(p, &p, 10)) : NULL;

		if (!o || (*p && !strchr(", ", *p)))
			return false;
		taken[o - s->offers.offer] = true;
		p += strspn(p, ", ");
	} while (*p);
	memcpy(s->taken, taken, sizeof(taken));
	return true;
}

static unsigned count_chosen(const struct setup *s, const bool chosen[DEVICES_MAX])
{
	const struct offer *o;
	unsigned n = 0;

	for_each_offer(s, o)
		n += offer_is_chosen(o, &s->v, chosen);
	return n;
}

/* Looks for what was typed: a device that it names is taken, several are shown. Returns true if one was taken. */
static bool search(struct setup *s)
{
	static bool chosen[DEVICES_MAX];
	char *const words[] = { s->line, NULL };

	if (choose_by_words(&s->v, words, chosen))
		tell("Type a number of the list, or another word; Enter alone shows the list again.");
	else if (count_chosen(s, chosen) == 1)
		return take_chosen(s, chosen);
	else if (!print_offers(s, chosen))
		tell("Nothing of that can be given to a guest by itself.");
	return false;
}

/* Asks which one, until one is taken. Returns false if the user has had enough. */
static bool ask_which(struct setup *s)
{
	for (;;) {
		if (!ask(s, "Which one should a virtual machine have? (number, word to search, q)") ||
		    !strcasecmp(s->line, "q") || !strcasecmp(s->line, "quit"))
			return false;
		if (!*s->line)
			print_offers(s, NULL);
		else if (take_numbers(s) || search(s))
			return true;
	}
}

static bool has_virtual(const struct setup *s, const bool chosen[DEVICES_MAX])
{
	const struct device *d;

	for_each_device(&s->v.now->machine, d) {
		if (chosen[d - s->v.now->machine.device] && d->found.virtual)
			return true;
	}
	return false;
}

/* Returns true if the settings select all of the one offer in which something is chosen. */
static bool is_selected(const struct setup *s, const bool chosen[DEVICES_MAX])
{
	const struct offer *o;

	for_each_offer(s, o) {
		if (offer_is_chosen(o, &s->v, chosen))
			return o->claimed;
	}
	return false;
}

static bool any_taken(const struct setup *s)
{
	for (unsigned i = 0; i < s->offers.count; i++) {
		if (s->taken[i])
			return true;
	}
	return false;
}

/*
 * Takes what a word of the command line means: one offer, or one that is selected already. Returns 0, or an exit status
 * after a message.
 */
static int take_word(struct setup *s, char *word, bool *several)
{
	static bool chosen[DEVICES_MAX];
	char *const one[] = { word, NULL };
	unsigned n;
	int status = choose_by_words(&s->v, one, chosen);

	if (status)
		return status;
	n = count_chosen(s, chosen);
	if (n == 1)
		return take_chosen(s, chosen) || is_selected(s, chosen) ? 0 : 1;
	print_offers(s, chosen);
	*several |= n > 1;
	if (n && !asked(s->r, OPTION_YES))
		return 0;
	if (n)
		say(&complaints, LEVEL_REFUSED, "%s: that means %u cards (name each by its bus index)", word, n);
	else
		say(&complaints, LEVEL_REFUSED, "%s: nothing of that can be given to a guest by itself (%s)", word,
		    has_virtual(s, chosen) ? "a virtual function: see vfio-boot claim, and add --vfs"
					   : "vfio-boot setup alone shows what can");
	return 1;
}

/* Takes what the words mean, and asks if one means several offers. Returns 0, or an exit status after a message. */
static int take_words(struct setup *s)
{
	bool several = false;

	for (char **word = s->r->word; *word; word++) {
		int status = take_word(s, *word, &several);

		if (status)
			return status;
	}
	return (several ? ask_which(s) : any_taken(s)) ? 0 : 1;
}

/* Returns 0 if something was chosen, or an exit status after a message. */
static int choose_offers(struct setup *s)
{
	unsigned offered = 0;

	for (unsigned i = 0; i < s->offers.count; i++)
		offered += is_offered(&s->offers.offer[i]);
	print_ready(s);
	if (s->r->words)
		return take_words(s);
	tell("The cards of this machine. What has a number can be given to a guest, together with what stands below it.");
	print_offers(s, NULL);
	putchar('\n');
	if (!offered) {
		tell("There is nothing more on this machine that a guest could have.");
		return 1;
	}
	return ask_which(s) ? 0 : 1;
}

/* --- what it costs ------------------------------------------------------------------------------------------------ */

static void print_plan_of_change(const struct setup *s)
{
	unsigned n = 0;
	struct text t;

	for (unsigned i = 0; i < s->offers.count; i++)
		n += s->taken[i] ? s->offers.offer[i].members : 0;
	putchar('\n');
	tell(n == 1 ? "From the next boot on this device is for a guest, and the host does without:"
		    : text_set(&t, "From the next boot on these %u devices are for a guest, and the host does without:",
			       n));
	for (unsigned i = 0; i < s->offers.count; i++) {
		if (s->taken[i])
			offer_print_loss(&s->offers.offer[i], &s->v);
	}
	putchar('\n');
}

/* --- the change --------------------------------------------------------------------------------------------------- */

/* Makes the words for `add`: each function by its address. */
static void request_add(const struct setup *s, struct request *add)
{
	static char *words[DEVICES_MAX + 1];

	add->words = 0;
	for (unsigned i = 0; i < s->offers.count; i++) {
		const struct offer *o = &s->offers.offer[i];

		for (unsigned k = 0; s->taken[i] && k < o->members; k++)
			words[add->words++] = (char *)o->member[k]->name;
	}
	words[add->words] = NULL;
	add->word = words;
}

/*
 * Writes the settings and builds the images. Ctrl-C and a terminal that goes away do not stop it half way: what this
 * process ignores, its children ignore too.
 */
static int change(const struct setup *s)
{
	static const int signals[] = { SIGINT, SIGQUIT, SIGHUP, SIGTERM };
	static struct context ctx;
	struct request add = { .ctx = &ctx,
			       .verb = "add",
			       .options = s->r->options & (OPTION_NO_REBUILD | OPTION_NEWEST) };
	void (*before[ARRAY_SIZE(signals)])(int);
	int status;

	context_like(&ctx, s->r->ctx);
	request_add(s, &add);
	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		before[i] = signal(signals[i], SIG_IGN);
	status = verb_add(&add);
	for (unsigned i = 0; i < ARRAY_SIZE(signals); i++)
		signal(signals[i], before[i]);
	return status;
}

/* Says how long it takes. */
static void say_building(const struct setup *s)
{
	static struct kernels k;
	struct text t;

	if (asked(s->r, OPTION_NO_REBUILD))
		return;
	kernels_find(&k, &s->r->ctx->root);
	tell(k.n < 2 || asked(s->r, OPTION_NEWEST)
		     ? "An image takes a minute or two, and is not to be interrupted."
		     : text_set(&t, "Each of the %u images takes a minute or two, and is not to be interrupted.", k.n));
}

/* Says what to type after the reboot, to copy. */
static void say_next(const struct setup *s)
{
	tell("\nAfter the reboot:");
	puts("    sudo vfio-boot status");
	begin_command();
	for (unsigned i = 0; i < s->offers.count; i++) {
		if (s->taken[i])
			print_addresses(&s->offers.offer[i]);
	}
	puts(")");
	tell("This starts a guest with this terminal as its console (Ctrl-A X ends it). Add its disk: -drive file=FILE. "
	     "For libvirt, Proxmox VE and others: vfio-boot export --help");
}

static int reboot_now(struct setup *s)
{
	bool wanted = asked(s->r, OPTION_REBOOT);

	if (asked(s->r, OPTION_NO_REBUILD) || s->r->ctx->root.sysroot)
		return 0;
	if (!wanted && asked(s->r, OPTION_YES))
		return 0;
	if (!wanted && !confirm(s, "\nReboot now? [y/N]"))
		return 0;
	fflush(NULL);
	execlp("systemctl", "systemctl", "reboot", (char *)NULL);
	execlp("reboot", "reboot", (char *)NULL);
	say(&complaints, LEVEL_FAILED, "neither systemctl nor reboot can be started (reboot by hand)");
	return STATUS_FAILED;
}

/* The conversation. Returns the exit status. */
static int converse(struct setup *s)
{
	int status = choose_offers(s);

	if (status) {
		nothing_done();
		return status;
	}
	print_plan_of_change(s);
	if (!confirm(s, asked(s->r, OPTION_NO_REBUILD)
				? "Go on? It writes the settings. [y/N]"
				: "Go on? It writes the settings and builds the images of the initramfs. [y/N]"))
		return nothing_done();
	say_building(s);
	status = change(s);
	if (status)
		return status;
	say_next(s);
	return reboot_now(s);
}

/* Returns 0, or an exit status after a message if nothing could come of it. */
static int check_first(struct setup *s)
{
	struct root *root = &s->r->ctx->root;

	if (s->v.next->settings.problems) {
		say_problems(&s->v.next->machine, &complaints);
		say(&complaints, LEVEL_FAILED, "the settings have errors (correct them first)");
		return STATUS_WRONG;
	}
	if (s->v.next->machine.no_claim_reason || s->v.next->settings.list[LIST_IDS].replaced) {
		say(&complaints, LEVEL_REFUSED,
		    "setup: the next boot claims nothing of what is written: %s (remove that first)",
		    s->v.next->machine.no_claim_reason ? s->v.next->machine.no_claim_reason
						       : "the kernel command line has its own list of ids");
		return 1;
	}
	if (faccessat(root->fd, "etc", W_OK, 0) && errno != ENOENT) {
		say(&complaints, LEVEL_FAILED, "setup: /etc: %s (%s)", strerror(errno),
		    errno == EROFS ? "make it writable first" : "sudo vfio-boot setup");
		return STATUS_FAILED;
	}
	if (!doctor_say_machine(s->v.next))
		return 0;
	tell("No guest can have a device before that is done. Reboot then, and type vfio-boot setup again.");
	return 1;
}

int verb_setup(struct request *r)
{
	static struct setup s;
	int status;

	s.r = r;
	/* In a log, answers and complaints stand behind their questions. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (asked(r, OPTION_YES) && !r->words) {
		say(&complaints, LEVEL_FAILED, "setup: --yes: SELECTOR is missing, since nobody is asked which one");
		return STATUS_WRONG;
	}
	if (!inventory_open(&s.v, r))
		return STATUS_FAILED;
	status = check_first(&s);
	if (!status) {
		offers_find(&s.offers, &s.v);
		status = converse(&s);
		offers_free(&s.offers);
	}
	inventory_close(&s.v);
	return cannot_print() ? STATUS_FAILED : status;
}
