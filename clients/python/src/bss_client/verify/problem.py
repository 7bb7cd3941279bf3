"""Why something proves nothing."""

from enum import Enum


class Step(str, Enum):
    """The check at which something failed. The names are the same in every language's client.

    The first ones are the steps of a receipt, in the order in which they are taken.
    """

    ENCODING = "encoding"
    RECORD = "record"
    HEADER = "header"
    BLOCK_ID = "block-id"
    INCLUSION = "inclusion"
    PREVIOUS_HEADER = "previous-header"
    COMMIT_CERTIFICATE = "commit-certificate"
    SIGNATURES = "signatures"
    BODY = "body"
    LOG = "log"
    MEMBERS = "members"
    GENESIS = "genesis"


class Problem(Exception):
    """Something does not hold: `step` is the first check that failed, the text is for people."""

    def __init__(self, step: Step, message: str) -> None:
        super().__init__(message)
        self.step = step
