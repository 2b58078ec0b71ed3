#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What one run leaves to the next: time limits, parents that are killed, reports with
# records that are still open. A plain tree binds nothing, so that what is claimed
# there is always given back; tests/qemu/slow.t has a driver that really waits.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;
use Time::HiRes 'time';

my $root = 'build/leftover';
my $pci = "$root/sys/bus/pci";
my ($a, $b) = map { "0000:03:00.$_" } 0, 1;
my @claim = (@as_root, 'build/vfio-boot-claim', '--sysroot', $root);
my $nobody = 4194303; # one less than the highest process number that there can be

sub report { spew("$root/run/vfio-boot/report", join '', map { "$_\n" } 'vfio-boot-report 1', map { tr/|/\t/r } @_) }
sub rows { return slurp("$root/run/vfio-boot/report") }
sub override { return slurp("$pci/devices/$_[0]/driver_override") }

# A process that nobody waits for stays a zombie where there is no init.
sub has_ended { return slurp("/proc/$_[0]/stat") !~ /\) [^ZX]/ }

# Runs a claim; its exit status and how long it took.
sub run {
	my (@options) = @_;
	my $start = time;
	system("@claim @options 2>$root/stderr");
	return ($? >> 8, time - $start);
}

# A module that does not load: the boot goes on, and nothing was begun.
q35($root, "ids = 0000:03:00.*\ntimeout = 2\n");
spew("$root/modprobe.slow", '');
my ($status, $seconds) = run();
is($status, 1, 'a module that takes long: exit status 1');
cmp_ok($seconds, '<', 4, 'after the time limit of two seconds');
like(rows(), qr/^\Q$_\E\t\S+\t7\tfailed\ttimeout\t.*\tprocess \d+ is still running after the time limit, waiting for: modprobe vfio_iommu_type1\t\d+\@0\t-$/m,
	"$_ was not begun, and the report says what was waited for") for $a, $b;
is(override($_), "(null)\n", "nothing was written to $_") for $a, $b;
my ($loader) = rows() =~ /process (\d+)/;
my ($ignored) = slurp("/proc/$loader/status") =~ /^SigIgn:\s*([0-9a-f]+)$/m;
ok(hex(substr $ignored, -4) >> 14 & 1, 'a process that is left behind ignores SIGTERM, which systemd sends at the switch to the root');
process($root, $loader, 77);
($status, $seconds) = run('--second-look');
cmp_ok($seconds, '<', 1, 'while that modprobe runs, the second look does not wait for another one');
like(rows(), qr/^\Q$a\E\t.*\tfailed\ttimeout\t.*\tprocess $loader is still running after the time limit, waiting for: modprobe vfio_iommu_type1\t$loader\@0\t-$/m, 'and names it');
unlink "$root/modprobe.slow";
ok(wait_until(sub { has_ended($loader) }), 'its process comes to an end');
remove_tree("$root/proc/$loader");
is(slurp("$root/modprobe.log"), "vfio_iommu_type1 ()\n", 'the module is loaded in the end, and no other one after the time limit');
run('--second-look');
like(rows(), qr/^\Q$a\E\t\S+\t7\tfailed\tbind\t/m, 'the second look tries it');

# The modules of two variant drivers, of which one takes long.
my $disk = '0000:04:00.0';
sub variants {
	my ($slow) = @_;
	q35($root, "ids = 0000:03:00.* $disk\ndriver = auto\ntimeout = 2\n");
	unlink "$pci/devices/$disk/driver";
	spew("$root/lib/modules/6.12.95+deb13-amd64/modules.alias", join '', map { "alias vfio_pci:$_\n" }
		'v00008086d000010D3sv*sd*bc*sc*i* e1000e_vfio_pci', 'v00001B36d00000010sv*sd*bc*sc*i* nvme_vfio_pci');
	spew("$root/modprobe.slow", "$slow\n");
	run();
	my ($loader) = rows() =~ /\tprocess (\d+).*waiting for: modprobe $slow\t/;
	ok($loader && wait_until(sub { has_ended($loader) }), "the module $slow takes long");
}
variants('e1000e_vfio_pci');
is(slurp("$root/modprobe.log"), "e1000e_vfio_pci ()\n", 'no module is loaded after the time limit');
is(override($_), "(null)\n", "nothing is written to $_") for $a, $b, $disk;
variants('nvme_vfio_pci');
like(rows(), qr/^\Q$disk\E\t\S+\t8\tfailed\ttimeout\t.*\t\d+\@0\t-$/m, 'what waits for it is open');
like(rows(), qr/^\Q$_\E\t\S+\t7\tfailed\tno-driver\t-\t[^\t]+\t[^\t]+$/m, "but $_, whose driver is not there: no process works on it") for $a, $b;

