// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "context.h"
#include "errtext.h"
#include "format.h"
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

void context_begin_machine(struct context *ctx)
{
	struct machine *m = &ctx->machine;

	machine_init(m, &ctx->settings, ctx->phase);
	m->settle = ctx->settle;
	m->late = ctx->argument[ARGUMENT_LATE] || ctx->argument[ARGUMENT_REBOUND];
	m->read_all = ctx->read_all;
}

struct context *context_again(const struct context *ctx)
{
	struct context *again = context_shared();

	memcpy(again, ctx, offsetof(struct context, decided));
	again->left_out_off = ctx->left_out_off;
	/* What the settings point to in the old context is only read. */
	settings_copy(&again->settings, &ctx->settings);
	context_begin_machine(again);
	again->buffers.cmdline_used = ctx->buffers.cmdline_used;
	return again;
}

int context_open(struct context *ctx)
{
	const char *name = ctx->argument[ARGUMENT_SYSROOT], *release = ctx->argument[ARGUMENT_RELEASE];
	struct text t;

	ctx->root.sysroot = name != NULL;
	/*
	 * chroot() keeps the links of the tree inside it. A user who may not chroot() may not do much outside of it
	 * either.
	 */
	if (!name || !chroot(name))
		name = "/";
	ctx->root.fd = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (ctx->root.fd < 0) {
		say(&complaints, LEVEL_FAILED, "%s: %s", name, error_text(errno));
		return STATUS_FAILED;
	}
	if (release && faccessat(ctx->root.fd, text_set(&t, "lib/modules/%s", release), F_OK, 0)) {
		say(&complaints, LEVEL_FAILED, "-k %s: this kernel is not installed: there is no /%s", release, t.p);
		return STATUS_WRONG;
	}
	return 0;
}
