// Every way a photo gets in: choose, take, drop, paste.

import { byId } from "./dom.js";

/** `take` is called with each File that may be a photo. */
export function acceptPhotos(take) {
  for (const button of document.querySelectorAll("[data-pick]")) {
    button.addEventListener("click", () => byId(button.dataset.pick).click());
  }
  for (const input of [byId("choose"), byId("take")]) {
    input.addEventListener("change", () => {
      if (input.files.length) take(input.files[0]);
      input.value = ""; // the same file may be chosen again
    });
  }
  acceptDrops(take);
  document.addEventListener("paste", (event) => {
    const file = fileOf(event.clipboardData);
    if (file) take(file);
  });
}

function acceptDrops(take) {
  const dragged = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0; // enter and leave come for every element on the way
  const show = (step) => {
    depth = Math.max(0, depth + step);
    document.body.classList.toggle("dropping", depth > 0);
  };
  addEventListener("dragenter", (event) => dragged(event) && show(1));
  addEventListener("dragleave", (event) => dragged(event) && show(-1));
  addEventListener("dragover", (event) => dragged(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!dragged(event)) return;
    event.preventDefault();
    show(-depth);
    const file = fileOf(event.dataTransfer);
    if (file) take(file);
  });
}

const fileOf = (transfer) => transfer?.files?.[0] ?? null;
