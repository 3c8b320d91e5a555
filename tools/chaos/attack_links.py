"""Attacks on a node's port for links: half handshakes, strangers, frames that are too long."""

import asyncio
import ssl
import struct

from attacker import until_closed
from identity import Stranger

CONTROL, CONSENSUS, CERTIFICATES, TRANSACTIONS, BATCHES, SYNC = range(6)
# Bytes of each kind's payload, as the node allows them.
PAYLOAD_MAX = {CONSENSUS: 2 << 20, CERTIFICATES: 256 << 10, TRANSACTIONS: 1 << 20,
               BATCHES: 2 << 20, SYNC: 4 << 20}
COMPRESSED, MORE = 1, 2
CHUNK_MAX = 64 << 10


def chunk(kind, payload, flags=0):
    return struct.pack("<BBI", kind, flags, len(payload)) + payload


def hello(start):
    return chunk(CONTROL, b"\0" + struct.pack("<HQ", 1, start))


WELCOME = chunk(CONTROL, b"\1")


def ping(number):
    return chunk(CONTROL, b"\2" + struct.pack("<Q", number))


def zeros(count):
    """`count` zero bytes as a payload that is packed to a few: one zstd frame of blocks that repeat
    a byte."""
    blocks = []
    left = count
    while left:
        size = min(left, 128 << 10)
        left -= size
        header = size << 3 | 1 << 1 | (left == 0)
        blocks.append(header.to_bytes(3, "little") + b"\0")
    # Magic, a header with the content's size in 8 bytes and no window: one segment.
    frame = b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", count) + b"".join(blocks)
    return struct.pack("<I", count) + frame


def node_peer(certificate):
    """The node's identity, out of its certificate."""
    # The extension's value: identity, chain, signature.
    place = certificate.index(b"\x04\x81\x80") + 3
    return certificate[place:place + 32]


def client_hello():
    """The first bytes of a TLS client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    end = context.wrap_bio(incoming, outgoing)
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


async def opened(attack, writers, tls=None):
    reader, writer = await attack.connect(attack.link_port, tls)
    writers.append(writer)
    return reader, writer


async def silent(attack, writers):
    reader, _ = await opened(attack, writers)
    await until_closed(reader)


async def half(attack, writers):
    """Begins a handshake and leaves the node waiting for the rest."""
    reader, writer = await opened(attack, writers)
    writer.write(client_hello())
    await until_closed(reader)


async def noise(attack, writers):
    reader, writer = await opened(attack, writers)
    writer.write(attack.random.randbytes(attack.random.randrange(1, 20_000)))
    await until_closed(reader)


class Strangers:
    """Identities made ahead, so that making them isn't what takes the time."""

    def __init__(self, attack, chain=None):
        count = min(attack.quantity, attack.options.get("identities", 40))
        self.attack = attack
        self.known = [Stranger(attack.random, chain or attack.chain) for _ in range(count)]
        self.contexts = {one.peer: one.context(attack.folder) for one in self.known}
        self.turn = 0

    async def secured(self, writers):
        """A connection on which TLS is done, and who it is in the name of."""
        self.turn += 1
        one = self.known[self.turn % len(self.known)]
        reader, writer = await opened(self.attack, writers, self.contexts[one.peer])
        self.attack.count("handshakes")
        return one, reader, writer

    async def linked(self, writers):
        """An open link, as far as this end knows."""
        one, reader, writer = await self.secured(writers)
        writer.write(hello(self.attack.random.getrandbits(64)))
        while True:
            kind, _, count = struct.unpack("<BBI", await reader.readexactly(6))
            payload = await reader.readexactly(count)
            if kind != CONTROL:
                continue
            if payload[0] == 4:
                self.attack.count("goodbye: " + payload[2:60].decode("utf-8", "replace"))
                raise EOFError
            if payload[0] == 1:
                break
            certificate = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            if payload[0] == 0 and one.peer < node_peer(certificate):
                writer.write(WELCOME)
                break
        self.attack.count("links")
        return reader, writer


def strangers(one, chain=None):
    """An attack by strangers: `one` gets them beside the attack and its writers."""
    async def run(attack):
        known = Strangers(attack, chain)

        async def step(attack, writers):
            await one(attack, known, writers)
        await attack.hold(step)
    return run


