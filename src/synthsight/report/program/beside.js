import { byId, count, make, percent, rows } from "./helpers.js";
import { ANY, EVERY, NONE, PEOPLE, change, nameOfSecond, outcomesOfTwo, state } from "./state.js";
import { chosenAmong, countsOfTwo, every, known, modelNamed } from "./choosing.js";

// Two models beside one another, or a model and people -------------------------------------------

const pointsOf = (low, high) => `${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)}`.replaceAll("-", "−");
const less = (difference) => `${(100 * Math.abs(difference)).toFixed(1)} points ${difference < 0 ? "less" : "more"}`;
const guesses = () => (state.hit === "top1" ? "with the first guess" : "within five guesses");
/** The source whose rows in the tables are about the chosen one; null where there are none. */
const sourceInTables = () => (state.generator === ANY ? "*" : [EVERY, NONE].includes(state.generator) ? null : state.generator);
const whichImages = (source) => (source === "*" ? "generated images" : `images of ${source}`);

function aboutModels() {
  const { model, against } = state;
  const source = sourceInTables();
  const unknown = [model, against].filter((name) => !known(modelNamed(name)));
  if (unknown.length) return `Under ${state.rule} it is not known of ${unknown.join(" and ")} which are right.`;
  if (source === null) return "The tables compare models on all generated images, or on those of one source.";
  const row = rows("comparisons").find((each) => each.kind === "model" && each.generator === source && each.rule === state.rule && each.hit === state.hit
    && ((each.a === model && each.b === against) || (each.a === against && each.b === model)));
  if (!row) return "Their paired difference is in tables/comparisons.csv, which is too long for this page.";
  const turned = row.a !== model;
  const difference = turned ? -row.difference : row.difference;
  const [low, high] = turned ? [-row.high, -row.low] : [row.low, row.high];
  const [only, other] = turned ? [row.only_b, row.only_a] : [row.only_a, row.only_b];
  return `On all ${count(row.n, "image").replace("images", whichImages(source))} of the run, ${guesses()}: ${model} ${percent(turned ? row.b_mean : row.a_mean)}, ${against} ${percent(turned ? row.a_mean : row.b_mean)}`
    + ` (means over categories); ${model} gets ${less(difference)} (${pointsOf(low, high)}, paired). ${model} alone gets ${count(only, "image")}, ${against} alone ${other.toLocaleString("en")}`
    + `; p ${row.p_holm < 0.001 ? "< 0.001" : `= ${row.p_holm.toFixed(3)}`} (McNemar, corrected for all pairs).`;
}

function aboutPeople() {
  const source = sourceInTables();
  const found = rows("people").filter((each) => each.generator === source && each.category === (state.category || "*"));
  const row = found.find((each) => each.kind === "model" && each.name === state.model && each.rule === state.rule);
  const mean = found.find((each) => each.kind === "mean");
  const counted = "Here people get an image if more than half of its raters do.";
  if (!row || !mean || row.difference === null) return counted;
  return `On the ${count(row.n, "image")} that people rated${state.category ? ` of ${state.category}` : ""}: ${state.model} ${percent(row.accuracy)} with the first guess, a person on average ${percent(mean.accuracy)};`
    + ` ${state.model} gets ${less(row.difference)} (${pointsOf(row.difference_low, row.difference_high)}). ${counted}`;
}

/** The four groups of images with their numbers, and what the tables say of the pair. */
export function showBeside() {
  const room = byId("images-beside");
  room.hidden = !(state.model && state.against);
  if (room.hidden) return room.replaceChildren();
  const images = chosenAmong(every, { ...state, outcome: ANY });
  const numbers = countsOfTwo(images, state);
  const judged = images.length - numbers.null;
  const four = Object.entries(outcomesOfTwo()).map(([outcome, words]) => make("button", {
    type: "button", "aria-pressed": String(state.outcome === outcome), "data-outcome": outcome,
    onclick: () => {
      change({ outcome: state.outcome === outcome ? ANY : outcome });
      byId("images-beside").querySelector(`[data-outcome=${outcome}]`).focus();
    },
  }, make("strong", {}, numbers[outcome].toLocaleString("en")), ` ${words}`, ...(judged ? [make("small", {}, ` ${percent(numbers[outcome] / judged)}`)] : [])));
  const unrated = state.against === PEOPLE && numbers.null ? [make("p", { class: "note" }, `${count(numbers.null, "image")} nobody rated.`)] : [];
  return room.replaceChildren(
    make("h3", {}, `${state.model} beside ${nameOfSecond()}`),
    make("p", {}, state.against === PEOPLE ? aboutPeople() : aboutModels()),
    make("div", { class: "four", role: "group", "aria-label": "Images by which of the two is right" }, ...four),
    ...unrated);
}
