"use strict";
// Drawings of one round of a campaign: landscape, line, sequence logo and strip of values.

const drawings = (() => {
  const LETTERS = { A: 6, C: 5, G: 4, T: 7, U: 7 }; // green, blue, orange, pink of the page's --c4, --c5, ...
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  // A canvas as wide as its place, sharp on every screen; the drawing is in CSS pixels.
  function prepare(canvas, height, leastWidth = 0) {
    canvas.style.minWidth = `${leastWidth}px`;
    const width = Math.max(leastWidth, canvas.parentElement.clientWidth);
    const scale = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.height = `${height}px`;
    const pen = canvas.getContext("2d");
    pen.scale(scale, scale);
    pen.font = "12px system-ui, sans-serif";
    return [pen, width];
  }

  // From dark blue for the first round over red to yellow for the last (matplotlib's plasma).
  const RAMP = [[13, 8, 135], [126, 3, 168], [204, 71, 120], [248, 149, 64], [240, 249, 33]];
  function roundColour(round, horizon) {
    if (round === 0) return "#ffffff";
    const place = horizon < 2 ? 0.65 : 0.12 + (0.88 * (round - 1)) / (horizon - 1);
    const at = Math.min(place * (RAMP.length - 1), RAMP.length - 1.001);
    const low = RAMP[Math.floor(at)];
    const high = RAMP[Math.floor(at) + 1];
    return `rgb(${low.map((x, i) => Math.round(x + (high[i] - x) * (at % 1))).join(" ")})`;
  }

  function dot(pen, x, y, row, round, horizon, size = 5) {
    const now = row === round && round > 0;
    pen.beginPath();
    pen.arc(x, y, now ? size + 2 : size, 0, 7);
    pen.fillStyle = roundColour(row, horizon);
    pen.fill();
    pen.lineWidth = now ? 2.5 : 1;
    pen.strokeStyle = now ? colour("--ink") : row === 0 ? "#57606a" : "#ffffff";
    pen.stroke();
    if (now) {
      pen.beginPath();
      pen.arc(x, y, size + 4, 0, 7);
      pen.lineWidth = 1;
      pen.strokeStyle = colour("--card");
      pen.stroke();
    }
  }

  function nice(low, high) {
    const pad = 0.06 * (high - low || Math.abs(high) || 1);
    return [low - pad, high + pad];
  }

  // Labels at a few round numbers, with lines across.
  function valueAxis(pen, low, high, left, right, place) {
    const step = 10 ** Math.floor(Math.log10((high - low) / 2));
    const each = step * ((high - low) / step > 10 ? 5 : (high - low) / step > 4 ? 2 : 1);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (let k = Math.ceil(low / each); k * each <= high; k += 1) {
      const y = place(k * each);
      pen.strokeStyle = colour("--line");
      pen.lineWidth = 1;
      pen.beginPath();
      pen.moveTo(left, y);
      pen.lineTo(right, y);
      pen.stroke();
      pen.fillStyle = colour("--faint");
      pen.fillText(String(parseFloat((k * each).toPrecision(6))).replace("-", "\u2212"), left - 5, y);
    }
  }

  // From the lowest to the highest number of these campaigns, so that they share a scale.
  function range(plays, scene) {
    const numbers = plays.flatMap((play) => [...play.values, ...play.true_values, play.start.best ?? []].flat());
    if (scene && scene.optimum !== null) numbers.push(scene.optimum);
    return nice(Math.min(...numbers), Math.max(...numbers));
  }

  // Two coordinates on the true landscape, the brightest where it is highest.
  function landscape(canvas, view) {
    const { play, scene, round } = view;
    const place = canvas.parentElement.clientWidth;
    const [pen, width] = prepare(canvas, Math.min(place, 420));
    const side = Math.min(width, 420) - 30;
    const { pixels, side: count } = scene.landscape;
    const grey = Uint8Array.from(atob(pixels), (c) => c.charCodeAt(0));
    const image = new ImageData(count, count);
    grey.forEach((value, i) => image.data.set([...shade(value / 255), 255], 4 * i));
    const small = document.createElement("canvas");
    small.width = small.height = count;
    small.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = true;
    pen.drawImage(small, 24, 4, side, side);
    pen.fillStyle = colour("--faint");
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    [-1, 0, 1].forEach((x) => {
      const label = String(x).replace("-", "\u2212");
      pen.fillText(label, Math.min(24 + (side * (x + 1)) / 2, 24 + side - 4), side + 16);
      pen.fillText(label, 12, Math.max(10, 4 + (side * (1 - x)) / 2));
    });
    play.designs.forEach(([x, y], i) => {
      if (play.rounds[i] > round) return;
      dot(pen, 24 + (side * (x + 1)) / 2, 4 + (side * (1 - y)) / 2, play.rounds[i], round, play.horizon);
    });
  }

  const shade = (share) => {
    const level = Math.round(40 + 200 * share);
    return [level, level, level];
  };

  // One coordinate: the true values as a line, the measurements on it.
  function line(canvas, view) {
    const { play, scene, round } = view;
    const [pen, width] = prepare(canvas, 260);
    const truth = scene.landscape.values;
    const [low, high] = nice(Math.min(...truth, ...play.values), Math.max(...truth, ...play.values));
    const across = (x) => 48 + ((width - 60) * (x + 1)) / 2;
    const up = (value) => 8 + (224 * (high - value)) / (high - low);
    valueAxis(pen, low, high, 48, width - 12, up);
    pen.strokeStyle = colour("--faint");
    pen.lineWidth = 1.5;
    pen.beginPath();
    truth.forEach((value, i) => pen.lineTo(across((2 * i) / (truth.length - 1) - 1), up(value)));
    pen.stroke();
    pen.fillStyle = colour("--faint");
    pen.textAlign = "center";
    [-1, 0, 1].forEach((x) => pen.fillText(String(x).replace("-", "\u2212"), across(x), 250));
    play.designs.forEach(([x], i) => {
      if (play.rounds[i] <= round) dot(pen, across(x), up(play.values[i]), play.rounds[i], round, play.horizon);
    });
  }

  // The letters of this round's designs by position, as tall as they are frequent.
  function logo(canvas, view) {
    const { play, round } = view;
    const batch = play.designs.filter((_, i) => play.rounds[i] === round).map(String);
    const length = Math.max(1, ...play.designs.map((design) => String(design).length));
    const [pen, width] = prepare(canvas, 150, 11 * length + 8);
    const cell = Math.min(44, (width - 8) / length);
    pen.textAlign = "center";
    pen.textBaseline = "alphabetic";
    for (let i = 0; i < length; i += 1) {
      const counts = {};
      for (const design of batch) if (design[i]) counts[design[i]] = (counts[design[i]] || 0) + 1;
      let floor = 126;
      for (const [letter, count] of Object.entries(counts).sort((a, b) => a[1] - b[1])) {
        const tall = (116 * count) / batch.length;
        stretched(pen, letter, 4 + cell * i, floor - tall, cell, tall);
        floor -= tall;
      }
      if (length <= 12 || (i + 1) % 5 === 0) {
        pen.fillStyle = colour("--faint");
        pen.font = "11px system-ui, sans-serif";
        pen.fillText(String(i + 1), 4 + cell * (i + 0.5), 144);
      }
    }
    if (!batch.length) {
      pen.fillStyle = colour("--faint");
      pen.textAlign = "left";
      pen.fillText("No designs to show in this round.", 8, 70);
    }
  }

  function stretched(pen, letter, x, y, width, height) {
    pen.save();
    pen.font = "bold 100px system-ui, sans-serif";
    const box = pen.measureText(letter);
    const wide = box.actualBoundingBoxLeft + box.actualBoundingBoxRight || 1;
    const tall = box.actualBoundingBoxAscent + box.actualBoundingBoxDescent || 1;
    pen.translate(x + width / 2, y + height);
    pen.scale((0.9 * width) / wide, (0.96 * height) / tall);
    pen.fillStyle = colour(`--c${LETTERS[letter] ?? 4 + (letter.codePointAt(0) % 14)}`);
    const middle = (box.actualBoundingBoxRight - box.actualBoundingBoxLeft) / 2;
    pen.fillText(letter, -middle, -box.actualBoundingBoxDescent);
    pen.restore();
  }

  // Measured values by round, the best true value so far as a line, the optimum dotted.
  function strip(canvas, view) {
    const { play, scene, round } = view;
    const [pen, width] = prepare(canvas, 190);
    const [low, high] = view.range;
    const across = (at) => 54 + ((width - 66) * (at + 0.5)) / (play.horizon + 1);
    const up = (value) => 8 + (152 * (high - value)) / (high - low);
    valueAxis(pen, low, high, 54, width - 8, up);
    const level = (value, from, to, dashes, ink) => {
      pen.strokeStyle = ink;
      pen.lineWidth = 2;
      pen.setLineDash(dashes);
      pen.beginPath();
      pen.moveTo(across(from), up(value));
      pen.lineTo(across(to), up(value));
      pen.stroke();
      pen.setLineDash([]);
    };
    if (scene && scene.optimum !== null) level(scene.optimum, -0.5, play.horizon + 0.5, [2, 4], colour("--faint"));
    for (let r = 0; r <= round; r += 1) {
      const best = view.best(r);
      if (best !== null) level(best, r - 0.5, r + 0.5, [], colour("--ink"));
    }
    pen.textAlign = "center";
    const skip = Math.ceil((play.horizon + 1) / 14);
    for (let r = 0; r <= play.horizon; r += skip) {
      pen.fillStyle = colour(r === round ? "--ink" : "--faint");
      pen.fillText(r === 0 ? "start" : String(r), across(r), 178);
    }
    for (let r = 0; r <= round; r += 1) {
      const rows = play.rounds.flatMap((each, i) => (each === r ? [i] : []));
      rows.forEach((i, k) => {
        const aside = rows.length < 2 ? 0 : 0.6 * (k / (rows.length - 1) - 0.5);
        dot(pen, across(r + aside), up(play.values[i]), r, round, play.horizon, 4);
      });
    }
  }

  // What to draw above the strip of values, by kind of design space; else what has a landscape.
  const BY_SPACE = { categorical: logo };
  function main(scene) {
    if (!scene) return null;
    if (!scene.landscape) return BY_SPACE[scene.space] ?? null;
    return scene.dim === 1 ? line : landscape;
  }

  return { main, strip, range, roundColour };
})();
