// Waveforms, spectrograms and curves on canvases, from tiles that the server makes.

const TILES_KEPT = 200;
const DRAFT_MS = 700; // between looks at what is decoded so far
const LOUDEST_DB = 0.85; // of the scale, shown at full strength

const dark = matchMedia("(prefers-color-scheme: dark)");
export const onTheme = (redraw) => dark.addEventListener("change", redraw);
export const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

/** Tiles of one sound: of what is decoded so far, then of the whole. */
export class Tiles {
  constructor(address, { backwards = false, onload = () => {} } = {}) {
    this.address = address;
    this.more = backwards ? "&backwards=1" : "";
    this.onload = onload;
    this.kept = new Map();
    this.decoded = 0; // s; Infinity for the whole
  }

  /** Wait until all is decoded; meanwhile draw what is there, and call `onprogress`. */
  async open(onprogress = () => {}) {
    let waits = true;
    const whole = this._about("").finally(() => { waits = false; });
    whole.catch(() => {}); // thrown below
    for (;;) {
      await Promise.race([whole, new Promise((resolve) => { setTimeout(resolve, DRAFT_MS); })]);
      if (!waits) break;
      await this._about("&draft=1").then((record) => this._take(record, record.decoded)).catch(() => {});
      onprogress();
      this.onload();
    }
    this._take(await whole, Infinity);
    this.onload();
    return this;
  }

  async _about(draft) {
    const answer = await fetch(`${this.address}/sound?${this.more}${draft}`);
    const record = await answer.json();
    if (!answer.ok) throw new Error(record.error);
    return record;
  }

  _take(record, decoded) {
    Object.assign(this, { duration: record.duration, columnS: record.column_s, columns: record.columns, decoded });
  }

  /** The level whose columns are about as wide as a pixel that lasts `seconds`. */
  level(seconds) {
    return Math.max(0, Math.min(20, Math.floor(Math.log2(seconds / this.columnS))));
  }

  /** Give a tile that is here; fetch one that is not, or that has grown, and call `onload` then. */
  get(kind, level, tile) {
    const key = `${kind} ${level} ${tile}`;
    let entry = this.kept.get(key);
    if (!entry) {
      entry = { content: null, of: -1, waits: false };
      this.kept.set(key, entry);
      if (this.kept.size > TILES_KEPT) this.kept.delete(this.kept.keys().next().value);
    }
    const end = (tile + 1) * this.columns * this.columnS * 2 ** level;
    const isWhole = this.decoded === Infinity;
    if (!entry.waits && entry.of < (isWhole ? Infinity : Math.min(this.decoded, end))) {
      entry.waits = true;
      const of = this.decoded;
      fetch(`${this.address}/${kind}?level=${level}&tile=${tile}${this.more}${isWhole ? "" : "&draft=1"}`)
        .then((answer) => (answer.ok ? answer.arrayBuffer() : null))
        .then((content) => {
          Object.assign(entry, { of, waits: false });
          if (content) entry.content = { bytes: new Uint8Array(content), signed: new Int8Array(content) };
          this.onload();
        })
        .catch(() => { entry.waits = false; }); // asked for again when it is drawn again
    }
    return entry.content;
  }
}

/** Size a canvas to its place, in device pixels; give its context in CSS pixels. */
export function prepared(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const { width, height } = canvas.getBoundingClientRect();
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return { context, width, height };
}

/**
 * Call `visit(tile, first, x, columnWidth)` for each tile in sight.
 *
 * `toX` gives the place of a time of the sound; it is linear.
 */
function inSight(tiles, kind, width, toX, visit) {
  if (!tiles.columnS) return;
  const perSecond = toX(1) - toX(0);
  const level = tiles.level(1 / perSecond);
  const columnS = tiles.columnS * 2 ** level;
  const tileS = columnS * tiles.columns;
  const from = Math.max(0, -toX(0) / perSecond);
  const to = Math.min(tiles.duration, (width - toX(0)) / perSecond);
  for (let tile = Math.floor(from / tileS); tile * tileS < to; tile += 1) {
    const content = tiles.get(kind, level, tile);
    if (content) visit(content, toX(tile * tileS), columnS * perSecond);
  }
}

