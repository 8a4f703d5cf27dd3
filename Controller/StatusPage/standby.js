// Releases that stand by: who gets to them before the switch, and how that goes.
import { h } from "./dom.js";
import * as words from "./words.js";
import { button } from "./buttons.js";
import { figure, latencies } from "./traffic.js";

const shares = [1, 5, 10, 25, 50];

/** @param state the page's, of which are used: status, caller, now. */
export function standby(state) {
  return state.status.Releases.filter(release => release.Phase === "Standby").map(release => panel(release, state));
}

/** Percent of the clients that a release gets while it stands by. */
export const shareOf = (status, release) => status.Canary?.Hash === release.Hash ? status.Canary.Percent : 0;

function panel(release, { status, caller, now }) {
  const name = words.named(release.Revision, release.Hash);
  return h("article", { class: "panel standby", "data-key": `standby ${release.Hash}` },
    h("h3", {}, `${name} stands by`, release.Since ? h("small", {}, "for ", words.since(release.Since, now)) : null),
    h("p", {}, audience(release, status)),
    figures(release),
    caller?.MayChange && isNext(release, status) && orders(shareOf(status, release), name));
}

function audience(release, status) {
  const share = shareOf(status, release);
  if (share > 0) return `${share} % of the clients get it, always the same ones, and those who may see it before the switch.`;
  return isShown(release, status) ? "Those get it who may see it before the switch, and nobody else." : "Nobody gets it.";
}

// The Proxy knows of one only that somebody gets to.
const isShown = (release, status) => status.Proxy?.Applications.some(served => served.Application === status.Application && served.Standby?.Target.Release === release.Hash);

// The canary's, else the latest one: that is whom an order for a share means.
const isNext = (release, status) => {
  const standing = status.Releases.filter(other => other.Phase === "Standby");
  return release.Hash === (standing.find(other => shareOf(status, other) > 0) ?? standing.at(-1)).Hash;
};

function figures({ Traffic: traffic }) {
  if (!traffic?.Standby) return null;
  const { Traffic: counted, Standby: visits } = traffic;
  const failed = Object.entries(counted.ByStatus).reduce((sum, [status, count]) => sum + (status >= 500 ? count : 0), 0);
  return h("dl", { class: "figures" },
    figure("requests of the share", words.number(visits.Canary)),
    figure("previews", words.number(visits.Previews)),
    figure("failures (5xx)", words.number(failed)),
    figure("sent back to what serves", words.number(visits.SentBack)),
    latencies(counted));
}

function orders(share, name) {
  return h("p", { class: "buttons", role: "group", "aria-label": "Share of the clients" },
    shares.filter(percent => percent !== share).map(percent => button("canary", `${percent} %`, { class: "small", "data-percent": percent, "data-name": name, "data-key": `canary ${percent}`, "aria-label": `${percent} % of the clients` })),
    share > 0 && button("canary-off", "End the canary", { class: "small", "data-name": name }));
}
