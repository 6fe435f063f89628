// When each job ran and where, and how many ran at once.
const timeline = (() => {
  const MAX_BARS = 1200;
  const UNITS = [["seconds", 1, 180], ["minutes", 60, 180 * 60], ["hours", 3600, 96 * 3600], ["days", 86400, Infinity]];
  const unit = (longest) => UNITS.find(([, , most]) => longest < most);

  const FOLD = 0.05; // of the time in which jobs ran: the width of a pause that is folded
  const FADES = [0.9, 0.5, 0.2];

  // Where a second stands on the axis, whose pauses are folded, and what the axis says.
  function scale(end) {
    const { pauses } = data.timeline;
    const busy = end - pauses.reduce((sum, [from, to]) => sum + to - from, 0);
    const width = FOLD * busy;
    const place = (at) => pauses.reduce((where, [from, to]) => where - Math.max(0, Math.min(at, to) - from) * (1 - width / (to - from)), at);
    const [name, per] = unit(busy);
    return { last: place(end), per, place: (at) => place(at) / per, axis: () => axis(end, busy, place, name, per) };
  }

  function axis(end, busy, place, name, per) {
    const { pauses } = data.timeline;
    if (!pauses.length) return plots.axis(`${name} since the first start`, { rangemode: "tozero" });
    const rough = busy / per / 8;
    const step = [1, 2, 5, 10].map((factor) => factor * 10 ** Math.floor(Math.log10(rough))).find((each) => each >= rough);
    const begins = [0, ...pauses.map(([, to]) => to)];
    const ticks = begins.flatMap((begin, part) => {
      const until = pauses[part]?.[0] ?? end;
      return Array.from({ length: Math.floor((until - begin) / per / step) + 1 }, (_, i) => [place(begin + i * step * per) / per, `${part ? "+" : ""}${number(i * step)}`]);
    });
    return plots.axis(`${name}, + since it went on`, { rangemode: "tozero", tickvals: ticks.map(([at]) => at), ticktext: ticks.map(([, text]) => text) });
  }

  const folds = (place) => data.timeline.pauses.map(([from, to]) => {
    const at = (place(from) + place(to)) / 2;
    return { type: "line", xref: "x", yref: "paper", x0: at, x1: at, y0: 0, y1: 1, line: { color: plots.colour("muted"), width: 1.5, dash: "dash" } };
  });

  function bars() {
    const { workers, earlier } = data.timeline;
    // the jobs, and after them the attempts that others have followed
    const [starts, durations, places] = ["starts", "durations", "rows"].map((name) => data.timeline[name].concat(earlier[name]));
    const statuses = [...data.status, ...earlier.statuses];
    const told = (row) => (row < count ? plots.hover(row) : `job ${data.jobs[earlier.of[row - count]]}, an earlier attempt: ${STATUS[statuses[row]].name.toLowerCase()}`);
    const lasted = (row) => (row < count ? took[row] : durations[row]);
    const known = starts.map((_, row) => row).filter((row) => starts[row] !== null);
    const end = known.reduce((last, row) => Math.max(last, starts[row] + durations[row]), 0);
    const { last, per, place, axis: across } = scale(end);
    const least = (last || 1) / 600 / per; // a bar that can be seen
    const at = (row) => place(starts[row]);
    const long = (row) => Math.max(place(starts[row] + durations[row]) - at(row), least);
    // nobody knows when it ended: until its row goes on, and not far
    const next = new Map();
    known.slice().sort((a, b) => starts[b] - starts[a]).reduce((after, row) => {
      next.set(row, after.get(places[row]) ?? Infinity);
      return after.set(places[row], at(row));
    }, new Map());
    const open = (row) => Math.max(4 * least, Math.min(next.get(row) - at(row), (FOLD * last) / per));
    const lanes = workers.length || places.reduce((most, place) => Math.max(most, place + 1), 1);
    const height = Math.max(120, Math.min(640, 60 + lanes * 26));
    const many = known.length > MAX_BARS;
    const traces = Object.keys(STATUS).flatMap((letter) => {
      const of = known.filter((row) => statuses[row] === letter);
      const { style, pattern, marker } = STATUS[letter];
      const text = of.map((row) => `${told(row)}<br>${letter === "I" ? "nobody knows when it ended" : `took ${lasted(row) === undefined ? "?" : duration(lasted(row))}`}`);
      const color = plots.colour(style);
      const width = letter === "I" ? open : long;
      if (!many) {
        const bar = (part, parts) => ({
          type: "bar", orientation: "h", y: of.map((row) => places[row]), base: of.map((row) => at(row) + (part * width(row)) / parts),
          x: of.map((row) => width(row) / parts), width: 0.72, text, textposition: "none", hovertemplate: "%{text}<extra></extra>",
          marker: { color, line: { color: plots.colour("card"), width: parts > 1 ? 0 : 0.75 }, pattern: { shape: pattern, fillmode: "overlay", fgcolor: plots.colour("card"), size: 6, solidity: 0.35 } },
        });
        // a bar that fades has no end
        return letter === "I" ? FADES.map((opacity, part) => ({ ...bar(part, FADES.length), opacity })) : [bar(0, 1)];
      }
      // one path for thousands of bars, and marks on those that went wrong
      const marked = letter === "C" ? [] : of.slice(0, MAX_BARS);
      return [{
        type: "scatter", mode: "lines", line: { color, width: Math.max(1, ((height - 60) / lanes) * 0.72) }, hoverinfo: "skip",
        x: of.flatMap((row) => [at(row), at(row) + width(row), null]), y: of.flatMap((row) => [places[row], places[row], null]),
      }, {
        type: "scatter", mode: "markers", marker: { symbol: marker, size: 5, color: plots.colour("text") }, hovertemplate: "%{text}<extra></extra>",
        x: marked.map((row) => at(row) + width(row) / 2), y: marked.map((row) => places[row]), text: text.slice(0, marked.length),
      }];
    });
    const label = (worker) => plots.escaped(worker.length > 22 ? `…${worker.slice(-21)}` : worker);
    const ticks = workers.length && workers.length <= 30 ? { tickvals: workers.map((_, i) => i), ticktext: workers.map(label) } : { showticklabels: false };
    return [traces, {
      height, barmode: "overlay", bargap: 0,
      shapes: folds(place), xaxis: across(), yaxis: plots.axis("", { ...ticks, range: [lanes - 0.5, -0.5], showgrid: false }),
    }];
  }

  function atOnce() {
    const [times, running] = data.timeline.at_once;
    const { place, axis: across } = scale(times.at(-1));
    return [
      [{ type: "scatter", mode: "lines", line: { shape: "hv", color: plots.colour("middle"), width: 1.5 }, fill: "tozeroy", fillcolor: plots.colour("bar"), x: times.map(place), y: running, hovertemplate: "%{y} at once<extra></extra>" }],
      { height: 180, shapes: folds(place), xaxis: across(), yaxis: plots.axis("jobs", { rangemode: "tozero", nticks: 5, tick0: 0, dtick: Math.max(1, Math.ceil(Math.max(...running) / 4)) }) },
    ];
  }

  function start() {
    if (!data.timeline) return;
    const key = Object.keys(STATUS).filter((letter) => data.status.includes(letter) || data.timeline.earlier.statuses.includes(letter))
      .map((letter) => element("span", { className: `key ${STATUS[letter].style}`, textContent: STATUS[letter].name.toLowerCase() }));
    byId("statuses-key").replaceChildren(...key);
    plots.draw(byId("bars"), bars);
    if (byId("at-once")) plots.draw(byId("at-once"), atOnce);
  }
  return { start, unit };
})();
