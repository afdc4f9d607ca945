"""The company's own people, teams, products and campaigns, and its targets. Truth only; no tool's copies."""

from __future__ import annotations

from random import Random

from sources.demo.distributions import LIFTS, SCALES
from sources.demo.hours import DAY, FIRST_NOW, HOUR, START, add_months, at_work, date_of, day_of, month_end
from sources.demo.names import ascii_of, japanese_person, western_person
from sources.demo.truth_types import Campaign, Product, User

# division: (department, teams, share of the users)
ORGANISATION: dict[str, tuple[str, tuple[str, ...], float]] = {
    "jp": ("Enterprise Sales", ("第一営業部", "第二営業部", "Key Accounts"), 0.42),
    "inside": ("Inside Sales", ("インサイドセールス",), 0.12),
    "marketing": ("Marketing", ("Demand Generation",), 0.1),
    "online": ("Online Sales", ("Online",), 0.1),
    "emea": ("EMEA", ("EMEA North", "EMEA South"), 0.12),
    "west": ("西日本営業本部", ("関西営業部", "九州営業部"), 0.14),
}
COMPANY_DOMAIN = "hikari-works.example"
PRODUCTS: tuple[Product, ...] = (
    Product("HK-PL-S", "Hikari Platform Standard", "Platform", 60_000.0, True, 0.78),
    Product("HK-PL-E", "Hikari Platform Enterprise", "Platform", 150_000.0, True, 0.8),
    Product("HK-AN-1", "Hikari Analytics", "Analytics", 45_000.0, True, 0.75),
    Product("HK-AN-2", "需要予測オプション", "Analytics", 80_000.0, True, 0.72),
    Product("HK-IO-1", "Hikari Gateway", "Devices", 98_000.0, False, 0.35),
    Product("HK-IO-2", "現場センサーキット", "Devices", 24_000.0, False, 0.32),
    Product("HK-SV-1", "導入支援サービス", "Services", 300_000.0, False, 0.4),
    Product("HK-SV-2", "Training Course", "Services", 120_000.0, False, 0.45),
    Product("HK-SP-1", "プレミアムサポート", "Support", 35_000.0, True, 0.6),
)
EUR_RATE = 160.0
_CAMPAIGNS: tuple[tuple[str, str, str, str | None, float], ...] = (
    ("検索広告", "Advertisement", "paid_search", "Paid Search", 1_800_000.0),
    ("製造DXセミナー", "Webinar", "seminar", "Seminar", 600_000.0),
    ("Hikari News", "Email", "newsletter", "Newsletter", 150_000.0),
    ("展示会 Factory Next", "Trade Show", "trade_show", "Trade Show", 4_200_000.0),
    ("資料ダウンロード", "Content", "website", "Web", 300_000.0),
    ("紹介キャンペーン", "Referral Program", "referral", "Referral", 200_000.0),
)


def make_users(seed: int, scale: str) -> list[User]:
    rng = Random(f"{seed}:users")
    total = SCALES[scale]["users"]
    users: list[User] = []
    mails: set[str] = set()
    for division, (department, teams, share) in ORGANISATION.items():
        head = len(users)
        for place in range(max(3, round(total * share))):
            team = teams[place % len(teams)]
            role = "head" if place == 0 else "manager" if place <= len(teams) else "rep"
            manager = None if role == "head" else head if role == "manager" else head + 1 + place % len(teams)
            user = _user(rng, mails, len(users), division, department, team, role, manager)
            users.append(user)
    _careers(rng, users)
    return users


def _user(
    rng: Random, mails: set[str], index: int, division: str, department: str, team: str, role: str, manager: int | None
) -> User:
    name = western_person(rng) if division == "emea" else japanese_person(rng)
    mail = f"{ascii_of(name.latin[0])}.{ascii_of(name.latin[1])}"
    while mail in mails:
        mail += str(rng.randrange(2, 10))
    mails.add(mail)
    title = {"head": "本部長", "manager": "部長", "rep": "営業担当"}[role]
    if division == "emea":
        title = {"head": "Managing Director", "manager": "Sales Manager", "rep": "Account Executive"}[role]
    return User(
        entity_id=f"user-{index:05d}",
        name=name,
        email=f"{mail}@{COMPANY_DOMAIN}",
        division=division,
        role=role,
        team=team,
        department=department,
        title=title,
        manager=manager,
        skill=rng.gauss(0.0, LIFTS["owner_skill_sigma"]),
        joined=START + HOUR + index * 60,  # managers stand before those they lead
    )


