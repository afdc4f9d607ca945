"""Writes the tools' users, roles, products and campaigns. Decides nothing about the truth."""

from __future__ import annotations

from sources.demo.book import Book
from sources.demo.hours import DAY, JAPAN, START
from sources.demo.rows import Record
from sources.demo.staff import EUR_RATE, ORGANISATION, PRODUCTS
from sources.demo.truth_types import User

SEATS = {  # whose people have a seat in which tool
    "salesforce": ("jp", "inside", "marketing"),
    "hubspot": ("jp", "inside", "marketing", "online"),
    "hubspot_emea": ("emea",),
    "esales": ("west",),
    "kintone": ("west", "jp"),
}
USER_OBJECT = {
    "salesforce": "User", "hubspot": "owners", "hubspot_emea": "owners", "esales": "employee", "kintone": "users",
}  # fmt: skip
_ROLE_OBJECT = {"salesforce": "UserRole", "hubspot": "teams", "hubspot_emea": "teams"}


def write_staff(book: Book) -> None:
    for instance, divisions in SEATS.items():
        roles = _roles(book, instance, divisions)
        people = [(index, user) for index, user in enumerate(book.world.users) if user.division in divisions]
        book.fallback_user[instance] = ""
        records = [(index, user, _user(book, instance, user, roles)) for index, user in people]
        for index, _, record in records:
            book.users[instance, index] = record.source_id
            book.fallback_user[instance] = book.fallback_user[instance] or record.source_id
        for _, user, record in records:
            manager = book.users.get((instance, user.manager)) if user.manager is not None else None
            record.change(user.joined, manager_source_id=manager)
    _products(book)
    _campaigns(book)


def _roles(book: Book, instance: str, divisions: tuple[str, ...]) -> dict[str, str]:
    """Role ids by team and department; esales has none."""
    found: dict[str, str] = {}
    kind = _ROLE_OBJECT.get(instance)
    if kind is None:
        return found
    top = book.record("role_versions", instance, kind, "role-company", START, {"name": "Hikari Works"})
    for division in divisions:
        department, teams, _ = ORGANISATION[division]
        head = book.record(
            "role_versions", instance, kind, f"role-{division}", START,
            {"name": department, "parent_source_id": top.source_id},
        )  # fmt: skip
        found[department] = head.source_id
        for place, team in enumerate(teams):
            role = book.record(
                "role_versions", instance, kind, f"role-{division}-{place}", START,
                {"name": team, "parent_source_id": head.source_id},
            )  # fmt: skip
            found[team] = role.source_id
    return found


def _user(book: Book, instance: str, user: User, roles: dict[str, str]) -> Record:
    western = user.name.family_kana is None
    fields = {
        "name": f"{user.name.given} {user.name.family}" if western else f"{user.name.family} {user.name.given}",
        "family_name": user.name.family,
        "given_name": user.name.given,
        "email": user.email,
        "team": user.team,
        "department": user.department,
        "job_title": user.title,
        "is_active": True,
        "role_source_id": roles.get(user.department if user.role == "head" else user.team),
    }
    kind = USER_OBJECT[instance]
    # kintone's records name a user by the login name.
    source_id = user.email.split("@")[0] if instance == "kintone" else book.ids.next(instance, kind)
    record = book.log.add(Record("user_versions", instance, kind, source_id, user.entity_id, user.joined, **fields))
    for at, team, department in user.moves:
        record.change(at, team=team, department=department, role_source_id=roles.get(team))
    if user.left is not None:
        record.change(user.left, is_active=False)
    return record


def _products(book: Book) -> None:
    kinds = {"salesforce": "Product2", "hubspot": "products", "hubspot_emea": "products", "kintone": "products"}
    for instance, kind in kinds.items():
        euro = instance == "hubspot_emea"
        for index, product in enumerate(PRODUCTS):
            record = book.record(
                "product_versions",
                instance,
                kind,
                f"product-{product.code}",
                START,
                {
                    "name": product.name,
                    "code": product.code,
                    "family": product.family,
                    "list_price": round(product.price / EUR_RATE, 2) if euro else product.price,
                    "currency": "EUR" if euro else "JPY",
                    "is_recurring": product.is_recurring,
                    "margin_rate": product.margin,
                    "is_active": True,
                },
            )
            book.products[instance, index] = record.source_id


def _campaigns(book: Book) -> None:
    for campaign in book.world.campaigns:
        opened, closing = (campaign.start - 14) * DAY + 3 * 3_600, (campaign.end + 5) * DAY - JAPAN + 36_000
        parent = None if campaign.parent is None else book.campaigns[campaign.parent]
        record = book.record(
            "campaign_versions",
            "salesforce",
            "Campaign",
            campaign.entity_id,
            opened,
            {
                "name": campaign.name,
                "campaign_type": campaign.kind,
                "channel": campaign.channel,
                "status": "Planned",
                "start_date": campaign.start,
                "end_date": campaign.end,
                "budget": campaign.budget,
                "actual_cost": 0.0,
                "parent_source_id": parent,
            },
        )
        record.change(campaign.start * DAY + 1_800, status="In Progress")
        record.change(closing, status="Completed", actual_cost=round(campaign.budget * 0.93, -2))
        book.campaigns.append(record.source_id)
