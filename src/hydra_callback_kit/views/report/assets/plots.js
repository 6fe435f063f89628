// What all plots share: plotly in the page's colours, drawn one after another, and again when the colours change.
const plots = (() => {
  let drawn = [];
  const waiting = [];
  let working = false;
  const touch = matchMedia("(pointer: coarse)").matches;

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const hover = (row) => describe(row).map(escaped).join("<br>");

  const mixed = (from, to, part) => from.map((value, i) => Math.round(value + part * (to[i] - value)));
  function rgb(name) {
    const hex = colour(name);
    const long = hex.length === 4 ? [...hex.slice(1)].map((digit) => digit + digit).join("") : hex.slice(1);
    return [0, 2, 4].map((at) => parseInt(long.slice(at, at + 2), 16));
  }
  // From the lowest to the highest of something.
  function shade(part) {
    const [low, middle, high] = ["low", "middle", "high"].map(rgb);
    return `rgb(${part < 0.5 ? mixed(low, middle, 2 * part) : mixed(middle, high, 2 * part - 1)})`;
  }

  function axis(title, more = {}) {
    return {
      title: title ? { text: escaped(short(title, 40)), font: { size: 12, color: colour("muted") }, standoff: 8 } : undefined,
      gridcolor: colour("line"), linecolor: colour("line"), zeroline: false, automargin: true,
      ticks: "outside", ticklen: 5, tickcolor: "rgba(0,0,0,0)", tickfont: { size: 11.5, color: colour("muted") }, fixedrange: touch,
      ...more,
    };
  }

  // Powers of ten, and where they are few, 2 and 5 between them.
  function logAxis(title, values, more = {}) {
    const known = values.filter((value) => Number.isFinite(value) && value > 0);
    const [low, high] = [Math.log10(Math.min(...known)), Math.log10(Math.max(...known))];
    const step = Math.max(1, Math.ceil((high - low) / 6));
    const ticks = [];
    for (let power = Math.floor(low); power <= Math.ceil(high); power += step) {
      for (const factor of high - low < 2.5 ? [1, 2, 5] : [1]) ticks.push(factor * 10 ** power);
    }
    const text = (tick) => (tick >= 1e-4 && tick < 1e6 ? String(Number(tick.toPrecision(3))) : tick.toExponential().replace("e+", "e"));
    const room = (high - low) * 0.06 || 0.1;
    return axis(title, { type: "log", tickvals: ticks, ticktext: ticks.map(text), range: [low - room, high + room], ...more });
  }

  function layout(more) {
    return {
      height: 300, margin: { l: 8, r: 8, t: 8, b: 8 }, showlegend: false, dragmode: touch ? false : "zoom",
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: getComputedStyle(document.body).fontFamily, color: colour("text"), size: 12 },
      hoverlabel: { bgcolor: colour("card"), bordercolor: colour("muted"), font: { color: colour("text"), size: 12 }, align: "left" },
      ...more,
    };
  }

  function render({ holder, make }) {
    const [traces, more] = make();
    const width = printing() ? { width: holder.clientWidth } : {};
    return window.Plotly.react(holder, traces, layout({ ...more, ...width }), { displayModeBar: false, displaylogo: false, responsive: true, showTips: false });
  }

  // One after another, so that the page stays awake.
  function work() {
    working = waiting.length > 0;
    document.documentElement.dataset.plots = working ? "waiting" : "drawn";
    if (!working) {
      performance.mark("plots");
      return;
    }
    const next = waiting.shift();
    try {
      render(next);
    } catch (error) {
      drawn = drawn.filter((each) => each !== next);
      next.holder.textContent = "Plotly cannot draw this.";
    }
    setTimeout(work);
  }

  const printing = () => document.documentElement.classList.contains("printing");

  return {
    // colours that differ, for what has no order
    PALETTE: ["middle", "completed", "interrupted", "failed", "running", "high"],
    printing,
    colour,
    shade,
    escaped,
    hover,
    axis,
    logAxis,
    // The dots of the jobs that did not complete, a mark and a colour for each status.
    others: (of, x, y) => Object.keys(STATUS).filter((letter) => letter !== "C").map((letter) => [STATUS[letter], of.filter((row) => data.status[row] === letter)])
      .filter(([, some]) => some.length)
      .map(([{ marker, style }, some]) => ({
        type: "scatter", mode: "markers", x: some.map(x), y: some.map(y), text: some.map(hover), hovertemplate: "%{text}<extra></extra>",
        marker: { symbol: marker, size: 7, color: colour(style) },
      })),
    // Draws all of them at once, in the colours and for the width that hold now.
    redraw() {
      waiting.length = 0;
      drawn = drawn.filter(({ holder }) => holder.isConnected);
      drawn.forEach(render);
    },
    // Draws a figure in `holder`; `make` returns its traces and its layout, and is asked again when the colours change.
    draw(holder, make) {
      const figure = { holder, make };
      drawn.push(figure);
      waiting.push(figure);
    },
    // A card with a caption and a place for a figure.
    card(caption, label) {
      const holder = element("div", { className: "plot" });
      holder.setAttribute("role", "img");
      holder.setAttribute("aria-label", label);
      const figure = element("figure", { className: "card" }, element("figcaption", {}, ...caption), holder);
      return { figure, holder };
    },
    start: () => { if (!working) work(); },
  };
})();
