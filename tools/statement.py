#!/usr/bin/env python3
"""Checks a statement of an account: that its moves lead from the opening to the closing balance.

    statement.py FILE

FILE is what `offpeak statement --format csv` (RFC 4180) or `--format camt053` (ISO 20022,
camt.053.001.08) wrote; - is stdin. Of camt.053 it also checks that what the schema requires is
there, in the schema's order and within its lengths. Prints account, balances and the number of
moves as JSON; of camt.053 amounts are in the currency. Exit status: 0 if it adds up, 1 if it
doesn't, 2 for wrong usage. Needs nothing but Python's own library.
"""

import argparse
import csv
import io
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from decimal import Decimal

COLUMNS = ["account", "asset", "kind", "place", "time", "amount", "balance", "party",
           "transaction"]
NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
# Elements in the schema's order: name, the fewest and the most there may be.
ORDERS = {
    "BkToCstmrStmt": [("GrpHdr", 1, 1), ("Stmt", 1, None)],
    "GrpHdr": [("MsgId", 1, 1), ("CreDtTm", 1, 1)],
    "Stmt": [("Id", 1, 1), ("CreDtTm", 1, 1), ("FrToDt", 1, 1), ("Acct", 1, 1), ("Bal", 2, 2),
             ("TxsSummry", 0, 1), ("Ntry", 0, None), ("AddtlStmtInf", 0, 1)],
    "FrToDt": [("FrDtTm", 1, 1), ("ToDtTm", 1, 1)],
    "Acct": [("Id", 1, 1), ("Ccy", 1, 1), ("Prxy", 1, 1)],
    "Bal": [("Tp", 1, 1), ("Amt", 1, 1), ("CdtDbtInd", 1, 1), ("Dt", 1, 1)],
    "Ntry": [("NtryRef", 1, 1), ("Amt", 1, 1), ("CdtDbtInd", 1, 1), ("Sts", 1, 1),
             ("BookgDt", 1, 1), ("ValDt", 1, 1), ("AcctSvcrRef", 1, 1), ("BkTxCd", 1, 1),
             ("NtryDtls", 1, 1)],
    "TxDtls": [("Refs", 1, 1), ("Amt", 1, 1), ("CdtDbtInd", 1, 1), ("RltdPties", 0, 1),
               ("RmtInf", 0, 1), ("AddtlTxInf", 0, 1)],
    "Refs": [("AcctSvcrRef", 1, 1), ("TxId", 0, 1)],
    "BkTxCd": [("Domn", 1, 1), ("Prtry", 1, 1)],
}
LENGTHS = {"MsgId": 35, "NtryRef": 35, "AcctSvcrRef": 35, "TxId": 35, "Issr": 35, "Ustrd": 140,
           "AddtlTxInf": 500, "AddtlStmtInf": 500}


class Wrong(Exception):
    """Why a statement doesn't hold, as a sentence."""


def read_csv(text):
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    if len(rows) < 3 or rows[0] != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise Wrong("a head, an opening and a closing record of nine fields each are wanted")
    records = [dict(zip(COLUMNS, row)) for row in rows[1:]]
    opening, moves, closing = records[0], records[1:-1], records[-1]
    if (opening["kind"], closing["kind"]) != ("opening", "closing"):
        raise Wrong("the first record isn't the opening balance, or the last not the closing one")
    if len({(record["account"], record["asset"]) for record in records}) != 1:
        raise Wrong("records of several accounts or assets")
    held = int(opening["balance"])
    for move in moves:
        held += int(move["amount"])
        if held != int(move["balance"]):
            raise Wrong(f"the balance after {move['place']} isn't {held}")
    return {"account": opening["account"], "opening": opening["balance"],
            "closing": closing["balance"], "sum": sum(int(move["amount"]) for move in moves),
            "moves": len(moves)}


def tag(element):
    name = element.tag
    prefix = "{" + NAMESPACE + "}"
    if not name.startswith(prefix):
        raise Wrong(f"{name} isn't of camt.053.001.08")
    return name[len(prefix):]


def check_form(element):
    """Order, number and length of what is in an element, and below."""
    name = tag(element)
    names = [tag(child) for child in element]
    if name in ORDERS:
        rest = list(names)
        for child, least, most in ORDERS[name]:
            count = 0
            while rest and rest[0] == child:
                rest.pop(0)
                count += 1
            if count < least or (most is not None and count > most):
                raise Wrong(f"{count} times {child} in {name}")
        if rest:
            raise Wrong(f"{rest[0]} out of its place in {name}")
    text = element.text or ""
    if name in LENGTHS and not 1 <= len(text) <= LENGTHS[name]:
        raise Wrong(f"{name} has {len(text)} characters")
    if name.endswith("DtTm") and not TIME.fullmatch(text):
        raise Wrong(f"{name} isn't a time")
    if name == "CdtDbtInd" and text not in ("CRDT", "DBIT"):
        raise Wrong(f"CdtDbtInd is {text}")
    if name == "Amt":
        check_amount(element)
    for child in element:
        check_form(child)