def _careers(rng: Random, users: list[User]) -> None:
    """Some reps change team, some leave; the heads and managers stay."""
    for user in users:
        if user.role != "rep":
            continue
        teams = ORGANISATION[user.division][1]
        if len(teams) > 1 and rng.random() < 0.4:
            day = add_months(day_of(START), rng.choice((5, 11, 17, 23, 29, 35, 41)))  # April and October
            team = rng.choice([name for name in teams if name != user.team])
            user.moves.append((at_work(rng, day), team, user.department))
        elif rng.random() < 0.35:
            user.left = at_work(rng, day_of(START) + rng.randrange(200, 1_200))


def owner_at(users: list[User], owner: int, at: int) -> int:
    """The user, or the manager who took over when the user left."""
    user = users[owner]
    return owner if user.left is None or at < user.left or user.manager is None else user.manager


def team_at(user: User, at: int) -> str:
    return next((team for since, team, _ in reversed(user.moves) if since <= at), user.team)


def sellers(users: list[User], division: str) -> list[int]:
    found = [index for index, user in enumerate(users) if user.division == division and user.role == "rep"]
    return found or [index for index, user in enumerate(users) if user.division == division]


def make_campaigns(seed: int, scale: str) -> list[Campaign]:
    """A parent per kind and fiscal half, children below; sorted by start."""
    rng = Random(f"{seed}:campaigns")
    total = SCALES[scale]["campaigns"]
    halves = range(0, 44, 6)
    campaigns: list[Campaign] = []
    per_kind = max(1, round(total / (len(_CAMPAIGNS) * 6)))
    for months in halves:
        first = add_months(day_of(START), months)
        for kind in _CAMPAIGNS:
            _campaigns_of(rng, campaigns, kind, first, per_kind)
    return campaigns


def _campaigns_of(
    rng: Random, campaigns: list[Campaign], kind: tuple[str, str, str, str | None, float], first: int, count: int
) -> None:
    name, campaign_type, channel, source, budget = kind
    label = f"{date_of(first).year}{'上期' if 4 <= date_of(first).month <= 9 else '下期'}"
    parent: int | None = None
    for number in range(count + (1 if count > 1 else 0)):
        start = first if number == 0 else first + rng.randrange(5, 120)
        index = len(campaigns)
        campaigns.append(
            Campaign(
                entity_id=f"campaign-{index:05d}",
                name=f"{label} {name}" if number == 0 else f"{label} {name} #{number}",
                kind=campaign_type,
                channel=channel,
                start=start,
                end=month_end(add_months(first, 5)) if number == 0 else start + 45,
                budget=round(budget * rng.uniform(0.6, 1.4), -3),
                parent=parent,
                source=source,
            )
        )
        parent = index if parent is None else parent


def make_targets(seed: int, users: list[User], scale: str) -> list[dict[str, object]]:
    """A month per selling user, four fiscal years; raised a little each year, higher in March."""
    rng = Random(f"{seed}:targets")
    deals = SCALES[scale]["deals"]
    rows: list[dict[str, object]] = []
    reps = [user for user in users if user.role == "rep" and user.division in ("jp", "online", "emea", "west")]
    base = deals * 420_000.0 / len(reps) / 36
    for months in range(42):
        month = add_months(day_of(START), months)
        at = month * DAY
        for user in reps:
            if at >= FIRST_NOW + 200 * DAY or (user.left is not None and user.left < at):
                continue
            amount = base * (1 + months / 60) * (1.6 if date_of(month).month == 3 else 1.0) * rng.uniform(0.9, 1.1)
            euro = user.division == "emea"
            rows.append(
                {
                    "period_start": month,
                    "team": team_at(user, at),
                    "owner_email": user.email,
                    "amount": round(amount / EUR_RATE, -1) if euro else round(amount, -4),
                    "currency": "EUR" if euro else "JPY",
                }
            )
    return rows
