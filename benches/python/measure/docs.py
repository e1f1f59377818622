"""Puts what was measured into the repository's documents: between markers, so that no figure is copied by hand.

A marker is a comment in Markdown: `<!-- measured: NAME -->` begins what is written here, `<!-- end of NAME -->` ends it.
"""

import shutil
from collections.abc import Callable
from pathlib import Path

from . import report
from .comparison import family
from .plan import BASE, FOR_ONE_VERSION, IN_RUST, JUDGED, title
from .results import Results

# The columns of the short tables: the rest is in the document of its own.
IN_BRIEF = ("aioturso", "turso.aio", "aiosqlite", "apsw", "aioturso.lib")

README = "README.md"
DOCUMENT = "docs/benchmarks.md"
PICTURES = "docs/benchmarks"


class MissingMarker(Exception):
    """A document has no place for what was measured."""


def check(root: Path) -> None:
    """Raises what `update` would raise, before anything is measured for it."""
    for blocks in (MARKERS, MARKERS_OF_STABLE_ABI):
        for name, markers in blocks.items():
            text = (root / name).read_text(encoding="utf-8")
            for marker in markers:
                replace(text, marker, "", name)


def update(results: Results, root: Path, pictures: list[Path]) -> list[Path]:
    """Writes the documents below `root`; the ones that were written."""
    written: list[Path] = []
    is_about_stable_abi = any(cell.driver in FOR_ONE_VERSION for cell in results.found)
    for name, markers in (MARKERS_OF_STABLE_ABI if is_about_stable_abi else MARKERS).items():
        document = root / name
        text = document.read_text(encoding="utf-8")
        for marker, render in markers.items():
            text = replace(text, marker, render(results), name)
        document.write_text(text, encoding="utf-8")
        written.append(document)
    if is_about_stable_abi:
        return written
    folder = root / PICTURES
    folder.mkdir(exist_ok=True)
    for picture in pictures:
        written.append(Path(shutil.copyfile(picture, folder / picture.name)))
    return written


def replace(text: str, marker: str, content: str, document: str) -> str:
    """The text with the content between the markers of that name."""
    begin, end = f"<!-- measured: {marker} -->", f"<!-- end of {marker} -->"
    before, begin_found, rest = text.partition(begin)
    _, end_found, after = rest.partition(end)
    if not begin_found or not end_found:
        raise MissingMarker(f"{document} has no place for it: write `{begin}` and `{end}`, each on a line")
    return f"{before}{begin}\n{content}\n{end}{after}"


def in_brief(results: Results) -> str:
    """What a reader of the README wants to know: how it stands, on what, when, and what is short."""
    facts = results.machine
    parts = [
        f"`cargo xtask bench`, {facts['date'].partition(' ')[0]}, at {facts['commit']}: {facts['processor']}, "
        f"{facts['memory']}, {facts['system']}, {facts['Python']}; {facts['drivers']}; {facts['worker of aioturso']} worker."
    ]
    for configuration in JUDGED:
        measured = report.comparisons(results, configuration)
        shown = [found.workload for found in measured if found.bar is not None or configuration == BASE]
        if not shown:
            continue
        drivers = IN_BRIEF if configuration != IN_RUST else configuration.drivers()
        parts.append(f"{configuration.title}:")
        parts.append(report.table(results, configuration, shown, drivers))
    short = [
        f"{title(comparison.workload)} ({comparison.verdict.removeprefix('short: ')})"
        for configuration in JUDGED
        for comparison in report.short_rows(results, configuration)
    ]
    if short:
        parts.append("Short of its bar: " + "; ".join(short) + ".")
    else:
        parts.append(f"{family(BASE).ours} is short of no bar.")
    return "\n\n".join(parts)


def stable_abi(results: Results) -> str:
    """What a build for just one version of Python saves: the blocking driver, by the time for which the processor worked."""
    facts = results.machine
    lines: list[str] = []
    ratios: list[float] = []
    for workload in BASE.workloads():
        stable, specific = (results.detail("cpu", workload, name, BASE) for name in ("aioturso.lib", "aioturso.lib-cp"))
        if stable and specific:
            ratios.append(stable / specific)
            values = f"{report.number(stable)} | {report.number(specific)} | {stable / specific:.2f}"
            lines.append(f"| {title(workload)} | {values} |")
    if not ratios:
        return "Not measured."
    said = (
        f"{facts['date'].partition(' ')[0]}, at {facts['commit']}, {facts['Python']}, {facts['processor']}: the stable ABI costs "
        f"{max(ratios) - 1:.0%} at most."
    )
    head = ["| µs | stable ABI | one version | ratio |", "|---|---:|---:|---:|"]
    return f"{said}\n\n" + "\n".join([*head, *lines])


MARKERS_OF_STABLE_ABI: dict[str, dict[str, Callable[[Results], str]]] = {DOCUMENT: {"stable ABI": stable_abi}}
MARKERS: dict[str, dict[str, Callable[[Results], str]]] = {
    README: {"in brief": in_brief},
    DOCUMENT: {
        "machine": report.machine,
        "tables": lambda results: report.tables(results, "###"),
        "where the time goes": lambda results: report.where_the_time_goes(results, "###"),
    },
}
