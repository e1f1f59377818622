"""Where the time of a call goes, by thread."""

from dataclasses import dataclass

from .plan import Configuration
from .results import Results


@dataclass(frozen=True)
class Stages:
    """Where the microseconds of one operation go."""

    elapsed: float
    loop: float
    others: float
    kernel: float
    sleeps: float

    @property
    def waking(self) -> float:
        """When no thread of the process ran: threads were being woken. With several at once it can't be told."""
        return max(0.0, self.elapsed - self.loop - self.others)


def stages(results: Results, workload: str, driver: str, configuration: Configuration) -> Stages | None:
    """The medians over all rounds, if the workload has them."""
    elapsed = results.median(workload, driver, configuration)
    cpu, loop, kernel, sleeps = (
        results.detail(name, workload, driver, configuration) for name in ("cpu", "loop", "kernel", "sleeps")
    )
    if elapsed is None or cpu is None or loop is None:
        return None
    return Stages(elapsed, loop, max(0.0, cpu - loop), kernel or 0.0, sleeps or 0.0)
