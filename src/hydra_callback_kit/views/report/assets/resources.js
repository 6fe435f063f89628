// What the jobs used: the peaks of each, and curves of those that have samples.
const resources = (() => {
  const MAX_BARS = 200;
  const MAX_DOTS = 2000;
  const MEASURES = {
    memory_bytes: ["Memory", "GiB", 2 ** 30], cpu_percent: ["CPU", "%", 1],
    gpu_memory_bytes: ["GPU memory", "GiB", 2 ** 30], gpu_percent: ["GPU", "%", 1],
  };
  const scaled = (measure, largest) => {
    const [name, unit, per] = MEASURES[measure];
    return unit === "GiB" && largest < 2 ** 30 ? [name, "MiB", 2 ** 20] : [name, unit, per];
  };

  function peak(measure, values) {
    const known = rows.filter((row) => values[row] !== undefined);
    const [name, unit, per] = scaled(measure, known.reduce((most, row) => Math.max(most, values[row]), 0));
    const step = Math.max(1, Math.ceil(known.length / MAX_DOTS));
    const some = known.length > MAX_BARS ? known.filter((_, i) => i % step === 0) : known;
    const marks = { x: some.map((row) => data.jobs[row]), y: some.map((row) => values[row] / per), text: some.map((row) => `${plots.hover(row)}<br>peak ${number(values[row] / per)} ${unit}`), hovertemplate: "%{text}<extra></extra>" };
    const color = plots.colour("middle");
    return [
      [known.length > MAX_BARS ? { type: "scatter", mode: "markers", marker: { color, size: 4, opacity: 0.5 }, ...marks } : { type: "bar", marker: { color }, textposition: "none", ...marks }],
      { height: 220, bargap: 0.25, xaxis: plots.axis("job", { showgrid: false }), yaxis: plots.axis(`${name.toLowerCase() === "cpu" ? "CPU" : name}, ${unit}`, { rangemode: "tozero" }) },
    ];
  }

  function curves(measure) {
    const all = data.curves.filter((curve) => curve[measure].some((value) => value !== null));
    const largest = all.flatMap((curve) => curve[measure]).reduce((most, value) => Math.max(most, value), 0);
    const longest = all.flatMap((curve) => curve.elapsed_s).reduce((most, value) => Math.max(most, value), 0);
    const [name, unit, per] = scaled(measure, largest);
    const [time, seconds] = timeline.unit(longest);
    return [
      all.map((curve, i) => ({
        type: "scatter", mode: "lines", x: curve.elapsed_s.map((at) => at / seconds), y: curve[measure].map((value) => (value === null ? null : value / per)),
        line: { width: 1.25, color: plots.colour(["middle", "completed", "interrupted", "failed", "running"][i % 5]), dash: ["solid", "dash", "dot", "dashdot"][Math.floor(i / 5) % 4] },
        hovertemplate: `job ${curve.job}<br>%{y:.4g} ${unit}<extra></extra>`,
      })),
      { height: 260, xaxis: plots.axis(`${time} since the job's start`, { rangemode: "tozero" }), yaxis: plots.axis(`${name}, ${unit}`, { rangemode: "tozero" }) },
    ];
  }

  function start() {
    Object.entries(data.peaks).forEach(([peaked, encoded]) => {
      const measure = peaked.replace("peak_", "");
      const values = decoded(encoded);
      const title = `Peak ${MEASURES[measure][0].replace("Memory", "memory")} of each job`;
      const { figure, holder } = plots.card([element("b", { textContent: title })], title);
      byId("peaks").append(figure);
      plots.draw(holder, () => peak(measure, values));
    });
    ["memory_bytes", "cpu_percent"].filter((measure) => data.curves.some((curve) => curve[measure].some((value) => value !== null))).forEach((measure) => {
      const title = `${MEASURES[measure][0]} over time`;
      const { figure, holder } = plots.card([element("b", { textContent: title })], title);
      byId("curves").append(figure);
      plots.draw(holder, () => curves(measure));
    });
  }
  return { start };
})();
