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
	/* The last byte for the line feed, also of a line that was cut. */
	text_set(&t, "vfio-boot: %s", text);
	t.p[t.len] = '\n';
	if (write(STDERR_FILENO, t.p, t.len + 1) < 0)
		return; /* whom to tell? */
}

const struct listener complaints = { complain };

static void say_to_kernel(const struct listener *listener, unsigned level, const char *text)
{
	const struct kernel_log *l = (const struct kernel_log *)listener;
	struct text t;
	int fd;

	if (l->settings->log == LOG_QUIET && level == LEVEL_DONE)
		return;
	/* Opened for each line: devkmsg_write() drops what one descriptor writes beyond 10 lines in 5 s. O_APPEND means
	 * nothing to the kernel log; it lets a plain file stand for it. */
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
	struct output *o = (struct output *)(uintptr_t)listener; /* its own, made by output_init() */
	unsigned len = (unsigned)strlen(text);

	(void)level;
	/* A line is shorter than the buffer (TEXT_SIZE). */
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
