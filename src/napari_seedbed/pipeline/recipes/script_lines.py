"""Lines of Python broken so that people can read them."""

_WIDTH = 88
_OPEN, _CLOSED = "([{", ")]}"


def broken(line: str, indent: int) -> str:
    """A statement, over several lines where it is long, with its own indentation and more.

    Parameters
    ----------
    line : str
    indent : int
        Spaces before it.
    """
    own = len(line) - len(line.lstrip())
    return _broken(line.lstrip(), " " * (indent + own))


def _broken(text: str, indent: str) -> str:
    if len(indent) + len(text) <= _WIDTH:
        return indent + text
    if text.startswith("from ") and "(" not in text:
        head, _, names = text.partition(" import ")
        text = f"{head} import ({names})"
    found = _outermost(text)
    if found is None:
        return indent + text
    start, end = found
    inner = "".join(
        f"{_broken(f'{part.strip()},', f'{indent}    ')}\n"
        for part in _parts(text[start + 1 : end])
    )
    return f"{indent}{text[: start + 1]}\n{inner}{indent}{text[end:]}"


def _outermost(text: str) -> tuple[int, int] | None:
    """Where the last pair of brackets that lies in no other one opens and closes."""
    depth, start, found, quote, before = 0, 0, None, "", ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote and before != "\\" else quote
        elif sign in "\"'":
            quote = sign
        elif sign in _OPEN:
            start = place if depth == 0 else start
            depth += 1
        elif sign in _CLOSED:
            depth -= 1
            if depth == 0 and place > start + 1:
                found = (start, place)
        before = "" if before == "\\" else sign
    return found


def _parts(text: str) -> list[str]:
    """What lies between commas that are in no brackets."""
    parts, depth, quote, before = [""], 0, "", ""
    for sign in text:
        if quote:
            quote = "" if sign == quote and before != "\\" else quote
        elif sign in "\"'":
            quote = sign
        depth += (not quote) * ((sign in _OPEN) - (sign in _CLOSED))
        if sign == "," and depth == 0 and not quote:
            parts.append("")
        else:
            parts[-1] += sign
        before = "" if before == "\\" else sign
    return [part for part in parts if part.strip()]
