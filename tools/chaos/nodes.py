"""Real nodes that this process starts itself: files, processes, exit codes, what they tell."""

import email.utils
import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time

from machine import living_in
from paths import Failed, wait_until
from rpc import Client, NoAnswer, Refusal

# As the operating system reports a process that SIGKILL ended.
KILLED = -signal.SIGKILL
STORAGE_FAULT = 74
# Its key signed what its record lacks.
FOREIGN_SIGNATURE = 77
# For an orderly end, before a node is killed: more than `offpeak node --help` promises.
STOP_SECONDS = 12


def make_template(executable, folder, validators, verifiers, relays):
    """The files of a network that was never started: keys, wallets and genesis."""
    environment = {**os.environ, "OFFPEAK_TESTNET": folder, "SWIFT_BACKTRACE": "enable=no"}
    for command in (["up", "--validators", validators, "--verifiers", verifiers, "--relays", relays],
                    ["down"]):
        done = subprocess.run(
            [executable, "testnet", *map(str, command)], env=environment, capture_output=True,
            text=True, timeout=180, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise Failed(f"no network could be made: {done.stderr.strip()}")
    with open(os.path.join(folder, "testnet.json"), encoding="utf-8") as file:
        count = len(json.load(file)["nodes"])
    for node in range(count):
        for name in ("data", "journal"):
            shutil.rmtree(os.path.join(folder, f"node{node}", name))
    shutil.rmtree(os.path.join(folder, "logs"))
    return folder


def free_ports(count):
    """Ports of 127.0.0.1 that are free for connections and for datagrams."""
    held, ports = [], []
    try:
        while len(ports) < count:
            stream = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            held += [stream, datagram]
            stream.bind(("127.0.0.1", 0))
            try:
                datagram.bind(("127.0.0.1", stream.getsockname()[1]))
            except OSError:
                continue
            ports.append(stream.getsockname()[1])
    finally:
        for end in held:
            end.close()
    return ports


class Node:
    """One node: its files, where it is reached, its process and how its processes ended."""

    def __init__(self, network, index, record):
        self.network = network
        self.index = index
        self.role = record.get("role", "validator")
        self.peer = record["peerID"]
        self.home = os.path.join(network.folder, f"node{index}")
        self.log = os.path.join(network.folder, "logs", f"node{index}.log")
        self.host = "127.0.0.1"
        self.link_port = self.rpc_port = None
        self.process = None
        self.prefix = []
        self.environment = {}
        # Exit codes with what was done to the node before: None for nothing.
        self.exits = []
        self.pids = []
        self.expected = None
        self.paused = False
        # Rises when files are lost: what a new process says may be older then.
        self.life = 0

    def path(self, *parts):
        return os.path.join(self.home, *parts)

    @property
    def journal(self):
        return self.path("journal")

    @property
    def is_validator(self):
        return self.role == "validator"

    def client(self, seconds=3):
        return Client(self.host, self.rpc_port, seconds)

    # The process.

    def start(self):
        if self.runs():
            return
        self.expected = None
        self.paused = False
        command = [*self.prefix, self.network.executable, "node", "--home", self.home]
        environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no", **self.environment}
        if self.network.files:
            command = ["sh", "-c", f'ulimit -S -n {self.network.files} && exec "$@"', "sh",
                       *command]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment,
                start_new_session=True)
        self.pids.append(self.process.pid)

    def runs(self):
        """Whether the process is there; notes how it ended if it isn't."""
        if self.process is None:
            return False
        code = self.process.poll()
        if code is None:
            return True
        # What it was started through may be gone before the node itself, which holds its home.
        group = self.process.pid
        wait_until(lambda: not living_in(group), 10, f"all processes of {group} are gone")
        self.exits.append((code, self.expected))
        self.process = None
        return False

    def signal(self, number):
        """To the node and to what it may have been started through."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        if self.runs():
            self.expected = self.expected or "kill"
            self.signal(signal.SIGKILL)
            self.process.wait(10)
            self.runs()

    def stop(self):
        """Asks it to end; false if it had to be killed."""
        if not self.runs():
            return True
        self.expected = self.expected or "stop"
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return False
        self.runs()
        return True

    def pause(self):
        self.paused = True
        self.signal(signal.SIGSTOP)

    def resume(self):
        self.paused = False
        self.signal(signal.SIGCONT)

    # What it says.

    def status(self, seconds=2):
        """Its `node_status`, or None if it doesn't answer."""
        try:
            return self.client(seconds).call("node_status")
        except (NoAnswer, Refusal):
            return None

    def skew(self):
        """By how many seconds its clock is ahead of this process's, by the date that its HTTP
        server tells; None without an answer."""
        connection = http.client.HTTPConnection(self.host, self.rpc_port, timeout=2)
        try:
            connection.request("GET", "/health")
            date = connection.getresponse().getheader("Date")
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()
        return email.utils.parsedate_to_datetime(date).timestamp() - time.time() if date else None

    def metrics(self):
        """Its metrics as text; empty if it doesn't answer."""
        connection = http.client.HTTPConnection(self.host, self.rpc_port, timeout=5)
        try:
            connection.request("GET", "/metrics")
            return connection.getresponse().read().decode()
        except (OSError, http.client.HTTPException):
            return ""
        finally:
            connection.close()

    def configure(self, listen, rpc, gossip=None, advertised=None, seeds=(), peers=()):
        path = self.path("config.yaml")
        with open(path, encoding="utf-8") as file:
            text = file.read()

        def quoted(address):
            return f'"{address}"' if address else "null"

        def listed(items):
            return "\n" + "".join(items) if items else " []\n"

        first, _, rest = text.partition("network:\n")
        _, _, rest = rest.partition("\nnode:\n")
        network = (
            f"  listen: {quoted(listen)}\n  advertised: {quoted(advertised)}\n"
            f"  gossip: {quoted(gossip)}\n"
            "  seeds:" + listed([f"    - {quoted(seed)}\n" for seed in seeds])
            + "  peers:" + listed([f'    - id: "{peer}"\n      address: "{address}"\n'
                                   for peer, address in peers]))
        rest = re.sub(r'^(rpc:\n(?:  #.*\n)*  listen:).*$', rf'\1 {quoted(rpc)}', rest,
                      flags=re.MULTILINE)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"{first}network:\n{network}\nnode:\n{rest}")


