"""A question to whoever runs the command, before something that cannot be taken back."""

import sys

from fraudbrain_deploy.errors import UserError


def agreed(question: str) -> bool:
    """Whether the answer is yes. Raises UserError where nobody sits before the command."""
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)  # what is printed may go to a program
    answer = sys.stdin.readline()
    if not answer:
        raise UserError("Nobody answers.", "Give --yes where a program runs this command.")
    return answer.strip().lower() in {"y", "yes"}
