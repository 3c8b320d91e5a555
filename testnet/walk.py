#!/usr/bin/env python3
"""A walk through a local network: every command is printed, every result is checked.

    testnet/walk.py [--offpeak FILE] [--home DIR] [--demo-only]

Starts four validators and shows keys, payments, a 2-of-3 account, one with a limit whose
guardians replace a lost key, escrows with milestones, an arbiter and a deadline, proofs and
statements checked off-line, one voucher for two merchants, settlement files, a validator that is
killed under load, two verifiers and a relay that join and check for the validators, and a
committee that is replaced as a whole while people pay. Ends with the network running, or with
--demo-only with everything removed. Exit code 0 only if every step held.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import committee
import offline
from local import ROOT, Failed, Load, Network, Refused, expect, heading, say, wait_until


def keys(network, folder):
    """Keys: a new one from words, and those of the network's first accounts."""
    key = os.path.join(folder, "frank.key")
    made = network.run("key", "new", key, "--words", 12, "--hide-words")
    shown = network.run("key", "show", key)
    expect(made["address"] == shown["address"] and shown["address"].startswith("opkacc1"),
           f"frank's address is {shown['address']}")
    expect(os.stat(key).st_mode & 0o777 == 0o600, "only its owner can read the key file")
    expect(network.balance(shown["address"]) == 0, "the address is still without an account")
    for name in ("alice", "bob", "carol"):
        say(f"   {name} has {network.balance(name)}")


def payments(network, folder):
    """Payments through every node: each forwards to the shard's owner, all know the result."""
    frank = network.run("key", "show", os.path.join(folder, "frank.key"), shown=False)["address"]
    for node, payer in zip(network.nodes, ("alice", "bob", "carol", "dave")):
        paid = network.run("pay", "--key", network.key(payer), "--to", frank, "--amount", 1000,
                           "--memo", f"from {payer}", node=node)
        receipt = paid["receipt"]
        say(f"   final at height {receipt['height']} in {paid['latencyMilliseconds']} ms, "
            f"fee {receipt['fee']}")
    for node in network.nodes:
        wait_until(lambda: network.balance(frank, node) == 4000, 10, f"4000 on node {node}")
    expect(True, "frank has 4000 on every node")
    too_much = network.refused("pay", "--key", os.path.join(folder, "frank.key"), "--to",
                               network.address("alice"), "--amount", 10**9, node=0)
    expect(too_much, "a payment of more than there is moves nothing")


def multisig(network, folder):
    """A 2-of-3 account: made, funded, and spent from with two signatures gathered off-line."""
    policy = os.path.join(folder, "ours.policy")
    signers = [part for name in ("alice", "bob", "carol")
               for part in ("--signer", f"{network.public_key(name)}:1")]
    made = network.run("account", "policy", "new", *signers, "--spend", 2, "--admin", 3,
                       "--out", policy)
    shared = made["address"]
    network.run("pay", "--key", network.key("faucet"), "--to", shared, "--amount", 50_000, node=1)
    expect(network.balance(shared, 1) == 50_000, "the shared account has 50000")
    before = network.balance("dave", 1)
    draft = os.path.join(folder, "draft.json")
    network.run("pay", "--policy", policy, "--to", network.address("dave"), "--amount", 20_000,
                "--max-fee", 5_000, "--unsigned", "--out", draft, node=1)
    one, two = (os.path.join(folder, f"{name}.json") for name in ("by-carol", "by-alice"))
    network.run("tx", "sign", draft, "--key", network.key("carol"), "--out", one)
    missing = network.refused("tx", "submit", one, node=2)
    expect("weigh" in missing or "notAuthorized" in missing, "one signature isn't enough", missing)
    network.run("tx", "sign", draft, "--key", network.key("alice"), "--out", two)
    both, other = (os.path.join(folder, f"{name}.json") for name in ("both", "both-again"))
    network.run("tx", "merge", one, two, "--out", both)
    network.run("tx", "merge", two, one, "--out", other)
    with open(both, "rb") as first, open(other, "rb") as second:
        expect(first.read() == second.read(), "the order of signing makes no difference")
    sent = network.run("tx", "submit", both, node=2)
    wait_until(lambda: network.balance("dave", 1) == before + 20_000, 10, "dave paid")
    expect(True, f"dave has 20000 more, final at height {sent['receipt']['height']}")
    again = network.run("tx", "submit", both, node=3)
    expect(again["receipt"] == sent["receipt"], "sent again, it is the same transaction")


