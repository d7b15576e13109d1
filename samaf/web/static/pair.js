// The pair view: clip and recording on one time axis, that of the recording.

import { $, altered, api, clock, el, notice, onKeys, trying } from "./common.js";
import { Tiles, color, drawCourse, drawSpectrogram, drawWaveform, onTheme, prepared, ticks } from "./draw.js";
import { MODES, PairPlayer } from "./player.js";
import { decisionPanel } from "./decide.js";
import { openExport } from "./export.js";
import { openReport } from "./report.js";

const main = $("#pair");
const queryId = main.dataset.query;
const CONTEXT_S = 2; // shown on either side of a match
const LEAST_S = 0.5; // shown at once

let job, matches, number, pair, player, clip, recording, view, decide;

async function start() {
  job = await api(`/api/queries/${queryId}`);
  if (!job.result) throw new Error(`${job.clip}: ${job.error || "this query is not done yet; go back to the answers"}`);
  matches = job.kind === "ranking" ? job.result.ranking : job.result.matches;
  if (!matches.length) throw new Error(`${job.clip}: unknown${job.reason ? `: ${job.reason}` : ""}`);
  const opening = open(Number(new URLSearchParams(location.search).get("match")) || 1);
  new ResizeObserver(redraw).observe($("#stack"));
  onTheme(redraw);
  await opening;
}

async function open(wanted) {
  number = Math.max(1, Math.min(matches.length, wanted));
  history.replaceState(null, "", `?match=${number}`);
  player?.close();
  const match = matches[number - 1];
  facts(match);
  player = new PairPlayer(`/api/queries/${queryId}`, `/api/recordings/${match.reference_id}`, match, job.result.duration);
  player.onchange = moved;
  player.onerror = (message) => notice(message, true);
  setMode("turns");
  const around = Math.max(CONTEXT_S, 0.1 * (match.reference_stop - match.reference_start));
  const span = player.clipSpan;
  view = [Math.min(match.reference_start, span[0]) - around, Math.max(match.reference_stop, span[1]) + around];
  if (view[1] - view[0] > 90) view = [match.reference_start - around, Math.min(match.reference_stop, match.reference_start + 60) + around];
  const backwards = match.manipulation?.reversed ?? false;
  clip = new Tiles(`/api/queries/${queryId}`, { backwards, onload: redraw });
  recording = new Tiles(`/api/recordings/${match.reference_id}`, { onload: redraw });
  pair = { course: [], threshold: null };
  $("#state").textContent = "decoding …";
  redraw();
  const opened = number;
  const progress = () => {
    if (opened !== number || !recording.duration || recording.decoded === Infinity) return;
    $("#state").textContent = `decoding the recording … ${clock(recording.decoded)} of ${clock(recording.duration)}; it can be played then`;
  };
  const results = await Promise.allSettled([clip.open(), recording.open(progress), api(`/api/queries/${queryId}/matches/${number}`)]);
  if (opened !== number) return;
  const errors = results.filter((each) => each.status === "rejected").map((each) => each.reason.message);
  $("#state").textContent = errors.join("; ");
  if (results[2].status === "fulfilled") pair = results[2].value;
  main.dataset.ready = errors.length ? "with errors" : "yes";
  redraw();
  decide?.load(match);
}

