#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Trees that no healthy machine has: a link that leads out of it, pipes and folders
# where files should be, links and lists that do not agree, one thing too many.
# Both programs say the same of each.

use strict;
use warnings;
use Cwd 'abs_path';
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $dir = 'build/strange';
my $root = "$dir/root";
my $pci = 'sys/bus/pci/devices';

# Two cards, each a group.
sub new_tree {
	remove_tree($root);
	for ('0000:01:00.0', '0000:02:00.0') {
		my $group = substr $_, 6, 1;
		make_path("$root/sys/devices/pci0000:00/$_", "$root/$pci", "$root/sys/kernel/iommu_groups/$group/devices");
		spew("$root/sys/devices/pci0000:00/$_/modalias", "pci:v00008086d000010D3sv00000000sd00000000bc02sc00i00\n");
		spew("$root/sys/devices/pci0000:00/$_/driver_override", "(null)\n");
		symlink "../../../devices/pci0000:00/$_", "$root/$pci/$_";
		symlink "../../../kernel/iommu_groups/$group", "$root/sys/devices/pci0000:00/$_/iommu_group";
		symlink "../../../../devices/pci0000:00/$_", "$root/sys/kernel/iommu_groups/$group/devices/$_";
	}
	spew("$root/proc/sys/kernel/osrelease", "6.1.0-test\n");
	spew("$root/proc/cmdline", "quiet\n");
	spew("$root/var/lib/vfio-boot/protect", "# nothing\n");
	spew("$root/etc/vfio-boot.conf", "ids = 8086:10d3\n");
}

sub run {
	my (@command) = @_;
	my $text = qx(timeout 20 @as_root @command --sysroot $root 2>&1);
	return $text . '-- exit ' . ($? & 127 ? "signal $?" : $? >> 8) . "\n";
}

# What both programs say, which has to be the same.
sub plan_of {
	my ($name) = @_;
	my $host = run('build/vfio-boot', 'plan', '--now');
	is(run('build/vfio-boot-claim', '--dry-run'), $host, "$name: both programs say the same");
	return $host;
}

new_tree();
is(plan_of('a sound tree'), <<'END', 'two claims');
0000:01:00.0 [8086:10d3] group 1: claim for vfio-pci
0000:02:00.0 [8086:10d3] group 2: claim for vfio-pci
-- exit 0
END

# A device that is somebody else's, of the real machine perhaps.
make_path("$dir/outside");
spew("$dir/outside/modalias", "pci:v00008086d000010D3sv00000000sd00000000bc02sc00i00\n");
spew("$dir/outside/driver_override", "(null)\n");
symlink '/sys/kernel/iommu_groups/1', "$dir/outside/iommu_group";
for my $to (abs_path("$dir/outside"), '../../../../../outside') {
	new_tree();
	symlink $to, "$root/$pci/0000:77:00.0";
	make_path("$root/sys/bus/pci/drivers/vfio-pci");
	spew("$root/etc/vfio-boot.conf", "ids = 0000:77:00.0\n");
	like(plan_of('a link that leads out'), qr/^0000:77:00\.0: absent: /m, 'is not followed');
	run('build/vfio-boot-claim');
	is(slurp("$dir/outside/driver_override"), "(null)\n", 'and nothing is written there');
}
unlink "$dir/outside/iommu_group";

new_tree();
rename "$root/etc/vfio-boot.conf", "$root/etc/real.conf";
symlink 'real.conf', "$root/etc/vfio-boot.conf";
like(plan_of('settings that are a link'), qr{^vfio-boot: /etc/vfio-boot\.conf: .*is a symbolic link\n-- exit 2$}m, 'are an error');

new_tree();
unlink "$root/etc/vfio-boot.conf";
system 'mkfifo', "$root/etc/vfio-boot.conf";
like(plan_of('settings that are a pipe'), qr{^vfio-boot: /etc/vfio-boot\.conf: .*is a pipe\n-- exit 2$}m, 'are an error');

