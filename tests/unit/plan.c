// SPDX-License-Identifier: GPL-2.0-or-later
/* plan: rules 2 to 7 of doc/interface.md, "What is decided, and why"; the rows are in their order. */
#include "model.h"
#include "tap.h"

/* A root port with a card of two functions, each machine of its own below it. */
#define CARD                                       \
	"00:01.0 8086:1901 0604 g1 drv=pcieport\n" \
	"01:00.0 10de:2204 0300 g1 <00:01.0\n"     \
	"01:00.1 10de:1aef 0403 g1 <00:01.0\n"
/* The port above a card, in a group of its own. */
#define PORT "00:01.0 8086:1901 0604 g1 drv=pcieport\n"
/* Two identical network cards in groups of their own. */
#define TWINS                         \
	"02:00.0 8086:10d3 0200 g2\n" \
	"03:00.0 8086:10d3 0200 g3\n"
/* A VMD controller and what is behind it, in its group. */
#define VMD                                                       \
	"00:0e.0 8086:467f 0104 g5\n"                             \
	"10000:e0:06.0 8086:a74d 0604 g5 <00:0e.0 drv=pcieport\n" \
	"10000:e1:00.0 144d:a808 0108 g5 <10000:e0:06.0 drv=nvme\n"
/* The same with the disk in a group of its own. */
#define VMD_SPLIT                                                 \
	"00:0e.0 8086:467f 0104 g5\n"                             \
	"10000:e0:06.0 8086:a74d 0604 g5 <00:0e.0 drv=pcieport\n" \
	"10000:e1:00.0 144d:a808 0108 g6 <10000:e0:06.0 drv=nvme\n"
/* What is on the denylist of vfio-pci, and two that are not. */
#define QAT                           \
	"02:00.0 8086:0435 0b40 g0\n" \
	"02:00.1 8086:0443 0b40 g1\n" \
	"02:00.2 8086:19e2 0b40 g2\n" \
	"02:00.3 8086:19e3 0b40 g3\n" \
	"02:00.4 8086:37c8 0b40 g4\n" \
	"02:00.5 8086:37c9 0b40 g5\n" \
	"02:00.6 8086:0b25 0b40 g6\n" \
	"02:00.7 8086:0cfe 0b40 g7\n" \
	"02:01.0 8086:4940 0b40 g8\n" \
	"02:01.1 10de:37c8 0b40 g9\n"
/* Host bridge, memory controller, storage and network in one group, as chipsets have it. */
#define CHIPSET                       \
	"00:00.0 8086:3e30 0600 g0\n" \
	"00:14.0 8086:a36d 0c03 g0\n" \
	"00:17.0 8086:a352 0106 g0\n"

