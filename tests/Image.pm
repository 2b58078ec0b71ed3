# SPDX-License-Identifier: GPL-2.0-or-later
#
# Images for the tests, made of entries in cpio's newc format: unlike cpio's, these may be as odd as they like.

package Image;

use strict;
use warnings;
use Exporter 'import';
use Tree;

our @EXPORT = qw(entry archive padded image_of needs_no_module);

my $claim = 'usr/lib/vfio-boot/vfio-boot-claim';
my $inode = 0;

# One entry; %o has fields of its header that are not what they should be.
sub entry {
	my ($name, $content, %o) = @_;
	my @field = ($o{inode} // ++$inode, $o{mode} // 0100755, 0, 0, $o{links} // 1, 0, $o{size} // length $content, 0, 0, 0, 0,
		$o{name_size} // length($name) + 1, 0);
	my $entry = ($o{magic} // '070701') . join('', map { sprintf '%08X', $_ } @field) . "$name\0";
	$entry .= "\0" x (-length($entry) & 3) . $content;
	return $entry . "\0" x (-length($entry) & 3);
}

sub archive { return join('', @_, entry('TRAILER!!!', '', mode => 0)) }

sub padded { return $_[0] . "\0" x (-length($_[0]) % ($_[1] // 512)) }

# What initramfs-tools would put into an image of this tree, and what is given instead (undef: not at all). The tree gets
# the program that is in it, and the hook.
sub image_of {
	my ($root, %other) = @_;
	spew("$root/$claim", 'program');
	spew("$root/usr/share/initramfs-tools/hooks/vfio-boot", '');
	my %file = ('init' => "#!/bin/sh\n", $claim => 'program', 'scripts/init-top/ORDER' => "/scripts/init-top/00-vfio-boot\n/scripts/init-top/udev\n",
		(map { s{^\Q$root\E/}{}r => slurp($_) } grep { -f } "$root/etc/vfio-boot.conf", glob("$root/etc/vfio-boot.conf.d/*.conf"),
			"$root/var/lib/vfio-boot/protect"), %other);
	return archive(map { entry($_, $file{$_}) } grep { defined $file{$_} } sort keys %file);
}

# A kernel that has all of vfio built in.
sub needs_no_module {
	my ($root, $release) = @_;
	spew("$root/lib/modules/$release/modules.builtin", join '', map { "kernel/$_.ko\n" } qw(vfio vfio_iommu_type1 vfio-pci));
}

1;
