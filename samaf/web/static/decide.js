// Decisions about a match: accepted, to check, rejected, with a comment and a name.

import { $, api, canWrite, el, notice, trying, userName } from "./common.js";

export const DECISIONS = ["accepted", "to check", "rejected"];
export const badge = (decision) => el("span", { class: `decided ${decision.replace(" ", "-")}` }, decision);

const NAME = "samaf name";
const draftKey = ({ job, number }) => `samaf draft ${job.result.sha256} ${number}`;

/** Fill a section with the form; `current` gives the query, the match and its number. */
export function decisionPanel(section, current) {
  const past = el("ul", { class: "past" });
  if (!canWrite) {
    section.append(el("h2", { id: "decide-title" }, "Decision"),
      el("p", { class: "hint" }, "This server is read-only. Start it with samaf serve --write to keep decisions in the store."), past);
  } else {
    const choices = DECISIONS.map((decision, i) => el("label", {},
      el("input", { type: "radio", name: "decision", value: decision, required: true }), decision, el("kbd", {}, String(i + 1))));
    const form = el("form", { "aria-label": "Decide" },
      el("fieldset", { class: "choices" }, el("legend", { class: "unseen" }, "Decision"), ...choices),
      el("label", {}, "Comment", el("textarea", { name: "comment", maxlength: 4000 })),
      el("div", { class: "bar" },
        el("label", { class: "inline" }, "Name ", el("input", { name: "name", required: true, maxlength: 200, autocomplete: "name", readonly: Boolean(userName), value: userName || localStorage.getItem(NAME) || "" })),
        el("span", { class: "grow" }), el("button", {}, "Save the decision")));
    section.append(el("h2", { id: "decide-title" }, "Decision"), form, past);
    form.addEventListener("input", () => {
      // Kept until it is saved, whatever becomes of the browser.
      localStorage.setItem(draftKey(current()), JSON.stringify(Object.fromEntries(new FormData(form))));
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      trying(async () => {
        const { job, number, match } = current();
        const json = Object.fromEntries(new FormData(form));
        await api(`/api/queries/${job.id}/matches/${number}/decisions`, { method: "POST", json });
        localStorage.setItem(NAME, json.name);
        localStorage.removeItem(draftKey({ job, number }));
        notice(`saved: ${json.decision}`);
        await load(match);
      });
    });
  }

  function show(known) {
    past.replaceChildren(...known.map((each) => el("li", {}, badge(each.decision), ` ${each.name}, `,
      el("time", { datetime: each.decided_at }, new Date(each.decided_at).toLocaleString()),
      each.comment ? el("div", {}, each.comment) : null)));
  }

  async function load() {
    const { job, number } = current();
    const { decisions } = await api(`/api/queries/${job.id}/matches/${number}`);
    show(decisions);
    if (!canWrite) return;
    const draft = JSON.parse(localStorage.getItem(draftKey(current())) ?? "null");
    const shown = draft ?? { decision: decisions[0]?.decision ?? "", comment: "" };
    for (const each of section.querySelectorAll("[name=decision]")) each.checked = each.value === shown.decision;
    $("textarea", section).value = shown.comment;
  }

  return {
    load,
    choose(decision) {
      const box = section.querySelector(`[value="${decision}"]`);
      if (!box) return;
      box.checked = true;
      box.dispatchEvent(new Event("input", { bubbles: true }));
      const name = $("[name=name]", section);
      (name.value ? $("button", section) : name).focus();
    },
    comment() { $("textarea", section)?.focus(); },
  };
}
