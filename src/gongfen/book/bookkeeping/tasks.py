"""Tables about tasks in a file: their social average, and where a machine would be cheaper. No book is needed."""

from fractions import Fraction
from pathlib import Path

from gongfen.book.bookkeeping.capital import said
from gongfen.book.bookkeeping.sheets import rows_of
from gongfen.reports.ledger import Automation, Average, OfAverage, OfTask
from gongfen.value import automates, automation_threshold, social_average
from gongfen.value.economy.task_table import tasks_of_rows, times_of_rows


def average_of(path: Path) -> Average:
    """What one unit takes on the social average, and what each producer gains or gives by it. Raises InputError."""
    producers = times_of_rows(rows_of(path), path.name)
    found = social_average(producers)
    return Average(
        table=path.name,
        time=said(found.time),
        producers=tuple(
            OfAverage(
                producer=name,
                time=said(time) or "",
                units=said(units) or "",
                transfer=said(found.transfers[name]) or "",
            )
            for name, (time, units) in producers.items()
        ),
        given=said(sum((time * units for time, units in producers.values()), Fraction(0))) or "",
        not_necessary=said(found.not_necessary) or "",
    )


def automation_of(path: Path) -> Automation:
    """Of each task, whether a machine costs less than the wage of those who do it. Raises InputError."""
    return Automation(
        table=path.name,
        tasks=tuple(
            OfTask(
                task=name,
                machine_cost=said(task.machine),
                threshold=said(automation_threshold(task.wage, task.hours)),
                automates=automates(task.machine, task.wage, task.hours),
            )
            for name, task in tasks_of_rows(rows_of(path), path.name).items()
        ),
    )
