// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-check [-w FILE] GROUP ADDRESS...: does what a virtual machine would do with an IOMMU
 * group, and prints one line for each fact. Only these calls tell whether a group
 * is viable; the kernel logs nothing about it. With -w it keeps all open until FILE is there.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

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

int main(int argc, char **argv)
{
	struct vfio_group_status status = { .argsz = sizeof(status) };
	const char *wait_for = NULL;
	char path[64];
	int group, container, result, i;

	if (argc > 3 && !strcmp(argv[1], "-w")) {
		wait_for = argv[2];
		argv += 2;
		argc -= 2;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: vfio-check GROUP ADDRESS...\n");
		return 2;
	}
	snprintf(path, sizeof(path), "/dev/vfio/%s", argv[1]);
	group = open(path, O_RDWR);
	printf("group %s open: %s\n", argv[1], why(group));
	if (group < 0)
		return 1;

	result = ioctl(group, VFIO_GROUP_GET_STATUS, &status);
	printf("group %s viable: %s\n", argv[1],
	       result < 0				? why(result)
	       : status.flags & VFIO_GROUP_FLAGS_VIABLE ? "yes"
							: "no");

	container = open("/dev/vfio/vfio", O_RDWR);
	result = ioctl(group, VFIO_GROUP_SET_CONTAINER, &container);
	printf("group %s container: %s\n", argv[1], why(result));
	result = ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1_IOMMU);
	printf("group %s iommu: %s\n", argv[1], why(result));

	for (i = 2; i < argc; i++) {
		struct vfio_device_info info = { .argsz = sizeof(info) };
		int device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, argv[i]);

		printf("device %s descriptor: %s\n", argv[i], why(device));
		if (device < 0)
			continue;
		result = ioctl(device, VFIO_DEVICE_GET_INFO, &info);
		printf("device %s regions: %d\n", argv[i], result < 0 ? 0 : (int)info.num_regions);
		map_bar(device, argv[i]);
	}
	fflush(stdout);
	while (wait_for && access(wait_for, F_OK))
		usleep(100000);
	return 0;
}
