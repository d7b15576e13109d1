// Lists: search and next page by key.
import { $, onKeys } from "./common.js";

onKeys({ "/": () => $("#search").focus(), n: () => $("#more")?.click() });
for (const form of document.querySelectorAll("form[method=get]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault(); // the policy of the page lets no form go
    const values = [...new FormData(form)].filter(([, value]) => value !== "");
    location.search = new URLSearchParams(values);
  });
}
