// The page "Ask": clips go in, answers come as they are ready.

import { $, altered, api, clock, el, notice, onKeys, trying, upload } from "./common.js";
import { badge } from "./decide.js";
import { openExport } from "./export.js";
import { openReport } from "./report.js";
import { PairPlayer } from "./player.js";

const UPLOADS_AT_ONCE = 2;
const PAGE = 100;
const CLIPS_AT_ONCE = 50; // whose decisions are asked for
const UPDATE_MS = 200;
const PAUSES = 5; // times as long as drawing takes
const SMALL = 1 << 20; // bytes, that are sent too quickly to be shown in parts
const table = $("#answers");
const rows = new Map(); // by the id of the query
const chosen = new Set();
const waiting = []; // files that are not sent yet
let sending = 0;
let player = null;
const decisions = new Map(); // about each clip, by its SHA-256, the newest first

// Asking ---------------------------------------------------------------------------------

function formWith(name, value) {
  const form = new FormData();
  for (const field of document.querySelectorAll("#options [name]")) form.append(field.name, field.value);
  form.append(name, value);
  return form;
}

function askAbout(files) {
  for (const file of files) {
    const body = el("tbody", { class: "job" });
    table.tHead.after(body);
    status(body, file.name, "waits to be sent");
    waiting.push({ file, body, form: formWith("clip", file) });
  }
  send();
}

async function send() {
  while (sending < UPLOADS_AT_ONCE && waiting.length) {
    const { file, body, form } = waiting.shift();
    sending += 1;
    refresh();
    const onPart = (part) => { if (file.size > SMALL) status(body, file.name, `sent ${Math.round(100 * part)} %`); };
    upload("/api/queries", form, onPart)
      .then((job) => {
        if (rows.has(job.id)) replaced.push(body); // its event came first
        else rows.set(job.id, body);
        show(job);
      })
      .catch((error) => status(body, file.name, error.message, "error"))
      .finally(() => {
        sending -= 1;
        refresh();
        send();
      });
  }
}

// A thousand clips may change at once: the table is drawn a few times a second, and less often
// where drawing it takes long.
const changed = new Map(); // queries by their ids
const replaced = []; // rows of files that have another row now
let planned = null;
let next = -Infinity;

function refresh() {
  planned ??= setTimeout(() => {
    planned = null;
    const started = performance.now();
    next = started + UPDATE_MS;
    const jobs = [...changed.values()];
    changed.clear();
    for (const job of jobs) render(job);
    trying(() => learn(jobs));
    for (const body of replaced.splice(0)) body.remove();
    count();
    requestAnimationFrame(() => setTimeout(() => {
      const drawn = performance.now();
      next = Math.max(next, drawn + PAUSES * (drawn - started));
    }));
  }, Math.max(0, next - performance.now()));
}

const RANKS = { queued: 0, running: 1, done: 2, failed: 2, cancelled: 2, forgotten: 3 };
const ranks = new Map();

/** Show a query; answers of the server may overtake each other, states never go back. */
function show(job) {
  if (RANKS[job.state] < (ranks.get(job.id) ?? 0)) return;
  ranks.set(job.id, RANKS[job.state]);
  changed.set(job.id, job);
  refresh();
}

function count() {
  $("#none").hidden = table.tBodies.length > 0;
  for (const id of ["#report", "#export"]) {
    $(id).disabled = !chosen.size;
    $(id).title = chosen.size ? "" : "Choose clips in the first column of the table";
  }
  const left = waiting.length + sending;
  const open = [...rows.values()].filter((body) => body.dataset.open === "yes").length;
  const parts = [];
  if (left) parts.push(`${left} to send`);
  if (open) parts.push(`${open} to answer`);
  $("#progress").textContent = parts.join(", ");
}

// Answers --------------------------------------------------------------------------------

const cell = (text, attributes = {}) => el("td", attributes, text);
const numeric = (text, label) => cell(text, { class: "n", "data-label": label });

function status(body, clip, text, kind = "") {
  body.replaceChildren(el("tr", { class: kind }, cell(""), el("th", { scope: "row" }, clip), cell(text, { colspan: 11 })));
}

const CONTROLS = "a, button, input";
const WORDS = { queued: "waits", running: "is searched for", cancelled: "cancelled", failed: "failed" };

