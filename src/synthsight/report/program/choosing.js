import { data, explorer } from "./helpers.js";
import { ANY, EVERY, NONE, PEOPLE, models, state } from "./state.js";
import { selection } from "./places.js";
import { passesMark } from "./marking.js";
import { extraText, inPart } from "./attributes.js";

// Choosing images ----------------------------------------------------------------------------

export const every = explorer.images.map((_, index) => index);
/** Digits of hits: wrong, within five, right at first; wrong at first while five are not known; not known. */
export const [WRONG, FIVE, FIRST, NOT_FIRST, UNKNOWN] = [0, 1, 2, 3, 4];
export const digit = (model, image) => model.hits[state.rule].charCodeAt(image) - 48;
/** Whether a model's hits of the chosen kind are known, which is so for all images or for none. */
export const known = (model) => {
  const digits = model.hits[state.rule];
  return !digits.includes("4") && (state.hit === "top1" || model.five[state.rule]);
};
const adapted = new Set(data.adapted);
export const isUncounted = (model) => adapted.has(model.name);
/** The models that are counted together, as the tables count them: not those trained on the images. */
export const knowing = () => models.filter((model) => known(model) && !adapted.has(model.name));
export const gets = (model, image) => {
  const value = digit(model, image);
  return value === FIRST || (value === FIVE && state.hit === "top5");
};
export const block = (model) => model.blocks[model.top[state.rule]];
const confidence = (model, image) => Math.max(0, block(model).parts[5 * image]);
export const modelNamed = (name) => models.find((model) => model.name === name);
export const ordered = data.order.map(modelNamed);

const photographs = new Set(explorer.real);
export const isReal = (image) => photographs.has(explorer.generator[image]);

const counted = new Map();
/** How many models get each image. */
export function counts() {
  const key = `${state.hit} ${state.rule}`;
  if (!counted.has(key)) {
    const judged = knowing();
    counted.set(key, every.map((image) => judged.reduce((sum, model) => sum + gets(model, image), 0)));
  }
  return counted.get(key);
}

/** Whether people get an image, more than half of those who rated it; null if nobody did. */
export const peopleGet = (image) => {
  const raters = explorer.people?.raters[image] ?? null;
  return raters === null ? null : 2 * explorer.people.right[image] > raters;
};

function passesPeople(wanted, image) {
  if (wanted === ANY || !explorer.people) return true;
  return peopleGet(image) === { right: true, wrong: false, none: null }[wanted];
}

const lowered = explorer.names.map((each) => each.toLocaleLowerCase());
/** For each name of a class whether it is meant by a text: the one that it is in full, else all that hold it. */
function classesMeant(text) {
  const exact = lowered.includes(text);
  return lowered.map((each) => (exact ? each === text : each.includes(text)));
}
/** Whether one of a model's first guesses, as many as `places`, is of a class that is meant. */
const says = (model, image, meant, places) => {
  const { classes } = block(model);
  for (let place = 5 * image; place < 5 * image + places; place += 1) {
    if (classes[place] >= 0 && meant[classes[place]]) return true;
  }
  return false;
};

/** How two that are beside one another do on an image, as a function of it: null where it is not known of one. */
function judgeOfTwo(filters) {
  const first = modelNamed(filters.model);
  const second = filters.against === PEOPLE ? null : modelNamed(filters.against);
  if (!known(first) || (second && !known(second))) return () => null;
  return (image) => {
    const other = second ? gets(second, image) : peopleGet(image);
    if (other === null) return null;
    if (gets(first, image)) return other ? "both" : "first";
    return other ? "second" : "neither";
  };
}
/** How many of some images have each outcome of two, and of how many it is not known (`null`). */
export function countsOfTwo(images, filters) {
  const numbers = { both: 0, first: 0, second: 0, neither: 0, null: 0 };
  const judge = judgeOfTwo(filters);
  for (const image of images) numbers[judge(image)] += 1;
  return numbers;
}

export function passes(outcome, right, numberRight, numberOfModels, one) {
  switch (outcome) {
    case "right": return one ? right : numberRight > 0;
    case "wrong": return one ? !right : numberRight < numberOfModels;
    case "all": return numberRight === numberOfModels;
    case "none": return numberRight === 0;
    default: return true;
  }
}

/** Sort by a number; ties keep their order. */
export const sortBy = (list, value, sign) => {
  const values = new Map(list.map((each) => [each, sign * value(each)]));
  return list.sort((a, b) => values.get(a) - values.get(b));
};

const texts = explorer.images.map((each, image) => `${each}\n${extraText(image)}`.toLocaleLowerCase());
/** What a search looks at besides the guesses. */
const textOf = (image) => texts[image];

/** Those of some images that pass filters, the state's or others, under the state's rule. */
export function chosenAmong(images, filters) {
  const model = filters.model ? modelNamed(filters.model) : null;
  const judged = knowing().length;
  const open = model !== null && !known(model) && filters.outcome !== ANY;
  const number = counts();
  const text = filters.find.trim().toLocaleLowerCase();
  const named = text === "" ? null : lowered.map((each) => each.includes(text));
  const guessed = filters.guess.trim() === "" ? null : classesMeant(filters.guess.trim().toLocaleLowerCase());
  const second = filters.against && filters.against !== PEOPLE ? [modelNamed(filters.against)] : [];
  const judge = model && filters.against && filters.outcome !== ANY ? judgeOfTwo(filters) : null;
  const speakers = model ? [model, ...second] : models;
  const has = inPart(filters.having);
  const selected = selection(filters.area, filters.areaof);
  const generator = filters.generator === NONE ? null : filters.generator;
  const isOfSource = (image) => {
    if (filters.generator === ANY) return !isReal(image);
    return filters.generator === EVERY || explorer.generator[image] === generator;
  };
  return images.filter(
    (image) =>
      (selected === null || selected[image]) &&
      (filters.category === ANY || explorer.category[image] === filters.category) &&
      isOfSource(image) &&
      (text === "" || textOf(image).includes(text) || speakers.some((each) => says(each, image, named, model ? 5 : 1))) &&
      (guessed === null || speakers.some((each) => says(each, image, guessed, 1))) &&
      (filters.gets === ANY || String(number[image]) === filters.gets) &&
      (model && filters.against
        ? judge === null || judge(image) === filters.outcome
        : !open && passes(filters.outcome, model && gets(model, image), number[image], judged, model !== null)) &&
      passesMark(filters.marked, image) && has(image) &&
      passesPeople(filters.people, image),
  );
}

export function chosenImages() {
  const model = state.model ? modelNamed(state.model) : null;
  const number = counts();
  const chosen = chosenAmong(every, state);
  const sure = model
    ? (image) => confidence(model, image)
    : (image) => models.reduce((sum, each) => sum + (adapted.has(each.name) ? 0 : confidence(each, image)), 0);
  switch (state.sort) {
    case "hardest": return sortBy(chosen, (image) => number[image], 1);
    case "easiest": return sortBy(chosen, (image) => number[image], -1);
    case "confident": return sortBy(chosen, sure, -1);
    case "unsure": return sortBy(chosen, sure, 1);
    default: return chosen;
  }
}
