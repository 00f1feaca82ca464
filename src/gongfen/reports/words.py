"""How things are said in the reader's language: words, numbers, money and time, exact to the last unit.

English is the message id. The Chinese catalogue is a plain ``.po`` file, read when it is first needed, so that
translators edit what the program uses. Amounts come as integers with their unit; no float is made of money.

>>> Words("zh-Hans").gettext("Settlement")
'结算'
>>> Words("en").money(10_000_000, "EUR"), Words("en").hours(900)
('EUR 10.00', '3.24 s')
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_currency_precision

LANGUAGES: tuple[str, ...] = ("en", "zh-Hans")
"""BCP 47 tags of the languages that every page speaks; the first is the default."""

MICRO_DIGITS = 6
USLH_PER_SECOND = Decimal(1_000_000) / Decimal(3600)
LEAST_SECONDS = Decimal("0.01")
MINUS = "−"
PLUS = "+"
WIDE_SCRIPT = (0x2E80, 0x9FFF)
"""From the first CJK radical to the last unified ideograph of the basic plane."""


def N_(message: str) -> str:  # noqa: N802 — the name that extractors of messages know
    """Mark a message for translators where it is only named, not yet said."""
    return message


@cache
def catalogue(lang: str, package: str = __package__) -> Catalog | None:
    """The translations into ``lang`` of what a package says; ``None`` for English, which needs none."""
    if lang == LANGUAGES[0]:
        return None
    name = lang.replace("-", "_")
    with files(package).joinpath("locale", f"{name}.po").open("rb") as stream:
        return read_po(stream, locale=name)


def nearest(tag: str) -> str:
    """The language we speak that is nearest to a BCP 47 tag or a POSIX locale name.

    >>> nearest("zh_CN.UTF-8"), nearest("fr"), nearest("en-GB")
    ('zh-Hans', 'en', 'en')
    """
    wanted = tag.replace("_", "-").split("-")[0].lower()
    return next((known for known in LANGUAGES if known.split("-")[0] == wanted), LANGUAGES[0])


def key_of(lang: str) -> str:
    """What a language's ids begin with: ``en``, ``zh``."""
    return lang.split("-", maxsplit=1)[0]


def tongue(text: str) -> str:
    """A guess at the language of a work that does not say: Chinese when a quarter of its letters are.

    >>> tongue("床前明月光"), tongue("Fellow citizens"), tongue("")
    ('zh-Hans', 'en', 'en')
    """
    letters = [c for c in text if c.isalpha()]
    low, high = WIDE_SCRIPT
    wide = sum(low <= ord(c) <= high for c in letters)
    return "zh-Hans" if wide * 4 > len(letters) else "en"


