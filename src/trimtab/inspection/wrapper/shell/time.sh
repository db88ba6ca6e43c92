# ---- Time

uptime_now() { IFS=' ' read -r w_now _ </proc/uptime && printf %s "$w_now"; }
moment() { w_m=$(date -u +%Y-%m-%dT%H:%M:%S.%N); case ${w_m##*.} in *[!0-9]* | '') date -u +%Y-%m-%dT%H:%M:%S.000000 ;; *) printf '%.26s\n' "$w_m" ;; esac; }
# A sleep that ends with the one who ordered it.
doze() {
    w_sleep=
    trap '[ -z "$w_sleep" ] || kill "$w_sleep" 2>/dev/null; exit 0' TERM
    sleep "$1" 2>/dev/null &
    w_sleep=$!
    wait "$w_sleep" || sleep $((${1%%.*} + 1)) # where fractions are not understood
}

