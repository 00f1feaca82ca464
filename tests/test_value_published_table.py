"""Labour values of a table that others publish: 48 sectors in six regions, from the package pymrio (LGPL), if it is there.

``economics.md``, section 4: with value added in place of labour, which the table does not have, ``v·Y = ΣF``.
Nothing of the table is copied here, and pymrio itself is not imported: its test data lies in its folder as text.
"""

from fractions import Fraction
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

from gongfen.value import decimal, labour_values, table_of_rows


def cells(path: Path, left: int, top: int) -> list[list[str]]:
    """The numbers of a tab-separated file, without its names."""
    return [line.split("\t")[left:] for line in path.read_text("utf-8").splitlines()[top:]]


@pytest.fixture(scope="module")
def table():
    spec = find_spec("pymrio")
    if spec is None or spec.origin is None:
        pytest.skip("pymrio is not installed: pip install --no-deps pymrio")
    folder = Path(spec.origin).parent / "mrio_models" / "test_mrio" / "mrio_data"
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
