#!/usr/bin/env bash
# Builds CWTS Ultra and installs it for this user, or updates what is installed, also while it runs. Needs no root, except
# for the packages of the build that are missing.
#
#   ./scripts/install.sh [--home DIR] [--headless] [--no-build]
#   ./scripts/install.sh --uninstall [--purge] [--home DIR]
#
#   --home DIR    where to install; CWTS_HOME, else ~/.local/cwts-ultra
#   --headless    only the server and its scripts: builds without GTK and Node, and adds nothing to the desktop's menu
#   --no-build    install what was built before, by the profile that CWTS_BUILD names
#   --uninstall   remove the programs, the scripts and the menu's entry; keep config, data and logs
#   --purge       with --uninstall: remove these too
set -euo pipefail
# shellcheck source=scripts/lib.sh
. "$(dirname "$0")/lib.sh"

misuse() {
    printf 'error: %s\n' "$*" >&2
    exit 2
}

parse() {
    [ -n "${HOME-}" ] || fail "HOME is not set. Set it to your home folder, then run this again."
    standard=$HOME/.local/cwts-ultra
    home=${CWTS_HOME:-$standard}
    action=put_all purge='' builds=yes programs=(cwts-ultra cwts-ultra-panel)
    while [ $# -gt 0 ]; do
        case $1 in
            --home) [ -n "${2-}" ] || misuse "--home needs a folder, for example --home ~/.local/cwts-ultra."; home=$2; shift ;;
            --home=?*) home=${1#--home=} ;;
            --headless) programs=(cwts-ultra) ;;
            --no-build) builds='' ;;
            --uninstall) action=remove_all ;;
            --purge) purge=yes ;;
            -h | --help) sed -n '2,/^set /{/^# \{0,1\}/s///p}' "$0"; exit ;;
            *) misuse "'$1' is no option of install.sh. See --help." ;;
        esac
        shift
    done
    [ -z "$purge" ] || [ $action = remove_all ] || misuse "--purge removes config and data. It goes with --uninstall only."
    case $home in
        *$'\n'*) fail "The name of the home folder has a line break. Choose another with --home DIR." ;;
        /*) ;;
        *) home=$PWD/$home ;;
    esac
    home=$(realpath --canonicalize-missing --no-symlinks "$home")
    if [ "$home" = / ] || [ "$home" -ef "$HOME" ] || [ "$home" -ef "$root" ]; then
        fail "$home is no folder of CWTS Ultra's own. Choose another with --home DIR, for example ~/.local/cwts-ultra."
    fi
    link=$HOME/.local/bin/cwts-ultra
    menu=${XDG_DATA_HOME:-$HOME/.local/share}/applications
    entry=$menu/cwts-ultra-panel.desktop
    icons=${XDG_DATA_HOME:-$HOME/.local/share}/icons/hicolor
}

# try COMMAND...: runs a command quietly; if it fails, its first line becomes the error.
try() {
    local said
    said=$("$@" 2>&1) || fail "${said%%$'\n'*}. Check the rights and the free space there, or choose another folder with --home DIR."
}

# put SOURCE TARGET [MODE]: replaces the target in one step, so that it is never half written, and who runs it goes on.
part=
trap '[ -z "$part" ] || rm -f "$part"' EXIT
put() {
    try mkdir -p "$(dirname "$2")"
    part=$2.$$.part
    try cp --reflink=auto "$1" "$part"
    try chmod "${3-644}" "$part"
    try sync "$part"
    try mv -f "$part" "$2"
    part=
}

# What this script shipped last. A file that still equals it is nobody's work, and an update may replace it.
shipped() { printf '%s\n' "$home/config/.shipped/$1"; }

# A person's file is never touched: a default that has changed since the last installation lies beside it.
put_config() {
    local new="$root/config/$1" file="$home/config/$1" last
    last=$(shipped "$1")
    if [ ! -L "$file" ] && { [ ! -e "$file" ] || cmp --silent "$last" "$file"; }; then
        cmp --silent "$new" "$file" || put "$new" "$file"
    fi
    if cmp --silent "$new" "$file"; then
        rm -f "$file.new"
    elif ! cmp --silent "$new" "$last"; then
        put "$new" "$file.new"
        say "kept your $file; the new default is beside it, in $1.new"
    fi
    put "$new" "$last"
}

# The instances of this home that run, as "ID PID" lines: each holds a lock on a file.
running() {
    local lock inode pid
    for lock in "$home"/data/*/instance.lock; do
        [ -e "$lock" ] || continue
        inode=$(stat --format=%i "$lock")
        pid=$(awk -v file=":$inode" '$2 == "FLOCK" && substr($6, length($6) - length(file) + 1) == file { print $5; exit }' /proc/locks)
        [ -z "$pid" ] || printf '%s %s\n' "$(basename "$(dirname "$lock")")" "$pid"
    done
}

