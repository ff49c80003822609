import { data, explorer, make, questions, unique } from "./helpers.js";
import { showImages } from "./images.js";
import { showQuestions } from "./questions.js";
import { redraw } from "./charts.js";
import { isArea } from "./places.js";
import { showLearned } from "./learning.js";
import { showMap } from "./map.js";
import { knowing } from "./choosing.js";
import { showAnswers } from "./head.js";
import { showMistakes } from "./mistakes.js";
import { showModels } from "./showing.js";
import { MARKED } from "./marking.js";
import { partOptions } from "./attributes.js";

// The state: what is chosen, kept in the address ---------------------------------------------

export const ANY = "";
export const NONE = "\n"; // for what has no generator
export const PEOPLE = "\t"; // in the place of a second model
export const EVERY = "\r"; // generated images and real photographs; without the latter ANY is the same
export const DEFAULTS = {
  section: "", rule: data.rule, hit: "top1",
  only: "", off: "", lit: "", alias: "", // of models: a pattern; lists and names as JSON
  category: ANY, generator: ANY, model: ANY, against: ANY, outcome: ANY, gets: ANY, people: ANY, marked: ANY, having: ANY, guess: "", sort: "name", view: "pictures", find: "", page: "1", image: "",
  mistaken: ANY, mistakenof: ANY,
  map: explorer.map?.[0].name ?? ANY, tint: "source", area: "", areaof: "", heads: data.learning?.models[0] ?? ANY, per: ANY,
  qmodel: ANY, qoutcome: ANY, qkind: ANY, qanswer: ANY, qgenerator: ANY, qsort: "image", qfind: "", qpage: "1",
};
export const GROUPS = {
  images: ["category", "generator", "model", "against", "outcome", "gets", "people", "marked", "having", "guess", "sort", "view", "find", "page", "area", "areaof"],
  mistakes: ["mistaken", "mistakenof"],
  map: ["map", "tint"],
  learned: ["heads", "per"],
  showing: ["only", "off", "lit", "alias"],
  questions: ["qmodel", "qoutcome", "qkind", "qanswer", "qgenerator", "qsort", "qfind", "qpage"],
};
export const state = { ...DEFAULTS };

const plain = (names) => names.map((name) => [name, name]);
const named = (names) => names.map((name) => (name === null ? [NONE, "(no generator)"] : [name, name]));
export const models = explorer.models;
/** Sources to choose from: each, and all generated images. */
const sources = () => (explorer.real.length === 0
  ? [[ANY, "all"], ...named(unique(explorer.generator))]
  : [[ANY, "all generated images"], [EVERY, "generated and real"],
    ...named(unique(explorer.generator)).map(([value, text]) => [value, explorer.real.includes(value) ? `${text} (real)` : text])]);
const OPTIONS = {
  rule: () => plain(explorer.rules),
  hit: () => [["top1", "the first guess is (top-1)"], ["top5", "one of the first five is (top-5)"]],
  category: () => [[ANY, "all"], ...plain(unique(explorer.category))],
  generator: sources,
  model: () => [[ANY, "all"], ...plain(data.order)],
  against: () => [[ANY, "no other"], ...plain(data.order.filter((name) => name !== state.model)), ...(explorer.people ? [[PEOPLE, "people (most raters)"]] : [])],
  outcome: () => (state.model && state.against ? [[ANY, "any"], ...Object.entries(outcomesOfTwo())] : [
    [ANY, "any"],
    ["right", state.model ? "right" : "right by at least one"],
    ["wrong", state.model ? "wrong" : "wrong by at least one"],
    ["all", "all models right"],
    ["none", "all models wrong"],
  ]),
  gets: () => [[ANY, "any number"], ...plain(Array.from({ length: knowing().length + 1 }, (_, number) => String(number)))],
  mistaken: () => [[ANY, "all together"], ...plain(data.order)],
  mistakenof: sources,
  people: () => [[ANY, "any"], ["right", "people get it"], ["wrong", "people do not"], ["none", "not rated"]],
  marked: () => MARKED(),
  having: () => [[ANY, "any"], ...partOptions()],
  sort: () => [
    ["name", "name"], ["hardest", "hardest first"], ["easiest", "easiest first"],
    ["confident", "most confident first"], ["unsure", "least confident first"],
  ],
  view: () => [["pictures", "pictures"], ["grid", "grid of hits"]],
  map: () => plain(explorer.map.map((each) => each.name)),
  tint: () => [["source", "source"], ["category", "category"], ["hit", `right and wrong by ${state.model || data.best}`]],
  heads: () => plain(data.learning.models),
  per: () => [[ANY, "as many as there are"], ...plain(data.learning.numbers.slice(0, -1).map(String))],
  qmodel: () => [[ANY, "all"], ...plain(questions.models.map((model) => model.name))],
  qoutcome: () => [
    [ANY, "any"],
    ["right", state.qmodel ? "right" : "right by at least one"],
    ["wrong", state.qmodel ? "wrong" : "wrong by at least one"],
    ["all", "all models right"],
    ["none", "all models wrong"],
  ],
  qkind: () => [[ANY, "all"], ...plain(unique(questions.kind))],
  qanswer: () => [[ANY, "yes or no"], ["yes", "yes"], ["no", "no"]],
  qgenerator: () => [[ANY, "all"], ...named(unique(questions.generator))],
  qsort: () => [
    ["image", "image"], ["hardest", "hardest first"], ["easiest", "easiest first"],
    ["confident", "most confident first"], ["unsure", "least confident first"],
  ],
};

