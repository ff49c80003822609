import { byId, data, explorer, make, picture } from "./helpers.js";
import { DEFAULTS, GROUPS, change } from "./state.js";
import { chosenAmong, every } from "./choosing.js";
import { openNamed } from "./large.js";

// People: the groups of images that they, or models, get ------------------------------------------

const SOME = 12;

for (const list of document.querySelectorAll("[data-people]")) {
  const wanted = { ...DEFAULTS, ...JSON.parse(list.dataset.people) };
  const images = chosenAmong(every, wanted);
  list.append(...images.slice(0, SOME).map((image) => make("li", {},
    make("button", { type: "button", title: explorer.images[image], onclick: () => openNamed(explorer.images[image]) },
      make("img", { src: picture(explorer.picture[image]), alt: explorer.images[image], loading: "lazy" })))));
  if (images.length) {
    list.after(make("button", { type: "button", onclick: () => {
      const filters = Object.fromEntries(GROUPS.images.map((key) => [key, wanted[key]]));
      change({ ...filters, rule: data.rule, hit: DEFAULTS.hit });
      byId("images").scrollIntoView();
    } }, images.length > SOME ? `Look at all ${images.length.toLocaleString("en")} on this page` : "Look at them"));
  }
}
