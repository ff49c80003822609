import { count, data, explorer, percent, rows, short } from "./helpers.js";
import { state } from "./state.js";
import { Plot, described } from "./plots.js";

// Charts of confidence: is a classifier right as often as it says? -------------------------------

const LOOKS = { generated: ["var(--one)", "●", "circle"], real: ["var(--two)", "■", "square"] };
const kindOf = (row) => (row.generator === "*" ? "generated" : "real");

/** Models with probabilities in the order of the page, each with the place of its panel. */
function panels(names, across) {
  return new Map(names.map((name, i) => [name, { fx: i % across, fy: Math.floor(i / across) }]));
}

function errorSaid(summary) {
  const bounds = summary.ece_low === null ? "" : ` (${summary.ece_low.toFixed(3)} to ${summary.ece_high.toFixed(3)})`;
  const sign = summary.over < 0 ? "under" : "over";
  return `ECE ${summary.ece.toFixed(3)}${bounds}, ${sign}confident by ${(100 * Math.abs(summary.over)).toFixed(1)} points`;
}

export const ofConfidence = {
  confidence(width) {
    const summaries = rows("calibration").filter((row) => row.rule === state.rule && row.ece !== null);
    const names = data.order.filter((name) => summaries.some((row) => row.model === name));
    if (names.length === 0) return null;
    const across = Math.max(1, Math.min(names.length, 6, Math.floor((width - 66) / 140)));
    const place = panels(names, across);
    const side = Math.min(260, (width - 66) / across);
    const own = (row) => summaries.find((each) => each.model === row.model && each.generator === row.generator);
    const cells = rows("calibration_bins").filter((row) => row.rule === state.rule && place.has(row.model))
      .map((row) => ({ ...row, ...place.get(row.model), kind: kindOf(row) }));
    const titles = names.map((name) => ({ name, ...place.get(name) }));
    const down = Math.ceil(names.length / across);
    const told = (row) => `${row.model}\n${row.kind === "real" ? `photographs (${row.generator})` : "generated images"}\nconfidence ${percent(row.confidence)}: right on ${described(row, row.top1, row.low, row.high)} of ${count(row.n, "image")}\nin all: ${errorSaid(own(row))}`;
    return {
      width: 66 + across * side, height: 60 + down * side, marginLeft: 50, marginTop: 24, marginRight: 16,
      x: { domain: [0, 1], ticks: [0, 0.5, 1], tickFormat: (value) => `${100 * value}`, label: "confidence, per cent" },
      y: { domain: [0, 1], ticks: [0, 0.5, 1], tickFormat: (value) => `${100 * value}`, label: "right at first, per cent", labelAnchor: "center", labelArrow: "none", grid: true },
      fx: { axis: null, padding: 0.12 }, fy: { axis: null, padding: 0.2 },
      marks: [
        Plot.text(titles, { fx: "fx", fy: "fy", text: (each) => short(each.name, Math.max(10, Math.floor(side / 8.5))), frameAnchor: "top-left", dy: -13, fontWeight: "bold" }),
        Plot.line(titles.flatMap((each) => [0, 1].map((end) => ({ ...each, end }))), { fx: "fx", fy: "fy", z: "name", x: "end", y: "end", stroke: "var(--faint)", strokeDasharray: "4 4" }),
        ...Object.entries(LOOKS).flatMap(([kind, [color, , symbol]]) => {
          const part = cells.filter((row) => row.kind === kind);
          return [
            Plot.ruleX(part, { fx: "fx", fy: "fy", x: "confidence", y1: "low", y2: "high", stroke: color, strokeWidth: 2, strokeOpacity: 0.5 }),
            Plot.dot(part, { fx: "fx", fy: "fy", x: "confidence", y: "top1", fill: color, symbol, r: 3.5, tip: true, title: told }),
          ];
        }),
      ],
      key: [["var(--one)", "generated images"], ...(explorer.real.length ? [[LOOKS.real[0], "real photographs", LOOKS.real[1]]] : [])],
    };
  },
};
