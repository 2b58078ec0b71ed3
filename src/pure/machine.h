/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine: the snapshot that is decided on, and what was decided. Filled by scan.c, judged by plan.c. Pure. */
#ifndef VFIO_BOOT_MACHINE_H
#define VFIO_BOOT_MACHINE_H

#include <string.h>

#include "pciaddr.h"

struct selector;
struct settings;

#define DEVICES_MAX 4096
#define NAMES_SIZE  4096

/* What stands in the way of claiming a device or its group, in the order in which it is tried. */
enum reason {
	REASON_NONE,
	REASON_BRIDGE,
	REASON_GUARD_MISMATCH,
	REASON_BEHIND_PARENT,
	REASON_PROTECTED,
	REASON_IN_USE,
	REASON_OVERRIDDEN,
	REASON_NO_IOMMU,
	REASON_RESERVED,
	REASON_GROUP_MEMBER_REFUSED,
	REASON_GROUP_INCOMPLETE,
	REASON_UNBIND_NOT_ALLOWED,
	/* of what was tried and failed */
	REASON_NO_DRIVER,
	REASON_BIND,
	REASON_TIMEOUT,
	REASON_VANISHED,
	REASONS,
};

enum verdict {
	VERDICT_NONE, /* nobody asked for it */
	VERDICT_CLAIM,
	VERDICT_ALREADY,
	VERDICT_KEPT,
	VERDICT_EXCLUDED,
	/* from here on the exit status is 1 */
	VERDICT_REFUSED,
	VERDICT_PENDING,
	VERDICT_FAILED,
	VERDICTS,
};

/* How far the act layer came with a device; of a unit (see act.h) it is noted at its first device. */
enum {
	PROGRESS_OVERRIDDEN = 1 << 0, /* its override was written; also by a run that did not come to its end */
	PROGRESS_UNBOUND = 1 << 1,    /* a driver was taken off */
	PROGRESS_CLAIMED = 1 << 2,    /* its driver link was read back */
	PROGRESS_ENDED = 1 << 3,      /* the unit is claimed, or given back */
	PROGRESS_STUCK = 1 << 4,      /* its override could not be put back */
	PROGRESS_OPEN = 1 << 5,	      /* the unit is left as it is: a VFIO user has the group open */
	PROGRESS_LOST = 1 << 6,	      /* the driver that was taken off did not come back */
};

/* Why a device is in use. The strongest use comes first; scan_use() keeps only that one. */
enum use {
	USE_NONE,
	USE_VFS,
	USE_MOUNTED,
	USE_SWAP,
	USE_HOLDER,
	USE_OPEN,
	USE_NET_UP,
};

/* The IDs of a function; they have 16 bits each. */
struct function_ids {
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subdevice;
};

/* A process, which its number alone does not tell from a later one. */
struct worker {
	uint32_t pid;
	uint32_t start; /* when it began, in ticks since the boot, or 0 if unknown */
};

/*
 * A PCI function. The parts are named for who writes them, and nobody else does. Drivers and other names are kept once
 * each (machine_name()), so that equal names are equal pointers.
 */
struct device {
	char name[PCIADDR_TEXT];
	pciaddr address;
	struct device *parent; /* the PCI function above it, or NULL */
	struct group *group;   /* or NULL */
	struct device *next;   /* the next member of its group, in address order, or NULL */

	/* The scan: what is so. */
	struct {
		struct function_ids ids;
		uint32_t class;	      /* 24 bits */
		uint8_t use;	      /* enum use */
		uint8_t alias_fields; /* of the alias that target was chosen by (driver=auto): those that are no
					 wildcard */
		bool boot_display;
		bool parent_of_pci;   /* PCI functions are below it */
		bool detailed;	      /* more than the IDs has been read */
		bool virtual;	      /* a virtual function (SR-IOV) */
		const char *driver;   /* that holds it, or for the next boot will hold it first; NULL for none */
		const char *override; /* NULL for none */
		const char *target;   /* the driver it is to be claimed for, see find_variants() */
		const char *used_by;  /* what uses it, or NULL */
	} found;

	/* select_devices(): what the settings mean. */
	struct {
		bool selected;
		bool named;
		bool guard_failed; /* a failing guard names it, and nothing else selects it */
		bool excluded;
		bool taken;		   /* selected by group=whole alone */
		struct selector *selector; /* the most specific of `ids` that matched, or NULL */
		struct selector *protects; /* the entry of `protect` that means it, or NULL */
		struct selector *reserves; /* likewise of `reserve` */
		const struct device *twin; /* a protected function with the same vendor and device ID, or NULL */
	} asked;

	/* plan_decide(), and where it was tried who tried it: what becomes of it, and why. */
	struct {
		uint8_t verdict; /* enum verdict */
		uint8_t reason;	 /* enum reason */
	} decided;

	/* The act layer, and the report of an earlier run of this boot: what was done. */
	struct {
		uint8_t progress;	 /* PROGRESS_* */
		uint8_t error;		 /* what went wrong: enum reason */
		uint8_t errnum;		 /* and the errno of it */
		const char *framebuffer; /* of the firmware, which is on it still after its claim; or NULL */
		const char *driver;	 /* that holds it after a release; NULL for none */
		bool due;		 /* an earlier run of this boot left it open: pending, or the time was up */
		bool said;		 /* an earlier run of this boot said the same */
		struct worker worker; /* at work on it past its time limit: nobody else touches it; pid is 0 for none */
	} done;
};

