"""Histories that every check must accept, and for each check those that it must refuse."""

import copy
import unittest

import history
from history import FAIL, OK, UNKNOWN, Operation, Read


def receipt(height, index=0, fee=10, failure=None):
    return {"height": height, "index": index, "fee": str(fee), "escrows": [],
            "outcome": "failed" if failure else "success",
            "failure": {"operation": 0, "code": failure} if failure else None}


def operation(id, account, sequence, action, height=None, outcome=OK, at=0.0, index=0, node=0,
              failure=None):
    told = receipt(height, index, failure=failure) if height is not None else None
    return Operation(
        client=account, account=account, sequence=sequence, id=id, action=action, invoked=at,
        node=node, outcome=outcome, returned=at + 0.5,
        receipt=told if outcome == OK else None, told_by=node, reason="sequenceUsed")


def pay(id, sequence, height, amount=100, account="alice", to="bob", **fields):
    return operation(id, account, sequence, {"kind": "transfer", "to": to, "amount": amount},
                     height, **fields)


def read(height, at=0.0, node=0, name="alice", kind="account", life=0, **values):
    return Read("reader", node, life, kind, name, at, at + 0.1, height, values)


BALANCES = {"alice": 1000, "bob": 21_000, "carol": 1000}


class Good:
    """Two payments, a write, an escrow that is released; reads before, between and after."""

    def __init__(self):
        decide = {"kind": "escrow-decide", "escrow": "e", "round": 0, "direction": "release",
                  "amount": 50}
        self.operations = [
            pay("t1", 0, 2, at=0), pay("t2", 1, 4, at=2),
            operation("w1", "carol", 0, {"kind": "write", "value": 7}, 3, at=1),
            operation("w2", "carol", 1, {"kind": "write", "value": 7}, 5, at=3, failure=6),
            operation("c1", "bob", 0, {"kind": "escrow-create", "payee": "carol",
                                       "arbiter": "alice", "amount": 50, "escrow": "e"}, 6, at=4),
            operation("d1", "bob", 1, decide, 7, at=5)]
        self.finals = {entry.id: entry.receipt for entry in self.operations}
        fate = {id: {"state": "final", "receipt": told} for id, told in self.finals.items()}
        self.fates = [fate, copy.deepcopy(fate)]
        self.reads = [
            read(1, at=0.1, balance=1000, sequence=0, weight=None),
            read(2, at=1, balance=890, sequence=1, weight=1), read(4, at=3, balance=780),
            read(3, at=2, node=1, name="carol", weight=7),
            read(6, at=4.6, kind="escrow", name="e", held=50, released=0, state="open", round=0),
            read(7, at=5.6, kind="escrow", name="e", held=0, released=50, state="closed", round=1)]
        self.sequences = {"alice": 2, "bob": 2, "carol": 2}

    def faults(self):
        return (history.check_acknowledged(self.operations, self.fates)
                + history.check_agreement(self.fates)
                + history.check_refused(self.operations, self.finals)
                + history.check_once(self.operations, self.finals, self.sequences)
                + history.check_real_time(self.operations)
                + history.check_monotonic(self.operations, self.reads)
                + history.check_ledger(self.operations, self.finals, self.reads, BALANCES))


