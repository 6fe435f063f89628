// How the metrics went that jobs reported while they ran: a line a job, coloured by an override.
const courses = (() => {
  const PALETTE = ["middle", "completed", "interrupted", "failed", "running", "high"];
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

  function figure(metric) {
    const colour = colours();
    const every = metric.lines.flatMap((line) => decoded(line.y));
    const few = metric.lines.length <= 12;
    return [
      metric.lines.map((line) => ({
        type: "scatter", mode: line.y.length > 1 ? "lines" : "markers",
        x: line.x ?? line.y.map((_, i) => i), y: decoded(line.y), line: { width: few ? 1.75 : 1.25, color: colour(line.row) },
        marker: { color: colour(line.row) }, opacity: few ? 1 : 0.7, text: plots.hover(line.row),
        hovertemplate: `%{text}<br>${metric.steps ? "step" : "report"} %{x}<br>%{y:.5g}<extra></extra>`,
      })),
      {
        height: 280, hovermode: "closest", xaxis: plots.axis(metric.steps ? "step" : "report"),
        yaxis: metric.log ? plots.logAxis(metric.name, every) : plots.axis(metric.name),
      },
    ];
  }

  function start() {
    const select = byId("course-colour");
    if (!select) return;
    select.append(element("option", { value: -1, textContent: "job" }), ...overrides.map((column, place) => element("option", { value: place, textContent: column.name })));
    shade.by = overrides.length ? 0 : -1;
    select.value = shade.by;
    select.parentElement.hidden = overrides.length === 0;
    data.courses.forEach((metric) => {
      const { figure: card, holder } = plots.card([element("b", { textContent: metric.name })], `${metric.name} by step`);
      byId("courses-figures").append(card);
      plots.draw(holder, () => figure(metric));
    });
    select.addEventListener("change", () => {
      shade.by = Number(select.value);
      plots.redraw();
    });
  }
  return { start };
})();