async def mute(attack, known, writers):
    """TLS is done, and nothing follows."""
    _, reader, _ = await known.secured(writers)
    await until_closed(reader)


async def babble(attack, known, writers):
    """Noise instead of frames."""
    _, reader, writer = await known.secured(writers)
    writer.write(attack.random.randbytes(50_000))
    await until_closed(reader)


async def too_long(attack, known, writers):
    """A frame whose length no node allows; before and after the greeting."""
    if attack.random.random() < 0.5:
        _, reader, writer = await known.secured(writers)
    else:
        reader, writer = await known.linked(writers)
    length = attack.random.choice([CHUNK_MAX + 1, 1 << 24, 2**31, 2**32 - 1])
    writer.write(struct.pack("<BBI", attack.random.randrange(6), MORE, length))
    await until_closed(reader)


async def pings(attack, known, writers):
    reader, writer = await known.linked(writers)
    many = b"".join(ping(number) for number in range(2000))
    dropping = asyncio.ensure_future(until_closed(reader))
    try:
        while not dropping.done():
            writer.write(many)
            await writer.drain()
            attack.count("pings", 2000)
            await asyncio.sleep(0.01)
        return dropping.result()
    finally:
        dropping.cancel()


async def unread_pings(attack, known, writers):
    """Pings whose answers nobody takes."""
    reader, writer = await known.linked(writers)
    writer.transport.pause_reading()
    while not writer.transport.is_closing():
        writer.write(b"".join(ping(number) for number in range(2000)))
        attack.count("pings", 2000)
        await asyncio.wait_for(writer.drain(), 60)
        await asyncio.sleep(0.02)
    raise EOFError


async def unfinished(attack, known, writers):
    """The most of every kind that a node must hold before a frame is whole, and never the end."""
    reader, writer = await known.linked(writers)
    dropping = asyncio.ensure_future(until_closed(reader))
    try:
        for kind, most in PAYLOAD_MAX.items():
            for _ in range(most // CHUNK_MAX - 1):
                writer.write(chunk(kind, bytes(CHUNK_MAX), MORE))
                await writer.drain()
                attack.count("bytes of unfinished frames", CHUNK_MAX)
        # A link must be heard of, or it is closed for its silence.
        while not dropping.done():
            writer.write(ping(1))
            await asyncio.sleep(1)
        return dropping.result()
    finally:
        dropping.cancel()


async def bombs(attack, known, writers):
    """A few bytes that unpack to megabytes: as long as allowed, longer, and longer than they say."""
    reader, writer = await known.linked(writers)
    dropping = asyncio.ensure_future(until_closed(reader))
    try:
        while not dropping.done():
            kind = attack.random.choice(list(PAYLOAD_MAX))
            most = PAYLOAD_MAX[kind]
            count = attack.random.choice([most, most, most, most + 1, 1 << 30])
            payload = zeros(count)
            if attack.random.random() < 0.1:
                payload = struct.pack("<I", 1000) + payload[4:]
            writer.write(chunk(kind, payload, COMPRESSED))
            attack.count("bombs")
            await writer.drain()
            await asyncio.sleep(0.001)
        return dropping.result()
    finally:
        dropping.cancel()


async def greedy(attack, known, writers):
    """Asks for blocks without an end, and takes none."""
    reader, writer = await known.linked(writers)
    writer.transport.pause_reading()
    ask = chunk(SYNC, b"\0\7" + struct.pack("<Q", 1))
    while not writer.transport.is_closing():
        writer.write(ask * 200)
        attack.count("requests for blocks", 200)
        await asyncio.wait_for(writer.drain(), 60)
        await asyncio.sleep(0.02)
    raise EOFError


async def storm(attack, known, writers):
    """Connects, shows a certificate, greets and leaves."""
    await known.linked(writers)


def many(one):
    return lambda attack: attack.hold(one)


KINDS = {
    "link-silent": many(silent), "link-half": many(half), "link-noise": many(noise),
    "link-mute": strangers(mute), "link-other-chain": strangers(mute, bytes(32)),
    "link-babble": strangers(babble), "link-too-long": strangers(too_long),
    "link-pings": strangers(pings), "link-unread-pings": strangers(unread_pings),
    "link-unfinished": strangers(unfinished), "link-bombs": strangers(bombs),
    "link-greedy": strangers(greedy), "link-storm": strangers(storm),
}