class HistoryTests(unittest.TestCase):
    def setUp(self):
        self.good = Good()

    def refused(self, check, *arguments, says=""):
        found = check(*arguments)
        self.assertTrue(found)
        self.assertIn(says, " ".join(found))

    def test_a_good_history_is_accepted(self):
        self.assertEqual(self.good.faults(), [])

    def test_an_unknown_outcome_may_be_final_or_not(self):
        self.good.operations[1].outcome = UNKNOWN
        self.good.operations[1].receipt = None
        self.good.operations.append(pay("t9", 1, None, outcome=UNKNOWN))
        self.assertEqual(self.good.faults(), [])

    def test_an_acknowledged_payment_that_one_node_lost_is_noticed(self):
        self.good.fates[1]["t2"] = {"state": "unknown"}
        self.refused(history.check_acknowledged, self.good.operations, self.good.fates, says="t2")
        self.refused(history.check_agreement, self.good.fates, says="t2")

    def test_a_payment_that_a_node_never_heard_of_is_noticed(self):
        del self.good.fates[1]["t1"]
        self.refused(history.check_acknowledged, self.good.operations, self.good.fates, says="t1")

    def test_a_receipt_at_another_height_is_noticed(self):
        self.good.fates[1]["t2"]["receipt"]["height"] = 5
        self.refused(history.check_acknowledged, self.good.operations, self.good.fates, says="t2")
        self.refused(history.check_agreement, self.good.fates, says="t2")

    def test_a_refused_payment_that_is_final_is_noticed(self):
        self.good.operations[1].outcome = FAIL
        self.refused(history.check_refused, self.good.operations, self.good.finals, says="t2")

    def test_both_halves_of_a_double_spend_are_noticed(self):
        self.good.operations.append(pay("t3", 1, 8, to="carol"))
        self.good.finals["t3"] = receipt(8)
        self.refused(history.check_once, self.good.operations, self.good.finals,
                     self.good.sequences, says="2 times")

    def test_an_execution_that_nobody_asked_for_is_noticed(self):
        self.good.sequences["alice"] = 3
        self.refused(history.check_once, self.good.operations, self.good.finals,
                     self.good.sequences, says="missing for [2]")

    def test_a_sequence_that_was_not_used_up_is_noticed(self):
        self.good.sequences["alice"] = 1
        self.refused(history.check_once, self.good.operations, self.good.finals,
                     self.good.sequences, says="there are some for [1]")

    def test_two_transactions_at_one_place_are_noticed(self):
        self.good.finals["t2"] = receipt(2)
        self.refused(history.check_once, self.good.operations, self.good.finals,
                     self.good.sequences, says="2 transactions at (2, 0)")

    def test_an_order_against_time_is_noticed(self):
        self.good.operations[1].receipt = receipt(1)
        self.refused(history.check_real_time, self.good.operations, says="executed before it")

    def test_payments_at_the_same_time_may_come_in_any_order(self):
        pair = [pay("a", 0, 5, at=0.0), pay("b", 0, 4, account="bob", at=0.2)]
        self.assertEqual(history.check_real_time(pair), [])

    def test_a_read_that_goes_back_is_noticed(self):
        self.good.reads.append(read(3, at=3.5))
        self.refused(history.check_monotonic, self.good.operations, self.good.reads,
                     says="at height 3 after")

    def test_a_read_behind_what_the_node_reported_final_is_noticed(self):
        reads = [read(3, at=2.6)]
        self.refused(history.check_monotonic, self.good.operations, reads, says="report of t2")

    def test_reads_at_the_same_time_and_of_other_nodes_may_differ(self):
        reads = [read(9, at=9), read(8, at=9.05), read(1, at=10, node=1), read(1, at=11, life=1)]
        self.assertEqual(history.check_monotonic([], reads), [])

    def ledger(self):
        return history.check_ledger(
            self.good.operations, self.good.finals, self.good.reads, BALANCES)

    def test_a_wrong_balance_is_noticed(self):
        self.good.reads.append(read(4, balance=781))
        self.refused(self.ledger, says="balance")

    def test_money_out_of_nothing_is_noticed(self):
        self.good.reads.append(read(4, name="bob", balance=1300))
        self.refused(self.ledger, says="balance")

    def test_a_register_that_shows_an_old_value_is_noticed(self):
        self.good.reads.append(read(4, name="carol", weight=1))
        self.refused(self.ledger, says="weight")

    def test_a_register_that_shows_a_value_too_early_is_noticed(self):
        self.good.reads.append(read(2, name="carol", weight=7))
        self.refused(self.ledger, says="weight")

    def test_a_payment_that_should_have_failed_is_noticed(self):
        self.good.operations[1].action["amount"] = 5000
        self.refused(self.ledger, says="2 was expected")

    def test_a_failure_without_reason_is_noticed(self):
        self.good.finals["t1"] = receipt(2, failure=2)
        self.refused(self.ledger, says="success was expected")

    def test_a_transaction_before_its_turn_is_noticed(self):
        self.good.finals["t2"] = receipt(1)
        self.refused(self.ledger, says="where 0 is next")

    def test_an_escrow_that_pays_out_twice_is_noticed(self):
        again = copy.deepcopy(self.good.operations[5])
        again.id, again.sequence = "d2", 2
        self.good.operations.append(again)
        self.good.finals["d2"] = receipt(8)
        self.refused(self.ledger, says="20 was expected")

    def test_an_escrow_whose_payee_releases_is_noticed(self):
        self.good.operations[5].action["direction"] = "refund"
        self.refused(self.ledger, says="23 was expected")

    def test_an_escrow_that_holds_more_than_was_paid_in_is_noticed(self):
        self.good.reads[4].values["held"] = 51
        self.refused(self.ledger, says="held")

    def test_an_escrow_that_opens_again_is_noticed(self):
        self.good.reads.append(read(8, kind="escrow", name="e", state="open"))
        self.refused(self.ledger, says="state")


