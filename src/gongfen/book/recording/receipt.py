"""The proof that a fact is in the log, which holds without the book: a file that other people's tools read too."""

import msgspec

from gongfen.errors import MalformedFactError, ProofError
from gongfen.facts import Elsewhere, decode
from gongfen.proof.checkpoint import read_checkpoint
from gongfen.proof.merkle import leaf_hash
from gongfen.proof.note import NoteVerifier, read_note
from gongfen.proof.policy import Policy, Witnessed
from gongfen.proof.tlog_proof import TlogProof, read_proof

ASK = "ask for a new receipt"


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log, its path to the root, and the signed checkpoint with that root."""

    fact: str
    kind: str
    seq: int
    leaf: str
    size: int
    path: tuple[str, ...]
    checkpoint: str
    data: str
    """The entry: the fact's canonical bytes, as text; of a fact above 64 KiB those that name its body by hash."""

    def text(self) -> str:
        """The receipt as a file (c2sp.org/tlog-proof); the entry itself is its extra data."""
        return self._proof().text()

    @classmethod
    def read(cls, text: str) -> "Receipt":
        """The receipt in a file that :meth:`text` wrote; raises ProofError when it is malformed. Checks nothing."""
        proof = read_proof(text)
        if not proof.extra:
            raise ProofError("receipt", "does not hold the entry that it proves", "ask for one that gongfen wrote")
        return receipt_of(proof.index, proof.extra, proof.path, proof.note)

    def check(self, *verifiers: NoteVerifier) -> None:
        """Raise ProofError unless the log that all ``verifiers`` signed holds this very fact."""
        self._check_words()
        checkpoint = self._proof().check_signed(self._entry(), verifiers)
        if checkpoint.size != self.size:
            raise ProofError(f"receipt of fact {self.seq}", "says another size than it proves", ASK)

    def check_witnessed(self, policy: Policy) -> Witnessed:
        """Who cosigned the checkpoint, and when; raises ProofError unless ``policy`` holds and the fact is in it."""
        self._check_words()
        return self._proof().check(self._entry(), policy)

    def _entry(self) -> bytes:
        return self.data.encode(errors="surrogatepass")

    def _proof(self) -> TlogProof:
        try:
            path = tuple(bytes.fromhex(step) for step in self.path)
        except ValueError:
            raise ProofError(f"receipt of fact {self.seq}", "has a path that is not hexadecimal", ASK) from None
        return TlogProof(self.seq, path, self.checkpoint, self._entry())

    def _check_words(self) -> None:
        """What the receipt says in words is what its entry says."""
        said = read_entry(self._entry())
        leaf = leaf_hash(self._entry()).hex()
        if (said.id, said.kind, leaf) != (self.fact, self.kind, self.leaf):
            reason = "says another id, kind or leaf than it proves"
            raise ProofError(f"receipt of fact {self.seq}", reason, ASK)


class Said(msgspec.Struct, frozen=True):
    """What an entry is called."""

    id: str
    kind: str
    body_sha256: str | None
    """Of a fact above 64 KiB: its body's hash."""


def read_entry(data: bytes) -> Said:
    """The name of the fact in an entry; raises ProofError when there is none."""
    try:
        data.decode()
        fact = decode(data)
    except (MalformedFactError, UnicodeDecodeError) as error:
        raise ProofError("receipt", f"does not hold a fact: {error}", ASK) from None
    return Said(fact.id, fact.kind, fact.body.sha256 if isinstance(fact.body, Elsewhere) else None)


def receipt_of(seq: int, data: bytes, path: tuple[bytes, ...], note: str) -> Receipt:
    """The receipt of entry ``seq``; raises ProofError when ``data`` is no fact, or ``note`` no checkpoint."""
    said = read_entry(data)
    return Receipt(
        fact=said.id,
        kind=said.kind,
        seq=seq,
        leaf=leaf_hash(data).hex(),
        size=read_checkpoint(read_note(note).text).size,
        path=tuple(step.hex() for step in path),
        checkpoint=note,
        data=data.decode(errors="surrogatepass"),
    )
