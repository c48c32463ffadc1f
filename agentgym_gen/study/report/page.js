"use strict";
// Opens the conversations that a link leads to, and shows those that the filters let through.
const openTarget = () => {
  const element = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (element && element.tagName === "DETAILS") {
    element.open = true;
    element.scrollIntoView();
  }
};
addEventListener("hashchange", openTarget);
openTarget();
const form = document.querySelector(".filters");
const filter = () => {
  const [column, outcome, mode] = ["column", "outcome", "mode"].map((name) => form[name].value);
  let shown = 0;
  for (const cell of document.querySelectorAll("details.cell")) {
    const inside = !column || cell.dataset.column === column;
    let talks = 0;
    for (const talk of cell.querySelectorAll("details.talk")) {
      const modes = talk.dataset.modes.split(" ");
      const fits = (!outcome || talk.dataset.outcome === outcome) && (!mode || modes.includes(mode));
      talk.hidden = !fits;
      talks += inside && fits;
    }
    cell.hidden = !talks && Boolean(column || outcome || mode);
    cell.open = talks > 0 && Boolean(outcome || mode);
    shown += talks;
  }
  for (const arm of document.querySelectorAll(".talks")) {
    arm.hidden = !arm.querySelector("details.cell:not([hidden])");
  }
  form.querySelector("output").textContent = `${shown} conversations`;
};
if (form) {
  form.addEventListener("change", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
}
