#!/usr/bin/env python3
"""A faulty network between nodes on one machine: every link and every datagram passes through it.

A process of its own: it reads its plan from the first line of stdin, orders from the lines that
follow (`{"from": [0], "to": [1, 2], "rule": {...}}`), and ends with stdin. All faults are drawn
from generators seeded by the plan's seed and the direction; what the machine's timing makes of them
isn't repeated exactly.
"""

import asyncio
import dataclasses
import json
import random
import socket
import struct
import subprocess
import sys

CHUNK_BYTES = 16 * 1024
# Chunks of a direction that wait: beyond it the sender's window closes, as on a slow line.
CHUNKS_MAX = 64
# Datagrams of a direction that are remembered, to be sent a second time.
REMEMBERED_MAX = 32


@dataclasses.dataclass
class Rule:
    """What happens to what travels in one direction between two nodes."""
    delay: float = 0        # milliseconds
    jitter: float = 0       # milliseconds more, evenly drawn
    rate: float = 0         # bytes a second on a link; 0 for no limit
    loss: float = 0         # part of the datagrams that vanish
    duplicate: float = 0    # part of the datagrams that come twice
    reorder: float = 0      # part of the datagrams that come 50 ms late
    truncate: float = 0     # part of the datagrams that are cut short
    replay: float = 0       # chance that an old datagram comes again with a new one
    alter: float = 0        # part of the datagrams with a byte changed
    corrupt: float = 0      # part of a link's chunks with a byte changed
    hold: bool = False      # nothing passes; a link's bytes wait, as while packets are lost
    reset: bool = False     # links are reset, new ones too; datagrams vanish


class Directions:
    """The rule and the generator of each direction."""

    def __init__(self, seed):
        self.seed = seed
        self.rules = {}
        self.generators = {}
        self.counts = {}

    def rule(self, source, target):
        return self.rules.setdefault((source, target), Rule())

    def generator(self, kind, source, target):
        name = f"{self.seed}/{kind}/{source}/{target}"
        return self.generators.setdefault(name, random.Random(name))

    def set(self, sources, targets, rule):
        for source in sources:
            for target in targets:
                if source != target:
                    self.rules[source, target] = Rule(**rule)

    def count(self, what):
        self.counts[what] = self.counts.get(what, 0) + 1


def damaged(data, generator):
    changed = bytearray(data)
    changed[generator.randrange(len(changed))] ^= generator.randrange(1, 256)
    return bytes(changed)


class Link:
    """One connection from `source` to `target`, in both directions."""

    def __init__(self, proxy, source, target, incoming):
        self.proxy = proxy
        self.source, self.target = source, target
        self.incoming = incoming
        self.outgoing = None

    async def run(self):
        if self.is_reset():
            return self.abort()
        reader, writer = self.incoming
        try:
            host, port = self.proxy.links[self.target]
            self.outgoing = await asyncio.open_connection(host, port)
        except OSError:
            return self.abort()
        directions = [self.carry(reader, self.outgoing[1], self.source, self.target),
                      self.carry(self.outgoing[0], writer, self.target, self.source)]
        try:
            await asyncio.gather(*directions)
        except (OSError, asyncio.CancelledError):
            pass
        self.abort()

    def is_reset(self):
        directions = self.proxy.directions
        return (directions.rule(self.source, self.target).reset
                or directions.rule(self.target, self.source).reset)

    async def carry(self, reader, writer, source, target):
        """Carries bytes in order; each chunk waits for its due time."""
        queue = asyncio.Queue(CHUNKS_MAX)
        generator = self.proxy.directions.generator("link", source, target)
        deliverer = asyncio.ensure_future(self.deliver(queue, writer, source, target))
        loop = asyncio.get_running_loop()
        try:
            while data := await reader.read(CHUNK_BYTES):
                rule = self.proxy.directions.rule(source, target)
                wait = rule.delay + rule.jitter * generator.random()
                if rule.corrupt and generator.random() < rule.corrupt:
                    data = damaged(data, generator)
                    self.proxy.directions.count("chunks corrupted")
                await queue.put((loop.time() + wait / 1000, data))
            await queue.put(None)
            await deliverer
        finally:
            deliverer.cancel()

    async def deliver(self, queue, writer, source, target):
        loop = asyncio.get_running_loop()
        while item := await queue.get():
            due, data = item
            await asyncio.sleep(max(0, due - loop.time()))
            while self.proxy.directions.rule(source, target).hold:
                await asyncio.sleep(0.02)
            rate = self.proxy.directions.rule(source, target).rate
            if rate:
                await asyncio.sleep(len(data) / rate)
            writer.write(data)
            await writer.drain()
        writer.write_eof()

    def abort(self):
        """Ends both sides at once; the peers see a reset."""
        for pair in (self.incoming, self.outgoing):
            if pair is None:
                continue
            transport = pair[1].transport
            end = transport.get_extra_info("socket")
            if end is not None and end.fileno() >= 0:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()


