"""Line plots as SVG files: few bytes, readable in light and in dark, and in words (title, desc)."""

import math
from html import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 720, 380, 56, 44, 214, 46
LIGHT = ("#0b5fb0", "#b3401e", "#1b7a43", "#8a3ab0", "#8a6100", "#b01657", "#3f4a5a", "#00707c", "#5a6b00", "#5243c9", "#7a4a2b")
DARK = ("#6fb4f5", "#ff9a76", "#6fd398", "#d29bf2", "#e4bd55", "#ff8fbb", "#b9c4d2", "#5fd0dc", "#c3d45a", "#aaa0ff", "#d7a98a")
DASHES = ("", "7 4", "2 3")


def number(x):
    """At most three digits that count."""
    if x >= 100 or x == int(x):
        return f"{x:,.0f}"
    return f"{x:.2g}" if x < 10 else f"{x:.3g}"


def ticks(low, high):
    """1, 2, 5, 10 ... from below low to above high."""
    steps = [m * 10.0 ** e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)]
    below = [s for s in steps if s <= low * 1.0001] or [steps[0]]
    above = [s for s in steps if s >= high * 0.9999] or [steps[-1]]
    return [s for s in steps if below[-1] <= s <= above[0]]


def apart(wanted, least, low, high):
    """The places, moved as little as needed so that neighbours are `least` apart."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places, at = [0.0] * len(wanted), low - least
    for i in order:
        at = places[i] = max(wanted[i], at + least)
    at = high + least
    for i in reversed(order):
        at = places[i] = min(places[i], at - least)
    return places


def style(n):
    def rules(colours):
        return "".join(f".s{i}{{stroke:{c}}}.t{i},.p{i}{{fill:{c}}}" for i, c in enumerate(colours[:n]))

    return ("text{font:12px system-ui,sans-serif;fill:#1d2733}.h{font-size:15px;font-weight:600}.g{stroke:#d5dbe3}"
            ".b{fill:#ffffff}path{fill:none;stroke-width:2}" + rules(LIGHT) +
            "@media(prefers-color-scheme:dark){text{fill:#e3e9f0}.g{stroke:#3a4552}.b{fill:#14191f}" + rules(DARK) + "}")


def lines(title, x_name, x_names, series, unit="tokens/s"):
    """An SVG of series [(name, [value or None, one an x])] over named places on the x axis; a logarithmic y axis from
    round number to round number. The names stand at the lines' ends."""
    values = [v for _, row in series for v in row if v]
    if not values:
        return None
    marks = ticks(min(values), max(values))
    low, high = math.log(marks[0]), math.log(marks[-1] if marks[-1] > marks[0] else 2 * marks[0])
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def x(i):
        return LEFT + 14 + (right - LEFT - 28) * (i / (len(x_names) - 1) if len(x_names) > 1 else 0.5)

    def y(v):
        return bottom - (bottom - TOP) * (math.log(v) - low) / (high - low)

    told = "; ".join(f"{name}: " + ", ".join(f"{xn} {number(v)}" for xn, v in zip(x_names, row) if v) for name, row in series)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d">',
           f'<title id="t">{escape(title)}</title><desc id="d">{escape(f"{unit} by {x_name}. {told}")}</desc>',
           f"<style>{style(min(len(series), len(LIGHT)))}</style>", f'<rect class="b" width="{WIDTH}" height="{HEIGHT}"/>',
           f'<text class="h" x="{LEFT}" y="20">{escape(title)}</text><text x="{LEFT}" y="36">{escape(unit)}</text>']
    for mark in marks:
        at = f"{y(mark):.1f}"
        out.append(f'<path class="g" style="stroke-width:1" d="M{LEFT} {at}H{right}"/>'
                   f'<text x="{LEFT - 6}" y="{y(mark) + 4:.1f}" text-anchor="end">{number(mark)}</text>')
    for i, name in enumerate(x_names):
        out.append(f'<text x="{x(i):.1f}" y="{bottom + 18}" text-anchor="middle">{escape(name)}</text>')
    out.append(f'<text x="{(LEFT + right) / 2:.0f}" y="{bottom + 36}" text-anchor="middle">{escape(x_name)}</text>')
    drawn = [(i, name, [(x(k), y(v)) for k, v in enumerate(row) if v]) for i, (name, row) in enumerate(series) if any(row)]
    for (i, name, points), at in zip(drawn, apart([points[-1][1] for _, _, points in drawn], 14, TOP, bottom)):
        c, path = i % len(LIGHT), " ".join(f"{a:.1f} {b:.1f}" for a, b in points)
        dash = DASHES[i // len(LIGHT) % len(DASHES)] or ("7 4" if i % 3 == 1 else "2 3" if i % 3 == 2 else "")
        out.append(f'<path class="s{c}" d="M{path}"' + (f' stroke-dasharray="{dash}"' if dash else "") + "/>")
        out += [f'<circle class="p{c}" cx="{a:.1f}" cy="{b:.1f}" r="3"/>' for a, b in points]
        end = points[-1]
        out.append(f'<path class="s{c}" style="stroke-width:1" d="M{end[0] + 5:.1f} {end[1]:.1f}L{right + 6} {at:.1f}"/>'
                   f'<text class="t{c}" x="{right + 10}" y="{at + 4:.1f}">{escape(name)}</text>')
    return "\n".join(out) + "\n</svg>\n"
