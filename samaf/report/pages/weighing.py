"""Evaluation, alteration and alternatives: what the results mean, and how sure that is."""

from __future__ import annotations

from collections.abc import Iterator

from samaf.report.drawn import density_name
from samaf.report.evaluation import bounded, ratio_words, scale_rows, support_sentence
from samaf.report.examined import Examined, Found
from samaf.report.pages.document import Block, Heading, Items, Paragraph, Picture, Table
from samaf.report.pages.words import NAMES, NOT_EXAMINED, chance, moment, span
from samaf.report.record import CANDIDATES_UP_TO_S, Examination
from samaf.report.validation import nearest_length

DOUBTFUL_BER = 0.25
LAY = (
    "For readers who are not specialists: a likelihood ratio of 100 means that the result is 100 "
    "times as probable if H1 is true as if the alternative is true. It does not mean that H1 is "
    "100 times as probable as the alternative. How probable H1 is depends also on everything else "
    "that is known in the case, which this examination does not consider."
)


def evaluation(record: Examination, clip: Examined) -> Iterator[Block]:
    """Write scores, likelihood ratios and their words."""
    yield Heading("Evaluation")
    for number, found in enumerate(clip.matches, 1):
        yield from weighed(record, number, found)
        yield from density(record, clip, number, found)
    if not clip.matches:
        yield Paragraph(
            "No recording reached the limit, so there is no match to evaluate. That the clip is "
            "unknown is no proof that its recording is not in the store; see Validity and Limits."
        )
    if clip.matches:
        yield from bounds(record)
    if any(each.calibrated for each in record.model.alternatives):
        yield from scale()


def conclusion(record: Examination, found: Found) -> str:
    """Say in words what a match is worth against the alternative that decides."""
    key = "text" if record.settings.population == "prompts" else "speech"
    (evidence,) = (each for each in found.evidence if each.key == key)
    if evidence.log10_lr is None:
        return "No likelihood ratio is given: the model is not calibrated."
    (alternative,) = (each for each in record.model.alternatives if each.key == key)
    ratio = bounded(evidence.log10_lr, alternative.lowest, alternative.highest)
    words = support_sentence(ratio, "H1", NAMES[key])
    return f"{words} The likelihood ratio is {ratio_words(ratio)}."


def weighed(record: Examination, number: int, found: Found) -> Iterator[Block]:
    """Write the weight of one match against each alternative."""
    yield Heading(f"Match {number}: {found.recording.name}", 2)
    yield weights(record, found)


def weights(record: Examination, found: Found) -> Table:
    """Write the table of a match's weights."""
    alternatives = {each.key: each for each in record.model.alternatives}
    validated = record.model.validation.false if record.model.validation else 0
    rows: list[tuple[str, ...]] = []
    for evidence in found.evidence:
        alternative, name = alternatives[evidence.key], NAMES[evidence.key]
        about = (name, f"{evidence.score:.2f}", chance(evidence.score, validated))
        if evidence.log10_lr is None:
            rows.append((*about, "none", "none: the model is not calibrated"))
            continue
        ratio = bounded(evidence.log10_lr, alternative.lowest, alternative.highest)
        rows.append((*about, *_ratio(ratio, name)))
    signal = found.signal
    if signal is not None and not signal.reason:
        ratio = min(signal.log10_lr, signal.highest)
        score = f"{signal.score:.2f}"
        rows.append(("another place, by the signals", score, "", *_ratio(ratio, "another place")))
    return Table(("H1 against", ">score", "false matches", ">log10 LR", "in words"), tuple(rows))


def bounds(record: Examination) -> Iterator[Block]:
    """Write why likelihood ratios are bounded, and what those of the signals are fitted to."""
    calibrated = [each for each in record.model.alternatives if each.calibrated]
    ranges = dict.fromkeys(f"{each.lowest:.2f} to {each.highest:.2f}" for each in calibrated)
    for span_of_ratios in ranges:
        yield Paragraph(
            f"log10 likelihood ratios of the hashes are bounded, {span_of_ratios}: their "
            "calibration has too few voices to support more, whatever the score."
        )
    signals = (found.signal for clip in record.clips for found in clip.matches if found.signal)
    for highest, population in dict.fromkeys(
        (signal.highest, signal.population) for signal in signals if not signal.reason
    ):
        yield Paragraph(
            f"The ratio of the signals is bounded at {highest:.2f}. It is fitted to {population}. "
            "The ratios are not multiplied: hashes and signals of one clip are not independent."
        )


def _ratio(log10_lr: float, name: str) -> tuple[str, str]:
    words = support_sentence(log10_lr, "H1", name)
    return f"{log10_lr:.2f}", f"{ratio_words(log10_lr)}. {words}"


