import { breaking, byId, count, csv, data, explorer, make, percent, picture, unique } from "./helpers.js";
import { ANY, PEOPLE, change, models, nameOfSecond, state } from "./state.js";
import { FIRST, FIVE, NOT_FIRST, UNKNOWN, WRONG, block, chosenImages, counts, digit, every, gets, isReal, isUncounted, known, knowing, modelNamed, ordered, peopleGet } from "./choosing.js";
import { called, isLit, shows } from "./showing.js";
import { openNamed } from "./large.js";
import { badgeOf } from "./marking.js";
import { attributeCells, attributeColumns } from "./attributes.js";
import { showBeside } from "./beside.js";

// Showing images -----------------------------------------------------------------------------

const PER_PAGE = { pictures: 60, grid: 100 };
const SIGNS = ["✗", "5", "✓", "✗", "?"];
export const WORDS = ["wrong", "within five", "right at first", "wrong at first, five not known", "not known"];
export let shown = [];

export const guess = (model, image, place = 0) => {
  const name = block(model).classes[5 * image + place];
  const parts = block(model).parts[5 * image + place];
  return name < 0 ? null : { name: explorer.names[name], share: parts < 0 ? null : parts / 1000 };
};
/** A guess with its probability, if that is known. */
export const spoken = ({ name, share }) => (share === null ? name : `${name} ${percent(share, 0)}`);
export const mark = (value) => make("span", { class: `mark h${value}`, title: WORDS[value] }, SIGNS[value]);

/** What one of two that are beside one another says of an image, with the sign of whether it counts. */
function saidOf(name, image) {
  if (name === PEOPLE) {
    const value = { true: FIRST, false: WRONG, null: UNKNOWN }[peopleGet(image)];
    return make("span", { class: "said" }, mark(value), ` people${explorer.people.response[image] === null ? "" : `: ${explorer.people.response[image]}`}`);
  }
  const model = modelNamed(name);
  const first = guess(model, image);
  return make("span", { class: "said" }, mark(digit(model, image)), ` ${name}${first ? `: ${spoken(first)}` : ""}`);
}

/** The models that a list shows: two that are beside one another, or all. */
const compared = () => (state.model && state.against && state.against !== PEOPLE ? [state.model, state.against].map(modelNamed) : ordered);

function card(image) {
  const model = state.model ? modelNamed(state.model) : null;
  const number = counts()[image];
  const first = model && guess(model, image);
  const marks = make("span", { class: "marks", "aria-hidden": "true" });
  if (ordered.length <= 14) {
    const marksOf = (some) => some.map((each) => mark(digit(each, image)));
    const seen = ordered.filter(isUncounted);
    marks.append(...marksOf(ordered.filter((each) => !isUncounted(each))), ...(seen.length ? [make("span", { class: "aside" }, ...marksOf(seen))] : []));
  }
  const said = first
    ? `${WORDS[digit(model, image)]}: ${spoken(first)}`
    : `${number} of ${count(knowing().length, "model")} right`;
  return make("li", {},
    make("button", { type: "button", class: "card", "data-image": image, onclick: () => openNamed(explorer.images[image]) },
      make("img", { src: picture(explorer.picture[image]), alt: explorer.images[image], loading: "lazy" }),
      make("span", { class: "truth" }, explorer.category[image], ...(isReal(image) ? [make("small", {}, " real")] : []), badgeOf(image)),
      ...(state.model && state.against ? [saidOf(state.model, image), saidOf(state.against, image)] : [make("span", { class: "said" }, said), marks])));
}

const MEANINGS = {
  [FIRST]: "the first guess is right", [FIVE]: "one of five is right", [WRONG]: "no guess of five is right",
  [NOT_FIRST]: "the first guess is wrong, five are not known", [UNKNOWN]: "not known",
};
const legend = () => make("p", { class: "legend" },
  ...[FIRST, FIVE, WRONG, NOT_FIRST, UNKNOWN]
    .filter((value) => value <= FIRST || models.some((model) => model.hits[state.rule].includes(String(value))))
    .map((value) => make("span", {}, mark(value), MEANINGS[value])),
  ...(data.adapted.length && ordered.length <= 14 && !(state.model && state.against) ? [make("span", {}, `apart, at the end: ${data.adapted.join(", ")}, trained on such images and not counted`)] : []));

