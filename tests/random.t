#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Random machines and settings once more, as trees that both real programs read:
# they print the same, with the same exit status, and it is what the property test
# (tests/unit/property.c) says of the same pair, which has no tree to read.
# `perl tests/random.t SEED` tries one pair and leaves its tree in build/random.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $work = 'build/random';
my @seeds = @ARGV ? @ARGV : 1 .. 500;

sub in_tree { spew("$work/$_[0]", $_[1]) }

sub link_to {
	my ($target, $path) = @_;
	make_path("$work/$path" =~ s{/[^/]*\z}{}r);
	symlink $target, "$work/$path" or die "$work/$path: $!\n";
}

# What `unit-property.t SEED` prints: { machine => [lines], settings => ... }.
sub pair {
	my ($seed) = @_;
	my (%pair, $part);
	for (qx(build/host/unit-property.t $seed)) {
		if (/^# ([a-z ]+):$/) { $part = $pair{$1} = [] }
		elsif (/^#\t(.*)/ && $part) { push @$part, $1 if $1 ne '' }
	}
	return \%pair;
}

# A pair can be told in a tree if it is of a phase that both programs print plans of; if the functions below one that
# is no bridge are in a domain of their own, as VMD has them (others are found only where they are looked at); and if
# a disk in use is below one function and bridges. Variant drivers come with driver=auto, which no pair has.
sub has_tree {
	my ($machine) = @_;
	return 0 if $machine->[0] !~ /^(?:now|next)$/ || grep({ / use=/ } @$machine) > 1 || grep({ /^nothing | for=/ } @$machine);
	my (%bridges_only, %class);
	for (@$machine) {
		my ($address, $class, $parent) = /^(\S+:\S+) \S+ (\S{4})(?:.* <(\S+))?/ or next;
		$class{$address} = $class;
		my $below_bridge = !$parent || $class{$parent} =~ /^060[0479]/;
		$bridges_only{$address} = $below_bridge && (!$parent || $bridges_only{$parent});
		return 0 if !$below_bridge && $address !~ /^10000:/ || / use=/ && !$bridges_only{$address};
	}
	return 1;
}

sub make_tree {
	my ($pair) = @_;
	my (%path, %builtin);
	remove_tree($work);
	make_path("$work/sys/bus/pci/devices", "$work/sys/class/block", "$work/sys/class/net");
	in_tree('etc/vfio-boot.conf', join '', map { "$_\n" } @{ $pair->{settings} });
	in_tree('proc/cmdline', join('', @{ $pair->{'command line'} }) . "\n");
	in_tree('var/lib/vfio-boot/protect', "# nothing\n");
	for (@{ $pair->{machine} }) {
		my @word = split / /;
		if ($word[0] eq 'kernel') {
			in_tree('proc/sys/kernel/osrelease', "$word[1].0-test\n");
		} elsif ($word[0] eq 'firmware') {
			in_tree("sys/firmware/acpi/tables/$word[1]", '');
		} elsif ($word[0] eq 'stranger') {
			link_to("../../../../devices/platform/$word[2]", "sys/kernel/iommu_groups/$word[1]/devices/$word[2]");
		} elsif ($word[0] eq 'noiommu') {
			make_path("$work/sys/kernel/iommu_groups/$word[1]/devices");
			in_tree("sys/kernel/iommu_groups/$word[1]/name", "vfio-noiommu\n");
		} elsif ($word[0] eq 'direct') {
			make_path("$work/sys/kernel/iommu_groups/$word[1]/devices");
			in_tree("sys/kernel/iommu_groups/$word[1]/reserved_regions",
				"0x000000007b800000 0x000000007fffffff direct\n0x00000000fee00000 0x00000000feefffff msi\n");
		} elsif ($word[0] eq 'denylist-off') {
			in_tree('etc/modprobe.d/vfio.conf', "options vfio-pci disable_denylist=1\n");
		}
		next if $word[0] !~ /:/;
		my ($address, $ids, $class, @more) = @word;
		my @id = (map({ uc } split /:/, $ids), '0000', '0000');
		my ($parent) = map { /^<(.*)/ ? $1 : () } @more;
		my $dir = $path{$address} = ($parent ? $path{$parent} : 'pci0000:00') . "/$address";
		my $up = '../' x ($dir =~ tr{/}{} + 2);
		$class = uc "${class}00";
		in_tree("sys/devices/$dir/modalias", sprintf "pci:v0000%sd0000%ssv0000%ssd0000%sbc%ssc%si%s\n",
			@id[ 0 .. 3 ], unpack '(A2)3', $class);
		link_to("../../../devices/$dir", "sys/bus/pci/devices/$address");
		my $override = '(null)';
		for (@more) {
			if (/^g(\d+)/) {
				link_to("${up}kernel/iommu_groups/$1", "sys/devices/$dir/iommu_group");
				link_to("../../../../devices/$dir", "sys/kernel/iommu_groups/$1/devices/$address");
			} elsif (/^drv=(.*)/) {
				link_to("${up}bus/pci/drivers/$1", "sys/devices/$dir/driver");
				$builtin{$1} = 1;
			} elsif (/^over=(.*)/) {
				$override = $1;
			} elsif (/^use=(.*)/) {
				link_to("../../devices/$dir/block/$1", "sys/class/block/$1");
				in_tree('proc/mounts', "/dev/$1 /mnt ext4 rw 0 0\n");
			} elsif ($_ eq 'vfs') {
				in_tree("sys/devices/$dir/sriov_numvfs", "2\n");
			} elsif ($_ eq 'vga') {
				in_tree("sys/devices/$dir/boot_vga", "1\n");
			}
		}
		in_tree("sys/devices/$dir/driver_override", "$override\n");
	}
	my ($kernel) = map { /^kernel (.*)/ ? $1 : () } @{ $pair->{machine} };
	in_tree("lib/modules/$kernel.0-test/modules.builtin", join '', map { "kernel/$_.ko\n" } sort keys %builtin);
}

sub printed {
	my @command = @_;
	my $text = qx(@command --sysroot $work 2>$work/stderr);
	my $status = $? & 127 ? "signal $?" : $? >> 8;
	# Where the settings come from has another name there.
	$text =~ s{/etc/vfio-boot\.conf\b}{conf}g;
	$text =~ s{kernel command line, byte}{command line, byte}g;
	return "$text-- exit $status\n";
}

die "build/host/unit-property.t is not there\n" if !-x 'build/host/unit-property.t';
my ($tried, $claims) = (0, 0);
my %wrong;
for my $seed (@seeds) {
	my $pair = pair($seed);
	next if !has_tree($pair->{machine});
	$tried++;
	make_tree($pair);
	my $now = $pair->{machine}[0] eq 'now';
	my $host = printed('build/vfio-boot', 'plan', $now ? '--now' : ());
	my $claim = printed('build/vfio-boot-claim', '--dry-run', $now ? () : '--next-boot');
	my $model = join '', map { s/^\d //r . "\n" } @{ $pair->{lines} };
	$claims += () = $host =~ /: claim for /g;
	$wrong{'both programs print the same, and exit with the same status'} //= "seed $seed\n$host$claim" if $host ne $claim;
	$wrong{'which is what the model says'} //= "seed $seed\n$model$host" if $host !~ /\A\Q$model\E-- exit [0-2]\n\z/;
}
for ('both programs print the same, and exit with the same status', 'which is what the model says') {
	ok(!$wrong{$_}, $_) or diag($wrong{$_});
}
my $enough = @ARGV ? 1 : 100;
cmp_ok($tried, '>=', $enough, "enough pairs have a tree ($tried)");
cmp_ok($claims, '>=', @ARGV ? 0 : 50, "enough is claimed ($claims)");
remove_tree($work) if !@ARGV && !%wrong;
done_testing();
