"""The OpenAPI document against the routes: what it says is what the server does."""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from web.conftest import TOKEN, Server, finished, servers

from samaf.web.app import OPERATIONS

pytestmark = pytest.mark.process

STREAMS = {"follow_queries"}  # they do not end
DESTRUCTIVE = {"delete_query", "delete_report"}
EXAMPLES = 3  # of each operation
TIMEOUT_S = 60
DOCS = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def described(
    store: Path, tmp_path_factory: pytest.TempPathFactory, clip: Path
) -> Iterator[Server]:
    """A server of its own, with an answer."""
    with servers(store) as start:
        server = start(tmp_path_factory.mktemp("described"), "--write", "--root", str(clip.parent))
        client = server.client()
        job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
        finished(client, job["id"])
        yield server


@pytest.fixture(scope="module")
def schema(described: Server) -> Any:
    """The document, as schemathesis reads it."""
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    document = described.client().get("/api/openapi.json").json()
    return schemathesis.openapi.from_dict(document)


@pytest.mark.parametrize("name", [each.name for each in OPERATIONS if each.name not in STREAMS])
def test_an_operation_answers_as_described(described: Server, schema: Any, name: str) -> None:
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]
    operation = schema.find_operation_by_id(name)

    @given(case=operation.as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    def check(case: Any) -> None:
        real(described, case)
        headers = {"authorization": f"Bearer {TOKEN}"}
        answer = case.call(base_url=described.url, headers=headers, timeout=TIMEOUT_S)
        case.validate_response(answer, checks=checks)

    check()


def real(server: Server, case: Any) -> None:
    """Put ids that there are in the place of those made up, so that not all is 404."""
    operation = case.operation.definition.raw["operationId"]
    if operation in DESTRUCTIVE or "id" not in case.path_parameters:
        return
    if "/recordings/" in case.path:
        case.path_parameters["id"] = 1
    elif "/queries/" in case.path:
        jobs = server.client().get("/api/queries?limit=1000").json()["queries"]
        done = [job["id"] for job in jobs if job["state"] == "done" and job["result"]["matches"]]
        case.path_parameters["id"] = done[0]
        if "match" in case.path_parameters:
            case.path_parameters["match"] = 1


def test_the_streams_are_described(described: Server, schema: Any) -> None:
    with described.client().stream("GET", "/api/events") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        assert next(events.iter_raw()).startswith(b":")


def test_curl_examples_of_the_docs_run(described: Server, clip: Path, tmp_path: Path) -> None:
    (tmp_path / "clip.wav").write_bytes(clip.read_bytes())
    jobs = described.client().get("/api/queries?limit=1000").json()["queries"]
    job = next(job for job in jobs if job["state"] == "done" and job["result"]["matches"])
    commands = re.findall(r"^    (curl (?:.*\\\n)*.*)$", DOCS.read_text(), re.M)
    assert len(commands) == 2
    for text in commands:
        text = text.replace("\\\n", " ").replace("$SAMAF_TOKEN", TOKEN)
        text = text.replace("http://127.0.0.1:8765", described.url)
        text = text.replace("0123456789abcdef", job["id"])
        command = [*shlex.split(text), "--fail-with-body", "--silent"]
        run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout


def test_the_python_example_of_the_docs_runs(
    described: Server,
    clip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "clip.wav").write_bytes(clip.read_bytes())
    (example,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S)
    (tmp_path / "example.py").write_text(example)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SAMAF_TOKEN", TOKEN)
    monkeypatch.setenv("SAMAF_URL", described.url)
    runpy.run_path("example.py")
    name, start, stop = capsys.readouterr().out.split()
    assert name == "amelia-harbour.ogg"
    assert (float(start), float(stop)) == pytest.approx((3, 11.8), abs=0.1)
