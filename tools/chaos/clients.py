"""Concurrent clients against all nodes: they pay, write a register, spend twice, keep escrows and
read; everything they do and hear goes into the history.
"""

import threading
import time

import wallet
from history import FAIL, UNKNOWN, Read
from rpc import NoAnswer, Refusal
from worker import Worker, values_of

NOT_FOUND = -32002
# The largest amount: a payee's refund of it refuses all that an escrow holds.
ALL = 2 ** 64 - 1


class Payer(Worker):
    """Pays others; an unknown payment is sent again until it is known."""

    def __init__(self, load, account, payees):
        super().__init__(load, f"payer-{account.name}", 0.08)
        self.account, self.payees = account, payees
        self.sequence = 0
        self.open = None

    def step(self):
        if self.open is None:
            to, amount = self.random.choice(self.payees), self.random.randint(1, 1000)
            self.open = self.invoke(self.account, self.sequence, wallet.transfer(to, amount),
                                    {"kind": "transfer", "to": to.name, "amount": amount})
        if self.submit(self.open):
            self.sequence += 1
            self.open = None
        elif self.open.outcome == FAIL:
            self.open = None


class Writer(Worker):
    """Writes a register that another writes too: of writes with one sequence one may win."""

    def __init__(self, load, account, place):
        super().__init__(load, f"writer-{place}", 0.15)
        self.account, self.value = account, 2 + place

    def step(self):
        sequence = self.next_sequence(self.account)
        if sequence is None:
            return
        self.value += 2
        operation = self.invoke(
            self.account, sequence, wallet.set_policy(self.account.weighted(self.value)),
            {"kind": "write", "value": self.value})
        self.submit(operation, patience=3)


class Cheat(Worker):
    """Gives two transactions with one sequence to two nodes at the same moment."""

    def __init__(self, load, account, payees):
        super().__init__(load, "cheat", 0.25)
        self.account, self.payees = account, payees
        self.other = Accomplice(load, "accomplice", 0)

    def step(self):
        sequence = self.next_sequence(self.account)
        if sequence is None:
            return
        pair = [self.invoke(self.account, sequence, wallet.transfer(to, 7),
                            {"kind": "transfer", "to": to.name, "amount": 7})
                for to in self.payees[:2]]
        nodes = self.random.sample(self.load.nodes, 2)
        second = threading.Thread(target=self.other.submit, args=(pair[1], nodes[1], 3))
        second.start()
        self.submit(pair[0], nodes[0], patience=3)
        second.join()


class Accomplice(Worker):
    """Hands in the second transaction of a pair."""

    def step(self):
        raise NotImplementedError("it only acts when it is told")