export function drawWaveform(canvas, tiles, toX, ink) {
  const { context, width, height } = prepared(canvas);
  context.fillStyle = ink;
  inSight(tiles, "peaks", width, toX, (tile, x, columnWidth) => {
    for (let i = 0; i < tile.signed.length / 2; i += 1) {
      const at = x + i * columnWidth;
      if (at < -columnWidth || at > width) continue;
      const top = (0.5 - tile.signed[2 * i + 1] / 254) * height;
      const bottom = (0.5 - tile.signed[2 * i] / 254) * height;
      context.fillRect(at, top, Math.max(columnWidth, 0.6), Math.max(bottom - top, 0.8));
    }
  });
}

/** From quiet to loud: paper to ink in daylight, night to flame in the dark. */
function ramp() {
  const stops = dark.matches
    ? [[18, 23, 28], [52, 28, 92], [150, 44, 116], [240, 120, 70], [255, 236, 170]]
    : [[255, 255, 255], [196, 220, 236], [94, 156, 196], [22, 84, 138], [6, 18, 44]];
  const colors = new Uint8ClampedArray(256 * 4);
  for (let value = 0; value < 256; value += 1) {
    const place = Math.min(1, value / 255 / LOUDEST_DB) * (stops.length - 1);
    const [low, part] = [Math.min(stops.length - 2, Math.floor(place)), place - Math.min(stops.length - 2, Math.floor(place))];
    for (let c = 0; c < 3; c += 1) colors[4 * value + c] = stops[low][c] + part * (stops[low + 1][c] - stops[low][c]);
    colors[4 * value + 3] = 255;
  }
  return colors;
}

const BANDS = 128;
function image(tile) {
  const theme = dark.matches ? "dark" : "light";
  if (tile.theme === theme) return tile.image;
  const columns = tile.bytes.length / BANDS;
  const picture = new OffscreenCanvas(Math.max(1, columns), BANDS);
  const colors = ramp();
  const pixels = new ImageData(Math.max(1, columns), BANDS);
  for (let column = 0; column < columns; column += 1) {
    for (let band = 0; band < BANDS; band += 1) {
      const from = 4 * tile.bytes[column * BANDS + band];
      const to = 4 * ((BANDS - 1 - band) * columns + column);
      pixels.data.set(colors.subarray(from, from + 4), to);
    }
  }
  picture.getContext("2d").putImageData(pixels, 0, 0);
  Object.assign(tile, { theme, image: picture });
  return picture;
}

export function drawSpectrogram(canvas, tiles, toX) {
  const { context, width, height } = prepared(canvas);
  inSight(tiles, "spectrogram", width, toX, (tile, x, columnWidth) => {
    const picture = image(tile);
    context.drawImage(picture, x, 0, (tile.bytes.length / BANDS) * columnWidth, height);
  });
}

const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];
/** Give round times between two, about as far apart as labels need. */
export function ticks(from, to, width) {
  const step = STEPS.find((each) => (each / (to - from)) * width > 80) ?? 7200;
  const times = [];
  for (let time = Math.ceil(from / step) * step; time <= to; time += step) times.push(Math.round(time * 10) / 10);
  return times;
}

/** Draw the bit error rate along time: `points` are [time of the recording, rate]. */
export function drawCourse(canvas, points, toX, threshold) {
  const { context, width, height } = prepared(canvas);
  const toY = (rate) => height - 6 - (rate / 0.6) * (height - 12);
  context.font = "11px system-ui, sans-serif";
  context.lineWidth = 1;
  for (const [rate, text] of [[0.5, "0.5 chance"], [threshold, ""], [0, "0"]]) {
    if (rate == null) continue;
    context.strokeStyle = color("line-strong");
    context.setLineDash(rate ? [4, 4] : []);
    context.beginPath();
    context.moveTo(0, toY(rate));
    context.lineTo(width, toY(rate));
    context.stroke();
    context.fillStyle = color("soft");
    context.fillText(text, 4, toY(rate) - 3);
  }
  context.setLineDash([]);
  context.strokeStyle = color("good");
  context.fillStyle = color("good");
  context.lineWidth = 1.5;
  context.beginPath();
  let previous = null;
  for (const [time, rate] of points) {
    if (rate == null) { previous = null; continue; }
    if (previous === null) context.moveTo(toX(time), toY(rate));
    else context.lineTo(toX(time), toY(rate));
    previous = time;
  }
  context.stroke();
  for (const [time, rate] of points) {
    if (rate != null) context.fillRect(toX(time) - 1.5, toY(rate) - 1.5, 3, 3);
  }
}