class EscrowTests(unittest.TestCase):
    """Disputes and arbitration in the model."""

    def run_of(self, *steps, failures=()):
        operations = []
        sequences = {}
        for place, (account, kind, values) in enumerate(steps):
            sequence = sequences[account] = sequences.get(account, -1) + 1
            operations.append(operation(
                f"t{place}", account, sequence, {"kind": kind, "escrow": "e", **values},
                place + 1, failure=dict(failures).get(place)))
        finals = {entry.id: entry.receipt for entry in operations}
        return history.check_ledger(operations, finals, [], BALANCES)

    CREATE = ("bob", "escrow-create", {"payee": "carol", "arbiter": "alice", "amount": 50})
    SPLIT = {"round": 1, "to_payee": 20, "to_payer": 30}

    def test_the_arbiter_splits_after_a_dispute(self):
        self.assertEqual(self.run_of(
            self.CREATE, ("carol", "escrow-dispute", {}),
            ("bob", "escrow-arbitrate", self.SPLIT), ("alice", "escrow-arbitrate", self.SPLIT),
            ("alice", "escrow-arbitrate", self.SPLIT), failures={2: 23, 4: 20}.items()), [])

    def test_a_decision_after_a_dispute_fails(self):
        decide = ("bob", "escrow-decide", {"round": 1, "direction": "release", "amount": 1})
        steps = (self.CREATE, ("carol", "escrow-dispute", {}), decide)
        self.assertEqual(self.run_of(*steps, failures={2: 22}.items()), [])
        self.assertIn("22 was expected", self.run_of(*steps)[0])

    def test_a_payer_without_the_deposit_makes_no_escrow(self):
        create = ("carol", "escrow-create", {"payee": "bob", "arbiter": "alice", "amount": 50})
        self.assertEqual(self.run_of(create, failures={0: 90}.items()), [])
        self.assertIn("90 was expected", self.run_of(create)[0])

    @staticmethod
    def refusal(number=0, amount=2 ** 64 - 1, account="carol"):
        return (account, "escrow-decide",
                {"round": number, "direction": "refund", "amount": amount})

    def test_a_payee_refuses_what_is_held_or_more(self):
        for amount in (50, 51, 2 ** 64 - 1):
            steps = (self.CREATE, self.refusal(amount=amount), self.refusal(number=1))
            self.assertEqual(self.run_of(*steps, failures={2: 20}.items()), [])
            self.assertIn("success was expected",
                          self.run_of(*steps, failures={1: 25, 2: 20}.items())[0])

    def test_a_payee_refuses_after_a_dispute(self):
        steps = (self.CREATE, ("bob", "escrow-dispute", {}), self.refusal(number=1))
        self.assertEqual(self.run_of(*steps), [])

    def test_nobody_else_refuses_and_nobody_in_another_round(self):
        self.assertEqual(self.run_of(
            self.CREATE, self.refusal(account="bob"), self.refusal(number=1),
            ("carol", "escrow-dispute", {}), self.refusal(), self.refusal(number=1, amount=49),
            failures={1: 25, 2: 24, 4: 22, 5: 22}.items()), [])

    def test_rounds_and_amounts_are_held_to(self):
        def decide(number, amount):
            return ("bob", "escrow-decide",
                    {"round": number, "direction": "release", "amount": amount})
        self.assertEqual(self.run_of(
            self.CREATE, decide(1, 5), decide(0, 51), decide(0, 20), decide(0, 20), decide(1, 30),
            failures={1: 24, 2: 25, 4: 24}.items()), [])


if __name__ == "__main__":
    unittest.main()
