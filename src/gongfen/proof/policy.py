"""Whose word is enough: which logs are known, which witnesses, and how many of them must have seen a checkpoint.

Format: c2sp.org/tlog-policy. One line each::

    log <verifier key> [<url>]
    witness <name> <verifier key> [<url>]
    group <name> all|any|<k> <name>...
    quorum none|<name>

A checkpoint is good when one of the logs signed it and the quorum's witnesses cosigned it. Where a log has two keys
and both must hold, ``checkpoint.open_checkpoint`` with both says so.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from gongfen.errors import ProofError
from gongfen.proof.checkpoint import Checkpoint, read_checkpoint
from gongfen.proof.cosignature import Cosignature, MLDSA44Verifier, WitnessVerifier, cosignatures, read_verifier
from gongfen.proof.note import Note, Verifier, encoded_length, read_note

MOST_BYTES = 1 << 20
MOST_OF_A_KIND = 64
"""Logs, witnesses and groups each; the specification asks for 32 at least ("Implementation limits")."""
NO_QUORUM = "none"
FORBIDDEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
THRESHOLD = re.compile(r"[1-9][0-9]?", re.ASCII)
REMEDY = "correct the policy; its form is c2sp.org/tlog-policy"

LogVerifier = Verifier | MLDSA44Verifier
CosignerVerifier = WitnessVerifier | MLDSA44Verifier


@dataclass(frozen=True, slots=True)
class Log:
    """A known log. The key's name is its origin; the address, if any, is for those who fetch."""

    verifier: LogVerifier
    url: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """A known witness. ``name`` is its name within the policy; its key has another, for signature lines."""

    name: str
    verifier: CosignerVerifier
    url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Has witnessed when ``threshold`` of its members have, each of them a witness or a group before it."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint that satisfied a policy, and the trusted witnesses (by their names in it) that cosigned it."""

    checkpoint: Checkpoint
    cosignatures: tuple[Cosignature, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """Known logs and witnesses, and the quorum: the name of a witness or a group, or ``none``.

    Made by ``parse`` or ``of``; both refuse what breaks the rules.
    """

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    @classmethod
    def of(cls, logs: Sequence[LogVerifier], witnesses: Sequence[CosignerVerifier], quorum: int) -> "Policy":
        """``quorum`` of these witnesses, any of them; 0 asks for none. Raises ProofError when that cannot be."""
        # Errors name them: by their own names, where these are different, and no words of a policy.
        names = [one.name for one in witnesses]
        plain = len({*names, NO_QUORUM, "quorum"}) == len(names) + 2
        known = tuple(Witness(one.name if plain else f"{one.name}#{n}", one) for n, one in enumerate(witnesses, 1))
        groups = (Group("quorum", quorum, tuple(one.name for one in known)),) if quorum else ()
        policy = cls(tuple(map(Log, logs)), known, groups, "quorum" if quorum else NO_QUORUM)
        return cls.parse(str(policy))

    @classmethod
    def parse(cls, text: str) -> "Policy":
        """Read a policy of at most 1 MiB; raises ProofError that names the line (tlog-policy, "Policy file syntax")."""
        if encoded_length(text) > MOST_BYTES:
            raise ProofError("policy", "is longer than 1 MiB, or not Unicode text", REMEDY)
        reading = _Reading()
        for number, line in enumerate(text.split("\n"), 1):
            reading.line(f"policy, line {number},", line)
        if not reading.quorum:
            raise ProofError("policy", "has no quorum line", REMEDY)
        return cls(tuple(reading.logs), tuple(reading.witnesses), tuple(reading.groups), reading.quorum)

    def __str__(self) -> str:
        """The policy's text, which ``parse`` reads again as the same."""
        logs = (f"log {one.verifier} {one.url}" for one in self.logs)
        witnesses = (f"witness {one.name} {one.verifier} {one.url}" for one in self.witnesses)
        groups = (f"group {one.name} {one.threshold} {' '.join(one.members)}" for one in self.groups)
        return "".join(f"{line.rstrip()}\n" for line in (*logs, *witnesses, *groups, f"quorum {self.quorum}"))

    def check(self, note: str) -> Witnessed:
        """The checkpoint of a note that satisfies this policy.

        One of the logs signed it under its own origin, and enough witnesses cosigned; every line of a known key holds.
        Raises ProofError otherwise, and says which witnesses are missing.
        """
        opened = read_note(note)
        checkpoint = read_checkpoint(opened.text)
        self._check_log(opened, checkpoint)
        found = {one.name: cosignatures(opened, (one.verifier,)) for one in self.witnesses}
        seen = tuple(Cosignature(name, cosigned[0].time_s) for name, cosigned in found.items() if cosigned)
        if self.quorum != NO_QUORUM and self.quorum not in self._satisfied({one.witness for one in seen}):
            missing = ", ".join(name for name, cosigned in found.items() if not cosigned)
            reason = f"was cosigned by {len(seen)} of {len(found)} witnesses, too few for the quorum"
            raise ProofError("checkpoint", reason, f"ask these for a cosignature: {missing}")
        return Witnessed(checkpoint, seen)

    def _check_log(self, opened: Note, checkpoint: Checkpoint) -> None:
        known = [one.verifier for one in self.logs if one.verifier.name == checkpoint.origin]
        if not known:
            reason = f"is of the log {checkpoint.origin}, which the policy does not name"
            raise ProofError("checkpoint", reason, "ask for the right log, or add it to the policy")
        # All are asked, not only up to one that signed: a false line of any known key condemns the note.
        signed = [verifier for verifier in known if opened.signatures_of(verifier)]
        if not signed:
            reason = f"is not signed by the log {checkpoint.origin}"
            raise ProofError("checkpoint", reason, "check with the key that its owner published")

    def _satisfied(self, cosigned: Iterable[str]) -> set[str]:
        """The witnesses and groups that have witnessed; a group only refers to what stands before it."""
        satisfied = set(cosigned)
        for group in self.groups:
            if sum(member in satisfied for member in group.members) >= group.threshold:
                satisfied.add(group.name)
        return satisfied


class _Reading:
    """What has been read of a policy so far."""

    def __init__(self) -> None:
        self.logs: list[Log] = []
        self.witnesses: list[Witness] = []
        self.groups: list[Group] = []
        self.quorum = ""
        self.names: set[str] = set()
        self.members: set[str] = set()

    def line(self, place: str, line: str) -> None:
        """Read one line, or raise ProofError."""
        if FORBIDDEN.search(line):
            raise ProofError(place, "holds control characters", REMEDY)
        words = re.split(r"[ \t]+", line.strip(" \t"))
        if not words[0] or words[0].startswith("#"):
            return
        match words:
            case ["log", key, *url] if len(url) < 2:
                self.logs.append(self._log(place, key, "".join(url)))
            case ["witness", name, key, *url] if len(url) < 2:
                self.witnesses.append(self._witness(place, name, key, "".join(url)))
            case ["group", name, threshold, *members] if members:
                self.groups.append(self._group(place, name, threshold, members))
            case ["quorum", name] if not self.quorum:
                self.quorum = self._quorum(place, name)
            case _:
                raise ProofError(place, f"is no log, witness, group or only quorum: {line.strip()[:40]!r}", REMEDY)
        if max(len(self.logs), len(self.witnesses), len(self.groups)) > MOST_OF_A_KIND:
            raise ProofError(place, f"is one of more than {MOST_OF_A_KIND} of its kind", REMEDY)

    def _log(self, place: str, key: str, url: str) -> Log:
        verifier = read_verifier(key)
        if isinstance(verifier, WitnessVerifier):
            raise ProofError(place, "gives a log the key of a witness", REMEDY)
        if verifier.public in (one.verifier.public for one in self.logs):
            raise ProofError(place, "names a log's key twice", REMEDY)
        return Log(verifier, url)

    def _witness(self, place: str, name: str, key: str, url: str) -> Witness:
        verifier = read_verifier(key)
        if isinstance(verifier, Verifier):
            raise ProofError(place, "gives a witness the key of a log", REMEDY)
        if verifier.public in (one.verifier.public for one in self.witnesses):
            raise ProofError(place, "names a witness's key twice", REMEDY)
        self._define(place, name)
        return Witness(name, verifier, url)

    def _group(self, place: str, name: str, threshold: str, members: list[str]) -> Group:
        needed = {"any": "1", "all": str(len(members))}.get(threshold, threshold)
        if not THRESHOLD.fullmatch(needed) or int(needed) > len(members):
            raise ProofError(place, f"asks for {threshold[:20]} of {len(members)} members", REMEDY)
        for member in members:
            if member not in self.names or member in self.members:
                raise ProofError(place, f"has the member {member[:40]!r}, unknown so far or in a group before", REMEDY)
            self.members.add(member)
        self._define(place, name)
        return Group(name, int(needed), tuple(members))

    def _quorum(self, place: str, name: str) -> str:
        if name != NO_QUORUM and name not in self.names:
            raise ProofError(place, f"asks for {name[:40]!r}, unknown so far", REMEDY)
        return name

    def _define(self, place: str, name: str) -> None:
        if name == NO_QUORUM or name in self.names:
            raise ProofError(place, f"uses the name {name[:40]!r} again", REMEDY)
        self.names.add(name)
