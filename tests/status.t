#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot status: the report of a boot beside a tree that has changed since, as text
# and as JSON, with its exit status. tests/qemu/install.t sees it in a booted Debian.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/status';

sub in_tree { spew("$root/$_[0]", $_[1]) }

# ADDRESS => [GROUP, DRIVER or '']
sub tree {
	my (%device) = @_;
	remove_tree($root);
	make_path("$root/sys/bus/pci/devices", "$root/sys/bus/pci/drivers/vfio-pci");
	in_tree('proc/cmdline', "quiet\n");
	in_tree('etc/vfio-boot.conf', "ids = 8086:10d3\n");
	for my $address (sort keys %device) {
		my ($group, $driver) = @{ $device{$address} };
		my $dir = "sys/devices/pci0000:00/$address";
		in_tree("$dir/modalias", "pci:v00008086d000010D3sv00000000sd00000000bc02sc00i00\n");
		symlink "../../../devices/pci0000:00/$address", "$root/sys/bus/pci/devices/$address";
		symlink "../../../kernel/iommu_groups/$group", "$root/$dir/iommu_group";
		make_path("$root/sys/kernel/iommu_groups/$group/devices");
		symlink "../../../../devices/pci0000:00/$address", "$root/sys/kernel/iommu_groups/$group/devices/$address";
		next if $driver eq '';
		make_path("$root/sys/bus/pci/drivers/$driver");
		symlink "../../../bus/pci/drivers/$driver", "$root/$dir/driver";
		symlink "../../../../devices/pci0000:00/$address", "$root/sys/bus/pci/drivers/$driver/$address";
	}
}

sub report { in_tree('run/vfio-boot/report', join '', map { "$_\n" } 'vfio-boot-report 1', map { tr/|/\t/r } @_) }

sub status {
	my (@options) = @_;
	my $text = qx(@as_root build/vfio-boot status @options --sysroot $root 2>&1);
	return $text . '-- exit ' . ($? & 127 ? "signal $?" : $? >> 8) . "\n";
}

my $claimed = '0000:03:00.0|8086:10d3|7|claimed|-|vfio-pci|8086:10d3|-';
my $mate = '0000:03:00.1|8086:10d3|7|claimed|-|vfio-pci|8086:10d3|-';
my @good = ('0000:03:00.0' => [7, 'vfio-pci'], '0000:03:00.1' => [7, 'vfio-pci']);
my @cases = (
	'as it was' => [@good], [$claimed, $mate], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci
0000:03:00.1 [8086:10d3] group 7: claimed for vfio-pci
-- exit 0
END
	'another driver' => ['0000:03:00.0' => [7, 'e1000e']], [$claimed], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci; drifted: it is with e1000e now
-- exit 1
END
	'no driver' => ['0000:03:00.0' => [7, '']], [$claimed], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci; drifted: it is with no driver now
-- exit 1
END
	'gone' => [], [$claimed], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci; drifted: it is gone
-- exit 1
END
	'another group' => ['0000:03:00.0' => [9, 'vfio-pci']], [$claimed], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci; drifted: its group is 9 now
-- exit 1
END
	'a group that has grown' => [@good, '0000:03:00.2' => [7, 'e1000e']], [$claimed, $mate], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci; drifted: 0000:03:00.2 of its group is with e1000e, the group is not usable
0000:03:00.1 [8086:10d3] group 7: claimed for vfio-pci; drifted: 0000:03:00.2 of its group is with e1000e, the group is not usable
-- exit 1
END
	'a bridge is no harm' => ['0000:03:00.0' => [7, 'vfio-pci'], '0000:00:01.0' => [7, 'pcieport']], [$claimed], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci
-- exit 0
END
	'a variant driver' => ['0000:03:00.0' => [7, 'mlx5_vfio_pci']], [$claimed =~ s/vfio-pci/mlx5_vfio_pci/r], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for mlx5_vfio_pci
-- exit 0
END
	'refused' => ['0000:03:00.0' => [7, 'e1000e']],
	['0000:03:00.0|8086:10d3|7|refused|group-incomplete|-|8086:10d3|0000:03:00.1 [8086:10d3] is not selected (add it)'], <<'END',
0000:03:00.0 [8086:10d3] group 7: refused, group-incomplete: 0000:03:00.1 [8086:10d3] is not selected (add it); now with e1000e
-- exit 1
END
	'kept, excluded and an optional one' => ['0000:03:00.0' => [7, 'e1000e'], '0000:04:00.0' => [8, '']],
	['0000:03:00.0|8086:10d3|7|kept|reserved|-|8086:10d3|why', '0000:04:00.0|8086:10d3|8|excluded|-|-|8086:10d3|by !04:00.0',
	 '-|-|-|absent|-|-|10de:2204|no such device (optional)'], <<'END',
0000:03:00.0 [8086:10d3] group 7: kept, reserved: why; now with e1000e
0000:04:00.0 [8086:10d3] group 8: excluded: by !04:00.0; now with no driver
10de:2204: absent: no such device (optional)
-- exit 0
END
	'absent' => [], ['-|-|-|absent|-|-|10de:2204|no such device'], <<'END',
10de:2204: absent: no such device
-- exit 1
END
	'no group' => ['0000:03:00.0' => [7, '']], ['0000:03:00.0|8086:10d3|-|pending|no-iommu|-|8086:10d3|why'], <<'END',
0000:03:00.0 [8086:10d3] no group: pending, no-iommu: why; now with no driver
-- exit 1
END
	'a run that failed' => [], ['-|-|-|failed|-|-|-|the devices cannot be read'], <<'END',
failed: the devices cannot be read
-- exit 3
END
	'held unasked' => ['0000:09:00.0' => [8, 'vfio-pci']], ['-|-|-|absent|-|-|10de:2204|no such device (optional)'], <<'END',
vfio-boot: 0000:09:00.0: foreign: vfio-pci holds it, and this boot did not claim it
10de:2204: absent: no such device (optional)
-- exit 0
END
);
while (my ($name, $device, $rows, $expected) = splice @cases, 0, 4) {
	tree(@$device);
	report(@$rows);
	is(status(), $expected, $name);
	my ($line, $exit) = status('--json') =~ /\A(.*)\n-- (exit \d)\n\z/s;
	like($expected, qr/^-- \Q$exit\E$/m, "$name: the same exit status with --json");
	my $json = eval { JSON::PP->new->utf8->decode($line) } || {};
	is(join(' ', sort keys %$json), 'absent devices errors format warnings', 'and the shape of a plan');
	my %verdict = map { (split /\|/)[0, 3] } grep { /^\d/ } @$rows;
	is_deeply({ map { $_->{address} => $_->{verdict} } @{ $json->{devices} } }, \%verdict, 'with the verdicts of the boot');
	my @now = map { exists $_->{now} ? () : $_->{address} } @{ $json->{devices} };
	is("@now", '', 'and the driver of this moment');
}

