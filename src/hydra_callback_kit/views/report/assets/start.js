// The table is there already; the plots come once plotly is.
document.documentElement.dataset.table = "ready";
performance.mark("table");
document.addEventListener("DOMContentLoaded", () => {
  const select = byId("metric");
  if (select && metrics.length > 1) {
    byId("choose-metric").hidden = false;
    select.append(...metrics.map((column, place) => element("option", { value: place, textContent: column.name, selected: place === shown.metric })));
  }
  parallel.start();
  if (!window.Plotly) {
    const sections = document.querySelectorAll("#front, #settings, #matters, #courses, #timeline, #resources");
    document.documentElement.dataset.plots = sections.length ? "missing" : "drawn";
    sections.forEach((section) => {
      section.querySelector("h2").after(element("p", { className: "notice", textContent: "The plots need the file plotly.min.js, which was written beside this one." }));
    });
    return;
  }
  select?.addEventListener("change", () => {
    shown.metric = Number(select.value);
    table.showMetric();
    parallel.showMetric();
    matters.start();
    plots.start();
  });
  front.start();
  settings.start();
  matters.start();
  courses.start();
  timeline.start();
  resources.start();
  plots.start();
  const redraw = () => {
    parallel.paint();
    plots.redraw();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  ["beforeprint", "afterprint"].forEach((event) => window.addEventListener(event, () => {
    document.documentElement.classList.toggle("printing", event === "beforeprint");
    redraw();
  }));
});
