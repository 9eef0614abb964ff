#!/bin/sh
# Signs a frozen sidecar for macOS: every Mach-O file, by what is in it and not by its name, the
# deepest first and the program last; then checks each of them.
# Run only with a stand-in for codesign (tests/packaging/test_signing.py), never yet on a Mac: it
# follows Apple's documentation.
# Usage: sh tools/freeze/macos/sign.sh dist/lora-sidecar "Developer ID Application: Name (TEAM)"
set -eu

folder=$1
identity=$2
entitlements=$(dirname "$0")/entitlements.plist

is_mach_o() {
    case $(od -An -tx1 -N4 "$1" | tr -d ' \n') in
    cffaedfe | cefaedfe | feedfacf | feedface | cafebabe | cafebabf) return 0 ;;
    *) return 1 ;;
    esac
}

mach_o_files() {
    find "$folder/_internal" -depth -type f | while IFS= read -r file; do
        if is_mach_o "$file"; then printf '%s\n' "$file"; fi
    done
    printf '%s\n' "$folder/lora-sidecar"
}

# Entitlements belong to programs: our own, and torch's helper for shared memory.
sign() {
    case $1 in
    *.so | *.dylib | */Python)
        codesign --force --timestamp --options runtime --sign "$identity" "$1" ;;
    *)
        codesign --force --timestamp --options runtime --entitlements "$entitlements" \
            --sign "$identity" "$1" ;;
    esac
}

mach_o_files | while IFS= read -r file; do sign "$file"; done
mach_o_files | while IFS= read -r file; do codesign --verify --strict --verbose=2 "$file"; done
