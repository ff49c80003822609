import { percent, probit, rows } from "./helpers.js";
import { state } from "./state.js";
import { called, seen } from "./showing.js";
import { pointing } from "./leads.js";
import { Plot, described, hitName, marginForModels, modelRows, rowHeight } from "./plots.js";

// Charts of effective robustness: the line between photographs and generated images ------------

/** The models' distances from the line between photographs and generated images, greatest first. */
const distances = () => seen("robustness").filter((row) => row.rule === state.rule && row.hit === state.hit).sort((a, b) => b.residual - a.residual);
const sideOf = (row) => (row.low > 0 ? "var(--three)" : row.high < 0 ? "var(--two)" : "var(--faint)");
const SIDES = [["var(--three)", "above the line"], ["var(--faint)", "interval includes the line"], ["var(--two)", "below the line"]];
const inPoints = (value) => `${(100 * value).toFixed(1)} points`;
const TICKS = [0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999];
const failed = (row) => ({ model: row.model, outcome: "wrong" });

export const ofTheLine = {
  robustness(width) {
    const hit = state.hit;
    const bySource = new Map(rows("reference").filter((row) => row.kind === "measured" && row.category === "*" && row.generator === "*" && row.rule === state.rule).map((row) => [row.model, row]));
    // As the line is fitted: so that all or none right has a probit, half an image is added to both.
    const inside = (value, number) => probit((number * value + 0.5) / (number + 1));
    const points = distances().map((row) => {
      const mean = bySource.get(row.model);
      const x = (value) => inside(value, mean.n_reference);
      const y = (value) => inside(value, mean.n);
      return { ...row, mean, x: x(row.real), y: y(row.generated), side: sideOf(row),
        left: x(mean[`reference_${hit}_low`]), right: x(mean[`reference_${hit}_high`]), bottom: y(mean[`${hit}_low`]), top: y(mean[`${hit}_high`]) };
    });
    if (points.length === 0) return null;
    const ends = points.flatMap((point) => [point.left, point.right, point.bottom, point.top]);
    const domain = [Math.min(...ends) - 0.1, Math.max(...ends) + 0.1];
    const side = Math.min(width, 560);
    // A small picture has room for fewer of them.
    const ticks = TICKS.map(probit).filter((tick) => tick >= domain[0] && tick <= domain[1]);
    const chosen = ticks.filter((tick, i) => i % Math.ceil((ticks.length * 34) / side) === 0);
    const axis = { domain, ticks: chosen, tickFormat: (value) => `${Number((100 * TICKS.find((tick) => probit(tick) === value)).toFixed(1))}`, grid: true };
    const each = (color) => points.filter((point) => point.side === color);
    return {
      width: side, height: side, marginLeft: 50, marginTop: 24, marginRight: 20,
      x: { ...axis, label: `${hitName()} on photographs, per cent` }, y: { ...axis, label: `${hitName()} on generated images, per cent` },
      marks: [
        Plot.line(domain.map((end) => [end, end]), { stroke: "var(--faint)", strokeDasharray: "4 4" }),
        Plot.line(domain.map((end) => [end, points[0].intercept + points[0].slope * end]), { stroke: "var(--one)", strokeWidth: 2, clip: true }),
        ...SIDES.flatMap(([color]) => [
          Plot.ruleY(each(color), { y: "y", x1: "left", x2: "right", stroke: color, strokeOpacity: 0.45 }),
          Plot.ruleX(each(color), { x: "x", y1: "bottom", y2: "top", stroke: color, strokeOpacity: 0.45 }),
        ]),
        ...SIDES.map(([color]) => Plot.dot(each(color), { x: "x", y: "y", fill: color, r: 4, ...pointing(each(color),
          (row) => `${called(row.model)}\nphotographs: ${described(row.mean, row.real, row.mean[`reference_${hit}_low`], row.mean[`reference_${hit}_high`])}\ngenerated images: ${described(row.mean, row.generated, row.mean[`${hit}_low`], row.mean[`${hit}_high`])}\non the line: ${percent(row.expected)}`, failed) })),
      ],
      key: [...SIDES.filter(([color]) => each(color).length), ["var(--one)", "line over the models", "━"], ["var(--faint)", "equal accuracy", "╌"]],
    };
  },
  distances(width) {
    const cells = distances();
    if (cells.length === 0) return null;
    const order = cells.map((row) => row.model);
    return {
      width, height: rowHeight(order.length, 22), marginLeft: marginForModels(order), marginRight: 20,
      x: { label: "points above the line", ticks: 5, tickFormat: (value) => `${Math.round(100 * value)}`, grid: true, nice: true }, y: modelRows(order),
      marks: [
        Plot.ruleX([0], { stroke: "var(--one)", strokeWidth: 2 }),
        ...SIDES.flatMap(([color]) => {
          const part = cells.filter((row) => sideOf(row) === color);
          return [
            Plot.ruleY(part, { y: "model", x1: "low", x2: "high", stroke: color, strokeWidth: 3, strokeOpacity: 0.55 }),
            Plot.dot(part, { y: "model", x: "residual", fill: color, r: 4, ...pointing(part,
              (row) => `${called(row.model)}\n${inPoints(row.residual)} (${(100 * row.low).toFixed(1)} to ${(100 * row.high).toFixed(1)})\n${percent(row.generated)} on generated images, ${percent(row.expected)} on the line`, failed) }),
          ];
        }),
      ],
    };
  },
};
