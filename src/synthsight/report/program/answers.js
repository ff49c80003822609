import { count, percent, short, unique } from "./helpers.js";
import { called, seen, tagged } from "./showing.js";
import { pointing } from "./leads.js";
import { Plot, apart, described, heading, heatmap, marginFor, marginForModels, modelRows, rowHeight, share } from "./plots.js";

// Charts of answers to yes/no questions ------------------------------------------------------

// Which of its answers a model lacks: those with the image, or those without, too.
function unseen(row) {
  if (row.all_right <= row.all_wrong) return " that does not see the image";
  return row.gain === null ? "" : ", with the image or without";
}

const wrong = (row) => ({ qmodel: row.model, qoutcome: "wrong" });
const SOME_KINDS = 40; // marks of models and kinds, beyond which one chart of cells has them

export const ofAnswers = {
  vqa(width) {
    const cells = seen("vqa");
    const order = [...cells].sort((a, b) => b.accuracy - a.accuracy).map((row) => row.model);
    const stated = cells.filter((row) => row.reference_yes_no !== null);
    const balanced = cells.filter((row) => row.balanced_accuracy !== null);
    const unsure = cells.filter((row) => row.all_right > row.all_wrong);
    const told = (row) => `${called(row.model)}\n${described(row, row.accuracy, row.low, row.high)} of ${count(row.n, "question")}`
      + (row.all_right > row.all_wrong ? `\nof all questions ${percent(row.all_wrong)} to ${percent(row.all_right)}` : "")
      + (row.unanswered > 0 ? `\n${count(row.unanswered, "further question")} without an answer${unseen(row)}${row.unparsed ? `, ${row.unparsed} neither yes nor no` : ""}` : "");
    return {
      width, height: rowHeight(order.length, 30), marginLeft: marginForModels(order), marginRight: 20,
      x: { ...share, label: "accuracy, per cent" }, y: modelRows(order),
      marks: [
        Plot.barX(unsure, { y: "model", x1: "all_wrong", x2: "all_right", fill: "var(--one)", fillOpacity: 0.15 }),
        Plot.ruleX(cells.slice(0, 1), { x: "always_yes", stroke: "var(--faint)", strokeDasharray: "4 4" }),
        Plot.ruleY(cells, { y: "model", x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.dot(stated, { y: "model", x: "reference_yes_no", stroke: "var(--two)", strokeWidth: 2, r: 5, ...pointing(stated, (row) => `${called(row.model)}\nreference: ${percent(row.reference_yes_no)}\n${row.source}`, () => null) }),
        Plot.dot(balanced, { y: "model", x: "balanced_accuracy", symbol: "square", stroke: "var(--three)", strokeWidth: 2, r: 5,
          ...pointing(balanced, (row) => `${called(row.model)}\nbalanced: ${described(row, row.balanced_accuracy, row.balanced_low, row.balanced_high)}`, wrong) }),
        Plot.dot(cells, { y: "model", x: "accuracy", fill: "var(--one)", r: 5, ...pointing(cells, told, wrong) }),
      ],
      key: [["var(--one)", "accuracy"], ["var(--three)", "balanced accuracy", "□"], ["var(--faint)", "always yes", "╎"],
        ...(unsure.length ? [["var(--one)", "unanswered: all wrong to all right", "▒"]] : []),
        ...(stated.length ? [["var(--two)", "reference, as stated", "○"]] : [])],
    };
  },
  seeing(width) {
    const cells = seen("vqa").filter((row) => row.gain !== null);
    const order = [...cells].sort((a, b) => b.accuracy - a.accuracy).map((row) => row.model);
    const told = (row) => `${called(row.model)}\nwith the image: ${percent(row.accuracy)}\nwith a grey picture: ${described(row, row.blind, row.blind_low, row.blind_high)}\nseeing adds ${(100 * row.gain).toFixed(1)} points (${(100 * row.gain_low).toFixed(1)} to ${(100 * row.gain_high).toFixed(1)})`;
    return {
      width, height: rowHeight(order.length, 30), marginLeft: marginForModels(order), marginRight: 20,
      x: { ...share, label: "accuracy, per cent" }, y: modelRows(order),
      marks: [
        Plot.ruleX(cells.slice(0, 1), { x: "always_yes", stroke: "var(--faint)", strokeDasharray: "4 4" }),
        Plot.ruleY(cells, { y: "model", x1: "blind", x2: "accuracy", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.dot(cells, { y: "model", x: "blind", symbol: "diamond", fill: "var(--faint)", r: 5, ...pointing(cells, told, () => null) }),
        Plot.dot(cells, { y: "model", x: "accuracy", fill: "var(--one)", r: 5, ...pointing(cells, told, wrong) }),
      ],
      key: [["var(--one)", "with the image"], ["var(--faint)", "with a grey picture", "◆"], ["var(--faint)", "always yes", "╎"]],
    };
  },
  kinds(width) {
    const cells = seen("vqa_groups").filter((row) => row.by === "kind");
    const names = seen("vqa").map((row) => row.model);
    // As in the figure: the most frequent kind first, what is of no kind last.
    const times = new Map();
    for (const row of cells) times.set(row.value, (times.get(row.value) ?? 0) + row.n);
    const order = unique(cells.map((row) => row.value)).sort((a, b) => (a === "other") - (b === "other") || times.get(b) - times.get(a));
    const words = (row) => `${called(row.model)}, ${row.value}\n${described(row, row.accuracy, row.low, row.high)} of ${count(row.n, "question")}\nalways yes: ${percent(row.always_yes)}`;
    const to = (row) => ({ qmodel: row.model, qkind: row.value });
    if (names.length * order.length > SOME_KINDS) {
      return heatmap({ width, cells, x: "value", y: "model", value: "accuracy", columns: order, rows: names, nameColumn: short, nameRow: tagged, most: 90,
        written: (value) => Math.round(100 * value), told: words, to });
    }
    return {
      width, height: 40 + names.length * (30 + 20 * order.length), marginLeft: marginFor(order), marginRight: 20, marginTop: 24,
      x: { ...share, label: "accuracy, per cent" }, y: { domain: order, label: null, tickFormat: (name) => short(name) }, fy: { domain: names, axis: null, ...apart(30 + 20 * order.length) },
      marks: [
        heading(names, width, marginFor(order)),
        Plot.ruleY(cells, { fy: "model", y: "value", x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.tickX(cells, { fy: "model", y: "value", x: "always_yes", stroke: "var(--faint)", strokeWidth: 2 }),
        Plot.dot(cells, { fy: "model", y: "value", x: "accuracy", fill: "var(--one)", r: 4, ...pointing(cells, words, to) }),
      ],
    };
  },
  calibration(width) {
    const known = seen("vqa_calibration").filter((row) => row.n > 0);
    const names = unique(known.map((row) => row.model));
    // Below each other as long as they are few, then in as many columns as there is room for.
    const columns = names.length > 3 ? Math.max(2, Math.floor(width / 190)) : 1;
    const side = columns > 1 ? width : Math.min(width, 420);
    const part = columns > 1 ? width / columns : side * 0.75;
    const down = Math.ceil(names.length / columns);
    const place = (model) => ({ column: names.indexOf(model) % columns, row: Math.floor(names.indexOf(model) / columns) });
    const cells = known.map((row) => ({ ...row, ...place(row.model) }));
    const titles = names.map((model) => ({ model, ...place(model) }));
    const facets = { fx: "column", fy: "row" };
    return {
      width: side, height: 64 + down * part, marginLeft: 50, marginTop: 24,
      x: { domain: [0, 1], ticks: columns > 1 ? [0, 0.5, 1] : 5, tickFormat: String, label: "mean P(yes)" }, y: { domain: [0, 1], ticks: columns > 1 ? [0, 0.5, 1] : 5, tickFormat: String, label: "share of yes", labelAnchor: "center", labelArrow: "none", grid: true },
      fx: { domain: [...new Set(titles.map((each) => each.column))], axis: null, padding: 0.12 }, fy: { domain: [...new Set(titles.map((each) => each.row))], axis: null, padding: columns > 1 ? 0.22 : 0.15 },
      marks: [
        Plot.text(titles, { ...facets, text: (each) => tagged(each.model, Math.floor(part / 8.2)), frameAnchor: "top-left", dy: -13, fontWeight: "bold" }),
        ...titles.map((each) => Plot.line([[0, 0], [1, 1]], { fx: [each.column, each.column], fy: [each.row, each.row], x: (d) => d[0], y: (d) => d[1], stroke: "var(--faint)", strokeDasharray: "4 4" })),
        Plot.ruleX(cells, { ...facets, x: "mean_p_yes", y1: "low", y2: "high", stroke: "var(--one)", strokeWidth: 2, strokeOpacity: 0.55 }),
        Plot.dot(cells, { ...facets, x: "mean_p_yes", y: "share_yes", fill: "var(--one)", r: columns > 1 ? 3 : 4,
          ...pointing(cells, (row) => `${called(row.model)}\nP(yes) about ${row.mean_p_yes.toFixed(2)}: ${described(row, row.share_yes, row.low, row.high)} are yes\n${count(row.n, "question")}`,
            (row) => ({ qmodel: row.model, qsort: "confident" })) }),
      ],
    };
  },
};
