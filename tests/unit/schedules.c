// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Looks under random schedules. The real layers read, act and run work on a small kernel in this process: system calls
 * on files are wrapped by the linker, and children are coroutines that a slow write suspends. Writes fail or block,
 * children die, devices go and come, others bind drivers, write overrides, mount disks and open groups.
 *
 * Whatever happens, each group ends with its vfio driver as a whole, or with what it had before, or the report names
 * it. A second look in which nothing fails pays what the first one owes.
 *
 * SCHEDULES=N and SEED=N choose others; a failure prints its seed, and SCHEDULES=1 SEED=N TRACE=1 shows each step.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/types.h>
#include <ucontext.h>
#include <unistd.h>

#include "act.h"
#include "apply.h"
#include "context.h"
#include "format.h"
#include "log.h"
#include "pipeline.h"
#include "plan.h"
#include "report.h"
#include "settings.h"
#include "tap.h"

/* --- chance --- */

static uint64_t chance_state;
static bool tracing;

static uint32_t chance(uint32_t n)
{
	chance_state = chance_state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(chance_state >> 33) % n;
}

#define trace(...) (void)(tracing && printf("# " __VA_ARGS__))

/* --- the machine --- */

#define DEVICES 8
#define GROUPS	4
#define LIMIT	3000 /* ticks: timeout=30 */

enum driver { NOBODY, VFIO, OWN, SHPCHP, DRIVERS };
static const char *const driver_names[DRIVERS] = { "", "vfio-pci", "own", "shpchp" };

struct function {
	char name[16];
	unsigned id, class, group;
	enum driver driver, own;
	char override[16];
	bool there, disk, mounted, refuses_vfio, refuses_own;
	/* What it would have without us. */
	enum driver host_driver;
	char host_override[16];
	char old_override[16]; /* what it would have, had it not been pulled out */
	bool override_unknown; /* somebody wrote to it while we did */
	bool was_free;	       /* it had no driver when it came */
	bool plugged;	       /* it came since */
	bool late;	       /* others have bound its driver since the first look began */
};

static struct function function[DEVICES];
static unsigned functions;
static bool vfio_loaded, own_loaded, group_open[GROUPS], selected[GROUPS], has_changed[GROUPS];
static bool calm; /* nothing fails, and nobody else acts */
static const char *kernel, *violation;
static clock_t now;
static clock_t mounted_at[DEVICES], opened_at[GROUPS];

static struct function *find_function(const char *name)
{
	for (struct function *f = function; f < function + functions; f++) {
		if (f->there && !strcmp(f->name, name))
			return f;
	}
	return NULL;
}

static bool is_loaded(enum driver driver)
{
	return driver == VFIO ? vfio_loaded : own_loaded;
}

/* Binds as the kernel does (pci_match_device()): an override that is set chooses alone. */
static enum driver matching(const struct function *f, const char *override)
{
	enum driver driver = f->own;

	if (*override) {
		for (driver = DRIVERS - 1; driver && strcmp(override, driver_names[driver]);)
			driver--;
	}
	if (driver == NOBODY || !is_loaded(driver))
		return NOBODY;
	if (driver == VFIO ? f->refuses_vfio || f->class >> 8 == 0x0604 : f->refuses_own || driver != f->own)
		return NOBODY;
	return driver;
}

static void attach(struct function *f)
{
	if (f->there && f->driver == NOBODY)
		f->driver = matching(f, f->override);
}

static bool is_bridge_class(const struct function *f)
{
	return f->class >> 16 == 0x06;
}

/* Returns true if all members that a claim binds are bound to vfio-pci, and no bridge blocks the group. */
static bool is_whole(unsigned group)
{
	bool any = false;

	for (struct function *f = function; f < function + functions; f++) {
		if (!f->there || f->group != group)
			continue;
		any |= f->plugged && f->driver == VFIO;
		if (f->plugged)
			continue;
		if (is_bridge_class(f) ? f->driver == SHPCHP && !f->late : f->driver != VFIO)
			return false;
		any |= !is_bridge_class(f);
	}
	return any;
}

/* --- what others do --- */

