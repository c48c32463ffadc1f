"use strict";
// Opens the conversation that a link leads to; without it, the reader opens it by hand.
const openTarget = () => {
  const element = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (element && element.tagName === "DETAILS") {
    element.open = true;
    element.scrollIntoView();
  }
};
addEventListener("hashchange", openTarget);
openTarget();
