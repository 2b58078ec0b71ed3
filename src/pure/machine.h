/* SPDX-License-Identifier: GPL-2.0-or-later */
/* machine: the snapshot of a machine, and the decisions about it. scan.c fills it and plan.c decides. Pure. */
#ifndef VFIO_BOOT_MACHINE_H
#define VFIO_BOOT_MACHINE_H

#include <string.h>

#include "pciaddr.h"

struct selector;
struct settings;

#define DEVICES_MAX 4096
#define NAMES_SIZE  4096

/* Why a device or its group is not claimed. plan.c tries the reasons in this order, and the first one counts. */
enum reason {
	REASON_NONE,
	REASON_BRIDGE,
	REASON_GUARD_MISMATCH,
	REASON_BEHIND_PARENT,
	REASON_PROTECTED,
	REASON_IN_USE,
	REASON_OVERRIDDEN,
	REASON_NO_IOMMU,
	REASON_UNUSABLE,
	REASON_RESERVED,
	REASON_GROUP_MEMBER_REFUSED,
	REASON_GROUP_INCOMPLETE,
	REASON_UNBIND_NOT_ALLOWED,
	/* The claim was tried and failed: */
	REASON_NO_DRIVER,
	REASON_BIND,
	REASON_TIMEOUT,
	REASON_VANISHED,
	REASON_ROOT_MISSING, /* the boot waited for its root, so it was given back */
	REASON_VFS,	     /* its virtual functions, or it as one of them, are not there yet or cannot be made */
	REASONS,
};

enum verdict {
	VERDICT_NONE, /* no setting selects it */
	VERDICT_CLAIM,
	VERDICT_ALREADY,
	VERDICT_KEPT,
	VERDICT_EXCLUDED,
	VERDICT_GIVEN_BACK, /* claimed, and given back since; the exit status is 1 with REASON_ROOT_MISSING */
	/* From here on the exit status is 1. */
	VERDICT_REFUSED,
	VERDICT_PENDING,
	VERDICT_FAILED,
	VERDICTS,
};

/* How far the act layer came with a device. What concerns a whole unit (see act.h) is in its first device. */
enum {
	PROGRESS_OVERRIDDEN = 1 << 0, /* its override was written, possibly by an earlier run that did not end */
	PROGRESS_UNBOUND = 1 << 1,    /* its driver was unbound */
	PROGRESS_CLAIMED = 1 << 2,    /* its driver link shows the right driver */
	PROGRESS_ENDED = 1 << 3,      /* the unit was claimed or given back */
	PROGRESS_STUCK = 1 << 4,      /* its override could not be restored */
	PROGRESS_OPEN = 1 << 5,	      /* the unit was left as it is, because a VFIO user has the group open */
	PROGRESS_LOST = 1 << 6,	      /* the driver that was unbound could not be bound again */
	PROGRESS_HELD = 1 << 7,	      /* its vfio driver could not be unbound when it was given back */
	/* what the host has not got back */
	PROGRESS_OWED = PROGRESS_STUCK | PROGRESS_LOST | PROGRESS_HELD,
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

/* The IDs of a function, 16 bits each. */
struct function_ids {
	uint16_t vendor;
	uint16_t device;
	uint16_t subvendor;
	uint16_t subdevice;
};

/* A process. A later one can get the same number, so the time at which it began is part of its identity. */
struct worker {
	uint32_t pid;
	uint32_t start; /* in ticks since the boot, or 0 if unknown */
};

/*
 * A PCI function. Each of its parts is written by one layer only. Names of drivers and the like come from
 * machine_name(), so equal names are equal pointers.
 */
struct device {
	char name[PCIADDR_TEXT];
	pciaddr address;
	struct device *parent; /* the PCI function above it, or NULL */
	struct group *group;   /* or NULL */
	struct device *next;   /* the next member of its group, in address order, or NULL */

	/* Written by the scan: the state of the device. */
	struct {
		struct function_ids ids;
		pciaddr pf;	/* the PF of a VF, if `vfs` means it, or 0; see virtual.c */
		uint32_t class; /* 24 bits */
		union {
			uint16_t vf;  /* with pf: the number of that VF */
			uint16_t vfs; /* of a PF that `vfs` means: how many VFs are there now */
		};
		uint16_t vfs_total;   /* of such a PF: how many there can be */
		uint8_t use;	      /* enum use */
		uint8_t alias_fields; /* fields that are no wildcard, in the alias that chose the target */
		bool boot_display;
		bool parent_of_pci;   /* PCI functions are below it, and it is no bridge */
		bool detailed;	      /* the scan has read the rest, too */
		bool virtual;	      /* a virtual function (SR-IOV), see find_virtual() */
		bool later;	      /* a VF that will be made at the next boot (`vfs`) */
		bool identified : 1;  /* the scan has read the IDs and the class */
		bool sriov : 1;	      /* it can have virtual functions (sriov_numvfs) */
		const char *driver;   /* bound to it now, or first in a plan for the next boot; or NULL */
		const char *override; /* its driver_override, or NULL */
		const char *target;   /* the driver to claim it for, see find_variants() */
		const char *used_by;  /* the block device or interface that uses it, or NULL */
	} found;

