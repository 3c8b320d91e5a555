"""Attackers as the harness sees them, and what an attack may cost a node."""

import json
import os
import re
import subprocess
import sys
import threading
import time

from paths import HERE, Failed, wait_until
from rpc import NoAnswer, Refusal

MEMORY_MAX = 512 << 20
# Sockets beyond those before the attack, for honest clients that came since, and how soon after it
# all others are gone.
SOCKETS_LEFT = 16
CALM_SECONDS = 10
# The chain never stands still for longer, whatever strangers do.
STANDSTILL_SECONDS = 10
# Part of an honest client's questions to a node under attack that may get no answer in 3 s.
UNANSWERED_MAX = 0.05


class Attacker:
    """A process that attacks one node."""

    def __init__(self, plan):
        self.kind, self.plan = plan["kind"], plan
        self.process = subprocess.Popen(
            [sys.executable, os.path.join(HERE, "attacker.py")], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, start_new_session=True)
        self.process.stdin.write(json.dumps(plan) + "\n")
        self.process.stdin.flush()

    def stop(self):
        """What it did, by kind of outcome."""
        try:
            out, _ = self.process.communicate("\n", 20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
            raise Failed(f"the attacker {self.kind} doesn't end") from None
        told = json.loads(out.splitlines()[-1]) if out else {"fault": "no word", "counts": {}}
        if told["fault"]:
            raise Failed(f"the attacker {self.kind} broke: {told['fault']}")
        return told["counts"]


class Usage:
    """What one node's process uses, as the system tells."""

    TICKS = os.sysconf("SC_CLK_TCK")

    def __init__(self, node):
        self.node = node
        self.pid = node.process.pid
        self.memory = self.threads = self.files = 0

    def path(self, name):
        return f"/proc/{self.pid}/{name}"

    def look(self):
        try:
            with open(self.path("status"), encoding="ascii") as file:
                rows = dict(line.split(":", 1) for line in file)
            self.memory = max(self.memory, int(rows["VmHWM"].split()[0]) << 10)
            self.threads = max(self.threads, int(rows["Threads"]))
            self.files = max(self.files, len(os.listdir(self.path("fd"))))
        except (OSError, KeyError):
            return  # it ended: the oracle asks why

    def seconds(self):
        """Time on the cores so far."""
        try:
            with open(self.path("stat"), encoding="ascii") as file:
                fields = file.read().rpartition(")")[2].split()
            return (int(fields[11]) + int(fields[12])) / self.TICKS
        except OSError:
            return 0

    def sockets(self):
        """Open sockets: files of the store come and go with its data."""
        count = 0
        for name in os.listdir(self.path("fd")):
            try:
                count += os.readlink(self.path(f"fd/{name}")).startswith("socket:")
            except OSError:
                pass
        return count


class Visitor(threading.Thread):
    """An honest client of one node: it asks for the chain's head again and again, on a connection
    that it keeps and on a new one in turn."""

    PAUSE = 0.05

    def __init__(self, node):
        super().__init__(name=f"visitor-{node.index}", daemon=True)
        self.node = node
        self.stopping = threading.Event()
        self.took, self.unanswered = [], 0
        self.heights = []

    def run(self):
        kept, turn = self.node.client(), 0
        while not self.stopping.wait(self.PAUSE):
            turn += 1
            client = kept if turn % 2 else self.node.client()
            began = time.monotonic()
            try:
                height = client.call("chain_head")["height"]
                self.took.append(time.monotonic() - began)
                self.heights.append((time.monotonic(), height))
            except (NoAnswer, Refusal):
                self.unanswered += 1
            if client is not kept:
                client.close()

    def slowest(self, part):
        took = sorted(self.took)
        return took[min(len(took) - 1, int(len(took) * part))] if took else None


class Siege:
    """The attacks of one scenario, and what they cost."""

    def __init__(self, network, seed):
        self.network, self.seed = network, seed
        self.attackers, self.usages, self.visitors = [], [], []
        self.wallets = [os.path.join(network.folder, "wallets", f"{entry['name']}.key")
                        for entry in network.record["wallets"]]
        self.counts = {}
        self.attacked = set()
        self.began = None
        self.watching = threading.Event()

    def attack(self, nodes, kind, count, options):
        if self.began is None:
            self.begin()
        self.attacked |= {node.index for node in nodes}
        for node in nodes:
            self.attackers.append(Attacker({
                "seed": self.seed, "kind": kind, "count": count, "place": len(self.attackers) + 1,
                "target": [node.host, node.rpc_port, node.link_port],
                "chain": self.network.record["chainID"], "prefix": self.network.record["prefix"],
                "folder": self.network.folder, "wallets": self.wallets, "options": options}))

    def begin(self):
        nodes = [node for node in self.network.nodes if node.runs()]
        self.usages = [Usage(node) for node in nodes]
        self.visitors = [Visitor(node) for node in nodes]
        self.sockets = {usage.pid: usage.sockets() for usage in self.usages}
        self.links = {node.index: set(self.links_of(node)) for node in nodes}
        self.began = time.monotonic()
        self.spent = {usage.pid: usage.seconds() for usage in self.usages}
        for visitor in self.visitors:
            visitor.start()
        threading.Thread(target=self.watch, name="watch", daemon=True).start()

    def watch(self):
        while not self.watching.wait(0.2):
            for usage in self.usages:
                usage.look()

    def links_of(self, node):
        """Links with nodes of this network, with the time for which each has stood."""
        own = {other.peer for other in self.network.nodes}
        try:
            peers = node.client(5).call("peer_list")["peers"]
        except (NoAnswer, Refusal):
            return {}
        return {peer["peerID"]: peer["connectedMilliseconds"] / 1000 for peer in peers
                if peer["peerID"] in own}

    def calm(self):
        """Ends the attacks."""
        if self.attackers:
            self.ended = time.monotonic()
            self.spent = {usage.pid: (usage.seconds() - self.spent[usage.pid])
                          / (self.ended - self.began) for usage in self.usages}
        attackers, self.attackers = self.attackers, []
        for attacker in attackers:
            name = f"{attacker.kind} x{attacker.plan['count']}"
            self.counts.setdefault(name, []).append(attacker.stop())

    def close(self):
        for attacker in self.attackers:
            attacker.process.kill()
            attacker.process.communicate()
        self.watching.set()
        for visitor in self.visitors:
            visitor.stopping.set()

    # What must hold.

    def conclude(self):
        """Waits for calm; faults, and notes with the figures."""
        faults = []
        if self.began is None:
            return faults, []
        for visitor in self.visitors:
            visitor.stopping.set()
            visitor.join(10)
        left = {usage.pid: self.left(usage) for usage in self.usages if usage.node.runs()}
        self.watching.set()
        for usage, visitor in zip(self.usages, self.visitors):
            if usage.node.process is None or usage.node.process.pid != usage.pid:
                faults.append(f"node {usage.node.index} didn't live through the attack")
                continue
            faults += self.faults_of(usage, visitor, left[usage.pid])
        gap = self.standstill()
        if gap > STANDSTILL_SECONDS:
            faults.append(f"no node told of a new block for {gap:.1f} s during the attack")
        return faults, [*self.table(left), f"longest time without a new block: {gap:.1f} s",
                        *self.reasons(),
                        *(f"{name}: " + ", ".join(f"{what} {number}" for what, number
                                                 in sorted(counts.items()))
                          for name, all in self.counts.items() for counts in all)]

    def left(self, usage):
        """Sockets beyond those of the start, once they are gone or the time is over."""
        def beyond():
            return usage.sockets() - self.sockets[usage.pid]
        try:
            wait_until(lambda: beyond() <= SOCKETS_LEFT, CALM_SECONDS, "sockets are closed")
        except (Failed, OSError):
            pass
        usage.look()
        return beyond()

    def faults_of(self, usage, visitor, left):
        name = f"node {usage.node.index}"
        if usage.memory > MEMORY_MAX:
            yield f"{name} held {usage.memory >> 20} MiB of memory, {MEMORY_MAX >> 20} are allowed"
        if left > SOCKETS_LEFT:
            yield f"{name} still has {left} sockets more than before the attack"
        asked = len(visitor.took) + visitor.unanswered
        if visitor.unanswered > UNANSWERED_MAX * asked:
            yield f"{name} left {visitor.unanswered} of {asked} honest questions unanswered"
        stood = time.monotonic() - self.began
        links = self.links_of(usage.node)
        for peer in sorted(self.links[usage.node.index]):
            if links.get(peer, 0) < stood:
                yield (f"{name} lost its link to {peer} during the attack: it stands for "
                       f"{links.get(peer, 0):.0f} of {stood:.0f} s")

    def reasons(self):
        """What the attacked nodes count of links and datagrams that they refused."""
        for place in sorted(self.attacked):
            node = self.network.nodes[place]
            found = re.findall(
                r'^offpeak_(?:network_links_closed|gossip_refused)_total\{reason="(\w+)"\} (\d+)',
                node.metrics(), re.MULTILINE)
            told = [f"{reason} {count}" for reason, count in found if int(count) > 0]
            if told:
                yield f"node {place} refused: " + ", ".join(told)

    def standstill(self):
        """The longest time in which no node told of a higher block."""
        told = sorted(pair for visitor in self.visitors for pair in visitor.heights)
        last, highest, longest = self.began, 0, 0
        for at, height in told:
            if height > highest:
                longest, last, highest = max(longest, at - last), at, height
        return max(longest, self.ended - last)

    def table(self, left):
        yield ("node  memory max  files before/max/left  threads  cores  questions  unanswered"
               "  p50 ms  p99 ms")
        for usage, visitor in zip(self.usages, self.visitors):
            half, most = (visitor.slowest(part) for part in (0.5, 0.99))
            yield (f"{usage.node.index:>4}  {usage.memory / (1 << 20):>6.0f} MiB  "
                   f"{self.sockets[usage.pid]:>7}/{usage.files:>5}/{left.get(usage.pid, 0):>+4}    "
                   f"{usage.threads:>7}  {self.spent[usage.pid]:>5.2f}  "
                   f"{len(visitor.took) + visitor.unanswered:>9}  {visitor.unanswered:>10}  "
                   f"{1000 * (half or 0):>6.1f}  {1000 * (most or 0):>6.0f}")
