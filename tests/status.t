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
	add_device($root, $_, @{ $device{$_} }) for sort keys %device;
}

sub report { in_tree('run/vfio-boot/report', join '', map { "$_\n" } 'vfio-boot-report 1', map { tr/|/\t/r } @_) }

my @json; # all that was printed
sub status {
	my (@options) = @_;
	my $text = qx(@as_root build/asan/vfio-boot status @options --sysroot $root 2>&1);
	push @json, $text =~ /^(\{.*\})$/m if "@options" eq '--json';
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
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci; drifted: it is bound to e1000e now (vfio-boot claim 0000:03:00.0)
-- exit 1
END
	'no driver' => ['0000:03:00.0' => [7, '']], [$claimed], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci; drifted: it is without a driver now (vfio-boot claim 0000:03:00.0)
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
vfio-boot: 0000:03:00.2 [8086:10d3]: the settings select it, and it came after the claim of this boot; now bound to e1000e (vfio-boot claim 0000:03:00.2)
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci; drifted: 0000:03:00.2 of its group is bound to e1000e, so the group is not usable
0000:03:00.1 [8086:10d3] group 7: claimed for vfio-pci; drifted: 0000:03:00.2 of its group is bound to e1000e, so the group is not usable
-- exit 1
END
	'a bridge is no harm' => ['0000:03:00.0' => [7, 'vfio-pci'], '0000:00:01.0' => [7, 'pcieport']], [$claimed], <<'END',
vfio-boot: 0000:00:01.0 [8086:10d3]: the settings select it, and it came after the claim of this boot; now bound to pcieport (vfio-boot claim 0000:00:01.0)
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci
-- exit 0
END
	'a group mate with a variant driver is no harm' => ['0000:03:00.0' => [7, 'vfio-pci'], '0000:03:00.1' => [7, 'xe-vfio-pci']], [$claimed], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci
-- exit 0
END
	'a variant driver' => ['0000:03:00.0' => [7, 'mlx5_vfio_pci']], [$claimed =~ s/vfio-pci/mlx5_vfio_pci/r], <<'END',
0000:03:00.0 [8086:10d3] group 7: claimed for mlx5_vfio_pci
-- exit 0
END
	'refused' => ['0000:03:00.0' => [7, 'e1000e']],
	['0000:03:00.0|8086:10d3|7|refused|group-incomplete|-|8086:10d3|0000:03:00.1 [8086:10d3] is not selected (add it)'], <<'END',
0000:03:00.0 [8086:10d3] group 7: refused, group-incomplete: 0000:03:00.1 [8086:10d3] is not selected (add it); now bound to e1000e
-- exit 1
END
	'kept, excluded and an optional one' => ['0000:03:00.0' => [7, 'e1000e'], '0000:04:00.0' => [8, '']],
	['0000:03:00.0|8086:10d3|7|kept|reserved|-|8086:10d3|why', '0000:04:00.0|8086:10d3|8|excluded|-|-|8086:10d3|by !04:00.0',
	 '-|-|-|absent|-|-|10de:2204|no such device (optional)|-|optional'], <<'END',
vfio-boot: 0000:04:00.0 [8086:10d3]: the settings select it now, and did not in this boot (reboot)
0000:03:00.0 [8086:10d3] group 7: kept, reserved: why; now bound to e1000e
0000:04:00.0 [8086:10d3] group 8: excluded: by !04:00.0; now without a driver
10de:2204: absent: no such device (optional)
-- exit 0
END
	'unusable' => ['0000:03:00.0' => [7, 'e1000e']], ['0000:03:00.0|8086:10d3|7|kept|unusable|-|8086:10d3|why'], <<'END',
0000:03:00.0 [8086:10d3] group 7: kept, unusable: why; now bound to e1000e
-- exit 0
END
	'given back since the root stayed away' => ['0000:03:00.0' => [7, 'e1000e']], ['0000:03:00.0|8086:10d3|7|given-back|root-missing|-|8086:10d3|why'], <<'END',
0000:03:00.0 [8086:10d3] group 7: given-back, root-missing: why; now bound to e1000e
-- exit 1
END
	'absent' => [], ['-|-|-|absent|-|-|10de:2204|no such device'], <<'END',
10de:2204: absent: no such device
-- exit 1
END
	'no group' => ['0000:03:00.0' => [7, '']], ['0000:03:00.0|8086:10d3|-|pending|no-iommu|-|8086:10d3|why'], <<'END',
0000:03:00.0 [8086:10d3] no group: pending, no-iommu: why; now without a driver
-- exit 1
END
	'a run that failed' => [], ['-|-|-|failed|-|-|-|the devices cannot be read'], <<'END',
failed: the devices cannot be read
-- exit 3
END
	'a broad selector that claims nothing' => ['0000:03:00.0' => [7, 'e1000e']], ['-|-|-|idle|-|-|8086:10d3|matches devices and claims nothing',
	 '0000:03:00.0|8086:10d3|7|kept|reserved|-|8086:10d3|why'], <<'END',
0000:03:00.0 [8086:10d3] group 7: kept, reserved: why; now bound to e1000e
8086:10d3: idle: matches devices and claims nothing
-- exit 1
END
	'held unasked' => ['0000:09:00.0' => [8, 'vfio-pci']], ['-|-|-|absent|-|-|10de:2204|no such device (optional)|-|optional'], <<'END',
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
	is(join(' ', sort keys %$json), 'absent boot counts devices errors exit_status format report warnings', 'and the shape of a plan, with what it comes to');
	is("exit $json->{exit_status}", $exit, 'the exit status is in it');
	my %counts = (devices => 0, groups => 0, drifted => 0, absent => 0, optional => 0, map { $_ => 0 }
		qw(claimed already kept refused failed given-back pending excluded));
	my %groups;
	for (@{ $json->{devices} }) {
		$counts{$_}++ for 'devices', $_->{verdict}, defined $_->{drift} ? 'drifted' : ();
		$groups{ $_->{group} } = 1 if $_->{verdict} =~ /^(?:claimed|already)$/;
	}
	$counts{groups} = keys %groups;
	$counts{$_->{optional} ? 'optional' : 'absent'}++ for @{ $json->{absent} };
	$counts{absent} += $counts{optional};
	is_deeply($json->{counts}, \%counts, 'the counts are those of the lists');
	my %verdict = map { (split /\|/)[0, 3] } grep { /^\d/ } @$rows;
	is_deeply({ map { $_->{address} => $_->{verdict} } @{ $json->{devices} } }, \%verdict, 'with the verdicts of the boot');
	my @now = map { exists $_->{now} ? () : $_->{address} } @{ $json->{devices} };
	is("@now", '', 'and the driver of this moment');
}

