"""Several systems, each in a process of its own, so that none takes another down."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from baselines.recognizer import UnavailableError
from benchmarks.accuracy.results import FAILURE, Results
from benchmarks.accuracy.stages import Plan, measure
from benchmarks.accuracy.systems import open_system
from benchmarks.errors import SettingsError
from samaf.errors import SamafError

# One thread a system, so that CPU seconds of all of them mean the same.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def run_all(
    specs: Mapping[str, str], plan: Plan, jobs: int, progress: Callable[[str, float, int], None]
) -> dict[str, str]:
    """Measure systems, some at a time; those that fail do not stop the others.

    Parameters
    ----------
    specs
        By name of the system, what ``open_system`` takes.
    jobs
        Processes at a time; when there are fewer systems, each may use several threads.
    progress
        Called with a name, how many of its cells are done, and how many there are.

    Returns
    -------
    The reason by name of those that failed, which is also kept in the results. Those whose
    results are there, measured in another way, are listed too, but their results stay as they are.

    Raises
    ------
    BenchmarkError
        The results cannot be written.
    """
    os.environ.update(dict.fromkeys(THREADS, "1"))
    context = get_context("forkserver")
    context.set_forkserver_preload(["benchmarks.accuracy.stages"])
    results = Results(plan.out)
    failures: dict[str, str] = {}
    refused: set[str] = set()
    waiting = list(specs)
    parallel = max(1, jobs // max(1, len(specs)))
    running: dict[Connection, tuple[str, BaseProcess]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                name = waiting.pop(0)
                ours, theirs = context.Pipe(duplex=False)
                child = context.Process(target=_work, args=(specs[name], parallel, plan, theirs))
                child.start()
                theirs.close()
                running[ours] = (name, child)
            ready = wait(list(running))
            for connection in [c for c in running if c in ready]:
                name = running[connection][0]
                try:
                    message = connection.recv()
                except EOFError:
                    process = running.pop(connection)[1]
                    process.join()
                    if process.exitcode and name not in failures:
                        failures[name] = _end(process.exitcode)
                    if name in refused:
                        continue
                    note = results.folder(name) / FAILURE
                    if name in failures:
                        results.write_json(note, {"reason": failures[name]})
                    else:
                        note.unlink(missing_ok=True)
                    continue
                if isinstance(message, str):
                    failures[name] = message
                elif isinstance(message, SettingsError):
                    failures[name] = str(message)
                    refused.add(name)
                else:
                    progress(name, *message)
    finally:
        for _, left in running.values():
            left.terminate()
            left.join()
    return failures


def _work(spec: str, parallel: int, plan: Plan, connection: Connection) -> None:
    """Measure one system: sends (cells done, in all), or why it stopped or was refused."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends its children
    try:
        measure(open_system(spec, parallel), plan, lambda *cells: connection.send(cells))
    except UnavailableError as error:
        connection.send(f"skipped: {error}")
    except SettingsError as error:
        connection.send(error)
    except SamafError as error:
        connection.send(str(error))
    except MemoryError:
        connection.send("out of memory; ask for fewer --jobs")
    except Exception as error:  # a system may fail in any way; the others go on
        connection.send(f"{type(error).__name__}: {error}")


def _end(code: int) -> str:
    """Say how a process ended that sent no reason."""
    if code < 0:
        name = signal.Signals(-code).name
        return f"its process was ended by {name}; if memory ran out, ask for fewer --jobs"
    return f"its process ended with code {code}"
