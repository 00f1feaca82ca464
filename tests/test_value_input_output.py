"""Labour values of sector tables, and the classical schemes: against the published numbers, and by their identities."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gongfen.errors import InputError, JointProductionError, MalformedFactError, NotProductiveError
from gongfen.value import (
    Department,
    decimal,
    is_productive,
    joint_values,
    labour_values,
    leontief_inverse,
    profit_rate,
    reproduction,
    table_of_csv,
    table_of_rows,
    transformation,
    unit_values,
    values_of_processes,
)

MILLER_BLAIR = [[Fraction(15, 100), Fraction(25, 100)], [Fraction(2, 10), Fraction(5, 100)]]
TABLE = """
sector,agriculture,manufacturing,final demand,labour,wages
agriculture,150,500,350,100,900
manufacturing,200,100,1700,200,
"""


# Values of a table


def test_the_leontief_inverse_of_miller_and_blair():
    """economics.md, section 4; Miller & Blair, *Input–Output Analysis*, section 2.3."""
    inverse = leontief_inverse(MILLER_BLAIR)
    assert [[decimal(number, 6) for number in row] for row in inverse] == [
        ["1.254125", "0.330033"],
        ["0.264026", "1.122112"],
    ]


def test_a_table_from_csv_is_valued_and_conserves_labour():
    """The flows of Miller & Blair, with outputs 1,000 and 2,000, and labour put to them."""
    table = table_of_csv(TABLE)
    assert table.output == (1_000, 2_000)
    assert table.wages == (900, None)
    found = labour_values(table)
    assert list(found.values.values()) == unit_values(MILLER_BLAIR, [Fraction(1, 10), Fraction(1, 10)])
    assert found.direct == {"agriculture": Fraction(1, 10), "manufacturing": Fraction(1, 10)}
    assert sum(found.values[name] * final for name, final in zip(table.names, table.final, strict=True)) == 300
    assert found.labour == 300


@st.composite
def economies(draw):
    """Flows and final demand at random: some table, productive whenever everything is left over of everything."""
    size = draw(st.integers(1, 4))
    some = st.fractions(0, 100, max_denominator=8)
    flows = [[draw(some) for _ in range(size)] for _ in range(size)]
    final = [draw(st.fractions(Fraction(1, 8), 100, max_denominator=8)) for _ in range(size)]
    labour = [draw(some) for _ in range(size)]
    rows = [["", *map(str, range(size)), "final demand", "labour"]]
    rows += [[str(at), *flows[at], final[at], labour[at]] for at in range(size)]
    return table_of_rows(rows)


@settings(deadline=None)
@given(economies())
def test_all_labour_is_in_the_final_product(table):
    """v·y = l·x, and no value is below the labour done in the sector itself."""
    found = labour_values(table)
    assert sum(value * final for value, final in zip(found.values.values(), table.final, strict=True)) == sum(
        table.labour
    )
    assert all(found.values[name] >= found.direct[name] >= 0 for name in table.names)


@settings(deadline=None)
@given(st.lists(st.lists(st.fractions(0, 1, max_denominator=6), min_size=3, max_size=3), min_size=3, max_size=3))
def test_productive_means_that_every_leading_minor_is_above_zero(inputs):
    """Hawkins & Simon 1949, by determinants: the definition, against the one solution that is used."""
    rows = [[int(i == j) - used for j, used in enumerate(row)] for i, row in enumerate(inputs)]
    minors = [
        rows[0][0],
        rows[0][0] * rows[1][1] - rows[0][1] * rows[1][0],
        sum(
            rows[0][i] * (rows[1][(i + 1) % 3] * rows[2][(i + 2) % 3] - rows[1][(i + 2) % 3] * rows[2][(i + 1) % 3])
            for i in range(3)
        ),
    ]
    assert is_productive(inputs) is all(minor > 0 for minor in minors)


@pytest.mark.parametrize(
    "inputs",
    [
        [[1]],
        [[Fraction(3, 2)]],
        [[0, 1], [1, 0]],
        [[Fraction(1, 2), 0], [0, 2]],
        [[Fraction(9, 10), Fraction(1, 2)], [Fraction(1, 2), Fraction(9, 10)]],
    ],
    ids=["eats itself", "eats more", "eat each other", "one of two", "together"],
)
def test_an_economy_that_eats_itself_has_no_values(inputs):
    assert not is_productive(inputs)
    with pytest.raises(NotProductiveError):
        unit_values(inputs, [1] * len(inputs))
    with pytest.raises(NotProductiveError):
        leontief_inverse(inputs)


def test_the_sector_that_eats_itself_is_named():
    table = table_of_csv("s,iron,corn,final demand,labour\niron,12,0,-2,1\ncorn,0,1,9,1")
    with pytest.raises(NotProductiveError, match="above all iron"):
        labour_values(table)


def test_a_sector_that_made_nothing_has_no_value_and_not_a_value_of_zero():
    found = labour_values(table_of_csv("s,iron,ghost,final demand,labour\niron,1,0,1,3\nghost,0,0,0,0"))
    assert found.values == {"iron": 3, "ghost": None}
    assert found.direct["ghost"] is None


@pytest.mark.parametrize(
    ("row", "problem"),
    [("ghost,0,0,0,1", "works and makes nothing"), ("ghost,2,0,-2,0", "is used and makes nothing"),
     ("ghost,0,0,-1,0", "makes less than nothing")],
)  # fmt: skip
def test_a_sector_without_output_may_not_move(row, problem):
    with pytest.raises(InputError, match=problem):
        labour_values(table_of_csv(f"s,iron,ghost,final demand,labour\niron,1,0,1,3\n{row}"))


def test_two_hundred_sectors_are_solved_exactly():
    """Of the size of the tables that statistical offices publish; a chain with side lines, so that it is quick."""
    size = 200
    rows = [["", *range(size), "final", "labour"]]
    for at in range(size):
        flows = [3 if to == at + 1 else 1 if (to * 7 + at) % 50 == 0 else 0 for to in range(size)]
        rows.append([at, *flows, 10, at + 1])
    found = labour_values(table_of_rows(rows))
    assert sum(value * 10 for value in found.values.values()) == found.labour == size * (size + 1) // 2


# Joint production


def test_steedman_is_refused_and_told_why():
    """economics.md, section 4: (25, 0) → (30, 5) with labour 5; (0, 10) → (3, 12) with labour 1."""
    inputs, outputs, labour = [[25, 0], [0, 10]], [[30, 5], [3, 12]], [5, 1]
    assert joint_values(inputs, outputs, labour) == [-1, 2]
    with pytest.raises(JointProductionError, match=r"wool and mutton in one process.*wool -1, mutton 2"):
        values_of_processes(inputs, outputs, labour, ["wool", "mutton"])


def test_joint_production_is_refused_though_its_values_look_harmless():
    with pytest.raises(JointProductionError) as raised:
        values_of_processes([[0, 0], [0, 0]], [[1, 1], [0, 1]], [3, 1])
    assert "would give" not in raised.value.reason
    assert joint_values([[0, 0], [0, 0]], [[1, 1], [0, 1]], [3, 1]) == [2, 1]


def test_two_processes_for_one_product_are_refused():
    with pytest.raises(JointProductionError, match="without one process of their own"):
        values_of_processes([[0], [0]], [[1], [1]], [3, 1])
    assert joint_values([[0], [0]], [[1], [1]], [3, 1]) is None
    with pytest.raises(JointProductionError, match="without one process of their own"):
        values_of_processes([[0, 0], [0, 0]], [[1, 0], [0, 0]], [3, 1])


def test_processes_with_one_product_each_are_a_sector_table():
    """Ten units of iron from two of iron, one of corn and eight hours; the same for corn, the other way round."""
    found = values_of_processes([[2, 1], [1, 2]], [[10, 0], [0, 10]], [8, 8])
    assert found == unit_values(
        [[Fraction(1, 5), Fraction(1, 10)], [Fraction(1, 10), Fraction(1, 5)]], [Fraction(4, 5), Fraction(4, 5)]
    )


# Layout of a table


def test_separators_names_and_order_of_rows():
    table = table_of_csv(
        "\ufeff;A;B;Final demand;最终需求;LABOR\nB;0;0,\n".replace("0,\n", "0;5;.5;2e1\nA;1;2;3;0;4\n")
    )
    assert table.names == ("A", "B")
    assert table.flows == ((1, 2), (0, 0))
    assert table.final == (3, Fraction(11, 2))
    assert table.labour == (4, 20)
    assert table.wages == (None, None)
    assert table_of_csv("s\tA\tfinal\t劳动\t工资\nA\t1\t1\t1\t7\n").wages == (7,)


def test_names_may_hold_commas_and_line_breaks():
    table = table_of_csv('s,"iron,\n ore",final,labour\r\n"iron,\n ore",1,1,1\r\n')
    assert table.names == ("iron,\n ore",)


def test_cells_of_a_sheet_are_read_as_they_are_written():
    """A tenth in a sheet is a tenth, not the nearest binary fraction; empty rows and columns at the end do not matter."""
    table = table_of_rows([("", "A", "final", "labour", None), ("A", 0.1, 1, 2.5, None), (None, None, None, None)])
    assert table.flows == ((Fraction(1, 10),),)
    assert table.labour == (Fraction(5, 2),)


@pytest.mark.parametrize(
    ("text", "thing"),
    [
        ("", "the table is empty"),
        ("s,A,labour\nA,1,1", "the table has no column of final demand"),
        ("s,A,final\nA,1,1", "the table has no column of labour"),
        ("s,A,final,labour,labor\nA,1,1,1,1", "the table has more than one column of labour"),
        ("s,A,final,labour,wages,wages\nA,1,1,1,1,1", "the table has more than one column of wages"),
        ("s,final,labour\nA,1,1", "the table names no sector"),
        ("s,A,A,final,labour\nA,1,1,1,1", "the table names column 2 'A'"),
        ("s,A,,final,labour\nA,1,1,1,1", "the table names column 2 ''"),
        ("s,A,final,labour\nB,1,1,1", "the table, row 'B' has no column"),
        ("s,A,final,labour\nA,1,1,1\nA,1,1,1", "the table, row A stands there twice"),
        ("s,A,B,final,labour\nA,1,1,1,1", "the table, column B has no row"),
        ("s,A,final,labour\nA,1,1,1,9", "the table, row A is longer"),
        ("s,A,final,labour\nA,1,1", "the table, row A, column labour is empty"),
        ("s,A,final,labour\nA,,1,1", "the table, row A, column A is empty"),
        ("s,A,final,labour\nA,x,1,1", "the table, row A, column A is no number"),
        ('s,A,final,labour\nA,"1,000",1,1', "the table, row A, column A is no number"),
        ("s,A,final,labour\nA,nan,1,1", "the table, row A, column A is no number"),
        ("s,A,final,labour\nA,1e999999999,1,1", "the table, row A, column A is no number"),
        ("s,A,final,labour\nA,-1,1,1", "the table, row A, column A is below zero"),
        ("s,A,final,labour\nA,1,1,-1", "the table, row A, column labour is below zero"),
        ('s,A,final,labour\nA,"1"x,1,1', "the table is not CSV"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_table_is_named_with_its_place(text, thing):
    with pytest.raises(InputError) as raised:
        table_of_csv(text)
    assert str(raised.value).startswith(thing)


def test_too_many_sectors_are_refused_before_anything_is_computed():
    with pytest.raises(InputError, match="501 sectors"):
        table_of_rows([["", *range(501), "final", "labour"]])


@settings(deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_a_table_or_refused_by_name(text):
    for head in ("", "s,A,final,labour\n"):
        try:
            table_of_csv(head + text)
        except InputError:
            pass
        else:
            assert text.strip()


# The classical schemes


def test_bortkiewicz():
    """economics.md, section 4: profits are the surplus, prices are not the values."""
    departments = Department(225, 90, 60), Department(100, 120, 80), Department(50, 90, 60)
    found = transformation(*departments)
    assert found.rate == Fraction(1, 4)
    assert found.multipliers == (Fraction(32, 25), Fraction(16, 15), 1)
    assert found.prices == (480, 320, 200)
    assert sum(found.profits) == 200 == sum(one.surplus for one in departments)
    assert (sum(found.prices), sum(one.value for one in departments)) == (1_000, 875)


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.integers(1, 500)] * 3), min_size=3, max_size=3))
def test_every_department_makes_the_same_rate_of_profit(figures):
    departments = [Department(*each) for each in figures]
    found = transformation(*departments)
    for one, price, profit in zip(departments, found.prices, found.profits, strict=True):
        cost = one.constant * found.multipliers[0] + one.variable * found.multipliers[1]
        assert abs(profit - found.rate * cost) < Fraction(1, 10**30)
        assert price == cost + profit


def test_departments_without_capital_are_refused():
    with pytest.raises(MalformedFactError, match="capital above zero"):
        transformation(Department(0, 1, 1), Department(1, 1, 1), Department(1, 1, 1))
    with pytest.raises(MalformedFactError, match="capital above zero"):
        reproduction(Department(0, 1, 1), Department(1, 1, 1), Fraction(1, 2), 1)


def test_okishio():
    """economics.md, section 4: cheaper at ruling prices, so the rate of profit rises; the value falls."""
    real_wage = (Fraction(0), Fraction(2, 5))
    before, labour_before = [[Fraction(1, 2), Fraction(1, 5)], [0, 0]], [Fraction(1, 2), 1]
    after, labour_after = [[Fraction(3, 5), Fraction(1, 5)], [0, 0]], [Fraction(1, 10), 1]
    assert decimal(profit_rate(before, labour_before, real_wage), 4) == "0.5240"
    assert decimal(profit_rate(after, labour_after, real_wage), 4) == "0.5769"
    assert unit_values(before, labour_before)[0] == 1
    assert unit_values(after, labour_after)[0] == Fraction(1, 4)


def test_the_rate_of_profit_where_it_is_a_fraction():
    """One sector, half of it used up, and wages a sixth: 1 + r = 1/(1/2 + 1/6) = 3/2."""
    assert abs(profit_rate([[Fraction(1, 2)]], [1], [Fraction(1, 6)]) - Fraction(1, 2)) <= Fraction(1, 2**40)
    assert profit_rate([[Fraction(1, 2)]], [1], [Fraction(1, 2)]) is None
    assert profit_rate([[Fraction(1, 2)]], [1], [Fraction(1)]) is None
    assert profit_rate([[0]], [1], [0]) is None


def test_capital_two_reproduction_on_a_larger_scale():
    """*Capital* II, chapter 21; economics.md, section 4. I saves half of its surplus."""
    years = reproduction(Department(4_000, 1_000, 1_000), Department(1_500, 750, 750), Fraction(1, 2), 3)
    assert [first.value for first, _ in years] == [6_000, 6_600, 7_260, 7_986]
    assert [second.value for _, second in years] == [3_000, 3_200, 3_520, 3_872]


def test_simple_reproduction_stays_as_it_is():
    """*Capital* II, chapter 20: I (v + s) = II c."""
    start = Department(4_000, 1_000, 1_000), Department(2_000, 500, 500)
    assert reproduction(*start, Fraction(0), 5) == [start] * 6


def test_what_department_two_cannot_take_over_is_refused():
    with pytest.raises(MalformedFactError, match="department II would have to invest"):
        reproduction(Department(4_000, 1_000, 1_000), Department(100, 50, 50), Fraction(1, 2), 1)
    with pytest.raises(MalformedFactError, match="department II would have to invest"):
        reproduction(Department(4_000, 1_000, 1_000), Department(15_000, 750, 750), Fraction(1, 2), 1)
    with pytest.raises(MalformedFactError, match="part saved is 2"):
        reproduction(Department(1, 1, 1), Department(1, 1, 1), Fraction(2), 1)


@settings(deadline=None)
@given(st.fractions(0, 1, max_denominator=20), st.integers(1, 6))
def test_what_one_department_leaves_the_other_takes(saved, years):
    """I: v + Δv + surplus consumed = II: c + Δc, in every year."""
    try:
        told = reproduction(Department(4_000, 1_000, 1_000), Department(1_500, 750, 750), saved, years)
    except MalformedFactError:
        return
    for (first, second), (next_first, next_second) in pairwise(told):
        assert next_first.variable + (1 - saved) * first.surplus == next_second.constant
        growth = next_first.constant + next_first.variable - first.constant - first.variable
        assert growth == saved * first.surplus
        assert next_second.constant + next_second.variable <= second.value
