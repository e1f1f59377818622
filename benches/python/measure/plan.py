"""Which cells there are: a workload, a driver and a configuration make one."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from .blocking import BLOCKING_DRIVERS
from .blocking_workloads import BLOCKING_WORKLOADS
from .drivers import DRIVERS
from .workloads import WORKLOADS

Loop = Literal["asyncio", "uvloop"]
Storage = Literal["file", "memory"]
Cores = Literal["all", "one"]


@dataclass(frozen=True, order=True)
class Configuration:
    """What is the same for a whole table."""

    loop: Loop = "asyncio"
    storage: Storage = "file"
    cores: Cores = "all"

    def __str__(self) -> str:
        return f"{self.loop}, {self.storage}, {'one core' if self.cores == 'one' else 'all cores'}"

    @property
    def words(self) -> set[str]:
        """The words that select it."""
        return {self.loop, self.storage, "one-core" if self.cores == "one" else "all-cores"}


BASE = Configuration()
# The base, and what differs from it in one thing.
CONFIGURATIONS = (
    BASE,
    Configuration(storage="memory"),
    Configuration(loop="uvloop"),
    Configuration(cores="one"),
)


@dataclass(frozen=True)
class Cell:
    """One measurement; each runs in processes of its own."""

    workload: str
    driver: str
    configuration: Configuration

    def __str__(self) -> str:
        return f"{self.workload} {self.driver} ({self.configuration})"

    def as_json(self) -> dict[str, Any]:
        """For a child process, and for the file of results."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Cell":
        """The reverse."""
        return cls(value["workload"], value["driver"], Configuration(**value["configuration"]))


class UnknownWord(Exception):
    """A filter that selects nothing."""


def cells(words: Iterable[str], *, with_uvloop: bool, with_pinning: bool, every_combination: bool) -> list[Cell]:
    """The cells that the words select.

    Words of one kind (workloads, drivers, loops, storages, cores) add up, words of different kinds narrow each other down.
    """
    all_configurations = _combinations() if every_combination else CONFIGURATIONS
    workloads, drivers, configurations = _sort_words(words)
    found: list[Cell] = []
    for configuration in all_configurations:
        if configuration.loop == "uvloop" and not with_uvloop:
            continue
        if configuration.cores == "one" and not with_pinning:
            continue
        if not _selected(configuration, configurations):
            continue
        for workload in WORKLOADS.values():
            if workload.name not in (workloads or WORKLOADS) or (
                workload.needs_file and configuration.storage != "file"
            ):
                continue
            for driver in _drivers(workload.name, configuration):
                if not drivers or driver in drivers:
                    found.append(Cell(workload.name, driver, configuration))
    return found


def _drivers(workload: str, configuration: Configuration) -> list[str]:
    names = [
        name for name, driver in DRIVERS.items() if driver.has_fetchmany or not WORKLOADS[workload].needs_fetchmany
    ]
    # Without a loop, there is one table of them for each storage.
    if workload in BLOCKING_WORKLOADS and configuration.loop == "asyncio":
        names += BLOCKING_DRIVERS
    return names


def _combinations() -> tuple[Configuration, ...]:
    loops: tuple[Loop, ...] = ("asyncio", "uvloop")
    storages: tuple[Storage, ...] = ("file", "memory")
    cores: tuple[Cores, ...] = ("all", "one")
    return tuple(Configuration(loop, storage, core) for core in cores for loop in loops for storage in storages)


def _selected(configuration: Configuration, words: set[str]) -> bool:
    kinds = ({"asyncio", "uvloop"}, {"file", "memory"}, {"all-cores", "one-core"})
    return all(not words & kind or words & kind & configuration.words for kind in kinds)


def _sort_words(words: Iterable[str]) -> tuple[set[str], set[str], set[str]]:
    workloads: set[str] = set()
    drivers: set[str] = set()
    configurations: set[str] = set()
    every_driver = [*DRIVERS, *BLOCKING_DRIVERS]
    for word in words:
        if word in {"asyncio", "uvloop", "file", "memory", "all-cores", "one-core"}:
            configurations.add(word)
        elif word in every_driver:
            drivers.add(word)
        elif word in WORKLOADS:
            workloads.add(word)
        elif matching := {name for name in WORKLOADS if word in name}:
            workloads |= matching
        else:
            raise UnknownWord(
                f"`{word}` selects nothing. Workloads: {', '.join(WORKLOADS)}. Drivers: {', '.join(every_driver)}. "
                "Configurations: asyncio, uvloop, file, memory, all-cores, one-core."
            )
    return workloads, drivers, configurations