def recovery(network, folder):
    """A 2-of-3 account with a limit loses a key: its guardians give it new ones, after a delay."""
    keys = [network.key(name) for name in ("alice", "bob", "carol")]
    every = [part for key in keys for part in ("--key", key)]
    two = every[:4]
    franks = os.path.join(folder, "frank.key")
    frank = network.run("key", "show", franks, shown=False)["address"]
    signers = [part for name in ("alice", "bob", "carol")
               for part in ("--signer", f"{network.public_key(name)}:1")]
    policy = os.path.join(folder, "family.policy")
    # The third weighs two for changes of the policy, so that the address isn't that of before.
    signers[-1] = f"{network.public_key('carol')}:2"
    family = network.run("account", "policy", "new", *signers, "--spend", 2, "--admin", 4,
                         "--out", policy)["address"]
    network.run("pay", "--key", network.key("faucet"), "--to", family, "--amount", 100_000,
                node=0)
    network.run("account", "guardians", "--set",
                ",".join(network.address(name) for name in ("dave", "erin", "arbiter")) + "@2",
                "--delay", "6s", "--policy", policy, *every, node=1)
    network.run("account", "limits", "--limit", "20000/1h", "--from", family, *every, node=2)
    safe = network.run("account", "show", family, node=1)["safeguards"]
    expect(safe["guardians"]["delayMilliseconds"] == 6000 and safe["limits"][0]["left"] == "20000",
           "20000 may leave in an hour by two keys; dave, erin and the arbiter guard the account")

    network.run("pay", "--from", family, *two, "--to", frank, "--amount",
                10_000, "--max-fee", 3_000, node=2)
    too_much = network.refused("pay", "--from", family, *two, "--to", frank,
                               "--amount", 10_001, "--max-fee", 3_000, node=2)
    expect("limit" in too_much, "10001 more by two keys is above the limit", too_much)
    network.run("pay", "--from", family, *every, "--to", frank, "--amount",
                10_000, "--max-fee", 3_000, node=3)
    expect(True, "with all three keys it goes through: no limit locks an account")

    say("   carol has lost her key: the guardians propose another in its place")
    network.run("key", "new", os.path.join(folder, "carol2.key"), "--words", 12, "--hide-words",
                shown=False)
    found = network.run("key", "show", os.path.join(folder, "carol2.key"), shown=False)
    new = os.path.join(folder, "family2.policy")
    network.run("account", "policy", "new", *signers[:4], "--signer", f"{found['publicKey']}:2",
                "--spend", 2, "--admin", 4, "--out", new)
    alone = network.refused("recover", "propose", family, new, "--key", network.key("dave"),
                            node=0)
    expect("guardiansTooFew" in alone, "one guardian of three isn't enough", alone)
    # The network doesn't know erin's policy before she first signs: a file tells it.
    erin, draft = (os.path.join(folder, name) for name in ("erin.policy", "recovery.json"))
    network.run("account", "policy", "new", "--signer", network.public_key("erin"), "--spend", 1,
                "--out", erin)
    network.run("recover", "propose", family, new, "--key", network.key("dave"), "--cosigner",
                erin, "--out", draft, node=1)
    waiting = network.run("inbox", "--key", network.key("erin"), "--folder", folder,
                          node=2)["items"]
    expect([item["kind"] for item in waiting if item["subject"] == draft] == ["sign"],
           "erin's inbox has the file that lacks her signature")
    network.run("tx", "sign", draft, "--key", network.key("erin"))
    network.run("tx", "submit", draft, node=2)
    asked = network.run("inbox", "--account", family, node=1)["items"]
    expect([item["kind"] for item in asked] == ["veto"],
           "the account's inbox says so, with the command that refuses it")
    early = network.refused("recover", "complete", family, "--key", franks, node=3)
    expect("recoveryTooEarly" in early, "before the delay is over nothing changes", early)
    network.run("recover", "veto", family, "--from", family, *two, "--max-fee", 2_000,
                node=0)
    again = network.refused("recover", "propose", family, new, "--key", network.key("dave"),
                            "--key", network.key("erin"), "--cosigner", erin, node=1)
    expect("recoveryTooSoon" in again,
           "alice and bob weren't asked: their veto holds for as long as the delay", again)

    say("   they agree, and after the quiet time the guardians propose it once more")
    propose = ("recover", "propose", family, new, "--key", network.key("dave"), "--key",
               network.key("erin"), "--cosigner", erin)
    wait_until(lambda: tried(network, 2, *propose), 30, "the guardians may propose again")
    def is_ready():
        recovery = network.rpc(3, "account_get", address=family)["safeguards"].get("recovery")
        head = network.rpc(3, "chain_head")
        return recovery and int(head["time"]) >= int(recovery["readyAt"])

    wait_until(is_ready, 30, "the delay is over")
    complete = ("recover", "complete", family, "--key", franks)
    wait_until(lambda: tried(network, 3, *complete), 10, "the new keys are in force")
    shown = network.run("account", "show", family, node=3)
    expect(found["publicKey"] in [signer["publicKey"] for signer in shown["policy"]["signers"]]
           and "recovery" not in shown["safeguards"],
           "anybody completes it: the address is the same, carol's new key is in force")
    network.run("pay", "--from", family, *two[:2], "--key", os.path.join(folder, "carol2.key"),
                "--to", frank, "--amount", 1_000, "--max-fee", 3_000, node=1)
    expect(True, "alice and carol pay with it")


