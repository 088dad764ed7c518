"use strict";
// The timeline: lanes are places, bars are what took time there, lines between lanes are messages, marks are faults and crashes.
(() => {
  const timelines = JSON.parse(document.getElementById("data").textContent).timelines;
  if (!timelines.length) { document.body.classList.add("none"); return; }
  const [START, LENGTH, LANE, CALLER, SORT, STATUS, PARENT, NAME, SUBJECT, ANSWER, FAULTS, SENT, RECEIVED] = Array.from({ length: 13 }, (_, number) => number);
  const element = (id) => document.getElementById(id);
  const canvas = element("canvas"), draw = canvas.getContext("2d");
  const LABELS = 150, ROW = 15, TOP = 26, ROWS_MAX = 5;
  let line, view, chosen = -1, hits = [], at = -1, colours = {}, boxes = [];

  const time = (ns) => {
    if (ns < 1e3) return `${ns} ns`;
    if (ns < 1e6) return `${+(ns / 1e3).toFixed(1)} µs`;
    if (ns < 1e9) return `${+(ns / 1e6).toFixed(3)} ms`;
    return `${+(ns / 1e9).toFixed(6)} s`;
  };
  const readColours = () => {
    const style = getComputedStyle(document.documentElement);
    for (const name of ["back", "panel", "text", "quiet", "line", "accent", "pass", "fail", "unknown", "error"]) colours[name] = style.getPropertyValue(`--${name}`).trim();
  };
  const endOf = (span) => (span[LENGTH] < 0 ? line.data.length : span[START] + span[LENGTH]);

  // Where idle time is drawn short: every gap between two moments counts by its logarithm, so that a minute's wait does not hide
  // what took microseconds. The axis tells true times.
  const scale = (data, linear) => {
    if (linear) return { to: (ns) => ns, from: (x) => x, length: Math.max(1, data.length) };
    const moments = new Set([0, data.length]);
    for (const span of data.spans) { moments.add(span[START]); if (span[LENGTH] >= 0) moments.add(span[START] + span[LENGTH]); }
    for (const mark of data.marks) moments.add(mark[0]);
    const times = [...moments].sort((one, other) => one - other), places = [0];
    for (let number = 1; number < times.length; number++) places.push(places[number - 1] + 1 + Math.log2(1 + (times[number] - times[number - 1]) / 1000));
    const within = (keys, values, key) => {
      let low = 0, high = keys.length - 1;
      if (key <= keys[0]) return values[0];
      if (key >= keys[high]) return values[high];
      while (high - low > 1) { const middle = (low + high) >> 1; if (keys[middle] <= key) low = middle; else high = middle; }
      return values[low] + (values[high] - values[low]) * (key - keys[low]) / (keys[high] - keys[low]);
    };
    return { to: (ns) => within(times, places, ns), from: (x) => within(places, times, x), length: Math.max(1, places[places.length - 1]) };
  };

  const arrange = (data) => {
    // What overlaps in a lane stands in rows below each other; what does not fit goes into the last one.
    const ends = data.lanes.map(() => []);
    const rows = data.spans.map((span) => {
      const there = ends[span[LANE]], end = span[LENGTH] < 0 ? data.length : span[START] + span[LENGTH];
      let row = there.findIndex((until) => until <= span[START]);
      if (row < 0) row = there.length < ROWS_MAX ? there.length : ROWS_MAX - 1;
      there[row] = Math.max(there[row] || 0, end);
      return row;
    });
    const tops = [];
    let top = TOP;
    for (const there of ends) { tops.push(top); top += Math.max(1, there.length) * ROW + 8; }
    return { rows, tops, height: top + 4 };
  };

  const load = (number) => {
    const data = timelines[number];
    line = { number, data, ...arrange(data), scale: scale(data, element("linear").checked) };
    view = { from: 0, to: line.scale.length };
    chosen = -1; hits = []; at = -1;
    element("told").replaceChildren(...data.told.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
    canvas.style.height = `${Math.min(720, Math.max(140, line.height))}px`;
    element("event").textContent = `${data.about}: ${data.spans.length.toLocaleString("en")} spans, ${data.marks.length} marks, ${time(data.length)} of virtual time.`;
    search();
  };

  const resize = () => {
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    canvas.height = Math.max(1, Math.round(canvas.clientHeight * ratio));
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    paint();
  };
  const width = () => canvas.clientWidth - LABELS - 8;
  const x = (ns) => LABELS + (line.scale.to(ns) - view.from) / (view.to - view.from) * width();
  const back = (pixel) => line.scale.from(view.from + (pixel - LABELS) / width() * (view.to - view.from));

  const paint = () => {
    if (!line) return;
    const { data } = line, wide = canvas.clientWidth, high = canvas.clientHeight, found = new Set(hits);
    draw.clearRect(0, 0, wide, high);
    draw.font = "11px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
    draw.textBaseline = "middle";
    boxes = [];
    data.lanes.forEach(([name, kind], lane) => {
      const top = line.tops[lane];
      draw.strokeStyle = colours.line;
      draw.beginPath(); draw.moveTo(0, top - 4.5); draw.lineTo(wide, top - 4.5); draw.stroke();
      draw.fillStyle = colours.text;
      draw.fillText(name.length > 21 ? `${name.slice(0, 20)}…` : name, 6, top + 6, LABELS - 10);
      draw.fillStyle = colours.quiet;
      if ((line.tops[lane + 1] || line.height) - top > 30) draw.fillText(kind, 6, top + 20, LABELS - 10);
    });
    draw.fillStyle = colours.quiet;
    for (let tick = 0; tick <= 6; tick++) {
      const pixel = LABELS + tick / 6 * width();
      draw.textAlign = tick === 6 ? "right" : tick ? "center" : "left";
      draw.fillText(time(Math.round(back(pixel))), pixel, 10);
    }
    draw.textAlign = "left";
    draw.save();
    draw.beginPath(); draw.rect(LABELS, 0, wide - LABELS, high); draw.clip();
    const by = [colours.pass, colours.fail, colours.unknown];
    const middle = (lane) => line.tops[lane] + ROW / 2;
    draw.globalAlpha = data.spans.length > 2000 ? 0.25 : 0.5;
    for (const span of data.spans) {
      if (span[CALLER] < 0 || span[CALLER] === span[LANE]) continue;
      const left = x(span[START]), right = x(endOf(span));
      if (right < LABELS || left > wide) continue;
      draw.strokeStyle = by[span[STATUS]];
      draw.beginPath();
      draw.moveTo(left, middle(span[CALLER])); draw.lineTo(left, middle(span[LANE]));
      if (span[LENGTH] > 0) { draw.moveTo(right, middle(span[LANE])); draw.lineTo(right, middle(span[CALLER])); }
      draw.stroke();
      const down = span[LANE] > span[CALLER] ? -4 : 4, tip = middle(span[LANE]);
      draw.beginPath(); draw.moveTo(left, tip); draw.lineTo(left - 3, tip + down); draw.moveTo(left, tip); draw.lineTo(left + 3, tip + down); draw.stroke();
    }
    data.spans.forEach((span, number) => {
      const left = x(span[START]), right = x(endOf(span));
      if (right < LABELS || left > wide) return;
      const top = line.tops[span[LANE]] + line.rows[number] * ROW, across = Math.max(2.5, right - left);
      draw.globalAlpha = hits.length && !found.has(number) ? 0.18 : span[CALLER] < 0 ? 0.85 : 0.6;
      draw.fillStyle = by[span[STATUS]];
      draw.fillRect(left, top, across, ROW - 3);
      if (span[FAULTS] && data.words[span[FAULTS]]) { draw.fillStyle = colours.error; draw.fillRect(left, top, 3, ROW - 3); }
      draw.globalAlpha = 1;
      if (across > 46) {
        draw.fillStyle = colours.back;
        draw.save(); draw.beginPath(); draw.rect(left, top, across - 2, ROW); draw.clip();
        draw.fillText(`${data.words[span[NAME]]} ${data.words[span[SUBJECT]]}`, Math.max(left, LABELS) + 3, top + 6); draw.restore();
      }
      if (number === chosen) { draw.strokeStyle = colours.accent; draw.lineWidth = 2; draw.strokeRect(left - 1.5, top - 1.5, across + 3, ROW); draw.lineWidth = 1; }
      boxes.push([left, top, across, ROW - 3, number]);
    });
    draw.globalAlpha = 1;
    data.marks.forEach((mark, number) => {
      const pixel = x(mark[0]), top = line.tops[mark[1]];
      if (pixel < LABELS || pixel > wide) return;
      draw.strokeStyle = draw.fillStyle = mark[4] ? colours.error : colours.accent;
      draw.beginPath(); draw.moveTo(pixel, top - 3); draw.lineTo(pixel, top + ROW); draw.stroke();
      draw.beginPath(); draw.moveTo(pixel - 4, top - 4); draw.lineTo(pixel + 4, top - 4); draw.lineTo(pixel, top + 3); draw.fill();
      boxes.push([pixel - 4, top - 5, 8, ROW, -2 - number]);
    });
    draw.restore();
  };

  const words = (number) => {
    const { data } = line;
    if (number <= -2) {
      const [when, lane, sort, text] = data.marks[-2 - number];
      return [`${data.words[sort]} at ${data.lanes[lane][0]}`, `${time(when)}`, data.words[text]];
    }
    const span = data.spans[number], told = [`${data.words[span[NAME]]} ${data.words[span[SUBJECT]]}`.trim()];
    told.push(`${data.sorts[span[SORT]]} ${span[CALLER] >= 0 ? `from ${data.lanes[span[CALLER]][0]} ` : ""}at ${data.lanes[span[LANE]][0]}`);
    told.push(`${time(span[START])}, ${span[LENGTH] < 0 ? "never ended" : `took ${time(span[LENGTH])}`}`, data.words[span[ANSWER]]);
    if (data.words[span[FAULTS]]) told.push(`struck by ${data.words[span[FAULTS]]}`);
    if (span[SENT] || span[RECEIVED]) told.push(`${span[SENT].toLocaleString("en")} bytes sent, ${span[RECEIVED].toLocaleString("en")} received`);
    return told;
  };
  const show = (number) => {
    const link = document.createElement("a");
    link.href = `#t=${line.number}:${number}`;
    link.textContent = "link to this moment";
    element("event").replaceChildren(`${words(number).filter(Boolean).join(" · ")}  `, link);
  };
  const choose = (number, { move = true, keep = true } = {}) => {
    chosen = number;
    show(number);
    if (move && number >= 0) {
      const here = line.scale.to(line.data.spans[number][START]), wide = view.to - view.from;
      if (here < view.from || here > view.to) look(here - wide / 2, here + wide / 2);
    }
    if (keep) history.replaceState(null, "", `#t=${line.number}:${number}`);
    paint();
  };
  const look = (from, to) => {
    const least = line.scale.length / 5000, wide = Math.min(Math.max(to - from, least), line.scale.length);
    const start = Math.min(Math.max(0, from), line.scale.length - wide);
    view = { from: start, to: start + wide };
  };
  const zoom = (by, pixel) => {
    const here = view.from + (pixel - LABELS) / width() * (view.to - view.from), wide = (view.to - view.from) * by;
    const share = (here - view.from) / (view.to - view.from);
    look(here - share * wide, here + (1 - share) * wide);
    paint();
  };

  const TABLE_MAX = 300;
  const table = () => {
    if (!element("as-table").open) return;
    const { data } = line, numbers = hits.length || element("find").value.trim() ? hits : data.spans.map((_, number) => number);
    const rows = numbers.slice(0, TABLE_MAX).map((number) => {
      const span = data.spans[number], row = document.createElement("tr");
      const cells = [time(span[START]), span[LENGTH] < 0 ? "never ended" : time(span[LENGTH]), span[CALLER] < 0 ? "" : data.lanes[span[CALLER]][0], data.lanes[span[LANE]][0],
        `${data.words[span[NAME]]} ${data.words[span[SUBJECT]]}`, data.words[span[ANSWER]]];
      cells.forEach((text, column) => { const cell = row.insertCell(); cell.textContent = text; if (column < 2) cell.className = "number"; });
      row.cells[4].replaceChildren(Object.assign(document.createElement("a"), { href: `#t=${line.number}:${number}`, textContent: cells[4] }));
      return row;
    });
    if (numbers.length > TABLE_MAX) {
      const row = document.createElement("tr"), cell = row.insertCell();
      cell.colSpan = 6;
      cell.textContent = `${(numbers.length - TABLE_MAX).toLocaleString("en")} more; use Find`;
      rows.push(row);
    }
    element("events").tBodies[0].replaceChildren(...rows);
  };
  const search = () => {
    const word = element("find").value.trim().toLowerCase(), { data } = line;
    hits = []; at = -1;
    if (word) data.spans.forEach((span, number) => {
      const text = `${data.words[span[NAME]]} ${data.words[span[SUBJECT]]} ${data.words[span[ANSWER]]} ${data.words[span[FAULTS]]} ${data.lanes[span[LANE]][0]}`;
      if (text.toLowerCase().includes(word)) hits.push(number);
    });
    element("found").textContent = word ? `${hits.length.toLocaleString("en")} found` : "";
    paint(); table();
  };
  const step = (by) => {
    if (hits.length) { at = (at + by + hits.length) % hits.length; choose(hits[at]); element("found").textContent = `${at + 1} of ${hits.length.toLocaleString("en")}`; }
  };
  const neighbour = (by) => choose(Math.min(Math.max(chosen < 0 ? 0 : chosen + by, 0), line.data.spans.length - 1));

  const which = element("which");
  timelines.forEach((data, number) => which.append(new Option(data.about, String(number))));
  which.addEventListener("change", () => { load(+which.value); resize(); });
  element("linear").addEventListener("change", () => { line.scale = scale(line.data, element("linear").checked); look(0, line.scale.length); paint(); });
  element("find").addEventListener("input", search);
  element("find").addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); step(event.shiftKey ? -1 : 1); } });
  element("next").addEventListener("click", () => step(1));
  element("previous").addEventListener("click", () => step(-1));
  element("all").addEventListener("click", () => { look(0, line.scale.length); paint(); });
  element("as-table").addEventListener("toggle", table);
  document.addEventListener("theme", () => { readColours(); paint(); });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); paint(); });

  let drag = null;
  const under = (event) => {
    const box = canvas.getBoundingClientRect(), left = event.clientX - box.left, top = event.clientY - box.top;
    for (let number = boxes.length - 1; number >= 0; number--) {
      const [there, above, wide, high, what] = boxes[number];
      if (left >= there - 1 && left <= there + wide + 1 && top >= above && top <= above + high) return what;
    }
    return -1;
  };
  canvas.addEventListener("pointerdown", (event) => { drag = { at: event.clientX, from: view.from, moved: false }; canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (drag) {
      const by = (event.clientX - drag.at) / width() * (view.to - view.from);
      if (Math.abs(event.clientX - drag.at) > 3) drag.moved = true;
      const wide = view.to - view.from;
      look(drag.from - by, drag.from - by + wide);
      paint();
      return;
    }
    const what = under(event);
    canvas.style.cursor = what === -1 ? "grab" : "pointer";
    canvas.title = what === -1 ? "" : words(what).filter(Boolean).join("\n");
  });
  canvas.addEventListener("pointerup", (event) => {
    const clicked = drag && !drag.moved;
    drag = null;
    const what = clicked ? under(event) : -1;
    if (what !== -1) choose(what, { move: false });
  });
  canvas.addEventListener("wheel", (event) => { event.preventDefault(); zoom(event.deltaY > 0 ? 1.25 : 0.8, event.clientX - canvas.getBoundingClientRect().left); }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const wide = view.to - view.from, centre = LABELS + width() / 2;
    const does = {
      ArrowLeft: () => look(view.from - wide / 8, view.to - wide / 8), ArrowRight: () => look(view.from + wide / 8, view.to + wide / 8),
      "+": () => zoom(0.7, centre), "=": () => zoom(0.7, centre), "-": () => zoom(1.4, centre), Home: () => look(0, line.scale.length),
      ",": () => neighbour(-1), ".": () => neighbour(1),
    }[event.key];
    if (!does) return;
    event.preventDefault();
    does();
    paint();
  });

  const follow = () => {
    const wanted = /^#t=(\d+)(?::(-?\d+))?$/.exec(location.hash);
    if (!wanted || !timelines[+wanted[1]]) return;
    if (+wanted[1] !== line.number) { which.value = wanted[1]; load(+wanted[1]); resize(); }
    const number = wanted[2] === undefined ? -1 : +wanted[2];
    if (number >= 0 && line.data.spans[number] || number <= -2 && line.data.marks[-2 - number]) choose(number, { keep: false });
    element("timelines").scrollIntoView();
  };
  addEventListener("hashchange", follow);
  readColours();
  load(0);
  resize();
  new ResizeObserver(resize).observe(canvas);
  follow();
  document.documentElement.dataset.ready = "yes";
})();
