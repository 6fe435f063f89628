// The settings, the best on top: a dot a seed, the mean with its standard error.
const settings = (() => {
  const HEIGHT = 26;
  const LEAST = 150; // room for the axis below a single setting

  function figure(part, width) {
    const of = part.shown;
    const places = of.map((_, place) => place);
    const words = (one) => plots.escaped(`${one.rank === null ? "" : `${one.rank}. `}${one.name}`);
    const room = Math.floor(width / 16) - 8; // characters of a name that leave the plot its place
    const ticks = of.map((one) => (room < 20 ? String(one.rank ?? "") : plots.escaped(short(`${one.rank === null ? "" : `${one.rank}. `}${one.name}`, Math.min(48, room)))));
    const means = decoded(of.map((one) => one.mean));
    const errors = decoded(of.map((one) => one.error));
    const scores = decoded(of.map((one) => one.score));
    const seeds = of.flatMap((one, place) => decoded(one.values).map((value, i) => [value, place, `${words(one)}<br>job ${one.jobs[i]}<br>${plots.escaped(part.metric)} ${number(value)}`]));
    const known = seeds.map(([value]) => value).filter(Number.isFinite);
    const told = (one, place) => `${words(one)}<br>${plots.escaped(part.metric)} ${number(means[place])}${errors[place] === undefined ? "" : ` ± ${number(errors[place])}`}<br>${one.seeds} seed${one.seeds === "1" ? "" : "s"}`;
    const log = metrics.some((column) => column.name === part.metric && column.log);
    return [
      [
        {
          type: "scatter", mode: "markers", x: seeds.map(([value]) => value), y: seeds.map(([, place]) => place), text: seeds.map(([, , text]) => text),
          hovertemplate: "%{text}<extra></extra>", marker: { color: seeds.map(([, place]) => plots.colour(plots.PALETTE[of[place].of % plots.PALETTE.length])), size: 8, opacity: 0.6 },
        },
        {
          type: "scatter", mode: "markers", x: means, y: places, text: of.map(told), hovertemplate: "%{text}<extra></extra>",
          error_x: { type: "data", array: errors.map((error) => error ?? 0), color: plots.colour("text"), thickness: 1.75, width: 5 },
          marker: { symbol: "line-ns", size: 14, line: { width: 2.5, color: plots.colour("text") } },
        },
        ...(part.rank_by ? [{
          type: "scatter", mode: "markers", x: scores, y: places, text: of.map((one, place) => `${words(one)}<br>${part.rank_by} ${scores[place] === undefined ? "?" : number(scores[place])}`),
          hovertemplate: "%{text}<extra></extra>", marker: { symbol: "diamond", size: 9, color: plots.colour("best") },
        }] : []),
      ],
      {
        height: Math.max(LEAST, 56 + HEIGHT * of.length), hovermode: "closest",
        xaxis: log ? plots.logAxis(part.metric, known) : plots.axis(part.metric),
        yaxis: plots.axis("", { tickvals: places, ticktext: ticks, range: [of.length - 0.4, -0.6], showgrid: false }),
      },
    ];
  }

  function start() {
    const holder = byId("settings-plot");
    if (holder && data.settings.shown.length) plots.draw(holder, () => figure(data.settings, holder.clientWidth));
  }
  return { start };
})();
