"""The demonstration: demo."""

from __future__ import annotations

from pathlib import Path

import click

PICTURE = Path("demo", "match.png")


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def demo(folder: Path | None) -> None:
    """Distort excerpts and identify them.

    Adds the recordings of a folder, or the bundled clips, to a temporary store; copies of the
    same file count once. The last file is left out, so the right answer for it is "unknown". A
    picture of the best match is written to demo/match.png.

    \b
    Example:
      samaf demo recordings/
    """
    from samaf import demo as demonstration
    from samaf.cli.render import table
    from samaf.cli.text import clock, complain
    from samaf.text import escaped

    click.echo("indexing, distorting, querying ...")
    report = demonstration.ask(folder)
    stored = [result.recording for result in report.added if result.recording]
    audio = clock(sum(recording.duration for recording in stored))
    for result in report.added:
        if result.status == "failed":
            complain(escaped(result.message))
    click.echo(
        escaped(
            f"{len(stored):,} recordings stored, {audio} of audio; not stored: {report.impostor}"
        )
    )
    lines = []
    for outcome in report.outcomes:
        excerpt = (outcome.name, clock(outcome.start), outcome.distortion.name)
        answer: tuple[str, ...] = ("unknown", "", "", "")
        if match := outcome.match:
            begin = match.reference_start - match.query_start / match.manipulation.tau
            answer = (match.recording.name, clock(begin), f"{match.ber:.3f}", f"{match.score:.1f}")
        lines.append((*excerpt, *answer, "right" if outcome.right else "WRONG"))
    table(
        ("excerpt of", ">from", "altered by", "answer", ">from", ">BER", ">score", ""),
        lines,
    )
    right = sum(outcome.right for outcome in report.outcomes)
    click.echo(f"{right} of {len(report.outcomes)} answers are right")
    if report.scene:
        demonstration.draw(report.scene, PICTURE)
        click.echo(f"picture of the best match: {PICTURE}")
