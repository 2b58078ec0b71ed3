#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# vfio-boot collect: prints this machine as a fixture (see tests/fixture), for a bug
# report. Where vfio-boot is not installed:
#
#   sh src/host/collect.sh >my-machine
#
# It reads what vfio-boot reads, installs and changes nothing, and needs no
# root; without it the kernel shows only zeros in /proc/iomem. What would tell
# about its owner stays out: serial numbers, MAC addresses, host and user
# names, UUIDs, comments, all of the command line but the words that matter.
# With a directory as argument that one stands for /.

set -eu
export LC_ALL=C
cd "${1:-/}"

# One process for all links, or all files, of a kind: a process for each would
# take minutes on a big machine. Names below /sys have no spaces.
# shellcheck disable=SC2012
links() { ls -ld "$@" 2>/dev/null | sed -n 's/^l.* \([^ ]*\) -> \(.*\)$/l \1 \2/p'; }
texts() { grep '' /dev/null "$@" 2>/dev/null | sed 's/^/t /'; }
bytes() {
	for file; do
		[ -f "$file" ] || continue
		echo "b $file"
		od -An -v -tx1 "$file" 2>/dev/null | sed 's/^/h/'
	done
}
exists() {
	for file; do
		[ ! -e "$file" ] || echo "e $file"
	done
}