static const struct row {
	const char *rule;
	const char *machine;
	const char *file;
	const char *verdicts;
	const char *cmdline;
} rows[] = {
	/* 2: selectors and exclusions */
	{ "2: nobody asked", CARD TWINS, "", "" },
	{ "2: both functions by ID", CARD, "ids = 10de:2204 10de:1aef", "01:00.0 claim; 01:00.1 claim" },
	{ "2: both functions by slot", CARD, "ids = 01:00", "01:00.0 claim; 01:00.1 claim" },
	{ "2: both functions by path", CARD, "ids = 00:01.0/00.0 00:01.0/00.1", "01:00.0 claim; 01:00.1 claim" },
	{ "2: by ID, both of two", TWINS, "ids = 8086:10d3", "02:00.0 claim; 03:00.0 claim" },
	{ "2: by address, one of two", TWINS, "ids = 02:00.0", "02:00.0 claim" },
	{ "2: excluded by address", TWINS, "ids = 8086:10d3 !02:00.0", "02:00.0 excluded; 03:00.0 claim" },
	{ "2: excluded, wherever it stands", TWINS, "ids = !02:00.0 8086:10d3", "02:00.0 excluded; 03:00.0 claim" },
	{ "2: excluded though named", TWINS, "ids = 02:00.0 !8086:10d3", "02:00.0 excluded" },
	{ "2: an exclusion alone selects nothing", TWINS, "ids = !02:00.0", "" },
	{ "2: excluded by class", TWINS, "ids = 02:00.0 !class:02", "02:00.0 excluded" },
	{ "2: excluded by slot", CARD, "ids = not:01:00 10de:*", "01:00.0 excluded; 01:00.1 excluded" },
	{ "2: a bridge is excluded like any other", CARD, "ids = 01:00 00:01.0 !00:01.0",
	  "00:01.0 excluded; 01:00.0 claim; 01:00.1 claim" },
	{ "2: exclusions alone on the command line replace nothing", TWINS, "ids = 8086:10d3",
	  "02:00.0 excluded; 03:00.0 claim", "vfio.ids=!02:00.0" },
	{ "2: nor do malformed ones", TWINS, "ids = 8086:10d3", "02:00.0 kept reserved; 03:00.0 kept reserved",
	  "vfio.ids=not:x" },
	{ "2: with a selector they do", TWINS, "ids = 8086:10d3", "03:00.0 claim", "vfio.ids=!02:00.0,03:00.0" },
	{ "2: not there", TWINS, "ids = 8086:10d4 03:00.0", "03:00.0 claim; absent 8086:10d4" },
	{ "2: not there, each once and in order", TWINS, "ids = 8086:10d5 8086:10d4 8086:10d5",
	  "absent 8086:10d4; absent 8086:10d5" },
	{ "2: an exclusion that matches nothing is no absent", TWINS, "ids = !8086:10d4", "" },
	{ "2: guard fits", TWINS, "ids = 02:00.0@8086:10d3", "02:00.0 claim" },
	{ "2: guard fails", TWINS, "ids = 02:00.0@8086:10d4", "02:00.0 refused guard-mismatch" },
	{ "2: guard fails, another selector selects", TWINS, "ids = 02:00.0@8086:10d4 8086:10d3",
	  "02:00.0 claim; 03:00.0 claim" },
	{ "2: the same the other way round", TWINS, "ids = 8086:10d3 02:00.0@8086:10d4",
	  "02:00.0 claim; 03:00.0 claim" },
	{ "2: a failing guard is not absent", TWINS, "ids = 02:00.0@8086:10d4", "02:00.0 refused guard-mismatch" },
	{ "2: a guard without a function is", TWINS, "ids = 04:00.0@8086:10d3", "absent 04:00.0@8086:10d3" },
	{ "2: guard fails, excluded", TWINS, "ids = 02:00.0@8086:10d4 !02:00.0", "02:00.0 excluded" },
	{ "2: guard fails, group=whole stays", CARD, "ids = 01:00.1 01:00.0@10de:2206\ngroup = whole",
	  "01:00.0 refused guard-mismatch; 01:00.1 refused group-member-refused" },
	{ "2: guard fails, does not start group=whole", CARD, "ids = 01:00.0@10de:2206\ngroup = whole",
	  "01:00.0 refused guard-mismatch" },
	{ "2: guard fails, group=whole, excluded", CARD, "ids = 01:00.1 01:00.0@10de:2206 !01:00.0\ngroup = whole",
	  "01:00.0 excluded; 01:00.1 refused group-incomplete" },
	{ "2: an exclusion whose guard fits takes that one", TWINS, "ids = 8086:10d3 !02:00.0@8086:10d3",
	  "02:00.0 excluded; 03:00.0 claim" },
	{ "2: one whose guard fails takes address and ID", TWINS "04:00.0 10de:2204 0300 g4\n",
	  "ids = 8086:10d3 10de:2204 !04:00.0@8086:10d3", "02:00.0 excluded; 03:00.0 excluded; 04:00.0 excluded" },
	{ "2: one whose function is gone takes the ID", TWINS, "ids = 8086:10d3 !05:00.0@8086:10d3",
	  "02:00.0 excluded; 03:00.0 excluded" },

	/* 3, bridge */
	{ "3: bridge 0604", CARD, "ids = 00:01.0", "00:01.0 refused bridge" },
	{ "3: bridge 0607", "05:00.0 104c:ac56 0607 g5\n", "ids = 05:00.0", "05:00.0 refused bridge" },
	{ "3: bridge 0609", "05:00.0 104c:ac56 0609 g5\n", "ids = 05:00.0", "05:00.0 refused bridge" },
	{ "3: host bridge", "00:00.0 8086:3e30 0600 g0\n", "ids = 00:00.0", "00:00.0 refused bridge" },
	{ "3: host bridge, guarded", "00:00.0 8086:3e30 0600 g0\n", "ids = 00:00.0@8086:3e30",
	  "00:00.0 refused bridge" },
	{ "3: an ISA bridge is none, but platform", "00:1f.0 8086:a30d 0601 g5\n", "ids = 8086:a30d",
	  "00:1f.0 kept reserved" },
	{ "3: and can be named", "00:1f.0 8086:a30d 0601 g5\n", "ids = 00:1f.0", "00:1f.0 claim" },

	/* 3, behind-parent */
	{ "3: behind VMD", VMD, "ids = 10000:e1:00.0", "10000:e1:00.0 refused behind-parent" },
	{ "3: what is behind it goes with VMD", VMD, "ids = 00:0e.0", "00:0e.0 claim" },
	{ "3: VMD is platform", VMD, "ids = 8086:467f", "00:0e.0 kept reserved" },
	{ "3: behind bridges alone is not behind a parent", CARD "02:00.0 8086:0001 0604 g1 <01:00.0\n",
	  "ids = 00:01.0/00.0 01:00.1", "01:00.0 claim; 01:00.1 claim" },
	{ "3: behind VMD, in another group", VMD_SPLIT, "ids = 10000:e1:00.0", "10000:e1:00.0 refused behind-parent" },
	{ "3: which does not start group=whole", VMD_SPLIT "02:00.0 8086:10d3 0200 g6\n",
	  "ids = 10000:e1:00.0\ngroup = whole", "10000:e1:00.0 refused behind-parent" },
	{ "3: and goes with VMD all the same", VMD_SPLIT, "ids = 00:0e.0", "00:0e.0 claim" },
	{ "3: a card that shares its group need not wait for it", VMD_SPLIT "02:00.0 8086:10d3 0200 g6\n",
	  "ids = 02:00.0\nunbind = no", "02:00.0 claim" },
	{ "3: but for a protected one", VMD_SPLIT "02:00.0 8086:10d3 0200 g6\n",
	  "ids = 02:00.0\nprotect = 10000:e1:00.0", "02:00.0 refused group-member-refused" },
	{ "3: a host bridge is no such parent", "00:00.0 8086:3e30 0600 g0\n02:00.0 8086:10d3 0200 g2 <00:00.0\n",
	  "ids = 8086:10d3", "02:00.0 claim" },

	/* 3, protected */
	{ "3: protected, by ID", TWINS, "ids = 02:00 03:00\nprotect = 8086:10d3",
	  "02:00.0 refused protected; 03:00.0 refused protected" },
	{ "3: protected though named", TWINS, "ids = 02:00.0\nprotect = 02:00.0", "02:00.0 refused protected" },
	{ "3: by path and guard", CARD, "ids = 01:00\nprotect = 00:01.0/00.0@10de:2204",
	  "01:00.0 refused protected; 01:00.1 refused group-member-refused" },
	{ "3: a guard that fails protects address and ID", TWINS "04:00.0 144d:a808 0108 g4\n",
	  "ids = 02:00.0 03:00.0 04:00.0\nprotect = 03:00.0@144d:a808",
	  "02:00.0 claim; 03:00.0 refused protected; 04:00.0 refused protected" },
	{ "3: a guard that fits protects that one", TWINS, "ids = 02:00.0 03:00.0\nprotect = 03:00.0@8086:10d3",
	  "02:00.0 claim; 03:00.0 refused protected" },
	{ "3: protect=off overrules entries", TWINS, "ids = 8086:10d3\nprotect = 02:00.0",
	  "02:00.0 claim; 03:00.0 claim", "vfio-boot.protect=off" },

	/* 3, in-use */
	{ "3: in use", "04:00.0 144d:a808 0108 g4 use=nvme0n1\n", "ids = 04:00.0", "04:00.0 refused in-use" },
	{ "3: VFs", "02:00.0 8086:10d3 0200 g2 vfs\n", "ids = 8086:10d3", "02:00.0 refused in-use" },
	{ "3: in use is never kept", TWINS "04:00.0 8086:10d3 0200 g4 vfs\n", "ids = 8086:10d3",
	  "02:00.0 claim; 03:00.0 claim; 04:00.0 refused in-use" },
	{ "3: in use, reserved and named", "02:00.0 8086:10d3 0200 g2 vfs\n", "ids = 02:00.0\nreserve = 02:00.0",
	  "02:00.0 refused in-use" },

	/* 3, overridden */
	{ "3: overridden", "02:00.0 8086:10d3 0200 g2 over=e1000e\n", "ids = 02:00.0", "02:00.0 refused overridden" },
	{ "3: overridden to none", "02:00.0 8086:10d3 0200 g2 over=none\n", "ids = 8086:10d3",
	  "02:00.0 refused overridden" },
	{ "3: overridden to what it is to be", "02:00.0 8086:10d3 0200 g2 over=vfio-pci\n", "ids = 8086:10d3",
	  "02:00.0 claim" },
	{ "3: already, whatever the override says", "02:00.0 8086:10d3 0200 g2 over=e1000e drv=vfio-pci\n",
	  "ids = 8086:10d3", "02:00.0 already" },

	/* 3, no-iommu */
	{ "3: no group", "02:00.0 8086:10d3 0200\n", "ids = 02:00.0", "02:00.0 refused no-iommu" },
	{ "3: no group next to groups", "05:00.0 10de:0001 0300 g22\n05:00.1 10de:0002 0403\n", "ids = 05:00",
	  "05:00.0 claim; 05:00.1 refused no-iommu" },
	{ "3: vfio-noiommu", "02:00.0 8086:10d3 0200 g2\nnoiommu 2\n", "ids = 02:00.0", "02:00.0 refused no-iommu" },
	{ "3: no group yet", "init\n02:00.0 8086:10d3 0200\n", "ids = 02:00.0", "02:00.0 pending no-iommu" },
	{ "3: no group at the second look", "second\n02:00.0 8086:10d3 0200\n", "ids = 02:00.0",
	  "02:00.0 refused no-iommu" },
	{ "3: no group now, but at the next boot", "next\nfirmware DMAR\n02:00.0 8086:10d3 0200\n", "ids = 02:00.0",
	  "02:00.0 pending no-iommu" },
	{ "3: no IOMMU at the next boot", "next\n02:00.0 8086:10d3 0200\n", "ids = 02:00.0",
	  "02:00.0 refused no-iommu" },
	{ "3: groups, but not of this one", "next\nfirmware DMAR\n02:00.0 8086:10d3 0200\n03:00.0 8086:0001 0200 g1\n",
	  "ids = 02:00.0", "02:00.0 refused no-iommu" },
	{ "3: pending is never kept", "init\n02:00.0 8086:10d3 0200\n03:00.0 8086:10d3 0200 g3\n", "ids = 8086:10d3",
	  "02:00.0 pending no-iommu; 03:00.0 claim" },

	/* 3, unusable */
	{ "3: on the denylist of vfio-pci", "02:00.0 8086:37c8 0b40 g2\n", "ids = 02:00.0",
	  "02:00.0 refused unusable" },
	{ "3: each of it", QAT, "ids = class:0b40",
	  "02:00.0 kept unusable; 02:00.1 kept unusable; 02:00.2 kept unusable; 02:00.3 kept unusable; "
	  "02:00.4 kept unusable; 02:00.5 kept unusable; 02:00.6 kept unusable; 02:00.7 kept unusable; 02:01.0 claim; "
	  "02:01.1 claim" },
	{ "3: but it is off", "denylist-off\n02:00.0 8086:37c8 0b40 g2\n", "ids = 02:00.0", "02:00.0 claim" },
	{ "3: variant drivers have no such list", "02:00.0 8086:37c8 0b40 g2 for=qat_vfio_pci\n", "ids = 02:00.0",
	  "02:00.0 claim" },
	{ "3: the next boot as well", "next\n02:00.0 8086:37c8 0b40 g2\n", "ids = 02:00.0",
	  "02:00.0 refused unusable" },
	{ "3: the firmware works through the group", "direct 2\n" TWINS, "ids = 02:00.0 03:00.0",
	  "02:00.0 refused unusable; 03:00.0 claim" },
	{ "3: whatever the denylist", "direct 2\ndenylist-off\n02:00.0 8086:37c8 0b40 g2 for=qat_vfio_pci\n",
	  "ids = 02:00.0", "02:00.0 refused unusable" },
	{ "3: a member that is unusable", "02:00.0 8086:37c8 0b40 g2\n02:00.1 8086:37d2 0200 g2\n", "ids = 02:00",
	  "02:00.0 refused unusable; 02:00.1 refused group-member-refused" },
	{ "3: one that was not selected is only missing", "02:00.0 8086:37c8 0b40 g2\n02:00.1 8086:37d2 0200 g2\n",
	  "ids = 02:00.1", "02:00.1 refused group-incomplete" },

	/* 3, reserved: the boot display */
	{ "3: boot display, not named", "01:00.0 10de:2204 0300 g1 vga\n", "ids = 10de:2204", "01:00.0 kept reserved" },
	{ "3: boot display, by class", "01:00.0 10de:2204 0300 g1 vga\n", "ids = class:03", "01:00.0 kept reserved" },
	{ "3: boot display, named by address", "01:00.0 10de:2204 0300 g1 vga\n", "ids = 01:00.0", "01:00.0 claim" },
	{ "3: boot display, named by slot", "01:00.0 10de:2204 0300 g1 vga\n", "ids = 01:00", "01:00.0 claim" },
	{ "3: boot display, named as such", "01:00.0 10de:2204 0300 g1 vga\n", "ids = boot-vga", "01:00.0 claim" },
	{ "3: boot display, guarded", "01:00.0 10de:2204 0300 g1 vga\n", "ids = 01:00.0@10de:2204", "01:00.0 claim" },
	{ "3: boot display, excluded", "01:00.0 10de:2204 0300 g1 vga\n", "ids = 10de:2204 !boot-vga",
	  "01:00.0 excluded" },
	{ "3: boot display, named and excluded", "01:00.0 10de:2204 0300 g1 vga\n", "ids = boot-vga not:boot-vga",
	  "01:00.0 excluded" },
	{ "3: another display", "01:00.0 10de:2204 0300 g1\n", "ids = 10de:2204", "01:00.0 claim" },

	/* 3, reserved: the twin of a protected function */
	{ "3: a twin, not named", TWINS, "ids = 8086:10d3\nprotect = 02:00.0",
	  "02:00.0 kept protected; 03:00.0 kept reserved" },
	{ "3: a twin, named", TWINS, "ids = 8086:10d3 03:00.0\nprotect = 02:00.0",
	  "02:00.0 kept protected; 03:00.0 claim" },
	{ "3: a twin by another subsystem too",
	  "02:00.0 8086:10d3:8086:0001 0200 g2\n03:00.0 8086:10d3:103c:0002 0200 g3\n",
	  "ids = 8086:10d3:103c:0002\nprotect = 02:00.0", "03:00.0 kept reserved" },
	{ "3: a twin in a group that is taken whole", CARD "02:00.0 10de:1aef 0403 g2\n",
	  "ids = 01:00.0\nprotect = 02:00.0\ngroup = whole",
	  "01:00.0 refused group-member-refused; 01:00.1 refused reserved" },
	{ "3: a twin that was not selected is only missing", CARD "02:00.0 10de:1aef 0403 g2\n",
	  "ids = 01:00.0\nprotect = 02:00.0", "01:00.0 refused group-incomplete" },

	/* 3, reserved: storage, while what the host lives on is unknown */
	{ "3: unknown, storage not named", "04:00.0 144d:a808 0108 g4\n" TWINS,
	  "ids = 144d:a808 02:00.0\nprotect = unknown", "02:00.0 claim; 04:00.0 kept reserved" },
	{ "3: unknown, storage named", "04:00.0 144d:a808 0108 g4\n", "ids = 04:00.0\nprotect = unknown",
	  "04:00.0 claim" },
	{ "3: unknown, no storage", TWINS, "ids = 8086:10d3\nprotect = unknown", "02:00.0 claim; 03:00.0 claim" },
	{ "3: protect=off overrules unknown", "04:00.0 144d:a808 0108 g4\n", "ids = 144d:a808\nprotect = unknown",
	  "04:00.0 claim", "vfio-boot.protect=off" },
	{ "3: reserve=off does not", "04:00.0 144d:a808 0108 g4\n", "ids = 144d:a808\nprotect = unknown",
	  "04:00.0 kept reserved", "vfio-boot.reserve=off" },

	/* 3, reserved: by an entry */
	{ "3: reserved, not named", TWINS, "ids = 8086:10d3\nreserve = 8086:10d3",
	  "02:00.0 kept reserved; 03:00.0 kept reserved" },
	{ "3: reserved, named", TWINS, "ids = 02:00.0\nreserve = 02:00.0", "02:00.0 claim" },
	{ "3: reserve knows no twins", TWINS, "ids = 8086:10d3\nreserve = 02:00.0",
	  "02:00.0 kept reserved; 03:00.0 claim" },
	{ "3: reserved by class", TWINS, "ids = 8086:10d3\nreserve = class:02",
	  "02:00.0 kept reserved; 03:00.0 kept reserved" },
	{ "3: reserve with a guard that fails", TWINS, "ids = 8086:10d3\nreserve = 05:00.0@8086:10d3",
	  "02:00.0 kept reserved; 03:00.0 kept reserved" },
	{ "3: reserve=off", TWINS, "ids = 8086:10d3\nreserve = 02:00.0", "02:00.0 claim; 03:00.0 claim",
	  "vfio-boot.reserve=off" },

	/* 3, reserved: the platform */
	{ "3: platform 05", "00:1f.2 8086:0001 0580 g1\n", "ids = 8086:0001", "00:1f.2 kept reserved" },
	{ "3: a host bridge is one first", "00:00.0 8086:0001 0600 g1\n", "ids = 8086:0001", "00:00.0 kept bridge" },
	{ "3: platform 0806", "00:00.2 1022:0001 0806 g1\n", "ids = 1022:0001", "00:00.2 kept reserved" },
	{ "3: platform 0807", "00:00.2 1022:0001 0807 g1\n", "ids = 1022:0001", "00:00.2 kept reserved" },
	{ "3: platform 0c05", "00:1f.4 8086:0001 0c05 g1\n", "ids = 8086:0001", "00:1f.4 kept reserved" },
	{ "3: platform, named", "00:1f.4 8086:0001 0c05 g1\n", "ids = 00:1f.4", "00:1f.4 claim" },
	{ "3: not platform", "00:1f.4 8086:0001 0c03 g1\n00:1f.5 8086:0002 0880 g2\n", "ids = 8086:*",
	  "00:1f.4 claim; 00:1f.5 claim" },
	{ "3: reserve=off leaves the platform alone", "00:1f.4 8086:0001 0c05 g1\n", "ids = 8086:0001",
	  "00:1f.4 kept reserved", "vfio-boot.reserve=off" },
	/* while what protects could not be read */
	{ "a malformed exclusion, not named", TWINS, "ids = 8086:10d3 !x",
	  "02:00.0 kept reserved; 03:00.0 kept reserved" },
	{ "a malformed exclusion, named", TWINS, "ids = 8086:10d3 02:00.0 !x", "02:00.0 claim; 03:00.0 kept reserved" },
	{ "that nothing overrules", TWINS, "ids = 8086:10d3 !x", "02:00.0 kept reserved; 03:00.0 kept reserved",
	  "vfio-boot.protect=off vfio-boot.reserve=off" },
	{ "a malformed protect entry", TWINS, "ids = 8086:10d3\nprotect = x",
	  "02:00.0 kept reserved; 03:00.0 kept reserved" },
	{ "that is overruled", TWINS, "ids = 8086:10d3\nprotect = x", "02:00.0 claim; 03:00.0 claim",
	  "vfio-boot.protect=off" },
	{ "by that of its own list alone", TWINS, "ids = 8086:10d3\nprotect = x",
	  "02:00.0 kept reserved; 03:00.0 kept reserved", "vfio-boot.reserve=off" },
	{ "a malformed reserve entry", TWINS, "ids = 8086:10d3\nreserve = x",
	  "02:00.0 kept reserved; 03:00.0 kept reserved" },
	{ "that is overruled", TWINS, "ids = 8086:10d3\nreserve = x", "02:00.0 claim; 03:00.0 claim",
	  "vfio-boot.reserve=off" },
	{ "a malformed selector changes nothing", TWINS, "ids = 8086:10d3 x", "02:00.0 claim; 03:00.0 claim" },

	/* 4: all or nothing */
	{ "4: incomplete", CARD, "ids = 01:00.0", "01:00.0 refused group-incomplete" },
	{ "4: incomplete, excluded", CARD, "ids = 01:00 !01:00.1",
	  "01:00.0 refused group-incomplete; 01:00.1 excluded" },
	{ "4: incomplete, whichever driver is bound",
	  "01:00.0 10de:0001 0300 g1\n01:00.1 10de:0002 0403 g1 drv=vfio-pci\n", "ids = 01:00.0",
	  "01:00.0 refused group-incomplete" },
	{ "4: already, but incomplete", "01:00.0 10de:0001 0300 g1 drv=vfio-pci\n01:00.1 10de:0002 0403 g1\n",
	  "ids = 01:00.0", "01:00.0 refused group-incomplete" },
	{ "4: the other group is not touched by that", CARD TWINS, "ids = 01:00.0 02:00.0",
	  "01:00.0 refused group-incomplete; 02:00.0 claim" },
	{ "4: bridges need not be selected", CARD, "ids = 01:00", "01:00.0 claim; 01:00.1 claim" },
	{ "4: a bridge that was selected keeps nobody back", CARD, "ids = 01:00 00:01.0",
	  "00:01.0 refused bridge; 01:00.0 claim; 01:00.1 claim" },
	{ "4: a bridge that was excluded neither", CARD, "ids = 01:00 !00:01.0", "01:00.0 claim; 01:00.1 claim" },
	{ "4: host bridges need not be selected", CHIPSET, "ids = 00:14.0 00:17.0", "00:14.0 claim; 00:17.0 claim" },
	{ "4: excluded ones neither", CHIPSET, "ids = 00:14.0 00:17.0 !00:00.0", "00:14.0 claim; 00:17.0 claim" },
	{ "4: one that was matched keeps nobody back", CHIPSET, "ids = 8086:*",
	  "00:00.0 kept bridge; 00:14.0 claim; 00:17.0 claim" },
	{ "4: one that was named neither", CHIPSET, "ids = 8086:* 00:00.0",
	  "00:00.0 refused bridge; 00:14.0 claim; 00:17.0 claim" },
	{ "4: one that is in use neither", "00:00.0 8086:3e30 0600 g0 vfs\n00:14.0 8086:a36d 0c03 g0\n",
	  "ids = 00:14.0 00:00.0", "00:00.0 refused bridge; 00:14.0 claim" },
	{ "4: one whose guard fails neither", CHIPSET, "ids = 00:14.0 00:17.0 00:00.0@8086:0001",
	  "00:00.0 refused bridge; 00:14.0 claim; 00:17.0 claim" },
	{ "4: what is behind VMD need not be selected", VMD, "ids = 00:0e.0", "00:0e.0 claim" },
	{ "4: and keeps nobody back", VMD, "ids = 00:0e.0 10000:e1:00.0",
	  "00:0e.0 claim; 10000:e1:00.0 refused behind-parent" },
	{ "4: a member that was refused", CARD, "ids = 01:00\nprotect = 01:00.1",
	  "01:00.0 refused group-member-refused; 01:00.1 refused protected" },
	{ "4: a member that is protected, not selected", CARD, "ids = 01:00.0\nprotect = 01:00.1",
	  "01:00.0 refused group-member-refused" },
	{ "4: a member that is protected, excluded", CARD, "ids = 01:00 !01:00.1\nprotect = 01:00.1",
	  "01:00.0 refused group-member-refused; 01:00.1 excluded" },
	{ "4: a bridge that is protected", CARD, "ids = 01:00\nprotect = 00:01.0",
	  "01:00.0 refused group-member-refused; 01:00.1 refused group-member-refused" },
	{ "4: a host bridge that is protected", CHIPSET, "ids = 00:14.0 00:17.0\nprotect = 00:00.0",
	  "00:14.0 refused group-member-refused; 00:17.0 refused group-member-refused" },
	{ "4: what is behind VMD is protected", VMD, "ids = 00:0e.0\nprotect = 10000:e1:00.0",
	  "00:0e.0 refused group-member-refused" },
	{ "4: a member in use, not selected", "01:00.0 10de:0001 0300 g1\n01:00.1 8086:0001 0106 g1 use=sda\n",
	  "ids = 01:00.0", "01:00.0 refused group-member-refused" },
	{ "4: a member in use, excluded", "01:00.0 10de:0001 0300 g1\n01:00.1 8086:0001 0106 g1 use=sda\n",
	  "ids = 01:00 !01:00.1", "01:00.0 refused group-member-refused; 01:00.1 excluded" },
	{ "4: what is behind VMD is in use",
	  "00:0e.0 8086:0001 0104 g5\n10000:e1:00.0 144d:0001 0108 g5 <00:0e.0 use=nvme0n1\n", "ids = 00:0e.0",
	  "00:0e.0 claim" },
	{ "4: a member whose guard fails", CARD, "ids = 01:00.0 01:00.1@10de:2206",
	  "01:00.0 refused group-member-refused; 01:00.1 refused guard-mismatch" },
	{ "4: a member that is overridden", "01:00.0 10de:0001 0300 g1 over=none\n01:00.1 10de:0002 0403 g1\n",
	  "ids = 01:00", "01:00.0 refused overridden; 01:00.1 refused group-member-refused" },
	{ "4: a member that is no PCI device", "02:00.0 8086:10d3 0200 g2\nstranger 2 fd000000.dma\n", "ids = 02:00.0",
	  "02:00.0 refused group-member-refused" },
	{ "4: refused before incomplete", CHIPSET, "ids = 00:14.0\nprotect = 00:00.0",
	  "00:14.0 refused group-member-refused" },

	/* 4, group=whole */
	{ "4, whole: takes the others", CARD, "ids = 01:00.0\ngroup = whole", "01:00.0 claim; 01:00.1 claim" },
	{ "4, whole: of that group alone", CARD TWINS, "ids = 01:00.0\ngroup = whole", "01:00.0 claim; 01:00.1 claim" },
	{ "4, whole: not what is excluded", CARD, "ids = 01:00.0 !01:00.1\ngroup = whole",
	  "01:00.0 refused group-incomplete; 01:00.1 excluded" },
	{ "4, whole: a bridge does not start it", CARD, "ids = 00:01.0\ngroup = whole", "00:01.0 refused bridge" },
	{ "4, whole: a host bridge does not", CHIPSET, "ids = 00:00.0\ngroup = whole", "00:00.0 refused bridge" },
	{ "4, whole: not even by class", CHIPSET, "ids = class:0600\ngroup = whole", "00:00.0 kept bridge" },
	{ "4, whole: what is behind VMD does not", VMD, "ids = 10000:e1:00.0\ngroup = whole",
	  "10000:e1:00.0 refused behind-parent" },
	{ "4, whole: an excluded one does not", CARD, "ids = 01:00.0 !01:00.0\ngroup = whole", "01:00.0 excluded" },
	{ "4, whole: host bridges stay", CHIPSET, "ids = 00:14.0\ngroup = whole", "00:14.0 claim; 00:17.0 claim" },
	{ "4, whole: nobody is named by it", "01:00.0 10de:0001 0403 g1\n01:00.1 10de:0002 0300 g1 vga\n",
	  "ids = 01:00.0\ngroup = whole", "01:00.0 refused group-member-refused; 01:00.1 refused reserved" },
	{ "4, whole: not even the platform", "00:1f.3 8086:0001 0403 g1\n00:1f.4 8086:0002 0c05 g1\n",
	  "ids = 00:1f.3\ngroup = whole", "00:1f.3 refused group-member-refused; 00:1f.4 refused reserved" },
	{ "4, whole: where it is complete", CARD, "ids = 01:00\ngroup = whole", "01:00.0 claim; 01:00.1 claim" },
	{ "4, whole: the boot display, named as such", "01:00.0 10de:0001 0300 g1 vga\n01:00.1 10de:0002 0403 g1\n",
	  "ids = boot-vga\ngroup = whole", "01:00.0 claim; 01:00.1 claim" },

	/* 4, group=ignore */
	{ "4, ignore: each for itself", CARD, "ids = 01:00.0\ngroup = ignore", "01:00.0 claim" },
	{ "4, ignore: next to one that is protected", CARD, "ids = 01:00.0\ngroup = ignore\nprotect = 01:00.1",
	  "01:00.0 claim" },
	{ "4, ignore: next to one that is excluded", CARD, "ids = 01:00 !01:00.1\ngroup = ignore",
	  "01:00.0 claim; 01:00.1 excluded" },
	{ "4, ignore: what speaks against itself holds", "01:00.0 10de:0001 0300 g1 vga\n",
	  "ids = 10de:0001\ngroup = ignore", "01:00.0 kept reserved" },
	{ "4, ignore: next to a bridge with a driver", "00:01.0 8086:1 0604 g1 drv=shpchp\n01:00.0 10de:1 0c03 g1\n",
	  "ids = 01:00.0 !00:01.0\ngroup = ignore\nunbind = no", "01:00.0 claim" },
	{ "4, ignore: no group is still none", "01:00.0 10de:0001 0300\n", "ids = 10de:0001\ngroup = ignore",
	  "01:00.0 refused no-iommu" },
	{ "4, ignore: acts as refuse before 5.19", "kernel 5.18\n" CARD, "ids = 01:00.0\ngroup = ignore",
	  "01:00.0 refused group-incomplete" },
	{ "4, ignore: from 5.19 on", "kernel 5.19\n" CARD, "ids = 01:00.0\ngroup = ignore", "01:00.0 claim" },
	{ "4, ignore: 6.0", "kernel 6.0\n" CARD, "ids = 01:00.0\ngroup = ignore", "01:00.0 claim" },
	{ "4, ignore: 4.20", "kernel 4.20\n" CARD, "ids = 01:00.0\ngroup = ignore",
	  "01:00.0 refused group-incomplete" },

	/* 5: drivers */
	{ "5: another driver, unbind=yes", "02:00.0 8086:10d3 0200 g2 drv=e1000e\n", "ids = 02:00.0", "02:00.0 claim" },
	{ "5: another driver, unbind=no", "02:00.0 8086:10d3 0200 g2 drv=e1000e\n", "ids = 02:00.0\nunbind = no",
	  "02:00.0 refused unbind-not-allowed" },
	{ "5: the right driver, unbind=no", "02:00.0 8086:10d3 0200 g2 drv=vfio-pci\n", "ids = 02:00.0\nunbind = no",
	  "02:00.0 already" },
	{ "5: no driver, unbind=no", TWINS, "ids = 02:00.0\nunbind = no", "02:00.0 claim" },
	{ "5: a member, all get it", "01:00.0 10de:0001 0300 g1\n01:00.1 10de:0002 0403 g1 drv=snd_hda_intel\n",
	  "ids = 01:00\nunbind = no", "01:00.0 refused unbind-not-allowed; 01:00.1 refused unbind-not-allowed" },
	{ "5: a bridge with pcieport", CARD, "ids = 01:00\nunbind = no", "01:00.0 claim; 01:00.1 claim" },
	{ "5: a bridge with shpchp, unbind=yes", "00:01.0 8086:0001 0604 g1 drv=shpchp\n01:00.0 10de:0001 0300 g1\n",
	  "ids = 01:00.0", "01:00.0 claim" },
	{ "5: a bridge with shpchp, unbind=no", "00:01.0 8086:0001 0604 g1 drv=shpchp\n01:00.0 10de:0001 0300 g1\n",
	  "ids = 01:00.0\nunbind = no", "01:00.0 refused unbind-not-allowed" },
	{ "5: a bridge with pci-stub", "00:01.0 8086:0001 0604 g1 drv=pci-stub\n01:00.0 10de:0001 0300 g1\n",
	  "ids = 01:00.0\nunbind = no", "01:00.0 claim" },
	{ "5: a bridge that is excluded is not touched",
	  "00:01.0 8086:0001 0604 g1 drv=shpchp\n01:00.0 10de:0001 0300 g1\n", "ids = 01:00.0 !00:01.0",
	  "01:00.0 refused unbind-not-allowed" },
	{ "5: nor one that was selected and excluded",
	  "00:01.0 8086:0001 0604 g1 drv=shpchp\n01:00.0 10de:0001 0300 g1\n", "ids = 01:00.0 class:06 !00:01.0",
	  "00:01.0 excluded; 01:00.0 refused unbind-not-allowed" },
	{ "5: one that was selected is", "00:01.0 8086:0001 0604 g1 drv=shpchp\n01:00.0 10de:0001 0300 g1\n",
	  "ids = 01:00.0 00:01.0", "00:01.0 refused bridge; 01:00.0 claim" },
	{ "5: a host bridge with a driver, unbind=yes", "00:00.0 8086:0001 0600 g1 drv=x\n00:02.0 10de:0001 0300 g1\n",
	  "ids = 00:02.0", "00:02.0 claim" },
	{ "5: a host bridge with a driver, unbind=no", "00:00.0 8086:0001 0600 g1 drv=x\n00:02.0 10de:0001 0300 g1\n",
	  "ids = 00:02.0\nunbind = no", "00:02.0 refused unbind-not-allowed" },
	{ "5: one that was matched, unbind=yes", "00:00.0 8086:0001 0600 g1 drv=x\n00:02.0 8086:0002 0c03 g1\n",
	  "ids = 8086:*", "00:00.0 kept bridge; 00:02.0 claim" },
	{ "5: one that was matched, unbind=no", "00:00.0 8086:0001 0600 g1 drv=x\n00:02.0 8086:0002 0c03 g1\n",
	  "ids = 8086:*\nunbind = no", "00:00.0 kept bridge; 00:02.0 refused unbind-not-allowed" },
	{ "5: one that is excluded is not touched", "00:00.0 8086:0001 0600 g1 drv=x\n00:02.0 10de:0001 0300 g1\n",
	  "ids = 00:02.0 !00:00.0", "00:02.0 refused unbind-not-allowed" },
	{ "5: one with pci-stub", "00:00.0 8086:0001 0600 g1 drv=pci-stub\n00:02.0 10de:0001 0300 g1\n",
	  "ids = 00:02.0 !00:00.0", "00:02.0 claim" },
	{ "5: one with a vfio driver", "00:00.0 8086:0001 0600 g1 drv=vfio-pci\n00:02.0 10de:0001 0300 g1\n",
	  "ids = 00:02.0\nunbind = no", "00:02.0 claim" },
	{ "5: one with another vfio driver", "00:00.0 8086:0001 0600 g1 drv=mlx5_vfio_pci\n00:02.0 10de:0001 0300 g1\n",
	  "ids = 00:02.0\nunbind = no", "00:02.0 claim" },
	{ "5: the right driver holds one that was named",
	  "00:00.0 8086:0001 0600 g1 drv=vfio-pci\n00:02.0 10de:0001 0300 g1\n", "ids = 00:00.0 00:02.0",
	  "00:00.0 refused bridge; 00:02.0 claim" },
	{ "5: what is behind VMD may be held", VMD, "ids = 00:0e.0\nunbind = no", "00:0e.0 claim" },
	{ "5: the second look, network not named", "second\n02:00.0 8086:10d3 0200 g2 drv=e1000e\n", "ids = 8086:10d3",
	  "02:00.0 refused unbind-not-allowed" },
	{ "5: the second look, network named", "second\n02:00.0 8086:10d3 0200 g2 drv=e1000e\n", "ids = 02:00.0",
	  "02:00.0 claim" },
	{ "5: the second look, storage not named", "second\n02:00.0 8086:0001 0106 g2 drv=ahci\n", "ids = 8086:0001",
	  "02:00.0 refused unbind-not-allowed" },
	{ "5: the second look, display not named", "second\n02:00.0 10de:0001 0300 g2 drv=nouveau\n", "ids = 10de:0001",
	  "02:00.0 refused unbind-not-allowed" },
	{ "5: the second look, sound not named", "second\n02:00.0 10de:0001 0403 g2 drv=snd\n", "ids = 10de:0001",
	  "02:00.0 claim" },
	{ "5: the second look, class 00 not named", "second\n02:00.0 10de:0001 0000 g2 drv=x\n", "ids = 10de:0001",
	  "02:00.0 claim" },
	{ "5: the second look, network not held", "second\n02:00.0 8086:10d3 0200 g2\n", "ids = 8086:10d3",
	  "02:00.0 claim" },
	{ "5: the second look, a group that is taken whole",
	  "second\n01:00.0 10de:0001 0403 g1\n01:00.1 10de:0002 0300 g1 drv=nouveau\n", "ids = 01:00.0\ngroup = whole",
	  "01:00.0 refused unbind-not-allowed; 01:00.1 refused unbind-not-allowed" },
	{ "5, ignore: its own driver counts", "01:00.0 10de:0001 0300 g1 drv=nouveau\n01:00.1 10de:0002 0403 g1\n",
	  "ids = 01:00.0\ngroup = ignore\nunbind = no", "01:00.0 refused unbind-not-allowed" },
	{ "5, ignore: that of others does not", "01:00.0 10de:0001 0300 g1\n01:00.1 10de:0002 0403 g1 drv=snd\n",
	  "ids = 01:00.0\ngroup = ignore\nunbind = no", "01:00.0 claim" },

	/* 6: the order of the reasons */
	{ "6: bridge before protected", CARD, "ids = 00:01.0\nprotect = 00:01.0", "00:01.0 refused bridge" },
	{ "6: bridge before guard-mismatch", CARD, "ids = 00:01.0@8086:0001", "00:01.0 refused bridge" },
	{ "6: a host bridge before in-use and overridden", "00:00.0 8086:0001 0600 g1 vfs over=none\n", "ids = 00:00.0",
	  "00:00.0 refused bridge" },
	{ "6: a host bridge before no-iommu", "00:00.0 8086:0001 0600\n", "ids = 00:00.0", "00:00.0 refused bridge" },
	{ "6: guard-mismatch before behind-parent", VMD, "ids = 10000:e1:00.0@8086:0001",
	  "10000:e1:00.0 refused guard-mismatch" },
	{ "6: behind-parent before protected", VMD, "ids = 10000:e1:00.0\nprotect = 10000:e1:00.0",
	  "10000:e1:00.0 refused behind-parent" },
	{ "6: guard-mismatch before protected", TWINS, "ids = 02:00.0@8086:10d4\nprotect = 02:00.0",
	  "02:00.0 refused guard-mismatch" },
	{ "6: protected before in-use", "04:00.0 144d:0001 0108 g4 use=nvme0n1\n", "ids = 04:00.0\nprotect = 04:00.0",
	  "04:00.0 refused protected" },
	{ "6: in-use before overridden", "04:00.0 144d:0001 0108 g4 use=nvme0n1 over=none\n", "ids = 04:00.0",
	  "04:00.0 refused in-use" },
	{ "6: overridden before no-iommu", "04:00.0 144d:0001 0108 over=none\n", "ids = 04:00.0",
	  "04:00.0 refused overridden" },
	{ "6: in-use before reserved, unknown", "04:00.0 144d:a808 0108 g4 use=nvme0n1\n",
	  "ids = 144d:a808\nprotect = unknown", "04:00.0 refused in-use" },
	{ "6: in-use before reserved, twin", "02:00.0 8086:10d3 0200 g2\n03:00.0 8086:10d3 0200 g3 vfs\n",
	  "ids = 8086:10d3\nprotect = 02:00.0", "02:00.0 kept protected; 03:00.0 refused in-use" },
	{ "6: overridden before reserved", "01:00.0 10de:0001 0300 g1 vga over=none\n", "ids = 10de:0001",
	  "01:00.0 refused overridden" },
	{ "6: no-iommu before unusable", "04:00.0 8086:37c8 0b40\n", "ids = 04:00.0", "04:00.0 refused no-iommu" },
	{ "6: unusable before reserved", "04:00.0 8086:37c8 0b40 g4\n", "ids = 8086:37c8\nreserve = 04:00.0",
	  "04:00.0 kept unusable" },
	{ "6: no-iommu before reserved", "04:00.0 10de:0001 0300 vga\n", "ids = 10de:0001",
	  "04:00.0 refused no-iommu" },
	{ "6: pending before reserved", "init\n04:00.0 10de:0001 0300 vga\n", "ids = 10de:0001",
	  "04:00.0 pending no-iommu" },
	{ "6: reserved before group-member-refused", CARD, "ids = 10de:*\nreserve = 01:00.0\nprotect = 01:00.1",
	  "01:00.0 kept reserved; 01:00.1 kept protected" },
	{ "6: group-incomplete before unbind-not-allowed",
	  "01:00.0 10de:0001 0300 g1 drv=x\n01:00.1 10de:0002 0403 g1\n", "ids = 01:00.0\nunbind = no",
	  "01:00.0 refused group-incomplete" },
	{ "6: group-member-refused before unbind-not-allowed",
	  "01:00.0 10de:0001 0300 g1 drv=x\n01:00.1 10de:0002 0403 g1 vfs\n", "ids = 01:00\nunbind = no",
	  "01:00.0 refused group-member-refused; 01:00.1 refused in-use" },

	/* 7: kept */
	{ "7: two identical cards, one the screen", "01:00.0 10de:2204 0300 g1 vga\n02:00.0 10de:2204 0300 g2\n",
	  "ids = 10de:2204", "01:00.0 kept reserved; 02:00.0 claim" },
	{ "7: with their second functions, which go with them",
	  "01:00.0 10de:2204 0300 g1 vga\n01:00.1 10de:1aef 0403 g1\n02:00.0 10de:2204 0300 g2\n"
	  "02:00.1 10de:1aef 0403 g2\n",
	  "ids = 10de:2204 10de:1aef",
	  "01:00.0 kept reserved; 01:00.1 kept group-member-refused; 02:00.0 claim; 02:00.1 claim" },
	{ "7: another selector claims something", "01:00.0 10de:2204 0300 g1 vga\n" TWINS, "ids = 10de:2204 8086:10d3",
	  "01:00.0 kept reserved; 02:00.0 claim; 03:00.0 claim" },
	{ "7: one that matches it does", "01:00.0 10de:2204 0300 g1 vga\n02:00.0 10de:0001 0300 g2\n",
	  "ids = 10de:2204 class:03", "01:00.0 kept reserved; 02:00.0 claim" },
	{ "7: already counts as claimed", "01:00.0 10de:2204 0300 g1 vga\n02:00.0 10de:2204 0300 g2 drv=vfio-pci\n",
	  "ids = 10de:2204", "01:00.0 kept reserved; 02:00.0 already" },
	{ "7: nothing at all is claimed", "01:00.0 10de:2204 0300 g1 vga\n", "ids = 10de:2204 class:03",
	  "01:00.0 kept reserved" },
	{ "7: bridge", CARD, "ids = 8086:1901 class:04 class:03 class:06",
	  "00:01.0 kept bridge; 01:00.0 claim; 01:00.1 claim" },
	{ "7: bridge, kept", "00:01.0 8086:0001 0604 g1\n" TWINS, "ids = 8086:*",
	  "00:01.0 kept bridge; 02:00.0 claim; 03:00.0 claim" },
	{ "7: bridge, named by slot", CARD, "ids = 8086:1901 00:01", "00:01.0 refused bridge" },
	{ "7: bridge 0607", "05:00.0 104c:ac56 0607 g5\n", "ids = 104c:ac56", "05:00.0 kept bridge" },
	{ "7: behind-parent, nothing is claimed", VMD, "ids = 144d:a808", "10000:e1:00.0 kept behind-parent" },
	{ "7: group-member-refused, the other one broad", CARD, "ids = 10de:2204\nprotect = 01:00.1",
	  "01:00.0 kept group-member-refused" },
	{ "7: group-member-refused, the other one named", CARD, "ids = 10de:2204 01:00.1\nprotect = 01:00.1",
	  "01:00.0 kept group-member-refused; 01:00.1 refused protected" },
	{ "7: one that is refused otherwise", "01:00.0 10de:0001 0300 g1\n01:00.1 10de:0002 0403 g1 over=none\n",
	  "ids = 10de:*", "01:00.0 kept group-member-refused; 01:00.1 refused overridden" },
	{ "7: behind-parent, kept", VMD "04:00.0 144d:a808 0108 g4\n", "ids = 144d:a808",
	  "04:00.0 claim; 10000:e1:00.0 kept behind-parent" },
	{ "7: protected, kept", TWINS "04:00.0 8086:0001 0200 g4\n", "ids = 8086:*\nprotect = 02:00.0",
	  "02:00.0 kept protected; 03:00.0 kept reserved; 04:00.0 claim" },
	{ "7: unusable, kept", "direct 2\n" TWINS, "ids = 8086:10d3", "02:00.0 kept unusable; 03:00.0 claim" },
	{ "7: reserved, kept", TWINS, "ids = 8086:10d3\nreserve = 03:00.0", "02:00.0 claim; 03:00.0 kept reserved" },
	{ "7: overridden is not kept", TWINS "04:00.0 8086:10d3 0200 g4 over=none\n", "ids = 8086:10d3",
	  "02:00.0 claim; 03:00.0 claim; 04:00.0 refused overridden" },
	{ "7: no-iommu is not kept", TWINS "04:00.0 8086:10d3 0200\n", "ids = 8086:10d3",
	  "02:00.0 claim; 03:00.0 claim; 04:00.0 refused no-iommu" },
	{ "7: group-incomplete is not kept", TWINS "04:00.0 8086:10d3 0200 g4\n04:00.1 8086:0001 0200 g4\n",
	  "ids = 8086:10d3", "02:00.0 claim; 03:00.0 claim; 04:00.0 refused group-incomplete" },
	{ "7: nor where nothing is claimed",
	  "01:00.0 10de:2204 0300 g1 vga\n01:00.1 10de:1aef 0403 g1\n02:00.0 10de:2204 0300 g2\n"
	  "02:00.1 10de:1aef 0403 g2\n",
	  "ids = class:0403", "01:00.1 refused group-incomplete; 02:00.1 refused group-incomplete" },
	{ "7: unbind-not-allowed is not kept", TWINS "04:00.0 8086:10d3 0200 g4 drv=x\n",
	  "ids = 8086:10d3\nunbind = no", "02:00.0 claim; 03:00.0 claim; 04:00.0 refused unbind-not-allowed" },
	{ "7: what is named is not kept", TWINS, "ids = 8086:10d3 02:00.0 03:00.0\nprotect = 02:00.0",
	  "02:00.0 refused protected; 03:00.0 claim" },
	{ "7, whole: the selectors of who started it",
	  "01:00.0 10de:0001 0403 g1\n01:00.1 10de:0002 0300 g1 vga\n02:00.0 10de:0001 0403 g2\n",
	  "ids = 10de:0001\ngroup = whole", "01:00.0 kept group-member-refused; 01:00.1 kept reserved; 02:00.0 claim" },
	{ "7, whole: what was taken with one that is kept",
	  "01:00.0 10de:2204 0300 g1 vga\n01:00.1 10de:1aef 0403 g1\n02:00.0 10de:2204 0300 g2\n"
	  "02:00.1 10de:1aef 0403 g2\n",
	  "ids = 10de:2204\ngroup = whole",
	  "01:00.0 kept reserved; 01:00.1 kept group-member-refused; 02:00.0 claim; 02:00.1 claim" },
	{ "7, whole: who started it is named",
	  "01:00.0 10de:0001 0403 g1\n01:00.1 10de:0002 0300 g1 vga\n02:00.0 10de:0001 0403 g2\n",
	  "ids = 01:00.0 10de:0001\ngroup = whole",
	  "01:00.0 refused group-member-refused; 01:00.1 refused reserved; 02:00.0 claim" },
	{ "7, whole: one who started it is named",
	  "01:00.0 10de:0001 0403 g1\n01:00.1 10de:0002 0300 g1 vga\n01:00.2 10de:0003 0c03 g1\n"
	  "02:00.0 10de:0001 0403 g2\n",
	  "ids = 10de:0001 01:00.2\ngroup = whole",
	  "01:00.0 kept group-member-refused; 01:00.1 refused reserved; 01:00.2 refused group-member-refused; "
	  "02:00.0 claim" },
	{ "7, whole: none of them claims another",
	  "01:00.0 10de:0001 0403 g1\n01:00.1 10de:0002 0300 g1 vga\n02:00.0 10de:0003 0403 g2\n",
	  "ids = 10de:0001 10de:0003\ngroup = whole",
	  "01:00.0 kept group-member-refused; 01:00.1 kept reserved; 02:00.0 claim" },
	{ "7, whole: a bridge that is named did not start it",
	  "00:01.0 8086:1901 0604 g1\n01:00.0 10de:2204 0300 g1 vga\n01:00.1 10de:1aef 0403 g1\n",
	  "ids = 10de:1aef 00:01.0\ngroup = whole",
	  "00:01.0 refused bridge; 01:00.0 kept reserved; 01:00.1 kept group-member-refused" },

	/* already */
	{ "already: now", "02:00.0 8086:10d3 0200 g2 drv=vfio-pci\n", "ids = 02:00.0", "02:00.0 already" },
	{ "already: not at the next boot", "next\n02:00.0 8086:10d3 0200 g2 drv=vfio-pci\n", "ids = 02:00.0",
	  "02:00.0 claim" },
	{ "already: one of the group", "01:00.0 10de:0001 0300 g1 drv=vfio-pci\n01:00.1 10de:0002 0403 g1\n",
	  "ids = 01:00", "01:00.0 already; 01:00.1 claim" },
	{ "already: nobody asked", "02:00.0 8086:10d3 0200 g2 drv=vfio-pci\n", "", "" },
};

