"""When a command ends with what."""

import contextlib
import io
import types
import unittest

import main
from scenario import load_scenarios


class ConcludeTests(unittest.TestCase):
    def conclude(self, held=0, failed=0, skipped=0, gate=False, allow=False):
        chaos = types.SimpleNamespace(
            held=held, failed=["x"] * failed, skipped=["y"] * skipped, scenarios=["z"] * 17)
        options = types.SimpleNamespace(gate=gate, rounds=1, allow_skipped=allow)
        with contextlib.redirect_stdout(io.StringIO()) as said:
            return main.conclude(chaos, 1, options, 60), said.getvalue()

    def test_the_gate_takes_what_this_machine_cannot_do_if_enough_ran(self):
        enough, said = self.conclude(held=main.GATE_MIN, skipped=5, gate=True)
        self.assertEqual(enough, main.HELD)
        self.assertIn("SKIPPED, and so not shown: y", said)
        self.assertIn(f"{main.GATE_MIN} of 17 scenarios of the gate ran", said)
        self.assertEqual(self.conclude(held=main.GATE_MIN - 1, gate=True)[0], main.SKIPPED)
        self.assertEqual(self.conclude(held=16, failed=1, gate=True)[0], main.FAILED)

    def test_without_it_what_is_skipped_shows_in_the_status(self):
        self.assertEqual(self.conclude(held=3)[0], main.HELD)
        self.assertEqual(self.conclude(held=3, skipped=1)[0], main.SKIPPED)
        self.assertEqual(self.conclude(held=3, skipped=1, allow=True)[0], main.HELD)

    def test_as_many_of_the_gate_need_nothing_as_must_run(self):
        gate = [one for one in load_scenarios() if one.gate]
        self.assertGreaterEqual(
            len([one for one in gate if not one.all_needs]), main.GATE_MIN)


if __name__ == "__main__":
    unittest.main()
