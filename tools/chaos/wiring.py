"""How nodes reach each other: directly, through the proxy, or in namespaces of the kernel.

`connect` gives every node its addresses; what `cut` parts and `disturb` spoils, `heal` mends.
"""

import os
import subprocess

from nodes import free_ports
from paths import Failed
from proxy import Proxy


class Direct:
    """All on 127.0.0.1, found by gossip from the first three."""

    needs = ()

    def __init__(self, *_):
        pass

    def connect(self, network):
        ports = free_ports(2 * len(network.nodes))
        for node in network.nodes:
            node.link_port, node.rpc_port = ports[2 * node.index:2 * node.index + 2]
        for node in network.nodes:
            seeds = [f"127.0.0.1:{other.link_port}" for other in network.validators[:3]
                     if other is not node]
            node.configure(f"127.0.0.1:{node.link_port}", f"127.0.0.1:{node.rpc_port}", seeds=seeds)

    def heal(self):
        """What the lines did to datagrams and links so far, by kind; nothing here."""
        return {}

    def close(self):
        pass


class Proxied:
    """Every node dials every other through an address of the proxy that stands for this pair alone:
    the nodes are listed as configured peers, which are dialled whatever gossip says. Datagrams go
    to the host that a node advertises, where the proxy listens; it tells senders by their ports.
    """

    needs = ()

    def __init__(self, seed):
        self.seed = seed
        self.proxy = None
        self.count = 0

    def connect(self, network):
        nodes = network.nodes
        self.count = len(nodes)
        pairs = [(one.index, other.index) for one in nodes for other in nodes if one is not other]
        ports = free_ports(3 * len(nodes) + len(pairs))
        doors = dict(zip(pairs, ports))
        own = ports[len(pairs):]
        gossip = own[2::3]
        for node in nodes:
            node.link_port, node.rpc_port = own[3 * node.index:3 * node.index + 2]
        self.proxy = Proxy({
            "seed": self.seed, "links": [("127.0.0.1", node.link_port) for node in nodes],
            "gossip": [("127.0.0.1", port) for port in gossip],
            "doors": [(source, target, port) for (source, target), port in doors.items()],
            "faces": [(self.face(node), gossip[node.index]) for node in nodes]})
        for node in nodes:
            others = [other for other in nodes if other is not node]
            node.configure(
                f"127.0.0.1:{node.link_port}", f"127.0.0.1:{node.rpc_port}",
                gossip=f"127.0.0.1:{gossip[node.index]}",
                advertised=f"{self.face(node)}:{node.link_port}",
                seeds=[f"{self.face(other)}:{gossip[other.index]}" for other in others[:3]],
                peers=[(other.peer, f"127.0.0.1:{doors[node.index, other.index]}")
                       for other in others])

    @staticmethod
    def face(node):
        return f"127.0.2.{node.index + 1}"

    def disturb(self, sources, targets, rule):
        return self.proxy.set(sources, targets, rule)

    def cut(self, one, other):
        self.disturb(one, other, {"hold": True})
        self.disturb(other, one, {"hold": True})

    def heal(self):
        everybody = list(range(self.count))
        return self.disturb(everybody, everybody, {})

    def close(self):
        if self.proxy is not None:
            self.proxy.stop()


class Namespaces:
    """Every node in a network namespace of its own; a bridge joins them. What is cut vanishes in
    the kernel: routes of the two sides to each other become black holes."""

    needs = ("root", "ip")
    # Of the bridge; the nodes follow. Documentation's network, that no real one uses.
    SUBNET = "198.18.{}.{}"

    def __init__(self, seed):
        self.third = seed % 200
        self.name = f"opk{os.getpid() % 100000}"
        self.made = []
        self.holes = set()

    def address(self, index):
        return self.SUBNET.format(self.third, index + 10)

    def space(self, index):
        return f"{self.name}n{index}"

    @staticmethod
    def ip(*words):
        done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=20)
        if done.returncode != 0:
            raise Failed(f"ip {' '.join(words)}: {done.stderr.strip()}")

    def connect(self, network):
        self.ip("link", "add", self.name, "type", "bridge")
        self.made.append(("link", "del", self.name))
        self.ip("addr", "add", self.SUBNET.format(self.third, 1) + "/24", "dev", self.name)
        self.ip("link", "set", self.name, "up")
        for node in network.nodes:
            self.join(node)
        for node in network.nodes:
            seeds = [f"{other.host}:{other.link_port}" for other in network.validators[:3]
                     if other is not node]
            node.configure(f"{node.host}:{node.link_port}", f"{node.host}:{node.rpc_port}",
                           seeds=seeds)

    def join(self, node):
        space, outer = self.space(node.index), f"{self.name}v{node.index}"
        self.ip("netns", "add", space)
        self.made.append(("netns", "del", space))
        self.ip("link", "add", outer, "type", "veth", "peer", "name", "eth0", "netns", space)
        self.ip("link", "set", outer, "master", self.name, "up")
        self.ip("-n", space, "link", "set", "lo", "up")
        self.ip("-n", space, "addr", "add", self.address(node.index) + "/24", "dev", "eth0")
        self.ip("-n", space, "link", "set", "eth0", "up")
        node.host, node.link_port, node.rpc_port = self.address(node.index), 9470, 8645
        node.prefix = ["ip", "netns", "exec", space]

    def cut(self, one, other):
        for source in one:
            for target in other:
                for hole in ((source, target), (target, source)):
                    if hole not in self.holes:
                        self.holes.add(hole)
                        self.route("add", *hole)

    def route(self, verb, source, target):
        self.ip("-n", self.space(source), "route", verb, "blackhole",
                self.address(target) + "/32")

    def heal(self):
        for hole in sorted(self.holes):
            self.route("del", *hole)
        self.holes.clear()
        return {}

    def close(self):
        for words in reversed(self.made):
            subprocess.run(["ip", *words], capture_output=True, timeout=20, check=False)


WIRINGS = {"direct": Direct, "proxy": Proxied, "namespaces": Namespaces}
