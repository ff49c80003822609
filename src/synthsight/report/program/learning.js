import { byId, data, make, percent, rows, short } from "./helpers.js";
import { state } from "./state.js";
import { called, tagged } from "./showing.js";
import { leads, pointing, quiet } from "./leads.js";
import { Plot, described, hitName, marginFor, rowHeight, share } from "./plots.js";

// What is learned from the images: matrix, curves, distances -------------------------------------

const GENERATED = "*";
const learned = data.learning ?? { models: [], sources: [], numbers: [], real: null, test: null };
const sourceName = (name) => (name === GENERATED ? "all generated" : name === learned.real ? `${name} (real)` : name);
const STROKES = ["var(--one)", "var(--two)", "var(--three)", "var(--four)"];
const DASHES = ["", "7 3", "2 3", "9 3 2 3"];
const looksOfSources = new Map(learned.sources.map((name, i) => [name, name === learned.real ? { stroke: "var(--ink)", dash: "" }
  : name === GENERATED ? { stroke: "var(--faint)", dash: "" } : { stroke: STROKES[i % 4], dash: DASHES[Math.floor(i / 4) % 4] }]));
/** A CSS colour as a value: Plot takes some names of colours for columns. */
const stroked = (name) => looksOfSources.get(name).stroke;
const ofModel = (table) => rows(table).filter((row) => row.model === state.heads);
const numberChosen = () => (state.per === "" ? Math.max(...ofModel("transfer").map((row) => row.per_category)) : Number(state.per));
const signed = (value) => `${value > 0 ? "+" : value < 0 ? "−" : ""}${Math.abs(100 * value).toFixed(1)}`;

function cell(row, apart) {
  if (!row || row.top1 === null) return make("td", { class: "share" }, "–");
  const shade = Math.max(0, Math.min(1, (row.top1 - row.chance) / (1 - row.chance)));
  const known = row.low !== null && row.high !== null;
  const gap = row.difference === null || row.measure === "real" ? "" : `; ${signed(row.difference)} points (${signed(row.difference_low)} to ${signed(row.difference_high)}) against photographs to photographs`;
  const node = make("td", { class: `share${row.train === row.test ? " own" : ""}${apart ? " apart" : ""}`,
    title: `trained on ${sourceName(row.train)}, tested on ${sourceName(row.test)}: ${described(row, row.top1, row.low, row.high)}${gap}` },
  (100 * row.top1).toFixed(1), ...(known ? [make("br"), make("small", {}, `${(100 * row.low).toFixed(0)}–${(100 * row.high).toFixed(0)}`)] : []));
  node.style.setProperty("--share", shade.toFixed(3));
  return node;
}

const scrolling = (label, table) => make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label }, table);
/** A caption that stays in sight where its table is wider than the window. */
const captioned = (text) => make("caption", {}, make("span", {}, text));
const lacking = (table) => make("p", { class: "note" }, `There are no numbers about the features of ${state.heads} here.${data.tables[table].left_out ? ` Further rows are in tables/${table}.csv.` : ""}`);

function matrix() {
  const found = ofModel("transfer");
  if (found.length === 0) return lacking("transfer");
  const number = numberChosen();
  const cells = new Map(found.filter((row) => row.per_category === number).map((row) => [JSON.stringify([row.train, row.test]), row]));
  const apart = (name) => name === learned.real && learned.sources.length > 1;
  const names = learned.sources;
  const absent = data.tables.transfer.left_out && cells.size < names.length ** 2
    ? make("p", { class: "note" }, `This page does not hold all numbers for ${number.toLocaleString("en")} images of each category in the features of ${state.heads}: the rest is in tables/transfer.csv.`) : "";
  return make("div", {}, absent, scrolling("Accuracy by source", make("table", { class: "matrix" },
    captioned(`Features of ${state.heads}: trained on ${number.toLocaleString("en")} images of each category (rows), tested on other images (columns); per cent, with ${+(100 * data.level).toFixed(3)}% intervals`),
    make("thead", {}, make("tr", {}, make("th", { scope: "col" }, make("small", {}, "trained on ↓ tested on →")),
      ...names.map((name) => make("th", { scope: "col", class: apart(name) ? "apart" : "" }, sourceName(name))))),
    make("tbody", {}, ...names.map((train) => make("tr", { class: apart(train) ? "apart" : "" }, make("th", { scope: "row" }, sourceName(train)),
      ...names.map((test) => cell(cells.get(JSON.stringify([train, test])), apart(test)))))))));
}

