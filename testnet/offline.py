"""Steps of walk.py: payments that are signed without a node, and files of payments."""

import csv
import json
import os

import committee
from local import expect, say, wait_until


def vouchers(network, folder):
    """One voucher for two merchants: both check it off-line, one is paid, the other gets proof."""
    genesis = os.path.join(network.home, "genesis.json")
    cafe, bakery = network.address("bob"), network.address("carol")
    before = {name: network.balance(name) for name in ("bob", "carol")}

    def file(name):
        return os.path.join(folder, name)

    # Alice takes along a proof of what she has, and the next sequence of stream 7.
    network.run("voucher", "reserve", "--key", network.key("alice"), "--stream", 7, "--amount",
                20_000, "--out", file("trip.reserve"), node=0)
    with open(file("trip.reserve"), "rb") as kept:
        copy = kept.read()

    # Without a node she pays the café. The QR code holds payment and proof.
    made = network.run("pay", "--offline", "--reserve", file("trip.reserve"), "--key",
                       network.key("alice"), "--to", cafe, "--amount", 1_500, "--out",
                       file("cafe.voucher"), "--svg", file("cafe.svg"))
    say(f"   {made['text'][:60]}... ({len(made['text'])} characters)")
    expect(made["codeHasProof"], "one QR code holds the payment and the proof")

    # She puts an old copy of her reserve back, and spends the same sequence at the bakery.
    with open(file("trip.reserve"), "wb") as kept:
        kept.write(copy)
    network.run("pay", "--offline", "--reserve", file("trip.reserve"), "--key",
                network.key("alice"), "--to", bakery, "--amount", 1_200, "--out",
                file("bakery.voucher"))

    # Both have the proofs of who voted when; these don't depend on any payment.
    steps = committee.epochs(network, folder)

    # Both merchants check without a node: each voucher is good, and neither can know of the other.
    for merchant, amount, name in ((cafe, 1_500, "cafe"), (bakery, 1_200, "bakery")):
        checked = network.run("voucher", "check", file(f"{name}.voucher"), "--genesis", genesis,
                              "--to", merchant, "--amount", amount, "--max-age", "1h", *steps)
        expect(checked["checked"]["unknown"],
               f"the {name} takes it, and is told what it can't know")
    refused = network.refused("voucher", "check", file("cafe.voucher"), "--genesis", genesis,
                              "--to", cafe, "--amount", 1_501, *steps)
    expect("1500" in refused, "a voucher over less than was agreed isn't good")
    with open(file("cafe.voucher"), encoding="utf-8") as whole:
        text = whole.read().strip()
    other = "q" if text[100] != "q" else "p"
    network.refused("voucher", "check", text[:100] + other + text[101:], "--genesis", genesis,
                    *steps)

    # Later, with a node: who is first is paid.
    paid = network.run("voucher", "submit", file("cafe.voucher"), node=1)
    say(f"   final at height {paid['receipt']['height']}")
    lost = network.refused("voucher", "submit", file("bakery.voucher"), "--proof",
                           file("why.json"), node=2)
    expect("never will be" in lost, "the bakery learns that it isn't paid")
    proven = network.run("verify", file("why.json"), paid["transaction"], "--genesis", genesis,
                         "--max-age", "1h", *committee.epochs(network, folder, 2))
    expect(proven["executed"]["payments"][0]["to"] == cafe
           and (proven["executed"]["stream"], proven["executed"]["sequence"]) == (7, 0),
           "and holds a proof, checked off-line, of who was paid with stream 7, sequence 0")
    wait_until(lambda: network.balance("bob") == before["bob"] + 1_500, 10, "the café paid")
    expect(network.balance("carol") == before["carol"],
           "the café has 1500 more, the bakery nothing")
    again = network.run("voucher", "submit", file("cafe.voucher"), node=3)
    expect(again["receipt"] == paid["receipt"], "submitted again, it is the same payment")

    # The proof's own block, trusted for another reason, takes the place of the genesis.
    with open(file("why.json"), encoding="utf-8") as answer:
        told = json.load(answer)
    network.run("verify", file("why.json"), paid["transaction"], "--trusted",
                f"{told['blockHeight']}:{told['block']}")
    early = network.refused("account", "stream", "close", 7, "--key", network.key("alice"), node=0)
    expect("30 days" in early, "the stream's deposit comes back when it was idle for 30 days")


def settlement(network, folder):
    """Settlement files: debts netted, rows paid at once or not at all, and never twice."""
    owed, net, wages = (os.path.join(folder, f"{name}.csv") for name in ("owed", "net", "wages"))
    people = {name: network.address(name) for name in ("alice", "bob", "carol")}
    write(owed, ("debtor", "creditor", "amount"), [
        (people["alice"], people["bob"], 700), (people["bob"], people["carol"], 500),
        (people["carol"], people["alice"], 400), (people["alice"], people["carol"], 100),
    ])
    netted = network.run("settle", "net", owed, "--out", net)
    expect((netted["obligations"], len(netted["transfers"])) == (4, 2),
           "four debts come to two payments")
    before = network.balance("bob")
    for payer in sorted({row["payer"] for row in netted["transfers"]}):
        name = next(name for name, address in people.items() if address == payer)
        network.run("settle", net, "--key", network.key(name), "--journal", f"{net}.{name}", node=1)
    wait_until(lambda: network.balance("bob") == before + 200, 10, "node 0 has it too")
    expect(True, "bob has the 200 that were left to him")

    rows = [(people["bob"], 10 + place, f"week {place}") for place in range(20)]
    write(wages, ("receiver", "amount", "reference"), rows + [("nobody", "-3", "")])
    refused = network.refused("settle", wages, "--key", network.key("erin"), "--best-effort",
                              node=2)
    expect("line 22" in refused, "a wrong row is named, and nothing is paid")
    write(wages, ("receiver", "amount", "reference"), rows)
    refused = network.refused("settle", wages, "--key", network.key("erin"), node=2)
    expect("16" in refused, "20 rows are no single transaction")
    before = network.balance("bob")
    network.run("settle", wages, "--key", network.key("erin"), "--best-effort", "--dry-run", node=2)
    done = network.run("settle", wages, "--key", network.key("erin"), "--best-effort", "--report",
                       os.path.join(folder, "report.csv"), node=2)
    expect((done["paid"], done["transactions"]) == (20, 2), "two transactions pay them")
    again = network.run("settle", wages, "--key", network.key("erin"), "--best-effort", node=3)
    expect(again["rows"] == done["rows"], "a second run pays nothing, and reports the same")
    expect(network.balance("bob", 3) == before + sum(row[1] for row in rows),
           "bob has each row once")


def write(path, heading, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([heading, *rows])
