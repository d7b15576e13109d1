"""What was found, and how far it agrees: tables and pictures of one clip."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

from samaf.report.drawn import course_name, line_name, place_name
from samaf.report.examined import Examined, Found
from samaf.report.pages.document import Block, Heading, Paragraph, Picture, Table
from samaf.report.pages.weighing import conclusion
from samaf.report.pages.words import log10_lr, moment, span
from samaf.report.record import Examination

MATCH_TITLES = (
    *("", "clip, from", "to", "recording", "from", "to"),
    *(">BER", ">score", ">log10 LR", "signal"),
)


def outcome(record: Examination, clip: Examined) -> str:
    """Say in one or two sentences what came out."""
    if clip.outcome == "failed":
        return f"The clip could not be used: {clip.reason}."
    if clip.outcome == "unknown":
        why = f" It was not searched for: {clip.reason}." if clip.reason else ""
        return f"Unknown: no recording of the store was found for this clip.{why}"
    best = clip.matches[0]
    others = len(clip.matches) - 1
    more = f" {others} more {'stretch was' if others == 1 else 'stretches were'} found." * bool(
        others
    )
    return (
        f"The clip from {span(best.query_start, best.query_stop)} agrees with the recording "
        f"{best.recording.name} from {span(best.reference_start, best.reference_stop)}. "
        f"{conclusion(record, best)}{more}"
    )


def results(record: Examination, clip: Examined) -> Iterator[Block]:
    """Write the results of one clip."""
    yield Heading("Results")
    yield Paragraph(outcome(record, clip))
    if not clip.matches:
        return
    yield Table(MATCH_TITLES, tuple(match_row(n, f) for n, f in enumerate(clip.matches, 1)))
    yield Paragraph(
        "Times of a stretch are right to about 0.3 s at its ends. BER: bit error rate, chance is "
        "about one half. Score: −log10 of the expected false matches."
    )
    for number, found in enumerate(clip.matches, 1):
        yield from one_match(record, clip, number, found)


def match_row(number: int, found: Found) -> tuple[str, ...]:
    """Give the row of a match for `MATCH_TITLES`."""
    signal = found.signal
    verified = "not examined" if signal is None else "agrees" if signal.verified else "no verdict"
    return (
        f"{number}",
        moment(found.query_start),
        moment(found.query_stop),
        found.recording.name,
        moment(found.reference_start),
        moment(found.reference_stop),
        f"{found.ber:.3f}",
        f"{found.score:.1f}",
        log10_lr(found),
        verified,
    )


def one_match(record: Examination, clip: Examined, number: int, found: Found) -> Iterator[Block]:
    """Write how far one match agrees, with its pictures."""
    at = record.clips.index(clip) + 1
    yield Heading(f"Match {number}: {found.recording.name}", 2)
    yield Paragraph(agreement(found))
    yield from judgements(found)
    if found.pictures:
        for name in found.pictures:
            yield sound_picture(name, found)
    elif found.audio != "read":
        yield Paragraph(f"No spectrogram of the recording: {found.audio}.", "warning")
    yield Picture(
        course_name(at, number),
        "Which parts agree? Bit error rate of each block of the clip; the shaded stretch matches.",
        f"Bit error rate along the clip: {course_words(found)}",
    )
    yield Picture(
        place_name(at, number),
        "Where? The whole recording, with the stretch marked.",
        f"The recording of {moment(found.recording.duration)}; the stretch lies at "
        f"{span(found.reference_start, found.reference_stop)}.",
    )
    same = [f for f in clip.matches if f.recording.sha256 == found.recording.sha256]
    if found is same[0]:
        yield Picture(
            line_name(at, number),
            "Sped up or cut? Time in the clip against time in the recording, and how far blocks "
            "lie off the line.",
            f"{len(same)} line(s) of clip time against recording time; slope "
            f"{1 / found.alteration.tau:.3f}.",
        )
    yield from signals(found)
    if found.signal and found.signal.verified and chance_limit(record) > found.score:
        yield Paragraph(
            "The hashes alone do not reach the limit of this search; the signals decided.",
            "warning",
        )


def chance_limit(record: Examination) -> float:
    """Give the least score of a match by its hashes."""
    return -log10(record.settings.max_false_matches)


def judgements(found: Found) -> Iterator[Block]:
    """Write what people decided about a match, where somebody did."""
    if found.judgements:
        yield Table(
            ("decision", "by", "time (UTC)", "comment", ">audit entry"),
            tuple(
                (j.decision, j.name, j.decided_at, j.comment, f"{j.entry_id}")
                for j in found.judgements
            ),
        )


def course_words(found: Found) -> str:
    """Say what the picture of the bit error rate shows."""
    inside = [
        ber
        for time, ber in zip(found.course.times, found.course.ber, strict=True)
        if found.query_start <= time <= found.query_stop
    ]
    if not inside:
        return "no block lies wholly within the stretch."
    return f"{min(inside):.2f} to {max(inside):.2f} within the stretch; chance is 0.5."


def agreement(found: Found) -> str:
    """Say how far hashes agree, and how much of the clip they cover."""
    blocks = (
        f"{found.agreeing} of its {found.hashes} blocks agree on their own (BER below 0.42)"
        if found.hashes
        else "it holds no whole block"
    )
    channel = ""
    if found.channel or found.reference_channel:
        channel = (
            f" Matched: {_channel(found.channel)} of the clip, "
            f"{_channel(found.reference_channel)} of the recording."
        )
    return (
        f"The stretch of {found.query_stop - found.query_start:.2f} s takes "
        f"{100 * min(1.0, found.coverage):.0f} % of the clip; {blocks}. Over the whole stretch, "
        f"{100 * found.ber:.1f} % of the bits differ.{channel}"
    )


def _channel(name: str) -> str:
    return f"channel {name}" if name else "the mix of all channels"


def sound_picture(name: str, found: Found) -> Picture:
    """Describe a picture that was drawn from sound."""
    if name.endswith("spectra"):
        return Picture(
            name,
            "Same sound? Spectrograms on one time axis; dashed lines bound the stretch.",
            "Two spectrograms above each other, the clip and the recording, aligned in time.",
        )
    assert found.signal is not None
    return Picture(
        name,
        "Verified? Correlation of the signals by place, and the lag along the clip.",
        f"Correlation by place; the peak is {found.signal.z_waveform or 0:.1f} times the rms of "
        "all other places.",
    )


def signals(found: Found) -> Iterator[Block]:
    """Write what the comparison of the signals gave, where it was done."""
    signal = found.signal
    if signal is None:
        yield Paragraph("Comparison of the signals: not examined.")
        return
    if signal.reason:
        yield Paragraph(f"Comparison of the signals: not possible, {signal.reason}.")
        return
    lag = (
        f" The clip's first sample lies on sample {signal.lag_samples:,.1f} of the recording "
        "(16 kHz)."
        if signal.lag_samples is not None
        else ""
    )
    bands = f" Coherent bands: {', '.join(signal.bands)}." if signal.bands else ""
    if signal.repeats:
        bands += f" The stretch also begins at {', '.join(map(moment, signal.repeats))}."
    if signal.inverted:
        bands += " The polarity is inverted."
    verdict = "the signals agree" if signal.verified else "no agreement beyond chance was seen"
    yield Paragraph(
        f"Comparison of the signals: {verdict} at {span(signal.query_start, signal.query_stop)} of "
        f"the clip and {span(signal.reference_start, signal.reference_stop)} of the recording. "
        f"Score {signal.score:.1f}; 4 and more counts as agreement, which at most 1 in 10,000 "
        f"wrong places reaches.{lag}{bands}"
    )
