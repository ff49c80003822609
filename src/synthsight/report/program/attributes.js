import { count, explorer, rows, short } from "./helpers.js";
import { models, state } from "./state.js";
import { called } from "./showing.js";
import { pointing } from "./leads.js";
import { Plot, apart, described, heading, hitName, marginFor, share } from "./plots.js";

// What else is known of images: prompts, seeds, settings of the generator -------------------------

const attributes = explorer.attributes ?? { names: [], values: [] };

/** What is known of an image, a name and a text each. */
export const attributesOf = (image) => attributes.names
  .map((name, place) => [name, attributes.values[place][image]])
  .filter(([, text]) => text !== null);

/** What a search finds an image by besides its name and the guesses. */
export const extraText = (image) => attributesOf(image).map(([, text]) => text).join("\n");

/** The columns of the list as CSV. */
export const attributeColumns = () => attributes.names;
export const attributeCells = (image) => attributes.values.map((values) => values[image]);

const SEPARATOR = "\n";
/** The values, or ranges of the values, by which images are compared. */
const ranges = new Map((attributes.parts ?? []).map((part) => [part.attribute + SEPARATOR + part.value, part]));
/** What images can be chosen by: a value each, under the name of its attribute. */
export const partOptions = () => [...ranges].map(([key, { attribute, value }]) => [key, `${attribute}: ${short(value, 40)}`]);

/** Whether an image is in a part, as a function of it; in every one without a part. */
export function inPart(key) {
  const part = ranges.get(key);
  if (!part) return () => true;
  const values = attributes.values[attributes.names.indexOf(part.attribute)];
  const measure = part.kind === "number" ? Number : (text) => text.trim().split(/\s+/).length;
  const isIn = part.kind === "value" ? (text) => text === part.value : (text) => part.low <= measure(text) && measure(text) <= part.high;
  return (image) => values[image] !== null && isIn(values[image]);
}

const pointsOfDifference = (row) => (row.difference === null
  ? "no category with other images"
  : `${row.difference < 0 ? "−" : "+"}${(100 * Math.abs(row.difference)).toFixed(1)} points against the rest (${(100 * row.low).toFixed(1)} to ${(100 * row.high).toFixed(1)}), p = ${row.p_holm < 0.001 ? "< 0.001" : row.p_holm.toFixed(3)}`);

export const ofAttributes = {
  attributes(width) {
    const who = models.some((model) => model.name === state.model) ? state.model : "*";
    const cells = rows("attributes").filter((row) => row.generator === "*" && row.model === who && row.rule === state.rule && row.hit === state.hit);
    if (cells.length === 0) return null;
    const names = attributes.names.filter((name) => cells.some((row) => row.attribute === name));
    const domain = names.map((name) => cells.filter((row) => row.attribute === name).sort((a, b) => a.place - b.place));
    const left = marginFor(cells.map((row) => row.value));
    const most = Math.max(...domain.map((part) => part.length));
    const each = 30 + 22 * most;
    const title = (row) => `${row.attribute}: ${row.value}\n${who === "*" ? "mean over models" : called(who)}: ${described(row, row.mean, row.mean_low, row.mean_high)} of ${count(row.n, "image")}\n${pointsOfDifference(row)}`;
    // Facets are of one height, so each has rows of its own numbers, from the top.
    const placed = domain.flatMap((part) => part.map((row, i) => ({ ...row, row: i })));
    return {
      width, height: 44 + names.length * each, marginLeft: left, marginRight: 20, marginTop: 24,
      x: { ...share, label: `${hitName()} accuracy, per cent` },
      y: { domain: Array.from({ length: most }, (_, i) => i), axis: null }, fy: { domain: names, axis: null, ...apart(each) },
      marks: [
        heading(names, width, left),
        Plot.text(placed, { fy: "attribute", y: "row", frameAnchor: "left", dx: -8, textAnchor: "end", text: (row) => short(row.value) }),
        Plot.tickX(placed.filter((row) => row.rest !== null), { fy: "attribute", y: "row", x: "rest", stroke: "var(--faint)", strokeWidth: 2 }),
        Plot.ruleY(placed, { fy: "attribute", y: "row", x1: "mean_low", x2: "mean_high", stroke: "var(--one)", strokeWidth: 3, strokeOpacity: 0.55 }),
        Plot.dot(placed, { fy: "attribute", y: "row", x: "mean", fill: "var(--one)", r: 4, ...pointing(placed, title, (row) => ({ having: row.attribute + SEPARATOR + row.value, model: who === "*" ? "" : who })) }),
      ],
      key: [["var(--one)", who === "*" ? "images with the value: mean over models" : `images with the value: ${called(who)}`], ["var(--faint)", "all others, in the same categories", "╎"]],
    };
  },
};
