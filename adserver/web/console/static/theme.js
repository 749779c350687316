// Light or dark: as the system says, until somebody chooses. Loaded in the head, so that no page flashes.
(() => {
  "use strict";
  const KEY = "adserver-console-theme";
  const root = document.documentElement;
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  const chosen = () => {
    try {
      return localStorage.getItem(KEY);
    } catch {
      return null; // storage that is off
    }
  };

  const show = () => {
    root.dataset.bsTheme = chosen() ?? (system.matches ? "dark" : "light");
  };

  const toggle = () => {
    try {
      localStorage.setItem(KEY, root.dataset.bsTheme === "dark" ? "light" : "dark");
    } catch {
      return;
    }
    show();
  };

  show();
  system.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", () => {
    for (const button of document.querySelectorAll("[data-theme-toggle]")) {
      button.hidden = false;
      button.addEventListener("click", toggle);
    }
  });
})();
