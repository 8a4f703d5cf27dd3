// What serves, what is wanted, what goes on, and what isn't well.
import { h } from "./dom.js";
import * as words from "./words.js";
import { button } from "./buttons.js";
import { shareOf, standby } from "./standby.js";

// What a release goes through on its way to serving, in order.
const way = ["Accepted", "Pulling", "Creating", "Starting", "Verifying", "Standby", "Activating", "Probation", "Active"];
const advice = ["RollbackAvailable", "LiveRestore"];
const wayOfLaunch = way.slice(0, way.indexOf("Standby") + 1);
const wayOfTraffic = way.filter(phase => phase !== "Standby");

export const releaseOf = (status, hash) => status.Releases.find(release => release.Hash === hash);

/** The release that traffic can go back to at once, or after a start. */
export const formerOf = status => ["Draining", "Retained"].map(phase => status.Releases.find(release => release.Phase === phase && release.Hash !== status.Active)).find(Boolean);

/** @param state the page's, of which are used: status, caller, explanation, now. */
export function now(state) {
  const { status } = state;
  return [
    h("div", { class: "lead" }, headline(state), orders(state)),
    status.Deployments.filter(deployment => !deployment.End).map(deployment => underWay(deployment, state)),
    withdrawal(state),
    standby(state),
    conditions(state),
    releases(state),
    why(state),
  ];
}

function headline({ status, now }) {
  const active = releaseOf(status, status.Active);
  const [tone, text] = standing(status, active);
  return h("div", { class: "headline" },
    h("p", { class: `standing ${tone}` }, h("span", { class: "dot", "aria-hidden": "true" }), h("strong", {}, text)),
    active && h("p", { class: "quiet" }, h("code", {}, words.short(active.Hash)), active.Since ? [" for ", words.since(active.Since, now)] : null),
    h("p", {}, wish(status, now)));
}

function standing(status, active) {
  if (!active) return ["bad", "Nothing serves"];
  const name = words.named(active.Revision, active.Hash);
  if (status.MaintenanceMode) return ["warn", `Maintenance is up before ${name}`];
  if (status.Paused) return ["warn", `Traffic to ${name} is paused`];
  const isWell = active.Phase === "Active" || active.Phase === "Probation";
  return [isWell ? "good" : "bad", `${name} ${words.phase(active.Phase)}`];
}

function wish(status, now) {
  const decided = status.Pin ?? status.Desired;
  if (!decided) return "Nothing is wanted: there is no current.json, and nobody has switched to a release.";
  const name = words.named(decided.Revision, decided.Hash);
  const what = decided.Hash === status.Active ? "That is what is wanted" : [h("b", {}, name), " is wanted"];
  const by = status.Pin
    ? [", by a switch ", words.since(status.Pin.Since, now), " ago; it holds until current.json changes", status.Desired ? `, which names ${words.named(status.Desired.Revision, status.Desired.Hash)}.` : "."]
    : [", by current.json, for ", words.since(decided.Since, now), "."];
  const hasFailed = releaseOf(status, decided.Hash)?.Phase === "Rejected";
  return [what, by, hasFailed && " It failed, and isn't tried again until somebody decides anew."];
}

function orders({ status, caller }) {
  if (!caller) return null;
  if (!caller.MayChange) return caller.NeedsToken ? tokenForm() : h("p", { class: "orders quiet" }, caller.Reason);
  const former = formerOf(status);
  const latest = status.Deployments[0];
  return h("div", { class: "orders buttons", role: "group", "aria-label": "Orders" },
    former && button("rollback", `Roll back to ${words.named(former.Revision, former.Hash)}`, { "data-hash": former.Hash, "data-name": words.named(former.Revision, former.Hash) }),
    latest?.End && latest.End !== "Succeeded" && button("retry", `Try ${words.named(latest.Revision, latest.Hash)} again`, { "data-name": words.named(latest.Revision, latest.Hash) }),
    status.Paused ? button("resume", "Resume traffic", { class: "main" }) : button("pause", "Pause traffic"),
    status.MaintenanceMode ? button("maintenance-down", "End maintenance", { class: "main" }) : button("maintenance-up", "Maintenance"));
}

function tokenForm() {
  return h("form", { class: "orders token", id: "token-form" },
    h("label", { for: "token" }, "Token, to change something from here"),
    h("input", { id: "token", type: "password", autocomplete: "off", spellcheck: "false", required: true }),
    h("button", { class: "main" }, "Use it"));
}

function underWay(deployment, { status, now }) {
  const release = releaseOf(status, deployment.Hash);
  return h("article", { class: "panel", "data-key": deployment.Id },
    h("h3", {}, `${deployment.Kind} of ${words.named(deployment.Revision, deployment.Hash)}`,
      h("small", {}, "for ", words.since(deployment.AcceptedAt, now), "; it ends within ", words.until(deployment.Deadline, now))),
    steps(deployment, release, now),
    h("p", {}, words.sentence(deployment.Message ?? status.Plan.Reason)),
    status.Plan.Working.length > 0 && h("p", { class: "quiet" }, "Under way: ", status.Plan.Working.join(", ")),
    release?.LastProbe && h("p", { class: "quiet" }, "Health check: ", release.LastProbe),
    release?.BackoffUntil && h("p", { class: "quiet" }, "It is tried again in ", words.until(release.BackoffUntil, now), "."));
}

// One order withdraws all that is under way.
function withdrawal({ status, caller }) {
  const running = status.Deployments.filter(deployment => !deployment.End).map(deployment => words.named(deployment.Revision, deployment.Hash));
  return caller?.MayChange && running.length > 0 && h("p", { class: "buttons" }, button("abort", `Withdraw ${running.join(", ")}`, { class: "risky", "data-name": running.join(", ") }));
}

