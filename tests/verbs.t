#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What vfio-boot shows of the machines of tests/fixtures:
#
#   - the exact text, in tests/verbs/MACHINE.golden; GOLDEN=renew prove tests/verbs.t writes
#     these anew, to be read as a diff before they are kept. What libpci calls things differs
#     from one Debian to the next and stands there as CLASS, NAME and SUBSYSTEM;
#   - list beside lspci -Dnnk of the same tree, and beside its sysfs;
#   - every JSON beside its schema in tests/schema, and beside the text.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Cases;
use JSON::PP ();
use Test::More;
use Tree;

my $renew = ($ENV{GOLDEN} || '') eq 'renew';
# Plain lines in the goldens.
$ENV{LC_ALL} = 'C';
# Names are those of the database of this machine, so lines break elsewhere on others; list.t has the widths.
$ENV{COLUMNS} = 1000;
my $work = 'build/verbs';
my $root = "$work/root";
remove_tree($work);
make_path($work);

# The case whose settings hold, and what is asked beside list.
my %machine = (
	'amd-990fx' => [ 'audio', 'explain --now 0000:00:14.2' ],
	'arm-smmu' => [ 'network', 'plan' ],
	'bmc-server' => [ 'ports', 'explain boot-vga' ],
	'chipset-group' => [ 'nic', 'explain --now class:02' ],
	'dual-socket' => [ 'three-cards', 'plan --now' ],
	'four-function' => [ 'card', 'explain class:0c' ],
	'host-bridge-group' => [ 'card', 'list -v class:06' ],
	'multi-domain' => [ 'same-model', 'explain class:01' ],
	'no-iommu' => [ 'dmar', 'explain 01:00.0' ],
	'noiommu-group' => [ 'card', 'plan' ],
	'nvme-multipath' => [ 'same-model', 'explain --now class:01' ],
	'optimus-laptop' => [ 'displays', 'explain class:03' ],
	'qemu-q35' => [ 'incomplete', 'list 03:00.0', 'list -v 03:00', 'list -o address,group,id,have,notes 03:00 nvme' ],
	'sriov' => [ 'physical', 'explain --now class:02' ],
	'twin-gpus' => [ 'spare', 'explain 10de:2204 04:00.0' ],
	'vmd' => [ 'storage', 'explain class:01', 'list class:01' ],
);

# (standard output, standard error, exit status)
sub vfio_boot {
	my (@words) = @_;
	system("@as_root build/asan/vfio-boot @words --sysroot $root >$work/out 2>$work/err");
	return (slurp("$work/out"), slurp("$work/err"), $? & 127 ? "signal $?" : $? >> 8);
}

my %json; # by verb
sub json_of {
	my ($name, @words) = @_;
	my ($out, $err, $status) = vfio_boot(@words, '--json');
	my $json = eval { JSON::PP->new->utf8->decode($out) };
	ok($json, "$name: @words --json is JSON") or diag $out, $err;
	my ($verb) = @words;
	push @{ $json{$verb} }, $out;
	return ($json || {}, $status);
}

# What lspci reads beside what a fixture has.
sub for_lspci {
	for my $dir (glob "$root/sys/bus/pci/devices/*") {
		my @id = slurp("$dir/modalias") =~ /v0000(....)d0000(....)sv0000(....)sd0000(....)bc(..)sc(..)i(..)/;
		my ($vendor, $device, $subvendor, $subdevice, @class) = map { lc } @id;
		spew("$dir/vendor", "0x$vendor\n");
		spew("$dir/device", "0x$device\n");
		spew("$dir/subsystem_vendor", "0x$subvendor\n");
		spew("$dir/subsystem_device", "0x$subdevice\n");
		spew("$dir/class", '0x' . join('', @class) . "\n");
		spew("$dir/irq", "0\n");
		spew("$dir/resource", "0x0 0x0 0x0\n" x 13) unless -e "$dir/resource";
		# Headers of bridges have no subsystem.
		my $header = $class[0] eq '06' && $class[1] eq '04' ? 1 : 0;
		spew("$dir/config", pack 'vvvvCCCCCCCCx28vvx16', hex $vendor, hex $device, 0, 0, 0, reverse(map { hex } @class),
			0, 0, $header, 0, hex $subvendor, hex $subdevice);
	}
}

