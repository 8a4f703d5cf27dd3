// The status page: what it knows, when that is shown, and what its buttons do.
import { show } from "./dom.js";
import * as words from "./words.js";
import { ask, order, token } from "./api.js";
import { follow } from "./live.js";
import { now } from "./now.js";
import { timeAt } from "./chart.js";
import { plotFor, traffic } from "./traffic.js";
import { drain } from "./drain.js";
import { history, told } from "./history.js";

const trafficInterval = 10_000;
const keptEvents = 60;
const answerTime = 8000;
const longCommit = /\+([0-9a-f]{7})[0-9a-f]+$/;

const state = {
  status: null, caller: null, explanation: null, traffic: null, history: null, events: [],
  tones: new Map(), cursor: null, width: 800, skew: 0,
  get now() { return Date.now() + this.skew; },
};
const at = id => document.getElementById(id);

// --- what is shown ----------------------------------------------------------------------------------------------------------

let isDue = false;

/** Shows everything anew, once for all that changes at a time. */
function render() {
  if (isDue) return;
  isDue = true;
  requestAnimationFrame(() => {
    isDue = false;
    if (state.status) renderStatus();
    renderTraffic();
  });
}

function renderStatus() {
  const { status } = state;
  const active = status.Releases.find(release => release.Hash === status.Active);
  document.title = `${status.Application}: ${active ? words.named(active.Revision, active.Hash) : "nothing serves"}`;
  at("application").textContent = status.Application;
  at("host").textContent = `on ${location.host}`;
  at("version").textContent = `wunderproxy ${status.Version.replace(longCommit, "+$1")}`;
  show(at("now-body"), now(state));
  show(at("drain-body"), drain(state));
  show(at("history-body"), history(state));
}

function renderTraffic() {
  state.width = at("traffic-body").clientWidth;
  show(at("traffic-body"), traffic(state));
}

function announce(text) {
  at("announcement").textContent = text;
}

let answered = 0;

function answer(text, isGood) {
  const box = at("answer");
  clearTimeout(answered);
  box.textContent = text;
  box.className = `answer ${isGood ? "good" : "bad"}`;
  box.hidden = false;
  answered = setTimeout(() => box.hidden = true, isGood ? answerTime : 4 * answerTime);
}

// --- what is known ----------------------------------------------------------------------------------------------------------

/** Asks for something, and goes on with what was known where there is no answer. */
async function renew(name, path, of = value => value) {
  try {
    state[name] = of(await ask(path));
    render();
  } catch (error) {
    if (name === "traffic" && error.status === undefined && !document.hidden) again();
  }
}

const renewCaller = () => renew("caller", "/caller");
const renewHistory = () => renew("history", "/history", value => value.Entries);
const renewTraffic = () => document.hidden ? null : renew("traffic", "/traffic?minutes=60");
const renewExplanation = () => at("why")?.open ? renew("explanation", "/explain") : null;

let version = null;

const again = follow({
  connected(isConnected) {
    at("connection").textContent = isConnected ? "Live" : "The Controller isn't reached; what runs goes on. Trying again.";
    at("connection").className = `connection ${isConnected ? "good" : "bad"}`;
    document.body.classList.toggle("stale", !isConnected);
    if (isConnected) {
      renewCaller();
      renewHistory();
      renewTraffic();
    }
  },
  status(status) {
    // A page of another version may not know what this one tells.
    if (version !== null && version !== status.Version) location.reload();
    version = status.Version;
    state.status = status;
    state.skew = Date.parse(status.At) - Date.now();
    renewExplanation();
    render();
  },
  event(event) {
    state.events = [{ ...event, key: `${event.At} ${event.Event} ${event.Deployment ?? event.Hash} ${event.Phase ?? ""}` }, ...state.events].slice(0, keptEvents);
    if (event.Event !== "PhaseChanged") announce(told(event));
    if (event.Event === "DeploymentAccepted") renewHistory();
    if (event.Event === "TrafficSwitched") renewTraffic();
    render();
  },
});

setInterval(renewTraffic, trafficInterval);
setInterval(() => words.countOn(state.now), 1000);
new ResizeObserver(render).observe(at("traffic-body"));

// --- what can be ordered ----------------------------------------------------------------------------------------------------

