"""Journals are read as they are written, and votes that no honest validator signs are noticed."""

import os
import struct
import tempfile
import unittest

import votes
from votes import FINALIZE, NOTARIZE, NULLIFY, Subject

ONE, OTHER = b"\x01" * 32, b"\x02" * 32


def vote(kind, view, digest=None, epoch=0):
    return Subject(kind, epoch, view, bytes(32) if kind == NULLIFY else digest or ONE)


def subject_bytes(subject):
    return (bytes([subject.kind]) + struct.pack("<QQ", subject.epoch, subject.view)
            + subject.digest)


def vote_record(signer, subject):
    return votes.VOTE, b"\0" + subject_bytes(subject) + struct.pack("<H", signer) + bytes(64)


def floor_record(view):
    return votes.FLOOR, struct.pack("<BQ", votes.FLOOR, view)


def certificate_record(signers, subject):
    bits = sum(1 << signer for signer in signers)
    return (votes.CERTIFICATE, b"\2" + subject_bytes(subject) + b"\1" + bytes([bits])
            + bytes([len(signers)]) + bytes(64 * len(signers)))


def segment(records, number=1, instance=b"i" * 16):
    data = votes.MAGIC + instance + struct.pack("<Q", number)
    data += votes.checksum(data)[:16]
    for kind, body in records:
        content = struct.pack("<IB", len(body), kind) + body
        data += content + votes.checksum(
            content, instance, struct.pack("<Q", number), struct.pack("<Q", len(data)))[:8]
    return data


class JournalTests(unittest.TestCase):
    RECORDS = [vote_record(0, vote(NOTARIZE, 3)), (votes.BLOCK, b"\1block"),
               certificate_record([0, 2, 3], vote(FINALIZE, 3))]

    def test_every_whole_record_is_read(self):
        self.assertEqual(list(votes.records(segment(self.RECORDS))), self.RECORDS)

    def test_an_unfinished_end_is_left_out(self):
        data = segment(self.RECORDS)
        self.assertEqual(list(votes.records(data[:-1])), self.RECORDS[:2])
        self.assertEqual(list(votes.records(data[:20])), [])

    def test_an_altered_record_is_not_read(self):
        data = bytearray(segment(self.RECORDS))
        data[60] ^= 1
        self.assertEqual(list(votes.records(bytes(data))), [])

    def test_votes_and_certificates_name_their_signers(self):
        self.assertEqual(votes.votes_of(*self.RECORDS[0]), [(0, vote(NOTARIZE, 3))])
        self.assertEqual(votes.votes_of(*self.RECORDS[1]), [])
        self.assertEqual(votes.votes_of(*self.RECORDS[2]),
                         [(signer, vote(FINALIZE, 3)) for signer in (0, 2, 3)])


class ConflictTests(unittest.TestCase):
    def test_what_an_honest_validator_signs_is_no_conflict(self):
        self.assertEqual(votes.conflicts([
            (0, vote(NOTARIZE, 1)), (0, vote(FINALIZE, 1)), (0, vote(NOTARIZE, 2)),
            (0, vote(NULLIFY, 2)), (1, vote(NOTARIZE, 1, OTHER)), (0, vote(FINALIZE, 2, epoch=1)),
            (0, vote(NOTARIZE, 1))]), [])

    def test_two_blocks_of_a_view_are_a_conflict(self):
        for kind in (NOTARIZE, FINALIZE):
            self.assertTrue(votes.conflicts([(0, vote(kind, 1)), (0, vote(kind, 1, OTHER))]))

    def test_a_finalize_and_a_nullify_vote_of_a_view_are_a_conflict(self):
        self.assertTrue(votes.conflicts([(2, vote(NULLIFY, 4)), (2, vote(FINALIZE, 4))]))


class WatchTests(unittest.TestCase):
    def watch(self, *journals, lost=None, later=()):
        """Faults of the journals; node `lost` loses its own, and then writes `later`."""
        with tempfile.TemporaryDirectory() as folder:
            paths = []
            for place, (number, records) in enumerate(journals):
                paths.append(os.path.join(folder, str(place)))
                os.mkdir(paths[-1])
                self.write(paths[-1], number, records)
            watch = votes.VoteWatch(paths)
            if lost is not None:
                watch.read()
                watch.lost(lost)
                self.write(paths[lost], 1, later)
            watch.stop()
            return watch.faults()

    def write(self, folder, number, records):
        with open(os.path.join(folder, f"{number:016x}.journal"), "wb") as file:
            file.write(segment(records, number))

    CERTIFICATE = certificate_record([0, 1], vote(NOTARIZE, 5))

    def test_a_vote_on_disk_and_in_a_certificate_is_right(self):
        self.assertEqual(self.watch((1, [vote_record(0, vote(NOTARIZE, 5)), self.CERTIFICATE]),
                                    (1, [vote_record(1, vote(NOTARIZE, 5))])), [])

    def test_a_vote_that_left_without_a_record_is_noticed(self):
        found = self.watch((1, [vote_record(0, vote(NOTARIZE, 5)), self.CERTIFICATE]), (1, []))
        self.assertIn("never was in its journal", found[0])

    def test_a_journal_that_was_shortened_need_not_hold_every_vote(self):
        self.assertEqual(self.watch((1, [vote_record(0, vote(NOTARIZE, 5)), self.CERTIFICATE]),
                                    (2, [])), [])

    def test_a_key_that_signs_a_view_again_after_its_record_was_lost_is_noticed(self):
        def after(*later):
            return self.watch((1, []), (1, [vote_record(1, vote(NOTARIZE, 5))]), lost=1, later=later)
        self.assertEqual(after(), [])
        self.assertEqual(after(floor_record(5), vote_record(1, vote(NULLIFY, 6))), [])
        for later in [(vote_record(1, vote(NULLIFY, 6)),),
                      (floor_record(4), vote_record(1, vote(NULLIFY, 5))),
                      (floor_record(6), vote_record(1, vote(NULLIFY, 6)))]:
            self.assertIn("signed again", after(*later)[0])

    def test_conflicts_between_journal_and_certificate_are_noticed(self):
        found = self.watch((1, [self.CERTIFICATE, vote_record(0, vote(NOTARIZE, 5))]),
                           (1, [vote_record(1, vote(NOTARIZE, 5)),
                                vote_record(1, vote(NOTARIZE, 5, OTHER))]))
        self.assertTrue(any("validator 1 signed" in fault for fault in found))


if __name__ == "__main__":
    unittest.main()
