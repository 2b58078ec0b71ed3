// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot: the program of the running system. Reads the verb and its options, prints help, runs the verb. */
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "export.h"
#include "format.h"
#include "listener.h"
#include "listing.h"
#include "log.h"
#include "pci_names.h"
#include "request.h"
#include "terminal.h"

#define ANY_WORDS 1000

struct verb {
	const char *name;
	int (*run)(struct request *r);
	unsigned options;
	unsigned min, max; /* number of words */
	const char *words; /* as in the usage */
	const char *does;
	bool names; /* it may print names of devices, so it needs their database */
};

static const struct verb verbs[] = {
	{ "setup", verb_setup, OPTION_YES | OPTION_NO_REBUILD | OPTION_NEWEST | OPTION_REBOOT, 0, ANY_WORDS,
	  "[SELECTOR|TEXT...]", "ask which card a guest should have, and do all that is needed, up to the reboot",
	  true },
	{ "list", verb_list, OPTION_JSON | OPTION_VERBOSE | OPTION_FLAT | OPTION_DOMAINS | OPTION_ALL | OPTION_OUTPUT,
	  0, ANY_WORDS, "[SELECTOR|TEXT...]",
	  "every device by IOMMU group: what hangs on it, who needs it, and whether a guest can have it", true },
	{ "plan", verb_plan,
	  OPTION_JSON | OPTION_NOW | OPTION_NEXT_BOOT | OPTION_KERNEL | OPTION_CMDLINE | OPTION_NO_IMAGE |
		  OPTION_SETTINGS,
	  0, 0, "", "what the next boot will do with each device that the settings select, and why", false },
	{ "explain", verb_explain,
	  OPTION_JSON | OPTION_NOW | OPTION_NEXT_BOOT | OPTION_KERNEL | OPTION_CMDLINE | OPTION_NO_IMAGE, 1, ANY_WORDS,
	  "DEVICE...", "why a device gets its verdict, rule by rule, with the lines that name it", true },
	{ "add", verb_add,
	  OPTION_JSON | OPTION_WHOLE | OPTION_FORCE | OPTION_AS_WRITTEN | OPTION_NO_REBUILD | OPTION_NEWEST |
		  OPTION_VFS,
	  1, ANY_WORDS, "SELECTOR...", "select one more for the next boot, and rebuild the images", true },
	{ "remove", verb_remove, OPTION_JSON | OPTION_WHOLE | OPTION_FORCE | OPTION_NO_REBUILD | OPTION_NEWEST, 1,
	  ANY_WORDS, "SELECTOR...", "take it out of the settings again, and rebuild the images", false },
	{ "claim", verb_claim, OPTION_JSON | OPTION_WHOLE | OPTION_VFS, 1, ANY_WORDS, "DEVICE...",
	  "give devices to vfio-pci now, by the same rules as at boot", false },
	{ "release", verb_release, OPTION_JSON | OPTION_TAKE_VFS, 1, ANY_WORDS, "DEVICE...",
	  "give devices, with their IOMMU groups, back to their own drivers now", false },
	{ "status", verb_status, OPTION_JSON, 0, 0, "", "what this boot did, and what has drifted since", false },
	{ "doctor", verb_doctor, OPTION_JSON | OPTION_KERNEL | OPTION_IMAGE, 0, 0, "",
	  "whether firmware, kernel, image and settings are ready, and what to fix", false },
	{ "export", verb_export, OPTION_FORCE | OPTION_IOMMUFD | OPTION_BUS, 1, ANY_WORDS, "FORMAT [DEVICE...]",
	  "what that program needs to be given these devices, or all that vfio drivers hold", true },
	{ "import", verb_import, OPTION_JSON | OPTION_FORCE | OPTION_NO_REBUILD | OPTION_NEWEST | OPTION_APPLY, 0,
	  ANY_WORDS, "[FILE...]", "old ids= lines, aliases and overrides for vfio-pci as settings", false },
	{ "protect", verb_protect, OPTION_PRINT, 0, 0, "", "write down what this host lives on, which is never claimed",
	  true },
	{ "collect", verb_collect, 0, 0, 0, "", "this machine as text, for a bug report, without what is private",
	  false },
};

