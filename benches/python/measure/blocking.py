"""Blocking drivers: what the same work costs without an await. They are the floor beside which an await is seen."""

import sqlite3
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any


class BlockingDriver:
    """A module in the terms of PEP 249."""

    def __init__(self, name: str, module: str, package: str | None) -> None:
        self.name = name
        self._module = module
        self._package = package

    @property
    def version(self) -> str:
        """The version that is installed."""
        return sqlite3.sqlite_version if self._package is None else version(self._package)

    def open(self, path: Path | str) -> Any:
        """An open connection."""
        connect: Callable[[str], Any] = import_module(self._module).connect
        return connect(str(path))


BLOCKING_DRIVERS: dict[str, BlockingDriver] = {
    driver.name: driver
    for driver in (
        BlockingDriver("aioturso.lib", "aioturso.lib", "aioturso"),
        BlockingDriver("turso", "turso", "pyturso"),
        BlockingDriver("sqlite3", "sqlite3", None),
        BlockingDriver("aioturso.lib-cp", "aioturso.lib", "aioturso"),
    )
}
