// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-check [-w FILE] GROUP ADDRESS...: does what a virtual machine would do with an IOMMU
 * group, and prints one line for each fact. Only these calls tell whether a group
 * is viable; the kernel logs nothing about it. With -w it keeps all open until FILE is there.
 * On a kernel without VFIO groups it goes by the device files, and says the same.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

/* From linux/iommufd.h and linux/vfio.h of Linux 6.6, which are newer than Debian 12. */
struct ioas_alloc {
	uint32_t size, flags, out_ioas_id, reserved;
};
struct bind_iommufd {
	uint32_t argsz, flags;
	int32_t iommufd;
	uint32_t out_devid;
};
struct attach_iommufd_pt {
	uint32_t argsz, flags, pt_id;
};
#define IOAS_ALLOC	  _IO(';', 0x81)
#define BIND_IOMMUFD	  _IO(VFIO_TYPE, VFIO_BASE + 18)
#define ATTACH_IOMMUFD_PT _IO(VFIO_TYPE, VFIO_BASE + 19)

static const char *why(int result)
{
	return result < 0 ? strerror(errno) : "ok";
}

/* BAR 0 as a guest gets it: mapped, for which vfio-pci has to reserve it (vfio_pci_core_mmap()). */
static void map_bar(int device, const char *address)
{
	struct vfio_region_info bar = { .argsz = sizeof(bar), .index = VFIO_PCI_BAR0_REGION_INDEX };

	if (ioctl(device, VFIO_DEVICE_GET_REGION_INFO, &bar) || !(bar.flags & VFIO_REGION_INFO_FLAG_MMAP))
		return;
	printf("device %s BAR 0: %s\n", address,
	       mmap(NULL, bar.size, PROT_READ | PROT_WRITE, MAP_SHARED, device, (off_t)bar.offset) == MAP_FAILED
		       ? strerror(errno)
		       : "ok");
}

static void look_at(int device, const char *address)
{
	struct vfio_device_info info = { .argsz = sizeof(info) };
	int result = ioctl(device, VFIO_DEVICE_GET_INFO, &info);

	printf("device %s regions: %d\n", address, result < 0 ? 0 : (int)info.num_regions);
	map_bar(device, address);
}

/* Opens the device file of a function: /dev/vfio/devices/vfioN. Returns its descriptor, or -1. */
static int open_device(const char *address)
{
	char path[300];
	struct dirent *entry;
	int fd = -1;
	DIR *dir;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/vfio-dev", address);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "/dev/vfio/devices/%s", entry->d_name);
		fd = open(path, O_RDWR);
	}
	if (dir)
		closedir(dir);
	return fd;
}

/* The kernel gives a device to an iommufd only if its group is viable (iommu_device_claim_dma_owner()). */
static void check_devices(const char *group, char **address)
{
	struct ioas_alloc alloc = { .size = sizeof(alloc) };
	int iommu = open("/dev/iommu", O_RDWR), viable = 1, ioas = ioctl(iommu, IOAS_ALLOC, &alloc), result = ioas;

	printf("group %s ioas: %s\n", group, why(ioas));
	for (; *address; address++) {
		struct bind_iommufd bind = { .argsz = sizeof(bind), .iommufd = iommu };
		struct attach_iommufd_pt attach = { .argsz = sizeof(attach), .pt_id = alloc.out_ioas_id };
		int device = open_device(*address);

		printf("device %s open: %s\n", *address, why(device));
		viable = ioctl(device, BIND_IOMMUFD, &bind);
		printf("device %s bind: %s\n", *address, why(viable));
		if (viable < 0)
			break;
		result = ioctl(device, ATTACH_IOMMUFD_PT, &attach);
		printf("device %s descriptor: %s\n", *address, why(result));
		if (result < 0)
			break;
		look_at(device, *address);
	}
	printf("group %s viable: %s\n", group, viable < 0 ? "no" : "yes");
	printf("group %s iommu: %s\n", group, result < 0 ? "no" : "ok");
}

static void check_group(int group, char **argv)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	int container, result;

	result = ioctl(group, VFIO_GROUP_GET_STATUS, &status);
	printf("group %s viable: %s\n", *argv,
	       result < 0				? why(result)
	       : status.flags & VFIO_GROUP_FLAGS_VIABLE ? "yes"
							: "no");

	container = open("/dev/vfio/vfio", O_RDWR);
	result = ioctl(group, VFIO_GROUP_SET_CONTAINER, &container);
	printf("group %s container: %s\n", *argv, why(result));
	result = ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU);
	printf("group %s iommu: %s\n", *argv, why(result));

	for (char **address = argv + 1; *address; address++) {
		int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, *address);

		printf("device %s descriptor: %s\n", *address, why(device));
		if (device >= 0)
			look_at(device, *address);
	}
}

int main(int argc, char **argv)
{
	const char *wait_for = NULL;
	char path[64];
	int group;

	if (argc > 3 && !strcmp(argv[1], "-w")) {
		wait_for = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: vfio-check [-w FILE] GROUP ADDRESS...\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/dev/vfio/%s", argv[1]);
	group = open(path, O_RDWR);
	if (group < 0 && errno == ENOENT && !access("/dev/vfio/devices", F_OK)) {
		check_devices(argv[1], argv + 2);
	} else {
		printf("group %s open: %s\n", argv[1], why(group));
		if (group < 0)
			return 1;
		check_group(group, argv + 1);
	}
	fflush(stdout);
	while (wait_for && access(wait_for, F_OK))
		usleep(100000);
	return 0;
}
