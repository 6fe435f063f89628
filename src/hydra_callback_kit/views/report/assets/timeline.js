// When each job ran and where, and how many ran at once.
const timeline = (() => {
  const MAX_BARS = 1200;
  const UNITS = [["seconds", 1, 180], ["minutes", 60, 180 * 60], ["hours", 3600, 96 * 3600], ["days", 86400, Infinity]];
  const unit = (longest) => UNITS.find(([, , most]) => longest < most);

  function bars() {
    const { starts, durations, rows: places, workers } = data.timeline;
    const known = rows.filter((row) => starts[row] !== null);
    const end = known.reduce((last, row) => Math.max(last, starts[row] + durations[row]), 0);
    const [name, per] = unit(end);
    const least = (end || 1) / 600; // a bar that can be seen
    const lanes = workers.length || places.reduce((most, place) => Math.max(most, place + 1), 1);
    const height = Math.max(120, Math.min(640, 60 + lanes * 26));
    const many = known.length > MAX_BARS;
    const traces = Object.keys(STATUS).flatMap((letter) => {
      const of = known.filter((row) => data.status[row] === letter);
      const { style, pattern, marker } = STATUS[letter];
      const text = of.map((row) => `${plots.hover(row)}<br>took ${took[row] === undefined ? "?" : duration(took[row])}`);
      const color = plots.colour(style);
      if (!many) {
        return [{
          type: "bar", orientation: "h", y: of.map((row) => places[row]), base: of.map((row) => starts[row] / per),
          x: of.map((row) => Math.max(durations[row], least) / per), width: 0.72, text, textposition: "none", hovertemplate: "%{text}<extra></extra>",
          marker: { color, line: { color: plots.colour("card"), width: 0.75 }, pattern: { shape: pattern, fillmode: "overlay", fgcolor: plots.colour("card"), size: 6, solidity: 0.35 } },
        }];
      }
      // one path for thousands of bars, and marks on those that went wrong
      const marked = letter === "C" ? [] : of.slice(0, MAX_BARS);
      return [{
        type: "scatter", mode: "lines", line: { color, width: Math.max(1, ((height - 60) / lanes) * 0.72) }, hoverinfo: "skip",
        x: of.flatMap((row) => [starts[row] / per, (starts[row] + Math.max(durations[row], least / 2)) / per, null]), y: of.flatMap((row) => [places[row], places[row], null]),
      }, {
        type: "scatter", mode: "markers", marker: { symbol: marker, size: 5, color: plots.colour("text") }, hovertemplate: "%{text}<extra></extra>",
        x: marked.map((row) => (starts[row] + durations[row] / 2) / per), y: marked.map((row) => places[row]), text: text.slice(0, marked.length),
      }];
    });
    const label = (worker) => plots.escaped(worker.length > 22 ? `…${worker.slice(-21)}` : worker);
    const ticks = workers.length && workers.length <= 30 ? { tickvals: workers.map((_, i) => i), ticktext: workers.map(label) } : { showticklabels: false };
    return [traces, {
      height, barmode: "overlay", bargap: 0,
      xaxis: plots.axis(`${name} since the first start`, { rangemode: "tozero" }), yaxis: plots.axis("", { ...ticks, range: [lanes - 0.5, -0.5], showgrid: false }),
    }];
  }

  function atOnce() {
    const [times, running] = data.timeline.at_once;
    const [name, per] = unit(times.at(-1));
    return [
      [{ type: "scatter", mode: "lines", line: { shape: "hv", color: plots.colour("middle"), width: 1.5 }, fill: "tozeroy", fillcolor: plots.colour("bar"), x: times.map((time) => time / per), y: running, hovertemplate: "%{y} at once<extra></extra>" }],
      { height: 180, xaxis: plots.axis(`${name} since the first start`, { rangemode: "tozero" }), yaxis: plots.axis("jobs", { rangemode: "tozero", nticks: 5, tick0: 0, dtick: Math.max(1, Math.ceil(Math.max(...running) / 4)) }) },
    ];
  }

  function start() {
    if (!data.timeline) return;
    const key = Object.keys(STATUS).filter((letter) => data.status.includes(letter))
      .map((letter) => element("span", { className: `key ${STATUS[letter].style}`, textContent: STATUS[letter].name.toLowerCase() }));
    byId("statuses-key").replaceChildren(...key);
    plots.draw(byId("bars"), bars);
    if (byId("at-once")) plots.draw(byId("at-once"), atOnce);
  }
  return { start, unit };
})();
