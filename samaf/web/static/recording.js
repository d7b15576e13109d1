// One recording: its waveform, and its labels.
import { $, api, clock, onKeys, trying } from "./common.js";
import { Tiles, color, drawWaveform, onTheme } from "./draw.js";

const canvas = $("#overview");
const audio = $("#audio");
const address = `/api/recordings/${canvas.dataset.recording}`;

function draw() {
  const { width, height } = canvas.getBoundingClientRect();
  const toX = (time) => (time / tiles.duration) * width;
  drawWaveform(canvas, tiles, toX, color("b"));
  const context = canvas.getContext("2d");
  context.fillStyle = color("bad");
  context.fillRect(toX(audio.currentTime), 0, 2, height);
}
const tiles = new Tiles(address, { onload: draw });
$("#state").textContent = "decoding …";
new ResizeObserver(draw).observe(canvas);
onTheme(draw);
tiles.open(() => {
  if (tiles.duration) $("#state").textContent = `decoding … ${clock(tiles.decoded)} of ${clock(tiles.duration)}`;
}).then(() => {
  $("#state").textContent = "";
  audio.addEventListener("timeupdate", draw);
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    audio.currentTime = ((event.clientX - box.left) / box.width) * tiles.duration;
    audio.play();
  });
}).catch((error) => { $("#state").textContent = error.message; });

onKeys({ " ": () => (audio.paused ? audio.play() : audio.pause()) });

$("#label")?.addEventListener("submit", (event) => {
  event.preventDefault();
  const { name, value } = Object.fromEntries(new FormData(event.target));
  trying(async () => {
    await api(`${address}/labels`, { method: "PATCH", json: { labels: { [name]: value || null } } });
    location.reload();
  });
});
