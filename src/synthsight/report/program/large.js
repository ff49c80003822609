import { byId, count, data, explorer, make, percent, picture, questions, rows, unique } from "./helpers.js";
import { state, writeAddress } from "./state.js";
import { counts, digit, isReal, knowing, modelNamed, ordered } from "./choosing.js";
import { WORDS, guess, mark, shown } from "./images.js";
import { chips } from "./questions.js";
import { markControls } from "./marking.js";
import { attributesOf } from "./attributes.js";

// The large view -----------------------------------------------------------------------------

export const large = byId("large");
let opener = null;
// What the arrows lead through, a name each with the number of a question or null, and the place in it.
let way = [];
let at = -1;

/** Where an image lies, as the page knows it: beside the results, or at a path of this machine. */
function addressOf(name, roots) {
  const [first, ...rest] = name.split("/");
  const [root, path] = roots.elsewhere[first] === undefined ? [roots.root, [first, ...rest]] : [roots.elsewhere[first], rest];
  return `${root}/${path.map(encodeURIComponent).join("/")}`;
}

/** The classes that count for a category under the chosen rule, by their first names. */
function whatCounts(category) {
  const names = unique(rows("label_audit").filter((row) => row.category === category && (row.accepted_by ?? "").split(" ").includes(state.rule) && row.names)
    .map((row) => row.names.split(", ")[0]));
  const few = names.slice(0, 12).join(", ");
  return names.length > 12 ? `${few} and ${names.length - 12} more` : few || "no class";
}

function guessesOf(model, image) {
  const value = digit(model, image);
  const counted = model.counted[state.rule][image];
  const list = make("ol");
  for (let place = 0; place < 5; place += 1) {
    const each = guess(model, image, place);
    if (each) {
      const bar = make("i");
      bar.style.width = percent(Math.min(1, each.share ?? 0));
      const right = counted === String(place);
      list.append(make("li", right ? { class: "counted", title: "This guess counts" } : {}, bar, make("span", {}, right ? `✓ ${each.name}` : each.name), make("span", {}, each.share === null ? "" : percent(each.share))));
    }
  }
  const chosen = [state.model, state.against].includes(model.name);
  return make("section", chosen ? { class: "chosen" } : {}, make("h3", {}, mark(value), model.name, make("small", {}, WORDS[value])), list);
}

/** All models, those that are chosen first. */
const chosenFirst = () => {
  const chosen = [state.model, state.against].map(modelNamed).filter(Boolean);
  return [...chosen, ...ordered.filter((model) => !chosen.includes(model))];
};

function questionsAbout(name) {
  if (!questions) return [];
  return questions.image.flatMap((image, index) => (image === name ? [index] : []));
}

function ofPeople(image) {
  const { raters, right, response } = explorer.people;
  if (raters[image] === null) return "not rated";
  const most = response[image] === null ? "no response is the most frequent" : `most say: ${response[image]}`;
  return `${right[image]} of ${count(raters[image], "rater")} right; ${most}`;
}

function fillLarge(name) {
  const image = explorer.images.indexOf(name);
  const asked = questionsAbout(name);
  const classified = image >= 0;
  const number = classified ? explorer.picture[image] : questions.picture[asked[0]];
  byId("large-h").textContent = classified ? explorer.category[image] : name;
  const facts = make("dl", { class: "facts" });
  const fact = (term, text) => facts.append(make("div", {}, make("dt", {}, term), make("dd", {}, text)));
  const roots = classified ? data.roots.images : data.roots.questions;
  fact("File", roots ? make("a", { href: addressOf(name, roots), target: "_blank", rel: "noopener", title: "The image itself, where it still lies in its place" }, name) : name);
  if (classified) {
    if (isReal(image)) fact("Source", `${explorer.generator[image]}, real photographs`);
    else fact("Generator", explorer.generator[image] ?? "none");
    const [width, height] = [explorer.width[image], explorer.height[image]];
    fact("Size", `${width} × ${height} pixels${Math.max(width, height) > data.side ? "; shown here as a smaller copy" : ""}`);
    if (explorer.people) fact("People", ofPeople(image));
    fact("Right under " + state.rule, `${counts()[image]} of ${count(knowing().length, "model")}`);
    if (data.adapted.length) fact("Not counted", `${data.adapted.join(", ")}, trained on such images`);
    fact("What counts", whatCounts(explorer.category[image]));
    for (const [term, text] of attributesOf(image)) fact(term, text);
  }
  const right = make("div");
  if (classified) right.append(make("div", { class: "guesses" }, ...chosenFirst().map((model) => guessesOf(model, image))));
  if (asked.length) {
    right.append(make("h3", {}, "Questions"),
      ...asked.map((index) => make("div", index === way[at]?.[1] ? { "aria-current": "true" } : {}, make("p", {}, questions.question[index], " ", make("small", {}, `truth: ${questions.answer[index]}`)), chips(index))));
  }
  byId("large-content").replaceChildren(make("div", { class: "large" },
    make("div", {}, make("img", { src: picture(number), alt: name }), ...(classified ? [markControls(image)] : []), facts), right));
  byId("large-previous").disabled = at <= 0;
  byId("large-next").disabled = at < 0 || at === way.length - 1;
  // A button that is disabled loses the focus.
  if (large.open && (document.activeElement === document.body || document.activeElement.disabled)) byId("large-close").focus();
}

function openView(name) {
  state.image = name;
  // Back closes the view, as on a phone. One that an address opened has nothing behind it.
  writeAddress(!large.open && !location.hash.includes("image="));
  fillLarge(name);
  if (!large.open) {
    opener = document.activeElement;
    large.showModal();
  }
  large.scrollTop = 0;
}

/** Open one of some pictures, through which the arrows lead: a name each with a question or null. */
export function openAmong(among, place) {
  way = among;
  at = place;
  openView(among[place][0]);
}

/** Open a picture; the arrows lead through the images that are shown, if it is one of them. */
export function openNamed(name) {
  way = shown.map((image) => [explorer.images[image], null]);
  at = way.findIndex(([each]) => each === name);
  openView(name);
}

function step(by) {
  if (at >= 0 && way[at + by]) openAmong(way, at + by);
}

large.addEventListener("close", () => {
  state.image = "";
  if (history.state?.large && location.hash.includes("image=")) history.back();
  else writeAddress();
  if (opener && opener.isConnected) opener.focus();
});
large.addEventListener("click", (event) => { if (event.target === large) large.close(); });
document.addEventListener("keydown", (event) => {
  if (large.open && event.key === "ArrowLeft") step(-1);
  if (large.open && event.key === "ArrowRight") step(1);
});
byId("large-close").addEventListener("click", () => large.close());
byId("large-previous").addEventListener("click", () => step(-1));
byId("large-next").addEventListener("click", () => step(1));
