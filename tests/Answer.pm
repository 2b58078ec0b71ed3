# SPDX-License-Identifier: GPL-2.0-or-later
#
# A tree that answers: a process beside it binds what is probed to the driver that the
# override names, and takes it off when told to. It is no kernel, and shows no more
# than what is done in which order, and undone.

package Answer;

use strict;
use warnings;
use Cwd 'abs_path';
use Exporter 'import';
use File::Basename 'dirname';
use File::Path qw(make_path remove_tree);
use Time::HiRes 'sleep';
use Tree;

our @EXPORT = qw(answers_in override driver state_of set_driver show_overrides join_group run_answered);

# The drivers that do not let go of what they hold.
our @holding;

my ($root, $pci);
my @drivers = qw(vfio-pci e1000e igbvf intel_host shpchp nvme);

# Which tree it is about from now on.
sub answers_in { $root = shift; $pci = "$root/sys/bus/pci" }

sub override {
	my ($text) = slurp("$pci/devices/$_[0]/driver_override") =~ /\A(\n|none|vfio-pci|pci-stub|\(null\))/;
	return !defined $text || $text eq "\n" || $text eq '(null)' ? '' : $text;
}
sub driver { return (readlink "$pci/devices/$_[0]/driver" // '') =~ s{.*/}{}r }
sub state_of { return join ' ', map { driver($_) . '/' . override($_) } @_ }

sub set_driver {
	my ($dev, $driver) = @_;
	unlink "$pci/devices/$dev/driver";
	symlink "../../../../bus/pci/drivers/$driver", "$pci/devices/$dev/driver" if $driver ne '';
}

# Shows the overrides as the kernel does: what was written last, and no more.
sub show_overrides {
	for my $file (glob "$pci/devices/*/driver_override") {
		my $now = override($file =~ s{.*/devices/|/driver_override}{}gr) || '(null)';
		spew($file, "$now\n") if slurp($file) ne "$now\n";
	}
}

# Makes a device a host bridge in a group.
sub join_group {
	my ($group, $dev) = @_;
	my $dir = readlink("$pci/devices/$dev") =~ s{^\.\./\.\./\.\./}{$root/sys/}r;
	spew("$dir/modalias", "pci:v00008086d000029C0sv00001AF4sd00001100bc06sc00i00\n");
	spew("$dir/driver_override", "(null)\n");
	unlink "$dir/driver", "$dir/iommu_group";
	symlink "/sys/kernel/iommu_groups/$group", "$dir/iommu_group";
	unlink glob "$root/sys/kernel/iommu_groups/*/devices/$dev";
	symlink "/sys/bus/pci/devices/$dev", "$root/sys/kernel/iommu_groups/$group/devices/$dev";
}

# Notes in the file `answered` what was asked for.
sub note {
	open my $out, '>>', "$pci/answered" or die "$!\n";
	print $out "@_\n";
	close $out;
}

# Makes the virtual functions that a PF is told to have, or takes them away. Each is in a group of its own, and without
# sriov_drivers_autoprobe no driver of the host has it.
sub answer_vfs {
	my ($file) = @_;
	my $dir = $file =~ s{/[^/]*\z}{}r;
	my ($pf) = $dir =~ m{([^/]*)\z};
	my $wanted = slurp($file) =~ /^(\d+)/ ? $1 : return;
	my @there = glob "$dir/virtfn*";
	return if @there == $wanted;
	note('vfs', $wanted, 'autoprobe', slurp("$dir/sriov_drivers_autoprobe") =~ /^(\d)/);
	for my $i (0 .. (@there > $wanted ? @there : $wanted) - 1) {
		my $vf = sprintf '0000:03:10.%d', $i;
		my $where = dirname(readlink "$pci/devices/$pf") . "/$vf";
		my $path = "$root/sys/" . $where =~ s{^(?:\.\./)+}{}r;
		if ($i >= $wanted) {
			remove_tree($path);
			unlink "$pci/devices/$vf", "$dir/virtfn$i";
			remove_tree("$root/sys/kernel/iommu_groups/" . (100 + $i));
			next;
		}
		spew("$path/modalias", "pci:v00008086d000010CAsv00008086sd0000A03Cbc02sc00i00\n");
		spew("$path/driver_override", "(null)\n");
		symlink "../$pf", "$path/physfn";
		make_path("$root/sys/kernel/iommu_groups/" . (100 + $i) . '/devices');
		symlink '/sys/kernel/iommu_groups/' . (100 + $i), "$path/iommu_group";
		symlink "/sys/bus/pci/devices/$vf", "$root/sys/kernel/iommu_groups/" . (100 + $i) . "/devices/$vf";
		symlink $where, "$pci/devices/$vf";
		symlink "../$vf", "$dir/virtfn$i";
	}
}

# The tree's answer, until it is killed. vfio-pci does not take $refuses; %own are the drivers that the devices have
# without an override.
sub answer {
	my ($refuses, %own) = @_;
	my $pid = fork // die "fork: $!\n";
	return $pid if $pid;
	for (;;) {
		my $dev = slurp("$pci/drivers_probe");
		if ($dev =~ /^0000:\S+/) {
			spew("$pci/drivers_probe", '');
			note('probe', $dev);
			my $driver = override($dev) || $own{$dev} || '';
			set_driver($dev, $driver) if driver($dev) eq '' && $driver ne 'none' && !($driver eq 'vfio-pci' && $dev eq $refuses);
		}
		answer_vfs($_) for glob "$pci/devices/*/sriov_numvfs";
		for my $file (glob "$pci/drivers/*/unbind") {
			my $gone = slurp($file);
			next if $gone !~ /^0000:/;
			spew($file, '');
			note('unbind', $gone);
			next if grep { $file =~ m{/\Q$_\E/unbind$} } @holding;
			set_driver($gone, '');
		}
		sleep 0.001;
	}
}

# Runs a command that writes to the tree, of whose output nothing is touched; its wait status. The writes that the tree
# answers to take as long as its answer.
sub run_answered {
	my ($refuses, $own, @command) = @_;
	spew("$pci/drivers/$_/unbind", '') for @drivers;
	my $pid = answer($refuses, %$own);
	my @slow = map { ('-P', abs_path($_)) } "$pci/drivers_probe", (map { "$pci/drivers/$_/unbind" } @drivers),
		glob "$pci/devices/*/sriov_numvfs";
	my $status = system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=write', @slow, '-e',
		'inject=write:delay_exit=200000', @command, '--sysroot', $root);
	kill 'KILL', $pid;
	waitpid $pid, 0;
	show_overrides();
	return $status;
}

1;
