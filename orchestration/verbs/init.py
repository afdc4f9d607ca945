"""`tsunagu init`: write a home that a person then fills in. It never overwrites what is there."""

from __future__ import annotations

from collections.abc import Sequence

from orchestration.settings import HOME_FILE, Settings, SettingsError


def write_home(vendor_names: Sequence[str]) -> int:
    """Make the home's folders, `tsunagu.toml` and `.dlt/secrets.toml` with a place for each secret. Returns 0."""
    from sources.stream import Vendor, load_vendor, vendors

    settings = Settings.load()
    where = settings.home / HOME_FILE
    known = vendors()
    unknown = [name for name in vendor_names if name not in known]
    if unknown:
        raise SettingsError(f"no such vendor: {', '.join(unknown)} (known: {', '.join(known)})")
    if where.exists():
        raise SettingsError(f"{where} is there already; add an [instances.NAME] table to it by hand")
    chosen: list[Vendor] = [load_vendor(name) for name in vendor_names]
    settings.make_folders()
    where.write_text(_settings_text(chosen), encoding="utf-8")
    if not settings.secrets_path.exists():
        settings.secrets_path.touch(mode=0o600)
        settings.secrets_path.write_text(_secrets_text(chosen), encoding="utf-8")
    print(f"wrote {where}\nwrote {settings.secrets_path} (mode 0600)")
    for vendor in chosen:
        print(f"  {vendor.label}: how to set it up: sources/{vendor.name}/README.md")
    print("Fill both files in, then run: tsunagu doctor")
    return 0


def _settings_text(chosen: Sequence[object]) -> str:
    from sources.stream import Vendor

    lines = [
        "# One company's settings. Secrets go into .dlt/secrets.toml beside it, or into the environment.",
        'company = ""',
        'timezone = "Asia/Tokyo"',
        'reporting_currency = "JPY"',
        "fiscal_year_start_month = 4",
    ]
    for vendor in chosen:
        assert isinstance(vendor, Vendor)
        lines += ["", f"# {vendor.label}", f"[instances.{vendor.name}]", f'vendor = "{vendor.name}"']
        for param in vendor.params:
            if not param.secret:
                mark = "" if param.required and param.default is None else "# "
                lines.append(f'{mark}{param.name} = "{param.default or ""}"  # {param.help}')
    return "\n".join(lines) + "\n"


def _secrets_text(chosen: Sequence[object]) -> str:
    from sources.stream import Vendor

    lines = ["# Secrets of each instance. Keep this file at mode 0600."]
    for vendor in chosen:
        assert isinstance(vendor, Vendor)
        secrets = [param for param in vendor.params if param.secret]
        if secrets:
            lines += ["", f"[sources.{vendor.name}]"]
            lines += [f'{"" if p.required else "# "}{p.name} = ""  # {p.help}' for p in secrets]
    return "\n".join(lines) + "\n"
