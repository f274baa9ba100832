"""A Debian of its own with systemd as its first process, in namespaces of this machine; only the network is shared."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from fetching import mirror

_READY_S: Final = 90
_CGROUPS: Final = Path("/sys/fs/cgroup")
_NAMESPACES: Final = ("--mount", "--pid", "--ipc", "--uts", "--cgroup")
_APT: Final = ("/etc/apt/apt.conf.d", "/etc/apt/auth.conf.d")  # how this machine reaches its mirror
# What would touch the machine around it, or waits for what is not there.
_MASKED: Final = (
    *("systemd-networkd", "systemd-resolved", "systemd-timesyncd", "systemd-logind", "systemd-udevd", "console-getty"),
    *("apt-daily", "apt-daily-upgrade", "e2scrub_reap"),
)
_BOOT: Final = """
set -e
root=$1
hostname trial
mount --bind "$root" "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,ro,bind "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
if [ -e /sys/fs/cgroup/cgroup.procs ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
    mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
    mkdir "$root/sys/fs/cgroup/systemd" "$root/sys/fs/cgroup/unified"
    mount -t cgroup -o none,name=systemd,xattr cgroup "$root/sys/fs/cgroup/systemd"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified"
fi
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in null zero full random urandom tty; do
    touch "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
mkdir "$root/dev/shm" "$root/dev/pts" "$root/dev/mqueue" "$root/dev/hugepages"
mount -t tmpfs tmpfs "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t mqueue mqueue "$root/dev/mqueue"
mkdir -p "$root/old-root"
cd "$root"
pivot_root . old-root
umount -l /old-root
exec env -i container=trial PATH=/usr/sbin:/usr/bin /lib/systemd/systemd --system --unit=multi-user.target \
    --log-target=journal --show-status=no
"""


class TrialError(RuntimeError):
    """A step did not come out as it has to; the text says what was seen."""


@dataclass(slots=True)
class Machine:
    """A root file system, and what runs in it after ``boot``."""

    root: Path
    _outer: "subprocess.Popen[bytes] | None" = field(default=None)
    _first: int = 0  # its systemd, as this machine numbers it

    def run(self, script: str, *, may_fail: bool = False) -> str:
        """What a script says, inside; before ``boot`` in a plain chroot."""
        environment = ["env", "-i", "HOME=/root", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        environment += ["LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", "TERM=dumb"]
        environment += [f"{name}={value}" for name, value in os.environ.items() if name.endswith("_proxy")]
        shell = [*environment, "bash", "-c", f"cd /root; {script}"]
        if self._first:
            enter = ["nsenter", "-t", str(self._first), "-m", "-p", "-i", "-u", "-C", "-r", "-w"]
        else:
            enter = ["unshare", "--mount", "--pid", "--fork", "--mount-proc=" + str(self.root / "proc"), "chroot"]
            enter.append(str(self.root))
        done = subprocess.run(
            [*enter, *shell], check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode and not may_fail:
            raise TrialError(f"{script}\n{done.stdout.strip()[-2000:]}")
        return done.stdout

    def boot(self) -> None:
        """Start its systemd, and wait until everything that starts has started."""
        command = ["unshare", *_NAMESPACES, "--fork", "--kill-child=SIGKILL", "--propagation", "private"]
        self._outer = subprocess.Popen(
            [*command, "bash", "-c", _BOOT, "boot", str(self.root)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=_into_a_group_of_its_own,
        )
        until = time.monotonic() + _READY_S
        while time.monotonic() < until:
            children = Path(f"/proc/{self._outer.pid}/task/{self._outer.pid}/children").read_text("ascii").split()
            if children and Path(f"/proc/{children[0]}/comm").read_text("ascii").strip() == "systemd":
                self._first = int(children[0])
                if self.run("systemctl is-system-running", may_fail=True).strip() in ("running", "degraded"):
                    return
            time.sleep(0.2)
        raise TrialError("systemd did not come up")

    def halt(self) -> None:
        """End everything in it."""
        if self._outer is not None:
            if self._first:
                os.kill(self._first, signal.SIGKILL)
            self._outer.wait()
            self._outer, self._first = None, 0


def prepare(folder: Path, *, suite: str, packages: tuple[str, ...]) -> Path:
    """A fresh root file system with these packages; what it is copied from is made the first time and kept."""
    base, fresh = folder / f"{suite}-base", folder / f"{suite}-trial"
    if not (base / "finished").exists():
        shutil.rmtree(base, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
        private = ("unshare", "--mount", "--propagation", "private")
        wanted = "--include=python3,ca-certificates,procps"
        _do(*private, "debootstrap", "--variant=minbase", wanted, suite, str(base), mirror())
        for name in _APT:
            if Path(name).is_dir():
                shutil.copytree(name, base / name[1:], dirs_exist_ok=True)
        (base / "etc/apt/apt.conf.d/99trial").write_text('APT::Install-Recommends "false";\n', "utf-8")
        rule = base / "usr/sbin/policy-rc.d"
        rule.write_text("#!/bin/sh\nexit 101\n", "utf-8")
        rule.chmod(0o755)
        shutil.copyfile("/etc/resolv.conf", base / "etc/resolv.conf")
        machine = Machine(base)
        machine.run("apt-get -q update && apt-get -q -y install systemd systemd-sysv dbus " + " ".join(packages))
        rule.unlink()
        for unit in _MASKED:
            (base / f"etc/systemd/system/{unit}.service").symlink_to("/dev/null")
        (base / "etc/systemd/system/getty.target").symlink_to("/dev/null")
        (base / "finished").touch()
    if fresh.exists():
        shutil.rmtree(fresh)
    _do("cp", "-a", str(base), str(fresh))
    return fresh


def _into_a_group_of_its_own() -> None:
    """The new namespace of control groups begins where we are: nothing of this machine's is seen or changed."""
    places = [_CGROUPS] if (_CGROUPS / "cgroup.procs").exists() else [_CGROUPS / "systemd", _CGROUPS / "unified"]
    for place in places:
        group = place / "qiaomen-trial"
        group.mkdir(exist_ok=True)
        (group / "cgroup.procs").write_text(str(os.getpid()), "ascii")
    os.setsid()


def _do(*command: str) -> None:
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise TrialError(f"{' '.join(command)}\n{done.stdout.strip()[-2000:]}")
