// Two objectives against each other: a dot a job, the jobs that no other beats in both as a line.
const front = (() => {
  const MAX_DOTS = 2000;

  function figure() {
    const [across, up] = data.front.metrics.map((place) => metrics[place]);
    const finite = rows.filter((row) => Number.isFinite(across.value(row)) && Number.isFinite(up.value(row)));
    const known = finite.filter(completed);
    const on = data.front.rows;
    const others = spread(known, MAX_DOTS).filter((row) => !on.includes(row));
    const axis = (column) => (column.log ? plots.logAxis : (title, _, more) => plots.axis(title, more))(`${column.name} (${column.mode})`, column.values, {});
    const trace = (of, more) => ({ type: "scatter", x: of.map(across.value), y: of.map(up.value), text: of.map(plots.hover), hovertemplate: "%{text}<extra></extra>", ...more });
    return [
      [
        trace(others, { mode: "markers", marker: { color: plots.colour("middle"), size: others.length > 300 ? 4 : 7, opacity: others.length > 300 ? 0.45 : 0.75 } }),
        ...plots.others(spread(finite.filter((row) => !completed(row)), MAX_DOTS), across.value, up.value),
        trace(on, { mode: "lines+markers", line: { color: plots.colour("best"), width: 1.5, dash: "dot", shape: "hv" }, marker: { symbol: "star", size: 12, color: plots.colour("best") } }),
      ],
      { height: 340, hovermode: "closest", xaxis: axis(across), yaxis: axis(up) },
    ];
  }

  return { start: () => { if (data.front) plots.draw(byId("front-plot"), figure); } };
})();
