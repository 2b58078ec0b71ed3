#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot claim and vfio-boot release in a tree that answers (Answer.pm): what is
# done, what is said, and what the report of the boot has of it afterwards.
# tests/qemu/install.t has a kernel that does it.

use strict;
use warnings;
use Cwd qw(abs_path getcwd);
use Fcntl ':flock';
use FindBin;
use lib $FindBin::Bin;
use File::Path qw(make_path remove_tree);
use POSIX qw(mkfifo WNOHANG);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep time);
use Answer;
use Tree;

in_memory('build/now');
my $root = 'build/now/tree';
my $pci = "$root/sys/bus/pci";
my ($a, $b, $twin, $host) = ('0000:03:00.0', '0000:03:00.1', '0000:04:00.0', '0000:00:00.0');
my %own = ($a => 'e1000e', $b => 'e1000e');
my $nobody = 4194303;
my ($out, $err, $status);

# The card with its driver, and a boot that has said this of other devices.
my @boot = map { tr/|/\t/r } '0000:02:01.0|8086:100e|6|refused|group-incomplete|-|0000:02:01.0|x is not selected (add it)',
	'0000:0a:00.0|8086:10d3|14|claimed|-|vfio-pci|8086:10d3|-', "$twin|1b36:0010|8|failed|timeout|-|8086:10d3|process $nobody is still running after the time limit|$nobody\@77|-",
	'-|-|-|absent|-|-|10de:2204|no such device', '-|-|-|failed|-|-|-|the devices cannot be read';