enum {
	GROUP_NOIOMMU = 1 << 0, /* its name is vfio-noiommu: no isolation at all */
};

struct group {
	struct device *first;	    /* the first member */
	struct device *culprit;	    /* of the reason, or of what went wrong: the member, or NULL */
	const char *non_pci_member; /* a member that is no PCI device of the snapshot, or NULL */
	uint32_t number;	    /* as in /sys/kernel/iommu_groups */
	uint8_t flags;		    /* GROUP_* */
	uint8_t reason;		    /* why it is not claimed as a whole, or REASON_NONE */
	uint8_t culprit_reason;	    /* why the culprit keeps the others back, or REASON_NONE */
};

enum phase {
	PHASE_INIT_TOP,	   /* groups and devices may still come */
	PHASE_SECOND_LOOK, /* local-top: what is not there will not come */
	PHASE_NOW,	   /* on the running system */
	PHASE_NEXT_BOOT,   /* nothing but what the kernel has built in has touched a device yet */
};

struct machine {
	struct settings *settings; /* that it is judged by */
	struct device *end;	   /* behind the last device */
	struct group *group_end;
	const char *vfio_pci;	     /* a name */
	const char *no_claim_reason; /* why nothing is claimed in this boot at all, or NULL */
	const char *firmware;	     /* the firmware's IOMMU table (DMAR, IVRS, ...), or NULL */
	uint32_t names_used;
	uint32_t kernel;		   /* version << 8 | patchlevel of the kernel that is planned for */
	uint8_t phase;			   /* enum phase */
	bool any_group;			   /* the kernel has IOMMU groups at all */
	bool no_aliases;		   /* driver=auto, and modules.alias cannot be read */
	bool loaded;			   /* by the act layer: all has been loaded that can be */
	bool settle;			   /* only what an earlier run of this boot left open is done */
	bool failed;			   /* no_claim_reason is a failure, not a wish */
	bool read_all;			   /* all is read of every device */
	struct text step;		   /* what the act layer is doing at this moment */
	struct device device[DEVICES_MAX]; /* in address order */
	struct group group[DEVICES_MAX];
	char names[NAMES_SIZE]; /* NUL-terminated, one after the other */
};

#define for_each_device(m, d) for ((d) = (m)->device; (d) < (m)->end; (d)++)
#define for_each_group(m, g)  for ((g) = (m)->group; (g) < (m)->group_end; (g)++)
#define for_each_member(g, d) for ((d) = (g)->first; (d); (d) = (d)->next)

/* No devices, no names; settings has to outlive it. */
void machine_init(struct machine *m, struct settings *settings, enum phase phase) __attribute__((nonnull));

/* The device at an address, or NULL. */
struct device *machine_find(struct machine *m, pciaddr address) __attribute__((nonnull));

/* The device of that name as sysfs spells it, or NULL. */
struct device *machine_find_name(struct machine *m, const char *name, size_t len) __attribute__((nonnull));

/* Puts the devices into address order; pointers to them are good from then on. */
void machine_sort(struct machine *m) __attribute__((nonnull));

/* The one copy of a name, which lives as long as *m; where there is no more room, "?". */
const char *machine_name(struct machine *m, const char *name) __attribute__((nonnull, returns_nonnull));

/*
 * Returns true if name `a` sorts before `b`. Shorter names come first, names of the same length in the order of
 * strcmp(). So sda2 comes before sda10.
 */
bool name_precedes(const char *a, const char *b) __attribute__((nonnull));

/* Makes d a member of g, in address order. */
void machine_join(struct group *g, struct device *d) __attribute__((nonnull));

/*
 * What stays with the host whoever selects it (doc/interface.md, "What is decided, and why", 1): PCI bridges of each
 * kind and host bridges.
 */
bool is_bridge(const struct device *d) __attribute__((nonnull));

static inline bool is_host_bridge(const struct device *d)
{
	return d->found.class >> 8 == 0x0600;
}

static inline unsigned base_class(const struct device *d)
{
	return d->found.class >> 16;
}

/* The nearest function above d that is no bridge (Intel VMD), or NULL. */
struct device *parent_that_is_no_bridge(const struct device *d) __attribute__((nonnull));

/* Does its group not need it to be claimed (doc/interface.md, "What is decided, and why", 4)? */
bool is_exempt(const struct device *d) __attribute__((nonnull));

/* Is it vfio-pci or one of its variants (mlx5_vfio_pci, xe-vfio-pci)? NULL is none. */
static inline bool is_vfio_driver(const char *driver)
{
	return driver && strstr(driver, "vfio");
}

/* Selected and not taken away again. */
static inline bool is_wanted(const struct device *d)
{
	return d->asked.selected && !d->asked.excluded;
}

/* To be claimed, or claimed? */
static inline bool is_claimed(const struct device *d)
{
	return d->decided.verdict == VERDICT_CLAIM || d->decided.verdict == VERDICT_ALREADY;
}

/* Does it have a group that isolates it? */
bool has_group(const struct device *d) __attribute__((nonnull));

#endif
