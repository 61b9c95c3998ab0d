"""Foreign text in Markdown: shown as it is, never obeyed."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|>~$:<&^=\"'])")

_LINKED = re.compile(r"@|://|www", re.IGNORECASE)
"""What Markdown would turn into a link by itself, escaped or not."""
_JOINER = "\N{WORD JOINER}"
"""Invisible and without width: it only keeps an address from being taken for one."""


def plain(text: object) -> str:
    """Return a text with everything Markdown would act on escaped; null is a dash."""
    if text is None:
        return "—"
    unlinked = _LINKED.sub(f"\\g<0>{_JOINER}", " ".join(str(text).split()))
    return _SPECIAL.sub(r"\\\1", unlinked)
