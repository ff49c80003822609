import { percent, short } from "./helpers.js";
import { state } from "./state.js";
import { called, someLit, tagged } from "./showing.js";
import { leads, quiet } from "./leads.js";

// What charts have in common -----------------------------------------------------------------

export const { Plot } = window;
/** Pixels that a letter of a label takes, about: those that stand out are bold. */
const letter = () => (someLit() ? 7.5 : 6.6);
export const marginFor = (labels) => Math.min(200, 18 + letter() * Math.max(4, ...labels.map((label) => short(String(label)).length)));
/** The same for models, which may be called otherwise here. */
export const marginForModels = (models) => marginFor(models.map((name) => called(name)));
export const hitName = () => (state.hit === "top1" ? "top-1" : "top-5");
export const described = (row, value, low, high) => `${percent(value)}${low === null || low === undefined ? "" : ` (${percent(low)} to ${percent(high)})`}`;
const CROWD = 40; // rows from which on they come closer
export const rowHeight = (number, each = 26) => 66 + (number > CROWD ? 15 : each) * number;
export const share = { domain: [0, 1], tickFormat: (value) => `${Math.round(100 * value)}`, label: "per cent", grid: true };
/** The axis of models, each in its row. */
export const modelRows = (domain) => ({ domain, label: null, tickFormat: (name) => tagged(name) });
/** The names of the parts of a chart, each above its part, from the chart's left end on. */
export const heading = (names, width, left, facet = "fy") => {
  const room = Math.max(12, Math.min(80, Math.floor(width / 8.2)));
  // Of the two names of a pair each is cut by itself.
  const fit = (name) => {
    const parts = called(name).length > room ? called(name).split(MINUS) : [called(name)];
    return parts.map((part) => short(part, Math.floor(room / parts.length) - 2 * (parts.length - 1))).join(MINUS);
  };
  return Plot.text(names, { [facet]: (name) => name, text: fit, frameAnchor: "top-left", dx: 6 - left, dy: -13, fontWeight: "bold" });
};
export const MINUS = " − ";
/** Room for these above each part but the first, whose height is `each`. */
export const apart = (each) => ({ padding: Math.min(0.6, 24 / each) });

const NARROW = 26; // a cell below which no number fits
/**
 * A chart of cells: what a value is for each pair of a column and a row.
 *
 * The columns are as wide as the chart's width lets them be, within bounds; beyond these the chart
 * is wider. Numbers stand in cells that have room for them, the words for every cell are in its tip.
 */
export function heatmap({ width, cells, x, y, value, columns, rows, written, told, to, nameColumn = tagged, nameRow = short, most = 240 }) {
  const left = marginFor(rows.map((name) => nameRow(name)));
  const longest = letter() * Math.max(1, ...columns.map((name) => nameColumn(name).length));
  const acrossBeside = (right) => Math.min(most, Math.max(columns.length > CROWD ? 13 : 30, (width - left - right) / Math.max(1, columns.length)));
  const tilted = longest > acrossBeside(20) - 4;
  const turn = tilted ? (acrossBeside(20) < 18 ? -90 : -50) : 0;
  // A tilted label begins above the middle of its column.
  const [up, beyond] = [Math.sin(-turn * Math.PI / 180) * longest, Math.cos(turn * Math.PI / 180) * longest + 12];
  const marginRight = tilted ? Math.max(20, beyond - acrossBeside(beyond) / 2) : 20;
  const across = acrossBeside(marginRight);
  const down = rows.length > 60 ? 14 : Math.min(24, Math.max(16, across));
  const known = cells.filter((row) => row[value] !== null);
  const fits = across >= NARROW && down >= 14;
  return {
    width: left + across * columns.length + marginRight, marginLeft: left, marginRight,
    height: (tilted ? up + 24 : 30) + 10 + down * rows.length, marginTop: tilted ? up + 24 : 30, marginBottom: 10,
    x: { domain: columns, axis: null }, y: { domain: rows, label: null, tickFormat: (name) => nameRow(name), tickSize: 0 },
    color: { type: "linear", domain: [0, 1], scheme: "blues", clamp: true }, padding: across < 18 || down < 16 ? 0 : 0.04,
    marks: [
      Plot.axisX({ anchor: "top", label: null, tickRotate: turn, tickSize: 0, tickFormat: (name) => nameColumn(name) }),
      Plot.axisY({ anchor: "left", label: null, tickSize: 0, tickFormat: (name) => nameRow(name) }),
      Plot.cell(known, { x, y, fill: value, ...leads(known, told, to) }),
      fits ? Plot.text(known, { x, y, text: (row) => written(row[value]), fill: (row) => (row[value] > 0.55 ? "#fff" : "#000"), fontSize: across < 30 ? 9 : 11, pointerEvents: "none" }) : null,
      // The middles nearest to a point are those of the cell that it is in.
      Plot.tip(cells, Plot.pointer({ x, y, title: told, maxRadius: Math.hypot(across, down) / 2 + 1, ...quiet })),
    ],
  };
}
