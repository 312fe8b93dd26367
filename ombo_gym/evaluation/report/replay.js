"use strict";
// The replay of recorded campaigns: choices, steps, and one board per policy.

(() => {
  const place = document.getElementById("replay");
  if (!place) return;
  const { scenes, plays } = JSON.parse(document.getElementById("replays").textContent);
  const choose = Object.fromEntries(Array.from(place.querySelectorAll("select"), (s) => [s.name, s]));
  const buttons = Object.fromEntries(
    Array.from(place.querySelectorAll("button"), (button) => [button.dataset.step, button]),
  );
  const slider = place.querySelector("input");
  const status = place.querySelector("output");
  const boards = place.querySelector(".boards");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const told = (play) => (play.told_horizon === "one" ? " (told 1)" : "");
  const NAMES = {
    problem: (play) => play.problem,
    setting: (play) => `${play.utility}, N = ${play.horizon}, q = ${play.batch}`,
    campaign: (play) => String(play.campaign),
    first: (play) => play.policy + told(play),
    second: (play) => play.policy + told(play),
  };
  let views = [];
  let timer = null;

  // Fills a list and keeps what was chosen, where that is still there.
  function fill(name, rows, extra = []) {
    const before = choose[name].value;
    const names = [...extra, ...new Set(rows.map(NAMES[name]))];
    choose[name].replaceChildren(...names.map((text) => new Option(text, text)));
    if (names.includes(before)) choose[name].value = before;
    return rows.filter((row) => NAMES[name](row) === choose[name].value);
  }

  function element(tag, words = "", kind = "") {
    const made = document.createElement(tag);
    made.textContent = words;
    if (kind) made.className = kind;
    return made;
  }

  function viewOf(play) {
    const scene = scenes.find(
      (each) =>
        each.env === play.env && each.env_kwargs === play.env_kwargs && each.campaign === play.campaign,
    );
    const best = (round) => {
      const seen = play.true_values.filter((_, i) => play.rounds[i] <= round);
      if (play.start.best !== null) seen.push(play.start.best);
      return seen.length ? Math.max(...seen) : null;
    };
    const board = element("figure");
    const title = element("h3");
    title.append(element("code", play.policy), told(play));
    board.append(title);
    const draw = drawings.main(scene);
    const canvases = [];
    for (const drawn of draw ? [draw, drawings.strip] : [drawings.strip]) {
      const canvas = element("canvas");
      canvas.setAttribute("role", "img");
      const scroll = element("div", "", "scroll");
      scroll.append(canvas);
      board.append(scroll);
      canvases.push([canvas, drawn]);
    }
    const words = element("figcaption", "", "caption");
    const table = element("div", "", "table");
    table.tabIndex = 0;
    table.setAttribute("role", "region");
    board.append(legend(play, scene), words, table);
    boards.append(board);
    return { play, scene, best, canvases, words, table, round: 0 };
  }

  function legend(play, scene) {
    const made = element("div", "", "legend");
    const shown = play.horizon > 8 ? [0, 1, play.horizon] : Array.from({ length: play.horizon + 1 }, (_, r) => r);
    for (const round of shown) {
      const item = element("span");
      const mark = element("i");
      mark.style.background = drawings.roundColour(round, play.horizon);
      item.append(mark, round === 0 ? "start" : `round ${round}`);
      made.append(item);
    }
    made.append(element("span", "line: best true value so far"));
    if (scene && scene.optimum !== null) made.append(element("span", "dots: optimum"));
    if (scene && scene.landscape && scene.dim === 2) {
      const { low, high } = scene.landscape;
      made.append(element("span", `grey: true value, dark ${number(low)} to bright ${number(high)}`));
    }
    return made;
  }

  const number = (value) => String(parseFloat(value.toPrecision(4))).replace("-", "\u2212");
  const design = (value) => (Array.isArray(value) ? `(${value.map(number).join(", ")})` : String(value));

  function show(view, round) {
    const { play } = view;
    view.round = Math.min(round, play.horizon);
    const rows = play.rounds.flatMap((each, i) => (each === view.round ? [i] : []));
    const name = view.round === 0 ? "the start" : `round ${view.round} of ${play.horizon}`;
    const best = view.best(view.round);
    const left = view.round === 0 && play.start.size > rows.length ? ` ${play.start.size} designs, not listed.` : "";
    const end = view.round === play.horizon ? ` The campaign is worth ${number(play.value)}.` : "";
    view.words.textContent =
      `${name[0].toUpperCase()}${name.slice(1)}: ` +
      (best === null ? "nothing measured yet." : `best true value so far ${number(best)}.`) + left + end;
    for (const [canvas, draw] of view.canvases) {
      const kind = draw === drawings.strip ? "Values by round" : "Designs";
      canvas.setAttribute("aria-label", `${kind} of ${play.policy}${told(play)} up to ${name}; the table below lists this round`);
      draw(canvas, view);
    }
    view.table.setAttribute("aria-label", `Designs of ${play.policy}${told(play)}, ${name}`);
    view.table.replaceChildren();
    if (!rows.length) return;
    const table = element("table");
    const head = table.createTHead().insertRow();
    for (const title of ["design", "measured", "true value"]) {
      const cell = element("th", title, title === "design" ? "t" : "");
      cell.scope = "col";
      head.append(cell);
    }
    const body = table.createTBody();
    for (const i of rows) {
      const row = body.insertRow();
      row.append(element("td", design(play.designs[i]), "design"));
      row.append(element("td", number(play.values[i])), element("td", number(play.true_values[i])));
    }
    view.table.append(table);
  }

  const last = () => Math.max(...views.map((view) => view.play.horizon));

  function go(round) {
    slider.value = Math.max(0, Math.min(round, last()));
    const now = Number(slider.value);
    const words = now === 0 ? "the start" : `round ${now} of ${last()}`;
    slider.setAttribute("aria-valuetext", words);
    status.textContent = words;
    buttons.first.disabled = buttons.back.disabled = now === 0;
    buttons.forward.disabled = now === last();
    for (const view of views) show(view, now);
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    buttons.play.textContent = "Play";
    buttons.play.setAttribute("aria-pressed", "false");
  }

  function start() {
    if (Number(slider.value) === last()) go(0);
    buttons.play.textContent = "Pause";
    buttons.play.setAttribute("aria-pressed", "true");
    timer = setInterval(() => {
      go(Number(slider.value) + 1);
      if (Number(slider.value) === last()) stop();
    }, 1000);
  }

  function restart(round) {
    stop();
    const setting = fill("setting", fill("problem", plays));
    const rows = fill("campaign", setting);
    const chosen = fill("first", rows);
    const beside = fill("second", rows, ["nobody"]);
    boards.replaceChildren();
    views = [chosen[0], ...beside.slice(0, 1)].map(viewOf);
    const range = drawings.range(views.map((view) => view.play), views[0].scene);
    for (const view of views) view.range = range;
    slider.max = last();
    go(round);
  }

  place.addEventListener("change", (event) => {
    const { tagName, name } = event.target;
    if (tagName === "SELECT") restart(name === "first" || name === "second" ? Number(slider.value) : 0);
  });
  slider.addEventListener("input", () => {
    stop();
    go(Number(slider.value));
  });
  const steps = {
    first: () => go(0),
    back: () => go(Number(slider.value) - 1),
    forward: () => go(Number(slider.value) + 1),
  };
  for (const [name, button] of Object.entries(buttons)) {
    button.addEventListener("click", () => {
      const playing = timer !== null;
      stop();
      if (name === "play") playing || start();
      else steps[name]();
    });
  }
  boards.parentElement.addEventListener("keydown", (event) => {
    if (/^(SELECT|INPUT)$/.test(event.target.tagName) || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowRight: steps.forward, ArrowLeft: steps.back, Home: steps.first }[event.key];
    if (!step || event.target.closest(".table")) return;
    event.preventDefault();
    stop();
    step();
  });
  const quiet = () => {
    buttons.play.hidden = calm.matches; // nothing moves by itself where that is not wanted
    if (calm.matches) stop();
  };
  calm.addEventListener("change", quiet);
  quiet();
  const redraw = () => views.forEach((view) => show(view, view.round));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => restart(Number(slider.value)));
  let width = 0;
  place.hidden = false;
  restart(0);
  new ResizeObserver(() => {
    if (boards.clientWidth === width) return;
    width = boards.clientWidth;
    redraw();
  }).observe(boards);
})();
