"""Foreign text in Markdown: shown as it is, never obeyed."""

import re

_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|>~$:<&^=\"'])")


def plain(text: object) -> str:
    """Return a text with everything Markdown would act on escaped; null is a dash."""
    if text is None:
        return "—"
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).split()))
