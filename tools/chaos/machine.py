"""What this machine can do to a node: a small disk, a clock of its own, system calls that fail."""

import glob
import os
import shutil
import subprocess

from paths import Failed

FAKETIME_PATTERNS = ("/usr/lib/*/faketime/libfaketimeMT.so.1",
                     "/usr/lib/faketime/libfaketimeMT.so.1")
DISK_MEGABYTES = 64


def faketime_library():
    return next((path for pattern in FAKETIME_PATTERNS for path in sorted(glob.glob(pattern))), None)


def living_in(group):
    """Processes of a process group that haven't ended."""
    found = []
    for entry in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(entry, encoding="ascii", errors="replace") as file:
                number, _, rest = file.read().partition(" (")
            state, _, its_group = rest.rpartition(") ")[2].split()[:3]
            # The first thread of a process may have ended while others wait for the disk.
            threads = len(os.listdir(os.path.join(os.path.dirname(entry), "task")))
        except OSError:
            continue  # it ended meanwhile
        if int(its_group) == group and (state not in "ZX" or threads > 1):
            found.append(int(number))
    return found


def may_attach():
    """Whether a process may be traced by one that isn't its parent."""
    try:
        with open("/proc/sys/kernel/yama/ptrace_scope", encoding="ascii") as file:
            return os.geteuid() == 0 or file.read().strip() == "0"
    except FileNotFoundError:
        return True


# What scenarios may need, what tells whether it is there, and what brings it.
NEEDS = {
    "root": (lambda: os.geteuid() == 0, "run as root"),
    "ip": (lambda: shutil.which("ip") is not None, "apt-get install iproute2"),
    "mount": (lambda: shutil.which("mount") is not None, "apt-get install mount"),
    "strace": (lambda: shutil.which("strace") is not None, "apt-get install strace"),
    "attach": (may_attach, "run as root, or set kernel.yama.ptrace_scope to 0"),
    "faketime": (lambda: faketime_library() is not None, "apt-get install libfaketime"),
}


def missing(needs):
    """Why a scenario can't run here; empty if it can."""
    return [f"{need} ({NEEDS[need][1]})" for need in needs if not NEEDS[need][0]()]


class Disk:
    """A small file system for one node's home, to be filled and emptied."""

    def __init__(self, node):
        self.node = node
        self.ballast = node.path("ballast")
        kept = node.home + ".kept"
        os.rename(node.home, kept)
        os.mkdir(node.home, 0o700)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m,mode=700", "offpeak-chaos",
             node.home], capture_output=True, text=True, timeout=20)
        if done.returncode != 0:
            raise Failed(f"no small disk: {done.stderr.strip()}")
        shutil.copytree(kept, node.home, dirs_exist_ok=True)

    def fill(self):
        block = bytes(1 << 16)
        with open(self.ballast, "ab", buffering=0) as file:
            try:
                while True:
                    file.write(block)
            except OSError:
                pass
            try:
                while True:
                    file.write(b"\0")
            except OSError:
                pass

    def free(self):
        if os.path.exists(self.ballast):
            os.remove(self.ballast)

    def close(self):
        """Takes what the node wrote out of the small disk, and unmounts it."""
        kept = self.node.home + ".kept"
        self.free()
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self.node.home, kept)
        subprocess.run(["umount", "-l", self.node.home], capture_output=True, timeout=20,
                       check=False)
        os.rmdir(self.node.home)
        os.rename(kept, self.node.home)


class Clock:
    """A node's own wall clock; timers go on as they were."""

    def __init__(self, node, folder):
        self.node = node
        self.file = os.path.join(folder, f"clock{node.index}")
        self.set("+0")
        node.environment.update({
            "LD_PRELOAD": faketime_library(), "FAKETIME_TIMESTAMP_FILE": self.file,
            "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "DONT_FAKE_MONOTONIC": "1"})
        # The first process with the library changes its environment before `main`, and a Swift
        # program then doesn't find its arguments: let that process be another, which becomes it.
        node.prefix = ["env"]

    def close(self):
        """Removes what the library leaves of processes that were killed."""
        for name in glob.glob("/dev/shm/*faketime*"):
            if name.rpartition("_")[2] in map(str, self.node.pids):
                os.remove(name)

    def set(self, text):
        """`+3600` is an hour ahead, `+0 x1.05` runs faster by a twentieth."""
        with open(self.file + ".new", "w", encoding="ascii") as file:
            file.write(text + "\n")
        os.replace(self.file + ".new", self.file)


class Tracer:
    """strace on a running node: some of its system calls fail from now on, all of them or those
    on the files of a pattern."""

    def __init__(self, node, calls, error, when, pattern=None):
        files = sorted(glob.glob(node.path(pattern))) if pattern else []
        self.process = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", node.log + ".strace", "-p", str(node.process.pid),
             "-e", f"trace={calls}", "-e", f"inject={calls}:error={error}:when={when}",
             *(word for file in files for word in ("-P", file))],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True)

    def close(self):
        self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
