"""How results look in a notebook: every element carries its own style.

Nothing leaks into the notebook, and nothing of its theme must be known: text has the notebook's own
colour, grounds are colours with an alpha that read on white and on black. Pictures alone have colours of
their own, light or dark as the element that shows them is: SCHEMES tells it where the notebook does not.
Where a site takes styles away (GitHub), what is hidden by one comes out: bars as blocks, classes of heat
maps as small figures.
"""

from __future__ import annotations

from typing import Dict, List

MONO = "font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;"
SOFT = "opacity:.72;"
HIDDEN = "display:none"
RULE = "rgba(128,140,160,.45)"

#: of pictures and frames: themes of JupyterLab, Colab, VS Code and Sphinx, which do not set it themselves
_HOSTS = {"light": ('[data-jp-theme-light="true"]', 'html[theme="light"]', ".vscode-light",
                    'html[data-theme="light"]'),
          "dark": ('[data-jp-theme-light="false"]', 'html[theme="dark"]', ".vscode-dark",
                   ".vscode-high-contrast", 'html[data-theme="dark"]')}
SCHEMES = "".join("%s{color-scheme:%s}" % (",".join(f"{host} .nextoken {tag}" for host in hosts
                                                    for tag in ("img", "iframe")), scheme)
                  for scheme, hosts in _HOSTS.items())

ROOT = "font-size:14px;line-height:1.5;font-variant-numeric:tabular-nums;overflow-x:auto;padding:2px 0 6px"
HEADING = MONO + "font-size:15px;font-weight:500;white-space:pre-wrap;overflow-wrap:anywhere;margin:2px 0 8px"
SLOT = "color:#4c78ee"
WORDS = "margin:5px 0;font-size:13px;line-height:1.5;max-width:90ch"
TITLE = "margin:14px 0 6px;font-size:14px;font-weight:400;line-height:1.5"
FOOT = "margin:8px 0 0;font-size:12px;" + SOFT
TEXT = MONO + "margin:6px 0;padding:0;background:none;border:0;font-size:14px;white-space:pre-wrap;" \
    "overflow-wrap:anywhere;color:inherit"
FLOW = MONO + "font-size:15px;line-height:2;white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0 8px"
IMAGE = "display:block;max-width:100%;height:auto;margin:2px 0 6px"
SUMMARY = "cursor:pointer;font-size:13px;margin:6px 0;" + SOFT

TABLE = "border:0;border-collapse:collapse;table-layout:auto;width:auto;margin:0 0 10px;font-size:13px"
CELLS = "border:0;border-collapse:separate;border-spacing:3px;table-layout:auto;width:auto;" \
    "margin:0 0 8px -3px;font-size:13px"
ROW = "background:none"
DIM_ROW = "background:none;opacity:.78"
HEAD = "padding:3px 14px 3px 0;border:0;border-bottom:1px solid " + RULE + ";background:none;" \
    "font-size:12px;font-weight:600;text-align:left;vertical-align:bottom;white-space:nowrap"
CELL = "padding:2px 14px 2px 0;border:0;text-align:left;white-space:nowrap;line-height:1.55"
LONG = CELL.replace("white-space:nowrap", "white-space:pre-wrap;overflow-wrap:anywhere") + \
    ";max-width:52ch;min-width:8ch"
END = "text-align:right"
BARS = CELL + ";width:170px;min-width:110px"

_BAR = {"raw": "#4c78ee", "after": "#17936a", "rest": RULE, "loss": "#e0801f"}

PIECE = "border-radius:3px;padding:.15em 0;box-shadow:inset -1px 0 rgba(128,128,128,.3);"
AMBER, BLUE = "234,122,44", "76,120,238"
_DEPTH = (0.0, 0.15, 0.3, 0.48, 0.72)
_UNDER = ("", "", "underline dotted 1.5px", "underline dashed 1px", "underline solid 1.5px")

#: of two compared, by the classes of src/view/page/versus.c
VERSUS: Dict[str, str] = {
    "up1": f"background:rgba({BLUE},.2)", "up2": f"background:rgba({BLUE},.36)",
    "up3": f"background:rgba({BLUE},.55);text-decoration:underline solid 1.5px",
    "down1": f"background:rgba({AMBER},.2)",
    "down2": f"background:rgba({AMBER},.4);text-decoration:underline dotted 1.5px",
    "down3": f"background:rgba({AMBER},.62);text-decoration:underline dashed 1.5px",
    "left": "opacity:.6",
}
#: and what stands behind them where styles are gone
VERSUS_MARKS = {"up1": "+", "up2": "++", "up3": "+++", "down1": "−", "down2": "−−", "down3": "−−−"}


def bar(kind: str, percent: str) -> str:
    return f"height:10px;min-width:1px;border-radius:2px;background:{_BAR.get(kind, _BAR['raw'])};" \
        f"width:{percent}"


def blocks(percent: float) -> str:
    """A bar as text."""
    return "█" * int(percent / 5) + ("▌" if percent % 5 >= 2.5 else "") or ("▏" if percent > 0 else "")


def shaded(percent: float, taken: bool) -> str:
    """A cell whose ground tells a share."""
    ring = ";box-shadow:inset 0 0 0 2px #4c78ee" if taken else ""
    return "padding:4px 9px;border:0;border-radius:6px;text-align:left;white-space:nowrap;" \
        f"line-height:1.45;background:rgba({BLUE},{percent / 100:.3f}){ring}"


def heat(level: int, color: str) -> str:
    """A piece of text on the ground of its class, 0 (as expected) to 4."""
    if level <= 0:
        return ""
    under = _UNDER[min(level, 4)]
    line = f";text-decoration:{under} rgba(110,110,110,.85);text-underline-offset:.26em" if under else ""
    return f"{PIECE}background:rgba({color},{_DEPTH[min(level, 4)]:g}){line}"


def level_of(classes: List[str], measure: str) -> int:
    """The class of a piece by this measure: p0 to p4, r0 to r3, s0 to s4, e0 to e4; -1: it has none."""
    for name in classes:
        if len(name) == 2 and name[0] == measure[0] and name[1].isdigit():
            level = int(name[1])
            return level + 1 if measure == "rank" and level else level
    return -1
