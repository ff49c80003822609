import { byId, count, csv, explorer, make, percent, picture } from "./helpers.js";
import { ANY, change, models, state } from "./state.js";
import { block, chosenImages, counts, every, gets, isReal, modelNamed, ordered } from "./choosing.js";

// Showing images -----------------------------------------------------------------------------

const PER_PAGE = { pictures: 60, grid: 100 };
const SIGNS = ["✗", "5", "✓"];
export const WORDS = ["wrong", "within five", "right at first"];
export let shown = [];

export const digit = (model, image) => model.hits[state.rule].charCodeAt(image) - 48;
export const guess = (model, image, place = 0) => {
  const name = block(model).classes[5 * image + place];
  return name < 0 ? null : { name: explorer.names[name], share: block(model).parts[5 * image + place] / 1000 };
};
export const mark = (value) => make("span", { class: `mark h${value}`, title: WORDS[value] }, SIGNS[value]);

function card(image) {
  const model = state.model ? modelNamed(state.model) : null;
  const number = counts()[image];
  const first = model && guess(model, image);
  const marks = make("span", { class: "marks", "aria-hidden": "true" });
  if (ordered.length <= 14) marks.append(...ordered.map((each) => mark(digit(each, image))));
  const said = first
    ? `${WORDS[digit(model, image)]}: ${first.name} ${percent(first.share, 0)}`
    : `${number} of ${count(models.length, "model")} right`;
  return make("li", {},
    make("button", { type: "button", class: "card", "data-image": image, onclick: () => open(image) },
      make("img", { src: picture(explorer.picture[image]), alt: explorer.images[image], loading: "lazy" }),
      make("span", { class: "truth" }, explorer.category[image], ...(isReal(image) ? [make("small", {}, " real")] : [])),
      make("span", { class: "said" }, said),
      marks));
}

const legend = () => make("p", { class: "legend" },
  ...[2, 1, 0].map((value) => make("span", {}, mark(value), ["no guess of five is right", "one of five is right", "the first guess is right"][value])));

function gridOf(images) {
  const head = make("tr", {}, make("th", { scope: "col" }, "Image"),
    ...ordered.map((model) => make("th", { scope: "col" }, model.name)));
  const body = images.map((image) => make("tr", {},
    make("th", { scope: "row" },
      make("button", { type: "button", "data-image": image, onclick: () => open(image) },
        make("img", { src: picture(explorer.picture[image]), alt: "", loading: "lazy" }),
        explorer.images[image], ...(isReal(image) ? [make("small", {}, " real")] : []))),
    ...ordered.map((model) => {
      const value = digit(model, image);
      const first = guess(model, image);
      const title = `${model.name}: ${WORDS[value]}${first ? `; ${first.name} ${percent(first.share, 0)}` : ""}`;
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
  if (shown.length && state.outcome === ANY) {
    const number = counts();
    const right = model
      ? shown.filter((image) => gets(model, image)).length / shown.length
      : shown.reduce((sum, image) => sum + number[image], 0) / shown.length / models.length;
    said += ` · ${model ? model.name : models.length > 1 ? "the models" : models[0].name} ${model || models.length === 1 ? "is" : "are"} right on ${percent(right)}${model || models.length === 1 ? "" : " of them on average"}`;
  }
  byId("images-count").textContent = said;
  const part = paged(shown, PER_PAGE[state.view], "page", byId("images-pager"));
  byId("images-list").replaceChildren(...(part.length === 0 ? [make("p", {}, "No images match these filters.")] : [
    legend(),
    state.view === "grid" ? gridOf(part) : make("ul", { class: "cards" }, ...part.map(card)),
  ]));
}

export function imagesCsv() {
  const real = explorer.real.length ? ["real"] : [];
  const columns = ["image", "category", "generator", ...real, "rule", ...ordered.flatMap((model) => [`${model.name} top1`, `${model.name} top5`, `${model.name} first guess`])];
  return csv(columns, shown.map((image) => [
    explorer.images[image], explorer.category[image], explorer.generator[image], ...real.map(() => isReal(image)), state.rule,
    ...ordered.flatMap((model) => {
      const value = digit(model, image);
      return [value === 2, value >= 1, guess(model, image)?.name ?? null];
    })]));
}
