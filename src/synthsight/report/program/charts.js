import { data, make } from "./helpers.js";
import { models, state } from "./state.js";
import { known } from "./choosing.js";
import { called, isLit, shows, tagged } from "./showing.js";
import { wire } from "./leads.js";
import { saveButtons } from "./saving.js";
import { Plot, hitName } from "./plots.js";
import { ofAccuracies } from "./accuracies.js";
import { ofAgreement } from "./agreeing.js";
import { ofAnswers } from "./answers.js";
import { ofConfidence } from "./confidence.js";
import { ofAttributes } from "./attributes.js";
import { ofTheLine } from "./robustness.js";
import { ofLearning } from "./learning.js";

// Charts: drawn when they come near, drawn again when what counts changes ---------------------

const CHARTS = { ...ofAccuracies, ...ofTheLine, ...ofAgreement, ...ofConfidence, ...ofAttributes, ...ofAnswers, ...ofLearning };

const OF_MODELS = ["models", "sizes", "categories", "best", "rules", "agreement", "difficulty", "kappa", "generators", "differences", "robustness", "distances"];
const BY_CATEGORY = ["categories", "best"];
/** The width of a chart on paper, in CSS pixels: that of A4 and letter within their margins. */
const PAPER = 680;
let paper = false;
const charts = [...document.querySelectorAll("[data-chart]")].map((node) => ({ node, near: false, drawn: false }));

/** Let the models that are to stand out do so: their names, and their marks. */
function standOut(plot) {
  const lit = new Set(models.map((model) => model.name).filter(isLit));
  if (lit.size === 0) return;
  const labels = new Set([...lit].flatMap((name) => [called(name), tagged(name), tagged(name, 20)]));
  for (const text of plot.querySelectorAll("text")) if (labels.has(text.textContent)) text.setAttribute("font-weight", "bold");
  for (const mark of plot.querySelectorAll("circle.leads, path.leads")) {
    if (!lit.has(mark.dataset.who)) continue;
    mark.setAttribute("stroke", "var(--ink)");
    mark.setAttribute("stroke-width", "2.5");
  }
}

function draw(chart) {
  const { node } = chart;
  // Of predictions made elsewhere hits may not be known.
  const open = OF_MODELS.includes(node.dataset.chart) ? models.filter((model) => !known(model) && shows(model.name)) : [];
  const drawn = CHARTS[node.dataset.chart](paper ? PAPER : Math.max(300, Math.floor(node.clientWidth)));
  const unknown = `Under ${state.rule}, ${hitName()} is not known of ${open.map((model) => called(model.name)).join(", ")}`;
  const said = open.length ? [make("p", { class: "note" }, `${unknown}${drawn === null ? "; the others are too few for a line" : ""}.`)] : [];
  if (BY_CATEGORY.includes(node.dataset.chart) && data.tables.accuracy.left_out && state.rule !== data.rule) {
    said.push(make("p", { class: "note" }, `Of the table of accuracies this page leaves ${data.tables.accuracy.left_out.toLocaleString("en")} rows out, so some may be missing here; under ${data.rule} all are drawn.`));
  }
  chart.drawn = true;
  if (drawn === null || (open.length && open.length === models.length)) {
    node.replaceChildren(...said);
    return;
  }
  const { key, ...options } = drawn;
  const { title } = node.dataset;
  const plot = Plot.plot({ marginBottom: 44, style: { fontSize: "12px", fontFamily: "inherit", background: "none", overflow: "visible" }, ...options });
  // One picture with one name: the labels that Plot gives to its parts mean nothing within it.
  for (const part of plot.querySelectorAll("[aria-label]")) part.removeAttribute("aria-label");
  standOut(plot);
  const legends = key ? [make("p", { class: "legend" }, ...key.map(([color, text, sign = "●"]) => {
    const dot = make("span", { "aria-hidden": "true" }, `${sign} `);
    dot.style.color = color;
    return make("span", {}, dot, text);
  }))] : [];
  const told = wire(plot, title);
  node.replaceChildren(...legends, plot, make("div", { class: "below" }, saveButtons(plot, title, key, node.dataset.chart), told), ...said);
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
