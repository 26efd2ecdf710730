from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from deployments.warm.flows import LoadedFlows
from trading.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
import pathlib, time
from prefect import flow
with pathlib.Path({log!r}).open("a") as log:
    log.write("imported ")
time.sleep(0.2)
not_a_flow = 1
@flow
def is_a_flow():
    pass
"""


@pytest.fixture
def imports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    log = tmp_path / "imports"
    (tmp_path / f"slow_{tmp_path.name}.py").write_text(MODULE.format(log=str(log)), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return log


def test_threads_that_want_one_flow_share_one_import(imports: Path) -> None:
    flows, found = LoadedFlows(), []
    path = f"slow_{imports.parent.name}.is_a_flow"
    threads = [threading.Thread(target=lambda: found.append(flows.load(path))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(flow) for flow in found}) == 1
    assert len(found) == 4
    assert imports.read_text(encoding="utf-8") == "imported "


@pytest.mark.parametrize(("name", "words"), [("nothing", "has no such name"), ("not_a_flow", "holds a int")])
def test_an_entry_point_that_is_no_flow_is_named(imports: Path, name: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        LoadedFlows().load(f"slow_{imports.parent.name}.{name}")


def test_a_failed_import_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module, flows = tmp_path / "breaks.py", LoadedFlows()
    module.write_text("1 / 0\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError):
        flows.load("breaks.mended")
    module.write_text("from prefect import flow\n@flow\ndef mended(): pass\n", encoding="utf-8")
    assert flows.load("breaks.mended").name == "mended"
