from __future__ import annotations

import signal
import threading
import time

from prefect import flow_engine

from deployments.warm import cancelling


def test_only_the_cancelled_run_is_told_so() -> None:
    cancelling.install()
    cancelling.install()
    assert flow_engine._termination_intent() is None
    token = cancelling.request_of_this_run.set(cancelling.StopRequest("cancel"))
    assert flow_engine._termination_intent() == "cancel"
    neighbour = []
    thread = threading.Thread(target=lambda: neighbour.append(flow_engine._termination_intent()))
    thread.start()
    thread.join()
    cancelling.request_of_this_run.reset(token)
    assert neighbour == [None]


def test_python_code_is_interrupted_where_it_is() -> None:
    caught: list[cancelling.RunStopped] = []

    def work() -> None:
        try:
            while True:
                time.sleep(0.001)
        except cancelling.RunStopped as stopped:
            caught.append(stopped)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    cancelling.interrupt(thread)
    thread.join(5)
    assert [it.signal for it in caught] == [signal.SIGTERM]
