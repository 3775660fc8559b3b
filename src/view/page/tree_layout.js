// Which boxes a tree has and where they stand: what tree.c folds, svg_tree.c measures and tree_layout.c lays out, once more
// for what a reader filters, folds and unfolds. tests/cli/test_pages.py holds the two to each other.
const lanes = (() => {
  const ROW = 44, BOX = 38, PAD = 8, BETWEEN = 12, GAP = 30, STEP = 16, STEPS = 1600, LEFT = 61, TOP = 38, RIGHT = 24, RUN = 64, TOKEN = 26;

  // nodes: one a token, parents before their children; open: heads of runs that are not folded.
  function fold(nodes, isShown, folding, open) {
    const shown = nodes.map(isShown);
    const kids = nodes.map(() => 0);
    for (const n of nodes) if (shown[n.i] && n.parent >= 0) kids[n.parent]++;
    const of = [], boxes = [];
    for (const n of nodes) {
      if (!shown[n.i]) continue;
      const above = n.parent < 0 ? null : boxes[of[n.parent]];
      const parent = nodes[n.parent];
      if (folding && above && kids[n.parent] === 1 && !parent.ends && parent.branch === n.branch && !open.has(above.list[0].i)) {
        above.list.push(n);
        of[n.i] = of[n.parent];
        continue;
      }
      of[n.i] = boxes.length;
      const box = { list: [n], parent: above, kids: [], level: above ? above.level + 1 : 1, number: boxes.length };
      if (above) above.kids.push(box);
      boxes.push(box);
    }
    return boxes;
  }

  const wide = (text) => 6.4 * text.length, bold = (text) => 7 * text.length;
  function measure(box) {
    const first = box.list[0], last = box.list[box.list.length - 1];
    box.first = first;
    box.last = last;
    box.from = first.step;
    box.to = last.step + 1;
    box.run = box.list.length > 1;
    box.share = box.run ? box.list.length.toLocaleString('en-US') + ' tokens' : first.share;
    const columns = Math.min(box.run ? RUN : TOKEN, box.list.reduce((sum, n) => sum + n.columns, 0));
    box.field = last.end2 ? 2 * PAD + Math.max(bold(last.fate), wide(last.end2)) : 0;
    const fate = !box.field && last.fate ? BETWEEN + bold(last.fate) : 0;
    const above = 7.85 * columns + (last.sum ? fate : 0), below = wide(box.share) + (last.sum ? BETWEEN + wide(last.sum) : fate);
    box.wanted = Math.ceil(2 * PAD + Math.max(above, below) + box.field);
  }

  // A box and its first child, and its first child, ... into the first row that is free below all that stands in their columns.
  function place(box, taken) {
    let row = 0, last = box;
    for (let b = box; b; b = b.kids[0]) {
      for (let c = b.from; c < b.to; c++) row = Math.max(row, taken[c]);
      last = b;
    }
    for (let b = box; b; b = b.kids[0]) {
      taken.fill(row + 1, b.from, b.to);
      b.row = row;
    }
    return last;
  }

  function layOut(boxes) {
    const steps = boxes.reduce((most, b) => Math.max(most, b.to), 0), taken = new Array(steps).fill(0), columns = [0];
    const roots = boxes.filter((b) => !b.parent);
    for (const list of [roots, ...boxes.map((b) => b.kids)]) list.forEach((b, i) => { b.next = list[i + 1]; });
    for (let b = boxes.length ? place(boxes[0], taken) : null; b;) b = b.next ? place(b.next, taken) : b.parent;
    const ending = Array.from({ length: steps }, () => []);
    for (const b of boxes) ending[b.to - 1].push(b);
    const least = Math.min(STEP, STEPS / Math.max(1, steps));
    for (let c = 0; c < steps; c++)
      columns.push(ending[c].reduce((end, b) => Math.max(end, columns[b.from] + b.wanted + GAP), columns[c] + least));
    for (const b of boxes) {
      b.x = LEFT + columns[b.from];
      b.y = TOP + ROW * b.row;
      b.width = columns[b.to] - GAP - columns[b.from];
    }
    const rows = taken.reduce((most, n) => Math.max(most, n), 1);
    return { boxes, columns, steps, width: Math.ceil(LEFT + columns[steps] - GAP + RIGHT), height: TOP + ROW * rows };
  }

  function make(nodes, isShown, folding, open) {
    const boxes = fold(nodes, isShown, folding, open);
    boxes.forEach(measure);
    return layOut(boxes);
  }
  return { make, BOX, PAD, GAP, LEFT, TOP, RUN };
})();