# A path as an argument of Exec, quoted (Desktop Entry Specification, "The Exec key"), before the escapes of a string.
exec_argument() { printf '"%s"' "$(printf '%s' "$1" | sed 's/["`$\\]/\\&/g; s/%/%%/g')"; }

# A value of type string of a desktop entry.
entry_string() { printf '%s' "$1" | sed 's/\\/\\\\/g'; }

put_launcher() {
    local panel="$home/bin/cwts-ultra-panel" exec line text=''
    exec=$(exec_argument "$panel")
    # GLib looks for the program before it replaces %%.
    [[ $panel != *%* ]] || exec="env $exec"
    [ "$home" -ef "$standard" ] || exec="$exec --home $(exec_argument "$home")"
    while IFS= read -r line; do
        case $line in
            Exec=*) line="Exec=$(entry_string "$exec")" ;;
            TryExec=*) line="TryExec=$(entry_string "$panel")" ;;
        esac
        text+=$line$'\n'
    done <"$root/packaging/cwts-ultra-panel.desktop"
    put <(printf '%s' "$text") "$entry"
    local size
    for size in 32x32 128x128 256x256 512x512; do
        put "$root/icons/$size.png" "$icons/$size/apps/cwts-ultra-panel.png"
    done
    put "$root/icons/128x128@2x.png" "$icons/128x128@2/apps/cwts-ultra-panel.png"
    put "$root/icons/cwts-ultra.svg" "$icons/scalable/apps/cwts-ultra-panel.svg"
    refresh_menu
}

# Makes the command found by name, where the program looks for its home by itself and nobody else has the name.
put_link() {
    if [ "$home" -ef "$standard" ] && { [ ! -e "$link" ] || [ "$link" -ef "$home/bin/cwts-ultra" ]; }; then
        try mkdir -p "$(dirname "$link")"
        try ln -sfn "$home/bin/cwts-ultra" "$link"
    fi
}

refresh_menu() {
    if command -v update-desktop-database >/dev/null; then
        try update-desktop-database --quiet "$menu"
    fi
    # Desktops look for new icons when the folder is newer than what they know of it. A cache is brought up to date, but
    # not started: it would hide the icons that others add here without one.
    [ ! -d "$icons" ] || try touch "$icons"
    if [ -e "$icons/icon-theme.cache" ] && command -v gtk-update-icon-cache >/dev/null; then
        try gtk-update-icon-cache --quiet --force --ignore-theme-index "$icons"
    fi
}

put_all() {
    local name id pid
    for name in "${programs[@]}"; do
        if [ -n "$builds" ]; then
            build "$name"
        elif [ ! -x "$built/$name" ]; then
            fail "$built/$name does not exist. Run this without --no-build, or set CWTS_BUILD to the profile that was built."
        fi
    done
    try mkdir -p "$home/bin" "$home/config/instances" "$home/data" "$home/logs" "$home/scripts"
    try chmod 700 "$home/data"
    for name in production.toml ports.conf ports.env; do
        put_config "$name"
    done
    for name in launch.sh check-ports.sh; do
        put "$root/scripts/$name" "$home/scripts/$name" 755
    done
    for name in "${programs[@]}"; do
        put "$built/$name" "$home/bin/$name" 755
    done
    put_link
    [ ${#programs[@]} -eq 1 ] || put_launcher
    running | while read -r id pid; do
        say "instance $id still runs what was installed before, as pid $pid; restart it to run the new version"
    done
    say "installed in $home; start $home/scripts/launch.sh$([ ${#programs[@]} -eq 1 ] || echo ', or CWTS Ultra in the menu')"
}

remove_all() {
    local id pid left
    if [ ! -d "$(dirname "$(shipped x)")" ]; then
        fail "nothing is installed in $home. Name the folder with --home DIR."
    fi
    read -r id pid < <(running) || true
    [ -z "${pid-}" ] || fail "instance $id runs as pid $pid. Quit it, or run 'kill $pid', then run this again."
    [ ! "$link" -ef "$home/bin/cwts-ultra" ] || try rm -f "$link"
    try rm -f "$home"/bin/cwts-ultra "$home"/bin/cwts-ultra-panel "$home"/scripts/launch.sh "$home"/scripts/check-ports.sh
    # Another installation may have made the entry its own.
    if grep --quiet --fixed-strings --line-regexp "TryExec=$(entry_string "$home/bin/cwts-ultra-panel")" "$entry" 2>/dev/null; then
        try rm -f "$entry" "$icons"/*/apps/cwts-ultra-panel.png "$icons"/scalable/apps/cwts-ultra-panel.svg
        refresh_menu
    fi
    if [ -n "$purge" ]; then
        try rm -rf "$home/config" "$home/data" "$home/logs"
    fi
    # What is left in these folders is a person's.
    rmdir --ignore-fail-on-non-empty "$home/bin" "$home/scripts" "$home" 2>/dev/null || true
    if [ -d "$home" ]; then
        left=("$home"/*)
        say "removed the programs from $home; kept ${left[*]##*/}"
    else
        say "removed $home"
    fi
}

parse "$@"
"$action"