/* In the order of the bits OPTION_*. */
static const struct {
	struct option option;
	const char *argument;
	const char *does;
} options[] = {
	{ { "json", 0, NULL, 0 }, "", "as one JSON object, for programs" },
	{ { "now", 0, NULL, 0 }, "", "what a claim would do at this moment" },
	{ { "next-boot", 0, NULL, 0 }, "", "what the next boot does (the default)" },
	{ { "verbose", 0, NULL, 'v' }, "", "more about each device" },
	{ { "flat", 0, NULL, 0 }, "", "a table, one line per device" },
	{ { "domains", 0, NULL, 'D' }, "", "always show the domain in a bus index" },
	{ { "whole", 0, NULL, 0 }, "", "the rest of the IOMMU groups too" },
	{ { "force", 0, NULL, 0 }, "", "even if it would be refused" },
	{ { "no-rebuild", 0, NULL, 0 }, "", "leave the images of the initramfs as they are" },
	{ { "as-written", 0, NULL, 0 }, "", "write the selectors as they are, instead of guarded paths" },
	{ { "print", 0, NULL, 0 }, "", "print it instead of writing it" },
	{ { "kernel", 1, NULL, 'k' }, " VERSION", "with this kernel instead of the running one" },
	{ { "cmdline", 1, NULL, 0 }, " TEXT", "with this kernel command line instead of that of this boot" },
	{ { "no-image", 0, NULL, 0 }, "", "as if the image had these settings" },
	{ { "image", 0, NULL, 0 }, "", "only whether the image is right: silent if it is" },
	{ { "newest", 0, NULL, 0 }, "", "rebuild the image of the newest kernel alone" },
	{ { "vfs", 1, NULL, 0 }, " N", "N virtual functions of it, instead of itself" },
	{ { "remove-vfs", 0, NULL, 0 }, "", "take all virtual functions of it away" },
	{ { "all", 0, NULL, 'a' }, "", "bridges too, and nothing cut" },
	{ { "output", 1, NULL, 'o' }, " COLUMNS", "a table of these columns; +COLUMNS adds them to those of --flat" },
	{ { "yes", 0, NULL, 'y' }, "", "ask nothing, and go on" },
	{ { "reboot", 0, NULL, 0 }, "", "reboot when all is done" },
	{ { "iommufd", 0, NULL, 0 }, "", "by /dev/iommu (qemu, libvirt, udev)" },
	{ { "bus", 1, NULL, 0 }, " N", "each card in one piece, from this free bus of the guest on (libvirt)" },
	{ { "settings", 1, NULL, 0 }, " FILE", "with this file instead of the settings files (- is standard input)" },
	{ { "apply", 0, NULL, 0 }, "", "add these settings, and rebuild the images" },
};

/* All verbs have these. Their numbers follow those of options[]. */
#define OPTION_SYSROOT ARRAY_SIZE(options)
#define OPTION_HELP    (ARRAY_SIZE(options) + 1)
/* getopt_long() returns an option without a letter as its number plus this. No letter is that large. */
#define LONG_OPTION 256

static struct context context;

/* Returns the exit status after help. On standard error it is the answer to wrong use. */
static int help_status(FILE *to)
{
	if (to != stdout)
		return STATUS_WRONG;
	return cannot_print() ? STATUS_FAILED : 0;
}

/* The width of a help, and the columns where its texts begin. */
#define HELP_WIDTH    80
#define VERB_COLUMN   24
#define OPTION_COLUMN 25

/* Prints a text from `column` on, where the line is already, and breaks it at blanks. */
static void print_at(FILE *to, size_t column, const char *text)
{
	char below[HELP_WIDTH];

	snprintf(below, sizeof(below), "%*s", (int)column, "");
	print_wrapped(to, HELP_WIDTH, column, below, text);
}

static int help(FILE *to)
{
	fprintf(to, "usage: vfio-boot VERB [OPTION...] [WORD...]\n\n");
	for (const struct verb *v = verbs; v < verbs + ARRAY_SIZE(verbs); v++) {
		int len = fprintf(to, "  %-7s %-13s", v->name, v->words);

		if (len < VERB_COLUMN)
			fputc(' ', to);
		else
			fprintf(to, "\n%*s", VERB_COLUMN, "");
		print_at(to, VERB_COLUMN, v->does);
	}
	fprintf(to, "\nvfio-boot VERB --help lists the options of a verb. See also vfio-boot(8).\n"
		    "DEVICE is any selector: 0000:03:00.0, 03:00, 0000:00:1c.0/00.0, 10de:2204,\n"
		    "class:03, boot-vga.\n\n"
		    "Exit status: 0 all is (to be) claimed, kept or excluded; 1 something is refused,\n"
		    "failed, pending, absent or has drifted; 2 wrong use or wrong settings; 3 the\n"
		    "system failed.\n");
	return help_status(to);
}

