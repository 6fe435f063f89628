// The table of the jobs: sorted by a click on a head, filtered by text, by status and by ranges marked in the plot.
const table = (() => {
  const collator = new Intl.Collator(undefined, { numeric: true });
  const columns = [
    { name: "job", number: (row) => data.jobs[row], text: (row) => String(data.jobs[row]) },
    // what all jobs have alike is said in the summary
    ...(new Set(data.status).size > 1 ? [{ name: "status", text: (row) => STATUS[data.status[row]].name.toLowerCase(), status: true }] : []),
    ...overrides.map((column) => ({
      name: column.name,
      number: column.kind === "number" ? column.value : undefined,
      text: column.text,
      written: column.written,
      cut: true,
    })),
    ...metrics.map((column, place) => ({ name: column.name, number: column.value, text: column.text, metric: place })),
    { name: "took", number: (row) => took[row], text: (row) => (took[row] === undefined ? "" : duration(took[row])) },
  ];
  if (data.attempts) columns.push({ name: "attempts", number: (row) => data.attempts[row], text: (row) => String(data.attempts[row]) });
  if (data.errors) columns.push({ name: "error", text: headline, cut: true });

  const hidden = new Set();
  const state = { column: 0, down: false, page: 0, size: 25, words: [], within: null };
  let sorted = rows;
  let matching = rows;
  const listeners = [];
  const haystacks = [];

  function haystack(row) {
    haystacks[row] ??= columns.map((column) => column.text(row)).concat(overrides.map((column) => `${column.name}=${column.written(row)}`))
      .join("\n").toLowerCase();
    return haystacks[row];
  }

  // What has no value, and NaN, comes last whichever way it is sorted; before it, of a metric, what jobs have that did not complete.
  function sort() {
    const { number: of, text } = columns[state.column];
    const sign = state.down ? -1 : 1;
    const keys = rows.map((row) => (of ? of(row) : text(row)));
    const ranked = columns[state.column].metric !== undefined;
    const missing = (row) => (keys[row] === undefined || keys[row] === "" || Number.isNaN(keys[row]) ? 2 : ranked && !completed(row) ? 1 : 0);
    sorted = rows.slice().sort((a, b) => {
      const [first, second] = [keys[a], keys[b]];
      if (missing(a) !== missing(b)) return missing(a) - missing(b);
      if (missing(a) === 2) return a - b;
      const order = of ? (first > second) - (first < second) : collator.compare(first, second);
      return sign * order || a - b;
    });
  }

  function filter() {
    matching = sorted.filter(
      (row) =>
        !hidden.has(data.status[row]) &&
        (!state.within || state.within(row)) &&
        state.words.every((word) => haystack(row).includes(word)),
    );
  }

  function cell(column, row) {
    const made = element("td", { textContent: column.text(row) });
    if (column.name === "job" && column === columns[0] && link(row) !== null) {
      made.replaceChildren(element("a", { href: `${link(row)}/`, textContent: data.jobs[row] }));
    }
    if (column.status) made.className = STATUS[data.status[row]].style;
    if (column.number) made.className = "right";
    if (column.cut) {
      made.classList.add("cut");
      made.title = (column.written ?? column.text)(row);
    }
    if (column.metric === shown.metric && bars && completed(row) && Number.isFinite(column.number(row))) {
      made.classList.add("measure");
      made.style.setProperty("--part", `${(100 * bars(column.number(row))).toFixed(1)}%`);
    }
    return made;
  }

  let bars = null;
  function measure() {
    const known = metrics[shown.metric]?.values.filter((value, row) => completed(row) && Number.isFinite(value)) ?? [];
    const low = known.reduce((least, value) => Math.min(least, value), Infinity);
    const high = known.reduce((most, value) => Math.max(most, value), -Infinity);
    const best = metrics[shown.metric]?.mode === "min" ? low : high;
    bars = high > low ? (value) => 1 - Math.abs(value - best) / (high - low) : null;
  }

  function render(first = state.page * state.size, size = state.size) {
    const body = byId("jobs").tBodies[0];
    const visible = matching.slice(first, first + size);
    body.replaceChildren(...visible.map((row) => element("tr", {}, ...columns.map((column) => cell(column, row)))));
    if (!visible.length) body.append(element("tr", {}, element("td", { className: "nothing", colSpan: columns.length, textContent: "No job matches." })));
    byId("matching").textContent = matching.length === count ? `${count.toLocaleString("en")} jobs` : `${matching.length.toLocaleString("en")} of ${count.toLocaleString("en")} jobs${state.within ? " in the ranges marked in the plot" : ""}`;
    const last = Math.min(first + size, matching.length);
    byId("page").textContent = `${(matching.length ? first + 1 : 0).toLocaleString("en")} to ${last.toLocaleString("en")} of ${matching.length.toLocaleString("en")}`;
    byId("previous").disabled = first === 0;
    byId("next").disabled = last >= matching.length;
    byId("pages").hidden = count <= 25;
  }

  function heads() {
    byId("jobs").tHead.rows[0].childNodes.forEach((head, place) => {
      head.setAttribute("aria-sort", place !== state.column ? "none" : state.down ? "descending" : "ascending");
    });
  }

  function update() {
    filter();
    state.page = 0;
    render();
    const chosen = matching.length === count ? null : new Set(matching);
    listeners.forEach((listener) => listener(chosen));
  }

  function sortBy(place, down) {
    Object.assign(state, { column: place, down });
    sort();
    heads();
    update();
  }

  function start() {
    const head = element("tr");
    columns.forEach((column, place) => {
      const button = element("button", { type: "button", textContent: column.name });
      // numbers are mostly looked through from the largest; a second click turns it round
      button.addEventListener("click", () => sortBy(place, place === state.column ? !state.down : Boolean(column.number) && place > 0));
      head.append(element("th", { scope: "col", className: column.number ? "right" : "" }, button));
    });
    byId("jobs").tHead.append(head);
    const statuses = Object.keys(STATUS).filter((letter) => data.status.includes(letter));
    byId("statuses").append(...(statuses.length < 2 ? [] : statuses).map((letter) => {
      const many = data.status.split(letter).length - 1;
      const button = element("button", { type: "button", className: `status ${STATUS[letter].style}`, textContent: `${many.toLocaleString("en")} ${STATUS[letter].name.toLowerCase()}` });
      button.setAttribute("aria-pressed", "true");
      button.addEventListener("click", () => {
        (hidden.has(letter) ? hidden.delete(letter) : hidden.add(letter));
        button.setAttribute("aria-pressed", String(!hidden.has(letter)));
        update();
      });
      return button;
    }));
    byId("filter").addEventListener("input", (event) => {
      state.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
      update();
    });
    byId("previous").addEventListener("click", () => { state.page -= 1; render(); });
    byId("next").addEventListener("click", () => { state.page += 1; render(); });
    byId("rows").addEventListener("change", (event) => {
      state.size = Number(event.target.value);
      state.page = 0;
      render();
    });
    window.addEventListener("beforeprint", () => render(0, 100));
    window.addEventListener("afterprint", () => render());
    measure();
    const ranked = data.ranked ? columns.findIndex((column) => column.metric === 0) : 0;
    sortBy(ranked, ranked > 0 && metrics[0].mode === "max");
  }

  if (byId("jobs")) start();
  return {
    listen: (listener) => listeners.push(listener),
    showMetric: () => { if (byId("jobs")) { measure(); render(); } },
    within: (test) => {
      state.within = test;
      byId("clear-brushes").hidden = !test;
      update();
    },
  };
})();
