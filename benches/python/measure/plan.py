"""Which cells there are: a workload, a driver and a configuration make one."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

from . import rust
from .blocking import BLOCKING_DRIVERS
from .blocking_workloads import BLOCKING_WORKLOADS
from .drivers import DRIVERS, AioTursoOtherWorker
from .workloads import WORKLOADS

Loop = Literal["asyncio", "uvloop", "tokio"]
Storage = Literal["file", "memory"]
Cores = Literal["all", "one"]

LOOPS: tuple[Loop, ...] = ("asyncio", "uvloop", "tokio")
STORAGES: tuple[Storage, ...] = ("file", "memory")
CORES: tuple[Cores, ...] = ("all", "one")


@dataclass(frozen=True, order=True)
class Configuration:
    """What is the same for a whole table."""

    loop: Loop = "asyncio"
    storage: Storage = "file"
    cores: Cores = "all"

    def __str__(self) -> str:
        return f"{self.loop}, {self.storage}, {'one core' if self.cores == 'one' else 'all cores'}"

    @property
    def title(self) -> str:
        """What a table of it is called."""
        return str(self)[0].upper() + str(self)[1:]

    @property
    def words(self) -> set[str]:
        """The words that select it."""
        return {self.loop, self.storage, f"{self.cores}-core{'s' if self.cores == 'all' else ''}"}

    def workloads(self) -> list[str]:
        """The workloads that make sense in it."""
        if self.loop == "tokio":
            return list(rust.WORKLOADS)
        in_another_setting = self.loop != "asyncio" or self.cores != "all"
        return [
            name
            for name, workload in WORKLOADS.items()
            if (self.storage == "file" or not workload.needs_file)
            and (workload.depends_on_loop or not in_another_setting)
        ]

    def drivers(self) -> list[str]:
        """The drivers that can be measured in it. Blocking ones need neither a loop nor a second core, so they stand where
        both are as usual; the worker that is not the default is shown once."""
        if self.loop == "tokio":
            return list(rust.DRIVERS)
        drivers = [name for name in DRIVERS if name != AioTursoOtherWorker.name or self == BASE]
        return [*drivers, *BLOCKING_DRIVERS] if self.loop == "asyncio" and self.cores == "all" else drivers


# A build of ours for just this version of Python: measured beside the one for the stable ABI when it is asked for.
FOR_ONE_VERSION = ("aioturso-cp", "aioturso.lib-cp")

BASE = Configuration()
IN_RUST = Configuration(loop="tokio")
ONE_CORE = Configuration(cores="one")
# Where the bars are; elsewhere they are shown for comparison.
JUDGED = (BASE, ONE_CORE, IN_RUST)
# The base, and what differs from it in one thing.
CONFIGURATIONS = (
    BASE,
    Configuration(storage="memory"),
    Configuration(loop="uvloop"),
    ONE_CORE,
    IN_RUST,
)
# All that there is. The measurements in Rust read a file.
EVERY_COMBINATION = tuple(
    Configuration(loop, storage, cores)
    for loop in LOOPS
    for cores in CORES
    for storage in STORAGES
    if loop != "tokio" or storage == "file"
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


class Selection:
    """The words of a command line, by what they select.

    Words of one kind (workloads, drivers, loops, storages, cores) add up, words of different kinds narrow each other down.
    """

    def __init__(self, words: Iterable[str]) -> None:
        self.workloads: set[str] = set()
        self.drivers: set[str] = set()
        self.configurations: set[str] = set()
        for word in words:
            self._sort(word)

    def _sort(self, word: str) -> None:
        every_workload = [*WORKLOADS, *rust.WORKLOADS]
        every_driver = [*DRIVERS, *BLOCKING_DRIVERS, *rust.DRIVERS]
        every_configuration = sorted(set[str]().union(*(configuration.words for configuration in EVERY_COMBINATION)))
        if word in every_configuration:
            self.configurations.add(word)
        elif word in every_driver:
            self.drivers.add(word)
        elif word in every_workload:
            self.workloads.add(word)
        elif matching := {name for name in every_workload if word in name}:
            self.workloads |= matching
        else:
            raise UnknownWord(
                f"`{word}` selects nothing. Workloads: {', '.join(every_workload)}. Drivers: {', '.join(every_driver)}. "
                f"Configurations: {', '.join(every_configuration)}."
            )

    def has(self, cell: Cell) -> bool:
        """Whether the words select it."""
        words = cell.configuration.words
        return (
            (not self.workloads or cell.workload in self.workloads)
            and (not self.drivers or cell.driver in self.drivers)
            and all(
                not self.configurations & kind or self.configurations & kind & words
                for kind in ({*LOOPS}, {*STORAGES}, {"all-cores", "one-core"})
            )
        )


def cells(configurations: Iterable[Configuration], selection: Selection, *, for_one_version: bool) -> list[Cell]:
    """The cells that are selected, those of one workload side by side."""
    return [
        cell
        for configuration in configurations
        for workload in configuration.workloads()
        for driver in configuration.drivers()
        if exists(workload, driver) and (for_one_version or driver not in FOR_ONE_VERSION)
        for cell in [Cell(workload, driver, configuration)]
        if selection.has(cell)
    ]


def exists(workload: str, driver: str) -> bool:
    """Whether the driver has what the workload asks for."""
    if workload in rust.WORKLOADS:
        return driver in rust.WORKLOADS[workload].drivers
    if driver in BLOCKING_DRIVERS:
        return workload in BLOCKING_WORKLOADS
    return DRIVERS[driver].has_fetchmany or not WORKLOADS[workload].needs_fetchmany


def title(workload: str) -> str:
    """What a row is called in a table."""
    return rust.WORKLOADS[workload].title if workload in rust.WORKLOADS else WORKLOADS[workload].title
