#!/usr/bin/env python3
"""Trials of a local network: what must hold when machines fail and people cheat.

    testnet/trials.py [--offpeak FILE] [--home DIR] [--only NAME ...] [--pairs N]

Makes a network of four validators in a folder of its own, runs the trials one after the other and
removes the network. Exit code 0 only if all held.
"""

import argparse
import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from local import ROOT, Failed, Load, Network, Refused, expect, heading, say, wait_until


def kill_each(network):
    """Kill -9 of each validator in turn under load."""
    with Load(network) as load:
        for node in network.nodes:
            load.goes_on(20)
            network.kill(node)
            load.goes_on(20)
            network.restart(node)
            wait_until(lambda: network.ready(node) and network.ready(node)[0] == 200, 30,
                       f"node {node} ready again")
        load.goes_on(20)
    network.agree()
    load.check()


def kill_all(network):
    """Kill -9 of all four validators at once, under load."""
    with Load(network) as load:
        load.goes_on(10)
        pids = [row["pid"] for row in network.run("testnet", "status", shown=False)["nodes"]]
        say(f"$ kill -9 {' '.join(map(str, pids))}")
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        load.stop()
    network.up()
    network.agree()
    load.check()
    with Load(network) as more:
        more.goes_on(10)


def stop_one(network):
    """With one of four stopped, payments go on."""
    network.kill(3)
    began = time.monotonic()
    with Load(network, nodes=[0, 1, 2]) as load:
        load.goes_on(20)
    say(f"   20 payments with three of four validators in {time.monotonic() - began:.1f} s")
    network.agree(nodes=[0, 1, 2])
    network.restart(3)
    network.agree()
    load.check()


def stop_two(network):
    """With two of four stopped nothing is finalized, RPC says why, and it goes on with three."""
    network.kill(2)
    network.kill(3)
    reasons = wait_until(lambda: reasons_of(network, 0), 20, "node 0 not ready")
    for reason in reasons:
        say(f"   node 0 says: {reason}")
    expect(any("quorum" in reason or "validators" in reason for reason in reasons),
           "/ready names the missing quorum", reasons)
    before = network.rpc(0, "node_status")["finalizedHeight"]
    unpaid = network.balance("erin")
    refusal = network.refused(
        "pay", "--key", network.key("alice"), "--to", network.address("erin"), "--amount", 1,
        "--timeout", "5", node=0)
    expect(refusal, "the payment isn't reported final, and the answer says why")
    time.sleep(3)
    after = network.rpc(0, "node_status")["finalizedHeight"]
    expect(after - before <= 1, "nothing is finalized by two of four", (before, after))
    expect(network.balance("erin") == unpaid, "no money has moved")
    network.restart(2)
    with Load(network, nodes=[0, 1, 2]) as load:
        load.goes_on(10)
    network.restart(3)
    network.agree()
    load.check()


def reasons_of(network, node):
    answer = network.ready(node)
    return answer[1]["reasons"] if answer and answer[0] == 503 else None