function render(job) {
  if (job.state === "forgotten") {
    rows.get(job.id)?.remove();
    rows.delete(job.id);
    chosen.delete(job.id);
    return;
  }
  let body = rows.get(job.id);
  if (!body) {
    body = el("tbody", { class: "job" });
    rows.set(job.id, body);
    const later = [...table.tBodies].find((other) => other.dataset.number && Number(other.dataset.number) < job.number);
    if (later) later.before(body);
    else table.append(body);
  }
  body.dataset.number = job.number;
  body.dataset.open = ["queued", "running"].includes(job.state) ? "yes" : "no";
  // Who works with the keyboard stays where they are.
  const focused = [...body.querySelectorAll(CONTROLS)].indexOf(document.activeElement);
  if (job.state === "done") {
    body.replaceChildren(...lines(job));
  } else {
    const text = job.error ? `${WORDS[job.state]}: ${job.error}` : WORDS[job.state];
    const action = body.dataset.open === "yes"
      ? button("Cancel", job, () => api(`/api/queries/${job.id}/cancel`, { method: "POST" }))
      : forget(job);
    body.replaceChildren(
      el("tr", { class: job.state === "failed" ? "error" : "open" }, cell(""),
        el("th", { scope: "row" }, job.clip), cell(text, { colspan: 10 }), el("td", { class: "actions" }, action)),
    );
  }
  if (focused >= 0) body.querySelectorAll(CONTROLS)[focused]?.focus();
}

const button = (text, job, action) =>
  el("button", { type: "button", class: "quiet", "aria-label": `${text} ${job.clip}`, onclick: () => trying(action) }, text);

const forget = (job) =>
  el("button", { type: "button", class: "quiet", title: "Forget this clip", "aria-label": `Forget ${job.clip}`,
    onclick: () => trying(() => api(`/api/queries/${job.id}`, { method: "DELETE" })) }, "✕");

function choice(job) {
  const box = el("input", { type: "checkbox", "aria-label": `Choose ${job.clip}` });
  box.checked = chosen.has(job.id);
  box.addEventListener("change", () => {
    if (box.checked) chosen.add(job.id);
    else chosen.delete(job.id);
    refresh();
  });
  return el("td", {}, box);
}

function lines(job) {
  const found = job.kind === "ranking" ? job.result.ranking : job.result.matches;
  const about = `${clock(job.result.duration)}`;
  if (!found.length) {
    const reason = job.reason ? `unknown: ${job.reason}` : "unknown";
    return [el("tr", { tabindex: -1, class: "answer" }, choice(job), clipCell(job, about, 1), cell(""), cell(""),
      cell(reason, { class: "unknown" }), ...Array.from({ length: 7 }, () => cell("")), el("td", { class: "actions" }, forget(job)))];
  }
  return found.map((match, i) => {
    const link = `/queries/${job.id}?match=${i + 1}`;
    const play = el("button", { type: "button", class: "play", "aria-label": `Play match ${i + 1} of ${job.clip}`, onclick: () => toggle(job, match, link, play) }, "▶");
    const line = el("tr", { class: "answer", "data-link": link });
    line.append(
      i ? cell("") : choice(job),
      i ? cell("") : clipCell(job, about, found.length),
      numeric(clock(match.query_start), "from"), numeric(clock(match.query_stop), "to"),
      el("td", {}, el("a", { href: link }, match.reference)),
      numeric(clock(match.reference_start), "from"), numeric(clock(match.reference_stop), "to"),
      cell(match.manipulation ? altered(match.manipulation) || "-" : "", { "data-label": "altered" }),
      numeric(match.ber?.toFixed(3) ?? "", "BER"), numeric(match.score?.toFixed(1) ?? "", "score"),
      numeric(match.log10_lr?.toFixed(1) ?? "", "log10 LR"),
      el("td", {}, decided(job, match)),
      el("td", { class: "actions" }, play, i ? null : forget(job)),
    );
    return line;
  });
}

/** Ask what was decided about clips that are new here, and show it. */
async function learn(jobs) {
  const done = jobs.filter((job) => job.result && !decisions.has(job.result.sha256));
  const clips = [...new Set(done.map((job) => job.result.sha256))];
  for (const clip of clips) decisions.set(clip, []);
  for (let i = 0; i < clips.length; i += CLIPS_AT_ONCE) {
    let query = clips.slice(i, i + CLIPS_AT_ONCE).map((clip) => `clip=${clip}`).join("&");
    while (query) {
      const page = await api(`/api/decisions?${query}`);
      for (const each of page.decisions) decisions.get(each.clip_sha256)?.push(each);
      query = page.next;
    }
  }
  for (const job of done) if (decisions.get(job.result.sha256)?.length) show(job);
}

