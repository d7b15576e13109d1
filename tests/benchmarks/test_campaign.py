"""Every recognizer from end to end: prepared, stored, asked, shown."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from multiprocessing import active_children
from pathlib import Path
from shutil import which

import numpy as np
import pytest
from click.testing import CliRunner, Result
from scipy.io import wavfile

from baselines.recognizer import SYSTEMS
from benchmarks import tables
from benchmarks.__main__ import main
from benchmarks.campaign import FAILURE, measure_all
from benchmarks.findings import read_findings
from benchmarks.measuring import Plan
from benchmarks.recognizers import known_systems
from benchmarks.results import Results
from benchmarks.runs import gather
from benchmarks.transformations import select_rows
from samaf.training.corpora import Corpus
from samaf.training.curves import Point, write_points

pytestmark = pytest.mark.skipif(which("sox") is None, reason="SoX is not installed")
BASELINES = [name for name in known_systems() if name.partition(":")[0] in SYSTEMS]
ROWS = "Original,Speed1.05"


def call(*words: object) -> Result:
    return CliRunner(catch_exceptions=False).invoke(main, [str(word) for word in words])


@pytest.fixture(scope="module")
def folder(corpus: Corpus, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of every recognizer, and the report on them."""
    home = tmp_path_factory.mktemp("run")
    words = run_words(home, corpus)
    recognizers = ",".join([f"samaf:{model}", *BASELINES])
    done = call("run", "--recognizers", recognizers, "--split", "test,train", *words)
    assert done.exit_code == (which("fpcalc") is None)  # one that is not installed is not measured
    write_points(
        [
            Point(10, "train", 1.0, {"M": 1.0}),
            Point(10, "validation", 1.0, {"M": 0.9}, 0.5, 30.0),
            Point(20, "validation", 0.5, {"M": 0.4}, 0.7, 25.0),
        ],
        curves_of(home / "training" / "1LST128M"),
    )
    write_points([], curves_of(home / "training" / "just begun"))
    assert call("report", home / "out", "--training", home / "training").exit_code == 0
    return home / "out"


def run_words(home: Path, corpus: Corpus) -> list[object]:
    where = ["--corpus", corpus.root, "--work", home / "work", "--out", home / "out"]
    return [*where, "--rows", ROWS, "--granularity", "1,3", "--sample", 2, "--jobs", 2]


