// What people read in the place of what programs say.
import { h } from "./dom.js";

const shownDigits = 12;
const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

const phaseWords = {
  Accepted: "is accepted", Pulling: "is being pulled", Creating: "is being created", Starting: "is being started", Verifying: "runs and isn't healthy yet",
  Standby: "stands by", Activating: "gets the traffic", Probation: "serves on probation", Active: "serves", Recovering: "is being recovered", Draining: "was replaced",
  Stopping: "is being stopped", Retained: "is kept for a rollback", Removed: "is gone", BackingOff: "waits for the next attempt", Rejected: "failed", Superseded: "was given up",
};

const conditionWords = {
  Ready: "The wanted release serves", Available: "Requests are served", Healthy: "The active release is healthy", DockerReachable: "The Docker Engine answers",
  ProxyReachable: "The Proxy answers", RoutingAccepted: "The Proxy does as it is told", StoreReachable: "The store answers", ConfigurationAccepted: "current.json can be used", StateDurable: "The state file is well",
  RollbackAvailable: "There is a release to go back to", LiveRestore: "Containers survive a restart of the engine", CertificatesValid: "Certificates are valid",
  CertificatesObtained: "Automatic certificates are there",
};

const endWords = { Succeeded: "succeeded", Failed: "failed", RolledBack: "rolled back", Superseded: "superseded", Cancelled: "cancelled" };

const failureWords = {
  Exited: "exited", OutOfMemory: "out of memory", CrashLoop: "crashes again and again", WrongPort: "listens on another port", UnhealthyStatus: "unhealthy answer",
  Timeout: "health check unanswered", ImageMissing: "no such image", BadOption: "option refused by the engine", PortTaken: "port taken", RouteTaken: "route taken",
  DeadlineExceeded: "not in time",
};

const kindWords = { Plain: "request", Stream: "stream", WebSocket: "WebSocket", Upgrade: "upgraded connection" };
const kindPlurals = { Plain: "requests", Stream: "streams", WebSocket: "WebSockets", Upgrade: "upgraded connections" };

export const phase = name => phaseWords[name] ?? name;
export const condition = type => conditionWords[type] ?? type.replace(/([a-z])([A-Z])/g, (_, a, b) => `${a} ${b.toLowerCase()}`);
export const end = name => endWords[name] ?? name;
export const failure = name => failureWords[name] ?? name;
export const kind = (name, count = 1) => (count === 1 ? kindWords : kindPlurals)[name] ?? name;
export const short = hash => (hash ?? "").slice(0, shownDigits);
export const named = (revision, hash) => revision || short(hash) || "?";
export const sentence = text => /[.!?…]$/.test(text) ? text : `${text}.`;
export const plural = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;

/** A number with few digits and thin spaces between thousands. */
export function number(value) {
  if (!Number.isFinite(value)) return "–";
  const digits = value !== 0 && Math.abs(value) < 10 && !Number.isInteger(value) ? 1 : 0;
  return value.toFixed(digits).replace(/\B(?=(\d{3})+(?!\d))/g, "\u202f");
}

/** Milliseconds as people say them. */
export function milliseconds(value) {
  if (!Number.isFinite(value)) return "–";
  return value >= 1000 ? `${(value / 1000).toFixed(value < 10000 ? 1 : 0)} s` : `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
}

export function bytes(value) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit > 0 && value < 10 ? value.toFixed(1) : value.toFixed(0)} ${units[unit]}`;
}

/** A length of time in seconds. */
export function span(seconds) {
  const value = Math.max(0, seconds);
  if (value < 10) return `${value.toFixed(1)} s`;
  if (value < minute) return `${Math.floor(value)} s`;
  if (value < hour) return `${Math.floor(value / minute)} min ${Math.floor(value % minute)} s`;
  if (value < day) return `${Math.floor(value / hour)} h ${Math.floor(value % hour / minute)} min`;
  return `${Math.floor(value / day)} d ${Math.floor(value % day / hour)} h`;
}

const clockFormat = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const dayFormat = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

export const clock = at => clockFormat.format(new Date(at));

/** A time of day, with its day where that isn't today's. */
export function when(at, now) {
  const date = new Date(at);
  return date.toDateString() === new Date(now).toDateString() ? clock(date) : `${dayFormat.format(date)} ${clock(date)}`;
}

/** How long something goes on already; it counts on by itself. */
export const since = (at, now) => h("time", { datetime: at, "data-since": at, title: when(at, now) }, span((now - Date.parse(at)) / 1000));

/** How long something has left; it counts on by itself. */
export const until = (at, now) => h("time", { datetime: at, "data-until": at, title: when(at, now) }, span((Date.parse(at) - now) / 1000));

/** Lets the times on the page count on. */
export function countOn(now) {
  for (const time of document.querySelectorAll("time[data-since]")) time.textContent = span((now - Date.parse(time.dataset.since)) / 1000);
  for (const time of document.querySelectorAll("time[data-until]")) time.textContent = span((Date.parse(time.dataset.until) - now) / 1000);
}
