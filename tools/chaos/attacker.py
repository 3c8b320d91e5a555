#!/usr/bin/env python3
"""One attacker: a process that does to one node what its plan says, until its stdin ends.

The plan is the first line of stdin; what came of it is printed as one line at the end. What is drawn
comes from the plan's seed. Connections and datagrams come from many addresses of 127.0.0.0/8, as an
attacker has them, and never from those of honest nodes and clients.
"""

import asyncio
import json
import os
import random
import resource
import socket
import struct
import sys
import threading

# Addresses that one attacker comes from, unless its plan says otherwise.
SOURCES = 64
# Connections that one attacker begins in a second.
RATE = 2000
CONNECT_SECONDS = 10
# Between the end of a connection and the next in its place, at most.
PAUSE_SECONDS = 0.5
# Held by the thread that tells how the attack ended.
TELLING = threading.Lock()


class Attack:
    """What the kinds of attack have in common."""

    def __init__(self, plan):
        self.plan = plan
        self.random = random.Random(f"{plan['seed']}/{plan['kind']}")
        self.host, self.rpc_port, self.link_port = plan["target"]
        self.chain = bytes.fromhex(plan["chain"])
        self.prefix = plan["prefix"]
        self.folder = plan["folder"]
        self.quantity = plan["count"]
        self.options = plan.get("options", {})
        self.counts = {}
        self.tickets = asyncio.Semaphore(0)

    def count(self, what, number=1):
        self.counts[what] = self.counts.get(what, 0) + number

    def most(self, what, number):
        self.counts[what] = max(self.counts.get(what, 0), number)

    def source(self):
        place = self.random.randrange(self.options.get("sources", SOURCES))
        return f"127.8.{self.plan['place']}.{1 + place}"

    async def connect(self, port, tls=None, receive_bytes=None):
        """A connection as a reader and a writer; OSError if there is none in time."""
        await self.tickets.acquire()
        end = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        end.setblocking(False)
        # So that the kernel doesn't keep ports of closed connections from others.
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        if receive_bytes:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        try:
            end.bind((self.source(), 0))
            loop = asyncio.get_running_loop()
            await asyncio.wait_for(
                loop.sock_connect(end, (self.host, port)), CONNECT_SECONDS)
            self.count("connections")
            names = {"ssl": tls, "server_hostname": "node", "ssl_handshake_timeout": 10}
            limit = {"limit": receive_bytes} if receive_bytes else {}
            return await asyncio.open_connection(sock=end, **limit, **(names if tls else {}))
        except (OSError, asyncio.TimeoutError, EOFError) as fault:
            end.close()
            raise OSError(str(fault)) from fault

    async def hold(self, one):
        """Runs `one` as often at once as the plan says, again and again."""
        await asyncio.gather(self.feed(), *(self.again(one) for _ in range(self.quantity)))

    async def feed(self):
        """Lets connections begin at the plan's rate."""
        rate = self.options.get("rate", RATE)
        while True:
            for _ in range(max(1, rate // 50)):
                self.tickets.release()
            await asyncio.sleep(0.02)

    async def again(self, one):
        while True:
            writers = []
            try:
                await one(self, writers)
                self.count("ended")
            except (OSError, EOFError, asyncio.LimitOverrunError) as fault:
                self.count("closed" if writers else "not connected")
                self.options.get("debug") and print(repr(fault), file=sys.stderr)
            finally:
                for writer in writers:
                    writer.transport.abort()
            await asyncio.sleep(PAUSE_SECONDS * self.random.random())


async def until_closed(reader):
    """Reads and drops until the node closes."""
    while await reader.read(1 << 16):
        pass
    raise EOFError


async def run(plan):
    # Imported late: each of these imports this module.
    import attack_gossip
    import attack_links
    import attack_payments
    import attack_rpc
    kinds = {**attack_rpc.KINDS, **attack_links.KINDS, **attack_gossip.KINDS,
             **attack_payments.KINDS}
    attack = Attack(plan)
    threading.Thread(target=end_with_stdin, args=(attack,), daemon=True).start()
    await kinds[plan["kind"]](attack)


def end_with_stdin(attack):
    """Waits for the order to stop in a thread of its own: an attack may keep its loop busy, and
    what it has open may take longer to close than anybody waits."""
    sys.stdin.readline()
    conclude(attack.counts, None)


def conclude(counts, fault):
    """Tells what came of it, and ends this process at once."""
    with TELLING:
        # The attack's loop may count on meanwhile.
        told = {"counts": dict(counts), "fault": repr(fault) if fault else None}
        try:
            print(json.dumps(told), flush=True)
        finally:
            os._exit(0)


def main():
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    plan = json.loads(sys.stdin.readline())
    try:
        asyncio.run(run(plan))
        fault = RuntimeError("it ended by itself")
    except Exception as caught:  # whatever broke it is to be told
        fault = caught
    conclude({}, fault)


if __name__ == "__main__":
    # The kinds import this module by its name: it must be this one.
    sys.modules["attacker"] = sys.modules["__main__"]
    main()
