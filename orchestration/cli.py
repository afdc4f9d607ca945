"""The verbs of `tsunagu`: thin. What changes data runs as a Dagster job, recorded in the home's instance.

Errors become one paragraph on stderr and an exit code; the traceback goes to the home's log. Heavy libraries are
imported by the verb that needs them, so that `--help` answers at once.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from orchestration.outcome import OTHER, Outcome
from orchestration.settings import Settings, SettingsError
from orchestration.verbs import exits

Verb = Callable[[argparse.Namespace], int]
SCALES = ("small", "medium", "large")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return its exit code (0 done, 1 other, 2 usage, 3 credentials, 4 partial, 5 gate, 6 held)."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.verb(arguments))
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return OTHER
    except Exception as error:  # noqa: BLE001  the last place where an error can become a sentence
        return exits.explain(error, _log_folder(arguments))


def _log_folder(arguments: argparse.Namespace) -> Path | None:
    try:
        home = _demo_home() if arguments.command in {"demo"} else None
        return Settings.load(home).logs_dir
    except SettingsError:
        return None


def _demo_home() -> Path:
    from orchestration.verbs.demo import demo_home

    return demo_home()


# --- verbs ------------------------------------------------------------------------------------------------------------
def demo(arguments: argparse.Namespace) -> int:
    from orchestration.verbs.demo import run_demo

    return run_demo(
        seed=arguments.seed,
        scale=arguments.scale,
        port=arguments.port,
        advance=arguments.advance,
        keep_serving=arguments.keep_serving,
    )


def init(arguments: argparse.Namespace) -> int:
    if arguments.vendors == ["maps"]:
        from orchestration.verbs.init_maps import write_maps

        return write_maps()
    from orchestration.verbs.init import write_home

    return write_home(arguments.vendors)


def doctor(arguments: argparse.Namespace) -> int:
    from orchestration.verbs.doctor import examine

    return examine(Settings.load(), arguments.source)


def dev(arguments: argparse.Namespace) -> int:
    from orchestration.headless import serve_dagster

    return serve_dagster(Settings.load(), arguments.port)


def run(arguments: argparse.Namespace) -> int:
    from orchestration.headless import refresh
    from orchestration.verbs.progress import Progress

    settings = Settings.load()
    with Progress() as progress:
        outcome = refresh(settings, arguments.source or None, progress.journal)
    return _end(settings, outcome)


def backfill(arguments: argparse.Namespace) -> int:
    from orchestration.headless import backfill as read_again
    from orchestration.verbs.progress import Progress

    settings = Settings.load()
    with Progress() as progress:
        outcome = read_again(
            settings, arguments.instance, arguments.start, arguments.end, arguments.streams or None, progress.journal
        )
    return _end(settings, outcome)


def publish(arguments: argparse.Namespace) -> int:
    from orchestration.headless import rebuild
    from orchestration.verbs.progress import Progress

    settings = Settings.load()
    with Progress() as progress:
        outcome = rebuild(settings, progress.journal, full_refresh=arguments.full_refresh)
    return _end(settings, outcome)


def _end(settings: Settings, outcome: Outcome) -> int:
    from orchestration.verbs import findings

    code = exits.explain_outcome(outcome, settings.logs_dir)
    findings.say(settings, outcome)
    return code


def explain(arguments: argparse.Namespace) -> int:
    from orchestration.verbs.explain import explain_entity

    return explain_entity(Settings.load(), arguments.what)


def sandbox(arguments: argparse.Namespace) -> int:
    from orchestration.verbs.demo import serve_sandbox

    return serve_sandbox(arguments)


class _Version(argparse.Action):
    """argparse's own action wants the text before anyone asks; the metadata is read only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"tsunagu {version('tsunagu')}")
        parser.exit()


