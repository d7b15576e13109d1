// The list of reports: loaded again until all are made; removed on demand.
import { $, api, trying } from "./common.js";

const WAIT_MS = 1000;
async function wait() {
  const { reports } = await api("/api/reports");
  if (reports.some((each) => each.state === "running")) setTimeout(() => trying(wait), WAIT_MS);
  else location.reload();
}
if ($("tr[data-state=running]")) trying(wait);

for (const button of document.querySelectorAll(".remove")) {
  button.addEventListener("click", () => trying(async () => {
    if (!confirm(`${button.getAttribute("aria-label")}? Its files are deleted.`)) return;
    await api(`/api/reports/${button.dataset.report}`, { method: "DELETE" });
    location.reload();
  }));
}
