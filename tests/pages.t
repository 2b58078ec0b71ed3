#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The pages of doc/ for those who run virtual machines. Each block of commands is run as it stands there, or says that it
# is not; what stands below one as its output is what it prints. A card is claimed in a tree that answers (Answer.pm).
# `vfio-boot` reads and changes that tree, virsh is libvirt's driver for QEMU without a daemon, and QEMU has no device of
# the tree: it may complain of that alone. What a page writes to /etc is written elsewhere.

use strict;
use warnings;
use Cwd qw(getcwd);
use File::Copy;
use File::Path qw(make_path);
use YAML::XS ();
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Answer;
use Tree;

# Who is not root is the root of a namespace then; but libvirt's guest is one of a plain user.
$ENV{VFIO_BOOT_PLAIN} ||= $>;
in_memory('build/pages');
my $dir = getcwd() . '/build/pages';

my @pages = qw(qemu libvirt proxmox incus kubevirt);
my $not_run = qr/^\*\(not run in our tests: needs [^()]+\)\*$/;

# The fenced blocks of a page: their line, what they are, whether a line above says that they are not run, and their text.
sub blocks_of {
	my ($text) = @_;
	my (@blocks, $open, $above);
	my $number = 0;
	for (split /^/m, $text) {
		$number++;
		if ($open && /^```\s*$/) {
			push @blocks, $open;
			($open, $above) = (undef, undef);
		} elsif ($open) {
			$open->{text} .= $_;
		} elsif (/^```\s*(.*?)\s*$/) {
			$open = { line => $number, kind => "$1", not_run => scalar(($above // '') =~ $not_run), text => '' };
		} elsif (/\S/) {
			$above = $_;
		}
	}
	push @blocks, { line => $number, kind => 'one that does not end', text => '' } if $open;
	return @blocks;
}

# What is wrong with the blocks: a kind that nobody runs or compares, an output of nothing, a reason for nothing.
sub faults_of {
	my ($text) = @_;
	my (@faults, $before);
	my @blocks = blocks_of($text);
	for my $block (@blocks) {
		push @faults, "$block->{line}: a block of the kind '$block->{kind}'" if $block->{kind} !~ /^(?:sh|output|yaml)$/;
		push @faults, "$block->{line}: an output of what is not run"
			if $block->{kind} eq 'output' && (!$before || $before->{kind} ne 'sh' || $before->{not_run});
		push @faults, "$block->{line}: only commands can be left out" if $block->{not_run} && $block->{kind} ne 'sh';
		$before = $block;
	}
	my $reasons = () = $text =~ /^\*\(not run/mg;
	push @faults, 'a reason that stands above no block' if $reasons != grep { $_->{not_run} } @blocks;
	return join '; ', @faults;
}

# The verbs, formats and options of vfio-boot that the code in a text has and the program has not.
my $help = qx(build/vfio-boot --help);
my %verb = map { $_ => scalar qx(build/vfio-boot $_ --help) } $help =~ /^  ([a-z]+) /mg;
sub unknown_in {
	my ($text) = @_;
	my @unknown;
	my $code = join "\n", $text =~ /`([^`\n]+)`/g, map { $_->{text} } blocks_of($text);
	while ($code =~ /\bvfio-boot ([a-z]+)\b([^\n|;>)]*)/g) {
		my ($verb, $words) = ($1, $2);
		push @unknown, $verb and next if !$verb{$verb};
		push @unknown, map { "$verb $_" } grep { $verb{$verb} !~ /(?<!\S)\Q$_\E\b/ } $words =~ /(?<!\S)(--?[a-z][a-z-]*)/g;
		push @unknown, "export $1" if $verb eq 'export' && $words =~ /^ ([a-z-]+)/ && $verb{export} !~ /^ +\Q$1\E /m;
	}
	return join ' ', @unknown;
}

# --- this test finds what it looks for

my $why = "*(not run in our tests: needs a cluster)*\n\n";
is(faults_of("```sh\ntrue\n```\n\n```output\n```\n$why```sh\nkubectl\n```\n```yaml\na: 1\n```\n"), '', 'blocks as they should be');
is(faults_of("```\ntrue\n```\n"), "1: a block of the kind ''", 'one that nobody runs');
is(faults_of("```sh not-run\nfalse\n```\n"), "1: a block of the kind 'sh not-run'", 'one that says so in another way');
is(faults_of("$why```sh\nkubectl\n```\n```output\n```\n"), '6: an output of what is not run', 'an output without a run');
is(faults_of("${why}And so on.\n\n```sh\ntrue\n```\n"), 'a reason that stands above no block', 'a reason without a block');
is(faults_of("```sh\ntrue\n"), "2: a block of the kind 'one that does not end'", 'one that does not end');
is(unknown_in('`vfio-boot status --json`, `vfio-boot frobnicate`, `vfio-boot claim --sideways 0b:00`, `vfio-boot export docker`'),
	'frobnicate claim --sideways export docker', 'what vfio-boot does not know');

# --- a host on which a boot has claimed a card

my ($top, $root) = (getcwd(), "$dir/root");
my @card = qw(0000:0b:00.0 0000:0b:00.1);
unpack_fixture($root, 'twin-gpus');
make_path(map { "$root/$_" } qw(dev etc run sbin));
copy('build/klibc/modprobe', "$root/sbin/modprobe") or die "no modprobe: $!\n";
chmod 0755, "$root/sbin/modprobe";
spew("$root/$_", '') for qw(dev/kmsg sys/bus/pci/drivers_probe);

# What the commands find in front of all others.
my @as_user = $ENV{VFIO_BOOT_PLAIN} ? qw(unshare --map-user=1000 --map-group=1000) : as_anybody();
my %real = map { $_ => qx(command -v $_;) =~ s/\n//r } qw(qemu-system-x86_64 virsh);
make_path("$dir/embedded");
chown 65534, 65534, "$dir/embedded" if @as_user && !$ENV{VFIO_BOOT_PLAIN};
sub program {
	my ($name, $text) = @_;
	spew("$dir/bin/$name", $text);
	chmod 0755, "$dir/bin/$name";
}
program('vfio-boot', <<"END");
#!$^X
use lib '$FindBin::Bin';
use Answer;
chdir '$top';
answers_in('$root');
exit(run_answered('', { '$card[0]' => 'nvidia', '$card[1]' => 'snd_hda_intel' }, 'build/vfio-boot', \@ARGV) >> 8) if "\@ARGV" =~ /^(?:claim|release) /;
exec qw(@as_root build/vfio-boot), \@ARGV, '--sysroot', '$root';
END
program('virsh', <<"END");
#!/bin/sh
PATH=$ENV{PATH} HOME=$dir/embedded exec @as_user $real{virsh} -q -c 'qemu:///embed?root=$dir/embedded' "\$@"
END
program('qemu-system-x86_64', <<"END");
#!/bin/sh
said=\$(timeout 60 $real{'qemu-system-x86_64'} "\$@" 2>&1)
printf '%s\\n' "\$said" >&2
[ "\$(printf '%s\\n' "\$said" | sed -E '/vfio \\S+: (no such host device|no iommu_group found|failed to open)/s/.*/absent/')" = absent ]
END
# What is there for root alone is not found: a page that forgets to say so shall not reboot this machine.
$ENV{PATH} = "$dir/bin:/usr/bin:/bin";

# No driver has had the card before, as at a boot.
answers_in($root);
set_driver($_, '') for @card;
is(system('vfio-boot claim 0b:00 >/dev/null'), 0, 'the card is claimed');
is(state_of(@card), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'and is with vfio-pci');
system('cp', '-a', $root, "$dir/claimed") == 0 or die "no copy\n";

# --- the pages

my %before = map { $_ => 1 } map { split } slurp('conf/vfio-boot.service') =~ /^Before=(.*)$/mg;
for my $page (@pages) {
	my $text = slurp("doc/$page.md");
	is(faults_of($text), '', "$page: each block is run, or says why not");
	is(unknown_in($text), '', "$page: vfio-boot has all verbs and options");
	my %later = map { $_ => 1 } $text =~ /`([\w-]+\.service)`/g;
	is(join(' ', sort grep { !$before{$_} } keys %later), '', "$page: and its service comes before the others");
	cmp_ok(scalar(() = $text =~ /\n/g), '<=', 120, "$page: it is a page");

	my $here = "$dir/$page";
	make_path(map { "$here/etc/$_" } 'udev/rules.d', 'security/limits.d');
	chmod 0755, $here;
	if ($page eq 'qemu') {
		spew("$here/guest.img", '');
		truncate "$here/guest.img", 1 << 20;
	}
	if ($page eq 'libvirt') {
		spew("$here/guest.xml", "<domain type='qemu'><name>guest</name><memory>1048576</memory>"
			. "<os><type arch='x86_64' machine='q35'>hvm</type></os></domain>\n");
		is(system("virsh define $here/guest.xml >/dev/null"), 0, 'libvirt: there is a guest');
	}
	system("rm -r $root && cp -a $dir/claimed $root") == 0 or die "no copy\n";
	my ($out, $ran) = ('', 0);
	for my $block (blocks_of($text)) {
		next if $block->{not_run};
		if ($block->{kind} eq 'sh') {
			spew("$here/block", $block->{text} =~ s{>/etc/}{>etc/}gr);
			$out = qx(cd $here && sh -eu ./block 2>errors </dev/null);
			is($?, 0, "$page.md:$block->{line}: the commands succeed") or diag($block->{text}, $out, slurp("$here/errors"));
			$ran++;
		} elsif ($block->{kind} eq 'output') {
			is($out, $block->{text}, "$page.md:$block->{line}: and print what is said");
		} else {
			ok(eval { YAML::XS::Load($block->{text}) }, "$page.md:$block->{line}: it is YAML") or diag($@);
		}
	}
	cmp_ok($ran, '>=', 2, "$page: commands were run");
	is(state_of(@card), 'nvidia/ snd_hda_intel/', "$page: in the end the host has its card again");
	if ($page eq 'qemu') {
		like(slurp("$here/etc/udev/rules.d/70-vfio.rules"), qr/^SUBSYSTEM=="vfio", .*$card[0]/m, 'qemu: the rules are written');
	}
	if ($page eq 'kubevirt') {
		my $permitted = YAML::XS::Load(slurp("$here/permitted.yaml"))->{spec}{configuration}{permittedHostDevices}{pciHostDevices};
		is(join(' ', $text =~ /deviceName: (\S+)/g), join(' ', map { $_->{resourceName} } @$permitted),
			'kubevirt: the virtual machine asks for what was permitted');
	}
}

done_testing();
