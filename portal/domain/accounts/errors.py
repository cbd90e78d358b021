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


# Errors of second factors.


class CodeRefusedError(RuleError):
    """The code is not right, or was used before; never says which."""

    def __init__(self) -> None:
        super().__init__("The code is not right, or was used before. Enter the code that is shown now")


class PasskeyRefusedError(RuleError):
    """The answer of a passkey is not one to believe; ``reason`` is a word for the log."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__("That passkey could not be checked. Try again, or sign in another way")


class LastFactorError(RuleError):
    """A person who needs a second factor would have none left."""

    def __init__(self) -> None:
        super().__init__("Your role needs a second factor. Add another one before you remove this one.")


class FactorMissingError(RuleError):
    """The force's provider let a person in without the second factor that they need here."""

    def __init__(self) -> None:
        super().__init__(
            "Your role needs a second factor, and your sign-in had none. Sign in again with a code or a key."
        )
