// What all pages share: requests, elements, times, keys and the help panel.

const meta = (name) => document.querySelector(`meta[name=${name}]`)?.content ?? "";
export const canWrite = meta("write") === "yes";
export const userName = meta("user");

export const $ = (selector, root = document) => root.querySelector(selector);

/** Make an element; text never becomes markup. */
export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value != null) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

/** Ask the server for JSON, or for the answer as it is (`raw`); an error carries its one line. */
export async function api(path, { method = "GET", body, json, raw = false } = {}) {
  const headers = { "x-csrf-token": meta("csrf") };
  if (json !== undefined) {
    headers["content-type"] = "application/json";
    body = JSON.stringify(json);
  }
  let answer;
  try {
    answer = await fetch(path, { method, body, headers, cache: "no-store" });
  } catch {
    throw new Error("the server does not answer; is samaf serve still running?");
  }
  if (answer.status === 204) return null;
  if (raw && answer.ok) return answer;
  const record = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(record.error ?? `error ${answer.status}`);
  return record;
}

/** Send a form with progress, which fetch does not give. */
export function upload(path, form, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", path);
    request.setRequestHeader("x-csrf-token", meta("csrf"));
    request.upload.onprogress = (event) => onProgress(event.loaded / (event.total || 1));
    request.onload = () => {
      let record = {};
      try { record = JSON.parse(request.responseText); } catch { /* an error without a line */ }
      if (request.status < 300) resolve(record);
      else reject(new Error(record.error ?? `error ${request.status}`));
    };
    request.onerror = () => reject(new Error("the upload broke off; drop the clip again"));
    request.send(form);
  });
}

/** Write a time as the shell does: 0:03.2, 1:00:00.0. */
export function clock(seconds) {
  const tenths = Math.round(Math.abs(seconds) * 10);
  const [minutes, rest] = [Math.floor(tenths / 600), tenths % 600];
  const [hours, min] = [Math.floor(minutes / 60), minutes % 60];
  const sec = `${String(Math.floor(rest / 10)).padStart(2, "0")}.${rest % 10}`;
  const sign = seconds < 0 && tenths ? "-" : "";
  return sign + (hours ? `${hours}:${String(min).padStart(2, "0")}:${sec}` : `${min}:${sec}`);
}

/** Name an alteration as the shell does: "speed 0.950x", "pitch +3.9 semitones", "reversed". */
export function altered({ tau, rho, reversed }) {
  const least = 0.02;
  const tempo = Math.abs(Math.log(tau)) > least;
  const pitch = Math.abs(Math.log(rho)) > least;
  const parts = reversed ? ["reversed"] : [];
  if (tempo && pitch && Math.abs(Math.log(tau * rho)) <= least) {
    parts.push(`speed ${(1 / tau).toFixed(3)}x`);
  } else {
    if (tempo) parts.push(`tempo ${(1 / tau).toFixed(2)}x`);
    if (pitch) {
      const semitones = 12 * Math.log2(rho);
      parts.push(`pitch ${semitones < 0 ? "" : "+"}${semitones.toFixed(1)} semitones`);
    }
  }
  return parts.join(", ");
}

let fading;
/** Say something below the page, for eyes and screen readers. */
export function notice(text, isError = false) {
  const place = $("#notice");
  place.textContent = text;
  place.className = isError ? "error shown" : "shown";
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), isError ? 12000 : 5000);
}

/** Run something and show its error instead of losing it. */
export async function trying(work) {
  try {
    return await work();
  } catch (error) {
    notice(error.message, true);
    return undefined;
  }
}

/** Call `actions[key]` for keys outside of fields and open dialogs. */
export function onKeys(actions) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.target;
    if (target.closest("textarea, select, input:not([type=checkbox]):not([type=file]), dialog[open]")) return;
    const isControl = target.closest("button, a, summary, input, label");
    if (isControl && (event.key === " " || event.key === "Enter")) return;
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action(event);
    }
  });
}

const help = $("#help");
$("#help-button")?.addEventListener("click", () => help.showModal());
onKeys({ "?": () => help.showModal() });
