"""The results as Markdown."""

from collections.abc import Iterable, Sequence

from .comparison import Comparison, Ratio, compare, family
from .drivers import AioTursoOtherWorker
from .plan import BASE, Configuration, title
from .results import Results
from .stages import stages


def markdown(results: Results) -> str:
    """All of it, under a description of the machine."""
    parts = ["# Benchmarks", machine(results), tables(results, "##"), where_the_time_goes(results, "##")]
    return "\n\n".join(part for part in parts if part) + "\n"


def tables(results: Results, level: str) -> str:
    """One table for each configuration, then what the processors worked, and memory."""
    parts: list[str] = []
    for configuration in results.configurations():
        parts.append(f"{level} {configuration.title}")
        parts.append(f"{_rounds(results, configuration)}.")
        parts.append(table(results, configuration, configuration.workloads(), configuration.drivers()))
    if results.configurations():
        parts.append(_cpu(results, results.configurations()[0], level))
    parts += [_lags(results, configuration, level) for configuration in results.configurations()]
    parts += [_memory(results, configuration, level) for configuration in results.configurations()]
    if results.failures:
        parts.append(f"{level} Not measured")
        parts.append("\n".join(f"- {cell}: {failure}" for cell, failure in results.failures.items()))
    return "\n\n".join(part for part in parts if part)


def where_the_time_goes(results: Results, level: str) -> str:
    """Ours in stages, for each workload of the base, and the functions that weigh most where they were looked at."""
    ours = family(BASE).ours
    lines: list[str] = []
    for workload in BASE.workloads():
        found = stages(results, workload, ours, BASE)
        if found is None:
            continue
        floor = number(results.median(workload, "aioturso.lib", BASE))
        values = (found.elapsed, found.loop, found.others, found.kernel, found.waking, found.sleeps)
        lines.append(f"| {title(workload)} | {' | '.join(map(number, values))} | {floor} |")
    if not lines:
        return ""
    head = [
        "| µs | in all | thread of the loop | other threads | of both, in the kernel | no thread runs | sleeps "
        "| the same, blocking |",
        f"|---|{'---:|' * 7}",
    ]
    parts = [f"{level} Where the time of {ours} goes ({BASE})", "\n".join([*head, *lines])]
    parts += [_functions(results, workload, level) for workload in results.functions]
    return "\n\n".join(parts)


def short_rows(results: Results, configuration: Configuration) -> list[Comparison]:
    """What is above its bar."""
    return [comparison for comparison in comparisons(results, configuration) if comparison.is_short]


def verdicts(results: Results) -> list[str]:
    """One line for each row that has a bar."""
    lines: list[str] = []
    for configuration in results.configurations():
        for comparison in comparisons(results, configuration):
            if comparison.bar is not None and comparison.ratios:
                ratios = ", ".join(_ratio(ratio) for ratio in comparison.ratios)
                lines.append(f"{comparison.workload} ({configuration}): {comparison.verdict}; {ratios}")
    return lines


def number(value: float | None) -> str:
    """Three digits that say something; a dash for what was not measured."""
    if value is None:
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) < 0.0005:
        return "0"
    return f"{value:.3g}"


def machine(results: Results) -> str:
    """What was measured on, as a table."""
    lines = [f"| {fact} | {value} |" for fact, value in results.machine.items()]
    return "\n".join(["| | |", "|---|---|", *lines])


def _rounds(results: Results, configuration: Configuration) -> str:
    counts = [len(found) for cell, found in results.found.items() if cell.configuration == configuration]
    least, most = min(counts), max(counts)
    return f"Medians of {least if least == most else f'{least} to {most}'} processes, interleaved"


def table(results: Results, configuration: Configuration, workloads: Sequence[str], drivers: Sequence[str]) -> str:
    """Medians, ratios and bars: a line for each workload that was measured, a column for each of the drivers that was."""
    drivers = [name for name in drivers if _measured(results, name, configuration)]
    ours, same_engine = family(configuration).ours, family(configuration).same_engine
    shown = [driver_title(results, name) for name in drivers]
    lines = [
        f"| workload | unit | {' | '.join(shown)} | times {same_engine} | times the best other | bar |",
        f"|---|---|{'---:|' * len(drivers)}---:|---:|---|",
    ]
    for workload in workloads:
        medians = {name: results.median(workload, name, configuration) for name in drivers}
        if all(value is None for value in medians.values()):
            continue
        comparison = compare(results, workload, configuration)
        ratios = _columns(comparison, same_engine)
        cells = " | ".join(f"**{number(value)}**" if name == ours else number(value) for name, value in medians.items())
        verdict = comparison.verdict if comparison else ""
        unit = results.unit(workload, configuration)
        lines.append(f"| {title(workload)} | {unit} | {cells} | {ratios} | {verdict} |")
    return "\n".join(lines)


