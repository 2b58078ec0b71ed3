#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
# The Debian package: looked at, and taken through its life in a Debian with systemd, from
# the first installation over an upgrade with a question to a purge: see deb.sh. That of
# another Debian is built there; that of this one is built twice. lintian and blhc are asked about each.
# builders: initramfs-tools
# suites: bullseye bookworm trixie forky

use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use Guest;
use Test::More;

my $top = $Guest::top;
my $work = "$top/build/qemu/deb";
chdir $top or die "$top: $!\n";
# Not those of the `make` that runs this.
delete @ENV{qw(MAKEFLAGS MFLAGS MAKELEVEL)};

# Runs a command, what it says into a file, and shows that where it fails.
sub run {
	my ($name, $log, $command) = @_;
	ok(system("{ $command; } >$work/$log 2>&1") == 0, $name) or diag(qx(tail -n 30 $work/$log));
}

system("rm -rf $work/again $work/newer; mkdir -p $work/again/elsewhere $work/newer") == 0 or die "no folder\n";
my ($news) = Guest::read_file('NEWS') =~ /\Avfio-boot (\S+)/;
my ($deb, $newer, $build_log, $ask);
if ($Guest::native) {
	($deb) = qx(make deb) =~ m{^(build/deb/vfio-boot_\S+\.deb)$}m;
	ok($deb, '`make deb` prints the path of the package') or BAIL_OUT("see build/deb/log\n");
	($build_log, $ask) = ('build/deb/log', '');
	my ($source) = glob 'build/deb/vfio-boot-*/';
	my $pack = 'dpkg-buildpackage -us -uc -b';
	run('it is built elsewhere, from its source package', 'again-log', "dpkg-source -x build/deb/vfio-boot_*.dsc $work/again/elsewhere/x && cd $work/again/elsewhere/x && umask 027 && TZ=Asia/Tokyo LC_ALL=C $pack");
	my ($again) = glob "$work/again/elsewhere/vfio-boot_*.deb";
	ok($again && system('cmp', $deb, $again) == 0, 'and comes out the same, byte for byte');
	# A version that is newer, with other settings in it; built as for a debugger.
	run('a newer version is built', 'newer-log', "cp -a $source $work/newer/x && cd $work/newer/x && sed -i '1s/)/.1)/' debian/changelog && " .
		"echo '# newer' >>conf/vfio-boot.conf && DEB_BUILD_OPTIONS='nocheck noopt' $pack");
	($newer) = glob "$work/newer/vfio-boot_*.deb";
} else {
	($deb, $newer) = map { (split /\n/, qx($Guest::here/package $_))[-1] } '', '.1';
	ok($deb && $newer, "it is built in $Guest::suite, twice") or BAIL_OUT("see build/deb-$Guest::suite\n");
	($build_log, $ask) = ("build/deb-$Guest::suite/as-it-is.log", "$Guest::here/enter build/guest/$Guest::suite/build/root");
}
# With its source package, where that is made.
my $made = $Guest::native ? 'build/deb/*.changes' : $deb;
run('lintian has nothing to say, not even what it is not sure of', 'lintian-log',
	"lintian -EIL +pedantic --fail-on error,warning,info,pedantic,experimental --tag-display-limit 0 $made");
