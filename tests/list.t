#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot list for people: what hangs on a device, whether it can be had, words to search for, tables, and lines that
# fit. What it says of each device of each fixture is held against what add does with that device.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use JSON::PP ();
use Test::More;
use Tree;

binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $root = 'build/list';
delete $ENV{COLUMNS};
$ENV{LC_ALL} = 'C.UTF-8';

sub vfio_boot {
	my (@words) = @_;
	my ($out, $err) = told($root, @words);
	utf8::decode($out);
	my ($status) = $out =~ s/-- exit (.*)\n\z// ? $1 : '';
	return ($out, $err, $status);
}

sub devices_of {
	my ($out, $err) = vfio_boot('list', '--json', @_);
	my $json = eval { JSON::PP->new->decode($out =~ s/[^\x00-\x7f]/?/gr) } or die "no JSON: $err\n";
	return map { $_->{address} => $_ } @{ $json->{devices} };
}

sub machine {
	my ($fixture, $settings) = @_;
	remove_tree($root);
	unpack_fixture($root, $fixture);
	spew("$root/etc/vfio-boot.conf", $settings // '');
}

my @fixtures = map { m{([^/]*)/machine$} } sort glob 'tests/fixtures/*/machine';
cmp_ok(scalar @fixtures, '>=', 16, 'there are fixtures');

# --- every line fits

# The lines that are longer than they may be, and could be broken: behind branches, bus index and driver.
sub too_long {
	my ($width, $text) = @_;
	return join "\n", grep { length > $width && s/^[^\w]*(?:[\da-f:.]{7,13}  +\S+ +)?//r =~ /\S \S/ } split /\n/, $text;
}
is(too_long(20, "group 1\n" . ' ' x 9 . "a line too long"), ' ' x 9 . 'a line too long', 'a line that is too long is found');
for my $fixture (@fixtures) {
	machine($fixture);
	for my $width (undef, 60, 132) {
		local $ENV{COLUMNS} = $width;
		delete $ENV{COLUMNS} if !$width;
		my $name = "$fixture: " . ($width // 'no terminal');
		is(too_long($width // 80, join '', (vfio_boot('list', '--all'))[0], (vfio_boot('list', '-v'))[0]), '', "$name: the tree fits");
		my ($flat) = vfio_boot('list', '--flat');
		is(join('', grep { length > ($width // 80) } split /\n/, $flat), '', "$name: and so does the table");
	}
	# Whatever a domain takes, the drivers stand in one column.
	my %column = map { /^[^\w]+[\da-f:.]+ +/ ? ($+[0] => 1) : () } grep { /^\S+ [\da-f:.]{7,13} / } split /\n/, (vfio_boot('list', '--all'))[0];
	is(scalar keys %column, 1, "$fixture: the drivers are in one column");
	my ($all) = (vfio_boot('list', '--all'))[0];
	my ($some) = (vfio_boot('list'))[0];
	my $bridges = sub { scalar(() = $_[0] =~ /^\S+ [\da-f:.]{7,13} /mg) };
	my ($hidden) = $some =~ /^(\d+) bridges? that nothing shares a group with/m;
	is($bridges->($all) - $bridges->($some), $hidden // 0, "$fixture: the bridges that are left out are counted");
	is($hidden, 13, "$fixture: and that is right") if $fixture eq 'twin-gpus';
}

machine('twin-gpus');
{
	local $ENV{COLUMNS} = 120;
	like((vfio_boot('list', '--flat'))[0], qr/^04:00\.0 .* network enp4s0 +in use: enp4s0/m, 'in 120 columns what hangs on a device is whole');
}
like((vfio_boot('list', '--flat'))[0], qr/^0b:00\.1 +25 snd_hda_intel 10de:1aef group NVIDIA C.*\n/m, 'in 80 columns the names are cut, and no driver');
{
	local $ENV{COLUMNS} = 40;
	unlike((vfio_boot('list'))[0], qr/ $/m, 'in 40 columns no line ends in blanks');
}
machine('sriov');
like((vfio_boot('list'))[0], qr/^group 12: virtual \(claim for now, add --vfs for each boot\)$/m, 'a virtual function has a verdict');
unlike(join('', map { machine($_); (vfio_boot('list', '--all'))[0] } @fixtures), qr/^group \d+$/m, 'and so has every group');

# --- what hangs on it

machine('qemu-q35', "ids = 03:00\n");
my $pci = "$root/sys/devices/pci0000:00";
my %path = (xhci => '0000:00:05.0/0000:05:00.0/0000:06:01.0/0000:08:00.0', vga => '0000:00:05.0/0000:05:00.0/0000:06:00.0/0000:07:00.0',
	hda => '0000:00:02.0/0000:01:00.0/0000:02:02.0', nvme => '0000:00:04.0/0000:04:00.0', sata => '0000:00:1f.2');
sub attach {
	my ($class, $name, $where, %attribute) = @_;
	my $path = "$where/$name";
	make_path("$pci/$path");
	make_path("$root/sys/$class");
	symlink '../' x (1 + ($class =~ tr{/}{/})) . 'devices/pci0000:00/' . $path, "$root/sys/$class/$name";
	spew("$pci/$path/$_", $attribute{$_}) for keys %attribute;
}
my $usb = "$path{xhci}/usb1";
attach('bus/usb/devices', 'usb1', $path{xhci}, bDeviceClass => "09\n", product => "xHCI Host Controller\n");
attach('bus/usb/devices', '1-1', $usb, bDeviceClass => "09\n", product => "Hub\n");
attach('bus/usb/devices', '1-1.2', "$usb/1-1", bDeviceClass => "00\n", manufacturer => "Logitech\n", product => "Receiver\n");
attach('bus/usb/devices', '1-1.10', "$usb/1-1", bDeviceClass => "00\n", manufacturer => "Logitech\n", product => "Logitech Cam\e[2J\n");
attach('bus/usb/devices', '1-1.2:1.0', "$usb/1-1/1-1.2", bInterfaceClass => "03\n");
attach('bus/usb/devices', '1-4', $usb, bDeviceClass => "00\n", idVendor => "0bda\n", idProduct => "8153\n");
my $name = sub { "\0\0\0\xfc\0" . pack 'A13', "$_[0]\n" };
my $edid = pack('a54', "\0\xff\xff") . "\1" x 18 . $name->('DELL U2720Q') . "\0\0\0\xff\0serial number" . "\0" x 20;
attach('class/drm', 'card1', "$path{vga}/drm");
attach('class/drm', 'card1-DP-1', "$path{vga}/drm/card1", status => "connected\n", edid => $edid);
attach('class/drm', 'card1-DP-2', "$path{vga}/drm/card1", status => "disconnected\n");
attach('class/drm', 'card1-HDMI-A-1', "$path{vga}/drm/card1", status => "connected\n", edid => '');
attach('class/sound', 'card2', "$path{hda}/sound", id => "Generic\n");
attach('class/sound', 'pcmC2D0p', "$path{hda}/sound/card2");
spew("$pci/$path{nvme}/nvme/nvme0/nvme0n1/size", "1953525168\n");
spew("$pci/$path{nvme}/nvme/nvme0/model", "Samsung SSD 980 1TB                     \n");
symlink '../../nvme0', "$pci/$path{nvme}/nvme/nvme0/nvme0n1/device";
my ($sda) = glob "$pci/$path{sata}/*/*/*/*/block/sda";
spew("$sda/size", "7814037168\n");
spew("$sda/device/vendor", "ATA     \n");
spew("$sda/device/model", "WDC WD40EFRX-68N\n");
my ($up) = readlink("$root/sys/class/net/enp3s0f0") =~ m{pci0000:00/(.*)};
spew("$pci/$up/carrier", "0\n");
# virtio-blk has a number of its vendor in device/vendor, and no device/model.
attach('class/block', 'vda', "$path{hda}/block", size => "20971520\n");
spew("$pci/$path{hda}/block/vda/device/vendor", "0x1af4\n");

my %hangs = (
	'0000:08:00.0' => 'USB Logitech Receiver; USB 0bda:8153; USB Logitech Cam?[2J',
	'0000:07:00.0' => 'monitor DELL U2720Q on DP-1; monitor HDMI-A-1',
	'0000:02:02.0' => 'disk vda, 11 GB; sound card Generic',
	'0000:04:00.0' => 'disk nvme0n1: Samsung SSD 980 1TB, 1.0 TB',
	'0000:00:1f.2' => 'disk sda: WDC WD40EFRX-68N, 4.0 TB',
	'0000:03:00.0' => 'network enp3s0f0 (no link)',
	'0000:03:00.1' => 'network enp3s0f1 (down)',
);
my ($table, $err, $status) = vfio_boot('list', '-D', '-o', 'address,attached');
is($status, 0, 'a table of columns') or diag $err;
my %said = map { /^(\S+) (.*)/ ? ($1 => $2) : () } split /\n/, $table;
for my $address (sort keys %hangs) {
	my @expected = sort split /; /, $hangs{$address};
	is(join('; ', sort split /; /, $said{$address} // ''), join('; ', @expected), "$address: what hangs on it");
}
is(join(' ', grep { !$hangs{$_} && /^0/ } sort keys %said), '0000:02:01.0', 'and nothing on the others, but for a network without attributes') or diag $table;
unlike($table, qr/\e/, 'no name gives orders to the terminal');
my ($tree) = vfio_boot('list');
my $sly = "$pci/$usb/1-4/product";
spew($sly, "\xe2\x80\xaeevil");
unlike((vfio_boot('list', '-o', 'attached'))[0], qr/\x{202e}/, 'nor turns what stands behind it');
unlink $sly;
like($tree, qr/^[^\n]*07:00\.0  bochs-drm [^\n]*\n(?:[^\n]*\n)?   +monitor DELL U2720Q on DP-1; monitor HDMI-A-1$/m, 'in the tree below the device');
my %device = devices_of();
is_deeply($device{'0000:04:00.0'}{attached}, [ { kind => 'disk', name => 'nvme0n1', model => 'Samsung SSD 980 1TB', size => 1953525168 * 512, link => undef } ],
	'a disk in JSON');
is_deeply([ map { "$_->{kind} $_->{name} " . ($_->{link} // '-') } @{ $device{'0000:03:00.1'}{attached} } ], ['network enp3s0f1 down'], 'a network in JSON');
is(join(' ', map { $_->{name} } @{ $device{'0000:08:00.0'}{attached} }), '1-4 1-1.2 1-1.10', 'in the order of their names');
is(beside_schema('list', (vfio_boot('list', '--json'))[0] =~ s/[^\x00-\x7f]/?/gr), '', 'as the schema has it');

# --- words to search for

my @in_tree = map { qr/^[^\w]+\Q$_\E /m } qw(07:00.0 08:00.0 03:00.0);
sub finds {
	my ($words, @expected) = @_;
	my ($out, $said, $exit) = vfio_boot('list', '-D', '-o', 'address', @$words);
	is(join(' ', grep { /^0/ } split /\n/, $out) . " $exit", join(' ', @expected, 0), "list @$words") or diag $said;
}
finds(['dell'], '0000:07:00.0');
finds(['LOGITECH'], '0000:08:00.0');
finds(['samsung'], '0000:04:00.0');
finds(['e1000e'], '0000:03:00.0', '0000:03:00.1');
finds(['ethernet'], '0000:02:01.0', '0000:03:00.0', '0000:03:00.1');
finds([ 'dell', '04:00.0', 'generic' ], '0000:02:02.0', '0000:04:00.0', '0000:07:00.0');
my ($out, $said, $exit) = vfio_boot('list', 'matrox');
is("$out$exit", '1', 'a word that nothing is called');
like($said, qr/^vfio-boot: matrox: no device is called so, and it is no selector: neither a bus index/m, 'is said');
($out, $said, $exit) = vfio_boot('list', "'!dell'");
is($exit, 2, 'an exclusion is none to search for');
($out, $said, $exit) = vfio_boot('list', '03:00.7');
like($said, qr/no such device; nearest/, 'a selector is no text');

# --- tables

($out) = vfio_boot('list', '--flat', '03:00.0');
like($out, qr/\AADDRESS GROUP DRIVER +ID +HAVE +NAME *\n03:00\.0 +7 e1000e +8086:10d3 claimed .{10,}\n\z/, '--flat: a heading and a line');
($out) = vfio_boot('list', '--flat', '--all', '04:00.0');
like($out, qr/^04:00\.0 .*1b36:0010 free .* disk nvme0n1: Samsung SSD 980 1TB, 1\.0 TB/m, '--flat --all has more, and cuts nothing');
cmp_ok(length((split /\n/, $out)[1]), '>', 80, 'of however many columns');
{
	local $ENV{COLUMNS} = 120;
	($out) = vfio_boot('list', '--flat');
	is(join('', grep { length > 120 } split /\n/, $out), '', 'a line of 120 columns fits');
	like($out, qr/^08:00\.0 .* USB 0bda:8153; USB Logitech *$/m, 'with the beginning of what hangs there');
}
($out) = vfio_boot('list', '-o', '+numa,SELECTOR', '04:00.0');
like($out, qr/\AADDRESS .*NAME +NUMA SELECTOR\n04:00\.0.* 0000:00:04\.0\/00\.0\@1b36:0010\n\z/, '+COLUMNS adds, in either case');
($out, $said, $exit) = vfio_boot('list', '-o', 'address,colour');
is("$out$exit", '2', 'a column that there is not');
like($said, qr/\Avfio-boot: list: colour: no such column; there are:\n(?:  [A-Z]+ +\S.*\n){14}\z/, 'is said, with those there are');
($out, $said, $exit) = vfio_boot('list', '-v', '--flat');
is($exit, 2, '-v and a table');
($out, $said, $exit) = vfio_boot('list', '--json', '-o', 'address');
is($exit, 2, '--json and a table');
($out, $said, $exit) = vfio_boot('list', '-o', join ',', ('id') x 33);
like($said, qr/^vfio-boot: list: more than 32 columns$/m, 'columns without end');
my $on_terminal = qx(script -qec 'stty cols 50; TERM=xterm @as_root build/vfio-boot list --sysroot $root -o address,selector,modalias' /dev/null </dev/null);
is(join('', grep { length > 50 } split /\r?\n/, $on_terminal), '', 'a terminal cuts them');
like((vfio_boot('list', '-o', 'modalias'))[0], qr/^pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00$/m, 'a pipe does not');

# --- what can be had is had: each device of each fixture, and add

my ($checked, %states) = (0);

# The devices of a machine that add does not deal with as list says.
sub untrue {
	my ($fixture, $settings) = @_;
	machine($fixture, $settings);
	my %before = devices_of();
	my @wrong;
	for my $address (sort keys %before) {
		my $device = $before{$address};
		my $state = $device->{available} // next; # a VF
		$states{$state}++;
		push @wrong, "$address is $state, and why is: " . ($device->{available_message} // '-') if ($state eq 'no') != !!($device->{available_message} // '');
		next if $state eq 'claimed' || ($device->{available_message} // '') =~ /^it is storage, and what this host lives on is unknown/;
		my $try = sub {
			unlink "$root/etc/vfio-boot.conf.d/50-local.conf";
			my (undef, $why, $ended) = vfio_boot('add', '--no-rebuild', @_, $address);
			return ($ended, $why);
		};
		my ($alone) = $try->();
		my ($whole, $why) = $try->('--whole');
		my $expected = { free => '0 0', group => '1 0', no => '1 1' }->{$state};
		# With broad selectors in the settings, or group=whole, the others may be selected already.
		$expected = '0 0' if $state eq 'group' && $settings ne '' && $alone == 0;
		push @wrong, "$address is $state, and add ends with $alone, with --whole $whole: $why" if "$alone $whole" ne $expected;
		if ($state eq 'group' && $settings eq '') {
			my %after = devices_of();
			my $taken = join ' ', grep { ($after{$_}{verdict} // '') eq 'claim' } sort keys %after;
			my $with = join ' ', sort $address, @{ $device->{available_with} };
			push @wrong, "$address takes $taken, not $with" if $taken ne $with;
		}
		$checked++;
	}
	unlink "$root/etc/vfio-boot.conf.d/50-local.conf";
	return join "\n", @wrong;
}
is(untrue($_, ''), '', "$_: what is free can be had, and nothing else") for @fixtures;
cmp_ok($checked, '>', 200, "$checked devices");
ok($states{$_}, "some are '$_'") for qw(free group no);
for my $settings ("group = whole\n", "group = ignore\n", "ids = class:02 class:03 !class:0c\n", "unbind = no\nids = !class:04\n") {
	is(untrue($_, $settings), '', "$_: " . $settings =~ s/\n/; /gr) for qw(amd-990fx chipset-group four-function twin-gpus vmd);
}

# --- with settings: what is claimed, excluded, or in a group that is chosen in part

machine('twin-gpus', "ids = 10de:2204 10de:1aef !0b:00.1\n");
%device = devices_of();
is(join(' ', map { $device{"0000:0b:00.$_"}{available} } 0, 1), 'no no', 'an exclusion makes the group one that cannot be had');
like($device{'0000:0b:00.0'}{available_message}, qr/0000:0b:00\.1 .*excluded/, 'which is said');
is(join(' ', map { $device{"0000:0a:00.$_"}{available} } 0, 1), 'group group', 'what only broad selectors match can be had');
machine('twin-gpus', "ids = !04:00.0\n");
%device = devices_of();
is($device{'0000:04:00.0'}{available_message}, 'it is excluded by 04:00.0 (/etc/vfio-boot.conf:1:7) (remove that exclusion first)', 'an exclusion is named');
machine('twin-gpus', "ids = 10de:2204 0000:0b:00.1\@10de:ffff\n");
%device = devices_of();
is($device{'0000:0b:00.0'}{available}, 'group', 'a guard that fails keeps nobody from naming the device');
machine('twin-gpus', "ids = off\n");
like((vfio_boot('list'))[1], qr/^vfio-boot: the next boot claims nothing: ids=off in the settings files$/m, 'where nothing is claimed at all, that is said');
machine('twin-gpus', "ids = 0b:00\n");
%device = devices_of();
is(join(' ', map { $device{"0000:0b:00.$_"}{available} } 0, 1), 'claimed claimed', 'what the plan claims is claimed');
like((vfio_boot('list'))[0], qr/^group 25: claimed at the next boot$/m, 'as the list says');
is((vfio_boot('plan'))[0], "0000:0b:00.0 [10de:2204] group 25: claim for vfio-pci\n0000:0b:00.1 [10de:1aef] group 25: claim for vfio-pci\n",
	'and asking has changed nothing of the plan');

# --- what a guest can have now

machine('twin-gpus');
bind_to($root, 'vfio-pci', '0000:0b:00.0', '0000:0b:00.1');
like((vfio_boot('list'))[0], qr/^group 25: ready for a guest$/m, 'what vfio-pci has is ready');
bind_to($root, 'snd_hda_intel', '0000:0b:00.1');
like((vfio_boot('list'))[0], qr/^group 25: free, both together$/m, 'but not where a driver of the host has another member');
bind_to($root, 'vfio-pci', '0000:0b:00.1');
symlink '../../../../devices/platform/thing', "$root/sys/kernel/iommu_groups/25/devices/thing";
like((vfio_boot('list'))[0], qr/^group 25: stays with the host$/m, 'nor where something is no PCI device');

# --- the end of explain

machine('twin-gpus');
sub answers {
	my ($words, $pattern, $why) = @_;
	like((vfio_boot('explain', @$words))[0], $pattern, $why);
}
answers(['0b:00.0'], qr/^  You can have it, together with 0000:0b:00\.1:\n    vfio-boot add --whole 0000:0b:00\.0\n\z/m, 'explain: the command for two');
answers(['0c:00.3'], qr/^  You can have it:\n    vfio-boot add 0000:0c:00\.3\n\z/m, 'explain: the command for one');
answers(['--now', '0c:00.3'], qr/^  You can have it:\n    vfio-boot claim 0000:0c:00\.3\n\z/m, 'explain --now: the command for now');
answers(['0a:00.0'], qr/vfio-boot add --whole 0000:0a:00\.0\n  It is the screen that this machine boots with: the host shows nothing on\s+it\s+any\s+more\.\n\z/, 'explain: a screen is announced');
answers(['01:00.0'], qr/^  You cannot have it: the host lives on it: \/ on nvme0n1p2\n  Nothing of its class can be had\.\n\z/m, 'explain: why not');
machine('four-function');
{
	local $ENV{COLUMNS} = 40;
	my ($narrow) = vfio_boot('explain', '01:00.0');
	is(join("\n", grep { length > 40 && !/^    vfio-boot / } split /\n/, $narrow), '', 'explain: in 40 columns every line fits, but for the command');
}
my ($denied) = grep { $_->{class} =~ /^01/ && $_->{available} eq 'no' } values %{ { devices_of() } };
answers([ $denied->{address} ], qr/^  You cannot have it: .*\n  (You can have of this class:\n    0000:\S+  \S(?:.*\n {6})*.*|Nothing of its class can be had\.)\n\z/m, 'explain: what instead');
my %explained = %{ JSON::PP->new->decode((vfio_boot('explain', '--json', $denied->{address}))[0])->{devices}[0] };
is($explained{available}, 'no', 'explain --json has it too');
is($explained{available_message}, $denied->{available_message}, 'with the same reason');

# --- what the host lives on, and no protect entry knows

machine('chipset-group');
spew("$root/var/lib/vfio-boot/protect", "protect = 0000:27:00.3\@1022:145f\n");
%device = devices_of();
is($device{'0000:22:00.0'}{available_message}, 'the host lives on 0000:03:00.1 of its group: / on sda1', 'its group is not to be had');
is($device{'0000:03:00.1'}{available_message}, 'the host lives on it: / on sda1', 'nor is itself');
is(join('; ', map { $_->{name} } @{ $device{'0000:03:00.1'}{attached} }), 'sda', 'a disk is shown, and not its partitions');

# --- what the host lives on is unknown

machine('qemu-q35');
spew("$root/proc/mounts", "overlay / overlay rw 0 0\n");
spew("$root/var/lib/vfio-boot/protect", "protect = unknown\n");
%device = devices_of();
is($device{'0000:04:00.0'}{available}, 'no', 'a disk is not offered where it may be that of the host');
like($device{'0000:04:00.0'}{available_message}, qr/what this host lives on is unknown/, 'as is said');

remove_tree($root) if Test::More->builder->is_passing;
done_testing();
