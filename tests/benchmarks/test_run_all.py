"""Every system from end to end: prepared, stored, queried, reported."""

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
from click.testing import Result
from conftest import call, refusal
from scipy.io import wavfile

from baselines.recognizer import SYSTEMS
from benchmarks.accuracy import tables
from benchmarks.accuracy.query_sets import gather
from benchmarks.accuracy.report import read_report
from benchmarks.accuracy.results import FAILURE, Results
from benchmarks.accuracy.run_all import run_all
from benchmarks.accuracy.stages import Plan
from benchmarks.accuracy.systems import known_systems
from benchmarks.accuracy.transformations import ORIGINAL
from samaf.training.corpora import Corpus
from samaf.training.curves import Point, write_points

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(which("sox") is None, reason="SoX is not installed"),
]
BASELINES = [name for name in known_systems() if name.partition(":")[0] in SYSTEMS]


@pytest.fixture(scope="module")
def folder(corpus: Corpus, model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results of every system, and the report on them."""
    home = tmp_path_factory.mktemp("run")
    systems = ",".join([f"samaf:{model}", *BASELINES])
    done = run(home, corpus.root, systems, "--split", "test,train")
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
    assert call("accuracy", "report", home / "out", "--training", home / "training").exit_code == 0
    return home / "out"


def run(home: Path, corpus: Path, systems: str, *words: object) -> Result:
    """Run systems on a corpus, into ``home``."""
    where = ["--corpus", corpus, "--work", home / "work", "--out", home / "out"]
    what = ["--transformations", "Original,Speed1.05", "--granularity", "1,3", "--sample", 2]
    return call("accuracy", "run", "--systems", systems, *where, *what, *words)


def curves_of(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder / "curves.csv"


def test_every_system_answers(folder: Path, corpus: Corpus) -> None:
    found = read_report(Results(folder))
    can_run = [n for n in BASELINES if which("fpcalc") or not n.startswith("chromaprint")]
    assert sorted(found.systems) == sorted(["samaf:projections", *can_run])
    assert set(found.failures) == set(BASELINES) - set(can_run)
    assert all(reason.startswith("skipped: ") for reason in found.failures.values())
    perfect = found.cell("samaf:projections", "test", "Original", 1)
    assert (perfect.value, perfect.queries, perfect.clips) == (1, 30, 3)
    assert found.cell("bruteforce:spectrogram", "train", "Original", 3).value == 1
    assert found.mean("bruteforce:spectrogram", "test", 3, ["Original"], "placed").value == 1
    # --sample holds for those queried window by window, and for them alone.
    assert {c.header["sample"] for c in found.cells["dejavu:best", "test"].values()} == {2}
    assert {c.header["sample"] for c in found.cells["samaf:projections", "test"].values()} == {None}


def test_open_set_and_scale(folder: Path) -> None:
    found = read_report(Results(folder))
    opened = found.open_sets["samaf:projections", "test", 1]
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
    lines = (report / "accuracy-samaf+projections-test.md").read_text().splitlines()
    assert "| transformation | 1 s | 3 s | BER, true | BER, impostors | overlap |" in lines
    assert any(line.startswith("| Original | 100.0 (100.0-100.0) | 100") for line in lines)
    assert any("| 0.000±0.00 |" in line for line in lines)
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
    folder_of_random = home / "out" / "random+uniform"
    before = (folder_of_random / "store.json").stat().st_mtime_ns
    words = (home, corpus.root, "random", "--split", "test,train")
    assert run(*words).exit_code == 0
    assert (folder_of_random / "store.json").stat().st_mtime_ns == before
    (folder_of_random / "open-test" / "Original-1s.npz").unlink()
    assert run(*words).exit_code == 0
    assert (folder_of_random / "open-test" / "Original-1s.npz").is_file()


def test_failing_system_is_a_line_and_the_others_go_on(
    folder: Path, corpus: Corpus, tmp_path: Path
) -> None:
    home = tmp_path / "run"
    shutil.copytree(folder.parent, home)
    shutil.rmtree(home / "out" / "random+uniform")
    damaged = home / "out" / "dejavu+best" / "test" / "Original-1s.npz"
    damaged.write_bytes(b"cut")
    done = run(home, corpus.root, "dejavu,random")
    assert done.exit_code == 1
    assert "1 of 2 systems measured" in done.output
    found_reason = Results(home / "out").read_json(home / "out" / "dejavu+best" / FAILURE)
    assert found_reason is not None
    assert "Original-1s.npz: cannot be read" in found_reason["reason"]
    damaged.unlink()
    found = read_report(Results(home / "out"))
    assert found.cell("random:uniform", "test", "Original", 1).queries == 2
    lines = {line[0]: line for line in tables.costs(found).body}
    assert "Original-1s.npz: cannot be read" in str(lines["dejavu:best"][-1])


def test_results_of_other_settings_stay_as_they_are(
    folder: Path, corpus: Corpus, tmp_path: Path
) -> None:
    home = tmp_path / "run"
    shutil.copytree(folder.parent, home)
    shutil.rmtree(home / "out" / "random+uniform")
    done = run(home, corpus.root, "dejavu,random", "--sample", 1)
    assert done.exit_code == 1
    assert "sample = 2, now wanted is 1; name another --out folder" in done.output
    assert "1 of 2 systems measured" in done.output
    found = read_report(Results(home / "out"))
    assert "dejavu:best" not in found.failures
    assert found.cell("random:uniform", "test", "Original", 1).queries == 1
    lines = {line[0]: line for line in tables.costs(found).body}
    assert lines["dejavu:best"][-1] == ""


def test_killed_process_is_a_line(corpus: Corpus, tmp_path: Path) -> None:
    query_set = gather(corpus, "test", [ORIGINAL], tmp_path / "work", jobs=1)
    Results(tmp_path / "out").start(query_set.configuration(), query_set.references())
    plan = Plan((query_set,), (1,), None, ("closed",), tmp_path / "out")

    def kill(name: str, done: float, total: int) -> None:
        for child in active_children():
            child.kill()

    failures = run_all({"dejavu:paper": "dejavu:paper"}, plan, 1, kill)
    assert "was ended by SIGKILL" in failures["dejavu:paper"]
    assert read_report(Results(tmp_path / "out")).failures == failures


def test_results_of_another_corpus_are_refused(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    shutil.copytree(folder.parent, tmp_path / "run")
    source = np.random.default_rng(1).uniform(-1, 1, 40_000).astype(np.float32)
    for name in "abcdefgh":
        wavfile.write(other / f"{name}.wav", 16_000, source)
    where = ["--corpus", other, "--work", tmp_path / "work", "--out", tmp_path / "run" / "out"]
    done = call(
        "accuracy",
        "run",
        "--systems",
        "random",
        "--split",
        "train",
        "--transformations",
        "Original",
        *where,
    )
    assert done.exit_code == 1
    assert "was measured with corpus = " in done.output.splitlines()[-1]


def test_report_with_learning_curves_of_no_point(folder: Path, tmp_path: Path) -> None:
    write_points([], curves_of(tmp_path / "just begun"))
    reason = refusal("accuracy", "report", folder, "--training", tmp_path)
    assert reason.startswith(f"{tmp_path}: holds no NAME/curves.csv with figures")


def test_full_disk_is_a_line(tmp_path: Path) -> None:
    # A limit on the size of files stands for it: the same short write.
    code = (
        "import resource, numpy as np; from pathlib import Path;"
        "from benchmarks.accuracy.query_sets import write_samples;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        f"write_samples(Path({str(tmp_path / 'clip.npy')!r}), np.zeros(9000, np.float32))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode
    assert "clip.npy: cannot be written (" in done.stderr.splitlines()[-1]
    assert "None" not in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())