static void load_own(void)
{
	own_loaded = true;
	for (struct function *f = function; f < function + functions; f++) {
		f->late |= f->driver == NOBODY;
		attach(f);
		if (f->there && f->host_driver == NOBODY)
			f->host_driver = matching(f, f->host_override);
	}
}

static void plug(struct function *f)
{
	f->there = !f->there;
	f->mounted = false;
	f->late = f->plugged = has_changed[f->group] = true;
	f->driver = f->host_driver = NOBODY;
	if (!f->there)
		strcpy(f->old_override, f->host_override);
	*f->override = *f->host_override = '\0';
	attach(f);
	f->host_driver = f->driver;
	f->was_free = f->driver == NOBODY;
}

static void somebody_acts(void)
{
	struct function *f = &function[chance(functions)];
	unsigned group = chance(GROUPS);

	switch (chance(5)) {
	case 0:
		trace("others load the drivers of the host\n");
		load_own();
		break;
	case 1:
		trace("%s %s\n", f->name, f->there ? "goes" : "comes");
		plug(f);
		break;
	case 2:
		if (!f->there)
			break;
		trace("others set the override of %s\n", f->name);
		strcpy(f->override, chance(2) ? "pci-stub" : "");
		strcpy(f->host_override, f->override);
		f->override_unknown = true;
		break;
	case 3:
		if (f->there && f->disk && f->driver == OWN && !f->mounted) {
			trace("%s is mounted\n", f->name);
			f->mounted = true;
			mounted_at[f - function] = now;
		}
		break;
	default:
		if (is_whole(group) || group_open[group]) {
			trace("group %u is %s\n", group, group_open[group] ? "closed" : "opened");
			group_open[group] = !group_open[group];
			opened_at[group] = now;
		}
	}
}

/* --- children --- */

#define CHILDREN 32
#define STACK	 (128 << 10)
#define FOREVER	 1000000

struct coroutine {
	ucontext_t context;
	char *stack;
	void (*body)(const void *, struct device *);
	struct act act; /* fork() copies what the parent has on its stack */
	struct device *unit;
	clock_t wakes;
	clock_t began;
	clock_t mounts_read; /* when it read /proc/mounts */
	bool running, dead, left;
};

static struct coroutine children[CHILDREN];
static unsigned started;
static ucontext_t parent;
static struct coroutine *current;

static void begin_child(void)
{
	current->body(&current->act, current->unit);
	current->running = false;
	swapcontext(&current->context, &parent);
}

static void resume(struct coroutine *c)
{
	if (c->wakes > now)
		now = c->wakes;
	current = c;
	swapcontext(&parent, &c->context);
	current = NULL;
}

static bool others_can_act(void)
{
	return !calm && chance(60) == 0;
}

/* A write of a child may take its time, and the child may be killed in it. */
static void suspend(void)
{
	now += 1;
	if (others_can_act())
		somebody_acts();
	if (!current || calm)
		return;
	switch (chance(200)) {
	case 0:
		trace("child %d dies\n", (int)(current - children));
		current->dead = true;
		current->running = false;
		break;
	case 1:
		current->wakes = now + (chance(3) ? (clock_t)chance(LIMIT * 2) : FOREVER);
		trace("child %d blocks until %ld\n", (int)(current - children), (long)current->wakes);
		break;
	default:
		return;
	}
	swapcontext(&current->context, &parent);
}

clock_t deadline_after(unsigned seconds)
{
	return now + (clock_t)seconds * 100;
}

bool is_past(clock_t deadline)
{
	return now >= deadline;
}

/* The process number of a child is 100 and its place in the table. */
uint32_t process_start(int root, const char *pid)
{
	int n = atoi(pid) - 100;

	(void)root;
	return n >= 0 && n < CHILDREN && children[n].running ? 7 : 0;
}

void note_process(int root, int pid, struct worker *out)
{
	(void)root;
	out->pid = pid == getpid() ? 99 : (uint32_t)pid;
	out->start = 7;
}

struct child child_start(void (*body)(const void *data, struct device *unit), const void *data, struct device *unit)
{
	struct coroutine *c = &children[started];

