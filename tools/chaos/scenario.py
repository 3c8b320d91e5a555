"""One scenario: a network, clients, faults at their times, and the oracle afterwards."""

import dataclasses
import json
import os
import random
import time
import tomllib

from clients import Load
from faults import Faults
from history import OK, UNKNOWN, FAIL, History
from nodes import Network
from oracle import HEAL_SECONDS, Oracle, new_blocks
from paths import HERE, Failed, wait_until
from rpc import NoAnswer, Refusal
from votes import VoteWatch
from wiring import WIRINGS

WALLET_BALANCE = 1_000_000_000


@dataclasses.dataclass
class Scenario:
    """As scenarios.toml has it.

    `steps`: what is done, each at its time in seconds after the load began, or at a time drawn from
    a pair. `exits`: the codes with which the victim may end by itself. `wants`: what the victim
    gets before the start: `disk`, a small one; `clock`, one of its own. `gate`: whether `tools/check`
    runs it.
    """
    name: str
    what: str
    steps: list
    wiring: str = "direct"
    needs: list = dataclasses.field(default_factory=list)
    wants: list = dataclasses.field(default_factory=list)
    exits: list = dataclasses.field(default_factory=list)
    validators: int = 4
    verifiers: int = 0
    relays: int = 0
    victim: int | None = None
    gate: bool = False
    # What the victim's log must hold at the end.
    log: str | None = None
    # Files that a node may open unless it asks the system for more; None for what this process may.
    files: int | None = None

    @property
    def all_needs(self):
        return [*self.needs, *WIRINGS[self.wiring].needs]

    @property
    def shape(self):
        return (self.validators, self.verifiers, self.relays)


def load_scenarios():
    with open(os.path.join(HERE, "scenarios.toml"), "rb") as file:
        return [Scenario(**entry) for entry in tomllib.load(file)["scenario"]]


class Run:
    """A scenario with a seed, in a folder of its own."""

    AFTER_HEALING = 10      # transactions that must become final after the faults
    PROGRESS_SECONDS = 30

    def __init__(self, scenario, seed, executable, template, folder):
        self.scenario, self.seed, self.folder = scenario, seed, folder
        self.faults = []
        self.times = {}
        self.figures = {}
        self.notes = []
        # Told also where all held.
        self.tables = []
        self.random = random.Random(f"{seed}/{scenario.name}")
        self.victim = scenario.victim
        if self.victim is None:
            self.victim = self.random.randrange(scenario.validators)
        self.network = Network(executable, template, folder, scenario.files)
        self.wiring = WIRINGS[scenario.wiring](seed)
        self.votes = VoteWatch([node.journal for node in self.network.validators])
        self.nature = Faults(self.network, self.wiring, self.votes, seed, self.victim)
        self.history = History()
        self.load = None

    def run(self):
        """Whether all held; `faults` says what didn't."""
        try:
            self.play()
        except (Failed, NoAnswer, Refusal, OSError) as fault:
            self.faults.append(str(fault))
        finally:
            if self.load is not None:
                self.load.stop()
            self.timed("end", self.end)
        return not self.faults

    def timed(self, name, action):
        began = time.monotonic()
        try:
            return action()
        finally:
            self.times[name] = time.monotonic() - began

    def play(self):
        self.nature.prepare(self.scenario.wants)
        self.wiring.connect(self.network)
        self.timed("start", self.begin)
        self.timed("faults", self.disturb)
        self.timed("heal", self.heal)
        self.timed("after", self.go_on)
        self.timed("calm", self.calm)
        self.timed("stop", self.load.stop)
        self.faults += self.load.faults
        self.check()

    def begin(self):
        self.network.start()
        self.network.wait_ready()
        self.load = Load(self.network, self.history, self.seed)
        self.load.start()
        wait_until(lambda: self.history.count() >= 5, self.PROGRESS_SECONDS, "the first payments")

    def disturb(self):
        began = time.monotonic()
        for step in self.scenario.steps:
            at = step["at"]
            at = self.random.uniform(*at) if isinstance(at, list) else at
            time.sleep(max(0, began + at - time.monotonic()))
            self.nature.step(step)

    def heal(self):
        """A new block on every node within the limit, counted from the moment of healing."""
        before = self.network.height()
        began = time.monotonic()
        self.nature.heal()
        found = new_blocks(self.network.nodes, before, began)
        self.figures["healed"] = max(found.values(), default=0)
        for node in self.network.nodes:
            if node.index not in found:
                told = node.status() or "no answer"
                self.faults.append(f"node {node.index} has no block above {before} "
                                   f"{HEAL_SECONDS} s after healing: {json.dumps(told)}")

    def go_on(self):
        """Clients get on after the faults."""
        start = self.history.count()
        wait_until(lambda: self.history.count() >= start + self.AFTER_HEALING,
                   self.PROGRESS_SECONDS,
                   f"{self.AFTER_HEALING} more transactions final after healing")

    def calm(self):
        """What attacks cost, and that they left nothing behind."""
        faults, notes = self.nature.siege.conclude()
        self.faults += faults
        self.tables += notes

    def check(self):
        for node in self.network.nodes:
            if not node.runs():
                raise Failed(f"node {node.index} doesn't run at the end: "
                             f"{node.exits[-1] if node.exits else 'never started'}")
        oracle = Oracle(self.network, self.load, self.history)
        # Before anything is sent again: what clients knew while they worked.
        self.figures |= {outcome: self.history.count(outcome) for outcome in (OK, FAIL, UNKNOWN)}
        self.figures["open"] = self.timed("settle", oracle.settle)
        self.figures["height"] = self.timed("agree", oracle.agree)
        balances = {account.name: WALLET_BALANCE for account in self.load.accounts.values()}
        balances["faucet"] *= 1000
        finals = self.timed("history", lambda: oracle.check_history(balances))
        self.figures |= {"final": len(finals), "reads": len(self.history.reads)}
        self.faults += oracle.faults
        self.notes += oracle.notes
        self.figures["pending"] = len(oracle.notes)

    def end(self):
        """Stops everything, and looks at what the nodes leave behind."""
        self.nature.release()
        took = self.network.stop()
        # What `offpeak node --help` promises; killing comes later, for busy machines.
        self.notes += [f"node {node} took {seconds:.1f} s to stop"
                       for node, seconds in took.items() if seconds > 5]
        self.votes.stop()
        self.figures["votes"] = self.votes.count
        self.faults += self.votes.faults()
        oracle = Oracle(self.network, self.load, self.history)
        oracle.check_exits({self.victim: self.scenario.exits})
        oracle.check_logs()
        self.faults += oracle.faults
        self.check_victims_log()
        self.notes += self.nature.notes
        self.nature.close()
        self.wiring.close()
        with open(os.path.join(self.folder, "history.jsonl"), "w", encoding="utf-8") as file:
            for row in self.history.rows():
                file.write(json.dumps(row) + "\n")

    def check_victims_log(self):
        if self.scenario.log is None:
            return
        with open(self.network.nodes[self.victim].log, encoding="utf-8", errors="replace") as file:
            if self.scenario.log not in file.read():
                self.faults.append(
                    f"node {self.victim} never wrote \"{self.scenario.log}\" in its log")
