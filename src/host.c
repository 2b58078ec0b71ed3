// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot: the program of the running system. Options and exit status. */
#include <stdio.h>
#include <string.h>

#include "json.h"
#include "status.h"

static struct job job;

static int usage(FILE *to)
{
	fputs("usage: vfio-boot plan [--next-boot | --now] [--json] [--sysroot DIR] [--cmdline TEXT] [-k VERSION]\n"
	      "       vfio-boot status [--json] [--sysroot DIR]\n"
	      "\n"
	      "plan    says what the next boot will do with each device that the settings select, and why\n"
	      "status  says what this boot did, and what has drifted since\n"
	      "\n"
	      "  --next-boot      what the next boot does (the default)\n"
	      "  --now            what a claim would do at this moment\n"
	      "  --json           as one JSON object, for programs\n"
	      "  --cmdline TEXT   with this kernel command line instead of that of this boot\n"
	      "  -k VERSION       with this kernel instead of the running one\n"
	      "  --sysroot DIR    DIR stands for /\n"
	      "\n"
	      "Exit status: 0 all is (to be) claimed, kept or excluded; 1 something is refused, failed, pending, absent\n"
	      "or has drifted; 2 wrong use or wrong settings; 3 the system failed.\n",
	      to);
	return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
	unsigned options;
	bool json = false, status;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")))
		return usage(stdout);
	status = argc > 1 && !strcmp(argv[1], "status");
	if (argc < 2 || (!status && strcmp(argv[1], "plan")))
		return usage(stderr);
	if (argc > 2 && !strcmp(argv[2], "--help"))
		return usage(stdout);
	for (char **word = argv + 2; *word && !json; word++) {
		json = !strcmp(*word, "--json");
		/* Close the gap: the options that are left are those of both programs. */
		for (char **to = word; json && *to; to++)
			to[0] = to[1];
	}
	options = decide_options(&job, argv + 2);
	if (options & ~(unsigned)(status ? 0 : OPTION_NOW | OPTION_NEXT_BOOT) ||
	    options == (OPTION_NOW | OPTION_NEXT_BOOT))
		return usage(stderr);
	job.phase = status || options & OPTION_NOW ? PHASE_NOW : PHASE_NEXT_BOOT;
	if (!decide_begin(&job))
		return STATUS_FAILED;
	if (status)
		return print_status(&job, json);
	return json ? print_json(&job) : print_plan(&job);
}