	if (started == CHILDREN || (!calm && chance(300) == 0))
		return (struct child){ -1, -1 };
	if (!c->stack)
		c->stack = malloc(STACK);
	c->body = body;
	c->act = *(const struct act *)data;
	c->unit = unit;
	c->wakes = now;
	c->began = now;
	c->mounts_read = 0;
	c->running = true;
	c->dead = c->left = false;
	getcontext(&c->context);
	c->context.uc_stack.ss_sp = c->stack;
	c->context.uc_stack.ss_size = STACK;
	c->context.uc_link = &parent;
	makecontext(&c->context, begin_child, 0);
	return (struct child){ 100 + (int)started++, 0 };
}

/* Lets the children run that wake first, until this one has ended (or all, if it is NULL) or the deadline. */
static bool run_until(const struct coroutine *wanted, clock_t deadline)
{
	for (;;) {
		struct coroutine *next = NULL;
		bool busy = wanted && wanted->running;

		for (struct coroutine *c = children; c < children + started; c++) {
			busy |= !wanted && c->running;
			if (c->running && (c == wanted || c->left) && (!next || c->wakes < next->wakes))
				next = c;
		}
		if (!busy)
			return true;
		if (!next || next->wakes >= deadline) {
			if (now < deadline)
				now = deadline;
			return false;
		}
		resume(next);
	}
}

enum ending child_wait(const struct child *child, clock_t deadline)
{
	if (child->pid < 0)
		return DIED;
	if (!run_until(&children[child->pid - 100], deadline))
		return TIME_IS_UP;
	return children[child->pid - 100].dead ? DIED : ENDED;
}

void child_leave(const struct child *child)
{
	children[child->pid - 100].left = true;
}

bool wait_until_ready(int fd, short events, clock_t deadline)
{
	(void)fd;
	(void)events;
	(void)deadline;
	return true;
}

void family_begin(struct family *f)
{
	(void)f;
}

void family_wait(const struct family *f, clock_t deadline)
{
	(void)f;
	run_until(NULL, deadline);
}

void run_program(int root, const char *path, const char *const argv[])
{
	(void)root;
	(void)path;
	suspend();
	if (!strcmp(argv[1], "vfio-pci") && (calm || chance(30))) {
		trace("vfio-pci is loaded\n");
		vfio_loaded = true;
		for (struct function *f = function; f < function + functions; f++) {
			if (f->driver == NOBODY && matching(f, f->override) == VFIO)
				attach(f);
			if (f->there && f->host_driver == NOBODY && *f->host_override)
				f->host_driver = matching(f, f->host_override);
		}
	}
}

/* --- files --- */

#define ROOT	  1000
#define OPEN_MAX_ 64

struct file {
	char path[128];
	const char *text; /* its content, or NULL for one that is written to */
	size_t at;
	bool used;
};

static struct file files[OPEN_MAX_];
static char report[2][64 << 10]; /* the report, and the new one */
static char scratch[1024];

static const char *path_of(int dir, const char *path)
{
	static char full[256];

	if (dir == ROOT)
		return path;
	snprintf(full, sizeof(full), "%s%s%s", files[dir - ROOT - 1].path, *path == '.' ? "" : "/",
		 *path == '.' ? "" : path);
	return full;
}

/* Splits sys/bus/pci/devices/NAME/ATTRIBUTE. Returns the function, or NULL. */
static struct function *function_at(const char *path, const char **attribute)
{
	static const char prefix[] = "sys/bus/pci/devices/";
	char name[16];
	size_t len;

	if (strncmp(path, prefix, sizeof(prefix) - 1))
		return NULL;
	path += sizeof(prefix) - 1;
	len = strcspn(path, "/");
	snprintf(name, sizeof(name), "%.*s", (int)len, path);
	*attribute = path[len] ? path + len + 1 : "";
	return find_function(name);
}

static const char *mounts(void)
{
	static char text[512];
	int len = 0;

	if (current)
		current->mounts_read = now;
	*text = '\0';
	for (unsigned i = 0; i < functions; i++) {
		if (function[i].there && function[i].mounted)
			len += snprintf(text + len, sizeof(text) - (size_t)len, "/dev/sd%c /x ext4 rw 0 0\n", 'a' + i);
	}
	return text;
}

