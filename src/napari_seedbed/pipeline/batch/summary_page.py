"""How a batch went, as a page for a browser that needs no other file."""

import math
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

import numpy as np

from napari_seedbed.pipeline.batch.logs import Log

_BARS, _WIDTH, _HEIGHT = 24, 144, 40

_HEADS = (
    ("Picture", False, ""),
    ("Input", True, ""),
    ("Objects", True, " class=number"),
    ("Sizes", False, ""),
    ("Seconds", True, " class=number"),
    ("Results", False, ""),
)
"""Names of the columns, whether a click sorts by them, and what their heads say of themselves."""

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.4 system-ui, sans-serif; }
body { margin: 1.5rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; max-width: 80rem; }
th, td { padding: .5rem .8rem; text-align: left; vertical-align: top; }
th { position: sticky; top: 0; background: Canvas; white-space: nowrap; }
tr { border-bottom: 1px solid #8884; }
th button { all: unset; cursor: pointer; }
th button:focus-visible { outline: 2px solid; }
th[aria-sort] button::after { position: absolute; margin: .3em; font-size: .7em; }
th[aria-sort=ascending] button::after { content: "\\25b2"; }
th[aria-sort=descending] button::after { content: "\\25bc"; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
td.input, td.results { overflow-wrap: anywhere; }
td.input { width: 36%; }
td.results { width: 24%; font-size: .85rem; }
svg + div { font-size: .85rem; }
td img { display: block; width: 160px; image-rendering: pixelated; }
tr.failed { background: #d5220018; }
.folder { opacity: .65; font-size: .85rem; }
.error { color: #c81e00; } .note { opacity: .75; font-size: .85rem; }
@media (prefers-color-scheme: dark) { .error { color: #ff8b73; } }
svg { display: block; border-bottom: 1px solid #8888; }
svg rect { fill: currentColor; opacity: .7; }
@media (max-width: 50rem) {
  body { margin: .8rem; }
  table, tbody { display: block; }
  thead tr { display: flex; border: 0; }
  thead th:not(:has(button)) { display: none; }
  th { position: static; padding: .5rem .8rem .5rem 0; }
  tbody tr { display: grid; grid-template-columns: 110px 1fr; gap: .2rem .8rem; padding: .6rem 0; }
  tbody td { grid-column: 2; padding: 0; width: auto; text-align: left; }
  tbody td:empty { display: none; }
  tbody td.input, tbody td.results { width: auto; }
  tbody td.number { text-align: left; }
  tbody td.number::after { content: " " attr(data-unit); }
  tbody td.picture { grid-column: 1; grid-row: 1 / span 5; }
  td img { width: 110px; }
}
"""

_SCRIPT = """
document.querySelectorAll("th button").forEach((button) => button.addEventListener("click", () => {
  const head = button.parentElement, column = head.cellIndex;
  const rising = head.getAttribute("aria-sort") !== "ascending";
  head.parentElement.querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", rising ? "ascending" : "descending");
  const body = document.querySelector("tbody");
  const key = (row) => row.cells[column].dataset.value ?? row.cells[column].textContent;
  const rows = [...body.rows].sort((a, b) => {
    const [one, other] = rising ? [key(a), key(b)] : [key(b), key(a)];
    const numbers = Number(one) - Number(other);
    return Number.isNaN(numbers) ? one.localeCompare(other, undefined, { numeric: true }) : numbers;
  });
  body.append(...rows);
}));
"""


def summary_page(summary: Mapping[str, Any], logs: Sequence[Log | None]) -> str:
    """The page: a row for each input, those that failed first.

    Parameters
    ----------
    summary : mapping
        What is in ``summary.json``.
    logs : sequence of Log or None
        Of the inputs, in the same order.
    """
    entries = summary["inputs"]
    failed = sum(entry["error"] is not None for entry in entries)
    objects = sum(entry["objects"] or 0 for entry in entries)
    edges = _edges([size for log in logs if log is not None for size in log.sizes])
    pairs = sorted(zip(entries, logs, strict=True), key=lambda pair: pair[0]["error"] is None)
    rows = "\n".join(_row(entry, log, edges) for entry, log in pairs)
    head = "".join(
        f"<th scope=col{about}><button>{name}</button></th>" if can_sort else f"<th>{name}</th>"
        for name, can_sort, about in _HEADS
    )
    files = "".join(
        f"<p>All inputs together: {_link(name)}</p>"
        for kind, name in summary["outputs"].items()
        if kind != "page"
    )
    state = "The run was ended before all inputs were worked on." if summary["cancelled"] else ""
    title = f"{summary['recipe'] or 'Recipe'}: {len(entries)} inputs"
    span = ""
    if edges is not None:
        span = f"<p>Sizes run from {edges[0]:.4g} to {edges[-1]:.4g} in all rows.</p>"
    return f"""<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(title)}</title>
<style>{_STYLE}</style>
<h1>{escape(title)}</h1>
<p>{len(entries) - failed} done, {failed} failed, {objects} objects.
{state} napari-seedbed {escape(summary["version"])}.</p>
{files}{span}
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>
<script>{_SCRIPT}</script>
</html>
"""


def _row(entry: Mapping[str, Any], log: Log | None, edges: np.ndarray | None) -> str:
    picture = ""
    if log is not None and log.picture:
        picture = f'<img alt="" src="data:image/jpeg;base64,{log.picture}">'
    said = f'<div class="error">{escape(entry["error"])}</div>' if entry["error"] else ""
    said += "".join(f'<div class="note">{escape(note)}</div>' for note in entry["notes"])
    links = "<br>".join(_link(name) for name in entry["outputs"].values())
    count = entry["objects"]
    whole = ": ".join(filter(None, (entry["input"], entry.get("image"))))
    name = whole[len(entry["input"]) - len(PurePath(entry["input"]).name) :]
    folder = whole[: len(whole) - len(name)]
    named = f'<div class="folder">{escape(folder)}</div>' if folder else ""
    cells = (
        f'<td class="picture">{picture}</td>',
        f'<td class="input" data-value="{escape(whole, quote=True)}">{escape(name)}{named}{said}'
        "</td>",
        f'<td class="number" data-unit="{"object" if count == 1 else "objects"}" '
        f'data-value="{-1 if count is None else count}">{"" if count is None else count}</td>',
        f"<td>{'' if log is None else _histogram(log.sizes, edges)}</td>",
        f'<td class="number" data-unit="s">{entry["seconds"]:.2f}</td>',
        f'<td class="results">{links}</td>',
    )
    return f"<tr{' class=failed' if entry['error'] else ''}>{''.join(cells)}</tr>"


def _link(name: str) -> str:
    address = quote(name.encode("utf-8", "surrogateescape"))
    return f'<a href="{address}">{escape(name)}</a>'


def _edges(sizes: Sequence[float]) -> np.ndarray | None:
    """Edges of bars that are equally wide by ratio, over the sizes of all inputs."""
    positive = [size for size in sizes if size > 0 and math.isfinite(size)]
    if not positive or min(positive) == max(positive):
        return None
    return np.geomspace(min(positive), max(positive), _BARS + 1)


def _histogram(sizes: Sequence[float], edges: np.ndarray | None) -> str:
    if edges is None or not sizes:
        return ""
    counts, _ = np.histogram(np.clip(sizes, edges[0], edges[-1]), edges)
    width = _WIDTH / _BARS
    bars = "".join(
        f'<rect x="{i * width:.1f}" y="{_HEIGHT * (1 - n / counts.max()):.1f}" '
        f'width="{width - 1:.1f}" height="{_HEIGHT * n / counts.max():.1f}"/>'
        for i, n in enumerate(counts)
        if n
    )
    median = float(np.median(sizes))
    return (
        f'<svg width="{_WIDTH}" height="{_HEIGHT}" role="img" aria-label="sizes of the objects">'
        f"{bars}</svg><div>median {median:.4g}</div>"
    )
