import { byId, count, explorer, make, picture } from "./helpers.js";
import { ANY, EVERY, change, state } from "./state.js";
import { END, areaOfCorners, areaOfImage, hasPlace, mapNamed, maps, places, selection } from "./places.js";
import { chosenAmong, counts, every, isReal, knowing } from "./choosing.js";
import { SHAPES, currentLooks } from "./looks.js";

// The map: every image where its features put it, drawn on a canvas ----------------------------------

const PAD = 14; // pixels around the outermost images
const NEAR = 14; // pixels from an image that count as pointing at it
const MOST_CORNERS = 80; // of a lasso, so that it fits into an address
const PALE = 0.16;

let view = null; // where the map is on the canvas
let drawn = []; // the images that can be pointed at
let path = null; // of the pointer, in pixels

const resolve = (color) => (color.startsWith("var(") ? getComputedStyle(document.body).getPropertyValue(color.slice(4, -1)).trim() : color);

function shape(context, sign, x, y, r) {
  context.beginPath();
  switch (SHAPES[sign]) {
    case "square": context.rect(x - 0.9 * r, y - 0.9 * r, 1.8 * r, 1.8 * r); break;
    case "triangle": context.moveTo(x, y - 1.2 * r); context.lineTo(x + 1.1 * r, y + 0.8 * r); context.lineTo(x - 1.1 * r, y + 0.8 * r); context.closePath(); break;
    case "diamond": context.moveTo(x, y - 1.3 * r); context.lineTo(x + 1.3 * r, y); context.lineTo(x, y + 1.3 * r); context.lineTo(x - 1.3 * r, y); context.closePath(); break;
    case "cross": context.moveTo(x - r, y - r); context.lineTo(x + r, y + r); context.moveTo(x + r, y - r); context.lineTo(x - r, y + r); break;
    default: context.arc(x, y, r, 0, 2 * Math.PI);
  }
}

function fit(map, width) {
  const height = Math.round(Math.max(220, Math.min(width * Math.min(map.high / map.wide || 1, 1.2), 0.72 * window.innerHeight, 640)));
  const scale = Math.min((width - 2 * PAD) / (END * Math.max(map.wide, 1e-6)), (height - 2 * PAD) / (END * Math.max(map.high, 1e-6)));
  const left = (width - scale * END * map.wide) / 2;
  const bottom = height - (height - scale * END * map.high) / 2;
  return { width, height, scale, x: (u) => left + scale * u, y: (v) => bottom - scale * v,
    u: (x) => (x - left) / scale, v: (y) => (bottom - y) / scale };
}

function prepare(canvas) {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(view.width * ratio);
  canvas.height = Math.round(view.height * ratio);
  canvas.style.height = `${view.height}px`;
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.lineJoin = "round";
  return context;
}

/** Draw the map as the state has it. */
export function showMap() {
  if (!maps.length) return;
  const map = mapNamed(state.map);
  const room = byId("map-room");
  if (room.clientWidth === 0) return; // nothing is laid out yet
  view = fit(map, room.clientWidth);
  const points = places(map);
  const placed = every.filter((image) => hasPlace(points, image));
  // Photographs are on the map though the list leaves them out unless they are asked for.
  const strong = new Set(chosenAmong(placed, { ...state, generator: state.generator === ANY ? EVERY : state.generator }));
  const looks = currentLooks(placed);
  const context = prepare(byId("map-canvas"));
  prepare(byId("map-marks"));
  const rest = places(map, "rest");
  context.globalAlpha = 0.3;
  context.fillStyle = resolve("var(--faint)");
  for (let i = 0; i < rest.length; i += 2) context.fillRect(view.x(rest[i]) - 0.75, view.y(rest[i + 1]) - 0.75, 1.5, 1.5);
  const r = Math.min(placed.length <= 800 ? 4 : placed.length <= 4000 ? 3 : 2, view.width / 140);
  drawn = placed.map((image) => ({ image, x: view.x(points[2 * image]), y: view.y(points[2 * image + 1]) }));
  for (const wanted of [false, true]) {
    context.globalAlpha = wanted ? 0.85 : PALE;
    for (const { image, x, y } of drawn) {
      if (strong.has(image) !== wanted) continue;
      const { color, sign } = looks.of(image);
      context.fillStyle = context.strokeStyle = resolve(color);
      context.lineWidth = SHAPES[sign] === "cross" ? 0.5 * r : 0;
      shape(context, sign, x, y, r);
      if (SHAPES[sign] === "cross") context.stroke();
      else context.fill();
    }
  }
  byId("map-legend").replaceChildren(...looks.legend.map(({ color, sign, name }) => {
    const dot = make("span", { "aria-hidden": "true" }, `${sign} `);
    dot.style.color = color;
    return make("span", {}, dot, name);
  }), ...(rest.length ? [make("span", {}, make("span", { "aria-hidden": "true" }, "· "), "not on this page")] : []));
  tell(strong.size, placed.length, map);
}