/* Returns the content of a file, or NULL. */
static const char *content(const char *path)
{
	const char *attribute;
	const struct function *f = function_at(path, &attribute);

	if (f && !strcmp(attribute, "modalias")) {
		snprintf(scratch, sizeof(scratch), "pci:v00008086d%08Xsv00000000sd00000000bc%02Xsc%02Xi00\n", f->id,
			 f->class >> 16, f->class >> 8 & 0xff);
		return scratch;
	}
	if (f && !strcmp(attribute, "driver_override")) {
		snprintf(scratch, sizeof(scratch), "%s\n", *f->override ? f->override : "(null)");
		return scratch;
	}
	if (!strcmp(path, "proc/mounts"))
		return mounts();
	if (!strcmp(path, "proc/sys/kernel/osrelease"))
		return kernel;
	if (!strcmp(path, "var/lib/vfio-boot/protect"))
		return "# nothing\n";
	if (!strcmp(path, "run/vfio-boot/report") && *report[0])
		return report[0];
	return NULL;
}

static bool is_directory(const char *path)
{
	return !strncmp(path, "sys/bus/pci/devices", 19) || !strncmp(path, "sys/kernel/iommu_groups", 23) ||
	       !strcmp(path, "sys/class/block");
}

static int new_file(const char *path, const char *text)
{
	for (unsigned i = 0; i < OPEN_MAX_; i++) {
		if (files[i].used)
			continue;
		snprintf(files[i].path, sizeof(files[i].path), "%s", path);
		/* `scratch` is overwritten by the next one that is opened. */
		files[i].text = text == scratch ? strdup(text) : text;
		files[i].at = 0;
		files[i].used = true;
		return ROOT + 1 + (int)i;
	}
	abort();
}

static int fail(int error)
{
	errno = error;
	return -1;
}

static bool is_writable(const char *path)
{
	const char *attribute;
	char name[16] = "";

	if (function_at(path, &attribute))
		return !strcmp(attribute, "driver_override");
	if (sscanf(path, "sys/bus/pci/drivers/%15[^/]/", name) == 1)
		return !strcmp(name, "vfio-pci") ? vfio_loaded : true;
	return !strcmp(path, "sys/bus/pci/drivers_probe") || !strcmp(path, "run/vfio-boot/report.new");
}

int __wrap_openat(int dir, const char *relative, int flags, ...);
int __wrap_openat(int dir, const char *relative, int flags, ...)
{
	const char *path = path_of(dir, relative), *text;
	unsigned group, disk;
	char letter;

	now++;
	if (sscanf(path, "dev/vfio/%u", &group) == 1)
		return fail(group_open[group] ? EBUSY : ENOENT);
	if (sscanf(path, "dev/sd%c", &letter) == 1) {
		disk = (unsigned)(letter - 'a');
		return fail(disk < functions && function[disk].mounted ? EBUSY : ENOENT);
	}
	if (flags & O_DIRECTORY)
		return is_directory(path) ? new_file(path, NULL) : fail(ENOENT);
	if (flags & (O_WRONLY | O_RDWR)) {
		if (!is_writable(path))
			return fail(ENOENT);
		if (!strcmp(path, "run/vfio-boot/report.new"))
			*report[1] = '\0';
		return new_file(path, NULL);
	}
	text = content(path);
	return text ? new_file(path, text) : fail(ENOENT);
}

int __wrap_close(int fd);
int __wrap_close(int fd)
{
	if (fd > ROOT) {
		struct file *f = &files[fd - ROOT - 1];

		f->used = false;
	}
	return 0;
}

ssize_t __wrap_read(int fd, void *buf, size_t size);
ssize_t __wrap_read(int fd, void *buf, size_t size)
{
	struct file *f = &files[fd - ROOT - 1];
	size_t left = strlen(f->text + f->at);

	if (size > left)
		size = left;
	memcpy(buf, f->text + f->at, size);
	f->at += size;
	return (ssize_t)size;
}

ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t at);
ssize_t __wrap_pread(int fd, void *buf, size_t size, off_t at)
{
	files[fd - ROOT - 1].at = (size_t)at;
	return __wrap_read(fd, buf, size);
}

