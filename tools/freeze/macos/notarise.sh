#!/bin/sh
# Has Apple notarise a signed app, disk image or installer, and staples the ticket to it.
# Run only with a stand-in for xcrun (tests/packaging/test_signing.py), never yet on a Mac: it
# follows Apple's documentation. Not needed where electron-builder does it (notarize).
# Once, beforehand: xcrun notarytool store-credentials PROFILE
# Usage: sh tools/freeze/macos/notarise.sh Studio.dmg PROFILE
set -eu

thing=${1%/}
profile=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Apple takes archives, images and installers; an app goes there in an archive.
case $thing in
*.app)
    sent=$work/app.zip
    ditto -c -k --keepParent "$thing" "$sent" ;;
*) sent=$thing ;;
esac

xcrun notarytool submit "$sent" --keychain-profile "$profile" --wait | tee "$work/said"
if ! grep -q 'status: Accepted' "$work/said"; then
    id=$(sed -n 's/^ *id: *//p' "$work/said" | head -n 1)
    xcrun notarytool log "$id" --keychain-profile "$profile" >&2
    exit 1
fi
xcrun stapler staple "$thing"
xcrun stapler validate "$thing"
