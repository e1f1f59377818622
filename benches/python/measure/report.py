"""The results as Markdown."""

from collections.abc import Iterable

from .comparison import Comparison, Ratio, compare, family
from .plan import Configuration, title
from .results import Results


def markdown(results: Results) -> str:
    """All tables, one for each configuration, under a description of the machine."""
    parts = ["# Benchmarks", _machine(results)]
    for configuration in results.configurations():
        parts.append(f"## {str(configuration).capitalize()}")
        parts.append(_table(results, configuration))
    if results.configurations():
        parts.append(_cpu(results, results.configurations()[0]))
    if results.failures:
        parts.append("## Not measured")
        parts.append("\n".join(f"- {cell}: {failure}" for cell, failure in results.failures.items()))
    return "\n\n".join(part for part in parts if part) + "\n"


def verdicts(results: Results) -> list[str]:
    """One line for each row that has a bar."""
    lines: list[str] = []
    for configuration in results.configurations():
        for comparison in _comparisons(results, configuration):
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
    return f"{value:.3g}"


def _machine(results: Results) -> str:
    lines = [f"| {fact} | {value} |" for fact, value in results.machine.items()]
    rounds = f"| rounds | {results.rounds}, interleaved; a process for each value; medians |"
    return "\n".join(["| | |", "|---|---|", *lines, rounds])


def _table(results: Results, configuration: Configuration) -> str:
    drivers = [name for name in configuration.drivers() if _measured(results, name, configuration)]
    ours, same_engine = family(configuration).ours, family(configuration).same_engine
    lines = [
        f"| workload | unit | {' | '.join(drivers)} | times {same_engine} | times the best other | bar |",
        f"|---|---|{'---:|' * len(drivers)}---:|---:|---|",
    ]
    for workload in configuration.workloads():
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


def _columns(comparison: Comparison | None, same_engine: str) -> str:
    ratios = {} if comparison is None else {ratio.other == same_engine: ratio for ratio in comparison.ratios}
    return " | ".join(_ratio(ratios.get(same)) for same in (True, False))


def _ratio(ratio: Ratio | None) -> str:
    if ratio is None:
        return "-"
    largest = "" if ratio.largest is None else f" (at most {ratio.largest:g})"
    return f"{ratio.found:.3g} of {ratio.other}{largest}"


def _cpu(results: Results, configuration: Configuration) -> str:
    """How long the processors worked: what a busy machine changes less than the time that passes."""
    drivers = [name for name in configuration.drivers() if _measured(results, name, configuration)]
    lines: list[str] = []
    for workload in configuration.workloads():
        worked = [results.detail("cpu", workload, name, configuration) for name in drivers]
        if any(value is not None for value in worked):
            lines.append(f"| {title(workload)} | {' | '.join(number(value) for value in worked)} |")
    if not lines:
        return ""
    head = [f"| µs | {' | '.join(drivers)} |", f"|---|{'---:|' * len(drivers)}"]
    return "\n".join([f"## Time that the processors worked ({configuration})", "", *head, *lines])


def _measured(results: Results, driver: str, configuration: Configuration) -> bool:
    return any(cell.driver == driver and cell.configuration == configuration for cell in results.found)


def _comparisons(results: Results, configuration: Configuration) -> Iterable[Comparison]:
    for workload in configuration.workloads():
        comparison = compare(results, workload, configuration)
        if comparison is not None:
            yield comparison
