import { byId, count, csv, data, download, explorer, make } from "./helpers.js";
import { ANY, state } from "./state.js";
import { showImages } from "./images.js";
import { large } from "./large.js";

// Marks: what a reader says of images, kept by the browser -----------------------------------------

/** As synthsight.people.marks reads them back. */
const ALL_MARKS = ["label wrong", "bad picture"];
const MARK_KEYS = { l: ALL_MARKS[0], b: ALL_MARKS[1] };
const STORED_AS = `synthsight marks ${data.run}`;
let keeps = true;

/** The marks in the browser, by image; those of images that this page lacks among them. */
function readMarks() {
  let text = null;
  try {
    text = localStorage.getItem(STORED_AS);
  } catch {
    keeps = false;
  }
  try {
    return new Map(Object.entries(JSON.parse(text) ?? {}).filter(([, each]) => ALL_MARKS.includes(each?.mark)));
  } catch {
    return new Map();
  }
}
let given = readMarks();

function keepMarks() {
  try {
    localStorage.setItem(STORED_AS, JSON.stringify(Object.fromEntries(given)));
    keeps = true;
  } catch {
    keeps = false;
  }
}

const markOf = (image) => given.get(explorer.images[image]) ?? null;

export const MARKED = () => [[ANY, "any"], ["marked", "marked by you"], ...ALL_MARKS.map((each) => [each, each]), ["none", "not marked"]];
export function passesMark(wanted, image) {
  if (!wanted) return true;
  const found = markOf(image)?.mark;
  if (wanted === "none") return found === undefined;
  return wanted === "marked" ? found !== undefined : found === wanted;
}

/** What the card of an image says of its mark: nothing without one. */
export function badgeOf(image) {
  const found = markOf(image);
  return make("span", { class: "badge", "data-badge": image }, ...(found ? [` ⚑ ${found.mark}`] : []));
}

/** Say how many marks there are, and where they are. */
export function showMarks() {
  const here = explorer.images.filter((name) => given.has(name)).length;
  const others = given.size - here;
  const further = others ? `, ${others.toLocaleString("en")} of them of images that are not on this page` : "";
  const where = keeps ? "Marks are kept in this browser." : "This browser keeps nothing for this page: download your marks before you close it.";
  byId("marks-said").textContent = `${count(given.size, "mark")}${further}. ${where}`;
  byId("marks-csv").disabled = given.size === 0;
  byId("marks-clear").disabled = given.size === 0;
}

function marksCsv() {
  const names = [...given.keys()].sort((a, b) => (a < b ? -1 : Number(a > b)));
  return csv(["image", "mark", "remark"], names.map((name) => [name, given.get(name).mark, given.get(name).remark ?? ""]));
}

function refreshMarks() {
  for (const badge of document.querySelectorAll("[data-badge]")) badge.replaceWith(badgeOf(Number(badge.dataset.badge)));
  showMarks();
}

let controls = null; // of the image in the large view

/** Set the mark of an image, or take it back if it is the same. */
function toggleMark(name, mark) {
  const before = given.get(name);
  if (before?.mark === mark) given.delete(name);
  else given.set(name, { mark, remark: before?.remark ?? "" });
  keepMarks();
  refreshMarks();
  controls.update();
}

/** Buttons that mark an image, with room for a remark. */
export function markControls(image) {
  const name = explorer.images[image];
  const buttons = ALL_MARKS.map((mark) => make("button",
    { type: "button", "data-mark": mark, "aria-keyshortcuts": mark[0], title: `Key ${mark[0]}`, onclick: () => toggleMark(name, mark) },
    mark[0].toUpperCase() + mark.slice(1)));
  const remark = make("input", { type: "text", maxlength: "200", autocomplete: "off",
    oninput: () => {
      if (!given.has(name)) return;
      given.set(name, { ...given.get(name), remark: remark.value });
      keepMarks();
      showMarks();
    },
    // The arrows move within the text here, not from image to image.
    onkeydown: (event) => event.stopPropagation() });
  const update = () => {
    const found = given.get(name);
    for (const button of buttons) button.setAttribute("aria-pressed", String(found?.mark === button.dataset.mark));
    remark.disabled = found === undefined;
    remark.value = found?.remark ?? "";
  };
  controls = { name, update };
  update();
  return make("div", { class: "marking", role: "group", "aria-label": "Your mark on this image" }, ...buttons,
    make("label", {}, "Remark ", remark));
}

document.addEventListener("keydown", (event) => {
  const mark = MARK_KEYS[event.key];
  const plainKey = !(event.ctrlKey || event.metaKey || event.altKey);
  if (mark && plainKey && large.open && controls && controls.name === state.image) toggleMark(controls.name, mark);
});
// A filter by marks is applied when the view closes: a picture does not vanish under who marks it.
large.addEventListener("close", () => {
  if (state.marked !== ANY) showImages();
});
byId("marks-csv").addEventListener("click", () => download("marks.csv", marksCsv()));
byId("marks-clear").addEventListener("click", () => {
  if (!window.confirm(`Remove ${count(given.size, "mark")} from this browser?`)) return;
  given = new Map();
  keepMarks();
  refreshMarks();
  if (state.marked !== ANY) showImages();
});
// The same page may be open twice.
window.addEventListener("storage", (event) => {
  if (event.key !== STORED_AS) return;
  given = readMarks();
  refreshMarks();
  if (controls) controls.update();
});
