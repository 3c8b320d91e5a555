"""What clients did and were told, and the rules that every such history must keep.

Every check is a function of plain values that gives the faults it found as sentences: no fault, no
sentence. An outcome that nobody was told is `unknown`, never `fail`: such a transaction may turn
out to be final, or not.

All reads name the height after which they hold, so that they are compared with what the executed
transactions leave at that height, not merely with some order that might explain them.
"""

import dataclasses
import threading
import time

from model import Ledger, Mismatch

OK, FAIL, UNKNOWN = "ok", "fail", "unknown"


@dataclasses.dataclass
class Operation:
    """One transaction of a client, from its first submission to the last that was learned.

    `action` is what it does, as the model understands it: a kind and its values. Times are seconds
    of one monotonic clock.
    """
    client: str
    account: str
    sequence: int
    id: str
    action: dict
    invoked: float
    node: int
    signed: str = ""
    outcome: str = UNKNOWN
    returned: float | None = None
    # As the node told it that reported it final: height, index, fee, outcome, failure.
    receipt: dict | None = None
    # The node that told the outcome, and the life of its files.
    told_by: int | None = None
    life: int = 0
    reason: str | None = None

    @property
    def place(self):
        return (self.receipt["height"], self.receipt["index"])


@dataclasses.dataclass
class Read:
    """One answer of a node: of an account (balance, sequence, weight) or an escrow."""
    client: str
    node: int
    life: int
    kind: str
    name: str
    invoked: float
    returned: float
    height: int
    values: dict


class History:
    """The log that all clients of a run write to."""

    def __init__(self):
        self.lock = threading.Lock()
        self.operations = []
        self.reads = []
        self.began = time.monotonic()

    def invoke(self, **fields):
        operation = Operation(invoked=time.monotonic(), **fields)
        with self.lock:
            self.operations.append(operation)
        return operation

    def complete(self, operation, outcome, *, node=None, life=0, receipt=None, reason=None):
        with self.lock:
            operation.outcome = outcome
            operation.returned = time.monotonic()
            operation.receipt, operation.reason = receipt, reason
            operation.told_by, operation.life = node, life

    def add(self, read):
        with self.lock:
            self.reads.append(read)

    def count(self, outcome=OK):
        with self.lock:
            return sum(operation.outcome == outcome for operation in self.operations)

    def rows(self):
        """The log as plain values, for a file."""
        with self.lock:
            return [dataclasses.asdict(entry) for entry in self.operations + self.reads]


# --- The rules -----------------------------------------------------------------------------------


def same(one, other):
    """Whether two receipts say the same."""
    return all(one.get(field) == other.get(field)
               for field in ("height", "index", "fee", "outcome", "failure", "escrows"))


def check_acknowledged(operations, fates):
    """What was reported final is final on every node, with that receipt.

    `fates`: for each node, `transaction_get`'s answers by id."""
    found = []
    for operation in operations:
        if operation.outcome != OK:
            continue
        for node, fate in enumerate(fates):
            answer = fate.get(operation.id)
            if answer is None or answer["state"] != "final":
                state = answer["state"] if answer else "never heard of"
                found.append(f"{operation.id} was reported final by node {operation.told_by} at "
                             f"{operation.place}; node {node} says {state}")
            elif not same(answer["receipt"], operation.receipt):
                found.append(f"{operation.id}: node {operation.told_by} reported "
                             f"{operation.receipt}; node {node} says {answer['receipt']}")
    return found


def check_agreement(fates):
    """All nodes tell the same of every transaction that one of them calls final."""
    found = []
    for id in sorted(set().union(*fates)) if fates else []:
        receipts = [fate[id]["receipt"] if fate.get(id, {}).get("state") == "final" else None
                    for fate in fates]
        known = [receipt for receipt in receipts if receipt]
        if known and not all(receipt and same(receipt, known[0]) for receipt in receipts):
            found.append(f"nodes differ about {id}: {receipts}")
    return found


def check_refused(operations, finals):
    """What was refused for good is never final. `finals`: receipts by id."""
    return [f"{operation.id} was refused ({operation.reason}), and is final at "
            f"{finals[operation.id]['height']}"
            for operation in operations
            if operation.outcome == FAIL and operation.id in finals]


