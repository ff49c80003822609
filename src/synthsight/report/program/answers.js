import { count, percent, rows, short, unique } from "./helpers.js";
import { Plot, apart, described, heading, marginFor, rowHeight, share } from "./plots.js";

// Charts of answers to yes/no questions ------------------------------------------------------

export const ofAnswers = {
  vqa(width) {
    const cells = rows("vqa");
    const order = [...cells].sort((a, b) => b.accuracy - a.accuracy).map((row) => row.model);
    const stated = cells.filter((row) => row.reference_yes_no !== null);
    const unsure = cells.filter((row) => row.unanswered > 0);
    const told = (row) => `${row.model}\n${described(row, row.accuracy, row.low, row.high)} of ${count(row.n, "question")}`
      + (row.unanswered > 0 ? `\nof all questions ${percent(row.all_wrong)} to ${percent(row.all_right)}: ${count(row.unanswered, "question")} without an answer${row.unparsed ? `, ${row.unparsed} neither yes nor no` : ""}` : "");
    return {
      width, height: rowHeight(order.length, 30), marginLeft: marginFor(order), marginRight: 20,
      x: { ...share, label: "accuracy, per cent" }, y: { domain: order, label: null, tickFormat: (name) => short(name) },
      marks: [
        Plot.barX(unsure, { y: "model", x1: "all_wrong", x2: "all_right", fill: "var(--one)", fillOpacity: 0.15 }),
        Plot.ruleX(cells.slice(0, 1), { x: "always_yes", stroke: "var(--faint)", strokeDasharray: "4 4" }),
        Plot.ruleY(cells, { y: "model", x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.dot(stated, { y: "model", x: "reference_yes_no", stroke: "var(--two)", strokeWidth: 2, r: 5, tip: true, title: (row) => `${row.model}\nreference: ${percent(row.reference_yes_no)}\n${row.source}` }),
        Plot.dot(cells.filter((row) => row.balanced_accuracy !== null), { y: "model", x: "balanced_accuracy", symbol: "square", stroke: "var(--three)", strokeWidth: 2, r: 5, tip: true, title: (row) => `${row.model}\nbalanced: ${described(row, row.balanced_accuracy, row.balanced_low, row.balanced_high)}` }),
        Plot.dot(cells, { y: "model", x: "accuracy", fill: "var(--one)", r: 5, tip: true, title: told }),
      ],
      key: [["var(--one)", "accuracy"], ["var(--three)", "balanced accuracy", "□"], ["var(--faint)", "always yes", "╎"],
        ...(unsure.length ? [["var(--one)", "unanswered: all wrong to all right", "▒"]] : []),
        ...(stated.length ? [["var(--two)", "reference, as stated", "○"]] : [])],
    };
  },
  seeing(width) {
    const cells = rows("vqa").filter((row) => row.gain !== null);
    const order = [...cells].sort((a, b) => b.accuracy - a.accuracy).map((row) => row.model);
    const told = (row) => `${row.model}\nwith the image: ${percent(row.accuracy)}\nwith a grey picture: ${described(row, row.blind, row.blind_low, row.blind_high)}\nseeing adds ${(100 * row.gain).toFixed(1)} points (${(100 * row.gain_low).toFixed(1)} to ${(100 * row.gain_high).toFixed(1)})`;
    return {
      width, height: rowHeight(order.length, 30), marginLeft: marginFor(order), marginRight: 20,
      x: { ...share, label: "accuracy, per cent" }, y: { domain: order, label: null, tickFormat: (name) => short(name) },
      marks: [
        Plot.ruleX(cells.slice(0, 1), { x: "always_yes", stroke: "var(--faint)", strokeDasharray: "4 4" }),
        Plot.ruleY(cells, { y: "model", x1: "blind", x2: "accuracy", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.dot(cells, { y: "model", x: "blind", symbol: "diamond", fill: "var(--faint)", r: 5, tip: true, title: told }),
        Plot.dot(cells, { y: "model", x: "accuracy", fill: "var(--one)", r: 5, tip: true, title: told }),
      ],
      key: [["var(--one)", "with the image"], ["var(--faint)", "with a grey picture", "◆"], ["var(--faint)", "always yes", "╎"]],
    };
  },
  kinds(width) {
    const cells = rows("vqa_groups").filter((row) => row.by === "kind");
    const names = rows("vqa").map((row) => row.model);
    const order = unique(cells.map((row) => row.value));
    return {
      width, height: 40 + names.length * (30 + 20 * order.length), marginLeft: marginFor(order), marginRight: 20, marginTop: 24,
      x: { ...share, label: "accuracy, per cent" }, y: { domain: order, label: null, tickFormat: (name) => short(name) }, fy: { domain: names, axis: null, ...apart(30 + 20 * order.length) },
      marks: [
        heading(names, width, marginFor(order)),
        Plot.ruleY(cells, { fy: "model", y: "value", x1: "low", x2: "high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.tickX(cells, { fy: "model", y: "value", x: "always_yes", stroke: "var(--faint)", strokeWidth: 2 }),
        Plot.dot(cells, { fy: "model", y: "value", x: "accuracy", fill: "var(--one)", r: 4, tip: true, title: (row) => `${row.model}, ${row.value}\n${described(row, row.accuracy, row.low, row.high)} of ${count(row.n, "question")}\nalways yes: ${percent(row.always_yes)}` }),
      ],
    };
  },
  calibration(width) {
    const cells = rows("vqa_calibration").filter((row) => row.n > 0);
    const names = unique(cells.map((row) => row.model));
    const side = Math.min(width, 420);
    return {
      width: side, height: 40 + names.length * side * 0.75, marginLeft: 50, marginTop: 24,
      x: { domain: [0, 1], label: "mean P(yes)" }, y: { domain: [0, 1], ticks: 5, label: "share of yes", labelAnchor: "center", labelArrow: "none", grid: true }, fy: { domain: names, axis: null, padding: 0.15 },
      marks: [
        heading(names, side, 50),
        Plot.line([[0, 0], [1, 1]], { stroke: "var(--faint)", strokeDasharray: "4 4" }),
        Plot.ruleX(cells, { fy: "model", x: "mean_p_yes", y1: "low", y2: "high", stroke: "var(--one)", strokeWidth: 2, strokeOpacity: 0.55 }),
        Plot.dot(cells, { fy: "model", x: "mean_p_yes", y: "share_yes", fill: "var(--one)", r: 4, tip: true, title: (row) => `${row.model}\nP(yes) about ${row.mean_p_yes.toFixed(2)}: ${described(row, row.share_yes, row.low, row.high)} are yes\n${count(row.n, "question")}` }),
      ],
    };
  },
};
