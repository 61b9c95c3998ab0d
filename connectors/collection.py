"""Pull every source that gatebook.toml names."""

from collections.abc import Callable

from connectors import connector_named
from connectors.conform import extract
from governance.schema import Extract, ExtractError
from governance.settings import Settings

Progress = Callable[[str, int, int], None]
"""Called with a source's name, how many are done, and how many there are."""


def collect(
    settings: Settings, *, progress: Progress = lambda _name, _done, _all: None
) -> list[Extract]:
    """Fetch, normalise and conform every source, in the order of the file.

    Every source's keys are checked before the first is read, so that a slip in the
    last one does not cost the time of the others.

    Raises:
        ExtractError: no source is declared, a key is wrong, or a source cannot be read.
            Names the source and the remedy; nothing is sealed then.
    """
    if not settings.sources:
        raise ExtractError(
            f"{settings.config}: no [sources.<name>] table, so there is nothing to "
            "pull; data/gatebook.example.toml shows one for every kind of source"
        )
    contexts = []
    for name, told in settings.sources.items():
        connector = connector_named(told.connector)
        contexts.append((connector, connector.context(name, settings, told)))
    extracts = []
    for done, (connector, context) in enumerate(contexts):
        progress(context.source, done, len(contexts))
        extracts.append(extract(connector, context))
    progress("", len(contexts), len(contexts))
    return extracts
