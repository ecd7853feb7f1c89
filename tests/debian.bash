# Fresh systems of Debian in a chroot, for what has to work where nothing was installed by hand. As root, with debootstrap.
# MIG_TEST_DEBIAN=DIR has such systems already, DIR/bookworm.base, and is where new ones are kept; else they are made in
# the caller's folder. They are copied before they are used.
# shellcheck shell=bash disable=SC2016

debian_needs() { # WHO: ends with 77 or 78 where it cannot be done
  ((EUID == 0)) || { echo "$1: needs root, for debootstrap and chroot" >&2 && exit 77; }
  command -v debootstrap >/dev/null || { echo "$1: type: apt-get install debootstrap" >&2 && exit 78; }
}

debian_copy() { # SUITE ROOT: a fresh system, whose package lists are there
  local base=${MIG_TEST_DEBIAN:-${2%/*}}/$1.base
  [[ -e $base/bin/sh ]] || debootstrap --variant=minbase "$1" "$base"
  cp -a --reflink=auto "$base" "$2"
  cp /etc/resolv.conf /etc/hosts "$2/etc/"
  mkdir -p "$2/usr/local/share/ca-certificates" # whom this machine trusts besides
  cp -r /usr/local/share/ca-certificates/. "$2/usr/local/share/ca-certificates/" 2>/dev/null || true
  debian_inside "$2" apt-get -qq update
}

# debian_inside ROOT [NAME=VALUE…] COMMAND…: in there, with /dev and /proc, and the network of this machine.
debian_inside() {
  unshare -m -p -f --mount-proc=/proc bash -c '
    root=$1
    shift
    mount --make-rprivate /
    mount --bind "$root" "$root" # so that it can be mounted upon, which tests do
    mount --rbind /dev "$root/dev"
    mount --make-rslave "$root/dev"
    mount -t proc proc "$root/proc"
    exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive ${NODE_EXTRA_CA_CERTS+"NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS"} \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"' - "$@"
}