def driver_title(results: Results, name: str) -> str:
    """What a driver is called above its column."""
    return f"aioturso, {results.machine['other worker']} worker" if name == AioTursoOtherWorker.name else name


def _columns(comparison: Comparison | None, same_engine: str) -> str:
    ratios: dict[bool, Ratio] = {}
    for ratio in comparison.ratios if comparison else ():
        ratios.setdefault(ratio.other == same_engine, ratio)
    return " | ".join(_ratio(ratios.get(same)) for same in (True, False))


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return "-"
    largest = "" if ratio.largest is None else f" (at most {ratio.largest:g})"
    return f"{ratio.found:.3g} of {ratio.other}{largest}"


def _cpu(results: Results, configuration: Configuration, level: str) -> str:
    """How long the processors worked: what a busy machine changes less than the time that passes."""
    found = {
        title(workload): [results.detail("cpu", workload, name, configuration) for name in configuration.drivers()]
        for workload in configuration.workloads()
    }
    head = f"{level} Time that the processors worked ({configuration})"
    return _details(results, configuration, head, "µs", found)


def _lags(results: Results, configuration: Configuration, level: str) -> str:
    """How late the others were, not only at the worst hundredth."""
    found = {
        f"{title(workload).replace(' p99', '')}: {name}": [
            results.detail(name, workload, driver, configuration) for driver in configuration.drivers()
        ]
        for workload in configuration.workloads()
        for name in ("median", "worst")
    }
    return _details(results, configuration, f"{level} Lag ({configuration})", "ms", found)


def _memory(results: Results, configuration: Configuration, level: str) -> str:
    """How much of it is used, and for what."""
    drivers = configuration.drivers()
    iterate, idle = "memory-iterate", "idle-connections"
    found = {
        "KiB more while 200,000 rows are iterated over": [
            results.median(iterate, name, configuration) for name in drivers
        ],
        "KiB more when all of them are kept": [
            results.detail("all rows kept", iterate, name, configuration) for name in drivers
        ],
        "KiB for each of 1,000 idle connections": [results.median(idle, name, configuration) for name in drivers],
        "threads then": [results.detail("threads", idle, name, configuration) for name in drivers],
        "µs to open each": [results.detail("microseconds to open one", idle, name, configuration) for name in drivers],
    }
    return _details(results, configuration, f"{level} Memory ({configuration})", "", found)


def _details(
    results: Results, configuration: Configuration, head: str, corner: str, found: dict[str, list[float | None]]
) -> str:
    """A table with a column for each driver; nothing if there is nothing in it."""
    rows = {name: values for name, values in found.items() if any(value is not None for value in values)}
    if not rows:
        return ""
    columns = [
        position
        for position in range(len(configuration.drivers()))
        if any(values[position] is not None for values in rows.values())
    ]
    names = [driver_title(results, configuration.drivers()[position]) for position in columns]
    lines = [f"| {corner} | {' | '.join(names)} |", f"|---|{'---:|' * len(columns)}"]
    for name, values in rows.items():
        lines.append(f"| {name} | {' | '.join(number(values[position]) for position in columns)} |")
    return f"{head}\n\n" + "\n".join(lines)


def _functions(results: Results, workload: str, level: str) -> str:
    lines = [
        f"| `{function.name}` | {number(function.calls)} | {function.share:.0%} |"
        for function in results.functions[workload]
    ]
    if not lines:
        return ""
    comparison = compare(results, workload, BASE)
    verdict = f": {comparison.verdict}" if comparison and comparison.verdict else ""
    head = ["| function in the thread of the loop | calls | share |", "|---|---:|---:|"]
    return f"{level}# {title(workload).capitalize()}{verdict}\n\n" + "\n".join([*head, *lines])


def _measured(results: Results, driver: str, configuration: Configuration) -> bool:
    return any(cell.driver == driver and cell.configuration == configuration for cell in results.found)


def comparisons(results: Results, configuration: Configuration) -> Iterable[Comparison]:
    """One for each workload that was measured on ours."""
    for workload in configuration.workloads():
        comparison = compare(results, workload, configuration)
        if comparison is not None:
            yield comparison
