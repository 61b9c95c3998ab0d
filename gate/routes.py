"""The gate's own routes, beside Streamlit's."""

from starlette.routing import BaseRoute, Route

from gate import sign_in

ROUTES: list[BaseRoute] = [
    Route("/sign-in", sign_in.show, methods=["GET"]),
    Route("/sign-in", sign_in.choose, methods=["POST"]),
]