{
	exists sys/bus/pci/drivers/* sys/kernel/iommu_groups sys/firmware/acpi/tables/DMAR \
		sys/firmware/acpi/tables/IVRS sys/firmware/acpi/tables/IORT \
		sys/firmware/acpi/tables/VIOT proc/vmcore
	links sys/bus/pci/devices/* sys/class/block/* sys/class/net/* sys/fs/btrfs/*/devices/* \
		sys/class/drm/card*-* sys/class/sound/card* sys/bus/usb/devices/*-*
	links sys/bus/pci/devices/*/driver sys/bus/pci/devices/*/iommu_group \
		sys/bus/pci/devices/*/physfn sys/bus/pci/devices/*/virtfn* \
		sys/bus/pci/drivers/*/module sys/module/*/drivers/pci:* \
		sys/kernel/iommu_groups/*/devices/* sys/class/block/*/holders/*
	texts sys/bus/pci/devices/*/modalias sys/bus/pci/devices/*/driver_override \
		sys/bus/pci/devices/*/boot_vga sys/bus/pci/devices/*/sriov_[!s]* sys/bus/pci/devices/*/sriov_stride
	texts sys/bus/pci/devices/*/resource sys/bus/pci/devices/*/drm/*/boot_display
	# What people choose by; an EDID has a serial number.
	texts sys/class/block/*/size sys/class/block/*/device/model sys/class/block/*/device/vendor sys/class/net/*/carrier \
		sys/class/drm/card*-*/status sys/class/sound/card*/id sys/bus/usb/devices/*-*/bDeviceClass \
		sys/bus/usb/devices/*-*/manufacturer sys/bus/usb/devices/*-*/product sys/bus/usb/devices/*-*/idVendor \
		sys/bus/usb/devices/*-*/idProduct
	texts sys/kernel/iommu_groups/*/name sys/kernel/iommu_groups/*/reserved_regions \
		sys/module/vfio_pci/parameters/disable_denylist sys/class/net/*/flags sys/class/block/dm-*/dm/name \
		proc/mounts proc/swaps proc/iomem proc/sys/kernel/osrelease \
		lib/modules/*/modules.builtin
	grep '^alias vfio_pci:' /dev/null lib/modules/*/modules.alias 2>/dev/null | sed 's/^/t /' || :
	for directory in etc run usr/local/lib usr/lib lib; do
		[ -L "$directory" ] || grep 'disable_denylist' /dev/null "$directory"/modprobe.d/*.conf 2>/dev/null |
			sed 's/^/t /' || :
	done
	exists lib/modules/*/modules.builtin lib/modules/*/modules.alias
	bytes proc/cmdline etc/vfio-boot.conf etc/vfio-boot.conf.d/*.conf \
		var/lib/vfio-boot/protect run/vfio-boot/report sys/kernel/boot_params/data
} | awk '
# Input: e PATH (it exists), l PATH TARGET, t PATH:LINE of a text, b PATH and
# then h HEX... for a file that has to be kept byte by byte.

function escape(text) {
	gsub(/\\/, "\\\\", text)
	gsub(/\t/, "\\t", text)
	sub(/ $/, "\\x20", text)
	return text
}

function emit(type, path, rest) {
	if (!(path in type_of))
		order[++count] = path
	type_of[path] = type
	rest_of[path] = rest
}

# sys/bus/pci/devices/A/x is reached through a link: a fixture needs the place
# that the link leads to.
function real(path,    part, head) {
	split(path, part, "/")
	head = part[1] "/" part[2] "/" part[3] "/" part[4]
	if (part[2] == "bus")
		head = head "/" part[5]
	if (!(head in place))
		return ""
	return place[head] substr(path, length(head) + 1)
}

# udev puts the MAC address into the name of some network interfaces.
function interface(name) {
	if (name ~ /[0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f][0-9a-f]$/) {
		if (!(name in renamed))
			renamed[name] = substr(name, 1, length(name) - 12) "-" ++interfaces
		return renamed[name]
	}
	return name
}

function base(path) {
	sub(/.*\//, "", path)
	return path
}

function link(path, target,    where, name, part) {
	if (path ~ /^sys\/class\/net\//) {
		if (target !~ /\/pci/)
			return
		name = base(path)
		sub(/[^\/]*$/, interface(name), target)
		where = target
		sub(/^(\.\.\/)+/, "sys/", where)
		place[path] = where
		emit("l", "sys/class/net/" interface(name), target)
	} else if (path ~ /^sys\/class\/block\/[^\/]*$/) {
		# Others lie below no PCI function.
		if (target !~ /\/pci|\/nvme-subsystem\//)
			return
		where = target
		sub(/^(\.\.\/)+/, "sys/", where)
		place[path] = where
		emit("l", path, target)
		emit("d", where "/holders")
	} else if (path ~ /^sys\/(class\/drm|class\/sound|bus\/usb\/devices)\//) {
		# Others are no device of a PCI function, or an interface of one.
		if (target !~ /\/pci/ || path ~ /:/)
			return
		where = target
		sub(/^(\.\.\/)+/, "sys/", where)
		place[path] = where
		emit("l", path, target)
	} else if (path ~ /^sys\/bus\/pci\/devices\/[^\/]*$/) {
		where = target
		sub(/^(\.\.\/)+/, "sys/", where)
		place[path] = where
		emit("l", path, target)
	} else if (path ~ /^sys\/(bus\/pci\/devices|class\/block)\//) {
		where = real(path)
		if (where != "")
			emit("l", where, target)
	} else if (path ~ /^sys\/fs\/btrfs\//) {
		# A number for the UUID.
		split(path, part, "/")
		if (!(part[4] in filesystem))
			filesystem[part[4]] = ++filesystems
		emit("l", "sys/fs/btrfs/" filesystem[part[4]] "/devices/" base(path), target)
	} else {
		if (path ~ /^sys\/bus\/pci\/drivers\//)
			wanted[plain(base(target))] = 1
		emit("l", path, target)
	}
}

# Module names mix - and _.
function plain(name) {
	sub(/\.ko.*$/, "", name)
	gsub(/-/, "_", name)
	return name
}

function append(path, line) {
	if (path in type_of)
		emit("f", path, rest_of[path] escape(line) "\\n")
	else
		emit("f", path, escape(line) "\\n")
}

# The device alone says whether a disk is in use; a mapped name often holds the
# name of the host, a mount point that of a person.
function disk(device) {
	if (device in mapped)
		device = mapped[device]
	return device ~ /^\/dev\/[a-z0-9-]+$/ && device !~ /^\/dev\/loop/ ? device : ""
}

function mount(line,    field) {
	split(line, field, " ")
	field[1] = disk(field[1])
	if (field[1] == "")
		return
	if (field[2] !~ /^\/(usr|var|home|boot|boot\/efi|efi)?$/)
		field[2] = "/mnt"
	append("proc/mounts", field[1] " " field[2] " " field[3] " rw 0 0")
}

function swap(line,    field) {
	split(line, field, " ")
	if (field[1] == "Filename")
		append("proc/swaps", "Filename\tType\tSize\tUsed\tPriority")
	else if (disk(field[1]) != "")
		append("proc/swaps", disk(field[1]) "\tpartition\t0\t0\t-2")
}

function text(line,    path, where) {
	path = line
	sub(/:.*/, "", path)
	# An address has colons of its own.
	while (path ~ /^sys\/bus\/pci\/devices\// && path !~ /\/[a-z_]*$/)
		path = path substr(line, length(path) + 1, 1) next_part(substr(line, length(path) + 2))
	line = substr(line, length(path) + 2)
	if (path ~ /^sys\/class\/block\/dm-/) {
		split(path, part, "/")
		mapped["/dev/mapper/" line] = "/dev/" part[4]
	} else if (path ~ /^sys\/(bus\/(pci|usb)\/devices|class\/(net|block|drm|sound))\//) {
		where = real(path)
		if (where ~ /\/resource$/ && !display[substr(path, 1, length(path) - 9)])
			return
		if (path ~ /\/modalias$/ && line ~ /bc03sc/)
			display[substr(path, 1, length(path) - 9)] = 1
		if (where != "")
			append(where, line)
	} else if (path == "proc/mounts")
		mount(line)
	else if (path == "proc/swaps")
		swap(line)
	else if (path == "proc/iomem") {
		# The names a firmware framebuffer has had in one kernel or another.
		if (line ~ /: (BOOTFB|efifb|vesafb|simplefb|simple-framebuffer)/)
			append(path, line)
	} else if (path ~ /\/reserved_regions$/) {
		if (line ~ / direct/)
			append(path, line)
	} else if (path ~ /\/modprobe\.d\//) {
		if (line ~ /^[ \t]*options[ \t]+vfio[-_]pci[ \t]/)
			append(path, "options vfio-pci " option(line))
	} else if (path ~ /\/modules\.builtin$/) {
		if (plain(base(line)) in wanted || line ~ /\/vfio/)
			append(path, line)
	} else
		append(path, line)
}

