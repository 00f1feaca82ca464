"""What lies in a bundle: the names of its parts, and how those are written that are neither facts nor signatures."""

from pathlib import Path

import msgspec

README = """An audit bundle of a Gongfen book. Verify it without Gongfen (Python 3.11 and its package cryptography):

    python -I verify.py FILE --key 'KEY THAT THE BOOK PUBLISHED'

Take verify.py from a source that you trust, or read it: it is one file, written to be read. The one in here is a copy.
With Gongfen:  gongfen verify FILE --key 'KEY THAT THE BOOK PUBLISHED'

It proves: these facts stand in the signed log, unaltered and complete; each settlement follows from them to the cent.
It does not prove: that the facts are true of the world, that nobody was shown another log, that money arrived.

这是工分账本的审计包。不装工分也能核验（需要 Python 3.11 及其 cryptography 包）：

    python -I verify.py 文件 --key '账本公布的公钥'

请从可信的来源取得 verify.py，或者通读一遍：它只有一个文件，写来就是给人读的。包里这份只是副本。
装有工分：  gongfen verify 文件 --key '账本公布的公钥'

它证明：这些事实完整、未经改动地记在已签名的日志里；每次结算都可由它们重算到分。
它不证明：事实符合世界的实情；没有人见到另一份日志；款项已经到账。
"""
FACTS, LEAVES, PROOFS, SUMS, SMALL_VERIFIER = "facts.jsonl", "leaves", "proofs.jsonl", "SHA256SUMS", "verify.py"
NEEDED = ("checkpoint", "key", FACTS, LEAVES, PROOFS)
PARTS = (*NEEDED, "README.txt", SMALL_VERIFIER, "witnesses", SUMS)
BLOBS = "blobs/"
ASK = "ask for a new bundle; do not trust this copy"


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of ``proofs.jsonl``: the number of a fact, and the path from its leaf to the root (hex)."""

    path: tuple[str, ...]
    seq: int


def sums_text(sums: dict[str, str]) -> bytes:
    """What ``sha256sum`` prints, and ``sha256sum -c`` checks, in the order of the names."""
    return "".join(f"{sums[name]}  {name}\n" for name in sorted(sums) if name != SUMS).encode()


def small_verifier() -> bytes:
    """The file ``verify.py`` that travels in every bundle."""
    from gongfen.reports import verify  # noqa: PLC0415 - it loads what a book at work has no need of

    return Path(verify.__file__).read_bytes()
