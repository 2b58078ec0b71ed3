// SPDX-License-Identifier: GPL-2.0-or-later
/* vfio-boot collect: prints the machine as a fixture, for a bug report. The script that does it is in the program. */
#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "errtext.h"
#include "log.h"
#include "request.h"

/* The text of collect.sh, up to a NUL. */
__asm__(".section .rodata\n"
	"collect_script: .incbin \"src/host/collect.sh\"\n"
	"	.byte 0\n"
	"	.previous\n");
extern const char collect_script[];

int verb_collect(struct request *r)
{
	const char *root = r->ctx->argument[ARGUMENT_SYSROOT] ? r->ctx->argument[ARGUMENT_SYSROOT] : "/";

	if (chdir(root)) {
		say(&complaints, LEVEL_FAILED, "%s: %s", root, error_text(errno));
		return STATUS_FAILED;
	}
	/* The tools of the script end when their reader does, and say nothing. */
	signal(SIGPIPE, SIG_DFL);
	execl("/bin/sh", "sh", "-c", collect_script, "vfio-boot collect", ".", (char *)NULL);
	say(&complaints, LEVEL_FAILED, "/bin/sh: %s", error_text(errno));
	return STATUS_FAILED;
}
