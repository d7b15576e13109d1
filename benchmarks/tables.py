"""The paper's tables with our figures beside the published ones, and those it lacks."""

from __future__ import annotations

import math

from benchmarks import published
from benchmarks.deep import DEEP
from benchmarks.findings import GENTLE, RATES, Findings
from benchmarks.layout import Layout, Value
from benchmarks.measuring import scaled
from benchmarks.metrics import UNASKED
from benchmarks.protocol import GRANULARITIES, window_count
from benchmarks.recognizers import shortest
from benchmarks.scale import CLIPS, FACTORS, ROWS
from benchmarks.transformations import EXTREME
from samaf.audio import SAMPLE_RATE

PUBLISHED = "published"
BESIDE = "Published figures rest on VoxCeleb1, ours on another corpus: compare orders, not digits."
LEADING = 5  # lines of Table 4


def every_table(found: Findings) -> list[Layout]:
    """Make all tables that there are figures for."""
    made = [table3(found)]
    if found.recognizers:
        made += [table4(found), *(table5(found, s) for s in found.seconds), table6(found)]
    if found.opened:
        made.append(open_set(found))
        if any(name.endswith(DEEP) for name, _, _ in found.opened):
            made.append(stated_rates(found))
    made.append(scale(found))
    return [*made, costs(found)]


def table3(found: Findings) -> Layout:
    """Count reference and query hashes by granularity."""
    counts = published.table3()
    samples = [round(r.duration * SAMPLE_RATE) for r in found.references]
    body: list[tuple[Value, ...]] = []
    for seconds in GRANULARITIES:
        queries = [
            sum(c.queries for (_, s), c in found.counted[name, split].items() if s == seconds)
            for name, split in found.counted
            if split == found.unknown
        ]
        body.append(
            (
                f"{seconds} s",
                sum(window_count(n, seconds) for n in samples),
                max(queries, default=0),
                *counts[seconds],
            )
        )
    originals = published.originals_of({s: n for s, (n, _) in counts.items()})
    return Layout(
        "table3",
        "Table 3: hashes by length",
        f"{len(samples):,} originals here. Queries are those of all rows together, of the "
        f"recognizer that was asked most. The published references are those of "
        f"{originals:,.0f} originals.",
        ("length", "references", "queries", f"references, {PUBLISHED}", f"queries, {PUBLISHED}"),
        tuple(body),
    )


def table4(found: Findings) -> Layout:
    """Rank systems and granularities, with what else an answer tells right."""
    split, rows = found.unknown, found.rows(found.unknown)
    attributes = {"identified": "recording", "placed": "and its place"}
    if found.labelled:
        attributes |= {"source": "source", "speaker": "speaker"}
    ranked = sorted(
        (
            (name, seconds, found.mean(name, split, seconds, rows))
            for name in found.recognizers
            for seconds in found.seconds
        ),
        key=lambda entry: -entry[2].value if entry[2].queries else 1.0,
    )
    ranked = [entry for entry in ranked if entry[2].queries]
    chosen, shown = [], set()
    for place, (name, seconds, _) in enumerate(ranked):
        if place < LEADING or name not in shown:
            chosen.append((name, seconds))
            shown.add(name)
    columns = "Right file; right file and offset within 0.25 s"
    if found.labelled:
        columns += "; a file cut from the same source; a file of the same speaker"
    elif all(reference.speaker for reference in found.references):
        columns += ". No speaker has two recordings"
    else:
        columns += ". The corpus has no labels of speakers"
    return Layout(
        "table4",
        "Table 4: the best systems by attribute",
        f"Mean over {_rows(rows)}, {split} split, in % with a 95 % interval. The best "
        f"{LEADING} of all, then the best of each other recognizer. {columns}. The paper's best: "
        + ", ".join(f"{name} {a:.2f} or {b:.2f}" for name, (a, b) in published.BEST.items())
        + " % (its introduction, its conclusion).",
        ("system", *attributes.values()),
        tuple(
            (
                f"{name}, {seconds} s",
                *(found.mean(name, split, seconds, rows, attribute) for attribute in attributes),
            )
            for name, seconds in chosen
        ),
    )


