"""What must hold after every scenario."""

import json
import re
import time

import history as rules
from nodes import KILLED, STORAGE_FAULT
from rpc import NoAnswer, Refusal
from worker import values_of

HEAL_SECONDS = 10
BATCH_MAX = 20
# What no log of an honest network may hold.
ACCUSATIONS = re.compile(r"signed twice|signed what it must not|Fatal error|precondition|CRITICAL")
EXCUSED = re.compile(r"the node stops")


def new_blocks(nodes, before, began):
    """Waits for an executed block above `before` on every node: seconds since `began`, by node."""
    found = {}
    while len(found) < len(nodes) and time.monotonic() < began + HEAL_SECONDS:
        for node in nodes:
            if node.index in found:
                continue
            status = node.status(1)
            if status and status["appliedHeight"] > before:
                found[node.index] = time.monotonic() - began
        time.sleep(0.02)
    return found


class Oracle:
    """Collects what nodes say at the end, and compares it with each other and with the history."""

    # For what is under way when the clients have stopped.
    SETTLED_SECONDS = 10

    def __init__(self, network, load, history):
        self.network, self.load, self.history = network, load, history
        self.clients = [node.client(5) for node in network.nodes]
        self.faults = []
        self.notes = []

    def settle(self, seconds=15):
        """Sends what is unknown again until it is known; what stays unknown stays so."""
        deadline = time.monotonic() + seconds
        open_ones = [operation for operation in self.history.operations
                     if operation.outcome == rules.UNKNOWN]
        open_ones.sort(key=lambda operation: (operation.account, operation.sequence))
        turn = 0
        while open_ones and time.monotonic() < deadline:
            client = self.clients[turn % len(self.network.validators)]
            turn += 1
            open_ones = [operation for operation in open_ones
                         if not self.is_known(client, operation)]
            if open_ones:
                time.sleep(0.2)
        return len(open_ones)

    @staticmethod
    def is_known(client, operation):
        """Whether the transaction is final, or its sequence is used by another."""
        try:
            client.call("transaction_submit", 1.5, transaction=operation.signed)
            return client.call("transaction_get", id=operation.id)["state"] == "final"
        except NoAnswer:
            return False
        except Refusal as refusal:
            return refusal.reason in ("sequenceUsed", "expired")

    # Blocks and roots.

    def agree(self, seconds=30):
        """All nodes at one height, with one root, one supply and one chain of blocks."""
        deadline = time.monotonic() + seconds
        samples = {}
        while True:
            for place, client in enumerate(self.clients):
                try:
                    status = client.call("node_status")
                except (NoAnswer, Refusal):
                    continue
                samples.setdefault(status["appliedHeight"], {})[place] = status
            common = [height for height, rows in samples.items() if len(rows) == len(self.clients)]
            if common:
                break
            if time.monotonic() > deadline:
                heights = {place: height for height in sorted(samples) for place in samples[height]}
                self.faults.append(f"the nodes never were at one height: {heights}")
                return 0
            time.sleep(0.05)
        for height, rows in sorted(samples.items()):
            for field in ("stateRoot", "supply"):
                told = {json.dumps(row[field], sort_keys=True) for row in rows.values()}
                if len(told) > 1:
                    self.faults.append(f"{field} differs at height {height}: {sorted(told)}")
        self.check_supply(samples[max(common)])
        self.compare_blocks(max(common))
        return max(common)

    def check_supply(self, rows):
        for node, row in rows.items():
            parts = row["supply"]
            held = sum(int(value) for name, value in parts.items() if name != "supply")
            if held != int(parts["supply"]):
                self.faults.append(f"node {node}: the parts of the supply sum to {held}: {parts}")

    def compare_blocks(self, height):
        """Never two finalized blocks at one height, never two roots after one block."""
        chains = [self.chain(client, height) for client in self.clients]
        for node, chain in enumerate(chains):
            if chain is None:
                self.faults.append(f"node {node} doesn't tell its blocks up to {height}")
                continue
            for one, other in zip(chains[0] or [], chain):
                for field in ("digest", "stateRoot"):
                    if one.get(field) and other.get(field) and one[field] != other[field]:
                        self.faults.append(f"{field} at height {one['height']}: {one[field]} on "
                                           f"node 0, {other[field]} on node {node}")

    @staticmethod
    def chain(client, height):
        blocks = []
        for first in range(1, height + 1, BATCH_MAX):
            calls = [("block_get", {"height": number})
                     for number in range(first, min(first + BATCH_MAX, height + 1))]
            try:
                answers = client.batch(calls)
            except NoAnswer:
                return None
            if any(isinstance(answer, Refusal) for answer in answers):
                return None
            blocks += answers
        return blocks

    # Transactions.

    def fates(self):
        """For each node, what became of every transaction, once nothing moves any more; and the
        accounts' next sequences. What could execute and doesn't within some seconds is a fault."""
        deadline = time.monotonic() + self.SETTLED_SECONDS
        while True:
            fates = [self.fates_of(client) for client in self.clients]
            sequences = self.next_sequences()
            finals = [{id for id, answer in fate.items() if answer["state"] == "final"}
                      for fate in fates]
            waiting = self.pending(fates, sequences)
            live = [text for text, is_dead in waiting if not is_dead]
            if not live and all(final == finals[0] for final in finals):
                break
            if time.monotonic() > deadline:
                self.faults += live
                break
            time.sleep(0.3)
        self.notes += [text for text, is_dead in waiting if is_dead]
        return fates, sequences

    def pending(self, fates, sequences):
        """What some node calls pending, and whether its sequence is used by another: then it never
        can execute."""
        return [(f"pending on node {node} at the end: {operation.id} of {operation.client}, sequence "
                 f"{operation.sequence} where {sequences[operation.account]} is next, "
                 f"{operation.outcome} ({operation.reason})",
                 operation.sequence < sequences[operation.account])
                for node, fate in enumerate(fates) for operation in self.history.operations
                if fate.get(operation.id, {}).get("state") == "pending"]

    def fates_of(self, client):
        ids = [operation.id for operation in self.history.operations]
        found = {}
        for first in range(0, len(ids), BATCH_MAX):
            some = ids[first:first + BATCH_MAX]
            try:
                answers = client.batch([("transaction_get", {"id": id}) for id in some])
            except NoAnswer:
                continue
            found.update((id, answer) for id, answer in zip(some, answers)
                         if not isinstance(answer, Refusal))
        return found

    def next_sequences(self):
        """By account, as the node that is furthest tells."""
        told = {}
        for client in self.clients:
            answers = client.batch([("account_get", {"address": account.text})
                                    for account in self.load.accounts.values()])
            for name, answer in zip(self.load.accounts, answers):
                told[name] = max(told.get(name, 0), values_of(answer)["sequence"])
        return told

    def check_history(self, balances):
        operations, reads = self.history.operations, self.history.reads
        try:
            fates, sequences = self.fates()
        except NoAnswer as fault:
            self.faults.append(f"a node doesn't answer at the end: {fault}")
            return {}
        finals = {id: answer["receipt"] for fate in fates for id, answer in fate.items()
                  if answer["state"] == "final"}
        self.faults += rules.check_acknowledged(operations, fates)
        self.faults += rules.check_agreement(fates)
        self.faults += rules.check_refused(operations, finals)
        self.faults += rules.check_once(operations, finals, sequences)
        self.faults += rules.check_real_time(operations)
        self.faults += rules.check_monotonic(operations, reads)
        self.faults += rules.check_ledger(operations, finals, reads, balances)
        return finals

    # Processes.

    def check_exits(self, allowed):
        """No process ended by itself but with the exit code that the scenario allows its node."""
        for node in self.network.nodes:
            for code, expected in node.exits:
                is_right = (code == 0 if expected == "stop"
                            else code == KILLED if expected == "kill"
                            else code in allowed.get(node.index, ()))
                # A node that had been hit by a fault of its disk may be killed before it ended.
                if not is_right and not (expected and code == STORAGE_FAULT
                                         and STORAGE_FAULT in allowed.get(node.index, ())):
                    self.faults.append(f"node {node.index} ended with {code} "
                                       f"({expected or 'by itself'})")

    def check_logs(self):
        for node in self.network.nodes:
            with open(node.log, encoding="utf-8", errors="replace") as file:
                for line in file:
                    if ACCUSATIONS.search(line) and not EXCUSED.search(line):
                        self.faults.append(f"log of node {node.index}: {line.strip()[:300]}")
