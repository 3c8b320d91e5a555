"""Attacks by transactions: forged, from those who have nothing, with gaps, over and over, too long."""

import base64
import json
import time

from attack_rpc import call, opened, request
from nacl.signing import SigningKey
from identity import protocol

FEE_MAX = 20_000
# Signed ahead, so that signing isn't what takes the time.
READY = 400


class Maker:
    """Transactions that mustn't get through."""

    def __init__(self, attack):
        self.attack = attack
        self.random = attack.random
        self.valid_until = int((time.time() + 600) * 1000)
        # Of those who have something: their signatures are spoilt.
        self.keys = [protocol.key_from_file(file) for file in attack.plan["wallets"]]

    def body(self, key, sequence, memo=b"", operations=1):
        to = self.random.randbytes(32)
        one = protocol.uleb128(0) + to + protocol.NATIVE_ASSET + protocol.u64(1)
        address = protocol.address_of(protocol.single_key_policy(key))
        return protocol.transaction(
            self.attack.chain, address, 0, sequence, self.valid_until, FEE_MAX, 0, [], memo,
            [one] * operations)

    def signed(self, key, *what):
        return protocol.signed(self.body(key, *what), [protocol.single_key_policy(key)], [key])

    def stranger(self):
        return SigningKey(self.random.randbytes(32))

    def forged(self):
        key = self.random.choice(self.keys)
        data = bytearray(self.signed(key, self.random.randrange(8)))
        data[-self.random.randrange(1, 60)] ^= 1 + self.random.randrange(255)
        return bytes(data)

    def poor(self):
        return self.signed(self.stranger(), 0)

    def gap(self):
        sequence = self.random.choice([1, 2, 63, 64, 65, 10_000, 2**63, 2**64 - 1])
        return self.signed(self.stranger(), sequence)

    def too_long(self):
        return self.signed(self.stranger(), 0, b"m" * self.random.choice([300, 5000, 60_000]),
                           self.random.choice([1, 64, 600]))

    def noise(self):
        return self.random.randbytes(self.random.choice([0, 1, 200, 5000, 40_000]))


async def answers_of(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").lower().split("\r\n")
    length = next(int(line[15:]) for line in lines if line.startswith("content-length:"))
    return int(lines[0].split()[1]), json.loads(await reader.readexactly(length) or b"null")


def note(attack, status, answers):
    if status != 200:
        return attack.count(f"status {status}")
    for answer in answers if isinstance(answers, list) else [answers]:
        error = answer.get("error")
        if error is None:
            attack.count("taken: " + answer["result"]["state"])
        else:
            data = error.get("data") or {}
            attack.count(data.get("reason") or str(error["code"]))


def submitting(make, copies=1):
    """Batches of what `make` makes, as fast as the node answers."""
    async def run(attack):
        maker = Maker(attack)
        ready = [base64.b64encode(make(maker)).decode() for _ in range(READY)]

        async def one(attack, writers):
            reader, writer = await opened(attack, writers)
            while True:
                batch = []
                while len(batch) < 20:
                    batch += [attack.random.choice(ready)] * copies
                writer.write(request([call("transaction_submit", place, transaction=text)
                                      for place, text in enumerate(batch[:20])]))
                await writer.drain()
                note(attack, *await answers_of(reader))
        await attack.hold(one)
    return run


def waiting():
    """Waits for transactions that don't exist, as many at once as there are connections."""
    async def one(attack, writers):
        reader, writer = await opened(attack, writers)
        name = protocol.to_text(attack.prefix, "txn", attack.random.randbytes(32))
        body = {"jsonrpc": "2.0", "id": 1, "method": "transaction_wait",
                "params": {"id": name, "timeoutMilliseconds": 60_000}}
        writer.write(request(body))
        note(attack, *await answers_of(reader))
    return lambda attack: attack.hold(one)


KINDS = {
    "pay-forged": submitting(Maker.forged), "pay-poor": submitting(Maker.poor),
    "pay-gaps": submitting(Maker.gap), "pay-too-long": submitting(Maker.too_long),
    "pay-noise": submitting(Maker.noise), "pay-again": submitting(Maker.poor, copies=20),
    "pay-waits": waiting(),
}