static struct machine m;
static struct settings s;
static struct page page, warnings;

static void test_verdicts(void)
{
	for (const struct row *row = rows; row < rows + ARRAY_SIZE(rows); row++) {
		model_settings(&s, row->file, row->cmdline);
		if (!model_machine(&m, &s, row->machine)) {
			ok(false, "a machine", row->rule);
			continue;
		}
		model_decide(&m);
		model_verdicts(&m, &page);
		is_text(page.p, row->verdicts, "plan", row->rule);
	}
}

/* The exit status: the highest that applies. */
static void test_status(void)
{
	static const struct {
		const char *machine;
		const char *file;
		int status;
	} statuses[] = {
		{ TWINS, "", 0 },
		{ TWINS, "ids = 8086:10d3", 0 },
		{ "02:00.0 8086:10d3 0200 g2 drv=vfio-pci\n", "ids = 8086:10d3", 0 },
		{ TWINS, "ids = 8086:10d3 !02:00.0", 0 },
		{ TWINS, "ids = 8086:10d3\nreserve = 02:00.0", 0 },
		{ CARD, "ids = 10de:* class:06 !00:01.0", 0 },
		{ TWINS, "ids = 8086:10d3 03:00.0\nprotect = 02:00.0", 0 },
		/* a broad selector that claims nothing */
		{ CARD, "ids = 10de:* class:06", 1 },
		{ CARD, "ids = 10de:* 8086:1901?", 1 },
		{ CARD, "ids = 10de:* 8086:*", 1 },
		{ TWINS, "ids = 8086:10d3\nreserve = 8086:10d3", 1 },
		{ TWINS, "ids = 8086:10d3 !8086:10d3", 0 },
		{ TWINS, "ids = 8086:10d3 !02:00.0\nreserve = 03:00.0", 1 },
		{ TWINS, "ids = 8086:10d3 class:02 !02:00.0", 0 },
		{ "01:00.0 10de:2204 0300 g1 vga\n" TWINS, "ids = 10de:2204 8086:10d3", 1 },
		{ "01:00.0 10de:2204 0300 g1 vga\n02:00.0 10de:0001 0300 g2\n", "ids = 10de:2204 class:03", 1 },
		{ "01:00.0 10de:2204 0300 g1 vga\n02:00.0 10de:2204 0300 g2\n", "ids = 10de:2204", 0 },
		{ "02:00.0 8086:10d3 0200 g2 drv=vfio-pci\n", "ids = 8086:10d3 class:02", 0 },
		{ CARD, "ids = 00:01.0", 1 },
		{ CARD, "ids = !00:01.0 00:01.0", 0 },
		{ "nothing rescue\n" TWINS, "ids = 8086:10d4 02:00.0@8086:10d4 8086:10d3\nreserve = 8086:10d3", 0 },
		{ "nothing rescue\n" TWINS, "ids = 8086:10d3 x", 2 },
		{ CARD, "ids = 01:00.0", 1 },
		{ "init\n02:00.0 8086:10d3 0200\n", "ids = 02:00.0", 1 },
		{ TWINS, "ids = 8086:10d4", 1 },
		{ TWINS, "ids = 8086:10d4?", 0 },
		{ TWINS, "ids = 8086:10d4? 8086:10d4", 1 },
		{ TWINS, "ids = 02:00.0@8086:10d4?", 1 },
		{ TWINS, "ids = 8086:10d3?\nprotect = class:02", 1 },
		{ TWINS, "ids = !8086:10d4", 0 },
		{ TWINS, "ids = 8086:10d3\nprotect = 07:00.0", 0 },
		{ TWINS, "ids = 8086:10d3 x", 2 },
		{ TWINS, "ids = 8086:10d3\nbogus = 1", 2 },
		{ CARD, "ids = 01:00.0 x", 2 },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(statuses); i++) {
		model_settings(&s, statuses[i].file, NULL);
		if (!model_machine(&m, &s, statuses[i].machine))
			continue;
		model_decide(&m);
		ok(plan_status(&m) == statuses[i].status, "exit status", statuses[i].file);
	}
}

