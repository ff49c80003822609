import { byId, download, explorer, questions } from "./helpers.js";
import { DEFAULTS, GROUPS, change, fillControls, readAddress, state, writeAddress } from "./state.js";
import { imagesCsv, showImages } from "./images.js";
import { large, openNamed } from "./large.js";
import { questionsCsv, showQuestions } from "./questions.js";
import { redraw } from "./charts.js";
import { showLearned } from "./learning.js";
import { showMap } from "./map.js";
import { showAnswers } from "./head.js";
import { showMistakes } from "./mistakes.js";
import { showModels } from "./showing.js";
import { showMarks } from "./marking.js";

// Begin --------------------------------------------------------------------------------------

for (const control of document.querySelectorAll("[data-key]")) {
  const { key } = control.dataset;
  control.addEventListener(control.tagName === "SELECT" ? "change" : "input", () => change({ [key]: control.value }));
}
for (const button of document.querySelectorAll("[data-reset]")) {
  button.addEventListener("click", () => change(Object.fromEntries(GROUPS[button.dataset.reset].map((key) => [key, DEFAULTS[key]]))));
}
byId("images-csv").addEventListener("click", () => download("images.csv", imagesCsv()));
byId("questions-csv")?.addEventListener("click", () => download("questions.csv", questionsCsv()));

function show() {
  fillControls();
  showModels();
  showImages();
  showQuestions();
  showLearned();
  showMap();
  showMistakes();
  showAnswers();
  showMarks();
}
function openOrClose() {
  if (explorer.images.includes(state.image) || questions?.image.includes(state.image)) openNamed(state.image);
  else if (large.open) large.close();
}
const chosenIn = (group) => GROUPS[group].some((key) => state[key] !== DEFAULTS[key]);
const isSection = () => location.hash !== "" && !location.hash.includes("=");
const keepSection = () => {
  state.section = decodeURIComponent(location.hash.slice(1));
  writeAddress(); // what else is chosen belongs to the address, too
};
window.addEventListener("hashchange", () => {
  if (isSection()) {
    if (large.open) large.close();
    keepSection();
    return;
  }
  const before = { ...state };
  readAddress();
  // What opened or closed a picture alone leaves the rest, and what has the focus, as it is.
  if (Object.keys(state).some((key) => key !== "image" && state[key] !== before[key])) {
    show();
    redraw();
  }
  openOrClose();
});
const section = isSection();
readAddress();
show();
openOrClose();
if (section) keepSection();
else if (location.hash) {
  if (state.section) byId(state.section)?.scrollIntoView();
  else if (chosenIn("images")) byId("images").scrollIntoView();
  else if (questions && chosenIn("questions")) byId("questions").scrollIntoView();
}
