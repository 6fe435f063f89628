// How the metrics went that jobs reported while they ran: a line a job, a band a setting, coloured by an override.
const courses = (() => {
  const { PALETTE } = plots;
  const LEGEND = 6;
  const shade = { by: -1 };

  // The colour of each job: shades for a number, colours that differ for anything else.
  function colours() {
    const column = overrides[shade.by];
    if (!column) return (row) => plots.colour(PALETTE[row % PALETTE.length]);
    const known = rows.map(column.value).filter((value) => value !== undefined);
    const scaled = column.log ? Math.log : (value) => value;
    const [low, high] = [Math.min(...known), Math.max(...known)].map(scaled);
    return (row) => {
      const value = column.value(row);
      if (value === undefined) return plots.colour("muted");
      if (column.kind !== "number" && column.order.length <= PALETTE.length) return plots.colour(PALETTE[value]);
      return plots.shade(high > low ? (scaled(value) - low) / (high - low) : 0.5);
    };
  }

  const shows = (what) => [what, "both"].includes(byId("course-show")?.value ?? "jobs");

  function line(metric, one, colour, look) {
    return {
      type: "scatter", mode: one.y.length > 1 ? "lines" : "markers", showlegend: false,
      x: one.x ?? one.y.map((_, i) => i), y: decoded(one.y), line: { width: look.width, color: colour(one.row) },
      marker: { color: colour(one.row) }, opacity: look.opacity, text: plots.hover(one.row),
      hovertemplate: `%{text}<br>${metric.steps ? "step" : "report"} %{x}<br>%{y:.5g}<extra></extra>`,
    };
  }

  // The mean as a line, and around it an area as high as its error says.
  function band(metric, one, colour, least) {
    const [x, means, errors] = [one.x, decoded(one.mean), decoded(one.error)];
    const known = means.map((_, i) => i).filter((i) => Number.isFinite(means[i]) && Number.isFinite(errors[i]));
    const low = (i) => (metric.log ? Math.max(least, means[i] - errors[i]) : means[i] - errors[i]);
    const back = known.slice().reverse();
    const words = plots.escaped(one.name);
    return [
      {
        type: "scatter", mode: "lines", fill: "toself", hoverinfo: "skip", showlegend: false, opacity: 0.25, fillcolor: colour, line: { width: 0, color: colour },
        x: [...known, ...back].map((i) => x[i]), y: [...known.map((i) => means[i] + errors[i]), ...back.map(low)],
      },
      {
        type: "scatter", mode: x.length > 1 ? "lines" : "markers", x, y: means, line: { width: 2, color: colour }, marker: { color: colour }, name: plots.escaped(short(one.name, 36)),
        text: means.map((mean, i) => `${words}<br>${metric.steps ? "step" : "report"} ${number(x[i])}<br>${number(mean)} ± ${number(errors[i])}<br>${one.count[i]} seed${one.count[i] === 1 ? "" : "s"}`),
        hovertemplate: "%{text}<extra></extra>",
      },
    ];
  }

  function figure(metric) {
    const colour = colours();
    const bands = shows("settings") ? metric.bands : [];
    const every = metric.lines.flatMap((one) => decoded(one.y));
    const least = every.reduce((found, value) => (value > 0 && value < found ? value : found), Infinity);
    const few = metric.lines.length <= 12;
    const look = bands.length ? { width: 1, opacity: 0.4 } : few ? { width: 1.75, opacity: 1 } : { width: 1.25, opacity: 0.7 };
    const own = (one, place) => (overrides[shade.by] ? colour(one.row) : plots.colour(PALETTE[place % PALETTE.length]));
    const places = new Map(bands.map((one, place) => [one.name, place]));
    const legend = bands.length > 1 && bands.length <= LEGEND;
    return [
      [
        ...(shows("jobs") ? metric.lines.map((one) => line(metric, one, colour, look)) : []),
        ...bands.flatMap((one) => band(metric, one, own(one, places.get(one.name)), least)),
      ],
      {
        height: legend ? 280 + 20 * bands.length : 280, hovermode: "closest", showlegend: legend,
        legend: { orientation: "h", y: -0.28, yanchor: "top", x: 0, font: { size: 11.5, color: plots.colour("muted") } },
        xaxis: plots.axis(metric.steps ? "step" : "report"),
        yaxis: metric.log ? plots.logAxis(metric.name, every) : plots.axis(metric.name),
      },
    ];
  }

  function start() {
    const select = byId("course-colour");
    if (!select) return;
    const show = byId("course-show");
    select.append(element("option", { value: -1, textContent: show ? "setting" : "job" }), ...overrides.map((column, place) => element("option", { value: place, textContent: column.name })));
    shade.by = overrides.length && !(show && data.courses.every((metric) => metric.bands.length <= LEGEND)) ? 0 : -1;
    select.value = shade.by;
    select.parentElement.hidden = overrides.length === 0;
    data.courses.forEach((metric) => {
      const { figure: card, holder } = plots.card([element("b", { textContent: metric.name })], `${metric.name} by step`);
      byId("courses-figures").append(card);
      plots.draw(holder, () => figure(metric));
    });
    show?.addEventListener("change", plots.redraw);
    select.addEventListener("change", () => {
      shade.by = Number(select.value);
      plots.redraw();
    });
  }
  return { start };
})();
