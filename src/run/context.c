// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"
#include "errtext.h"
#include "listener.h"
#include "log.h"

struct context *context_shared(void)
{
	struct context *ctx = mmap(NULL, sizeof(*ctx), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ctx != MAP_FAILED)
		return ctx;
	say(&complaints, LEVEL_FAILED, "out of memory");
	_exit(STATUS_FAILED);
}

bool context_open(struct context *ctx)
{
	const char *name = ctx->argument[ARGUMENT_SYSROOT];

	ctx->root.sysroot = name != NULL;
	/* So that no link of the tree leads out of it. Who may not do this may not do much with what is outside either.
	 */
	if (!name || !chroot(name))
		name = "/";
	ctx->root.fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ctx->root.fd < 0)
		say(&complaints, LEVEL_FAILED, "%s: %s", name, error_text(errno));
	return ctx->root.fd >= 0;
}
