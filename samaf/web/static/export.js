// Answers as files for other programs: chosen, fetched, saved.

import { $, api, el, notice } from "./common.js";

const FORMATS = [
  ["Labels of clips and recordings", [["audacity", "labels for Audacity"], ["textgrid", "labels for Praat (TextGrid)"],
    ["eaf", "labels for ELAN (EAF)"], ["rttm", "labels for diarisation (RTTM)"], ["vtt", "labels for players (WebVTT)"],
    ["srt", "labels for players (SRT)"]]],
  ["Matched segments of clips and recordings", [["wav", "sound as WAV"], ["flac", "sound as FLAC"]]],
  ["Answers", [["csv", "answers for a spreadsheet (CSV)"], ["json", "answers for programs (JSON)"]]],
];
const SOUNDS = ["wav", "flac"];
const KEPT = "samaf export";

export function openExport(ids) {
  if (!ids.length) return;
  const dialog = $("#export-dialog");
  const format = el("select", { name: "format" }, ...FORMATS.map(([group, choices]) =>
    el("optgroup", { label: group }, ...choices.map(([value, text]) => el("option", { value }, text)))));
  format.value = localStorage.getItem(KEPT) ?? "audacity";
  const padding = el("label", {}, "Seconds kept on either side", el("input", { name: "padding_s", type: "number", min: 0, max: 60, step: "any", value: 0, required: true }));
  const state = el("p", { role: "status", "aria-live": "polite", class: "hint" });
  const form = el("form", { "aria-labelledby": "export-title" },
    el("div", { class: "fields" }, el("label", {}, "What", format), padding),
    el("p", { class: "bar" }, el("button", {}, "Save the file"), el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close")), state);
  const change = () => { padding.hidden = !SOUNDS.includes(format.value); };
  format.addEventListener("change", change);
  change();
  dialog.replaceChildren(el("h2", { id: "export-title" }, ids.length > 1 ? `Export ${ids.length} clips` : "Export"), form);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    localStorage.setItem(KEPT, format.value);
    const query = new URLSearchParams(new FormData(form));
    for (const id of ids) query.append("query", id);
    state.className = "hint";
    state.textContent = "the file is made …";
    $("button", form).disabled = true;
    save(query).then((name) => {
      dialog.close();
      notice(`saved: ${name}`);
    }).catch((error) => {
      state.className = "bad";
      state.textContent = error.message;
    }).finally(() => { $("button", form).disabled = false; });
  });
  dialog.showModal();
}

async function save(query) {
  const answer = await api(`/api/exports?${query}`, { raw: true });
  const name = /filename=(\S+)/.exec(answer.headers.get("content-disposition"))[1];
  const address = URL.createObjectURL(await answer.blob());
  const link = el("a", { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
  return name;
}
