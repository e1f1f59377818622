"""The results as a picture: each driver's time beside that of a reference, the published driver of the same engine."""

import statistics
from pathlib import Path
from typing import Any

import matplotlib as mpl

from .bars import bar_of
from .comparison import family
from .plan import Configuration, title
from .results import Results

# Told apart by people who do not see all colours, too (Okabe and Ito), and by their shapes.
MARKERS = (("#D55E00", "o"), ("#000000", "|"), ("#0072B2", "s"), ("#009E73", "^"))


def write(results: Results, configuration: Configuration, file: Path) -> bool:
    """Writes the picture of one configuration as SVG. The answer is whether there was anything to draw."""
    drivers = family(configuration)
    shown = (drivers.ours, drivers.same_engine, *drivers.others)
    rows = [name for name in configuration.workloads() if results.median(name, drivers.reference, configuration)]
    if not rows:
        return False
    mpl.use("svg")
    # The same results make the same file, and its text can be searched and read aloud.
    mpl.rcParams.update({"svg.hashsalt": "aioturso", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    figure: Any
    axes: Any
    figure, axes = pyplot.subplots(figsize=(9, 0.5 * len(rows) + 1.4), layout="constrained")
    for position, workload in enumerate(rows):
        _draw_row(axes, results, configuration, workload, position)
    for name, (colour, marker) in zip(shown, MARKERS, strict=True):
        axes.plot([], [], color=colour, marker=marker, linestyle="", label=name)
    axes.plot([], [], color=MARKERS[0][0], marker=4, linestyle="", fillstyle="none", label=f"bar of {drivers.ours}")
    axes.set_yticks(range(len(rows)), [title(name).replace("`", "") for name in rows])
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.axvline(1, color="#000000", linewidth=0.6)
    axes.grid(axis="x", which="both", linewidth=0.3)
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel(f"times {drivers.reference} ({configuration}); further left is better")
    figure.legend(loc="outside lower center", ncols=5, frameon=False)
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)
    return True


def _draw_row(axes: Any, results: Results, configuration: Configuration, workload: str, position: int) -> None:
    drivers = family(configuration)
    unit = results.median(workload, drivers.reference, configuration) or 1.0
    shown = (drivers.ours, drivers.same_engine, *drivers.others)
    for place, (name, (colour, marker)) in enumerate(zip(shown, MARKERS, strict=True)):
        values = results.values(workload, name, configuration)
        if not values:
            continue
        median = statistics.median(values)
        # Where two are equally quick, both are seen.
        height = position + (place - 1.5) * 0.14
        axes.plot([min(values) / unit, max(values) / unit], [height] * 2, color=colour, linewidth=1, alpha=0.5)
        axes.plot(median / unit, height, color=colour, marker=marker, markersize=5)
    bar = bar_of(workload, configuration)
    if bar is None:
        return
    largest = bar.same_engine if drivers.reference == drivers.same_engine else bar.best_other
    if largest is not None:
        # A caret whose point is at the bar: ours must be to the left of it.
        axes.plot(largest, position - 0.21, color=MARKERS[0][0], marker=4, markersize=8, fillstyle="none")
