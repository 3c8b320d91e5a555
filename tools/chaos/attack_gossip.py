"""Attacks on a node's port for datagrams: noise, lengths, questions in the name of others."""

import asyncio
import socket
import struct
import time

SOCKETS = 64
HELLO_BYTES = 66


class Senders:
    """Sockets with many addresses, and what came back to each."""

    def __init__(self, attack):
        self.attack = attack
        self.sent = self.received = 0
        self.ends = []
        for _ in range(SOCKETS):
            end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            end.setblocking(False)
            end.bind((attack.source(), 0))
            end.connect((attack.host, attack.link_port))
            self.ends.append(end)

    def send(self, data):
        end = self.attack.random.choice(self.ends)
        try:
            end.send(data)
            self.sent += len(data)
            self.attack.count("datagrams")
        except OSError:
            self.attack.count("not sent")

    def drain(self):
        for end in self.ends:
            try:
                while True:
                    self.received += len(end.recv(65536))
                    self.attack.count("answers")
            except OSError:
                pass

    async def run(self, make):
        """Sends what `make` draws, as many in a second as the plan says."""
        rate = self.attack.quantity
        began, sent = time.monotonic(), 0
        while True:
            due = int((time.monotonic() - began) * rate)
            for _ in range(min(due - sent, rate)):
                self.send(make())
            sent = due
            self.drain()
            self.attack.counts["bytes sent"] = self.sent
            self.attack.counts["bytes answered"] = self.received
            await asyncio.sleep(0.005)


def sealed(generator):
    """The outside of a sealed datagram by a sender that doesn't exist."""
    now = int(time.time() * 1000)
    return (bytes([1, 0]) + generator.randbytes(32)
            + struct.pack("<QQQQ", now, generator.getrandbits(40), generator.getrandbits(64), 0)
            + generator.randbytes(generator.randrange(0, 1100)))


async def noise(attack):
    """Noise of every length, also beyond what a datagram may have."""
    def make():
        draw = attack.random.random()
        if draw < 0.3:
            return sealed(attack.random)
        count = attack.random.choice([0, 1, 50, 66, 1200, 1201, 1500, 9000, 60_000])
        return bytes([1, attack.random.randrange(4)]) + attack.random.randbytes(count)
    await Senders(attack).run(make)


async def hellos(attack):
    """The question that anybody may ask: what comes back mustn't be more than what was sent."""
    def make():
        return (bytes([1, 2]) + struct.pack("<Q", attack.random.getrandbits(64)) + attack.chain
                + bytes(24))
    await Senders(attack).run(make)


async def unproven(attack):
    """Sealed datagrams of senders that nobody knows: each could cost a key agreement."""
    await Senders(attack).run(lambda: sealed(attack.random))


KINDS = {"gossip-noise": noise, "gossip-hellos": hellos, "gossip-unproven": unproven}
