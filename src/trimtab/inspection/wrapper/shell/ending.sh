# ---- Ending it

# Processes that carry our mark in their environment: the script, and who descends from it.
marked() {
    if printf 'a\0b' | grep -qF b 2>/dev/null; then
        for w_f in $(grep -lF "TRIMTAB_RUN_MARK=$w_mark" /proc/[0-9]*/environ 2>/dev/null); do
            w_f=${w_f#/proc/}
            printf '%s ' "${w_f%/environ}"
        done
    elif have strings; then # a grep that does not look behind the first null
        strings -f -n 20 /proc/[0-9]*/environ 2>/dev/null | sed -n "s,^/proc/\([0-9]*\)/environ: TRIMTAB_RUN_MARK=$w_mark\$,\1,p" | tr '\n' ' '
    else
        for w_f in /proc/[0-9]*; do printf '\0PROCESS=%s\0' "${w_f#/proc/}"; cat "$w_f/environ"; done 2>/dev/null | tr '\0' '\n' |
            LC_ALL=C awk -F= -v mark="$w_mark" '$1 == "PROCESS" { p = $2 } $1 == "TRIMTAB_RUN_MARK" && $2 == mark { printf "%s ", p }'
    fi
}
signal_all() {
    [ -n "$w_pid" ] || return 0
    kill -s "$1" -- "-$w_pid" 2>/dev/null || kill -s "$1" "$w_pid" 2>/dev/null
    return 0
}
kill_all() {
    signal_all KILL
    kill_those $(marked)
}
kill_those() { for w_p in "$@"; do kill -s KILL "$w_p" 2>/dev/null; done; }
stop() {
    [ -n "$w_came" ] && { kill_all; return; }
    w_came=$2
    [ -z "$w_pid" ] || ask_to_end "$1"
}
ask_to_end() {
    signal_all "$1"
    signal_all CONT
    (doze "$w_grace"; kill_all) </dev/null >/dev/null 2>&1 &
    w_killer=$!
}
# Kill what the script has left behind, also what that starts meanwhile; how many they were at first.
end_others() {
    w_left=0 w_tries=0 w_found=$(marked)
    for w_p in $w_found; do w_left=$((w_left + 1)); done
    while [ -n "$w_found" ] && [ "$w_tries" -lt 50 ]; do
        kill_those $w_found
        w_tries=$((w_tries + 1)) w_found=$(marked)
    done
    kill -s KILL -- "-$w_pid" 2>/dev/null
}

# Keep beginning and end of a stream: standard input to the file, its end to another, and how much it was to a third.
keep() {
    dd bs=4096 count="$((w_head_size / 4096))" iflag=fullblock of="$1" 2>/dev/null
    mkfifo "$2.count"
    wc -c <"$2.count" >"$2.rest" &
    tee "$2.count" 2>/dev/null | tail -c "$w_tail_size" >"$2.tail"
    wait $!
}
# What was kept, as a file; how much came, and whether something is left out.
collect() {
    w_rest=$(number "$(tr -d ' ' <"$2.rest" 2>/dev/null)"); [ "$w_rest" != null ] || w_rest=0
    w_seen=$(($(wc -c <"$1") + w_rest)) w_truncated=false
    if [ "$w_rest" -gt "$w_tail_size" ]; then
        w_truncated=true
        printf '\n[trimtab] %s bytes were left out here\n' "$((w_rest - w_tail_size))" >>"$1"
    fi
    [ "$w_rest" -eq 0 ] || cat "$2.tail" >>"$1"
}