def tried(network, node, *command):
    """Whether a command went through."""
    try:
        network.run(*command, node=node, shown=False)
        return True
    except Refused:
        return False


def milestones(network, folder):
    """An escrow with two milestones and an arbiter: one release, then a dispute and a split."""
    before = {name: network.balance(name) for name in ("erin", "arbiter")}
    created = network.run(
        "escrow", "create", "--key", network.key("alice"), "--to", network.address("erin"),
        "--amount", 9_000, "--deadline", "+1h", "--arbiter", network.address("arbiter"), node=0)
    escrow = created["receipt"]["escrows"][0]
    network.run("escrow", "decide", escrow, "--key", network.key("alice"), "--release", 4_000,
                node=1)
    shown = network.run("escrow", "show", escrow, node=2)
    expect((shown["held"], shown["released"]) == ("5000", "4000"),
           "the first milestone is paid: 4000 released, 5000 held")
    network.refused("escrow", "decide", escrow, "--key", network.key("bob"), "--release", 5_000,
                    node=3)
    network.run("escrow", "dispute", escrow, "--key", network.key("erin"), node=0)
    network.refused("escrow", "decide", escrow, "--key", network.key("alice"), "--release", 1,
                    node=1)
    network.run("escrow", "arbitrate", escrow, "--key", network.key("arbiter"), "--to-payee",
                3_000, "--to-payer", 2_000, node=2)
    closed = network.run("escrow", "show", escrow, node=2)
    expect((closed["state"], closed["held"], closed["released"], closed["refunded"])
           == ("closed", "0", "7000", "2000"), "the arbiter split the rest: 3000 and 2000")
    say(f"   erin has {network.balance('erin', 2) - before['erin']} more, her fee taken off")


def deadline(network, folder):
    """An escrow that expires by itself: nobody does anything, the block carries it out."""
    created = network.run(
        "escrow", "create", "--key", network.key("bob"), "--to", network.address("erin"),
        "--amount", 5_000, "--deadline", "+4s", node=3)
    escrow = created["receipt"]["escrows"][0]
    before = network.balance("bob", 3)
    say("   waiting for the deadline")
    wait_until(lambda: network.rpc(3, "escrow_get", id=escrow)["state"] == "closed", 30,
               "the escrow closed")
    shown = network.run("escrow", "show", escrow, node=3)
    expect(shown["refunded"] == "5000", "all of it went back to bob")
    deposit = int(network.rpc(3, "genesis_get")["parameters"]["escrowDeposit"])
    expect(network.balance("bob", 3) == before + 5_000 + deposit,
           f"bob has 5000 more, and the escrow's deposit of {deposit}, without a fee")


