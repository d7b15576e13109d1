// Duplicates: searched for in the background; the page loads again when they are found.
import { $, api, trying } from "./common.js";

const WAIT_MS = 1000;
async function wait() {
  const { state } = await api("/api/duplicates");
  if (state === "running") setTimeout(() => trying(wait), WAIT_MS);
  else location.reload();
}
if ($("#duplicates").dataset.state === "running") trying(wait);
$("#find").addEventListener("click", () => trying(async () => {
  await api("/api/duplicates", { method: "POST" });
  location.reload();
}));