# --- arguments --------------------------------------------------------------------------------------------------------
def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tsunagu",
        description="One trusted Customer 360 and one funnel from CRM, SFA and MA tools, in DuckDB.",
        epilog="The home is TSUNAGU_HOME (default ~/.tsunagu). Start with: tsunagu demo",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="the version of tsunagu, and end")
    verbs = parser.add_subparsers(dest="command", required=True, metavar="VERB")
    _add_demo(verbs)
    verb = _verb(verbs, "init", init, "write a home: tsunagu.toml, an empty secrets file, folders; or its maps")
    verb.add_argument(
        "vendors",
        nargs="*",
        metavar="VENDOR",
        help="tools to connect, e.g. salesforce hubspot esales; or the word maps, for maps/*.csv with the words of the data",
    )
    verb = _verb(verbs, "doctor", doctor, "test each credential, scope and limit, and say what to do")
    verb.add_argument("--source", action="append", metavar="INSTANCE", help="only this instance (repeatable)")
    verb = _verb(verbs, "dev", dev, "Dagster's web interface on this home: assets, schedules, runs")
    verb.add_argument("--port", type=int, default=3000)
    verb = _verb(verbs, "run", run, "extract, build, check and publish once")
    verb.add_argument("--source", action="append", metavar="INSTANCE", help="extract only this instance (repeatable)")
    _add_backfill(verbs)
    verb = _verb(verbs, "publish", publish, "build the models from what is loaded and publish, without extracting")
    verb.add_argument("--full-refresh", action="store_true", help="rebuild every model from the raw log")
    verb = _verb(verbs, "explain", explain, "which records an account or person is made of, and why")
    verb.add_argument("what", metavar="ID_OR_TEXT", help="an account_id or person_id, a name, a domain or an e-mail")
    _add_sandbox(verbs)
    return parser


def _verb(
    verbs: argparse._SubParsersAction[argparse.ArgumentParser],  # pyright: ignore[reportPrivateUsage]
    name: str,
    verb: Verb,
    help_text: str,
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=help_text, description=help_text)
    parser.set_defaults(verb=verb)
    return parser


def _add_demo(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    verb = _verb(verbs, "demo", demo, "a made-up company's tools, read, unified and published in a minute")
    verb.add_argument("--seed", type=int, default=None, help="which company (default 7)")
    verb.add_argument("--scale", choices=SCALES, default=None, help="its size (default small)")
    verb.add_argument("--port", type=int, default=0, help="first port of the sandbox (default: any free one)")
    verb.add_argument("--advance", type=_days, default=0, metavar="DAYS", help="let the company live on, then refresh")
    verb.add_argument("--keep-serving", action="store_true", help="leave the company's tools running until Ctrl-C")


def _add_backfill(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    verb = _verb(verbs, "backfill", backfill, "read a past window of one instance again; forward state is untouched")
    verb.add_argument("instance", metavar="INSTANCE")
    verb.add_argument("--start", type=_instant, required=True, metavar="TIME", help="ISO date or time, inclusive")
    verb.add_argument("--end", type=_instant, required=True, metavar="TIME", help="ISO date or time, exclusive")
    verb.add_argument("--streams", nargs="+", metavar="STREAM", help="only these streams")


def _add_sandbox(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:  # pyright: ignore[reportPrivateUsage]
    verb = _verb(verbs, "sandbox", sandbox, "serve the made-up company's tools on loopback until stopped")
    verb.add_argument("--seed", type=int, default=7)
    verb.add_argument("--scale", choices=SCALES, default="small")
    verb.add_argument("--port", type=int, default=0)
    verb.add_argument("--days", type=_days, default=0, help="start this many days later in the company's life")
    verb.add_argument("--folder", type=Path, default=None, help="where file drops and the truth are written")
    verb.add_argument("--json", action="store_true", help="print addresses, credentials and counts as one JSON line")
    verb.add_argument("--token-life", type=float, default=7200.0, metavar="SECONDS")
    verb.add_argument("--rate-limit", action="store_true", help="answer 429 as the vendors do")
    verb.add_argument("--chaos", default=None, metavar="PROFILE", help="misbehave, the same way for the same seed")
    verb.add_argument("--until-stdin-closes", action="store_true", help=argparse.SUPPRESS)


def _days(text: str) -> int:
    days = int(text)
    if not 0 <= days <= 180:
        raise argparse.ArgumentTypeError(f"{text} is not a number of days from 0 to 180")
    return days


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an ISO date or time such as 2026-04-01") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


if __name__ == "__main__":
    sys.exit(main())
