"""What the oracle must accept of a network's nodes, and for each of its questions a lie it sees."""

import copy
import dataclasses
import tempfile
import types
import unittest

import oracle
from history import FAIL, OK, UNKNOWN, Operation, Read
from nodes import KILLED, STORAGE_FAULT
from oracle import Oracle
from rpc import NoAnswer, Refusal

SUPPLY = {"supply": "3000", "accounts": "2900", "escrows": "60", "fees": "40"}


def receipt(height, index=0):
    return {"height": height, "index": index, "fee": "10", "outcome": "success", "failure": None,
            "escrows": []}


class FakeNode:
    """A node that answers from tables; each test spoils one of them."""

    def __init__(self, index):
        self.index, self.is_down, self.exits, self.log = index, False, [], None
        self.height = 3
        self.root = "root-3"
        self.supply = dict(SUPPLY)
        self.blocks = {height: {"height": height, "digest": f"block-{height}",
                                "stateRoot": f"root-{height}"} for height in (1, 2, 3)}
        self.transactions = {"t1": {"state": "final", "receipt": receipt(2)}}
        self.sequences = {"alice": 1}
        self.refusals = {}

    def client(self, seconds):
        return self

    def status(self, seconds):
        return None if self.is_down else {"appliedHeight": self.height}

    def call(self, method, seconds=None, **parameters):
        if self.is_down:
            raise NoAnswer("down")
        if method == "node_status":
            return {"appliedHeight": self.height, "stateRoot": self.root, "supply": self.supply}
        if method == "block_get":
            if parameters["height"] not in self.blocks:
                raise Refusal(-32001, "no such block", {})
            return self.blocks[parameters["height"]]
        if method == "transaction_get":
            return self.transactions.get(parameters["id"], {"state": "unknown"})
        if method == "transaction_submit":
            if parameters["transaction"] in self.refusals:
                raise Refusal(-32003, "refused", {"reason": self.refusals[parameters["transaction"]]})
            return {}
        return {"policy": None, "balances": [{"asset": "native", "amount": "890"}],
                "streams": [{"stream": 0, "nextSequence": self.sequences[parameters["address"]]}]}

    def batch(self, calls, seconds=None):
        answers = []
        for method, parameters in calls:
            try:
                answers.append(self.call(method, **parameters))
            except Refusal as refusal:
                answers.append(refusal)
        return answers


def payment(id="t1", sequence=0, outcome=OK, height=2):
    return Operation(
        client="alice", account="alice", sequence=sequence, id=id, invoked=1.0, node=0,
        action={"kind": "transfer", "to": "bob", "amount": 100}, signed=f"signed-{id}",
        outcome=outcome, returned=1.5, receipt=receipt(height) if outcome == OK else None,
        told_by=0, reason="sequenceUsed" if outcome == FAIL else None)


class OracleTest(unittest.TestCase):
    def setUp(self):
        self.nodes = [FakeNode(index) for index in range(3)]
        self.operations = [payment()]
        network = types.SimpleNamespace(nodes=self.nodes, validators=self.nodes)
        load = types.SimpleNamespace(accounts={"alice": types.SimpleNamespace(text="alice")})
        self.reads = []
        history = types.SimpleNamespace(operations=self.operations, reads=self.reads)
        self.oracle = Oracle(network, load, history)
        self.oracle.SETTLED_SECONDS = 0

    def assertFault(self, words):
        self.assertTrue(any(words in fault for fault in self.oracle.faults),
                        f"{words!r} in none of {self.oracle.faults}")


