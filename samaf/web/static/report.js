// The report on chosen clips: asked for, waited for, opened.

import { $, api, el, trying } from "./common.js";

const WAIT_MS = 500;
const FIELDS = [["title", "Title"], ["number", "Number of the report"], ["case", "Case"], ["laboratory", "Laboratory"],
  ["customer", "Customer"], ["examiner", "Examiner"], ["reviewer", "Reviewer"], ["question", "Question"], ["notes", "Notes"]];
const NAMES = { "report.pdf": "PDF", "report.html": "Web page", "report.json": "Record (JSON)", "matches.csv": "Matches (CSV)", "case-uco.jsonld": "CASE/UCO" };
const KEPT = "samaf case"; // what was typed last, for the next report

export function openReport(ids) {
  if (!ids.length) return;
  const dialog = $("#report-dialog");
  const last = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
  const form = el("form", { "aria-labelledby": "report-title" },
    el("div", { class: "fields" }, ...FIELDS.map(([name, text]) =>
      el("label", {}, text, el("input", { name, maxlength: 4000, value: last[name] ?? "" })))),
    el("p", { class: "hint" }, "All of it may stay empty."),
    el("p", { class: "bar" }, el("button", {}, "Make the report"), el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close")));
  const state = el("div", { role: "status", "aria-live": "polite", id: "report-state" });
  dialog.replaceChildren(el("h2", { id: "report-title" }, ids.length > 1 ? `Report on ${ids.length} clips` : "Report"), form, state);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => value.trim()));
    localStorage.setItem(KEPT, JSON.stringify(values));
    state.textContent = "the report is made …";
    $("button", form).disabled = true;
    make(ids, values, state).catch((error) => { state.textContent = error.message; })
      .finally(() => { $("button", form).disabled = false; });
  });
  dialog.showModal();
}

async function make(ids, values, state) {
  let report = await api("/api/reports", { method: "POST", json: { queries: ids, case: values } });
  while (report.state === "running") {
    await new Promise((resolve) => { setTimeout(resolve, WAIT_MS); });
    report = await api(`/api/reports/${report.id}`);
  }
  if (report.state === "failed") throw new Error(report.error);
  const files = Object.keys(report.files);
  const order = [...Object.keys(NAMES), ...files].filter((name, i, all) => files.includes(name) && all.indexOf(name) === i);
  state.replaceChildren(
    el("p", {}, "The report is ready:"),
    el("p", { class: "bar" }, ...order.map((name) =>
      el("a", { class: name in NAMES ? "button" : "plain", target: "_blank", rel: "noopener", href: `/api/reports/${report.id}/files/${name}`, "data-file": name }, NAMES[name] ?? name))),
    files.includes("report.pdf") ? "" : el("p", { class: "hint" }, "A PDF needs typst on the server: pip install 'samaf[report]'"));
  trying(async () => $("a", state).focus());
}
