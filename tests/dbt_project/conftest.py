"""The marts of two random companies, built once for all the modules that look at them."""

from __future__ import annotations

import pytest

from tests.dbt_project.marts_fixture import Marts, copy, template
from tests.dbt_project.random_company import AS_OF, BUDGET, DAILY_RATE, Company, make
from tests.dbt_project.random_parts import MAPPED_FAMILY


@pytest.fixture(scope="session")
def empty_marts(tmp_path_factory: pytest.TempPathFactory) -> Marts:
    return template(tmp_path_factory.mktemp("marts") / "empty")


@pytest.fixture(scope="session", params=[1, pytest.param(2, marks=pytest.mark.soak)])
def random_built(
    request: pytest.FixtureRequest, empty_marts: Marts, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Company, Marts]:
    company = make(request.param)
    marts = copy(empty_marts, tmp_path_factory.mktemp("company") / "home")
    marts.execute(
        "delete from maps.budget_rates",
        *(f"insert into maps.budget_rates values ({year}, 'USD', 'JPY', {rate})" for year, rate in BUDGET.items()),
        "delete from canonical.canonical_fx_rate",
        f"""insert into canonical.canonical_fx_rate by name
            select date '2020-01-01' as rate_date, 'USD' as from_currency, 'JPY' as to_currency, {DAILY_RATE} as rate""",
        f"insert into maps.product_map values ('*', 'bare', '{MAPPED_FAMILY}', 0.4, null)",
    )
    marts.fill(company.canonical, str(AS_OF))
    failed = [name for name, status in marts.build().items() if status == "fail"]
    assert not failed, failed
    return company, marts
