#!/usr/bin/env python3
"""Whether the owner of a machine that lends its idle time notices: a measurement, not a test.

It wants a machine with nothing else to do, some minutes, and stress-ng.
"""

import argparse
import hashlib
import http.client
import multiprocessing
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from local import Failed, Load, Network, Refused, expect, heading, say, wait_until

# What the neighbour does for each request: about a fifth of a millisecond.
NEIGHBOUR_BYTES = bytes(256 * 1024)


def serve(listener):
    """An unrelated program of the machine's owner: one connection, one answer after the other."""
    os.setsid()
    connection, _ = listener.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while connection.recv(16):
        connection.sendall(hashlib.sha256(NEIGHBOUR_BYTES).digest())


class Neighbour:
    """That program, started as from another terminal, and a client of it."""

    def __enter__(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.process = multiprocessing.Process(target=serve, args=(listener,), daemon=True)
            self.process.start()
            self.connection = socket.create_connection(listener.getsockname())
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self

    def __exit__(self, *_):
        self.connection.close()
        self.process.join(5)

    def ask(self):
        self.connection.sendall(b"?")
        left = 32
        while left:
            left -= len(self.connection.recv(left))


def metrics(port):
    """The share's figures of a node by name, with labels as they are written."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
    finally:
        connection.close()
    lines = re.findall(r"^offpeak_share_(\S+) (\S+)$", text, re.MULTILINE)
    return {name: float(value) for name, value in lines}


def reason(figures):
    names = [name for name, value in figures.items() if name.startswith("reason{") and value == 1]
    return names[0].split('"')[1] if names else "unknown"


def latencies(ask, seconds, pause=0.004):
    """How long each request took, in milliseconds, with a pause between."""
    found = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        start = time.perf_counter()
        ask()
        found.append(1000 * (time.perf_counter() - start))
        time.sleep(pause)
    return found


def percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


class Machine:
    """A network whose last node lends what it has."""

    def __init__(self, network, options):
        self.network = network
        self.options = options
        arguments = ["--validators", options.validators]
        if not options.without_work:
            arguments += ["--verifiers", 1]
        network.up(*arguments)
        self.node = len(network.record["nodes"]) - 1

    @property
    def port(self):
        return self.network.record["nodes"][self.node]["rpcPort"]

    def lend(self, mode):
        """Starts the node anew with another mode, and waits until it lends, or doesn't."""
        file = os.path.join(self.network.home, f"node{self.node}", "config.yaml")
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
        text = re.sub(r"^(  mode:).*$", rf"\1 {mode}", text, flags=re.MULTILINE)
        # The network's other processes are others to this node.
        text = re.sub(r"^(  loadMax:).*$", rf"\1 {self.options.load_max}", text, flags=re.MULTILINE)
        text = re.sub(
            r"^(  pressureMax:).*$", rf"\1 {self.options.pressure_max}", text, flags=re.MULTILINE)
        with open(file, "w", encoding="utf-8") as stream:
            stream.write(text)
        self.network.restart(self.node)
        if mode != "off":
            self.wait_for_lending()

    def wait_for_lending(self):
        try:
            wait_until(lambda: metrics(self.port)["lending"] == 1, 60, "the machine is lent")
        except Failed as failure:
            found = metrics(self.port)
            raise Failed(f"{failure}: {reason(found)}, load {found['load_ratio']:.0%}, pressure "
                         f"{found['pressure_ratio']:.0%}; is the machine idle?") from failure

    def health(self):
        """Asks for /health on one connection that stays open."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

        def ask():
            connection.request("GET", "/health")
            connection.getresponse().read()

        return ask


class Work:
    """Transfers at a steady rate to the validators, so that there are signatures to check."""

    def __init__(self, machine, options):
        network = machine.network
        addresses = [f"127.0.0.1:{node['rpcPort']}"
                     for node in network.record["nodes"][:options.validators]]
        arguments = ["--key", network.key("carol"), "--accounts", "500", "--rate", options.rate,
                     "--warm-up", "1", "--seconds", "600"]
        for address in addresses:
            arguments += ["--validators", address]
        say(f"$ offpeak bench network {' '.join(map(str, arguments))}")
        self.process = subprocess.Popen(
            [options.offpeak, "bench", "network", *map(str, arguments)],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        done = metrics(machine.port)["jobs_total"]
        wait_until(lambda: self.goes_on() and metrics(machine.port)["jobs_total"] > done + 5, 90,
                   "the lent machine checks signatures")

    def goes_on(self):
        if self.process.poll() is not None:
            raise Failed(f"the load ended: {self.process.stderr.read().decode()}")
        return True

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def step_back(machine, load):
    """Starts stress-ng and measures how long lent work goes on; gives seconds, or fails."""
    machine.wait_for_lending()
    before = metrics(machine.port)
    start = time.monotonic()
    stress = subprocess.Popen(
        ["setsid", "--wait", "stress-ng", "--cpu", str(os.cpu_count()), "--timeout", "8s"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    decided = last_work = None
    done = before["jobs_total"]
    try:
        while time.monotonic() < start + 6:
            asked = time.monotonic()
            found = metrics(machine.port)
            if decided is None and found["lending"] == 0:
                decided = time.monotonic() - start
            if found["jobs_total"] > done or found["threads_busy"] > 0:
                done = found["jobs_total"]
                last_work = asked - start
            time.sleep(0.01)
    finally:
        stress.wait()
    found = metrics(machine.port)
    if decided is None:
        raise Failed("stress-ng ran for six seconds, and the machine was lent all the same")
    say(f"   decided after {decided:.3f} s; last lent work seen at {last_work or 0:.3f} s; all "
        f"answered {found['last_stepback_seconds']:.3f} s after the decision; handed back "
        f"{found['jobs_declined_total'] - before['jobs_declined_total']:.0f} jobs; "
        f"payments so far {load.count if load else 0}")
    return max(decided, last_work or 0)


def compare(machine, options):
    """Latencies of a neighbour and of the node's RPC with lending and without, in turn."""
    rows = {("neighbour", mode): [] for mode in ("off", "idle")}
    rows |= {("rpc", mode): [] for mode in ("off", "idle")}
    for turn in range(2 * options.rounds):
        mode = ("off", "idle", "idle", "off")[turn % 4]
        machine.lend(mode)
        before = metrics(machine.port)
        with Neighbour() as neighbour:
            rows["neighbour", mode] += latencies(neighbour.ask, options.seconds)
        rows["rpc", mode] += latencies(machine.health(), options.seconds / 2)
        after = metrics(machine.port)
        work = after["cpu_seconds_total"] - before["cpu_seconds_total"]
        say(f"   {mode:>4}: {work:.2f} s of lent work, "
            f"{after['stepbacks_total'] - before['stepbacks_total']:.0f} step backs")
    say("   MILLISECONDS      p50     p90     p99    p99.9  requests")
    for (name, mode), values in rows.items():
        figures = "".join(f"{percentile(values, part):8.3f}" for part in (0.5, 0.9, 0.99, 0.999))
        say(f"   {name + ', ' + mode:<15}{figures} {len(values):>9}")
    rise = (percentile(rows["neighbour", "idle"], 0.99)
            / percentile(rows["neighbour", "off"], 0.99) - 1)
    expect(
        rise <= 0.10, "p99 of the neighbour's requests rises by no more than 10 %", f"{rise:+.1%}")


def run(network, options):
    heading("A network with a node that lends its idle time")
    machine = Machine(network, options)
    machine.lend("idle")
    load = None if options.without_work else Load(
        network, nodes=range(options.validators), payers=("alice", "bob"), pause=1)
    work = None
    if load:
        work = Work(machine, options)
        load.__enter__()
        load.goes_on(10)
    heading("Stepping back for stress-ng")
    delays = [step_back(machine, load) for _ in range(options.rounds)]
    say(f"   median {statistics.median(delays):.3f} s, slowest {max(delays):.3f} s")
    expect(max(delays) <= 1, "lent work stops within a second")
    if load is None:
        return
    heading("What a neighbour notices")
    compare(machine, options)
    heading("What the network lost")
    work.stop()
    load.goes_on(10)
    load.stop()
    load.check()
    network.agree()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--offpeak", default=".build/release/offpeak", help="the built program")
    parser.add_argument(
        "--validators", type=int, default=3, help="on this machine; with fewer than three an "
        "owner's own word suffices, and nobody else is asked (3)")
    parser.add_argument("--rate", type=int, default=20, help="transfers a second (20)")
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--seconds", type=float, default=10, help="of each round (10)")
    parser.add_argument(
        "--load-max", type=int, default=80, help="the node's loadMax: validators beside it are "
        "others to it (80)")
    parser.add_argument("--pressure-max", type=int, default=60, help="the node's pressureMax (60)")
    parser.add_argument(
        "--without-work", action="store_true", help="a validator instead of a verifier: the "
        "decisions alone, and no payments")
    options = parser.parse_args()
    if not shutil.which("stress-ng"):
        sys.exit("stress-ng is missing: apt-get install stress-ng")
    with tempfile.TemporaryDirectory(prefix="offpeak-share-") as home:
        network = Network(options.offpeak, home)
        try:
            run(network, options)
        except (Failed, Refused) as failure:
            sys.exit(f"share: {failure}")
        finally:
            network.run("testnet", "down", "--purge", shown=False)


if __name__ == "__main__":
    main()
