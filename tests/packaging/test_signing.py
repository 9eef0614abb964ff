"""What ships inside an app: the scripts that sign it, as far as they run without the systems."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml

FREEZE = Path(__file__).parents[2] / "tools" / "freeze"
THIN, FAT = bytes.fromhex("cffaedfe"), bytes.fromhex("cafebabe")
MACH_O = {
    "lora-sidecar": THIN,
    "_internal/Python": THIN,
    "_internal/torch/bin/torch_shm_manager": THIN,
    "_internal/torch/lib/libtorch.dylib": FAT,
    "_internal/PIL/_imaging.cpython-311-darwin.so": THIN,
    "_internal/a folder with spaces/without an ending": FAT,
}
OTHERS = {
    "_internal/sbom.cdx.json": b"{}",
    "_internal/sidecar/assets/starter.safetensors": b"\x10\0\0\0",
    "_internal/empty": b"",
    "_internal/not really.so": b"#!/bin/sh",
}
APPLE = """#!/bin/sh
printf '%s\\n' "xcrun $*" >> "$CALLS"
case "$2" in submit) printf '  id: 12-34\\n  status: %s\\n' "$VERDICT" ;; esac
"""
STAND_IN = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in *"$REFUSED"*) exit 1 ;; esac
"""


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
class TestOnMacOS:
    @pytest.fixture
    def frozen(self, tmp_path: Path) -> Path:
        for name, content in (MACH_O | OTHERS).items():
            path = tmp_path / "Mein Prógramm" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return tmp_path / "Mein Prógramm"

    def signed(self, frozen: Path, refused: str = "(nothing)") -> tuple[int, list[str]]:
        """The exit code, and how codesign was called, with paths from the folder."""
        tools, calls = frozen.parent / "bin", frozen.parent / "calls"
        tools.mkdir()
        (tools / "codesign").write_text(STAND_IN)
        (tools / "codesign").chmod(0o755)
        env = {"PATH": f"{tools}:{os.environ['PATH']}", "CALLS": str(calls), "REFUSED": refused}
        words = ["sh", str(FREEZE / "macos" / "sign.sh"), str(frozen), "Developer ID: Me"]
        done = subprocess.run(words, env=env, capture_output=True, timeout=300, check=False)
        lines = calls.read_text(encoding="utf-8").splitlines() if calls.exists() else []
        return done.returncode, [line.replace(f"{frozen}/", "") for line in lines]

    def test_every_mach_o_file_is_signed_and_checked_and_nothing_else(self, frozen: Path) -> None:
        code, calls = self.signed(frozen)
        assert code == 0
        signings = [call for call in calls if "--sign Developer ID: Me " in call]
        assert {call.partition("Developer ID: Me ")[2] for call in signings} == set(MACH_O)
        checks = [call for call in calls if call.startswith("--verify")]
        assert {call.partition("--verbose=2 ")[2] for call in checks} == set(MACH_O)
        assert len(calls) == len(signings) + len(checks) == 2 * len(MACH_O)

    def test_the_program_comes_last_and_programs_get_the_entitlements(self, frozen: Path) -> None:
        _, calls = self.signed(frozen)
        signings = [call for call in calls if "--sign" in call]
        assert signings[-1].endswith(" lora-sidecar")
        entitled = {c.partition("Developer ID: Me ")[2] for c in signings if "--entitlements" in c}
        assert {"lora-sidecar", "_internal/torch/bin/torch_shm_manager"} <= entitled
        assert not any(name.endswith((".so", ".dylib", "Python")) for name in entitled)
        assert all("--options runtime" in call and "--timestamp" in call for call in signings)

    def test_one_that_cannot_be_signed_is_a_failure(self, frozen: Path) -> None:
        assert self.signed(frozen, refused="torch_shm_manager")[0] != 0


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
class TestNotarising:
    def told(self, tmp_path: Path, thing: str, verdict: str) -> tuple[int, list[str]]:
        """The exit code, and how xcrun and ditto were called."""
        calls = tmp_path / "calls"
        for name, script in (("xcrun", APPLE), ("ditto", APPLE.replace("xcrun $", "ditto $"))):
            (tmp_path / name).write_text(script)
            (tmp_path / name).chmod(0o755)
        path = f"{tmp_path}:{os.environ['PATH']}"
        words = ["sh", str(FREEZE / "macos" / "notarise.sh"), thing, "me"]
        env = {"PATH": path, "CALLS": str(calls), "VERDICT": verdict}
        done = subprocess.run(words, env=env, capture_output=True, timeout=300, check=False)
        return done.returncode, calls.read_text(encoding="utf-8").splitlines()

    def test_an_app_goes_as_an_archive_and_is_stapled_itself(self, tmp_path: Path) -> None:
        code, calls = self.told(tmp_path, "My Studio.app/", "Accepted")
        assert code == 0
        assert calls[0].startswith("ditto -c -k --keepParent My Studio.app ")
        assert calls[1].endswith("app.zip --keychain-profile me --wait")
        assert calls[2:] == [
            f"xcrun stapler {step} My Studio.app" for step in ("staple", "validate")
        ]

    def test_a_refused_one_is_not_stapled_and_apples_reasons_are_fetched(
        self, tmp_path: Path
    ) -> None:
        code, calls = self.told(tmp_path, "Studio.dmg", "Invalid")
        assert code == 1
        assert calls == [
            "xcrun notarytool submit Studio.dmg --keychain-profile me --wait",
            "xcrun notarytool log 12-34 --keychain-profile me",
        ]


@pytest.mark.skipif(os.name == "nt", reason="a POSIX shell")
@pytest.mark.parametrize("name", ["sign.sh", "notarise.sh"])
def test_the_shell_scripts_are_sound_and_say_that_they_never_ran_there(name: str) -> None:
    script = FREEZE / "macos" / name
    subprocess.run(["sh", "-n", str(script)], check=True, timeout=20)
    assert "never" in script.read_text(encoding="utf-8").lower()


def test_the_recipe_puts_the_sidecar_where_the_npm_package_looks_for_it() -> None:
    recipe = yaml.safe_load((FREEZE / "electron-builder.yml").read_text(encoding="utf-8"))
    (copied,) = recipe["extraResources"]
    assert copied["from"].endswith("/lora-sidecar")
    assert copied["to"] == "lora-sidecar"
    source = FREEZE.parents[1] / "electron-shim" / "src" / "supervisor" / "command.ts"
    assert recipe["files"] == ["!sidecar/**"], "it would be in the asar as well"
    assert 'join(resources, "lora-sidecar", name)' in source.read_text(encoding="utf-8")
