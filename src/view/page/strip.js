'use strict';
(() => {
  const place = document.getElementById('strip');
  const given = JSON.parse(place.dataset.options);
  const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
  const raw = floats(place.dataset.logits), base = place.dataset.processed ? floats(place.dataset.processed) : raw;
  const tokens = [...nt.result.next, ...(nt.result.demoted || [])].sort((a, b) => a.rank - b.rank);
  const shown = new Set(tokens.map((t) => t.id));
  const before = warp.softmax(raw);
  const options = { ...given };
  let u = 0.5;

  const { name } = nt;
  const dashed = (option) => option.replace(/_/g, '-');
  const figure = (x, digits = 4) => (x === -Infinity ? '−∞' : x.toFixed(digits).replace('-', '−'));
  const short = (x) => String(Number(x.toPrecision(4)));

  // ---- What can be moved ----

  const log = { to: (s) => 10 ** s, from: Math.log10 };
  const plain = { to: (s) => s, from: (v) => v };
  const knobs = {
    temperature: { min: -1.3, max: 0.7, step: 0.01, off: 1, scale: log },
    top_k: { min: 0, max: Math.log10(raw.length), step: 0.01, off: 0, scale: { to: (s) => (s < 0.01 ? 0 : Math.round(10 ** s)), from: (v) => (v > 0 ? Math.log10(v) : 0) } },
    top_p: { min: 0, max: 1, step: 0.005, off: 1, scale: plain },
    min_p: { min: 0, max: 1, step: 0.005, off: 0, scale: plain },
    typical_p: { min: 0.01, max: 1, step: 0.005, off: 1, scale: plain },
    top_h: { min: 0, max: 1, step: 0.005, off: 0, scale: plain },
    epsilon_cutoff: { min: -5, max: -0.3, step: 0.02, off: 0, scale: { to: (s) => (s <= -5 ? 0 : 10 ** s), from: (v) => (v > 0 ? Math.log10(v) : -5) } },
    eta_cutoff: { min: -5, max: -0.3, step: 0.02, off: 0, scale: { to: (s) => (s <= -5 ? 0 : 10 ** s), from: (v) => (v > 0 ? Math.log10(v) : -5) } },
  };
  const isOff = (option) => options[option] === undefined || warp.isOff[option](options[option]) || options[option] === knobs[option].off;

  function knob(option) {
    const k = knobs[option], value = nt.element('output');
    const input = nt.element('input', { type: 'range', min: k.min, max: k.max, step: k.step, 'aria-label': dashed(option) });
    const label = nt.element('label', {}, dashed(option), value, input);
    k.show = () => {
      const off = isOff(option);
      input.value = k.scale.from(options[option] ?? k.off);
      value.textContent = off ? 'off' : short(options[option]);
      input.setAttribute('aria-valuetext', value.textContent);
      label.classList.toggle('off', off);
    };
    input.addEventListener('input', () => {
      const v = Number(k.scale.to(Number(input.value)).toPrecision(4));
      if (v === k.off) delete options[option];
      else options[option] = v;
      show(input);
    });
    return label;
  }

  // ---- The table ----

  function bar(share, kind) {
    const i = nt.element('i', { class: kind });
    i.style.width = Math.max(0, Math.min(100, 100 * share)) + '%';
    return i;
  }

  function cell(text, share, kind, tip) {
    return nt.element('td', { tabindex: '0', 'data-tip': tip }, nt.element('span', {}, text), bar(share, kind));
  }

  // Why a stage let a token stay, or took it out.
  function because(stage, x, p, order, id) {
    const v = short(stage.value), own = nt.percent(p[id]);
    switch (stage.option) {
      case 'temperature': return `${figure(x[id])} / ${v} = ${figure(stage.logits[id])}`;
      case 'top_k': return `place ${order.indexOf(id) + 1} of those that are left; top-k lets ${v} stay`;
      case 'top_p': {
        let likelier = 0;
        for (const i of order) { if (i === id) break; likelier += p[i]; }
        return `likelier ones have ${nt.percent(likelier)}, it has ${own}; top-p lets the likeliest stay until they have ${nt.percent(stage.value)}`;
      }
      case 'min_p': return `${own}, against ${v} × ${nt.percent(p[order[0]])} of the likeliest`;
      case 'typical_p': return `surprise ${figure(-Math.log(p[id]))} nats; typical ones are near the entropy`;
      case 'top_h': return `${own}; the likeliest stay while they have ${v} of the entropy`;
      case 'eta_cutoff': return `${own}, against the smaller of ${v} and √${v} × exp(−entropy)`;
      default: return `${own}, against ${v}`;
    }
  }

  function logitBar(x, of) {
    const low = of.low, high = of.high;
    return high > low ? 0.04 + 0.96 * (x - low) / (high - low) : 1;
  }

  function rangeOf(x) {
    const some = tokens.map((t) => x[t.id]).filter((v) => v > -Infinity);
    return { low: Math.min(...some), high: Math.max(...some) };
  }

  const head = (title, small) => nt.element('th', { scope: 'col' }, title, nt.element('small', {}, small));

  function table(stages, after, drawn) {
    const all = [{ option: null, logits: raw }];
    if (base !== raw) all.push({ option: 'processors', logits: base });
    all.push(...stages);
    const heads = nt.element('tr', {}, nt.element('th', { scope: 'col' }, 'token'), head('logit', 'as the model gives it'));
    for (const s of all.slice(1)) heads.append(head(dashed(s.option), s.option === 'processors' ? 'penalties and bans' : short(s.value)));
    heads.append(head('softmax', 'probability'));
    const body = nt.element('tbody');
    const ranges = all.map((s) => rangeOf(s.logits));
    const orders = stages.map((_, i) => {
      const x = i ? stages[i - 1].logits : base;
      return { x, p: warp.softmax(x).p, order: Array.from(x.keys()).filter((j) => x[j] > -Infinity).sort((a, b) => x[b] - x[a] || a - b) };
    });
    const listed = tokens.reduce((sum, t) => sum + after.p[t.id], 0), rest = Math.max(0, 1 - listed);
    const most = Math.max(...tokens.map((t) => after.p[t.id]), rest, 1e-9);
    for (const t of tokens) {
      const row = nt.element('tr', {}, nt.element('th', { scope: 'row' }, name(t)));
      let out = false;
      all.forEach((s, i) => {
        const x = s.logits[t.id], was = i ? all[i - 1].logits[t.id] : x;
        const stage = i - (all.length - stages.length);
        if (out) { row.append(nt.element('td')); return; }
        const why = i === 0 ? `logit ${figure(x, 6)}; raw probability exp(${figure(x)} − ${figure(before.max)} − ${figure(before.rest)}) = ${nt.percent(before.p[t.id])}`
          : s.option === 'processors' ? (t.changes || []).filter((c) => !(c.option in knobs)).map((c) => `${dashed(c.option)}: ${figure(c.before)} → ${c.after === null ? 'out' : figure(c.after)}`).join('\n') || 'unchanged'
          : because(s, orders[stage].x, orders[stage].p, orders[stage].order, t.id);
        if (x === -Infinity) {
          out = true;
          row.append(nt.element('td', { class: 'gone', tabindex: '0', 'data-tip': why }, 'out'));
        } else {
          row.append(cell(figure(x), logitBar(x, ranges[i]), i === 0 || x !== was ? 'raw' : 'rest', why));
        }
      });
      const x = (stages.length ? stages[stages.length - 1].logits : base)[t.id], p = after.p[t.id];
      row.append(out ? nt.element('td', { class: 'gone' }, '0') : cell(nt.percent(p), p / most, 'after',
        `exp(${figure(x)} − ${figure(after.max)} − ${figure(after.rest)}) = ${nt.percent(p)}\n${figure(after.max)} is the largest logit, ${figure(after.rest)} the log of the sum of exp(logit − largest)`));
      row.classList.toggle('out', out);
      row.classList.toggle('drawn', t.id === drawn);
      body.append(row);
    }
    const keptListed = tokens.filter((t) => after.p[t.id] > 0).length;
    const more = nt.element('tr', { class: 'rest' }, nt.element('th', { scope: 'row' }, `${(after.kept - keptListed).toLocaleString('en')} more`));
    all.forEach(() => more.append(nt.element('td')));
    more.append(nt.element('td', {}, nt.element('span', {}, nt.percent(rest)), bar(rest / most, 'rest')));
    if (after.kept > keptListed) body.append(more);
    return nt.element('div', { class: 'scroll', tabindex: '0' }, nt.element('table', { class: 'strip' }, nt.element('thead', {}, heads), body));
  }

  // ---- The draw ----

  // Ids in their order, as the program adds them up: [id, from, to] of the one that u falls on, and of those that are shown.
  function bands(p) {
    const list = [];
    let sum = 0, gap = 0, drawn = null;
    const flush = (end) => { if (end > gap) list.push({ id: -1, from: gap, to: end }); };
    for (let i = 0; i < p.length; i++) {
      const from = sum;
      sum += p[i];
      if (drawn === null && u < sum) drawn = { id: i, from, to: sum };
      if (!shown.has(i) || p[i] === 0) continue;
      flush(from);
      list.push({ id: i, from, to: sum });
      gap = sum;
    }
    flush(sum);
    return { list, drawn: drawn || list[list.length - 1] };
  }

  const knobBox = nt.element('div', { class: 'knobs' }), moreBox = nt.element('div', { class: 'knobs' }), tableBox = nt.element('div');
  const strip = nt.element('div', { class: 'bands', 'aria-hidden': 'true' }), told = nt.element('span', { 'aria-live': 'polite' });
  const number = nt.element('input', { type: 'range', min: 0, max: 0.9999, step: 0.0001, 'aria-label': 'the number that draws' });
  const again = nt.element('button', { type: 'button' }, 'Draw'), reset = nt.element('button', { type: 'button' }, 'Reset');

  function show() {
    const stages = warp.run(base, options), after = warp.softmax(stages.length ? stages[stages.length - 1].logits : base);
    const { list, drawn } = bands(after.p), of = tokens.find((t) => t.id === drawn.id);
    for (const k of Object.values(knobs)) k.show();
    tableBox.replaceChildren(table(stages, after, drawn.id));
    strip.replaceChildren(...list.map((b) => {
      const t = tokens.find((x) => x.id === b.id);
      const i = nt.element('i', t ? { 'data-tip': `${name(t)}: numbers from ${b.from.toFixed(4)} to ${b.to.toFixed(4)} draw it` } : { class: 'rest', 'data-tip': `tokens that are not listed: ${nt.percent(b.to - b.from)}` }, t && b.to - b.from > 0.05 ? name(t) : '');
      i.style.width = 100 * (b.to - b.from) + '%';
      i.classList.toggle('drawn', b.id === drawn.id);
      return i;
    }));
    number.value = u;
    told.textContent = `${u.toFixed(4)} draws ${of ? name(of) : 'a token that is not listed (id ' + drawn.id + ')'} · ${after.kept.toLocaleString('en')} of ${raw.length.toLocaleString('en')} tokens can be drawn · entropy ${after.entropy.toFixed(3)} nats, ${before.entropy.toFixed(3)} before`;
  }

  ['temperature', 'top_k', 'top_p', 'min_p'].forEach((o) => knobBox.append(knob(o)));
  ['typical_p', 'top_h', 'epsilon_cutoff', 'eta_cutoff'].forEach((o) => moreBox.append(knob(o)));
  const more = nt.element('details', {}, nt.element('summary', {}, 'More'), moreBox);
  more.open = Object.keys(given).some((o) => ['typical_p', 'top_h', 'epsilon_cutoff', 'eta_cutoff'].includes(o));
  number.addEventListener('input', () => { u = Number(number.value); show(); });
  again.addEventListener('click', () => { u = Math.random(); show(); });
  reset.addEventListener('click', () => { for (const o of warp.options) delete options[o]; Object.assign(options, given); show(); });
  place.replaceChildren(knobBox, more, tableBox, nt.element('div', { class: 'draw' }, strip, number, nt.element('p', {}, again, reset, told)));
  show();
})();
