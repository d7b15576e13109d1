"""Cover, administrative part, question and propositions, method."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from samaf.report.pages.document import Block, Facts, Heading, Items, Paragraph
from samaf.report.pages.words import NAMES, count, date_of, moment
from samaf.report.record import Examination, Settings

PROGRAM_QUESTION = (
    "From which stored recording, and from which place in it, does the clip come, and how was it "
    "altered in time and frequency?"
)


def title(record: Examination) -> str:
    """Give the title: that of the case file, or a plain one."""
    what = "an audio clip" if len(record.clips) == 1 else f"{len(record.clips):,} audio clips"
    return record.case.title or f"Examination of {what}"


def cover(record: Examination, attachments: Sequence[tuple[str, str]]) -> Facts:
    """Say what report this is, and which files belong to it."""
    case = record.case
    rows = [
        ("Report number", case.number),
        ("Version", case.version),
        ("State", case.state),
        ("Date", date_of(record)),
        *((f"SHA-256 of {name}", digest) for name, digest in attachments),
    ]
    return Facts(tuple(rows))


def administrative(record: Examination) -> Iterator[Block]:
    """Write who examined what for whom."""
    case = record.case
    yield Heading("Administrative part")
    yield Facts(
        (
            ("Laboratory", case.laboratory),
            ("Customer", case.customer),
            ("Case", case.case),
            ("Examiner", case.examiner),
            ("Reviewer", case.reviewer),
            ("Items received", case.received),
            ("Examination done", case.done),
            ("Report issued", case.issued),
        )
    )


def question(record: Examination) -> Iterator[Block]:
    """Write the question, the propositions and the population."""
    yield Heading("Question and propositions")
    yield Facts(
        (
            ("Question of the customer", record.case.question),
            ("Question that the program answers", PROGRAM_QUESTION),
            ("Relevant population", record.case.population),
        )
    )
    yield Paragraph("The result is evaluated for these propositions about each match:")
    yield Items(
        (
            "H1: the clip is a copy, altered or not, of a stretch of the recording that was found, "
            "from the place that is given.",
            "H2a: the clip is other speech, which does not say what the recording says.",
            "H2b: another voice says the same text at the same pace.",
        )
    )
    decides = "H2b, with H2a" if record.settings.population == "prompts" else "H2a"
    yield Paragraph(
        f"The population of the search is {record.settings.population}: {decides} decides which "
        "matches are given. Each match is evaluated against both."
    )
    for alternative in record.model.alternatives:
        name = NAMES[alternative.key]
        if alternative.calibrated:
            yield Paragraph(
                f"Likelihood ratios against {name} ({alternative.text}) rest on this population: "
                f"{alternative.population}."
            )
        else:
            yield Paragraph(
                f"The model is not calibrated against {name}: no likelihood ratio is given.",
                "warning",
            )


def _chosen(settings: Settings) -> str:
    track = "by default" if settings.track is None else f"{settings.track}"
    channel = "all, and sides that differ" if settings.channel is None else f"{settings.channel}"
    return f"{track}, {channel}"


def method(record: Examination) -> Iterator[Block]:
    """Write what computed the results, in what, and with which options."""
    program, model, store, settings = record.program, record.model, record.store, record.settings
    yield Heading("Method")
    yield Paragraph(
        "The bytes of each item are hashed (SHA-256) before they are decoded. The sound is decoded "
        f"to mono at 16 kHz. Every {model.hop:g} s, the {model.block:g} s that begin there become "
        f"a hash of {model.bits} bits. Stretches of the clip are searched for in the hashes of "
        "all recordings of the store. The bit error rate (BER) of a stretch is the share of bits "
        "that differ; unrelated speech differs in about half of them. The score of a match is "
        "−log10 of the false matches that such a search is expected to give."
    )
    searches = {
        "plain": "plain: changes of tempo, pitch, speed and direction are not looked for",
        "deep": "deep: also speed, tempo or pitch changed by up to a factor of 2, and reversal",
        "exhaustive": "exhaustive: as deep, also reversal with speed, and tempo with pitch",
    }
    yield Facts(
        (
            ("Program", f"samaf {program.samaf}"),
            ("Python, NumPy", f"{program.python}, {program.numpy}"),
            ("Decoder", f"FFmpeg {program.ffmpeg} (PyAV {program.av})"),
            ("Inference", f"ONNX Runtime {program.onnxruntime}"),
            ("System", program.system),
            ("Model", f"{model.name}, {model.bits} bits"),
            ("Digest of the model", model.digest),
            *(
                (
                    f"Scores against {NAMES[each.key]} are fitted to",
                    each.scores or "nothing: they are guesses",
                )
                for each in model.alternatives
            ),
            ("Search", searches[settings.search]),
            ("Population", settings.population),
            ("Seconds compared at once", f"{settings.granularity_s}"),
            ("Maximum expected false matches per clip", f"{settings.max_false_matches:g}"),
            ("Maximum matches for one stretch", f"{settings.k}"),
            ("Index", settings.index),
            ("Sound track, channel of the clip", _chosen(settings)),
            ("Comparison of the signals", "done" if settings.verify else "not examined"),
            ("Store", store.name),
            ("Store id", store.store_id),
            (
                "Contents of the store",
                f"{count(store.recordings, 'recording', 'recordings')}, "
                f"{moment(3600 * store.hours)} of audio, {store.hashes:,} hashes, "
                f"revision {store.revision}",
            ),
            (
                "Newest audit entry that changed it",
                f"{store.audit_entry}, {store.audit_act}, {store.audit_time}"
                if store.audit_entry
                else "none",
            ),
            ("Hash of that entry", store.audit_hash or "none"),
        )
    )