function tell(strong, all, map) {
  const selected = selection(state.area, state.areaof);
  const number = selected?.filter(Boolean).length ?? 0;
  const where = state.areaof === state.map ? "" : `, on the map of ${state.areaof}`;
  const lacking = every.length - all ? ` ${count(every.length - all, "image")} of this page ${every.length - all === 1 ? "has" : "have"} no place.` : "";
  const some = strong === all || selected ? "" : ` ${strong.toLocaleString("en")} of ${count(all, "image")} pass the filters; the others are pale.`;
  const other = map.others ? ` Of ${count(map.others, "image")} that this page does not hold ${map.others > map.rest_shown ? `${map.rest_shown.toLocaleString("en")} are` : "all are"} drawn as grey points, which cannot be selected.` : "";
  byId("map-said").textContent = `${selected ? `${count(number, "image")} selected${where}.` : "Nothing is selected."}${some}${lacking}${other}`;
  byId("map-clear").disabled = selected === null;
}

/** Select an area; with photographs in it, the list is to show them, too. */
function select(area) {
  const found = selection(area, state.map);
  if (!found.includes(true)) {
    byId("map-said").textContent = "No image of this page lies there.";
    return;
  }
  const real = state.generator === ANY && every.some((image) => found[image] && isReal(image));
  change({ area, areaof: state.map, ...(real ? { generator: EVERY } : {}) });
}

const clear = () => change({ area: "", areaof: "" });

function nearest(x, y) {
  let best = null;
  let least = NEAR ** 2;
  for (const each of drawn) {
    const far = (each.x - x) ** 2 + (each.y - y) ** 2;
    if (far < least) [best, least] = [each, far];
  }
  return best;
}

function overlay(draw) {
  const canvas = byId("map-marks");
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, view.width, view.height);
  context.strokeStyle = resolve("var(--ink)");
  context.lineWidth = 1.5;
  if (draw) draw(context);
}

function hover(found) {
  const tip = byId("map-tip");
  tip.hidden = found === null;
  overlay(found && ((context) => { context.beginPath(); context.arc(found.x, found.y, 8, 0, 2 * Math.PI); context.stroke(); }));
  if (found === null) return;
  const { image, x, y } = found;
  if (tip.dataset.image !== String(image)) {
    tip.dataset.image = image;
    tip.replaceChildren(make("img", { src: picture(explorer.picture[image]), alt: "" }),
      make("span", {}, make("strong", {}, explorer.category[image]), make("br"), explorer.images[image], make("br"),
        `${counts()[image]} of ${count(knowing().length, "model")} right${isReal(image) ? "; real" : ""}`));
  }
  tip.style.left = `${Math.max(0, Math.min(x + 14, view.width - tip.offsetWidth))}px`;
  tip.style.top = `${y + 14 + tip.offsetHeight > view.height ? Math.max(0, y - 14 - tip.offsetHeight) : y + 14}px`;
}

const placeOf = (event) => {
  const box = byId("map-marks").getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
};

function lassoed() {
  const step = Math.ceil(path.length / MOST_CORNERS);
  const bounded = (value) => Math.max(0, Math.min(END + 1, value)); // an image at the very edge is within
  return areaOfCorners(path.filter((_, i) => i % step === 0).map(([x, y]) => [bounded(view.u(x)), bounded(view.v(y))]));
}

function release(event) {
  if (path === null) return;
  const [x, y] = placeOf(event);
  const far = Math.max(...path.map(([a, b]) => Math.hypot(a - path[0][0], b - path[0][1])));
  const area = far > 6 && path.length > 3 ? lassoed() : null;
  path = null;
  overlay(null);
  const found = area === null ? nearest(x, y) : null;
  if (area !== null) select(area);
  else if (found) select(areaOfImage(found.image));
  else clear();
}

function watchPointer(canvas) {
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    hover(null);
    path = [placeOf(event)];
  });
  canvas.addEventListener("pointermove", (event) => {
    const here = placeOf(event);
    if (path === null) { hover(nearest(...here)); return; }
    path.push(here);
    overlay((context) => {
      context.setLineDash([5, 3]);
      context.beginPath();
      for (const at of path) context.lineTo(...at);
      context.closePath();
      context.stroke();
    });
  });
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", () => { path = null; overlay(null); });
  canvas.addEventListener("pointerleave", () => { if (path === null) hover(null); });
}

/** Select a rectangle, given in hundredths of the map: for those who have no pointer. */
function selectRectangle(event) {
  event.preventDefault();
  const map = mapNamed(state.map);
  const at = (id, size) => Math.max(0, Math.min(1, Number(byId(id).value) / 100)) * END * size;
  const [left, right] = [at("map-left", map.wide), at("map-right", map.wide)].sort((a, b) => a - b);
  const [bottom, top] = [at("map-bottom", map.high), at("map-top", map.high)].sort((a, b) => a - b);
  // An image on the edge counts as within.
  const [low, high] = [(value) => Math.max(0, value - 1), (value) => value + 1];
  select(areaOfCorners([[low(left), low(bottom)], [high(right), low(bottom)], [high(right), high(top)], [low(left), high(top)]]));
}

if (maps.length) {
  watchPointer(byId("map-marks"));
  byId("map-clear").addEventListener("click", clear);
  byId("map-rectangle").addEventListener("submit", selectRectangle);
  let wide = 0;
  new ResizeObserver(() => {
    if (byId("map-room").clientWidth === wide) return;
    wide = byId("map-room").clientWidth;
    showMap();
  }).observe(byId("map-room"));
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showMap);
}