function facts(match) {
  $("#names").replaceChildren(
    el("span", { class: "a" }, job.clip), " ← ",
    el("a", { class: "b", href: `/recordings/${match.reference_id}` }, match.reference));
  $("#which").textContent = matches.length > 1 ? `match ${number} of ${matches.length}` : "the only match";
  for (const [button, step] of [["#previous", -1], ["#next", 1]]) {
    $(button).disabled = !matches[number - 1 + step];
    $(button).hidden = matches.length < 2;
  }
  const rows = [
    ["clip", `${clock(match.query_start)} – ${clock(match.query_stop)}`],
    ["recording", `${clock(match.reference_start)} – ${clock(match.reference_stop)}`],
  ];
  if (match.manipulation) rows.push(["altered", altered(match.manipulation) || "no"]);
  if (match.ber !== undefined) rows.push(["bit error rate", match.ber.toFixed(3)], ["score", match.score.toFixed(1)]);
  if (match.log10_lr !== undefined) {
    rows.push([`log10 LR (population: ${job.options.population})`, match.log10_lr.toFixed(1)]);
    rows.push(["log10 LR, other speech", match.log10_lr_other_speech.toFixed(1)]);
    rows.push(["log10 LR, same text", match.log10_lr_same_text.toFixed(1)]);
  }
  if (match.same_text_warning) rows.push(["warning", "may be another voice with the same text"]);
  if (match.verification) {
    const { verified, reason, log10_lr: ratio } = match.verification;
    rows.push(["signals", reason || `${verified ? "verified" : "not verified"}, log10 LR ${ratio.toFixed(1)}`]);
  }
  if (match.distance !== undefined) rows.push(["distance", match.distance.toFixed(2)], ["votes", String(match.votes)]);
  const labels = Object.entries(match.labels).map(([name, value]) => `${name}=${value}`).join(", ");
  if (labels) rows.push(["labels", labels]);
  $("#facts").replaceChildren(...rows.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

// Drawing --------------------------------------------------------------------------------

const canvases = Object.fromEntries(["clip-wave", "clip-spectrum", "recording-wave", "recording-spectrum", "course", "axis", "overview"].map((id) => [id, $(`#${id}`)]));
let planned = false;
function redraw() {
  if (planned) return;
  planned = true;
  requestAnimationFrame(() => { planned = false; draw(); });
}

const width = () => canvases.axis.getBoundingClientRect().width;
const toX = (time) => ((time - view[0]) / (view[1] - view[0])) * width();
const toTime = (x) => view[0] + (x / width()) * (view[1] - view[0]);

function draw() {
  const clipX = (time) => toX(player.start + (time - player.offset) / player.tau);
  drawWaveform(canvases["clip-wave"], clip, clipX, color("a"));
  drawSpectrogram(canvases["clip-spectrum"], clip, clipX);
  drawWaveform(canvases["recording-wave"], recording, toX, color("b"));
  drawSpectrogram(canvases["recording-spectrum"], recording, toX);
  drawCourse(canvases.course, pair.course ?? [], toX, pair.threshold);
  const axis = prepared(canvases.axis);
  axis.context.font = "12px system-ui, sans-serif";
  axis.context.fillStyle = axis.context.strokeStyle = color("soft");
  for (const time of ticks(...view, axis.width)) {
    if (time < 0) continue;
    axis.context.fillRect(toX(time), 0, 1, 5);
    if (toX(time) < axis.width - 48) axis.context.fillText(clock(time), toX(time) + 3, 14);
  }
  overview();
  const lane = $("#lane");
  lane.style.left = `${Math.max(0, toX(player.start))}px`;
  lane.style.width = `${Math.max(2, Math.min(width(), toX(player.stop)) - Math.max(0, toX(player.start)))}px`;
  moved();
}

function overview() {
  if (!recording.duration) return prepared(canvases.overview);
  const full = canvases.overview.getBoundingClientRect().width;
  const at = (time) => (time / recording.duration) * full;
  drawWaveform(canvases.overview, recording, at, color("b"));
  const context = canvases.overview.getContext("2d");
  const height = canvases.overview.getBoundingClientRect().height;
  context.fillStyle = color("accent");
  context.globalAlpha = 0.25;
  context.fillRect(at(view[0]), 0, Math.max(3, at(view[1]) - at(view[0])), height);
  context.globalAlpha = 1;
  context.fillRect(at(player.start), height - 4, Math.max(3, at(player.stop) - at(player.start)), 4);
  return undefined;
}

function moved() {
  const cursor = $("#cursor");
  const x = toX(player.position);
  cursor.style.left = `${x}px`;
  cursor.hidden = x < 0 || x > width();
  const shown = clock(player.position);
  $("#time").textContent = shown;
  const slider = $("#place");
  slider.max = recording.duration ?? player.stop;
  slider.value = player.position;
  slider.setAttribute("aria-valuetext", `${shown} of the recording`);
  const playing = player.playing;
  $("#play").textContent = playing ? "❚❚ Pause" : "▶ Play";
  $("#play").setAttribute("aria-pressed", playing);
  main.dataset.sounding = playing ? player.sounding ?? "" : "";
  if (playing && player.position > view[1]) {
    const length = view[1] - view[0];
    view = [player.position - 0.05 * length, player.position + 0.95 * length];
    redraw();
  }
}

function zoom(factor, around = player.position) {
  const length = Math.max(LEAST_S, Math.min((view[1] - view[0]) * factor, 1.2 * (recording.duration ?? 3600)));
  const inside = Math.max(view[0], Math.min(view[1], around));
  const part = (inside - view[0]) / (view[1] - view[0]);
  view = [inside - part * length, inside + (1 - part) * length];
  redraw();
}
function pan(part) {
  const step = part * (view[1] - view[0]);
  view = [view[0] + step, view[1] + step];
  redraw();
}

// Controls -------------------------------------------------------------------------------

function setMode(mode) {
  if (player.mode !== mode) player.setMode(mode);
  for (const each of MODES) $(`#mode-${each}`).setAttribute("aria-pressed", each === mode);
}
function setSpeed(speed) {
  player.setSpeed(speed);
  $("#speed").value = String(speed);
}
function toggleLoop() {
  player.loop = !player.loop;
  if (player.loop && (player.position < player.start || player.position > player.stop)) player.seek(player.start);
  $("#loop").setAttribute("aria-pressed", player.loop);
}

$("#play").addEventListener("click", () => player.toggle());
for (const mode of MODES) $(`#mode-${mode}`).addEventListener("click", () => setMode(mode));
$("#speed").addEventListener("change", (event) => setSpeed(Number(event.target.value)));
$("#loop").addEventListener("click", toggleLoop);
$("#previous").addEventListener("click", () => trying(() => open(number - 1)));
$("#next").addEventListener("click", () => trying(() => open(number + 1)));
$("#place").addEventListener("input", (event) => player.seek(Number(event.target.value)));
$("#zoom-in").addEventListener("click", () => zoom(0.5));
$("#zoom-out").addEventListener("click", () => zoom(2));
$("#report").addEventListener("click", () => openReport([queryId]));
$("#export").addEventListener("click", () => openExport([queryId]));
$("#stack").addEventListener("click", (event) => {
  player.seek(toTime(event.clientX - $("#stack").getBoundingClientRect().left));
  if (!player.playing) player.play();
});
$("#stack").addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.shiftKey) return; // the page scrolls
  event.preventDefault();
  if (event.ctrlKey) zoom(event.deltaY > 0 ? 1.25 : 0.8, toTime(event.clientX - $("#stack").getBoundingClientRect().left));
  else pan(event.deltaY > 0 ? 0.1 : -0.1);
}, { passive: false });
canvases.overview.addEventListener("click", (event) => {
  const box = canvases.overview.getBoundingClientRect();
  const time = ((event.clientX - box.left) / box.width) * (recording.duration ?? 0);
  const half = (view[1] - view[0]) / 2;
  view = [time - half, time + half];
  player.seek(time);
  redraw();
});