class AgreementTests(OracleTest):
    def test_equal_nodes_are_accepted(self):
        self.assertEqual(self.oracle.agree(0), 3)
        self.assertEqual(self.oracle.faults, [])

    def test_another_root_is_seen(self):
        self.nodes[1].root = "root-3'"
        self.oracle.agree(0)
        self.assertFault("stateRoot differs at height 3")

    def test_another_supply_is_seen(self):
        self.nodes[2].supply["accounts"], self.nodes[2].supply["fees"] = "2901", "39"
        self.oracle.agree(0)
        self.assertFault("supply differs at height 3")

    def test_parts_that_do_not_sum_are_seen_even_where_all_nodes_agree(self):
        for node in self.nodes:
            node.supply["accounts"] = "2899"
        self.oracle.agree(0)
        self.assertFault("the parts of the supply sum to 2999")

    def test_nodes_that_never_meet_are_seen(self):
        self.nodes[0].height = 2
        self.assertEqual(self.oracle.agree(0), 0)
        self.assertFault("never were at one height")

    def test_a_node_without_an_answer_is_seen(self):
        self.nodes[0].is_down = True
        self.oracle.agree(0)
        self.assertFault("never were at one height")

    def test_another_block_and_another_root_of_an_old_height_are_seen(self):
        self.nodes[1].blocks[1]["digest"] = "block-1'"
        self.nodes[2].blocks[2]["stateRoot"] = "root-2'"
        self.oracle.agree(0)
        self.assertFault("digest at height 1: block-1 on node 0, block-1' on node 1")
        self.assertFault("stateRoot at height 2")

    def test_a_root_that_is_not_known_yet_is_no_fault(self):
        self.nodes[1].blocks[3]["stateRoot"] = None
        self.oracle.agree(0)
        self.assertEqual(self.oracle.faults, [])

    def test_a_missing_block_is_seen(self):
        del self.nodes[2].blocks[2]
        self.oracle.agree(0)
        self.assertFault("node 2 doesn't tell its blocks up to 3")


class HistoryTests(OracleTest):
    def check(self):
        return self.oracle.check_history({"alice": 1000, "bob": 1000})

    def test_a_true_history_is_accepted(self):
        self.assertEqual(list(self.check()), ["t1"])
        self.assertEqual(self.oracle.faults, [])

    def test_a_lost_acknowledged_payment_is_seen(self):
        del self.nodes[2].transactions["t1"]
        self.check()
        self.assertFault("t1 was reported final by node 0 at (2, 0); node 2 says unknown")

    def test_two_receipts_are_seen(self):
        self.nodes[1].transactions["t1"]["receipt"] = receipt(3)
        self.check()
        self.assertFault("nodes differ about t1")

    def test_a_payment_that_was_refused_and_is_final_is_seen(self):
        self.operations[0] = payment(outcome=FAIL)
        self.check()
        self.assertTrue(self.oracle.faults)

    def test_a_payment_that_could_execute_and_does_not_is_seen(self):
        self.operations.append(payment("t2", sequence=1, outcome=UNKNOWN))
        self.nodes[0].transactions["t2"] = {"state": "pending"}
        self.check()
        self.assertFault("pending on node 0 at the end: t2")

    def test_a_pending_payment_whose_sequence_is_used_is_a_note(self):
        self.operations.append(payment("t2", sequence=0, outcome=UNKNOWN))
        self.nodes[0].transactions["t2"] = {"state": "pending"}
        self.check()
        self.assertEqual(self.oracle.faults, [])
        self.assertEqual(len(self.oracle.notes), 1)

    def test_a_node_that_does_not_answer_at_the_end_is_seen(self):
        self.nodes[1].is_down = True
        self.check()
        self.assertFault("a node doesn't answer at the end")

    def test_an_answer_before_the_block_of_an_earlier_answer_is_seen(self):
        self.operations.append(dataclasses.replace(
            payment("t2", sequence=1, height=1), invoked=3.0, returned=3.5))
        for node in self.nodes:
            node.transactions["t2"] = {"state": "final", "receipt": receipt(1)}
            node.sequences["alice"] = 2
        self.check()
        self.assertFault("t2 was submitted after t1 was reported final")

    def read(self, height, at, **values):
        return Read("reader", 0, 0, "account", "alice", at, at + 0.1, height, values)

    def test_reads_that_go_back_are_seen(self):
        self.reads += [self.read(2, 2.0, balance=890), self.read(1, 3.0, balance=1000)]
        self.check()
        self.assertFault("height 1")

    def test_a_balance_that_no_execution_gives_is_seen(self):
        self.reads.append(self.read(2, 2.0, balance=891))
        self.check()
        self.assertFault("891")

    def test_a_sequence_without_its_payment_is_seen(self):
        for node in self.nodes:
            node.sequences["alice"] = 2
        self.check()
        self.assertTrue(self.oracle.faults)


