// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rebuild.h"
#include "voice.h"

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

/* Passes on what the child says, line by line, and shows the time below it. */
static void follow(int fd, const char *what)
{
	struct pollfd said = { fd, POLLIN, 0 };
	bool terminal = isatty(STDERR_FILENO), at_start = true;
	time_t start = now();
	char buf[512];
	ssize_t got = 1;

	while (got > 0) {
		if (terminal && at_start)
			fprintf(stderr, "\r%s: %u s ", what, (unsigned)(now() - start));
		if (!poll(&said, 1, 1000))
			continue;
		got = read(fd, buf, sizeof(buf));
		if (got < 0 && errno == EINTR)
			got = 1;
		else if (got > 0) {
			if (terminal && at_start)
				fputs("\r\033[K", stderr);
			fwrite(buf, 1, (size_t)got, stderr);
			at_start = buf[got - 1] == '\n';
		}
	}
	if (terminal && at_start)
		fputs("\r\033[K", stderr);
	fprintf(stderr, "%s: %u s\n", what, (unsigned)(now() - start));
}

static int run(const char *const command[])
{
	struct text what;
	int fds[2], status;
	pid_t pid;

	text_set(&what, "%s %s", command[0], command[1]);
	fflush(NULL);
	if (pipe(fds) || (pid = fork()) < 0) {
		say(&complaints, LEVEL_FAILED, "%s: %s", what.p, strerror(errno));
		return STATUS_FAILED;
	}
	if (!pid) {
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		close(fds[1]);
		execv(command[0], (char *const *)command);
		fprintf(stderr, "%s: %s\n", command[0], strerror(errno));
		_exit(127);
	}
	close(fds[1]);
	follow(fds[0], what.p);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (!status)
		return 0;
	say(&complaints, LEVEL_FAILED,
	    "%s failed, the image is as it was: put right what it says and run it again; the settings are written",
	    what.p);
	return STATUS_FAILED;
}

int rebuild_image(const struct job *j)
{
	if (j->root.sysroot) {
		say(&complaints, LEVEL_DONE, "with --sysroot no image is rebuilt");
		return 0;
	}
	for (unsigned i = 0; i < ARRAY_SIZE(builders); i++) {
		if (!access(builders[i][0], X_OK))
			return run(builders[i]);
	}
	say(&complaints, LEVEL_FAILED,
	    "neither update-initramfs nor dracut is here: rebuild the image yourself, or it keeps the old settings");
	return 1;
}
