// Runs before the first paint, so that a chosen theme never flashes in the other one.
"use strict";
(() => {
  const order = ["auto", "light", "dark"];
  const root = document.documentElement;

  function stored() {
    try {
      const theme = localStorage.getItem("steady-mp-theme");
      return order.includes(theme) ? theme : "auto";
    } catch {
      return "auto"; // storage may be forbidden; the page works without
    }
  }

  function apply(theme) {
    if (theme === "auto") delete root.dataset.theme;
    else root.dataset.theme = theme;
  }

  let theme = stored();
  apply(theme);

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const show = () => {
      document.getElementById("theme-text").textContent = theme[0].toUpperCase() + theme.slice(1);
      button.setAttribute("aria-label", `Theme: ${theme}. Change it`);
    };
    button.addEventListener("click", () => {
      theme = order[(order.indexOf(theme) + 1) % order.length];
      apply(theme);
      try {
        localStorage.setItem("steady-mp-theme", theme);
      } catch {
        // kept for this page only
      }
      show();
    });
    show();
  });
})();
