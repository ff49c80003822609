import { byId, download, explorer, questions } from "./helpers.js";
import { DEFAULTS, GROUPS, change, fillControls, readAddress, state } from "./state.js";
import { imagesCsv, showImages } from "./images.js";
import { large, openNamed } from "./large.js";
import { questionsCsv, showQuestions } from "./questions.js";
import { redraw } from "./charts.js";
import { showLearned } from "./learning.js";
import { showMap } from "./map.js";

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

function begin() {
  readAddress();
  fillControls();
  showImages();
  showQuestions();
  showLearned();
  showMap();
  if (explorer.images.includes(state.image) || questions?.image.includes(state.image)) openNamed(state.image);
  else if (large.open) large.close();
}
const chosenIn = (group) => GROUPS[group].some((key) => state[key] !== DEFAULTS[key]);
window.addEventListener("hashchange", () => {
  if (!location.hash.includes("=")) return; // a section of the page
  begin();
  redraw();
});
begin();
if (location.hash.includes("=")) {
  if (chosenIn("images")) byId("images").scrollIntoView();
  else if (questions && chosenIn("questions")) byId("questions").scrollIntoView();
}
