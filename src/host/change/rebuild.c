// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "format.h"
#include "listener.h"
#include "log.h"
#include "rebuild.h"

static const char *const builders[][3] = {
	{ "/usr/sbin/update-initramfs", "-u", NULL },
	{ "/usr/bin/dracut", "--force", NULL },
	{ "/usr/sbin/dracut", "--force", NULL },
};

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void show_time(bool visible, const char *what, time_t start)
{
	if (visible)
		fprintf(stderr, "\r%s: %u s ", what, (unsigned)(now() - start));
}

/*
 * Copies the output of the child to standard error, with the elapsed time below it, until the child has ended. Returns
 * its status as from waitpid().
 */
static int relay_output(int fd, pid_t pid, const char *what)
{
	struct pollfd said = { fd, POLLIN, 0 };
	bool terminal = isatty(STDERR_FILENO), at_start = true;
	time_t start = now();
	pid_t ended = 0;
	char buf[512];
	ssize_t got = 1;
	int status = 0;

	while (got > 0 && !ended) {
		show_time(terminal && at_start, what, start);
		if (poll(&said, 1, 1000) <= 0) {
			/* A process that it left behind may keep the pipe open for good. */
			ended = waitpid(pid, &status, WNOHANG);
			continue;
		}
		got = read(fd, buf, sizeof(buf));
		if (got <= 0)
			break;
		if (terminal && at_start)
			fputs("\r\033[K", stderr);
		fwrite(buf, 1, (size_t)got, stderr);
		at_start = buf[got - 1] == '\n';
	}
	while (ended <= 0 && (ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	if (terminal && at_start)
		fputs("\r\033[K", stderr);
	fprintf(stderr, "%s%s: %u s\n", at_start ? "" : "\n", what, (unsigned)(now() - start));
	return status;
}

/* In the child: runs the command without standard input, because nobody would see what it asks. */
static void exec_builder(const char *const command[], int to)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (dup2(null, STDIN_FILENO) < 0)
		close(STDIN_FILENO);
	dup2(to, STDOUT_FILENO);
	dup2(to, STDERR_FILENO);
	execv(command[0], (char *const *)command);
	fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
	_exit(127);
}

/* Ctrl-C is for the command. We report its result even if the key is pressed again or somebody passes the signal on. */
static int run_builder(const char *const command[])
{
	void (*interrupt)(int) = signal(SIGINT, SIG_IGN), (*quit)(int) = signal(SIGQUIT, SIG_IGN);
	struct text what;
	int fds[2], status;
	pid_t pid;

	text_set(&what, "%s %s", command[0], command[1]);
	fflush(NULL);
	if (pipe2(fds, O_CLOEXEC) || (pid = fork()) < 0) {
		say(&complaints, LEVEL_FAILED, "%s: %s", what.p, strerror(errno));
		return STATUS_FAILED;
	}
	if (!pid) {
		/* Its scripts expect the default action of SIGPIPE. */
		signal(SIGINT, interrupt);
		signal(SIGQUIT, quit);
		signal(SIGPIPE, SIG_DFL);
		exec_builder(command, fds[1]);
	}
	close(fds[1]);
	status = relay_output(fds[0], pid, what.p);
	close(fds[0]);
	if (!status)
		return 0;
	say(&complaints, LEVEL_FAILED,
	    "%s %s %u: the settings are written, but not in the image (correct what it reports and run it again)",
	    what.p, WIFSIGNALED(status) ? "was killed by signal" : "failed with exit status",
	    (unsigned)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
	return STATUS_FAILED;
}

int rebuild_image(const struct context *ctx)
{
	if (ctx->root.sysroot) {
		say(&complaints, LEVEL_DONE, "no image is rebuilt with --sysroot");
		return 0;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(builders); i++) {
		if (!access(builders[i][0], X_OK))
			return run_builder(builders[i]);
	}
	say(&complaints, LEVEL_FAILED,
	    "neither update-initramfs nor dracut is installed: rebuild the image yourself, or it keeps the old settings");
	return 1;
}
