"""The house style that Streamlit's theme cannot say: tiles, header, density."""

import streamlit as st

_STYLE = """
<style>
.stMainBlockContainer{padding:1rem 2.2rem 3rem;max-width:1500px}
[data-testid="stHeader"]{height:2rem;min-height:0;background:transparent;
  pointer-events:none}
[data-testid="stHeader"] button{pointer-events:auto}
h1{padding:.2rem 0 .4rem}
h3{padding:.5rem 0 .2rem}
[class*="st-key-tile-"] button{display:block;text-align:left;padding:.45rem .8rem;
  border:1px solid #d5dbe3;border-left:4px solid #9aa7b4;background:#fff;min-height:0}
[class*="st-key-tile-"] button p{font-size:.86rem;color:#46545f;line-height:1.25;
  text-align:left}
[class*="st-key-tile-"] button div{justify-content:flex-start;text-align:left}
[class*="st-key-tile-"] button p strong{display:block;font-size:1.45rem;
  font-weight:650;color:#1c2733;line-height:1.2;font-variant-numeric:tabular-nums}
[class*="st-key-tile-"] button:hover{background:#f6f9fc;border-color:#1f4e79}
[class*="-chosen-"] button{background:#eaf1f8!important;
  box-shadow:inset 0 0 0 1px #1f4e79}
[class*="st-key-tile-critical-"] button{border-left-color:#8e1b1b}
[class*="st-key-tile-high-"] button{border-left-color:#d1603d}
[class*="st-key-tile-medium-"] button{border-left-color:#e0b04c}
[class*="st-key-tile-low-"] button{border-left-color:#9fb3c8}
[class*="st-key-tile-fail-"] button{border-left-color:#b23a2e}
[class*="st-key-tile-unknown-"] button{border-left-color:#8a8f98}
[class*="st-key-tile-pass-"] button{border-left-color:#3d8361}
.st-key-masthead{border-bottom:1px solid #d5dbe3;min-height:2.1rem;
  align-items:flex-start;margin-bottom:.3rem}
[data-testid="stSidebarHeader"]{height:2.4rem;min-height:0;padding-top:.4rem;
  margin-bottom:0}
.st-key-masthead p{font-size:.86rem;color:#46545f;margin:0}
.st-key-masthead strong{color:#1c2733}
</style>
"""


def apply() -> None:
    """Write the style into the page; it holds nothing foreign."""
    st.html(_STYLE)