	/* Written by select_devices() and select_twins(): what the settings say about the device. */
	struct {
		bool selected;
		bool named;
		bool guard_failed; /* a selector names it, but its guard fails, and nothing else selects it */
		bool excluded;
		bool taken;		   /* selected only by group=whole */
		struct selector *selector; /* the most specific match in `ids`, else the entry of `vfs`, or NULL */
		struct selector *protects; /* the most specific match in `protect`, or NULL */
		struct selector *reserves; /* the most specific match in `reserve`, or NULL */
		struct selector *vfs;	   /* the entry of `vfs` that asks for VFs of it, or NULL */
		const struct device *twin; /* a protected function with the same vendor and device ID, or NULL */
	} asked;

	/* Written by plan_decide(), and after an attempt by apply.c or release.c: what happens to it, and why. */
	struct {
		uint8_t verdict; /* enum verdict */
		uint8_t reason;	 /* enum reason */
		bool itself;	 /* a PF of `vfs` that is selected itself, so that it has no VFs */
	} decided;

	/* Written by the act layer, and from the report of an earlier run of this boot: what was done. */
	struct {
		uint8_t progress;   /* PROGRESS_* */
		uint8_t error;	    /* enum reason: what went wrong */
		uint8_t errnum;	    /* its errno, or 0 */
		bool begun;	    /* this run has begun with the unit */
		bool autoprobe_off; /* sriov_drivers_autoprobe was switched off, and is to be put back */
		bool due;	    /* an earlier run of this boot left something of it open, or it has come since */
		bool late;	    /* it came after the claim of this boot */
		bool foreign;	    /* with PROGRESS_OVERRIDDEN of an earlier run: an override was there before */
		bool was_claimed;   /* an earlier run of this boot has claimed it */
		bool released;	    /* somebody has released it in this boot */
		bool rebound;	    /* this run was started since a driver of the host has it again */
		bool given_back;    /* an earlier look of this boot has given it back */
		bool tried;	    /* an earlier look of this boot could not bind it */
		bool keeps_row;	    /* its row in the report stays: this run knows no more, and perhaps less */
		bool said;	    /* an earlier run of this boot has logged the same verdict */
		struct function_ids ids; /* with REASON_GUARD_MISMATCH: what is there instead */
		struct worker worker;  /* still works on it past its time limit, so no other process may; pid 0: none */
		const char *waits_for; /* with a worker: what that was doing at the time limit, or NULL */
		const char *framebuffer; /* of the firmware, if it still occupies a BAR after the claim; or NULL */
		const char *driver;	 /* bound to it after a release, or NULL */
	} done;
};

enum {
	GROUP_NOIOMMU = 1 << 0, /* its name is vfio-noiommu: it does not isolate anything */
	GROUP_DIRECT = 1 << 1,	/* the firmware works through memory of its own (a direct line in reserved_regions) */
	/* Written by plan.c: */
	GROUP_NAMED = 1 << 2, /* a selector names one of its members (group=whole) */
	GROUP_DUE = 1 << 3,   /* a run that settles has to do with one of its members */
};

struct group {
	struct device *first;	    /* the first member */
	struct device *culprit;	    /* the member that is the cause of the reason or failure, or NULL */
	const char *non_pci_member; /* the name of a member that is not in the snapshot, or NULL */
	const char *newcomer;	    /* written by the act layer: the name of a device that joined since, or NULL */
	uint32_t number;	    /* as in /sys/kernel/iommu_groups */
	uint8_t flags;		    /* GROUP_* */
	uint8_t reason;		    /* why it cannot be claimed, or REASON_NONE */
	uint8_t culprit_reason;	    /* why the culprit blocks the others, or REASON_NONE */
};

enum phase {
	PHASE_INIT_TOP,	   /* groups and devices may still appear */
	PHASE_SECOND_LOOK, /* local-top: nothing more will appear */
	PHASE_NOW,	   /* on the running system */
	PHASE_NEXT_BOOT,   /* only drivers built into the kernel hold devices */
};

struct machine {
	struct settings *settings; /* the settings to decide by; not owned */
	struct device *end;	   /* behind the last device */
	struct group *group_end;
	const char *vfio_pci;	     /* the name "vfio-pci" */
	const char *no_claim_reason; /* why this boot claims nothing at all, or NULL */
	const char *firmware;	     /* the firmware's IOMMU table (DMAR, IVRS, ...), or NULL */
	uint32_t names_used;
	uint32_t kernel;	      /* version << 8 | patchlevel of the kernel to plan for */
	uint8_t phase;		      /* enum phase */
	bool any_group;		      /* the kernel has at least one IOMMU group that isolates */
	bool no_aliases;	      /* driver=auto, but modules.alias cannot be read */
	bool denylist_off;	      /* vfio-pci takes what is on its denylist, see find_denylist() */
	bool loaded;		      /* written by the act layer: the modules have been loaded */
	struct worker loader;	      /* written by the act layer: the process that loads them */
	bool settle;		      /* handle only what an earlier run of this boot left open, or what came since */
	bool late;		      /* handle only what came since; its driver may take a moment to bind */
	bool fallback;		      /* no_claim_reason is that boots with claims did not come up */
	bool failed;		      /* no_claim_reason is a failure, not the wish of the user */
	bool read_all;		      /* the scan reads everything about every device */
	const struct device *reading; /* the device whose attributes are being read, and may block; or NULL */
	struct text step;	      /* what a child is doing at the moment; written as a whole, as others read it */
	struct device device[DEVICES_MAX]; /* in address order */
	struct group group[DEVICES_MAX];
	char names[NAMES_SIZE]; /* each with a NUL at its end */
};

#define for_each_device(m, d) for ((d) = (m)->device; (d) < (m)->end; (d)++)
#define for_each_group(m, g)  for ((g) = (m)->group; (g) < (m)->group_end; (g)++)
#define for_each_member(g, d) for ((d) = (g)->first; (d); (d) = (d)->next)

/* Empties *m, which keeps pointing to the settings. */
void machine_init(struct machine *m, struct settings *settings, enum phase phase) __attribute__((nonnull));

/* Returns the first device at this address or behind it, or the end. Needs machine_sort(). */
struct device *machine_from(struct machine *m, pciaddr address) __attribute__((nonnull));

/* Returns the device at an address, or NULL. Needs machine_sort(). */
struct device *machine_find(struct machine *m, pciaddr address) __attribute__((nonnull));

/* Returns the device with this name of sysfs, which is len bytes long, or NULL. Needs machine_sort(). */
struct device *machine_find_name(struct machine *m, const char *name, size_t len) __attribute__((nonnull));

/* Sorts the devices by address. Pointers to devices are valid from then on. */
void machine_sort(struct machine *m) __attribute__((nonnull));

/* Returns the only copy of a name, which lives as long as *m, or "?" if there is no room for it. */
const char *machine_name(struct machine *m, const char *name) __attribute__((nonnull, returns_nonnull));

/* Returns what a child is doing at the moment, as machine_name() does, or NULL if it has not said so. */
const char *machine_step(struct machine *m) __attribute__((nonnull));

/*
 * Returns true if name `a` sorts before `b`. Shorter names come first, names of the same length in the order of
 * strcmp(). So sda2 comes before sda10.
 */
bool name_precedes(const char *a, const char *b) __attribute__((nonnull));

/* Makes d a member of g. Keeps the members in address order. */
void machine_join(struct group *g, struct device *d) __attribute__((nonnull));

/*
 * Returns true for PCI bridges of every kind and host bridges. They stay with the host even if a setting selects them
 * (doc/interface.md, "What is decided, and why", 1).
 */
bool is_bridge(const struct device *d) __attribute__((nonnull));

/* Returns true for a bridge with the override "none", which a claim writes to keep drivers off it. */
bool has_bridge_override(const struct device *d) __attribute__((nonnull));

static inline bool is_host_bridge(const struct device *d)
{
	return d->found.class >> 8 == 0x0600;
}

static inline unsigned base_class(const struct device *d)
{
	return d->found.class >> 16;
}

/* Returns the nearest function above d that is no bridge (Intel VMD), or NULL. */
struct device *parent_that_is_no_bridge(const struct device *d) __attribute__((nonnull));

/* Returns true if its group can be claimed without it (doc/interface.md, "What is decided, and why", 4). */
bool is_exempt(const struct device *d) __attribute__((nonnull));

/* Returns true if two functions have the same vendor and device ID. */
static inline bool has_same_id(const struct device *a, const struct device *b)
{
	return a->found.ids.vendor == b->found.ids.vendor && a->found.ids.device == b->found.ids.device;
}

/* Returns true for vfio-pci and its variants (mlx5_vfio_pci, xe-vfio-pci), and false for NULL. */
static inline bool is_vfio_driver(const char *driver)
{
	return driver && strstr(driver, "vfio");
}

/* Returns true if the device is selected and not excluded. */
static inline bool is_wanted(const struct device *d)
{
	return d->asked.selected && !d->asked.excluded;
}

/* Returns true if the device is to be claimed, or is claimed already. */
static inline bool is_claimed(const struct device *d)
{
	return d->decided.verdict == VERDICT_CLAIM || d->decided.verdict == VERDICT_ALREADY;
}

/* Returns true for a VF of `vfs` that will be made when its PF has its driver, which is no fault. */
static inline bool is_to_be_made(const struct device *d)
{
	return d->decided.verdict == VERDICT_PENDING && d->decided.reason == REASON_VFS;
}

/* Returns true if the device is in a group that isolates it. */
bool has_group(const struct device *d) __attribute__((nonnull));

#endif
