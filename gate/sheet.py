"""The gate's own pages: plain HTML, no script, nothing foreign unescaped."""

from html import escape

from starlette.responses import HTMLResponse

from gate.headers import OWN_PAGES_POLICY
from governance.language import translator
from governance.model import Language

_STYLE = """
*{box-sizing:border-box}
body{margin:0;background:#f3f5f8;color:#1c2733;
 font:15px/1.5 "Source Sans 3","Noto Sans CJK SC","PingFang SC",
 "Microsoft YaHei",sans-serif}
main{max-width:46rem;margin:6vh auto;padding:0 1.5rem}
h1{font-size:1.5rem;margin:0}
.motto{color:#55636f;margin:.2rem 0 1.6rem}
.sheet{background:#fff;border:1px solid #d5dbe3;border-radius:5px;padding:1.4rem 1.6rem}
h2{font-size:1.05rem;margin:0 0 .2rem}
p{margin:.3rem 0 .9rem}
.quiet{color:#55636f;font-size:.92em}
form{margin:0}
button,.button{font:inherit;cursor:pointer}
.choice{display:flex;justify-content:space-between;gap:1rem;align-items:baseline;
 width:100%;text-align:left;background:#fff;border:1px solid #d5dbe3;border-radius:4px;
 padding:.65rem .9rem;margin:.45rem 0;color:inherit}
.choice:hover,.choice:focus-visible{border-color:#1f4e79;background:#f6f9fc;
 outline:2px solid #1f4e7933}
.choice strong{display:block}
.choice .figures{color:#55636f;font-size:.92em;white-space:nowrap}
.primary{background:#1f4e79;color:#fff;border:0;border-radius:4px;padding:.5rem 1.1rem}
.alert{border-left:4px solid #c0392b;background:#fdf3f2;padding:.6rem .9rem;
 margin:0 0 1rem}
a{color:#1f4e79}
"""


def sheet(title: str, body: str, *, language: str, status: int = 200) -> HTMLResponse:
    """Return one page of the gate; ``body`` is HTML whose foreign text is escaped."""
    return HTMLResponse(
        f'<!doctype html><html lang="{escape(language)}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main>{body}</main></body></html>",
        status_code=status,
        headers={"Content-Security-Policy": OWN_PAGES_POLICY},
    )


def message(sentence: str, *, language: Language, status: int) -> HTMLResponse:
    """Return a page that says one sentence and leads back."""
    _ = translator(language)
    back = _("Back to Gatebook")
    return sheet(
        "Gatebook 权鉴",
        f'<h1>Gatebook 权鉴</h1><p class="motto"></p><div class="sheet">'
        f'<div class="alert">{escape(sentence)}</div>'
        f'<p><a href="/">{escape(back)}</a></p></div>',
        language=language.value.replace("_", "-"),
        status=status,
    )
