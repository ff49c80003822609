import { byId, count, explorer, make, percent } from "./helpers.js";
import { DEFAULTS, GROUPS, change, state } from "./state.js";
import { FIRST, UNKNOWN, block, chosenAmong, digit, every, known, knowing, modelNamed } from "./choosing.js";

// What each category is mistaken for: first guesses, counted over the images on the page ------------

const COLUMNS = 10;
const FEW = 30;
let everyCategory = false;

/** For each category its wrong first guesses by class, how many are right, and how many there are. */
function countMistakes(judged, images) {
  const found = new Map();
  for (const image of images) {
    const name = explorer.category[image];
    if (!found.has(name)) found.set(name, { right: 0, all: 0, wrong: new Map() });
    const of = found.get(name);
    for (const model of judged) {
      const value = digit(model, image);
      if (value === UNKNOWN) continue;
      of.all += 1;
      if (value === FIRST) of.right += 1;
      else {
        const said = block(model).classes[5 * image];
        of.wrong.set(said, (of.wrong.get(said) ?? 0) + 1);
      }
    }
  }
  return found;
}

function cellOf(number, all, title, filters) {
  if (number === 0) return make("td", { class: "share" });
  const said = percent(number / all, 0);
  const cell = make("td", { class: "share" }, make("button", { type: "button", title, "aria-label": `${said}, ${title}`, onclick: () => {
    change({ ...filters, page: "1" });
    byId("images").scrollIntoView();
    byId("images-count").focus();
  } }, said));
  cell.style.setProperty("--share", number / all);
  return cell;
}

export function showMistakes() {
  const one = state.mistaken ? modelNamed(state.mistaken) : null;
  const judged = one ? [one].filter(known) : knowing();
  const images = chosenAmong(every, { ...DEFAULTS, generator: state.mistakenof });
  const found = countMistakes(judged, images);
  const total = new Map();
  for (const { wrong } of found.values()) for (const [said, number] of wrong) if (said >= 0) total.set(said, (total.get(said) ?? 0) + number);
  const columns = [...total.keys()].sort((a, b) => total.get(b) - total.get(a) || explorer.names[a].localeCompare(explorer.names[b], "en")).slice(0, COLUMNS);
  const share = ({ right, all }) => right / all;
  const order = [...found.keys()].filter((name) => found.get(name).all > 0).sort((a, b) => share(found.get(a)) - share(found.get(b)) || a.localeCompare(b, "en"));
  const room = byId("mistakes");
  if (order.length === 0) return room.replaceChildren(make("p", { class: "note" }, `Under ${state.rule} it is not known which guesses are right.`));
  const who = one ? one.name : count(judged.length, "model");
  const base = { ...Object.fromEntries(GROUPS.images.filter((key) => !["sort", "view"].includes(key)).map((key) => [key, DEFAULTS[key]])), generator: state.mistakenof, model: state.mistaken };
  const rowOf = (name) => {
    const { right, all, wrong } = found.get(name);
    const others = all - right - columns.reduce((sum, said) => sum + (wrong.get(said) ?? 0), 0);
    const told = (number, what) => `${name}: ${who}, ${what}, ${number.toLocaleString("en")} of ${count(all, "first guess").replace(/guesss$/, "guesses")}`;
    return make("tr", {}, make("th", { scope: "row" }, name),
      cellOf(right, all, told(right, "right"), { ...base, category: name, guess: "", hit: "top1", outcome: "right" }),
      ...columns.map((said) => cellOf(wrong.get(said) ?? 0, all, told(wrong.get(said) ?? 0, explorer.names[said]), { ...base, category: name, guess: explorer.names[said] })),
      cellOf(others, all, told(others, "another class, or none"), { ...base, category: name, guess: "", hit: "top1", outcome: "wrong" }));
  };
  const part = everyCategory ? order : order.slice(0, FEW);
  const head = ["right", ...columns.map((said) => explorer.names[said]), "others"];
  return room.replaceChildren(
    make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "What each category is mistaken for" },
      make("table", { class: "mistakes" },
        make("caption", {}, make("span", {}, `First guesses of ${who} on ${count(images.length, "image")} of this page, in per cent of those about a category`)),
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "category"), ...head.map((text) => make("th", { scope: "col" }, text)))),
        make("tbody", {}, ...part.map(rowOf)))),
    ...(order.length > FEW ? [make("p", {}, make("button", { type: "button", onclick: () => {
      everyCategory = !everyCategory;
      showMistakes();
      room.querySelector("p button").focus();
    } }, everyCategory ? `The ${FEW} hardest alone` : `All ${order.length} categories`))] : []));
}
