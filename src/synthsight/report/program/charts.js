import { count, data, explorer, make, percent, rows, short, unique } from "./helpers.js";
import { models, state } from "./state.js";
import { known } from "./choosing.js";
import { MINUS, Plot, apart, described, heading, hitName, marginFor, rowHeight, share } from "./plots.js";
import { ofAnswers } from "./answers.js";
import { ofConfidence } from "./confidence.js";
import { ofAttributes } from "./attributes.js";
import { ofTheLine } from "./robustness.js";
import { ofLearning } from "./learning.js";

// Charts: drawn when they come near, drawn again when what counts changes ---------------------

const means = (extra = {}) => rows("accuracy").filter((row) => row.category === "*" && row.rule === (extra.rule ?? state.rule));
const sourceNamed = (name) => (explorer.real.includes(name) ? `${name} (real)` : name);

const CHARTS = {
  models(width) {
    const hit = state.hit;
    const measured = means().filter((row) => row.generator === "*" && row[hit] !== null);
    const references = rows("reference").filter((row) => row.generator === "*" && row.category === "*" && row.rule === state.rule && row[`reference_${hit}`] !== null && row[hit] !== null);
    const photographs = references.filter((row) => row.kind === "measured");
    const stated = photographs.length ? photographs : references;
    const order = [...measured].sort((a, b) => b[hit] - a[hit]).map((row) => row.model);
    return {
      width, height: rowHeight(order.length), marginLeft: marginFor(order), marginRight: 50,
      x: { ...share, label: `${hitName()} accuracy, per cent` }, y: { domain: order, label: null, tickFormat: (name) => short(name) },
      marks: [
        Plot.ruleY(stated, { y: "model", x1: hit, x2: `reference_${hit}`, stroke: "var(--faint)", strokeDasharray: "2 3" }),
        Plot.ruleY(measured, { y: "model", x1: `${hit}_low`, x2: `${hit}_high`, stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.dot(stated, { y: "model", x: `reference_${hit}`, stroke: "var(--two)", strokeWidth: 2, r: 5, tip: true,
          title: (row) => `${row.model}\nreference: ${described(row, row[`reference_${hit}`], row[`reference_${hit}_low`], row[`reference_${hit}_high`])}\n${row.source}` }),
        Plot.dot(measured, { y: "model", x: hit, fill: "var(--one)", r: 5, tip: true,
          title: (row) => `${row.model}\ngenerated images: ${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}` }),
      ],
      key: [["var(--one)", "generated images"], ["var(--two)", photographs.length ? "real photographs" : "reference, as stated", "○"]],
    };
  },
  ...ofTheLine,
  ...ofConfidence,
  ...ofAttributes,
  categories(width) {
    const hit = state.hit;
    const cells = rows("accuracy").filter((row) => row.category !== "*" && row.generator === "*" && row.rule === state.rule && row[hit] !== null);
    const mean = new Map();
    for (const row of cells) mean.set(row.category, (mean.get(row.category) ?? 0) + row[hit]);
    const categories = [...mean.keys()].sort((a, b) => mean.get(b) - mean.get(a));
    const order = means().filter((row) => row.generator === "*" && row[hit] !== null).sort((a, b) => b[hit] - a[hit]).map((row) => row.model);
    const left = marginFor(categories);
    const room = Math.max(width, left + 20 + 30 * order.length);
    const tilted = order.some((name) => 6.6 * Math.min(name.length, 24) > (room - left - 20) / order.length);
    return {
      width: room, marginBottom: 10, height: 30 + (tilted ? 110 : 0) + 24 * categories.length, marginLeft: left, marginTop: tilted ? 130 : 30, marginRight: tilted ? 70 : 20,
      x: { domain: order, axis: "top", label: null, tickRotate: tilted ? -50 : 0, tickFormat: (name) => short(name), tickSize: 0 },
      y: { domain: categories, label: null, tickFormat: (name) => short(name), tickSize: 0 },
      color: { type: "linear", domain: [0, 1], scheme: "blues" }, padding: 0.04,
      marks: [
        Plot.cell(cells, { x: "model", y: "category", fill: hit }),
        Plot.text(cells, { x: "model", y: "category", text: (row) => Math.round(100 * row[hit]), fill: (row) => (row[hit] > 0.55 ? "#fff" : "#000"), fontSize: 11 }),
        Plot.tip(cells, Plot.pointer({ x: "model", y: "category",
          title: (row) => `${row.category}, ${row.model}\n${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}\n${count(row.n, "image")}` })),
      ],
    };
  },
  best(width) {
    const hit = state.hit;
    const cells = rows("accuracy").filter((row) => row.category !== "*" && row.generator === "*" && row.rule === state.rule && row.model === data.best && row[hit] !== null);
    const order = [...cells].sort((a, b) => b[hit] - a[hit]).map((row) => row.category);
    return {
      width, height: rowHeight(order.length, 22), marginLeft: marginFor(order), marginRight: 20,
      x: { ...share, label: `${hitName()} accuracy of ${short(data.best)}, per cent` }, y: { domain: order, label: null, tickFormat: (name) => short(name) },
      marks: [
        Plot.ruleY(cells, { y: "category", x1: `${hit}_low`, x2: `${hit}_high`, stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.dot(cells, { y: "category", x: hit, fill: "var(--one)", r: 4, tip: true,
          title: (row) => `${row.category}\n${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}\n${count(row.n, "image")}` }),
      ],
    };
  },
  rules(width) {
    const hit = state.hit;
    const cells = rows("accuracy").filter((row) => row.category === "*" && row.generator === "*" && row[hit] !== null);
    return {
      width, height: rowHeight(data.order.length), marginLeft: marginFor(data.order), marginRight: 20,
      x: { ...share, label: `${hitName()} accuracy, per cent` }, y: { domain: data.order, label: null, tickFormat: (name) => short(name) },
      marks: Object.entries(data.marks).map(([rule, { symbol, stroke }]) => {
        // As a value, since Plot recognises only some of CSS's colours by name.
        const color = { value: () => stroke, scale: null };
        return Plot.dot(cells.filter((row) => row.rule === rule), {
          y: "model", x: hit, stroke: color, fill: rule === state.rule ? color : "none", strokeWidth: 2, symbol, r: 5, tip: true,
          title: (row) => `${row.model}\n${rule}: ${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}`,
        });
      }),
      key: Object.entries(data.marks).map(([rule, { sign, stroke }]) => [stroke, rule === state.rule ? `${rule} (filled: chosen above)` : rule, sign]),
    };
  },
  agreement(width) {
    const all = `all_${state.hit}`;
    const none = `none_${state.hit}`;
    const cells = rows("agreement").filter((row) => row.generator === "*" && row.rule === state.rule && row[all] !== null);
    const order = [...cells].sort((a, b) => b[all] - b[none] - (a[all] - a[none])).map((row) => row.category);
    return {
      width, height: rowHeight(order.length, 22), marginLeft: marginFor(order), marginRight: 20,
      x: { domain: [-1, 1], tickFormat: (value) => `${Math.abs(Math.round(100 * value))}`, label: "per cent of the images", grid: true, ticks: 5 },
      y: { domain: order, label: null, tickFormat: (name) => short(name), tickSize: 0 },
      marks: [
        Plot.barX(cells, { y: "category", x1: 0, x2: all, fill: "var(--one)", inset: 2, tip: true, title: (row) => `${row.category}\nall models get ${percent(row[all])} of ${count(row.n, "image")}` }),
        Plot.barX(cells, { y: "category", x1: 0, x2: (row) => -row[none], fill: "var(--two)", inset: 2, tip: true, title: (row) => `${row.category}\nno model gets ${percent(row[none])} of ${count(row.n, "image")}` }),
        Plot.ruleX([0]),
      ],
      key: [["var(--two)", "no model gets"], ["var(--one)", "all models get"]],
    };
  },
  difficulty(width) {
    const cells = rows("difficulty").filter((row) => row.rule === state.rule && row.hit === state.hit && row.category === "*" && row.generator === "*");
    return {
      width, height: 300, marginLeft: 50,
      x: { type: "band", label: "models that get the image" }, y: { grid: true, label: "images" },
      marks: [Plot.barY(cells, { x: "models", y: "n", fill: "var(--one)", tip: true, title: (row) => `${count(row.n, "image")} (${percent(row.share)}) by ${count(row.models, "model")}` }), Plot.ruleY([0])],
    };
  },
  kappa(width) {
    const pairs = rows("kappa").filter((row) => row.generator === "*" && row.rule === state.rule && row.hit === state.hit);
    const cells = pairs.flatMap((row) => [row, { ...row, a: row.b, b: row.a }]);
    const compared = new Set(pairs.flatMap((row) => [row.a, row.b]));
    const order = data.order.filter((name) => compared.has(name));
    const left = marginFor(order);
    const size = Math.max(26, Math.min(64, (width - left - 80) / Math.max(1, order.length)));
    return {
      width: left + 90 + size * order.length, marginBottom: 10, height: 120 + Math.min(size, 36) * order.length, marginLeft: left, marginTop: 110, marginRight: 90,
      x: { domain: order, axis: "top", label: null, tickRotate: -50, tickFormat: (name) => short(name), tickSize: 0 },
      y: { domain: order, label: null, tickFormat: (name) => short(name), tickSize: 0 },
      color: { type: "linear", domain: [0, 1], scheme: "blues", clamp: true }, padding: 0.04,
      marks: [
        Plot.cell(cells.filter((row) => row.kappa !== null), { x: "a", y: "b", fill: "kappa" }),
        Plot.text(cells, { x: "a", y: "b", text: (row) => (row.kappa === null ? "" : row.kappa.toFixed(2)), fill: (row) => (row.kappa > 0.55 ? "#fff" : "#000"), fontSize: size < 30 ? 9 : 11 }),
        Plot.tip(cells, Plot.pointer({ x: "a", y: "b", title: (row) => `${row.a}, ${row.b}\nkappa ${row.kappa === null ? "undefined" : `${row.kappa.toFixed(2)} (${row.low.toFixed(2)} to ${row.high.toFixed(2)})`}` })),
      ],
    };
  },
  generators(width) {
    const hit = state.hit;
    const cells = means().filter((row) => row.generator !== "*" && row[hit] !== null).map((row) => ({ ...row, source: sourceNamed(row.generator) }));
    const order = unique(cells.map((row) => row.generator)).sort((a, b) => explorer.real.includes(a) - explorer.real.includes(b)).map(sourceNamed);
    const judged = data.order.filter((name) => cells.some((row) => row.model === name));
    return {
      width, height: 40 + judged.length * (30 + 20 * order.length), marginLeft: marginFor(order), marginRight: 20, marginTop: 24,
      x: { ...share, label: `${hitName()} accuracy, per cent` }, y: { domain: order, label: null, tickFormat: (name) => short(name, 18) },
      fy: { domain: judged, axis: null, ...apart(30 + 20 * order.length) },
      marks: [
        heading(judged, width, marginFor(order)),
        Plot.ruleY(cells, { fy: "model", y: "source", x1: `${hit}_low`, x2: `${hit}_high`, stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.dot(cells, { fy: "model", y: "source", x: hit, fill: "var(--one)", r: 4, tip: true,
          title: (row) => `${row.model}, ${row.source}\n${described(row, row[hit], row[`${hit}_low`], row[`${hit}_high`])}` }),
      ],
    };
  },
  differences(width) {
    const cells = rows("generators").filter((row) => row.rule === state.rule && row.hit === state.hit)
      .map((row) => ({ ...row, pair: `${sourceNamed(row.a)}${MINUS}${sourceNamed(row.b)}`, who: row.model === "*" ? "mean over models" : row.model }));
    const pairs = unique(cells.map((row) => row.pair));
    const order = ["mean over models", ...data.order.filter((name) => cells.some((row) => row.model === name))];
    const many = pairs.length * order.length > 60;
    const drawn = many ? cells.filter((row) => row.model === "*") : cells;
    const domain = many ? order.slice(0, 1) : order;
    return {
      width, height: 40 + pairs.length * (30 + 22 * domain.length), marginLeft: marginFor(domain), marginRight: 20,
      x: { label: "points", ticks: Math.min(10, Math.max(4, Math.floor(width / 80))), tickFormat: (value) => `${Math.round(100 * value)}`, grid: true, nice: true },
      y: { domain, label: null, tickFormat: (name) => short(name) }, fy: { domain: pairs, label: null, axis: null, ...apart(30 + 22 * domain.length) },
      marks: [
        Plot.ruleX([0], { stroke: "var(--faint)" }),
        heading(pairs, width, marginFor(domain)),
        Plot.ruleY(drawn, { fy: "pair", y: "who", x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.dot(drawn, { fy: "pair", y: "who", x: "difference", fill: "var(--one)", r: 4, tip: true,
          title: (row) => `${row.pair}\n${row.who}: ${(100 * row.difference).toFixed(1)} points (${(100 * row.low).toFixed(1)} to ${(100 * row.high).toFixed(1)})\n${count(row.categories, "common categor").replace(/s?$/, row.categories === 1 ? "y" : "ies")}` }),
      ],
      marginTop: 24,
    };
  },
  ...ofAnswers,
  ...ofLearning,
};

const OF_MODELS = ["models", "categories", "best", "rules", "agreement", "difficulty", "kappa", "generators", "differences", "robustness", "distances"];
/** The width of a chart on paper, in CSS pixels: that of A4 and letter within their margins. */
const PAPER = 680;
let paper = false;
const charts = [...document.querySelectorAll("[data-chart]")].map((node) => ({ node, near: false, drawn: false }));

function draw(chart) {
  const { node } = chart;
  // Of predictions made elsewhere hits may not be known.
  const open = OF_MODELS.includes(node.dataset.chart) ? models.filter((model) => !known(model)) : [];
  const drawn = CHARTS[node.dataset.chart](paper ? PAPER : Math.max(300, Math.floor(node.clientWidth)));
  const unknown = `Under ${state.rule}, ${hitName()} is not known of ${open.map((model) => model.name).join(", ")}`;
  const said = open.length ? [make("p", { class: "note" }, `${unknown}${drawn === null ? "; the others are too few for a line" : ""}.`)] : [];
  chart.drawn = true;
  if (drawn === null || (open.length && open.length === models.length)) {
    node.replaceChildren(...said);
    return;
  }
  const { key, ...options } = drawn;
  const plot = Plot.plot({ marginBottom: 44, style: { fontSize: "12px", fontFamily: "inherit", background: "none", overflow: "visible" }, ...options });
  // One picture with one name: the labels that Plot gives to its parts mean nothing within it.
  for (const part of plot.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  plot.setAttribute("role", "img");
  plot.setAttribute("aria-label", `${node.dataset.title}; the numbers are in the tables below`);
  const legends = key ? [make("p", { class: "legend" }, ...key.map(([color, text, sign = "●"]) => {
    const dot = make("span", { "aria-hidden": "true" }, `${sign} `);
    dot.style.color = color;
    return make("span", {}, dot, text);
  }))] : [];
  node.replaceChildren(...legends, plot, ...said);
}

export function redraw(all = false) {
  for (const chart of charts) {
    chart.drawn = false;
    if (all || chart.near) draw(chart);
  }
}

const watch = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const chart = charts.find((each) => each.node === entry.target);
    chart.near = entry.isIntersecting;
    if (chart.near && !chart.drawn) draw(chart);
  }
}, { rootMargin: "400px" });
for (const chart of charts) watch.observe(chart.node);
let width = window.innerWidth;
let waiting = null;
window.addEventListener("resize", () => {
  if (window.innerWidth === width) return; // a phone's address bar came or went
  width = window.innerWidth;
  clearTimeout(waiting);
  waiting = setTimeout(redraw, 150);
});
// What is printed is laid out for paper afterwards: charts that are as wide as the window would be cut.
const print = (on) => {
  paper = on;
  redraw(true);
};
window.addEventListener("beforeprint", () => print(true));
window.addEventListener("afterprint", () => print(false));
