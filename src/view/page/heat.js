// The heat map: what the colours show, classes alone, histograms that follow, and a way through the text by keys.
(() => {
  const heat = document.querySelector('.heat');
  if (!heat) return;
  const flows = Object.fromEntries(['token', 'word'].map((unit) => [unit, [...heat.querySelectorAll(`.flow.${unit} > .c`)]]));
  const pieces = () => flows[heat.dataset.unit];
  const bars = () => [...heat.querySelectorAll(`.hists.${heat.dataset.unit} .bars`)];
  const bins = (piece) => (piece.dataset.h ? piece.dataset.h.split(',').map(Number) : null);
  let only = null;

  // The full part of each bar: pieces of the class that is shown alone.
  function follow() {
    const shown = bars().map((bar) => [...bar.children].map(() => 0));
    for (const piece of pieces()) {
      const off = only !== null && !piece.classList.contains(only), at = bins(piece);
      piece.classList.toggle('off', off);
      if (at && !off) at.forEach((bin, i) => { shown[i][bin] += 1; });
    }
    bars().forEach((bar, i) => [...bar.children].forEach((column, bin) => {
      column.firstChild.style.height = (+column.dataset.n ? 100 * shown[i][bin] / column.dataset.n : 0) + '%';
    }));
    for (const button of heat.querySelectorAll('.legend button')) button.setAttribute('aria-pressed', button.dataset.class === only);
  }

  function point(piece) {
    const at = piece && bins(piece);
    bars().forEach((bar, i) => [...bar.children].forEach((column, bin) => column.classList.toggle('at', !!at && at[i] === bin)));
  }

  function set(name, value) {
    heat.dataset[name] = value;
    for (const button of heat.querySelectorAll(`.tools [data-${name}]`)) button.setAttribute('aria-pressed', button.dataset[name] === value);
    only = null;
    for (const list of Object.values(flows)) for (const piece of list) piece.classList.remove('off');
    follow();
  }

  heat.addEventListener('click', (event) => {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.measure) set('measure', button.dataset.measure);
    if (button.dataset.unit) set('unit', button.dataset.unit);
    if (!button.dataset.class) return;
    only = only === button.dataset.class ? null : button.dataset.class;
    follow();
  });

  // One stop for the tab key; from there arrows go on, up and down by lines.
  function go(piece) {
    const from = heat.querySelector(`.flow.${heat.dataset.unit} [tabindex="0"]`);
    if (from) from.tabIndex = -1;
    piece.tabIndex = 0;
    piece.focus();
  }
  function line(list, i, step) {
    const start = list[i].getBoundingClientRect(), x = start.left;
    let best = i, y = null;
    for (let k = i + step; k >= 0 && k < list.length; k += step) {
      const box = list[k].getClientRects()[0];
      if (!box || Math.abs(box.top - start.top) < 4) continue;
      if (y === null) y = box.top;
      if (Math.abs(box.top - y) > 4) break;
      if (best === i || Math.abs(box.left - x) < Math.abs(list[best].getClientRects()[0].left - x)) best = k;
    }
    return best;
  }
  heat.addEventListener('keydown', (event) => {
    const list = pieces(), i = list.indexOf(event.target);
    if (i < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    const rtl = getComputedStyle(event.target).direction === 'rtl' ? -1 : 1;
    const to = { ArrowRight: i + rtl, ArrowLeft: i - rtl, Home: 0, End: list.length - 1 }[event.key]
      ?? (event.key === 'ArrowDown' ? line(list, i, 1) : event.key === 'ArrowUp' ? line(list, i, -1) : null);
    if (to === null || !list[to]) return;
    event.preventDefault();
    go(list[to]);
  });

  heat.addEventListener('pointerover', (event) => point(event.target.closest('.flow .c')));
  heat.addEventListener('focusin', (event) => point(event.target.closest('.flow .c')));
  for (const list of Object.values(flows)) list.forEach((piece, i) => { piece.tabIndex = i ? -1 : 0; });
  for (const hidden of heat.querySelectorAll('.tools, .help')) hidden.hidden = false;
})();