# Reports that are none.
my %none = ('another version' => "vfio-boot-report 7\n", empty => '', 'cut off in a record' => "vfio-boot-report 1\n0000:03:00.0\t8086",
	'an unknown verdict' => "vfio-boot-report 1\n" . join("\t", split /\|/, $claimed =~ s/claimed/clai/r) . "\n");
for (sort keys %none) {
	tree(@good);
	in_tree('run/vfio-boot/report', $none{$_});
	like(status(), qr{^vfio-boot: /run/vfio-boot/report:\d: .*-- exit 3\n\z}ms, "$_: exit status 3");
}
tree(@good);
make_path("$root/run/vfio-boot/report");
like(status(), qr/-- exit 3\n\z/, 'a folder in its place as well');

# group=ignore: the others of a group are as they were.
tree(@good, '0000:03:00.2' => [7, 'e1000e']);
in_tree('etc/vfio-boot.conf', "ids = 8086:10d3\ngroup = ignore\n");
report($claimed, $mate);
like(status(), qr/\A[^;]*-- exit 0\n\z/, 'group=ignore: a group mate is no drift');

# Without a report.
tree(@good);
like(status(), qr/no report of this boot: the claim has not run.*update-initramfs.*\n.*-- exit 1\n\z/s, 'no report, though devices are selected');
in_tree('proc/cmdline', "vfio.ids=off\n");
like(status(), qr/nothing was claimed in this boot: vfio\.ids=off\n.*-- exit 0\n\z/s, 'vfio.ids=off: that is as it should be');
in_tree('proc/cmdline', "quiet\n");
report();
like(status(), qr/this boot had no device to claim; the settings have changed since.*-- exit 0\n\z/s, 'a report without records');
unlink "$root/run/vfio-boot/report";
in_tree('etc/vfio-boot.conf', "# nothing\n");
like(status(), qr/no device is selected\n.*-- exit 0\n\z/s, 'nothing selected');
in_tree('etc/vfio-boot.conf', "ids = x\n");
report($claimed, $mate);
like(status(), qr{/etc/vfio-boot\.conf:1:7: x: .*-- exit 2\n\z}s, 'settings with an error: exit status 2');
remove_tree($root) if Test::More->builder->is_passing;
done_testing();