new_tree();
make_path("$root/etc/vfio-boot.conf.d/a.conf");
like(plan_of('a folder among the settings'), qr{/etc/vfio-boot\.conf\.d/a\.conf: .*is a directory$}m, 'is an error');

new_tree();
spew("$root/sys/devices/pci0000:00/0000:02:00.0/modalias", "pci:nonsense\n");
like(plan_of('a device whose IDs cannot be read'), qr{\Avfio-boot: /sys/bus/pci/devices: invalid\n.*-- exit 3\n\z}s,
	'ends the plan: what protects it may not be seen');

new_tree();
unlink "$root/sys/kernel/iommu_groups/1/devices/0000:01:00.0";
like(plan_of('a group that does not list its member'),
	qr/^0000:01:00\.0 .* group 1: (?:kept|refused), group-member-refused: .*something unreadable is in its group/m, 'is refused');
unlink "$root/sys/devices/pci0000:00/0000:02:00.0/iommu_group";
symlink '../../../kernel/iommu_groups/1', "$root/sys/devices/pci0000:00/0000:02:00.0/iommu_group";
symlink '../../../../devices/pci0000:00/0000:01:00.0', "$root/sys/kernel/iommu_groups/1/devices/0000:01:00.0";
like(plan_of('a group that lists but one of its two members'),
	qr/^0000:01:00\.0 .* group 1: kept, group-member-refused.*\n0000:02:00\.0 .* group 1: kept, group-member-refused/m, 'is left alone as a whole');

# A member that the group lists, and whose own link says otherwise.
new_tree();
symlink '../../../../devices/pci0000:00/0000:02:00.0', "$root/sys/kernel/iommu_groups/1/devices/0000:02:00.0";
lacks(plan_of('a member whose link names another group'), qr/: claim for/, 'nobody of the two groups is claimed');
unlink "$root/sys/devices/pci0000:00/0000:02:00.0/iommu_group";
lacks(plan_of('a member without a link'), qr/: claim for/, 'nor here');

