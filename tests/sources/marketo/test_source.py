"""The Marketo source with plain dlt into a DuckDB of the test's own: what is loaded, and with how many requests."""

from __future__ import annotations

from tests.sources.marketo.conftest import Loader


def test_a_first_load_holds_everything_that_the_sandbox_expects(loader: Loader) -> None:
    notes = loader.run()
    expected = loader.served.line["expected"]["marketo"]
    keys = {"program_members": "program_id, lead_id", "static_list_members": "list_id, lead_id"}
    keys |= {"activities": "marketo_guid", "deleted_leads": "marketo_guid"}
    print(loader.served.seen[:0], notes)
    assert {name: loader.live(name, keys.get(name, "id")) for name in expected} == expected
    assert notes.quarantined == {} and notes.skipped == {}
