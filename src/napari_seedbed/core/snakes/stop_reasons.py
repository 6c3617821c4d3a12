"""Why a snake has stopped, in words that a window can show."""

CONVERGED = "converged"
LIMIT = "iteration limit"
SHRUNK_AWAY = "shrunk to nothing"
FULL = "fills the whole image"
LEFT = "left the image"
NOTHING = "no contours"
