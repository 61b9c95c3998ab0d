"""What every answer says to the browser: who may frame it, what it may load."""

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from streamlit import file_util

_INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)

ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
UNDER_TLS = {"Strict-Transport-Security": "max-age=31536000"}
NOT_KEPT = {"Cache-Control": "no-store"}

OWN_PAGES_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
"""Content policy of the gate's own pages: no script at all."""


@cache
def application_policy() -> str:
    """Return the content policy under which Streamlit's own front end still runs.

    Its start page holds a short inline script, allowed by digest rather than in
    general. Its styles are written into the page, so inline styles must stay allowed;
    charts and tables compile WebAssembly and start workers from blobs.
    """
    page = (Path(file_util.get_static_dir()) / "index.html").read_text("utf-8")
    digests = " ".join(
        f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
        for text in _INLINE_SCRIPT.findall(page)
    )
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'wasm-unsafe-eval' {digests}".rstrip(),
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "frame-src 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
            "base-uri 'self'",
        )
    )
