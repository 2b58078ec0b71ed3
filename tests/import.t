#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot import: each place where devices were given to vfio-pci before, each trap
# of their syntax, and that the new settings select what the old lines claimed. How
# lines and files are put together is compared with a real modprobe.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use JSON::PP ();
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/import';
my @printed; # every selector that was ever printed
my $plain;   # the tree has that one file of modprobe_d()

sub machine {
	my ($fixture, %file) = @_;
	$plain = 0;
	remove_tree($root);
	unpack_fixture($root, $fixture);
	spew("$root/$_", $file{$_}) for keys %file;
}

my @json; # and every JSON
my $complaints = '';
sub import_run {
	my (@words) = @_;
	(my $out, $complaints) = told($root, 'import', @words);
	push @json, $out =~ s/-- exit.*\n\z//r if grep { $_ eq '--json' } @words;
	push @printed, $out =~ /^ids = (\S+)/mg;
	return $out;
}

# What a machine with one file in /etc/modprobe.d gives.
sub modprobe_d {
	machine('twin-gpus') if !$plain;
	$plain = 1;
	spew("$root/etc/modprobe.d/vfio.conf", $_[0]);
	return import_run();
}

# What the next boot does with each device, and the complaints; the settings are these.
sub next_boot {
	my ($settings) = @_;
	spew("$root/etc/vfio-boot.conf", $settings);
	return qx(@as_root build/vfio-boot plan --sysroot $root 2>&1);
}

my $at = '/etc/modprobe.d/vfio.conf';
my $delete = "# Delete these, or they still apply beside vfio-boot (then update-initramfs -u):\n";
my $look = "# Look at these, they may be for the same devices:\n";

# --- nothing

