// The data of the page, as columns that can be asked for a text and for a number.
const data = JSON.parse(document.getElementById("data").textContent);
const count = data.jobs.length;
const STATUS = {
  C: { name: "COMPLETED", style: "completed", symbol: "✓", pattern: "", marker: "circle" },
  F: { name: "FAILED", style: "failed", symbol: "✕", pattern: "/", marker: "x" },
  P: { name: "PRUNED", style: "pruned", symbol: "✂", pattern: "x", marker: "square-open" },
  I: { name: "INTERRUPTED", style: "interrupted", symbol: "◐", pattern: ".", marker: "diamond-open" },
  R: { name: "RUNNING", style: "running", symbol: "▷", pattern: "-", marker: "triangle-right-open" },
};
// Only these are ranked: what others reported before they ended is drawn as theirs.
const completed = (row) => data.status[row] === "C";
const byId = (id) => document.getElementById(id);
const rows = Array.from({ length: count }, (_, row) => row);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// As many digits as people read.
function number(value) {
  if (value === Infinity) return "∞";
  if (value === -Infinity) return "−∞";
  if (Number.isNaN(value)) return "NaN";
  return String(Number(value.toPrecision(6)));
}

function duration(seconds) {
  if (seconds === null) return "?";
  if (seconds < 1) return `${Number((seconds * 1000).toPrecision(3))} ms`;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}

function bytes(value) {
  for (const unit of ["B", "KiB", "MiB"]) {
    if (value < 1024) return `${value.toFixed(0)} ${unit}`;
    value /= 1024;
  }
  return `${value.toFixed(1)} GiB`;
}

// So many of a list, spread evenly.
const spread = (of, most) => Array.from({ length: Math.min(of.length, most) }, (_, i) => of[Math.floor((i * of.length) / Math.min(of.length, most))]);
const short = (text, length) => (text.length > length ? `${text.slice(0, length - 1)}…` : text);
// NaN and infinities come as texts; what is missing is undefined.
const decoded = (values) => values.map((value) => (value === null ? undefined : Number(value)));

const overrides = data.overrides.map((column) => {
  const code = column.codes ? (row) => column.codes[row] : (row) => row;
  const numbers = column.kind === "number" ? column.texts.map((text) => Number(text.replaceAll("_", ""))) : [];
  const places = [];
  column.order.forEach((of, place) => { places[of] = place; });
  return {
    ...column,
    code,
    numbers,
    written: (row) => column.texts[code(row)] ?? "",
    text: (row) => {
      const text = column.texts[code(row)] ?? "";
      return column.kind === "number" && text.length > 10 ? number(numbers[code(row)]) : text;
    },
    // a number, or the place of a category on its axis; undefined for none
    value: column.kind === "number" ? (row) => numbers[code(row)] : (row) => places[code(row)],
  };
});
// A column of numbers reads best with as many decimals in each; what would lose its digits so has its own.
function aligned(values) {
  const known = values.filter(Number.isFinite);
  const largest = known.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const decimals = known.every(Number.isInteger) ? 0 : Math.max(0, 4 - Math.max(0, Math.floor(Math.log10(largest || 1))));
  const least = 10 ** (2 - decimals);
  const fits = largest < 1e6 && known.every((value) => value === 0 || Math.abs(value) >= least || Number.isInteger(value));
  return (value) => (fits && Number.isFinite(value) ? value.toFixed(decimals) : number(value));
}
const metrics = data.metrics.map((column) => {
  const values = decoded(column.values);
  const text = aligned(values);
  return { ...column, values, value: (row) => values[row], text: (row) => (values[row] === undefined ? "" : text(values[row])) };
});
const took = decoded(data.took);
const link = typeof data.links === "string" ? (row) => `${data.links}${data.jobs[row]}` : (row) => data.links[row];
const headline = (row) => data.headlines[data.errors?.[row] ?? -1] ?? "";
// The metric that the jobs are ranked by is the first; the reader may choose another.
const shown = { metric: 0 };

function describe(row) {
  return [
    `job ${data.jobs[row]} ${STATUS[data.status[row]].name.toLowerCase()}`,
    ...overrides.filter((column) => column.text(row) !== "").map((column) => `${column.name}=${short(column.text(row), 40)}`),
    ...metrics.slice(0, 5).filter((column) => column.value(row) !== undefined).map((column) => `${column.name} ${column.text(row)}`),
  ];
}
