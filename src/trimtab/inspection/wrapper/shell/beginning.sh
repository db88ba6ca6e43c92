# ---- The program in shell. What it cannot know is null, and `provenance` and `notes` say so. It wants awk, od, dd, tail,
# tee, wc, mkfifo, cat, mv, rm, mkdir, sleep, date and uname, as busybox and coreutils have them; setsid, sha256sum,
# base64 and grep are used where there are.

# The secret of the proof: out of the environment, which every process of the same user can read.
if [ -n "${TRIMTAB_RUN_TOKEN-}" ]; then
    w_secret=$TRIMTAB_RUN_TOKEN
    unset TRIMTAB_RUN_TOKEN
    TRIMTAB_WRAPPER=sh TRIMTAB_TOKEN_ON=9 exec /bin/sh "$0" 9<<TOKEN
$w_secret
TOKEN
fi
w_secret=
if [ -n "${TRIMTAB_TOKEN_ON-}" ]; then
    IFS= read -r w_secret <&9
    exec 9<&-
fi
unset TRIMTAB_WRAPPER TRIMTAB_TOKEN_ON TRIMTAB_PYTHON

w_came= w_pid= w_notes= w_nl='
'
trap 'stop TERM 15' TERM
trap 'stop INT 2' INT
trap 'stop HUP 1' HUP

have() { command -v "$1" >/dev/null 2>&1; }
note() { w_notes="$w_notes${w_notes:+,}$w_nl    $(quote "$1")"; }
first_line() { w_line=; [ -r "$1" ] && IFS= read -r w_line <"$1"; printf '%s' "$w_line"; }
number() { case $1 in '' | *[!0-9]*) printf null ;; *) printf %s "$1" ;; esac; }
less() { case $1$2 in '' | *[!0-9]*) printf null ;; *) printf %s "$(($1 - $2))" ;; esac; }

