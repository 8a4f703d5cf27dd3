// Requests, answers and latencies of the last hour, each release in its own colour.
import { h } from "./dom.js";
import * as words from "./words.js";
import { bands, plotOf, stacked } from "./chart.js";

const tones = 6;
const tablePart = 5 * 60_000;
const longest = 60 * 60_000;
const shortest = 10 * 60_000;
const widestChart = 1100;

const classes = [["3", "redirects (3xx)", "class-3"], ["4", "refusals (4xx)", "class-4"], ["5", "failures (5xx)", "class-5"]];
const stateWords = { new: "new connections", active: "with a request", idle: "idle", upgraded: "upgraded" };

/** @param state the page's, of which are used: status, traffic, tones, cursor, width. */
export function traffic(state) {
  const { traffic, status } = state;
  const shape = traffic && shapeOf(state);
  return [
    status && figures(status, shape),
    !shape || shape.releases.length === 0 ? h("p", { class: "quiet" }, "No requests in the last hour.") : [legend(shape), charts(shape, state), tables(shape)],
  ];
}

/** The times that the charts have values for, and where they lie. */
export function plotFor({ traffic, cursor, width, tones: known }) {
  const step = traffic.StepSeconds * 1000;
  const to = Math.floor(Date.parse(traffic.Until) / step) * step;
  const from = beginning(traffic, to);
  const times = Array.from({ length: (to - from) / step }, (_, i) => from + i * step);
  const markers = traffic.Switches.map(one => ({ time: Date.parse(one.At), label: `→ ${words.named(one.Revision, one.Hash)}`, tone: toneOf(one, known) }))
    .filter(marker => marker.time >= from && marker.time <= to).sort((a, b) => a.time - b.time);
  return plotOf(times, from, to, Math.min(width, widestChart), cursor, markers);
}

// An hour; less where there was nothing before.
function beginning(traffic, to) {
  const earliest = Math.min(...traffic.Revisions.map(revision => Date.parse(revision.Points[0]?.At ?? traffic.Until)));
  return Math.max(to - longest, Math.min(to - shortest, Math.floor(earliest / shortest) * shortest));
}

// A release keeps its colour for as long as the page is open.
function toneOf(release, known) {
  if (!release.Hash) return "series-none";
  if (!known.has(release.Hash)) known.set(release.Hash, known.size % tones);
  return `series-${known.get(release.Hash)}`;
}

function shapeOf(state) {
  const { traffic, tones: known } = state;
  const plot = plotFor(state);
  const step = traffic.StepSeconds * 1000;
  const releases = traffic.Revisions.map(revision => {
    const points = plot.times.map(() => undefined);
    for (const point of revision.Points) {
      const place = Math.round((Date.parse(point.At) - plot.from) / step);
      if (place >= 0 && place < points.length) points[place] = point;
    }
    return { ...revision, name: revision.Hash ? words.named(revision.Revision, revision.Hash) : "no release", tone: toneOf(revision, known), points };
  }).filter(release => release.points.some(Boolean)).sort((a, b) => firstOf(a) - firstOf(b));
  const latest = plot.times.findLastIndex((_, i) => releases.some(release => release.points[i]));
  return { plot, releases, step: traffic.StepSeconds, latest: latest < 0 ? null : latest };
}

const firstOf = release => release.points.findIndex(Boolean);

function figures(status, shape) {
  const active = status.Releases.find(release => release.Hash === status.Active)?.Traffic;
  return h("div", { class: "groups" },
    h("dl", { class: "figures", "aria-label": "What serves" },
      shape && shape.latest !== null && figure("requests a second", words.number(sumOf(shape.releases.map(release => release.points[shape.latest]), point => point.Requests) / shape.step)),
      latencies(active?.Traffic),
      active && [figure("in flight", words.number(active.InFlight)), figure("streams", words.number(active.Streams))]),
    h("dl", { class: "figures", "aria-label": "Open connections of clients by state" },
      Object.entries(status.Proxy?.Connections ?? status.States).map(([name, count]) => figure(stateWords[name] ?? name, words.number(count)))));
}

/** A number with what it is, in a list of those. */
export const figure = (title, value) => h("div", {}, h("dt", {}, title), h("dd", {}, value));

/** How long the answers of the last minute took; nothing where there were none. */
export function latencies(traffic) {
  const minute = traffic?.Latency[0];
  return minute?.Requests > 0 && [figure("median", words.milliseconds(minute.P50Ms)), figure("P99 of a minute", words.milliseconds(minute.P99Ms))];
}

