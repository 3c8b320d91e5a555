"""Accounts that sign by themselves, with the bytes of tools/client.py."""

import base64
import dataclasses
import time

import paths  # noqa: F401  # tells where `client` lies
import client as protocol

# More than any transaction here costs, and the most that an account must hold unspent.
FEE_MAX = 20_000
VALIDITY_SECONDS = 600


@dataclasses.dataclass(frozen=True)
class Chain:
    """What every transaction of a network names."""
    id: bytes
    prefix: str

    def text(self, kind, value):
        return protocol.to_text(self.prefix, kind, value)


class Account:
    """A single key's account."""

    def __init__(self, chain, name, file):
        self.chain = chain
        self.name = name
        self.key = protocol.key_from_file(file)
        self.first_policy = protocol.single_key_policy(self.key)
        self.address = protocol.address_of(self.first_policy)
        self.text = chain.text("acc", self.address)
        self.public_key = bytes(self.key.verify_key)

    def sign(self, sequence, operation, memo=b""):
        """The signed bytes of a transaction with one operation, as text, and its id."""
        valid_until = int((time.time() + VALIDITY_SECONDS) * 1000)
        body = protocol.transaction(
            self.chain.id, self.address, 0, sequence, valid_until, FEE_MAX, 0, [], memo,
            [operation])
        # The first transactions carry the policy: which one comes first isn't known here.
        policies = [self.first_policy] if sequence < 2 else []
        data = protocol.signed(body, policies, [self.key])
        name = protocol.transaction_id(body)
        return base64.b64encode(data).decode(), self.chain.text("txn", name), name

    def weighted(self, value):
        """The policy that stands for `value`: the key with this weight."""
        return protocol.policy([(self.public_key, value)], 1, 1)


def transfer(to, amount):
    return protocol.uleb128(0) + to.address + protocol.NATIVE_ASSET + protocol.u64(amount)


def set_policy(policy):
    return protocol.uleb128(1) + policy


def escrow_create(payer, payee, arbiter, amount, hours=6):
    """The payer releases, the payee refunds, the arbiter splits after a dispute."""
    def alone(account):
        return protocol.quorum([(account.address, 1)], 1)
    deadline = int((time.time() + hours * 3600) * 1000)
    return (protocol.uleb128(2) + payee.address + protocol.NATIVE_ASSET + protocol.u64(amount)
            + alone(payer) + alone(payee) + protocol.optional(alone(arbiter))
            + protocol.optional(None) + protocol.optional(None) + protocol.u64(deadline)
            + protocol.uleb128(1) + protocol.optional(protocol.u64(deadline + 3_600_000)))


def escrow_id(chain, transaction):
    """The id of the escrow that the first operation of a transaction makes."""
    return protocol.blake2b("offpeak/escrow", transaction + protocol.u32(0))


def escrow_top_up(escrow, amount):
    return protocol.uleb128(3) + escrow + protocol.u64(amount)


def escrow_decide(escrow, number, direction, amount):
    return (protocol.uleb128(4) + escrow + protocol.u64(number)
            + protocol.uleb128(protocol.DIRECTIONS[direction]) + protocol.u64(amount)
            + protocol.optional(None))


def escrow_dispute(escrow):
    return protocol.uleb128(5) + escrow


def escrow_arbitrate(escrow, number, to_payee, to_payer):
    return (protocol.uleb128(6) + escrow + protocol.u64(number) + protocol.u64(to_payee)
            + protocol.u64(to_payer))
