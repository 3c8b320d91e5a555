"""One client: a thread that makes transactions, hands them in, and learns what became of them.

Every call has a deadline. A call without an answer, and an answer that isn't definite, leave the
outcome unknown: the same bytes are then sent again, to another node.
"""

import random
import threading
import time

import wallet
from history import FAIL, OK, UNKNOWN
from rpc import NoAnswer, Refusal

REFUSED = -32001
# Answers to a first submission after which the bytes can never execute: the base fee stays at its
# lowest here, and nobody vetoes.
DEFINITE = {"wrongChain", "expired", "sequenceUsed", "unknownSigner", "notAuthorized", "feeTooLow",
            "policyMismatch", "invalidSignature"}
PATIENCE_SECONDS = 6


class Worker:
    """A client in a thread of its own, with connections and a generator of its own."""

    def __init__(self, load, name, pause):
        self.load = load
        self.name = name
        self.pause = pause
        self.random = random.Random(f"{load.seed}/{name}")
        self.clients = {}
        self.thread = threading.Thread(target=self.run, name=name, daemon=True)

    def client(self, node):
        if node.index not in self.clients:
            self.clients[node.index] = node.client()
        return self.clients[node.index]

    def any_node(self):
        return self.random.choice(self.load.nodes)

    def run(self):
        try:
            while not self.load.stopping.wait(self.pause * (0.5 + self.random.random())):
                self.step()
        except Exception as fault:
            self.load.faults.append(f"client {self.name}: {fault!r}")
            raise

    def invoke(self, account, sequence, operation, action):
        signed, id, name = account.sign(sequence, operation, memo=self.name.encode())
        if action["kind"] == "escrow-create":
            made = wallet.escrow_id(self.load.chain, name)
            action["escrow"] = self.load.chain.text("esc", made)
        return self.load.history.invoke(
            client=self.name, account=account.name, sequence=sequence, id=id, action=action,
            node=-1, signed=signed)

    def submit(self, operation, node=None, patience=PATIENCE_SECONDS):
        """Submits until the outcome is known or patience ends; whether it is final."""
        deadline = time.monotonic() + patience
        is_first = operation.node < 0
        while True:
            node = node or self.any_node()
            operation.node = node.index
            life = node.life
            try:
                fate = self.attempt(self.client(node), operation)
            except NoAnswer as fault:
                fate = (UNKNOWN, None, str(fault))
            except Refusal as refusal:
                is_final = is_first and refusal.code == REFUSED and refusal.reason in DEFINITE
                fate = (FAIL if is_final else UNKNOWN, None, refusal.reason or str(refusal))
            outcome, receipt, reason = fate
            is_over = time.monotonic() > deadline or self.load.stopping.is_set()
            if outcome != UNKNOWN or is_over or reason == "sequenceTaken":
                self.load.history.complete(
                    operation, outcome, node=node.index, life=life, receipt=receipt, reason=reason)
                return outcome == OK
            is_first, node = False, None
            time.sleep(0.05)

    @staticmethod
    def attempt(client, operation):
        """One submission and the wait for its outcome."""
        client.call("transaction_submit", transaction=operation.signed)
        status = client.call("transaction_wait", id=operation.id, timeoutMilliseconds=1500)
        if status["state"] == "final":
            return OK, status["receipt"], None
        if status["state"] == "skipped" and status["reason"] in ("sequenceUsed", "expired"):
            return FAIL, None, status["reason"]
        return UNKNOWN, None, status["state"]

    def next_sequence(self, account):
        """What some node says; None without an answer."""
        try:
            answer = self.client(self.any_node()).call("account_get", address=account.text)
        except (NoAnswer, Refusal):
            return None
        return values_of(answer)["sequence"]


def values_of(account):
    """What a read of an account tells, as the model has it."""
    policy = account.get("policy")
    sequences = {entry["stream"]: entry["nextSequence"] for entry in account["streams"]}
    return {"balance": sum(int(entry["amount"]) for entry in account["balances"]
                           if entry["asset"] == "native"),
            "sequence": sequences.get(0, 0),
            "weight": policy["signers"][0]["weight"] if policy else None}
