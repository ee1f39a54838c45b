"""The last hour as points, out of what each run kept."""

from tasks.model.looks import OrderOutcome
from tasks.rules.diagnosis import name_cause
from tasks.rules.past_chart import chart_of
from tests.fakes.looks import observation
from tests.fakes.past import healthy_hour, past, released, with_past


def test_the_last_hour_has_a_point_a_run_and_a_mark_a_release() -> None:
    """The person paged sees the fault begin, and what was deployed just before."""
    bad = tuple(one.model_copy(update={"outcomes": {"error:INTERNAL_ERROR": 2}}) for one in past(1).orders)
    history = (past(90), *healthy_hour()[:-1], past(1, orders=bad))
    seen = with_past((observation(),), history=history, changes=(released(2),))
    chart = chart_of(seen, name_cause(seen))

    assert len(chart.points) == 61
    assert chart.points[-2].orders == {OrderOutcome.ERROR: 4}
    assert [point.errors_count for point in chart.points[-3:]] == [0, 4, 0]
    assert [mark.label for mark in chart.releases] == ["release 1.1.0"]
