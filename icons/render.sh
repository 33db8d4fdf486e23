#!/bin/sh
# Renders the PNG files from the SVG files beside this script. Needs rsvg-convert (package librsvg2-bin).
set -eu
cd "$(dirname "$0")"

for size in 32 128 256 512; do
    rsvg-convert --width "$size" --height "$size" --output "${size}x${size}.png" cwts-ultra.svg
done
cp 256x256.png 128x128@2x.png

# A panel's colour is unknown to a pixmap. This grey is the geometric middle between a light and a dark panel, so that it
# keeps a contrast of at least 3:1 on both (WCAG 2.2, 1.4.11); a test of the panel measures it.
style=$(mktemp)
trap 'rm -f "$style"' EXIT
echo 'svg { color: #808080 }' > "$style"
mkdir -p tray
for svg in tray-*-symbolic.svg; do
    state=${svg#tray-}
    state=${state%-symbolic.svg}
    for size in 22 44; do
        rsvg-convert --stylesheet "$style" --width "$size" --height "$size" --output "tray/$state-$size.png" "$svg"
    done
done
