import { byId, data, picture } from "../../pages/program/basics.js";
import { labelOf, onChoice, showChosen } from "./choices.js";
import { shuffled } from "./order.js";
import { keep, keyOf, responsesOf } from "./progress.js";

// One rater at work ----------------------------------------------------------------------------

/** Nobody sees a picture and chooses in less, in seconds: the second half of a double click does. */
const SOONEST = 0.25;

export const noun = data.kind === "answers" ? "question" : "picture";
const image = byId("picture");
export const size = data.items.length;

/** Who rates, the order of the items, the place in it, and what has been said; null before. */
export let session = null;
/** Whether something has been said that neither the browser nor a file keeps. */
export let unsaved = false;
export const saved = () => {
  unsaved = false;
};

let spent = 0; // seconds that the item was on screen, up to `since`
let since = null; // when it came on screen, or back; null while it is not
let shown = 0; // number of the last picture that was asked for
let finished = () => {};

const now = () => performance.now() / 1000;
const seconds = () => spent + (since === null ? 0 : now() - since);
const current = () => session.order[session.place];
/** The first place whose item has no response; all before it have one. */
export const firstOpen = () => {
  const place = session.order.findIndex((number) => !session.responses.has(number));
  return place < 0 ? size : place;
};

function stopClock() {
  spent = seconds();
  since = null;
}

async function show() {
  const place = session.place;
  stopClock();
  if (place === size) {
    finished();
    return;
  }
  const [number, question] = data.items[current()];
  const said = session.responses.get(current());
  // What was on screen before counts, too, if the response is corrected.
  spent = said ? said[1] : 0;
  shown += 1;
  const asked = shown;
  image.src = picture(number);
  if (question !== null) byId("question").textContent = question;
  byId("place").textContent = `${noun[0].toUpperCase()}${noun.slice(1)} ${(place + 1).toLocaleString("en")} of ${size.toLocaleString("en")}`;
  const bar = byId("bar");
  bar.value = session.responses.size;
  bar.textContent = `${session.responses.size} of ${size}`;
  const open = firstOpen();
  byId("back").disabled = place === 0;
  byId("forward").disabled = place >= open;
  byId("resume").hidden = place >= open - 1;
  byId("resume").textContent = open === size ? "To the end" : `On to ${noun} ${(open + 1).toLocaleString("en")}`;
  const before = place > 0 ? session.responses.get(session.order[place - 1]) : undefined;
  byId("before").textContent = before ? `Before: ${labelOf(before[0])}` : "";
  showChosen(said?.[0]);
  try {
    await image.decode();
  } catch {
    // It was replaced before it was there.
  }
  if (asked !== shown) return;
  if (!document.hidden) since = now();
  if (place + 1 < size) new Image().src = picture(data.items[session.order[place + 1]][0]);
}

export function go(place) {
  if (session === null || place < 0 || place > firstOpen()) return;
  session.place = place;
  show();
}

function write() {
  unsaved = !keep(session.rater, session.responses);
  byId("unkept").hidden = !unsaved;
}

function choose(response) {
  const before = session.responses.get(current())?.[1] ?? 0;
  if (since === null || seconds() - before < SOONEST) return;
  session.responses.set(current(), [response, Math.round(seconds() * 10) / 10]);
  write();
  go(session.place + 1);
}

/** Take the last response back, and show its picture. */
function undo() {
  const open = firstOpen();
  if (open === 0) return;
  session.responses.delete(session.order[open - 1]);
  write();
  go(open - 1);
}

/** Let a rater begin, or go on; `end` is called when everything has a response. */
export function begin(rater, end) {
  finished = end;
  const order = shuffled(size, `${data.digest}\n${rater}`);
  session = { rater, order, responses: responsesOf(rater), place: 0 };
  keep(rater, session.responses); // from now on the name is among those who have begun
  session.place = firstOpen();
  show();
}

export function leave() {
  stopClock();
  session = null;
}

const pressed = onChoice((response) => {
  if (session !== null && session.place < size) choose(response);
});

document.addEventListener("keydown", (event) => {
  if (byId("rate").hidden) return;
  const writing = event.target.tagName === "INPUT" && event.target.value;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z" && !writing) {
    event.preventDefault();
    undo();
  } else if (event.ctrlKey || event.metaKey || event.altKey) return;
  else if (event.key === "ArrowLeft" && !writing) go(session.place - 1);
  else if (event.key === "ArrowRight" && !writing) go(session.place + 1);
  else pressed(event);
});
document.addEventListener("visibilitychange", () => {
  if (session === null || session.place === size) return;
  if (document.hidden) stopClock();
  else if (image.complete) since = now();
});
// The same rater may be at work in another tab.
window.addEventListener("storage", (event) => {
  if (session === null || event.key !== keyOf(session.rater)) return;
  session.responses = responsesOf(session.rater);
  go(Math.min(session.place, firstOpen()));
});
