"""Sound bytes and values, spoiled."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

fuzz = settings.get_profile("fuzz")

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@st.composite
def spoiled(draw: st.DrawFn, sound: bytes) -> bytes:
    """Cut bytes off, change some, put some in, or take anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    content = bytearray(sound)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, max(len(content) - 1, 0)))
        kind = draw(st.sampled_from(["cut", "change", "insert", "drop"]))
        if kind == "cut":
            del content[place:]
        elif kind == "change" and content:
            content[place] = draw(st.integers(0, 255))
        elif kind == "insert":
            content[place:place] = draw(st.binary(min_size=1, max_size=9))
        else:
            del content[place : place + draw(st.integers(1, 64))]
    return bytes(content)


@st.composite
def replaced(draw: st.DrawFn, sound: dict[str, Any]) -> dict[str, Any]:
    """Put other values in the place of some, at any depth, or take them away."""
    changed = dict(sound)
    name = draw(st.sampled_from(sorted(changed)))
    inner = changed[name]
    if isinstance(inner, dict) and inner and draw(st.booleans()):
        changed[name] = draw(replaced(inner))
    elif draw(st.booleans()):
        del changed[name]
    else:
        changed[name] = draw(JSON)
    return changed