# What many hosts are told apart and summed up by.
tree(@good, '0000:04:00.0' => [8, 'e1000e'], '0000:05:00.0' => [9, 'vfio-pci']);
in_tree('proc/sys/kernel/random/boot_id', "f3a1c6c2-6d5e-4f0b-9a39-6f9d0a5f4a11\n");
in_tree('proc/sys/kernel/osrelease', "6.1.0-9-amd64\n");
report($claimed, $mate, '0000:04:00.0|8086:10d3|8|already|-|vfio-pci|8086:10d3|-', '0000:05:00.0|8086:10d3|9|refused|in-use|-|8086:10d3|why',
	'-|-|-|absent|-|-|10de:2204|no such device', '-|-|-|absent|-|-|10de:1aef|no such device (optional)|-|optional');
my $figures = JSON::PP->new->utf8->decode((status('--json') =~ /\A(.*)\n/)[0]);
is_deeply($figures->{boot}, { id => 'f3a1c6c2-6d5e-4f0b-9a39-6f9d0a5f4a11', kernel => '6.1.0-9-amd64' }, 'the boot that it is about');
is_deeply($figures->{counts}, { devices => 4, groups => 2, drifted => 1, absent => 2, optional => 1, claimed => 2, already => 1, kept => 0,
	refused => 1, failed => 0, 'given-back' => 0, pending => 0, excluded => 0 }, 'what it comes to');
