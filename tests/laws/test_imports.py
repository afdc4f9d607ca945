"""Laws 3 and 9: importing does nothing, and the arrows between rooms run one way."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {
    "sources": {"dagster", "dagster_dlt", "dagster_dbt", "dbt", "orchestration", "dbt_project"},
    "dbt_project": {"dagster", "dagster_dlt", "dagster_dbt", "orchestration", "sources"},
}
PRODUCT_NEVER_READS = {"sources.demo"}
"""Nothing that reads a company's tools may know the synthetic one; the sandboxes and the demo verbs are its only users."""


def modules(room: str) -> list[Path]:
    return sorted(p for p in (ROOT / room).rglob("*.py") if "__pycache__" not in p.parts)


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("room", sorted(FORBIDDEN))
def test_a_room_imports_only_what_it_may_know(room: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(room)
        for name in sorted(imported(path))
        if name.split(".")[0] in FORBIDDEN[room]
    ]
    assert not wrong, "\n".join(wrong)


def test_only_sandboxes_and_the_demo_know_the_synthetic_company() -> None:
    allowed = ("sandbox", "demo")
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for room in ("sources", "orchestration")
        for path in modules(room)
        if not any(word in part for part in path.relative_to(ROOT).parts for word in allowed)
        for name in sorted(imported(path))
        if any(name == known or name.startswith(known + ".") for known in PRODUCT_NEVER_READS)
    ]
    assert not wrong, "\n".join(wrong)


GUARD = """
import builtins, io, os, socket, sys
sys.path.insert(0, {root!r})
import importlib
# What the libraries do when they are imported is theirs: load them first.
for name in {third_party!r}:
    importlib.import_module(name)
def refuse(what):
    def _refuse(*args, **kwargs):
        raise AssertionError(f"import did {{what}}: {{args[:2]}}")
    return _refuse
real_open = io.open
def guarded_open(file, *args, **kwargs):
    path = os.fspath(file) if isinstance(file, (str, os.PathLike)) else str(file)
    if path.startswith({root!r}) and not path.endswith((".py", ".pyc")) and "/.venv/" not in path:
        raise AssertionError(f"import opened a file: {{path}}")
    return real_open(file, *args, **kwargs)
builtins.open = io.open = guarded_open
socket.socket.connect = refuse("a connection")
class WatchedEnvironment(dict):
    # Refuses a read whose nearest caller is a file of ours; what a library reads when first used is its own affair.
    def _watch(self, key):
        frame = sys._getframe(2)
        while frame is not None and frame.f_code.co_filename.endswith(("os.py", "<frozen os>", "<frozen _collections_abc>")):
            frame = frame.f_back
        place = frame.f_code.co_filename if frame else ""
        if place.startswith({root!r}) and "/.venv/" not in place:
            raise AssertionError(f"import read the environment: {{key}}")
    def __getitem__(self, key): self._watch(key); return super().__getitem__(key)
    def get(self, key, default=None): self._watch(key); return super().get(key, default)
    def __contains__(self, key): self._watch(key); return super().__contains__(key)
os.environ = WatchedEnvironment(os.environ)
os.getenv = lambda key, default=None: os.environ.get(key, default)
failed = []
for name in {modules!r}:
    try:
        importlib.import_module(name)
    except AssertionError as error:
        failed.append(f"{{name}}: {{error}}")
print("\\n".join(failed))
sys.exit(1 if failed else 0)
"""


def test_importing_any_module_does_no_input_or_output(tmp_path: Path) -> None:
    names = [
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for room in ("sources", "orchestration")
        for path in modules(room)
        if path.name != "__main__.py"
    ]
    third_party = sorted(
        {
            name
            for room in ("sources", "orchestration")
            for path in modules(room)
            for name in top_level_imports(path)
            if name.split(".")[0] not in {"sources", "orchestration", "__future__"}
        }
    )
    program = GUARD.format(root=str(ROOT), third_party=third_party, modules=names)
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]


def top_level_imports(path: Path) -> set[str]:
    """Modules that the file imports when it is imported itself (not inside a function)."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module)
    return names
