"""Who is let in, and what an answer never holds."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from web.conftest import TOKEN, Server, finished

pytestmark = pytest.mark.process


def raw(server: Server, request: bytes) -> bytes:
    """Send bytes as they are; give the first of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        connection.sendall(request)
        return connection.recv(1 << 16)


def test_only_loopback_listens(server: Server) -> None:
    socket.create_connection(("127.0.0.1", server.port), 5).close()
    with pytest.raises(ConnectionRefusedError):  # an address of this machine all the same
        socket.create_connection(("127.0.0.2", server.port), 5)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "127.0.0.1:1", "", "localhost.evil"])
def test_a_foreign_host_is_refused(server: Server, host: str) -> None:
    request = f"GET / HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
    assert raw(server, request.encode()).startswith(b"HTTP/1.1 421")


def test_names_of_loopback_are_let_in(server: Server) -> None:
    for host in ("localhost", "127.0.0.1", "[::1]"):
        request = f"GET / HTTP/1.1\r\nHost: {host}:{server.port}\r\nAuthorization: Bearer {TOKEN}"
        assert raw(server, f"{request}\r\n\r\n".encode()).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("path", ["/", "/api/queries", "/queries/0", "/api/openapi.json", "/none"])
def test_nothing_is_given_without_the_token(server: Server, path: str) -> None:
    for headers in ({}, {"authorization": "Bearer wrong"}, {"cookie": f"samaf_{server.port}=no"}):
        answer = httpx.get(server.url + path, headers=headers)
        assert answer.status_code == 401
        assert TOKEN not in answer.text


def test_the_first_link_becomes_a_cookie_that_scripts_and_other_sites_do_not_get(
    server: Server,
) -> None:
    answer = httpx.get(f"{server.url}/?token={TOKEN}&a=1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?a=1")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert TOKEN not in cookie
    assert httpx.get(f"{server.url}/?token=wrong").status_code == 401


def test_the_first_link_never_leads_to_another_server(server: Server) -> None:
    request = f"GET //evil.example/?token={TOKEN} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\n\r\n"
    answer = raw(server, request.encode())
    assert re.search(rb"location: /evil\.example", answer)


def test_a_change_needs_our_origin_and_our_csrf_token(server: Server) -> None:
    browser = server.browser()
    form = {"files": {"clip": ("a.wav", b"no sound")}}
    assert browser.post("/api/queries", **form).status_code == 201
    for headers in (
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"x-csrf-token": ""},
        {"x-csrf-token": "0" * 64},
    ):
        assert browser.post("/api/queries", headers=headers, **form).status_code == 403


def test_reading_changes_nothing(server: Server) -> None:
    client = server.client()
    job = client.post("/api/queries", files={"clip": ("a.wav", b"no sound")}).json()
    finished(client, job["id"])
    address = f"/api/queries/{job['id']}"
    before = client.get(address).json()
    for path in ("/cancel", "/decisions", ""):
        client.get(f"{address}{path}")
    assert client.get(address).json() == before


@pytest.mark.parametrize("path", ["/", "/api/queries", "/static/ask.js", "/none", "/api/none"])
def test_every_answer_carries_the_headers(server: Server, path: str) -> None:
    for client in (server.client(), httpx.Client(base_url=server.url)):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-frame-options"] == "DENY"
        assert "access-control-allow-origin" not in headers


def test_pages_hold_no_inline_script_or_style(server: Server) -> None:
    page = server.client().get("/").text
    assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page) == []


def test_a_read_only_server_writes_nothing(
    start: Callable[..., Server], tmp_path: Path, clip: Path
) -> None:
    client = start(tmp_path).client()
    before = client.get("/api/decisions").json()
    job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    finished(client, job["id"])
    answer = client.post(
        f"/api/queries/{job['id']}/matches/1/decisions", json={"decision": "accepted", "name": "A"}
    )
    logged = client.post("/api/queries", files={"clip": b"x"}, data={"audit": "true"})
    labelled = client.patch("/api/recordings/1/labels", json={"labels": {"a": "b"}})
    for refused in (answer, logged, labelled):
        assert refused.status_code == 403
        assert "--write" in refused.json()["error"]
    assert client.get("/api/decisions").json() == before


def test_an_upload_is_refused_before_it_is_read(server: Server) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", "/api/queries")
    connection.putheader("Authorization", f"Bearer {TOKEN}")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(5 << 30))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    assert "--root" in json.loads(answer.read())["error"]


@pytest.mark.parametrize("text", ["../", "..%2f..%2fetc/passwd", "0/../../../etc/passwd", "9", "x"])
def test_files_outside_the_roots_are_not_there(server: Server, text: str) -> None:
    client = server.client()
    assert client.get(f"/api/files?folder={text}").status_code == 404
    answer = client.post("/api/queries", files={"file": (None, text)})
    assert answer.status_code == 404


def test_a_link_out_of_a_root_is_not_followed(
    start: Callable[..., Server], tmp_path: Path, clip: Path
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "out.wav").symlink_to(clip)
    (root / "folder").symlink_to(clip.parent)
    client = start(tmp_path, "--root", str(root)).client()
    assert client.get("/api/files?folder=0").json() == {"path": "0", "folders": [], "files": []}
    assert client.post("/api/queries", files={"file": (None, "0/out.wav")}).status_code == 404


def test_errors_hold_no_traces_and_no_places_of_the_machine(server: Server, store: Path) -> None:
    client = server.client()
    job = client.post("/api/queries", files={"clip": ("<b>.wav", b"\0" * 999)}).json()
    done = finished(client, job["id"])
    assert done["state"] == "failed"
    texts = [str(done["error"])]
    for path in ("/api/recordings/1/audio", "/api/queries/x", "/queries/x", "/%00", "/api/none"):
        texts.append(client.get(path).text if "audio" not in path else "")
    for text in texts:
        assert "Traceback" not in text
        assert str(store.parent) not in text
        assert str(server.folder) not in text


def test_names_are_escaped_on_pages(server: Server, clip: Path) -> None:
    client = server.client()
    name = "<img src=x onerror=alert(1)>\"'\u202e.wav"
    job = client.post("/api/queries", files={"clip": (name, clip.read_bytes())}).json()
    page = client.get(f"/queries/{job['id']}").text
    assert "<img src=x" not in page
    assert "\u202e" not in page


def test_a_reverse_proxy_says_who_asks(
    start: Callable[..., Server], tmp_path: Path, clip: Path
) -> None:
    server = start(
        tmp_path, "--user-header", "X-Remote-User", "--user", "ann", "--write",
        "--allow-host", "samaf.example",
    )  # fmt: skip
    assert server.client().get("/").status_code == 401
    assert server.client(**{"x-remote-user": "eve"}).get("/").status_code == 403
    assert httpx.get(server.url, headers={"x-remote-user": "ann"}).status_code == 401
    ann = server.client(**{"x-remote-user": "ann", "host": "samaf.example"})
    assert 'name="user" content="ann"' in ann.get("/").text
    assert ann.get("/", headers={"host": "other.example"}).status_code == 421
    # A page of another site cannot use ann's session at the proxy.
    form = {"files": {"clip": ("a.wav", b"x")}}
    assert ann.post("/api/queries", headers={"origin": "https://evil.example"}, **form).is_error
    assert ann.post("/api/queries", headers={"origin": "https://samaf.example"}, **form).is_error
    assert ann.post("/api/queries", **form).status_code == 201
