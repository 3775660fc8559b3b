// Inside the model: what the cells are shaded by, their candidates, a way through them by keys; heads, and one row or column of
// attention alone.
(() => {
  const inside = document.querySelector('.inside');
  if (!inside) return;
  const { name } = nt;
  const press = (buttons, on) => buttons.forEach((b) => b.setAttribute('aria-pressed', b === on));
  for (const hidden of inside.querySelectorAll('.tools, .help')) hidden.hidden = false;

  const layers = inside.querySelector('.layers');
  if (layers) {
    const rows = [...layers.querySelectorAll('tbody tr')].map((tr) => [...tr.querySelectorAll('td')]);
    const first = +layers.dataset.first, last = rows.length - 1;
    const place = (td) => {
      const i = rows.findIndex((row) => row[0].parentNode === td.parentNode);
      return [i, rows[i].indexOf(td)];
    };
    const cell = (i, k) => nt.result.layers[last - i][first + k];
    const figures = {
      p: (c) => nt.percent(c.likeliest[0].prob),
      e: (c) => c.entropy.toFixed(2) + ' ' + layers.dataset.unit,
      r: (c) => 'rank ' + c.next_rank.toLocaleString('en'),
    };
    layers.querySelector('.tools').addEventListener('click', (event) => {
      const button = event.target.closest('[data-shade]');
      if (!button) return;
      const mode = layers.dataset.shade = button.dataset.shade;
      press([...layers.querySelectorAll('.tools button')], button);
      rows.forEach((row, i) => row.forEach((td, k) => { td.querySelector('small').textContent = figures[mode](cell(i, k)); }));
    });

    // Tips are written when they are first asked for: there may be thousands.
    function tip(td) {
      if (!td || td.dataset.tip) return;
      const [i, k] = place(td), c = cell(i, k), t = first + k, next = nt.result.next[t];
      const title = (last - i ? 'block ' + (last - i - 1) : 'embedding') + ', behind ' + name({ id: nt.result.ids[t], token: nt.result.tokens[t] });
      const lines = c.likeliest.map((l) => `${name(l)}\t${nt.percent(l.prob)}${l.id === next.id ? '\tcomes next' : ''}`);
      const ends = t + 1 === nt.result.ids.length;
      lines.push('', `entropy\t${c.entropy.toFixed(3)}\t${layers.dataset.unit}`,
        `${ends ? 'final answer' : 'what comes next'} ${name(next)}\t${nt.percent(c.next_prob)}`, `its rank\t${c.next_rank.toLocaleString('en')}`);
      td.dataset.tip = title + '\n' + lines.join('\n');
    }
    for (const type of ['pointerover', 'focusin', 'click'])
      layers.addEventListener(type, (event) => tip(event.target.closest('td.w')));
    layers.addEventListener('keydown', (event) => {
      const td = event.target.closest('td.w');
      if (!td || event.ctrlKey || event.metaKey || event.altKey) return;
      const [i, k] = place(td), n = rows[0].length;
      const to = { ArrowRight: [i, k + 1], ArrowLeft: [i, k - 1], ArrowDown: [i + 1, k], ArrowUp: [i - 1, k], Home: [i, 0], End: [i, n - 1] }[event.key];
      const target = to && rows[to[0]] && rows[to[0]][to[1]];
      if (!to) return;
      event.preventDefault();
      if (!target) return;
      td.tabIndex = -1;
      target.tabIndex = 0;
      target.focus();
    });
    const grid = layers.querySelector('.grid'); // the end of the text is what was asked about
    grid.scrollLeft = grid.scrollWidth;
  }

  const attention = inside.querySelector('.attention'), data = attention && attention.querySelector('.heads');
  if (!attention) return;
  if (!data) { attention.querySelector('.tools').hidden = true; return; }
  const heads = JSON.parse(data.textContent), first = +attention.dataset.first;
  const pair = attention.querySelector('.pair'), skip = attention.querySelector('.skip'), which = attention.querySelector('.which');
  const cells = [...pair.querySelectorAll('.w, .none')], curves = [...pair.querySelectorAll('.arc')];
  const names = nt.result.tokens.map((token, i) => name({ id: nt.result.ids[i], token }));
  let head = 0;
  // null: the first token, where it is left out.
  function share(t, s) {
    const row = heads[head][t - first], w = row[1 + s - first];
    if (!skip.checked) return w;
    if (s === 0) return null;
    return row[0] < 1 ? Math.min(1, w / (1 - row[0])) : 0;
  }
  const depth = (p) => (p > 0 ? p ** 0.6 : 0);
  function draw() {
    for (const e of cells) {
      const p = share(+e.dataset.t, +e.dataset.s);
      e.setAttribute('class', p === null ? 'none' : 'w');
      e.setAttribute('fill-opacity', p === null ? 0 : depth(p));
      const t = +e.dataset.t, s = +e.dataset.s;
      e.dataset.tip = p === null ? 'left out: the first token' : `${names[t]}, position ${t}\nlooks at ${names[s]}\t${nt.percent(p)}`;
    }
    for (const e of curves) {
      const p = share(+e.dataset.t, +e.dataset.s) || 0;
      e.setAttribute('stroke-width', 0.6 + 5 * p);
      e.setAttribute('stroke-opacity', 0.9 * depth(p));
    }
  }
  attention.addEventListener('click', (event) => {
    const button = event.target.closest('[data-head]');
    if (!button) return;
    head = +button.dataset.head;
    press([...attention.querySelectorAll('[data-head]')], button);
    const layer = nt.result.attention.layer;
    which.textContent = head ? `layer ${layer}, head ${button.textContent}` : `layer ${layer}, mean of its heads`;
    draw();
  });
  skip.addEventListener('change', draw);

  // One row, or one column, alone: what is pointed at, or has the focus.
  function alone(place) {
    pair.classList.toggle('only', !!place);
    const is = (e) => place && (place.t === undefined || +e.dataset.t === place.t) && (place.s === undefined || +e.dataset.s === place.s);
    for (const e of [...cells, ...curves]) e.classList.toggle('off', !!place && !is(e));
    for (const e of pair.querySelectorAll('g.row, g.key')) {
      const t = +e.dataset.t, s = +e.dataset.s, row = e.classList.contains('row');
      const on = place && (place.t !== undefined ? (row ? t === place.t : s <= place.t && share(place.t, s) >= 0.1) : (row ? t >= place.s && share(t, place.s) >= 0.1 : s === place.s));
      e.classList.toggle('on', !!on);
    }
  }
  const placeOf = (target) => {
    if (!target.closest) return null;
    const key = target.closest('g.key'), row = target.closest('g.row');
    if (target.closest('rect')) { const e = target.closest('rect'); return { t: +e.dataset.t }; }
    return key ? { s: +key.dataset.s } : row ? { t: +row.dataset.t } : null;
  };
  pair.addEventListener('pointerover', (event) => alone(placeOf(event.target)));
  pair.addEventListener('pointerleave', () => alone(null));
  pair.addEventListener('focusin', (event) => alone(placeOf(event.target)));
  pair.addEventListener('focusout', () => alone(null));
  pair.addEventListener('click', (event) => alone(placeOf(event.target)));
  const stops = [...pair.querySelectorAll('.curves g.row'), ...pair.querySelectorAll('.curves g.key')];
  stops.forEach((g, i) => {
    g.setAttribute('tabindex', i ? -1 : 0);
    g.setAttribute('role', 'img');
  });
  function label(g) {
    const row = g.classList.contains('row'), n = names.length;
    const at = +(row ? g.dataset.t : g.dataset.s);
    const list = [];
    for (let i = first; i < first + heads[head].length && i < n; i++) {
      const p = row ? (i <= at ? share(at, i) : null) : (i >= at ? share(i, at) : null);
      if (p !== null && p >= 0.005) list.push([names[i], p]);
    }
    list.sort((a, b) => b[1] - a[1]);
    return `${names[at]} ${row ? 'looks at' : 'is looked at by'}\n` + list.slice(0, 8).map(([a, p]) => `${a}\t${nt.percent(p)}`).join('\n');
  }
  const told = (event) => {
    const g = event.target.closest && event.target.closest('g.row, g.key');
    if (!g || event.target.closest('rect')) return;
    g.dataset.tip = label(g);
    g.setAttribute('aria-label', g.dataset.tip.replace(/\t/g, ' ').replace(/\n/g, ', '));
  };
  for (const type of ['pointerover', 'focusin', 'click']) pair.addEventListener(type, told);
  pair.addEventListener('keydown', (event) => {
    const i = stops.indexOf(event.target), n = stops.length / 2;
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const side = i < n ? 0 : n;
    const to = { ArrowDown: Math.min(i + 1, side + n - 1), ArrowUp: Math.max(i - 1, side), ArrowRight: (i % n) + n, ArrowLeft: i % n, Home: side, End: side + n - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    stops[i].setAttribute('tabindex', -1);
    stops[to].setAttribute('tabindex', 0);
    stops[to].focus();
  });
  draw();
})();