def assets(network, folder):
    """An asset that carol issues: minted, paid, held in escrow, frozen, redeemed, retired."""
    key, dave = network.key("carol"), network.address("dave")

    def held(name, node=0):
        account = network.rpc(node, "account_get", address=network.address(name))
        return sum(int(entry["amount"]) for entry in account["balances"]
                   if entry["asset"] == asset)

    issued = network.run("asset", "issue", "--key", key, "--symbol", "COFFEE", "--cap", 1_000,
                         "--can-freeze", "--can-claw-back", node=1)
    asset = issued["receipt"]["assets"][0]
    network.run("asset", "mint", asset, "--to", dave, "--amount", 100, "--key", key, node=1)
    above = network.refused("asset", "mint", asset, "--to", dave, "--amount", 901, "--key", key,
                            node=1)
    expect("aboveCap" in above, "nobody mints above the cap", above)
    network.run("pay", "--key", network.key("dave"), "--to", network.address("erin"),
                "--amount", 40, "--asset", asset, node=2)
    created = network.run("escrow", "create", "--key", network.key("dave"), "--to",
                          network.address("bob"), "--amount", 60, "--asset", asset,
                          "--deadline", "+1h", node=2)
    escrow = created["receipt"]["escrows"][0]
    network.run("escrow", "decide", escrow, "--release", "all", "--key", network.key("dave"),
                node=3)
    wait_until(lambda: held("bob") == 60 and held("erin") == 40, 10, "bob and erin hold it")
    expect(held("dave") == 0, "bob has 60 by an escrow, erin 40, dave nothing")
    network.run("asset", "freeze", asset, "--holder", network.address("erin"), "--key", key,
                node=1)
    stopped = network.refused("pay", "--key", network.key("erin"), "--to", dave,
                              "--amount", 1, "--asset", asset, node=2)
    expect("assetFrozen" in stopped, "who is frozen can't pay with it", stopped)
    network.run("asset", "clawback", asset, "--holder", network.address("erin"), "--amount", 40,
                "--key", key, node=1)
    network.run("asset", "redeem", asset, "--amount", 60, "--key", network.key("bob"), node=3)
    network.run("asset", "retire", asset, "--key", key, node=1)
    gone = network.refused("query", "asset", asset, node=1)
    expect("asset" in gone, "nothing of it is left, and its deposit is back", gone)


def governance(network, folder):
    """What validators may change, and a proposal that nobody has voted on yet."""
    shown = network.run("governance", "show", node=1)
    named = {entry["name"]: entry for entry in shown["parameters"]}
    wild = network.refused("governance", "propose", "--set", "fees.targetWeight=0", "--key",
                           network.key("alice"), node=1)
    expect("are possible" in wild, "a value that would stop the chain is refused", wild)
    made = network.run("governance", "propose", "--set", "fees.escrowDeposit=15000", "--key",
                       network.key("faucet"), node=1)
    proposal = made["receipt"]["proposals"][0]
    wait_until(lambda: network.rpc(2, "governance_get")["proposals"], 10, "all nodes know it")
    told = network.rpc(2, "governance_get")["proposals"][0]
    expect(told["id"] == proposal and told["approvingWeight"] == 0,
           f"fees.escrowDeposit may become 15000, it is {named['fees.escrowDeposit']['value']}")


def crash(network, folder):
    """A validator is killed with -9 under load, and comes back."""
    with Load(network) as load:
        load.goes_on(10)
        began = time.monotonic()
        network.kill(2)
        load.goes_on(10)
        say(f"   10 payments after the kill in {time.monotonic() - began:.1f} s")
        network.restart(2)
        load.goes_on(10)
    network.agree(shown=False)
    load.check()


