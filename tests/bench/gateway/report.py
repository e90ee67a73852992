"""The results as Markdown."""

import statistics
from collections.abc import Iterable, Sequence

from tests.bench.gateway import null_model
from tests.bench.gateway.engine import TOKENS, Bound
from tests.bench.gateway.measure import STEADY_STREAMS
from tests.bench.gateway.result import Added, Ceiling, Result, Steady

BUSY = 0.93
"""A proxy that had less of its core was not the limit; the load was."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others are figures."""
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def number(value: float) -> str:
    """Three digits that count, or all before the point."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def rate(found: Ceiling | None, each: int = 1) -> str:
    """Answers per second as measured; marked where the load was the limit."""
    if not found:
        return "-"
    bound = "" if found.busy >= BUSY or not found.cpu_seconds else "*"
    return number(found.outcome.rate * each) + bound


def per_core(found: Ceiling | None, each: int = 1) -> str:
    """What a whole core would do at the CPU time that was used for each."""
    return number(1e6 / found.cpu_us * each) if found and found.cpu_us else "-"


def cost(found: Ceiling | None) -> str:
    """Microseconds of CPU time for each."""
    return number(found.cpu_us) if found and found.cpu_us else "-"


def added(found: Added | None) -> str:
    """50th and 99th percentile."""
    return f"{found.p50:.2f} / {found.p99:.2f}" if found else "-"


def at_rate(found: Added | None) -> str:
    """What is added, beside what there is without the proxy."""
    if not found:
        return "-"
    return f"{added(found)} (without it p99 {found.without_p99:.2f}; {found.busy:.0%} of the core)"


def speed(results: Sequence[Result]) -> str:
    """What each does with its core."""
    head = ["", "requests/s", "µs CPU each", "per core", "added p50 / p99 ms at a steady rate"]
    head += [f"streams/s ({null_model.CHUNKS} events)", "events/s", "µs CPU a stream", "streams/s per core"]
    rows = (
        [
            *(one.name, rate(one.whole), cost(one.whole), per_core(one.whole), at_rate(one.added)),
            *(rate(one.stream), rate(one.stream, null_model.CHUNKS), cost(one.stream), per_core(one.stream)),
        ]
        for one in results
    )
    return table(head, rows)


def streams(results: Sequence[Result]) -> str:
    """Streams as an engine makes them, and those that are open and idle."""
    head = ["", "µs CPU an event", "events/s per core", "first event later, p50 / p99 ms", "end later, p50 / p99 ms"]
    head += ["MiB at start", "MiB per 1,000 open streams", "open and idle", "MiB then", "came to their end"]
    rows = []
    for one in results:
        row = [one.name] + ["-"] * (len(head) - 1)
        if one.steady:
            each = one.steady.cpu_us
            row[1:5] = [number(each), number(1e6 / each), added(one.steady.first), added(one.steady.whole)]
        if one.held:
            held = one.held
            row[5:7] = [number(held.memory[0] / held.processes), number(held.per_thousand)]
            opened = f"{held.kept:,} of {held.wanted:,}" + (
                f" by {held.processes} processes" if held.processes > 1 else ""
            )
            row[7:] = [opened, number(held.memory[held.opened]), f"{held.ended:,}"]
        if one.steady or one.held:
            rows.append(row)
    return table(head, rows)


def ratios(results: Sequence[Result]) -> str:
    """The last gateway against each of the others, by CPU time, which holds on a busy machine too."""
    ours = next((one for one in reversed(results) if one.is_gateway), None)
    rows = []
    for other in results:
        if not ours or other.is_gateway or not other.rounds:
            continue
        row = [other.name]
        for found, its in ((ours.whole, other.whole), (ours.stream, other.stream), (ours.steady, other.steady)):
            row.append(f"{its.cpu_us / found.cpu_us:.2f}" if found and its and found.cpu_us else "-")
        if ours.held and other.held:
            row.append(f"{ours.held.per_thousand / other.held.per_thousand:.2f}")
        else:
            row.append("-")
        rows.append(row)
    head = ["gateway to", "requests/s per core", "streams/s per core", "steady events/s per core", "memory per stream"]
    return table(head, rows) if rows else ""


def gateways(results: Sequence[Result]) -> str:
    """Each further gateway against the first, in the same round; empty where there is one."""
    ours = [one for one in results if one.is_gateway]
    rows = []
    for other in ours[1:]:
        row = [other.name]
        for found in (_whole, _stream, _steady):
            pairs = [(found(a), found(b)) for a, b in zip(ours[0].rounds, other.rounds, strict=True)]
            each = [a.cpu_us / b.cpu_us for a, b in pairs if a and b and b.cpu_us]
            row.append(f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f})" if each else "-")
        rows.append(row)
    head = [f"to {ours[0].name if ours else ''}, rate per core: median of rounds (lowest to highest)"]
    head += ["requests", "streams", "steady events"]
    return table(head, rows) if rows else ""


def _whole(one: Result) -> Ceiling | None:
    return one.whole


def _stream(one: Result) -> Ceiling | None:
    return one.stream


def _steady(one: Result) -> Steady | None:
    return one.steady


def problems(results: Sequence[Result]) -> list[str]:
    """What failed, in sentences."""
    told = []
    for one in results:
        told += [f"{one.name}: {error}" for error in one.errors]
        if one.added and one.added.failed:
            told.append(f"{one.name}: {one.added.failed} requests failed under the steady rate")
        if one.held and one.held.error:
            seconds = one.held.seconds
            told.append(f"{one.name}: {one.held.opened:,} streams opened in {seconds:.0f} s: {one.held.error}")
    return told


def null_report(results: Sequence[Result]) -> str:
    """Everything about the null upstream."""
    lasts = null_model.CHUNKS * null_model.INTERVAL
    parts = [
        "Proxies compared:\n\n" + "\n".join(f"- {one.name}: {one.about}" for one in results),
        speed(results),
        f"`*`: the proxy had less than {BUSY:.0%} of its core: the load was the limit. Per core: by CPU time."
        " The steady rate is half of requests/s, unless one was given.",
    ]
    if any(one.steady or one.held for one in results):
        parts += [
            f"{STEADY_STREAMS} streams at once, {lasts:.2f} s long, an event every {null_model.INTERVAL * 1000:.0f} ms;"
            " then streams that stay open after their first event:",
            streams(results),
        ]
    parts += [part for part in (ratios(results), gateways(results)) if part]
    if told := problems(results):
        parts.append("\n".join(f"- {line}" for line in told))
    return "\n\n".join(parts)


def engine_report(bounds: Sequence[Bound]) -> str:
    """First token and throughput at each concurrency, beside those of the first of all."""
    base = bounds[0]
    measured = [one for one in bounds if not one.error]
    levels = list(base.rounds)
    head = [f"streams of {TOKENS} tokens"]
    head += [f"{level} at once: first token p50 ms, tokens/s" for level in levels]
    rows = []
    for one in measured:
        row = [one.name]
        for level in levels:
            first, tokens = statistics.median(one.first(level)), statistics.median(one.tokens(level))
            cell = f"{first:.1f}, {tokens:,.0f}"
            if one is not base and not base.error:
                cell += f" ({one.later(base, level):+.1f} ms, x{one.ratio(base, level):.2f})"
            row.append(cell)
        rows.append(row)
    told = [f"- {one.name}: {one.error}" for one in bounds if one.error]
    for one in measured:
        for level, rounds in one.rounds.items():
            if failed := sum(outcome.failed for outcome in rounds):
                error = next(outcome.error for outcome in rounds if outcome.failed)
                told.append(f"- {one.name}: {failed} requests failed, {level} at once: {error}")
    return table(head, rows) + ("\n\n" + "\n".join(told) if told else "")
