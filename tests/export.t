#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot export: every format as text, and what its reader says to it: libvirt's
# schemas and drivers, a YAML parser, a JSON parser, udev, Incus, the shells, and a real QEMU;
# and what is refused. Proxmox VE and KubeVirt are in no Debian, and Nova is half of OpenStack:
# their own rules stand here, by the names that their source gives them. Every card of every
# fixture is exported by itself, and all of a fixture go into one guest.

use strict;
use warnings;
use File::Path qw(make_path remove_tree);
use File::Spec;
use File::Temp qw(tempdir);
use IPC::Open2 qw(open2);
use JSON::PP ();
use YAML::XS ();
use FindBin;
use lib $FindBin::Bin;
use Test::More;
use Tree;

my $root = 'build/export';
my @formats = qw(qemu libvirt proxmox proxmox-mapping kubevirt nova incus udev);

# A fixture, with these devices at vfio-pci.
sub machine {
	my ($fixture, @claimed) = @_;
	remove_tree($root);
	unpack_fixture($root, $fixture);
	bind_to($root, 'vfio-pci', @claimed);
}

# Adds a function beside one that is there.
sub add_function {
	my ($address, $beside, $modalias) = @_;
	my $dir = dir_of($root, $beside) =~ s{[^/]*\z}{$address}r;
	my $link = readlink("$root/sys/bus/pci/devices/$beside") =~ s{[^/]*\z}{$address}r;
	spew("$dir/modalias", "$modalias\n");
	symlink $link, "$root/sys/bus/pci/devices/$address";
	my $group = readlink(dir_of($root, $beside) . '/iommu_group');
	symlink $group, "$dir/iommu_group";
	symlink "../$link", "$root/sys/kernel/iommu_groups/" . ($group =~ s{.*/}{}r) . "/devices/$address";
}

# Standard output and exit status; standard error is in $complaints.
my $complaints = '';
sub export {
	my (@words) = @_;
	(my $out, $complaints) = told($root, 'export', @words);
	return $out;
}

sub prints {
	my ($words, $expected, $name) = @_;
	my $out = export(@$words);
	is($out, $expected, $name);
	return $out =~ s/-- exit.*\n\z//r;
}