def curves_of(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder / "curves.csv"


def test_every_recognizer_answers(folder: Path, corpus: Corpus) -> None:
    found = read_findings(Results(folder))
    can_run = [n for n in BASELINES if which("fpcalc") or not n.startswith("chromaprint")]
    assert sorted(found.recognizers) == sorted(["samaf:projections", *can_run])
    assert set(found.failures) == set(BASELINES) - set(can_run)
    assert all(reason.startswith("skipped: ") for reason in found.failures.values())
    perfect = found.cell("samaf:projections", "test", "Original", 1)
    assert (perfect.value, perfect.queries, perfect.clips) == (1, 30, 3)
    assert found.cell("bruteforce:spectrogram", "train", "Original", 3).value == 1
    assert found.mean("bruteforce:spectrogram", "test", 3, ["Original"], "placed").value == 1
    # --sample holds for those asked window by window, and for them alone.
    assert {c.header["sample"] for c in found.counted["dejavu:best", "test"].values()} == {2}
    assert {c.header["sample"] for c in found.counted["samaf:projections", "test"].values()} == {
        None
    }


def test_open_set_and_scale(folder: Path) -> None:
    found = read_findings(Results(folder))
    opened = found.opened["samaf:projections", "test", 1]
    # Original and Speed1.05 of three clips have 10 windows each.
    assert opened.genuine + opened.impostors == 3 * 20
    assert opened.genuine % 20 == 0 != opened.impostors
    grown = found.growth("samaf:projections", "test", 1)
    assert list(grown) == [1, 10, 100]
    assert grown[1].value >= grown[10].value >= grown[100].value > 0
    assert not found.growth("dejavu:best", "test", 1)


def test_report(folder: Path) -> None:
    report = folder / "report"
    text = (report / "tables.md").read_text()
    assert "5,795 and not 6,425" in text
    assert "Not done for bruteforce:spectrogram, " in text
    for table in ["table3", "table4", "table5-1s", "table5-3s", "table6", "open-set", "scale"]:
        assert (report / f"{table}.tex").read_text().count(r"\\") > 1
    with (report / "table5-3s.csv").open(newline="") as file:
        lines = {line["transformation"]: line for line in csv.DictReader(file)}
    assert lines["Original"]["bruteforce:spectrogram"] == "1.000000"
    assert lines["Original"]["bruteforce:spectrogram queries"] == "2"
    assert lines["Original"]["Dejavu, published"] == "96.72"
    assert lines["mean of 2"]["SAMAF, published"] == ""
    for name in ["figure5", "figure6", "figure7", "figure8", "det", "scale"]:
        assert (report / f"{name}.png").read_bytes()[:4] == b"\x89PNG"
        assert "</svg>" in (report / f"{name}.svg").read_text()[-20:]


def test_a_second_run_has_nothing_to_do(folder: Path, corpus: Corpus, tmp_path: Path) -> None:
    home = tmp_path / "run"
    shutil.copytree(folder.parent, home)
    room = home / "out" / "random+uniform"
    before = (room / "store.json").stat().st_mtime_ns
    words = ["run", "--recognizers", "random", "--split", "test,train", *run_words(home, corpus)]
    assert call(*words).exit_code == 0
    assert (room / "store.json").stat().st_mtime_ns == before
    (room / "open-test" / "Original-1s.npz").unlink()
    assert call(*words).exit_code == 0
    assert (room / "open-test" / "Original-1s.npz").is_file()


def test_failing_recognizer_is_a_line_and_the_others_go_on(
    folder: Path, corpus: Corpus, tmp_path: Path
) -> None:
    home = tmp_path / "run"
    shutil.copytree(folder.parent, home)
    shutil.rmtree(home / "out" / "random+uniform")
    damaged = home / "out" / "dejavu+best" / "test" / "Original-1s.npz"
    damaged.write_bytes(b"cut")
    done = call("run", "--recognizers", "dejavu,random", *run_words(home, corpus))
    assert done.exit_code == 1
    assert "1 of 2 recognizers measured" in done.output
    found_reason = Results(home / "out").read_json(home / "out" / "dejavu+best" / FAILURE)
    assert found_reason is not None
    assert "Original-1s.npz: cannot be read" in found_reason["reason"]
    damaged.unlink()
    found = read_findings(Results(home / "out"))
    assert found.cell("random:uniform", "test", "Original", 1).queries == 2
    lines = {line[0]: line for line in tables.costs(found).body}
    assert "Original-1s.npz: cannot be read" in str(lines["dejavu:best"][-1])


def test_results_of_other_settings_stay_as_they_are(
    folder: Path, corpus: Corpus, tmp_path: Path
) -> None:
    home = tmp_path / "run"
    shutil.copytree(folder.parent, home)
    shutil.rmtree(home / "out" / "random+uniform")
    words = [*run_words(home, corpus), "--sample", 1]
    done = call("run", "--recognizers", "dejavu,random", *words)
    assert done.exit_code == 1
    assert "sample = 2, now asked for 1; name another --out folder" in done.output
    assert "1 of 2 recognizers measured" in done.output
    found = read_findings(Results(home / "out"))
    assert "dejavu:best" not in found.failures
    assert found.cell("random:uniform", "test", "Original", 1).queries == 1
    lines = {line[0]: line for line in tables.costs(found).body}
    assert lines["dejavu:best"][-1] == ""


def test_killed_process_is_a_line(corpus: Corpus, tmp_path: Path) -> None:
    material = gather(corpus, "test", select_rows("Original"), tmp_path / "work", jobs=1)
    Results(tmp_path / "out").start(material.configuration(), material.references())
    plan = Plan((material,), (1,), None, ("closed",), tmp_path / "out")

    def kill(name: str, done: float, total: int) -> None:
        for child in active_children():
            child.kill()

    failures = measure_all({"dejavu:paper": "dejavu:paper"}, plan, 1, kill)
    assert "was ended by SIGKILL" in failures["dejavu:paper"]
    assert read_findings(Results(tmp_path / "out")).failures == failures


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--recognizers", "shazam"], "shazam: no such recognizer"),
        (["--recognizers", "samaf:3LST"], "no such model"),
        (["--split", "dev"], "--split dev: choose some of train,validation,test"),
        (["--parts", "half"], "--parts half: choose some of closed,open,scale"),
        (["--granularity", "0"], "whole seconds from 1 to 6"),
    ],
)
def test_bad_words_are_one_line(
    words: list[str], reason: str, corpus: Corpus, tmp_path: Path
) -> None:
    done = call("run", *run_words(tmp_path, corpus), *words)
    assert done.exit_code == 1
    assert reason in done.output
    assert len(done.output.splitlines()) == 1


def test_results_of_another_corpus_are_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copytree(folder.parent, tmp_path / "run")
    source = np.random.default_rng(1).uniform(-1, 1, 40_000).astype(np.float32)
    for name in "abcdefgh":
        wavfile.write(other / f"{name}.wav", 16_000, source)
    where = ["--corpus", other, "--work", tmp_path / "work", "--out", tmp_path / "run" / "out"]
    done = call("run", "--recognizers", "random", "--split", "train", "--rows", "Original", *where)
    assert done.exit_code == 1
    assert "was measured with corpus = " in done.output.splitlines()[-1]


def test_report_without_results(tmp_path: Path) -> None:
    done = call("report", tmp_path)
    assert done.exit_code == 1
    assert "holds no benchmark results" in done.output


def test_report_with_learning_curves_of_no_point(folder: Path, tmp_path: Path) -> None:
    write_points([], curves_of(tmp_path / "just begun"))
    done = call("report", folder, "--training", tmp_path)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {tmp_path}: holds no NAME/curves.csv with figures")
    assert len(done.output.splitlines()) == 1


def test_full_disk_is_a_line(tmp_path: Path) -> None:
    # A limit on the size of files stands for it: the same short write.
    code = (
        "import resource, numpy as np; from pathlib import Path;"
        "from benchmarks.preparation import write_samples;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        f"write_samples(Path({str(tmp_path / 'clip.npy')!r}), np.zeros(9000, np.float32))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode
    assert "clip.npy: cannot be written (" in done.stderr.splitlines()[-1]
    assert "None" not in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())
