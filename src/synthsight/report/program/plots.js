import { percent, short } from "./helpers.js";
import { state } from "./state.js";

// What charts have in common -----------------------------------------------------------------

export const { Plot } = window;
export const marginFor = (labels) => Math.min(190, 18 + 6.6 * Math.max(4, ...labels.map((label) => short(String(label)).length)));
export const hitName = () => (state.hit === "top1" ? "top-1" : "top-5");
export const described = (row, value, low, high) => `${percent(value)}${low === null || low === undefined ? "" : ` (${percent(low)} to ${percent(high)})`}`;
export const rowHeight = (number, each = 26) => 66 + each * number;
