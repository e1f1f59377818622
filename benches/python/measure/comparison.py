"""The results beside the bars."""

from dataclasses import dataclass

from . import rust
from .bars import Bar, bar_of
from .plan import Configuration, exists
from .results import Results


@dataclass(frozen=True)
class Family:
    """Whom a table compares with whom."""

    ours: str
    same_engine: str
    others: tuple[str, ...]
    # What is 1 in a picture.
    reference: str


IN_PYTHON = Family("aioturso", "turso.aio", ("aiosqlite", "apsw"), "turso.aio")
# The driver of the same engine has no hop.
IN_RUST = Family(rust.OURS, rust.SAME_ENGINE, ("tokio-rusqlite", "async-sqlite"), "tokio-rusqlite")


def family(configuration: Configuration) -> Family:
    """The family of a configuration."""
    return IN_RUST if configuration.loop == "tokio" else IN_PYTHON


@dataclass(frozen=True)
class Ratio:
    """Ours by theirs, and how large it may be."""

    other: str
    found: float
    largest: float | None

    @property
    def met(self) -> bool:
        """Whether it is small enough. A ratio without a bar always is."""
        return self.largest is None or self.found <= self.largest

    @property
    def excess(self) -> float:
        """By which factor it is too large; at most 1 if it is not."""
        return self.found / self.largest if self.largest else 0.0


@dataclass(frozen=True)
class Comparison:
    """A workload in a configuration: ours by the driver of the same engine, and by the best of the others."""

    workload: str
    bar: Bar | None
    ratios: tuple[Ratio, ...]
    # What the bar is about and was not measured, so that nobody takes the rest of it for the whole.
    missing: tuple[str, ...] = ()

    @property
    def is_short(self) -> bool:
        """Whether a ratio is above its bar."""
        return any(not ratio.met for ratio in self.ratios)

    @property
    def verdict(self) -> str:
        """In words."""
        if self.bar is None:
            return ""
        short = [ratio for ratio in self.ratios if not ratio.met]
        if not short:
            return f"not known: {', '.join(self.missing)} not measured" if self.missing else "met"
        return "short: " + ", ".join(f"{ratio.excess:.2f} times the bar of {ratio.other}" for ratio in short)


def compare(results: Results, workload: str, configuration: Configuration) -> Comparison | None:
    """The comparison, if ours was measured."""
    drivers = family(configuration)
    ours = results.median(workload, drivers.ours, configuration)
    if ours is None:
        return None
    bar = bar_of(workload, configuration)
    ratios: list[Ratio] = []
    missing: list[str] = []
    published = results.median(workload, drivers.same_engine, configuration)
    if published:
        ratios.append(Ratio(drivers.same_engine, ours / published, bar.same_engine if bar else None))
    elif bar and bar.same_engine is not None:
        missing.append(drivers.same_engine)
    others = [name for name in (bar.others if bar else None) or drivers.others if exists(workload, name)]
    measured = {name: results.median(workload, name, configuration) for name in others}
    known = {name: value for name, value in measured.items() if value}
    if known:
        best = min(known, key=lambda name: known[name])
        ratios.append(Ratio(best, ours / known[best], bar.best_other if bar else None))
    if bar and bar.best_other is not None:
        missing += [name for name in others if name not in known]
    if bar and bar.milliseconds is not None:
        ratios.append(Ratio(f"{bar.milliseconds:g} ms", ours / bar.milliseconds, 1.0))
    return Comparison(workload, bar, tuple(ratios), tuple(missing))