function steps(deployment, release, now) {
  const phases = deployment.Kind === "Launch" ? wayOfLaunch : wayOfTraffic;
  const present = release?.Phase ?? deployment.Phases.at(-1)?.Phase;
  const place = phases.indexOf(present);
  return h("ol", { class: "steps" }, phases.map((phase, number) => {
    const took = durationOf(deployment, phase, now);
    return h("li", { class: number < place ? "done" : number === place ? "present" : null, "aria-current": number === place ? "step" : null },
      h("span", {}, phase), took === null ? null : h("small", {}, words.span(took)));
  }));
}

/** Seconds that a deployment has spent in a phase; null where it wasn't in it. */
export function durationOf(deployment, phase, now) {
  const end = deployment.EndedAt ? Date.parse(deployment.EndedAt) : now;
  const spans = deployment.Phases.map((entry, number) => ({ phase: entry.Phase, seconds: (Date.parse(deployment.Phases[number + 1]?.At ?? new Date(end)) - Date.parse(entry.At)) / 1000 }));
  const found = spans.filter(entry => entry.phase === phase);
  return found.length === 0 ? null : found.reduce((sum, entry) => sum + Math.max(0, entry.seconds), 0);
}

// What only makes less of the host than it could be, or is being done.
const toneOf = ({ Status: status, Type: type, Reason: reason }) =>
  status === true ? "good" : status === null ? "unknown" : reason === "Progressing" || advice.includes(type) ? "warn" : "bad";

function conditions({ status, now }) {
  const open = status.Conditions.filter(condition => condition.Status !== true);
  const item = condition => h("li", { class: toneOf(condition), "data-key": condition.Type },
    h("b", {}, words.condition(condition.Type), h("span", { class: "sign" }, condition.Status === true ? "yes" : condition.Status === null ? "not known" : "no")),
    h("span", {}, condition.Message, h("small", { class: "quiet" }, " for ", words.since(condition.Since, now))));
  return h("div", { class: "conditions" },
    open.length > 0 && h("ul", { class: "list" }, open.map(item)),
    h("details", {},
      h("summary", {}, open.length === 0 ? `All ${status.Conditions.length} checks are well` : `${status.Conditions.length - open.length} of ${status.Conditions.length} checks are well`),
      h("ul", { class: "list" }, status.Conditions.filter(condition => condition.Status === true).map(item))));
}

function releases({ status, caller, now }) {
  if (status.Releases.length === 0) return null;
  return h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Releases" }, h("table", {},
    h("caption", {}, "Releases"),
    h("thead", {}, h("tr", {}, ["Release", "State", "For", "In flight", "Requests", "P50", "P99", "Health check", ""].map((title, number) => h("th", { scope: "col", class: number >= 3 && number <= 6 ? "number" : null }, title || h("span", { class: "unseen" }, "Orders"))))),
    h("tbody", {}, status.Releases.map(release => {
      const latency = release.Traffic?.Traffic.Latency[0];
      const name = words.named(release.Revision, release.Hash);
      return h("tr", { "data-key": release.Hash },
        h("th", { scope: "row" }, name, " ", h("code", {}, words.short(release.Hash))),
        h("td", {}, words.phase(release.Phase), shareOf(status, release) > 0 ? `, ${shareOf(status, release)} % of the clients` : null, release.Failure ? `: ${words.failure(release.Failure.Class)}` : null),
        h("td", {}, release.Since ? words.since(release.Since, now) : "–"),
        h("td", { class: "number" }, release.Traffic ? words.number(release.Traffic.InFlight + release.Traffic.Streams) : "–"),
        h("td", { class: "number" }, release.Traffic ? words.number(release.Traffic.Traffic.Requests) : "–"),
        h("td", { class: "number" }, latency?.Requests ? words.milliseconds(latency.P50Ms) : "–"),
        h("td", { class: "number" }, latency?.Requests ? words.milliseconds(latency.P99Ms) : "–"),
        h("td", {}, release.LastProbe ?? "–"),
        h("td", { class: "buttons" }, caller?.MayChange && ["Standby", "Draining", "Retained"].includes(release.Phase) && release.Hash !== status.Active
          ? button("switch", "Switch to it", { class: "small", "data-hash": release.Hash, "data-name": name }) : null));
    }))));
}

function why({ explanation, now }) {
  return h("details", { id: "why", "data-key": "why" },
    h("summary", {}, "Why it does what it does"),
    !explanation ? h("p", { class: "quiet" }, "Asking the plan.") : [
      h("p", {}, words.sentence(explanation.Reason), explanation.LookAgainAt ? [" It looks again in ", words.until(explanation.LookAgainAt, now), " at the latest."] : " It looks again whenever something happens."),
      h("ol", { class: "rules" }, explanation.Rules.filter(rule => rule.Outcome !== "NotReached").map(rule => h("li", { class: rule.Outcome.toLowerCase(), "data-key": rule.Row },
        h("b", {}, rule.Row), h("span", { class: "sign" }, { Chosen: "chosen", Waits: "waits", NotNow: "not now" }[rule.Outcome] ?? rule.Outcome),
        h("span", {}, rule.Why, rule.Until ? [" (", words.until(rule.Until, now), " left)"] : null,
          rule.Outcome === "NotNow" ? null : h("small", { class: "quiet" }, ` When ${rule.When}, then: ${rule.Then}.`))))),
    ]);
}
