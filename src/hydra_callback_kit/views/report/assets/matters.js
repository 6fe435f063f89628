// What matters: the metric against each override, those that explain most of it first, and heat maps of pairs.
const matters = (() => {
  const MAX_DOTS = 1000;
  const BINS = 12;
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

  function median(values) {
    const sorted = values.slice().sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  }

  function grouped(of, key) {
    const groups = new Map();
    of.forEach((row) => {
      const group = groups.get(key(row));
      group ? group.push(row) : groups.set(key(row), [row]);
    });
    return groups;
  }

  // Groups of jobs with the same value; of a number with many values, with values near each other, as many in each.
  function groups(column, known) {
    const same = grouped(known, column.value);
    if (column.kind === "category" || same.size <= 2 * BINS) return same;
    const sorted = known.slice().sort((a, b) => column.value(a) - column.value(b));
    const bins = new Map();
    for (let bin = 0; bin < BINS; bin += 1) {
      const of = sorted.slice(Math.floor((bin * sorted.length) / BINS), Math.floor(((bin + 1) * sorted.length) / BINS));
      bins.set(median(of.map(column.value)), of);
    }
    return bins;
  }

  const best = (known, measure) => known.reduce((first, row) => ((metrics[shown.metric].mode === "max" ? measure(row) > measure(first) : measure(row) < measure(first)) ? row : first));

  function effect(column, metric, known, of, gone) {
    const measure = metric.value;
    const first = best(known, measure);
    const some = spread(known, MAX_DOTS).filter((row) => row !== first); // the best is the star
    // of a category the jobs lie beside each other
    const across = column.kind === "category" ? (row) => column.value(row) + (((row * 0.618034) % 1) - 0.5) * 0.36 : column.value;
    const y = metric.log ? plots.logAxis(metric.name, metric.values) : plots.axis(metric.name);
    const star = {
      type: "scatter", mode: "markers", x: [across(first)], y: [measure(first)], text: [plots.hover(first)], hovertemplate: "best: %{text}<extra></extra>",
      marker: { symbol: "star", size: 13, color: plots.colour("best"), line: { color: plots.colour("card"), width: 1 } },
    };
    const dot = { color: plots.colour("middle"), size: some.length > 300 ? 4 : 7, opacity: some.length > 300 ? 0.45 : 0.75 };
    if (column.kind === "category") {
      const texts = column.order.map((code) => plots.escaped(short(column.texts[code], 18)));
      return [
        [
          { type: "box", x: known.map(column.value), y: known.map(measure), boxpoints: false, hoverinfo: "skip", line: { color: plots.colour("muted"), width: 1.25 }, fillcolor: plots.colour("soft"), width: 0.55 },
          { type: "scatter", mode: "markers", x: some.map(across), y: some.map(measure), text: some.map(plots.hover), hovertemplate: "%{text}<extra></extra>", marker: dot },
          ...plots.others(gone, across, measure),
          star,
        ],
        { xaxis: plots.axis("", { tickvals: texts.map((_, place) => place), ticktext: texts, range: [-0.6, texts.length - 0.4], showgrid: false }), yaxis: y },
      ];
    }
    const line = [...of].sort(([a], [b]) => a - b).map(([at, group]) => [at, median(group.map(measure))]);
    const many = known.length > of.size;
    return [
      [
        { type: "scatter", mode: "markers", x: some.map(column.value), y: some.map(measure), text: some.map(plots.hover), hovertemplate: "%{text}<extra></extra>", marker: dot },
        ...(many ? [{ type: "scatter", mode: "lines", x: line.map(([at]) => at), y: line.map(([, at]) => at), line: { color: plots.colour("text"), width: 1.5 }, hovertemplate: "median %{y:.4g}<extra></extra>" }] : []),
        ...plots.others(gone, across, measure),
        star,
      ],
      { xaxis: column.log ? plots.logAxis("", column.numbers, valuesOf(column)) : plots.axis("", valuesOf(column)), yaxis: y },
    ];
  }

  // The few values of a grid are its ticks.
  function valuesOf(column) {
    const values = [...new Set(column.numbers)].sort((a, b) => a - b);
    const at = column.log ? values.map(Math.log) : values;
    const apart = at.every((value, i) => i === 0 || value - at[i - 1] >= (at.at(-1) - at[0]) / 14);
    return values.length <= 8 && apart ? { tickvals: values, ticktext: values.map(number) } : {};
  }

  function heatMap([a, b], metric, known) {
    const [across, up] = [overrides[a], overrides[b]];
    const of = (column) => [...new Set(column.numbers)].sort((first, second) => first - second);
    const [xs, ys] = [of(across), of(up)];
    const cells = grouped(known, (row) => `${xs.indexOf(across.value(row))} ${ys.indexOf(up.value(row))}`);
    const z = ys.map((_, j) => xs.map((__, i) => (cells.has(`${i} ${j}`) ? mean(cells.get(`${i} ${j}`).map(metric.value)) : null)));
    const few = xs.length * ys.length <= 80 && xs.length <= 10;
    const scale = ["low", "middle", "high"].map((name, i) => [i / 2, plots.colour(name)]);
    const ticks = (values) => ({ tickvals: values.map((_, i) => i), ticktext: values.map((value) => (values.length > 12 && values.indexOf(value) % Math.ceil(values.length / 12) ? "" : number(value))), showgrid: false });
    return [
      [{
        type: "heatmap", z, x: xs.map((_, i) => i), y: ys.map((_, j) => j), xgap: 2, ygap: 2, hoverongaps: false,
        colorscale: metrics[shown.metric].mode === "max" ? scale : scale.map(([at], i) => [at, scale[2 - i][1]]),
        text: z.map((line, j) => line.map((value, i) => (value === null ? "" : few ? Number(value.toPrecision(3)) : ""))), texttemplate: "%{text}",
        customdata: z.map((line, j) => line.map((value, i) => `${plots.escaped(across.name)}=${number(xs[i])}<br>${plots.escaped(up.name)}=${number(ys[j])}<br>${plots.escaped(metric.name)} ${value === null ? "?" : number(value)}`)),
        hovertemplate: "%{customdata}<extra></extra>",
        colorbar: { thickness: 10, outlinewidth: 0, tickfont: { size: 11.5, color: plots.colour("muted") }, len: 1, nticks: 5 },
      }],
      { xaxis: plots.axis(across.name, ticks(xs)), yaxis: plots.axis(up.name, ticks(ys)), height: 300 },
    ];
  }

  function start() {
    const section = byId("matters");
    if (!section) return;
    const metric = metrics[shown.metric];
    const finite = rows.filter((row) => Number.isFinite(metric.value(row)));
    const known = finite.filter(completed);
    const effects = byId("effects");
    effects.replaceChildren();
    const words = byId("matters-words");
    words.hidden = new Set(known.map(metric.value)).size < 2;
    if (words.hidden) return;
    words.textContent = `The override that explains most of ${metric.name} first: the share of its variance that a least squares fit of all overrides, each with an effect of its own, loses without this one, less what chance would explain. So no override has credit for what another one did that changed along with it. The line is the median; a star marks the best job.${known.length < finite.length ? " All of this is of the jobs that completed; others are marked as what they are." : ""}`;
    overrides
      .filter((column) => column.plotted)
      .map((column) => {
        const having = known.filter((row) => column.value(row) !== undefined);
        const of = groups(column, having);
        return { column, having, of, share: metric.shares[overrides.indexOf(column)] };
      })
      .filter(({ of }) => of.size > 1)
      .sort((a, b) => (b.share ?? -2) - (a.share ?? -2))
      .forEach(({ column, having, of, share: part }) => {
        const caption = [element("b", { textContent: column.name })];
        if (part !== null) {
          caption.unshift(element("span", {
            className: "share", textContent: part < 0 ? "not to be told from others" : `explains ${Math.round(100 * part)} %`,
            title: part < 0 ? `${column.name} always changed together with other overrides` : `The share of the variance of ${metric.name} that ${column.name} explains, and no other override`,
          }));
        }
        const { figure, holder } = plots.card(caption, `${metric.name} against ${column.name}`);
        effects.append(figure);
        const gone = spread(finite.filter((row) => !completed(row) && column.value(row) !== undefined), MAX_DOTS);
        plots.draw(holder, () => effect(column, metric, having, of, gone));
      });
    data.heat_maps.forEach((pair) => {
      const [across, up] = pair.map((place) => overrides[place].name);
      const { figure, holder } = plots.card([element("b", { textContent: `${across} and ${up}` }), ` mean ${metric.name}`], `Mean ${metric.name} for each ${across} and ${up}`);
      effects.append(figure);
      plots.draw(holder, () => heatMap(pair, metric, known));
    });
  }

  return { start };
})();
