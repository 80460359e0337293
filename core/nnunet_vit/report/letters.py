"""Short names of runs in tables: A, B, C and so on."""

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def letter(number: int) -> str:
    """Return the letter of a run, counted from 0; after Z comes A2."""
    turn, place = divmod(number, len(LETTERS))
    return f"{LETTERS[place]}{turn + 1}" if turn else LETTERS[place]