def double_spend(network, pairs):
    """Pairs of transactions with one sequence, to two nodes at once: exactly one of each pair."""
    payers = ["alice", "bob", "carol", "dave"]
    folder = tempfile.mkdtemp(prefix="offpeak-pairs-")
    try:
        say(f"   signing {pairs} pairs off-line")
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            signed = list(pool.map(
                lambda place: sign_pairs(network, payers[place], pairs // 4, folder), range(4)))
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            outcomes = [pair for some in pool.map(lambda pairs: submit_pairs(network, pairs), signed)
                        for pair in some]
        say(f"   all decided in {time.monotonic() - began:.1f} s")
    finally:
        shutil.rmtree(folder)
    network.agree()
    count_pairs(network, outcomes)


def sign_pairs(network, payer, count, folder):
    """Two signed transactions for each sequence: one pays the arbiter, one pays erin."""
    account = network.rpc(0, "account_get", address=network.address(payer))
    first = next((s["nextSequence"] for s in account["streams"] if s["stream"] == 0), 0)
    is_known = account.get("policy") is not None

    def sign(sequence, payee):
        name = os.path.join(folder, f"{payer}-{sequence}-{payee}.json")
        network.run(
            "pay", "--key", network.key(payer), "--to", network.address(payee), "--amount", 7,
            "--offline", "--genesis", os.path.join(network.home, "genesis.json"),
            "--sequence", first + sequence, "--out", name, shown=False)
        return Signed(name, reveals=sequence == 0 and not is_known)

    return [(sign(place, "arbiter"), sign(place, "erin")) for place in range(count)]


class Signed:
    """A transaction file as the bytes that a node takes."""

    def __init__(self, name, reveals):
        with open(name, encoding="utf-8") as file:
            content = json.load(file)
        policies = content["policies"] if reveals else []
        bytes = bytearray.fromhex(content["transaction"])
        bytes.append(len(policies))
        for policy in policies:
            bytes += bytearray.fromhex(policy)
        bytes.append(len(content["authorizations"]))
        for entry in content["authorizations"]:
            bytes += bytearray.fromhex(entry["publicKey"] + entry["signature"])
        self.hex = bytes.hex()


def submit_pairs(network, pairs):
    return [submit_pair(network, place, pair) for place, pair in enumerate(pairs)]


def submit_pair(network, place, pair):
    """Sends both to two different nodes at the same moment; waits until one of them is final."""
    nodes = [place % len(network.nodes), (place + 1) % len(network.nodes)]
    barrier = threading.Barrier(2)

    def submit(node, signed):
        barrier.wait()
        try:
            return network.rpc(node, "transaction_submit", transaction=signed.hex)["id"]
        except Refused as refusal:
            return refusal

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(submit, nodes, pair))
    ids = [answer for answer in answers if not isinstance(answer, Refused)]
    if not ids:
        raise Failed(f"pair {place}: both refused: {[str(answer) for answer in answers]}")
    wait_until(lambda: any(is_settled(network, nodes[0], id) for id in ids), 30,
               f"pair {place} decided")
    return answers


def is_settled(network, node, id):
    return network.rpc(node, "transaction_get", id=id)["state"] in ("final", "skipped")


def count_pairs(network, outcomes):
    """Of each pair exactly one is final, the same on every node."""
    refused = 0
    for place, answers in enumerate(outcomes):
        ids = [answer for answer in answers if not isinstance(answer, Refused)]
        refused += 2 - len(ids)
        winners = set()
        for node in network.nodes:
            final = [id for id in ids
                     if network.rpc(node, "transaction_get", id=id)["state"] == "final"]
            if len(final) != 1:
                raise Failed(f"pair {place}: {len(final)} final on node {node}: {final}")
            winners.add(final[0])
        if len(winners) != 1:
            raise Failed(f"pair {place}: nodes disagree: {winners}")
    say(f"   holds: {len(outcomes)} pairs, exactly one of each is final, the same on all nodes "
        f"({refused} of the others refused at once)")


def foreign_client(network):
    """A client in another language, written from PROTOCOL.md alone, pays and makes an escrow."""
    python = subprocess.run(
        [os.path.join(ROOT, "tools", "setup"), "--python"], check=True, capture_output=True,
        text=True).stdout.strip()

    def client(*arguments):
        command = [python, os.path.join(ROOT, "tools", "client.py"),
                   "--node", network.rpc_url(1), "--key", network.key("carol")]
        say("$ tools/client.py " + " ".join(str(argument) for argument in arguments))
        done = subprocess.run(
            command + [str(argument) for argument in arguments], capture_output=True, text=True)
        say("   " + done.stdout.strip().replace("\n", "\n   "))
        expect(done.returncode == 0, "the client's transaction is final", done.stderr)

    before = network.balance("bob")
    client("pay", "--to", network.address("bob"), "--amount", 321)
    expect(network.balance("bob") == before + 321, "bob has 321 more")
    count = len(network.rpc(0, "escrow_list", address=network.address("carol"))["escrows"])
    client("escrow-create", "--payee", network.address("bob"), "--amount", 500,
           "--deadline", "+3600")
    network.agree()
    escrows = network.rpc(0, "escrow_list", address=network.address("carol"))["escrows"]
    expect(len(escrows) == count + 1, "carol has one escrow more", escrows)


TRIALS = {
    "kill-each": kill_each, "kill-all": kill_all, "stop-one": stop_one, "stop-two": stop_two,
    "double-spend": double_spend, "foreign-client": foreign_client,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--offpeak", default=os.path.join(ROOT, ".build/release/offpeak"),
                        help="the executable (default: .build/release/offpeak)")
    parser.add_argument("--home", help="the network's folder (default: a temporary one)")
    parser.add_argument("--only", nargs="+", choices=TRIALS, default=list(TRIALS), metavar="NAME",
                        help="which trials: " + ", ".join(TRIALS))
    parser.add_argument("--pairs", type=int, default=200, help="pairs of double spends, in fours (default: 200)")
    options = parser.parse_args()
    if not os.access(options.offpeak, os.X_OK):
        parser.error(f"{options.offpeak} isn't there; `swift build -c release --product offpeak`"
                     " makes it, or name another with --offpeak")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = options.home or tempfile.mkdtemp(prefix="offpeak-trials-")
    network = Network(options.offpeak, home)
    try:
        return run(network, options)
    finally:
        try:
            network.run("testnet", "down", "--purge", shown=False)
        finally:
            shutil.rmtree(home, ignore_errors=True)


def run(network, options):
    began = time.monotonic()
    try:
        network.up()
        for name in options.only:
            trial = TRIALS[name]
            heading(f"{name}: {trial.__doc__}")
            start = time.monotonic()
            trial(network, options.pairs) if trial is double_spend else trial(network)
            say(f"   {time.monotonic() - start:.1f} s")
    except (Failed, Refused, OSError) as fault:
        say(f"\nFAILED: {fault}")
        show_logs(network)
        return 1
    say(f"\nAll {len(options.only)} trials held, {time.monotonic() - began:.0f} s")
    return 0


def show_logs(network):
    """The end of every node's log, for whoever has to find out why."""
    try:
        for log in network.run("testnet", "logs", "--lines", 15, shown=False):
            say(f"--- {log['file']}\n" + "\n".join(log["lines"]))
    except Refused as refusal:
        say(str(refusal))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
