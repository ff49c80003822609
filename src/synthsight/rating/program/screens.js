import { byId, count, make } from "../../pages/program/basics.js";
import { begin, firstOpen, go, leave, noun, saved, session, size, unsaved } from "./session.js";
import { fileOf, forget, keeps, raters, save } from "./progress.js";

// The three screens: who rates, the pictures, the end ------------------------------------------

const SCREENS = ["start", "rate", "end"];

function open(screen) {
  for (const each of SCREENS) byId(each).hidden = each !== screen;
  document.body.classList.toggle("rating", screen === "rate");
  window.scrollTo(0, 0);
  if (screen === "end") byId("end-h").focus();
}

function end() {
  byId("end-h").textContent = `Thank you, ${session.rater}`;
  byId("done").textContent = `${count(size, noun)}, each with your response. Now save the file ${fileOf(session.rater)} and send it to whoever gave you this page.`;
  open("end");
}

function start(rater) {
  open("rate");
  byId("who").textContent = rater;
  begin(rater, end);
}

/** A name that stands in a file as it is: of some length, in one line, and no formula. */
function nameOf(text) {
  const name = text.normalize("NFC").trim().replaceAll(/\s+/gu, " ");
  return /^[\p{L}\p{N}][^\p{C}]{0,63}$/u.test(name) ? name : null;
}

/** Whether the rater has agreed to what must be agreed to. */
function agreed() {
  const box = byId("agree");
  if (!box || box.checked) return true;
  box.reportValidity();
  return false;
}

const again = (number) => (number === size ? "Look again" : "Go on");

function listRaters() {
  const begun = raters();
  byId("begun").hidden = begun.length === 0;
  byId("raters").replaceChildren(...begun.map(([name, number]) => make("li", {},
    make("span", {}, `${name}: ${number === size ? "all" : `${number.toLocaleString("en")} of`} ${size.toLocaleString("en")}`),
    make("button", { type: "button", "aria-label": `${again(number)} as ${name}`, onclick: () => agreed() && start(name) }, again(number)),
    make("button", {
      type: "button",
      class: "quiet",
      "aria-label": `Delete the responses of ${name}`,
      onclick: () => {
        if (!window.confirm(`Delete all responses of ${name} from this browser? Files that were saved stay.`)) return;
        forget(name);
        listRaters();
      },
    }, "Delete"))));
}

byId("unkept-at-start").hidden = keeps;
byId("name").addEventListener("input", (event) => event.target.setCustomValidity(""));
byId("who-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = byId("name");
  const name = nameOf(field.value);
  if (name === null) {
    field.setCustomValidity("A name begins with a letter or a digit and has at most 64 characters.");
    field.reportValidity();
  } else {
    field.value = "";
    start(name);
  }
});
byId("back").addEventListener("click", () => go(session.place - 1));
byId("forward").addEventListener("click", () => go(session.place + 1));
byId("resume").addEventListener("click", () => go(firstOpen()));
byId("again").addEventListener("click", () => {
  open("rate");
  go(size - 1);
});
for (const button of document.querySelectorAll("[data-save]")) {
  button.addEventListener("click", () => {
    save(session.rater, session.order, session.responses);
    saved();
  });
}
for (const button of document.querySelectorAll("[data-pause]")) {
  button.addEventListener("click", () => {
    if (unsaved && !window.confirm("This browser does not keep your responses. Leave without having saved them?")) return;
    saved();
    leave();
    listRaters();
    open("start");
  });
}
window.addEventListener("beforeunload", (event) => {
  if (unsaved) event.preventDefault();
});
window.addEventListener("storage", () => {
  if (session === null) listRaters();
});
listRaters();
