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
#include "image_judge.h"
#include "listener.h"
#include "log.h"
#include "obstacle.h"
#include "progress.h"
#include "rebuild.h"
#include "request.h"

static const struct builder {
	const char *path, *option;
	const char *before; /* the option before a release, or NULL: the path of the image stands there */
} builders[] = {
	{ "/usr/sbin/update-initramfs", "-u", "-k" },
	{ "/usr/bin/dracut", "--force", NULL },
	{ "/usr/sbin/dracut", "--force", NULL },
};

/* What these signals did before we ignored them. */
struct signals {
	void (*interrupt)(int), (*quit)(int);
};

static time_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* Returns the columns of what it shows. */
static int show_time(const char *what, time_t start)
{
	struct text t;

	/* The end of the line may be cut. */
	return progress_show(text_set(&t, "%u s: %s", (unsigned)(now() - start), what));
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
	int status = 0, shown = 0;

	while (got > 0 && !ended) {
		if (terminal && at_start)
			shown = show_time(what, start);
		if (poll(&said, 1, 1000) <= 0) {
			/* A process that it left behind may keep the pipe open for good. */
			ended = waitpid(pid, &status, WNOHANG);
			continue;
		}
		got = read(fd, buf, sizeof(buf));
		if (got <= 0)
			break;
		progress_erase(shown);
		shown = 0;
		fwrite(buf, 1, (size_t)got, stderr);
		at_start = buf[got - 1] == '\n';
	}
	while (ended <= 0 && (ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
		;
	progress_erase(shown);
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

/* Returns true if somebody has pressed Ctrl-C: a shell that catches it exits with 128 more. */
static bool is_interrupted(int status)
{
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status) - 128;

	return number == SIGINT || number == SIGQUIT;
}

/* Returns the status of the command as from waitpid(), or -1, after a message if it is not 0. */
static int run_builder(const char *const command[], const struct signals *before)
{
	struct text what;
	int fds[2], status;
	pid_t pid;

	text_set(&what, "%s", command[0]);
	for (const char *const *word = command + 1; *word; word++)
		text_add(&what, " %s", *word);
	fflush(NULL);
	if (pipe2(fds, O_CLOEXEC) || (pid = fork()) < 0) {
		say(&complaints, LEVEL_FAILED, "%s: %s", what.p, strerror(errno));
		return -1;
	}
	if (!pid) {
		/* Its scripts expect the default action of SIGPIPE. */
		signal(SIGINT, before->interrupt);
		signal(SIGQUIT, before->quit);
		signal(SIGPIPE, SIG_DFL);
		exec_builder(command, fds[1]);
	}
	close(fds[1]);
	status = relay_output(fds[0], pid, what.p);
	close(fds[0]);
	if (status)
		say(&complaints, LEVEL_FAILED,
		    "%s %s %u: the settings are written, but not in the image (correct what it reports and run it again)",
		    what.p, WIFSIGNALED(status) ? "was killed by signal" : "failed with exit status",
		    (unsigned)(WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)));
	return status;
}

static int build(const struct builder *b, const struct kernel_image *k, const struct signals *before)
{
	const char *command[5] = { b->path, b->option };
	struct text path;

	if (k) {
		command[2] = b->before ? b->before : text_set(&path, "/%s", k->image.path.p);
		command[3] = k->release.p;
	}
	return run_builder(command, before);
}

/* Says what is wrong with a new image. Returns true if something is. */
static bool is_wrong(const struct context *ctx, struct kernel_image *k)
{
	static struct image_verdict v;
	struct text t;

	image_find(&k->image, &ctx->root, k->release.p);
	image_judge(&v, &k->image, ctx, k->release.p, settings_select(ctx));
	if (v.state != IMAGE_FAULT)
		return false;
	set_image_line(&t, &v);
	complaints.say(&complaints, LEVEL_FAILED, t.p);
	return true;
}

/* Builds the first n images. */
static int build_images(const struct context *like, const struct builder *b, struct kernels *k, unsigned n,
			const struct signals *before)
{
	static bool built[KERNELS_MAX];
	static struct context ctx;
	int status = 0;
	unsigned i;

	for (i = 0; i < n; i++) {
		int ret = build(b, &k->kernel[i], before);

		built[i] = !ret;
		if (ret)
			status = STATUS_FAILED;
		if (ret > 0 && is_interrupted(ret))
			break;
	}
	if (i + 1 < n)
		say(&complaints, LEVEL_FAILED, "%u more images were not rebuilt", n - i - 1);
	/* The settings are what was written before. */
	context_like(&ctx, like);
	ctx.phase = PHASE_NEXT_BOOT;
	(void)!decide_settings(&ctx);
	for (i = 0; i < n; i++) {
		if (built[i] && is_wrong(&ctx, &k->kernel[i]) && !status)
			status = 1;
	}
	return status;
}

static const struct builder *find_builder(void)
{
	for (unsigned i = 0; i < ARRAY_SIZE(builders); i++) {
		if (!access(builders[i].path, X_OK))
			return &builders[i];
	}
	return NULL;
}

/* Says what keeps images from being built; the tool may succeed all the same. Returns true if something does. */
static bool say_obstacles(const struct root *root)
{
	struct obstacle o[OBSTACLES_MAX];
	unsigned n = obstacles_find(o, root);

	for (unsigned i = 0; i < n; i++)
		say(&complaints, LEVEL_FAILED, "%s (%s, then %s)", o[i].what.p, o[i].remedy.p,
		    rebuild_all_command(root));
	return n > 0;
}

int rebuild_images(const struct context *ctx, bool newest_only)
{
	static struct kernels k;
	const struct builder *b = find_builder();
	/* Ctrl-C is for the tool. We report its result even if somebody passes the signal on to us. */
	struct signals before;
	bool prevented;

	if (ctx->root.sysroot) {
		say(&complaints, LEVEL_DONE, "no image is rebuilt with --sysroot");
		return 0;
	}
	if (!b) {
		say(&complaints, LEVEL_FAILED,
		    "neither update-initramfs nor dracut is installed: rebuild the image yourself, or it keeps the old "
		    "settings");
		return 1;
	}
	prevented = say_obstacles(&ctx->root);
	before.interrupt = signal(SIGINT, SIG_IGN);
	before.quit = signal(SIGQUIT, SIG_IGN);
	kernels_find(&k, &ctx->root);
	if (!k.n)
		return build(b, NULL, &before) ? STATUS_FAILED : prevented;
	if (k.more && !newest_only)
		say(&complaints, LEVEL_REFUSED,
		    "there are more than %u kernels: the images of %u old ones stay as they are", (unsigned)KERNELS_MAX,
		    k.more);
	return build_images(ctx, b, &k, newest_only ? 1 : k.n, &before);
}
