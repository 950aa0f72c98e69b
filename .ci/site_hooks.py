"""For `make site`: what leads out of docs/, into the code, is no link on the site, which holds no code."""

import re

LEADS_OUT = re.compile(r"\[([^\]]+)\]\(\.\./[^)]*\)")


def on_page_markdown(markdown: str, **_: object) -> str:
    """A page's text before it is made HTML."""
    return LEADS_OUT.sub(r"\1", markdown)