class SettleTests(OracleTest):
    def settle(self, **fields):
        self.operations[:] = [payment(outcome=UNKNOWN, **fields)]
        return self.oracle.settle(0.5)

    def test_what_is_final_by_now_is_known(self):
        self.assertEqual(self.settle(), 0)

    def test_a_used_sequence_is_known(self):
        for node in self.nodes:
            node.refusals["signed-t9"] = "sequenceUsed"
        self.assertEqual(self.settle(id="t9"), 0)

    def test_any_other_refusal_is_not_known(self):
        for node in self.nodes:
            node.refusals["signed-t9"] = "poolFull"
        self.assertEqual(self.settle(id="t9"), 1)

    def test_what_a_node_only_keeps_is_not_known(self):
        for node in self.nodes:
            node.transactions["t1"] = {"state": "pending"}
        self.assertEqual(self.settle(), 1)

    def test_without_an_answer_nothing_is_known(self):
        for node in self.nodes:
            node.is_down = True
        self.assertEqual(self.settle(), 1)


class ProcessTests(OracleTest):
    def exits(self, *exits, allowed=None):
        self.nodes[0].exits = list(exits)
        self.oracle.check_exits(allowed or {})
        return self.oracle.faults

    def test_what_the_harness_did_is_no_fault(self):
        self.assertEqual(self.exits((0, "stop"), (KILLED, "kill")), [])

    def test_an_end_by_itself_is_seen(self):
        for code in (0, 1, 70, STORAGE_FAULT, -6, KILLED):
            self.oracle.faults.clear()
            self.assertEqual(len(self.exits((code, None))), 1, code)

    def test_an_end_other_than_asked_for_is_seen(self):
        self.assertEqual(len(self.exits((1, "stop"), (0, "kill"))), 2)

    def test_an_allowed_code_is_allowed_to_its_node_alone(self):
        allowed = {0: (STORAGE_FAULT,)}
        self.assertEqual(self.exits((STORAGE_FAULT, None), (STORAGE_FAULT, "kill"),
                                    allowed=allowed), [])
        self.assertEqual(len(self.exits((STORAGE_FAULT, None), allowed={1: (STORAGE_FAULT,)})), 1)

    def test_accusations_in_a_log_are_seen(self):
        lines = {"info: block 7 is final\n": 0, "warning: validator 2 signed twice in view 4\n": 1,
                 "Fatal error: Index out of range\n": 1,
                 "CRITICAL the store has another root\n": 1,
                 "CRITICAL journal is damaged: the node stops\n": 0}
        for line, count in lines.items():
            self.oracle.faults.clear()
            with tempfile.NamedTemporaryFile("w", suffix=".log") as file:
                file.write(line)
                file.flush()
                for node in self.nodes:
                    node.log = file.name if node is self.nodes[0] else "/dev/null"
                self.oracle.check_logs()
            self.assertEqual(len(self.oracle.faults), count, line)


class HealingTests(unittest.TestCase):
    def test_only_nodes_with_a_new_executed_block_have_healed(self):
        nodes = [FakeNode(index) for index in range(3)]
        nodes[1].height = 2
        nodes[2].is_down = True
        seconds, oracle.HEAL_SECONDS = oracle.HEAL_SECONDS, 0.1
        try:
            began = oracle.time.monotonic()
            self.assertEqual(list(oracle.new_blocks(copy.copy(nodes), 2, began)), [0])
        finally:
            oracle.HEAL_SECONDS = seconds


if __name__ == "__main__":
    unittest.main()
