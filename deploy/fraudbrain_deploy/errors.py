"""The error that a person can do something about."""


class UserError(Exception):
    """Something a user can put right: `what` is the matter and `remedy`, what to do about it.

    The command prints both and exits with 2, without a traceback.
    """

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(f"{what}\n{remedy}" if remedy else what)
        self.what = what
        self.remedy = remedy
