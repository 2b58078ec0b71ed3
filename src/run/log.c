// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "listener.h"
#include "log.h"
#include "settings.h"

static void complain(const struct listener *l, unsigned level, const char *text)
{
	struct text t;

	(void)l;
	(void)level;
	/* The line feed takes the place of the NUL, so that a truncated line gets one too. */
	text_set(&t, "vfio-boot: %s", text);
	t.p[t.len] = '\n';
	if (write(STDERR_FILENO, t.p, t.len + 1) < 0)
		return; /* there is nowhere else to write to */
}

const struct listener complaints = { complain };

static void say_to_kernel(const struct listener *listener, unsigned level, const char *text)
{
	const struct kernel_log *l = (const struct kernel_log *)listener;
	struct text t;
	int fd;

	if (l->settings->log == LOG_QUIET && level == LEVEL_DONE)
		return;
	/*
	 * Open it for each line: devkmsg_write() drops what one descriptor writes beyond 10 lines in 5 s. The kernel
	 * log ignores O_APPEND; a plain file in its place needs it.
	 */
	fd = openat(l->root, "dev/kmsg", O_WRONLY | O_APPEND | O_CLOEXEC);
	text_set(&t, "<%u>vfio-boot: %s", level, text);
	t.p[t.len] = '\n';
	if (fd < 0 || write(fd, t.p, t.len + 1) < 0)
		complain(listener, level, text);
	close(fd);
}

void kernel_log_init(struct kernel_log *l, int root, const struct settings *settings)
{
	l->listener.say = say_to_kernel;
	l->root = root;
	l->settings = settings;
}

int output_flush(struct output *o)
{
	unsigned at = 0;

	while (at < o->len && !o->error) {
		ssize_t put = write(o->fd, o->buf + at, o->len - at);

		if (put >= 0)
			at += (unsigned)put;
		else if (errno != EINTR)
			o->error = errno;
	}
	o->len = 0;
	return o->error;
}

static void say_to_output(const struct listener *listener, unsigned level, const char *text)
{
	struct output *o = (struct output *)(uintptr_t)listener; /* output_init() got it writable */
	unsigned len = (unsigned)strlen(text);

	(void)level;
	/* A line is shorter than TEXT_SIZE and always fits into an empty buffer. */
	if (o->len + len + 1 > sizeof(o->buf) && output_flush(o))
		return;
	memcpy(o->buf + o->len, text, len);
	o->len += len;
	o->buf[o->len++] = '\n';
}

void output_init(struct output *o, int fd)
{
	o->listener.say = say_to_output;
	o->fd = fd;
	o->error = 0;
	o->len = 0;
}