static ssize_t set_link(char *buf, size_t size, const char *before, const char *name)
{
	snprintf(scratch, sizeof(scratch), "%s%s", before, name);
	if (size > strlen(scratch))
		size = strlen(scratch);
	memcpy(buf, scratch, size);
	return (ssize_t)size;
}

ssize_t __wrap_readlinkat(int dir, const char *relative, char *buf, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *relative, char *buf, size_t size)
{
	const char *path = path_of(dir, relative), *attribute;
	const struct function *f = function_at(path, &attribute);
	char number[8], letter;

	if (sscanf(path, "sys/class/block/sd%c", &letter) == 1 && function[letter - 'a'].there)
		return set_link(buf, size, "../../devices/pci0000:00/", function[letter - 'a'].name);
	if (!f)
		return fail(ENOENT);
	if (!*attribute)
		return set_link(buf, size, "../../../devices/pci0000:00/", f->name);
	if (!strcmp(attribute, "driver") && f->driver)
		return set_link(buf, size, "../../../../bus/pci/drivers/", driver_names[f->driver]);
	snprintf(number, sizeof(number), "%u", f->group);
	return strcmp(attribute, "iommu_group") ? fail(ENOENT)
						: set_link(buf, size, "../../kernel/iommu_groups/", number);
}

int __wrap_faccessat(int dir, const char *relative, int mode, int flags);
int __wrap_faccessat(int dir, const char *relative, int mode, int flags)
{
	const char *path = path_of(dir, relative), *attribute;
	char name[16];

	(void)mode;
	(void)flags;
	if (function_at(path, &attribute) && !*attribute)
		return 0;
	if (sscanf(path, "sys/bus/pci/drivers/%15s", name) == 1)
		return strcmp(name, "vfio-pci") || vfio_loaded ? 0 : fail(ENOENT);
	if (!strcmp(path, "run/vfio-boot/report") && *report[0])
		return 0;
	return fail(ENOENT);
}

static size_t add_entry_of(char *buf, const char *name)
{
	struct dirent64 *d = (struct dirent64 *)buf;
	size_t len = offsetof(struct dirent64, d_name) + strlen(name) + 1;

	len = (len + 7) & ~(size_t)7;
	d->d_ino = 1;
	d->d_reclen = (unsigned short)len;
	d->d_type = DT_UNKNOWN;
	strcpy(d->d_name, name);
	return len;
}

ssize_t __wrap_getdents64(int fd, void *buf, size_t size);
ssize_t __wrap_getdents64(int fd, void *buf, size_t size)
{
	struct file *file = &files[fd - ROOT - 1];
	unsigned group = GROUPS;
	char name[16];
	size_t len = 0;

	(void)size;
	if (file->at++)
		return 0;
	if (!strcmp(file->path, "sys/kernel/iommu_groups")) {
		for (unsigned i = 0; i < GROUPS; i++) {
			snprintf(name, sizeof(name), "%u", i);
			len += add_entry_of((char *)buf + len, name);
		}
		return (ssize_t)len;
	}
	sscanf(file->path, "sys/kernel/iommu_groups/%u", &group);
	for (unsigned i = 0; i < functions; i++) {
		const struct function *f = &function[i];

		if (!f->there || (group < GROUPS && f->group != group))
			continue;
		snprintf(name, sizeof(name), "%.15s", f->name);
		if (!strcmp(file->path, "sys/class/block"))
			snprintf(name, sizeof(name), "sd%c", 'a' + (int)i);
		else if (strcmp(file->path, "sys/bus/pci/devices") != 0 && group == GROUPS)
			continue;
		if (strcmp(file->path, "sys/class/block") != 0 || f->disk)
			len += add_entry_of((char *)buf + len, name);
	}
	return (ssize_t)len;
}

static int write_override(struct function *f, const char *value)
{
	snprintf(f->override, sizeof(f->override), "%.*s", (int)strcspn(value, "\n"), value);
	return 0;
}