class Network:
    """The nodes of one scenario, made from a template's files."""

    READY_SECONDS = 60

    def __init__(self, executable, template, folder, files=None):
        self.executable = executable
        self.files = files
        self.folder = folder
        shutil.copytree(template, folder)
        os.makedirs(os.path.join(folder, "logs"), exist_ok=True)
        with open(os.path.join(folder, "testnet.json"), encoding="utf-8") as file:
            self.record = json.load(file)
        self.nodes = [Node(self, place, record)
                      for place, record in enumerate(self.record["nodes"])]

    @property
    def validators(self):
        return [node for node in self.nodes if node.is_validator]

    def start(self):
        for node in self.nodes:
            node.start()

    def wait_ready(self, nodes=None):
        """Waits until all say that they take part."""
        deadline = time.monotonic() + self.READY_SECONDS
        waiting = list(self.nodes if nodes is None else nodes)
        while waiting:
            for node in waiting:
                if not node.runs():
                    raise Failed(f"node {node.index} ended while it started: {node.exits[-1][0]}")
            waiting = [node for node in waiting if not (node.status() or {}).get("ready")]
            if waiting and time.monotonic() > deadline:
                reasons = (waiting[0].status() or {}).get("reasons", "no answer")
                raise Failed(f"node {waiting[0].index} isn't ready after {self.READY_SECONDS} s: "
                             f"{reasons}")
            time.sleep(0.05)

    def stop(self):
        """Ends every process; for each node, the seconds that it took."""
        began = time.monotonic()
        took = {}
        for node in self.nodes:
            if node.runs():
                node.expected = node.expected or "stop"
                node.signal(signal.SIGCONT)
                node.signal(signal.SIGTERM)
        while time.monotonic() < began + STOP_SECONDS:
            for node in self.nodes:
                if node.index not in took and not node.runs():
                    took[node.index] = time.monotonic() - began
            if len(took) == len(self.nodes):
                break
            time.sleep(0.02)
        for node in self.nodes:
            if node.index not in took:
                node.kill()
                took[node.index] = time.monotonic() - began
        return took

    def height(self):
        """The highest finalized height that a node tells."""
        heights = [status["finalizedHeight"] for node in self.nodes if node.runs()
                   and not node.paused and (status := node.status())]
        return max(heights, default=0)