const speeds = [...$("#speed").options].map((option) => Number(option.value));
const step = (by) => setSpeed(speeds[Math.max(0, Math.min(speeds.length - 1, speeds.indexOf(player.speed) + by))]);
onKeys({
  " ": () => player.toggle(),
  a: () => setMode("clip"),
  b: () => setMode("recording"),
  t: () => setMode("turns"),
  s: () => setMode("both"),
  l: toggleLoop,
  "<": () => step(-1),
  ">": () => step(1),
  ArrowLeft: () => player.seek(player.position - 1),
  ArrowRight: () => player.seek(player.position + 1),
  Home: () => player.seek(player.start),
  "+": () => zoom(0.5),
  "-": () => zoom(2),
  "[": () => pan(-0.5),
  "]": () => pan(0.5),
  n: () => trying(() => open(number + 1)),
  p: () => trying(() => open(number - 1)),
  1: () => decide?.choose("accepted"),
  2: () => decide?.choose("to check"),
  3: () => decide?.choose("rejected"),
  c: () => decide?.comment(),
  r: () => openReport([queryId]),
  e: () => openExport([queryId]),
  Escape: () => { location.href = "/"; },
});

decide = decisionPanel($("#decide"), () => ({ job, number, match: matches[number - 1] }));
addEventListener("pagehide", () => player?.pause());
start().catch((error) => {
  $("#names").textContent = error.message;
  main.dataset.ready = "failed";
});