static int unbind_function(struct function *f, const char *driver)
{
	if (!f || strcmp(driver, driver_names[f->driver]) || !f->driver)
		return ENODEV;
	f->mounted = false;
	f->driver = NOBODY;
	return 0;
}

static int bind_function(struct function *f, const char *driver)
{
	if (!f || f->driver || (*f->override && strcmp(f->override, driver)))
		return ENODEV;
	if (strcmp(driver, driver_names[f->own]) || f->refuses_own || !own_loaded)
		return ENODEV;
	f->driver = f->own;
	return 0;
}

/* What was so before the child began, or when it last looked, must be known to it. */
static void check_unbind(const char *path, const char *value)
{
	const struct function *f = find_function(value);

	if (!f || violation)
		return;
	if (f->mounted && strstr(path, "/own/unbind") &&
	    (mounted_at[f - function] < current->began || mounted_at[f - function] < current->mounts_read))
		violation = "the driver of a mounted disk is unbound";
	if (group_open[f->group] && strstr(path, "/vfio-pci/unbind") && opened_at[f->group] < current->began)
		violation = "vfio-pci is unbound from a group in use";
}

static int take_effect(const char *path, const char *value)
{
	const char *attribute;
	struct function *f = function_at(path, &attribute);
	char driver[16], verb[8] = "";

	if (f)
		return write_override(f, value);
	f = find_function(value);
	if (!strcmp(path, "sys/bus/pci/drivers_probe")) {
		if (!f)
			return ENODEV;
		attach(f);
		return 0;
	}
	if (sscanf(path, "sys/bus/pci/drivers/%15[^/]/%7s", driver, verb) != 2)
		return ENOENT;
	return strcmp(verb, "bind") ? unbind_function(f, driver) : bind_function(f, driver);
}

ssize_t __wrap_write(int fd, const void *buf, size_t size);
ssize_t __wrap_write(int fd, const void *buf, size_t size)
{
	static const int errors[] = { EIO, EBUSY, ENOMEM, ENODEV };
	struct file file;
	char value[64];
	int error;

	if (fd <= ROOT)
		return (ssize_t)size;
	file = files[fd - ROOT - 1];
	if (!strcmp(file.path, "run/vfio-boot/report.new")) {
		snprintf(report[1] + strlen(report[1]), sizeof(report[1]) - strlen(report[1]), "%.*s", (int)size,
			 (const char *)buf);
		return (ssize_t)size;
	}
	snprintf(value, sizeof(value), "%.*s", (int)size, (const char *)buf);
	check_unbind(file.path, value);
	suspend();
	error = !calm && chance(60) == 0 ? errors[chance(4)] : take_effect(file.path, value);
	trace("%ld child %d: %.*s to %s: %s\n", (long)now, current ? (int)(current - children) : -1,
	      (int)strcspn(value, "\n"), value, file.path, error ? strerror(error) : "ok");
	return error ? fail(error) : (ssize_t)size;
}

int __wrap_mkdirat(int dir, const char *path, unsigned mode);
int __wrap_mkdirat(int dir, const char *path, unsigned mode)
{
	(void)dir;
	(void)path;
	(void)mode;
	return 0;
}

int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to);
int __wrap_renameat(int from_dir, const char *from, int to_dir, const char *to)
{
	(void)from_dir;
	(void)from;
	(void)to_dir;
	(void)to;
	strcpy(report[0], report[1]);
	return 0;
}

/* --- one look, as boot/claim.c has it --- */

static struct context *contexts[3];
static const char *cmdline;

/* As long as there is time, what a child has left that has died is given back by another one, if that does not die. */
static void check_workers(void)
{
	unsigned deaths = 0;
	char worker[16];

	for (unsigned i = 0; i < started; i++)
		deaths += children[i].dead;
	if (deaths > 1)
		return;

	for (unsigned i = 0; i < started; i++) {
		snprintf(worker, sizeof(worker), "\t%u@7", 100 + i);
		if (children[i].dead && strstr(report[0], worker))
			violation = "the report waits for a process that has died";
	}
}

