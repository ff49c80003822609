import { data, explorer, unique } from "./helpers.js";
import { state } from "./state.js";
import { every, gets, isReal, known, modelNamed } from "./choosing.js";

// How the images on the map look: their colours and shapes ----------------------------------------

// Okabe and Ito's colours; as many shapes as have no factor in common, so that 35 pairs differ.
const COLORS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#8F8F00"];
/** The shapes by the signs that stand for them in a legend. */
export const SHAPES = { "●": "disc", "■": "square", "▲": "triangle", "◆": "diamond", "✕": "cross" };
const ALL_SIGNS = Object.keys(SHAPES);
const MOST = COLORS.length * ALL_SIGNS.length;
const look = (i) => ({ color: COLORS[i % COLORS.length], sign: ALL_SIGNS[i % ALL_SIGNS.length] });
const OTHER = { color: "var(--faint)", sign: "●" };

/** A look for each name: the most frequent 34 have one of their own where there are more than 35. */
function looksOf(names) {
  const order = unique(names);
  if (order.length <= MOST) return new Map(order.map((name, i) => [name, { ...look(i), name }]));
  const times = new Map();
  for (const name of names) times.set(name, (times.get(name) ?? 0) + 1);
  const own = [...order].sort((a, b) => times.get(b) - times.get(a)).slice(0, MOST - 1);
  const other = { ...OTHER, name: `${order.length - own.length} other categories` };
  return new Map(order.map((name) => [name, own.includes(name) ? { ...look(own.indexOf(name)), name } : other]));
}

const TINTS = {
  category() {
    const looks = looksOf(explorer.category);
    return (image) => looks.get(explorer.category[image]);
  },
  source() {
    const sources = unique(explorer.generator).sort((a, b) => explorer.real.includes(a) - explorer.real.includes(b));
    const looks = new Map(sources.map((source, i) => [source, {
      ...(explorer.real.includes(source) ? { color: "var(--ink)", sign: "◆" } : look(i)),
      name: source === null ? "no generator" : explorer.real.includes(source) ? `${source} (real)` : source,
    }]));
    return (image) => looks.get(explorer.generator[image]);
  },
  hit() {
    const model = modelNamed(state.model || data.best);
    const right = { color: "var(--one)", sign: "●", name: `${model.name} is right` };
    const wrong = { color: "var(--two)", sign: "✕", name: `${model.name} is wrong` };
    if (!known(model)) return () => ({ ...OTHER, name: `of ${model.name} it is not known` });
    return (image) => (gets(model, image) ? right : wrong);
  },
};

/** The looks of the images that have a place, each image's and all that occur. */
export function currentLooks(placed) {
  const of = TINTS[state.tint]();
  const found = new Map(placed.map((image) => [of(image).name, of(image)]));
  const order = state.tint === "source" ? [...every].sort((a, b) => isReal(a) - isReal(b)).map((image) => of(image).name) : null;
  const names = order === null ? unique([...found.keys()]) : [...new Set(order)].filter((name) => found.has(name));
  return { of, legend: names.map((name) => found.get(name)) };
}