def idle_machines(network, folder):
    """Idle machines: two bonded verifiers and a relay join, and check for the validators."""
    validators = list(network.nodes)
    with Load(network, nodes=validators) as load:
        before = shares(network, load, "checked by four validators alone")
        added = network.run("testnet", "add-idle", "--verifiers", 2, "--relays", 1, seconds=300)
        network.load()
        members = network.rpc(0, "verifier_list")["verifiers"]
        expect([member["role"] for member in members].count("verifier") == 2,
               "two verifiers stand in the set beside the validators")
        load.goes_on(10)
        after = shares(network, load, "checked with two verifiers and a relay beside them")
    load.check()
    mine = [sum(counts[node] for node in validators) for counts in (before, after)]
    expect(mine[1] < 0.75 * mine[0], "the validators check less for a payment than before")
    theirs = sum(after[node["index"]] for node in added if node["role"] == "verifier")
    expect(theirs > 0.5, "the verifiers check more than every second payment")
    relay = next(node["index"] for node in added if node["role"] == "relay")
    screened = network.rpc(relay, "verification_status")["checked"]["screening"]
    paid = network.run("pay", "--key", network.key("faucet"), "--to", network.address("erin"),
                       "--amount", 500, node=relay)
    now = network.rpc(relay, "verification_status")["checked"]["screening"]
    expect(paid["receipt"]["outcome"] == "success" and now > screened,
           "the relay screens a payment and hands it on")


def shares(network, load, what):
    """Runs some payments, and shows who checked how many signatures for each of them."""
    start, paid = network.checked(), load.count
    load.goes_on(40)
    counts = {node: (count - start[node]) / (load.count - paid)
              for node, count in network.checked().items()}
    say(f"   {what}, signatures for a payment:")
    for node, count in counts.items():
        role = network.record["nodes"][node]["role"]
        say(f"   {node:>4}  {role:<10} {count:5.2f}  {100 * count / sum(counts.values()):5.1f} %")
    say(f"    all              {sum(counts.values()):5.2f}")
    return counts


def proofs(network, folder):
    """Answers that nobody has to believe: proofs, checked off-line against the genesis alone."""
    genesis = os.path.join(network.home, "genesis.json")
    frank = network.run("key", "show", os.path.join(folder, "frank.key"), shown=False)["address"]
    paid = network.run("pay", "--key", network.key("erin"), "--to", frank, "--amount", 7, node=2)
    receipt = paid["receipt"]
    answer = os.path.join(folder, "receipt.json")

    def prove(subject, node):
        try:
            proof = network.run("query", "proof", subject, node=node, shown=False)
        except Refused:
            return False  # no block names the state yet
        if proof["height"] < receipt["height"]:
            return False
        with open(answer, "w", encoding="utf-8") as file:
            json.dump(proof, file)
        return True

    say(f"$ offpeak query proof {receipt['transaction']} > receipt.json")
    wait_until(lambda: prove(receipt["transaction"], 0), 10, "a proof of the receipt")
    checked = network.run("verify", answer, receipt["transaction"], "--genesis", genesis,
                          *committee.epochs(network, folder))
    expect(checked["receipt"] == receipt, f"node 0 proves the receipt by block "
           f"{checked['blockHeight']}, without a word that must be believed")
    say(f"$ offpeak query proof {frank} > receipt.json")
    wait_until(lambda: prove(frank, 3), 10, "a proof of the account")
    checked = network.run("verify", answer, frank, "--genesis", genesis,
                          *committee.epochs(network, folder, 3))
    balance = sum(int(entry["amount"]) for entry in checked["account"]["balances"])
    expect(balance == network.balance(frank, 1), f"node 3 proves frank's balance, {balance}")
    with open(answer, encoding="utf-8") as file:
        told = json.load(file)
    middle = len(told["proof"]) // 2
    told["proof"] = (told["proof"][:middle] + ("B" if told["proof"][middle] == "A" else "A")
                     + told["proof"][middle + 1:])
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(told, file)
    refusal = network.refused("verify", answer, frank, "--genesis", genesis, "--epochs",
                              os.path.join(folder, "epochs.json"))
    expect("doesn't hold" in refusal, "with one character changed it proves nothing")