is(join(' ', map { $_->{fault} ? 'fault' : 'fine' } @{ $figures->{devices} }), 'fine fine fault fault', 'which devices make the exit status 1');
ok($figures->{report}, 'there is a report');
unlink "$root/run/vfio-boot/report";
ok(!JSON::PP->new->utf8->decode((status('--json') =~ /^(\{.*)$/m)[0])->{report}, 'or there is none');
tree();
in_tree('etc/vfio-boot.conf', "ids = 8086:10d3?\n");
report($claimed);
my $optional = JSON::PP->new->utf8->decode((status('--json') =~ /\A(.*)\n/)[0]);
is(join(' ', $optional->{devices}[0]{drift}, $optional->{devices}[0]{fault} ? 'fault' : 'fine', $optional->{counts}{drifted}), 'it is gone (optional) fine 0',
	'an optional device that is gone is told, and not counted');

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
like(status(), qr/\A.*it came after the claim .*\n[^;]*-- exit 0\n\z/, 'group=ignore: a group mate is no drift');

# A claimed device that is gone, and what has its ID now.
tree('0000:03:00.1' => [7, 'vfio-pci'], '0000:04:00.0' => [8, 'e1000e']);
report($claimed, $mate);
is(status(), <<'END', 'moved');
vfio-boot: 0000:04:00.0 [8086:10d3]: the settings select it, and it came after the claim of this boot; now bound to e1000e (vfio-boot claim 0000:04:00.0)
0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci; drifted: it is gone; 8086:10d3 is at 0000:04:00.0 now
0000:03:00.1 [8086:10d3] group 7: claimed for vfio-pci
-- exit 1
END
tree('0000:04:00.0' => [8, 'e1000e']);
report($claimed =~ s/10d3/10d4/r);
like(status(), qr/drifted: it is gone\n-- exit 1\n\z/, 'another ID is another device');

tree('0000:04:00.0' => [8, 'e1000e'], '0000:05:00.0' => [9, 'e1000e']);
my $kept = '0000:04:00.0|8086:10d3|8|kept|reserved|-|8086:10d3|why';
report($claimed, $kept);
like(status(), qr/it is gone; 8086:10d3 is at 0000:05:00\.0 now\n/, 'one that the boot kept is not what has moved');
report($claimed, $kept =~ s/10d3/10d4/r);
like(status(), qr/it is gone; 8086:10d3 is at 0000:04:00\.0 now\n/, 'unless it was another one');

# What makes a group incomplete now: not what did at boot, and never what stays with the host.
my $incomplete = '0000:03:00.0|8086:10d3|7|refused|group-incomplete|-|03:00.0|0000:03:00.1 [8086:10d3] is not selected (add it)';
sub missing {
	my ($line) = status('--json') =~ /\A(.*)\n/;
	return join ' ', @{ JSON::PP->new->utf8->decode($line)->{devices}[0]{missing} };
}
tree(map { $_ => [7, ''] } map { "0000:03:00.$_" } 0 .. 2);
in_tree('etc/vfio-boot.conf', "ids = 03:00.0 03:00.1\n");
report($incomplete);
is(missing(), '0000:03:00.2', 'missing: what is not selected now');
in_tree('etc/vfio-boot.conf', "# nothing\n");
is(missing(), '0000:03:00.1 0000:03:00.2', 'also where the device itself is selected no more');
in_tree('etc/vfio-boot.conf', "ids = 03:00\n");
is(missing(), '', 'nothing, where all are selected now');
report($incomplete =~ s/group-incomplete/in-use/r);
in_tree('etc/vfio-boot.conf', "ids = 03:00.0\n");
is(missing(), '', 'nor where it was refused for something else');

# Settings that are newer than the image.
my $image = 'boot/initrd.img-6.1.0-9-amd64';
my $older = "vfio-boot: /etc/vfio-boot.conf is newer than /$image: the image may have older settings (update-initramfs -u)\n";
my $is_claimed = "0000:03:00.0 [8086:10d3] group 7: claimed for vfio-pci\n";

sub with_image {
	my ($settings, @rows) = @_;
	tree('0000:03:00.0' => [7, 'vfio-pci'], '0000:04:00.0' => [8, 'e1000e']);
	in_tree('proc/sys/kernel/osrelease', "6.1.0-9-amd64\n");
	in_tree('etc/vfio-boot.conf', $settings);
	in_tree($image, '');
	make_path("$root/etc/vfio-boot.conf.d");
	utime 2000, 2000, "$root/etc/vfio-boot.conf";
	utime 1000, 1000, map { "$root/$_" } $image, 'etc/vfio-boot.conf.d';
	report(@rows);
}

my $by_address = $claimed =~ s/8086:10d3\|-\z/03:00.0|-/r;
my $drifted = 'vfio-boot: 0000:04:00.0 [8086:10d3]: drifted: the settings select it now, and did not in this boot';
with_image("ids = 03:00.0\n", $by_address);
is(status(), "$older$is_claimed-- exit 0\n", 'settings newer than the image, and nothing in them that matters');
my ($warned) = status('--json') =~ /"warnings":\["([^"]*)"\]/;
is("vfio-boot: $warned\n", $older, 'a warning in JSON');
with_image("ids = 03:00.0 04:00.0\n", $by_address);
is(status(), "$older$drifted\n$is_claimed-- exit 1\n", 'a device that is selected since');
like(status('--json'), qr/drifted: the settings select it now.*-- exit 1\n\z/s, 'with --json too');
utime 1000, 1000, "$root/etc/vfio-boot.conf";
my $since = "vfio-boot: 0000:04:00.0 [8086:10d3]: the settings select it now, and did not in this boot (reboot)\n";
is(status(), "$since$is_claimed-- exit 0\n", 'settings as old as the image are in it: the next boot has them');
like(status('--json'), qr/"warnings":\["0000:04:00\.0 [^"]*did not in this boot \(reboot\)"\].*-- exit 0\n\z/s, 'with --json too');
utime 1001, 1001, "$root/etc/vfio-boot.conf.d";
like(status(), qr{\Avfio-boot: /etc/vfio-boot\.conf\.d is newer than .*\n\Q$drifted\E\n}, 'a folder that is newer');
in_tree('etc/vfio-boot.conf.d/a.conf', "unbind = no\n");
like(status(), qr{\Avfio-boot: /etc/vfio-boot\.conf\.d/a\.conf is newer than }, 'a drop-in that is newer');
unlink "$root/$image";
is(status(), "$since$is_claimed-- exit 0\n", 'no image to compare with');
my $late = "vfio-boot: 0000:04:00.0 [8086:10d3]: the settings select it, and it came after the claim of this boot; now bound to e1000e "
	. "(vfio-boot claim 0000:04:00.0)\n";
with_image("ids = 8086:10d3\n", $claimed);
is(status(), "$older$late$is_claimed-- exit 0\n", 'a device that came late for a selector of the boot');
with_image("ids = 8086:10d3 04:00.0\n", $claimed);
is(status(), "$older$late$is_claimed-- exit 0\n", 'also where a selector that is new means it too');
with_image("ids = 03:00.0 10de:2204 04:00.0\n", $by_address, '-|-|-|absent|-|-|04:00.0|no such device (optional)|-|optional');
is(status(), "$older${is_claimed}04:00.0: not there at boot; 0000:04:00.0 [8086:10d3] is there now, bound to e1000e\n-- exit 0\n",
	'or for one that was absent');
# What was absent is not called so when it is there; it is a fault until a vfio driver has it.
my $absent = '-|-|-|absent|-|-|04:00.0|no such device';
my $arrived = '04:00.0: not there at boot; 0000:04:00.0 [8086:10d3] is there now, bound to';
tree('0000:03:00.0' => [7, 'vfio-pci'], '0000:04:00.0' => [8, 'e1000e']);
in_tree('etc/vfio-boot.conf', "ids = 03:00.0 04:00.0\n");
report($by_address, $absent);
is(status(), "$is_claimed$arrived e1000e\n-- exit 1\n", 'absent at boot, and there now');
like(status('--json'), qr/"absent":\[\],"errors":\[\],"warnings":\["\Q$arrived\E e1000e"\].*-- exit 1\n\z/s, 'with --json too');
in_tree('etc/vfio-boot.conf', "ids = 03:00.0 04:00.0 !class:02\n");
like(status(), qr/^04:00\.0: absent: no such device\n-- exit 1\n\z/m, 'an exclusion since: it is as it was');
in_tree('etc/vfio-boot.conf', "ids = 03:00.0\n");
like(status(), qr/^04:00\.0: absent: no such device\n-- exit 1\n\z/m, 'so is a selector that is there no more');
tree('0000:03:00.0' => [7, 'vfio-pci'], '0000:04:00.0' => [8, 'vfio-pci']);
in_tree('etc/vfio-boot.conf', "ids = 03:00.0 04:00.0\n");
my $by_hand = '0000:04:00.0|8086:10d3|8|claimed|-|vfio-pci|04:00.0|-';
report($by_address, $by_hand, $absent);
is(status(), "$is_claimed" . "0000:04:00.0 [8086:10d3] group 8: claimed for vfio-pci\n$arrived vfio-pci\n-- exit 0\n",
	'claimed by hand since: all is well');

# What vfio-boot release gave back was selected in this boot.
my $released = '0000:04:00.0|8086:10d3|8|given-back|-|-|04:00.0|given back at run time (vfio-boot release)';
my $given_back = "0000:04:00.0 [8086:10d3] group 8: given-back: given back at run time (vfio-boot release); now bound to e1000e\n";
with_image("ids = 03:00.0 04:00.0\n", $by_address, $released);
is(status(), "$older$is_claimed$given_back-- exit 0\n", 'given back: no drift where a file is newer');
utime 1000, 1000, "$root/etc/vfio-boot.conf";
is(status(), "$is_claimed$given_back-- exit 0\n", 'nor where none is');
with_image("ids = 03:00.0 04:00.0\n", $by_address, $released =~ s/-\|-\|04:00/timeout|-|04:00/r =~ s/given back.*/process 7 is still running/r);
like(status(), qr/\A\Q$older$is_claimed\E0000:04:00\.0 \[8086:10d3\] group 8: given-back, timeout: process 7 .*\n-- exit 0\n\z/, 'nor while that goes on');

my $excluded = '0000:04:00.0|8086:10d3|8|excluded|-|-|8086:10d3|by !04:00.0';
with_image("ids = 8086:10d3 !04:00.0\n", $claimed, $excluded);
like(status(), qr/\A\Q$older$is_claimed\E.*\n-- exit 0\n\z/, 'an exclusion that stands');
with_image("ids = 8086:10d3\n", $claimed, $excluded);
like(status(), qr/\A\Q$older$drifted\E\n.*-- exit 1\n\z/s, 'and one that does not');
with_image("ids = 03:00.0 04:00.0\nprotect = 04:00.0\n", $by_address);
like(status(), qr/\Q$drifted\E\n.*-- exit 1\n\z/s, 'one that would be refused is selected all the same');
with_image("ids = 8086:10d3\nreserve = 04:00.0\n", $by_address);
is(status(), "$older$is_claimed-- exit 0\n", 'one that would be kept is not missing');
with_image("ids = 03:00.0\ngroup = whole\n", $by_address, $mate =~ s/8086:10d3\|-\z/-|-/r);
add_device($root, '0000:03:00.1', 7, 'vfio-pci');
is(status(), "$older$is_claimed" . $is_claimed =~ s/03:00\.0/03:00.1/r . "-- exit 0\n", 'what group=whole takes is selected');
with_image("ids = 10de:2204?\n", $claimed);
is(status(), "${older}vfio-boot: 0000:03:00.0 [8086:10d3]: the settings do not select it, the next boot leaves it to the host\n$is_claimed-- exit 0\n",
	'claimed, by a boot or since, and not selected: a warning');
with_image("ids = 03:00.0 04:00.0\n", $by_address);
in_tree('proc/cmdline', "vfio.ids=off\n");
is(status(), "$older$is_claimed-- exit 0\n", 'switched off: nothing is missing');
with_image("ids = 03:00.0 04:00.0\n");
like(status(), qr/this boot had no device to claim; the settings have changed since \(is the image up to date\? update-initramfs -u; then reboot\).*\Q$drifted\E\n-- exit 1\n\z/s, 'a boot that had nothing to claim');
unlink "$root/run/vfio-boot/report";
is(status(), "vfio-boot: no report of this boot: the claim has not run (is the image up to date? update-initramfs -u; then reboot)\n"
	. "vfio-boot: 0000:03:00.0: foreign: vfio-pci holds it, and this boot did not claim it\n-- exit 1\n", 'without a report that alone is said');
with_image("ids = 03:00.0 04:00.0\n", $by_address);
remove_tree("$root/sys");
like(status(), qr/\A\Q$older\E.*it is gone\n-- exit 1\n\z/s, 'a machine that cannot be read');
tree(@good);

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
status('--json');
is(beside_schema('status', @json), '', @json . ' JSON texts are as the schema has it');
isnt(beside_schema('status', $json[0] =~ s/"drift"/"drifts"/r), '', 'which refuses another name');
remove_tree($root) if Test::More->builder->is_passing;
done_testing();
