"""The rules of money, registers and escrows, as Sources/PROTOCOL.md has them: a hundred lines that
say what each transaction must do."""

import dataclasses

INSUFFICIENT_FUNDS, SAME_POLICY = 2, 6
ZERO_AMOUNT = 1
ESCROW_UNKNOWN, ESCROW_DISPUTED, NOT_PARTICIPANT = 20, 22, 23
WRONG_ROUND, ABOVE_HELD, NOT_DISPUTED, SPLIT_MISMATCH = 24, 25, 32, 33
DEPOSIT_UNPAID = 90
# What a local network's genesis keeps back of the payer's for each escrow: `fees.escrowDeposit`.
ESCROW_DEPOSIT = 20_000


class Mismatch(Exception):
    """A transaction did something else than the rules say."""


class Failed(Exception):
    """An operation fails, with this code."""

    def __init__(self, code):
        super().__init__(code)
        self.code = code


@dataclasses.dataclass
class Account:
    balance: int
    sequence: int = 0
    # The register: the weight of the account's key in its policy. None before the first
    # transaction revealed the policy.
    weight: int | None = None


@dataclasses.dataclass
class Escrow:
    payer: str
    payee: str
    arbiter: str
    held: int
    released: int = 0
    refunded: int = 0
    round: int = 0
    state: str = "open"

    def begin_round(self):
        self.round += 1
        if self.held == 0:
            self.state = "closed"


class Ledger:
    """Accounts by name, escrows by id, after the transactions that were executed so far."""

    def __init__(self, balances):
        self.accounts = {name: Account(balance) for name, balance in balances.items()}
        self.escrows = {}

    def view(self, kind, name):
        """What a read must tell."""
        entry = (self.accounts if kind == "account" else self.escrows).get(name)
        return dataclasses.asdict(entry) if entry else {}

    def execute(self, operation, receipt):
        """Carries an executed transaction out. Raises Mismatch where the receipt says otherwise."""
        sender = self.accounts[operation.account]
        if operation.sequence != sender.sequence:
            raise Mismatch(f"sequence {operation.sequence} where {sender.sequence} is next")
        sender.sequence += 1
        sender.balance -= int(receipt["fee"])
        if sender.weight is None:
            sender.weight = 1
        code = None
        try:
            getattr(self, operation.action["kind"].replace("-", "_"))(operation, sender)
        except Failed as failed:
            code = failed.code
        told = receipt["failure"]["code"] if receipt["outcome"] == "failed" else None
        if told != code:
            raise Mismatch(f"{operation.action} by {operation.account} ended with "
                           f"{'success' if told is None else told}, "
                           f"{'success' if code is None else code} was expected")

    # Each of these changes nothing if it fails.

    def debit(self, account, amount):
        if amount == 0:
            raise Failed(ZERO_AMOUNT)
        if account.balance < amount:
            raise Failed(INSUFFICIENT_FUNDS)
        account.balance -= amount

    def transfer(self, operation, sender):
        self.debit(sender, operation.action["amount"])
        self.accounts[operation.action["to"]].balance += operation.action["amount"]

    def write(self, operation, sender):
        if sender.weight == operation.action["value"]:
            raise Failed(SAME_POLICY)
        sender.weight = operation.action["value"]

    def escrow_create(self, operation, sender):
        action = operation.action
        self.debit(sender, action["amount"])
        if sender.balance < ESCROW_DEPOSIT:
            sender.balance += action["amount"]
            raise Failed(DEPOSIT_UNPAID)
        sender.balance -= ESCROW_DEPOSIT
        self.escrows[action["escrow"]] = Escrow(
            operation.account, action["payee"], action["arbiter"], action["amount"])

    def live(self, action):
        escrow = self.escrows.get(action["escrow"])
        if escrow is None or escrow.state == "closed":
            raise Failed(ESCROW_UNKNOWN)
        return escrow

    def open(self, action):
        escrow = self.live(action)
        if escrow.state != "open":
            raise Failed(ESCROW_DISPUTED)
        return escrow

    def escrow_top_up(self, operation, sender):
        escrow = self.open(operation.action)
        self.debit(sender, operation.action["amount"])
        escrow.held += operation.action["amount"]

    def escrow_decide(self, operation, _):
        action = operation.action
        if self.refuses(operation, self.live(action)):
            return
        escrow = self.open(action)
        if action["round"] != escrow.round:
            raise Failed(WRONG_ROUND)
        if action["amount"] == 0:
            raise Failed(ZERO_AMOUNT)
        if action["amount"] > escrow.held:
            raise Failed(ABOVE_HELD)
        is_release = action["direction"] == "release"
        if operation.account != (escrow.payer if is_release else escrow.payee):
            raise Failed(NOT_PARTICIPANT)
        if is_release:
            self.pay(escrow, action["amount"], 0)
        else:
            self.pay(escrow, 0, action["amount"])
        escrow.begin_round()

    def refuses(self, operation, escrow):
        """A payee that wants all of it refunded, or more, refuses: at once, also when disputed. Who
        is the payer too doesn't."""
        action = operation.action
        if (escrow.payer == escrow.payee or action["direction"] != "refund" or operation.account != escrow.payee
                or action["round"] != escrow.round or action["amount"] < escrow.held):
            return False
        self.pay(escrow, 0, escrow.held)
        escrow.begin_round()
        return True

    def pay(self, escrow, to_payee, to_payer):
        escrow.held -= to_payee + to_payer
        escrow.released += to_payee
        escrow.refunded += to_payer
        self.accounts[escrow.payee].balance += to_payee
        self.accounts[escrow.payer].balance += to_payer
        if escrow.held == 0:
            self.accounts[escrow.payer].balance += ESCROW_DEPOSIT

    def escrow_dispute(self, operation, _):
        escrow = self.open(operation.action)
        if operation.account not in (escrow.payer, escrow.payee):
            raise Failed(NOT_PARTICIPANT)
        escrow.state = "disputed"
        escrow.begin_round()

    def escrow_arbitrate(self, operation, _):
        action = operation.action
        escrow = self.live(action)
        if escrow.state != "disputed":
            raise Failed(NOT_DISPUTED)
        if action["round"] != escrow.round:
            raise Failed(WRONG_ROUND)
        if action["to_payee"] + action["to_payer"] != escrow.held:
            raise Failed(SPLIT_MISMATCH)
        if operation.account != escrow.arbiter:
            raise Failed(NOT_PARTICIPANT)
        self.pay(escrow, action["to_payee"], action["to_payer"])
        escrow.begin_round()
