# ---- Ending it

# Processes that carry our mark in their environment: the script, and who descends from it.
marked() { for w_f in $(grep -lF "TRIMTAB_RUN_MARK=$w_mark" /proc/[0-9]*/environ 2>/dev/null); do w_f=${w_f#/proc/}; printf '%s ' "${w_f%/environ}"; done; }
signal_all() {
    [ -n "$w_pid" ] || return 0
    kill -s "$1" -- "-$w_pid" 2>/dev/null || kill -s "$1" "$w_pid" 2>/dev/null
    return 0
}
kill_all() {
    signal_all KILL
    for w_p in $(marked); do [ "$w_p" = "$$" ] || kill -s KILL "$w_p" 2>/dev/null; done
}
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
count_left() { w_left=0; for w_p in $(marked); do w_left=$((w_left + 1)); done; }

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

