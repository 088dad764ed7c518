"use strict";
// Filters, copy buttons, light and dark. Everything is in the page before any script runs; scripts only hide and show.
(() => {
  const root = document.documentElement;
  try { const kept = localStorage.getItem("storcert-theme"); if (kept) root.dataset.theme = kept; } catch (error) { /* a file may have no storage */ }
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("storcert-theme", root.dataset.theme); } catch (error) { /* see above */ }
    document.dispatchEvent(new Event("theme"));
  });

  for (const group of document.querySelectorAll("[data-filters]")) {
    const rows = [...document.getElementById(group.dataset.filters).tBodies[0].rows];
    const search = group.querySelector("input");
    const off = new Set();
    const apply = () => {
      const word = search.value.trim().toLowerCase();
      for (const row of rows) row.classList.toggle("hidden", off.has(row.dataset.verdict) || (word !== "" && !row.textContent.toLowerCase().includes(word)));
    };
    for (const verdict of ["fail", "error", "unknown", "pass", "skipped", "disabled"]) {
      const there = rows.filter((row) => row.dataset.verdict === verdict).length;
      if (!there) continue;
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${verdict} ${there}`;
      button.dataset.verdict = verdict;
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        const hide = !off.delete(verdict) && Boolean(off.add(verdict));
        button.setAttribute("aria-pressed", String(!hide));
        apply();
      });
      group.append(button);
    }
    search.addEventListener("input", apply);
  }

  const fallback = (text) => {
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  };
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      let done = false;
      try { await navigator.clipboard.writeText(button.dataset.copy); done = true; } catch (error) { done = fallback(button.dataset.copy); }
      button.textContent = done ? "Copied" : "Select and copy by hand";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
  }
})();