const legend = shape => h("ul", { class: "legend", "aria-label": "Releases by colour" },
  shape.releases.map(release => h("li", {}, h("i", { class: `swatch ${release.tone}`, "aria-hidden": "true" }), release.name, " ", release.Hash ? h("code", {}, words.short(release.Hash)) : null)));

function charts({ plot, releases, step, latest }) {
  const rate = value => `${words.number(value)}/s`;
  const all = releases.reduce((sum, release) => sum + sumOf(release.points, point => point.Requests), 0);
  const good = releases.reduce((sum, release) => sum + sumOf(release.points, point => point.ByClass["2"] ?? 0), 0);
  return h("div", { class: "charts" },
    stacked({
      title: "Requests", unit: "a second, by release", plot, latest, say: rate,
      series: releases.map(release => ({ name: release.name, tone: release.tone, values: release.points.map(point => (point?.Requests ?? 0) / step) })),
    }),
    stacked({
      title: "Answers other than 2xx", unit: `a second; 2xx: ${share(good, all)}`, plot, latest, say: rate,
      series: classes.map(([digit, name, tone]) => ({ name, tone, values: plot.times.map((_, i) => releases.reduce((sum, release) => sum + (release.points[i]?.ByClass[digit] ?? 0), 0) / step) })),
    }),
    bands({
      title: "Latency", unit: "median · P90 · P99, by release", plot, latest,
      series: releases.filter(release => release.Hash).map(release => ({ name: release.name, tone: release.tone, points: release.points.map(point => point?.P99Ms > 0 ? { low: point.P50Ms, middle: point.P90Ms, high: point.P99Ms } : undefined) })),
    }));
}

const sumOf = (points, of) => points.reduce((sum, point) => sum + (point ? of(point) : 0), 0);
const share = (part, all) => all === 0 ? "–" : part === all ? "100 %" : `${(Math.floor(part / all * 10_000) / 100).toFixed(2)} %`;

function tables(shape) {
  return h("details", { "data-key": "tables" },
    h("summary", {}, "The same as tables"),
    table("By release", ["Release", "Requests", "2xx", "3xx", "4xx", "5xx", "Median", "P99, at most", "Sent"], shape.releases.map(release => {
      const points = release.points.filter(Boolean);
      const medians = points.map(point => point.P50Ms).filter(value => value > 0).sort((a, b) => a - b);
      return [release.name, words.number(sumOf(points, point => point.Requests)), ...["2", "3", "4", "5"].map(digit => words.number(sumOf(points, point => point.ByClass[digit] ?? 0))),
        words.milliseconds(medians[Math.floor(medians.length / 2)]), words.milliseconds(Math.max(...points.map(point => point.P99Ms))), words.bytes(sumOf(points, point => point.BytesOut))];
    })),
    table("By time", ["From", "Requests", "4xx", "5xx", "P99, at most", "Releases"], parts(shape)),
    shape.plot.markers.length > 0 && h("p", {}, "Switches: ", shape.plot.markers.map(marker => `${marker.label} at ${words.clock(marker.time)}`).join(", "), "."));
}

function parts({ plot, releases }) {
  const starts = [...new Set(plot.times.map(time => Math.floor(time / tablePart) * tablePart))];
  return starts.map(start => {
    const within = releases.map(release => ({ name: release.name, points: release.points.filter((point, i) => point && plot.times[i] >= start && plot.times[i] < start + tablePart) })).filter(release => release.points.length > 0);
    const points = within.flatMap(release => release.points);
    return [words.clock(start).slice(0, 5), words.number(sumOf(points, point => point.Requests)), words.number(sumOf(points, point => point.ByClass["4"] ?? 0)), words.number(sumOf(points, point => point.ByClass["5"] ?? 0)),
      points.length === 0 ? "–" : words.milliseconds(Math.max(...points.map(point => point.P99Ms))), within.map(release => release.name).join(", ") || "–"];
  });
}

const table = (caption, titles, rows) => h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, h("table", {},
  h("caption", {}, caption),
  h("thead", {}, h("tr", {}, titles.map((title, i) => h("th", { scope: "col", class: i > 0 ? "number" : null }, title)))),
  h("tbody", {}, rows.map(row => h("tr", {}, row.map((cell, i) => i === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: "number" }, cell)))))));
