// The tree of a search: what it shows, how it is folded, walking it by keys. The boxes come as parts, one a token;
// tree_layout.js puts them together and says where they stand.
(() => {
  const svg = document.querySelector('svg.tree'), space = svg.namespaceURI, bar = document.getElementById('treebar');
  const { BOX, PAD, GAP, LEFT, TOP, RUN } = lanes;
  const SAID = ['share', 'sum', 'fate', 'end2'];
  const nodes = [...document.getElementById('treeparts').content.querySelectorAll('.node')].map((part, i) => {
    const text = (name) => part.querySelector('.' + name)?.textContent || '';
    return {
      i, part, branch: part.classList[1], parent: Number(part.dataset.parent), detail: Number(part.dataset.detail), step: Number(part.dataset.step),
      columns: Number(part.dataset.columns), prob: Number(part.dataset.prob) || 0, ends: 'ends' in part.dataset, drawn: 'drawn' in part.dataset, tip: part.dataset.tip,
      ...Object.fromEntries(SAID.map((name) => [name, text(name)])),
    };
  });
  const isShown = (n) => (glance ? n.drawn : n.detail <= detail);
  let detail = Number(svg.dataset.detail), glance = bar.querySelector('[aria-pressed="true"]').dataset.detail === '0', folding = document.getElementById('treefold').getAttribute('aria-pressed') === 'true';
  const open = new Set(); // heads of runs that were unfolded
  let boxes = [], at = 0;

  // ---- Drawing ----

  function make(name, attributes, parent, text) {
    const e = document.createElementNS(space, name);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    if (text !== undefined) e.textContent = text;
    parent.append(e);
    return e;
  }

  function tipOf(box) {
    if (!box.run) return box.first.tip;
    const lines = box.list.slice(0, 24).map((n) => `${n.step}  ${nameOf([n])}  ${n.share}  ${n.sum}`);
    if (box.list.length > 24) lines.push(`${box.list.length - 24} more`);
    const told = box.last.tip.split('\n').filter((line) => !/^(probability|after|  )/.test(line)).slice(1);
    return [`${box.list.length} tokens without a fork`, ...lines, ...told].join('\n');
  }

  const nameOf = (list) => list.map((n) => n.part.querySelector('.tok').textContent).join('');

  function putTokens(box, parent) {
    const text = make('text', { class: 'mono tok', x: PAD, y: 16 }, parent);
    let room = box.run ? RUN : Infinity;
    for (const n of box.list) {
      if (n.columns > room) {
        make('tspan', { class: 'mark' }, text, '…');
        break;
      }
      room -= n.columns;
      text.append(...[...n.part.querySelector('.tok').childNodes].map((c) => c.cloneNode(true)));
    }
  }

  function putBox(box) {
    const { last, width, field } = box, inner = width - field;
    const fate = last.branch === 'removed' ? 'removed by ' + last.fate : last.fate;
    const said = [nameOf(box.list), box.share, last.sum, fate, last.end2].filter(Boolean).join(', ');
    const g = make('g', {
      class: `node ${last.branch}${box.run ? ' run' : ''}`, transform: `translate(${box.x} ${box.y})`, role: 'treeitem', tabindex: -1,
      'aria-level': box.level, 'aria-label': said, 'data-tip': tipOf(box),
    }, svg);
    const siblings = box.parent ? box.parent.kids : boxes.filter((b) => !b.parent);
    g.setAttribute('aria-posinset', siblings.indexOf(box) + 1);
    g.setAttribute('aria-setsize', siblings.length);
    if (box.run || open.has(box.first.i)) g.setAttribute('aria-expanded', !box.run);
    make('rect', { class: 'box', width, height: BOX, rx: 6 }, g);
    putTokens(box, g);
    make('text', { class: 'share', x: PAD, y: 31 }, g, box.share);
    if (last.sum) make('text', { class: 'end sum', x: inner - PAD, y: 31 }, g, last.sum);
    if (!field && last.fate) make('text', { class: 'end fate', x: width - PAD, y: last.sum ? 16 : 31 }, g, last.fate);
    if (field) {
      make('rect', { class: 'divide', x: inner, y: 6, width: 1, height: BOX - 12 }, g);
      make('text', { class: 'fate', x: inner + PAD, y: 16 }, g, last.fate);
      make('text', { class: 'end2', x: inner + PAD, y: 31 }, g, last.end2);
    }
    box.element = g;
  }

  function putEdge(box) {
    const above = box.parent, x = above ? above.x + above.width : LEFT - GAP, y = (above ? above.y : TOP) + BOX / 2, end = box.y + BOX / 2;
    const d = y === end ? `M${x} ${y}L${box.x} ${end}` : `M${x} ${y}C${x + 0.6 * GAP} ${y} ${box.x - 0.6 * GAP} ${end} ${box.x} ${end}`;
    box.edge = make('path', { class: `edge ${box.first.branch}`, 'stroke-width': Math.max(1, 7 * Math.sqrt(Math.min(1, box.first.prob))), d, 'aria-hidden': true }, svg);
  }

  function draw(keep) {
    const { columns, steps, width, height, ...made } = lanes.make(nodes, isShown, folding, open);
    boxes = made.boxes;
    svg.replaceChildren();
    svg.setAttribute('width', width);
    svg.setAttribute('height', height);
    svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    for (let c = 0, free = 0; c < steps; c++) {
      if (LEFT + columns[c] < free) continue;
      make('text', { class: 'title', x: LEFT + columns[c], y: TOP - 12, 'aria-hidden': true }, svg, c === 0 ? 'step 0' : String(c));
      free = LEFT + columns[c] + (c === 0 ? 78 : 26);
    }
    [...boxes].reverse().forEach(putEdge);
    make('circle', { class: 'root', r: 6, cx: LEFT - GAP, cy: TOP + BOX / 2 }, svg);
    boxes.forEach(putBox);
    at = Math.max(0, boxes.findIndex((b) => b.list.some((n) => n.i === keep)));
    if (boxes[at]) boxes[at].element.setAttribute('tabindex', 0);
    const missing = Number(document.getElementById('treeleft').dataset.most || 0) - nodes.filter((n) => isShown(n) && n.detail < 4).length;
    document.getElementById('treeleft').textContent = missing > 0 ? `${missing.toLocaleString('en-US')} more beams are not shown` : '';
  }

  // ---- Walking ----

  const hint = document.getElementById('treepath').textContent;
  document.getElementById('treepath').hidden = false;

  const boxOf = (element) => boxes.find((b) => b.element === element);

  // The way to a box, and what it reads.
  function show(box) {
    svg.classList.toggle('walk', Boolean(box));
    svg.querySelectorAll('.way').forEach((e) => e.classList.remove('way'));
    const path = document.getElementById('treepath');
    path.classList.toggle('mono', Boolean(box));
    path.textContent = hint;
    if (!box) return;
    let text = '';
    for (let b = box; b; b = b.parent) {
      b.element.classList.add('way');
      b.edge.classList.add('way');
      text = nameOf(b.list) + text;
    }
    path.textContent = text.length > 90 ? '…' + [...text].slice(-89).join('') : text;
  }

  function focus(box) {
    if (!box) return;
    boxes[at]?.element.setAttribute('tabindex', -1);
    at = box.number;
    box.element.setAttribute('tabindex', 0);
    box.element.focus({ preventScroll: true });
    box.element.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  // The nearest box above or below that stands in one of the same columns.
  function beside(box, down) {
    const there = boxes.filter((b) => b !== box && b.from < box.to && b.to > box.from && (down ? b.row > box.row : b.row < box.row));
    there.sort((a, b) => (down ? a.row - b.row : b.row - a.row) || a.from - b.from);
    return there[0];
  }

  function toggle(box) {
    const head = box.run || open.has(box.first.i) ? box.first.i : null;
    if (head === null) return false;
    if (!open.delete(head)) open.add(head);
    draw(head);
    focus(boxes[at]);
    return true;
  }

  const keys = {
    ArrowRight: (b) => b.kids[0],
    ArrowLeft: (b) => b.parent,
    ArrowDown: (b) => beside(b, true),
    ArrowUp: (b) => beside(b, false),
    Home: () => boxes[0],
    End: (b) => { while (b.kids[0]) b = b.kids[0]; return b; },
  };

  svg.addEventListener('keydown', (event) => {
    const box = boxOf(event.target.closest('.node'));
    if (!box || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Escape') show(null);
    const enter = event.key === 'Enter' || event.key === ' ';
    if (!enter && !(event.key in keys)) return;
    event.preventDefault();
    if (enter) toggle(box);
    else focus(keys[event.key](box));
  });
  svg.addEventListener('focusin', (event) => show(boxOf(event.target.closest('.node'))));
  svg.addEventListener('focusout', () => show(null));
  svg.addEventListener('pointerover', (event) => {
    if (!svg.contains(document.activeElement)) show(boxOf(event.target.closest('.node')) || null);
  });
  svg.addEventListener('pointerleave', () => { if (!svg.contains(document.activeElement)) show(null); });
  svg.addEventListener('click', (event) => {
    const box = boxOf(event.target.closest('.node'));
    if (!box) return;
    if (toggle(box)) event.stopPropagation(); // what was clicked is gone: the tip is that of the box in focus
    else focus(box);
  });

  // ---- The bar ----

  const press = (button, on) => button.setAttribute('aria-pressed', on);
  const buttons = [...bar.querySelectorAll('[data-detail]')];
  for (const button of buttons) {
    const wanted = Number(button.dataset.detail), adds = nodes.some((n) => n.detail === wanted);
    button.hidden = wanted > 1 && !adds;
    button.addEventListener('click', () => {
      detail = wanted;
      glance = wanted === 0;
      buttons.forEach((b) => press(b, b === button));
      draw(0);
    });
  }
  document.getElementById('treefold').addEventListener('click', (event) => {
    folding = !folding;
    open.clear();
    press(event.currentTarget, folding);
    draw(0);
  });
  document.getElementById('treefit').addEventListener('click', (event) => {
    press(event.currentTarget, svg.parentElement.classList.toggle('fit'));
  });
  bar.hidden = false;
  draw(0);
})();
