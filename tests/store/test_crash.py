"""Processes that race or die: what was reported as stored is stored, and nothing is half stored."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from benchmarks.stores.server import DatabaseServer
from samaf.records import Hashes
from samaf.store import Store, StoredFingerprinter

pytestmark = pytest.mark.process

ADDER = """
import hashlib, sys
import numpy as np
from samaf.records import Hashes, Recording
from samaf.store import Store, StoredFingerprinter
url, last, count, batch = sys.argv[1], *map(int, sys.argv[2:])
with Store.open(url) as store:
    store.bind(StoredFingerprinter("ab" * 32, "2LST32C", 32, "LSTM", {}))
    for first in range(0, last, batch):
        items = []
        for number in range(first, first + batch):
            sha256 = hashlib.sha256(str(number).encode()).hexdigest()
            packed = np.random.default_rng(number).integers(0, 256, (count, 4), np.uint8)
            recording = Recording(sha256, f"{number}.wav", "", 1.0, {"n": str(number)})
            items.append((recording, Hashes(packed, np.ones(count, bool))))
        for recording, added in store.add_many(items):
            print(recording.recording_id, recording.sha256, int(added), flush=True)
"""


def adder(url: str, last: int, count: int = 5, batch: int = 1) -> subprocess.Popen[str]:
    arguments = [sys.executable, "-c", ADDER, url, str(last), str(count), str(batch)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check(url: str, reported: list[list[str]]) -> None:
    """All that was reported is there, and each recording there is whole."""
    with Store.open(url, create=False) as store:
        there = {str(each.recording_id): each for each in store.recordings()}
        for recording_id, sha256, _ in reported:
            assert there[recording_id].sha256 == sha256
        whole: dict[int, Hashes] = dict(store.changes(0).added)
        assert len(whole) == len(there) >= len(reported)
        assert all(len(hashes) == 10_000 for hashes in whole.values())
        assert all(each.labels == {"n": each.name[:-4]} for each in there.values())


@pytest.mark.parametrize("batch, lines", [(1, 20), (3, 17)])
def test_a_killed_process_loses_nothing_it_reported(
    database_url: str, batch: int, lines: int
) -> None:
    process = adder(database_url, 10_000, count=10_000, batch=batch)
    assert process.stdout
    reported = [process.stdout.readline().split() for _ in range(lines)]
    process.send_signal(signal.SIGKILL)
    reported += [line.split() for line in process.stdout.read().splitlines()]
    process.wait()
    check(database_url, [line for line in reported if len(line) == 3])
    # The same command goes on where it stopped.
    again = adder(database_url, 3, count=10_000)
    out, err = again.communicate()
    assert out.count(" 0\n") == 3, err
    assert again.returncode == 0


def test_a_killed_server_loses_nothing_that_was_reported(database_server: DatabaseServer) -> None:
    with database_server.database() as url:
        process = adder(url, 10_000, count=10_000)
        assert process.stdout
        reported = [process.stdout.readline().split() for _ in range(10)]
        database_server.kill()
        database_server.start()
        # The process goes on by itself.
        reported += [process.stdout.readline().split() for _ in range(10)]
        process.kill()
        reported += [line.split() for line in process.stdout.read().splitlines()]
        process.wait()
        check(url, [line for line in reported if len(line) == 3])


def test_processes_that_add_the_same_store_it_once(
    database_url: str, fingerprinter: StoredFingerprinter
) -> None:
    processes = [adder(database_url, 60, batch=batch) for batch in (1, 2, 3)]
    out, err = zip(*[each.communicate() for each in processes], strict=True)
    assert [each.returncode for each in processes] == [0, 0, 0], err
    lines = [line.split() for text in out for line in text.splitlines()]
    assert len(lines) == 180
    assert sorted(int(number) for number, _, added in lines if added == "1") == list(range(1, 61))
    with Store.open(database_url) as store:
        assert len(list(store.changes(0).added)) == 60
