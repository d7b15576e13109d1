// Plays a clip and the recording that it was found in, together and apart.
//
// Time is that of the recording. The clip lies on its line: it plays `tau` times as fast, from its
// end to its start where it is reversed, so that both are at the same place of the speech.

const TURN_S = 2.5; // of each side, in turns
const TICK_MS = 40;
const LARGEST_DRIFT_S = 0.15; // jumps; below it the clip is led back by a little speed
const SLOWEST = 0.0625; // that browsers play
const FASTEST = 16;

export const MODES = ["clip", "recording", "turns", "both"];

export class PairPlayer {
  /** `clip` and `recording` are the addresses of their sounds in the API. */
  constructor(clip, recording, match, clipDuration) {
    const { tau = 1, rho = 1, reversed = false } = match.manipulation ?? {};
    this.tau = tau;
    this.start = match.reference_start;
    this.stop = match.reference_stop;
    this.offset = reversed ? clipDuration - match.query_stop : match.query_start;
    this.clipDuration = clipDuration;
    this.isSpeed = Math.abs(Math.log(tau * rho)) < 0.02;
    this.a = new Audio(`${clip}/audio${reversed ? "?backwards=1" : ""}`);
    this.b = new Audio(`${recording}/audio`);
    this.a.dataset.side = "clip";
    this.b.dataset.side = "recording";
    document.body.append(this.a, this.b); // without controls they take no place
    for (const each of [this.a, this.b]) {
      each.preload = "none";
      each.addEventListener("error", () => this._failed(each));
    }
    this.mode = "turns";
    this.speed = 1;
    this.loop = false;
    this.playing = false;
    this.position = this.start;
    this.onchange = () => {};
    this.onerror = () => {};
  }

  /** Where in the playing clip a time of the recording lies, in s. */
  toClip(time) { return this.offset + (time - this.start) * this.tau; }

  /** The part of the recording's time that the clip covers. */
  get clipSpan() {
    return [this.start - this.offset / this.tau, this.start + (this.clipDuration - this.offset) / this.tau];
  }

  get _usesB() { return this.mode !== "clip"; }
  get _usesA() { return this.mode !== "recording"; }

  async play() {
    this._connect();
    this.playing = true;
    if (this.position >= this._end - 0.05 || this.position < this._begin) this.position = this._begin;
    this.turnsFrom = this.position;
    this._place();
    this.onchange();
    try {
      await this.context?.resume();
      await (this._usesB ? this.b : this.a).play();
    } catch (error) {
      if (error.name === "AbortError") return; // paused before it began
      this.pause();
      this.onerror(error.name === "NotAllowedError" ? "press play once more: the browser wants a key or a click first" : "the sound cannot be played");
      return;
    }
    clearInterval(this.timer);
    if (this.playing) this.timer = setInterval(() => this._tick(), TICK_MS);
  }

  pause() {
    this.playing = false;
    clearInterval(this.timer);
    this.a.pause();
    this.b.pause();
    this.onchange();
  }

  toggle() { return this.playing ? this.pause() : this.play(); }

  seek(time) {
    this.position = Math.max(0, time);
    this.turnsFrom = this.position;
    this._place();
    this.onchange();
  }

  setMode(mode) {
    this.mode = mode;
    this.turnsFrom = this.position;
    if (this.playing) {
      this.pause();
      this.play();
    } else this.onchange();
  }

  setSpeed(speed) {
    this.speed = speed;
    this._place();
    this.onchange();
  }

  close() {
    this.pause();
    for (const each of [this.a, this.b]) {
      each.removeAttribute("src");
      each.remove();
    }
    this.context?.close();
    this.onchange = this.onerror = () => {};
  }

  /** Where the clip is played, too, its end is the end. */
  get _begin() {
    if (this.loop) return this.start;
    return this._usesA ? Math.max(0, this.clipSpan[0]) : 0;
  }

  get _end() {
    if (this.loop) return this.stop;
    return this._usesA ? this.clipSpan[1] : this.b.duration || Infinity;
  }

  /** Sides are mixed by Web Audio; without it only volumes are set. */
  _connect() {
    if (this.gains || !window.AudioContext) return;
    this.context = new AudioContext();
    this.gains = [this.a, this.b].map((element) => {
      const gain = this.context.createGain();
      const pan = this.context.createStereoPanner();
      this.context.createMediaElementSource(element).connect(gain).connect(pan).connect(this.context.destination);
      return { gain: gain.gain, pan: pan.pan };
    });
  }

  _mix() {
    const isTurnOfA = Math.floor((this.position - this.turnsFrom) / TURN_S) % 2 === 0;
    const levels = { clip: [1, 0], recording: [0, 1], both: [1, 1], turns: isTurnOfA ? [1, 0] : [0, 1] }[this.mode];
    const sides = this.mode === "both" ? [-1, 1] : [0, 0];
    [this.a, this.b].forEach((element, i) => {
      if (this.gains) {
        this.gains[i].gain.value = levels[i];
        this.gains[i].pan.value = sides[i];
      } else element.volume = levels[i];
    });
    this.sounding = this.mode === "turns" ? (isTurnOfA ? "clip" : "recording") : this.mode;
  }

  _rates() {
    const rate = (value) => Math.min(FASTEST, Math.max(SLOWEST, value));
    // A clip at another speed sounds as the recording does when its pitch follows the speed.
    this.a.preservesPitch = !(this.isSpeed && this.speed === 1);
    this.a.playbackRate = rate(this.speed * this.tau);
    this.b.playbackRate = rate(this.speed);
  }

  _place() {
    this._rates();
    const inClip = this.toClip(this.position);
    if (this._usesA) this.a.currentTime = Math.min(this.clipDuration, Math.max(0, inClip));
    if (this._usesB) this.b.currentTime = this.position;
    this._mix();
  }

  _tick() {
    if (this._usesB) this.position = this.b.currentTime;
    else this.position = this.start + (this.a.currentTime - this.offset) / this.tau;
    const ended = this._usesB ? this.b.ended : this.a.ended;
    if (ended || this.position >= this._end) {
      if (this.loop) this.seek(this.start);
      else return this.pause();
    }
    if (this._usesB && this._usesA) this._lead();
    this._mix();
    this.onchange();
  }

  /** Keep the clip beside the recording. */
  _lead() {
    const wanted = this.toClip(this.position);
    const isInside = wanted >= 0 && wanted < this.clipDuration - 0.02;
    if (!isInside) {
      if (!this.a.paused) this.a.pause();
      return;
    }
    if (this.a.paused) {
      this.a.currentTime = wanted;
      this.a.play().catch(() => {});
      return;
    }
    const drift = (this.a.currentTime - wanted) / this.tau;
    if (Math.abs(drift) > LARGEST_DRIFT_S) this.a.currentTime = wanted;
    else this.a.playbackRate = Math.min(FASTEST, Math.max(SLOWEST, this.speed * this.tau * (1 - Math.max(-0.05, Math.min(0.05, drift)))));
  }

  async _failed(element) {
    if (!element.getAttribute("src")) return;
    this.pause();
    // The element does not say why; the server does.
    const answer = await fetch(element.src, { headers: { range: "bytes=0-0" } }).catch(() => null);
    const record = answer && !answer.ok ? await answer.json().catch(() => ({})) : {};
    this.onerror(record.error ?? "the sound cannot be played");
  }
}
