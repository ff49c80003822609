import { byId, data, make } from "../../pages/program/basics.js";

// The choices: buttons in a fixed order, a key each or a box to type in ------------------------

const box = byId("find"); // not there if every choice has a key
const said = byId("found");
const list = byId("choices");
const plain = (text) => text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
const finePointer = window.matchMedia("(pointer: fine)");

const buttons = data.choices.map((choice) => {
  const key = choice.key ? make("kbd", { "aria-hidden": "true" }, choice.key.toUpperCase()) : null;
  const button = make("button", { type: "button", class: "choice", "aria-pressed": "false" }, key, make("span", {}, choice.label));
  if (choice.key) button.setAttribute("aria-keyshortcuts", choice.key);
  return { ...choice, button, text: plain(choice.label), words: plain(choice.label).split(" ") };
});
const inList = buttons.filter((each) => !each.apart); // `other` and the like stand below, always in sight
list.append(...inList.map(({ button }) => button));
byId("others").append(...buttons.filter((each) => each.apart).map(({ button }) => button));

let matching = buttons;
let marked = 0;

/** Choices that begin with what is typed come first, then those with a word that does, then the rest. */
function rank({ text, words }, typed) {
  if (text.startsWith(typed)) return 0;
  if (words.some((word) => word.startsWith(typed))) return 1;
  return text.includes(typed) ? 2 : 3;
}

function mark(place) {
  marked = Math.max(0, Math.min(place, matching.length - 1));
  const chosen = box?.value.trim() ? matching[marked] : undefined;
  for (const each of buttons) each.button.classList.toggle("first", each === chosen);
  chosen?.button.scrollIntoView({ block: "nearest" });
  if (!said) return;
  if (chosen) said.textContent = `Enter chooses ${chosen.label}${matching.length > 1 ? `; ${matching.length} match` : ""}.`;
  else said.textContent = box.value.trim() ? "No choice matches." : "";
}

/** Show what matches the box, the best first; what matches within a word, only if nothing else does. */
function filter() {
  const typed = plain(box.value.trim());
  const ranks = new Map(buttons.map((each) => [each, typed ? rank(each, typed) : 0]));
  const worst = [...ranks.values()].some((each) => each < 2) ? 1 : 2;
  matching = buttons.filter((each) => ranks.get(each) <= worst).sort((a, b) => ranks.get(a) - ranks.get(b));
  for (const each of inList) each.button.hidden = !matching.includes(each);
  list.append(...(typed ? matching : inList).filter((each) => !each.apart).map(({ button }) => button));
  list.scrollTop = 0;
  mark(0);
}

function clear() {
  if (!box) return;
  box.value = "";
  filter();
}

/** Show that nothing has been chosen yet, or what. */
export function showChosen(value) {
  for (const each of buttons) each.button.setAttribute("aria-pressed", String(each.value === value));
  const within = list.contains(document.activeElement) || document.activeElement === box || byId("others").contains(document.activeElement);
  clear();
  if (box && finePointer.matches && (within || document.activeElement === document.body)) box.focus({ preventScroll: true });
}

export const labelOf = (value) => buttons.find((each) => each.value === value)?.label;

/** Call `choose` with the value of whatever is chosen, by pointer or key. */
export function onChoice(choose) {
  for (const each of buttons) each.button.addEventListener("click", () => choose(each.value));
  box?.addEventListener("input", filter);
  return (event) => {
    const typing = event.target === box;
    const empty = !box?.value;
    if (typing && event.key === "Enter" && !event.repeat) {
      event.preventDefault();
      if (!event.isComposing && !empty && matching.length) choose(matching[marked].value);
    } else if (typing && !empty && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      mark(marked + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Escape") clear();
    else if (event.key.length === 1 && !(typing && !empty)) {
      const chosen = buttons.find(({ key }) => key && key === event.key.toLowerCase());
      if (chosen) {
        event.preventDefault();
        if (!event.repeat) choose(chosen.value);
      } else if (box && !typing && event.key !== " ") box.focus();
    }
  };
}
