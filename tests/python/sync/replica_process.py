"""A replica in a process of its own, for the random schedules: it is told what to do line by line, in JSON.

`SYNC_REPLICA="python tests/python/sync/replica_process.py" cargo xtask test rust-sync` runs them with the Python driver, and
with `SYNC_DRIVER=turso` with the published one.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import Any

from replicas import blocking


class Process:
    """One method for each order."""

    def __init__(self) -> None:
        self.connection: Any = None

    def open(self, path: str, url: str) -> None:
        self.connection = blocking.connect(path, url)

    def commit(self, statements: list[str]) -> None:
        try:
            for statement in statements:
                self.connection.execute(statement).close()
            self.connection.commit()
        except Exception:
            self.connection.rollback()
            raise

    def rows(self, sql: str) -> list[Any]:
        return [list(row) for row in self.connection.execute(sql).fetchall()]

    def pull(self) -> bool:
        return bool(self.connection.pull())

    def push(self) -> None:
        self.connection.push()

    def checkpoint(self) -> None:
        self.connection.checkpoint()

    def unpushed(self) -> int:
        return int(self.connection.stats().cdc_operations)

    def conflicts(self) -> list[Any]:
        if not hasattr(self.connection, "conflicts"):
            return []
        return [dataclasses.asdict(conflict) for conflict in self.connection.conflicts()]

    def resolve(self, conflict: dict[str, Any], keep: str) -> None:
        same = [other for other in self.connection.conflicts() if dataclasses.asdict(other) == conflict]
        self.connection.resolve(same[0], keep)

    def close(self) -> None:
        self.connection.close()
        self.connection = None


def main() -> None:
    process = Process()
    for line in sys.stdin:
        order = json.loads(line)
        method = getattr(process, order.pop("do"))
        try:
            answer = {"Ok": method(**order)}
        except Exception as error:
            answer = {"Err": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
