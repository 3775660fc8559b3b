'use strict';
// What every page can do: light or dark, and a tip beside what carries one (data-tip), by mouse, finger or keyboard.
const nt = {
  // Read when it is first asked for: of a long text it is long.
  get result() {
    const value = JSON.parse(document.getElementById('result').textContent);
    Object.defineProperty(nt, 'result', { value });
    return value;
  },

  // "6.43 %", as tables have it.
  percent(p) {
    const x = 100 * p;
    if (x > 0 && x < 0.01) return '<0.01\u00a0%';
    if (x > 99.99 && x < 100) return '>99.99\u00a0%';
    return x.toFixed(2) + '\u00a0%';
  },

  // A token as tables have it: white space as marks, a lone accent on a circle, its id where it has no text.
  name(t) {
    const marks = { ' ': '·', '\n': '↵', '\t': '→', '\r': '\\r', '\u00a0': '⍽' };
    const escape = (c) => {
      const x = c.codePointAt(0), digits = x < 0x80 ? 2 : x < 0x10000 ? 4 : 8;
      return { 2: '\\x', 4: '\\u', 8: '\\U' }[digits] + x.toString(16).padStart(digits, '0');
    };
    if (t.token === null || t.token === undefined || t.token === '') return '#' + t.id;
    return t.token.replace(/[ \n\t\r\u00a0]/g, (c) => marks[c])
      .replace(/^[\u180b-\u180f\ufe00-\ufe0f\u{e0100}-\u{e01ef}]|[\p{C}\p{Z}]/gu, escape).replace(/^\p{M}/u, '◌$&');
  },

  // An element with attributes and children; texts stay texts.
  element(name, attributes = {}, ...children) {
    const e = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) e.setAttribute(key, value);
    e.append(...children);
    return e;
  },
};

(() => {
  const root = document.documentElement, button = document.getElementById('theme');
  const isDark = () => (root.dataset.theme || (matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light')) === 'dark';
  const label = () => { button.textContent = isDark() ? 'Light' : 'Dark'; };
  button.hidden = false;
  button.addEventListener('click', () => { root.dataset.theme = isDark() ? 'light' : 'dark'; label(); });
  label();

  const tip = document.body.appendChild(nt.element('div', { id: 'tip', role: 'tooltip', hidden: '' }));
  let shown = null;
  function hide() {
    if (shown) shown.removeAttribute('aria-describedby');
    shown = null;
    tip.hidden = true;
  }
  // Lines of a tip: words, or a name, a tab and its figure (and a tab and a remark); a percentage gets a bar.
  function fill(text) {
    if (!text.includes('\t')) {
      tip.textContent = text;
      return;
    }
    const rows = nt.element('div', { class: 'rows' });
    for (const line of text.split('\n')) {
      const [name, figure, more = ''] = line.split('\t');
      if (figure === undefined) {
        rows.append(nt.element('span', { class: 'line' }, line + '\n'));
        continue;
      }
      const share = /^[<>]?([\d.]+)\s%$/.exec(figure), rest = nt.element('small');
      if (share) rest.append(nt.element('i', {}, nt.element('b', { style: `width:${share[1]}%` })));
      rest.append(more);
      rows.append(nt.element('span', {}, name + ' '), nt.element('b', {}, figure + ' '), rest);
    }
    tip.replaceChildren(rows);
  }
  function show(target) {
    if (target === shown) return;
    hide();
    if (!target) return;
    shown = target;
    fill(target.dataset.tip);
    target.setAttribute('aria-describedby', 'tip');
    tip.hidden = false;
    const at = target.getBoundingClientRect(), box = tip.getBoundingClientRect();
    const left = Math.min(Math.max(8, at.left + at.width / 2 - box.width / 2), innerWidth - box.width - 8);
    const below = at.bottom + 8 + box.height < innerHeight || at.top < box.height + 8;
    tip.style.left = left + scrollX + 'px';
    tip.style.top = (below ? at.bottom + 8 : at.top - box.height - 8) + scrollY + 'px';
  }
  const carrier = (event) => (event.target.closest ? event.target.closest('[data-tip]') : null);
  document.addEventListener('pointerover', (event) => show(carrier(event)));
  document.addEventListener('focusin', (event) => show(carrier(event)));
  document.addEventListener('focusout', hide);
  document.addEventListener('click', (event) => show(carrier(event)));
  document.addEventListener('keydown', (event) => { if (event.key === 'Escape') hide(); });
  addEventListener('resize', hide);
})();
