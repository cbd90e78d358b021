"""Errors of signing in and of setting a password."""

from portal.platform.errors import NotFoundError, RuleError


class SignInRefusedError(RuleError):
    """The name and the password do not open an account; never says which of them, or why."""

    def __init__(self) -> None:
        super().__init__("The staff number, email address or password is not right")


class PasswordRefusedError(RuleError):
    """The password is too short, too long or too easy to guess."""


class LinkSpentError(NotFoundError):
    """The link to set a password was used, has expired or never existed."""

    def __init__(self) -> None:
        super().__init__("This link no longer works.")