function option(line) {
	match(line, /disable_denylist[^ \t]*/)
	return substr(line, RSTART, RLENGTH)
}

function next_part(rest) {
	sub(/:.*/, "", rest)
	return rest
}

# The words of the command line that the programs look at, by the rules of the
# kernel: quotes toggle anywhere.
function command_line(hex,    n, byte, i, c, word, name, quoted, out) {
	n = split(hex, byte, " ")
	byte[n + 1] = "20"
	for (i = 1; i <= n + 1; i++) {
		c = char(byte[i])
		if (c == "\"")
			quoted = !quoted
		if (i <= n && (quoted || c !~ /^( |\\n|\\t)$/)) {
			word = word c
			continue
		}
		name = word
		gsub(/"/, "", name)
		if (name ~ /^(vfio|iommu|intel_iommu|amd_iommu|amd_iommu_intr|arm-smmu|arm_smmu|pcie_acs_override|systemd\.unit=|boot=live$)/ || name ~ /^(single|rescue|emergency|--)$/)
			out = out (out == "" ? "" : " ") word
		word = ""
	}
	sub(/(^| )--$/, "", out)
	return out "\\n"
}

function char(hex) {
	if (hex == "0a") return "\\n"
	if (hex == "09") return "\\t"
	if (hex == "5c") return "\\\\"
	if (hex >= "20" && hex < "7f") return ascii[hex]
	return "\\x" hex
}

# The screen comes first. Behind it is what may tell one machine from another.
function screen(hex,    n, byte, i, out) {
	n = split(hex, byte, " ")
	for (i = 1; i <= n && i <= 64; i++)
		out = out char(byte[i])
	sub(/ $/, "\\x20", out)
	return out
}

# Comments may say anything; the lines have to keep their numbers.
function settings(hex,    n, byte, i, c, comment, out) {
	n = split(hex, byte, " ")
	for (i = 1; i <= n; i++) {
		c = char(byte[i])
		if (c == "\\n")
			comment = 0
		if (!comment)
			out = out c
		if (c == "#")
			comment = 1
	}
	sub(/ $/, "\\x20", out)
	return out
}

function end_of_bytes() {
	if (file == "proc/cmdline")
		emit("f", file, command_line(hex))
	else if (file == "sys/kernel/boot_params/data")
		emit("f", file, screen(hex))
	else if (file != "")
		emit("f", file, settings(hex))
	hex = file = ""
}

BEGIN {
	for (i = 32; i < 127; i++)
		ascii[sprintf("%02x", i)] = sprintf("%c", i)
}

/^e / {
	path = substr($0, 3)
	if (path ~ /^sys\/bus\/pci\/drivers\// || path ~ /iommu_groups$/) {
		wanted[plain(base(path))] = 1
		emit("d", path)
	} else if (!(path in type_of))
		emit("f", path, "")
}
/^l / { link($2, $3) }
/^t / { text(substr($0, 3)) }
/^b / { end_of_bytes(); file = substr($0, 3) }
/^h/ { hex = hex " " substr($0, 2) }

END {
	end_of_bytes()
	for (i = 1; i <= count; i++) {
		path = order[i]
		while (sub(/\/[^\/]*$/, "", path))
			parent[path] = 1
	}
	for (i = 1; i <= count; i++) {
		path = order[i]
		if (type_of[path] != "d" || !(path in parent))
			print type_of[path] " " path (rest_of[path] == "" ? "" : " " rest_of[path])
	}
}' | sort -t ' ' -k 2,2 || exit 3
