import { count, data, explorer, rows, short, unique } from "./helpers.js";
import { state } from "./state.js";
import { called, isLit, seen, shows, tagged } from "./showing.js";
import { pointing } from "./leads.js";
import { MINUS, Plot, apart, described, heading, heatmap, hitName, marginFor, marginForModels, modelRows, rowHeight, share } from "./plots.js";

// Charts of accuracies: of models, categories, rules, generators --------------------------------

const means = () => seen("accuracy").filter((row) => row.category === "*" && row.rule === state.rule && row[state.hit] !== null);
const sourceNamed = (name) => (explorer.real.includes(name) ? `${name} (real)` : name);
const told = (row, ...words) => [...words, described(row, row[state.hit], row[`${state.hit}_low`], row[`${state.hit}_high`])].join("\n");
const best = (list) => [...list].sort((a, b) => b[state.hit] - a[state.hit]);
const bounds = (list, options) => Plot.ruleY(list, { x1: `${state.hit}_low`, x2: `${state.hit}_high`, stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55, ...options });
/** As many small charts as can be taken in; more become one chart of cells. */
const SMALL = 40;

/** Which of some points have room for a label, as it is placed: those that must, then the first ones. */
function labelled(points, must, place) {
  const boxes = points.map((point) => ({ point, ...place(point) }));
  const meets = (a, b) => Math.abs(a.y - b.y) < 14 && a.from < b.to && b.from < a.to;
  const taken = boxes.filter(({ point }) => must(point));
  for (const box of boxes) {
    const others = boxes.filter(({ point }) => point !== box.point).map(({ x, y }) => ({ from: x - 6, to: x + 6, y }));
    if (!taken.includes(box) && ![...taken, ...others].some((other) => meets(box, other))) taken.push(box);
  }
  return taken.map(({ point }) => point);
}

/** Round numbers between two bounds, for an axis that has room for so many. */
function roundSizes([low, high], most) {
  const powers = Array.from({ length: 15 }, (_, power) => 10 ** power);
  const all = [[1, 2, 5], [1, 3], [1]].map((digits) => powers.flatMap((power) => digits.map((digit) => digit * power)).filter((size) => size >= low && size <= high));
  return all.find((sizes) => sizes.length <= most) ?? all.at(-1);
}
const inWords = (number) => window.d3.format("~s")(number).replace("G", "B");

/** A difference of two sources turned so that, as in the figures, photographs are what is subtracted. */
const photographsSecond = (row) => (explorer.real.includes(row.a)
  ? { ...row, a: row.b, b: row.a, difference: -row.difference, low: -row.high, high: -row.low }
  : row);