sub report { spew("$root/run/vfio-boot/report", join '', map { "$_\n" } 'vfio-boot-report 1', map { tr/|/\t/r } @_) }
sub rows { return slurp("$root/run/vfio-boot/report") }
sub row { return join ' ', grep { /^\Q$_[0]\E\t/ } split /\n/, rows() }
sub tree {
	my ($settings, %o) = @_;
	q35($root, $settings // "# nothing\ntimeout = 20\n");
	set_driver($_, $o{driver} // 'e1000e') for $a, $b;
	spew("$pci/drivers/$_/unbind", '') for 'vfio-pci', 'e1000e';
	spew("$pci/devices/$twin/driver_override", "vfio-pci\n");
	report(@boot);
}
my $said_before = join '', map { "$_\n" } 'vfio-boot-report 1', @boot;
sub boot_is_kept {
	my ($what) = @_;
	my $rows = join '', map { "$_\n" } grep { !/^\Q$a\E|^\Q$b\E/ } split /\n/, rows();
	is($rows, $said_before, "$what: what the boot said of others is there to the letter");
	is(override($twin), 'vfio-pci', 'and what it left open elsewhere is not touched');
}

my @shell = ('sh', '-c', "exec \"\$0\" \"\$@\" >$root.out 2>$root.err");
sub heard {
	$status = $_[0] & 127 ? "signal $_[0]" : $_[0] >> 8;
	$out = slurp("$root.out");
	$err = slurp("$root.err");
}
# In the tree that answers, and in one that does not; @before is run in front.
sub answered { heard(run_answered('', \%own, @shell, 'build/vfio-boot', @_)) }
sub plain { heard(system(@as_root, @shell, 'build/vfio-boot', @_, '--sysroot', $root)) }
sub injected { my ($inject, @words) = @_; heard(system(@as_root, 'strace', '-f', '-qq', '-o', '/dev/null', @$inject, @shell, 'build/vfio-boot', @words, '--sysroot', $root)) }
sub settle { system(@as_root, 'build/vfio-boot-claim', @_, '--sysroot', $root) }
sub status { my $text = qx(@as_root build/vfio-boot status --sysroot $root 2>&1); return $text . 'exit ' . ($? >> 8) }
sub nothing_written {
	is(slurp("$pci/drivers_probe") . slurp("$pci/drivers/e1000e/unbind") . slurp("$pci/drivers/vfio-pci/unbind") . slurp("$root/modprobe.log"), '', "$_[0]: nothing is written or loaded");
	is(rows(), $said_before, 'and the report is as it was') if !$_[1];
}
my $both = sub { join '', map { "$_ [8086:10d3] group 7: $_[0]\n" } $a, $b };

answers_in($root);

# Claim.
tree();
answered('claim', '03:00');
is("$out$err-- $status", $both->('claimed for vfio-pci') . '-- 0', 'claim: a card is claimed, and that is said');
is(state_of($a, $b), 'vfio-pci/vfio-pci vfio-pci/vfio-pci', 'its driver is taken off');
is(row($_), "$_\t8086:10d3\t7\tclaimed\t-\tvfio-pci\t03:00\t-", "the report has it ($_)") for $a, $b;
boot_is_kept('claim');
answered('claim', '03:00');
is("$out$err-- $status", $both->('already bound to vfio-pci') . '-- 0', 'once more: already');
is(row($_), "$_\t8086:10d3\t7\tclaimed\t-\tvfio-pci\t03:00\t-", 'and the report has what was done') for $a, $b;
tree(undef, driver => 'vfio-pci');
answered('claim', '03:00');
like(row($a), qr/\talready\t-\tvfio-pci\t/, 'what was there already, and not in the report, is so from then on');

tree();
report('-|-|-|absent|-|-|10de:2204|no such device');
answered('claim', '03:00');
like(rows(), qr/\A.*\n\Q$a\E.*\n\Q$b\E.*\n-.*absent.*\n\z/, 'a report has the devices first');

tree();
plain('claim', '03:00.0');
like("$out$err", qr/\A\Q$a\E \S+ group 7: refused, group-incomplete: \Q$b\E \S+ is not selected \(add it, or set group=whole\)\n\z/, 'a part of a group is refused');
is($status, 1, 'exit status 1');
nothing_written('refused');
answered('claim', '--whole', '03:00.0');
is("$out$err-- $status", $both->('claimed for vfio-pci') . '-- 0', '--whole takes the rest along');
tree(undef, driver => 'vfio-pci');
report("$a|8086:10d3|7|claimed|-|vfio-pci|03:00|-", "$b|8086:10d3|7|claimed|-|vfio-pci|03:00|-");
my $before = rows();
plain('claim', '03:00.0');
is($status, 1, 'a part of a group that the boot claimed');
is(rows(), $before, 'is no reason to say anything else of the boot');

tree();
answered('claim', '03:00', '10de:2204', '03:00.7', '10de:2205?');
like($out, qr/^03:00\.7: absent: no such device; nearest: \Q$a\E \[8086:10d3\]\n10de:2204: absent: no such device\n10de:2205: absent: no such device \(optional\)$/m, 'what is absent is said, with the nearest');
is($status, 1, 'and is exit status 1');
is(state_of($a), 'vfio-pci/vfio-pci', 'the others are claimed');
boot_is_kept('absent');
answered('claim', '03:00', '10de:2205?');
is($status, 0, 'an optional one is no fault');

# A boot whose time was up had written to a bridge of the group, too.
for my $verb ('claim', 'release') {
	tree();
	join_group(7, $host);
	spew("$pci/devices/$host/driver_override", $verb eq 'claim' ? "none\n" : "(null)\n");
	spew("$pci/devices/$_/driver_override", "vfio-pci\n") for $a, $b;
	set_driver($_, $verb eq 'claim' ? '' : 'vfio-pci') for $a, $b;
	my $open = '7|failed|timeout|-|-|process ' . "$nobody is still running after the time limit|$nobody\@77|-";
	report("$a|8086:10d3|$open", "$b|8086:10d3|$open", "$host|8086:29c0|$open");
	answered($verb, '03:00');
	is($status, 0, "$verb ends what the boot left open");
	is(row($host), $verb eq 'claim' ? '' : join("\t", $host, '8086:29c0', 7, 'given-back', '-', '-', '-', 'given back at run time (vfio-boot release)'),
		'and the report says no more that a process is at work on the bridge');
}

# What protects holds; what the boot is to do does not.
tree();
spew("$root/var/lib/vfio-boot/protect", "protect = $b\n");
plain('claim', '03:00');
like($out, qr/^\Q$b\E .* refused, protected: the host lives on it: protect = \Q$b\E \(.*protect:1:11\)$/m, 'a protected device is refused');
nothing_written('protected');
tree("ids = 0000:02:01.0 !$b\n");
plain('claim', '03:00');
like($out, qr/^\Q$b\E .* excluded: by !\Q$b\E/m, 'an excluded one stays so');
nothing_written('excluded');
for my $off (["ids = off\n", ''], ["# nothing\n", 'vfio.ids=off'], ["ids = 0000:02:01.0\n", 'vfio.ids=+0000:04:00.0']) {
	tree($off->[0]);
	spew("$root/proc/cmdline", "quiet $off->[1]\n");
	answered('claim', '03:00');
	is("$out$err-- $status", $both->('claimed for vfio-pci') . '-- 0', "'$off->[0]$off->[1]' is about the boot" =~ s/\n//r);
}
tree();
spew("$root/proc/cmdline", "quiet single\n");
plain('claim', '03:00');
like("$out$err-- $status", qr/\Avfio-boot: nothing is claimed: .*\n-- 1\z/, 'in a rescue boot nothing is claimed by hand either');
nothing_written('a rescue boot');
tree("unbind = no\n");
plain('claim', '03:00');
like($out, qr/refused, unbind-not-allowed/, 'the other settings hold');
nothing_written('unbind=no');
tree("unbind = maybe\n");
plain('claim', '03:00.0');
like($err, qr/^vfio-boot: .*conf:1:10: maybe: not a valid value/m, 'and what is wrong with them is said');
is($status, 2, 'which is exit status 2');

# Words that are none.
for my $verb ('claim', 'release') {
	for my $word ('!03:00.0', 'nonsense', 'off', '+03:00') {
		tree();
		plain($verb, '03:00', $word);
		like("$out$err-- $status", qr/\Avfio-boot: \Q$word\E: .*\n-- 2\z/, "$verb $word: exit status 2");
		nothing_written($word);
	}
}

# As JSON.
tree();
answered('claim', '--json', '03:00', '10de:2204');
my $json = eval { JSON::PP->new->utf8->decode($out) } || {};
is(join(' ', sort keys %$json), 'absent devices errors format warnings', 'claim --json has the shape of a plan');
is(join(', ', map { "$_->{address} $_->{verdict} $_->{message}" } @{ $json->{devices} }), join(', ', map { "$_ claimed claimed for vfio-pci" } $a, $b), 'and says claimed');
is($json->{absent}[0]{selector}, '10de:2204', 'with what is absent');
is($status, 1, 'and the exit status of the text');

# What does not come whole is given back.
tree();
heard(run_answered($b, \%own, @shell, 'build/vfio-boot', 'claim', '03:00'));
is($status, 1, 'one that does not bind: exit status 1');
is(state_of($a, $b), 'e1000e/ e1000e/', 'both are back with their driver');
like($out, qr/^\Q$b\E .* failed, bind: vfio-pci did not bind to it$/m, 'and it is said which one');
like(row($b), qr/\tfailed\tbind\t/, 'in the report, too');
boot_is_kept('given back');

# Release.
my $given_back = "-\tgiven back at run time (vfio-boot release)";
tree("ids = 03:00\ntimeout = 20\n", driver => 'vfio-pci');
spew("$pci/devices/$_/driver_override", "vfio-pci\n") for $a, $b;
report("$a|8086:10d3|7|claimed|-|vfio-pci|03:00|-", "$b|8086:10d3|7|claimed|-|vfio-pci|03:00|-", @boot);
answered('release', '03:00.1');
is("$out$err-- $status", $both->('released, now bound to e1000e') . '-- 0', 'release: the whole group is given back');
is(state_of($a, $b), 'e1000e/ e1000e/', 'to its driver, without an override');
is(slurp("$root/modprobe.log"), "-b pci:v00008086d000010D3sv00008086sd0000A01Fbc02sc00i00 ()\n" x 2, 'which was loaded, blacklists honoured');
is(row($_), "$_\t8086:10d3\t7\tgiven-back\t-\t-\t03:00\t" . substr($given_back, 2), 'the report says so of ' . $_) for $a, $b;
boot_is_kept('release');
report(grep { /^0000:03/ } split /\n/, rows());
is(status(), $both->('given-back: given back at run time (vfio-boot release); now bound to e1000e') . 'exit 0', 'which is no failure of the boot');
settle('--settle');
is(state_of($a, $b), 'e1000e/ e1000e/', 'nor does --settle take it again');
like(row($_), qr/\tgiven-back\t-\t/, 'or say anything else') for $a, $b;
spew("$pci/devices/$_/driver_override", "(null)\n") for $a, $b;
answered('claim', '03:00');
is(row($_), "$_\t8086:10d3\t7\tclaimed\t-\tvfio-pci\t03:00\t-", 'a later claim claims it again') for $a, $b;
is(status(), $both->('claimed for vfio-pci') . 'exit 0', 'and status is content');

# Nothing to release; and one that is not there.
tree();
plain('release', '03:00', '10de:2204');
is("$out$err-- $status", $both->('is bound to e1000e, nothing to release') . "10de:2204: absent: no such device\n-- 1", 'what the host has is left with it');
nothing_written('nothing to release');
plain('release', '03:00');
is($status, 0, 'that alone is exit status 0');
plain('release', "$a\@10de:2204");
like("$out-- $status", qr/\A\Q$a\E .* refused, guard-mismatch: .*found 8086:10d3 there.*\n-- 1\z/, 'a guard that fails releases nothing');
nothing_written('a guard that fails');

# group=whole is about what is claimed.
tree("group = whole\n", driver => 'vfio-pci');
set_driver($b, 'e1000e');
answered('release', $a);
is("$out$err-- $status", "$a [8086:10d3] group 7: released, now bound to e1000e\n-- 0", 'of a member that the host has, and nobody asked for, nothing is said');

# Overrides: those of a claim go, one of somebody else stays.
tree();
join_group(7, $host);
spew("$pci/devices/$host/driver_override", "none\n");
spew("$pci/devices/$a/driver_override", "vfio-pci\n");
set_driver($a, '');
spew("$pci/devices/$b/driver_override", "pci-stub\n");
set_driver($b, '');
answered('release', '03:00.0');
is(state_of($a, $b, $host), 'e1000e/ pci-stub/pci-stub /', 'a device without a driver that is overridden is released, its host bridge too');
like($out, qr/^\Q$host\E .*: released, now without a driver$/m, 'which is said of the bridge');
lacks($out, qr/^\Q$b\E/m, 'and nothing of what was not ours');
is($status, 0, 'no driver is no fault');

# In use.
sub busy { # NAME LINK
	my ($name, $link) = @_;
	tree("# nothing\n", driver => 'vfio-pci');
	spew("$root/proc/1234/comm", "$name\n");
	make_path("$root/proc/1234/fd");
	symlink '/dev/null', "$root/proc/1234/fd/0";
	symlink $link, "$root/proc/1234/fd/17";
	my %dev = (vfio3 => $b, vfio5 => $twin);
	for (sort keys %dev) {
		my $dir = readlink("$pci/devices/$dev{$_}") =~ s{^\.\./\.\./\.\./}{}r;
		make_path("$root/sys/class/vfio-dev", "$root/sys/$dir/vfio-dev/$_");
		symlink "../../$dir/vfio-dev/$_", "$root/sys/class/vfio-dev/$_";
		symlink '../..', "$root/sys/$dir/vfio-dev/$_/device";
	}
}
# libvirt gives QEMU a /dev of its own; the kernel shows others the path in that.
for my $node ('/dev/vfio/7', '/dev/vfio/noiommu-7', '/dev/vfio/devices/vfio3', '/vfio/7', '/vfio/devices/vfio3') {
	busy("qemu\033[2Jx", $node);
	plain('release', '03:00.0');
	is("$out$err-- $status", $both->('refused, in-use: its group is open, by qemu?[2Jx (process 1234) (end it first)') . '-- 1', "$node is open: refused, and by whom");
	nothing_written($node);
}
for my $node ('/dev/vfio/77', '/dev/vfio/devices/vfio5', '/dev/vfio/devices/vfio6', '/dev/vfio/vfio', '/vfio/vfio', '/elsewhere/7', '/elsewhere/vfio/7') {
	busy('qemu', $node);
	answered('release', '03:00.0');
	is("$out$err-- $status", $both->('released, now bound to e1000e') . '-- 0', "$node is somebody else's");
}
tree("# nothing\n", driver => 'vfio-pci');
spew("$root/dev/vfio/7", '');
injected([ '-e', 'trace=openat', '-P', 'dev/vfio/7', '-e', 'inject=openat:error=EBUSY' ], 'release', '--json', '03:00.0');
$json = eval { JSON::PP->new->utf8->decode($out) } || {};
is(join(', ', map { "$_->{address} $_->{verdict} $_->{reason} $_->{message} $_->{now}" } @{ $json->{devices} }),
	join(', ', map { "$_ refused in-use its group is open, by a process that cannot be seen from here (end it first) vfio-pci" } $a, $b),
	'a group that answers EBUSY is refused, whoever that is, with --json too');
is($status, 1, 'exit status 1');
nothing_written('EBUSY');
spew("$pci/devices/$_/driver_override", "vfio-pci\n") for $a, $b;
injected([ '-e', 'trace=openat', '-P', 'dev/vfio/7', '-e', 'inject=openat:error=EBUSY:when=2' ], 'release', '03:00.0');
like($out, qr/refused, in-use: .*has just opened it/, 'and one that somebody opens at the last moment');
is(join(' ', slurp("$pci/drivers/vfio-pci/unbind"), slurp("$pci/drivers_probe"), map { override($_) } $a, $b), '  vfio-pci vfio-pci', 'of which nothing is written');

# VFs of a PF that vfio-pci holds would go with it.
tree("# nothing\n", driver => 'vfio-pci');
spew("$pci/devices/$a/sriov_numvfs", "1\n");
symlink "../$twin", "$pci/devices/$a/virtfn0";
make_path("$root/proc/1234/fd");
spew("$root/proc/1234/comm", "qemu\n");
symlink '/dev/vfio/8', "$root/proc/1234/fd/4";
plain('release', '03:00');
is("$out$err-- $status", $both->("refused, in-use: its VF $twin is open, by qemu (process 1234) (end it first)") . '-- 1', 'a PF with a VF that is open is refused');
nothing_written('a VF that is open');
remove_tree("$root/proc/1234");
answered('release', '03:00');
like("$out-- $status", qr/\A\Q$a\E .*: released, now bound to e1000e; its VFs were removed with its vfio driver\n\Q$b\E .*: released, now bound to e1000e\n-- 0\z/,
	'where nobody has one open it is released, and they are said to be gone');

# What goes wrong.
tree("# nothing\n", driver => 'vfio-pci');
report("$a|8086:10d3|7|claimed|-|vfio-pci|03:00|-", @boot);
$before = rows();
plain('release', '03:00');
is("$out$err-- $status", $both->('failed, bind: it is still bound to vfio-pci') . '-- 1', 'what does not let go is said');
is(rows(), $before, 'and what the report has of it is still so');
tree("# nothing\n", driver => '');
spew("$pci/devices/$_/driver_override", "vfio-pci\n") for $a, $b;
injected([ '-e', 'trace=write', '-P', 'drivers_probe', '-P', "@{[ getcwd() ]}/$pci/drivers_probe", '-e', 'inject=write:error=EINVAL' ], 'release', '03:00');
like("$out-- $status", qr/\A\Q$a\E .*: failed, bind: it is without a driver, and could not be probed: invalid\n.*-- 1\z/s, 'as is what cannot be probed');
tree("# nothing\n", driver => 'vfio-pci');
spew("$pci/devices/$a/driver_override", "vfio-pci\n");
injected([ '-e', 'trace=write', '-P', abs_path("$pci/devices/$a/driver_override"), '-e', 'inject=write:error=EBUSY' ], 'release', '03:00');
is(slurp("$pci/drivers/vfio-pci/unbind"), '', 'where an override cannot be cleared nothing is unbound');
like($out, qr/^\Q$a\E .*still bound to vfio-pci: busy$/m, 'and it is said why');

# What an earlier run began has its override still, whoever knows of it.
for my $row ('given-back|timeout|-', 'failed|timeout|-') {
	tree("ids = 03:00\ntimeout = 20\n", driver => 'vfio-pci');
	spew("$pci/devices/$_/driver_override", "vfio-pci\n") for $a, $b;
	report(map { "$_|8086:10d3|7|$row|03:00|process $nobody is still running after the time limit|$nobody\@77|-" } $a, $b);
	answered('release', '03:00');
	is("$out$err-- $status", $both->('released, now bound to e1000e') . '-- 0', "$row: what did not come to its end is released by the next try");
	is(state_of($a, $b), 'e1000e/ e1000e/', 'without an override');
}

# Time up.
tree("ids = 03:00\ntimeout = 2\n", driver => 'vfio-pci');
report("$a|8086:10d3|7|claimed|-|vfio-pci|03:00|-", "$b|8086:10d3|7|claimed|-|vfio-pci|03:00|-");
spew("$root/modprobe.slow", '');
my $start = time;
plain('release', '03:00');
cmp_ok(time - $start, '<', 4, 'a module that takes for ever: the time limit holds');
my $still = 'process \d+ is still running after the time limit, waiting for: modprobe -b pci:v00008086d000010D3\S+';
like("$out-- $status", qr/\A\Q$a\E .*: failed, timeout: $still\n\Q$b\E .*: failed, timeout: $still\n-- 1\z/, 'and what was waited for is said');
like(row($a), qr/\tgiven-back\ttimeout\t-\t03:00\t$still\t\d+\@0\t-\z/, 'the report knows who is at work');
my ($child) = row($a) =~ /process (\d+)/;
process($root, $child, 77);
plain('release', '03:00');
like("$out-- $status", qr/\A\Q$a\E .*: failed, timeout: process \d+ is still running after the time limit\n.*-- 1\z/s, 'whom nobody disturbs');
plain('claim', '03:00');
like("$out-- $status", qr/\A\Q$a\E .*: failed, timeout: process \d+ is still running after the time limit\n.*-- 1\z/s, 'nor does a claim');
like(row($a), qr/\tgiven-back\ttimeout\t-\t03:00\t$still\t\d+\@0\t-\z/, 'and the report remembers');
ok(wait_until(sub { slurp("$root/modprobe.log") ne '' }), 'it comes to its end');
remove_tree("$root/proc/$child");
is(slurp("$root/modprobe.log") =~ tr/\n//, 1, 'one child has been at work, and no other');
unlink "$root/modprobe.slow", "$root/modprobe.log";
$before = rows();
spew("$root/etc/vfio-boot.conf", "ids = 03:00\n");
set_driver($_, 'e1000e') for $a, $b;
settle('--settle');
is(rows() . slurp("$root/modprobe.log"), $before, '--settle does not take again what was to be given back');

# A release that is late takes the place of a boot that was.
tree("ids = 03:00\ntimeout = 2\n", driver => 'vfio-pci');
report(map { "$_|8086:10d3|7|failed|timeout|-|03:00|process $nobody is still running after the time limit|$nobody\@77|-" } $a, $b);
spew("$root/modprobe.slow", '');
plain('release', '03:00');
like(row($_), qr/\tgiven-back\ttimeout\t-\t03:00\tprocess (?!$nobody)\d+ is still running.*modprobe/, "the report knows who is at work on what the boot left open ($_)") for $a, $b;

# Nothing done is no report; a report that cannot be read is not thrown away.
for my $verb ('claim', 'release') {
	tree("ids = 03:00\n");
	unlink "$root/run/vfio-boot/report";
	plain($verb, $verb eq 'claim' ? '03:00.0' : '03:00');
	ok(!-e "$root/run/vfio-boot/report", "$verb: where nothing is done no report is begun");
	like(status(), qr/no report of this boot.*exit 1\z/s, 'and status says that the claim has not run');
	tree();
	report(@boot);
	set_driver($_, 'vfio-pci') for $verb eq 'release' ? ($a, $b) : ();
	injected([ '-e', 'trace=read', '-P', 'run/vfio-boot/report', '-P', abs_path("$root/run/vfio-boot/report"), '-e', 'inject=read:error=EIO' ], $verb, '03:00');
	is(rows(), $said_before, "$verb: a report that cannot be read is left as it is");
	like($err, qr{^vfio-boot: /run/vfio-boot/report: }m, 'and that is said');
	is($status, 3, 'exit status 3');
	spew("$root/run/vfio-boot/report", "vfio-boot-report 2\n$a\tx\n");
	plain($verb, '03:00');
	is(rows(), "vfio-boot-report 2\n$a\tx\n", "$verb: so is one of another version");
	is($status, 3, 'exit status 3');
}

# Keys of a terminal: neither a group nor what is to be said of it is left half way.
for my $key ("\003", "\034") {
	tree("# nothing\ntimeout = 3\n");
	report(@boot);
	spew("$root/modprobe.slow", '');
	# Two modules: modprobe gets the key, too, and ends with the first one.
	remove_tree("$root/sys/bus/pci/drivers/vfio-pci");
	open my $terminal, '|-', "timeout 20 @as_root script -qec 'exec build/vfio-boot claim 03:00 --sysroot $root' /dev/null >$root.out 2>&1" or die "$!\n";
	$terminal->autoflush;
	ok(wait_until(sub { -e "$root/run/vfio-boot/lock" }), 'it has its turn');
	sleep 0.5;
	print $terminal $key;
	sleep 3;
	close $terminal;
	is($? >> 8, 1, sprintf('key %03o: the exit status is that of the claim', ord $key));
	like(slurp("$root.out"), qr/[\r\n]\Q$a\E .*: failed, /, 'which is said, on a line of its own');
	like(row($a), qr/\tfailed\t/, 'and in the report');
}
for my $signal ('INT', 'QUIT', 'TSTP', 'HUP', 'TERM') {
	tree("# nothing\ntimeout = 2\n");
	spew("$root/modprobe.slow", '');
	my $pid = fork // die "fork: $!\n";
	if (!$pid) {
		setpgrp;
		exec @as_root, @shell, 'build/vfio-boot', 'claim', '03:00', '--sysroot', $root or die "$!\n";
	}
	ok(wait_until(sub { slurp("/proc/$pid/status") =~ /^SigIgn:\t.{12}[4-7c-f]/m }), 'SIGTERM, the last of them, is ignored');
	kill "-$signal", $pid;
	if (!wait_until(sub { waitpid($pid, WNOHANG) == $pid })) {
		kill '-KILL', $pid;
		waitpid $pid, 0;
	}
	heard($?);
	# modprobe, which gets it too, does not ignore it: where that runs already, the claim has no time limit to wait for.
	like("$out-- $status", qr/\A\Q$a\E .*: failed, .*-- 1\z/s, "SIG$signal does not end it half way, or stop it");
}

# The child of a release that was late has come to its end since.
tree();
report(map { "$_|8086:10d3|7|given-back|timeout|-|03:00|process $nobody is still running after the time limit|$nobody\@77|-" } $a, $b);
plain('release', '03:00.0');
is("$out$err-- $status", "$a [8086:10d3] group 7: is bound to e1000e, nothing to release\n-- 0", 'what a late release has done in the end is done');
is(row($_), "$_\t8086:10d3\t7\tgiven-back\t-\t-\t03:00\t" . substr($given_back, 2), "and the report names no process any more ($_)") for $a, $b;

plain('release', '--json', '03:00.0');
is((eval { JSON::PP->new->utf8->decode($out)->{devices}[0]{reason} } // 'none') . $@, 'none', 'nor is there a reason, as for a claim, in JSON');

# A child that dies leaves nobody without a driver.
tree("# nothing\ntimeout = 10\n", driver => 'vfio-pci');
unlink "$pci/drivers/vfio-pci/unbind";
mkfifo("$pci/drivers/vfio-pci/unbind", 0600) or die "$!\n";
my $run = fork // die "fork: $!\n";
if (!$run) {
	exec @as_root, @shell, 'build/vfio-boot', 'release', '03:00', '--sysroot', $root or die "$!\n";
}
wait_until(sub { slurp("$root/modprobe.log") =~ tr/\n// == 2 });
sleep 0.5;
my ($hand) = map { slurp($_) =~ /\A(\d+) \(.*\) \S $run /s ? $1 : () } glob '/proc/[0-9]*/stat';
set_driver($a, '');
unlink "$pci/drivers/vfio-pci/unbind";
spew("$pci/drivers/vfio-pci/unbind", '');
kill 'KILL', $hand // die "no child\n";
waitpid $run, 0;
heard($?);
is(slurp("$pci/drivers/vfio-pci/unbind"), $b, 'another one takes vfio-pci off what still has it');
is(slurp("$pci/drivers_probe"), $a, 'and probes what has no driver any more');
like($out, qr/^\Q$a\E .*: released, now without a driver\n\Q$b\E .*: failed, bind: it is still bound to vfio-pci$/m, 'and what is said is what is so');

# Two runs at once, a terminal, and who is not root.
for my $verb ('claim', 'release') {
	tree("# nothing\ntimeout = 1\n");
	spew("$root/run/vfio-boot/lock", '');
	open my $lock, '+<', "$root/run/vfio-boot/lock" or die "$!\n";
	flock $lock, LOCK_EX;
	plain($verb, '03:00');
	is("$out$err-- $status", "vfio-boot: $verb: another run is active; nothing was changed (try again)\n-- 3", "$verb waits its turn, and not for ever");
	nothing_written('not its turn');
	close $lock;

	# Without the capabilities of root, but as the owner of the tree.
	tree();
	heard(system('unshare', '--user', @shell, 'build/vfio-boot', $verb, '03:00', '--sysroot', $root));
	is("$out$err-- $status", "vfio-boot: $verb: only root may give a device to another driver (use sudo)\n-- 3", "$verb is for root alone");
	nothing_written('not root');
	ok(!-e "$root/run/vfio-boot/lock", 'not even a lock');

	tree("# nothing\ntimeout = 3\n", driver => $verb eq 'claim' ? 'e1000e' : 'vfio-pci');
	spew("$root/modprobe.slow", '');
	my $said = qx(@as_root script -qec 'build/vfio-boot $verb 03:00 --sysroot $root' /dev/null </dev/null 2>&1);
	like($said, qr/\rvfio-boot: waiting for: modprobe \S+/, "$verb on a terminal says what it waits for");
}
tree("# nothing\ntimeout = 10\n");
spew("$root/modprobe.slow", '');
heard(system(@as_root, 'timeout', '-s', 'INT', '--preserve-status', '2', @shell, 'build/vfio-boot', 'claim', '03:00', '--sysroot', $root));
is($status, 1, 'a key does not end it half way');
like(row($a), qr/\tfailed\t/, 'and the report has its end');
done_testing();