/** How KID is written in a row: its unit is that of the features, so the decimals follow the numbers. */
function kernel(row) {
  const scale = Math.max(...[row.kid, row.kid_low, row.kid_high].map((value) => Math.abs(value ?? 0)));
  const decimals = scale > 0 ? Math.max(0, 2 - Math.floor(Math.log10(scale))) : 3;
  return (value) => (value === null ? "–" : (scale >= 1e6 || decimals > 6 ? value.toExponential(2) : value.toFixed(decimals)).replaceAll("-", "−"));
}

function away() {
  const found = ofModel("distances");
  if (found.length === 0) return lacking("distances");
  const half = (row) => row.generator === row.reference;
  const ordered = [...found.filter((row) => !half(row)), ...found.filter(half)];
  const many = (value) => (value === null ? "–" : percent(value));
  const bounds = (row, key, written) => (row[`${key}_low`] === null || row[`${key}_high`] === null ? []
    : [make("br"), make("small", {}, `${written(row[`${key}_low`])} to ${written(row[`${key}_high`])}`)]);
  const heads = ["Images of", "KID", "Precision", "Recall", "Density", "Coverage", "Told from photographs"];
  return scrolling("Distances from the photographs", make("table", { class: "plain away" },
    captioned(`Distance from the photographs in the features of ${state.heads}`),
    make("thead", {}, make("tr", {}, ...heads.map((head) => make("th", { scope: "col" }, head)))),
    make("tbody", {}, ...ordered.map((row) => make("tr", {},
      make("th", { scope: "row" }, half(row) ? "photographs, one half against the other" : sourceName(row.generator), make("br"), make("small", {}, `${row.n.toLocaleString("en")} images`)),
      make("td", {}, kernel(row)(row.kid), ...bounds(row, "kid", kernel(row))),
      ...["precision", "recall", "density", "coverage"].map((key) => {
        const written = key === "density" ? (value) => value.toFixed(2) : (value) => (100 * value).toFixed(1);
        return make("td", {}, key === "density" && row.density !== null ? written(row.density) : many(row[key]), ...bounds(row, key, written));
      }),
      make("td", {}, many(row.c2st), ...(row.p === null ? [] : [make("br"), make("small", {}, `p ${row.p < 0.001 ? "< 0.001" : `= ${Number(row.p.toPrecision(2))}`}`)])))))));
}

/** Fill the tables of the section in. */
export function showLearned() {
  byId("learned-matrix")?.replaceChildren(matrix());
  byId("learned-away")?.replaceChildren(away());
}

const toldOf = (row) => `trained on ${sourceName(row.train)}, ${row.per_category.toLocaleString("en")} of each category\n${described(row, row.top1, row.low, row.high)} of ${sourceName(row.test)}`;

const source = (row) => (row.train === GENERATED ? {} : { generator: row.train });