def scale() -> Iterator[Block]:
    """Write the whole verbal scale, and what a ratio is not."""
    yield Heading("The verbal scale", 2)
    yield Paragraph(
        "Words are those of the scale in the ENFSI guideline for evaluative reporting in forensic "
        "science (2015). Ratios below 1 support the alternative in the same steps."
    )
    yield Table(("likelihood ratio", "the result gives"), scale_rows())
    yield Paragraph(LAY)


def density(record: Examination, clip: Examined, number: int, found: Found) -> Iterator[Block]:
    """Show the score among those of the validation, where the model card has them."""
    validation = record.model.validation
    length = (
        nearest_length(validation, found.query_stop - found.query_start) if validation else None
    )
    if length and (length.true_scores or length.false_scores):
        yield Picture(
            density_name(record.clips.index(clip) + 1, number),
            f"How sure? Scores of validation queries of {length.seconds:g} s, and this score.",
            f"This score of {found.score:.1f} beside the scores of {length.true} true and "
            f"{length.false} false validation queries.",
        )


def alteration(record: Examination, clip: Examined) -> Iterator[Block]:
    """Write how the clip was altered in time and frequency, as estimates."""
    yield Heading("Alteration")
    if not clip.matches:
        yield Paragraph(f"{NOT_EXAMINED.capitalize()}: nothing was found to compare with.")
        return
    yield Table(
        ("", "recording", "tempo", "pitch", "direction", "in words"),
        tuple(_altered(n, found) for n, found in enumerate(clip.matches, 1)),
    )
    deep = record.settings.search != "plain"
    yield Paragraph(
        "These are estimates by the search, not measurements. Tempo and pitch are mostly right "
        "within 1 %, and up to 2.5 % off at half speed or with the pitch changed by half. Less "
        "than 2 % is not reported as a change."
        + (
            " A clip that matches clearly as it is gets no further test, so a change of a few per "
            "cent may go unreported."
            if deep
            else " The search was a plain one: pitch and direction were not examined, and tempo "
            "only as far as the stretch itself shows it."
        )
    )
    for number, found in enumerate(clip.matches, 1):
        if found.signal is not None and found.signal.drift_ppm is not None:
            tau = 1 + found.signal.drift_ppm / 1e6
            yield Paragraph(
                f"Match {number}, by the signals: the clip lasts {tau:.6f} times as long as the "
                f"recording's stretch (tempo {1 / tau:.5f} x)."
            )


def _altered(number: int, found: Found) -> tuple[str, ...]:
    altered = found.alteration
    tempo = f"{1 / altered.tau:.3f} x, ± 1 %"
    if altered.examined:
        pitch = f"{altered.rho:.3f} x, ± 1 %"
        direction = "backwards" if altered.reversed else "forwards"
        words = altered.text or "no change found"
    else:
        pitch = direction = NOT_EXAMINED
        words = altered.text or NOT_EXAMINED
    return (f"{number}", found.recording.name, tempo, pitch, direction, words)


def alternatives(record: Examination, clip: Examined) -> Iterator[Block]:
    """Write which other explanations were looked at."""
    yield Heading("Alternatives considered")
    doubtful = [f for f in clip.matches if f.same_text]
    for found in doubtful:
        yield Paragraph(
            f"Match with {found.recording.name}: another voice that says the same text at the "
            f"same pace may agree as well (H2b), with a BER of {found.ber:.3f}. Listen, and "
            "compare the signals, before you conclude.",
            "warning",
        )
    for found in clip.matches:
        if found.ber > DOUBTFUL_BER:
            yield Paragraph(
                f"Match with {found.recording.name}: its BER of {found.ber:.3f} is above 0.25, "
                "where matches of different origin begin.",
                "warning",
            )
    if clip.candidates:
        yield Paragraph(
            "Next candidates: recordings that the search came near to, and that did not reach the "
            "limit. Such candidates are expected for any clip."
        )
        yield Table(
            ("clip", "recording", "place", ">BER", ">score"),
            tuple(
                (
                    span(c.query_start, c.query_stop),
                    c.recording.name,
                    moment(c.reference_start),
                    f"{c.ber:.3f}",
                    f"{c.score:.1f}",
                )
                for c in clip.candidates
            ),
        )
    elif clip.reason:
        yield Paragraph("None: the clip was not searched for.")
    elif clip.item and clip.item.duration > CANDIDATES_UP_TO_S:
        yield Paragraph(f"Next candidates: {NOT_EXAMINED} for clips of more than 10 minutes.")
    else:
        yield Paragraph("No other recording of the store came near.")
    if len({f.recording.sha256 for f in clip.matches}) > 1:
        yield Items(
            (
                "More than one recording was found. Stretches that overlap in the clip may be "
                "copies of one original, or several voices at once; stretches that follow each "
                "other may be joined.",
            )
        )