def table5(found: Findings, seconds: int) -> Layout:
    """Compare systems by transformation at one granularity."""
    split, rows, others = found.unknown, found.rows(found.unknown), found.others(found.unknown)
    theirs = published.table5()
    systems = [s for s in published.SYSTEMS if (published.AVERAGE, seconds, s) in theirs]
    queries = {
        name: sum(c.queries for (_, s), c in found.counted[name, split].items() if s == seconds)
        if (name, split) in found.counted
        else 0
        for name in found.recognizers
    }
    # Models of vectors take no windows below 4 s.
    asked = [name for name, count in queries.items() if count]
    absent = ", ".join(name for name, count in queries.items() if not count)

    def line(title: str, chosen: list[str], key: str) -> tuple[Value, ...]:
        ours = (found.mean(name, split, seconds, chosen) for name in asked)
        return (title, *ours, *(theirs.get((key, seconds, s), math.nan) for s in systems))

    gentle = [row for row in rows if row in GENTLE]
    body = [line(row, [row], row) for row in rows]
    body.append(line(f"mean of {len(rows)}", rows, published.AVERAGE if len(rows) == 22 else ""))
    if gentle and len(gentle) < len(rows):
        body.append(line(f"mean of {len(gentle)}, no extreme", gentle, ""))
    body += [line(row, [row], "") for row in others]
    if others:
        body.append(line("mean, real life", others, ""))
    body.append(("queries", *(queries[name] for name in asked), *(math.nan for _ in systems)))
    return Layout(
        f"table5-{seconds}s",
        f"Table 5: transformations, {seconds} s",
        f"Right file in % with a 95 % interval, bootstrap over clips; {split} split. Extreme are "
        f"{', '.join(sorted(EXTREME))}."
        + (f" {BESIDE}" if systems else " The paper has no figures for this length.")
        + (f" Not asked at this length: {absent}." if absent else ""),
        (
            "transformation",
            *asked,
            *(f"{system}, {PUBLISHED}" for system in systems),
        ),
        tuple(body),
    )


def table6(found: Findings) -> Layout:
    """Compare clips of the train split (known) with those of another (unknown)."""
    theirs = published.table6()
    body: list[tuple[Value, ...]] = []
    nothing = (math.nan, math.nan)
    for name in found.recognizers:
        rows = sorted({*found.rows("train")} & {*found.rows(found.unknown)})
        for seconds in found.seconds:
            known = found.mean(name, "train", seconds, rows)
            if known.queries:
                unknown = found.mean(name, found.unknown, seconds, rows)
                model = name.partition(":")[2]
                beside = [theirs.get((model, s, seconds), nothing) for s in ("Acc", "Loss")]
                body.append((f"{name}, {seconds} s", known, unknown, *beside[0], *beside[1]))
    done = "" if body else " Not measured: the run asked no clips of the train split."
    columns = [f"{set_}, {PUBLISHED} {s}" for s in ("Acc", "Loss") for set_ in ("known", "unknown")]
    return Layout(
        "table6",
        "Table 6: known and unknown clips",
        f"Known clips are of the train split, unknown ones of the {found.unknown} split. Mean "
        f"over the paper's rows that were asked of both, in %. {BESIDE}{done}",
        ("system", "known", "unknown", *columns),
        tuple(body),
    )


def open_set(found: Findings) -> Layout:
    """Show what is left when most strangers have to be turned away."""
    body: list[tuple[Value, ...]] = [
        (
            f"{name}, {seconds} s",
            *(opened.identified[rate] for rate in RATES),
            100 * opened.curve.equal_error_rate,
            opened.genuine,
            opened.impostors,
        )
        for name in found.recognizers
        for seconds in found.seconds
        if (opened := found.opened.get((name, found.unknown, seconds)))
    ]
    return Layout(
        "open-set",
        "Open set",
        f"Half of the originals are not stored; queries of the {found.unknown} split, all of "
        "the paper's rows that were asked. Right file in % at the threshold that lets 1, 0.1 or "
        "0.01 % of the queries without a stored file pass; - where they are too few to tell. "
        "EER: where as many strangers pass as right answers are missed; - where the two never "
        "meet.",
        ("system", *(f"at {100 * rate:g} %" for rate in RATES), "EER", "genuine", "strangers"),
        tuple(body),
    )


def stated_rates(found: Findings) -> Layout:
    """Show what users get who name the rate of false matches that they put up with."""
    body: list[tuple[Value, ...]] = [
        (
            f"{name}, {seconds} s",
            *(value for rate in RATES for value in opened.stated[rate]),
            opened.genuine,
            opened.impostors,
        )
        for name in found.recognizers
        for seconds in found.seconds
        if name.endswith(DEEP) and (opened := found.opened.get((name, found.unknown, seconds)))
    ]
    columns = [f"{what} at {100 * rate:g} %" for rate in RATES for what in ("right", "strangers")]
    return Layout(
        "stated-rates",
        "Open set, stated rates",
        "As before, but answers count whose score states a rate of false matches of at most 1, 0.1 "
        "or 0.01 % a query: right files, and strangers that get an answer, both in %.",
        ("system", *columns, "genuine", "strangers"),
        tuple(body),
    )


