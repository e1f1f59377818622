"""The native module of the API `probe`, with every bug of the native queue in it: which of them it has is said when it runs.

One build is enough for all bugs. In a copy of the sources, each bug is a place that looks for its own number in the
environment, and is wrong if it is there. Nothing of that is in the sources themselves.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bug import Bug

ROOT = Path(__file__).resolve().parents[4]
"""The repository."""

VARIABLE = "BUG_OF_NATIVE_QUEUE"
"""The environment variable with the number of the bug."""

CONDITION = "BUG"
"""What stands for the condition in the text of a bug."""

MEMBERS = ("macros", "runtime", "syntax", "tests/probe", "tests/probe/native")
"""The crates that are copied: the others are not needed, and one of them is the engine."""

CHOSEN = f"""
pub(crate) mod bugs {{
    /// Whether the bug of that number is there.
    pub(crate) fn chosen(number: u32) -> bool {{
        static CHOSEN: std::sync::OnceLock<Option<u32>> = std::sync::OnceLock::new();
        let read = || std::env::var("{VARIABLE}").ok().and_then(|number| number.parse().ok());
        *CHOSEN.get_or_init(read) == Some(number)
    }}
}}
"""
PLACE = "runtime/src/python/mod.rs"
PATH = "crate::python::bugs::chosen"


def _write(file: Path, text: str) -> None:
    """Leaves a file alone that is as it should be, so that cargo builds nothing anew for it."""
    if not file.is_file() or file.read_text() != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


def _sources(bugs: Iterable[Bug]) -> dict[Path, str]:
    texts: dict[Path, str] = {}
    for member in MEMBERS:
        for suffix in ("*.rs", "Cargo.toml"):
            texts |= {file: file.read_text() for file in (ROOT / member).rglob(suffix)}
    texts[ROOT / "Cargo.lock"] = (ROOT / "Cargo.lock").read_text()
    texts[ROOT / "README.md"] = (ROOT / "README.md").read_text()
    manifest = (ROOT / "Cargo.toml").read_text()
    members = ", ".join(f'"{member}"' for member in MEMBERS)
    manifest, count = re.subn(r"(?m)^(default-members|members) = \[[^]]*\]", rf"\1 = [{members}]", manifest)
    if count != 2:
        sys.exit("Cargo.toml has no two lists of members: bring native_build.py up to date")
    texts[ROOT / "Cargo.toml"] = manifest
    texts[ROOT / PLACE] += CHOSEN
    for bug in bugs:
        for change in bug.changes:
            wrong = re.sub(rf"\b{CONDITION}\b", f"{PATH}({bug.number})", change.new)
            file = ROOT / change.file
            if texts[file].count(change.old) != 1:
                sys.exit(f"the bug `{bug.name}` is in the place of another one: {change.file}")
            texts[file] = texts[file].replace(change.old, wrong)
    return texts


def build(bugs: Iterable[Bug], folder: Path) -> Path:
    """Builds it in a folder; the folder with the package."""
    sources = folder / "sources"
    texts = {file.relative_to(ROOT): text for file, text in _sources(bugs).items()}
    for file, text in texts.items():
        _write(sources / file, text)
    # A module that has become a folder would be there twice.
    for file in sources.rglob("*.rs"):
        if file.relative_to(sources) not in texts:
            file.unlink()
    command = [os.environ.get("CARGO", "cargo"), "build", "--quiet", "--package", "probe-native"]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(folder / "build"), "PYO3_PYTHON": sys.executable}
    built = subprocess.run(command, cwd=sources, env=environment, check=False)
    if built.returncode != 0:
        sys.exit("the bugs of the native queue do not compile: bring bugs_of_the_queue.py up to date with its sources")
    package = folder / "package"
    shutil.rmtree(package, ignore_errors=True)
    shutil.copytree(
        ROOT / "tests/probe/generated/python", package, ignore=shutil.ignore_patterns("*.so", "__pycache__")
    )
    [module] = [
        found
        for name in ("libprobe_native.so", "libprobe_native.dylib")
        if (found := folder / "build/debug" / name).is_file()
    ]
    shutil.copy(module, package / "probe_aio/_native.abi3.so")
    return package