# A virtual function in the group of its own: at the next boot it is not there.
new_tree();
symlink '../0000:01:00.0', "$root/sys/devices/pci0000:00/0000:02:00.0/physfn";
unlink "$root/sys/devices/pci0000:00/0000:02:00.0/iommu_group", "$root/sys/kernel/iommu_groups/2/devices/0000:02:00.0";
symlink '../../../kernel/iommu_groups/1', "$root/sys/devices/pci0000:00/0000:02:00.0/iommu_group";
symlink '../../../../devices/pci0000:00/0000:02:00.0', "$root/sys/kernel/iommu_groups/1/devices/0000:02:00.0";
spew("$root/etc/vfio-boot.conf", "ids = 0000:01:00.0 0000:02:00.0 10de:2204\n");
my $boot = run('build/vfio-boot', 'plan');
like($boot, qr/^0000:01:00\.0 .*: claim for/m, 'a virtual function in the group is no hindrance at the next boot');
like($boot, qr/^0000:02:00\.0: absent: no such device at boot \(virtual functions/m, 'it is absent then, and why');
like($boot, qr/^10de:2204: absent: no such device$/m, 'others are just absent');

# Settings that lead nowhere, and protection that was meant.
new_tree();
make_path("$root/etc/vfio-boot.conf.d");
symlink '/gone', "$root/etc/vfio-boot.conf.d/a.conf";
like(plan_of('a dangling link among the settings'), qr{/etc/vfio-boot\.conf\.d/a\.conf: .*\n.*-- exit 2$}ms, 'is an error');
new_tree();
spew("$root/etc/vfio-boot.conf", "ids = 0000:01:00.0\nprotect = ! 0000:01:00.0\n");
like(plan_of('protect with an exclusion mark'), qr/^0000:01:00\.0 .*: refused, protected: /m, 'protects all the same');

# The boot display of a machine with two firmware framebuffers.
new_tree();
spew("$root/proc/iomem", "b0000000-b07fffff : simplefb\n  c0000000-c07fffff : efifb\n0-" . '1' x 1019 . " :\n");
for (['0000:01:00.0', 'b'], ['0000:02:00.0', 'c']) {
	spew("$root/$pci/$_->[0]/modalias", "pci:v00008086d000010D3sv00000000sd00000000bc03sc80i00\n");
	spew("$root/$pci/$_->[0]/resource", "0x00000000$_->[1]0000000 0x00000000$_->[1]fffffff 0x0000000000040200\n");
}
is(scalar(() = plan_of('two framebuffers') =~ /: kept, reserved: it is the boot display/g), 2, 'each makes a boot display');

# A driver that names no module is built in; one that does is a module unless the kernel lists it.
new_tree();
spew("$root/etc/vfio-boot.conf", "ids = 8086:10d3\nunbind = no\n");
spew("$root/lib/modules/6.1.0-test/modules.builtin", "kernel/drivers/tty/serial/8250/8250_pci.ko\n");
symlink '../../../bus/pci/drivers/serial', "$root/$pci/0000:01:00.0/driver";
symlink '../../../bus/pci/drivers/e1000e', "$root/$pci/0000:02:00.0/driver";
make_path("$root/sys/bus/pci/drivers/serial", "$root/sys/bus/pci/drivers/e1000e");
symlink '../../../../module/e1000e', "$root/sys/bus/pci/drivers/e1000e/module";
my $next = run('build/vfio-boot', 'plan');
like($next, qr/^0000:01:00\.0 .*: refused, unbind-not-allowed: .* is bound to serial/m, 'a built-in driver holds at the next boot');
like($next, qr/^0000:02:00\.0 .*: claim for/m, 'a module does not');

# A root port that calls itself a processor is part of the platform, whoever else is selected.
new_tree();
spew("$root/$pci/0000:01:00.0/modalias", "pci:v00001957d00000400sv00000000sd00000000bc0Bsc20i00\n");
make_path("$root/$pci/0000:01:00.0/0000:05:00.0");
spew("$root/etc/vfio-boot.conf", "ids = 1957:0400\n");
like(plan_of('a root port of another class'), qr/^0000:01:00\.0 .*: kept, reserved: /m, 'is not taken by its ID');

# An emptied protect file says nothing.
new_tree();
spew("$root/$pci/0000:01:00.0/modalias", "pci:v00008086d000010D3sv00000000sd00000000bc01sc06i00\n");
spew("$root/var/lib/vfio-boot/protect", '');
like(plan_of('an empty protect file'), qr/^0000:01:00\.0 .*: kept, reserved: /m, 'protects all storage');
spew("$root/var/lib/vfio-boot/protect", " \t\n\n");
like(plan_of('a protect file of white space alone'), qr/^0000:01:00\.0 .*: kept, reserved: /m, 'says nothing either');

# The comment of an entry may be long and may have anything in it.
new_tree();
spew("$root/etc/vfio-boot.conf", "ids = 8086:10d3\nreserve = 01:00.0 # \x7f" . 'x' x 3000 . "\n");
my $long = '\?' . 'x' x 199;
like(plan_of('a comment of 3000 bytes'), qr/^0000:01:00\.0 .*: kept, reserved: reserve = 01:00\.0 \(.*\): $long \(name it by bus index to claim it\)$/m,
	'200 bytes of it are shown, and what to do');

new_tree();
for (4096, 4097) {
	spew("$root/proc/cmdline", 'x' x $_ . "\n");
	like(plan_of("a command line of $_ bytes"), $_ == 4096 ? qr/-- exit 0$/ : qr/longer than 4096 bytes\n.*-- exit 2$/s,
		$_ == 4096 ? 'is read' : 'is too long');
}

remove_tree($root);
make_path($root);
is(system("tests/big-machine 4097 8086:10d3 >$dir/machine && rmdir $root && tests/fixture unpack $dir/machine $root"), 0,
	'a machine with 4,097 functions');
like(plan_of('which is one too many'), qr/^vfio-boot: .*more than 4096 PCI functions\n.*-- exit 3$/ms, 'and said to be');
remove_tree($dir) if Test::More->builder->is_passing;
done_testing();
