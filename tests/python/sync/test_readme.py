"""The example of sync in the README, which needs a server."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from servers import TestServer

README = Path(__file__).parents[3] / "README.md"
EXAMPLE = re.compile(r"^```py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "http://127.0.0.1:8080"


def test_the_example_of_the_readme_prints_what_it_says(test_server: TestServer, tmp_path: Path) -> None:
    [example] = EXAMPLE.findall(README.read_text(encoding="utf-8"))
    assert ADDRESS in example
    program = example.replace(ADDRESS, test_server.url)
    command = [sys.executable, "-W", "error", "-c", program]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert (finished.stderr, finished.stdout) == ("", "True 0\n")
    assert test_server.rows("SELECT name FROM city") == [("Bern",)]