def statements(network, folder):
    """Statements that add up for others too, and a history that only grew."""
    genesis = os.path.join(network.home, "genesis.json")
    frank = network.run("key", "show", os.path.join(folder, "frank.key"), shown=False)["address"]
    for form, name in (("csv", "frank.csv"), ("camt053", "frank.xml")):
        file = os.path.join(folder, name)
        written = network.run("statement", frank, "--from", "2020-01-01", "--format", form,
                              "--out", file, node=1)
        read = subprocess.run([os.path.join(ROOT, "tools/statement.py"), file],
                              capture_output=True, text=True, check=False)
        expect(read.returncode == 0, f"{name} adds up", read.stderr)
        told = json.loads(read.stdout)
        expect(told["closing"] == written["closing"] == str(network.balance(frank, 1)),
               f"frank's {told['moves']} moves lead from {told['opening']} to {told['closing']}")
    kept, later = (os.path.join(folder, name) for name in ("kept.json", "later.json"))

    def ask(file, node, *arguments):
        with open(file, "w", encoding="utf-8") as out:
            json.dump(network.run("query", "consistency", *arguments, node=node), out)

    ask(kept, 0)
    height = network.run("verify", kept, "history", "--genesis", genesis,
                         *committee.epochs(network, folder))["history"][1]["height"]
    network.run("pay", "--key", network.key("erin"), "--to", frank, "--amount", 1, node=2)
    wait_until(lambda: network.rpc(3, "chain_head")["height"] > height + 3, 20, "a few blocks")
    ask(later, 3, "--from", height)
    grown = network.run("verify", later, "history", "--earlier", kept, "--genesis", genesis,
                        *committee.epochs(network, folder))
    expect(grown["history"][1]["height"] > height,
           f"nothing up to height {height} was rewritten since, says node 3 and proves it")


STEPS = (keys, payments, multisig, recovery, milestones, deadline, assets, governance,
         proofs, statements, offline.vouchers, offline.settlement, crash, idle_machines,
         committee.validators)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--offpeak", default=os.path.join(ROOT, ".build/release/offpeak"),
                        help="the executable (default: .build/release/offpeak)")
    parser.add_argument("--home", default=os.path.join(ROOT, "testnet/.home"),
                        help="the network's folder (default: testnet/.home)")
    parser.add_argument("--demo-only", action="store_true",
                        help="end the network and remove its files afterwards")
    options = parser.parse_args()
    if not os.access(options.offpeak, os.X_OK):
        parser.error(f"{options.offpeak} isn't there; testnet/run builds it")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    network = Network(options.offpeak, options.home)
    keep = False
    try:
        keep = walk(network) and not options.demo_only
        if keep:
            farewell(network)
        return 0 if network.held else 1
    finally:
        if not keep:
            clear(network)


def walk(network):
    """All steps; true if every one held."""
    network.held = False
    folder = os.path.join(network.home, "walk")
    began = time.monotonic()
    try:
        heading("A network of four validators")
        network.run("testnet", "down", "--purge", shown=False)
        network.up("--validators", 4, "--epoch-blocks", 96)
        os.makedirs(folder, mode=0o700, exist_ok=True)
        network.agree()
        for step in STEPS:
            heading(step.__doc__)
            step(network, folder)
            network.agree()
    except (Failed, Refused, OSError) as fault:
        say(f"\nFAILED: {fault}")
        logs(network)
        return False
    network.held = True
    say(f"\nEvery step held, {time.monotonic() - began:.0f} s.")
    return True


def logs(network):
    try:
        for log in network.run("testnet", "logs", "--lines", 15, shown=False):
            say(f"--- {log['file']}\n" + "\n".join(log["lines"]))
    except Refused as refusal:
        say(str(refusal))


def farewell(network):
    """Addresses, and what to try next."""
    say("\nRPC of the nodes:   " + "  ".join(network.rpc_url(node) for node in network.nodes))
    say(f"Wallets:            {network.home}/wallets")
    say("Try next:")
    say(f"  export OFFPEAK_TESTNET={network.home} OFFPEAK_NODE={network.rpc_url(0)}")
    say(f"  {network.executable} testnet status")
    say(f"  {network.executable} pay --key {network.key('alice')} --to {network.address('bob')}"
        " --amount 1500")
    say(f"  {network.executable} escrow list {network.address('alice')}")
    say(f"  {network.executable} testnet kill 1    # and watch payments go on")
    say(f"  {network.executable} testnet down --purge")


def clear(network):
    """Ends every process of the network and removes its files."""
    try:
        network.run("testnet", "down", "--purge", shown=False)
    except Refused as refusal:
        say(f"the network couldn't be ended: {refusal}")
    shutil.rmtree(network.home, ignore_errors=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
