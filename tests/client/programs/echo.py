"""Answers every request with its method and parameters; says so before, in a notification.

`fail` is answered with the error given in its parameters; `$/cancelRequest` ends a `wait`.
"""

import json
import sys


def send(message: dict) -> None:
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    sys.stdout.flush()


CANCELLED = {"code": -32800, "message": "The request was cancelled.", "data": {"kind": "cancelled"}}

for line in sys.stdin:
    request = json.loads(line)
    method, params, request_id = request["method"], request["params"], request.get("id")
    if method == "$/cancelRequest":
        send({"id": params["id"], "error": CANCELLED})
    elif request_id is None:
        send({"method": "heard", "params": {"method": method}})
    elif method == "fail":
        send({"id": request_id, "error": params})
    elif method == "initialize":
        send({"id": request_id, "result": {}})
    elif method != "wait":
        for step in (1, 2, 3):
            send({"method": "progress", "params": {"request_id": request_id, "step": step}})
        send({"id": request_id, "result": {"method": method, "params": params}})