is(Guest::read_file("$work/lintian-log") =~ s/^running with root privileges is not recommended!\n//r, '', 'nor of an override that is not needed');
for ('debian/vfio-boot.lintian-overrides', 'debian/source/lintian-overrides') {
	my @overrides = split /\n/, Guest::read_file($_);
	is(scalar(grep { $overrides[$_] !~ /^#/ && (!$_ || $overrides[$_ - 1] !~ /^#/) } 0 .. $#overrides), 0, "$_: each has its reason");
}
run('the flags that harden it are everywhere, but where klcc takes none', 'blhc-log', "blhc --bindnow $build_log");
is(qx(dpkg-deb -f $deb Version), "$news\n", 'its version is that of NEWS');

my %mode = map { m{^(\S+) root/root +\d+ \S+ \S+ \.(/\S*[^/])$} ? ($2 => $1) : () } split /\n/, qx(dpkg-deb -c $deb);
my $script = '-rwxr-xr-x';
my $file = '-rw-r--r--';
is($mode{$_}, $script, "$_ can be run") for '/usr/sbin/vfio-boot', '/usr/lib/vfio-boot/vfio-boot-claim', '/usr/lib/vfio-boot/boot-count', '/etc/grub.d/90_vfio-boot', '/usr/share/bug/vfio-boot',
	map { "/usr/share/initramfs-tools/$_" } 'hooks/vfio-boot', map { "scripts/$_" } 'init-top/00-vfio-boot', 'local-top/vfio-boot', 'local-premount/vfio-boot', 'nfs-top/vfio-boot', 'local-block/vfio-boot';
is($mode{$_}, $file, "$_ can be read") for '/etc/vfio-boot.conf', (map { "/usr/share/man/$_.gz" } 'man8/vfio-boot.8', 'man8/vfio-boot-claim.8', 'man5/vfio-boot.conf.5'),
	map { "/usr/share/$_" } 'bash-completion/completions/vfio-boot', 'zsh/vendor-completions/_vfio-boot', 'fish/vendor_completions.d/vfio-boot.fish';
for my $unit (qw(vfio-boot vfio-boot-begun vfio-boot-came-up)) {
	is(scalar(grep { m{^(/usr)?/lib/systemd/system/$unit\.service$} } keys %mode), 1, "$unit.service is there, once");
}
is(qx(dpkg-deb --ctrl-tarfile $deb | tar -xO ./conffiles), "/etc/grub.d/90_vfio-boot\n/etc/initramfs/post-update.d/vfio-boot\n/etc/kernel/postinst.d/zz-vfio-boot\n/etc/kernel/postrm.d/zz-vfio-boot\n/etc/vfio-boot.conf\n", 'conffiles are what is in /etc');
my ($dpkg, $klibc) = map { qx($ask dpkg-query -W -f '\${source:Version}' $_) } 'dpkg', 'libklibc-dev';
my $known = system('dpkg', '--compare-versions', $dpkg, 'ge', '1.21.3') == 0;
is(qx(dpkg-deb -f $deb Static-Built-Using), ($known ? "klibc (= $klibc)" : '') . "\n", 'it says which klibc is in it' . ($known ? '' : ', but not where dpkg knows no such field'));
is(qx(dpkg-deb --ctrl-tarfile $deb | tar -xO ./triggers | grep -v '^#' | grep .), "interest-noawait vfio-boot-image\nactivate-noawait update-initramfs\n", 'one trigger rebuilds the image, the other one looks into it');
# Some versions of debhelper have it stopped by a removal.
my $scripts = qx(dpkg-deb --ctrl-tarfile $deb | tar -xO --wildcards './p*');
my $stop = qr/^if .*"\$1" = remove \].*; then\n\tdeb-systemd-invoke stop 'vfio-boot[\w-]*\.service' .*\nfi\n/m;
unlike($scripts =~ s/$stop//gr, qr/deb-systemd-invoke/, 'no unit is ever started, nor stopped by an upgrade');
qx(dpkg-deb -x $deb $work/newer/content);
like(qx(readelf -d $work/newer/content/usr/sbin/vfio-boot), qr/BIND_NOW.*PIE/s, 'the host program is hardened');
like(qx(readelf -lW $work/newer/content/usr/lib/vfio-boot/vfio-boot-claim), qr/GNU_STACK .* RW +0x/, 'the claim program has no executable stack');
my ($size) = Guest::read_file($build_log) =~ m{^build/vfio-boot-claim: (\d+) bytes of}m;
is(-s "$work/newer/content/usr/lib/vfio-boot/vfio-boot-claim", $size, 'the claim program is what the Makefile has made');

my (%said, %cfg);
for (split /\n/, qx($Guest::here/deb deb host $deb $newer 2>$work/errors)) {
	my ($moment, $line) = /^([\w-]+): (.*)/ or next;
	if ($line =~ /^cfg (.*)/) { $cfg{$moment} .= "$1\n" } else { push @{ $said{$moment} }, $line }
}
is($?, 0, 'the package lives in a Debian') or diag(qx(tail -n 20 $work/errors $work/log));

sub has { my ($moment, $what) = @_; return scalar grep { $_ eq $what } @{ $said{$moment} || [] } }
sub with { my ($moment, $what) = @_; return join ' ', map { /^\Q$what\E (.*)/ ? $1 : () } @{ $said{$moment} || [] } }

# The image of a moment, with the package or without it. Both have an init.
sub image {
	my ($moment, $with) = @_;
	my $image = with($moment, 'image');
	like($image, qr{\./init\b}, "$moment: there is an image");
	for my $path (qw(usr/lib/vfio-boot/vfio-boot-claim etc/vfio-boot.conf scripts/init-top/00-vfio-boot scripts/local-top/vfio-boot scripts/local-premount/vfio-boot
		scripts/nfs-top/vfio-boot scripts/local-block/vfio-boot vfio/pci/vfio-pci.ko)) {
		is(scalar($image =~ m{\Q$path\E}), $with ? 1 : '', "$moment: $path is " . ($with ? '' : 'not ') . 'in it');
	}
	return unlike($image, qr/vfio/, "$moment: nor anything else of ours") if !$with;
	like(with($moment, 'ORDER'), qr/\b00-vfio-boot .*\budev\b/, "$moment: the claim comes before udev");
}

my $etc = '/etc/grub.d/90_vfio-boot /etc/vfio-boot.conf /etc/vfio-boot.conf.d';
is(with('before', 'exit'), '0 0 0 0', 'before: the guest is made ready');
image('before', 0);
is(with('install', 'exit'), '0', 'install: apt is content');
is(with('install', 'dpkg'), 'installed', 'install: dpkg too');
is(with('install', 'unit'), 'enabled', 'install: the unit is enabled');
is(with('install', 'grub'), 'vfio-boot-off', 'install: the menu has the entry');
is(with('install', 'file'), "$etc /var/lib/vfio-boot", 'install: files');
image('install', 1);
is(with('autopkgtest', 'exit'), '0', 'autopkgtest: its look into the image ends well');
like(with('autopkgtest', 'the'), qr/^image for \S+ is complete$/, 'autopkgtest: it has seen all of it');

# The entry is the first one of GRUB but for its name, its words and that it is not remembered.
my %root = (plain => 'UUID=|/dev/sda1', boot => 'UUID=|/dev/sda2', crypt => '/dev/mapper/vg-root', btrfs => 'UUID=|/dev/sda1');
for my $case (sort keys %root) {
	for my $words ('', '-words') {
		my $moment = "grub-$case$words";
		is(with($moment, 'exit'), '0', "$moment: grub-mkconfig is content");
		ok(has($moment, 'script ok'), "$moment: and so is grub-script-check");
		my $text = $cfg{$moment} // '';
		my ($first) = $text =~ /^(menuentry .*?^\}\n)/ms;
		my ($ours) = $text =~ m{BEGIN /etc/grub\.d/90_vfio-boot ###\n(.*?)### END }s;
		like($first, qr/^\tsavedefault\n.*^\tlinux\t\S+ root=(?:$root{$case})/ms, "$moment: GRUB has an entry");
		$first =~ s/^\tsavedefault\n//m;
		$first =~ s/' --class/, without passthrough' --class/;
		$first =~ s/'gnulinux-[^']*'/'vfio-boot-off'/;
		$first =~ s/^\tlinux\t\S+\K/ vfio.ids=off/m;
		is($ours, $first, "$moment: and we have the same");
	}
}
like($cfg{'grub-crypt'}, qr/90_vfio-boot.*cryptomount -u .*vfio\.ids=off /ms, 'grub: an encrypted disk is opened');
like($cfg{'grub-btrfs'}, qr/90_vfio-boot.*insmod btrfs.*vfio\.ids=off /ms, 'grub: btrfs is read');
# It is the one that GRUB boots by default: from each form of GRUB_DEFAULT to the name and the kernel of the entry.
my ($newest) = $cfg{'grub-pinned'} =~ /^\tlinux\t\/boot\/vmlinuz-(\S+)/m;
my $id = '66666666-7777-8888-9999-000000000000';
my ($all, $pinned, $os, $quoted) = ("gnulinux-advanced-$id", "gnulinux-4.1-old-advanced-$id", "Bob's >> D GNU/Linux", "Bob'\\''s > D GNU/Linux");
my ($simple, $first, $old, $rescue) = ("$quoted: $newest", "$quoted, with Linux $newest: $newest", "$quoted, with Linux 4.1-old: 4.1-old",
	"$quoted, with Linux 4.1-old (recovery mode): 4.1-old");
sub follows {
	my ($moment, @expected) = @_;
	my @lines;
	while (my ($default, $entry) = splice @expected, 0, 2) {
		push @lines, "$default = " . $entry =~ s/^!//r;
		push @lines, "warned of $default: /etc/grub.d/10_linux has no entry $default: the entry without passthrough boots the kernel that GRUB takes in its place"
			if $entry =~ /^!/;
	}
	is(join("\n", @{ $said{$moment} || [] }), join("\n", @lines), "$moment: the entry is the one of the default");
}
follows('follow', 0 => $simple, 1 => $first, '1>2' => $old, '1>3' => $rescue, 5 => $simple, $all => $first, "$all>$pinned" => $old, "$all>2" => $old,
	"1>$pinned" => $old, "gnulinux-simple-$id" => $simple, "Advanced options for $os>$os, with Linux 4.1-old" => $old,
	"$all>gnulinux-4.0-advanced-$id" => "!$first", "gnulinux-advanced-0>$pinned" => "!$simple", '1>7' => "!$first", "osprober-gnulinux-$id" => $simple,
	Windows => $simple, 'vfio-boot-off' => $simple);
follows('follow-saved', saved => $simple, saved => $old);
follows('follow-flat', 0 => $first, 2 => $old, $pinned => $old, "$os, with Linux 4.1-old" => $old, "$all>$pinned" => "!$first");
follows('follow-awk', "Advanced options for $os>$os, with Linux 4.1-old" => $old);
my ($theirs) = $cfg{'grub-pinned'} =~ /^(\tmenuentry [^\n]*'\Q$pinned\E' \{\n.*?^\t\}\n)/ms;
my ($copy) = $cfg{'grub-pinned'} =~ m{BEGIN /etc/grub\.d/90_vfio-boot ###\n(.*?)### END }s;
is($copy, ($theirs =~ s/^\t//mgr) =~ s/' --class/, without passthrough' --class/r =~ s/'\Q$pinned\E'/'vfio-boot-off'/r =~ s/^\tlinux\t\S+\K/ vfio.ids=off/mr,
	'grub: an entry of a submenu, without its indentation');
my @lines = split /\n/, $cfg{'grub-users'} // '';
like($lines[0], qr/^menuentry 'Bob'\\''s \$x .*' --class .* --users '' /, 'grub: an entry for superusers alone');
is($lines[-1], $lines[0] =~ s/' --class/, without passthrough' --class/r =~ s/'gnulinux-[^']*'/'vfio-boot-off'/r, 'grub: is copied as one, with its own name');
my @strange = @{ $said{'grub-strange'} || [] };
is(scalar(@strange), 2, 'grub: where entries look strange there is none, without the library not a word, nor where 10_linux is turned off');
like($strange[0], qr/vfio-boot: .* no entry that can be copied/, 'grub: one warning');
is($strange[1], 'lines 2', 'grub: and nothing but the frame');

is(with('half', 'exit'), '1 0', 'half: a question that nobody answers; an image can be built');
is(with('half', 'dpkg'), 'unpacked', 'half: the package is not configured');
image('half', 1);
is(with('half', 'image has'), 'ids = 8086:10d3', 'half: with the settings of the administrator');
is(with('upgrade', 'exit'), '0', 'upgrade: then it is');
is(with('upgrade', 'dpkg'), 'installed', 'upgrade: dpkg is content');
is(with('upgrade', 'conffile'), 'ids = 8086:10d3', 'upgrade: the settings are kept');
is(with('upgrade', 'unit'), 'disabled', 'upgrade: a unit that was disabled stays so');
is(with('upgrade', 'file'), '/etc/grub.d/90_vfio-boot /etc/vfio-boot.conf /etc/vfio-boot.conf.d /etc/vfio-boot.conf.dpkg-dist /var/lib/vfio-boot', 'upgrade: the new ones are beside them');
image('upgrade', 1);
is(with('faults', 'exit'), '0', 'faults: a menu that cannot be made is no fault of the package');
is(with('faults', 'dpkg'), 'installed', 'faults: it is installed');
is(with('elsewhere', 'exit'), '0 0 0', 'elsewhere: removed from the tree of another machine');
is(with('elsewhere', 'left'), '', 'elsewhere: nothing is left there');
is(with('elsewhere', 'said'), '', 'elsewhere: neither menu nor image is made here');
like(with('elsewhere', 'file'), qr{^\Q$etc\E /etc/vfio-boot\.conf\.d/50-local\.conf .*/var/lib/vfio-boot$}, 'elsewhere: no file goes here');
is(with('elsewhere', $_), with('faults', $_), "elsewhere: it is as before ($_)") for qw(dpkg unit grub);
is(with('remove', 'exit'), '0', 'remove: apt is content');
is(with('remove', 'dpkg'), 'config-files', 'remove: the settings are left');
is(with('remove', 'grub'), '', 'remove: the entry is gone');
like(with('remove', 'file'), qr{^\Q$etc\E /etc/vfio-boot\.conf\.d/50-local\.conf }, 'remove: files');
image('remove', 0);
is(with('purge', 'exit'), '0', 'purge: apt is content');
is(with('purge', 'file'), '', 'purge: no settings are left');
is(with('purge', 'diff'), '', 'purge: the machine is as it was');
image('purge', 0);
is(with('broken', 'exit'), '100', 'broken: an image cannot be built, and apt says so');
is(with('broken', 'dpkg'), 'installed', 'broken: the package is installed');
image('broken', 0);
is(with('mended', 'exit'), '0', 'mended: dpkg is asked once more');
image('mended', 1);
is(with('again', 'exit'), '0', 'again: purged at once');
is(with('again', 'file'), '/etc/vfio-boot.conf.d /etc/vfio-boot.conf.d/10-mine.conf', 'again: a file that is not ours stays');
image('again', 0);

my $version = with('install', 'built');
like($version, qr/^\d\S+$/, 'install: one image is built');
is(with($_, 'built'), $version, "$_: one image is built") for qw(faults remove again);
is(with('purge', 'built'), '', 'purge: the images are as they should be, and none is built');
is(with('kernels', 'exit'), '0 0 0 0 0', 'kernels: there are several');
is(with('kernels', 'built'), "4.1-before $version 4.2-with 4.3-torn 4.4+fails~1", 'kernels: the installation builds the newest image alone');
is(with('kernels', 'with'), "4.2-with 4.4+fails~1 $version", 'kernels: with the package');
is(with('kernels', 'without'), '4.1-before', 'kernels: without it');
is(with('kernels', 'torn'), '4.3-torn', 'kernels: that cannot be read');
is(with('kernels_remove', 'exit'), '0', 'kernels: apt is content with the removal');
is(with('kernels_remove', 'built'), "4.4+fails~1 4.3-torn 4.2-with $version", 'kernels: what is not known to be without it is built');
is(with('kernels_remove', 'without'), "4.1-before 4.2-with 4.3-torn $version", 'kernels: and is without it');
is(with('kernels_remove', 'with'), '4.4+fails~1', 'kernels: but for one');
is(with('kernels_remove', 'said'), '/boot/initrd.img-4.4+fails~1 was not rebuilt, and still claims devices (update-initramfs -u -k 4.4+fails~1)', 'kernels: which is said, and what to do');
is(with('kernels_purge', 'exit'), '0', 'kernels: apt is content with the purge, whatever the folder of settings is');
is(with('kernels_purge', 'built'), '4.4+fails~1', 'kernels: that one is tried once more');
is(with('kernels_purge', 'without'), "4.1-before 4.2-with 4.3-torn 4.4+fails~1 $version", 'kernels: and none has anything of ours');
is(with('kernels_no', 'exit'), '0 0', 'kernels: where images are not to be updated, apt is content');
is(with('kernels_no', 'with'), $version, 'kernels: the newest has the package, and keeps it');
is(with('kernels_no', 'said'), "/boot/initrd.img-$version was not rebuilt, and still claims devices (update-initramfs -u -k $version)", 'kernels: which is said');
is(with('kernels_both', 'exit'), '0 0 0', 'kernels: what builds the images can go in the same run');
is(with('kernels_both', 'without'), "4.1-before 4.2-with 4.3-torn 4.4+fails~1 $version", 'kernels: and none has anything of ours');
is(with('alone', 'exit'), '0 0 0', 'alone: dpkg is content where initramfs-tools is gone');
is(with('alone', 'said'), 'neither update-initramfs nor dracut is installed: the images in /boot that contain vfio-boot still claim devices (rebuild them)', 'alone: what that means is said, once');
system("rm -rf $work/again $work/newer") if Test::More->builder->is_passing;
done_testing();