# ADDRESS => [CLASS NAME, NAME, CLASS, ID, DRIVER] of lspci.
sub lspci {
	for_lspci();
	my (%device, $at);
	for (qx(lspci -Dnnk -O sysfs.path=$root/sys/bus/pci 2>$work/lspci)) {
		if (/^(\S+) (.*?) \[(....)\]: (.*) \[(....:....)\]/) {
			$device{ $at = $1 } = [ $2, $4, $3, $5, '-' ];
		} elsif (/^\s+Kernel driver in use: (\S+)/) {
			$device{$at}[4] = $1;
		}
	}
	return \%device;
}

sub beside_lspci {
	my ($name, $json) = @_;
	my %ours = map {
		$_->{address} => [ $_->{class_name} =~ s/ \[....\]$//r, $_->{name}, substr($_->{class}, 0, 4), $_->{id}, $_->{driver} // '-' ]
	} @{ $json->{devices} };
	my $theirs = lspci();
	# Of what it does not know lspci says the number once, and only in its own words.
	for my $address (keys %$theirs) {
		for ($theirs->{$address}, $ours{$address}) {
			$_->[1] =~ s/\bDevice [0-9a-f:]+$/Device/;
			$_->[0] = 'class' if $_->[0] =~ /^Class|^Unknown|^Unassigned/;
		}
	}
	is_deeply(\%ours, $theirs, "$name: list agrees with lspci -Dnnk") or diag slurp("$work/lspci");
}

sub beside_sysfs {
	my ($name, $json) = @_;
	my $link = sub { (readlink($_[0]) // '-') =~ s{.*/}{}r };
	my %ours = map {
		$_->{address} => join ' ', $_->{driver} // '-', $_->{group} // '-', $_->{override} // '-', $_->{modalias},
			$_->{physical_function} // '-'
	} @{ $json->{devices} };
	my %sysfs;
	for my $dir (glob "$root/sys/bus/pci/devices/*") {
		my $group = $link->("$dir/iommu_group");
		$group = '-' if slurp("$root/sys/kernel/iommu_groups/$group/name") =~ /noiommu/;
		my $override = slurp("$dir/driver_override") =~ s/\n//r;
		$override = '-' if $override eq '(null)' || $override eq '';
		$sysfs{ $dir =~ s{.*/}{}r } = join ' ', $link->("$dir/driver"), $group, $override,
			slurp("$dir/modalias") =~ s/\n//r, $link->("$dir/physfn");
	}
	# The override of a bridge is not read: it means nothing.
	for my $bridge (grep { $sysfs{$_} =~ /bc06sc0[479]/ } keys %sysfs) {
		s/^(\S+ \S+) \S+/$1 -/ for $sysfs{$bridge}, $ours{$bridge};
	}
	is_deeply(\%ours, \%sysfs, "$name: list agrees with sysfs");
}

# The same devices, groups and verdicts in the text.
sub beside_text {
	my ($name, $json) = @_;
	my ($flat) = vfio_boot('list', '-D', '-o', 'address,group,driver,id');
	my %text = map { /^(\S+) +(\d+)? +(\S+)? +([0-9a-f]{4}:[0-9a-f]{4})$/ ? ($1 => join ' ', $2 // '-', $3 // '-', $4) : () } split /\n/, $flat;
	is_deeply(\%text, { map { $_->{address} => join ' ', $_->{group} // $text{ $_->{address} } =~ s/ .*//r, $_->{driver} // '-', $_->{id} }
		@{ $json->{devices} } }, "$name: list --flat says what its JSON says");
	my ($tree) = vfio_boot('list', '--all', '-D');
	my ($group, %tree) = '-';
	for (split /\n/, $tree) {
		$group = $1 if /^group (\d+)/;
		$group = '-' if /^no IOMMU group/;
		$tree{$1} = $group if /^[|`]- (\S+)  /;
	}
	is_deeply(\%tree, { map { $_ => $text{$_} =~ s/ .*//r } keys %text }, "$name: and so does the tree");
}

# The settings of a case.
sub conf_of {
	my ($name, $case) = @_;
	my ($found) = grep { $_->{name} eq $case } map { @{ parse_cases(slurp($_))->{cases} } } case_files($name);
	return ($found // die "no case $name/$case\n")->{conf};
}

for my $name (sort keys %machine) {
	my ($case, @commands) = @{ $machine{$name} };
	remove_tree($root);
	unpack_fixture($root, $name);
	spew("$root/etc/vfio-boot.conf", conf_of($name, $case));
	my ($json) = json_of($name, 'list');
	beside_sysfs($name, $json);
	beside_text($name, $json);
	my %word;
	for (@{ $json->{devices} }) {
		$word{ $_->{name} } = 'NAME';
		$word{"$_->{class_name}: $_->{name}"} = 'CLASS: NAME';
	}
	my $text = '';
	for my $command ('list --all', @commands, 'protect --print', 'doctor', 'export qemu --force class:02') {
		my ($out, $err, $status) = vfio_boot(split / /, $command);
		$text .= "\$ vfio-boot $command\n$out" . join('', map { "! $_\n" } split /\n/, $err) . "exit $status\n\n";
		json_of($name, split / /, $command) unless $command =~ /^(list -(-all|o)|protect|export)/;
	}
	utf8::decode($text);
	$text =~ s/\Q$_\E/$word{$_}/g for sort { length $b <=> length $a } keys %word;
	$text =~ s/subsystem .* (\[....:....\])/subsystem SUBSYSTEM $1/g;
	my $golden = "tests/verbs/$name.golden";
	spew($golden, $text) if $renew;
	is($text, slurp($golden), "$name: the text is that of $golden");
	beside_lspci($name, $json);
}

# A virtual function that is selected: it is there, and will not be when the next boot claims.
unpack_machine('sriov', "ids = 01:02.0 01:02.2\n");
my ($vfs) = vfio_boot('list', '-o', 'address,notes', '01:02');
like($vfs, qr/^01:02\.0 .*VF of 0000:01:00\.0; next boot: absent \(virtual functions are made later\)$/m, 'a selected VF is absent at the next boot');
like($vfs, qr/^01:02\.1 .*VF of 0000:01:00\.0$/m, 'one that is not selected is no concern of it');
is((map { $_->{verdict} } grep { $_->{address} eq '0000:01:02.0' } @{ (json_of('sriov', 'list'))[0]{devices} })[0], 'absent', 'as JSON too');

# What the machine and the settings say gives no orders to a terminal, is not cut, and is JSON.
unpack_q35();
my $card = "$root/sys/bus/pci/devices/0000:04:00.0";
spew("$card/reset_method", "f\e[2Jr \xff\n");
spew("$card/sriov_totalvfs", "\e[31m8\n");
spew("$root/etc/vfio-boot.conf", "ids =\t" . '04:00.0 ' x 200 . "# \e[2J end\n");
unlink "$card/driver";
make_path("$root/sys/bus/pci/drivers/x\e[2Jy");
symlink "../../../bus/pci/drivers/x\e[2Jy", "$card/driver" or die;
my ($strange) = vfio_boot('list', '-v', '04:00.0');
lacks($strange, qr/\e/, 'list: no control characters');
like($strange, qr/reset by f\?\[2Jr/, 'but all the rest');
like($strange, qr/ x\?\[2Jy /, 'of drivers too');
json_of('q35', 'list', '04:00.0');
my ($explained) = vfio_boot('explain', '04:00.0');
like($explained, qr/^        ids = 04:00\.0 (04:00\.0 ){199}# \?\[2J end$/m, 'explain: the whole line as it was written');
unpack_q35();
spew("$root/proc/swaps", "Filename Type Size Used Priority\n");
my @mounts = map { "/mnt/$_/" . 'long' x 20 } 1 .. 30;
spew("$root/proc/self/mountinfo", join '', map { "2$_ 1 8:1 / $mounts[$_ - 1] rw - ext4 /dev/sda rw\n" } 1 .. 30);
spew("$root/proc/mounts", join '', map { "/dev/sda $_ ext4 rw 0 0\n" } '/', @mounts);
spew("$root/etc/fstab", join '', map { "/dev/sda $_ ext4 defaults 0 1\n" } '/', @mounts);
my ($sata) = @{ (json_of('q35', 'list', '00:1f.2'))[0]{devices} };
is_deeply([ @$sata{'used_by', 'use', 'mounted_on'} ], [ 'sda', 'mounted', $mounts[29] ], 'list --json says who uses it, how and where');
my ($long) = vfio_boot('list', '-o', 'notes', '00:1f.2');
ok(index($long, $mounts[29]) > 0, 'list: what is mounted on it is not cut') or diag $long;

unpack_q35();
spew("$root/sys/kernel/iommu_groups/7/reserved_regions", "0x000000007b800000 0x000000007fffffff direct\n");
my ($direct) = vfio_boot('explain', '03:00.0');
like($direct, qr/^    !!  unusable        the firmware works through its group 7 \(/m, 'explain: what VFIO gives to nobody');
my ($rule) = grep { $_->{rule} eq 'unusable' } @{ (json_of('q35', 'explain', '03:00.0'))[0]{devices}[0]{rules} };
is($rule->{state}, 'against', 'in JSON too');
unlink "$root/sys/kernel/iommu_groups/7/reserved_regions";
my ($usable) = vfio_boot('explain', '03:00.0');
like($usable, qr/^    ok  unusable        VFIO can have it$/m, 'explain: what it can have');

for my $verb (sort keys %json) {
	is(beside_schema($verb, @{ $json{$verb} }), '', "$verb: " . @{ $json{$verb} } . ' JSON texts are as the schema has it');
}
isnt(beside_schema('list', $json{list}[0] =~ s/"format":1/"format":2/r), '', 'the schema refuses another format');

# --- what is not there, and who does not listen --------------------------------

sub said {
	my ($words, $status, $pattern, $name) = @_;
	my ($out, $err, $got) = vfio_boot(@$words);
	is($got, $status, "$name: exit status $status");
	like($err, $pattern, "$name: with a word");
}

for my $verb ('list', 'explain 01:00.0', 'plan', 'add 02:00.0') {
	remove_tree($root);
	make_path("$root/etc");
	spew("$root/etc/vfio-boot.conf", "ids = 01:00.0\n");
	said([ split / /, $verb ], 3, qr{^vfio-boot: /sys/bus/pci/devices: }m, "$verb without /sys");
	make_path("$root/sys/bus/pci/devices");
	said([ split / /, $verb ], 1, qr/no PCI device|no such device|^vfio-boot: planned/m, "$verb without PCI");
}
unpack_q35();
said([ 'explain', '03:00.7' ], 1, qr/03:00\.7: no such device; nearest: 0000:03:00\.0/, 'explain what is not there');
said([ 'list', '10de:2204' ], 1, qr/10de:2204: no such device/, 'list what is not there');
said([ 'explain', 'xyz' ], 2, qr/xyz: neither a bus index.*; vfio-boot list xyz looks for it$/m, 'explain no selector');
said([ 'explain', '3:0.x' ], 2, qr/^(?!.*looks for it)/s, 'a selector with an error is no name');
said([ 'list', '!03:00.0' ], 2, qr/an exclusion selects nothing/, 'list an exclusion');
spew("$root/etc/vfio-boot.conf", "ids = 03:00.0 xyz\n");
said([ split / / ], 2, qr{^vfio-boot: /etc/vfio-boot\.conf:1:15: xyz: }m, "$_ with settings that have an error") for 'list', 'explain 03:00.0';
unpack_q35();
said([ 'list', '--whole' ], 2, qr/list: --whole: not an option of this verb/, 'an option of another verb');
said([ 'list', '-xv' ], 2, qr/list: -x: not an option of this verb/, 'a letter among others');
said([ 'list', '-vk' ], 2, qr/list: -k: not an option|-k: it requires an argument/, 'a letter of another verb');
said([ 'list', '--kernel', '6.1' ], 2, qr/list: --kernel: not an option of this verb/, 'an option of another verb with its argument');
said([ 'list', '--frob' ], 2, qr/list: --frob: not an option of this verb/, 'a word that is no option');
said([ 'list', '--json=x' ], 2, qr/list: --json=x: not an option of this verb/, 'an argument too much');
said([ 'explain' ], 2, qr/DEVICE\.\.\.: is missing/, 'a word too few');
said([ 'plan', 'x' ], 2, qr/plan: x: unexpected argument/, 'a word too many');
said([ 'plan', '--now', '--next-boot' ], 2, qr/not allowed with --next-boot/, 'two that do not go together');
said([ 'frobnicate' ], 2, qr/frobnicate: no such verb/, 'no such verb');
like(qx(build/vfio-boot plan --sysroot $root -k 2>&1), qr/plan: -k: it requires an argument/, 'an option without its argument');
for my $verb ('list', 'list --json', 'explain class:02 class:06', 'plan', '--help', 'list --help', '--version', 'collect') {
	my ($out, $err, $status) = ('', '', '');
	my $normal = system("@as_root build/vfio-boot $verb --sysroot $root >/dev/null 2>$work/err") >> 8;
	is($normal, $verb eq 'plan' ? 1 : 0, "$verb: exit status");
	system("@as_root build/vfio-boot $verb --sysroot $root >/dev/full 2>$work/err");
	is($? >> 8, 3, "$verb on a full disk: exit status 3");
	like(slurp("$work/err"), qr/standard output'?: No space left on device$|no space left$/m, "$verb on a full disk: with a word");
	system("@as_root build/vfio-boot $verb --sysroot $root >&- 2>$work/err");
	is($? >> 8, 3, "$verb without standard output: exit status 3");
	like(slurp("$work/err"), qr/standard output'?: Bad file descriptor$|standard output: error$/m, "$verb without standard output: with a word");
	system("sh -c '(@as_root build/vfio-boot $verb --sysroot $root 2>$work/err; echo \$? >$work/status) | exec true'");
	like(slurp("$work/status"), qr/^(?:$normal|3)$/, "$verb whose reader goes away ends as it should");
}

# Colours are for a terminal; lines for a locale that has them.
my ($plain) = vfio_boot('list');
lacks($plain, qr/\e|[^\x00-\x7f]/, 'no colours and no lines without a terminal and a locale');
like(qx(script -qec 'env TERM=xterm LC_ALL=C.UTF-8 @as_root build/vfio-boot list --sysroot $root' /dev/null </dev/null), qr/\e\[1m.*\xe2\x94\x94/s,
	'both on a terminal');
lacks(qx(script -qec 'env NO_COLOR=1 TERM=xterm @as_root build/vfio-boot list --sysroot $root' /dev/null </dev/null), qr/\e/, 'none with NO_COLOR');

sub unpack_machine {
	my ($name, $settings) = @_;
	remove_tree($root);
	unpack_fixture($root, $name);
	spew("$root/etc/vfio-boot.conf", $settings);
}

sub unpack_q35 { unpack_machine('qemu-q35', "ids = 03:00.0\n") }

remove_tree($work) if Test::More->builder->is_passing;
done_testing();
