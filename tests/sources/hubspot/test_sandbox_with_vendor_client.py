"""HubSpot's own Python client reads every object of both portals from the sandbox, unpatched but for the address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hubspot
import pytest
import requests
from hubspot.crm.associations.v4 import BatchInputPublicFetchAssociationsBatchRequest
from hubspot.crm.contacts import BatchReadInputSimplePublicObjectId, PublicObjectSearchRequest
from hubspot.crm.contacts.exceptions import ApiException

from tests.sources.hubspot.portal import Served, hand_made_company, serving

OBJECTS = ("contacts", "companies", "deals", "products", "line_items", "calls", "emails", "meetings", "notes", "tasks")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One serving for all tests of this file: they read only."""
    with serving(hand_made_company(), tmp_path_factory.mktemp("portals")) as running:
        yield running


def client(served: Served, instance: str = "hubspot") -> Any:
    here = served.line[instance]
    return hubspot.Client.create(access_token=here["token"], host=here["base_url"])


@pytest.mark.parametrize("instance", ["hubspot", "hubspot_emea"])
def test_the_client_reads_as_many_records_of_every_object_as_the_sandbox_says(served: Served, instance: str) -> None:
    api = client(served, instance)
    found = {name: len(api.crm.objects.get_all(name)) for name in OBJECTS}
    expected = served.line["expected"][instance]
    assert found == {name: expected[name] for name in OBJECTS}
    assert len(api.crm.owners.get_all()) == expected["owners"] == 2


def test_the_client_gets_history_in_pages_of_fifty(served: Served) -> None:
    before = served.count("hubspot", "/crm/v3/objects/contacts")
    contacts = client(served).crm.contacts.get_all(properties_with_history=["lifecyclestage", "hs_lead_status"])
    assert len(contacts) == served.line["expected"]["hubspot"]["contacts"]
    history = contacts[0].properties_with_history
    assert [entry.value for entry in history["lifecyclestage"]] == ["marketingqualifiedlead", "subscriber"]
    assert [entry.value for entry in history["hs_lead_status"]] == ["UNQUALIFIED", "IN_PROGRESS", "NEW"]
    assert served.count("hubspot", "/crm/v3/objects/contacts") - before == 6


def test_a_disqualified_contact_keeps_its_lifecycle_stage_and_says_so_in_the_lead_status(served: Served) -> None:
    contact = client(served).crm.contacts.basic_api.get_by_id("101", properties=["lifecyclestage", "hs_lead_status"])
    assert contact.properties["lifecyclestage"] == "marketingqualifiedlead"
    assert contact.properties["hs_lead_status"] == "UNQUALIFIED"


def test_archived_records_are_listed_apart_and_archiving_moves_no_stamp(served: Served) -> None:
    archived = client(served).crm.contacts.get_all(archived=True)
    assert [one.id for one in archived] == ["110"]
    assert archived[0].archived_at.isoformat() == "2026-09-20T09:00:00+00:00"
    assert archived[0].updated_at.year == 2025


def test_the_id_of_a_merged_record_gives_the_end_of_the_chain(served: Served) -> None:
    api = client(served).crm.contacts.basic_api
    winner = api.get_by_id("111", properties=["hs_merged_object_ids"])
    assert (winner.id, winner.properties["hs_merged_object_ids"]) == ("113", "111;112")


def test_batch_read_finds_records_by_id_and_by_a_property_of_their_own(served: Served) -> None:
    api = client(served).crm.contacts.batch_api
    inputs = [{"id": "101"}, {"id": "102"}, {"id": "999999"}]
    asked = BatchReadInputSimplePublicObjectId(
        inputs=inputs, properties=["email"], properties_with_history=["lifecyclestage"]
    )
    answer = api.read(asked)
    assert [one.id for one in answer.results] == ["101", "102"]
    assert answer.num_errors == 1
    by_mail = BatchReadInputSimplePublicObjectId(
        inputs=[{"id": "taro5@yamada.example"}], properties=["email"], properties_with_history=[], id_property="email"
    )
    assert [one.id for one in api.read(by_mail).results] == ["106"]