sub refuses {
	my ($words, $why, $name, $exit) = @_;
	is(export(@$words), '-- exit ' . ($exit // 1) . "\n", "$name: nothing is printed");
	like($complaints, $why, "$name: with the reason");
}

# --- what the readers say

# What QEMU says of a device that this host does not have, or has without vfio-pci.
my $absent = qr/no such host device|no iommu_group found|failed to open|vfio \S+: couldn't open directory/;

# A guest that stops before its first instruction, and is told to quit. This host has none of the devices: another kind
# stands in for each, at its place.
sub qemu_takes {
	my ($words, $name) = @_;
	my @ours = map { s/^vfio-pci,(?:host|sysfsdev)=[^,]+/pci-testdev/r =~ s/,(?:iommufd|vf-token)=[^,]+//gr } $words =~ /-device (\S+)/g;
	my $pid = open2(my $out, my $in, "exec qemu-system-x86_64 -machine q35 -S -display none -serial none -monitor stdio "
		. join(' ', map { "-device $_" } @ours) . ' 2>&1');
	print $in "info qtree\nquit\n";
	close $in;
	my $said = join '', <$out>;
	waitpid $pid, 0;
	is($?, 0, "$name: QEMU takes the root ports, and something at each place behind them") or diag($said);
	my $there = () = $said =~ /, id "vfio-[^"]+"/g;
	is($there, scalar @ours, "$name: and has each of them");
}

# The whole words of several exports in one guest. QEMU makes its devices in their order, and ends at the first that this
# host does not have. It has read all of them by then.
sub composes {
	my ($words, $name) = @_;
	my $said = qx(timeout 20 qemu-system-x86_64 -machine q35 -S -display none -serial none -monitor none $words 2>&1);
	like($said, qr/vfio \S+: (?:$absent)/, "$name: QEMU takes the words up to the devices that are not here");
	is(scalar(split /\n/, $said), 1, 'and complains of nothing else') or diag($said);
	qemu_takes($words, $name);
	qemu_knows($words, $name);
}

# Words that the QEMU of bookworm does not know yet: that of trixie (tests/qemu/emulator).
# A new machine makes it first, which says so and takes longer than an emulator may.
like(qx(tests/qemu/emulator --version), qr/^QEMU emulator version/m, 'a newer QEMU is there');
sub newer_takes {
	my ($words, $name) = @_;
	$words =~ s/\n//g;
	my $said = qx(timeout 60 tests/qemu/emulator -machine q35 -S -display none -nodefaults $words 2>&1);
	like($said, qr/\A[^\n]*vfio \S+: (?:$absent)[^\n]*\n\z/, "$name: a newer QEMU takes the words up to the devices that are not here");
}

# The properties of vfio-pci that the words use; without the device itself QEMU does not start.
my $properties = qx(qemu-system-x86_64 -device vfio-pci,help);
sub qemu_knows {
	my ($words, $name) = @_;
	my %used = map { $_ => 1 } $words =~ /[ ,](\w+)=/g;
	delete @used{qw(id chassis slot bus)};
	my @unknown = grep { $properties !~ /^\s+$_=</m } sort keys %used;
	is("@unknown", '', "$name: vfio-pci has each property");
}

sub libvirt_takes {
	my ($xml, $name) = @_;
	spew("$root.xml", "<domain type='kvm'><name>guest</name><memory>1048576</memory><os><type machine='q35'>hvm</type></os>"
		. "<devices>\n$xml</devices></domain>\n");
	my $said = qx(virt-xml-validate $root.xml domain 2>&1);
	is($?, 0, "$name: libvirt's schema takes it") or diag($said);
}

# libvirt's drivers for tests and for QEMU. The latter has no daemon here, and gives a guest of a plain user its addresses.
my $embedded = tempdir('vfio-boot-XXXXXX', TMPDIR => 1, CLEANUP => 1);
my @as_user = as_anybody();
chown 65534, 65534, $embedded if @as_user;
sub libvirt_defines {
	my ($xml, $type, $uri, $virsh) = @_;
	$virsh //= 'virsh';
	spew("$embedded/guest.xml", "<domain type='$type'><name>guest</name><memory>1048576</memory><os><type arch='x86_64' machine='q35'>hvm</type></os>"
		. "<devices>\n$xml</devices></domain>\n");
	local $ENV{HOME} = $embedded;
	return qx(@as_user $virsh -q -c '$uri' 'define $embedded/guest.xml; dumpxml guest; undefine guest' 2>&1);
}

# Hands the place of each function in the guest, and the number of its root ports.
sub libvirt_places {
	my ($xml, $name) = @_;
	my $said = libvirt_defines($xml, 'test', 'test:///default');
	my $there = () = $said =~ /<hostdev /g;
	is($there, scalar(() = $xml =~ /<hostdev /g), "$name: libvirt's test driver has each device") or diag($said);
	$said = libvirt_defines($xml, 'qemu', "qemu:///embed?root=$embedded");
	my @places = $said =~ m{</source>.*?\n\s*<address type='pci' domain='0x0000' (bus='\w+' slot='\w+' function='\w+')}sg;
	my %places = map { $_ => 1 } @places;
	is(scalar keys %places, $there, "$name: libvirt's driver for QEMU has each device, in a place of its own") or diag($said);
	return ([map { (/bus='(\w+)'/)[0] } @places], scalar(() = $said =~ /model='pcie-root-port'>/g));
}

# The hostpci line and the mapping of Proxmox VE, as $hostpci_fmt of PVE::QemuServer::PCI and $map_fmt of
# PVE::Mapping::PCI have them, and pve_verify_node_name() of PVE::JSONSchema a node.
my $pve_address = qr/[a-f0-9]{4,}:[a-f0-9]{2}:[a-f0-9]{2}(?:\.[a-f0-9])?/;
my $pve_config_id = qr/[a-z][a-z0-9_]+/i; # PVE::JSONSchema::pve_verify_configid()
my $pve_options = qr/,pcie=1(?:,x-vga=1)?(?:,driver=(?:vfio|keep))?/;
my $pve_map = qr/id=[0-9a-f]{4}:[0-9a-f]{4},(?:iommugroup=\d+,)?node=[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?,path=(?:$pve_address;)*$pve_address,subsystem-id=[0-9a-f]{4}:[0-9a-f]{4}/;
sub proxmox_takes {
	my ($text, $name) = @_;
	my @wrong = grep { !/^hostpci(?:\d|1[0-5]): (?:$pve_address;)*$pve_address$pve_options$/ } split /\n/, $text;
	is("@wrong", '', "$name: each line is one of Proxmox, and none a note");
}

sub proxmox_maps {
	my ($text, $name) = @_;
	my @wrong = grep { !/^(?:#.*|$pve_config_id|\tmap $pve_map|)$/ } split /\n/, $text;
	is("@wrong", '', "$name: Proxmox takes each line of the mapping");
	@wrong = grep { !/^#   pvesh create \/cluster\/mapping\/pci --id $pve_config_id(?: --map '$pve_map')+$/ } $text =~ /^(.*pvesh.*)$/mg;
	is("@wrong", '', "$name: and each command");
	@wrong = grep { !/^#   hostpci\d+: mapping=$pve_config_id$pve_options$/ } $text =~ /^(.*hostpci.*)$/mg;
	is("@wrong", '', "$name: and each line for a guest");
	is(join(' ', map { proxmox_finds($_) } $text =~ /^\tmap (.*)$/mg), '', "$name: and finds the devices as they are");
}

# What assert_valid() of PVE::Mapping::PCI has against a mapping at the start of a guest. A path without a function is its
# function 0, and each path has the IDs of the mapping, the first one its group.
sub proxmox_finds {
	my ($map) = @_;
	my %says = map { split /=/, $_, 2 } split /,/, $map;
	my @wrong;
	for my $path (split /;/, $says{path}) {
		my $address = $path =~ /\./ ? $path : "$path.0";
		my @id = slurp("$root/sys/bus/pci/devices/$address/modalias") =~ /^pci:v0000(\w{4})d0000(\w{4})sv0000(\w{4})sd0000(\w{4})/;
		push @wrong, "$address is not there" and next if !@id;
		my $is = lc "$id[0]:$id[1] $id[2]:$id[3]";
		push @wrong, "$address is $is" if $is ne "$says{id} $says{'subsystem-id'}";
		my $group = (readlink("$root/sys/bus/pci/devices/$address/iommu_group") // '') =~ s{.*/}{}r;
		push @wrong, "$address is in group $group" if $path eq $says{path} =~ s/;.*//r && $group ne ($says{iommugroup} // '');
	}
	return @wrong;
}

# What the daemon of Incus says to commands (tests/qemu/incus). It makes no virtual machine here, so a profile stands in for
# the instance: it is told the same devices, and judges them in the same way.
sub incus_says {
	spew("$root.incus", join "\n", map { s/^incus config device add INSTANCE /incus profile device add default /r } @_);
	return scalar qx(tests/qemu/incus <$root.incus 2>$root.err);
}

# PciHostDevice of kubevirt.io/api/core/v1, and IsQualifiedName() of Kubernetes, whose resource it becomes.
sub kubevirt_takes {
	my ($text, $name) = @_;
	my @wrong = grep { join(' ', sort keys %$_) ne 'pciVendorSelector resourceName' || $_->{pciVendorSelector} !~ /^[0-9A-F]{4}:[0-9A-F]{4}$/
		|| $_->{resourceName} !~ m{^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?/[A-Za-z0-9](?:[\w.-]{0,61}[A-Za-z0-9])?$} } @{ yaml_of($text) };
	is(scalar @wrong, 0, "$name: KubeVirt takes each device");
}

# _ALIAS_SCHEMA and get_alias_from_config() of nova.pci.request, and PciDeviceSpec of nova.pci.devspec.
sub nova_takes {
	my ($text, $name) = @_;
	my $id = qr/^[\da-f]{4}$/;
	my %type;
	my @wrong = grep { join(' ', sort keys %$_) ne 'device_type name product_id vendor_id' || $_->{device_type} !~ /^type-(?:PCI|PF|VF)$/
		|| "$_->{vendor_id}$_->{product_id}" !~ /^[\da-f]{8}$/ || ($type{ $_->{name} } //= $_->{device_type}) ne $_->{device_type} } @{ json_of($text, 'alias') };
	push @wrong, grep { join(' ', sort keys %$_) ne 'address product_id vendor_id' || $_->{vendor_id} !~ $id || $_->{product_id} !~ $id
		|| $_->{address} !~ /^[\da-f]{4}:[\da-f]{2}:[01][\da-f]\.[0-7]$/ } @{ json_of($text, 'device_spec') };
	is(scalar @wrong, 0, "$name: Nova takes each option") or diag($text);
}

# What udev says to the rules, which stand alone, about a device without a device file. A rule that is for `vfio` is read
# for it, and looks for the groups in a tree in place of sysfs.
sub udev_says {
	my ($rules) = @_;
	my $there = File::Spec->rel2abs("$root.udev");
	remove_tree($there);
	make_path(map { "$there/$_" } 'none', 'groups/lo/devices/0000:0b:00.0', 'groups/eth0/devices/0000:0a:00.0');
	spew("$there/rules/70-vfio.rules", $rules =~ s/SUBSYSTEM=="vfio"/SUBSYSTEM=="net"/gr =~ s{/sys/kernel/iommu_groups}{$there/groups}gr
			=~ s/^(SUBSYSTEM.*)$/$1, ENV{PERMITTED}="yes"/mgr);
	return scalar qx(unshare --map-root-user --mount sh -c 'mount -t tmpfs none /run && mkdir /run/udev && mount --bind $there/none /usr/lib/udev/rules.d &&
		mount --bind $there/rules /etc/udev/rules.d && exec udevadm test --action=add /sys/class/net/lo' 2>&1);
}

sub yaml_of { return YAML::XS::Load($_[0])->{spec}{configuration}{permittedHostDevices}{pciHostDevices} }

sub json_of {
	my ($text, $option) = @_;
	return [map { JSON::PP->new->decode($_) } $text =~ /^\Q$option\E = (.*)$/mg];
}

# --- a graphics card of two functions

machine('twin-gpus', '0000:0b:00.0', '0000:0b:00.1');
spew("$root/proc/sys/kernel/hostname", "pve.example.org\n");
my %golden;
@golden{@formats} = (<<'END', <<'END', <<'END', <<'END', <<'END', <<'END', <<'END', <<'END');
-device pcie-root-port,id=vfio-port-0b-00.0,chassis=11,slot=256 -device vfio-pci,host=0000:0b:00.0,id=vfio-0b-00.0,bus=vfio-port-0b-00.0,addr=00.0,multifunction=on -device vfio-pci,host=0000:0b:00.1,id=vfio-0b-00.1,bus=vfio-port-0b-00.0,addr=00.1
-- exit 0
END
<!-- 0000:0b:00.0 [10de:2204] NVIDIA Corporation GA102 [GeForce RTX 3090] (0000:00:03.2/00.0@10de:2204) -->
<hostdev mode='subsystem' type='pci' managed='no'>
  <source>
    <address domain='0x0000' bus='0x0b' slot='0x00' function='0x0'/>
  </source>
</hostdev>
<!-- 0000:0b:00.1 [10de:1aef] NVIDIA Corporation GA102 High Definition Audio Controller (0000:00:03.2/00.1@10de:1aef) -->
<hostdev mode='subsystem' type='pci' managed='no'>
  <source>
    <address domain='0x0000' bus='0x0b' slot='0x00' function='0x1'/>
  </source>
</hostdev>
-- exit 0
END
hostpci0: 0000:0b:00,pcie=1
-- exit 0
END
# 0000:0b:00.0 [10de:2204] NVIDIA Corporation GA102 [GeForce RTX 3090] (0000:00:03.2/00.0@10de:2204)
# 0000:0b:00.1 [10de:1aef] NVIDIA Corporation GA102 High Definition Audio Controller (0000:00:03.2/00.1@10de:1aef)
# Sections for /etc/pve/mapping/pci.cfg. A mapping that is there already gets the map lines only.
vfio_10de_2204
	map id=10de:2204,iommugroup=25,node=pve,path=0000:0b:00,subsystem-id=1458:4043

# Or, instead of editing the file:
#   pvesh create /cluster/mapping/pci --id vfio_10de_2204 --map 'id=10de:2204,iommugroup=25,node=pve,path=0000:0b:00,subsystem-id=1458:4043'
# Then, for /etc/pve/qemu-server/VMID.conf, with the machine type q35:
#   hostpci0: mapping=vfio_10de_2204,pcie=1
-- exit 0
END
# 0000:0b:00.0 [10de:2204] NVIDIA Corporation GA102 [GeForce RTX 3090] (0000:00:03.2/00.0@10de:2204)
# 0000:0b:00.1 [10de:1aef] NVIDIA Corporation GA102 High Definition Audio Controller (0000:00:03.2/00.1@10de:1aef)
# IOMMU group 25: 0000:0b:00.0 0000:0b:00.1 can only go to the same guest: request them together.
# KubeVirt has to have its feature gate HostDevices on.
apiVersion: kubevirt.io/v1
kind: KubeVirt
metadata:
  name: kubevirt
  namespace: kubevirt
spec:
  configuration:
    permittedHostDevices:
      pciHostDevices:
      # 0000:0a:00.0 has this ID too: KubeVirt takes it as well once it is bound to vfio-pci
      # 0000:0b:00.0, IOMMU group 25
      - pciVendorSelector: "10DE:2204"
        resourceName: "vfio-boot/10de_2204"
      # 0000:0a:00.1 has this ID too: KubeVirt takes it as well once it is bound to vfio-pci
      # 0000:0b:00.1, IOMMU group 25
      - pciVendorSelector: "10DE:1AEF"
        resourceName: "vfio-boot/10de_1aef"
-- exit 0
END
# 0000:0b:00.0 [10de:2204] NVIDIA Corporation GA102 [GeForce RTX 3090] (0000:00:03.2/00.0@10de:2204)
# 0000:0b:00.1 [10de:1aef] NVIDIA Corporation GA102 High Definition Audio Controller (0000:00:03.2/00.1@10de:1aef)
[pci]
device_spec = { "vendor_id": "10de", "product_id": "2204", "address": "0000:0b:00.0" }
device_spec = { "vendor_id": "10de", "product_id": "1aef", "address": "0000:0b:00.1" }
# The controllers need these lines too.
alias = { "vendor_id": "10de", "product_id": "2204", "device_type": "type-PCI", "name": "10de_2204" }
alias = { "vendor_id": "10de", "product_id": "1aef", "device_type": "type-PCI", "name": "10de_1aef" }
-- exit 0
END
# 0000:0b:00.0 [10de:2204] NVIDIA Corporation GA102 [GeForce RTX 3090] (0000:00:03.2/00.0@10de:2204)
# 0000:0b:00.1 [10de:1aef] NVIDIA Corporation GA102 High Definition Audio Controller (0000:00:03.2/00.1@10de:1aef)
incus config device add INSTANCE vfio-0b-00.0 pci address=0000:0b:00.0
incus config device add INSTANCE vfio-0b-00.1 pci address=0000:0b:00.1
-- exit 0
END
# 0000:0b:00.0 [10de:2204] NVIDIA Corporation GA102 [GeForce RTX 3090] (0000:00:03.2/00.0@10de:2204)
# 0000:0b:00.1 [10de:1aef] NVIDIA Corporation GA102 High Definition Audio Controller (0000:00:03.2/00.1@10de:1aef)
# For /etc/udev/rules.d/70-vfio.rules. Write another group for kvm if you like.
# VFIO locks the memory of a guest. So its user needs this line in /etc/security/limits.d/vfio.conf:
#   @kvm - memlock unlimited
SUBSYSTEM=="vfio", TEST=="/sys/kernel/iommu_groups/%k/devices/0000:0b:00.0", GROUP="kvm", MODE="0660"
-- exit 0
END
my %text = map { $_ => prints([$_], $golden{$_}, "$_: a card of two functions") } @formats;
qemu_takes($text{qemu}, 'one card');
qemu_knows($text{qemu}, 'one card');
libvirt_takes($text{libvirt}, 'one card');
is_deeply(yaml_of($text{kubevirt}), [map { { pciVendorSelector => uc "10de:$_", resourceName => "vfio-boot/10de_$_" } } qw(2204 1aef)],
	'YAML: what KubeVirt reads');
is_deeply(json_of($text{nova}, 'device_spec')->[1], { vendor_id => '10de', product_id => '1aef', address => '0000:0b:00.1' },
	'JSON: what Nova reads');
is(export($_, '0b:00'), $golden{$_}, "$_: the same card by its slot") for @formats;

# Only a part of it: what is exported lowest is function 0 of the guest.
my $one = prints(['qemu', '0b:00.1'], <<'END', 'qemu: the second function alone becomes function 0');
-device pcie-root-port,id=vfio-port-0b-00.1,chassis=11,slot=257 -device vfio-pci,host=0000:0b:00.1,id=vfio-0b-00.1,bus=vfio-port-0b-00.1,addr=00.0
-- exit 0
END
like(export('proxmox', '0b:00.1'), qr/^hostpci0: 0000:0b:00\.1,pcie=1$/m, 'proxmox: with its function where the other is left out');
lacks(export('libvirt', '0b:00.1'), qr/<address type=/, 'libvirt: where one function stands alone libvirt finds the place');
like(export('kubevirt', '0b:00.0'), qr/0000:0a:00\.0 has this ID too/, 'kubevirt: the twin of the host');
lacks(export('kubevirt', '0b:00.0'), qr/1AEF/, 'kubevirt: and not what was not chosen');
add_function('0000:0b:00.3', '0000:0b:00.0', 'pci:v000010DEd00001AD8sv00001458sd00004043bc0Csc03i30');
bind_to($root, 'vfio-pci', '0000:0b:00.3');
my $rest = prints(['qemu', '0b:00.1', '0b:00.3'], <<'END', 'qemu: without function 0 the lowest takes its place, the rest keeps its own');
-device pcie-root-port,id=vfio-port-0b-00.1,chassis=11,slot=257 -device vfio-pci,host=0000:0b:00.1,id=vfio-0b-00.1,bus=vfio-port-0b-00.1,addr=00.0,multifunction=on -device vfio-pci,host=0000:0b:00.3,id=vfio-0b-00.3,bus=vfio-port-0b-00.1,addr=00.3
-- exit 0
END
like(export('proxmox', '0b:00.1', '0b:00.3'), qr/^hostpci0: 0000:0b:00\.1;0000:0b:00\.3,pcie=1$/m, 'proxmox: functions are joined by ;');
proxmox_maps(export('proxmox-mapping', '0b:00.1', '0b:00.3') =~ s/-- exit.*//sr, 'two of three functions');
is(join(' ', export('proxmox-mapping', '0b:00.1', '0b:00.3') =~ /^#   (hostpci.*)$/mg), 'hostpci0: mapping=vfio_10de_1aef,pcie=1 hostpci1: mapping=vfio_10de_1ad8,pcie=1',
	'proxmox-mapping: of a part of a card, each ID is a mapping');
my $part = export('libvirt', '--bus', '0x10', '0b:00.1', '0b:00.3') =~ s/-- exit.*//sr;
like($part, qr/function='0x1'.*bus='0x10' slot='0x00' function='0x0' multifunction='on'.*function='0x3'.*bus='0x10' slot='0x00' function='0x3'\/>/s,
	'libvirt: the same functions of the guest');
libvirt_takes($part, 'two of three functions');

# Two cards, and two devices with one ID.
bind_to($root, 'vfio-pci', '0000:0a:00.0', '0000:0a:00.1');
my $two = prints(['qemu', '10de:2204', '10de:1aef'], <<'END', 'qemu: two cards, a root port each');
-device pcie-root-port,id=vfio-port-0a-00.0,chassis=10,slot=256 -device vfio-pci,host=0000:0a:00.0,id=vfio-0a-00.0,bus=vfio-port-0a-00.0,addr=00.0,multifunction=on -device vfio-pci,host=0000:0a:00.1,id=vfio-0a-00.1,bus=vfio-port-0a-00.0,addr=00.1 -device pcie-root-port,id=vfio-port-0b-00.0,chassis=11,slot=256 -device vfio-pci,host=0000:0b:00.0,id=vfio-0b-00.0,bus=vfio-port-0b-00.0,addr=00.0,multifunction=on -device vfio-pci,host=0000:0b:00.1,id=vfio-0b-00.1,bus=vfio-port-0b-00.0,addr=00.1
-- exit 0
END
qemu_takes($two, 'two cards');
lacks(export('libvirt'), qr/<address type=/, 'libvirt: a place only where a bus was named');
my $both = export('libvirt', '--bus=16', '10de:2204', '10de:1aef') =~ s/-- exit.*//sr;
is(join(' ', $both =~ /type='pci' domain='0x0000' bus='(\w+)'/g), '0x10 0x10 0x11 0x11', 'libvirt: another bus for each card');
libvirt_takes($both, 'two cards');
is(scalar @{ yaml_of(export('kubevirt') =~ s/-- exit.*//sr) }, 3, 'kubevirt: an ID once');
lacks(export('kubevirt'), qr/has this ID too/, 'kubevirt: nothing to remark where all are exported');
like(export('kubevirt', '0a:00.0'), qr/0000:0b:00\.0 has this ID too: KubeVirt takes it as well$/m, 'kubevirt: one that vfio-pci has and was not chosen');
my $nova = export('nova');
is(scalar @{ json_of($nova, 'device_spec') }, 5, 'nova: a line each device');
is(join(' ', map { $_->{name} } @{ json_of($nova, 'alias') }), '10de_2204 10de_1aef 10de_1ad8', 'nova: an alias each ID');
is(join(' ', export('proxmox') =~ /^(hostpci\d+: [^,]*)/mg), 'hostpci0: 0000:0a:00 hostpci1: 0000:0b:00', 'proxmox: counts up');

# --- refused

machine('twin-gpus', '0000:0b:00.0', '0000:0b:00.1');
my $instead = qr/vfio-boot: what can be had instead: 0000:0b:00\.0, 0000:0b:00\.1 \(see vfio-boot list\)\n\z/;
my $how = qr/\(vfio-boot add it and reboot, or vfio-boot claim it\)/;
refuses([$_, '04:00.0'], qr/\Avfio-boot: 0000:04:00\.0 is bound to igb $how\n$instead/, "$_: with another driver") for @formats;
refuses(['qemu', '0b:00.0', '04:00.0'], qr/0000:04:00\.0 is bound to igb/, 'one of two');
refuses(['qemu', '02:00.0'], qr/\Avfio-boot: 0000:02:00\.0 is a bridge and stays with the host\n$instead/, 'a bridge');
refuses(['qemu', '00:00.2'], qr/\Avfio-boot: 0000:00:00\.2 is .*, and it cannot be had: it has no IOMMU group, but others do\n$instead/, 'no IOMMU group');
refuses(['qemu', '01:00.0'], qr/\Avfio-boot: 0000:01:00\.0 is bound to nvme, and it cannot be had: the host lives on it: .+\n$instead/, 'what the host lives on');
refuses(['qemu', 'rubbish'], qr/rubbish: /, 'no selector', 2);
refuses(['qemu', '!0b:00.0'], qr/an exclusion selects nothing/, 'an exclusion', 2);
refuses(['qemu', '0d:00.0'], qr/no such device/, 'absent');
refuses(['docker'], qr/docker: no such format.*\n  qemu .*\n  libvirt .*\n  proxmox .*\n  proxmox-mapping .*\n  kubevirt .*\n  nova .*\n  incus .*\n  udev .*\n  prometheus .*\n  nfd .*\n\z/, 'an unknown format', 2);
refuses([], qr/is missing/, 'no format', 2);
refuses(['qemu', '--whole'], qr/not an option of this verb/, 'an option of other verbs', 2);
bind_to($root, '', '0000:0b:00.0');
refuses(['qemu', '0b:00.0'], qr/0000:0b:00\.0 is without a driver $how/, 'with no driver');
like(export('qemu'), qr/host=0000:0b:00\.1,.*\n-- exit 0/, 'a member without a driver does no harm');
bind_to($root, 'snd_hda_intel', '0000:0b:00.1');
refuses(['qemu'], qr/no device is bound to a vfio driver/, 'nothing claimed at all');
bind_to($root, 'vfio-pci', '0000:0b:00.0');
refuses(['qemu'], qr/\Avfio-boot: 0000:0b:00\.0: 0000:0b:00\.1 of its group is bound to snd_hda_intel, so the group is not usable $how\nvfio-boot: nothing else of its class can be had \(see vfio-boot list\)\n\z/,
	'a member with a host driver');
like(export('qemu', '--force'), qr/\A-device.*host=0000:0b:00\.0,id=vfio-0b-00\.0,bus=vfio-port-0b-00\.0,addr=00\.0\n-- exit 0\n\z/, '--force prints it all the same');
like($complaints, qr/0000:0b:00\.1 of its group.*--force: printed anyway/s, '--force: with the warnings');
bind_to($root, 'pci-stub', '0000:0b:00.1');
like(export('qemu'), qr/-- exit 0/, 'pci-stub leaves the group usable');
symlink '../../../../devices/platform/thing', "$root/sys/kernel/iommu_groups/25/devices/thing";
refuses(['qemu'], qr/thing is in its group and is not a PCI device/, 'a member that is no PCI device');
like(export('qemu', '--force', '04:00.0'), qr/host=0000:04:00\.0/, '--force prepares what is still bound to the host');

# What can be had in place of a device, where nothing is ready: what is free of its class, and not of its group.
machine('bmc-server');
refuses(['qemu', '17:00.0'], qr/\Avfio-boot: 0000:17:00\.0 is bound to igb $how\nvfio-boot: what can be had instead: 0000:17:00\.1, 0000:17:00\.2, 0000:17:00\.3, once claimed \(/, 'one of four');
refuses(['qemu', '3b:00.0'], qr/lives on it: .*\nvfio-boot: what can be had instead: 0000:00:17\.0, once claimed \(/, 'a protected controller');
refuses(['qemu', '01:00.0'], qr/stays with the host\nvfio-boot: nothing else of its class/, 'nothing of the platform');
spew("$root/etc/vfio-boot.conf", "ids = 0000:17:00.1\n");
refuses(['qemu', '17:00.1'], qr/0000:17:00\.1 is bound to igb \(the next boot claims it, or vfio-boot claim it\)/, 'one that the settings name');
machine('noiommu-group');
refuses(['qemu'], qr/\Avfio-boot: 0000:02:00\.0 cannot be given to a guest: its group 0 is vfio-noiommu, which isolates nothing\n/, 'a group that is none');
refuses(['qemu', '00:1f.2'], qr/lives on it: .*\nvfio-boot: nothing else of its class/, 'nor is there another');
machine('qemu-q35');
refuses(['qemu', '03:00.0'], qr/what can be had instead: 0000:02:01\.0, once claimed \(/, 'nor is it the other function of its group');
machine('sriov');
refuses(['qemu', '01:02.0'], qr/0000:01:02\.0 is .* \(vfio-boot add --vfs N of its PF, or vfio-boot claim it\)/, 'a virtual function');

# A bridge in the group, of whose drivers pcieport alone does no harm.
machine('qemu-q35', '0000:02:01.0', '0000:02:02.0');
my $root_ports = prints(['qemu'], <<'END', 'qemu: conventional slots are cards of their own');
-device pcie-root-port,id=vfio-port-02-01.0,chassis=2,slot=264 -device vfio-pci,host=0000:02:01.0,id=vfio-02-01.0,bus=vfio-port-02-01.0,addr=00.0 -device pcie-root-port,id=vfio-port-02-02.0,chassis=2,slot=272 -device vfio-pci,host=0000:02:02.0,id=vfio-02-02.0,bus=vfio-port-02-02.0,addr=00.0
-- exit 0
END
bind_to($root, 'pcieport', '0000:01:00.0');
like(export('qemu'), qr/-- exit 0/, 'a bridge with pcieport does no harm');
bind_to($root, 'shpchp', '0000:01:00.0');
refuses(['qemu'], qr/0000:01:00\.0 of its group is bound to shpchp, so the group is not usable \(vfio-boot claim takes that driver off\)/, 'a bridge with shpchp');

# Functions of a root bus share a slot number, not a card.
machine('qemu-q35', '0000:00:1f.2', '0000:00:1f.3');
my $chipset = prints(['qemu'], <<'END', 'qemu: functions of a root bus get a root port each');
-device pcie-root-port,id=vfio-port-00-1f.2,chassis=0,slot=506 -device vfio-pci,host=0000:00:1f.2,id=vfio-00-1f.2,bus=vfio-port-00-1f.2,addr=00.0 -device pcie-root-port,id=vfio-port-00-1f.3,chassis=0,slot=507 -device vfio-pci,host=0000:00:1f.3,id=vfio-00-1f.3,bus=vfio-port-00-1f.3,addr=00.0
-- exit 0
END
lacks(export('libvirt'), qr/<address type=/, 'libvirt: and no place together');
machine('qemu-q35', map { "0000:00:1f.$_" } 0, 2, 3);
is(join(' ', export('proxmox') =~ /^hostpci\d: (\S+),/mg), '0000:00:1f.0 0000:00:1f.2 0000:00:1f.3', 'proxmox: each by itself');
machine('qemu-q35', '0000:00:1f.3');
like(export('proxmox', '--force'), qr/^hostpci0: 0000:00:1f\.3,pcie=1$/m, 'proxmox: always with their function');

# --- virtual functions

machine('sriov', map { "0000:01:$_" } qw(00.1 02.0 02.1));
my $first_vf = readlink "$root/sys/bus/pci/devices/0000:01:02.0";
spew(dir_of($root, '0000:01:00.1') . '/sriov_totalvfs', "32\n");
my $sriov = export('nova');
is(join(' ', map { "$_->{name}:$_->{device_type}" } @{ json_of($sriov, 'alias') }), '8086_1572:type-PF 8086_154c:type-VF', 'nova: PF and VF');
spew(dir_of($root, '0000:01:02.0') . '/sriov_totalvfs', "8\n");
unlink dir_of($root, '0000:01:02.0') . '/physfn';
is(join(' ', map { "$_->{name}:$_->{device_type}" } @{ json_of(export('nova', '01:02.0', '01:02.1'), 'alias') }),
	'8086_154c:type-PF 8086_154c_VF:type-VF', 'nova: one name has one type') or diag($complaints);
proxmox_maps(export('proxmox-mapping', '01:02.0', '01:02.1', '01:02.3') =~ s/-- exit.*//sr, 'virtual functions');
unlink "$root/sys/bus/pci/devices/0000:01:02.0";
proxmox_maps(export('proxmox-mapping', '--force', map { "01:02.$_" } 1 .. 3) =~ s/-- exit.*//sr, 'all functions of a card without function 0');
symlink $first_vf, "$root/sys/bus/pci/devices/0000:01:02.0";
like(export('proxmox', '01:02.0', '01:02.1', '01:02.3'), qr/^hostpci0: 0000:01:02\.0;0000:01:02\.1;0000:01:02\.3,pcie=1$/m, 'proxmox: not the whole slot');

# A variant driver is a vfio driver, under whatever name driver=auto chose it.
bind_to($root, 'mlx5_vfio_pci', '0000:01:02.1');
like(export('qemu', '01:02.1'), qr/host=0000:01:02\.1.*-- exit 0/s, 'a variant driver');
like(export('kubevirt', '01:02.1'), qr/8086:154C.*-- exit 0/s, 'a variant driver, kubevirt');
like($complaints, qr/0000:01:02\.1 is bound to mlx5_vfio_pci: kubevirt takes only devices that are bound to vfio-pci/, 'and what KubeVirt thinks of it');
like(export('incus', '01:02.1'), qr/pci address=0000:01:02\.1\n-- exit 0/, 'a variant driver, incus');
is($complaints, "vfio-boot: 0000:01:02.1 is bound to mlx5_vfio_pci: incus binds it to vfio-pci while the guest runs\n", 'and what Incus does to it');
my $variant = export('libvirt', '01:02.1') =~ s/-- exit.*//sr;
libvirt_takes($variant, 'a variant driver');

spew("$root/etc/vfio-boot.conf", "driver = auto\n");
spew("$root/lib/modules/6.12.95+deb13-amd64/modules.alias", "alias vfio_pci:v00008086d0000154Csv*sd*bc*sc*i* odd_pci\n");
bind_to($root, 'odd_pci', '0000:01:02.1');
like(export('qemu', '01:02.1'), qr/host=0000:01:02\.1.*-- exit 0/s, 'one whose name is not like vfio');

# --- what is added to a device

machine('twin-gpus', '0000:0b:00.0', '0000:0b:00.1');
my $fd = prints(['qemu', '--iommufd'], <<'END', 'qemu: --iommufd, one object for the devices of an export');
-object iommufd,id=vfio-iommu-0b-00.0 -device pcie-root-port,id=vfio-port-0b-00.0,chassis=11,slot=256 -device vfio-pci,host=0000:0b:00.0,id=vfio-0b-00.0,bus=vfio-port-0b-00.0,addr=00.0,multifunction=on,iommufd=vfio-iommu-0b-00.0 -device vfio-pci,host=0000:0b:00.1,id=vfio-0b-00.1,bus=vfio-port-0b-00.0,addr=00.1,iommufd=vfio-iommu-0b-00.0
-- exit 0
END
newer_takes($fd, '--iommufd');
newer_takes(join(' ', map { export('qemu', '--iommufd', '--force', $_) =~ s/\n.*//sr } '0a:00', '0b:00'), '--iommufd twice');
# libvirt knows iommufd from 12.1 on: that of backports for trixie (tests/qemu/virsh), which takes two exports.
{
	my $schemas = qx(tests/qemu/virsh) =~ s/\n//r;
	$fd = join '', map { export('libvirt', '--iommufd', '--force', $_) =~ s/-- exit.*//sr } '0a:00', '0b:00';
	is(scalar(() = $fd =~ m{^<hostdev .*>\n  <driver iommufd='yes'/>$}mg), 4, 'libvirt: --iommufd');
	my $said = libvirt_defines($fd, 'qemu', "qemu:///embed?root=$embedded/newer", 'tests/qemu/virsh');
	is(scalar(() = $said =~ m{<driver iommufd='yes'/>\s*<source>.*?</source>\s*(?:<!--.*?-->\s*)?<address type='pci'}sg), 4, "a newer libvirt's driver for QEMU has them, each in a place")
		or diag($said);
	$said = qx(xmllint --noout --relaxng $schemas/domain.rng $embedded/guest.xml 2>&1);
	is($?, 0, 'and its schema takes them') or diag($said);
	like(libvirt_defines($fd =~ s/iommufd='yes'/iommufd='on'/gr, 'qemu', "qemu:///embed?root=$embedded/newer", 'tests/qemu/virsh'), qr/attribute 'iommufd'/, 'it would tell of another value');
}
like(export('udev', '--iommufd'), qr/^SUBSYSTEM=="vfio-dev", KERNELS=="0000:0b:00\.0", (GROUP.*)\nSUBSYSTEM=="vfio-dev", KERNELS=="0000:0b:00\.1", \1\nSUBSYSTEM=="misc", KERNEL=="iommu", \1$/m,
	'udev: --iommufd, which has a file for each device and one for all');
# A kernel without VFIO groups knows nothing else.
make_path("$root/sys/class/vfio-dev");
for my $format (qw(qemu libvirt udev)) {
	my $asked = export($format, '--iommufd');
	is(export($format), $asked, "$format, without VFIO groups: as with --iommufd");
	is($complaints, "vfio-boot: this kernel has no VFIO groups: printed as with --iommufd\n", 'which is said');
}
unlike(export('proxmox'), qr/iommufd/, 'proxmox has no word for it');
make_path("$root/sys/class/vfio");
unlike(export('qemu'), qr/iommufd/, 'with both, the groups are used');
remove_tree("$root/sys/class/vfio-dev", "$root/sys/class/vfio");
refuses([$_, '--iommufd'], qr/\Avfio-boot: export: --iommufd: $_ has no word for it \(qemu, libvirt and udev have\)\n\z/, "$_: --iommufd", 2)
	for grep { !/qemu|libvirt|udev/ } @formats;
refuses([$_, '--bus', 3], qr/--bus: $_ needs none/, "$_: --bus", 2) for grep { $_ ne 'libvirt' } @formats;
refuses(['libvirt', '--bus', $_], qr/--bus: \Q$_\E: not a number from 1 to 240 \(0xf0\)/, "no bus: '$_'", 2) for qw(0 241 0x100 -1 +1 1x 99999999999999999999);
my $last = export('libvirt', '--bus', '240') =~ s/-- exit.*//sr;
like($last, qr/bus='0xf0' slot='0x00' function='0x0' multifunction='on'/, 'the last bus');
libvirt_places($last, 'the last bus');
like(libvirt_defines($last =~ s/0xf0/0xf1/gr, 'qemu', "qemu:///embed?root=$embedded"), qr/error/, 'there is none behind it');
bind_to($root, 'vfio-pci', '0000:0a:00.0', '0000:0a:00.1');
refuses(['libvirt', '--bus', '240'], qr/from bus 0xf0 on there is no room for 2 cards: a guest has 0xf0 buses/, 'more cards than buses');
like(export('libvirt', '--bus', '239'), qr/bus='0xf0'.*bus='0xf0'/s, 'as many cards as buses');
like(export('libvirt', '--bus', '240', '0a:00', '0b:00.0'), qr/bus='0xf0'.*-- exit 0/s, 'one function needs none');
refuses(['libvirt', '--bus', '240', '--force', '0a:00', '0b:00', '02:00.0'], qr/no room for 2/, 'also with --force');

# The boot display, alone and beside another card.
like(export('qemu', '0a:00'), qr/\A-device .*-- exit 0\n\z/s, 'qemu: the boot display');
like($complaints, qr/\Avfio-boot: 0000:0a:00\.0 is the boot display: .*romfile=FILE.*-vga none and x-vga=on.*\n\z/, 'of which somebody has to know more');
export('qemu', '0b:00');
is($complaints, '', 'the other card is none');
my $screen = export('libvirt', '0a:00') =~ s/-- exit.*//sr;
is(join(' ', $screen =~ m{function='(0x\d)'/>\n  </source>\n  <!-- the boot display: .*<rom file='/FILE'/>}g), '0x0', 'libvirt: a comment in its element');
libvirt_takes($screen, 'the boot display');
libvirt_takes($screen =~ s/<!-- the boot.*(<rom.*?>).*-->/$1/r, 'with the ROM that the comment tells of');
is(export('proxmox', '0a:00', '0b:00'), "hostpci0: 0000:0a:00,pcie=1,x-vga=1\nhostpci1: 0000:0b:00,pcie=1\n-- exit 0\n", 'proxmox: x-vga');
like($complaints, qr/^vfio-boot: hostpci1: 0000:0b:00\.1 \[10de:1aef\].*^vfio-boot: pcie=1 needs a guest with the machine type q35$/ms,
	'proxmox: what it is, and what it needs, is no note of the guest');
my $maps = export('proxmox-mapping') =~ s/-- exit.*//sr;
is(join(' ', $maps =~ /^(vfio\S+|\tmap.*path=([^,]*),.*)$/mg && $maps =~ /path=([^,]*),subsystem-id=1458:4043$/mg), '0000:0a:00 0000:0b:00',
	'proxmox-mapping: two cards with one ID are a choice');
is(join(' ', $maps =~ /^#   (hostpci.*)$/mg), join(' ', map { "hostpci$_: mapping=vfio_10de_2204,pcie=1,x-vga=1" } 0, 1), 'of which a guest gets any');
is(scalar(() = $maps =~ /^#   pvesh .* --map .* --map /mg), 1, 'in one command');
proxmox_maps($maps, 'two cards');
proxmox_maps(export('proxmox-mapping', '0b:00.1') =~ s/-- exit.*//sr, 'a function');
like($maps, qr/node=NODE,/, 'proxmox-mapping: a node without a name');

# NUMA node, where there is one.
spew(dir_of($root, '0000:0b:00.0') . '/numa_node', "1\n");
spew(dir_of($root, '0000:0b:00.1') . '/numa_node', "-1\n");
for (qw(libvirt proxmox-mapping kubevirt nova incus udev)) {
	is(join(' ', export($_, '0b:00') =~ /(\d\@10de:\w+.*\))(?: -->)?$/mg), '0@10de:2204, NUMA node 1) 1@10de:1aef)', "$_: the NUMA node in the comment");
}
lacks(export('qemu', '0b:00'), qr/NUMA/, 'qemu: has no comments');
is($complaints, "vfio-boot: 0000:0b:00.0 is on NUMA node 1\n", 'so it is said beside the words, once a card');

# Drivers that Proxmox shall leave alone.
machine('host-bridge-group');
{
	my ($bridge, $member) = qw(0000:00:01.0 0000:01:00.0);
	bind_to($root, 'vfio-pci', $member);
	like(export('proxmox', '--force', $member), qr/,pcie=1\n/, 'proxmox: binds a host bridge itself');
	spew(dir_of($root, $bridge) . '/driver_override', "none\n");
	like(export('proxmox', '--force', $member), qr/,pcie=1,driver=keep\n/, 'proxmox: but not one with the override of a claim');
	like($complaints, qr/driver=keep leaves the drivers as they are/, 'and says what that is');
	like(export('proxmox-mapping', '--force', $member), qr/mapping=vfio_\w+,pcie=1,driver=keep\n/, 'proxmox-mapping: likewise');
	proxmox_takes(export('proxmox', '--force', $member) =~ s/-- exit.*//sr, 'driver=keep');
}
machine('sriov', '0000:01:02.0');
bind_to($root, 'mlx5_vfio_pci', '0000:01:02.1');
is(export('proxmox'), "hostpci0: 0000:01:02.0;0000:01:02.1;0000:01:02.3,pcie=1,driver=keep\n-- exit 0\n", 'proxmox: nor one with a variant driver');

# A VF token: for VFs of a PF that a vfio driver has, and for that PF.
machine('sriov', '0000:01:02.0', '0000:01:02.1');
lacks(export('qemu'), qr/vf-token/, 'VFs of a PF of the host need no token');
is($complaints, '', 'and nothing is said of one');
my $pf = readlink(dir_of($root, '0000:01:02.0') . '/physfn') =~ s{.*/}{}r;
spew(dir_of($root, $pf) . '/sriov_numvfs', "2\n");
lacks(export('qemu', '--force', $pf), qr/vf-token/, 'nor does that PF');
bind_to($root, 'vfio-pci', $pf);
my $token = '7666696f-0000-8000-8000-000000000' . join '', $pf =~ /0(\d):00\.(\d)/ ? "${1}0$2" : '';
my $tokens = export('qemu');
is(join(' ', $tokens =~ /,vf-token=(\S+)/g), join(' ', ($token) x 4), 'a PF of vfio-pci shares one with its VFs');
like($token, qr/\A\w{8}(-\w{4}){3}-\w{12}\z/, 'which is a UUID');
like($complaints, qr/\Avfio-boot: $pf and its VFs share a VF token, which QEMU knows from 8\.1 on.*\n\z/, 'and that is said once');
like(export('qemu', '01:02.0'), qr/,vf-token=$token\n/, 'by itself each has the same');
newer_takes($tokens =~ s/-- exit.*//sr, 'with tokens');
for (grep { !/qemu|udev/ } @formats) {
	like(export($_), qr/-- exit 0\n\z/, "$_: has no word for a token");
	like($complaints, qr/0000:01:02\.1 needs the VF token of $pf, which $_ cannot express \(qemu can\)/, 'and that is said');
}
export('udev');
is($complaints, '', 'udev: needs none');
spew(dir_of($root, $pf) . '/sriov_numvfs', "0\n");
lacks(export('qemu', $pf), qr/vf-token/, 'a PF without VFs needs none');

# udev reads the rules, and they hold for the group of the device alone.
machine('twin-gpus', '0000:0b:00.0', '0000:0b:00.1');
for my $case (['0b:00', 'has its permissions'], ['--force 0a:00', 'leaves another group alone']) {
	my $said = udev_says(export('udev', split / /, $case->[0]) =~ s/-- exit.*//sr);
	lacks($said, qr/70-vfio\.rules:\d+ (?!GROUP|MODE)/, "$case->[0]: udev reads the rules") or diag($said);
	is($said =~ /^\s*PERMITTED=yes$/m ? 'yes' : 'no', $case->[0] =~ /0b/ ? 'yes' : 'no', "and $case->[1]") or diag($said);
}
like(udev_says(qq(SUBSYSTEM=="net", RUBBISH=="1"\n)), qr/70-vfio\.rules:1 Invalid/, 'and would tell of others');
like(export('udev'), qr/^#   \@kvm - memlock unlimited$/m, 'udev: the limit of locked memory');
{
	my $said = udev_says(export('udev', '--iommufd') =~ s/-- exit.*//sr);
	lacks($said, qr/70-vfio\.rules:/, '--iommufd: udev reads the rules');
}

# Two devices with one ID in one group, of which KubeVirt has the last.
machine('twin-gpus', '0000:0b:00.0', '0000:0b:00.1');
add_function('0000:0b:00.2', '0000:0b:00.0', 'pci:v000010DEd00001AEFsv00001458sd00004043bc04sc03i00');
bind_to($root, 'vfio-pci', '0000:0b:00.2');
is(join(' ', export('kubevirt') =~ /^# KubeVirt does not see (\S+): /mg), '0000:0b:00.1', 'kubevirt: one ID twice in a group');
lacks(export('kubevirt', '0b:00.0', '0b:00.2'), qr/does not see/, 'but not where it is once');

# --- the words of QEMU in the shells that people type into

{
	my $words = export('qemu', '0b:00') =~ s/\n.*//sr;
	my $as_printed = join '', map { "<$_>\n" } split / /, $words;
	spew("$root.words", "$words\n");
	for (map { [$_, "\$(cat $root.words)"] } qw(dash bash zsh)) {
		is(scalar qx($_->[0] -c 'printf "<%s>\\n" $words'), $as_printed, "$_->[0]: they can be typed as they are");
		is(scalar qx($_->[0] -c 'printf "<%s>\\n" $_->[1]'), $as_printed, "$_->[0]: and put in");
	}
	is(scalar qx(fish -c 'printf "<%s>\\n" $words'), $as_printed, 'fish: they can be typed as they are');
	is(scalar qx(fish -c 'printf "<%s>\\n" (cat $root.words | string split " ")'), $as_printed, 'fish: and put in, as doc/qemu.md says');
}

# --- two exports in one guest

machine('twin-gpus', '0000:0b:00.0', '0000:0b:00.1');

{
	my ($one, $other) = map { export('qemu', '--iommufd', '--force', $_) =~ s/\n.*//sr } '0a:00', '0b:00';
	my %id;
	my @twice = grep { $id{$_}++ } "$one $other" =~ /\bid=([^ ,]+)/g;
	is("@twice", '', '--iommufd: each export has an object of its own');
	is(scalar(grep { /^vfio-iommu-/ } keys %id), 2, 'and there are two');
	($one, $other) = map { export('qemu', '--force', $_) =~ s/\n.*//sr } '0b:00.0', '0b:00.1';
	composes("$one $other", 'two functions of a card');
	# A domain for each card is common where there is no firmware of a PC.
	add_function('0001:0b:00.0', '0000:0b:00.0', 'pci:v000010DEd00002204sv00001458sd00004043bc03sc00i00');
	($one, $other) = map { export('qemu', '--force', $_) =~ s/\n.*//sr } '0000:0b:00', '0001:0b:00';
	like($other, qr/id=vfio-port-0001-0b-00\.0,chassis=11,slot=512 .*,id=vfio-0001-0b-00\.0,/, 'another domain is in the names');
	composes("$one $other", 'two domains');
}

# --- every card of every fixture, alone and together

# What several exports print can be used for one guest. Nothing of all of them together is there twice, so nothing of two.
sub compose {
	my ($name, @words) = @_;
	my (%there, @twice);
	push @twice, grep { $there{$_}++ } /\bid=([^ ,]+)/g, /(chassis=\d+,slot=\d+)/g for @words;
	is("@twice", '', "$name: ids and ports of " . @words . ' exports are there once');
	composes("@words", $name);
}

my ($cards, $functions, $pairs, %incus) = (0, 0, 0);
for my $fixture (map { m{([^/]+)$} } glob 'tests/fixtures/*') {
	machine($fixture);
	my @devices = grep { -e dir_of($root, $_) . '/iommu_group' && slurp(dir_of($root, $_) . '/modalias') !~ /bc06sc0[0479]/ }
		map { m{([^/]+)$} } glob "$root/sys/bus/pci/devices/*";
	my (%slot, @cards);
	for (@devices) {
		my $slot = readlink("$root/sys/bus/pci/devices/$_") =~ m{pci[^/]+/[^/]+\z} ? $_ : s/\.\d\z//r;
		push @cards, $slot if !$slot{$slot}++;
	}
	next if !@cards;
	my %text;
	for my $card (@cards) {
		for ('qemu', 'qemu --iommufd', 'libvirt') {
			next if $card =~ /^\w{5}/ && $_ eq 'libvirt'; # which has no word for such a domain
			my $out = export(split(/ /), '--force', $card);
			$out =~ s/-- exit 0\n\z// or fail("$fixture: $_ $card"), next;
			chomp $out if /qemu/;
			push @{ $text{$_} }, $out;
		}
	}
	compose($fixture, @{ $text{qemu} });
	qemu_takes(join(' ', reverse @{ $text{qemu} }), "$fixture, the other way round");
	compose("$fixture, each function for itself", map { export('qemu', '--force', $_) =~ s/\n.*//sr } @devices) if @devices > @cards;
	newer_takes(join(' ', @{ $text{'qemu --iommufd'} }), "$fixture, --iommufd");
	my ($places, $ports) = libvirt_places(join('', @{ $text{libvirt} }), $fixture);
	cmp_ok($ports, '<=', @$places + 3, "$fixture: and needs no more root ports than that") or diag($ports);
	libvirt_takes(join('', @{ $text{libvirt} }), $fixture);
	my @near = grep { !/^\w{5}/ } @cards;
	my %all = map { $_ => export($_, '--force', @near) =~ s/-- exit 0\n\z//r } grep { !/qemu|libvirt/ } @formats;
	proxmox_takes($all{proxmox}, $fixture);
	proxmox_maps($all{'proxmox-mapping'}, $fixture);
	$incus{$_} = 1 for $all{incus} =~ /^(incus .*)$/mg;
	kubevirt_takes($all{kubevirt}, $fixture);
	nova_takes($all{nova}, $fixture);
	is(join(' ', map { @$_ > 0 } yaml_of($all{kubevirt}), json_of($all{nova}, 'alias')), '1 1', 'and there are some');
	like($all{udev}, qr/^SUBSYSTEM=="vfio"/m, "$fixture: rules");
	$cards += @cards;
	$functions += @devices;
	$pairs += @cards * (@cards - 1) / 2;
}
# A name is that of one address, on whatever machine.
my @commands = sort keys %incus;
is(incus_says(@commands), join('', map { (/INSTANCE (\S+) /)[0] =~ s/(.*)/Device $1 added to default\n/r } @commands), 'Incus takes each device') or diag(slurp("$root.err"));
is(incus_says('incus config device add INSTANCE a pci address=0000:0b:00.10'), '', 'it would refuse another');
like(slurp("$root.err"), qr/Invalid PCI address/, 'and say so');
cmp_ok($pairs, '>=', 358, "$cards cards of $functions functions, $pairs pairs of cards");

my ($places) = do {
	machine('twin-gpus');
	libvirt_places(export('libvirt', '--force', '--bus', 5, '0a:00') =~ s/-- exit.*//sr . export('libvirt', '--force', '--bus', 6, '0b:00') =~ s/-- exit.*//sr, '--bus');
};
is("@$places", '0x05 0x05 0x06 0x06', 'libvirt: two cards in one piece each');

# --- domains above ffff

machine('vmd', '0000:00:0e.0');
like(export('qemu'), qr/host=0000:00:0e\.0,.*-- exit 0/s, 'what is behind VMD goes with it');
machine('vmd', '10000:e1:00.0');
refuses([$_], qr/10000:e1:00\.0 can only be used through 0000:00:0e\.0\n.*0000:00:0e\.0 of its group is bound to vmd/, "$_: a disk behind VMD") for @formats;
for (qw(libvirt proxmox proxmox-mapping nova incus)) {
	refuses([$_, '--force'], qr/10000:e1:00\.0: $_ cannot express a domain above ffff \(qemu, kubevirt and udev can\)/, "$_: a domain that it has no room for");
}
my $far = export('qemu', '--force');
like($far, qr{vfio-pci,sysfsdev=/sys/bus/pci/devices/10000:e1:00\.0,id=vfio-10000-e1-00\.0,bus=}, 'qemu: by its path');
qemu_knows($far, 'by its path');
like(export('kubevirt', '--force'), qr/"1344:5425"/, 'kubevirt: by its ID');

# --- many

machine('twin-gpus');
my $bus = sub { sprintf '0000:%02x:00.0', 0x20 + $_[0] };
sub add_bus {
	my ($address) = @_;
	my $dir = "sys/devices/pci0000:00/0000:00:03.1/$address";
	spew("$root/$dir/modalias", "pci:v00008086d000010D3sv00000000sd00000000bc02sc00i00\n");
	symlink "../../../devices/pci0000:00/0000:00:03.1/$address", "$root/sys/bus/pci/devices/$address";
	my $group = 100 + hex substr $address, 5, 2;
	symlink "../../../../kernel/iommu_groups/$group", "$root/$dir/iommu_group";
	make_path("$root/sys/kernel/iommu_groups/$group/devices");
	symlink "../../../../devices/pci0000:00/0000:00:03.1/$address", "$root/sys/kernel/iommu_groups/$group/devices/$address";
	bind_to($root, 'vfio-pci', $address);
}
add_bus($bus->($_)) for 1 .. 16;
like(export('proxmox'), qr/^hostpci15: 0000:30:00,pcie=1\n-- exit 0/m, 'proxmox: 16 cards');
add_bus($bus->($_)) for 17 .. 28;
refuses(['proxmox', '--force'], qr/28 cards are more than 16/, 'proxmox: more than there are lines for');
my $full = export('qemu');
qemu_takes($full, '28 cards');
add_bus($bus->(29));
refuses(['qemu', '--force'], qr/29 cards are more than 28, what the root bus/, 'qemu: more than fit');
like(export('nova'), qr/-- exit 0/, 'nova: as many as there are');

# --- names are not to be trusted

machine('twin-gpus', '0000:0b:00.0', '0000:0b:00.1');
my $odd = 'build/export.ids';
spew($odd, "10de  Evil -->\x01\x7f<hostdev/> & <!-- Corp\n\t2204  B\xc3\xbc--->-\n");
{
	my $xml = qx(unshare --map-root-user --mount sh -c 'mount --bind $odd /usr/share/misc/pci.ids && exec build/vfio-boot export libvirt --sysroot $root' 2>$root.err);
	is($?, 0, 'a database of names that lies') or diag(slurp("$root.err"));
	like($xml, qr/Evil -\?>\?\?<hostdev\/> & <!-\? Corp B\?\?-\?-?>?/, 'what would end a comment is a question mark');
	libvirt_takes($xml, 'such names');
	my $elements = () = $xml =~ s/<!--.*?-->//sgr =~ /<hostdev /g;
	is($elements, 2, 'and there is no more than the two devices');
}

if (Test::More->builder->is_passing) {
	remove_tree($root);
	unlink $odd, map { "$root.$_" } qw(err xml words incus);
}
done_testing();
