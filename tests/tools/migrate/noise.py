"""Layout noise: the same program with other white space, line breaks, parentheses and comments."""

import io
import tokenize

_OPEN, _CLOSE = "([{", ")]}"
_QUIET = (tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.COMMENT, tokenize.ENDMARKER)


def places(text):
    """Where noise may be put, by kind: offsets of lines that begin a statement, and of gaps between tokens."""
    starts = [0]
    for line in text.split("\n"):  # not splitlines: a form feed ends no line
        starts.append(starts[-1] + len(line) + 1)
    lines, gaps, brackets = [], [], []
    depth, inside, fresh, before = 0, 0, True, None
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        offset = starts[token.start[0] - 1] + token.start[1]
        if kind.endswith("STRING_START"):
            inside += 1
        elif token.type not in _QUIET and not inside:
            if fresh:
                lines.append(starts[token.start[0] - 1])
            elif before is not None and not (before.string == "." or token.string == "." or before.string in "@"):
                (brackets if depth else gaps).append(offset)
            fresh = False
        if kind.endswith("STRING_END"):
            inside -= 1
        if token.type == tokenize.OP and not inside:
            depth += (token.string in _OPEN) - (token.string in _CLOSE)
        if token.type == tokenize.NEWLINE:
            fresh = True
        if token.type not in _QUIET:
            before = token
    return {"lines": lines, "gaps": gaps, "brackets": brackets}


def indentation(text, offset):
    """The white space at the beginning of a line."""
    line = text[offset:].split("\n", 1)[0]
    return line[: len(line) - len(line.lstrip())]


def noisy(text, draw, *, comments):
    """The text with a few pieces of noise; comments are among them if they are asked for.

    Args:
        text: a program.
        draw: a `random.Random`.
        comments: put some in.
    """
    for number in range(draw.randrange(1, 6)):
        found = places(text)
        kind = draw.choice([kind for kind in found if found[kind]])
        offset = draw.choice(found[kind])
        if kind == "lines":
            own_line = f"{indentation(text, offset)}# noise {number}\n"
            piece = own_line if comments and draw.random() < 0.5 else draw.choice(["\n", "\n\n", "\x0c\n"])
        elif kind == "gaps":
            piece = draw.choice(["  ", " \\\n   ", "\t"])
        else:
            piece = (
                f"  # noise {number}\n   " if comments and draw.random() < 0.5 else draw.choice(["\n", "  ", " \\\n "])
            )
        text = text[:offset] + piece + text[offset:]
    return text
