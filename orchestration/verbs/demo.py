"""`tsunagu demo` and `tsunagu sandbox`: a made-up company's tools on loopback, and the main job over them.

The company lives in its own home, never in one with real sources. Its tools are served by a child process that ends
with this one; what stays is the home: the company's seed, scale and day, so that `--advance` continues the same life.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from orchestration.settings import CHECKOUT, HOME_FILE, Settings, SettingsError

STATE_FILE = "demo.json"
DEFAULT_SEED, DEFAULT_SCALE = 7, "small"
NAME = "Tsunagu demo company"


@dataclass(frozen=True)
class Life:
    """Which company a demo home holds, and how many days it has lived since its first demo."""

    seed: int
    scale: str
    days: int = 0


def demo_home() -> Path:
    return Path(os.environ.get("TSUNAGU_HOME") or Path.home() / ".tsunagu-demo").expanduser().resolve()


def run_demo(seed: int | None, scale: str | None, port: int, advance: int, keep_serving: bool) -> int:
    """The main job over the made-up company, then a summary in plain language. Returns the exit code."""
    from orchestration.headless import refresh
    from orchestration.verbs.exits import explain_outcome
    from orchestration.verbs.progress import Progress
    from orchestration.verbs.summary import print_summary

    started = time.perf_counter()
    home = demo_home()
    life = next_life(home, seed, scale, advance)
    with Progress() as progress:
        with progress.journal.step("made-up company") as step:
            served = Sandbox.start(life, port, home)
            step.note = f"seed {life.seed}, {life.scale}, {served.company_now:%Y-%m-%d}"
        try:
            settings = write_home(home, life, served)
            outcome = refresh(settings, None, progress.journal, clock=lambda: served.company_now)
            requests = served.requests()
        except BaseException:
            served.stop()
            raise
    if outcome.journal.publish is not None:
        print_summary(settings, outcome, requests, time.perf_counter() - started)
    code = explain_outcome(outcome, settings.logs_dir)
    if keep_serving:
        print(json.dumps(served.line, ensure_ascii=False), flush=True)
        served.wait()
    served.stop()
    return code


def next_life(home: Path, seed: int | None, scale: str | None, advance: int) -> Life:
    """The company to serve: the home's own, `advance` days later, or a new one.

    Raises SettingsError for a home with real sources, or with another company than the one asked for.
    """
    if (home / HOME_FILE).exists() and not Settings.load(home).is_demo:
        raise SettingsError(
            f"{home} has real sources ({HOME_FILE}): the demo would mix with them. Give TSUNAGU_HOME another folder"
        )
    state = home / STATE_FILE
    if not state.exists():
        return Life(DEFAULT_SEED if seed is None else seed, scale or DEFAULT_SCALE, advance)
    kept = json.loads(state.read_text(encoding="utf-8"))
    life = Life(int(kept["seed"]), str(kept["scale"]), int(kept["days"]))
    if (seed is not None and seed != life.seed) or (scale is not None and scale != life.scale):
        raise SettingsError(
            f"{home} holds the company of seed {life.seed}, {life.scale}. Remove the folder, or give TSUNAGU_HOME another one"
        )
    return Life(life.seed, life.scale, life.days + advance)


def write_home(home: Path, life: Life, served: Sandbox) -> Settings:
    """Write the settings and secrets of the served tools; secrets are readable by the owner only.

    Which setting is a secret is the vendor's word (`Param.secret`).
    """
    from sources.stream import load_vendor

    lines = [f'company = "{NAME}"', "demo = true"]
    lines += ["# What counts as now here: the company's time goes on with `tsunagu demo --advance DAYS` only."]
    lines += [f"clock = {served.company_now.isoformat()}"]
    secrets: list[str] = []
    for instance, (vendor, options) in served.instances().items():
        secret_names = {param.name for param in load_vendor(vendor).params if param.secret}
        lines += ["", f"[instances.{instance}]", f'vendor = "{vendor}"']
        lines += [f"{key} = {_toml(value)}" for key, value in options.items() if key not in secret_names]
        if "base_url" in options:  # the ports change from demo to demo, a record's address must not
            lines.append(f'web_url = "https://{instance.replace("_", "-")}.tsunagu-demo.example"')
        hidden = {key: value for key, value in options.items() if key in secret_names}
        if hidden:
            secrets += [f"[sources.{instance}]", *(f"{key} = {_toml(value)}" for key, value in hidden.items()), ""]
    home.mkdir(parents=True, exist_ok=True)
    _write(home / HOME_FILE, "\n".join(lines) + "\n")
    settings = Settings.load(home)
    settings.secrets_path.parent.mkdir(parents=True, exist_ok=True)
    _write(settings.secrets_path, "\n".join(secrets))
    _write(home / STATE_FILE, json.dumps({**asdict(life), "now": served.company_now.isoformat()}))
    return settings


def _toml(value: Any) -> str:
    """A value as TOML; a table in one line."""
    if isinstance(value, Mapping):
        table = cast("Mapping[str, Any]", value)
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(part)}" for key, part in table.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _write(path: Path, text: str) -> None:
    """Whole or not at all, so that a demo that is killed leaves a home which the next one reads; for the owner only."""
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.touch(mode=0o600)
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)


class Sandbox:
    """The served tools: a child process, and the line it printed."""

    def __init__(self, child: subprocess.Popen[str], line: dict[str, Any]) -> None:
        self.child = child
        self.line = line

    @property
    def company_now(self) -> datetime:
        return datetime.fromisoformat(self.line["company_now"])

    @staticmethod
    def start(life: Life, port: int, home: Path) -> Sandbox:
        """Serve the company in a child process that ends when this process does."""
        folder = home / "sandbox"
        folder.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "orchestration.cli", "sandbox", "--json", "--until-stdin-closes"]
        command += ["--seed", str(life.seed), "--scale", life.scale, "--days", str(life.days)]
        command += ["--port", str(port), "--folder", str(folder)]
        log = (folder / "sandbox.log").open("w", encoding="utf-8")
        child = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            encoding="utf-8",
        )
        log.close()
        assert child.stdout is not None
        first = child.stdout.readline()
        if not first:
            child.wait()
            raise RuntimeError(f"the sandbox did not start; it said: {(folder / 'sandbox.log').read_text()[-400:]}")
        return Sandbox(child, json.loads(first))

    def instances(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """instance -> (vendor, its settings) of the company's own tools, from the JSON line."""
        from sources.stream import load_vendor, vendors

        known = sorted(vendors(), key=len, reverse=True)
        parts: dict[str, Any] = {**self.line, **self.line.get("files", {})}
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for name, part in parts.items():
            vendor = next((v for v in known if name == v or name.startswith(f"{v}_")), None)
            if name in self.line.get("apart", ()):
                continue
            if vendor and isinstance(part, Mapping) and ("base_url" in part or "folder" in part):
                wanted = [param.name for param in load_vendor(vendor).params]
                found[name] = (vendor, {k: part[k] for k in wanted if k in part})
        return found

    def requests(self) -> dict[str, int]:
        """Requests served so far, by instance."""
        import requests

        return requests.get(f"{self.line['control']['base_url']}/_requests", timeout=10).json()

    def wait(self) -> None:
        """Serve until Ctrl-C or SIGTERM."""
        import signal

        for number in (signal.SIGINT, signal.SIGTERM):  # ignored, both, when a shell started this in the background
            signal.signal(number, signal.default_int_handler)
        try:
            self.child.wait()
        except KeyboardInterrupt:
            return

    def stop(self) -> None:
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()