static void look(int n)
{
	struct context *ctx = contexts[n];
	enum phase phase = n ? PHASE_SECOND_LOOK : PHASE_INIT_TOP;
	clock_t deadline = deadline_after(30);

	memset(ctx, 0, offsetof(struct context, machine));
	ctx->argument[ARGUMENT_CMDLINE] = cmdline;
	ctx->phase = phase;
	ctx->root = (struct root){ .fd = ROOT, .sysroot = true };
	if (!decide(ctx, &complaints))
		return;
	apply_plan(&ctx->machine, &ctx->root, deadline, &complaints);
	if (phase == PHASE_SECOND_LOOK)
		report_merge(&ctx->machine, ROOT);
	(void)!report_write(&ctx->machine, ROOT, &complaints);
	if (!is_past(deadline))
		check_workers();
	trace("report: %s\n", report[0]);
}

/* --- the invariant --- */

static bool has_note(const char *row, const char *note)
{
	const char *found = strstr(row, note);

	return found && found < row + strcspn(row, "\n");
}

/* Returns true if the report says that something about the function is open. */
static bool is_named(const struct function *f)
{
	const char *row = report[0];

	while ((row = strchr(row, '\n'))) {
		row++;
		if (has_note(row, "group-open") && has_note(row, f->name))
			return true;
		if (!strncmp(row, f->name, strlen(f->name)) &&
		    (has_note(row, "\ttimeout\t") || has_note(row, "override-left") || has_note(row, "driver-lost") ||
		     has_note(row, "driver-left") || has_note(row, "group-open")))
			return true;
	}
	return false;
}

static bool is_as_before(const struct function *f)
{
	/* Nothing is wrong with a driver that takes a device which had none. */
	bool driver = f->driver == f->host_driver || (f->driver && f->driver == f->own) ||
		      (f->host_driver == NOBODY && f->driver == matching(f, f->host_override)) ||
		      (f->driver == NOBODY && (f->was_free || f->plugged) &&
		       (f->override_unknown || matching(f, f->host_override) == VFIO));
	/* Nobody can tell a device from the one that has its name and came while we wrote. */
	bool override = f->override_unknown || !strcmp(f->override, f->host_override) ||
			(f->plugged && !strcmp(f->override, f->old_override));

	return driver && override;
}

/* Returns NULL, or what is wrong. */
static const char *check(void)
{
	static char text[128];

	for (const struct function *f = function; f < function + functions; f++) {
		/* Where a device was pulled out after its claim, the bridge of its group keeps the override. */
		if (is_bridge_class(f) && has_changed[f->group])
			continue;
		if (!f->there || is_as_before(f) || (selected[f->group] && is_whole(f->group)) || is_named(f))
			continue;
		snprintf(text, sizeof(text), "%.15s has driver '%s' and override '%.15s', before '%s' and '%.15s'",
			 f->name, driver_names[f->driver], f->override, driver_names[f->host_driver], f->host_override);
		return text;
	}
	return violation;
}

/* --- a schedule --- */

static void make_function(struct function *f, unsigned i)
{
	static const unsigned classes[] = { 0x020000, 0x010700, 0x010700, 0x040300, 0x060400, 0x060000 };

	*f = (struct function){ .id = 0x1000 + i, .there = true, .group = chance(GROUPS) };
	snprintf(f->name, sizeof(f->name), "0000:%02x:00.0", i + 1);
	f->class = classes[chance(6)];
	f->disk = f->class >> 16 == 1;
	f->own = !is_bridge_class(f) ? OWN : f->class >> 8 == 0x0604 && chance(2) ? SHPCHP : NOBODY;
	f->refuses_vfio = chance(12) == 0;
	f->refuses_own = chance(40) == 0;
	if (!is_bridge_class(f) && chance(8) == 0)
		strcpy(f->override, "vfio-pci");
	/* One that had its driver before the override was written keeps it. */
	if (chance(2) && own_loaded && f->own && !f->refuses_own)
		f->driver = f->own;
	else if (vfio_loaded && *f->override)
		attach(f);
	f->host_driver = f->driver;
	f->was_free = f->driver == NOBODY;
	strcpy(f->host_override, f->override);
}

