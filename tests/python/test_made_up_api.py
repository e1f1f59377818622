"""A made-up API at the edges of what Python can name, and with classes that extend others: its package is generated, run
over a stand-in for its native module, and type-checked."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
MADE_UP = ROOT / "generator" / "tests" / "made_up"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The folder of the generated package."""
    folder = tmp_path_factory.mktemp("made_up")
    shutil.copytree(MADE_UP, folder, dirs_exist_ok=True)
    command = ["cargo", "run", "--quiet", "-p", "generator", "--", "--config", str(folder / "async-proxy.toml")]
    subprocess.run(command, cwd=ROOT, check=True)
    shutil.copy(MADE_UP / "_native.py", folder / "generated" / "python" / "made_up")
    shutil.copy(MADE_UP / "use.py", folder / "generated" / "python")
    return folder / "generated" / "python"


def test_names_of_pythons_own_and_derived_classes_work_when_called(package: pathlib.Path) -> None:
    # Parameters called like locals were replaced by them, methods called like builtins broke the annotations behind them,
    # and a class that extends another lacked the attributes of that one.
    environment = {**os.environ, "PYTHONPATH": str(package)}
    subprocess.run([sys.executable, "-X", "dev", "use.py"], cwd=package, env=environment, check=True)


def test_names_of_pythons_own_and_derived_classes_are_typed(package: pathlib.Path) -> None:
    pytest.importorskip("mypy", reason="mypy is among the tools that run with one interpreter")
    # The stub has the types of the stand-in.
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "use.py", "made_up"]
    checked = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_generated_python_is_as_ruff_formats_it(package: pathlib.Path) -> None:
    # Documentation that begins with a quote, notes with quotes, and stubs of functions without documentation.
    ruff = shutil.which("ruff", path=f"{pathlib.Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if ruff is None:
        pytest.skip("ruff is among the tools that run with one interpreter")
    for arguments in (["format", "--diff"], ["check", "--no-cache"]):
        command = [ruff, *arguments, "--config", str(ROOT / "ruff.toml"), "made_up"]
        checked = subprocess.run(command, cwd=package, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stdout + checked.stderr