# A run whose time was up has written an override, and its child has ended since.
my $open = "8086:10d3|7|failed|timeout|-|0000:03:00.*|process $nobody is still running after the time limit, waiting for: x|$nobody\@77|-";
my %then = (
	'is claimed again, and given back where that fails' => ["ids = 0000:03:00.*\n", [$a, $b]],
	'is given back where the group is refused now' => ["ids = 0000:03:00.0\n", [$a]],
);
for my $name (sort keys %then) {
	my ($settings, $written) = @{ $then{$name} };
	q35($root, $settings);
	report(map { "$_|$open" } @$written);
	spew("$pci/devices/$_/driver_override", "vfio-pci\n") for @$written;
	run('--second-look');
	like(override($_), qr/^\n/, "what was left of $_ $name") for @$written;
	lacks(rows(), qr/override-left|timeout/, 'and that is the end of it');
}
# While the child lives nobody touches it.
q35($root, "ids = 0000:03:00.*\n");
process($root, $nobody, 77);
report("$a|$open", "$b|$open");
spew("$pci/devices/$_/driver_override", "vfio-pci\n") for $a, $b;
run('--second-look');
is(override($_), "vfio-pci\n", "$_ is left alone while a child is at work on it") for $a, $b;
like(rows(), qr/^\Q$a\E\t.*\tfailed\ttimeout\t.*\tprocess $nobody is still running after the time limit, waiting for: x\t$nobody\@77\t-$/m,
	'and still reported so, with what that waits for');
