"""The gate's own routes, beside Streamlit's."""

from starlette.routing import BaseRoute, Route

from gate import downloads, sign_in, uploads

ROUTES: list[BaseRoute] = [
    Route("/sign-in", sign_in.show, methods=["GET"]),
    Route("/sign-in", sign_in.choose, methods=["POST"]),
    Route(
        "/download/workbook/{campaign_id}/{reviewer_id:path}",
        downloads.workbook,
        methods=["GET"],
    ),
    Route("/download/evidence/{campaign_id}", downloads.evidence, methods=["GET"]),
    Route("/upload/workbook", uploads.show, methods=["GET"]),
    Route("/upload/workbook", uploads.take, methods=["POST"]),
]