const orders = {
  "rollback": { title: name => `Roll back to ${name}?`, text: "Traffic moves back. It holds on this host until current.json changes next.", yes: "Roll back", send: hash => order("/switch?wait=false", { Hash: hash }), done: name => `The switch to ${name} is accepted.` },
  "switch": { title: name => `Switch to ${name}?`, text: "Traffic moves once it is healthy. It holds on this host until current.json changes next.", yes: "Switch", send: hash => order("/switch?wait=false", { Hash: hash }), done: name => `The switch to ${name} is accepted.` },
  "abort": { title: name => `Withdraw ${name}?`, text: "What was begun is removed, and what serves goes on.", yes: "Withdraw", send: () => order("/abort"), done: name => `${name} is withdrawn.` },
  "retry": { send: () => order("/retry?wait=false"), done: name => `${name} is tried again.` },
  "canary": { title: (name, percent) => `Send ${percent} % of the clients to ${name}?`, text: "Always the same ones, on every host that is told so. It ends with the switch.", yes: "Send them", send: (_, percent) => order("/canary", { Percent: Number(percent) }), done: (name, percent) => `${percent} % of the clients get ${name}.` },
  "canary-off": { send: () => order("/canary", { Percent: 0 }), done: name => `No client is sent to ${name} any more.` },
  "pause": { title: () => "Pause traffic?", text: "Requests wait until traffic is resumed; those that wait too long are answered 503.", yes: "Pause", send: () => order("/pause"), done: () => "Traffic is paused." },
  "resume": { send: () => order("/resume"), done: () => "Traffic goes on." },
  "maintenance-up": { title: () => "Put maintenance up?", text: "Every request is answered with the maintenance page.", yes: "Put it up", send: () => order("/maintenance/up"), done: () => "Maintenance is up." },
  "maintenance-down": { send: () => order("/maintenance/down"), done: () => "Maintenance is down." },
  "extend": { send: hash => order("/drain", { Hash: hash, Extend: "5m" }), done: name => `What runs on ${name} has 5 minutes more.` },
  "end": { title: name => `End what runs on ${name}?`, text: "Requests are cut. WebSockets are told to close first.", yes: "End it now", send: hash => order("/drain", { Hash: hash, End: true }), done: name => `What ran on ${name} is ended.` },
};

/** Asks before something is done that others notice. */
function isSure({ title, text, yes }, name, percent) {
  if (!title) return Promise.resolve(true);
  at("question-title").textContent = title(name, percent);
  at("question-text").textContent = text;
  at("question-yes").textContent = yes;
  const dialog = at("question");
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise(resolve => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

async function give(button) {
  const { do: what, hash, name, percent } = button.dataset;
  if (!await isSure(orders[what], name, percent)) return;
  button.disabled = true;
  try {
    await orders[what].send(hash, percent);
    answer(orders[what].done(name, percent), true);
  } catch (error) {
    answer(error.name === "TimeoutError" ? "There was no answer in time; it may have been taken." : error.message, false);
    if (error.status === 401) {
      token.forget();
      renewCaller();
    }
  } finally {
    button.disabled = false;
  }
}

document.addEventListener("click", event => {
  const button = event.target.closest?.("button[data-do]");
  if (button) give(button);
});

document.addEventListener("submit", async event => {
  if (event.target.id !== "token-form") return;
  event.preventDefault();
  token.set(at("token").value.trim());
  await renewCaller();
  if (!state.caller?.MayChange) {
    token.forget();
    answer("That is not this Controller's token.", false);
  }
});

document.addEventListener("toggle", event => event.target.id === "why" && renewExplanation(), { capture: true });

// --- the cursor of the charts -----------------------------------------------------------------------------------------------

function point(cursor) {
  if (state.cursor === cursor) return;
  state.cursor = cursor;
  renderTraffic();
}

at("traffic-body").addEventListener("pointermove", event => {
  const drawing = event.target.closest?.("figure.chart")?.querySelector("svg");
  if (!drawing) return point(null);
  const plot = plotFor(state);
  const place = Math.round((timeAt(plot, event.clientX - drawing.getBoundingClientRect().left) - plot.from) / (plot.times[1] - plot.times[0]));
  point(Math.min(plot.times.length - 1, Math.max(0, place)));
});
at("traffic-body").addEventListener("pointerleave", () => point(null));

at("traffic-body").addEventListener("keydown", event => {
  if (!event.target.matches?.("figure.chart")) return;
  const last = plotFor(state).times.length - 1;
  const present = state.cursor ?? last;
  const next = { ArrowLeft: present - 1, ArrowRight: present + 1, PageUp: present - 30, PageDown: present + 30, Home: 0, End: last, Escape: null }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  point(next === null ? null : Math.min(last, Math.max(0, next)));
});