static void make_machine(void)
{
	static char text[256];
	const size_t size = sizeof(text);
	int len;

	now = 1;
	violation = NULL;
	started = 0;
	**report = '\0';
	memset(group_open, 0, sizeof(group_open));
	memset(has_changed, 0, sizeof(has_changed));
	memset(files, 0, sizeof(files));
	kernel = chance(4) ? "6.12.0\n" : "5.15.0\n";
	own_loaded = chance(2);
	vfio_loaded = chance(3) == 0;
	functions = 2 + chance(DEVICES - 1);
	for (unsigned i = 0; i < functions; i++)
		make_function(&function[i], i);
	for (unsigned i = 0; i < GROUPS; i++)
		selected[i] = chance(3) > 0;
	cmdline = text;
	len = snprintf(text, size, "vfio.ids=");
	for (unsigned i = 0; i < functions; i++) {
		if (selected[function[i].group] && !is_bridge_class(&function[i]))
			len += snprintf(text + len, size - (size_t)len, "%s,", function[i].name);
	}
	text[len - (text[len - 1] == ',')] = '\0';
}

/* Time passes until the next look. Some children come back. */
static void between_looks(void)
{
	for (struct coroutine *c = children; c < children + started; c++)
		c->left = true;
	run_until(NULL, now + 2 * LIMIT);
}

/* What blocks for ever ends in the last part: the write has its effect, and the child does no more. */
static void end_children(void)
{
	calm = true;
	for (struct coroutine *c = children; c < children + started; c++) {
		if (c->running)
			c->wakes = now;
		c->left = true;
	}
	run_until(NULL, now + FOREVER);
}

static const char *run_schedule(uint64_t seed)
{
	static char said[160];
	const char *wrong;

	chance_state = seed * 0x9e3779b97f4a7c15U + 1;
	calm = false;
	make_machine();
	trace("%s\n", cmdline);
	for (unsigned i = 0; i < functions; i++)
		trace("%s group %u class %06x driver %s own %s override %s%s%s\n", function[i].name, function[i].group,
		      function[i].class, driver_names[function[i].driver], driver_names[function[i].own],
		      function[i].override, function[i].refuses_vfio ? " refuses vfio-pci" : "",
		      function[i].refuses_own ? " refuses its own" : "");
	look(0);
	wrong = check();
	if (!wrong) {
		between_looks();
		look(1);
		wrong = check();
	}
	if (!wrong) {
		end_children();
		memset(group_open, 0, sizeof(group_open));
		look(2);
		wrong = check();
		if (!wrong && strstr(report[0], "\ttimeout\t"))
			wrong = "a look in which nothing fails leaves something open";
	}
	end_children();
	if (!wrong)
		return NULL;
	snprintf(said, sizeof(said), "SEED=%llu: %s", (unsigned long long)seed, wrong);
	return said;
}

static unsigned long from_environment(const char *name, unsigned long otherwise)
{
	const char *value = getenv(name);

	return value ? strtoul(value, NULL, 10) : otherwise;
}

int main(void)
{
	unsigned long n = from_environment("SCHEDULES", 100000), seed = from_environment("SEED", 1), failures = 0;

	now = 1000;
	ok(share_of(now + 30, 3) == now + 10, "share_of()", "shares are equal");
	ok(share_of(now + 30, 50) == now + 1, "share_of()", "as long as there is time, nobody's share is nothing");
	ok(is_past(share_of(now, 50)), "share_of()", "after the deadline there are no shares");
	tracing = getenv("TRACE") != NULL;
	for (unsigned i = 0; i < 3; i++)
		contexts[i] = context_shared();
	for (unsigned long i = 0; i < n && failures < 5; i++) {
		const char *wrong = run_schedule(seed + i);

		if (wrong) {
			tap_note("schedule", wrong);
			failures++;
		}
	}
	snprintf(scratch, sizeof(scratch), "%lu schedules: each group is whole, as before, or named in the report", n);
	ok(!failures, "looks", scratch);
	return done_testing();
}
