"""The curve without axes: the loss of each step, with its running mean."""

from collections.abc import Sequence

from gongfen.reports.charts.axes import Frame
from gongfen.reports.charts.drawing import Saying, num


def sparkline(values: Sequence[int], *, saying: Saying) -> str:
    """A curve without axes: the values as a thin line, their running mean as a strong one, first and last as dots."""
    width, height, pad = 640.0, 120.0, 8.0
    low, high = min(values, default=0), max(values, default=1)
    frame = Frame((0, max(len(values) - 1, 1)), (low, max(high, low + 1)), (pad, pad, width - pad, height - pad))
    window = max(len(values) // 16, 1)
    means = [sum(part) / len(part) for n in range(len(values)) if (part := values[max(n - window, 0) : n + window + 1])]
    parts = [saying.head(width, height, "spark")]
    parts.append(f'<path class="zero" d="M0 {num(height - 1)}H{num(width)}"/>')
    for kind, series in (("raw", list(map(float, values))), ("mean", means)):
        line = " ".join(f"{num(frame.x(n))},{num(frame.y(v))}" for n, v in enumerate(series))
        parts.append(f'<polyline class="{kind}" points="{line}"/>')
    parts += [
        f'<circle class="dot" cx="{num(frame.x(n))}" cy="{num(frame.y(means[n]))}" r="4"/>'
        for n in sorted({0, len(means) - 1})
        if means
    ]
    return "".join(parts) + "</svg>"