/* The selector that is shown: path, address, boot display, ID, class; of one kind in lexical order. */
static void test_shown_selector(void)
{
	static const struct {
		const char *ids;
		const char *shown;
	} lists[] = {
		{ "10de:2204", "10de:2204" },
		{ "class:03 10de:2204", "10de:2204" },
		{ "10de:2204 01:00.0", "01:00.0" },
		{ "boot-vga 10de:2204", "boot-vga" },
		{ "boot-vga 01:00.0", "01:00.0" },
		{ "01:00.0 00:01.0/00.0", "00:01.0/00.0" },
		{ "01:00.0 0000:01:00.0", "0000:01:00.0" },
		{ "10de:2204 10de:*", "10de:*" },
		{ "01:00.0@8086:0001 class:03", "class:03" },
		{ "class:03 01:00.0@8086:0001", "class:03" },
		{ "02:00 01:00.0@8086:0002 01:00.0@8086:0001", "01:00.0@8086:0001" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(lists); i++) {
		const struct device *d;

		page_clear(&page);
		page_add(&page, "ids = %s", lists[i].ids);
		model_settings(&s, page.p, NULL);
		if (!model_machine(&m, &s, "00:01.0 8086:1901 0604 g1\n01:00.0 10de:2204 0300 g1 <00:01.0 vga\n"))
			continue;
		model_decide(&m);
		d = machine_find(&m, PCIADDR(0, 1, 0, 0));
		ok(d && d->asked.selector && span_is(d->asked.selector->text, lists[i].shown), "shown selector",
		   lists[i].ids);
	}
}

/* Parts of what is said; whole texts are in the fixtures. */
static void test_messages(void)
{
	static const struct {
		const char *machine;
		const char *file;
		const char *says;
	} messages[] = {
		{ TWINS, "ids = 02:00.0", "0000:02:00.0 [8086:10d3] group 2: claim for vfio-pci\n" },
		{ CARD, "ids = 01:00.0",
		  "0000:01:00.0 [10de:2204] group 1: refused, group-incomplete: 0000:01:00.1 [10de:1aef] is not selected "
		  "(add it, or set group=whole)\n" },
		{ "02:00.0 8086:10d3 0200\n", "ids = 02:00.0",
		  "0000:02:00.0 [8086:10d3] no group: refused, no-iommu: " },
		{ "01:00.0 10de:2206 0300 g1\n", "ids = 10de:2204",
		  "10de:2204: absent: no such device; nearest: 0000:01:00.0 [10de:2206]" },
		/* the nearest: the slot, then the device, then the vendor */
		{ CARD TWINS, "ids = 01:00.2", "nearest: 0000:01:00.0 [10de:2204]" },
		{ CARD TWINS, "ids = 01:00.2@8086:10d3", "nearest: 0000:01:00.0 [10de:2204]" },
		{ TWINS, "ids = 8086:10d3:0001:0002", "nearest: 0000:02:00.0 [8086:10d3]" },
		{ TWINS "04:00.0 8086:1533 0200 g4\n", "ids = 8086:1533:0001:0002",
		  "nearest: 0000:04:00.0 [8086:1533]" },
		{ TWINS, "ids = 8086:0001", "nearest: 0000:02:00.0 [8086:10d3]" },
		{ TWINS, "ids = class:0280", "nearest: 0000:02:00.0 [8086:10d3]" },
		/* of the devices of a vendor that with the next ID, and no bridge */
		{ "00:00.0 8086:1234 0600 g0\n" TWINS "04:00.0 8086:1533 0200 g4\n05:00.0 8086:a36d 0c03 g5\n",
		  "ids = 8086:1500", "nearest: 0000:04:00.0 [8086:1533]" },
		{ "04:00.0 8086:1533 0200 g4\n05:00.0 8086:1530 0200 g5\n", "ids = 8086:1531",
		  "nearest: 0000:05:00.0 [8086:1530]" },
		{ "04:00.0 8086:1533 0200 g4\n05:00.0 8086:1530 0200 g5\n", "ids = 8086:1532",
		  "nearest: 0000:04:00.0 [8086:1533]" },
		{ "00:00.0 8086:1234 0600 g0\n" PORT, "ids = 8086:10d3", "8086:10d3: absent: no such device\n" },
		{ PORT, "ids = 8086:1901:0001:0002", "nearest: 0000:00:01.0 [8086:1901]\n" },
		{ TWINS "00:00.0 8086:1234 0600 g0\n", "ids = 8086:*:0001:0002",
		  "8086:*:0001:0002: absent: no such device; nearest: 0000:02:00.0 [8086:10d3]\n" },
		/* behind the last bridge of a path that exists, and the bridge itself if there is nothing */
		{ CARD TWINS, "ids = 00:01.0/01.0",
		  "absent: no such device; nearest: 0000:01:00.0 [10de:2204], 0000:01:00.1 [10de:1aef]\n" },
		{ CARD TWINS, "ids = 00:01.0/01.0/00.0@8086:10d3",
		  "nearest: 0000:01:00.0 [10de:2204], 0000:01:00.1 [10de:1aef]\n" },
		{ PORT TWINS, "ids = 00:01.0/00.0", "nearest: 0000:00:01.0 [8086:1901]\n" },
		{ CARD TWINS, "ids = 00:01.0/00.0/00.0", "nearest: 0000:01:00.0 [10de:2204], 0000:01:00.1" },
		{ CARD TWINS, "ids = 00:02.0/00.0@10de:1aef", "nearest: 0000:01:00.1 [10de:1aef]\n" },
		{ TWINS, "ids = 10de:0001", "10de:0001: absent: no such device\n" },
		/* a hint never says to add what would be refused */
		{ "01:00.0 10de:0001 0403 g1\n01:00.1 10de:0002 0300 g1 vga\n", "ids = 01:00.0",
		  "(add it by bus index)" },
		{ "01:00.0 10de:0001 0403 g1\n01:00.1 10de:0002 0300 g1 over=none\n", "ids = 01:00.0",
		  "0000:01:00.1 cannot be: somebody set its driver_override to none" },
		{ CARD, "ids = 01:00 !01:00.1", "01:00.1 is excluded;" },
		{ "now\n00:01.0 8086:1901 0604 g1\n01:00.0 10de:2204 0300 g1 drv=nouveau\n01:00.1 10de:1aef 0403 g1\n",
		  "ids = 01:00.0\nunbind = no", "(add it, or set group=whole; and set unbind=yes)" },
		{ "second\n01:00.0 10de:2204 0300 g1 drv=nouveau\n01:00.1 10de:1aef 0403 g1\n", "ids = 10de:2204",
		  "(name the whole group by bus index)" },
		{ "now\n00:00.0 8086:3e30 0600 g1 drv=skx_edac\n00:02.0 8086:1 0c03 g1\n00:03.0 8086:2 0c03 g1\n",
		  "ids = 00:02.0 !00:00.0", "and do not exclude 0000:00:00.0)" },
		{ "now\n00:00.0 8086:3e30 0600 g1 drv=skx_edac\n00:02.0 8086:1 0c03 g1\n", "ids = 00:02.0 !00:00.0",
		  "is bound to skx_edac, and is excluded (remove the exclusion)" },
		{ VMD, "ids = 10000:e1:00.0",
		  "it can only be used through 0000:00:0e.0 [8086:467f] (select that one)\n" },
		{ VMD, "ids = 10000:e1:00.0\nprotect = 00:0e.0", "used through 0000:00:0e.0 [8086:467f]\n" },
		{ CARD, "ids = 01:00 00:01.0\nprotect = 00:01.0",
		  "0000:00:01.0 [8086:1901] shares its group: the host lives on it: protect = 00:01.0 (conf:2:11)\n" },
		/* of a crowd not all are shown, and the hint is not cut off */
		{ "01:00.0 10de:1 0c03 g1\n01:00.1 10de:1 0c03 g1\n01:00.2 10de:1 0c03 g1\n01:00.3 10de:1 0c03 g1\n"
		  "01:00.4 10de:1 0c03 g1\n01:00.5 10de:1 0c03 g1\n01:00.6 10de:1 0c03 g1\n01:00.7 10de:1 0c03 g1\n"
		  "01:01.0 10de:1 0c03 g1\n01:01.1 10de:1 0c03 g1\n01:01.2 10de:1 0c03 g1\n",
		  "ids = 01:00.0",
		  "0000:01:01.0 [10de:0001] and 2 more are not selected (add them, or set group=whole)\n" },
		{ "stranger 1 fd000000.dma\n01:00.0 10de:1 0c03 g1\n", "ids = 01:00.0",
		  "fd000000.dma is in its group, but is not a known PCI device\n" },
		{ "firmware DMAR\n01:00.0 10de:1 0c03\n", "ids = 01:00.0",
		  "(put intel_iommu=on on the kernel command line)" },
		{ "firmware IVRS\n01:00.0 10de:1 0c03\n", "ids = 01:00.0", "does not use the IOMMU of table IVRS" },
		{ CARD, "ids = boot-vga", "boot-vga: absent: no such device; nearest: 0000:01:00.0 [10de:2204]\n" },
		{ CARD, "ids = 01:00.0@10de:2206", "01:00.0@10de:2206 (conf:1:7): found 10de:2204 there" },
		{ CARD, "ids = 01:00.0@10de:2206 01:00",
		  "4 01:00.0@10de:2206 (conf:1:7): its guard fails, but other selectors select 0000:01:00.0 " },
		{ CARD, "ids = 01:00 !01:00.1", "excluded: by !01:00.1 (conf:1:13)\n" },
		{ TWINS, "ids = 8086:10d3 not:02:00", "excluded: by !02:00 (conf:1:17)\n" },
		{ CARD, "ids = 01:00\nprotect = 01:00.1", "protect = 01:00.1 (conf:2:11)" },
		{ TWINS, "ids = 8086:10d3\nreserve = class:02",
		  "kept, reserved: reserve = class:02 (conf:2:11) (name it by bus index to claim it)\n" },
		{ "02:00.0 8086:37c8 0b40 g2\n", "ids = 02:00.0",
		  "refused, unusable: it is on the denylist of vfio-pci, as not safe to pass on "
		  "(vfio-pci.disable_denylist=1 on the kernel command line overrules that)\n" },
		{ "direct 2\n" TWINS, "ids = 02:00.0",
		  "refused, unusable: the firmware works through its group 2 (RMRR, `direct` in reserved_regions), "
		  "so that VFIO cannot have it (leave it out)\n" },
		/* mend the line, rather than name the device */
		{ TWINS, "ids = 8086:10d3\nprotect = x",
		  "kept, reserved: settings that may protect it are unreadable; fix conf:2:11\n" },
		{ TWINS, "ids = 8086:10d3\nreserve = 8086:10d3\nprotect = x",
		  "reserve = 8086:10d3 (conf:2:11) (name it by bus index to claim it)\n" },
		/* errors */
		{ TWINS, "ids = 8086:10d34 03:00.0",
		  "conf:1:7: 8086:10d34: neither a bus index (BB:DD.F) nor an ID (VVVV:DDDD, 4 digits each)\n" },
		{ TWINS, "idz = 02:00.0\nids = 03:00.0", "conf:1:1: idz: unknown setting, ignored\n" },
		/* warnings */
		{ TWINS, "ids = !07:00.0", "4 !07:00.0 (conf:1:7): matches no device\n" },
		{ CARD, "ids = 01:00.0\ngroup = ignore", "0000:01:00.1 [10de:1aef]\n" },
		{ "00:01.0 8086:1 0604 g1 drv=shpchp\n01:00.0 10de:1 0c03 g1 <00:01.0\n",
		  "ids = 01:00.0\ngroup = ignore",
		  "group 1 is not usable until these are unbound: 0000:00:01.0 [8086:0001]\n" },
		{ "kernel 5.15\n" CARD, "ids = 01:00.0\ngroup = ignore", "acts as refuse before Linux 5.19\n" },
		{ "00:01.0 8086:0001 0604 g1\n01:00.0 10de:0001 0300 g2 <00:01.0\n01:00.1 10de:0002 0403 g3 <00:01.0\n",
		  "ids = 01:00.0", "0000:01:00.0: the card is claimed in part" },
		{ "01:00.0 10de:2204 0300 g1 vga\n", "ids = 01:00",
		  "is claimed, and the screen stays dark from the initramfs on: it is the boot display\n" },
		{ TWINS, "ids = 02:00.0\nreserve = class:02",
		  "is claimed, and the host cannot use it: reserve = class:02 (conf:2:11)\n" },
		{ "00:1f.4 8086:0001 0c05 g1\n", "ids = 00:1f.4",
		  "is claimed, and the host cannot use it: it is part of the platform (class 0c05)\n" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(messages); i++) {
		if (messages[i].file[0])
			model_settings(&s, messages[i].file, NULL);
		if (!model_machine(&m, &s, messages[i].machine))
			continue;
		model_decide(&m);
		model_lines(&m, &page);
		model_warnings(&m, &warnings);
		if (!ok(strstr(page.p, messages[i].says) || strstr(warnings.p, messages[i].says), "message",
			messages[i].says)) {
			tap_note("got", page.p);
			tap_note("and", warnings.p);
		}
	}
}

/* What is not said. */
static void test_silence(void)
{
	static const struct {
		const char *machine;
		const char *file;
		const char *text;
		const char *why;
	} silences[] = {
		{ PORT "01:00.0 10de:1 0300 g2 <00:01.0\n01:00.1 10de:2 1300 g3 <00:01.0\n", "ids = 01:00.0", "in part",
		  "no driver wants class 13" },
		{ PORT "01:00.0 8086:1572 0200 g2 <00:01.0\n01:00.1 8086:154c 0200 g3 <00:01.0 vf\n", "ids = 01:00.0",
		  "in part", "a VF is no part of the card" },
		{ PORT "01:02.0 8086:154c 0200 g2 <00:01.0 vf\n01:02.1 8086:154c 0200 g3 <00:01.0 vf\n",
		  "ids = 01:02.0", "in part", "VFs make no card" },
		{ PORT "01:00.0 10de:1 0300 g2 <00:01.0\n01:00.1 10de:2 0403 g3 <00:01.0\n", "ids = 01:00.0 01:00.1",
		  "in part", "the card is claimed whole" },
		{ CARD, "ids = 01:00\ngroup = ignore", "not usable", "nothing has to be unbound" },
		{ "00:02.0 8086:1 0300 g2\n00:02.1 8086:2 0380 g3\n", "ids = 00:02.0", "in part",
		  "a slot of a root bus is no card" },
	};

	for (unsigned i = 0; i < ARRAY_SIZE(silences); i++) {
		model_settings(&s, silences[i].file, NULL);
		if (!ok(model_machine(&m, &s, silences[i].machine), "silence: a machine", silences[i].why))
			continue;
		model_decide(&m);
		model_lines(&m, &page);
		model_warnings(&m, &warnings);
		ok(strstr(page.p, ": claim for vfio-pci") && !strstr(page.p, silences[i].text) &&
			   !strstr(warnings.p, silences[i].text),
		   "silence", silences[i].why);
	}
}

int main(void)
{
	test_verdicts();
	test_status();
	test_shown_selector();
	test_messages();
	test_silence();
	return done_testing();
}
