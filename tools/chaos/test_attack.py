"""What attackers are made of, and what is found of a node's harm."""

import random
import ssl
import tempfile
import types
import unittest

import attack
import attack_links as links
from identity import BASE, ORDER, Stranger, multiply

CHAIN = bytes(range(32))


class StrangerTests(unittest.TestCase):
    def test_one_seed_makes_one_certificate_that_the_library_takes(self):
        one, same = (Stranger(random.Random(3), CHAIN) for _ in range(2))
        self.assertEqual(one.pem, same.pem)
        self.assertNotEqual(one.pem, Stranger(random.Random(4), CHAIN).pem)
        with tempfile.TemporaryDirectory() as folder:
            # It checks that key and certificate belong together.
            self.assertIsInstance(one.context(folder), ssl.SSLContext)

    def test_the_curve_is_closed_under_its_order(self):
        self.assertIsNone(multiply(ORDER, BASE))
        self.assertEqual(multiply(ORDER + 1, BASE), BASE)


class FrameTests(unittest.TestCase):
    def test_a_chunk_has_kind_flags_and_length(self):
        self.assertEqual(links.chunk(5, b"abc", links.MORE), b"\5\2\3\0\0\0abc")

    def test_zeros_are_blocks_that_repeat_a_byte(self):
        packed = links.zeros((128 << 10) + 5)
        self.assertEqual(int.from_bytes(packed[:4], "little"), (128 << 10) + 5)
        self.assertEqual(packed[4:8], b"\x28\xb5\x2f\xfd")
        # Two blocks of three bytes and one: the last says that it is, and how long.
        self.assertEqual(int.from_bytes(packed[-4:-1], "little"), 5 << 3 | 1 << 1 | 1)
        self.assertEqual(len(packed), 4 + 5 + 8 + 8)


class FindingTests(unittest.TestCase):
    def setUp(self):
        record = {"wallets": [], "chainID": "00", "prefix": "opk"}
        self.siege = attack.Siege(types.SimpleNamespace(folder="", record=record, nodes=[]), 1)
        self.siege.began, self.siege.ended = 100, 130
        self.siege.links = {0: ["peer"]}
        self.siege.links_of = lambda node: {"peer": 1e9}
        self.usage = types.SimpleNamespace(
            node=types.SimpleNamespace(index=0), memory=100 << 20, pid=7)
        self.visitor = types.SimpleNamespace(took=[0.01] * 100, unanswered=0, heights=[])

    def faults(self, left=0):
        return list(self.siege.faults_of(self.usage, self.visitor, left))

    def test_a_node_that_bears_it_has_no_fault(self):
        self.assertEqual(self.faults(), [])

    def test_memory_sockets_silence_and_lost_links_are_faults(self):
        self.usage.memory = (512 << 20) + 1
        self.visitor.unanswered = 10
        self.siege.links_of = lambda node: {"peer": 0.5}
        told = "; ".join(self.faults(left=attack.SOCKETS_LEFT + 1))
        for part in ("memory", "sockets", "unanswered", "lost its link"):
            self.assertIn(part, told)

    def test_the_longest_time_without_a_block_counts_to_the_end(self):
        self.siege.visitors = [types.SimpleNamespace(heights=[(101, 5), (103, 6), (109, 6)]),
                               types.SimpleNamespace(heights=[(115, 7), (116, 6)])]
        self.assertEqual(self.siege.standstill(), 15)
        self.siege.visitors[1].heights.append((129, 8))
        self.assertEqual(self.siege.standstill(), 14)


if __name__ == "__main__":
    unittest.main()