export const nameOfSecond = () => (state.against === PEOPLE ? "people" : state.against);
/** The outcomes of two that are compared, in words. */
export const outcomesOfTwo = () => ({
  both: "both right",
  first: `${state.model} right, ${nameOfSecond()} wrong`,
  second: `${nameOfSecond()} right, ${state.model} wrong`,
  neither: "both wrong",
});

/** Make the state one that the controls can show: what depends on another choice may be gone with it. */
function settle() {
  data.best = data.answers[state.rule][state.hit].best;
  if (state.against && !state.model) state.model = data.order.find((name) => name !== state.against) ?? ANY;
  for (const control of document.querySelectorAll("select[data-key]")) {
    const { key } = control.dataset;
    if (!OPTIONS[key]().some(([value]) => value === state[key])) state[key] = DEFAULTS[key];
  }
}

/** Take the state from the address; what it does not name, or names wrongly, is the default. */
export function readAddress() {
  const given = new URLSearchParams(location.hash.slice(1));
  for (const key of Object.keys(DEFAULTS)) {
    state[key] = given.get(key) ?? DEFAULTS[key];
  }
  if (!explorer.rules.includes(state.rule)) state.rule = DEFAULTS.rule;
  if (!["top1", "top5"].includes(state.hit)) state.hit = DEFAULTS.hit;
  settle();
  if (!isArea(state.area, state.areaof)) Object.assign(state, { area: "", areaof: "" });
  for (const key of ["page", "qpage"]) {
    if (!/^[1-9][0-9]{0,6}$/.test(state[key])) state[key] = "1";
  }
}

/** Write the state into the address, or with `push` into a new one, from which Back leads here. */
export function writeAddress(push = false) {
  const changed = Object.entries(state).filter(([key, value]) => value !== DEFAULTS[key]);
  const alone = changed.length === 1 && state.section;
  const address = alone ? encodeURIComponent(state.section) : new URLSearchParams(changed).toString();
  const target = address ? `#${address}` : location.pathname + location.search;
  if (push) history.pushState({ large: true }, "", target);
  else if (location.hash !== (address && target)) history.replaceState(history.state, "", target);
}

export function fillControls() {
  for (const control of document.querySelectorAll("[data-key]")) {
    const { key } = control.dataset;
    if (control.tagName === "SELECT") {
      control.replaceChildren(...OPTIONS[key]().map(([value, text]) => make("option", { value }, text)));
    }
    control.value = state[key];
  }
}

export function change(changes) {
  const images = GROUPS.images.some((key) => key in changes);
  const asked = GROUPS.questions.some((key) => key in changes);
  const both = "rule" in changes || "hit" in changes;
  const learned = GROUPS.learned.some((key) => key in changes);
  if ((images || both) && !("page" in changes)) changes.page = "1";
  if (asked && !("qpage" in changes)) changes.qpage = "1";
  Object.assign(state, changes);
  settle();
  writeAddress();
  fillControls();
  if (images || both) showImages();
  if (asked) showQuestions();
  if (images || both || GROUPS.map.some((key) => key in changes)) showMap();
  if (learned) showLearned();
  if (both) showAnswers();
  if (both || GROUPS.mistakes.some((key) => key in changes)) showMistakes();
  const showing = GROUPS.showing.some((key) => key in changes);
  if (showing) showModels();
  if (showing && state.view === "grid") showImages();
  if (both || learned || showing || "model" in changes) redraw();
}