def scale(found: Findings) -> Layout:
    """Show accuracy while the store grows."""
    split = found.unknown
    missing: list[str] = []
    body: list[tuple[Value, ...]] = []
    for name in found.recognizers:
        for seconds in found.seconds:
            grown = found.growth(name, split, seconds)
            if grown:
                body.append((f"{name}, {seconds} s", *(grown.get(f, UNASKED) for f in FACTORS)))
        times = [1_000 * found.query_seconds(name, f"{scaled(f)}{split}") for f in FACTORS]
        if all(map(math.isnan, times)):
            missing.append(name)
        else:
            body.append((f"{name}, CPU ms a query", *times))
    return Layout(
        "scale",
        "Scale",
        f"Right file in %, mean over those of {', '.join(ROWS)} that were asked, at most {CLIPS} "
        "clips, while the store holds 1, 10 and 100 times the hashes of the corpus. The further "
        "hashes are stretches of eight in a row from recordings that are not asked about, every "
        "bit turned with probability 1/8."
        + (f" Not done for {', '.join(missing)}." if missing else ""),
        ("system", *(f"x {factor}" for factor in FACTORS)),
        tuple(body),
    )


def costs(found: Findings) -> Layout:
    """Show what storing and asking cost, and who failed or was stopped."""
    cells = {name: found.counted.get((name, found.unknown), {}) for name in found.stores}
    asked = {key for keys in cells.values() for key in keys}
    body: list[tuple[Value, ...]] = []
    for name in sorted({*found.stores, *found.failures}):
        store = found.stores.get(name)
        figures: tuple[Value, ...] = ("-", "-", "-", "-")
        if store:
            seconds = store["audio_s"]
            figures = (
                float(store["stored_bits"] / seconds),
                float(seconds / max(store["cpu_s"], 1e-9)),
                1_000 * found.query_seconds(name, found.unknown),
                float(store["peak_bytes"] / 2**20),
            )
        there, most = len(cells.get(name, {})), sum(s >= shortest(name) for _, s in asked)
        unfinished = f"{there} of {most} cells" if store and there < most else ""
        body.append((name, *figures, found.failures.get(name, unfinished)))
    return Layout(
        "costs",
        "Costs and failures",
        "On one core, from CPU time. A query is a window, all lengths together; a model hashes a "
        "clip once for all its windows. Memory is the most that was resident after storing.",
        ("system", "stored bit/s", "stores x real time", "ms a query", "peak MiB", "not done"),
        tuple(body),
    )


def _rows(rows: list[str]) -> str:
    return f"the {len(rows)} rows" if len(rows) > 3 else ", ".join(rows)


def summary(found: Findings) -> str:
    """Say what the tables rest on, and where the paper contradicts itself."""
    configuration = found.configuration
    too_short = {
        seconds: max(
            (
                cell.header["too_short"]
                for (_, split), cells in found.counted.items()
                if split == found.unknown
                for (_, s), cell in cells.items()
                if s == seconds
            ),
            default=0,
        )
        for seconds in found.seconds
    }
    short = ", ".join(f"{count} at {s} s" for s, count in too_short.items() if count)
    refused = {
        reason
        for (_, split), cells in found.counted.items()
        if split == found.unknown
        for cell in cells.values()
        for reason in cell.header["failures"]
    }
    sampled = sorted(
        {
            f"{name} {cell.header['sample']}"
            for (name, split), cells in found.counted.items()
            if split == found.unknown
            for cell in cells.values()
            if cell.header["sample"]
        }
    )
    lines = [
        f"Corpus {configuration['corpus']} ({str(configuration['corpus_digest'])[:12]}), "
        f"{configuration['references']:,} speech originals of all splits stored. It is not the "
        "paper's.",
        "Intervals are 95 %, by a bootstrap over clips.",
        f"Sampled windows a cell: {', '.join(sampled)}." if sampled else "Every window was asked.",
        f"Clips too short for a window, in the worst row, counted apart: {short}." if short else "",
        f"Could not be made: {len(refused)} transformed clips, e.g. {min(refused)}."
        if refused
        else "",
    ]
    said = "\n".join(f"- {text}" for text in published.CONTRADICTIONS)
    kept = "\n".join(f"- {line}" for line in lines if line)
    return f"# Benchmark\n\n{kept}\n\nWhere the paper contradicts itself:\n\n{said}\n"