/* Completion and tests read the usage up to the first empty line. */
static void print_usage(const struct verb *v, FILE *to)
{
	char usage[2 * HELP_WIDTH];
	int column = snprintf(usage, sizeof(usage), "usage: vfio-boot %s [OPTION...] ", v->name);

	fputs(usage, to);
	print_at(to, (size_t)column, v->words);
}

static int verb_help(const struct verb *v, FILE *to)
{
	print_usage(v, to);
	fputc('\n', to);
	print_at(to, 0, v->does);
	fputc('\n', to);
	for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
		char names[40];

		if (!(v->options >> i & 1))
			continue;
		snprintf(names, sizeof(names), options[i].option.val ? "-%c, --%s%s" : "%c   --%s%s",
			 options[i].option.val ? options[i].option.val : ' ', options[i].option.name,
			 options[i].argument);
		fprintf(to, "  %-22s ", names);
		print_at(to, OPTION_COLUMN, options[i].does);
	}
	fprintf(to, "  %-22s %s\n", "    --sysroot DIR", "DIR stands for /");
	if (v->run == verb_list) {
		fprintf(to, "\n");
		print_columns(to);
	}
	if (v->run == verb_export) {
		fprintf(to, "\n");
		print_formats(to);
	}
	return help_status(to);
}

static const struct verb *find_verb(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(verbs); i++) {
		if (!strcmp(verbs[i].name, name))
			return &verbs[i];
	}
	return NULL;
}

static int wrong_use(const struct verb *v, const char *word, const char *what)
{
	say(&complaints, LEVEL_FAILED, "%s: %s: %s (vfio-boot %s --help)", v->name, word, what, v->name);
	return STATUS_WRONG;
}

/*
 * Returns the option that getopt_long() has just returned, as the user wrote it. It is not always in the word before
 * optind: several letters may share a word.
 */
static const char *written_as(struct text *t, char **argv, int found)
{
	int letter = found == '?' ? optopt : found;

	if (letter > 0 && letter < LONG_OPTION)
		return text_set(t, "-%.*s", 1, &(const char){ (char)letter });
	if (found != '?')
		return text_set(t, "--%s", options[found - LONG_OPTION].option.name);
	return argv[optind - 1];
}

/* Returns the number of the option that getopt_long() returned as `found`, or a larger one if it is unknown. */
static unsigned option_number(int found)
{
	if (found == 'h')
		return OPTION_HELP;
	for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
		if (found == options[i].option.val)
			return i;
	}
	return (unsigned)found - LONG_OPTION;
}

/* Stores an option and its argument. Returns false if the verb has no such option. */
static bool take_option(const struct verb *v, struct request *r, unsigned number)
{
	if (number == OPTION_SYSROOT) {
		context.argument[ARGUMENT_SYSROOT] = optarg;
		return true;
	}
	if (number >= ARRAY_SIZE(options) || !(v->options >> number & 1))
		return false;
	if (1U << number == OPTION_KERNEL)
		context.argument[ARGUMENT_RELEASE] = optarg;
	else if (1U << number == OPTION_CMDLINE)
		context.argument[ARGUMENT_CMDLINE] = optarg;
	else if (1U << number == OPTION_VFS)
		r->vfs = optarg;
	else if (1U << number == OPTION_OUTPUT)
		r->columns = optarg;
	else if (1U << number == OPTION_BUS)
		r->bus = optarg;
	else if (1U << number == OPTION_SETTINGS)
		r->settings = optarg;
	r->options |= 1U << number;
	return true;
}

/*
 * Takes the word at which getopt_long() stopped, or all words after "--". Returns false at the end. Options may follow
 * a word, because no selector begins with a dash.
 */
static bool take_words(struct request *r, int argc, char **argv)
{
	if (optind >= argc)
		return false;
	if (strcmp(argv[optind - 1], "--") != 0) {
		r->word[r->words++] = argv[optind++];
		return true;
	}
	while (optind < argc)
		r->word[r->words++] = argv[optind++];
	return false;
}

/* Somebody who types `add` at a terminal and nothing more wants to be asked. */
static const struct verb *verb_to_ask(const struct verb *v, const struct request *r)
{
	const struct verb *setup = find_verb("setup");

	return v->run == verb_add && !r->words && !(r->options & ~setup->options) && isatty(STDIN_FILENO) &&
			       isatty(STDOUT_FILENO)
		       ? setup
		       : v;
}

