import { explorer } from "./helpers.js";

// Places on the map, and what an area of it holds ------------------------------------------------

/** The greatest coordinate; one more means that an image has no place. */
export const END = 65534;
export const maps = explorer.map ?? [];
export const mapNamed = (name) => maps.find((each) => each.name === name);

const decoded = new Map();
/** Coordinates x, y, x, y, ... of a map's images on the page (`points`), or of the others (`rest`). */
export function places(map, which = "points") {
  const key = `${which} ${map.name}`;
  if (!decoded.has(key)) {
    const bytes = Uint8Array.from(atob(map[which]), (letter) => letter.charCodeAt(0));
    decoded.set(key, new Uint16Array(bytes.buffer));
  }
  return decoded.get(key);
}
export const hasPlace = (points, image) => points[2 * image] <= END;

// An area is one image, `image:NAME`, or the corners of a lasso, `X.Y_X.Y_...`.
const IMAGE = "image:";
const CORNERS = /^\d{1,5}\.\d{1,5}(_\d{1,5}\.\d{1,5}){2,}$/;
export const isArea = (area, of) => area === "" || (mapNamed(of) !== undefined
  && (CORNERS.test(area) || (area.startsWith(IMAGE) && explorer.images.includes(area.slice(IMAGE.length)))));
export const areaOfImage = (image) => IMAGE + explorer.images[image];
export const areaOfCorners = (corners) => corners.map(([x, y]) => `${Math.round(x)}.${Math.round(y)}`).join("_");

/** Whether a point is within corners: a line from it to the right crosses their sides an odd number of times. */
function within(corners, x, y) {
  let odd = false;
  corners.forEach(([x1, y1], i) => {
    const [x2, y2] = corners[(i + 1) % corners.length];
    if ((y1 > y) !== (y2 > y) && x < x1 + ((y - y1) / (y2 - y1)) * (x2 - x1)) odd = !odd;
  });
  return odd;
}

let last = { key: null, found: null };
/** For each image on the page whether it lies in an area; null without one. */
export function selection(area, of) {
  if (area === "") return null;
  const key = `${of}\n${area}`;
  if (last.key !== key) {
    const points = places(mapNamed(of));
    const corners = area.startsWith(IMAGE) ? null : area.split("_").map((each) => each.split(".").map(Number));
    const found = explorer.images.map((name, image) => (corners === null
      ? area === IMAGE + name
      : hasPlace(points, image) && within(corners, points[2 * image], points[2 * image + 1])));
    last = { key, found };
  }
  return last.found;
}
