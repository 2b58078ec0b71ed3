#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The initramfs-tools hook, run with functions that say what they were asked for, and with a
# program that says and does what the host program may. tests/qemu/image.t has it in a real build.

use strict;
use warnings;
use Cwd qw(getcwd);
use File::Path qw(make_path remove_tree);
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $dir = getcwd() . '/build/hook';
remove_tree($dir);
make_path($dir);
spew("$dir/functions", <<'END');
copy_exec() { :; }
copy_file() { echo "copied $2: $(cat "$2")"; }
manual_add_modules() { :; }
END
my $hook = slurp('hook/vfio-boot');
$hook =~ s{/usr/share/initramfs-tools/hook-functions}{$dir/functions}g;
$hook =~ s{/usr/lib/vfio-boot/vfio-boot-claim}{/bin/true}g;
$hook =~ s{/usr/sbin/vfio-boot}{$dir/vfio-boot}g;
$hook =~ s{/var/lib/vfio-boot/protect}{$dir/protect}g;
$hook =~ s{/etc/vfio-boot\.conf}{$dir/none}g;
$hook =~ s{/sbin/modprobe}{/bin/true}g;
$hook =~ s{timeout 60}{timeout 2};
spew("$dir/hook", $hook);

# What the hook prints, with a program that does this for `protect`, if there is one.
sub hook {
	my ($does) = @_;
	unlink "$dir/vfio-boot";
	spew("$dir/protect", "old\n");
	if (defined $does) {
		spew("$dir/vfio-boot", "#!/bin/sh\n[ \"\$*\" = protect ] || exit 0\n$does\n");
		chmod 0755, "$dir/vfio-boot";
	}
	my $text = qx(version=6.1 DESTDIR=$dir/image MODULESDIR=$dir/modules dash -eu $dir/hook 2>&1);
	return join '', (grep { !/udev comes/ } map { "$_\n" } split /\n/, $text), '-- exit ', $? >> 8, "\n";
}

my $new = "copied $dir/protect: new\n-- exit 0\n";
my $old = "copied $dir/protect: old\n-- exit 0\n";
is(hook("echo new >$dir/protect; echo done"), $new, 'the file is written before it is copied, without a word');
is(hook("echo new >$dir/protect; printf '%s\\n' 'vfio-boot: a\\tb' 'vfio-boot: c' >&2; exit 1"),
	"W: vfio-boot: a\\tb\nW: vfio-boot: c\n$new", 'unknown: each line is a warning, as it is');
is(hook("echo 'vfio-boot: cannot' >&2; exit 3"), "W: vfio-boot: cannot\n$old", 'what failed has said why');
is(hook('kill -SEGV $$'), "W: vfio-boot: Segmentation fault\nW: vfio-boot: vfio-boot protect ended with status 139: $dir/protect may be out of date\n$old", 'a crash is told, and what the shell says of it has the prefix');
is(hook('exec sleep 30'), "W: vfio-boot: vfio-boot protect ended with status 124: $dir/protect may be out of date\n$old", 'and so is one that hangs');
is(hook(undef), "W: vfio-boot: cannot run $dir/vfio-boot: what this host lives on was not looked up\n$old", 'and one that is not there');
remove_tree($dir) if Test::More->builder->is_passing;
done_testing();
