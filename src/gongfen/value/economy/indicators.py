"""What labour did to capital: composition, rates, shares, concentration, and when a machine is cheaper than a person.

From *Capital* I and III, as in ``economics.md``, section 1:

| | | |
|---|---|---|
| W = c + v + s | value of the product | c constant, v variable capital, s surplus |
| q = c/v | organic composition | machines and data against wages |
| e = s/v | rate of surplus | |
| r = s/(c + v) | rate of profit | equals e/(1 + q) wherever v is not 0 |

Everything is an exact fraction. ``None`` is *unknown*: an input that nobody knows, or a division by nothing. It is
never read as zero, and whatever is computed from it is unknown too. All labour is in one unit (SLH), all money in one
currency.
"""

from collections.abc import Mapping
from fractions import Fraction

import msgspec

from gongfen.errors import InputError
from gongfen.value.irrational import root

Known = Fraction | None


def over(above: Known, below: Known) -> Known:
    """A quotient; unknown when either is, or when it is by nothing.

    >>> over(Fraction(1), Fraction(2)), over(Fraction(1), Fraction(0)), over(None, Fraction(2))
    (Fraction(1, 2), None, None)
    """
    return Fraction(above, below) if above is not None and below else None


class Capital(msgspec.Struct, frozen=True, kw_only=True):
    """c, v and s, in one unit of labour (or of money), and what follows from them."""

    constant: Known
    variable: Known
    surplus: Known

    @property
    def value(self) -> Known:
        """W = c + v + s."""
        return _sum(self.constant, self.variable, self.surplus)

    @property
    def surplus_rate(self) -> Known:
        """The rate of surplus, e = s/v."""
        return over(self.surplus, self.variable)

    @property
    def composition(self) -> Known:
        """The organic composition, q = c/v."""
        return over(self.constant, self.variable)

    @property
    def profit_rate(self) -> Known:
        """The rate of profit, r = s/(c + v) = e/(1 + q); known also where nobody was paid and e and q are not."""
        return over(self.surplus, _sum(self.constant, self.variable))


def capital(constant: Known, living: Known, wages: Known, melt: Known) -> Capital:
    """From labour and wages: ``v = wages/μ``, what the workers got back; ``s = L − v``, what they did not.

    ``constant`` is c, the labour transferred from machines and bought data; ``living`` is L, the new labour; ``wages``
    are money, and μ is money for one unit of labour.
    """
    variable = over(wages, melt)
    surplus = None if living is None or variable is None else living - variable
    return Capital(constant=constant, variable=variable, surplus=surplus)


def labour_share(wages: Known, dividends: Known, revenue: Known) -> Known:
    """Wages and dividends to makers, of all revenue."""
    return over(_sum(wages, dividends), revenue)


def concentration(amounts: Mapping[str, Known]) -> Known:
    """Herfindahl–Hirschman: the sum of squared shares, 1/n for n equals, 1 for one alone.

    Of sellers by revenue, of owners of models or of machines by use. One unknown amount makes it unknown.

    >>> concentration({"ada": Fraction(3), "bo": Fraction(1)})
    Fraction(5, 8)
    """
    total = _sum(*amounts.values())
    if any(amount is not None and amount < 0 for amount in amounts.values()):
        raise InputError("a concentration", "has an amount below zero", "leave out who sold or owned less than nothing")
    squares = _sum(*(None if amount is None else amount * amount for amount in amounts.values()))
    return over(squares, None if total is None else total * total)


class Dispersion(msgspec.Struct, frozen=True, kw_only=True):
    """How far producers lie apart in q = c/v, each counted by its v: labour moves where this is wide."""

    mean: Known
    """Σc/Σv: the composition of all together."""
    variance: Known
    left_out: tuple[str, ...]
    """Producers whose q is unknown."""

    @property
    def variation(self) -> Known:
        """Standard deviation over mean; exact if it is a fraction, else to forty digits."""
        return over(None if self.variance is None else root(self.variance), self.mean)


def dispersion(producers: Mapping[str, Capital]) -> Dispersion:
    """Of q over ``producers``, weighted by variable capital; unknown when no producer's q is known."""
    known = [
        (one.constant, one.variable)
        for one in producers.values()
        if one.constant is not None and one.variable is not None and one.variable > 0
    ]
    left_out = tuple(
        name for name, one in producers.items() if one.constant is None or one.variable is None or one.variable <= 0
    )
    weight = sum((variable for _, variable in known), Fraction(0))
    mean = over(sum((constant for constant, _ in known), Fraction(0)), weight)
    if mean is None:
        return Dispersion(mean=None, variance=None, left_out=left_out)
    squares = sum((variable * (Fraction(constant, variable) - mean) ** 2 for constant, variable in known), Fraction(0))
    return Dispersion(mean=mean, variance=over(squares, weight), left_out=left_out)


def automation_threshold(wage: Known, hours: Known) -> Known:
    """The machine cost below which an owner replaces the labour: ``w·h``, what these hours are paid.

    Not what they are worth: a task that is paid badly is automated late, however long it takes.
    """
    return None if wage is None or hours is None else wage * hours


def automates(machine_cost: Known, wage: Known, hours: Known) -> bool | None:
    """Whether the machine costs less than the labour it replaces is paid; at equal cost nobody changes."""
    threshold = automation_threshold(wage, hours)
    return None if machine_cost is None or threshold is None else machine_cost < threshold


def _sum(*numbers: Known) -> Known:
    total = Fraction(0)
    for number in numbers:
        if number is None:
            return None
        total += number
    return total