class Trustee(Worker):
    """Leads one escrow after the other through its states, with some steps that must fail."""

    def __init__(self, load, payer, payee, arbiter):
        super().__init__(load, "trustee", 0.1)
        self.payer, self.payee, self.arbiter = payer, payee, arbiter
        self.escrow = None
        self.open = None

    def step(self):
        if self.open is not None:
            if not self.submit(self.open) and self.open.outcome == UNKNOWN:
                return self.leave_taken()
            self.open = None
        if self.escrow is None:
            return self.create()
        try:
            found = self.client(self.any_node()).call("escrow_get", id=self.escrow)
        except NoAnswer:
            return
        except Refusal as refusal:
            # A node that is behind doesn't know it yet; one that never will is found by the check.
            if refusal.code != NOT_FOUND or self.random.random() < 0.2:
                self.escrow = None
            return
        if found["state"] == "closed":
            self.escrow = None
        else:
            self.act(found)

    def leave_taken(self):
        """Another transaction waits with the same sequence: this one isn't sent again."""
        if self.open.reason == "sequenceTaken":
            self.open = None

    def begin(self, account, operation, action):
        sequence = self.next_sequence(account)
        if sequence is None:
            return
        self.open = self.invoke(account, sequence, operation, action)
        self.submit(self.open)
        if self.open.outcome != UNKNOWN or self.open.reason == "sequenceTaken":
            self.open = None

    def create(self):
        amount = self.random.randint(10, 5000)
        action = {"kind": "escrow-create", "payee": self.payee.name, "arbiter": self.arbiter.name,
                  "amount": amount}
        self.begin(self.payer, wallet.escrow_create(self.payer, self.payee, self.arbiter, amount),
                   action)
        self.escrow = action.get("escrow")
        if self.escrow:
            self.load.escrows.append(self.escrow)

    def act(self, found):
        held, number = int(found["held"]), found["round"]
        escrow = wallet.protocol.from_text(self.load.chain.prefix, "esc", self.escrow)
        choice = self.random.random()
        number += self.random.random() < 0.1
        if found["state"] == "disputed" and choice > 0.9:
            action = {"kind": "escrow-decide", "round": number, "direction": "refund",
                      "amount": ALL}
            signer = self.payee
            operation = wallet.escrow_decide(escrow, number, "refund", ALL)
        elif found["state"] == "disputed":
            to_payee = self.random.randint(0, held)
            action = {"kind": "escrow-arbitrate", "round": number, "to_payee": to_payee,
                      "to_payer": held - to_payee}
            signer = self.arbiter if choice < 0.8 else self.payer
            operation = wallet.escrow_arbitrate(escrow, number, to_payee, held - to_payee)
        elif choice < 0.2:
            action = {"kind": "escrow-top-up", "amount": 1 + held // 3}
            signer, operation = self.payer, wallet.escrow_top_up(escrow, 1 + held // 3)
        elif choice < 0.35:
            action = {"kind": "escrow-dispute"}
            signer = self.random.choice([self.payer, self.payee])
            operation = wallet.escrow_dispute(escrow)
        else:
            direction = self.random.choice(["release", "refund"])
            amount = self.random.choice([held, 1 + held // 2, held + 1])
            action = {"kind": "escrow-decide", "round": number, "direction": direction,
                      "amount": amount}
            signer = self.random.choice([self.payer, self.payee])
            operation = wallet.escrow_decide(escrow, number, direction, amount)
        self.begin(signer, operation, {**action, "escrow": self.escrow})


class Reader(Worker):
    """Reads accounts and escrows from one node after the other."""

    def __init__(self, load, place):
        super().__init__(load, f"reader-{place}", 0.12)

    def step(self):
        node, life = self.any_node(), None
        life = node.life
        escrows = self.load.escrows[-3:]
        calls = [("account_get", {"address": account.text}) for account in self.load.read]
        calls += [("escrow_get", {"id": escrow}) for escrow in escrows]
        names = [("account", account.name) for account in self.load.read]
        names += [("escrow", escrow) for escrow in escrows]
        invoked = time.monotonic()
        try:
            answers = self.client(node).batch(calls)
        except NoAnswer:
            return
        returned = time.monotonic()
        for (kind, name), answer in zip(names, answers):
            if isinstance(answer, Refusal):
                continue
            values = values_of(answer) if kind == "account" else {
                "state": answer["state"], "round": answer["round"],
                **{field: int(answer[field]) for field in ("held", "released", "refunded")}}
            self.load.history.add(Read(
                self.name, node.index, life, kind, name, invoked, returned, answer["height"],
                values))


class Load:
    """All clients of a scenario."""

    PAYERS = ("alice", "bob")

    def __init__(self, network, history, seed):
        self.network, self.history, self.seed = network, history, seed
        self.nodes = network.nodes
        record = network.record
        self.chain = wallet.Chain(bytes.fromhex(record["chainID"]), record["prefix"])
        self.accounts = {
            entry["name"]: wallet.Account(
                self.chain, entry["name"], f"{network.folder}/wallets/{entry['name']}.key")
            for entry in record["wallets"]}
        # The balances of the treasury and of the validators' owner move with the fees of all.
        self.read = [account for name, account in self.accounts.items()
                     if name not in ("faucet", "operator")]
        self.escrows = []
        self.faults = []
        self.stopping = threading.Event()
        own = self.accounts
        self.workers = [Payer(self, own[name], [a for a in self.read if a.name != name])
                        for name in self.PAYERS]
        self.workers += [Writer(self, own["carol"], place) for place in range(2)]
        self.workers.append(Cheat(self, own["dave"], [own["alice"], own["bob"]]))
        self.workers.append(Trustee(self, own["erin"], own["arbiter"], own["faucet"]))
        self.workers += [Reader(self, place) for place in range(2)]

    def start(self):
        for worker in self.workers:
            worker.thread.start()

    def stop(self):
        self.stopping.set()
        for worker in self.workers:
            if worker.thread.is_alive():
                worker.thread.join(20)
        self.faults += [f"client {worker.name} doesn't end" for worker in self.workers
                        if worker.thread.is_alive()]
