"""Where aioturso must stand, as ratios to what was measured in the same run."""

from dataclasses import dataclass

from .plan import Configuration


@dataclass(frozen=True)
class Bar:
    """The largest ratios that are good enough: to the published driver of the same engine, and to the best of
    `others` (of all others if none is named). `milliseconds` is a bar by itself."""

    same_engine: float | None = None
    best_other: float | None = None
    others: tuple[str, ...] = ()
    milliseconds: float | None = None


# On two idle cores.
BARS: dict[str, Bar] = {
    "point-select": Bar(0.40, 0.40),
    "point-select-tasks": Bar(0.10, 0.15),
    "point-select-connections": Bar(0.40, 0.60),
    "iterate": Bar(0.012, 0.55),
    "fetchmany": Bar(0.60, 0.60),
    "fetchone": Bar(0.02, 0.02),
    "fetchall": Bar(0.55, 1.10),
    "insert": Bar(0.75, 0.75),
    "executemany": Bar(0.35, 1.30, others=("aiosqlite",)),
    "open-select-close": Bar(0.60, 1.00),
    "beside-thread": Bar(0.40, 0.40),
    "lag-heavy-query": Bar(1.10, 1.10),
    "lag-fetchall": Bar(1.10, 1.10),
    # In Rust. A hop of the driver of the same engine does not exist, and other tasks wait for it while it works.
    "rust-hop": Bar(best_other=1.00, others=("tokio-rusqlite",)),
    "rust-hop-tasks": Bar(best_other=1.00, others=("tokio-rusqlite",)),
    # No lag: less than the shortest sleep of an executor.
    "rust-lag": Bar(same_engine=0.10, milliseconds=1.0),
}

# On one, where a hop is not a matter of waking another core.
BARS_ON_ONE_CORE: dict[str, Bar] = {
    "point-select": Bar(0.35),
    "point-select-tasks": Bar(0.12),
}


def bar_of(workload: str, configuration: Configuration) -> Bar | None:
    """The bar of a workload, if it has one in that configuration."""
    return (BARS_ON_ONE_CORE if configuration.cores == "one" else BARS).get(workload)
