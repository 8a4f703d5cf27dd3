// What still runs on releases that were replaced.
import { h } from "./dom.js";
import * as words from "./words.js";
import { button } from "./buttons.js";

/** The releases on which something runs though they were replaced. */
export const draining = status => status.Releases.filter(release => release.Traffic?.DrainingSince && release.Traffic.InFlight + release.Traffic.Streams > 0);

/** @param state the page's, of which are used: status, caller, now. */
export function drain(state) {
  const releases = draining(state.status);
  return releases.length === 0 ? [h("p", { class: "quiet" }, "Nothing runs on a replaced release.")] : releases.map(release => panel(release, state));
}

function panel(release, { caller, now }) {
  const { Traffic: traffic } = release;
  const name = words.named(release.Revision, release.Hash);
  const kinds = Object.entries(traffic.Drain?.ByKind ?? {});
  return h("article", { class: "panel", "data-key": release.Hash },
    h("h3", {}, name, h("small", {}, "replaced ", words.since(traffic.DrainingSince, now), " ago",
      traffic.Deadline ? ["; the last is cut in ", words.until(traffic.Deadline, now)] : "; nothing is cut, for it serves again")),
    h("dl", { class: "figures" }, kinds.map(([kind, count]) => h("div", {}, h("dt", {}, words.kind(kind, count)), h("dd", {}, words.number(count))))),
    caller?.MayChange && traffic.Deadline && h("p", { class: "buttons" },
      button("extend", "Give 5 more minutes", { "data-hash": release.Hash, "data-name": name }),
      button("end", "End now", { class: "risky", "data-hash": release.Hash, "data-name": name })),
    oldest(traffic.Drain?.Oldest ?? [], traffic, now));
}

function oldest(requests, traffic, now) {
  if (requests.length === 0) return null;
  const all = traffic.InFlight + traffic.Streams;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What still runs" }, h("table", {},
    h("caption", {}, requests.length < all ? `The ${requests.length} oldest of ${words.number(all)}` : "All of it, the oldest first"),
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "What"), h("th", { scope: "col" }, "Path"), h("th", { scope: "col", class: "number" }, "Runs for"), h("th", { scope: "col", class: "number" }, "Cut in"))),
    h("tbody", {}, requests.map(request => h("tr", {},
      h("td", {}, words.kind(request.Kind)),
      h("td", { class: "path" }, h("code", {}, request.Path)),
      h("td", { class: "number" }, words.span(request.AgeSeconds)),
      h("td", { class: "number" }, request.Deadline ? words.until(request.Deadline, now) : "–"))))));
}
