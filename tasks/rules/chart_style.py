"""The colours of the chart, for a light and a dark page; a test holds their contrast."""

LIGHT = {
    "ground": "#ffffff", "text": "#1f2328", "soft": "#59636e", "lane": "#eaeef2", "mark": "#0969da",
    "good": "#1a7f37", "bad": "#cf222e", "unsure": "#8250df", "refused": "#bc4c00",
}  # fmt: skip
DARK = {
    "ground": "#0d1117", "text": "#e6edf3", "soft": "#9198a1", "lane": "#21262d", "mark": "#58a6ff",
    "good": "#3fb950", "bad": "#f85149", "unsure": "#a371f7", "refused": "#f0883e",
}  # fmt: skip


def chart_style() -> str:
    """Write the style sheet: light, and dark where the reader prefers it."""
    light, dark = (
        "".join(f".{name}{{fill:{colour}}}" for name, colour in colours.items()) for colours in (LIGHT, DARK)
    )
    lines = (f".line{{stroke:{colours['mark']};stroke-dasharray:3 2}}" for colours in (LIGHT, DARK))
    return (
        "text{font:11px system-ui,sans-serif}.b{font-weight:600}"
        f"{light}{next(lines)}@media(prefers-color-scheme:dark){{{dark}{next(lines)}}}"
    )
