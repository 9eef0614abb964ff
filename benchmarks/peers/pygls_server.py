"""A JSON-RPC server with one method that answers at once, on pygls."""

from pygls.lsp.server import LanguageServer

server = LanguageServer("peer", "1")


@server.feature("ping")
def ping(_params: object) -> dict[str, object]:
    return {}


if __name__ == "__main__":
    server.start_io()
