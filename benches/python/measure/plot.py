"""The results as a picture: each driver's time beside that of the published driver of the same engine."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

from .bars import bar_of
from .comparison import SAME_ENGINE
from .drivers import DRIVERS
from .plan import Configuration
from .results import Results
from .workloads import WORKLOADS

# Told apart by people who do not see all colours, too (Okabe and Ito), and by their shapes.
MARKERS = {
    "aioturso": ("#D55E00", "o"),
    "turso.aio": ("#000000", "|"),
    "aiosqlite": ("#0072B2", "s"),
    "apsw": ("#009E73", "^"),
}


def write(results: Results, configuration: Configuration, file: Path) -> bool:
    """Writes the picture of one configuration as SVG. The answer is whether there was anything to draw."""
    rows = [name for name in WORKLOADS if results.median(name, SAME_ENGINE, configuration)]
    if not rows:
        return False
    mpl.use("svg")
    # The same results make the same file, and its text can be searched and read aloud.
    mpl.rcParams.update({"svg.hashsalt": "aioturso", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    figure: Any
    axes: Any
    figure, axes = pyplot.subplots(figsize=(9, 0.42 * len(rows) + 1.6), layout="constrained")
    for position, workload in enumerate(rows):
        _draw_row(axes, results, configuration, workload, position)
    for name in DRIVERS:
        colour, marker = MARKERS[name]
        axes.plot([], [], color=colour, marker=marker, linestyle="", label=name)
    axes.plot([], [], color="#D55E00", marker=4, linestyle="", fillstyle="none", label="bar of aioturso")
    axes.set_yticks(range(len(rows)), [_plain(WORKLOADS[name].title) for name in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color="#000000", linewidth=0.6)
    axes.grid(axis="x", which="both", linewidth=0.3)
    axes.set_xlabel(f"times {SAME_ENGINE} ({configuration}); further left is better")
    axes.legend(loc="upper center", bbox_to_anchor=(0.4, -0.09), ncols=5, frameon=False)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    return True


def _draw_row(axes: Any, results: Results, configuration: Configuration, workload: str, position: int) -> None:
    unit = results.median(workload, SAME_ENGINE, configuration) or 1.0
    for name in DRIVERS:
        values = results.values(workload, name, configuration)
        median = results.median(workload, name, configuration)
        if median is None:
            continue
        colour, marker = MARKERS[name]
        axes.plot([min(values) / unit, max(values) / unit], [position] * 2, color=colour, linewidth=1, alpha=0.5)
        axes.plot(median / unit, position, color=colour, marker=marker, markersize=6)
    bar = bar_of(workload, configuration)
    if bar is not None:
        # A caret whose point is at the bar: ours must be to the left of it.
        axes.plot(bar.turso, position, color="#D55E00", marker=4, markersize=8, fillstyle="none")


def _plain(title: str) -> str:
    return title.replace("`", "")
