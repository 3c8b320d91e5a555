"""The committee of a running network is replaced as a whole, by commands alone."""

import json
import os

from local import Load, expect, say, wait_until


def validators(network, folder):
    """Validators that change: four nodes join, the first four leave, and payments go on."""
    network.run("testnet", "add-idle", "--verifiers", 2, "--relays", 0, seconds=300)
    network.load()
    first = [node for node in network.nodes if role(network, node) == "validator"]
    fresh = [node for node in network.nodes if role(network, node) == "verifier"]
    old = {member["votingKey"]: member for member in committee(network, first[0])}
    with Load(network, nodes=first + fresh) as load:
        for node in fresh:
            network.run("validator", "join", "--home", home(network, node), "--key",
                        network.key("faucet"), node=first[0])
        wait_until(lambda: len(committee(network, first[0])) == len(first) + len(fresh), 120,
                   "all stand in the committee")
        expect(True, f"{len(first) + len(fresh)} validators from epoch "
                     f"{network.rpc(first[0], 'node_status')['epoch']} on")
        for key in old:
            network.run("validator", "leave", key, "--unbond", "--key", network.key("operator"),
                        node=fresh[0])
        wait_until(lambda: not keys(network, fresh[0]) & set(old), 120, "the first ones are out")
        expect(len(committee(network, fresh[0])) == len(fresh),
               f"none of the first validators is left in epoch "
               f"{network.rpc(fresh[0], 'node_status')['epoch']}")
        load.goes_on(10)
    network.agree(shown=False)
    load.check()
    for node in first:
        network.kill(node)
    with Load(network, nodes=fresh) as load:
        load.goes_on(20)
        say("   payments go on without them")
    network.agree(fresh, shown=False)
    load.check(fresh)
    follow(network, folder, fresh[0])
    for node in first:
        network.restart(node)


def follow(network, folder, node):
    """A client with nothing but the genesis follows to the present committee."""
    answer = os.path.join(folder, "present.json")
    genesis = os.path.join(network.home, "genesis.json")
    erin = network.address("erin")
    with open(answer, "w", encoding="utf-8") as file:
        json.dump(network.run("query", "proof", erin, node=node), file)
    alone = network.refused("verify", answer, erin, "--genesis", genesis)
    expect("epoch" in alone, "the genesis alone doesn't tell who votes now")
    network.run("verify", answer, erin, "--genesis", genesis, *epochs(network, folder, node))
    expect(True, "who knows the genesis alone follows to the present committee, believing no node")


def epochs(network, folder, node=0):
    """The option that shows `offpeak verify` who votes at present: the ends of all epochs so far."""
    steps = os.path.join(folder, "epochs.json")
    if os.path.exists(steps):
        os.remove(steps)
    network.run("query", "epochs", "--out", steps, node=node)
    return "--epochs", steps


def role(network, node):
    return network.record["nodes"][node]["role"]


def home(network, node):
    return os.path.join(network.home, f"node{node}")


def committee(network, node):
    return network.rpc(node, "validator_list")["validators"]


def keys(network, node):
    return {member["votingKey"] for member in committee(network, node)}
