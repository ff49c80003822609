import { count, data, percent, rows, short } from "./helpers.js";
import { state } from "./state.js";
import { called, seen, tagged } from "./showing.js";
import { pointing } from "./leads.js";
import { Plot, heatmap, marginFor, rowHeight } from "./plots.js";

// Charts of agreement: which images models have in common -------------------------------------------

const TICK = 26; // pixels that a number below an axis takes
const STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, Infinity];

export const ofAgreement = {
  agreement(width) {
    const all = `all_${state.hit}`;
    const none = `none_${state.hit}`;
    const cells = rows("agreement").filter((row) => row.generator === "*" && row.rule === state.rule && row[all] !== null);
    const order = [...cells].sort((a, b) => b[all] - b[none] - (a[all] - a[none])).map((row) => row.category);
    const bar = (outcome, x2, fill, words) => Plot.barX(cells, { y: "category", x1: 0, x2, fill, inset: order.length > 40 ? 1 : 2,
      ...pointing(cells, (row) => `${row.category}\n${words(row)} of ${count(row.n, "image")}`, (row) => (row[`${outcome}_${state.hit}`] > 0 ? { category: row.category, outcome } : null)) });
    return {
      width, height: rowHeight(order.length, 22), marginLeft: marginFor(order), marginRight: 20,
      x: { domain: [-1, 1], tickFormat: (value) => `${Math.abs(Math.round(100 * value))}`, label: "per cent of the images", grid: true, ticks: 5 },
      y: { domain: order, label: null, tickFormat: (name) => short(name), tickSize: 0 },
      marks: [
        bar("all", all, "var(--one)", (row) => `all models get ${percent(row[all])}`),
        bar("none", (row) => -row[none], "var(--two)", (row) => `no model gets ${percent(row[none])}`),
        Plot.ruleX([0]),
      ],
      key: [["var(--two)", "no model gets"], ["var(--one)", "all models get"]],
    };
  },
  difficulty(width) {
    const cells = rows("difficulty").filter((row) => row.rule === state.rule && row.hit === state.hit && row.category === "*" && row.generator === "*");
    const numbers = cells.map((row) => row.models);
    const each = STEPS.find((step) => step * (width - 70) >= TICK * numbers.length);
    return {
      width, height: 300, marginLeft: 50,
      x: { type: "band", label: "models that get the image", ticks: numbers.filter((number) => number % each === 0) }, y: { grid: true, label: "images" },
      marks: [Plot.barY(cells, { x: "models", y: "n", fill: "var(--one)",
        ...pointing(cells, (row) => `${count(row.n, "image")} (${percent(row.share)}) by ${count(row.models, "model")}`, (row) => (row.n > 0 ? { gets: String(row.models) } : null)) }), Plot.ruleY([0])],
    };
  },
  kappa(width) {
    const pairs = seen("kappa", ["a", "b"]).filter((row) => row.generator === "*" && row.rule === state.rule && row.hit === state.hit);
    const cells = pairs.flatMap((row) => [row, { ...row, a: row.b, b: row.a }]);
    const compared = new Set(pairs.flatMap((row) => [row.a, row.b]));
    const order = data.order.filter((name) => compared.has(name));
    return heatmap({
      width, cells, x: "a", y: "b", value: "kappa", columns: order, rows: order, nameRow: tagged, most: 64,
      written: (value) => value.toFixed(2),
      told: (row) => `${called(row.a)}, ${called(row.b)}\nkappa ${row.kappa === null ? "undefined" : `${row.kappa.toFixed(2)} (${row.low.toFixed(2)} to ${row.high.toFixed(2)})`}`,
      to: ({ a, b }) => ({ model: a, against: b }),
    });
  },
};
