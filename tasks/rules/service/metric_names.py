"""Read a service's metrics in our own words: its names, labels and their values, as its description says."""

from collections.abc import Iterable, Mapping

from tasks.model.probes.metrics import Labels, MetricsSnapshot, Sample
from tasks.model.service.metrics_settings import MetricName

# Several of theirs that are one of ours: of these the parts add up, of anything else nobody knows which one counts.
ADDS_UP = ("_total", "_sum", "_count")


def in_our_words(read: MetricsSnapshot, names: Mapping[str, MetricName]) -> MetricsSnapshot:
    """Add each described metric by our name, in place of one that happens to have that name.

    Errors: none; what is not on the page is not known. A value of a label that is not described stays as it is.
    """
    if not names:
        return read
    made = [one for ours, described in names.items() for one in _made(read, ours, described)]
    lost = {ours for ours, described in names.items() if described.name in read.lost}
    types = {ours: read.type_of(described.name) for ours, described in names.items()}
    return read.model_copy(
        update={
            "samples": (*(one for one in read.samples if one.name not in names), *made),
            "types": (*((name, kind) for name, kind in read.types if name not in types), *types.items()),
            "lost": tuple(sorted((set(read.lost) - set(names)) | lost)),
        }
    )


def _made(read: MetricsSnapshot, ours: str, described: MetricName) -> Iterable[Sample]:
    found: dict[Labels, list[float]] = {}
    for one in read.series(described.name):
        found.setdefault(_labels(one.labels, described), []).append(one.value * described.factor)
    for labels, values in found.items():
        if len(values) == 1 or ours.endswith(ADDS_UP):
            yield Sample(name=ours, labels=labels, value=sum(values))


def _labels(labels: Labels, described: MetricName) -> Labels:
    """Name the labels as we do. One that has our name and another meaning is left out."""
    theirs = dict(labels)
    taken = {theirs_: ours for ours, theirs_ in described.labels.items()}
    named = {ours: theirs[name] for ours, name in described.labels.items() if name in theirs}
    mapped = {ours: described.values.get(ours, {}).get(value, value) for ours, value in named.items()}
    others = {name: value for name, value in theirs.items() if name not in taken and name not in described.labels}
    return tuple(sorted({**others, **mapped}.items()))
