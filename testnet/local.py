"""A local network as the walk and the trials see it: the command line, JSON-RPC, and checks.

Only Python's standard library. Everything that a person could do is done by the command line, and
each command is printed before it runs.
"""

import http.client
import json
import os
import shlex
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Failed(Exception):
    """A step that didn't hold: what was expected, and what was there."""


class Refused(Exception):
    """A command that ended with another code than 0; `error` is what it said."""

    def __init__(self, command, code, error):
        super().__init__(f"`{command}` ended with {code}: {error}")
        self.code = code
        self.error = error


def say(text=""):
    print(text, flush=True)


def heading(text):
    say(f"\n\033[1m== {text}\033[0m" if sys.stdout.isatty() else f"\n== {text}")


def expect(holds, text, found=None):
    """Says that something holds, or ends the run."""
    if not holds:
        raise Failed(text if found is None else f"{text}; found {found}")
    say(f"   holds: {text}")


def wait_until(condition, seconds, what):
    """The first true answer of `condition`, asked until the time is over."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise Failed(f"{what}: not within {seconds} s")
        time.sleep(0.05)


class Network:
    """The network in a folder, driven by one executable."""

    def __init__(self, executable, home):
        self.executable = os.path.abspath(executable)
        self.home = os.path.abspath(home)
        self.record = {"nodes": [], "wallets": []}
        self.quiet = threading.local()

    # Commands.

    def run(self, *arguments, node=None, shown=True, seconds=120):
        """Runs `offpeak ARGUMENTS --json`, and gives its answer. Prints the command first."""
        command = [str(argument) for argument in arguments]
        if node is not None:
            command += ["--node", self.rpc_url(node)]
        if shown:
            say("$ offpeak " + " ".join(self.short(shlex.quote(part)) for part in command))
        try:
            done = subprocess.run(
                [self.executable, *command, "--json"], capture_output=True, text=True,
                timeout=seconds, stdin=subprocess.DEVNULL, env=self.environment())
        except subprocess.TimeoutExpired as fault:
            raise Refused(" ".join(command), None, f"no end after {seconds} s") from fault
        if done.returncode != 0:
            raise Refused(" ".join(command), done.returncode, self.error(done.stderr))
        return json.loads(done.stdout) if done.stdout.strip() else None

    def refused(self, *arguments, **options):
        """Runs a command that must be refused, and gives what it said."""
        try:
            answer = self.run(*arguments, **options)
        except Refused as refusal:
            say(f"   refused: {refusal.error}")
            return refusal.error
        raise Failed(f"`offpeak {' '.join(map(str, arguments))}` wasn't refused: {answer}")

    def environment(self):
        return {**os.environ, "OFFPEAK_TESTNET": self.home, "SWIFT_BACKTRACE": "enable=no"}

    @staticmethod
    def error(text):
        try:
            return json.loads(text)["error"]["message"]
        except (ValueError, KeyError, TypeError):
            return text.strip()

    def short(self, text):
        """Paths as a person would write them, ids cut to what tells them apart."""
        text = text.replace(self.home + "/", "").replace(ROOT + "/", "")
        return text if len(text) <= 60 or "/" in text or ":" in text else text[:20] + "..."

    # The network.

    def up(self, *arguments):
        answer = self.run("testnet", "up", *arguments, seconds=300)
        self.load()
        return answer

    def load(self):
        with open(os.path.join(self.home, "testnet.json"), encoding="utf-8") as file:
            self.record = json.load(file)

    def rpc_url(self, node):
        return f"http://127.0.0.1:{self.record['nodes'][node]['rpcPort']}"

    @property
    def nodes(self):
        return range(len(self.record["nodes"]))

    def address(self, name):
        return next(w["address"] for w in self.record["wallets"] if w["name"] == name)

    def public_key(self, name):
        return next(w["publicKey"] for w in self.record["wallets"] if w["name"] == name)

    def key(self, name):
        return next(w["file"] for w in self.record["wallets"] if w["name"] == name)

    def kill(self, node):
        self.run("testnet", "kill", node)

    def restart(self, node, *arguments):
        self.run("testnet", "restart", node, *arguments)

    # JSON-RPC.

    def rpc(self, node, method, seconds=15, **parameters):
        """One call. Raises OSError if the node isn't there, Refused for its errors."""
        answer = self.post(node, {
            "jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}, seconds)
        if "error" in answer:
            raise Refused(method, answer["error"]["code"], answer["error"]["message"])
        return answer["result"]

    def post(self, node, body, seconds=15):
        port = self.record["nodes"][node]["rpcPort"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=seconds)
        try:
            connection.request(
                "POST", "/", json.dumps(body), {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        except http.client.HTTPException as fault:
            raise OSError(f"node {node}: {fault!r}") from fault
        finally:
            connection.close()

    def ready(self, node):
        """Status code and answer of /ready; None if the node isn't there."""
        port = self.record["nodes"][node]["rpcPort"]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/ready")
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError):
            return None
        finally:
            connection.close()

    def balance(self, name_or_address, node=0):
        known = [w["name"] for w in self.record["wallets"]]
        address = self.address(name_or_address) if name_or_address in known else name_or_address
        try:
            account = self.rpc(node, "account_get", address=address)
        except Refused as refusal:
            if refusal.code == -32002:
                return 0
            raise
        return sum(int(balance["amount"]) for balance in account["balances"]
                   if balance["asset"] == "native")

    def checked(self):
        """Users' signatures that each node has checked since its start."""
        return {node: sum(self.rpc(node, "verification_status")["checked"].values())
                for node in self.nodes}

    # Checks.

    def agree(self, nodes=None, seconds=30, shown=True):
        """Waits until all `nodes` were seen at one height, and compares state root and supply there.

        Heights are read from running nodes: each answer is a sample, and samples at the same height
        are compared. Every pair of samples at any common height must agree, not only the last.
        """
        nodes = list(self.nodes if nodes is None else nodes)
        samples = {}
        common = wait_until(
            lambda: self.sample(nodes, samples), seconds, "all nodes at one height")
        rows = [samples[common][node] for node in nodes]
        if shown:
            self.table(nodes, rows)
            say(f"   holds: one state root and one supply on {len(nodes)} nodes at height {common}")
        return rows[0]

    def sample(self, nodes, samples):
        """Adds a sample of each node; gives the newest height that all were seen at, or None."""
        for node in nodes:
            try:
                status = self.rpc(node, "node_status")
            except OSError:
                continue
            samples.setdefault(status["appliedHeight"], {})[node] = status
        common = None
        for height, rows in samples.items():
            for field in ("stateRoot", "supply"):
                values = {json.dumps(row[field], sort_keys=True) for row in rows.values()}
                if len(values) > 1:
                    raise Failed(f"{field} differs at height {height}: {sorted(values)}")
            if len(rows) == len(nodes):
                common = max(common or 0, height)
        return common

    @staticmethod
    def table(nodes, rows):
        say("   NODE  HEIGHT  STATE ROOT        SUPPLY")
        for node, row in zip(nodes, rows):
            say(f"   {node:>4}  {row['appliedHeight']:>6}  {row['stateRoot'][:16]}"
                f"  {row['supply']['supply']}")
        parts = rows[0]["supply"]
        held = sum(int(value) for name, value in parts.items() if name != "supply")
        if held != int(parts["supply"]):
            raise Failed(f"the parts of the supply sum to {held}: {parts}")


class Load:
    """Payments from several wallets, through the nodes in turn, each as soon as the one before is
    final and `pause` seconds are over.

    Each payment that a node reported final is kept with the height that was reported: none of them
    may ever be missing. One that got no answer counts as unknown, which is honest.
    """

    def __init__(self, network, payers=("alice", "bob", "carol", "dave"), payee="erin", nodes=None,
                 pause=0):
        self.network = network
        self.pause = pause
        self.payee = network.address(payee)
        self.nodes = list(network.nodes if nodes is None else nodes)
        self.final = {}
        self.unanswered = 0
        self.lock = threading.Lock()
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self.pay, args=(place, name), daemon=True)
            for place, name in enumerate(payers)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def pay(self, place, name):
        turn = place
        while not self.stopping.wait(self.pause):
            node = self.nodes[turn % len(self.nodes)]
            turn += 1
            try:
                answer = self.network.run(
                    "pay", "--key", self.network.key(name), "--to", self.payee, "--amount", 1,
                    "--timeout", "10", node=node, shown=False)
            except Refused:
                with self.lock:
                    self.unanswered += 1
                self.stopping.wait(0.05)
                continue
            with self.lock:
                self.final[answer["transaction"]] = answer["receipt"]["height"]

    @property
    def count(self):
        with self.lock:
            return len(self.final)

    def goes_on(self, more, seconds=60):
        """Waits until `more` further payments are final."""
        start = self.count
        wait_until(lambda: self.count >= start + more, seconds, f"{more} more payments final")

    def check(self, nodes=None):
        """Every payment that was reported final is final on every node, at the height reported."""
        nodes = list(self.network.nodes if nodes is None else nodes)
        with self.lock:
            final = dict(self.final)
        for node in nodes:
            for id, height in final.items():
                status = self.network.rpc(node, "transaction_get", id=id)
                if status["state"] != "final" or status["receipt"]["height"] != height:
                    raise Failed(f"{id} was final at height {height}; node {node}: {status}")
        say(f"   holds: {len(final)} payments reported final, none missing on {len(nodes)} nodes "
            f"({self.unanswered} without an answer)")
