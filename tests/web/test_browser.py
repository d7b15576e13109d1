"""The page in a real browser: Chromium of the system, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from web.conftest import TOKEN, Server, finished

pytestmark = pytest.mark.process

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WAIT_MS = 60_000
NAMES = ["Ask", "Recordings", "Duplicates", "Reports", "Statistics", "Audit log"]
LOUDNESS = """async (address) => {
    const content = await (await fetch(address)).arrayBuffer();
    const decoded = await new OfflineAudioContext(1, 1, 16000).decodeAudioData(content);
    const samples = decoded.getChannelData(0);
    return Math.sqrt(samples.reduce((sum, each) => sum + each * each, 0) / samples.length);
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (apt install chromium)")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def follow(page: Any, link: Any) -> None:
    """Follow a link to the end: buttons do nothing before the scripts of the page have run."""
    with page.expect_navigation():
        link.click()


@pytest.fixture
def open_page(chromium: Any, server: Server) -> Iterator[Callable[..., Any]]:
    """Open the link; at the end nothing went elsewhere and nothing was complained about."""
    contexts, complaints = [], []

    def opened(width: int = 1280, scheme: str = "light") -> Any:
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        contexts.append(context)
        context.set_default_timeout(WAIT_MS)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: message.type == "error" and complaints.append(message.text),
        )
        page.on("filechooser", lambda _chooser: None)  # else the first one opens a window
        page.goto(f"{server.url}/?token={TOKEN}")
        page.bring_to_front()
        return page

    requests: list[str] = []
    yield opened
    for context in contexts:
        context.close()
    assert complaints == []
    assert requests
    assert [url for url in requests if not url.startswith((server.url, "data:", "blob:"))] == []


def drop(page: Any, *paths: Path) -> None:
    """Drop files on the page, as a mouse does."""
    transfer = page.evaluate_handle("() => new DataTransfer()")
    for path in paths:
        page.evaluate(
            """([transfer, name, bytes]) => transfer.items.add(
                new File([new Uint8Array(bytes)], name))""",
            [transfer, path.name, list(path.read_bytes())],
        )
    page.dispatch_event("#drop", "drop", {"dataTransfer": transfer})


