"""JSON-RPC with a deadline on every call, and the difference between "no" and "no answer"."""

import http.client
import json


class NoAnswer(Exception):
    """Nothing is known of what became of the call."""


class Refusal(Exception):
    """The node answered with an error."""

    def __init__(self, code, message, data):
        super().__init__(f"{message} ({code})")
        self.code = code
        self.data = data or {}

    @property
    def reason(self):
        return self.data.get("reason")


class Client:
    """One connection to one node, opened anew when it broke. For one thread."""

    def __init__(self, host, port, seconds=3):
        self.address = (host, port)
        self.seconds = seconds
        self.connection = None

    def call(self, method, seconds=None, **parameters):
        """One call. Raises NoAnswer or Refusal."""
        answer = self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters},
                           seconds)
        return self.result(answer)

    def batch(self, calls, seconds=None):
        """The results of `calls` (pairs of a method and its parameters), Refusals among them."""
        body = [{"jsonrpc": "2.0", "id": place, "method": method, "params": parameters}
                for place, (method, parameters) in enumerate(calls)]
        answers = {}
        for answer in self.post(body, seconds):
            try:
                answers[answer["id"]] = self.result(answer)
            except Refusal as refusal:
                answers[answer["id"]] = refusal
        return [answers[place] for place in range(len(calls))]

    @staticmethod
    def result(answer):
        if "error" in answer:
            error = answer["error"]
            raise Refusal(error["code"], error["message"], error.get("data"))
        return answer["result"]

    def post(self, body, seconds=None):
        seconds = seconds or self.seconds
        # A node closes a connection that was idle for 20 s: then the call goes out on a new one.
        was_open = self.connection is not None and self.connection.sock is not None
        try:
            return self.send(body, seconds)
        except (BrokenPipeError, ConnectionResetError, http.client.RemoteDisconnected) as fault:
            self.close()
            if not was_open:
                raise NoAnswer(repr(fault)) from fault
        except (OSError, http.client.HTTPException, ValueError) as fault:
            self.close()
            raise NoAnswer(repr(fault)) from fault
        try:
            return self.send(body, seconds)
        except (OSError, http.client.HTTPException, ValueError) as fault:
            self.close()
            raise NoAnswer(repr(fault)) from fault

    def send(self, body, seconds):
        if self.connection is None:
            self.connection = http.client.HTTPConnection(*self.address, timeout=seconds)
        self.connection.timeout = seconds
        if self.connection.sock is not None:
            self.connection.sock.settimeout(seconds)
        self.connection.request(
            "POST", "/", json.dumps(body), {"Content-Type": "application/json"})
        return json.loads(self.connection.getresponse().read())

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None