export const ofLearning = {
  curves(width) {
    const found = ofModel("transfer").filter((row) => row.test === learned.test && row.top1 !== null);
    if (found.length === 0) return null;
    const numbers = [...new Set(found.map((row) => row.per_category))].sort((a, b) => a - b);
    const names = learned.sources.filter((name) => found.some((row) => row.train === name));
    const chance = found.slice(0, 1);
    if (numbers.length === 1) {
      const domain = names.map(sourceName);
      return {
        width, height: rowHeight(names.length), marginLeft: marginFor(domain), marginRight: 20,
        x: { ...share, label: `accuracy on ${sourceName(learned.test)}, per cent` }, y: { domain, label: null, tickFormat: (name) => short(name) },
        marks: [
          Plot.ruleX(chance, { x: "chance", stroke: "var(--faint)", strokeDasharray: "4 4" }),
          Plot.ruleY(found, { y: (row) => sourceName(row.train), x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
          Plot.dot(found, { y: (row) => sourceName(row.train), x: "top1", fill: "var(--one)", r: 5, ...pointing(found, toldOf, source) }),
        ],
        key: [["var(--one)", "trained on this source"], ["var(--faint)", "chance", "╎"]],
      };
    }
    const room = Math.min(width, 640);
    const kept = numbers.filter((number, i) => i === numbers.length - 1 || (room * Math.log(numbers.at(-1) / number)) / Math.log(numbers.at(-1) / numbers[0]) > 50);
    const bands = names.length <= 5;
    return {
      width: room, height: 360, marginLeft: 50, marginTop: 24, marginRight: 24,
      x: { type: "log", domain: [numbers[0], numbers.at(-1)], ticks: kept, tickFormat: (value) => value.toLocaleString("en"), label: "images of each category" },
      y: { domain: [0, 1], ticks: 5, tickFormat: (value) => `${Math.round(100 * value)}`, label: `accuracy on ${sourceName(learned.test)}, per cent`, grid: true },
      marks: [
        Plot.ruleY(chance, { y: "chance", stroke: "var(--faint)", strokeDasharray: "4 4" }),
        ...names.flatMap((name) => {
          const part = found.filter((row) => row.train === name).sort((a, b) => a.per_category - b.per_category);
          const stroke = { value: () => stroked(name), scale: null };
          const ends = { x: "per_category", y1: "low", y2: "high" };
          const bounded = part.filter((row) => row.low !== null && row.high !== null);
          return [
            bands ? Plot.areaY(bounded, { ...ends, fill: stroked(name), fillOpacity: 0.12 }) : null,
            Plot.line(part, { x: "per_category", y: "top1", stroke: stroked(name), strokeWidth: 2, strokeDasharray: looksOfSources.get(name).dash }),
            bands ? null : Plot.ruleX(bounded.slice(-1), { ...ends, stroke: stroked(name), strokeOpacity: 0.4 }),
            Plot.dot(part, { x: "per_category", y: "top1", fill: stroke, r: 4, ...leads(part, toldOf, source) }),
          ];
        }),
        Plot.tip(found, Plot.pointer({ x: "per_category", y: "top1", title: toldOf, ...quiet })),
      ],
      key: [...names.map((name) => [stroked(name), `trained on ${sourceName(name)}`, { "": "━", "7 3": "╍", "2 3": "┅", "9 3 2 3": "┉" }[looksOfSources.get(name).dash]]), ["var(--faint)", "chance", "╌"]],
    };
  },
  spread(width) {
    const hit = state.hit;
    const means = new Map(rows("accuracy").filter((row) => row.model === data.best && row.category === "*" && row.rule === state.rule && row[hit] !== null).map((row) => [row.generator, row]));
    const all = ofModel("distances").filter((row) => row.coverage !== null);
    const found = all.filter((row) => means.has(row.generator)).map((row) => ({ ...row, mean: means.get(row.generator), half: row.generator === row.reference }));
    if (found.length === 0) return null;
    const side = Math.min(width, 560);
    const named = (row) => sourceName(row.generator);
    const told = (row) => `${named(row)}\n${hitName()} of ${called(data.best)}: ${described(row, row.mean[hit], row.mean[`${hit}_low`], row.mean[`${hit}_high`])}\ncoverage: ${described(row, row.coverage, row.coverage_low, row.coverage_high)}${row.half ? ", one half of the other" : ""}`;
    const halves = all.filter((row) => row.generator === row.reference);
    const y = { y: (row) => row.mean[hit], x: "coverage" };
    const [same, others] = [true, false].map((half) => found.filter((row) => row.half === half));
    const to = ({ generator }) => ({ generator, model: data.best });
    return {
      width: side, height: Math.min(side, 400), marginLeft: 50, marginTop: 24, marginRight: 24,
      x: { ...share, ticks: 5, label: "coverage of the photographs, per cent" },
      y: { domain: [0, 1], ticks: 5, tickFormat: (value) => `${Math.round(100 * value)}`, label: `${hitName()} of ${tagged(data.best)}, per cent`, grid: true },
      marks: [
        Plot.ruleX(halves, { x: "coverage", stroke: "var(--faint)", strokeDasharray: "2 3" }),
        Plot.ruleX(found, { x: "coverage", y1: (row) => row.mean[`${hit}_low`], y2: (row) => row.mean[`${hit}_high`], stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.45 }),
        Plot.ruleY(found.filter((row) => row.coverage_low !== null && row.coverage_high !== null), { y: y.y, x1: "coverage_low", x2: "coverage_high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.45 }),
        Plot.dot(others, { ...y, fill: "var(--one)", r: 5, ...pointing(others, told, to) }),
        Plot.dot(same, { ...y, fill: "var(--ink)", symbol: "diamond", r: 6, ...pointing(same, told, to) }),
        ...[true, false].map((right) => Plot.text(found.length <= 14 ? found.filter((row) => row.coverage < 0.6 === right) : [], {
          ...y, text: (row) => short(named(row), 18), textAnchor: right ? "start" : "end", dx: right ? 9 : -9, fill: "var(--ink)", stroke: "var(--page)", strokeWidth: 3 })),
      ],
      key: [["var(--one)", "a generator"], ...(halves.length ? [["var(--ink)", "photographs", "◆"], ["var(--faint)", "half of the photographs against the other half", "╎"]] : [])],
    };
  },
};