/* Checks a request as a whole. Returns 0, or an exit status after a message. */
static int check_request(const struct verb *v, const struct request *r)
{
	if (r->words < v->min)
		return wrong_use(v, v->words, "is missing");
	if (r->words > v->max)
		return wrong_use(v, r->word[v->max], "unexpected argument");
	if (asked(r, OPTION_NOW) && asked(r, OPTION_NEXT_BOOT))
		return wrong_use(v, "--now", "not allowed with --next-boot");
	if (asked(r, OPTION_VERBOSE) && asked(r, OPTION_FLAT | OPTION_OUTPUT))
		return wrong_use(v, "-v", "not allowed with --flat or --output (choose its columns)");
	if (asked(r, OPTION_OUTPUT) && asked(r, OPTION_JSON))
		return wrong_use(v, "--output", "not allowed with --json");
	if (asked(r, OPTION_APPLY) && asked(r, OPTION_JSON))
		return wrong_use(v, "--apply", "not allowed with --json");
	if (asked(r, OPTION_IMAGE) && asked(r, OPTION_JSON))
		return wrong_use(v, "--image", "not allowed with --json");
	if (asked(r, OPTION_TAKE_VFS) && asked(r, OPTION_JSON))
		return wrong_use(v, "--remove-vfs", "not allowed with --json");
	return 0;
}

/*
 * Reads the options and words of a verb into *r and the context. Returns 0, -1 for --help, or an exit status after a
 * message.
 */
static int read_request(const struct verb *v, struct request *r, int argc, char **argv)
{
	struct option longs[ARRAY_SIZE(options) + 3] = { 0 };
	struct text t;
	int found;

	for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
		longs[i] = options[i].option;
		longs[i].val = (int)i + LONG_OPTION;
	}
	longs[OPTION_SYSROOT] = (struct option){ "sysroot", 1, NULL, OPTION_SYSROOT + LONG_OPTION };
	longs[OPTION_HELP] = (struct option){ "help", 0, NULL, OPTION_HELP + LONG_OPTION };
	opterr = 0;
	while ((found = getopt_long(argc, argv, "+:vDayk:o:h", longs, NULL)) != -1 || take_words(r, argc, argv)) {
		if (found == -1)
			continue;
		if (found == ':')
			return wrong_use(v, argv[optind - 1], "it requires an argument");
		if (option_number(found) == OPTION_HELP)
			return -1;
		if (!take_option(v, r, option_number(found)))
			return wrong_use(v, written_as(&t, argv, found), "not an option of this verb");
	}
	r->word[r->words] = NULL;
	return 0;
}

/* What whoever started us may have left to us in another state than we need. */
static void settle_process(void)
{
	/* The reader of our output may exit (`| head`). A write then fails with EPIPE instead of ending the program. */
	signal(SIGPIPE, SIG_IGN);
	/* Without standard input, the first file that is opened would take its place, and be read as an answer. */
	if (fcntl(STDIN_FILENO, F_GETFD) < 0)
		(void)!open("/dev/null", O_RDONLY);
	/* If the parent has left SIGCHLD ignored, the kernel reaps our children, and waitpid() fails. */
	signal(SIGCHLD, SIG_DFL);
}

static int run(const struct verb *v, struct request *r)
{
	int status;

	terminal_init();
	/* With --sysroot, the database of this system is out of reach later. */
	if (v->names && context.argument[ARGUMENT_SYSROOT])
		pci_names_open();
	status = request_settings(r);
	/* The script of collect needs the shell of this system. */
	if (!status && v->run != verb_collect)
		status = context_open(&context);
	return status ? status : v->run(r);
}

int main(int argc, char **argv)
{
	static char *words[ANY_WORDS + 2];
	struct request r = { .ctx = &context, .word = words };
	const struct verb *v;
	int status;

	settle_process();
	if (argc < 2)
		return help(stderr);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		v = argc > 2 ? find_verb(argv[2]) : NULL;
		return v ? verb_help(v, stdout) : help(stdout);
	}
	if (!strcmp(argv[1], "--version")) {
		puts("vfio-boot " VERSION);
		return help_status(stdout);
	}
	v = find_verb(argv[1]);
	if (!v) {
		say(&complaints, LEVEL_FAILED, "%s: no such verb (vfio-boot --help)", argv[1]);
		return STATUS_WRONG;
	}
	if (argc > ANY_WORDS)
		return wrong_use(v, argv[ANY_WORDS], "unexpected argument");
	r.verb = v->name;
	status = read_request(v, &r, argc - 1, argv + 1);
	if (!status) {
		v = verb_to_ask(v, &r);
		status = check_request(v, &r);
	}
	if (status)
		return status > 0 ? status : verb_help(v, stdout);
	return run(v, &r);
}