is(slurp("$root/modprobe.log"), '', 'which was nothing');
# Another process that has its number by now is not that child.
q35($root, "ids = 0000:03:00.*\n");
process($root, $nobody, 78);
report("$a|$open", "$b|$open");
spew("$pci/devices/$_/driver_override", "vfio-pci\n") for $a, $b;
run('--second-look');
lacks(rows(), qr/\ttimeout\t/, 'a process of the same number that began at another time is not waited for');
like(override($_), qr/^\n/, "and what the child had written to $_ is given back") for $a, $b;
# Also where nobody asks for it any more, and for its group mate.
for my $settings ("ids = 0000:03:00.1\n", "ids = 0000:03:00.1 !0000:03:00.0\n", "ids = 0000:04:00.0\n") {
	q35($root, $settings);
	process($root, $nobody, 77);
	report("$a|$open");
	run($_) for '--dry-run', '--second-look', '--settle', '--second-look';
	like(rows(), qr/^\Q$a\E\t.*\tfailed\ttimeout\t.*\tprocess $nobody is still running/m, 'the child at work is not forgotten');
	is(override($_), "(null)\n", "and nothing is written to $_") for $a, $b;
	is(slurp("$pci/drivers_probe") =~ s/^0000:04:00\.0$//r, '', 'or probed in its group');
}
# Somebody else's override is not ours to clear.
q35($root, "ids = 0000:03:00.*\n");
report("$a|8086:10d3|-|pending|no-iommu|-|0000:03:00.*|x");
spew("$pci/devices/$a/driver_override", "vfio-pci\n");
run('--second-look');
like(override($a), qr/^vfio-pci/, 'an override that was there before a pending device is put back');

# --settle does what was left open, and no more.
q35($root, "ids = 0000:03:00.* 0000:04:00.0\n");
unlink "$pci/devices/0000:04:00.0/driver";
report("$a|8086:10d3|7|pending|no-iommu|-|0000:03:00.*|x", "$b|8086:10d3|7|pending|no-iommu|-|0000:03:00.*|x",
	'0000:09:00.0|8086:10d3|12|claimed|-|vfio-pci|8086:10d3|-', '-|-|-|absent|-|-|10de:2204|no such device');
run('--settle');
like(rows(), qr/^\Q$_\E\t\S+\t7\t(?:failed|refused)\t/m, "--settle: what was pending is tried ($_)") for $a, $b;
is(override('0000:04:00.0'), "(null)\n", 'what was not in the report is not');
lacks(rows(), qr/^0000:04:00\.0/m, 'nor is it there now');
like(rows(), qr/^0000:09:00\.0\t8086:10d3\t12\tclaimed\t/m, 'the other records are kept');
like(rows(), qr/^-\t-\t-\tabsent\t-\t-\t10de:2204\t/m, 'all of them');
q35($root, "ids = 0000:03:00.*\n");
run('--settle');
ok(!-e "$root/run/vfio-boot/report", '--settle without a report makes none: the claim has not run, and that shows');
q35($root, "ids = 0000:03:00.*\n");
report('-|-|-|failed|-|-|-|the devices cannot be read');
run('--settle');
like(rows(), qr/^\Q$a\E\t\S+\t7\tfailed\tbind\t/m, 'of a run that could not read the devices all is open');
lacks(rows(), qr/cannot be read/, 'and its failure is over');

# A look that reads nothing takes nothing away from the report.
q35($root, "# nothing\n");
report("$a|8086:10d3|7|claimed|-|vfio-pci|0000:03:00.*|-", "$b|8086:10d3|7|claimed|-|vfio-pci|0000:03:00.*|-");
run('--second-look');
like(rows(), qr/^\Q$_\E\t8086:10d3\t7\tclaimed\t/m, "nothing selected: $_ is still claimed") for $a, $b;
q35($root, "ids = 0000:03:00.0\n");
report("$a|8086:10d3|7|claimed|-|vfio-pci|0000:03:00.*|-", "$b|8086:10d3|7|claimed|-|vfio-pci|0000:03:00.*|-",
	'0000:77:00.0|8086:10d3|9|claimed|-|vfio-pci|0000:77:00.0|-');
run('--second-look');
like(rows(), qr/^\Q$b\E\t8086:10d3\t7\tclaimed\t/m, 'no longer selected: its record is kept');
like(rows(), qr/^0000:77:00\.0\t8086:10d3\t9\tfailed\tvanished\t-\t0000:77:00\.0\tit disappeared after the claim$/m,
	'one that has gone is said to have vanished');
like(slurp("$root/dev/kmsg"), qr/^<3>vfio-boot: 0000:77:00\.0 \[8086:10d3\]: failed, vanished/m, 'in the kernel log too');

# A machine without PCI: absent records do not multiply.
q35($root, "ids = 0000:03:00.* 10de:2204\n");
remove_tree("$pci/devices");
make_path("$pci/devices");
run($_) for '', '--second-look', '--second-look';
is(scalar(() = rows() =~ /^-\t-\t-\tabsent\t/mg), 2, 'two selectors are absent, however often one looks');

# The parent is killed while its child is at work: the next run waits for that child.
q35($root, "ids = 0000:03:00.*\ntimeout = 10\n");
my $pid = fork // die "fork: $!\n";
if (!$pid) {
	open STDERR, '>', "$root/stderr";
	exec @as_root, 'strace', '-f', '-qq', '-o', "$root/trace", '-e', 'trace=write,getpid', '-P', 'drivers_probe', '-P',
		"$pci/drivers_probe", '-e', 'inject=write:delay_enter=1500000', 'build/vfio-boot-claim', '--sysroot', $root;
}
wait_until(sub { override($a) =~ /^vfio-pci/ });
chomp(my $parent = qx(pgrep -P $pid -f '^build/vfio-boot-claim --sysroot $root\$'));
ok($parent && kill('KILL', $parent), 'the parent of a claim is killed');
($status, $seconds) = run();
cmp_ok($seconds, '>=', 1, 'the next run waits until its child has ended');
cmp_ok($seconds, '<', 9, 'and not for ever');
is($status, 1, 'then it has its turn');
waitpid $pid, 0;
remove_tree($root) if Test::More->builder->is_passing;
done_testing();
