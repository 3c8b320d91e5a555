"""Every file of a home, damaged in every way, under a node of a network that runs."""

import argparse
import collections
import fnmatch
import os
import random
import re
import shlex
import shutil
import subprocess
import tempfile
import time

import wallet
from main import default_program, say
from nodes import FOREIGN_SIGNATURE, Network, make_template
from paths import Failed, wait_until
from rpc import Client, NoAnswer, Refusal
from wiring import Direct

VICTIM = 3
# A fault of the disk, a wrong key elsewhere, a fault in what a person wrote.
DOCUMENTED = (74, 77, 78)
SECONDS = 40
COMMAND = re.compile(r"offpeak (db (?:repair|forget-signatures) --home \S*[^\s.,;)`])")
LISTENS = re.compile(r"RPC listens.*url=\"?(?:http://)?([0-9.]+):(\d+)")
# What a person restores: no other node has it.
OWN_FILES = ("config.yaml", "genesis.json", "keys/identity.key", "keys/validator.key")


class Case:
    """One file and what is done to it."""

    def __init__(self, name, what, place):
        self.name, self.what, self.place = name, what, place

    def apply(self, home):
        path = os.path.join(home, self.name)
        if self.what == "remove":
            os.remove(path)
        elif self.what == "cut":
            os.truncate(path, self.place)
        else:
            with open(path, "r+b") as file:
                file.seek(self.place)
                byte = file.read(1)[0]
                file.seek(self.place)
                file.write(bytes([byte ^ (1 << self.place % 8)]))

    def __str__(self):
        return f"{self.name}: " + {
            "remove": "removed", "cut": f"cut to {self.place} bytes",
            "flip": f"bit {self.place % 8} of byte {self.place} flipped"}[self.what]


