"""The proxy does what its rules say, and only in the direction that they name."""

import socket
import threading
import time
import unittest

from nodes import free_ports
from proxy import Proxy


class Ends:
    """Two nodes' sockets with the proxy between: 0 dials 1."""

    def __init__(self, seed=1):
        links, gossip, door = free_ports(2), free_ports(2), free_ports(1)[0]
        self.faces = [(f"127.0.3.{place + 1}", port) for place, port in enumerate(gossip)]
        self.server = socket.create_server(("127.0.0.1", links[1]))
        self.datagrams = []
        for port in gossip:
            end = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            end.bind(("127.0.0.1", port))
            end.settimeout(0.4)
            self.datagrams.append(end)
        self.door = door
        self.proxy = Proxy({
            "seed": seed, "links": [("127.0.0.1", port) for port in links],
            "gossip": [("127.0.0.1", port) for port in gossip], "doors": [(0, 1, door)],
            "faces": self.faces})

    def dial(self):
        near = socket.create_connection(("127.0.0.1", self.door), 2)
        far, _ = self.server.accept()
        for end in (near, far):
            end.settimeout(2)
        return near, far

    def close(self):
        self.proxy.stop()
        for end in (self.server, *self.datagrams):
            end.close()


def received(end, count):
    data = b""
    while len(data) < count:
        data += end.recv(count - len(data))
    return data


class ProxyTests(unittest.TestCase):
    def setUp(self):
        self.ends = Ends()
        self.addCleanup(self.ends.close)

    def rule(self, **rule):
        return self.ends.proxy.set([0, 1], [0, 1], rule)

    def test_bytes_pass_in_both_directions(self):
        near, far = self.ends.dial()
        with near, far:
            data = bytes(range(256)) * 400
            threading.Thread(target=near.sendall, args=(data,)).start()
            self.assertEqual(received(far, len(data)), data)
            far.sendall(b"answer")
            self.assertEqual(received(near, 6), b"answer")

    def test_held_bytes_come_after_mending_and_the_other_direction_passes(self):
        near, far = self.ends.dial()
        with near, far:
            self.ends.proxy.set([0], [1], {"hold": True})
            near.sendall(b"late")
            far.sendall(b"soon")
            self.assertEqual(received(near, 4), b"soon")
            far.settimeout(0.3)
            with self.assertRaises(TimeoutError):
                far.recv(1)
            self.rule()
            far.settimeout(2)
            self.assertEqual(received(far, 4), b"late")

    def test_a_reset_ends_links_and_refuses_new_ones(self):
        near, far = self.ends.dial()
        with near, far:
            self.rule(reset=True)
            with self.assertRaises(ConnectionResetError):
                near.recv(1)
            # The reset may come as early as while the link is made.
            with self.assertRaises(ConnectionResetError):
                with socket.create_connection(("127.0.0.1", self.ends.door), 2) as second:
                    second.recv(1)

    def test_delays_and_rates_hold_bytes_up(self):
        near, far = self.ends.dial()
        with near, far:
            self.rule(delay=150, rate=10_000)
            began = time.monotonic()
            near.sendall(bytes(2000))
            received(far, 2000)
            self.assertGreater(time.monotonic() - began, 0.3)

    def test_corruption_changes_bytes_and_no_count(self):
        near, far = self.ends.dial()
        with near, far:
            self.rule(corrupt=1)
            near.sendall(bytes(100))
            self.assertEqual(sum(byte != 0 for byte in received(far, 100)), 1)

    def send(self, count):
        for place in range(count):
            self.ends.datagrams[0].sendto(bytes([place]) * 20, self.ends.faces[1])
        found = []
        try:
            while True:
                data, address = self.ends.datagrams[1].recvfrom(2048)
                self.assertEqual(address, self.ends.faces[0])
                found.append(data)
        except TimeoutError:
            return found

    def test_datagrams_come_from_the_address_that_stands_for_their_sender(self):
        self.assertEqual(self.send(3), [bytes([place]) * 20 for place in range(3)])

    def test_datagrams_are_lost_doubled_and_cut_short(self):
        self.rule(loss=1)
        self.assertEqual(self.send(5), [])
        self.rule(duplicate=1)
        self.assertEqual(len(self.send(5)), 10)
        self.rule(truncate=1)
        self.assertTrue(any(len(data) < 20 for data in self.send(10)))
        self.rule(replay=1)
        self.assertEqual(len(self.send(5)), 10)

    def test_a_seed_loses_the_same_datagrams_again(self):
        def lost():
            ends = Ends(seed=7)
            try:
                ends.proxy.set([0], [1], {"loss": 0.5})
                for place in range(20):
                    ends.datagrams[0].sendto(bytes([place]), ends.faces[1])
                found = set()
                try:
                    while True:
                        found.add(ends.datagrams[1].recv(10))
                except TimeoutError:
                    return found
            finally:
                ends.close()
        first = lost()
        self.assertTrue(0 < len(first) < 20)
        self.assertEqual(first, lost())


if __name__ == "__main__":
    unittest.main()