class Datagrams(asyncio.DatagramProtocol):
    """The address at which the others reach node `target` by datagrams."""

    def __init__(self, proxy, target):
        self.proxy = proxy
        self.target = target
        self.remembered = {}

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        source = self.proxy.senders.get(address[1])
        if source is None or not data:
            return
        directions = self.proxy.directions
        rule = directions.rule(source, self.target)
        generator = directions.generator("datagram", source, self.target)
        if rule.hold or rule.reset or generator.random() < rule.loss:
            return directions.count("datagrams lost")
        for wait, sent in self.faulty(data, rule, generator, source):
            asyncio.get_running_loop().call_later(wait / 1000, self.forward, source, sent)

    def faulty(self, data, rule, generator, source):
        """What becomes of a datagram: pairs of a wait in milliseconds and bytes."""
        count = self.proxy.directions.count
        wait = rule.delay + rule.jitter * generator.random()
        old = self.remembered.setdefault(source, [])
        if rule.replay and old and generator.random() < rule.replay:
            count("datagrams replayed")
            yield wait, generator.choice(old)
        old.append(data)
        del old[:-REMEMBERED_MAX]
        if generator.random() < rule.truncate:
            count("datagrams truncated")
            data = data[:generator.randrange(1, len(data) + 1)]
        if generator.random() < rule.alter:
            count("datagrams altered")
            data = damaged(data, generator)
        if generator.random() < rule.reorder:
            count("datagrams reordered")
            wait += 50
        yield wait, data
        if generator.random() < rule.duplicate:
            count("datagrams duplicated")
            yield wait, data

    def forward(self, source, data):
        sender = self.proxy.datagrams.get(source)
        if sender is not None:
            sender.transport.sendto(data, self.proxy.gossip[self.target])


class Server:
    """The proxy's process.

    Plan: `links` and `gossip` are the nodes' own addresses by number, `doors` the addresses at
    which a node dials another (`[source, target, port]`), `faces` those at which others reach a
    node by datagrams.
    """

    def __init__(self, plan):
        self.directions = Directions(plan["seed"])
        self.links = [tuple(address) for address in plan["links"]]
        self.gossip = [tuple(address) for address in plan["gossip"]]
        self.doors = plan["doors"]
        self.faces = [tuple(address) for address in plan["faces"]]
        self.senders = {address[1]: place for place, address in enumerate(self.gossip)}
        self.datagrams = {}
        self.open = set()

    async def run(self):
        loop = asyncio.get_running_loop()
        for source, target, port in self.doors:
            await asyncio.start_server(self.accepting(source, target), "127.0.0.1", port)
        for place, face in enumerate(self.faces):
            _, self.datagrams[place] = await loop.create_datagram_endpoint(
                lambda place=place: Datagrams(self, place), local_addr=face)
        print(json.dumps({"ready": True}), flush=True)
        orders = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
        while line := await orders.readline():
            self.obey(json.loads(line))

    def accepting(self, source, target):
        async def accept(reader, writer):
            link = Link(self, source, target, (reader, writer))
            self.open.add(link)
            try:
                await link.run()
            finally:
                self.open.discard(link)
        return accept

    def obey(self, order):
        if "rule" in order:
            self.directions.set(order["from"], order["to"], order["rule"])
            for link in [link for link in self.open if link.is_reset()]:
                link.abort()
        print(json.dumps(self.directions.counts), flush=True)


class Proxy:
    """The proxy as the harness sees it."""

    def __init__(self, plan):
        self.process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            start_new_session=True)
        self.tell(plan)

    def tell(self, order):
        """Sends an order; the answer says what was done to datagrams and links so far."""
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise OSError("the proxy ended")
        return json.loads(answer)

    def set(self, sources, targets, rule):
        return self.tell({"from": sources, "to": targets, "rule": rule})

    def stop(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


if __name__ == "__main__":
    asyncio.run(Server(json.loads(sys.stdin.readline())).run())
