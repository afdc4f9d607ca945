"""SOQL text -> tree: a table of queries that are read, and one of queries that are refused as Salesforce refuses them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from sources.salesforce.sandbox.dates import days_of
from sources.salesforce.sandbox.soql import (
    Comparison,
    Item,
    Junction,
    Membership,
    Negation,
    Order,
    Select,
    SoqlError,
    Value,
    parse,
)


def comparison(field: str, operator: str, kind: str, value: object) -> Comparison:
    return Comparison(tuple(field.split(".")), operator, Value(kind, value))  # type: ignore[arg-type]


CONDITIONS = [
    ("Name = 'x'", comparison("Name", "=", "string", "x")),
    ("Name <> 'x'", comparison("Name", "!=", "string", "x")),
    (r"Name = 'O\'Neil \\ \n'", comparison("Name", "=", "string", "O'Neil \\ \n")),
    (r"Name LIKE '50\%_'", comparison("Name", "LIKE", "string", r"50\%_")),
    ("Account.Name = '株式会社'", comparison("Account.Name", "=", "string", "株式会社")),
    ("Amount >= 1.5e3", comparison("Amount", ">=", "number", 1500.0)),
    ("Amount < -2", comparison("Amount", "<", "number", -2)),
    ("IsWon = TRUE", comparison("IsWon", "=", "boolean", True)),
    ("AccountId = null", comparison("AccountId", "=", "null", None)),
    ("CloseDate > 2026-01-31", comparison("CloseDate", ">", "date", date(2026, 1, 31))),
    (
        "SystemModstamp <= 2026-01-31T12:00:00Z",
        comparison("SystemModstamp", "<=", "datetime", datetime(2026, 1, 31, 12)),
    ),
    (
        "CreatedDate > 2026-01-31T12:00:00.000+0900",
        comparison("CreatedDate", ">", "datetime", datetime(2026, 1, 31, 3)),
    ),
    ("CreatedDate > 2026-01-31T12:00:00-05:00", comparison("CreatedDate", ">", "datetime", datetime(2026, 1, 31, 17))),
    ("CloseDate = LAST_N_DAYS:30", comparison("CloseDate", "=", "relative", ("LAST_N_DAYS", 30))),
    ("CloseDate = this_quarter", comparison("CloseDate", "=", "relative", ("THIS_QUARTER", 1))),
    ("Id IN ('a','b')", Membership(("Id",), False, (Value("string", "a"), Value("string", "b")))),
    ("Id NOT IN ('a')", Membership(("Id",), True, (Value("string", "a"),))),
    ("AccountId IN (SELECT Id FROM Account)", Membership(("AccountId",), False, Select((Item(("Id",)),), "Account"))),
    ("NOT Name = 'x'", Negation(comparison("Name", "=", "string", "x"))),
    (
        "(A = 1 OR B = 2) AND NOT (C = 3)",
        Junction(
            "AND",
            (
                Junction("OR", (comparison("A", "=", "number", 1), comparison("B", "=", "number", 2))),
                Negation(comparison("C", "=", "number", 3)),
            ),
        ),
    ),
    (
        "A = 1 AND B = 2 AND C = 3",
        Junction("AND", tuple(comparison(name, "=", "number", n) for n, name in enumerate("ABC", start=1))),
    ),
]


@pytest.mark.parametrize(("text", "expected"), CONDITIONS, ids=[text for text, _ in CONDITIONS])
def test_a_condition_is_read(text: str, expected: object) -> None:
    assert parse(f"SELECT Id FROM Account WHERE {text}").where == expected


def test_the_clauses_are_read_in_any_letter_case_and_over_lines() -> None:
    read = parse(
        "select Id, Owner.Name\nfrom Account a where Name != null\norder by Name desc nulls last, Id limit 10 offset 5"
    )
    assert read.items == (Item(("Id",)), Item(("Owner", "Name")))
    assert (read.object, read.limit, read.offset) == ("Account", 10, 5)
    assert read.order_by == (Order(("Name",), True, True), Order(("Id",), False, False))


def test_functions_and_their_aliases_are_read() -> None:
    assert parse("SELECT COUNT() FROM Lead").is_count
    read = parse("SELECT StageName, COUNT(Id) total, MAX(Amount) FROM Opportunity GROUP BY StageName")
    assert read.items == (Item(("StageName",)), Item(("Id",), "COUNT", "total"), Item(("Amount",), "MAX", None))
    assert read.group_by == (("StageName",),) and not read.is_count and read.is_aggregate
    assert parse("SELECT FIELDS(ALL) FROM Account LIMIT 200").fields_of == "ALL"


REFUSED = [
    "",
    "SELECT",
    "SELECT Id",
    "SELECT Id FORM Account",
    "SELECT Id, FROM Account",
    "SELECT * FROM Account",
    "SELECT Id FROM Account WHERE",
    "SELECT Id FROM Account WHERE Name = x",
    "SELECT Id FROM Account WHERE Name IS NULL",
    "SELECT Id FROM Account WHERE Name = 'open",
    "SELECT Id FROM Account WHERE (A = 1 AND B = 2",
    "SELECT Id FROM Account WHERE A = 1 AND B = 2 OR C = 3",
    "SELECT Id FROM Account WHERE CloseDate = LAST_N_DAYS",
    "SELECT Id FROM Account LIMIT ten",
    "SELECT Id FROM Account ALL ROWS",
    "SELECT Id FROM Account; DROP TABLE x",
    "SELECT SUM() FROM Account",
    "SELECT Id, (SELECT Id FROM Contacts) FROM Account",
]


@pytest.mark.parametrize("text", REFUSED)
def test_a_broken_query_is_malformed(text: str) -> None:
    with pytest.raises(SoqlError) as refusal:
        parse(text)
    assert refusal.value.code == "MALFORMED_QUERY"
    assert "ERROR at Row:1:Column:" in refusal.value.message


DAYS = [  # 2026-05-06 is a Wednesday
    ("TODAY", 1, date(2026, 5, 6), date(2026, 5, 7)),
    ("YESTERDAY", 1, date(2026, 5, 5), date(2026, 5, 6)),
    ("TOMORROW", 1, date(2026, 5, 7), date(2026, 5, 8)),
    ("LAST_N_DAYS", 3, date(2026, 5, 3), date(2026, 5, 7)),
    ("NEXT_N_DAYS", 3, date(2026, 5, 7), date(2026, 5, 10)),
    ("N_DAYS_AGO", 2, date(2026, 5, 4), date(2026, 5, 5)),
    ("THIS_WEEK", 1, date(2026, 5, 3), date(2026, 5, 10)),
    ("LAST_MONTH", 1, date(2026, 4, 1), date(2026, 5, 1)),
    ("THIS_QUARTER", 1, date(2026, 4, 1), date(2026, 7, 1)),
    ("NEXT_QUARTER", 1, date(2026, 7, 1), date(2026, 10, 1)),
    ("LAST_N_MONTHS", 5, date(2025, 12, 1), date(2026, 5, 1)),
    ("NEXT_N_YEARS", 2, date(2027, 1, 1), date(2029, 1, 1)),
    ("LAST_90_DAYS", 1, date(2026, 2, 5), date(2026, 5, 7)),
]


@pytest.mark.parametrize(("word", "count", "first", "last"), DAYS, ids=[word for word, *_ in DAYS])
def test_a_date_literal_is_a_range_of_days(word: str, count: int, first: date, last: date) -> None:
    assert days_of(word, count, date(2026, 5, 6)) == (first, last)