function gridOf(images) {
  const inGrid = compared().filter((model) => shows(model.name));
  const head = make("tr", {}, make("th", { scope: "col" }, "Image"),
    ...inGrid.map((model) => make("th", { scope: "col", class: isLit(model.name) ? "lit" : "" }, ...breaking(called(model.name)))));
  const body = images.map((image) => make("tr", {},
    make("th", { scope: "row" },
      make("button", { type: "button", "data-image": image, onclick: () => openNamed(explorer.images[image]) },
        make("img", { src: picture(explorer.picture[image]), alt: "", loading: "lazy" }),
        explorer.images[image], ...(isReal(image) ? [make("small", {}, " real")] : []))),
    ...inGrid.map((model) => {
      const value = digit(model, image);
      const first = guess(model, image);
      const title = `${called(model.name)}: ${WORDS[value]}${first ? `; ${spoken(first)}` : ""}`;
      return make("td", { class: `cell h${value}`, title }, SIGNS[value]);
    })));
  return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Grid of hits" },
    make("table", { class: "grid" }, make("thead", {}, head), make("tbody", {}, ...body)));
}

/** Fill a pager and return the part of the list that its page shows. */
export function paged(list, size, key, pager) {
  const pages = Math.max(1, Math.ceil(list.length / size));
  const page = Math.min(Number(state[key]), pages);
  const go = (target, label, text) => make("button",
    { type: "button", "aria-label": label, disabled: target < 1 || target > pages ? "" : undefined,
      onclick: () => {
        change({ [key]: String(target) });
        const region = pager.closest("section");
        region.querySelector(".count").scrollIntoView({ block: "start" });
        const again = pager.querySelector(`[aria-label="${label}"]:not(:disabled)`) ?? pager.querySelector("button:not(:disabled)");
        if (again) again.focus({ preventScroll: true });
      } }, text);
  pager.replaceChildren();
  if (pages > 1) {
    pager.append(go(page - 1, "Previous page", "← Previous"), make("span", {}, `Page ${page} of ${pages}`),
      go(page + 1, "Next page", "Next →"));
  }
  return list.slice((page - 1) * size, page * size);
}

export function showImages() {
  shown = chosenImages();
  const model = state.model ? modelNamed(state.model) : null;
  const total = every.length;
  let said = shown.length === total ? count(total, "image") : `${shown.length.toLocaleString("en")} of ${count(total, "image")}`;
  const judged = knowing();
  if (state.against) said += ` · ${model.name} beside ${nameOfSecond()}`;
  else if (model && !known(model)) said += ` · of ${model.name} it is not known which are right`;
  else if (shown.length && state.outcome === ANY && (model || judged.length)) {
    const number = counts();
    const right = model
      ? shown.filter((image) => gets(model, image)).length / shown.length
      : shown.reduce((sum, image) => sum + number[image], 0) / shown.length / judged.length;
    const who = model ?? (judged.length === 1 ? judged[0] : null);
    const unseen = data.adapted.length ? " that were not trained on such images" : "";
    said += who ? ` · ${who.name} is right on ${percent(right)}` : ` · the ${judged.length} models${unseen || (judged.length < models.length ? " of which it is known" : "")} get ${percent(right)} of them on average`;
  }
  byId("images-count").textContent = said;
  showBeside();
  const part = paged(shown, PER_PAGE[state.view], "page", byId("images-pager"));
  byId("images-list").replaceChildren(...(part.length === 0 ? [make("p", {}, "No images match these filters.")] : [
    legend(),
    state.view === "grid" ? gridOf(part) : make("ul", { class: "cards" }, ...part.map(card)),
  ]));
}

byId("classes").append(...unique(explorer.names).map((value) => make("option", { value })));

export function imagesCsv() {
  const real = explorer.real.length ? ["real"] : [];
  const columns = ["image", "category", "generator", ...real, ...attributeColumns(), "rule", ...ordered.flatMap((model) => [`${model.name} top1`, `${model.name} top5`, `${model.name} first guess`])];
  return csv(columns, shown.map((image) => [
    explorer.images[image], explorer.category[image], explorer.generator[image], ...real.map(() => isReal(image)), ...attributeCells(image), state.rule,
    ...ordered.flatMap((model) => {
      const value = digit(model, image);
      const five = value === UNKNOWN || value === NOT_FIRST || (value === FIRST && !model.five[state.rule]) ? null : value === FIRST || value === FIVE;
      return [value === UNKNOWN ? null : value === FIRST, five, guess(model, image)?.name ?? null];
    })]));
}
