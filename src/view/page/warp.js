'use strict';
// What drawing does to a row of logits, in the order of the program (src/decode/process) and rounded to float32 where the
// program rounds. Stages are Float32Arrays; an id that is taken out is at -Infinity. No page is needed.
const warp = (() => {
  const f = Math.fround;

  // [V] ids, the largest first; of equals the lower id first, as the program keeps them.
  function descending(x) {
    const ids = Uint32Array.from(x, (_, i) => i);
    return ids.sort((a, b) => x[b] - x[a] || a - b);
  }

  function peakOf(x) {
    let peak = -Infinity;
    for (const v of x) if (v > peak) peak = v;
    return peak;
  }

  // Probabilities in float32, as processors compare them.
  function softmax32(x) {
    const peak = peakOf(x), p = new Float32Array(x.length);
    let sum = 0;
    for (let i = 0; i < x.length; i++) sum += p[i] = Math.exp(f(x[i] - peak));
    sum = f(sum);
    for (let i = 0; i < x.length; i++) p[i] = p[i] / sum;
    return p;
  }

  // In double, as the program reports them: max, rest = log(sum of exp(x - max)), p, entropy (nats), kept (ids above 0).
  function softmax(x) {
    const max = peakOf(x), p = new Float64Array(x.length);
    let sum = 0, entropy = 0, kept = 0;
    for (let i = 0; i < x.length; i++) sum += p[i] = Math.exp(x[i] - max);
    const rest = Math.log(sum);
    for (let i = 0; i < x.length; i++) {
      p[i] /= sum;
      if (p[i] > 0) kept++;
      if (x[i] > -Infinity) entropy -= p[i] * (x[i] - max - rest);
    }
    return { max, rest, p, entropy, kept };
  }

  const keepWhere = (x, stays) => x.map((v, i) => (stays(i) ? v : -Infinity));

  function keepFirst(x, order, n) {
    const out = new Float32Array(x.length).fill(-Infinity);
    for (let i = 0; i < n && i < order.length; i++) out[order[i]] = x[order[i]];
    return out;
  }

  // Ids go while they are unlikely, but never the likeliest and its equals.
  function cutOff(x, p, least) {
    const peak = peakOf(x);
    return keepWhere(x, (i) => !(p[i] < least && x[i] < peak));
  }

  const warpers = {
    temperature(x, t) {
      const T = f(t), top = peakOf(x);
      if (Math.abs(f(top / T)) <= 3.4028234663852886e38) return x.map((v) => v / T);
      return x.map((v) => { const moved = (v - top) / t; return moved < -3.4028234663852886e38 ? -Infinity : moved; });
    },
    top_h(x, h) {
      const order = descending(x).subarray(0, 100), p = softmax32(Float32Array.from(order, (i) => x[i])), terms = [];
      let entropy = 0;
      for (const q of p) {
        if (!(q > 0)) break;
        terms.push(f(-q * f(Math.log(q))));
        entropy += terms[terms.length - 1];
      }
      const limit = f(f(entropy) * f(h));
      let sum = terms[0], n = 1;
      for (; n < terms.length; n++) {
        sum += terms[n];
        if (!(f(sum) <= limit)) break;
      }
      return keepFirst(x, order, n);
    },
    top_k(x, k) {
      if (k >= x.length) return x;
      const least = x[descending(x)[k - 1]];
      return keepWhere(x, (i) => !(x[i] < least));
    },
    top_p(x, share) {
      const order = descending(x), p = softmax32(x), limit = f(1 - share);
      let gone = 0, n = order.length;
      for (; n > 1; n--) {
        gone += p[order[n - 1]];
        if (!(f(gone) <= limit)) break;
      }
      return keepFirst(x, order, n);
    },
    min_p(x, share) {
      const p = softmax32(x), least = f(f(share) * peakOf(p));
      const out = keepWhere(x, (i) => p[i] >= least);
      return out.some((v) => v > -Infinity) ? out : keepFirst(x, descending(x), 1);
    },
    typical_p(x, share) {
      const all = softmax(x), p = softmax32(x), peak = f(all.max), rest = f(all.rest), typical = f(all.entropy), limit = f(share);
      const far = x.map((v) => Math.abs(f(-f(f(v - peak) - rest) - typical)));
      const order = Uint32Array.from(x, (_, i) => i).sort((a, b) => far[a] - far[b] || a - b);
      let sum = 0, n = 0;
      for (; n < order.length - 1; n++) {
        sum += p[order[n]];
        if (!(f(sum) < limit)) break;
      }
      const last = far[order[n]];
      return keepWhere(x, (i) => far[i] <= last);
    },
    epsilon_cutoff: (x, epsilon) => cutOff(x, softmax32(x), f(epsilon)),
    eta_cutoff(x, epsilon) {
      const falling = f(f(Math.sqrt(f(epsilon))) * f(Math.exp(-f(softmax(x).entropy))));
      return cutOff(x, softmax32(x), Math.min(f(epsilon), falling));
    },
  };

  // Values at which an option does nothing.
  const isOff = {
    temperature: (v) => v === 1, top_h: (v) => !(v > 0), top_k: (v) => !(v > 0), top_p: (v) => !(v < 1), min_p: (v) => !(v >= 0),
    typical_p: (v) => !(v < 1), epsilon_cutoff: (v) => !(v > 0), eta_cutoff: (v) => !(v > 0),
  };

  // [{option, value, logits}] of the options that act, from logits x.
  function run(x, options) {
    const stages = [];
    for (const [option, act] of Object.entries(warpers)) {
      const value = options[option];
      if (value === undefined || value === null || isOff[option](value)) continue;
      x = act(x, value);
      stages.push({ option, value, logits: x });
    }
    return stages;
  }

  return { run, softmax, softmax32, isOff, options: Object.keys(warpers) };
})();