/** The newest decision about the places of a match. */
function decided(job, match) {
  const found = decisions.get(job.result.sha256)?.find((each) => each.reference === match.reference
    && each.query_start < match.query_stop && match.query_start < each.query_stop
    && each.reference_start < match.reference_stop && match.reference_start < each.reference_stop);
  return found ? badge(found.decision) : "";
}

const clipCell = (job, about) => el("th", { scope: "row", title: job.result.sha256 }, job.clip, el("small", {}, ` ${about}`));

function toggle(job, match, link, shown) {
  const wasPlaying = player?.link === link && player.playing;
  player?.close();
  for (const each of document.querySelectorAll(".play")) each.textContent = "▶";
  if (wasPlaying) return;
  player = new PairPlayer(`/api/queries/${job.id}`, `/api/recordings/${match.reference_id}`, match, job.result.duration);
  player.link = link;
  player.onerror = (message) => notice(message, true);
  player.onchange = () => { shown.textContent = player.playing ? "❚❚" : "▶"; };
  player.mode = "turns";
  player.play();
}

// Keys -----------------------------------------------------------------------------------

const answers = () => [...document.querySelectorAll("tr.answer")];
function move(step) {
  const all = answers();
  const at = all.findIndex((line) => line.contains(document.activeElement));
  const next = all[Math.min(all.length - 1, Math.max(0, at + step))];
  if (!next) return;
  ($("a", next) ?? $("input", next)).focus();
  next.scrollIntoView({ block: "nearest" });
}
const current = () => answers().find((line) => line.contains(document.activeElement));

onKeys({
  o: () => $("#files").click(),
  ArrowDown: () => move(1),
  ArrowUp: () => move(-1),
  r: () => openReport([...chosen]),
  e: () => openExport([...chosen]),
  x: () => $("input[type=checkbox]", current()?.closest("tbody") ?? document.createElement("p"))?.click(),
});
document.addEventListener("keydown", (event) => {
  if (event.key === " " && event.target.closest("tr.answer a")) {
    event.preventDefault();
    $(".play", current())?.click();
  }
});

// Choosing files -------------------------------------------------------------------------

$("#files").addEventListener("change", (event) => {
  askAbout(event.target.files);
  event.target.value = "";
});
for (const kind of ["dragover", "dragenter"]) {
  document.addEventListener(kind, (event) => {
    event.preventDefault();
    $("#drop").classList.add("over");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) $("#drop").classList.remove("over");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  $("#drop").classList.remove("over");
  askAbout(event.dataTransfer.files);
});
$("#ask").addEventListener("submit", (event) => event.preventDefault());

async function openFolder(path) {
  const listing = await trying(() => api(`/api/files?folder=${encodeURIComponent(path)}`));
  if (!listing) return;
  $("#folder-path").textContent = path.split("/").slice(1).join("/");
  const items = [];
  if (path) items.push(el("li", {}, el("button", { type: "button", onclick: () => openFolder(path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "") }, "⬑ up")));
  for (const folder of listing.folders) {
    items.push(el("li", {}, el("button", { type: "button", onclick: () => openFolder(folder.path) }, `${folder.name}/`)));
  }
  for (const file of listing.files) {
    const ask = el("button", { type: "button", onclick: () => trying(async () => {
      show(await api("/api/queries", { method: "POST", body: formWith("file", file.path) }));
      ask.disabled = true;
    }) }, file.name);
    items.push(el("li", {}, ask));
  }
  if (!items.length) items.push(el("li", { class: "hint" }, "nothing with sound here"));
  $("#folder-list").replaceChildren(...items);
  if (!$("#folders").open) $("#folders").showModal();
}
$("#from-server")?.addEventListener("click", () => openFolder(""));


// The report -----------------------------------------------------------------------------

$("#all").addEventListener("change", (event) => {
  for (const box of document.querySelectorAll("tbody input[type=checkbox]")) {
    if (box.checked !== event.target.checked) box.click();
  }
});
$("#report").addEventListener("click", () => openReport([...chosen]));
$("#export").addEventListener("click", () => openExport([...chosen]));

// What is there, and what comes ------------------------------------------------------------

async function load(before) {
  if (!before) decisions.clear();
  const { queries } = await api(`/api/queries?limit=${PAGE}${before ? `&before=${before}` : ""}`);
  for (const job of queries) show(job);
  $("#older").hidden = queries.length < PAGE;
  $("#older").onclick = () => trying(() => load(queries.at(-1).number));
}

const events = new EventSource("/api/events");
events.addEventListener("query", (event) => show(JSON.parse(event.data)));
events.addEventListener("open", () => trying(() => load()));
refresh();
