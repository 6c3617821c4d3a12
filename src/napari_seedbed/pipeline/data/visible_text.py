"""Text of others, such as names of files, in a form that is safe to show and to store."""


def visible(text: object) -> str:
    """Text on one line, in which what cannot be seen is written as an escape: ``\\n``, ``\\x1b``.

    Names of files may hold line ends, codes that drive a terminal, and bytes that are no letters.
    """
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in str(text)
    )
