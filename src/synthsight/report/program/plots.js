import { percent, short } from "./helpers.js";
import { state } from "./state.js";

// What charts have in common -----------------------------------------------------------------

export const { Plot } = window;
export const marginFor = (labels) => Math.min(190, 18 + 6.6 * Math.max(4, ...labels.map((label) => short(String(label)).length)));
export const hitName = () => (state.hit === "top1" ? "top-1" : "top-5");
export const described = (row, value, low, high) => `${percent(value)}${low === null || low === undefined ? "" : ` (${percent(low)} to ${percent(high)})`}`;
export const rowHeight = (number, each = 26) => 66 + each * number;
export const share = { domain: [0, 1], tickFormat: (value) => `${Math.round(100 * value)}`, label: "per cent", grid: true };
/** The names of the parts of a chart, each above its part, from the chart's left end on. */
export const heading = (names, width, left) => {
  const room = Math.max(12, Math.min(80, Math.floor(width / 8.2)));
  // Of the two names of a pair each is cut by itself.
  const fit = (name) => {
    const parts = name.length > room ? name.split(MINUS) : [name];
    return parts.map((part) => short(part, Math.floor(room / parts.length) - 2 * (parts.length - 1))).join(MINUS);
  };
  return Plot.text(names, { fy: (name) => name, text: fit, frameAnchor: "top-left", dx: 6 - left, dy: -13, fontWeight: "bold" });
};
export const MINUS = " − ";
/** Room for these above each part but the first, whose height is `each`. */
export const apart = (each) => ({ padding: Math.min(0.6, 24 / each) });
