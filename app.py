"""Entry point: ``streamlit run app.py`` starts the product behind its gate.

The script that draws the pages is pages/main.py. It must not be this file: Streamlit
serves every module of a pages/ folder beside its main script before any gate has run.
"""

from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware

from gate.door import Gate
from gate.routes import ROUTES

app = st.App(
    Path(__file__).parent / "pages" / "main.py",
    routes=ROUTES,
    middleware=[Middleware(Gate)],
)
