// Every job as a line across its overrides and metrics, on a canvas: thousands of lines, also where there is no WebGL.
const parallel = (() => {
  const MAX_OVERRIDES = 8;
  const MAX_METRICS = 3;
  const TOP = 44;
  const BOTTOM = 34;
  const SHADES = 24;
  const LEAST = 66; // pixels of an axis
  const SVG = "http://www.w3.org/2000/svg";
  const figure = byId("parallel");
  const brushes = new Map();
  let chosen = null;
  let all = [];
  let axes = [];

  function drawn(tag, attributes, text) {
    const made = document.createElementNS(SVG, tag);
    Object.entries(attributes).forEach(([name, value]) => made.setAttribute(name, value));
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // Round numbers between two others.
  function steps(low, high) {
    const rough = (high - low) / 5;
    const unit = 10 ** Math.floor(Math.log10(rough));
    const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= rough);
    const first = Math.ceil(low / step);
    return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => (first + i) * step);
  }
  function powers(low, high) {
    const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
    const step = Math.ceil((last - first + 1) / 7);
    return last - first < 1 ? [low, high] : Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, i) => 10 ** (first + i * step));
  }

  function numericAxis(name, value, values, log) {
    const known = values.filter(Number.isFinite);
    const low = known.reduce((least, each) => Math.min(least, each), Infinity);
    const high = known.reduce((most, each) => Math.max(most, each), -Infinity);
    const scaled = log ? Math.log : (each) => each;
    const place = (each) => (high > low ? (scaled(each) - scaled(low)) / (scaled(high) - scaled(low)) : 0.5);
    const different = [...new Set(known)];
    const ticks = different.length <= 7 ? different : log ? powers(low, high) : steps(low, high);
    return {
      name,
      places: rows.map((row) => (Number.isFinite(value(row)) ? place(value(row)) : NaN)),
      ticks: ticks.map((tick) => [place(tick), String(Number(tick.toPrecision(3)))]),
    };
  }

  function categoryAxis(column) {
    const many = column.order.length;
    const step = Math.ceil(many / 14);
    const place = (at) => (many > 1 ? at / (many - 1) : 0.5);
    return {
      name: column.name,
      places: rows.map((row) => (column.value(row) === undefined ? NaN : place(column.value(row)))),
      ticks: column.order.flatMap((code, at) => (at % step ? [] : [[place(at), short(column.texts[code], 16)]])),
    };
  }

  // By rank rather than by value: where most jobs did well, the best still stand out.
  function ranks(places) {
    const ranked = rows.filter((row) => completed(row) && !Number.isNaN(places[row])).sort((a, b) => places[a] - places[b]);
    const rank = new Array(count).fill(NaN);
    ranked.forEach((row, at) => { rank[row] = at && places[row] === places[ranked[at - 1]] ? rank[ranked[at - 1]] : at / Math.max(1, ranked.length - 1); });
    return rank;
  }

  function lay() {
    const varied = metrics.filter((column) => new Set(column.values.filter(Number.isFinite)).size > 1);
    const first = metrics[shown.metric];
    const others = varied.filter((column) => column !== first).slice(0, MAX_METRICS - 1);
    all = [
      ...overrides.filter((column) => column.plotted).slice(0, MAX_OVERRIDES)
        .map((column) => (column.kind === "number" ? numericAxis(column.name, column.value, column.numbers, column.log) : categoryAxis(column))),
      ...[...others, first].map((column) => ({ ...numericAxis(column.name, column.value, column.values, column.log), metric: true })),
    ];
  }

  // Those that there is room for: the metric's is always there, the other metrics' leave first, then the last overrides'.
  function choose(width) {
    const fits = Math.max(2, Math.floor(width / LEAST));
    const overridden = all.filter((axis) => !axis.metric);
    const kept = new Set([all.at(-1), ...overridden, ...all.slice(overridden.length, -1)].slice(0, fits));
    axes = all.filter((axis) => kept.has(axis));
    const gone = all.filter((axis) => !kept.has(axis));
    byId("parallel-more").textContent = gone.length ? `There is no room here for ${gone.map((axis) => axis.name).join(", ")}.` : "";
    const before = brushes.size;
    gone.forEach((axis) => brushes.delete(axis));
    if (brushes.size < before) narrow();
  }

  function paint() {
    const holder = figure.querySelector(".parallel");
    const { width, height } = holder.getBoundingClientRect();
    if (!width) return;
    choose(width);
    const font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const canvas = element("canvas", { width: width * devicePixelRatio, height: height * devicePixelRatio });
    const context = canvas.getContext("2d");
    context.font = font;
    const widest = ({ ticks }) => Math.max(44, ...ticks.map(([, text]) => context.measureText(text).width + 12));
    const [left, right] = [axes[0], axes.at(-1)].map((axis) => Math.max(widest(axis), Math.min(90, width / (axes.length * 3))));
    const x = axes.map((_, i) => left + (axes.length > 1 ? (i * (width - left - right)) / (axes.length - 1) : 0));
    const y = (place) => (Number.isNaN(place) ? height - 10 : TOP + (1 - place) * (height - TOP - BOTTOM));
    context.scale(devicePixelRatio, devicePixelRatio);
    context.lineWidth = count > 2000 ? 0.7 : count > 200 ? 1 : 1.5;
    context.lineJoin = "round";
    // those that are not chosen; of each status those without a rank; the shades
    const letters = Object.keys(STATUS);
    const dashed = 1 + letters.length;
    const strokes = Array.from({ length: SHADES + dashed }, () => []);
    const measure = ranks(axes.at(-1).places);
    rows.forEach((row) => {
      if (chosen && !chosen.has(row)) strokes[0].push(row);
      else if (Number.isNaN(measure[row])) strokes[1 + letters.indexOf(data.status[row])].push(row);
      else strokes[dashed + Math.min(SHADES - 1, Math.floor((metrics[shown.metric].mode === "max" ? measure[row] : 1 - measure[row]) * SHADES))].push(row);
    });
    strokes.forEach((of, stroke) => {
      if (!of.length) return;
      context.strokeStyle = stroke === 0 ? plots.colour("faint") : stroke < dashed ? plots.colour(completed(of[0]) ? "muted" : STATUS[data.status[of[0]]].style) : plots.shade((stroke - dashed) / (SHADES - 1));
      context.setLineDash(stroke > 0 && stroke < dashed ? [4, 3] : []);
      context.globalAlpha = stroke > 0 && of.length > 300 ? 0.6 : 1;
      context.beginPath();
      of.forEach((row) => axes.forEach((axis, i) => (i ? context.lineTo(x[i], y(axis.places[row])) : context.moveTo(x[i], y(axis.places[row])))));
      context.stroke();
    });
    const svg = drawn("svg", { role: "group", "aria-label": `Parallel coordinates of ${axes.map((axis) => axis.name).join(", ")}` });
    const room = Math.floor((width - left) / axes.length / 7.5);
    const none = axes.some((axis) => axis.places.some(Number.isNaN));
    axes.forEach((axis, i) => {
      svg.append(drawn("line", { class: "axis", x1: x[i], x2: x[i], y1: y(1), y2: y(0) }));
      const side = i === axes.length - 1 ? -1 : 1;
      const title = drawn("text", { class: "title", x: x[i], y: 18, "text-anchor": "middle" }, axis.name.length > room ? `…${axis.name.slice(1 - room)}` : axis.name);
      title.append(drawn("title", {}, axis.name));
      svg.append(title);
      // on a ground of its own, for the lines would strike it through
      const label = (text, at) => {
        context.font = font;
        const wide = context.measureText(text).width + 6;
        svg.append(
          drawn("rect", { class: "ground", x: side > 0 ? x[i] - 5 - wide : x[i] + 5, y: at - 8, width: wide, height: 16, rx: 3 }),
          drawn("text", { x: x[i] - 8 * side, y: at + 4, "text-anchor": side > 0 ? "end" : "start" }, text),
        );
      };
      let above = Infinity;
      axis.ticks.slice().sort(([a], [b]) => a - b).forEach(([place, text]) => {
        if (above - y(place) < 14) return;
        above = y(place);
        svg.append(drawn("line", { class: "axis", x1: x[i], x2: x[i] - 4 * side, y1: y(place), y2: y(place) }));
        label(text, y(place));
      });
      if (none && axis.places.some(Number.isNaN)) label("none", y(NaN));
      const range = drawn("rect", { class: "range", x: x[i] - 8, width: 16 });
      if (brushes.has(axis)) mark(range, y, brushes.get(axis));
      else range.setAttribute("visibility", "hidden");
      const [from, to] = brushes.get(axis) ?? [0, 1];
      const handle = drawn("rect", {
        class: "handle", tabindex: 0, role: "slider", "aria-orientation": "vertical", "aria-label": `Range of ${axis.name}`,
        "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(50 * (from + to)),
        "aria-valuetext": brushes.has(axis) ? `from ${Math.round(100 * from)} to ${Math.round(100 * to)} % of the axis` : "no range",
        x: x[i] - 18, width: 36, y: TOP - 8, height: height - TOP - BOTTOM + 16,
      });
      brush(handle, range, axis, y, height);
      svg.append(range, handle);
    });
    const focused = [...holder.querySelectorAll(".handle")].indexOf(document.activeElement);
    holder.replaceChildren(canvas, svg);
    if (focused >= 0) holder.querySelectorAll(".handle")[focused].focus({ preventScroll: true });
  }

  function mark(range, y, [low, high]) {
    range.setAttribute("y", y(high));
    range.setAttribute("height", Math.max(1, y(low) - y(high)));
    range.setAttribute("visibility", "visible");
  }

  function brush(handle, range, axis, y, height) {
    let from = null;
    const place = (event) => 1 - (event.clientY - handle.getBoundingClientRect().top - 8) / (height - TOP - BOTTOM);
    handle.addEventListener("pointerdown", (event) => {
      from = place(event);
      handle.setPointerCapture(event.pointerId);
    });
    handle.addEventListener("pointermove", (event) => {
      if (from !== null) mark(range, y, [Math.max(0, Math.min(from, place(event))), Math.min(1, Math.max(from, place(event)))]);
    });
    handle.addEventListener("pointerup", (event) => {
      if (from === null) return;
      const [low, high] = [Math.min(from, place(event)), Math.max(from, place(event))];
      from = null;
      if (high - low < 0.01) brushes.delete(axis); // a click takes the range away
      else brushes.set(axis, [Math.max(0, low), Math.min(1, high)]);
      narrow();
    });
    handle.addEventListener("pointercancel", () => { from = null; });
    handle.addEventListener("keydown", (event) => {
      const step = { ArrowUp: [0.05, 0.05], ArrowDown: [-0.05, -0.05], ArrowRight: [-0.05, 0.05], ArrowLeft: [0.05, -0.05] }[event.key];
      if (event.key === "Escape") brushes.delete(axis);
      else if (!step) return;
      else {
        // the first press marks the upper quarter
        const [low, high] = brushes.has(axis) ? brushes.get(axis).map((end, at) => Math.min(1, Math.max(0, end + step[at]))) : [0.75, 1];
        if (high - low > 0.01) brushes.set(axis, [low, high]);
      }
      event.preventDefault();
      narrow();
    });
  }

  function narrow() {
    const ranges = [...brushes].map(([axis, [low, high]]) => [axis.places, low, high]);
    table.within(ranges.length ? (row) => ranges.every(([places, low, high]) => places[row] >= low && places[row] <= high) : null);
  }

  function words() {
    const measure = metrics[shown.metric].name;
    byId("parallel-words").textContent = `${metrics[shown.metric].mode === "max" ? "the larger" : "the smaller"} its ${measure}, the stronger.`;
  }

  return {
    start() {
      if (!figure || !overrides.some((column) => column.plotted) || count < 2) return;
      figure.hidden = false;
      lay();
      words();
      paint();
      table.listen((set) => { chosen = set; paint(); });
      byId("clear-brushes").addEventListener("click", () => { brushes.clear(); narrow(); });
      new ResizeObserver(() => paint()).observe(figure);
    },
    paint: () => figure && !figure.hidden && paint(),
    showMetric() {
      if (!figure || figure.hidden) return;
      brushes.clear();
      lay();
      words();
      narrow();
    },
  };
})();
