// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "format.h"
#include "listener.h"
#include "log.h"
#include "settings.h"
#include "sysfs.h"

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

/* The kernel log, open for so many more lines. */
struct kmsg {
	int root;
	int fd; /* or -1 */
	unsigned lines;
};

/* devkmsg_write() drops what one descriptor writes beyond so many lines in 5 s (DEFAULT_RATELIMIT_BURST). */
#define LINES_MAX 10

static void close_kmsg(struct kmsg *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

/* Writes a line, whose NUL is overwritten by a line feed, to the kernel log. */
static void write_line(struct kmsg *k, char *line)
{
	size_t len = strlen(line);

	if (!k->lines)
		close_kmsg(k);
	if (k->fd < 0) {
		/* The kernel log ignores O_APPEND; a plain file in its place needs it. */
		k->fd = openat(k->root, "dev/kmsg", O_WRONLY | O_APPEND | O_CLOEXEC);
		k->lines = LINES_MAX;
	}
	k->lines--;
	line[len] = '\n';
	if (k->fd < 0 || write(k->fd, line, len + 1) < 0) {
		line[len] = '\0';
		/* Without the level, and without the name that complain() puts before it. */
		complain(NULL, 0, line + sizeof("<6>vfio-boot: ") - 1);
	}
}

#define END_OF_LOG "" /* a line */

/* Runs in a child until END_OF_LOG: a process that was left behind may hold the other end open for ever. */
static void write_lines(const void *data, struct device *unit)
{
	const struct kernel_log *l = data;
	struct lines in = { .fd = l->lines[0], .separator = '\n' };
	struct kmsg k = { l->root, -1, 0 };
	char *line;

	(void)unit;
	close(l->lines[1]);
	while ((line = lines_next(&in)) && strcmp(line, END_OF_LOG) != 0)
		write_line(&k, line);
}

static void start_child(struct kernel_log *l)
{
	l->started = true;
	if (pipe2(l->lines, O_CLOEXEC))
		return;
	/* A process that was left behind may say something when nobody listens any more. */
	signal(SIGPIPE, SIG_IGN);
	l->child = child_start(write_lines, l, NULL);
	close(l->lines[0]);
}

static void say_to_kernel(const struct listener *listener, unsigned level, const char *text)
{
	struct kernel_log *l = (struct kernel_log *)(uintptr_t)listener; /* kernel_log_begin() got it writable */
	struct text t;

	if (l->settings->log == LOG_QUIET && level == LEVEL_DONE)
		return;
	/* One that another process started would keep what waits for the end of that process. */
	if (!l->started && getpid() == l->owner)
		start_child(l);
	/* Leave room for the line feed. */
	text_set(&t, "<%u>vfio-boot: %.*s", level, (int)strnlen(text, TEXT_SIZE - 20), text);
	if (l->child.pid < 0) {
		struct kmsg k = { l->root, -1, 0 };

		write_line(&k, t.p);
		close_kmsg(&k);
		return;
	}
	t.p[t.len] = '\n';
	/* There is room for a line if the pipe is ready. */
	if (wait_until_ready(l->lines[1], POLLOUT, l->deadline) && write(l->lines[1], t.p, t.len + 1) < 0)
		complain(listener, level, text);
}

void kernel_log_begin(struct kernel_log *l, int root, const struct settings *settings, clock_t deadline)
{
	l->listener.say = say_to_kernel;
	l->root = root;
	l->settings = settings;
	l->deadline = deadline;
	l->child.pid = -1;
	l->owner = getpid();
	l->started = false;
	/* Processes that work on devices say something then, and all of it is to come in order. */
	if (settings->log == LOG_DEBUG)
		start_child(l);
}

void kernel_log_end(struct kernel_log *l)
{
	if (l->child.pid < 0)
		return;
	if (write(l->lines[1], END_OF_LOG "\n", sizeof(END_OF_LOG)) < 0)
		return; /* the child is gone */
	close(l->lines[1]);
	if (child_wait(&l->child, l->deadline) == TIME_IS_UP)
		child_leave(&l->child);
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