def check_amount(element):
    digits = (element.text or "").replace(".", "", 1)
    decimals = (element.text or "").partition(".")[2]
    if not digits.isdecimal() or len(digits.lstrip("0")) > 18 or len(decimals) > 5:
        raise Wrong(f"{element.text} isn't an amount of at most 18 digits")
    if not re.fullmatch("[A-Z]{3}", element.get("Ccy", "")):
        raise Wrong("an amount without a currency")


def text_at(element, path):
    found = element.find("/".join("{" + NAMESPACE + "}" + name for name in path.split("/")))
    if found is None or not found.text:
        raise Wrong(f"{path} is missing in {tag(element)}")
    return found.text


def signed(element):
    amount = Decimal(text_at(element, "Amt"))
    return amount if text_at(element, "CdtDbtInd") == "CRDT" else -amount


def all_of(element, name):
    return element.findall("{" + NAMESPACE + "}" + name)


def read_camt(text):
    root = ElementTree.fromstring(text.encode())
    if tag(root) != "Document" or [tag(child) for child in root] != ["BkToCstmrStmt"]:
        raise Wrong("it isn't a BkToCstmrStmt in a Document")
    check_form(root)
    statements = all_of(root[0], "Stmt")
    if len(statements) != 1:
        raise Wrong("one statement is wanted")
    statement = statements[0]
    check_names(statement)
    balances = {text_at(balance, "Tp/CdOrPrtry/Cd"): balance
                for balance in all_of(statement, "Bal")}
    if set(balances) != {"OPBD", "CLBD"}:
        raise Wrong("an opening and a closing balance are wanted")
    entries = all_of(statement, "Ntry")
    for entry in entries:
        check_entry(entry)
    currencies = {amount.get("Ccy") for amount in statement.iter("{" + NAMESPACE + "}Amt")}
    if currencies != {text_at(statement, "Acct/Ccy")}:
        raise Wrong("amounts of another currency than the account's")
    if int(text_at(statement, "TxsSummry/TtlNtries/NbOfNtries")) != len(entries):
        raise Wrong("the summary counts other entries")
    return {"account": text_at(statement, "Acct/Prxy/Id"),
            "opening": str(signed(balances["OPBD"])), "closing": str(signed(balances["CLBD"])),
            "sum": sum(signed(entry) for entry in entries), "moves": len(entries)}


def check_names(statement):
    if len(text_at(statement, "Id")) > 35 or len(text_at(statement, "Acct/Id/Othr/Id")) > 34:
        raise Wrong("an Id that is too long")
    if not text_at(statement, "Acct/Prxy/Id").startswith(text_at(statement, "Acct/Id/Othr/Id")):
        raise Wrong("the account's short name isn't the beginning of its name")


def check_entry(entry):
    if text_at(entry, "Sts/Cd") != "BOOK":
        raise Wrong("an entry that isn't booked")
    text_at(entry, "BkTxCd/Domn/Fmly/SubFmlyCd")
    text_at(entry, "BookgDt/DtTm")
    details = entry.find("{0}NtryDtls/{0}TxDtls".format("{" + NAMESPACE + "}"))
    if details is None or signed(details) != signed(entry):
        raise Wrong("an entry whose details say something else")
    if text_at(details, "Refs/AcctSvcrRef") != text_at(entry, "AcctSvcrRef"):
        raise Wrong("an entry whose details have another reference")


def check(text):
    """Account, balances and number of moves of a statement. Raises Wrong."""
    try:
        found = read_camt(text) if text.startswith("<") else read_csv(text)
        opening, closing = Decimal(found["opening"]), Decimal(found["closing"])
    except (ElementTree.ParseError, csv.Error, ValueError, ArithmeticError) as fault:
        raise Wrong(f"it can't be read: {fault}") from None
    total = found.pop("sum")
    if opening + total != closing:
        raise Wrong(f"{opening} and moves of {total} don't make {closing}")
    return found


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", help="the statement")
    args = parser.parse_args()
    try:
        with (sys.stdin if args.file == "-"
              else open(args.file, encoding="utf-8", newline="")) as file:
            found = check(file.read())
    except (Wrong, OSError, UnicodeDecodeError) as fault:
        sys.exit(f"statement: {fault}")
    print(json.dumps(found, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
