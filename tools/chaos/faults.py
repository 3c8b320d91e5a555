"""What is done to nodes, step by step: signals, lines, disks, clocks, system calls, lost files."""

import os
import random
import shutil
import subprocess
import time

from attack import Siege
from limits import Limits
from machine import Clock, Disk, Tracer
from nodes import FOREIGN_SIGNATURE
from paths import Failed, wait_until
from rpc import NoAnswer, Refusal

# How long it may take until a node finds that its key signed what its record lacks.
FORGET_SECONDS = 6


class Faults:
    """Carries out the steps of a scenario on its network."""

    BACKED_UP = ("data", "journal")

    def __init__(self, network, wiring, votes, seed, victim):
        self.network, self.wiring, self.votes = network, wiring, votes
        self.random = random.Random(f"{seed}/faults")
        self.victim = victim
        self.disks, self.clocks, self.tracers = {}, {}, []
        self.siege = Siege(network, seed)
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
        """Who proposed the newest block, as the first node tells that answers."""
        for node in self.network.nodes:
            try:
                client = node.client()
                height = client.call("chain_head")["height"]
                return client.call("block_get", height=height)["proposer"]
            except (NoAnswer, Refusal):
                continue
        raise Failed("no node tells who leads")

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

    def do_stand_still(self, seconds):
        """Nothing is finalized anywhere, as where no quorum can be reached."""
        before = [(node.status() or {}).get("finalizedHeight") for node in self.network.nodes]
        time.sleep(seconds)
        after = [(node.status() or {}).get("finalizedHeight") for node in self.network.nodes]
        if before != after:
            raise Failed(f"blocks became final without a quorum: {before}, then {after}")

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

    def do_clock(self, text, skew=None):
        """Sets the victim's clock; with `skew`, waits until it is that many seconds off."""
        self.clocks[self.victim].set(text)
        if skew is not None:
            node = self.network.nodes[self.victim]
            wait_until(lambda: (found := node.skew()) is not None and abs(found - skew) < 5, 10,
                       f"the clock of node {node.index} is {skew} s off")

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
        """The victim is killed and loses folders: its key must sign no view again."""
        node = self.kill_for_good()
        for name in what:
            shutil.rmtree(node.path(name))
        if "data" in what:
            node.life += 1

    def kill_for_good(self):
        """Kills the victim, and notes what its key signed until now."""
        node = self.network.nodes[self.victim]
        node.kill()
        self.votes.read()
        self.votes.lost(self.victim)
        return node

    def do_back_up(self, what=BACKED_UP):
        """The victim is stopped, these folders are copied, and it is started again."""
        node = self.network.nodes[self.victim]
        node.stop()
        for name in what:
            shutil.copytree(node.path(name), node.home + f".{name}")
        node.start()

    def do_restore(self, what=BACKED_UP):
        """The victim is killed, and gets the copies back."""
        node = self.kill_for_good()
        node.life += 1
        for name in what:
            shutil.rmtree(node.path(name))
            os.rename(node.home + f".{name}", node.path(name))

    def do_forget(self):
        """What an operator does whose node stopped because its key signed what it doesn't know."""
        node = self.network.nodes[self.victim]
        try:
            wait_until(lambda: not node.runs(), FORGET_SECONDS, "it ends")
        except Failed:
            return self.notes.append("nobody knew a vote that the copy lacks")
        if node.exits[-1][0] != FOREIGN_SIGNATURE:
            raise Failed(f"node {node.index} ended with {node.exits[-1][0]}")
        done = subprocess.run(
            [self.network.executable, "db", "forget-signatures", "--home", node.home],
            capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, check=False)
        if done.returncode:
            raise Failed("db forget-signatures: " + done.stderr.strip())
        self.notes.append("others knew a vote that the copy lacks")
        node.start()

    def do_attack(self, kind, count, node="victim", **options):
        """Begins an attack on each of these nodes; attacker.py has the kinds."""
        self.siege.attack(self.nodes(node), kind, count, options)

    def do_limits(self):
        """Asks the victim at each limit, and beyond it."""
        node = self.network.nodes[self.victim]
        rows = Limits(node, bytes.fromhex(self.network.record["chainID"]),
                      self.network.record["prefix"], self.random, self.network.folder).run()
        wrong = [f"{name}: {found}, not {wanted}" for name, found, wanted in rows
                 if found != wanted]
        self.notes.append(f"{len(rows)} answers at limits: "
                          + ", ".join(f"{name} {found}" for name, found, _ in rows))
        if wrong:
            raise Failed("; ".join(wrong))

    def do_calm(self):
        self.siege.calm()

    # The end of all faults.

    def heal(self):
        """Everything works again, and every node runs or was started a moment ago."""
        self.siege.calm()
        self.release()
        done = self.wiring.heal()
        if done:
            self.notes.append(", ".join(f"{count} {what}" for what, count in sorted(done.items())))
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
        self.siege.close()
        for one in (*self.disks.values(), *self.clocks.values()):
            one.close()