def preferred(environment: Mapping[str, str]) -> str:
    """The language that the environment asks for: our own variable, else those of gettext in their order.

    >>> preferred({"LANG": "zh_CN.UTF-8"}), preferred({"LANGUAGE": "zh_CN:en", "LANG": "de_DE.UTF-8"}), preferred({})
    ('zh_CN.UTF-8', 'zh_CN', 'en')
    """
    order = ("GONGFEN_LANG", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    return next((said for name in order if (said := environment.get(name, "").partition(":")[0])), LANGUAGES[0])


class Words:
    """What one language needs to say a report: gettext's two verbs, and amounts."""

    def __init__(self, lang: str, package: str = __package__) -> None:
        """Speak the language nearest to ``lang``, with the catalogue of ``package``."""
        self.lang = nearest(lang)
        self._locale = Locale.parse(self.lang, sep="-")
        self._catalogue = catalogue(self.lang, package)

    def gettext(self, message: str) -> str:
        """The message in this language, or itself when nobody has translated it."""
        found = self._catalogue.get(message) if self._catalogue is not None else None
        return found.string if found is not None and isinstance(found.string, str) and found.string else message

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """The message for ``n`` things. Chinese has one form for all numbers."""
        found = self._catalogue.get(singular) if self._catalogue is not None else None
        if found is not None and isinstance(found.string, (tuple, list)) and found.string[0]:
            return str(found.string[0])
        return singular if n == 1 else plural

    def say(self, message: str, **values: object) -> str:
        """The message with its ``%(name)s`` places filled."""
        return fill(self.gettext(message), values)

    def counted(self, singular: str, plural: str, n: int, **values: object) -> str:
        """The message for ``n`` things, with ``n`` and its other places filled.

        >>> [Words(lang).counted("%(n)s fact", "%(n)s facts", 1) for lang in LANGUAGES]
        ['1 fact', '1 条事实']
        """
        return fill(self.ngettext(singular, plural, n), {"n": self.number(n), **values})

    def facts(self, n: int) -> str:
        """So many facts."""
        return self.counted("%(n)s fact", "%(n)s facts", n)

    def makers(self, n: int) -> str:
        """So many makers."""
        return self.counted("%(n)s maker", "%(n)s makers", n)

    def number(self, value: int | Decimal, *, least: int = 0, most: int = 0, sign: bool = False) -> str:
        """A number with thousands grouped, ``least`` to ``most`` decimals and a true minus sign."""
        pattern = "#,##0" + ("." + "0" * least + "#" * (most - least) if most else "")
        text = format_decimal(abs(Decimal(value)), format=pattern, locale=self._locale)
        shown_zero = not text.strip("0.,")
        return (MINUS if value < 0 and not shown_zero else PLUS if sign and value > 0 else "") + text

    def money(self, micro: int, currency: str, *, sign: bool = False) -> str:
        """Micro-units of a currency, exact: more decimals than the coin has only where they are not zero.

        >>> Words("en").money(-1_234_500_001, "EUR"), Words("en").money(5_000_000, "JPY")
        ('−EUR 1,234.500001', 'JPY 5')
        """
        least = min(get_currency_precision(currency), MICRO_DIGITS)
        digits = self.number(Decimal(abs(micro)).scaleb(-MICRO_DIGITS), least=least, most=MICRO_DIGITS)
        mark = MINUS if micro < 0 else PLUS if sign and micro > 0 else ""
        return f"{mark}{currency} {digits}"

    def hours(self, uslh: int) -> str:
        """Micro-SLH as a person reads time, rounded to what the unit carries.

        >>> [Words("en").hours(n) for n in (0, 1, 900, 70_000, 1_500_000, 1_035_000_000)]
        ['0 s', '< 0.01 s', '3.24 s', '4 min 12 s', '1 h 30 min', '1,035 h']
        """
        seconds = uslh / USLH_PER_SECOND if uslh else Decimal(0)
        if uslh and abs(seconds) < LEAST_SECONDS / 2:
            return "< " + self.seconds(LEAST_SECONDS)  # little is not nothing
        return self.seconds(seconds)

    def decimal_hours(self, uslh: int) -> str:
        """Micro-SLH in hours to the last of them, for whoever multiplies by hand.

        >>> Words("en").decimal_hours(100_332_750), Words("en").decimal_hours(1)
        ('100.33275 h', '0.000001 h')
        """
        return self.say("%(n)s h", n=self.number(Decimal(uslh).scaleb(-MICRO_DIGITS), most=MICRO_DIGITS))

    def seconds(self, seconds: Decimal) -> str:
        """Seconds as a person reads time: two decimals below a minute, whole hours from a hundred."""
        if abs(seconds) < Decimal("59.995"):
            return self.say("%(n)s s", n=self.number(seconds, most=2))
        minus = MINUS if seconds < 0 else ""
        whole = int(abs(seconds).to_integral_value())
        if whole < 3600:
            return minus + self._two(
                self.say("%(n)s min", n=whole // 60), self.say("%(n)s s", n=whole % 60), alone=whole % 60 == 0
            )
        minutes = int((abs(seconds) / 60).to_integral_value())
        if minutes < 6000:
            return minus + self._two(
                self.say("%(n)s h", n=minutes // 60), self.say("%(n)s min", n=minutes % 60), alone=minutes % 60 == 0
            )
        return minus + self.say("%(n)s h", n=self.number((abs(seconds) / 3600).to_integral_value()))

    def percent(self, ppm: int, *, most: int = 1) -> str:
        """Parts per million as per cent.

        >>> Words("en").percent(123_456), Words("en").percent(500_000)
        ('12.3%', '50%')
        """
        return self.number(Decimal(ppm).scaleb(-4), most=most) + "%"

    def ratio(self, ppm: int) -> str:
        """Parts per million as a plain ratio with two decimals: 0.92."""
        return self.number(Decimal(ppm).scaleb(-6), least=2, most=2)

    def nats(self, nnat: int) -> str:
        """Nano-nats with their sign and three digits, in the unit that keeps them short.

        >>> Words("en").nats(12_345_678), Words("en").nats(-1_500_000_000)
        ('+12.3 mnat', '−1.5 nat')
        """
        if nnat == 0:
            return "0"
        for digits, unit in ((9, "nat"), (6, "mnat"), (3, "µnat")):
            if abs(nnat) >= 10**digits:
                value = Decimal(nnat).scaleb(-digits)
                return f"{self.number(value, most=max(0, 2 - value.adjusted()), sign=True)} {unit}"
        return f"{self.number(nnat, sign=True)} nnat"

    def scaled(self, value: int, units: tuple[str, ...], *, most: int = 1) -> str:
        """A whole number of the first unit, said in the largest unit of a thousand each that fits.

        >>> Words("en").scaled(12_340, ("mWh", "Wh", "kWh"))
        '12.3 Wh'
        """
        step = min(max(len(str(abs(value))) - 1, 0) // 3, len(units) - 1)
        return f"{self.number(Decimal(value).scaleb(-3 * step), most=most if step else 0)} {units[step]}"

    @staticmethod
    def _two(large: str, small: str, *, alone: bool) -> str:
        """Two units, the smaller left out when it is zero."""
        return large if alone else f"{large} {small}"


def fill(message: str, values: Mapping[str, object]) -> str:
    """A translated message with its ``%(name)s`` places filled; ``%%`` stands for a per-cent sign."""
    return message % values
