# ---- Time

uptime_now() { IFS=' ' read -r w_now _ </proc/uptime && printf %s "$w_now"; }
moment() { w_m=$(date -u +%Y-%m-%dT%H:%M:%S.%N); case ${w_m##*.} in *[!0-9]* | '') date -u +%Y-%m-%dT%H:%M:%S.000000 ;; *) printf '%.26s\n' "$w_m" ;; esac; }
# Sleeps that end with the one who ordered them.
doze() {
    sleep "$1" 2>/dev/null &
    trap "kill $! 2>/dev/null; exit 0" TERM
    wait $! || { [ "$?" -gt 128 ] || sleep $((${1%%.*} + 1)); }
}

