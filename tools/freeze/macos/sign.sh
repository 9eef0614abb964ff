#!/bin/sh
# Signs a frozen sidecar for macOS, libraries first, the program last, and checks the result.
# Not run yet: it was written on another system, after Apple's documentation.
# Usage: sh tools/freeze/macos/sign.sh dist/lora-sidecar "Developer ID Application: Name (TEAM)"
set -eu

folder=$1
identity=$2
entitlements=$(dirname "$0")/entitlements.plist

find "$folder/_internal" -type f \( -name '*.so' -o -name '*.dylib' -o -name 'Python' \) -print0 |
    xargs -0 -n 20 codesign --force --timestamp --options runtime --sign "$identity"
codesign --force --timestamp --options runtime --entitlements "$entitlements" \
    --sign "$identity" "$folder/lora-sidecar"

codesign --verify --strict --verbose=2 "$folder/lora-sidecar"
