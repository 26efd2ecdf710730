"""Report files."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from api.dependencies import AccountDep, ConnectionDep, Limit, SettingsDep
from api.errors import MissingError
from api.schemas.performance import Report
from db.results import performance

router = APIRouter(prefix="/api/reports", tags=["performance"])


@router.get("")
def report_list(connection: ConnectionDep, account: AccountDep, limit: Limit = 100) -> list[Report]:
    """Return the reports that can be fetched, newest first."""
    return [
        Report.model_validate({**row._mapping, "name": Path(row.path).name})  # noqa: SLF001 - public despite its name
        for row in performance.reports(connection, account, limit=limit)
    ]


@router.get("/{report_id}/file", response_class=FileResponse)
def report_file(connection: ConnectionDep, settings: SettingsDep, report_id: int) -> FileResponse:
    """Return a report's file, to be saved; only files under the state directory are handed out."""
    row = performance.report(connection, report_id)
    if row is None:
        raise MissingError(f"no report {report_id}; GET /api/reports lists them")
    home = settings.home.resolve()
    file = (home / row.path).resolve()
    if not file.is_relative_to(home) or not file.is_file():
        raise MissingError(f"the file of report {report_id} is gone; run the deployment generate-reports again")
    return FileResponse(file, filename=file.name, headers={"X-Content-Type-Options": "nosniff"})
