#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# dracut module: puts the claim program, its settings and the vfio modules into the image, and starts the claim before any
# driver: by a unit where systemd is in the image, which may have no shell, and else by a hook. An image build must never
# fail because of it: every fault is one warning.

# shellcheck disable=SC2154 # moddir, initdir, kernel, systemdsystemunitdir and others are set by dracut

# Each warning of image-files is one of dracut. What is behind the first word goes to it.
vfio_boot_files() {
    local line
    {
        "${dracutsysrootdir-}/usr/lib/vfio-boot/image-files" "$@" 2>&1 >&3 |
            while read -r line; do dwarn "${line#W: }"; done
    } 3>&1
}

# called by dracut
check() {
    local claim="${dracutsysrootdir-}/usr/lib/vfio-boot/vfio-boot-claim"

    [[ ${mount_needs-} ]] && return 1
    [[ -x $claim && -x ${claim%/*}/image-files ]] && return 0
    dwarn "vfio-boot: $claim is not there: nothing will be claimed at boot"
    return 1
}

# called by dracut
installkernel() {
    # instmods leaves out of a host-only image what is not loaded now.
    # shellcheck disable=SC2046 # names of modules
    hostonly='' instmods $(vfio_boot_files modules "$kernel" "${srcmods-}")
}

# A unit, with a link in the folder of each that wants it.
vfio_boot_unit() { # UNIT [WANTED-BY...]
    local unit=$1 by

    shift
    mkdir -p "$initdir$systemdsystemunitdir"
    cp "${dracutsysrootdir-}/usr/lib/vfio-boot/initrd/$unit" "$initdir$systemdsystemunitdir/$unit" ||
        dwarn "vfio-boot: cannot copy $unit"
    for by; do
        mkdir -p "$initdir$systemdsystemunitdir/$by.wants"
        ln -sfn "../$unit" "$initdir$systemdsystemunitdir/$by.wants/$unit"
    done
}

# called by dracut
install() {
    vfio_boot_files copy "$initdir" "$kernel" "${dracutsysrootdir-}"
    inst_multiple modprobe
    if dracut_module_included "systemd"; then
        vfio_boot_unit vfio-boot-claim.service sysinit.target systemd-udevd.service
        vfio_boot_unit vfio-boot-second-look.service initrd-root-fs.target
        vfio_boot_unit vfio-boot-root-missing.timer sysinit.target
        vfio_boot_unit vfio-boot-root-missing.service
    else
        inst_hook cmdline 00 "$moddir/vfio-boot-claim.sh"
        inst_hook initqueue/settled 90 "$moddir/vfio-boot-root-missing.sh"
        inst_hook pre-mount 00 "$moddir/vfio-boot-second-look.sh"
    fi
    # The claim reads the command line that the kernel got.
    [[ " ${kernel_cmdline-}" != *[\ \"]vfio[.-]* ]] ||
        dwarn "vfio-boot: settings in dracut's kernel_cmdline have no effect (write them to /etc/vfio-boot.conf)"
    return 0
}
