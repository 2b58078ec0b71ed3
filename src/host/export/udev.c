// SPDX-License-Identifier: GPL-2.0-or-later
/* The formats of vfio-boot export for udev and for Incus. */
#include "export.h"
#include "format.h"

/* Returns true if d is the first exported device of its group. */
static bool is_first_of_group(const struct export *e, const struct device *d)
{
	const struct device *other;

	for_each_exported(e, other) {
		if (other == d || (d->group && other->group == d->group))
			return other == d;
	}
	return false;
}

/*
 * The number of a group may be another one after the next boot. So the rule does not name it: the group is the one that
 * has this device.
 */
void print_udev(const struct export *e)
{
	static const char permit[] = "GROUP=\"kvm\", MODE=\"0660\"";
	const struct device *d;

	print_comments(e);
	printf("# For /etc/udev/rules.d/70-vfio.rules. Write another group for kvm if you like.\n"
	       "# VFIO locks the memory of a guest. So its user needs this line in /etc/security/limits.d/vfio.conf:\n"
	       "#   @kvm - memlock unlimited\n");
	for_each_exported(e, d) {
		if (e->iommufd)
			printf("SUBSYSTEM==\"vfio-dev\", KERNELS==\"%s\", %s\n", d->name, permit);
		else if (is_first_of_group(e, d))
			printf("SUBSYSTEM==\"vfio\", TEST==\"/sys/kernel/iommu_groups/%%k/devices/%s\", %s\n", d->name,
			       permit);
	}
	if (e->iommufd)
		printf("SUBSYSTEM==\"misc\", KERNEL==\"iommu\", %s\n", permit);
}

/* Incus places the devices itself. */
void print_incus(const struct export *e)
{
	const struct device *d;
	struct text name;

	print_comments(e);
	for_each_exported(e, d)
		printf("incus config device add INSTANCE vfio-%s pci address=%s\n", address_name(&name, d), d->name);
}
