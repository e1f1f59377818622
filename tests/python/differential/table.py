"""The list of differences as the table in the docs: `python table.py` writes it there."""

from __future__ import annotations

from pathlib import Path

from comparison import Difference
from differences import FROM_BLOCKING, FROM_SQLITE3

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "differences-from-sqlite3.md"
BEGIN, END = "<!-- table -->", "<!-- end of table -->"
WHOSE = {"engine": "the engine", "sqlite3": "`sqlite3`", "driver": "this driver"}


def table() -> str:
    """All differences, those from sqlite3 first."""
    parts = [
        "### The blocking driver beside `sqlite3`",
        rows(FROM_SQLITE3),
        "### The asyncio driver beside the blocking one",
        rows(FROM_BLOCKING),
    ]
    return "\n\n".join(parts)


def rows(differences: list[Difference]) -> str:
    lines = ["| difference | whose | what and why | shown by |", "|---|---|---|---|"]
    for known in differences:
        cells = (known.name, WHOSE[known.whose], known.reason, f"`{known.reproduction}`")
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def with_table(document: str) -> str:
    """The document with the table as it is now."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    DOCUMENT.write_text(with_table(DOCUMENT.read_text("utf-8")), "utf-8")
