"""Labour values of tables that others publish, from the packages pymrio (LGPL) and mariopy (GPL-3), where they are there.

``economics.md``, section 4. pymrio: 48 sectors in six regions, with value added in place of labour, which the table does
not have: ``v·Y = ΣF``. mariopy: three sectors in two regions, with heads employed and wages: ``v·Y`` = Σ employment, and
prices against values by heads and by wages. Nothing of the tables is copied here, and neither package is imported: their
test data lies in their folders. So ``pip install --no-deps pymrio mariopy`` is enough, about 10 MB.
"""

from fractions import Fraction
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

from gongfen.value import Priced, capital, decimal, deviation, labour_values, table_of_rows


def cells(path: Path, left: int, top: int) -> list[list[str]]:
    """The numbers of a tab-separated file, without its names."""
    return [line.split("\t")[left:] for line in path.read_text("utf-8").splitlines()[top:]]


def folder_of(module, package):
    """Where a package lies, without importing it; who has none skips."""
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        pytest.skip(f"{package} is not installed: pip install --no-deps {package}")
    return Path(spec.origin).parent


# -- pymrio ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    folder = folder_of("pymrio", "pymrio") / "mrio_models" / "test_mrio" / "mrio_data"
    flows = cells(folder / "trade_flows_Z.txt", 3, 2)
    final = cells(folder / "finald_demand_Y.txt", 3, 2)
    added = cells(folder / "factor_input.txt", 2, 2)[0]
    rows = [["", *range(len(flows)), *["final demand"] * len(final[0]), "labour"]]
    rows += [[at, *row, *final[at], added[at]] for at, row in enumerate(flows)]
    return table_of_rows(rows, "pymrio's test table")


def test_all_that_was_added_is_in_the_final_product(table):
    found = labour_values(table)
    assert decimal(found.labour, 3) == "39141414.265"
    final = sum((value * y for value, y in zip(found.values.values(), table.final, strict=True)), Fraction(0))
    assert final == found.labour


def test_as_round_after_round_of_inputs_adds_it_up(table):
    """v = l + lA + lA² + …, in the machine's own arithmetic: another way to the same values."""
    output = [float(x) for x in table.output]
    size = range(len(output))
    shares = [[float(table.flows[i][j]) / output[j] for i in size] for j in size]
    direct = [float(table.labour[j]) / output[j] for j in size]
    rounds = [direct]
    while max(rounds[-1]) > 1e-13:
        rounds.append([sum(a * b for a, b in zip(rounds[-1], shares[j], strict=True)) for j in size])
    assert all(max(after) < max(before) for before, after in pairwise(rounds[2:]))
    summed = [sum(column) for column in zip(*rounds, strict=True)]
    assert [float(value) for value in labour_values(table).values.values()] == pytest.approx(summed, rel=1e-9)


# -- mariopy -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def economy():
    """Names of the sectors, their flows with final demand, and what stands below: taxes, wages, capital, employment."""
    openpyxl = pytest.importorskip("openpyxl", reason="the table is XLSX: pip install openpyxl")
    path = folder_of("mario", "mariopy") / "test" / "tables" / "test_IOT_standard.xlsx"
    sheet = openpyxl.load_workbook(path, read_only=True, data_only=True)["flows"]
    head, *rows = [row for row in sheet.iter_rows(values_only=True) if any(cell is not None for cell in row)][1:]
    sectors = head.count("Sector")
    flows = [row[3:] for row in rows[1 : sectors + 1]]
    below = {row[2]: row[3 : 3 + sectors] for row in rows[sectors + 1 :]}
    return flows, below


def valued(economy, labour):
    """The table with a row of what stands below it as labour."""
    flows, below = economy
    rows = [["", *range(len(flows)), *["final demand"] * (len(flows[0]) - len(flows)), "labour"]]
    return table_of_rows([*rows, *([at, *row, below[labour][at]] for at, row in enumerate(flows))], "mariopy's table")


def deviation_by(economy, labour):
    """Prices against values: flows are money, so a unit costs 1."""
    found = labour_values(valued(economy, labour))
    return deviation({one: Priced(Fraction(1), value, found.output[one]) for one, value in found.values.items()})


def test_all_who_were_employed_are_in_the_final_product(economy):
    table = valued(economy, "Employment")
    found = labour_values(table)
    assert decimal(found.labour, 4) == "4430896.7939"
    final = sum((value * y for value, y in zip(found.values.values(), table.final, strict=True)), Fraction(0))
    assert final == found.labour


def test_by_wages_prices_lie_near_values_and_by_heads_far_from_them(economy):
    """Heads of a poor country's farms and of a rich one's offices are no equal hours: a wage reduces them."""
    assert decimal(deviation_by(economy, "Employment").mawd, 5) == "0.40706"
    assert decimal(deviation_by(economy, "Wages").mawd, 5) == "0.06141"


def test_the_rate_of_surplus_of_the_table(economy):
    """What was added beyond the wages, over the wages."""
    _, below = economy
    added = {name: sum(map(Fraction, below[name])) for name in ("Taxes", "Wages", "Capital")}
    found = capital(None, sum(added.values(), Fraction(0)), added["Wages"], Fraction(1))
    assert decimal(found.surplus_rate, 5) == "0.96214"
