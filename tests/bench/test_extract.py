"""The benchmark itself runs, as often as asked, and prints what the README quotes. It asserts no time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_benchmark_prints_its_ratios_over_several_rounds(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.bench.extract", "--scale", "small", "--json", str(tmp_path / "out.json")]
    asked = ["--only", "hubspot", "esales", "--rounds", "2", "--no-defaults"]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([*command, *asked], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert found == json.loads(done.stdout)
    assert found["ratios"].keys() == {"cpu_vs_limit", "speed_vs_dlt_defaults", "memory_mb", "increment_share"}
    for vendor in ("hubspot", "esales"):
        assert found["ratios"]["cpu_vs_limit"][vendor] > 0 and found["ratios"]["memory_mb"][vendor] > 0
        assert found["parts"][vendor].keys() == {"extract", "normalize", "load", "drop_unchanged"}
        assert found["measured"][vendor]["rows"] == 10_000
