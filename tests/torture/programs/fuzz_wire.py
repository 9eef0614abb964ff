"""Framing and dispatch under atheris. Usage: fuzz_wire.py FOLDER [options of libFuzzer]

The first byte of an input chooses the size of the pieces it arrives in, the rest is what arrives.
The corpus begins with what the specification has and what went wrong once.
"""

import sys
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[3]))

with atheris.instrument_imports(include=["sidecar.rpc", "sidecar.protocol", "jsonrpcserver"]):
    from tests.torture.in_process import Victim

PIECES = (1 << 16, 1, 7, 100)
SEEDS = (
    b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n',
    b'[{"jsonrpc":"2.0","id":1,"method":"status"},{"jsonrpc":"2.0","method":"ping"}]\n',
    b'Content-Length: 40\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"ping"}',
    b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    b"Content-Length: 2\r\n\r\n{}Content-Length: 1\r\ncontent-length:9\r\n\r\n",
    b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"generate","params":{"prompt":"x","steps":4}}\n',
    b'{"jsonrpc":"2.0","id":"a","method":"switch_lora","params":{"loras":[{"name":"x"}]}}\n',
    b'{"jsonrpc":"2.0","id":2,"method":"history_list","params":{"limit":5,"offset":0}}\n',
    b'{"jsonrpc":"2.0","id":3,"method":"initialize","params":{"locale":"zh-CN"}}\n',
)


def main() -> None:
    folder = Path(sys.argv.pop(1))
    corpus = folder / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(SEEDS):
        (corpus / f"seed-{number}").write_bytes(b"\0" + seed)
    victim = Victim(folder)

    def one(data: bytes) -> None:
        victim.begin()
        size = PIECES[data[0] % len(PIECES)] if data else 1
        for start in range(1, len(data), size):
            victim.feed(data[start : start + size])
        assert victim.still_hears()
        victim.end()

    atheris.Setup([*sys.argv, f"-artifact_prefix={folder}/", str(corpus)], one)
    atheris.Fuzz()


main()
