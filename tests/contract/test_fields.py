"""New, vanished and retyped fields: no record is lost, and what there is to read is read."""

from __future__ import annotations

from tests.contract.fields import TITLE, Added, Fields, Retyped, Vanished
from tests.contract.tools import Served, Tool


def _with(served: Served, change: Fields) -> None:
    """A run in which the field is so: afterwards nothing is lost, and what does not fit is in quarantine."""
    served.change_field(change)
    served.sync()
    assert change.met, f"{change.name} was in no answer"
    wrong, kept = served.wrong(), served.quarantined()
    lost = {number: what for number, what in wrong.items() if number not in kept}
    assert not lost, lost


def _recovers(served: Served) -> None:
    """The field is as before, and the next change of each record is read."""
    served.behave()
    served.later(days=14, hours=1)
    served.sync()
    served.has_landed()


def test_a_new_field(tool: Tool, living: Served) -> None:
    _with(living, Added(living.field(TITLE)))
    living.has_landed()


def test_a_vanished_field(tool: Tool, living: Served) -> None:
    _with(living, Vanished(living.field(TITLE)))
    living.has_landed()


def test_a_field_of_texts_that_has_numbers(tool: Tool, living: Served) -> None:
    _with(living, Retyped(living.field(TITLE), 12345))
    _recovers(living)
