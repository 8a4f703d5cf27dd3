// Charts over time: a small SVG each, with a cursor that all of them share.
import { h, svg } from "./dom.js";
import * as words from "./words.js";

const height = 156;
const margin = { top: 20, right: 10, bottom: 22, left: 46 };
const tickMinutes = [1, 2, 5, 10, 20];
const labelWidth = 46;
const decade = 10;

/**
 * Values on top of each other, such as requests by release.
 * @param chart title, unit, plot, series: [{ name, tone, values }] with a value for each of plot.times, and say(value).
 */
export function stacked(chart) {
  const { plot, series } = chart;
  const sums = plot.times.map((_, i) => series.reduce((sum, one) => sum + one.values[i], 0));
  const top = niceAbove(Math.max(...sums, 0));
  const y = value => plot.bottom - value / top * (plot.bottom - margin.top);
  const under = plot.times.map(() => 0);
  const areas = series.map(one => {
    const lower = [...under];
    one.values.forEach((value, i) => under[i] += value);
    return [
      svg("path", { class: `area ${one.tone}`, d: `${line(plot, under, y)} ${line(plot, lower, y, true)} Z` }),
      stretches(one.values).map(([from, to]) => svg("path", { class: `edge ${one.tone}`, d: line({ ...plot, times: plot.times.slice(from, to) }, under.slice(from, to), y) })),
    ];
  });
  const readout = i => series.filter(one => one.values[i] > 0).map(one => ({ ...one, text: chart.say(one.values[i]) }));
  return figure(chart, [0, top / 2, top].map(value => ({ y: y(value), text: words.number(value) })), areas, readout);
}

/**
 * Percentiles of several releases, on a logarithmic scale: a band from the median to the 99th, a line for the median and one for the 90th.
 * @param chart title, unit, plot, series: [{ name, tone, points }] with { low, middle, high } or nothing for each of plot.times.
 */
export function bands(chart) {
  const { plot, series } = chart;
  const points = series.flatMap(one => one.points.filter(Boolean));
  const lowest = decade ** Math.floor(Math.log10(Math.max(0.1, Math.min(...points.map(point => point.low), 1))));
  const highest = decade ** Math.ceil(Math.log10(Math.max(...points.map(point => point.high), lowest * decade) * 1.0001));
  const y = value => plot.bottom - Math.log(Math.max(value, lowest) / lowest) / Math.log(highest / lowest) * (plot.bottom - margin.top);
  const lines = series.map(one => stretches(one.points).map(([from, to]) => {
    const of = name => one.points.slice(from, to).map(point => point[name]);
    const part = { ...plot, times: plot.times.slice(from, to) };
    return [
      svg("path", { class: `band ${one.tone}`, d: `${line(part, of("high"), y)} ${line(part, of("low"), y, true)} Z` }),
      svg("path", { class: `edge dashed ${one.tone}`, d: line(part, of("middle"), y) }),
      svg("path", { class: `edge strong ${one.tone}`, d: line(part, of("low"), y) }),
    ];
  }));
  const ticks = Array.from({ length: Math.round(Math.log10(highest / lowest)) + 1 }, (_, i) => lowest * decade ** i);
  const readout = i => series.filter(one => one.points[i]).map(one => ({ ...one, text: ["low", "middle", "high"].map(name => words.milliseconds(one.points[i][name])).join(" · ") }));
  return figure(chart, ticks.map(value => ({ y: y(value), text: words.milliseconds(value) })), lines, readout);
}

/** Where times lie in a chart. */
export function plotOf(times, from, to, width, cursor, markers) {
  const left = margin.left;
  const right = Math.max(left + 1, width - margin.right);
  return { times, from, to, width, left, right, bottom: height - margin.bottom, cursor, markers, x: time => left + (time - from) / (to - from) * (right - left) };
}

/** The time at a place in a chart. */
export const timeAt = (plot, x) => plot.from + (x - plot.left) / (plot.right - plot.left) * (plot.to - plot.from);

function figure(chart, ticks, marks, readout) {
  const { plot, title, unit } = chart;
  const at = plot.cursor ?? chart.latest;
  const said = at === null ? [] : readout(at);
  return h("figure", { class: "chart", tabindex: "0", role: "group", "aria-label": `${title}. The arrow keys move along the time.`, "data-key": title },
    h("figcaption", {}, h("b", {}, title), " ", h("small", {}, unit),
      h("output", {}, at === null ? "" : h("time", {}, words.clock(plot.times[at])),
        said.length === 0 && at !== null ? " none" : said.map(one => h("span", { class: "said" }, h("i", { class: `swatch ${one.tone}`, "aria-hidden": "true" }), one.name, " ", h("b", {}, one.text))))),
    svg("svg", { viewBox: `0 0 ${plot.width} ${height}`, width: plot.width, height, "aria-hidden": "true" },
      ticks.map(tick => [
        svg("line", { class: "grid", x1: plot.left, x2: plot.right, y1: tick.y, y2: tick.y }),
        svg("text", { class: "tick", x: plot.left - 6, y: tick.y + 3.5, "text-anchor": "end" }, tick.text),
      ]),
      times(plot).map(time => svg("text", { class: "tick", x: plot.x(time), y: height - 6, "text-anchor": "middle" }, words.clock(time).slice(0, 5))),
      marks,
      labelled(plot).map(marker => [
        svg("line", { class: `marker ${marker.tone}`, x1: marker.x, x2: marker.x, y1: 2, y2: plot.bottom }),
        marker.side && svg("text", { class: "mark", x: marker.x + (marker.side === "start" ? 4 : -4), y: 11, "text-anchor": marker.side }, marker.label),
      ]),
      plot.cursor !== null && svg("line", { class: "cursor", x1: plot.x(plot.times[plot.cursor]), x2: plot.x(plot.times[plot.cursor]), y1: margin.top - 6, y2: plot.bottom })));
}

// A label stands behind its line, or before it where the next one is near; where both sides are taken it is left out: the colour of the line tells, too. The latest comes first.
function labelled(plot) {
  let limit = plot.right;
  return plot.markers.map(marker => ({ ...marker, x: plot.x(marker.time) })).reverse().map(marker => {
    const side = marker.x + labelWidth <= limit ? "start" : marker.x <= limit && marker.x - labelWidth >= plot.left ? "end" : null;
    limit = Math.min(limit, side === "end" ? marker.x - labelWidth : marker.x);
    return { ...marker, side };
  });
}

function times(plot) {
  const most = plot.width < 480 ? 3 : 7;
  const step = tickMinutes.map(minutes => minutes * 60_000).find(candidate => (plot.to - plot.from) / candidate <= most);
  const first = Math.ceil(plot.from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((plot.to - first) / step) + 1) }, (_, i) => first + i * step).filter(time => plot.x(time) > plot.left + 12 && plot.x(time) < plot.right - 12);
}

function line(plot, values, y, isBackward = false) {
  const at = plot.times.map((time, i) => `${plot.x(time).toFixed(1)},${y(values[i]).toFixed(1)}`);
  // A single value is a dot.
  return `${isBackward ? "L" : "M"}${(isBackward ? at.reverse() : at).join("L")}${at.length === 1 ? "h.1" : ""}`;
}

function stretches(points) {
  const found = [];
  points.forEach((point, i) => {
    if (!point) return;
    if (found.at(-1)?.[1] === i) found.at(-1)[1] = i + 1;
    else found.push([i, i + 1]);
  });
  return found;
}

function niceAbove(value) {
  if (value <= 1) return 1;
  const magnitude = decade ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 10].map(factor => factor * magnitude).find(candidate => candidate >= value);
}
