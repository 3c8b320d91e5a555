"""What operations weigh beside their bytes."""

import unittest

import wallet
from wallet import protocol


class WeightTests(unittest.TestCase):
    """PROTOCOL.md, "Fees": signatures within operations, keys of new policies, evidence."""

    @staticmethod
    def policy(count):
        signers = b"".join(bytes([place]) * 32 + protocol.u16(1) for place in range(count))
        return protocol.uleb128(count) + signers + protocol.u32(1) + protocol.u32(1)

    def test_bonds_policies_recoveries_and_evidence(self):
        for count in (1, 2, 32):
            policy = self.policy(count)
            recovery = protocol.uleb128(17) + bytes(32) + policy
            self.assertEqual(protocol.inner_signatures(protocol.uleb128(1) + policy), count)
            self.assertEqual(protocol.inner_signatures(recovery), count)
        self.assertEqual(protocol.inner_signatures(protocol.uleb128(7) + bytes(136)), 2)
        for size, count in ((1, 1), (128, 1), (129, 2), (16_384, 128)):
            evidence = protocol.uleb128(10) + protocol.byte_string(bytes(size))
            self.assertEqual(protocol.inner_signatures(evidence), count)

    def test_others_have_none(self):
        for operation in (wallet.escrow_dispute(bytes(32)), wallet.escrow_top_up(bytes(32), 1)):
            self.assertEqual(protocol.inner_signatures(operation), 0)


if __name__ == "__main__":
    unittest.main()