def plays(page: Any, side: str) -> float:
    """Wait until a sound has come a little further; give its place in s."""
    place = f'document.querySelector("audio[data-side={side}]")'
    page.locator(f"audio[data-side={side}]").wait_for(state="attached")
    before = page.evaluate(f"{place}.currentTime")
    for _ in range(WAIT_MS // 50):  # the policy of the page forbids to evaluate in it while waiting
        if page.evaluate(f"{place}.currentTime > {before} + 0.2 && !{place}.paused"):
            break
        page.wait_for_timeout(50)
    else:
        raise AssertionError(f"{side} does not play")
    assert page.evaluate(f"{place}.webkitAudioDecodedByteCount") > 0
    return float(page.evaluate(f"{place}.currentTime"))


def test_from_a_dropped_clip_to_the_pdf(open_page: Callable[..., Any], clip: Path) -> None:
    page = open_page()
    drop(page, clip)
    answer = page.locator("tr.answer", has_text=clip.name).first
    assert "amelia-harbour.ogg" in answer.inner_text()
    answer.locator("a").click()
    page.wait_for_selector("#pair[data-ready=yes]")
    identifier = page.locator("#pair").get_attribute("data-query")

    page.click("#mode-clip")
    page.click("#play")
    plays(page, "clip")
    page.click("#mode-recording")
    assert plays(page, "recording") >= 3  # where the clip was cut
    page.click("#mode-both")
    plays(page, "recording")
    clip_place, there = page.evaluate(
        """["clip", "recording"].map(
            (side) => document.querySelector(`audio[data-side=${side}]`).currentTime)"""
    )
    assert abs(clip_place - (there - 3)) < 0.5
    page.click("#play")
    for address in (f"/api/queries/{identifier}/audio", "/api/recordings/1/audio"):
        assert page.evaluate(LOUDNESS, address) > 0.01

    page.get_by_label("to check").check()
    page.get_by_label("Comment").fill("<i>pauses</i> agree")
    page.get_by_label("Name").fill("Ann")
    page.get_by_role("button", name="Save the decision").click()
    page.wait_for_selector(".past .to-check")
    page.reload()
    page.wait_for_selector(".past .to-check")
    assert "<i>pauses</i> agree" in page.locator(".past").inner_text()

    page.click("#report")
    page.get_by_role("button", name="Make the report").click()
    link = page.locator('a[data-file="report.html"]')
    link.wait_for()
    pytest.importorskip("typst", reason="typst is not installed, so there is no PDF")
    address = page.locator('a[data-file="report.pdf"]').get_attribute("href")
    assert page.request.get(page.url.partition("/queries")[0] + address).body()[:5] == b"%PDF-"


def test_the_same_with_the_keyboard_alone(open_page: Callable[..., Any], clip: Path) -> None:
    page = open_page()
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("o")
    chooser.value.set_files(clip)
    page.locator("tr.answer", has_text=clip.name).first.wait_for()
    page.wait_for_selector("#progress:empty", state="attached")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    plays(page, "recording")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_selector("#pair[data-ready=yes]")
    page.keyboard.press("b")
    page.keyboard.press("Space")
    plays(page, "recording")
    page.keyboard.press("<")
    page.keyboard.press("l")
    assert page.locator("#loop").get_attribute("aria-pressed") == "true"
    assert page.locator("#speed").input_value() == "0.9"
    page.keyboard.press("Space")
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("1")
    page.keyboard.type("Ben")
    page.keyboard.press("Enter")
    page.wait_for_selector(".past .accepted")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    page.locator("tr.answer .accepted").first.wait_for()


def test_a_thousand_files_at_once_are_all_answered(
    open_page: Callable[..., Any], server: Server, clip: Path
) -> None:
    page = open_page()
    page.evaluate(
        """(bytes) => {
            const transfer = new DataTransfer();
            for (let i = 0; i < 1000; i += 1) transfer.items.add(new File([], `empty ${i}.wav`));
            transfer.items.add(new File([new Uint8Array(bytes)], "last.wav"));
            document.querySelector("#drop").dispatchEvent(
                new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        list(clip.read_bytes()),
    )
    page.locator("tr.answer", has_text="last.wav").wait_for(timeout=10 * WAIT_MS)
    page.wait_for_selector("#progress:empty", state="attached")
    assert page.locator("#answers tbody", has_text="empty ").count() == 1000
    assert page.locator("tr.error", has_text="the file is empty").count() == 1000
    queries = server.client().get("/api/queries?limit=1000").json()["queries"]
    assert {f"empty {i}.wav" for i in range(2, 1000)} <= {each["clip"] for each in queries}


def test_answers_are_exported_and_reports_listed(open_page: Callable[..., Any], clip: Path) -> None:
    page = open_page()
    drop(page, clip)
    answer = page.locator("tr.answer", has_text=clip.name).first
    answer.locator("input[type=checkbox]").check()
    page.click("#export")
    page.locator("#export-dialog select").select_option("textgrid")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the file").click()
    assert download.value.suggested_filename == "samaf-textgrid.zip"
    page.locator("#export-dialog").wait_for(state="hidden")
    page.click("#report")
    page.get_by_role("button", name="Make the report").click()
    page.locator('a[data-file="report.html"]').wait_for()
    page.keyboard.press("Escape")
    follow(page, page.get_by_role("link", name="Reports"))
    made = page.locator("tr[data-state=done]").first
    assert clip.name in made.inner_text()
    count = page.locator("tr[data-state=done]").count()
    page.on("dialog", lambda dialog: dialog.accept())
    with page.expect_navigation():
        made.locator(".remove").click()
    assert page.locator("tr[data-state=done]").count() == count - 1


def test_a_bad_clip_says_why_and_others_go_on(
    open_page: Callable[..., Any], clip: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "<img src=x onerror=alert(1)>.wav"
    bad.write_bytes(b"no sound at all")
    page = open_page()
    drop(page, bad, clip)
    line = page.locator("tr.error", has_text=bad.name)
    line.wait_for()
    assert line.locator("th").inner_text() == bad.name
    assert "cannot be decoded as audio" in line.inner_text()
    page.locator("tr.answer", has_text=clip.name).first.wait_for()


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
def test_pages_fit_and_axe_finds_nothing_serious(
    open_page: Callable[..., Any], server: Server, clip: Path, width: int, scheme: str
) -> None:
    pytest.importorskip("axe_playwright_python", reason="axe-playwright-python is not installed")
    axe = files("axe_playwright_python").joinpath("axe.min.js").read_text()
    client = server.client()
    job = client.post("/api/queries", files={"clip": clip.open("rb")}).json()
    finished(client, job["id"])
    client.patch("/api/recordings/1/labels", json={"labels": {"n" * 60: "v" * 200}})
    page = open_page(width, scheme)
    page.locator("tr.answer").first.wait_for()
    faults = {}
    for path in ("/", f"/queries/{job['id']}", "/recordings", "/recordings/1", "/statistics",
                 "/audit", "/duplicates", "/reports"):  # fmt: skip
        page.goto(server.url + path)
        if path == "/":
            page.locator("tr.answer").first.wait_for()
            page.locator("#options summary").click()
        if path.startswith("/queries"):
            page.wait_for_selector("#pair[data-ready=yes]")
        page.evaluate(axe)
        found = page.evaluate("axe.run({ resultTypes: ['violations'] })")
        faults[path] = [
            (fault["id"], [node["html"][:200] for node in fault["nodes"]][:3])
            for fault in found["violations"]
            if fault["impact"] in ("serious", "critical")
        ]
        assert len(found["passes"]) > 10
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0, path
    assert faults == dict.fromkeys(faults, [])


@pytest.mark.parametrize(
    ("manipulation", "times"),
    [
        # A clip from 10 s of the recording on, found from its second 1 to 5.
        ({"tau": 1, "rho": 1, "reversed": False}, {10: 1, 14: 5, 9: 0}),
        # At half speed it lasts twice as long.
        ({"tau": 2, "rho": 0.5, "reversed": False}, {10: 1, 12: 5}),
        # Its sound is turned round for playing: its end, 6 s, comes first.
        ({"tau": 1, "rho": 1, "reversed": True}, {10: 1, 14: 5, 9: 0}),
    ],
)
def test_the_clip_plays_on_its_line(
    open_page: Callable[..., Any], manipulation: dict[str, Any], times: dict[int, int]
) -> None:
    stop = 10 + 4 / manipulation["tau"]
    match = {
        "query_start": 1, "query_stop": 5, "reference_start": 10, "reference_stop": stop,
        "manipulation": manipulation,
    }  # fmt: skip
    given = open_page().evaluate(
        """async ([match, times]) => {
            const { PairPlayer } = await import("/static/player.js");
            const player = new PairPlayer("/a", "/b", match, 6);
            const places = times.map((time) => player.toClip(time));
            player.close();
            return places;
        }""",
        [match, list(times)],
    )
    assert given == pytest.approx(list(times.values()))


def test_lists_are_searched_and_labels_set(open_page: Callable[..., Any], server: Server) -> None:
    page = open_page()
    follow(page, page.get_by_role("link", name="Recordings"))
    page.get_by_label("Name holds").fill("BRUNO")
    page.keyboard.press("Enter")
    page.wait_for_url("**/recordings?name=BRUNO")
    assert page.locator("tbody th").all_inner_texts() == ["bruno-garden.ogg"]
    follow(page, page.locator("tbody a").first)
    page.get_by_label("Name", exact=True).fill("speaker")
    page.get_by_label("Value, empty to remove it").fill("Bruno & Co")
    follow(page, page.get_by_role("button", name="Set the label"))
    follow(page, page.get_by_role("link", name="speaker=Bruno & Co"))
    page.wait_for_url("**/recordings?label=*")
    assert page.locator("tbody th").all_inner_texts() == ["bruno-garden.ogg"]
    assert page.locator("nav a").all_inner_texts() == NAMES
