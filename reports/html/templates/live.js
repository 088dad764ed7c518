"use strict";
// A run that goes on: look whether there is more, and show it without losing the place. Only on the page of --watch.
(() => {
  const note = document.createElement("p");
  note.className = "live";
  note.setAttribute("role", "status");
  note.textContent = "This run goes on; the page follows it.";
  document.querySelector("header").prepend(note);
  try { const top = sessionStorage.getItem("storcert-top"); if (top) scrollTo(0, +top); } catch (error) { /* no storage, no place */ }
  let told = null, lost = 0;
  const look = async () => {
    try {
      const state = await (await fetch("state", { cache: "no-store" })).json();
      lost = 0;
      if (told !== null && state.told !== told) {
        try { sessionStorage.setItem("storcert-top", String(scrollY)); } catch (error) { /* see above */ }
        location.reload();
        return;
      }
      told = state.told;
      if (state.over) { note.textContent = "The run is over."; return; }
    } catch (error) {
      lost += 1;
      if (lost > 2) { note.textContent = "The run is over, or was stopped; this is what there was."; return; }
    }
    setTimeout(look, 1500);
  };
  look();
})();
