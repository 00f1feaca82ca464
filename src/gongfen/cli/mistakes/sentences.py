"""A sentence of an error in the reader's language: its English is found among those it was made from.

Errors are raised in English, by rooms that know no reader. Their sentences are templates with places, as
``has {left} copies left, of {made}``; the catalogue beside this file holds every one of them, and a test holds it
complete. Here the English of an error is held against the templates, and what stood in the places is put into the
Chinese one. ``{kind:word}`` marks a place that holds words, which are translated too; a name never is.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from operator import itemgetter

from gongfen.facts import KINDS
from gongfen.reports.words import catalogue

PLACE = re.compile(r"\{(\w+)(:word|:kind|:name|:number)?\}")
"""A place of a template: ``:word`` where words of the house stand, or another error; ``:kind`` of a kind of facts,
``:name`` of one word that stays as it is, ``:number`` of a number."""
HOLDS = {":kind": f"({'|'.join(KINDS)})", ":name": r"(\S+?)", ":number": r"([-\d][\d/.,]*)"}
"""What stands in a place of a sort; in any other, anything."""
TOLD = (":word", ":kind")
"""Sorts of places whose words are translated, too."""
VERB = re.compile(r" (?=(?:is|are|was|were|has|have|do|does|could|would|cannot|[a-z]+s) )")
"""Where the reason of an error may begin."""
LONGEST = 1_000
"""Characters of a text that is searched: what is longer holds a file, or what somebody made to take long."""
DEEPEST = 6
"""So many errors within errors."""
REMEMBERED = 1_000
TOGETHER = re.compile("^[，：；）]|^[\u4e00-\u9fff”][\u4e00-\u9fff“，（]")
"""The end of one text and the beginning of the next that stand together."""


class Template:
    """One English sentence with places, and its translation.

    >>> Template("has {n} copies left, of {all}", "共 {all} 份，只剩 {n} 份").match("has 2 copies left, of 9")
    {'n': '2', 'all': '9'}
    """

    def __init__(self, english: str, translated: str) -> None:
        pieces = PLACE.split(english)
        self.literals = pieces[::3]
        self.names, self.translated = pieces[1::3], translated
        self.sorts = dict(zip(self.names, pieces[2::3], strict=True))
        self.weight = sum(map(len, self.literals)) + len(self.literals[0])
        """How much of a text it tells; what it begins with counts twice, for there is nothing else it can be."""

    def match(self, text: str) -> dict[str, str] | None:
        """What stands in its places, if a text was made from it."""
        if not text.startswith(self.literals[0]) or not text.endswith(self.literals[-1]):
            return None
        places = [HOLDS.get(sort, "(.*?)") for sort in self.sorts.values()]
        parts = (part for pair in zip(map(re.escape, self.literals), (*places, ""), strict=True) for part in pair)
        found = re.fullmatch("".join(parts), text, re.DOTALL)
        return dict(zip(self.names, found.groups(), strict=True)) if found else None

    def filled(self, values: Mapping[str, str]) -> str:
        """The translation with its places filled."""
        return PLACE.sub(lambda place: values[place[1]], self.translated)


class Templates:
    """All sentences of a catalogue: those without places by themselves, the others the most telling first."""

    def __init__(self, messages: Mapping[str, str]) -> None:
        self._fixed = {english: said for english, said in messages.items() if not PLACE.search(english)}
        placed = [Template(english, said) for english, said in messages.items() if english not in self._fixed]
        self._placed = sorted(placed, key=lambda one: (-one.weight, len(one.names)))
        # Errors within errors are looked at from many ends: each text once.
        self._sentence = lru_cache(REMEMBERED)(self._search)

    def said(self, text: str, *, name: bool = False) -> str:
        """A text in the other language, or itself when nobody has translated it.

        ``name``: it may be what somebody calls a work or a maker, so a single word stays as it is.
        """
        return text if name and text.isalpha() else self._sentence(text, 0)[1]

    def _search(self, text: str, depth: int) -> tuple[int, str]:
        """A text said by the most telling of the sentences that it is made from, and how much that tells."""
        if text in self._fixed:
            return 2 * len(text), self._fixed[text]
        if len(text) > LONGEST:
            return 0, text
        for template in self._placed:
            values = template.match(text)
            if values is not None:
                told = {n: self._inner(v, depth + 1) if template.sorts[n] in TOLD else v for n, v in values.items()}
                return template.weight, template.filled(told)
        return 0, text

    def _inner(self, text: str, depth: int) -> str:
        """What stands in a place of words: a sentence, or an error that is told within another."""
        if depth == DEEPEST:
            return text
        return max(self._sentence(text, depth), self._error(text, depth), key=itemgetter(0))[1]

    def _error(self, text: str, depth: int) -> tuple[int, str]:
        """An error as Python writes it: ``thing reason; remedy``, or without its remedy."""
        head, mark, remedy = text.partition("; ")
        for verb in VERB.finditer(head):
            telling, reason = self._sentence(head[verb.end() :], depth)
            if telling:
                whole = joined(self.said(head[: verb.start()], name=True), reason)
                return telling, f"{whole}；{self.said(remedy)}" if mark else whole
        return 0, text


def joined(thing: str, reason: str) -> str:
    """A thing and what is wrong with it: Chinese stands close to Chinese and after a mark.

    >>> joined("事实 5", "不在此账本中"), joined("审计包", "已损坏"), joined("poem-9", "没有份额")
    ('事实 5 不在此账本中', '审计包已损坏', 'poem-9 没有份额')
    """
    return f"{thing}{'' if TOGETHER.search(thing[-1:] + reason[:1]) else ' '}{reason}"


@cache
def templates(lang: str) -> Templates:
    """The sentences of errors in a language. English needs none: errors are raised in it."""
    found = catalogue(lang, __package__)
    assert found is not None, f"{lang} has a catalogue"
    return Templates({str(message.id): str(message.string) for message in found if message.id and message.string})