def cases_of(home, seed, flips, patterns):
    """Head, middle, tail and drawn places flipped; cut to nothing, half, all but one; removed."""
    found = []
    for folder, _, names in sorted(os.walk(home)):
        for name in sorted(names):
            path = os.path.join(folder, name)
            short = os.path.relpath(path, home)
            if not any(fnmatch.fnmatch(short, pattern) for pattern in patterns):
                continue
            size = os.path.getsize(path)
            drawn = random.Random(f"{seed}/{short}")
            places = {0, size // 2, size - 1} | {
                drawn.randrange(size) for _ in range(flips)} if size else set()
            found += [Case(short, "flip", place) for place in sorted(places)]
            found += [Case(short, "cut", place)
                      for place in sorted({0, size // 2, size - 1} if size else ())]
            found.append(Case(short, "remove", 0))
    return found


class Trial:
    """A network, one of whose nodes is damaged again and again."""

    def __init__(self, options, folder):
        self.options = options
        self.network = Network(
            options.offpeak, make_template(options.offpeak, f"{folder}/template", 4, 0, 0),
            f"{folder}/network")
        Direct().connect(self.network)
        self.victim = self.network.nodes[VICTIM]
        self.other = self.network.nodes[0]
        self.copies = f"{folder}/copies"
        record = self.network.record
        self.chain = wallet.Chain(bytes.fromhex(record["chainID"]), record["prefix"])
        self.accounts = [
            wallet.Account(self.chain, entry["name"],
                           f"{self.network.folder}/wallets/{entry['name']}.key")
            for entry in record["wallets"]]
        self.outcomes = collections.Counter()
        self.faults = []

    def prepare(self, seed):
        """Runs the network for a while with payments; takes a home after kill -9."""
        self.network.start()
        self.network.wait_ready()
        self.pay(120, random.Random(f"{seed}/payments"))
        # Table files come of the second life, the log of the third.
        self.victim.stop()
        self.victim.start()
        self.network.wait_ready([self.victim])
        self.pay(60, random.Random(f"{seed}/more"), first=120)
        self.victim.kill()
        shutil.copytree(self.victim.home, self.copies)
        lock = os.path.join(self.copies, "lock")
        if os.path.exists(lock):
            os.remove(lock)

    def pay(self, count, drawn, first=0):
        client = self.other.client()
        sender, payees = self.accounts[0], self.accounts[1:]
        for number in range(first, first + count):
            data, _, _ = sender.sign(
                number, wallet.transfer(drawn.choice(payees), drawn.randint(1, 1000)))
            wait_until(lambda: self.is_taken(client, data), 20, f"payment {number} is taken")

    @staticmethod
    def is_taken(client, data):
        """The first ones must be executed before later ones are taken."""
        try:
            return client.call("transaction_submit", 10, transaction=data)
        except Refusal as refusal:
            if refusal.reason in ("policyMissing", "sequenceAhead"):
                return None
            raise

    # One case.

    def play(self, case):
        self.victim.kill()
        shutil.rmtree(self.victim.home)
        shutil.copytree(self.copies, self.victim.home)
        case.apply(self.victim.home)
        code, text, remark = self.attempt()
        if code is None:
            return "came up" + remark
        self.must(code in DOCUMENTED, f"ended with {code}: {text[-400:]}")
        self.must(self.victim.home in text, f"doesn't name the file: {text[-400:]}")
        found = COMMAND.findall(text)
        if found:
            self.run(found[-1])
            outcome = f"{code}{remark}, " + " ".join(found[-1].split()[:2])
        else:
            self.must(case.name in OWN_FILES, f"names no command: {text[-400:]}")
            shutil.copy2(os.path.join(self.copies, case.name),
                         os.path.join(self.victim.home, case.name))
            outcome = f"{code}, restored by hand"
        again, text, _ = self.attempt()
        self.must(again is None, f"after the command it ended with {again}: {text[-400:]}")
        return outcome

    def attempt(self):
        """Starts the victim and reads from it: its exit code, None where all was right; what it
        logged then; and a remark."""
        before = os.path.getsize(self.victim.log)
        code, text = self.start(before)
        if code == FOREIGN_SIGNATURE and "restored from a backup" in text:
            # That is what each case begins with; the others may still know what the copy lacks.
            self.run(f"db forget-signatures --home {self.victim.home}")
            before = os.path.getsize(self.victim.log)
            code, text = self.start(before)
        if code is not None:
            return code, text, ""
        try:
            return None, "", self.compare(before)
        except (NoAnswer, Refusal) as fault:
            # A read that met damage ends the node.
            try:
                wait_until(lambda: not self.victim.runs(), 5, "the node ends")
            except Failed:
                raise Failed(f"it answers {fault} and goes on") from fault
        return self.victim.exits[-1][0], self.log(before), " at a read"

    @staticmethod
    def must(holds, text):
        if not holds:
            raise Failed(text)

    def run(self, command):
        done = subprocess.run(
            [self.options.offpeak, *shlex.split(command)], capture_output=True, text=True,
            timeout=60, stdin=subprocess.DEVNULL)
        self.must(done.returncode == 0, f"{command}: {done.returncode}: {done.stderr}")

    def start(self, before):
        """Starts the victim: its exit code, None where it has caught up; and what it logged."""
        target = self.network.height()
        self.victim.start()
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            if not self.victim.runs():
                return self.victim.exits[-1][0], self.log(before)
            status = self.status(before)
            if status and status["appliedHeight"] >= target and status["supply"]["supply"]:
                return None, ""
            time.sleep(0.05)
        text = self.log(before)
        self.must(not self.is_reconfigured(text),
                  f"neither ends nor catches up with {target}: {self.status(before)} {text[-600:]}")
        return None, ""

    def is_reconfigured(self, text):
        """A configuration that is whole but another: it may know nobody, and it says so."""
        copy = os.path.join(self.copies, "config.yaml")
        with open(copy, "rb") as one, open(self.victim.path("config.yaml"), "rb") as other:
            return one.read() != other.read() and "CRITICAL" not in text

    def client(self, before):
        """To where the victim says that it serves: its configuration may be another now."""
        found = LISTENS.findall(self.log(before))
        return Client(found[-1][0], int(found[-1][1]), 2) if found else None

    def status(self, before):
        client = self.client(before)
        try:
            return client.call("node_status") if client else None
        except (NoAnswer, Refusal):
            return None

    def log(self, before):
        with open(self.victim.log, "rb") as file:
            file.seek(before)
            return file.read().decode(errors="replace")

    def compare(self, before):
        """Roots of all heights that both have, and balances, are the others'."""
        own, other = self.client(before), self.other.client()
        if own is None:
            return ", serves nothing as configured"
        status = own.call("node_status")
        top = status["appliedHeight"]
        for height in {1, top // 2, top - 1, top} - {0, -1}:
            mine = own.call("block_get", height=height)
            theirs = other.call("block_get", 10, height=height)
            for name in ("digest", "stateRoot"):
                self.must(mine[name] == theirs[name], f"another {name} at {height}")
        for account in self.accounts:
            mine, theirs = (client.call("account_get", address=account.text)
                            for client in (own, other))
            # Empty blocks keep the root: the heights may differ.
            del mine["height"], theirs["height"]
            if mine["stateRoot"] == theirs["stateRoot"]:
                self.must(mine == theirs, f"another balance of {account.name}: {mine}, {theirs}")
        return ""

    def tell(self, case):
        began = time.monotonic()
        try:
            outcome = self.play(case)
        except (Failed, OSError, NoAnswer, Refusal, subprocess.TimeoutExpired) as fault:
            self.faults.append(f"{case}: {fault}")
            say(f"FAILED {case}: {fault}")
            return
        self.outcomes[(case.name, outcome)] += 1
        if self.options.verbose:
            say(f"held   {case}: {outcome} ({time.monotonic() - began:.1f} s)")


def parse(text):
    parser = argparse.ArgumentParser(
        description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, help="what places are drawn from (default: a new one)")
    parser.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN",
                        help="files, as data/*.sst; * stands for every character")
    parser.add_argument("--flips", type=int, default=3,
                        help="drawn places in each file, beside head, middle and tail (default: 3)")
    parser.add_argument("--offpeak", default=default_program(),
                        help="the program (default: in $OFFPEAK_PROGRAMS, else .build/release)")
    parser.add_argument("--keep", action="store_true", help="keep the files")
    parser.add_argument("--verbose", action="store_true", help="tell every case")
    return parser.parse_args()


def main(text):
    options = parse(text)
    seed = options.seed if options.seed is not None else random.randrange(1, 1 << 31)
    folder = tempfile.mkdtemp(prefix="offpeak-damage-")
    began = time.monotonic()
    say(f"seed {seed}, {options.offpeak}")
    trial = Trial(options, folder)
    try:
        trial.prepare(seed)
        cases = cases_of(trial.copies, seed, options.flips, options.only)
        if not cases:
            say(f"damage: no file of a home is like {' or '.join(options.only)}")
            return 2
        for case in cases:
            trial.tell(case)
    finally:
        trial.network.stop()
    for (name, outcome), count in sorted(trial.outcomes.items()):
        say(f"{count:4}  {name:<32} {outcome}")
    say(f"{len(cases)} cases, {len(trial.faults)} failed, {time.monotonic() - began:.0f} s; "
        f"again: tools/chaos/damage --seed {seed}")
    if options.keep or trial.faults:
        say(f"files: {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if trial.faults else 0
