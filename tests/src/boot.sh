#!/bin/sh
# Becomes systemd in a root of its own. Run in fresh namespaces:
#   unshare -m -p -u -i -n -C --fork --kill-child=SIGKILL sh boot.sh ROOT FOLDER
# ROOT is only read: all that is written goes to a tmpfs, which ends with the namespace. FOLDER/tree is laid over it.
# After pivot_root nothing of the machine can be reached, so that tmpfiles cannot empty its /tmp.
set -eu
root=$1 folder=$2
mount --make-rprivate /
mkdir -p "$folder/top" "$folder/new"
mount -t tmpfs -o mode=755 tmpfs "$folder/top"
mkdir "$folder/top/upper" "$folder/top/work"
mount -t overlay overlay -o "lowerdir=$root,upperdir=$folder/top/upper,workdir=$folder/top/work" "$folder/new"
new=$folder/new
cp -R "$folder/tree/." "$new/"
mount -t proc proc "$new/proc"
mount -t sysfs sysfs "$new/sys"
mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$new/run"
mount -t tmpfs -o mode=1777 tmpfs "$new/tmp"
mount -t tmpfs -o mode=755 tmpfs "$new/dev"
mknod -m 666 "$new/dev/null" c 1 3
mknod -m 666 "$new/dev/zero" c 1 5
mknod -m 666 "$new/dev/full" c 1 7
mknod -m 666 "$new/dev/random" c 1 8
mknod -m 666 "$new/dev/urandom" c 1 9
mknod -m 666 "$new/dev/tty" c 5 0
mkdir "$new/dev/pts" "$new/dev/shm" "$new/old"
mount -t devpts -o newinstance,ptmxmode=666 devpts "$new/dev/pts"
ln -s pts/ptmx "$new/dev/ptmx"
mount -t tmpfs -o mode=1777 tmpfs "$new/dev/shm"
cd "$new"
pivot_root . old
umount -l /old
rmdir /old
# Credentials are mounted into the units from here: that must propagate.
mount --make-rshared /
ip link set lo up
exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --log-target=console
