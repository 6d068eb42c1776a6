"""What the local stack says when it cannot go on."""


class StackError(Exception):
    """A problem of the local stack; the text says what, where and what to do about it."""
