"""What went wrong: a thing, a reason, a remedy. Every error that a person can cause is one of these."""


class GongfenError(Exception):
    """A person's mistake or a damaged input, said in three parts.

    ``thing`` names the place (a work, a file and line, an account), ``reason`` says what is wrong with it and
    ``remedy`` what to do next. The command line prints the three and exits with 2.

    >>> print(UnknownWorkError("poem-9", "is not in this book", "record it first: gongfen record"))
    poem-9 is not in this book; record it first: gongfen record
    """

    left = "nothing was written"
    """What is left behind; verbs of several steps say which of them stay."""

    which: int | None = None
    """Which of several facts it was, from 0, where several were given."""

    def __init__(self, thing: str, reason: str, remedy: str) -> None:
        super().__init__(thing, reason, remedy)
        self.thing = thing
        self.reason = reason
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.thing} {self.reason}; {self.remedy}"


class MalformedFactError(GongfenError):
    """A fact that breaks the rules of its kind: wrong field, float, unit, range or sum."""


class UnknownKindError(MalformedFactError):
    """A fact kind that this version cannot book, where a known one is required."""


class UnknownWorkError(GongfenError):
    """A work that the book has not heard of."""


class UnknownMakerError(GongfenError):
    """A maker who has not been enrolled."""


class DuplicateIdError(GongfenError):
    """The same id with a different content: a retry is harmless, a rewrite is not."""


class AbsurdLabourError(GongfenError):
    """More labour than a day has hours for that many people."""


class ClosedPeriodError(GongfenError):
    """Something dated in a period that was settled, or that the books have closed."""


class MissingAssumptionError(GongfenError):
    """No standard, plan, policy or measurement that the question needs."""


class CorpusError(GongfenError):
    """A corpus that cannot be brought in: no licence, missing files, altered text."""


class ToolExportError(GongfenError):
    """Another tool's export that cannot be read: a column, a time or a number that is missing or impossible."""


class ModelFileError(GongfenError):
    """A model file that is missing, altered or of a kind that may run code."""


class TrainingError(GongfenError):
    """A run that cannot be made, replayed or differentiated."""


class DamagedBookError(GongfenError):
    """A database whose bytes do not agree with its own signed log."""


class ProofError(GongfenError):
    """A proof, signature, bundle or settlement that does not hold."""


class LabelError(GongfenError):
    """A label that is missing, malformed or does not match its text."""


class InputError(GongfenError):
    """A file, name or text that a command cannot use, and that no other error names better."""


class BookPlaceError(GongfenError):
    """A book that is not there, is already there, or cannot be opened."""


class ForkError(ProofError):
    """Two signed heads of one log that cannot both be true. It carries both notes: the evidence convinces anybody."""

    def __init__(self, thing: str, reason: str, remedy: str, first: str = "", second: str = "") -> None:
        super().__init__(thing, reason, remedy)
        self.first = first
        self.second = second


class MakerKeyError(GongfenError):
    """A maker's key that is unknown, ended, of somebody else, or that may not sign this."""


class DetailsError(GongfenError):
    """Personal details that are not there, were forgotten, or cannot be kept so."""


class UnreachableError(GongfenError):
    """A server that does not answer, not in time, or with something else than what it was asked for."""


class NotProductiveError(GongfenError):
    """Sectors, or works that reuse one another, that use up as much as they make: no labour values follow from them."""


class JointProductionError(GongfenError):
    """A process with several products: how its labour divides among them is unknown, and not to be guessed."""