def test_search_filters_sorts_and_pages(served: Served) -> None:
    api = client(served).crm.contacts.search_api
    newer = {"propertyName": "hs_object_id", "operator": "GT", "value": "200"}
    asked = PublicObjectSearchRequest(filter_groups=[{"filters": [newer]}], sorts=["-hs_object_id"], limit=100)
    page = api.do_search(asked)
    assert page.total == 160
    assert [one.id for one in page.results[:2]] == ["360", "359"]
    asked.after = page.paging.next.after
    following = api.do_search(asked)
    assert following.results[0].id == "260" and following.paging is None


def test_associations_carry_hubspots_types_and_the_companys_labels(served: Served) -> None:
    api = client(served).crm.associations.v4
    asked = BatchInputPublicFetchAssociationsBatchRequest(inputs=[{"id": "9001"}, {"id": "9000"}])
    answer = api.batch_api.get_page("deals", "contacts", asked)
    labels = {one._from.id: [kind.label for to in one.to for kind in to.association_types] for one in answer.results}
    assert labels == {"9001": [None, "Decision Maker"], "9000": [None, "Primary"]}
    companies = api.basic_api.get_page("contacts", "101", "companies", limit=1)
    assert companies.results[0].association_types[0].type_id == 1  # contact with primary company
    assert (
        api.basic_api.get_page("contacts", "101", "companies", limit=1, after=companies.paging.next.after).paging
        is None
    )


def test_the_number_of_associated_pairs_is_as_the_sandbox_says(served: Served) -> None:
    api = client(served).crm.associations.v4.batch_api
    ids = [one.id for one in client(served).crm.contacts.get_all()]
    pairs = 0
    for start in range(0, len(ids), 100):
        inputs = [{"id": one} for one in ids[start : start + 100]]
        asked = BatchInputPublicFetchAssociationsBatchRequest(inputs=inputs)
        pairs += sum(len(one.to) for one in api.get_page("contacts", "companies", asked).results)
    assert pairs == served.line["expected"]["hubspot_associations"]["contacts>companies"]


def test_pipelines_properties_owners_and_forms_come_in_the_clients_own_models(served: Served) -> None:
    api = client(served)
    stages = api.crm.pipelines.pipelines_api.get_all("deals").results[0].stages
    assert stages[0].id == "appointmentscheduled"
    assert stages[-2].metadata == {"isClosed": "true", "probability": "1.0"}
    properties = {one.name: one for one in api.crm.properties.core_api.get_all("contacts").results}
    assert properties["lastmodifieddate"].type == "datetime"
    assert properties["first_name_kana"].hubspot_defined is False
    deactivated = api.crm.owners.owners_api.get_page(archived=True).results
    assert [one.id for one in deactivated] == ["73"] and deactivated[0].user_id is None
    assert [form.name for form in api.marketing.forms.forms_api.get_page().results] == ["Contact us", "資料請求"]


def test_paths_with_a_date_for_a_version_give_the_same_answers(served: Served) -> None:
    here = served.line["hubspot"]
    headers = {"Authorization": f"Bearer {here['token']}"}
    for dated, plain in (
        ("/crm/objects/2026-03/contacts", "/crm/v3/objects/contacts"),
        ("/crm/owners/2026-03", "/crm/v3/owners"),
        ("/marketing/forms/2026-03/", "/marketing/v3/forms"),
    ):
        got = [requests.get(here["base_url"] + path, headers=headers, timeout=10) for path in (dated, plain)]
        assert got[0].status_code == 200 and got[0].json() == got[1].json()


def test_a_wrong_token_is_refused_in_the_vendors_words(served: Served) -> None:
    api = hubspot.Client.create(access_token="pat-na1-wrong", host=served.line["hubspot"]["base_url"])
    with pytest.raises(ApiException) as refusal:
        api.crm.contacts.basic_api.get_page()
    assert refusal.value.status == 401
    assert '"category":"INVALID_AUTHENTICATION"' in refusal.value.body


def test_a_portals_token_does_not_open_the_other_portal(served: Served) -> None:
    api = hubspot.Client.create(
        access_token=served.line["hubspot"]["token"], host=served.line["hubspot_emea"]["base_url"]
    )
    with pytest.raises(ApiException) as refusal:
        api.crm.contacts.basic_api.get_page()
    assert refusal.value.status == 401
