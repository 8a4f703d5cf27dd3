// Who deployed what, how it ended, how long it took, why it failed; and what happens while one looks on.
import { h } from "./dom.js";
import * as words from "./words.js";

// A document is published a moment before a host reads it.
const tolerance = 5000;

const eventWords = {
  DeploymentAccepted: event => `${event.Kind} of ${name(event)} was accepted.`,
  PhaseChanged: event => `${name(event)} ${words.phase(event.Phase)}.`,
  DeploymentEnded: event => `${event.Kind} of ${name(event)} ${words.end(event.End)}${event.Message ? `: ${event.Message}` : "."}`,
  TrafficSwitched: event => `Traffic has moved to ${name(event)}.`,
  DrainEnded: event => `The last request on ${name(event)} has ended.`,
};

const name = event => words.named(event.Revision, event.Hash);

/** An event as a sentence. */
export const told = event => (eventWords[event.Event] ?? (() => `${event.Event} of ${name(event)}.`))(event);

/** @param state the page's, of which are used: status, history, events, now. */
export function history(state) {
  const { status } = state;
  return [
    status.Deployments.length === 0 ? h("p", { class: "quiet" }, "Nothing was deployed on this host since its state file is there.")
      : h("ol", { class: "deployments" }, status.Deployments.map(deployment => entry(deployment, state))),
    published(state),
    h("h3", {}, "Events"),
    state.events.length === 0 ? h("p", { class: "quiet" }, "They appear here as they happen.")
      : h("ol", { class: "events", role: "log", "aria-live": "off" }, state.events.map(event => h("li", { "data-key": event.key }, h("time", { datetime: event.At }, words.when(event.At, state.now)), " ", told(event)))),
  ];
}

function entry(deployment, { history, now }) {
  const took = (deployment.EndedAt ? Date.parse(deployment.EndedAt) : now) - Date.parse(deployment.AcceptedAt);
  const author = authorOf(deployment, history);
  return h("li", { "data-key": deployment.Id, class: toneOf(deployment) },
    h("p", { class: "what" },
      h("span", { class: "dot", "aria-hidden": "true" }),
      h("b", {}, words.named(deployment.Revision, deployment.Hash)), " ", h("code", {}, words.short(deployment.Hash)), " ",
      h("span", { class: "end" }, deployment.End ? words.end(deployment.End) : "under way"),
      h("small", { class: "quiet" }, deployment.Kind === "Deploy" ? `deployed${author ? ` by ${author}` : ""}` : `${deployment.Kind.toLowerCase()} on this host`,
        " at ", h("time", { datetime: deployment.AcceptedAt }, words.when(deployment.AcceptedAt, now)), `, ${words.span(took / 1000)}`)),
    phases(deployment, now),
    deployment.Failure ? evidence(deployment.Failure) : deployment.End && deployment.End !== "Succeeded" && deployment.Message ? h("p", { class: "quiet" }, deployment.Message) : null);
}

const toneOf = deployment => !deployment.End ? "unknown" : deployment.End === "Succeeded" ? "good" : deployment.End === "Superseded" || deployment.End === "Cancelled" ? "unknown" : "bad";

function authorOf(deployment, history) {
  const published = (history ?? []).filter(entry => entry.Hash === deployment.Hash && Date.parse(entry.DeployedAt) <= Date.parse(deployment.AcceptedAt) + tolerance);
  return published[0]?.DeployedBy;
}

// How long each phase took, as a bar and in words.
function phases(deployment, now) {
  const end = deployment.EndedAt ? Date.parse(deployment.EndedAt) : now;
  const spans = deployment.Phases.map((phase, number) => ({ phase: phase.Phase, seconds: (Date.parse(deployment.Phases[number + 1]?.At ?? new Date(end)) - Date.parse(phase.At)) / 1000 }))
    .filter(entry => entry.seconds > 0);
  if (spans.length === 0) return null;
  return h("div", { class: "took" },
    h("div", { class: "bar", "aria-hidden": "true" }, spans.map(entry => h("span", { class: `phase-${entry.phase}`, grow: Math.max(entry.seconds, 0.01) }))),
    h("ul", {}, spans.map(entry => h("li", {}, entry.phase, " ", h("b", {}, words.span(entry.seconds))))));
}

function evidence(failure) {
  return h("details", { class: "evidence", open: true },
    h("summary", {}, words.failure(failure.Class)),
    h("p", {}, failure.Message),
    h("dl", {},
      failure.ExitCode !== undefined && h("div", {}, h("dt", {}, "Exit code"), h("dd", {}, String(failure.ExitCode))),
      failure.LastProbe && h("div", {}, h("dt", {}, "Last answer to the health check"), h("dd", {}, failure.LastProbe))),
    failure.Log.length > 0 && [h("p", { class: "quiet" }, "The last lines that it wrote"), h("pre", { tabindex: "0" }, failure.Log.join("\n"))]);
}

// What other hosts, or this one before its present memory, got from the store.
function published({ history, status, now }) {
  const known = new Set(status.Deployments.map(deployment => deployment.Hash));
  const others = (history ?? []).filter(entry => !known.has(entry.Hash));
  if (others.length === 0) return null;
  return h("details", { "data-key": "published" },
    h("summary", {}, `${words.plural(others.length, "earlier deployment")} in the store`),
    h("ul", { class: "list plain" }, others.map(entry => h("li", {},
      h("b", {}, words.named(entry.Revision, entry.Hash)), h("span", {}, h("code", {}, words.short(entry.Hash)), ` by ${entry.DeployedBy ?? "?"}, `, h("time", { datetime: entry.DeployedAt }, words.when(entry.DeployedAt, now)))))));
}
