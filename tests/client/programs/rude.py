"""Prints what a native library might, answers nobody's request, then answers properly."""

import json
import sys

for line in sys.stdin:
    request_id = json.loads(line).get("id")
    sys.stdout.write("loading weights... 100%\n\n[1, 2]\n{\n")
    sys.stdout.write('{"jsonrpc":"2.0","id":999999,"result":1}\n')
    sys.stdout.write('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"?"}}\n')
    sys.stdout.write('{"jsonrpc":"2.0","method":"odd","params":[1]}\n')
    sys.stdout.write(json.dumps({"jsonrpc": "2.0", "id": request_id, "result": "ok"}) + "\n")
    sys.stdout.flush()