export const ofAccuracies = {
  models(width) {
    const hit = state.hit;
    const measured = means().filter((row) => row.generator === "*");
    const references = seen("reference").filter((row) => row.generator === "*" && row.category === "*" && row.rule === state.rule && row[`reference_${hit}`] !== null && row[hit] !== null);
    const photographs = references.filter((row) => row.kind === "measured");
    const stated = photographs.length ? photographs : references;
    const order = best(measured).map((row) => row.model);
    const real = explorer.real.length === 1 ? explorer.real[0] : null;
    const ofReference = (row) => `${called(row.model)}\nreference: ${described(row, row[`reference_${hit}`], row[`reference_${hit}_low`], row[`reference_${hit}_high`])}\n${row.source}`;
    return {
      width, height: rowHeight(order.length), marginLeft: marginForModels(order), marginRight: 50,
      x: { ...share, label: `${hitName()} accuracy, per cent` }, y: modelRows(order),
      marks: [
        Plot.ruleY(stated, { y: "model", x1: hit, x2: `reference_${hit}`, stroke: "var(--faint)", strokeDasharray: "2 3" }),
        bounds(measured, { y: "model" }),
        Plot.dot(stated, { y: "model", x: `reference_${hit}`, stroke: "var(--two)", strokeWidth: 2, r: 5,
          ...pointing(stated, ofReference, (row) => (photographs.length && real !== null ? { model: row.model, generator: real, outcome: "wrong" } : null)) }),
        Plot.dot(measured, { y: "model", x: hit, fill: "var(--one)", r: 5,
          ...pointing(measured, (row) => told(row, `${called(row.model)}, generated images`), (row) => ({ model: row.model, outcome: "wrong" })) }),
      ],
      key: [["var(--one)", "generated images"], ...(stated.length ? [["var(--two)", photographs.length ? "real photographs" : "reference, as stated", "○"]] : [])],
    };
  },
  sizes(width) {
    const hit = state.hit;
    const size = new Map(rows("models").filter((row) => row.parameters !== null).map((row) => [row.model, row.parameters]));
    const points = best(means().filter((row) => row.generator === "*" && size.has(row.model))).map((row) => ({ ...row, size: size.get(row.model) }));
    if (points.length < 2) return null;
    const all = points.map((point) => point.size);
    const domain = [Math.min(...all) / 1.25, Math.max(...all) * 1.25];
    const room = Math.min(width, 760);
    const across = (value) => 50 + (room - 74) * (Math.log(value / domain[0]) / Math.log(domain[1] / domain[0]));
    const long = (point) => 14 + 6.6 * tagged(point.model, 20).length;
    const isRight = (point) => across(point.size) + long(point) < room;
    // On a phone names would stand nearer to others' discs; a touch says whose a disc is.
    const named = room < 520 ? points.filter((point) => isLit(point.model)) : labelled(points, (point) => isLit(point.model), (point) => {
      const x = across(point.size);
      return { x, y: -332 * point[hit], from: isRight(point) ? x + 8 : x - long(point), to: isRight(point) ? x + long(point) : x - 8 };
    });
    const place = { x: "size", y: hit };
    return {
      width: room, height: 400, marginLeft: 50, marginTop: 24, marginRight: 24,
      x: { type: "log", domain, label: "parameters", tickFormat: inWords, ticks: roundSizes(domain, room / 60) },
      y: { domain: [0, 1], ticks: 5, tickFormat: share.tickFormat, label: `${hitName()} accuracy, per cent`, grid: true },
      marks: [
        Plot.ruleX(points, { x: "size", y1: `${hit}_low`, y2: `${hit}_high`, stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.45 }),
        ...[true, false].map((right) => Plot.text(named.filter((point) => isRight(point) === right), {
          ...place, text: (row) => tagged(row.model, 20), textAnchor: right ? "start" : "end", dx: right ? 9 : -9, fill: "var(--ink)", stroke: "var(--page)", strokeWidth: 3, pointerEvents: "none" })),
        Plot.dot(points, { ...place, fill: "var(--one)", r: 5,
          ...pointing(points, (row) => told(row, `${called(row.model)}, ${row.size.toLocaleString("en")} parameters`), (row) => ({ model: row.model, outcome: "wrong" })) }),
      ],
    };
  },
  categories(width) {
    const hit = state.hit;
    const all = rows("accuracy").filter((row) => row.category !== "*" && row.generator === "*" && row.rule === state.rule && row[hit] !== null);
    const mean = new Map();
    for (const row of all) mean.set(row.category, (mean.get(row.category) ?? 0) + row[hit]); // of hidden models, too
    return heatmap({
      width, cells: all.filter((row) => shows(row.model)), x: "model", y: "category", value: hit,
      columns: best(means().filter((row) => row.generator === "*")).map((row) => row.model),
      rows: [...mean.keys()].sort((a, b) => mean.get(b) - mean.get(a)),
      written: (value) => Math.round(100 * value),
      told: (row) => `${told(row, `${row.category}, ${called(row.model)}`)}\n${count(row.n, "image")}`,
      to: ({ model, category }) => ({ model, category }),
    });
  },
  best(width) {
    const hit = state.hit;
    const cells = rows("accuracy").filter((row) => row.category !== "*" && row.generator === "*" && row.rule === state.rule && row.model === data.best && row[hit] !== null);
    const order = best(cells).map((row) => row.category);
    return {
      width, height: rowHeight(order.length, 22), marginLeft: marginFor(order), marginRight: 20,
      x: { ...share, label: `${hitName()} accuracy of ${tagged(data.best)}, per cent` }, y: { domain: order, label: null, tickFormat: (name) => short(name) },
      marks: [
        bounds(cells, { y: "category" }),
        Plot.dot(cells, { y: "category", x: hit, fill: "var(--one)", r: 4,
          ...pointing(cells, (row) => `${told(row, row.category)}\n${count(row.n, "image")}`, ({ model, category }) => ({ model, category })) }),
      ],
    };
  },
  rules(width) {
    const hit = state.hit;
    const order = data.order.filter(shows);
    const cells = seen("accuracy").filter((row) => row.category === "*" && row.generator === "*" && row[hit] !== null);
    return {
      width, height: rowHeight(order.length), marginLeft: marginForModels(order), marginRight: 20,
      x: { ...share, label: `${hitName()} accuracy, per cent` }, y: modelRows(order),
      marks: Object.entries(data.marks).map(([rule, { symbol, stroke }]) => {
        // As a value, since Plot recognises only some of CSS's colours by name.
        const color = { value: () => stroke, scale: null };
        const of = cells.filter((row) => row.rule === rule);
        return Plot.dot(of, { y: "model", x: hit, stroke: color, fill: rule === state.rule ? color : "none", strokeWidth: 2, symbol, r: 5,
          ...pointing(of, (row) => told(row, called(row.model), rule), ({ model }) => ({ rule, model, outcome: "wrong" })) });
      }),
      key: Object.entries(data.marks).map(([rule, { sign, stroke }]) => [stroke, rule === state.rule ? `${rule} (filled: chosen above)` : rule, sign]),
    };
  },
  generators(width) {
    const hit = state.hit;
    const cells = means().filter((row) => row.generator !== "*").map((row) => ({ ...row, source: sourceNamed(row.generator) }));
    const order = unique(cells.map((row) => row.generator)).sort((a, b) => explorer.real.includes(a) - explorer.real.includes(b)).map(sourceNamed);
    const judged = data.order.filter((name) => cells.some((row) => row.model === name));
    const words = (row) => told(row, `${called(row.model)}, ${row.source}`);
    const to = ({ model, generator }) => ({ model, generator });
    if (judged.length * order.length > SMALL) {
      return heatmap({ width, cells, x: "source", y: "model", value: hit, columns: order, rows: judged, nameColumn: (name) => short(name, 18), nameRow: tagged, most: 110,
        written: (value) => (100 * value).toFixed(1), told: words, to });
    }
    return {
      width, height: 40 + judged.length * (30 + 20 * order.length), marginLeft: marginFor(order), marginRight: 20, marginTop: 24,
      x: { ...share, label: `${hitName()} accuracy, per cent` }, y: { domain: order, label: null, tickFormat: (name) => short(name, 18) },
      fy: { domain: judged, axis: null, ...apart(30 + 20 * order.length) },
      marks: [
        heading(judged, width, marginFor(order)),
        bounds(cells, { fy: "model", y: "source" }),
        Plot.dot(cells, { fy: "model", y: "source", x: hit, fill: "var(--one)", r: 4, ...pointing(cells, words, to) }),
      ],
    };
  },
  differences(width) {
    const cells = seen("generators").filter((row) => row.rule === state.rule && row.hit === state.hit).map(photographsSecond)
      .map((row) => ({ ...row, pair: `${sourceNamed(row.a)}${MINUS}${sourceNamed(row.b)}`, who: row.model === "*" ? "mean over models" : row.model }));
    const pairs = unique(cells.map((row) => row.pair));
    const order = ["mean over models", ...data.order.filter((name) => cells.some((row) => row.model === name))];
    const many = pairs.length * order.length > 60;
    const drawn = many ? cells.filter((row) => row.model === "*") : cells;
    const domain = many ? order.slice(0, 1) : order;
    const words = (row) => `${row.pair}\n${called(row.who)}: ${(100 * row.difference).toFixed(1)} points (${(100 * row.low).toFixed(1)} to ${(100 * row.high).toFixed(1)})\n${count(row.categories, "common categor").replace(/s?$/, row.categories === 1 ? "y" : "ies")}`;
    return {
      width, height: 40 + pairs.length * (30 + 22 * domain.length), marginLeft: marginForModels(domain), marginRight: 20,
      x: { label: "points", ticks: Math.min(10, Math.max(4, Math.floor(width / 80))), tickFormat: (value) => `${Math.round(100 * value)}`, grid: true, nice: true },
      y: modelRows(domain), fy: { domain: pairs, label: null, axis: null, ...apart(30 + 22 * domain.length) },
      marks: [
        Plot.ruleX([0], { stroke: "var(--faint)" }),
        heading(pairs, width, marginForModels(domain)),
        Plot.ruleY(drawn, { fy: "pair", y: "who", x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        // Of the two sources the one on which less is right.
        Plot.dot(drawn, { fy: "pair", y: "who", x: "difference", fill: "var(--one)", r: 4,
          ...pointing(drawn, words, (row) => ({ generator: row.difference < 0 ? row.a : row.b, ...(row.model === "*" ? {} : { model: row.model }) })) }),
      ],
      marginTop: 24,
    };
  },
};
