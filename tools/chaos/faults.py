"""What is done to nodes: signals, system calls that fail, full disks, wrong clocks, lost files."""

import glob
import os
import random
import shutil
import subprocess
import time

from paths import Failed, wait_until

FAKETIME_PATTERNS = ("/usr/lib/*/faketime/libfaketimeMT.so.1",
                     "/usr/lib/faketime/libfaketimeMT.so.1")
DISK_MEGABYTES = 64


def faketime_library():
    return next((path for pattern in FAKETIME_PATTERNS for path in sorted(glob.glob(pattern))), None)


# What scenarios may need, what tells whether it is there, and what brings it.
NEEDS = {
    "root": (lambda: os.geteuid() == 0, "run as root"),
    "ip": (lambda: shutil.which("ip") is not None, "apt-get install iproute2"),
    "mount": (lambda: shutil.which("mount") is not None, "apt-get install mount"),
    "strace": (lambda: shutil.which("strace") is not None, "apt-get install strace"),
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


class Faults:
    """Carries out the steps of a scenario on its network."""

    def __init__(self, network, wiring, votes, seed, victim):
        self.network, self.wiring, self.votes = network, wiring, votes
        self.random = random.Random(f"{seed}/faults")
        self.victim = victim
        self.disks, self.clocks, self.tracers = {}, {}, []
        self.notes = []

    # Whom it is about.

    def numbers(self, value):
        """Nodes as a scenario names them: a number, a list, `victim`, `others`, `all`, `leader`."""
        if isinstance(value, list):
            return sorted({number for entry in value for number in self.numbers(entry)})
        if isinstance(value, int):
            return [value]
        everybody = [node.index for node in self.network.nodes]
        if value == "victim":
            return [self.victim]
        if value == "others":
            return [number for number in everybody if number != self.victim]
        if value == "leader":
            return [self.leader()]
        if value == "all":
            return everybody
        raise Failed(f"a scenario names the node {value!r}")

    def nodes(self, value):
        return [self.network.nodes[number] for number in self.numbers(value)]

    def leader(self):
        """Who proposed the newest block."""
        client = self.network.nodes[0].client()
        height = client.call("node_status")["finalizedHeight"]
        return client.call("block_get", height=height)["proposer"]

    # Before the start.

    def prepare(self, wants):
        node = self.network.nodes[self.victim]
        if "disk" in wants:
            self.disks[self.victim] = Disk(node)
        if "clock" in wants:
            self.clocks[self.victim] = Clock(node, self.network.folder)

    # Steps.

    def step(self, step):
        step = {name: value for name, value in step.items() if name != "at"}
        getattr(self, "do_" + step.pop("do").replace("-", "_"))(**step)

    def do_kill(self, node):
        # All at once: the processes are gone before any of them is waited for.
        nodes = self.nodes(node)
        for one in nodes:
            one.expected = one.expected or "kill"
            one.signal(9)
        for one in nodes:
            one.kill()

    def do_start(self, node):
        for one in self.nodes(node):
            one.start()

    def do_pause(self, node):
        for one in self.nodes(node):
            self.notes.append(f"paused {one.index}")
            one.pause()

    def do_resume(self, node):
        for one in self.nodes(node):
            one.resume()

    def do_cut(self, one, other):
        self.wiring.cut(self.numbers(one), self.numbers(other))

    def do_mend(self):
        self.wiring.heal()

    def do_flap(self, one, other, times, seconds):
        """Cuts and mends again and again, for times drawn from the seed."""
        for _ in range(times):
            self.do_cut(one, other)
            time.sleep(seconds * (0.5 + self.random.random()))
            self.do_mend()
            time.sleep(seconds * (0.5 + self.random.random()))

    def do_disturb(self, rule, source="all", target="all"):
        self.wiring.disturb(self.numbers(source), self.numbers(target), rule)

    def do_clock(self, text):
        self.clocks[self.victim].set(text)

    def do_fill(self):
        self.disks[self.victim].fill()

    def do_free(self):
        self.disks[self.victim].free()

    def do_inject(self, calls, error, when, files=(None,)):
        """From a call on, whose number is drawn from the pair `when`, all of a thread fail; where
        `files` are given, those on the files of one of these patterns."""
        number, pattern = self.random.randint(*when), self.random.choice(files)
        self.notes.append(f"{error} from {calls} number {number} on {pattern or 'any file'} of "
                          f"node {self.victim}")
        self.tracers.append(Tracer(
            self.network.nodes[self.victim], calls, error, f"{number}+", pattern))

    def do_await_exit(self, seconds, code):
        """Waits until the victim has ended by itself, as it must."""
        node = self.network.nodes[self.victim]
        wait_until(lambda: not node.runs(), seconds, f"node {node.index} stops by itself")
        if node.exits[-1][0] != code:
            raise Failed(f"node {node.index} ended with {node.exits[-1][0]}, {code} was expected")

    def do_crash_at_calls(self, calls, when, times):
        """Starts the victim again and again under strace, which kills it at a call whose number is
        drawn from the seed."""
        node = self.network.nodes[self.victim]
        node.kill()
        for _ in range(times):
            number, name = self.random.randint(*when), self.random.choice(calls)
            self.notes.append(f"killed at {name} {number}")
            node.prefix = ["strace", "-f", "-qq", "-o", node.log + ".strace", "-e",
                           f"trace={name}", "-e", f"inject={name}:signal=SIGKILL:when={number}"]
            node.start()
            deadline = time.monotonic() + 3
            while node.runs() and time.monotonic() < deadline:
                time.sleep(0.02)
            if node.runs():
                self.notes.append("not reached")
                node.kill()
            self.votes.read()
        node.prefix = []

    def do_lose(self, what):
        """The victim is killed and loses folders: its key must stay silent from then on."""
        node = self.network.nodes[self.victim]
        node.kill()
        self.votes.read()
        views = [status["view"] for other in self.network.nodes
                 if other is not node and (status := other.status())]
        self.votes.lost(self.victim, max(views, default=0) + 1)
        for name in what:
            shutil.rmtree(node.path(name))
        if "data" in what:
            node.life += 1

    # The end of all faults.

    def heal(self):
        """Everything works again, and every node runs or was started a moment ago."""
        self.release()
        if hasattr(self.wiring, "heal"):
            answer = self.wiring.heal()
            if isinstance(answer, dict) and answer:
                self.notes.append(", ".join(f"{n} {what}" for what, n in sorted(answer.items())))
        for clock in self.clocks.values():
            clock.set("+0")
        for node in self.network.nodes:
            if node.paused:
                node.resume()
            if not node.runs():
                node.start()

    def release(self):
        """No call fails any more, and no disk is full."""
        for tracer in self.tracers:
            tracer.close()
        self.tracers = []
        for disk in self.disks.values():
            disk.free()

    def close(self):
        for one in (*self.disks.values(), *self.clocks.values()):
            one.close()