def serve_sandbox(arguments: argparse.Namespace) -> int:
    """`tsunagu sandbox`: serve until stopped. One JSON line on stdout says where everything is."""
    from sources.demo.company import build
    from sources.demo.server import serve

    company = build(arguments.seed, arguments.scale)
    if arguments.days:
        company.advance(arguments.days)
    with _folder(arguments.folder) as folder:
        running = serve(
            company,
            port=arguments.port,
            folder=folder,
            token_life_seconds=arguments.token_life,
            rate_limit=arguments.rate_limit,
            chaos=arguments.chaos,
        )
        with running:
            line = running.line()
            print(json.dumps(line, ensure_ascii=False) if arguments.json else _in_words(line), flush=True)
            _until_stopped(arguments.until_stdin_closes)
    return 0


@contextmanager
def _folder(given: Path | None) -> Generator[Path]:
    import tempfile

    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="tsunagu-sandbox-") as place:
        yield Path(place)


def _in_words(line: Mapping[str, Any]) -> str:
    places = [
        f"  {name:<14} {part['base_url']}"
        for name, part in line.items()
        if isinstance(part, dict) and "base_url" in part
    ]
    return "\n".join(["Serving until Ctrl-C (credentials: --json):", *places, f"  truth          {line.get('truth')}"])


def _until_stopped(until_stdin_closes: bool) -> None:
    import signal

    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, lambda *_: stop.set())
    if until_stdin_closes:
        threading.Thread(target=lambda: (sys.stdin.read(), stop.set()), daemon=True).start()
    stop.wait()
