"""The audit bundle: a log with its proofs in one zip, that verifies far from the book that wrote it.

Inside: ``checkpoint`` (the signed note, with its witnesses), ``facts.jsonl`` (canonical bytes, a fact a line, from
number 0), ``leaves`` (their RFC 6962 hashes, 32 bytes each), ``proofs.jsonl`` (an inclusion proof for every fact that a
settlement rests on), ``blobs/…`` (texts and long bodies by hash), ``key`` and ``witnesses`` (as the book claims them;
check with those that were published), ``README.txt``, ``verify.py`` (a verifier that needs no Gongfen) and
``SHA256SUMS`` (of all parts). Facts go by one at a time: neither writing nor verifying holds them.
"""

from gongfen.reports.bundle.checking import Verdict, check_witnesses, verify_bundle
from gongfen.reports.bundle.parts import PARTS, README, small_verifier
from gongfen.reports.bundle.unpacking import unzipped
from gongfen.reports.bundle.writing import write_bundle, zipped

__all__ = [
    "PARTS",
    "README",
    "Verdict",
    "check_witnesses",
    "small_verifier",
    "unzipped",
    "verify_bundle",
    "write_bundle",
    "zipped",
]