def check_once(operations, finals, next_sequences):
    """A sequence of an account belongs to one executed transaction, without gaps, and none executes
    that no client made. `next_sequences`: by account, as the nodes tell them at the end."""
    found = []
    used = {}
    for operation in operations:
        if operation.id in finals:
            used.setdefault(operation.account, {}).setdefault(
                operation.sequence, set()).add(operation.id)
    for account, following in next_sequences.items():
        sequences = used.get(account, {})
        for sequence, ids in sorted(sequences.items()):
            if len(ids) > 1:
                found.append(f"{account} used sequence {sequence} {len(ids)} times: {sorted(ids)}")
        if sorted(sequences) != list(range(following)):
            missing = sorted(set(range(following)) - set(sequences))
            beyond = sorted(set(sequences) - set(range(following)))
            found.append(f"{account}: the next sequence is {following}; executed transactions are "
                         f"missing for {missing}, and there are some for {beyond}")
    places = {}
    for id, receipt in finals.items():
        places.setdefault((receipt["height"], receipt["index"]), []).append(id)
    found += [f"{len(ids)} transactions at {place}: {ids}"
              for place, ids in sorted(places.items()) if len(ids) > 1]
    return found


def check_real_time(operations):
    """What was submitted after another was reported final executes later: writes are linearizable
    through all nodes together."""
    done = sorted((operation for operation in operations if operation.outcome == OK),
                  key=lambda operation: operation.returned)
    begun = sorted(done, key=lambda operation: operation.invoked)
    found, place, newest = [], 0, None
    for operation in begun:
        while done[place].returned < operation.invoked:
            if newest is None or done[place].place > newest.place:
                newest = done[place]
            place += 1
        if newest is not None and operation.place <= newest.place:
            found.append(f"{operation.id} was submitted after {newest.id} was reported final at "
                         f"{newest.place}, and executed before it, at {operation.place}")
    return found


def check_monotonic(operations, reads):
    """A node's answers never go back: neither behind what it answered before the question was
    asked, nor behind what it had reported final. A node that lost its files begins anew."""
    seen = {}
    for read in reads:
        seen.setdefault((read.node, read.life), []).append(
            (read.invoked, read.returned, read.height, f"a read of {read.name}"))
    for operation in operations:
        if operation.outcome == OK:
            # Reports count only as what later reads must not be behind.
            seen.setdefault((operation.told_by, operation.life), []).append(
                (None, operation.returned, operation.place[0], f"the report of {operation.id}"))
    found = []
    for (node, _), entries in sorted(seen.items()):
        ended = sorted(entries, key=lambda entry: entry[1])
        asked = sorted((entry for entry in entries if entry[0] is not None),
                       key=lambda entry: entry[0])
        place, newest = 0, None
        for invoked, _, height, what in asked:
            while place < len(ended) and ended[place][1] < invoked:
                if newest is None or ended[place][2] > newest[2]:
                    newest = ended[place]
                place += 1
            if newest is not None and height < newest[2]:
                found.append(f"node {node} answered {what} at height {height} after {newest[3]} "
                             f"at height {newest[2]}")
    return found


def check_ledger(operations, finals, reads, balances):
    """Every executed transaction had the result that the rules of money, registers and escrows
    give, and every read is what they leave at its height.

    `balances`: of the accounts at the start, by name."""
    found = []
    executed = sorted((operation for operation in operations if operation.id in finals),
                      key=lambda operation: (finals[operation.id]["height"],
                                             finals[operation.id]["index"]))
    waiting = sorted(reads, key=lambda read: read.height)
    ledger = Ledger(balances)
    place = 0

    def compare(before):
        nonlocal place
        while place < len(waiting) and (before is None or waiting[place].height < before):
            read = waiting[place]
            expected = ledger.view(read.kind, read.name)
            wrong = {name: (value, expected.get(name)) for name, value in read.values.items()
                     if value != expected.get(name)}
            if wrong:
                found.append(f"node {read.node} answered for {read.kind} {read.name} at height "
                             f"{read.height}: (told, expected) {wrong}")
            place += 1

    for operation in executed:
        receipt = finals[operation.id]
        compare(receipt["height"])
        try:
            ledger.execute(operation, receipt)
        except Mismatch as fault:
            found.append(f"{operation.id} at height {receipt['height']}: {fault}")
    compare(None)
    return found