machine('twin-gpus');
is(import_run(), "-- exit 0\n", 'nothing found');
is($complaints, "vfio-boot: nothing found that gives devices to vfio-pci\n", 'and that is said');
is_deeply(JSON::PP->new->decode(import_run('--json') =~ s/-- exit 0\n\z//r),
	{ format => 1, settings => [], delete => [], look => [], warnings => [] }, 'with --json too');

# --- options

is(modprobe_d("# my card\noptions vfio-pci ids=10de:2204,10de:1aef\n"), <<"END", 'options vfio-pci ids=');
ids = 10de:2204 # $at:2
ids = 10de:1aef # $at:2
$delete#   $at:2: options vfio-pci ids=10de:2204,10de:1aef
-- exit 0
END
is($complaints, '', 'and nothing to say');
my %one = (
	'options vfio_pci ids=10de:2204' => 'with an underscore',
	"options\tvfio-pci \t ids=10de:2204" => 'with tabs',
	'options vfio-pci ids="10de:2204"' => 'with quotes',
	'options vfio-pci "ids=10de:2204"' => 'with quotes around it all',
	"options vfio-pci \\\n ids=10de:22\\\n04" => 'continuation lines',
	'options vfio-pci ids=10de:2\\204' => 'a backslash within a line goes away',
	'options vfio-pci ids=,10de:2204,,' => 'empty entries',
	'options vfio-pci ids=0x10DE:0X2204' => '0x and capital letters',
	'options vfio-pci ids=10de:2204:ffffffff:ffffffff' => 'ffffffff',
	'options vfio-pci ids=10de:2204:ffffffff:ffffffff:0:0' => 'no class at all',
	'options vfio-pci ids=00010de:0002204' => 'more digits than needed',
	"options vfio-pci ids=10de:2204 # and ids of mine" => 'a comment that is none',
	'options vfio-pci ids=10de:2204 -- ids=1:2' => 'what follows -- is no parameter',
	"options vfio-pci ids=10de:2204\r" => 'the line end of another system',
	'options vfio-pci ids=10de:2204,10de:2204' => 'twice the same',
);
for (sort keys %one) {
	my $out = modprobe_d("$_\n");
	is(join(' ', $out =~ /^ids = (\S+) /mg), '10de:2204', $one{$_});
	like($out, qr/^\Q$delete\E#   $at:1: options.*\n-- exit 0\n\z/m, "$one{$_}: and the line to delete");
}
like(modprobe_d("\n\noptions vfio-pci \\\n ids=10de:2204\n# x\noptions vfio-pci ids=1002:73bf\n"),
	qr/^ids = 1002:73bf # $at:6$/m, 'lines are counted as they stand in the file');
lacks(modprobe_d("  # options vfio-pci ids=10de:2204\n"), qr/ids =/, 'a comment behind blanks');
lacks(modprobe_d("#\\\noptions vfio-pci ids=10de:2204\n"), qr/ids =/, 'a comment goes on behind a backslash too');
lacks(modprobe_d("options vfio ids=10de:2204\noptions snd ids=1\noptions vfio-pci disable_vga=1\n"), qr/ids|disable/,
	'parameters of others, and others of vfio-pci');
like(modprobe_d("options vfio-pci ids=10de:2204 disable_vga=1\n"),
	qr/\A\Qids = 10de:2204 # $at:1\E\n# \Q$at:1: remove ids= from that line; its other parameters still apply\E\n\Q$look\E#   $at:1: options.*disable_vga=1\n-- exit 0\n\z/,
	'ids= beside another parameter: not to be deleted as a whole');
like(modprobe_d("options vfio-pci ids=10de:2204"), qr/^ids = 10de:2204/m, 'the last line without its end');
modprobe_d("options vfio-pci ids=10de:2204 \\");
is($complaints, '', 'a backslash at the end of the file');

# --- the IDs: what the kernel reads, and what is said of it
my @ids = (
	'8086:10d3:1458' => '8086:10d3:1458:*', undef,
	'8086:10d3:1458:ffffffff' => '8086:10d3:1458:*', undef,
	'8086:10d3:ffffffff:4043' => '8086:10d3:*:4043', undef,
	'8086:10d3:8086:a01f' => '8086:10d3:8086:a01f', undef,
	'8086:ffffffff' => '8086:*', undef,
	'1:2' => '0001:0002', undef,
	'8086:10d3:8086:1f:20000:ffff00' => '8086:10d3:8086:001f:020000:ffff00', undef,
	'8086:ffffffff:ffffffff:ffffffff:20000:ff0000' => '8086:*:*:*:020000:ff0000', undef,
	'8086:ffffffff:ffffffff:ffffffff:20000:ffffffff' => '8086:*:*:*:020000:ffffff', undef,
	'8086:10d3:8086:a01f:020000' => '8086:10d3:8086:a01f', qr/CLASS without MASK is left out/,
	'8086:10d3:ffffffff:ffffffff:020000:0' => '8086:10d3', qr/CLASS without MASK is left out/,
	'8086:10d3 (my card)' => '8086:10d3', qr/what follows the numbers is left out/,
	'8086:10d3:8086:a01f:0:0:7' => '8086:10d3:8086:a01f', qr/what follows the numbers is left out/,
	'ffffffff:ffffffff:ffffffff:ffffffff:030000:ff0000' => 'class:03', undef,
	'ffffffff:ffffffff:ffffffff:ffffffff:030200:ffff00' => 'class:0302', undef,
	'18086:10d3' => undef, qr/18086:10d3 cannot be a setting: no device has such an ID/,
	'8086:10d3:8086:a01f:1000000:ff000000' => undef, qr/no device has such a class/,
	'ffffffff:10d3' => undef, qr/any vendor, which no selector can express/,
	'ffffffff:10d3:ffffffff:ffffffff:030000:ff0000' => undef, qr/any vendor/,
	'ffffffff:ffffffff:ffffffff:ffffffff:030000:ffffff' => undef, qr/any vendor/,
	'8086' => undef, qr/8086 cannot be a setting: not an ID to the kernel/,
	'8086:*' => undef, qr/not an ID to the kernel/,
	'0000:03:00.0' => '0000:0003:0000:*', qr/what follows the numbers is left out/,
	'-1:2' => undef, qr/not an ID to the kernel/,
	'0x:2' => undef, qr/not an ID to the kernel/,
);
while (my ($id, $selector, $remark) = splice @ids, 0, 3) {
	my $out = modprobe_d("options vfio-pci ids=\"$id\"\n");
	is(join(' ', $out =~ /^ids = (\S+) #/mg), $selector // '', "$id: " . ($selector // 'no setting'));
	like($out, defined $selector ? qr/^-- exit 0$/m : qr/^-- exit 1$/m, "$id: and the exit status");
	if ($remark) {
		like($complaints, $remark, "$id: with a word");
		like($out, qr/^# \Q$at\E:1: .*$remark/m, "$id: and as a comment");
	} else {
		is($complaints, '', "$id: without a word");
	}
}
like(modprobe_d("options vfio-pci ids=8086,10de:2204\n"), qr/^ids = 10de:2204 .*\Q$look\E#   $at:1: options .*-- exit 1$/ms,
	'the rest is good all the same, and the line is to be looked at');

# --- of several ids= the last counts, as in the kernel
my $two = modprobe_d("options vfio-pci ids=10de:2204,10de:1aef\noptions vfio-pci ids=10de:2204,1002:73bf\n");
is(join(' ', $two =~ /^ids = (\S+ # .*)$/mg), "10de:2204 # $at:2 1002:73bf # $at:2", 'the last line counts');
like($complaints, qr/\Avfio-boot: $at:1: 10de:1aef has no effect and is left out: $at:2 has the last ids=, which counts\n\z/, 'what it replaces is said');
is(scalar(() = $two =~ /^#   $at:[12]: options/mg), 2, 'and both lines are to be deleted');
machine('twin-gpus', 'etc/modprobe.d/vfio.conf' => "options vfio-pci ids=10de:2204\n", 'proc/cmdline' => "quiet vfio_pci.ids=10de:1aef vfio-boot.ids=1:2 -- vfio-pci.ids=3:4\n");
my $cmdline = import_run();
like($cmdline, qr/\A\Qids = 10de:1aef # kernel command line\E\n/, 'the kernel command line comes last');
like($cmdline, qr/^#   kernel command line: vfio_pci\.ids=10de:1aef$/m, 'and is to be changed');
lacks($cmdline, qr/0001:0002|0003:0004/, 'what is ours, and what belongs to init, is left alone');
my $json = JSON::PP->new->decode(import_run('--json') =~ s/-- exit 0\n\z//r);
is_deeply($json->{settings}, [{ selector => '10de:1aef', source => 'kernel command line', line => undef }], '--json: settings');
is_deeply($json->{delete}, [{ source => $at, line => 1, text => 'options vfio-pci ids=10de:2204' },
	{ source => 'kernel command line', line => undef, text => 'vfio_pci.ids=10de:1aef' }], '--json: delete');
like($json->{warnings}[0], qr/10de:2204 has no effect/, '--json: warnings');

# --- which files are read, as modprobe does
sub folders {
	machine('twin-gpus', 'etc/modprobe.d/b.conf' => "options vfio-pci ids=1:b\n", 'run/modprobe.d/b.conf' => "options vfio-pci ids=2:b\n",
		'run/modprobe.d/c.conf' => "options vfio-pci ids=2:c\n", 'usr/local/lib/modprobe.d/a.conf' => "options vfio-pci ids=3:a\n",
		'usr/lib/modprobe.d/c.conf' => "options vfio-pci ids=4:c\n", 'lib/modprobe.d/d.conf' => "options vfio-pci ids=5:d\n",
		'etc/modprobe.d/e.conf.bak' => "options vfio-pci ids=1:e\n", 'etc/modprobe.d/.f.conf' => "options vfio-pci ids=1:f\n", @_);
	return join ' ', map { s{.*/}{}r } import_run() =~ m{^#   (\S+:\d+): options}mg;
}
is(folders(), 'a.conf:1 b.conf:1 c.conf:1 d.conf:1', 'in the order of their names, each name once');
like(import_run(), qr{^ids = 0005:000d # /lib/modprobe\.d/d\.conf:1\n}m, 'and the last one counts');
like(import_run(), qr{/etc/modprobe\.d/b\.conf.*/run/modprobe\.d/c\.conf}s, 'the earlier folder hides the later one');
is(folders('etc/modprobe.d/d.conf' => ''), 'a.conf:1 b.conf:1 c.conf:1', 'also with an empty file');
folders();
remove_tree("$root/usr/lib/modprobe.d");
rename "$root/lib/modprobe.d", "$root/usr/lib/modprobe.d" or die;
symlink '../usr/lib/modprobe.d', "$root/lib/modprobe.d" or die;
is(scalar(() = import_run() =~ /^#   .*ids=5:d/mg), 1, 'where /lib is /usr/lib nothing is read twice');
symlink '/nowhere', "$root/etc/modprobe.d/x.conf";
make_path("$root/etc/modprobe.d/y.conf");
like(import_run(), qr/-- exit 0/, 'a link to nowhere and a folder are no files');
symlink 'z.conf', "$root/etc/modprobe.d/z.conf";
like(import_run(), qr/ids = .*-- exit 3/s, 'one that cannot be read: exit status 3, and the others are read');
like($complaints, qr{/etc/modprobe\.d/z\.conf: Too many levels}, 'and why');
my $long = 'x/' x 600 . 'y.conf';
like(import_run($long), qr/-- exit 3/, 'a path that is too long: exit status 3');
like($complaints, qr{^vfio-boot: x/x/.*: (?i:(?:file )?name too long)}, 'named, and no shorter path is read');
machine('twin-gpus', 'etc/modprobe.d' => "no folder\n");
like(import_run(), qr/-- exit 3/, 'nor a folder that is none');

# The order and the lines of a real modprobe, the kernel command line included.
my $odd = "options vfio-pci ids=1:1\noptions  vfio_pci \\\n\tids=2:2,\\\n3:3\n #options vfio-pci ids=4:4\n#\\\noptions vfio-pci ids=5:5\noptions vfio-pci ids=6\\:6\n";
machine('twin-gpus', 'etc/modprobe.d/m.conf' => $odd, 'etc/modprobe.d/k.conf' => "options vfio-pci ids=7:7\n", 'proc/cmdline' => "a vfio-pci.ids=8:8,9:9 b\n");
my $real = qx(unshare --map-root-user --mount sh -c 'mount --bind $root/proc/cmdline /proc/cmdline && exec modprobe -C $root/etc/modprobe.d --showconfig' 2>/dev/null);
my @theirs = $real =~ /^options vfio_pci\s.*?\bids=(\S+)/mg;
is(scalar @theirs, 5, 'a real modprobe has five lines with ids=');
my $ours = import_run();
my @ours = $ours =~ /^#   \S.*?\bids=(\S+)/mg;
is("@ours", "@theirs", 'the same lines are found, in the same order');
is(join(',', $ours =~ /^ids = (\S+)/mg), join(',', map { join ':', map { sprintf '%04x', hex } split /:/ } split /,/, $theirs[-1]), 'the same one is the last');

# --- aliases
my @aliases = (
	'pci:v000010DEd00002204sv*sd*bc*sc*i*' => '10de:2204',
	'pci:v000010DEd00002204sv00001458sd00004043bc*sc*i*' => '10de:2204:1458:4043',
	'pci:v000010DEd00002204sv00001458sd*bc03sc00i00' => '10de:2204:1458:*:030000:ffffff',
	'pci:v000010DEd*sv*sd*bc03sc*i*' => '10de:*:*:*:030000:ff0000',
	'pci:v000010DEd*sv*sd*bc*sc02i*' => '10de:*:*:*:000200:00ff00',
	'pci:v000010DEd*' => '10de:*',
	'pci:v000010DEd00002204*' => '10de:2204',
	'pci:v000010DE*' => '10de:*',
	'pci:*' => undef,
	'pci:v000010DEd00002204sv*' => '10de:2204',
	'pci:v*d*sv*sd*bc03sc*i*' => 'class:03',
	'pci:v*d*sv*sd*bc03sc80i*' => 'class:0380',
	'pci:v*d*sv*sd*bc03sc00i00' => undef,
	'pci:v*d00002204sv*sd*bc*sc*i*' => undef,
	'pci:v*' => undef,
	'pci:v000010ded00002204sv*sd*bc*sc*i*' => undef,
	'pci:v000010D?d00002204sv*sd*bc*sc*i*' => undef,
	'pci:v10DEd2204sv*sd*bc*sc*i*' => undef,
	'pci:v000010DEd00002204sv*sd*bc*sc*i*x' => undef,
	'pci:v000010DE' => undef,
	'pci:' => undef,
);
while (my ($alias, $selector) = splice @aliases, 0, 2) {
	my $out = modprobe_d("alias $alias vfio-pci\n");
	is(join(' ', $out =~ /^ids = (\S+) #/mg), $selector // '', "$alias: " . ($selector // 'no setting'));
	like($out, defined $selector ? qr/^-- exit 0$/m : qr/^-- exit 1$/m, "$alias: and the exit status");
	like($complaints, defined $selector ? qr/\A\z/ : qr/$at:1: \Q$alias\E cannot be a setting: /, "$alias: and why");
	my $title = defined $selector ? $delete : $look;
	like($out, qr/^\Q$title\E#   $at:1: alias /m, "$alias: and the line");
}

lacks(modprobe_d("alias pci:v000010DEd*sv*sd*bc*sc*i* nouveau\n"), qr/10de|alias/, 'aliases of other modules');
is(modprobe_d("alias passthrough vfio-pci\n"), "$look#   $at:1: alias passthrough vfio-pci\n-- exit 0\n", 'another name for vfio-pci');

# --- what else is there for vfio-pci
is(modprobe_d(<<'END'), <<"END", 'softdep, install, blacklist');
softdep nouveau pre: vfio-pci
softdep xhci_pci pre: vfio vfio_pci post: x
softdep vfio-pci pre: vfio
softdep snd pre: soundcore
install nvidia /bin/false
install snd /sbin/modprobe vfio-pci; /sbin/modprobe --ignore-install snd
blacklist nouveau
options vfio-pci ids=10de:2204
END
ids = 10de:2204 # $at:8
$delete#   $at:1: softdep nouveau pre: vfio-pci
#   $at:2: softdep xhci_pci pre: vfio vfio_pci post: x
#   $at:8: options vfio-pci ids=10de:2204
$look#   $at:3: softdep vfio-pci pre: vfio
#   $at:5: install nvidia /bin/false
#   $at:6: install snd /sbin/modprobe vfio-pci; /sbin/modprobe --ignore-install snd
#   $at:7: blacklist nouveau
-- exit 0
END
machine('twin-gpus', 'etc/modprobe.d/sound.conf' => "blacklist pcspkr\ninstall x /bin/true\n");
is(import_run(), "-- exit 0\n", 'in a file that has nothing to do with it they are left alone');
machine('twin-gpus', 'etc/modprobe.d/sound.conf' => "blacklist vfio_pci\n");
like(import_run(), qr{^#   /etc/modprobe\.d/sound\.conf:1: blacklist vfio_pci$}m, 'unless they name it');
machine('twin-gpus', 'etc/modprobe.d/gpu.conf' => "blacklist nouveau\noptions vfio-pci ids=10de:2204\n");
like(import_run(), qr{^#   /etc/modprobe\.d/gpu\.conf:1: blacklist nouveau$}m, 'or the file has more for it');
machine('twin-gpus', 'etc/modprobe.d/vfio.conf' => "blacklist nouveau\n");
like(import_run(), qr{^#   \Q$at\E:1: blacklist nouveau$}m, 'or the file has it in its name');

# --- driverctl
machine('twin-gpus', 'etc/driverctl.d/pci-0000:0b:00.1' => "vfio-pci\n", 'etc/driverctl.d/pci-0000:0b:00.0' => "vfio-pci\n",
	'etc/driverctl.d/pci-0000:0a:00.0' => "none\n", 'etc/driverctl.d/pci-0000:04:00.0' => "igb\n", 'etc/driverctl.d/pci-0000:0a:00.1' => '',
	'etc/driverctl.d/vmbus-0000:0b:00.0' => "vfio-pci\n", 'etc/driverctl.d/pci-rubbish' => "vfio-pci\n");
is(import_run(), <<'END', 'driverctl: guarded with the ID that is there');
ids = 0000:0b:00.0@10de:2204 # /etc/driverctl.d/pci-0000:0b:00.0:1
ids = 0000:0b:00.1@10de:1aef # /etc/driverctl.d/pci-0000:0b:00.1:1
# /etc/driverctl.d/pci-0000:04:00.0:1: igb is not for vfio, its override stays as it is
# /etc/driverctl.d/pci-0000:0a:00.0:1: none is not for vfio, its override stays as it is
# Delete these, or they still apply beside vfio-boot (then update-initramfs -u):
#   /etc/driverctl.d/pci-0000:0b:00.0:1: vfio-pci (driverctl unset-override 0000:0b:00.0)
#   /etc/driverctl.d/pci-0000:0b:00.1:1: vfio-pci (driverctl unset-override 0000:0b:00.1)
-- exit 0
END
machine('sriov', 'etc/driverctl.d/pci-0000:01:00.1' => "mlx5_vfio_pci\n", 'etc/driverctl.d/pci-0000:09:00.0' => "vfio-pci\n");
like(import_run(), qr/\Aids = 0000:01:00\.1\@8086:1572 # .*-- exit 1\n\z/s, 'driverctl: a variant driver; a device that is not there is none');
like($complaints, qr/mlx5_vfio_pci is a variant driver, which needs driver = auto.*0000:09:00\.0 cannot be a setting: no such device, so its ID is unknown/s, 'with a word for both');
like(import_run(), qr/^\Q$look\E#   \S*0000:09:00\.0:1: vfio-pci/m, 'and it is to be looked at, not deleted');

# --- the modules of initramfs-tools, whose parameters come last
machine('twin-gpus', 'etc/initramfs-tools/modules' => "# vfio-pci ids=1:1\nvfio\nvfio_pci\tids=10de:2204\nvfio-pci\nsnd ids=1:2\n",
	'etc/modprobe.d/x.conf' => "options vfio-pci ids=10de:2204,10de:1aef\n");
is(import_run(), <<"END", 'initramfs-tools');
ids = 10de:2204 # /etc/initramfs-tools/modules:3
# /etc/modprobe.d/x.conf:1: 10de:1aef has no effect and is left out: /etc/initramfs-tools/modules:3 has the last ids=, which counts
$delete#   /etc/modprobe.d/x.conf:1: options vfio-pci ids=10de:2204,10de:1aef
#   /etc/initramfs-tools/modules:3: vfio_pci ids=10de:2204
-- exit 0
END
is(import_run('/etc/initramfs-tools/modules') =~ /^(ids.*)$/m ? $1 : '', 'ids = 10de:2204 # /etc/initramfs-tools/modules:3', 'or as a file that is named');

# --- Unraid
machine('twin-gpus', 'boot/config/vfio-pci.cfg' => "# x\nBIND=0000:0b:00.0|10de:2204 0b:00.1|10DE:1AEF 0000:04:00.0 8086:1539\n");
is(import_run(), <<'END', 'Unraid: with an ID, without, and an ID alone');
ids = 0000:0b:00.0@10de:2204 # /boot/config/vfio-pci.cfg:2
ids = 0000:0b:00.1@10de:1aef # /boot/config/vfio-pci.cfg:2
ids = 0000:04:00.0@8086:1539 # /boot/config/vfio-pci.cfg:2
ids = 8086:1539 # /boot/config/vfio-pci.cfg:2
# Delete these, or they still apply beside vfio-boot (then update-initramfs -u):
#   /boot/config/vfio-pci.cfg:2: BIND=0000:0b:00.0|10de:2204 0b:00.1|10DE:1AEF 0000:04:00.0 8086:1539
-- exit 0
END
machine('twin-gpus', 'boot/config/vfio-pci.cfg' => "BIND=\"0000:0b:00.0|10de:2204  0000:0b:00.1|10de:1aef\"\r\n");
is(join(' ', import_run() =~ /^ids = (\S+)/mg), '0000:0b:00.0@10de:2204 0000:0b:00.1@10de:1aef', 'Unraid: in quotes, two blanks, a carriage return');
for my $word ('0000:77:00.0', '0000:0b:00.0|10de:2204x', '0000:0b:00.0|10de', '0000:0b:00.0|', '0000:0b:00|10de:2204', '0000:0b:00', 'rubbish', '0000:0b:1f.8') {
	machine('twin-gpus', 'boot/config/vfio-pci.cfg' => "BIND=$word 0000:0b:00.1\n");
	my $out = import_run();
	if ($word eq '0000:0b:00.0|') {
		like($out, qr/\Aids = 0000:0b:00\.0\@10de:2204 .*-- exit 0/s, "Unraid: $word has the ID that is there");
		next;
	}
	like($out, qr/\Aids = 0000:0b:00\.1\@10de:1aef # .*-- exit 1\n\z/s, "Unraid: $word is no setting, the rest is");
	like($out, qr/^\Q$look\E#   .*: BIND=/m, "Unraid: $word and its line is to be looked at");
	like($complaints, qr/\Q$word\E cannot be|\Q@{[$word =~ s{\|.*}{}r]}\E cannot be/, "Unraid: $word is said");
}

# --- files that are named
machine('twin-gpus', 'etc/modprobe.d/vfio.conf' => "options vfio-pci ids=10de:2204\n", 'old/conf' => "options vfio-pci ids=1002:73bf\n",
	'old/cmdline' => "quiet vfio-pci.ids=8086:1539\n", 'old/pci-0000:0b:00.0' => "vfio-pci\n", 'old/unraid' => "BIND=0000:0b:00.1\n");
is(join(' ', import_run('/old/conf') =~ /^ids = (.*)$/mg), '1002:73bf # /old/conf:1', 'a file in the tree, and no other');
is(join(' ', import_run('/old/conf', '/old/cmdline', '/old/pci-0000:0b:00.0', '/old/unraid') =~ /^ids = (\S+)/mg),
	'0000:0b:00.0@10de:2204 0000:0b:00.1@10de:1aef 8086:1539', 'each kind by its name or content');
is(join(' ', import_run("$root/old/conf") =~ /^ids = (\S+)/mg), '1002:73bf', 'a path that is not absolute begins here');
like(import_run('/old/none', '/old/conf'), qr/\Aids = 1002:73bf.*-- exit 3\n\z/s, 'one that does not exist: exit status 3, the others are read');
like($complaints, qr{/old/none: No such file}, 'and why');
like(import_run('/old'), qr/-- exit 3/, 'a folder');
spew("$root/old/large", 'x' x (1 << 20));
like(import_run('/old/large'), qr/-- exit 3/, 'one that is too large');
like($complaints, qr{/old/large: more than 1 MiB}, 'and why');
is(qx(@as_root build/vfio-boot import --json --sysroot $root 2>&1 >/dev/full) =~ s/^vfio-boot: (nothing found|.*: more than).*\n//mgr, "vfio-boot: standard output: No space left on device\n",
	'a full disk is said once');
remove_tree("$root/sys");
like(import_run('/old/conf'), qr/-- exit 3/, 'no machine');
$complaints = '';

# --- rubbish
my $evil = modprobe_d("options vfio-pci ids=10de:2204,\x1b[31mx:1 \x1b]0;x\x07\nblacklist \x1b[2Jx\n");
lacks($evil . $complaints, qr/[\x00-\x09\x0b-\x1f\x7f]/, 'no control characters of a file reach the terminal');
machine('twin-gpus', "etc/modprobe.d/a\nids = class:03\n.conf" => "options vfio-pci ids=10de:2204\n");
is(join(' ', import_run() =~ /^ids = (\S+)/mg), '10de:2204', 'a name with a line feed makes no setting');
modprobe_d(join '', map { chr(($_ * 7919 + ($_ >> 3)) & 255) } 1 .. 70000);
lacks($complaints, qr/signal|Sanitizer/, 'bytes at random');
like(modprobe_d("options vfio-pci ids=10de:2204\0,1:1\n"), qr/^ids = 10de:2204/m, 'a NUL');
my $tail = modprobe_d('options vfio-pci ids=10de:2204 #' . ' x' x 2000 . "\n") && import_run('--json');
is(length JSON::PP->new->decode($tail =~ s/-- exit 0\n\z//r)->{delete}[0]{text}, 32 + 4000, 'a long line is not cut in JSON');
is(modprobe_d('options vfio-pci ids=' . '1:1,' x 200000 . "\n") =~ /^(ids.*)$/m ? $1 : '', "ids = 0001:0001 # $at:1", 'one a hundred thousand times');
like(modprobe_d('options vfio-pci ids=' . join(',', map { sprintf '%04x:1', $_ } 1 .. 200) . "\n"), qr/^ids = 00c8:0001 /m, 'many');

# --- every selector that was printed is one
my %once = map { $_ => 1 } @printed;
machine('twin-gpus');
my @all = sort keys %once;
cmp_ok(scalar @all, '>', 40, 'many selectors were printed');
for (my $n = 0; $n < @all; $n += 200) {
	my $last = $n + 199 < $#all ? $n + 199 : $#all;
	my $said = next_boot(join '', map { "ids = $_\n" } @all[$n .. $last]);
	lacks($said, qr{/etc/vfio-boot\.conf:(?!.* matches devices and claims nothing$)}m, 'vfio-boot plan has no complaint about them');
}

# --- round trip: what the old lines claimed is what the new settings select
sub selected {
	my ($settings) = @_;
	return join ' ', next_boot($settings) =~ /^(\S+) \[[^\]]*\] (?:group|no group).*: (?:claim|refused|kept|already)/mg;
}
# In the kernel's words (pci_match_one_device()): the devices of the tree that an entry of ids= matches.
sub claimed {
	my @found;
	for my $address (sort map { s{.*/}{}r } glob "$root/sys/bus/pci/devices/*") {
		my $modalias = slurp("$root/sys/bus/pci/devices/" . readlink("$root/sys/bus/pci/devices/$address") . '/modalias');
		my ($v, $d, $sv, $sd, $class) = map { hex } $modalias =~ /v(\w{8})d(\w{8})sv(\w{8})sd(\w{8})bc(\w\w)sc(\w\w)i(\w\w)/
			? ($1, $2, $3, $4, "$5$6$7") : die "$address: $modalias\n";
		for (map { [split /:/] } @_) {
			my @want = map { defined $_ ? hex : 0xffffffff } @$_[0 .. 3];
			my ($want_class, $mask) = map { hex($_ // 0) } @$_[4, 5];
			next if grep { $want[$_] != 0xffffffff && $want[$_] != ($v, $d, $sv, $sd)[$_] } 0 .. 3;
			next if ($want_class ^ $class) & $mask;
			push @found, $address;
			last;
		}
	}
	return "@found";
}
for my $ids (['10de:2204', '10de:1aef'], ['10de:ffffffff'], ['10DE:2204:1458'], ['10de:ffffffff:ffffffff:ffffffff:040000:ff0000'],
	['1022:ffffffff:1043:ffffffff:0c0330:ffffff', '8086:1539'], ['10de:ffffffff:ffffffff:ffffffff:040000'], ['ffffffff:ffffffff:ffffffff:ffffffff:030000:ff0000'],
	['1002:73bf'], ['144d:a808:144d:a801']) {
	machine('twin-gpus', 'etc/modprobe.d/vfio.conf' => 'options vfio-pci ids=' . join(',', @$ids) . "\n");
	my $new = import_run() =~ s/-- exit \d\n\z//r;
	is(selected($new), claimed(@$ids), "round trip: @$ids");
}
isnt(claimed('10de:2204'), '', 'some of which are there');

# --- --apply -------------------------------------------------------------------

my $own = "$root/etc/vfio-boot.conf.d/50-local.conf";
my $header = "# Written by vfio-boot add and remove; yours to edit. See vfio-boot.conf(5).\n";
my $both = "options vfio-pci ids=10de:2204,10de:1aef\n";
machine('twin-gpus', 'etc/modprobe.d/vfio.conf' => $both, 'etc/vfio-boot.conf' => "# mine\n");
my $applied = import_run('--apply');
like($applied, qr{\A\Qids = 10de:2204 # $at:1\E\n.*^\Q$delete\E#   $at:1: options.*^/etc/vfio-boot\.conf\.d/50-local\.conf: written; the next boot:\n.*^0000:0b:00\.1 .*: claim for vfio-pci\n-- exit 0\n\z}ms,
	'--apply: what was found, which lines to delete, and what the next boot does');
is(slurp($own), "${header}ids = 10de:2204\nids = 10de:1aef\n", 'the settings are written');
like($complaints, qr/no device changes before the next boot \(reboot\)/, 'as by add');
is(slurp("$root/etc/modprobe.d/vfio.conf"), $both, 'the old file is left alone');
is(slurp("$root/etc/vfio-boot.conf"), "# mine\n", 'so are other settings');
my @before = stat $own;
like(import_run('--apply'), qr/^\Q$delete\E.*-- exit 0\n\z/ms, 'once more: which lines to delete');
like($complaints, qr/10de:1aef .* is in the settings already\nvfio-boot: nothing was changed\n\z/, 'and that nothing was changed');
is((stat $own)[1], $before[1], 'nor is the file written anew');
machine('twin-gpus', 'etc/modprobe.d/vfio.conf' => "options vfio-pci ids=10de:2204\n");
like(import_run('--apply'), qr/-- exit 1\n\z/, 'what the next boot would refuse: exit status 1');
like($complaints, qr/0000:0b:00\.0 .*: refused, group-incomplete: .*nothing was changed/s, 'as add says it');
ok(!-e $own, 'and nothing is written');
like(import_run('--apply', '--force'), qr/-- exit 0\n\z/, '--force: exit status 0');
is(slurp($own), "${header}ids = 10de:2204\n", 'and it is written');
machine('twin-gpus', 'etc/modprobe.d/vfio.conf' => "options vfio-pci ids=10de:2204,10de:1aef,10de:22041\n");
like(import_run('--apply'), qr/-- exit 1\n\z/, 'an entry that cannot be a setting: exit status 1');
is(slurp($own), "${header}ids = 10de:2204\nids = 10de:1aef\n", 'the others are written');
machine('twin-gpus', 'etc/modprobe.d/vfio.conf' => $both);
like(import_run('--apply', '/etc/modprobe.d/vfio.conf', '/nowhere'), qr/-- exit 3\n\z/, 'what cannot be read: exit status 3');
like($complaints, qr/nothing was changed/, 'which is said');
ok(!-e $own, 'and nothing is written');
machine('twin-gpus');
is(import_run('--apply'), "-- exit 0\n", 'nothing found: exit status 0');
ok(!-e $own, 'and nothing is written');
for (['--no-rebuild'], ['--newest'], ['--force']) {
	is(import_run(@$_), "-- exit 2\n", "@$_ without --apply is wrong use");
	like($complaints, qr/are for --apply/, 'which is said');
}
is((told($root, 'import', '--apply', '--json'))[0], "-- exit 2\n", '--apply with --json is wrong use');

is(beside_schema('import', @json), '', @json . ' JSON texts are as the schema has it');
isnt(beside_schema('import', $json[1] =~ s/"selector"/"select"/r), '', 'which refuses another name');

if (Test::More->builder->is_passing) {
	remove_tree($root);
	unlink "$root.err";
}
done_testing();
